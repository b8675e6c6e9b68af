//! The question before anything is written.

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::world::World;
use crate::diag::{Code, Diagnostic};
use crate::model::EnvironmentName;
use crate::plan::Plan;
use crate::render::counted;

/// Asks a person, unless `--yes` was said. In production the org's name has to be typed.
///
/// # Errors
/// Nobody to ask, or another answer: nothing is written.
pub fn confirm(world: &World, plan: &Plan, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    let header = &plan.header;
    let what = format!(
        "Write {} of {} in {} ({})?",
        counted(plan.summary.records, "record"),
        header.object,
        header.org,
        header.environment
    );
    let (question, wanted) = match header.environment {
        EnvironmentName::Production => {
            (format!("{what} Type the org's name ({}) to go on:", header.org), header.org.as_str())
        }
        EnvironmentName::Sandbox => (format!("{what} Type yes to go on:"), "yes"),
    };
    match world.ask(&question) {
        Some(answer) if answer == wanted => Ok(()),
        Some(_) => {
            let diagnostic = Diagnostic::error(Code::NotConfirmed, "not confirmed: nothing was written")
                .help(format!("to write it, apply again and type `{wanted}`"));
            Err(Failure::new(Exit::Failed, diagnostic))
        }
        None => Err(Failure::usage(Code::NotConfirmed, "nobody to ask: nothing was written")
            .help("on a machine without a person, say `--yes`")),
    }
}
