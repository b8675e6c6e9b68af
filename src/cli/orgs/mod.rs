//! `footbridge orgs`: log in to orgs, see which are connected, log out, pin an org's id, check rights, describe the app that a log-in needs.

mod app;
mod arguments;
mod ask;
mod browser;
mod check;
mod chosen;
mod connect;
mod deposit;
mod device;
mod disconnect;
mod list;
mod listener;
mod pin;
mod probe;
mod reach;
mod write;

pub use arguments::OrgsArguments;
pub use probe::warn_unless_passed;

use self::arguments::OrgsCommand;
use super::exit::Exit;
use super::failure::Failure;
use super::world::World;

/// Runs the command.
pub async fn run(world: &World, arguments: &OrgsArguments) -> Result<Exit, Failure> {
    match &arguments.command {
        OrgsCommand::List => list::run(world),
        OrgsCommand::Connect(arguments) => connect::run(world, arguments).await,
        OrgsCommand::Disconnect(arguments) => disconnect::run(world, arguments).await,
        OrgsCommand::Pin(arguments) => pin::run(world, arguments).await,
        OrgsCommand::Probe(arguments) => probe::run(world, arguments).await,
        OrgsCommand::App(arguments) => app::run(world, arguments),
        OrgsCommand::Check(arguments) => check::run(world, arguments).await,
    }
}
