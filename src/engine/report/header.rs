//! Column names: trimmed, and checked for what would make a mapping ambiguous.

use std::collections::HashMap;

use super::Warning;

/// A column name that occurs more than once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// The name, trimmed.
    pub name: String,
    /// Where it stands: columns from 1, two at least.
    pub positions: Vec<usize>,
}

/// Why a header cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unusable {
    Duplicates(Vec<Duplicate>),
    /// No column has a name.
    Blank,
}

/// Names of the columns from the header as written; blank ones stay blank, so that no mapping can name them.
pub(super) fn names(written: &[String]) -> Result<(Vec<String>, Vec<Warning>), Unusable> {
    let names: Vec<String> = written.iter().map(|name| name.trim().to_owned()).collect();
    if names.iter().all(String::is_empty) {
        return Err(Unusable::Blank);
    }
    let duplicates = same(&names, str::to_owned);
    if !duplicates.is_empty() {
        let duplicate = |positions: Vec<usize>| Duplicate { name: names[positions[0] - 1].clone(), positions };
        return Err(Unusable::Duplicates(duplicates.into_iter().map(duplicate).collect()));
    }
    let mut warnings: Vec<Warning> = (1..)
        .zip(&names)
        .filter(|(_, name)| name.is_empty())
        .map(|(position, _)| Warning::BlankColumn { position })
        .collect();
    for positions in same(&names, folded) {
        let names = positions.iter().map(|&position| names[position - 1].clone()).collect();
        warnings.push(Warning::NearDuplicates { names, positions });
    }
    Ok((names, warnings))
}

/// Without regard to case and to runs of white space.
fn folded(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Positions of the names that are the same under `key`, in order; blank names are not names.
fn same(names: &[String], key: impl Fn(&str) -> String) -> Vec<Vec<usize>> {
    let mut by_key: HashMap<String, Vec<usize>> = HashMap::new();
    for (position, name) in (1..).zip(names) {
        if !name.is_empty() {
            by_key.entry(key(name)).or_default().push(position);
        }
    }
    let mut found: Vec<_> = by_key.into_values().filter(|positions| positions.len() > 1).collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(written: &[&str]) -> Result<(Vec<String>, Vec<Warning>), Unusable> {
        names(&written.iter().map(|&name| name.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn names_are_trimmed() {
        let (names, warnings) = named(&[" User ID", "# Logins\u{a0}", "a  b"]).unwrap();
        assert_eq!(names, ["User ID", "# Logins", "a  b"]);
        assert!(warnings.is_empty());
    }

    #[test]
    fn duplicates_are_listed_with_all_positions() {
        let duplicate = |name: &str, positions: &[usize]| Duplicate { name: name.into(), positions: positions.into() };
        assert_eq!(
            named(&["b", "a", "x", "a ", "b", "a"]),
            Err(Unusable::Duplicates(vec![duplicate("b", &[1, 5]), duplicate("a", &[2, 4, 6])]))
        );
    }

    #[test]
    fn blank_and_nearly_equal_names_are_warned_of() {
        let (names, warnings) = named(&["Email", "", "email", "ÄB  c", "äb C", " "]).unwrap();
        assert_eq!(names, ["Email", "", "email", "ÄB  c", "äb C", ""]);
        assert_eq!(
            warnings,
            [
                Warning::BlankColumn { position: 2 },
                Warning::BlankColumn { position: 6 },
                Warning::NearDuplicates { names: vec!["Email".into(), "email".into()], positions: vec![1, 3] },
                Warning::NearDuplicates { names: vec!["ÄB  c".into(), "äb C".into()], positions: vec![4, 5] },
            ]
        );
        assert_eq!(named(&["", " "]), Err(Unusable::Blank));
    }
}
