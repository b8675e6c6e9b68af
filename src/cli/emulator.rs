//! `footbridge emulator`: an emulated org in the foreground, until Ctrl-C.

use super::arguments::EmulatorArguments;
use super::exit::Exit;
use super::failure::Failure;
use super::world::World;
use crate::emulator::{self, Options};

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
    world.tell(&format!(
        "An emulated Salesforce org listens on {url} (this machine only). In orgs.yaml:\n\n    domain: {url}\n    org_id: {id}\n    auth: {{ flow: access_token, token: \"${{EMULATOR_TOKEN}}\" }}\n\nand in the shell:\n\n    export EMULATOR_TOKEN='{token}'\n\nOther log-ins: client_id {client}, client_secret {secret}, username {user}, refresh_token {refresh}\nThese open this emulator and nothing else. Ctrl-C ends it.",
        url = org.url(),
        id = org.org_id(),
        token = org.access_token(),
        client = credentials.client_id,
        secret = credentials.client_secret,
        user = credentials.username,
        refresh = credentials.refresh_token,
    ));
    let _ = tokio::signal::ctrl_c().await;
    org.shutdown().await;
    Ok(Exit::Done)
}
