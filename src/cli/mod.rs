//! The commands: arguments, wiring, printing, exit codes. The only place that reads the environment and the clock, builds clients, and compiles
//! configuration into the inputs of a plan. Knows no rule that another module owns.

mod against;
mod apply;
pub mod arguments;
mod blame;
mod branch;
mod ci;
mod compile;
mod connect;
mod costs;
mod demo;
mod documents;
mod drift;
mod due;
mod emulator;
mod exit;
mod explain;
mod failure;
mod fetch;
mod forge;
mod git;
mod grants;
mod ground;
mod init;
mod known;
mod lacking;
mod lane;
mod memory;
mod notices;
mod orgs;
mod plan;
mod planning;
mod problem;
mod reading;
mod report;
mod repository;
mod request;
mod runs;
mod schema;
mod show;
mod standing;
mod status;
mod tokens;
mod undo;
mod unlock;
mod validate;
mod world;

use std::future::Future;
use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;

use self::arguments::{Arguments, Command};
pub use self::exit::Exit;
use self::failure::Failure;
use self::world::World;
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::render::diagnostics::{self, TextStyle};

/// Runs the program with the process's arguments.
pub fn main() -> ExitCode {
    let mut arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no errors; everything else is bad usage (clap's own code is 2).
            let _ = error.print();
            if error.use_stderr() && std::env::args_os().any(|word| word == "--json") {
                let _ = std::io::stdout().write_all(diagnostics::document(&not_understood(&error)).as_bytes());
            }
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    arguments.global.json |= arguments.command.asks_json();
    let world = World::look(&arguments.global);
    log(&world);
    // Where, and never what: a panic's message may hold values or secrets.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(String::new, |l| format!(" at {}:{}", l.file(), l.line()));
        let _ = writeln!(std::io::stderr().lock(), "footbridge: a bug{place}");
    }));
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| dispatch(&world, &arguments.command)));
    // The hook has said where.
    let ended = ended.unwrap_or_else(|_| Err(Failure::bug("Footbridge panicked")));
    if let Err(failure) = &ended {
        tell(&world, failure);
    }
    world.close_documents();
    match ended {
        Ok(exit) => match world::output_lost() {
            // What it did is done, whatever becomes of the words.
            Some(why) => {
                let said = format!("what was printed is not whole: {}", std::io::Error::from(why));
                let diagnostic = Diagnostic::error(Code::FileUnwritable, said).note("all else was done as it says");
                tell(&world, &Failure::new(Exit::Failed, diagnostic));
                if matches!(exit, Exit::Done | Exit::Changes) { Exit::Failed.into() } else { exit.into() }
            }
            None => exit.into(),
        },
        Err(failure) => failure.exit.into(),
    }
}

/// What is wrong with the command line, in clap's words.
fn not_understood(error: &clap::Error) -> Diagnostics {
    let text = error.to_string();
    let said = text.split("\n\n").next().unwrap_or_default();
    let said = said.strip_prefix("error: ").unwrap_or(said).split_whitespace().collect::<Vec<_>>().join(" ");
    let diagnostic = Diagnostic::error(Code::BadUsage, said).help("`footbridge COMMAND --help` lists what it takes");
    Diagnostics::from_iter([diagnostic])
}

/// One command.
pub(crate) fn dispatch(world: &World, command: &Command) -> Result<Exit, Failure> {
    world.bug_on_demand("start", &"");
    match command {
        Command::Demo(arguments) => demo::run(world, arguments),
        Command::Init(arguments) => init::run(world, arguments),
        Command::Validate(arguments) => block(validate::run(world, arguments)),
        Command::Plan(arguments) => block(plan::run(world, arguments)),
        Command::Show(arguments) => show::run(world, arguments),
        Command::Apply(arguments) => block(apply::run(world, arguments)),
        Command::Undo(arguments) => block(undo::run(world, arguments)),
        Command::Due(arguments) => due::run(world, arguments),
        Command::Status(arguments) => status::run(world, arguments),
        Command::Runs(arguments) => runs::run(world, arguments),
        Command::Report(arguments) => report::run(world, arguments),
        Command::Blame(arguments) => blame::run(world, arguments),
        Command::Drift(arguments) => block(drift::run(world, arguments)),
        Command::Unlock(arguments) => unlock::run(world, arguments),
        Command::Orgs(arguments) => block(orgs::run(world, arguments)),
        Command::Ci(arguments) => block(ci::run(world, arguments)),
        Command::Request(arguments) => request::run(world, arguments),
        Command::Explain(arguments) => explain::run(world, arguments),
        Command::Schema(arguments) => schema::run(world, arguments),
        Command::Emulator(arguments) => block(emulator::run(world, arguments)),
    }
}

fn block<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|e| Failure::bug(format!("no runtime: {e}")))?;
    let ended = runtime.block_on(work);
    // A question that nobody answers any more must not keep the process.
    runtime.shutdown_background();
    ended
}

fn style(world: &World) -> TextStyle {
    TextStyle { color: world.colour_messages, unicode: false, width: world.message_width.map_or(120, usize::from) }
}

/// Puts problems on their lines of the pull request, where GitHub reads what is printed.
fn annotate(world: &World, found: &Diagnostics) {
    if let Some(below) = world.annotates() {
        found.iter().for_each(|diagnostic| world.command(&diagnostics::github(diagnostic, &below)));
    }
}

/// Prints a failure: on standard error, and with `--json` in the document on standard output.
pub(crate) fn tell(world: &World, failure: &Failure) {
    world.found(&failure.diagnostics);
    annotate(world, &failure.diagnostics);
    world.warn(diagnostics::terminal(&failure.diagnostics, style(world), world.message_width).trim_end());
}

/// What is wrong in a repository that a command went on with: on standard error, as its data is on standard output; with the exit code that it calls for.
pub(crate) fn faults_told(world: &World, repository: &repository::Repository) -> Exit {
    let Some(failure) = repository.faults() else { return Exit::Done };
    world.found(&failure.diagnostics);
    annotate(world, &failure.diagnostics);
    world.warn(diagnostics::terminal(&failure.diagnostics, style(world), world.message_width).trim_end());
    failure.exit
}

/// No integration runs in the environment, or none of these labels.
pub(crate) fn nothing_chosen(environment: crate::model::EnvironmentName, labels: &[String]) -> Failure {
    let which = if labels.is_empty() { String::new() } else { format!(" labelled {}", labels.join(" or ")) };
    Failure::usage(crate::diag::Code::NothingNamed, format!("no integration{which} runs in {environment}"))
}

/// Prints warnings and lints.
pub(crate) fn tell_all(world: &World, found: &Diagnostics) {
    world.found(found);
    annotate(world, found);
    if !found.is_empty() && !world.quiet {
        world.warn(diagnostics::terminal(found, style(world), world.message_width).trim_end());
    }
}

fn log(world: &World) {
    use tracing_subscriber::filter::LevelFilter;
    let level = match world.verbose {
        0 => return,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    // Our own modules only: a library's debug output may hold headers.
    let filter = tracing_subscriber::EnvFilter::builder()
        .with_default_directive(LevelFilter::OFF.into())
        .parse_lossy(format!("footbridge={level}"));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(world.colour_messages)
        .try_init();
}
