//! The table of mapped fields with their counts, for plans and run logs. No API name in it is ever broken.

use super::escape::{Terminal, clipped};
use super::paint::Paint;
use super::table::{fits, text_table};
use super::wording::grouped;

/// A mapped field: filled, overwritten, cleared, same, kept, refused.
pub(crate) struct FieldCounts<'a> {
    /// API name.
    pub field: &'a str,
    /// Report column.
    pub column: &'a str,
    /// The counts, in that order.
    pub counts: [u64; 6],
}

/// The heading and the table. What does not fit a terminal goes in this order: the words beside the marks (they move into the heading), the
/// report's columns.
pub(crate) fn fields_table(title: &str, fields: &[FieldCounts<'_>], width: Option<u16>, paint: Paint) -> String {
    let words = ["+ fill", "~ overwrite", "- clear", "same", "kept", "refused"];
    let marks = ["+", "~", "-", "same", "kept", "refused"];
    let layout = |heads: [&str; 6], with_column: bool| {
        let mut header = vec!["Field"];
        header.extend(with_column.then_some("Report column"));
        header.extend(heads);
        let numbers: Vec<usize> = (header.len() - heads.len()..header.len()).collect();
        text_table(&header, rows(fields, with_column), &numbers, 2)
    };
    let full = layout(words, true);
    if fits(&full, width) {
        return format!("\n{}\n{full}", paint.strong(title));
    }
    let marked = layout(marks, true);
    let table = if fits(&marked, width) { marked } else { layout(marks, false) };
    format!("\n{}\n{table}", paint.strong(format!("{title} (+ fill, ~ overwrite, - clear)")))
}

fn rows(fields: &[FieldCounts<'_>], with_column: bool) -> Vec<Vec<String>> {
    let zero = |n: u64| if n == 0 { "·".to_owned() } else { grouped(n) };
    let line = |field: String, column: String, counts: [u64; 6]| {
        let mut row = vec![field];
        row.extend(with_column.then_some(column));
        row.extend(counts.map(zero));
        row
    };
    let mut total = [0; 6];
    let mut rows = Vec::with_capacity(fields.len() + 1);
    for field in fields {
        for (sum, count) in total.iter_mut().zip(field.counts) {
            *sum += count;
        }
        let column = Terminal(&clipped(field.column, 60)).to_string();
        rows.push(line(Terminal(field.field).to_string(), column, field.counts));
    }
    if fields.len() > 1 {
        rows.push(line("in all".to_owned(), String::new(), total));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: [FieldCounts<'static>; 2] = [
        FieldCounts {
            field: "WalkMe_Logins_last_30_days__c",
            column: "# Logins last 30 days",
            counts: [98, 97, 0, 98, 0, 1],
        },
        FieldCounts { field: "WalkMe_Last_Login__c", column: "Last Login", counts: [1_200_000, 96, 0, 98, 2, 2] },
    ];

    #[test]
    fn names_are_whole_at_every_width() {
        for width in [60, 72, 80, 100, 140] {
            let table = fields_table("Fields", &FIELDS, Some(width), Paint(false));
            assert!(table.contains("  WalkMe_Logins_last_30_days__c  "), "{width}:\n{table}");
            assert!(width < 80 || fits(&table, Some(width)), "{width}:\n{table}");
            assert!(table.contains("~ overwrite"), "{width}:\n{table}");
            assert_eq!(table.contains("# Logins last 30 days"), width >= 100, "{width}:\n{table}");
        }
        assert!(fields_table("Fields", &FIELDS, None, Paint(false)).contains("# Logins last 30 days"));
    }
}
