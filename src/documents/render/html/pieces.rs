//! What the page of a run and that of a plan both show: statuses, guards, ledgers, the head of the table of fields.

use maud::{Markup, html};

use super::shell::{Mark, badge};
use super::text::Text;
use crate::render::wording::{grouped, share};
use crate::runlog::Status;

/// How a run ended.
pub(super) fn status(status: Status) -> Markup {
    match status {
        Status::Completed => badge(Mark::Good, "Completed"),
        Status::Failed => badge(Mark::Bad, "Failed"),
    }
}

/// A guard, as a line of a list: its name, what it says, whether it held the plan back, and whether somebody let it pass.
pub(super) fn guard(name: &str, words: &str, held: bool, waived: bool) -> Markup {
    html! {
        li {
            @match (held, waived) {
                (true, false) => (badge(Mark::Bad, "held")),
                (true, true) => (badge(Mark::Late, "waived")),
                (false, _) => (badge(Mark::Good, "ok")),
            }
            " " code { (Text(name)) } " " (Text(words))
        }
    }
}

/// Where everything ended: how many ended so, of which there are some, and all of them.
pub(super) fn ledger(title: &str, lines: &[(&str, u64)], total: (&str, u64)) -> Markup {
    html! {
        table.ledger {
            caption { (title) }
            tbody {
                @for (what, count) in lines.iter().filter(|(_, count)| *count > 0) {
                    tr { th scope="row" { (what) } td.num { (grouped(*count)) } td.num.share { (share(*count, total.1)) } }
                }
            }
            tfoot { tr { th scope="row" { (total.0) } td.num { (grouped(total.1)) } td {} } }
        }
    }
}

/// The head of a table of fields.
pub(super) fn fields_head() -> Markup {
    html! {
        thead { tr {
            th scope="col" { "Field" } th scope="col" { "Column" }
            th.num scope="col" { "Fill" } th.num scope="col" { "Overwrite" } th.num scope="col" { "Clear" }
            th.num scope="col" { "Same" } th.num scope="col" { "Kept" } th.num scope="col" { "Refused" }
        } }
    }
}
