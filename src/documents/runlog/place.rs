//! Names of files and folders, made from names that people chose.

use jiff::Timestamp;

use crate::model::Digest;

/// A run's stamp: `2026-11-21T090003Z`, in UTC, without colons, since those cannot stand in every file system's names.
pub fn stamp(start: Timestamp) -> String {
    start.strftime("%Y-%m-%dT%H%M%SZ").to_string()
}

/// A name as one folder of a path. Letters, digits, `.`, `_` and `-` stay; a name that had to be changed ends in eight digits of its digest, so
/// that two names never share a folder.
pub fn safe_segment(name: &str) -> String {
    const LONGEST: usize = 80;
    let mut safe: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '_' }).collect();
    safe.truncate(LONGEST);
    let stem = safe.split('.').next().unwrap_or_default().to_ascii_uppercase();
    let device = matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL")
        || (stem.len() == 4 && (stem.starts_with("COM") || stem.starts_with("LPT")));
    if safe != name || safe.is_empty() || safe.starts_with(['.', '-']) || safe.ends_with('.') || device {
        let digest = Digest::of(name.as_bytes());
        safe = format!("{}-{}", safe.trim_matches(['.', '-']), &digest.short()[..8]);
        if device || safe.starts_with('-') {
            safe.insert(0, '_');
        }
    }
    safe
}

/// A source as it may stand in a file: of a web address the part before query and fragment, without a user name and password.
pub fn source_shown(source: &str) -> String {
    let Some((scheme, rest)) = source.split_once("://") else {
        return source.to_owned();
    };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (host, path) = rest.split_once('/').map_or((rest, None), |(host, path)| (host, Some(path)));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    match path {
        Some(path) => format!("{scheme}://{host}/{path}"),
        None => format!("{scheme}://{host}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_stamp_has_no_colons() {
        let start: Timestamp = "2026-11-21T09:00:03.987Z".parse().unwrap();
        assert_eq!(stamp(start), "2026-11-21T090003Z");
    }

    #[test]
    fn plain_names_stay_and_others_are_told_apart() {
        assert_eq!(safe_segment("logins-to-leads"), "logins-to-leads");
        assert_ne!(safe_segment("a/b"), safe_segment("a b"));
        for name in ["..", ".", "", ".git", "a/../b", "C:\\x", "nul", "COM1.txt", "x.", "-rf", "Anmeldungen für Ü"] {
            let safe = safe_segment(name);
            assert!(safe.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)), "{name} → {safe}");
            assert!(!safe.starts_with(['.', '-']) && !safe.ends_with('.') && !safe.is_empty(), "{name} → {safe}");
        }
    }

    #[test]
    fn sources_lose_what_may_be_secret() {
        for (source, shown) in [
            ("exports/logins review.csv", "exports/logins review.csv"),
            ("https://reports.example.com/a.csv?sig=abc#x", "https://reports.example.com/a.csv"),
            ("https://ann:pw@reports.example.com/a.csv", "https://reports.example.com/a.csv"),
            ("https://reports.example.com?sig=abc", "https://reports.example.com"),
        ] {
            assert_eq!(source_shown(source), shown);
        }
    }

    proptest! {
        #[test]
        fn every_name_is_one_folder(name in ".{0,100}") {
            let safe = safe_segment(&name);
            prop_assert!(!safe.contains(['/', '\\']) && safe != "." && safe != ".." && !safe.is_empty() && safe.len() <= 100);
        }
    }
}
