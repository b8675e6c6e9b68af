//! `footbridge orgs app`: the External Client App that a log-in needs, as steps for an admin and as metadata. Asks no org, and reads no secret.

mod arguments;
mod design;
mod steps;

pub use arguments::AppArguments;

use self::design::{Design, design};
use super::chosen::chosen;
use super::deposit::deposit;
use crate::cli::connect::Door;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::repository::Repository;
use crate::cli::world::World;
use crate::diag::Code;
use crate::render::escape::{Terminal, json_text};
use crate::render::metadata::App;
use crate::render::orgs::{AppFile, AppSettings, AppView};

/// Runs the command.
pub fn run(world: &World, arguments: &AppArguments) -> Result<Exit, Failure> {
    let repository = Repository::load_orgs_unset(world)?;
    let door = chosen(&repository.place(world), &arguments.name, arguments.env, arguments.plans)?;
    let contact = arguments.contact.as_deref();
    let design = design(door.org, door.environment, door.plans, door.auth()?, contact.unwrap_or_default());
    let Some(app) = &design.app else {
        match world.json {
            true => world.data(&as_json(&design, None, &door, &[], &[], &[])),
            false => world.tell(&without(&design, &door)),
        }
        return Ok(Exit::Done);
    };
    let steps = steps::steps(&design, app, &door.place(), contact);
    let (mut written, mut after) = (Vec::new(), Vec::new());
    if let Some(folder) = &arguments.write {
        if contact.is_none_or(|c| !c.contains('@')) {
            return Err(Failure::usage(Code::NothingNamed, "an app has a contact: nothing was written")
                .help("name the address that Salesforce may write to about it: `--contact admin@acme.example`"));
        }
        written = deposit(world, folder, &app.files(), &door.settings.api_version)?;
        after = steps::after_deploying(&design, app, &door.place());
    }
    if world.json {
        world.data(&as_json(&design, Some(app), &door, &steps, &written, &after));
    } else if written.is_empty() {
        world.tell(&format!(
            "External Client App for {} (flow: {})\n\n{}",
            door.label(),
            design.flow,
            numbered(&steps)
        ));
        world.say("\n`--write DIR --contact EMAIL` writes the app as metadata to deploy.");
    } else {
        let files: String = written.iter().map(|file| format!("  {}\n", Terminal(file))).collect();
        world.tell(&format!(
            "External Client App for {} (flow: {})\n\nWrote:\n{files}\nNo key and no secret is in them: Salesforce makes both.\n\n{}",
            door.label(),
            design.flow,
            numbered(&after)
        ));
    }
    Ok(Exit::Done)
}

fn numbered(steps: &[String]) -> String {
    steps.iter().enumerate().map(|(at, step)| format!("{:2}. {}\n", at + 1, Terminal(step))).collect()
}

/// A flow that has no app of its own.
fn without(design: &Design, door: &Door<'_>) -> String {
    let why = match design.flow {
        "sf_cli" => "Salesforce's command line brings an app of its own",
        _ => "the token comes from somebody else, with an app of theirs",
    };
    format!("{} needs no External Client App: with `flow: {}` {why}.", door.label(), design.flow)
}

fn as_json(
    design: &Design,
    app: Option<&App>,
    door: &Door<'_>,
    steps: &[String],
    written: &[String],
    after: &[String],
) -> String {
    let settings = app.map(|app| AppSettings {
        name: &app.name,
        label: &app.label,
        callback: &app.callback,
        scopes: ["api", "refresh_token"],
        pkce: true,
        secret_for_code: app.secret_for_code,
        secret_for_refresh: app.secret_for_refresh,
        device_flow: app.device,
        client_credentials: app.client_credentials,
        rotation: app.refreshing.is_some_and(|r| r.rotates),
        permission_set: &app.permission_set,
    });
    let files = app.into_iter().flat_map(App::files);
    json_text(&AppView {
        format: "footbridge app-view/1",
        org: door.org,
        environment: door.environment.as_str(),
        plans: door.plans,
        flow: design.flow,
        app: settings,
        steps,
        files: files.map(|file| AppFile { path: file.path, r#type: file.kind, text: file.text }).collect(),
        written,
        after_deploying: after,
    })
}
