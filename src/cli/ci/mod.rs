//! What a team's CI does with Footbridge: the review of a branch, the comment on a pull request, what a branch is trusted with, the workflow files.

mod arguments;
mod comment;
mod comments;
mod git;
mod init;
mod kept;
mod review;
mod system;
mod trust;

pub use arguments::CiArguments;
pub use review::run as review;
pub use trust::{Base, Trust, not_a_pull_request, trusted_name};

use self::arguments::CiCommand;
use super::exit::Exit;
use super::failure::Failure;
use super::world::World;

/// Runs the command.
pub async fn run(world: &World, arguments: &CiArguments) -> Result<Exit, Failure> {
    match &arguments.command {
        CiCommand::Comment(arguments) => comment::run(world, arguments).await,
        CiCommand::Init(arguments) => init::run(world, arguments),
    }
}
