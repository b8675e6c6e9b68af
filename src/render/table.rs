//! Tables of plain text.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

/// A table without lines. `numbers` are the columns to align to the right. Cells must be harmless already. Every line begins with `indent` spaces.
pub(crate) fn text_table(
    header: &[&str],
    rows: Vec<Vec<String>>,
    numbers: &[usize],
    width: Option<u16>,
    indent: usize,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if let Some(width) = width {
        table
            .set_width(width.saturating_sub(indent as u16).max(20))
            .set_content_arrangement(ContentArrangement::Dynamic);
    } else {
        table.set_content_arrangement(ContentArrangement::Disabled);
    }
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
