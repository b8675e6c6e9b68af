//! What a probe found, for a person and as data.

use std::fmt::Write as _;
use std::path::Path;

use crate::cli::connect::Door;
use crate::probe::{Finding, Outcome, ProbeView, Report, Verdict, Way};
use crate::render::escape::json_text;

/// Prints it. `file`: where the report lies, and whether it is this one; `None` where it could not be written.
pub fn tell(door: &Door<'_>, report: &Report, findings: &[Finding], file: Option<(&Path, bool)>) {
    let world = door.world;
    let file = file.map(|(path, kept)| (path.strip_prefix(door.root).unwrap_or(path).display().to_string(), kept));
    if world.json {
        let this = file.as_ref().and_then(|(shown, kept)| kept.then_some(shown));
        world.data(&json_text(&ProbeView {
            format: "footbridge probe-view/1",
            report,
            file: this.map(String::as_str),
        }));
        return;
    }
    let place = match file {
        Some((shown, true)) => format!("Report: {shown} (no value, id or name is in it)"),
        Some((shown, false)) => format!("The report of an earlier probe, which passed, stays: {shown}"),
        None => "The report could not be written.".to_owned(),
    };
    world.tell(&format!("{}\n{place}\n", text(&door.label(), report, findings, world.verbose > 0)));
}

fn text(label: &str, report: &Report, findings: &[Finding], all: bool) -> String {
    const ORDER: [Verdict; 4] = [Verdict::Differs, Verdict::Untold, Verdict::AsAssumed, Verdict::NotTried];
    let mut out = format!("What {label} does, of what Footbridge takes for granted:\n\n");
    for verdict in [Verdict::AsAssumed, Verdict::Differs, Verdict::Untold, Verdict::NotTried] {
        let _ = writeln!(out, "  {:4}  {}", report.count(verdict), verdict.as_str());
    }
    for verdict in ORDER {
        let group: Vec<&Finding> = findings.iter().filter(|f| f.verdict == verdict).collect();
        if group.is_empty() || (verdict == Verdict::AsAssumed && !all) {
            continue;
        }
        let _ = writeln!(out, "\n{}", heading(verdict));
        // What was not tried for one reason is told once.
        if verdict == Verdict::NotTried && !all {
            let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
            for finding in group {
                match reasons.iter_mut().find(|(why, _)| *why == finding.found) {
                    Some((_, ids)) => ids.push(finding.assumption.id),
                    None => reasons.push((&finding.found, vec![finding.assumption.id])),
                }
            }
            for (why, ids) in reasons {
                let _ = writeln!(out, "  {why}: {}", ids.join(", "));
            }
            continue;
        }
        for finding in group {
            let _ = writeln!(out, "  {}: {}", finding.assumption.id, finding.assumption.what);
            if !finding.found.is_empty() {
                let _ = writeln!(out, "    found: {}", finding.found);
            }
            if all {
                let word =
                    if matches!(finding.assumption.way, Way::Never(_)) { "would be checked by" } else { "checked by" };
                let _ = writeln!(out, "    {word}: {}", finding.assumption.how);
            }
            if verdict == Verdict::Differs {
                let _ = writeln!(out, "    rests on it: {}", finding.assumption.rests);
            }
        }
    }
    let end = match report.outcome {
        Outcome::Passed => format!("Passed: {} written and put back.", list(&report.written)),
        Outcome::ReadOnly => "Nothing was written: `--record ID` tries the rest on a record of the sandbox.".to_owned(),
        Outcome::Differs => "This org does not do all that is taken for granted: plan and look before every apply, and send the report to the project.".to_owned(),
        Outcome::Incomplete => "The probe did not do all that it was to do.".to_owned(),
    };
    out + "\n" + &end
}

fn heading(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Differs => "Differs",
        Verdict::Untold => "Could not be told",
        Verdict::AsAssumed => "As assumed",
        Verdict::NotTried => "Not tried",
    }
}

/// `a text field, a checkbox`
fn list(written: &[String]) -> String {
    written.iter().map(|kind| format!("a {kind}")).collect::<Vec<_>>().join(", ")
}
