//! `footbridge init`: an empty team repository. No file that is there already is overwritten.

use std::path::Path;

use super::arguments::InitArguments;
use super::exit::Exit;
use super::failure::Failure;
use super::schema;
use super::world::World;
use crate::render::commands::{FileOutcome, FilesView, json};

const FILES: [(&str, &str); 5] = [
    ("integrations/orgs.yaml", include_str!("init/orgs.yaml")),
    ("integrations/logins-to-leads.yaml", include_str!("init/integration.yaml")),
    ("integrations/project.yaml", include_str!("init/project.yaml")),
    (".gitignore", include_str!("init/gitignore")),
    (".vscode/settings.json", include_str!("init/settings.json")),
];

/// Writes one file with its folders; `false` when it was there already.
pub(super) fn place(root: &Path, name: &str, text: &str) -> Result<bool, Failure> {
    let path = root.join(name);
    if path.exists() {
        return Ok(false);
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| Failure::io("make the folder", folder, &e))?;
    }
    std::fs::write(&path, text).map_err(|e| Failure::io("write", &path, &e))?;
    Ok(true)
}

/// Runs the command.
pub fn run(world: &World, arguments: &InitArguments) -> Result<Exit, Failure> {
    let root = world.here.join(&arguments.folder);
    let mut files = FilesView::new(arguments.folder.display().to_string());
    for (name, text) in FILES {
        let (done, outcome) = match place(&root, name, text)? {
            true => ("wrote", FileOutcome::Written),
            false => ("kept ", FileOutcome::Kept),
        };
        world.say(&format!("{done} {name}"));
        files.file(name, outcome);
    }
    schema::place(&root, &mut files)?;
    world.say("wrote schemas/");
    if world.json {
        world.data(&json(&files));
    }
    let there = if arguments.folder == Path::new(".") {
        String::new()
    } else {
        format!("cd {} && ", arguments.folder.display())
    };
    world.say(&format!(
        "\nNext: put your org's domain and app into integrations/orgs.yaml, then\n\n  {there}footbridge orgs connect acme\n  {there}footbridge plan logins-to-leads"
    ));
    Ok(Exit::Done)
}
