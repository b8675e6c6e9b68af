//! Two runs compared, for a terminal and as JSON (`footbridge runs-diff/1`).

use crate::render::Options;
use crate::render::escape::Terminal;
use crate::render::escape::json_text;
use crate::render::fold::fold;
use crate::render::paint::Paint;
use crate::render::table::text_table;
use crate::render::wording::{counted, grouped, guard_sentence, moment};
use crate::runlog::{CountChange, GuardLine, RunsDiff, Side};

/// Records and rows shown, unless all are.
const SHOWN: usize = 20;

/// As JSON.
pub fn diff_json(found: &RunsDiff) -> String {
    json_text(found)
}

fn side(side: &Side, other: &Side) -> String {
    let place = if (&side.integration, &side.environment, &side.org_id)
        == (&other.integration, &other.environment, &other.org_id)
    {
        String::new()
    } else {
        format!("  {} in {} ({})", Terminal(&side.integration), Terminal(&side.environment), Terminal(&side.org_id))
    };
    format!("{}  {}  {}{place}", Terminal(&side.id), moment(side.start), side.status.as_str())
}

/// `+3`, `-1,200`.
fn change(a: u64, b: u64) -> String {
    if b >= a { format!("+{}", grouped(b - a)) } else { format!("-{}", grouped(a - b)) }
}

fn counts(counts: &[CountChange], indent: usize) -> String {
    let rows = counts.iter().map(|count| {
        let what = format!("{}: {}", Terminal(&count.ledger), Terminal(&count.what.replace('_', " ")));
        vec![what, grouped(count.a), "→".to_owned(), grouped(count.b), change(count.a, count.b)]
    });
    text_table(&[], rows.collect(), &[1, 3, 4], indent)
}

fn guard(line: Option<&GuardLine>) -> String {
    let Some(line) = line else { return "not set".to_owned() };
    let word = match (line.held, line.waived) {
        (true, false) => "held",
        (true, true) => "waived",
        (false, _) => "ok",
    };
    format!("{word}: {}", guard_sentence(&line.name, line.value, line.base, &line.limit))
}

/// For a terminal.
pub fn diff(found: &RunsDiff, options: &Options) -> String {
    let paint = Paint(options.colour);
    let most = if options.full { usize::MAX } else { SHOWN };
    let mut out = format!("a  {}\nb  {}\n", side(&found.a, &found.b), side(&found.b, &found.a));
    let title = |out: &mut String, text: &str| out.push_str(&format!("\n{}\n", paint.strong(text)));
    if found.is_empty() {
        out.push_str("\nNothing differs but the time.\n");
    }
    if !found.facts.is_empty() {
        title(&mut out, "Facts");
        let or_none = |value: &Option<String>| value.as_deref().map_or("none".to_owned(), |v| Terminal(v).to_string());
        for fact in &found.facts {
            out.push_str(&format!("  {}: {} → {}\n", Terminal(&fact.what), or_none(&fact.a), or_none(&fact.b)));
        }
    }
    title(&mut out, "Digests");
    for digest in &found.digests {
        let word = match digest.same {
            Some(true) => "the same".to_owned(),
            Some(false) => paint.odd("differs"),
            None => "not known".to_owned(),
        };
        out.push_str(&format!("  {:<14}{word}\n", Terminal(&digest.what).to_string()));
    }
    if !found.counts.is_empty() {
        title(&mut out, "Counts");
        out.push_str(&counts(&found.counts, 2));
    }
    if !found.fields.is_empty() {
        title(&mut out, "Fields");
        for field in &found.fields {
            let name = Terminal(&field.field);
            let column = |c: &Option<String>| c.as_deref().map_or(String::new(), |c| Terminal(c).to_string());
            let (a, b) = (column(&field.column_a), column(&field.column_b));
            out.push_str(&match field.change.as_str() {
                "added" => format!("  {} {name} from column {b}\n", paint.good("+")),
                "removed" => format!("  {} {name} from column {a}\n", paint.bad("-")),
                _ if a != b => format!("  {} {name}: column {a} → {b}\n", paint.odd("~")),
                _ => format!("  {} {name}\n", paint.odd("~")),
            });
            if !field.counts.is_empty() {
                let plain: Vec<CountChange> =
                    field.counts.iter().map(|c| CountChange { ledger: "planned".to_owned(), ..c.clone() }).collect();
                out.push_str(&counts(&plain, 6));
            }
        }
    }
    for (what, names) in [("gone", &found.columns_gone), ("new", &found.columns_new)] {
        if !names.is_empty() {
            title(&mut out, &format!("Columns that are {what} in b"));
            names.iter().for_each(|name| out.push_str(&format!("  {}\n", Terminal(name))));
        }
    }
    if !found.guards.is_empty() {
        title(&mut out, "Guards");
        for line in &found.guards {
            out.push_str(&format!("  {}\n", Terminal(&line.name)));
            out.push_str(&format!("    a  {}\n", Terminal(&guard(line.a.as_ref()))));
            out.push_str(&format!("    b  {}\n", Terminal(&guard(line.b.as_ref()))));
        }
    }
    for pruned in [&found.a, &found.b].into_iter().filter(|side| side.pruned) {
        out.push_str(&format!(
            "\nThe outcomes of {} are not there any more, so records and rows are not compared.\n",
            Terminal(&pruned.id)
        ));
    }
    let records = &found.records;
    if !records.listed.is_empty() || records.still > 0 {
        title(&mut out, "Records that were not updated in one of the runs");
        for (count, what) in [
            (records.broken, "in b, and not in a"),
            (records.mended, "in a, and not in b"),
            (records.otherwise, "in both, for another reason"),
            (records.still, "in both, for the same reason"),
        ] {
            if count > 0 {
                out.push_str(&format!("  {} {what}\n", counted(count, "record")));
            }
        }
        let end = |end: &Option<String>| end.as_deref().map_or("not planned".to_owned(), |e| Terminal(e).to_string());
        for line in records.listed.iter().take(most) {
            out.push_str(&format!("    {}  {} → {}\n", line.record, end(&line.a), end(&line.b)));
        }
        let all = records.broken + records.mended + records.otherwise;
        out.push_str(&more(all, most.min(records.listed.len())));
    }
    let rows = &found.rows;
    if !rows.moved.is_empty() {
        title(&mut out, "Rows that ended otherwise");
        if rows.by == "record" {
            out.push_str("  (the reports differ, so rows are compared by their record, where they have one)\n");
        }
        let words = |end: &str| Terminal(&end.replace('_', " ")).to_string();
        for moved in &rows.moved {
            out.push_str(&format!("  {}: {} → {}\n", counted(moved.count, "row"), words(&moved.a), words(&moved.b)));
        }
        for line in rows.listed.iter().take(most) {
            let who = match (line.row, line.record) {
                (Some(row), _) => format!("row {}", grouped(row)),
                (None, Some(record)) => record.to_string(),
                (None, None) => continue,
            };
            out.push_str(&format!("    {who}  {} → {}\n", words(&line.a), words(&line.b)));
        }
        let all = rows.moved.iter().map(|m| m.count).sum();
        out.push_str(&more(all, most.min(rows.listed.len())));
    }
    fold(&out, options.width)
}

fn more(all: u64, shown: usize) -> String {
    match all.saturating_sub(shown as u64) {
        0 => String::new(),
        left => format!("    … and {} more (--json lists up to 1,000)\n", grouped(left)),
    }
}
