//! One issue of the repository for an integration that a guard holds back, on GitHub or GitLab. Host, repository and token come from the variables that CI
//! itself sets, never from the configuration; the text holds names, counts and digests.

use http::Method;
use serde_json::{Value, json};
use url::Url;

use super::sending;
use crate::cli::branch::ci_page;
use crate::cli::forge::{self, Forge, ForgeError, GITHUB_RUN, System};
use crate::cli::ground::Place;
use crate::cli::world::World;
use crate::net::{Class, Response};
use crate::plan::GuardName;
use crate::render::escape::{Markdown, MarkdownCode};
use crate::render::{guard_sentence, moment};
use crate::runlog::RunLog;

/// What our issues are labelled with.
const LABEL: &str = "footbridge";
/// Pages of a hundred issues that are looked through.
const MOST_PAGES: u32 = 10;

/// Opens the issue, or brings it up to date. What was done, in a sentence; the error is for people.
pub async fn open(place: &Place<'_>, log: &RunLog) -> Result<Option<String>, String> {
    let title = format!("Footbridge: {} ({}) is held back by a guard", log.integration, log.environment);
    told(place.world, log, &title).await.map_err(words)
}

async fn told(world: &World, log: &RunLog, title: &str) -> Result<Option<String>, ForgeError> {
    let forge = of(world)?;
    let (system, issues, body) = (forge.system, format!("{}/issues", forge.project), body(world, log));
    let Some(found) = find(&forge, &marker(log)).await? else {
        let made = forge.call(Method::POST, &issues, Class::Job, Some(&text(system, title, &body, true))).await?;
        return Ok(Some(format!("opened an issue: {}", address(system, &made))));
    };
    if found.body.trim_end() == body.trim_end() {
        return Ok(None);
    }
    let (path, text) = (format!("{issues}/{}", found.number), text(system, title, &body, false));
    let made = forge.call(forge.change(), &path, Class::Read, Some(&text)).await?;
    Ok(Some(format!("brought the issue up to date: {}", address(system, &made))))
}

/// Closes the issue, where there is one.
pub async fn close(place: &Place<'_>, log: &RunLog) -> Result<Option<String>, String> {
    // Without CI's variables there is none.
    let Ok(forge) = of(place.world) else { return Ok(None) };
    ended(&forge, log).await.map_err(words)
}

async fn ended(forge: &Forge, log: &RunLog) -> Result<Option<String>, ForgeError> {
    let Some(found) = find(forge, &marker(log)).await? else { return Ok(None) };
    let closed = match forge.system {
        System::GitHub => json!({ "state": "closed", "state_reason": "completed" }),
        System::GitLab => json!({ "state_event": "close" }),
    };
    let path = format!("{}/issues/{}", forge.project, found.number);
    let made = forge.call(forge.change(), &path, Class::Read, Some(&closed)).await?;
    Ok(Some(format!("closed the issue: {}", address(forge.system, &made))))
}

/// The host, with a token that may write issues.
fn of(world: &World) -> Result<Forge, ForgeError> {
    let forge = Forge::of(world, sending::budget(world))?;
    match forge.job_user {
        Some(_) => Err(ForgeError::NoToken(forge.system)),
        None => Ok(forge),
    }
}

/// Finds the issue again. HTML comments are not shown.
fn marker(log: &RunLog) -> String {
    format!("<!-- footbridge held: {} {} {} -->", log.integration, log.environment, log.org_id)
}

fn body(world: &World, log: &RunLog) -> String {
    let mut text = format!("{}\n", marker(log));
    let line = |text: &mut String, line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    let org = format!("{} {}", log.org, log.environment);
    line(
        &mut text,
        format!(
            "A scheduled run of {} in {} was held back. **Nothing was written.**\n",
            MarkdownCode(&log.integration),
            Markdown(&org)
        ),
    );
    line(&mut text, "| Guard | What it says |\n|---|---|".to_owned());
    for guard in log.held_by() {
        let sentence = guard_sentence(&guard.name, guard.value, guard.base, &guard.limit);
        line(&mut text, format!("| {} | {} |", MarkdownCode(&guard.name), Markdown(&sentence)));
    }
    line(&mut text, "\n| What | |\n|---|---|".to_owned());
    line(&mut text, format!("| Run | {} |", MarkdownCode(&log.id)));
    line(&mut text, format!("| Start | {} |", moment(log.start)));
    line(&mut text, format!("| Object | {} |", MarkdownCode(log.object.as_str())));
    line(&mut text, format!("| Rows of the report | {} |", log.rows.rows));
    line(&mut text, format!("| Records to change | {} |", log.records.records));
    for field in &log.fields {
        let counts = format!("{} filled, {} overwritten, {} cleared", field.fill, field.overwrite, field.clear);
        line(&mut text, format!("| {} | {counts} |", MarkdownCode(field.field.as_str())));
    }
    if let Some(digests) = &log.digests {
        line(&mut text, format!("| Digest `inputs` | {} |", MarkdownCode(&digests.inputs.to_string())));
        line(&mut text, format!("| Digest `changes` | {} |", MarkdownCode(&digests.changes.to_string())));
    }
    // A link: the page has no character that could end it, or the cell.
    if let Some(page) = ci_page(world) {
        line(&mut text, format!("| Job | <{page}> |"));
    }
    line(&mut text, "\nLook at what is planned, and apply exactly that, with this guard waived:\n".to_owned());
    line(
        &mut text,
        format!("```sh\nfootbridge plan {} --env {}\n{}\n```\n", log.integration, log.environment, command(log)),
    );
    line(
        &mut text,
        "Or mend the report or the mapping: the next scheduled run that is Completed closes this issue.".to_owned(),
    );
    text
}

