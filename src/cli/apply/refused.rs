//! What is said of a plan that may not be carried out: it is stale, or guards hold it back.

use crate::apply::Stale;
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::plan::{GuardName, GuardVerdict};

/// What to say of a plan that is stale.
pub fn stale(stale: &[Stale]) -> Diagnostics {
    let code = |s: &Stale| match s {
        Stale::Configuration { .. } => Code::StaleConfiguration,
        Stale::Report { .. } => Code::StaleReport,
        Stale::Definitions { .. } => Code::StaleFields,
        Stale::Org { .. } => Code::StaleOrg,
        Stale::Broken(_) => Code::PlanDamaged,
    };
    stale.iter().map(|s| Diagnostic::error(code(s), s.to_string()).note("nothing was sent").help("plan anew")).collect()
}

/// What to say of the guards that hold.
pub fn guards(held: &[&GuardVerdict], integration: &str) -> Diagnostics {
    held.iter()
        .map(|g| {
            let code = match g.name {
                GuardName::MaxFills => Code::GuardFills,
                GuardName::MaxOverwrites => Code::GuardOverwrites,
                GuardName::MaxClears => Code::GuardClears,
                GuardName::MaxRefused => Code::GuardRefused,
                GuardName::MinMatch => Code::GuardMatch,
                GuardName::MinRows => Code::GuardRows,
                GuardName::MaxAge => Code::GuardAge,
                GuardName::MaxShrink => Code::GuardShrink,
                GuardName::ColumnVanished => Code::GuardColumns,
                GuardName::BlanksRose => Code::GuardBlanks,
                GuardName::MatchFell => Code::GuardMatchFell,
                GuardName::MaxCalls => Code::GuardCalls,
                GuardName::DuplicateRows => Code::DuplicateRowsFail,
                GuardName::SeveralRecords => Code::SeveralRecordsFail,
                GuardName::BadValues => Code::BadValueFails,
                GuardName::FirstRun => Code::GuardFirstRun,
            };
            let base = if g.base > 0 { format!(" of {}", g.base) } else { String::new() };
            let sentence = crate::render::guard_sentence(g.name.as_str(), g.value, g.base, &g.limit.to_string());
            let found = match g.name {
                GuardName::FirstRun => {
                    Diagnostic::error(code, "the first apply of this integration to production needs a person").help(
                        format!("look at the plan, then `footbridge apply {integration} --env production --first-run`"),
                    )
                }
                GuardName::ColumnVanished | GuardName::BlanksRose | GuardName::MatchFell => Diagnostic::error(
                    code,
                    format!("guard `{}` holds the plan back: {sentence}", g.name),
                )
                .help(format!("look at the report and at the plan's warnings; if it is right, for this once: `--waive {}`; the next run then compares with this one", g.name)),
                _ => Diagnostic::error(
                    code,
                    format!("guard `{}` holds the plan back: {}{base}, limit {}", g.name, g.value, g.limit),
                )
                .help(format!(
                    "look at the plan; for this once: `--waive {}`; for good: `guards:` in the integration",
                    g.name
                )),
            };
            found.note("nothing was sent")
        })
        .collect()
}
