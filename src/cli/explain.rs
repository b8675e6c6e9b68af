//! `footbridge explain CODE`: what an error code means and how to mend it.

use super::arguments::ExplainArguments;
use super::compile::nearest;
use super::exit::Exit;
use super::failure::Failure;
use super::world::World;
use crate::diag::Code;
use crate::render::commands::{CodesView, json};

/// Runs the command.
pub fn run(world: &World, arguments: &ExplainArguments) -> Result<Exit, Failure> {
    let show = |codes: &[Code], text: &dyn Fn()| match world.json {
        true => world.data(&json(&CodesView::of(codes))),
        false => text(),
    };
    let Some(wanted) = &arguments.code else {
        let lines: Vec<String> = Code::ALL.iter().map(|c| format!("{c}  {}", c.title())).collect();
        show(Code::ALL, &|| world.print(&lines.join("\n")));
        return Ok(Exit::Done);
    };
    let Some(code) = Code::parse(wanted) else {
        let near = nearest(wanted, Code::ALL.iter().map(|c| c.as_str()));
        let failure = Failure::usage(Code::UnknownCode, format!("there is no code `{}`", wanted.escape_debug()));
        return Err(failure.help(
            near.map_or_else(|| "`footbridge explain` lists all codes".to_owned(), |n| format!("did you mean `{n}`?")),
        ));
    };
    show(&[code], &|| world.tell(&format!("{code}: {}\n\n{}\n", code.title(), code.page())));
    Ok(Exit::Done)
}
