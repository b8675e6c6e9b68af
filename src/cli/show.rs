//! `footbridge show FILE`: a plan file, as `plan` showed it.

use std::fs::File;
use std::io;
use std::path::Path;

use super::arguments::{Format, ShowArguments};
use super::exit::Exit;
use super::failure::Failure;
use super::repository::scratch;
use super::world::World;
use crate::diag::{Code, Diagnostic};
use crate::plan::{FileProblem, Plan, Watch, is_compressed};
use crate::render::plan::{Form, Outline};
use crate::render::{Audience, Options};

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

/// What is kept of a plan, to show it in a form.
pub(super) fn outline(world: &World, format: Format, options: Options) -> Outline {
    match if world.json { Format::Json } else { format } {
        Format::Text | Format::Github => Outline::new(Form::Text, options),
        Format::Json => Outline::new(Form::Json, options),
        Format::Markdown => Outline::new(Form::Markdown, public(options)),
        Format::Html => Outline::new(Form::Html, public(options)),
    }
}

/// A file or a comment is nobody's terminal, wherever it is made.
fn public(options: Options) -> Options {
    Options { audience: Audience::Public, width: None, colour: false, ..options }
}

/// The plan's entries could not be read while it was shown.
pub(super) fn unreadable(problem: &io::Error) -> Failure {
    Failure::new(Exit::Failed, Diagnostic::error(Code::FileUnreadable, format!("the plan cannot be shown: {problem}")))
}

/// Prints a plan.
pub(super) fn print(world: &World, outline: &Outline, plan: &Plan) -> Result<(), Failure> {
    let write = |out: &mut dyn io::Write| outline.write(plan, out);
    let shown = if world.json { world.document(write) } else { world.stream(write) };
    shown.map_err(|e| unreadable(&e))
}

/// Reads a plan file. Its entries stay in it, unless it has to be unpacked or `ours` wants a copy that nobody else can change.
pub(super) fn read(world: &World, path: &Path, ours: bool, watch: &mut dyn Watch) -> Result<Plan, Failure> {
    let damaged = |code, problem: &FileProblem| {
        let diagnostic = Diagnostic::error(code, format!("{}: {problem}", path.display()))
            .help("make the plan anew: `footbridge plan … --out FILE`");
        Failure::new(Exit::Stale, diagnostic)
    };
    let mut file = File::open(path).map_err(|e| {
        Failure::usage(Code::FileUnreadable, format!("the plan file {} cannot be read: {e}", path.display()))
            .help("`footbridge plan NAME --out FILE` writes one")
    })?;
    // Nothing is unpacked in place, and a pipe cannot be read twice.
    let there = !ours && file.metadata().is_ok_and(|m| m.is_file()) && is_compressed(&mut file).is_ok_and(|c| !c);
    let plan = if there {
        Plan::open(file, watch)
    } else {
        let keep = scratch(&world.root()).map_err(|e| Failure::io("make a temporary file in", &world.root(), &e))?;
        Plan::read(file, keep, watch)
    };
    plan.map_err(|problem| match &problem {
        FileProblem::Format { .. } => damaged(Code::PlanVersion, &problem),
        FileProblem::Keep(e) => Failure::io("keep a copy of", path, e),
        _ => damaged(Code::PlanDamaged, &problem),
    })
}

/// Runs the command.
pub fn run(world: &World, arguments: &ShowArguments) -> Result<Exit, Failure> {
    let mut outline = outline(world, arguments.format, options(world, arguments.full));
    let plan = read(world, &world.here.join(&arguments.file), false, &mut outline)?;
    print(world, &outline, &plan)?;
    Ok(Exit::Done)
}
