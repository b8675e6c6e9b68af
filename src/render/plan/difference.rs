//! The difference of two long texts, word by word, in one line.

use similar::{ChangeTag, TextDiff};

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
    let words = |t: &str| t.split_whitespace().nth(3).is_some();
    before.len().max(after.len()) > LONG && words(before) && words(after)
}

/// Word by word; of what is in both, only `around` characters beside a change.
pub(super) fn pieces(before: &str, after: &str, around: usize) -> Vec<Piece> {
    let difference = TextDiff::from_unicode_words(before, after);
    let mut pieces: Vec<Piece> = Vec::new();
    for change in difference.iter_all_changes() {
        let word = change.value().to_owned();
        match (change.tag(), pieces.last_mut()) {
            (ChangeTag::Equal, Some(Piece::Same(text)))
            | (ChangeTag::Delete, Some(Piece::Gone(text)))
            | (ChangeTag::Insert, Some(Piece::New(text))) => text.push_str(&word),
            (ChangeTag::Equal, _) => pieces.push(Piece::Same(word)),
            (ChangeTag::Delete, _) => pieces.push(Piece::Gone(word)),
            (ChangeTag::Insert, _) => pieces.push(Piece::New(word)),
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

    proptest! {
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
