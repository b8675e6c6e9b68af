//! `footbridge orgs list`: every environment of every org, without a call to any.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::repository::Repository;
use crate::cli::show::options;
use crate::cli::tokens::vault;
use crate::cli::world::World;
use crate::config::valid::{Auth, LogIn, OrgEnvironment};
use crate::render::orgs::{OrgLine, json, table};
use crate::vault::{Connection, Place};

/// Runs the command.
pub fn run(world: &World) -> Result<Exit, Failure> {
    let repository = Repository::load_orgs(world)?;
    let place = repository.place(world);
    let (kept, trouble) = match vault(world, place.root).and_then(|v| Ok(v.map_or(Ok(Vec::new()), |v| v.all())?)) {
        Ok(kept) => (kept, None),
        Err(unusable) => (Vec::new(), Some(unusable)),
    };
    let now = world.now();
    let mut lines = Vec::new();
    let mut written = BTreeSet::new();
    for (name, org) in &place.repository.orgs {
        for (environment, settings) in &org.environments {
            for (plans, log_in) in [(false, Some(&settings.log_in)), (true, settings.plan_log_in.as_ref())] {
                let Some(log_in) = log_in else { continue };
                let at = Place { org: name.clone(), environment: *environment, plans };
                let connection = kept.iter().find(|c| c.place() == at);
                lines.push(line(&at, settings, log_in, connection, trouble.is_some(), now));
                written.insert(at);
            }
        }
    }
    for connection in kept.iter().filter(|c| !written.contains(&c.place())) {
        let state = "connected, but gone from orgs.yaml: put it back to disconnect it".to_owned();
        lines.push(OrgLine { state, ..of_connection(connection, now) });
    }
    match world.json {
        true => world.data(&json(&lines)),
        false => world.print(&table(&lines, &options(world, false))),
    }
    match trouble {
        // The table is worth something without; the store's trouble counts where a log-in should lie in it.
        Some(unusable) => Err(unusable.into()),
        None => Ok(Exit::Done),
    }
}

fn of_connection(connection: &Connection, now: Timestamp) -> OrgLine {
    OrgLine {
        org: connection.org.clone(),
        environment: connection.environment,
        plans: connection.plans,
        org_id: Some(connection.org_id.to_string()),
        instance: host(&connection.instance),
        user: connection.username.clone(),
        flow: Some(connection.flow.clone()),
        created: Some(connection.created),
        used: Some(connection.used),
        now,
        state: String::new(),
    }
}

fn host(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.trim_end_matches('/').to_owned()
}

fn line(
    at: &Place,
    settings: &OrgEnvironment,
    log_in: &LogIn,
    connection: Option<&Connection>,
    unreadable: bool,
    now: Timestamp,
) -> OrgLine {
    let auth = match log_in {
        LogIn::Ready(auth) => Some(auth),
        LogIn::Unset(_) => None,
    };
    let user = match auth {
        Some(Auth::JwtFile { username, .. } | Auth::JwtKey { username, .. }) => Some(username.clone()),
        _ => None,
    };
    let plain = OrgLine {
        org: at.org.clone(),
        environment: at.environment,
        plans: at.plans,
        org_id: settings.org_id.as_ref().map(|id| id.value.to_string()),
        instance: host(&settings.domain.base_url()),
        user,
        flow: auth.map(|auth| auth.flow().to_owned()),
        created: None,
        used: None,
        now,
        state: String::new(),
    };
    let pinned = settings.org_id.as_ref().map(|id| id.value);
    match (log_in, connection) {
        (LogIn::Unset(variables), _) => OrgLine { state: format!("not set: {}", variables.join(", ")), ..plain },
        (LogIn::Ready(auth), Some(connection)) => {
            let state = match (&connection.ended, pinned) {
                (Some(ended), _) => format!("ended: {}", ended.reason),
                (None, _) if connection.is_uncertain() => "uncertain: connect again".to_owned(),
                (None, Some(pinned)) if pinned != connection.org_id => {
                    format!("another org: {}", connection.org_id)
                }
                (None, None) => "connected, not pinned".to_owned(),
                (None, Some(_)) => "connected".to_owned(),
            };
            let own = of_connection(connection, now);
            let flow = if auth.is_kept() { own.flow } else { plain.flow };
            OrgLine { org_id: plain.org_id, flow, state, ..own }
        }
        (LogIn::Ready(auth), None) => {
            let state = match auth.is_kept() {
                true if unreadable => "not known: the store cannot be read",
                true => "not connected",
                false if pinned.is_none() => "not pinned",
                false => "ready",
            };
            OrgLine { state: state.to_owned(), ..plain }
        }
    }
}
