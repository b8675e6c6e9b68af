//! `footbridge demo`: the whole job on an embedded org, in a folder that stays.

mod people;

use std::path::PathBuf;

use clap::Parser;

use super::arguments::{Arguments, DemoArguments};
use super::exit::Exit;
use super::failure::Failure;
use super::init::place;
use super::world::World;
use super::{block, dispatch, schema};
use crate::diag::Code;
use crate::emulator::{self, Options};
use crate::render;
use crate::render::commands::{FileOutcome, FilesView, json};

/// The variable that holds the demo org's token.
const TOKEN: &str = "DEMO_ORG_TOKEN";
/// The file that sets it. `.footbridge/` is never committed.
const TOKEN_FILE: &str = ".footbridge/demo-org.sh";

/// The folder that is made, and what was put there.
struct Made {
    root: PathBuf,
    files: FilesView,
}

impl Made {
    fn put(&mut self, name: &str, text: &str) -> Result<(), Failure> {
        place(&self.root, name, text)?;
        self.files.file(name, FileOutcome::Written);
        Ok(())
    }
}

/// Runs the command.
pub fn run(world: &World, arguments: &DemoArguments) -> Result<Exit, Failure> {
    let root = world.here.join(&arguments.folder);
    if root.exists() {
        let failure = Failure::usage(Code::FileUnwritable, format!("{} is there already", arguments.folder.display()));
        return Err(failure.help("remove it, or name another folder: `footbridge demo OTHER`"));
    }
    let broken = |e: csv::Error| Failure::bug(format!("the demo's people: {e}"));
    let mut made = Made { root, files: FilesView::new(arguments.folder.display().to_string()) };
    made.put("org/leads.csv", &people::leads().map_err(broken)?)?;
    made.put("exports/logins-review.csv", &people::report().map_err(broken)?)?;
    made.put("integrations/logins-to-leads.yaml", include_str!("logins-to-leads.yaml"))?;
    made.put("integrations/reports/logins-review.yaml", include_str!("logins-review.yaml"))?;
    made.put(".gitignore", include_str!("../init/gitignore"))?;
    made.put(".vscode/settings.json", include_str!("../init/settings.json"))?;
    schema::place(&made.root, &mut made.files)?;
    block(steps(world, arguments, made))
}

async fn steps(world: &World, arguments: &DemoArguments, mut made: Made) -> Result<Exit, Failure> {
    let root = made.root.clone();
    let store = root.join(".footbridge");
    std::fs::create_dir_all(&store).map_err(|e| Failure::io("make the folder", &store, &e))?;
    let options = Options {
        seeds: vec![root.join("org/leads.csv")],
        db: Some(store.join("org.db")),
        port: arguments.port,
        ..Options::default()
    };
    let org = emulator::serve(options).await.map_err(|e| {
        Failure::usage(Code::HostUnreachable, e.to_string())
            .help("another program has the port: `footbridge demo --port 0` takes any free one")
    })?;
    let orgs = include_str!("orgs.yaml").replace("@DOMAIN@", &org.url()).replace("@ORG_ID@", &org.org_id());
    made.put("integrations/orgs.yaml", &orgs)?;
    let inside = world.clone().within(&root).with(TOKEN, &org.access_token()).listing(4, 1);
    // Whatever CI runs it for: this repository is no pull request's.
    let inside = inside.with("GITHUB_EVENT_NAME", "").with("CI_MERGE_REQUEST_IID", "").for_a_person();

    // Sourced by whoever goes on: a token on screen is hard to copy whole.
    made.put(TOKEN_FILE, &format!("export {TOKEN}='{}'\n", org.access_token()))?;

    let folder = arguments.folder.display();
    world.tell(&format!(
        "An emulated Salesforce org is up at {}, with {} leads. {folder}/ is a team's repository: a report of the day's log-ins, and an integration \
         that maps three of its columns to fields of those leads. All of the people are invented.",
        org.url(),
        people::LEADS + 2
    ));
    let plan = ["plan", "logins-to-leads"].as_slice();
    let apply = ["apply", "logins-to-leads", "--env", "sandbox", "--yes", "--quiet"].as_slice();
    let scenes = [
        ("What would change? Nothing is written.", plan),
        ("Make exactly those changes.", apply),
        ("What happened?", ["runs"].as_slice()),
        ("And now? There is nothing left to do.", plan),
    ];
    for (number, (what, words)) in scenes.into_iter().enumerate() {
        let shown: Vec<&str> = words.iter().filter(|w| **w != "--quiet").copied().collect();
        let heading = format!("{} of {}  {what}", number + 1, scenes.len());
        world.print(&format!("\n{}\n$ footbridge {}\n", render::heading(&heading, world.colour), shown.join(" ")));
        let parsed = Arguments::try_parse_from(std::iter::once("footbridge").chain(words.iter().copied()));
        let parsed = parsed.map_err(|e| Failure::bug(e.to_string()))?;
        // A command of its own needs a thread of its own: it starts its own runtime, as on the command line.
        let inside = inside.clone().hushed(parsed.global.quiet);
        let ended = tokio::task::spawn_blocking(move || dispatch(&inside, &parsed.command)).await;
        let exit = ended.map_err(|e| Failure::bug(format!("the demo's step ended badly: {e}")))??;
        if exit != Exit::Done {
            return Err(Failure::bug(format!("the demo's step `{}` ended with {}", words.join(" "), exit.code())));
        }
    }
    let port = org.url().rsplit(':').next().unwrap_or_default().to_owned();
    world.print(&format!("\n{}", render::heading("Try it yourself", world.colour)));
    world.tell(&format!("The folder {folder} stays. Start its org again in one terminal:"));
    world.print(&format!(
        "\n{}    cd {folder}\n    footbridge emulator --db .footbridge/org.db --port {port}\n\n",
        on_path(world)
    ));
    world.print("and in another:");
    world.print(&format!("\n{}    cd {folder}\n    . {TOKEN_FILE}\n    footbridge plan\n\n", on_path(world)));
    world.tell(concat!(
        "Then\n",
        "  - change a number in exports/logins-review.csv; `footbridge plan` shows it, `footbridge apply logins-to-leads` asks and writes it\n",
        "  - write `when_blank: clear` below `column: Last Login` in integrations/logins-to-leads.yaml: a guard holds the plan back, for two leads would ",
        "lose a value\n",
        "  - misspell a field there: `footbridge validate --online` finds it and says what you may have meant\n",
        "  - `footbridge plan --full` lists everything; `footbridge runs show logins-to-leads` tells all about the last run",
    ));
    if world.json {
        world.data(&json(&made.files));
    }
    org.shutdown().await;
    Ok(Exit::Done)
}

/// What makes `footbridge` a command in a fresh terminal, where it is none yet.
fn on_path(world: &World) -> String {
    match world.on_path() {
        Ok(()) => String::new(),
        Err(folder) => format!("    export PATH=\"{}:$PATH\"\n", folder.display()),
    }
}
