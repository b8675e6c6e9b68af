//! `footbridge orgs check`: may the users of an environment do what its integrations need? Reads only.

mod arguments;
mod grant;
mod judge;
mod needs;
mod sample;
mod sight;

pub use arguments::CheckArguments;

use self::needs::{Needs, needs};
use self::sight::Sight;
use super::chosen::chosen;
use super::deposit::deposit;
use crate::cli::connect::{Door, budget};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::grants::{check_command, set_label, set_name};
use crate::cli::ground::pinned;
use crate::cli::problem;
use crate::cli::repository::Repository;
use crate::cli::show::options;
use crate::cli::world::World;
use crate::config::valid::{Auth, Integration, LogIn};
use crate::model::{Field, FieldName, Object, ObjectName, OrgId};
use crate::render::metadata::File;
use crate::render::rights::{Check, LogInRights, State, json, text};
use crate::salesforce::{Client, SalesforceError};

/// One log-in, and what its user sees.
struct Looked<'a> {
    door: Door<'a>,
    client: Client,
    sight: Sight,
    needs: Needs,
}

/// Runs the command.
pub async fn run(world: &World, arguments: &CheckArguments) -> Result<Exit, Failure> {
    let repository = Repository::load(world, arguments.env)?;
    let place = repository.place(world);
    let own = chosen(&place, &arguments.name, arguments.env, false)?;
    let org_id = pinned(own.org, own.environment, own.settings)?;
    let integrations: Vec<&Integration> = place
        .repository
        .integrations
        .values()
        .filter(|i| i.org.value == own.org && i.environments.contains_key(&own.environment))
        .collect();
    if integrations.is_empty() {
        world.say(&format!("no integration runs in {}, so only the log-in is checked", own.label()));
    }
    let mut doors = vec![own];
    if own.settings.plan_log_in.is_some() {
        doors.push(chosen(&place, &arguments.name, arguments.env, true)?);
    }
    let mut looked: Vec<Looked<'_>> = Vec::new();
    let mut failed: Option<Failure> = None;
    for door in doors {
        // Not `trying`: the command that mends it is another one.
        let door = Door { trying: false, ..door };
        match look(door, org_id, &integrations).await {
            Ok(found) => looked.push(found),
            Err(failure) => {
                failed = Some(match failed {
                    Some(before) => before.and(failure),
                    None => failure,
                });
            }
        }
    }
    if let Some(failure) = failed {
        return Err(failure);
    }
    see(&place, &integrations, &mut looked).await?;
    let sets: Vec<File> = looked.iter().map(|found| set_of(found, &looked)).collect();
    let written = match &arguments.write {
        Some(folder) => deposit(world, folder, &sets, &own.settings.api_version)?,
        None => Vec::new(),
    };
    let mut check = Check {
        org: own.org.to_owned(),
        environment: own.environment.as_str(),
        org_id: org_id.to_string(),
        integrations: integrations.iter().map(|i| i.name.value.clone()).collect(),
        log_ins: looked.iter().map(|found| rights_of(found, &looked)).collect(),
        written,
        next: Vec::new(),
    };
    check.next = next(&check, arguments, own);
    if world.json {
        world.data(&json(&check));
    } else {
        world.print(&text(&check, &options(world, false)));
    }
    Ok(if check.count(State::Missing) == 0 { Exit::Done } else { Exit::Failed })
}

fn failure(door: &Door<'_>, error: &SalesforceError) -> Failure {
    let place = door.place();
    let not_done = "nothing was checked and nothing was written";
    let at = Some(&door.log_in.span);
    problem::salesforce::failure(error, &problem::salesforce::Context { org: &place, at, not_done })
}

/// Logs in, makes sure of the org, and describes what is needed.
async fn look<'a>(door: Door<'a>, org_id: OrgId, integrations: &[&Integration]) -> Result<Looked<'a>, Failure> {
    let wrong = |error: SalesforceError| failure(&door, &error);
    let client = door.open(true, budget(door.world)).await?.client;
    match client.check_org(Some(org_id)).await {
        Err(error) if !sight::is_without_api(&error) => {
            let at = door.settings.org_id.as_ref().map_or(&door.log_in.span, |id| &id.span);
            return Err(door.failure(&error, at));
        }
        _ => {}
    }
    let mut objects: Vec<ObjectName> = integrations.iter().map(|i| i.object.value.clone()).collect();
    objects.sort();
    objects.dedup();
    let mut sight = Sight::of(&client, &objects).await.map_err(wrong)?;
    let needs = needs(integrations, !door.plans, &|object| sight.object(object).cloned());
    let more: Vec<ObjectName> = needs.keys().cloned().collect();
    sight.describe(&client, &more).await.map_err(wrong)?;
    sight.ask(&client, &needs).await.map_err(wrong)?;
    Ok(Looked { door, client, sight, needs })
}

