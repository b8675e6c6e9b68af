//! Tables of plain text. A cell is never broken: which columns fit is the caller's choice, by [`fits`].

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::fold::columns;

/// A table without lines. `numbers` are the columns to align to the right. Cells must be harmless already. Every line begins with `indent` spaces.
pub(crate) fn text_table(header: &[&str], rows: Vec<Vec<String>>, numbers: &[usize], indent: usize) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    if !header.is_empty() {
        table.set_header(header.iter().copied());
    }
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    for number in numbers {
        if let Some(column) = table.column_mut(*number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut out = String::new();
    for line in table.lines() {
        out.push_str(format!("{:indent$}{line}", "").trim_end());
        out.push('\n');
    }
    out
}

/// Is no line wider than the terminal?
pub(crate) fn fits(text: &str, width: Option<u16>) -> bool {
    width.is_none_or(|width| text.lines().all(|line| columns(line) <= usize::from(width)))
}

/// Two texts beside one another, or one above the other where the terminal is too narrow.
pub(crate) fn beside(left: &str, right: &str, width: Option<u16>) -> String {
    let wide = left.lines().map(columns).max().unwrap_or(0) + 4;
    let count = left.lines().count().max(right.lines().count());
    let (mut lefts, mut rights) = (left.lines(), right.lines());
    let mut out = String::new();
    for _ in 0..count {
        let (l, r) = (lefts.next().unwrap_or(""), rights.next().unwrap_or(""));
        out.push_str(format!("{l}{:gap$}{r}", "", gap = wide - columns(l)).trim_end());
        out.push('\n');
    }
    if fits(&out, width) { out } else { format!("{left}\n{right}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stand_beside_one_another_where_there_is_room() {
        assert_eq!(beside("a\nbb\n", "1\n2\n3\n", Some(20)), "a     1\nbb    2\n      3\n");
        assert_eq!(beside("a\nbb\n", "1\n", Some(5)), "a\nbb\n\n1\n");
    }
}
