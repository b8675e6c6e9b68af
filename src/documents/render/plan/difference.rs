//! The difference of two long texts, word by word, in one line.

use similar::ChangeTag;

use crate::difference::by_words;
use crate::render::wording::grouped;

/// A stretch of the difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// In both.
    Same(String),
    /// Only before.
    Gone(String),
    /// Only after.
    New(String),
    /// So many characters in both, not shown.
    Skipped(u64),
}

/// Are the texts long enough that a difference says more than the two?
pub(super) fn worth_it(before: &str, after: &str) -> bool {
    const LONG: usize = 40;
    // Longer ones are not compared word by word: it would take too long.
    const LONGEST: usize = 20_000;
    let words = |t: &str| t.split_whitespace().nth(3).is_some();
    before.len().max(after.len()) > LONG && before.len() + after.len() <= LONGEST && words(before) && words(after)
}

/// Word by word; of what is in both, only `around` characters beside a change.
pub(super) fn pieces(before: &str, after: &str, around: usize) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for (tag, word) in by_words(before, after) {
        match (tag, pieces.last_mut()) {
            (ChangeTag::Equal, Some(Piece::Same(text)))
            | (ChangeTag::Delete, Some(Piece::Gone(text)))
            | (ChangeTag::Insert, Some(Piece::New(text))) => text.push_str(word),
            (ChangeTag::Equal, _) => pieces.push(Piece::Same(word.to_owned())),
            (ChangeTag::Delete, _) => pieces.push(Piece::Gone(word.to_owned())),
            (ChangeTag::Insert, _) => pieces.push(Piece::New(word.to_owned())),
        }
    }
    let last = pieces.len().saturating_sub(1);
    let mut out = Vec::with_capacity(pieces.len());
    for (at, piece) in pieces.into_iter().enumerate() {
        let Piece::Same(text) = piece else {
            out.push(piece);
            continue;
        };
        let count = text.chars().count();
        let (head, tail) = (if at == 0 { 0 } else { around }, if at == last { 0 } else { around });
        if count <= head.saturating_add(tail).saturating_add(10) {
            out.push(Piece::Same(text));
            continue;
        }
        // Cut between words where there is a space.
        let head: String = text.chars().take(head).collect();
        let head = head.rfind(' ').map_or(head.as_str(), |space| &head[..=space]);
        let tail: String = text.chars().skip(count - tail).collect();
        let tail = tail.find(' ').map_or(tail.as_str(), |space| &tail[space..]);
        let shown = head.chars().count() + tail.chars().count();
        out.extend((!head.is_empty()).then(|| Piece::Same(head.to_owned())));
        out.push(Piece::Skipped((count - shown) as u64));
        out.extend((!tail.is_empty()).then(|| Piece::Same(tail.to_owned())));
    }
    out
}

/// Two values that differ, each cut to about so many characters, so that the difference is seen: what both begin with is left out where it is long.
pub(super) fn cut_apart(before: &str, after: &str, most: usize) -> (String, String) {
    const LEAD: usize = 20;
    let lengths = [before, after].map(|t| t.chars().count());
    if lengths.iter().all(|n| *n <= most) {
        return (before.to_owned(), after.to_owned());
    }
    let common = before.chars().zip(after.chars()).take_while(|(a, b)| a == b).count();
    let skip = if common > most / 2 { common.saturating_sub(LEAD) } else { 0 };
    let cut = |text: &str, length: usize| {
        let middle: String = text.chars().skip(skip).take(most).collect();
        let start = if skip > 0 { "…" } else { "" };
        let end = if skip + most < length { "…" } else { "" };
        match (skip, end) {
            (0, "") => middle,
            _ => format!("{start}{middle}{end} ({} characters)", grouped(length as u64)),
        }
    };
    (cut(before, lengths[0]), cut(after, lengths[1]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_changed_words_stand_out() {
        let pieces = pieces("the quick brown fox", "the slow brown fox", 20);
        assert_eq!(
            pieces,
            [
                Piece::Same("the ".into()),
                Piece::Gone("quick".into()),
                Piece::New("slow".into()),
                Piece::Same(" brown fox".into())
            ]
        );
    }

    #[test]
    fn a_late_difference_is_seen() {
        let (before, after) = (format!("{}a{}", "x".repeat(300), "y".repeat(300)), format!("{}b", "x".repeat(300)));
        let (shown, shown_after) = cut_apart(&before, &after, 40);
        assert_eq!(shown, format!("…{}a{}… (601 characters)", "x".repeat(20), "y".repeat(19)));
        assert_eq!(shown_after, format!("…{}b (301 characters)", "x".repeat(20)));
        assert_eq!(cut_apart("a", "b", 40), ("a".into(), "b".into()));
    }

    proptest! {
        #[test]
        fn cut_values_still_differ(common in "[ab]{0,200}", before in "[ab]{0,200}", after in "[ab]{0,200}") {
            let (before, after) = (format!("{common}{before}"), format!("{common}{after}"));
            prop_assume!(before != after);
            let (shown, shown_after) = cut_apart(&before, &after, 60);
            prop_assert_ne!(&shown, &shown_after);
            prop_assert!(shown.chars().count() < 100 && shown_after.chars().count() < 100);
        }

        #[test]
        fn both_texts_can_be_read_back(before in "[a-d ]{0,40}", after in "[a-d ]{0,40}") {
            let pieces = pieces(&before, &after, 1000);
            let read = |side: fn(&Piece) -> Option<&String>| pieces.iter().filter_map(side).cloned().collect::<String>();
            let old = read(|p| match p { Piece::Same(t) | Piece::Gone(t) => Some(t), _ => None });
            let new = read(|p| match p { Piece::Same(t) | Piece::New(t) => Some(t), _ => None });
            prop_assert_eq!((old, new), (before, after));
        }
    }
}
