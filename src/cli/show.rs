//! `footbridge show FILE`: a plan file, as `plan` showed it.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use super::arguments::{Format, ShowArguments};
use super::exit::Exit;
use super::failure::Failure;
use super::world::World;
use crate::diag::{Code, Diagnostic};
use crate::plan::{FileProblem, Plan};
use crate::render::{self, Audience, Options};

/// For whom and how a plan is shown.
pub(super) fn options(world: &World, full: bool) -> Options {
    Options {
        audience: if world.terminal { Audience::Person } else { Audience::Public },
        width: world.width,
        colour: world.colour,
        full,
        records_limit: world.listed.map(|(records, _)| records),
        rows_limit: world.listed.map(|(_, rows)| rows),
        waived: Vec::new(),
    }
}

/// A plan in a form.
pub(super) fn shown(world: &World, plan: &Plan, format: Format, options: &Options) -> String {
    match if world.json { Format::Json } else { format } {
        Format::Text => render::plan::text(plan, options),
        Format::Json => render::plan::json(plan, options),
        Format::Markdown => render::plan::markdown(
            plan,
            &Options { audience: Audience::Public, width: None, colour: false, ..options.clone() },
        ),
    }
}

/// Reads a plan file.
pub(super) fn read(path: &Path) -> Result<Plan, Failure> {
    let damaged = |code, problem: &FileProblem| {
        let diagnostic = Diagnostic::error(code, format!("{}: {problem}", path.display()))
            .help("make the plan anew: `footbridge plan … --out FILE`");
        Failure::new(Exit::Stale, diagnostic)
    };
    let file = File::open(path).map_err(|e| {
        Failure::usage(Code::FileUnreadable, format!("the plan file {} cannot be read: {e}", path.display()))
            .help("`footbridge plan NAME --out FILE` writes one")
    })?;
    Plan::read(BufReader::new(file)).map_err(|problem| match &problem {
        FileProblem::Format { .. } => damaged(Code::PlanVersion, &problem),
        _ => damaged(Code::PlanDamaged, &problem),
    })
}

/// Runs the command.
pub fn run(world: &World, arguments: &ShowArguments) -> Result<Exit, Failure> {
    let plan = read(&world.here.join(&arguments.file))?;
    world.print(&shown(world, &plan, arguments.format, &options(world, arguments.full)));
    Ok(Exit::Done)
}
