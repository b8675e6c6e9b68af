//! The question before anything is written.

use super::carry::heard;
use super::signals;
use crate::apply::{Cancel, Selection};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::world::World;
use crate::diag::{Code, Diagnostic};
use crate::model::EnvironmentName;
use crate::plan::Plan;
use crate::render::{counted, grouped};

/// Asks a person, unless `--yes` was said. In production the org's name has to be typed.
///
/// # Errors
/// Nobody to ask, or another answer: nothing is written.
pub async fn confirm(
    world: &World,
    plan: &Plan,
    selection: &Selection,
    yes: bool,
    cancel: &Cancel,
) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    let header = &plan.header;
    let (planned, most) = (plan.summary.records, selection.most(plan.summary.records));
    let part = if most < planned { format!("at most {} of ", grouped(most)) } else { String::new() };
    let what = format!(
        "Write {part}{} of {} in {} ({})?",
        counted(planned, "record"),
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
    // Reading the answer blocks, and must not keep the word to stop from being heard.
    let asked = world.clone();
    let answer = tokio::select! {
        biased;
        () = heard(cancel) => {
            // The question's line is still open.
            world.say("");
            return Err(signals::interrupted());
        }
        answer = tokio::task::spawn_blocking(move || asked.ask(&question)) => answer.unwrap_or(None),
    };
    match answer {
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
