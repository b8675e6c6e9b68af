//! `footbridge emulator`: an emulated org in the foreground, until Ctrl-C.

use super::arguments::EmulatorArguments;
use super::exit::Exit;
use super::failure::Failure;
use super::world::World;
use crate::emulator::{self, Credentials, Options};
use crate::render::commands::{EmulatorView, json};

/// Runs the command.
pub async fn run(world: &World, arguments: &EmulatorArguments) -> Result<Exit, Failure> {
    let options = Options {
        seeds: arguments.seed.iter().map(|s| world.here.join(s)).collect(),
        db: arguments.db.as_ref().map(|d| world.here.join(d)),
        port: arguments.port,
        ..Options::default()
    };
    let org = emulator::serve(options).await.map_err(|e| {
        Failure::usage(crate::diag::Code::HostUnreachable, e.to_string())
            .help("if another program has the port, `--port 0` takes any free one")
    })?;
    let credentials = org.credentials();
    let (url, org_id, access_token) = (org.url(), org.org_id(), org.access_token());
    if world.json {
        world.data(&json(&EmulatorView {
            format: "footbridge emulator-view/1",
            url: &url,
            org_id: &org_id,
            access_token: &access_token,
            client_id: &credentials.client_id,
            client_secret: &credentials.client_secret,
            username: &credentials.username,
            refresh_token: &credentials.refresh_token,
        }));
        // Whoever started it waits for this, and not for its end.
        world.close_documents();
    } else {
        world.tell(&told(&url, &org_id, &access_token, &credentials));
    }
    let _ = tokio::signal::ctrl_c().await;
    org.shutdown().await;
    Ok(Exit::Done)
}

fn told(url: &str, id: &str, token: &str, credentials: &Credentials) -> String {
    format!(
        "An emulated Salesforce org listens on {url} (this machine only). In orgs.yaml:\n\n    domain: {url}\n    org_id: {id}\n    auth: {{ flow: access_token, token: \"${{EMULATOR_TOKEN}}\" }}\n\nand in the shell:\n\n    export EMULATOR_TOKEN='{token}'\n\nOther log-ins: client_id {client}, client_secret {secret}, username {user}, refresh_token {refresh}\nThese open this emulator and nothing else. Ctrl-C ends it.",
        client = credentials.client_id,
        secret = credentials.client_secret,
        user = credentials.username,
        refresh = credentials.refresh_token,
    )
}
