//! Lines as wide as a terminal: broken between words and nowhere else, continued with an indent. Colours have no width.

use unicode_width::UnicodeWidthStr;

/// Columns that a text takes on a terminal. Our own colour sequences take none; nothing else in a rendered text begins with an escape character.
pub(crate) fn columns(text: &str) -> usize {
    let mut seen = 0;
    for (i, part) in text.split('\u{1b}').enumerate() {
        let part = if i == 0 { part } else { part.split_once('m').map_or("", |(_, rest)| rest) };
        seen += part.width();
    }
    seen
}

/// Breaks lines that are wider than `width` at spaces. What a line goes on with stands two columns further in than its beginning (four if that
/// was indented). A word that is wider than the terminal, an id or a link, stays whole, so that it can be copied.
pub fn fold(text: &str, width: Option<u16>) -> String {
    let Some(width) = width.map(usize::from) else { return text.to_owned() };
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    for line in text.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |l| (l, "\n"));
        let indent = line.len() - line.trim_start_matches(' ').len();
        fold_line(line, width, indent + if indent == 0 { 2 } else { 4 }, &mut out);
        out.push_str(end);
    }
    out
}

/// One line; it goes on at the column `hang`.
pub(crate) fn fold_line(line: &str, width: usize, hang: usize, out: &mut String) {
    if columns(line) <= width {
        out.push_str(line);
        return;
    }
    let hang = hang.min(width / 2);
    let (mut column, mut empty) = (0, true);
    let mut rest = line;
    while !rest.is_empty() {
        let word = rest.trim_start_matches(' ');
        let gap = rest.len() - word.len();
        let (word, after) = word.split_at(word.find(' ').unwrap_or(word.len()));
        let wide = columns(word);
        // On a line of its own a word has to have more room than here.
        if !empty && column + gap + wide > width && column + gap > hang {
            out.push('\n');
            out.push_str(&" ".repeat(hang));
            column = hang;
        } else {
            out.push_str(&" ".repeat(gap));
            column += gap;
        }
        out.push_str(word);
        column += wide;
        empty = empty && wide == 0;
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_break_between_words_and_go_on_indented() {
        assert_eq!(fold("one two three four\n", Some(9)), "one two\n  three\n  four\n");
        assert_eq!(fold("  row 1  one two three\n", Some(18)), "  row 1  one two\n      three\n");
        assert_eq!(fold("one two three", None), "one two three");
    }

    #[test]
    fn a_long_word_stays_whole() {
        assert_eq!(
            fold("see https://example.com/a/very/long/link now", Some(20)),
            "see\n  https://example.com/a/very/long/link\n  now"
        );
    }

    #[test]
    fn colours_take_no_columns() {
        assert_eq!(columns("\u{1b}[1mbold\u{1b}[0m"), 4);
        assert_eq!(fold("\u{1b}[31mone two\u{1b}[0m", Some(7)), "\u{1b}[31mone two\u{1b}[0m");
        assert_eq!(columns("日本"), 4);
    }

    proptest! {
        #[test]
        fn nothing_but_white_space_changes(text in "[ a-z→é\n]{0,200}", width in 20..60_u16) {
            let words = |t: &str| t.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            let folded = fold(&text, Some(width));
            prop_assert_eq!(words(&folded), words(&text));
            for line in folded.lines() {
                prop_assert!(columns(line) <= usize::from(width) || line.trim_start().split(' ').filter(|w| !w.is_empty()).count() == 1, "{line:?}");
            }
        }
    }
}
