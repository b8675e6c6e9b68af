//! `apply --expect DIGEST`: the plan is the one that somebody approved, or nothing is sent.

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::diag::{Code, Diagnostic};
use crate::model::Digest;
use crate::plan::Plan;

/// Digits that a shortened digest has at the least.
const LEAST: usize = 12;

/// What was approved: the digest of the changes, and where known that of what went in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    inputs: Option<String>,
    changes: String,
}

/// `CHANGES` or `INPUTS/CHANGES`, each with `sha256:` or without, whole or shortened.
pub fn parse(text: &str) -> Result<Expected, String> {
    let digits = |part: &str| {
        let digits = part.strip_prefix("sha256:").unwrap_or(part).to_ascii_lowercase();
        let fits = (LEAST..=64).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
        fits.then_some(digits).ok_or_else(|| {
            format!("a digest has {LEAST} to 64 hexadecimal digits, as the comment on the pull request and `footbridge show` print it")
        })
    };
    match text.split_once('/') {
        Some((inputs, changes)) => Ok(Expected { inputs: Some(digits(inputs)?), changes: digits(changes)? }),
        None => Ok(Expected { inputs: None, changes: digits(text)? }),
    }
}

fn is(digest: &Digest, digits: &str) -> bool {
    digest.as_str().strip_prefix("sha256:").is_some_and(|own| own.starts_with(digits))
}

/// Why this is not the plan that was approved; `None` where it is. `from_file`: it is a plan file, not planned just now.
pub fn differs(plan: &Plan, expected: Option<&Expected>, from_file: bool) -> Option<Failure> {
    let expected = expected?;
    let summary = &plan.summary;
    if is(&summary.changes, &expected.changes) {
        return None;
    }
    let name = &plan.header.integration;
    let moved = match &expected.inputs {
        _ if from_file => "this file holds other changes than those that were approved",
        Some(inputs) if is(&summary.inputs, inputs) => {
            "the org has moved: configuration, report and fields are what they were, records are not"
        }
        Some(_) => "the inputs have moved: configuration, report or the definitions of fields are not what they were",
        None => "the inputs (configuration, report, definitions of fields) or the org's records have moved",
    };
    let diagnostic = Diagnostic::error(Code::NotApproved, format!("`{name}`: {moved}"))
        .note(format!("inputs now: {}", summary.inputs))
        .note(format!("changes now: {}", summary.changes))
        .note("nothing was sent")
        .help(format!("look at the plan of now: `footbridge plan {name} --env {}`", plan.header.environment))
        .help(format!("if it is right, apply that one: --expect {}/{}", summary.inputs.short(), summary.changes));
    Some(Failure::new(Exit::Stale, diagnostic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_whole_short_and_in_pairs() {
        let whole = "a".repeat(64);
        assert_eq!(parse(&format!("sha256:{whole}")).unwrap(), Expected { inputs: None, changes: whole.clone() });
        assert_eq!(parse("0123456789AB").unwrap().changes, "0123456789ab");
        let pair = parse(&format!("0123456789ab/sha256:{whole}")).unwrap();
        assert_eq!((pair.inputs.as_deref(), pair.changes), (Some("0123456789ab"), whole.clone()));
        for wrong in
            ["", "0123456789a", "sha256:", "0123456789xy", &format!("{whole}0"), "0123456789ab/", "/0123456789ab"]
        {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
