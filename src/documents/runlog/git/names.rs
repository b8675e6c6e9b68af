//! Names of branches and remotes: which ones are taken from a configuration, and what a lock's branch is called.

use crate::model::{Digest, OrgId};

/// The longest name of a branch or a remote that is taken.
const LONGEST: usize = 120;

fn plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

/// May a configuration name this branch? Letters, digits, `.`, `_`, `-` and `/`, in a form that git takes (git-check-ref-format) and that no command line
/// takes for an option.
pub fn branch_fits(name: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && part.chars().all(plain)
            && !part.starts_with(['.', '-'])
            && !part.ends_with('.')
            && !part.ends_with(".lock")
            && !part.contains("..")
    };
    name.len() <= LONGEST && name.split('/').all(part) && name != "HEAD" && !name.starts_with("refs/")
}

/// May a configuration name this remote? Its name only: an address or a path would let a configuration choose where run logs go.
pub fn remote_fits(name: &str) -> bool {
    name.len() <= LONGEST && branch_fits(name) && !name.contains('/')
}

/// The branch that is the lock of an integration and org. Two integrations never share one.
pub fn lock_branch(integration: &str, org_id: OrgId) -> String {
    let mut safe: String = integration
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' })
        .take(60)
        .collect();
    if safe != integration || safe.starts_with('-') || safe.is_empty() {
        safe = format!("{}_x{}", safe.trim_start_matches('-'), &Digest::of(integration.as_bytes()).short()[..8]);
    }
    format!("{LOCKS}/{safe}-{org_id}")
}

/// What the names of all locks begin with.
pub(super) const LOCKS: &str = "footbridge-lock";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_names_are_taken_and_dangerous_ones_are_not() {
        for name in ["footbridge-runs", "runs/acme", "a.b_c-1", "main"] {
            assert!(branch_fits(name), "{name}");
        }
        for name in [
            "",
            "-f",
            "--upload-pack=x",
            "a/-b",
            ".a",
            "a..b",
            "a//b",
            "/a",
            "a/",
            "a.lock",
            "a.lock/b",
            "a b",
            "a~1",
            "a^",
            "a:b",
            "a?b",
            "a*",
            "a[b",
            "a\\b",
            "a@{1}",
            "@",
            "HEAD",
            "refs/heads/x",
            "ü",
            "a\nb",
            "a\0b",
            "a.",
            &"x".repeat(121),
        ] {
            assert!(!branch_fits(name), "{name}");
        }
        assert!(
            remote_fits("origin")
                && !remote_fits("a/b")
                && !remote_fits("https://x/y")
                && !remote_fits("../x")
                && !remote_fits("a:b")
        );
    }

    #[test]
    fn a_lock_is_named_after_integration_and_org() {
        let org = OrgId::parse("00D000000000001EAA").unwrap();
        assert_eq!(lock_branch("logins-to-leads", org), format!("footbridge-lock/logins-to-leads-{org}"));
        assert_ne!(lock_branch("a/b", org), lock_branch("a b", org));
    }

    proptest! {
        #[test]
        fn every_lock_has_a_name_that_git_takes(name in ".{0,100}") {
            let org = OrgId::parse("00D000000000001EAA").unwrap();
            let branch = lock_branch(&name, org);
            prop_assert!(branch_fits(&branch), "{}", branch);
        }
    }
}
