//! A review as text for a terminal or a job's log.

use super::{Effect, Item, Kind, Review};
use crate::render::escape::Terminal;
use crate::render::wording::{counted, grouped};

/// The whole review.
pub fn render(review: &Review) -> String {
    let mut out = String::new();
    for item in &review.items {
        integration(item, review, &mut out);
    }
    for note in &review.notes {
        out.push_str(&format!("{}\n", Terminal(note)));
    }
    if review.items.is_empty() {
        out.push_str("No integration means anything else than before.\n");
    }
    out.push_str(&format!(
        "{} changed, {} unchanged, against {}\n",
        counted(review.items.len() as u64, "integration"),
        grouped(review.unchanged),
        review.base.get(..12).unwrap_or(&review.base)
    ));
    out
}

fn integration(item: &Item, review: &Review, out: &mut String) {
    let what = match item.change {
        Kind::Added => "new",
        Kind::Changed => "changed",
        Kind::Removed => "removed",
    };
    out.push_str(&format!("== {} ({what})\n", Terminal(&item.name)));
    for line in &item.said {
        out.push_str(&format!("  {}\n", Terminal(line)));
    }
    for line in item.yaml.lines() {
        out.push_str(&format!("  | {}\n", Terminal(line)));
    }
    match &item.effect {
        Effect::Planned(planned) => {
            let c = &planned.causes;
            if let Some(why) = &planned.no_baseline {
                out.push_str(&format!("  {}\n", Terminal(why)));
            }
            out.push_str(&format!(
                "  because of this branch: {}, {}; anyway: {}, {}\n",
                counted(c.records.branch, "record"),
                counted(c.cells.branch, "cell"),
                counted(c.records.anyway, "record"),
                counted(c.cells.anyway, "cell"),
            ));
            if c.anyway.known() > 0 {
                let of = c.anyway;
                let [report, org, unknown] = [of.new_report, of.org_moved, of.not_known].map(grouped);
                out.push_str(&format!(
                    "  cells that change anyway: {report} new report data, {org} the org moved, {unknown} not known\n"
                ));
            }
            if let Some(why) = planned.not_known() {
                out.push_str(&format!("  {}\n", Terminal(&why)));
            }
            for (field, gone) in &c.gone {
                let count = counted(*gone, "change");
                out.push_str(&format!(
                    "  {field}: {count} that the base would make are not made any more, or otherwise\n"
                ));
            }
            out.push('\n');
            out.push_str(&planned.text);
        }
        Effect::Untrusted(why) => out.push_str(&format!("  not planned: needs a trusted run: {}\n", Terminal(why))),
        Effect::Failed(problems) => {
            for problem in problems {
                out.push_str(&format!("  could not be planned: {} {}\n", problem.code, Terminal(&problem.message)));
            }
        }
        Effect::Elsewhere => out.push_str(&format!("  does not run in {}\n", review.environment)),
        Effect::Removed => {}
    }
    out.push('\n');
}
