//! `footbridge demo`: the whole job on an embedded org, in a folder that stays.

mod people;

use clap::Parser;

use super::arguments::{Arguments, DemoArguments};
use super::exit::Exit;
use super::failure::Failure;
use super::init::place;
use super::world::World;
use super::{block, dispatch, schema};
use crate::diag::Code;
use crate::emulator::{self, Options};

/// The variable that holds the demo org's token.
const TOKEN: &str = "DEMO_ORG_TOKEN";

/// Runs the command.
pub fn run(world: &World, arguments: &DemoArguments) -> Result<Exit, Failure> {
    let root = world.here.join(&arguments.folder);
    if root.exists() {
        let failure = Failure::usage(Code::FileUnwritable, format!("{} is there already", arguments.folder.display()));
        return Err(failure.help("remove it, or name another folder: `footbridge demo OTHER`"));
    }
    let broken = |e: csv::Error| Failure::bug(format!("the demo's people: {e}"));
    place(&root, "org/leads.csv", &people::leads().map_err(broken)?)?;
    place(&root, "exports/logins-review.csv", &people::report().map_err(broken)?)?;
    place(&root, "integrations/logins-to-leads.yaml", include_str!("logins-to-leads.yaml"))?;
    place(&root, "integrations/reports/logins-review.yaml", include_str!("logins-review.yaml"))?;
    place(&root, ".gitignore", include_str!("../init/gitignore"))?;
    place(&root, ".vscode/settings.json", include_str!("../init/settings.json"))?;
    schema::write(&root.join("schemas"))?;
    block(steps(world, arguments, &root))
}

async fn steps(world: &World, arguments: &DemoArguments, root: &std::path::Path) -> Result<Exit, Failure> {
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
    place(root, "integrations/orgs.yaml", &orgs)?;
    let inside = world.clone().within(root).with(TOKEN, &org.access_token());

    world.print(&format!(
        "An emulated Salesforce org with a few hundred leads is up at {}. In {} lie a report of today's log-ins and\nan integration that maps three of its columns to fields of those leads.",
        org.url(),
        arguments.folder.display()
    ));
    let plan = ["plan", "logins-to-leads"].as_slice();
    let apply = ["apply", "logins-to-leads", "--env", "sandbox", "--yes", "--quiet"].as_slice();
    let scenes = [
        ("What would change? Nothing is written.", plan, Exit::Done),
        ("Make exactly those changes.", apply, Exit::Done),
        ("What happened?", ["runs"].as_slice(), Exit::Done),
        ("And now?", plan, Exit::Done),
    ];
    for (what, words, wanted) in scenes {
        world.print(&format!(
            "\n{what}\n\n$ footbridge {}\n",
            words.iter().filter(|w| **w != "--quiet").copied().collect::<Vec<_>>().join(" ")
        ));
        let parsed = Arguments::try_parse_from(std::iter::once("footbridge").chain(words.iter().copied()));
        let parsed = parsed.map_err(|e| Failure::bug(e.to_string()))?;
        // A command of its own needs a thread of its own: it starts its own runtime, as on the command line.
        let inside = inside.clone().hushed(parsed.global.quiet);
        let ended = tokio::task::spawn_blocking(move || dispatch(&inside, &parsed.command)).await;
        let exit = ended.map_err(|e| Failure::bug(format!("the demo's step ended badly: {e}")))??;
        if exit != wanted {
            return Err(Failure::bug(format!("the demo's step `{}` ended with {}", words.join(" "), exit.code())));
        }
    }
    let folder = arguments.folder.display();
    let token = org.access_token();
    world.print(&format!(
        "\nThe folder {folder} stays. To go on, start its org in one terminal:\n\n    cd {folder} && footbridge emulator --db .footbridge/org.db --port {port}\n\nand in another:\n\n    cd {folder} && export {TOKEN}='{token}'\n    footbridge plan\n\nTry this next:\n  - change a number in exports/logins-review.csv and plan again\n  - write `when_blank: clear` below a field in integrations/logins-to-leads.yaml, and see a guard hold the plan back\n  - misspell a field there, and run `footbridge validate --online`\n  - `footbridge runs show logins-to-leads` tells everything about the run\n\n(`footbridge` is `cargo run --release --` from the source folder, or put on the path by `cargo install --path .`)",
        port = org.url().rsplit(':').next().unwrap_or_default(),
    ));
    org.shutdown().await;
    Ok(Exit::Done)
}
