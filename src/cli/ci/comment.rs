//! `footbridge ci comment`: one comment on the pull request that this run is for, and the run's summary.

use std::io::{Read as _, Write as _};

use super::arguments::CommentArguments;
use super::comments::{Comments, Put};
use super::system::pull_request;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::forge::System;
use crate::cli::world::World;
use crate::diag::{Code, Diagnostic};
use crate::render::review::{NOTHING, is_marker};

/// GitHub takes 65,536 characters.
const MOST: u64 = 65_000;

/// Runs the command.
pub async fn run(world: &World, arguments: &CommentArguments) -> Result<Exit, Failure> {
    let text = read(world, arguments)?;
    let Some(marker) = text.lines().next().filter(|line| is_marker(line)) else {
        let name = arguments.file.display();
        return Err(Failure::usage(
            Code::FileUnreadable,
            format!("{name} is no review: its first line says so on every one"),
        )
        .help("write one: `footbridge plan --base origin/main --format markdown > review.md`"));
    };
    summary(world, &text)?;
    let Some(request) = pull_request(world) else {
        let diagnostic = Diagnostic::error(
            Code::NoPullRequest,
            "this run is for no pull request, so there is nothing to comment on",
        )
        .note("no comment was written")
        .help("run it in a job for pull requests; `footbridge ci init github` (or gitlab) writes one");
        return Err(Failure::new(Exit::Usage, diagnostic));
    };
    if request.fork && request.system == System::GitHub {
        world.say("no comment was written: the token of a fork's pull request may only read. The review stands in the run's summary.");
        return Ok(Exit::Done);
    }
    let comments = Comments::of(world, &request, arguments.author.as_deref())?;
    match comments.put(marker, &text, !text.contains(NOTHING)).await? {
        Put::Posted => world.say("comment posted"),
        Put::Updated => world.say("comment updated"),
        Put::Same => world.say("the comment says this already"),
        Put::Nothing => world.say("nothing changes and no comment is there: none was written"),
    }
    Ok(Exit::Done)
}

fn read(world: &World, arguments: &CommentArguments) -> Result<String, Failure> {
    let unread = |e: std::io::Error| {
        Failure::usage(Code::FileUnreadable, format!("{}: {e}", arguments.file.display()))
            .help("`footbridge plan --base origin/main --format markdown > review.md` writes one")
    };
    let mut text = String::new();
    if arguments.file.as_os_str() == "-" {
        std::io::stdin().take(MOST + 1).read_to_string(&mut text).map_err(unread)?;
    } else {
        let file = std::fs::File::open(world.here.join(&arguments.file)).map_err(unread)?;
        file.take(MOST + 1).read_to_string(&mut text).map_err(unread)?;
    }
    if text.len() as u64 > MOST {
        return Err(Failure::usage(
            Code::FileUnreadable,
            format!("{} is longer than a comment can be", arguments.file.display()),
        )
        .help("`footbridge plan --base … --format markdown` stays below 60,000 characters"));
    }
    Ok(text)
}

/// The summary of GitHub's run: there for everyone who sees the run, forks included.
fn summary(world: &World, text: &str) -> Result<(), Failure> {
    let path = world.variable("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty());
    let Some(path) = path.filter(|_| System::of(world) == Some(System::GitHub)) else { return Ok(()) };
    let path = std::path::PathBuf::from(path);
    let mut options = std::fs::OpenOptions::new();
    let written = options.append(true).create(true).open(&path).and_then(|mut file| writeln!(file, "{text}"));
    written.map_err(|e| Failure::io("write the run's summary", &path, &e))
}