/// The command that applies the very same changes.
fn command(log: &RunLog) -> String {
    let mut command = format!("footbridge apply {} --env {}", log.integration, log.environment);
    if let Some(digests) = &log.digests {
        command.push_str(&format!(" --expect {}", digests.changes));
    }
    for guard in log.held_by() {
        match guard.guard() {
            Some(GuardName::FirstRun) => command.push_str(" --first-run"),
            Some(name) => command.push_str(&format!(" --waive {name}")),
            None => {}
        }
    }
    command
}

struct Found {
    number: u64,
    body: String,
}

/// The open issue that begins with this mark and is ours: somebody else's, or one that quotes ours, is never touched.
async fn find(forge: &Forge, mark: &str) -> Result<Option<Found>, ForgeError> {
    let (state, number, body) = match forge.system {
        System::GitHub => ("open", "number", "body"),
        System::GitLab => ("opened", "iid", "description"),
    };
    let mut own = None;
    for page in 1..=MOST_PAGES {
        let path = format!("{}/issues?state={state}&labels={LABEL}&per_page=100&page={page}", forge.project);
        let answer = forge::json(&forge.call(Method::GET, &path, Class::Read, None).await?);
        let Value::Array(all) = answer else { return Err(ForgeError::Unexpected("no list of issues")) };
        for issue in all.iter().filter(|issue| issue.get("pull_request").is_none()) {
            let (Some(number), Some(author)) = (issue[number].as_u64(), forge.author(issue)) else { continue };
            let text = issue[body].as_str().filter(|text| forge::begins_with(text, mark));
            let Some(text) = text else { continue };
            // Asked only where it matters.
            let own: &String = match &mut own {
                Some(own) => own,
                none => none.insert(forge.own_name().await?),
            };
            // An app's token, as that of a run is, cannot be asked whose it is. People's names have no brackets.
            let app = own == GITHUB_RUN && author.ends_with("[bot]");
            if app || author.eq_ignore_ascii_case(own) {
                // What comes back may have other line ends.
                return Ok(Some(Found { number, body: text.replace("\r\n", "\n") }));
            }
        }
        if all.len() < 100 {
            break;
        }
    }
    Ok(None)
}

fn text(system: System, title: &str, body: &str, new: bool) -> Value {
    let mut text = match system {
        System::GitHub => json!({ "title": title, "body": body }),
        System::GitLab => json!({ "title": title, "description": body }),
    };
    if new {
        text["labels"] = match system {
            System::GitHub => json!([LABEL]),
            System::GitLab => json!(LABEL),
        };
    }
    text
}

/// Where a person reads the issue, as the host says; never more than an address.
fn address(system: System, response: &Response) -> String {
    let key = match system {
        System::GitHub => "html_url",
        System::GitLab => "web_url",
    };
    let url = forge::json(response)[key].as_str().and_then(|url| Url::parse(url).ok());
    url.map_or_else(|| "(no address)".to_owned(), |url| url.to_string())
}

/// For people.
fn words(error: ForgeError) -> String {
    match error {
        ForgeError::NoCi => format!("{error}; issues are opened from CI only"),
        ForgeError::NoToken(System::GitHub) => format!("{error}: hand it to the step as `env:`"),
        ForgeError::NoToken(System::GitLab) => format!("{error}: the job's own token may not open issues"),
        ForgeError::Refused { status: status @ (401 | 403 | 404), .. } => {
            format!("it answered {status}: the token may not write issues of this repository")
        }
        ForgeError::Refused { status, .. } => format!("it answered {status}"),
        ForgeError::Net(error) => sending::words(&error).to_owned(),
        other => other.to_string(),
    }
}
