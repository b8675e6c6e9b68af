//! `footbridge schema`: the JSON Schemas of every format that people meet.

use std::path::Path;

use super::arguments::SchemaArguments;
use super::exit::Exit;
use super::failure::Failure;
use super::world::World;
use crate::config;
use crate::diag::Code;
use crate::render::commands::{FileOutcome, FilesView, json};
use crate::{plan, probe, render, runlog};

/// Every schema by its file name.
pub fn all() -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = config::schema::all().into_iter().map(|(n, t)| (n.to_owned(), t)).collect();
    all.extend(runlog::schemas().into_iter().map(|(n, t)| (n.to_owned(), t)));
    all.extend(probe::schemas().into_iter().map(|(n, t)| (n.to_owned(), t)));
    all.push(("probe-view.schema.json".to_owned(), render::schema::<probe::ProbeView<'_>>()));
    all.extend(render::schemas().into_iter().map(|(n, t)| (n.to_owned(), t)));
    let (name, text) = plan::schema();
    all.push((name.to_owned(), text));
    all.sort();
    all
}

/// Their file names.
fn names() -> impl Iterator<Item = String> {
    all().into_iter().map(|(name, _)| name)
}

fn show(world: &World, outcome: FileOutcome) {
    let mut files = FilesView::new("schemas");
    names().for_each(|name| files.file(name, outcome));
    world.data(&json(&files));
}

/// Writes them into a folder.
fn write(folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|e| Failure::io("make the folder", folder, &e))?;
    for (name, text) in all() {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(|e| Failure::io("write", &path, &e))?;
    }
    Ok(())
}

/// The same into `schemas/` below a folder, and lists them.
pub(super) fn place(root: &Path, files: &mut FilesView) -> Result<(), Failure> {
    write(&root.join("schemas"))?;
    names().for_each(|name| files.file(format!("schemas/{name}"), FileOutcome::Written));
    Ok(())
}

/// Runs the command.
pub fn run(world: &World, arguments: &SchemaArguments) -> Result<Exit, Failure> {
    let folder = world.root().join("schemas");
    if arguments.write {
        super::repository::inside(&world.root(), "schemas")?;
        write(&folder)?;
        if world.json {
            show(world, FileOutcome::Written);
        }
        world.say(&format!("wrote {} schemas to {}", all().len(), folder.display()));
        return Ok(Exit::Done);
    }
    if arguments.check {
        let stale: Vec<String> = all()
            .into_iter()
            .filter(|(name, text)| std::fs::read_to_string(folder.join(name)).ok().as_ref() != Some(text))
            .map(|(n, _)| n)
            .collect();
        if stale.is_empty() {
            return Ok(Exit::Done);
        }
        let failure =
            Failure::usage(Code::SchemasStale, format!("stale in {}: {}", folder.display(), stale.join(", ")));
        return Err(failure.help("`footbridge schema --write`"));
    }
    match world.json {
        true => show(world, FileOutcome::Known),
        false => world.print(&names().collect::<Vec<_>>().join("\n")),
    }
    world.say("`footbridge schema --write` writes them to schemas/");
    Ok(Exit::Done)
}