/// Tries sharing, with the eyes of every log-in.
async fn see(
    place: &crate::cli::ground::Place<'_>,
    integrations: &[&Integration],
    looked: &mut [Looked<'_>],
) -> Result<(), Failure> {
    let Some(first) = looked.first() else { return Ok(()) };
    let door = first.door;
    let mut users: Vec<(&Client, &mut Sight)> = looked.iter_mut().map(|l| (&l.client, &mut l.sight)).collect();
    sample::take(place, integrations, door.environment, &mut users).await.map_err(|error| failure(&door, &error))
}

/// A field as any of the log-ins sees it.
fn anywhere(looked: &[Looked<'_>], object: &ObjectName, field: &FieldName) -> Option<Field> {
    looked.iter().find_map(|l| l.sight.object(object).and_then(|o| o.field(field)).cloned())
}

fn set_of(found: &Looked<'_>, looked: &[Looked<'_>]) -> File {
    let seen = |object: &ObjectName| -> Option<Object> { looked.iter().find_map(|l| l.sight.object(object).cloned()) };
    let field = |object: &ObjectName, field: &FieldName| anywhere(looked, object, field);
    grant::permission_set(found.door.org, found.door.plans, &found.needs, &seen, &field).file()
}

fn rights_of(found: &Looked<'_>, looked: &[Looked<'_>]) -> LogInRights {
    let Looked { door, sight, needs, .. } = found;
    let set = set_label(door.org, door.plans);
    let elsewhere = |object: &ObjectName, field: &FieldName| anywhere(looked, object, field).is_some();
    LogInRights {
        log_in: if door.plans { "plan_auth" } else { "auth" },
        user: sight.username.clone(),
        profile: sight.profile.clone(),
        permission_set: set_name(door.org, door.plans),
        rights: judge::judge(needs, sight, &set, &elsewhere),
        warnings: warnings(door, sight),
    }
}

/// What keeps nothing from working, and is more than is needed, or less than is good.
fn warnings(door: &Door<'_>, sight: &Sight) -> Vec<String> {
    let mut told = Vec::new();
    let set = set_label(door.org, door.plans);
    if sight.modifies_all_data() == Some(true) {
        told.push(format!(
            "this user has Modify All Data, and so may change every record of the org. It is accepted, never demanded: \
             the permission set \"{set}\" is enough"
        ));
    }
    if sight.profile.as_deref() == Some("System Administrator") {
        told.push(
            "this user is a System Administrator. A user of its own, with a profile that may do next to nothing and that permission set, is safer, \
             and shows in every record's history who wrote"
                .to_owned(),
        );
    }
    let machine = matches!(
        &door.log_in.value,
        LogIn::Ready(Auth::JwtFile { .. } | Auth::JwtKey { .. } | Auth::ClientCredentials { .. })
    );
    if machine && sight.only_api() == Some(false) {
        told.push("a machine logs in as this user, and the user may use Salesforce's pages, too: \"API Only User\" would close them".to_owned());
    }
    if sight.api && sight.sets.is_none() {
        told.push(
            "this user may not look at permission sets (View Setup and Configuration), so whether it has more than it needs is not known"
                .to_owned(),
        );
    }
    told
}

/// What to do with what was found.
fn next(check: &Check, arguments: &CheckArguments, door: Door<'_>) -> Vec<String> {
    let mut next = Vec::new();
    let missing = check.log_ins.iter().filter(|l| l.rights.iter().any(|r| r.state == State::Missing));
    match &arguments.write {
        None if check.count(State::Missing) > 0 => next.push(format!(
            "`{}` writes the permission set that grants what the integrations need, as metadata to deploy.",
            check_command(door.org, door.environment)
        )),
        None => {}
        Some(folder) => {
            next.push(format!(
                "Deploy it: `sf project deploy start --source-dir {}` (in a folder of `sf project`), or let an admin do it.",
                folder.join("permissionsets").display()
            ));
            for found in missing {
                let user = found.user.as_deref().map_or_else(|| "USER".to_owned(), str::to_owned);
                next.push(format!(
                    "Assign it: `sf org assign permset --name {} --on-behalf-of {user}`, or Setup > Permission Sets > Manage Assignments.",
                    found.permission_set
                ));
            }
        }
    }
    next
}
