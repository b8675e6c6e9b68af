//! Two texts compared, by words or by lines, with Myers' algorithm of `similar`.
//!
//! Its algorithms are generic, and `TextDiff` has all of them compiled for each way in: here is the one way, for the one that is used.

use std::fmt::Write as _;

use similar::algorithms::{Capture, Compact, Replace, myers};
use similar::udiff::UnifiedHunkHeader;
use similar::{ChangeTag, DiffOp, DiffableStr, group_diff_ops};

/// The words of both texts in order, each with the text that it stands in; spaces and stops are words of their own.
pub fn by_words<'t>(before: &'t str, after: &'t str) -> Vec<(ChangeTag, &'t str)> {
    let (old, new) = (before.tokenize_unicode_words(), after.tokenize_unicode_words());
    steps(&operations(&old, &new), &old, &new)
}

/// The unified difference of both texts by lines, with so many lines around each change; empty where there is none.
pub fn unified(before: &str, after: &str, around: usize) -> String {
    let (old, new) = (before.tokenize_lines(), after.tokenize_lines());
    let mut out = String::new();
    for hunk in group_diff_ops(operations(&old, &new), around).iter().filter(|hunk| !hunk.is_empty()) {
        // Writing into a string cannot fail.
        let _ = writeln!(out, "{}", UnifiedHunkHeader::new(hunk));
        for (tag, line) in steps(hunk, &old, &new) {
            let _ = writeln!(out, "{tag}{}", line.trim_end_matches(['\n', '\r']));
        }
    }
    out
}

/// What turns the one into the other.
fn operations(old: &[&str], new: &[&str]) -> Vec<DiffOp> {
    let mut hook = Compact::new(Replace::new(Capture::new()), old, new);
    match myers::diff(&mut hook, old, 0..old.len(), new, 0..new.len()) {
        Ok(()) => hook.into_inner().into_inner().into_ops(),
        Err(never) => match never {},
    }
}

/// The same, a word or line at a time.
fn steps<'t>(operations: &[DiffOp], old: &[&'t str], new: &[&'t str]) -> Vec<(ChangeTag, &'t str)> {
    let mut steps = Vec::new();
    for operation in operations {
        let (tag, before, after) = operation.as_tag_tuple();
        let gone = || old[before.clone()].iter().map(|text| (ChangeTag::Delete, *text));
        let come = || new[after.clone()].iter().map(|text| (ChangeTag::Insert, *text));
        match tag {
            similar::DiffTag::Equal => steps.extend(old[before].iter().map(|text| (ChangeTag::Equal, *text))),
            similar::DiffTag::Delete => steps.extend(gone()),
            similar::DiffTag::Insert => steps.extend(come()),
            similar::DiffTag::Replace => steps.extend(gone().chain(come())),
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use similar::TextDiff;

    #[test]
    fn a_changed_line_stands_between_its_neighbours() {
        let (before, after) = ("a\nb\nc\nd\ne\nf\n", "a\nb\nc\nD\ne\nf\n");
        assert_eq!(unified(before, after, 1), "@@ -3,3 +3,3 @@\n c\n-d\n+D\n e\n");
        assert_eq!(unified(before, before, 1), "");
        assert_eq!(unified("", "a\n", 1), "@@ -0,0 +1 @@\n+a\n");
    }

    proptest! {
        /// The library's own way, which compiles far more, says the same.
        #[test]
        fn it_is_what_the_library_writes(before in "([ab]\n){0,12}", after in "([ab]\n){0,12}") {
            let theirs = TextDiff::from_lines(before.as_str(), &after).unified_diff().context_radius(2).to_string();
            prop_assert_eq!(unified(&before, &after, 2), theirs);
        }

        #[test]
        fn words_are_what_the_library_finds(before in "[ab ]{0,30}", after in "[ab ]{0,30}") {
            let difference = TextDiff::from_unicode_words(before.as_str(), &after);
            let theirs: Vec<_> = difference.iter_all_changes().map(|change| (change.tag(), change.value())).collect();
            prop_assert_eq!(by_words(&before, &after), theirs);
        }
    }
}
