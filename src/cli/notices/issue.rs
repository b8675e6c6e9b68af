//! One issue of the repository for an integration that a guard holds back, on GitHub or GitLab. Host, repository and token come from the variables that CI
//! itself sets, never from the configuration; the text holds names, counts and digests.

use http::Method;
use serde_json::{Value, json};
use url::Url;

use super::sending::{budget, call, client};
use super::webhook::job_url;
use crate::cli::ground::{Place, Target};
use crate::cli::world::World;
use crate::model::Secret;
use crate::net::{Body, Budget, Class, Http, Request};
use crate::plan::GuardName;
use crate::render::escape::{Markdown, MarkdownCode};
use crate::render::{guard_sentence, moment};
use crate::runlog::RunLog;

/// What our issues are labelled with.
const LABEL: &str = "footbridge";
/// Pages of a hundred issues that are looked through.
const MOST_PAGES: u32 = 10;

/// Opens the issue, or brings it up to date. What was done, in a sentence; the error is for people.
pub async fn open(place: &Place<'_>, target: Target<'_>, log: &RunLog) -> Result<Option<String>, String> {
    let host = Host::of(place.world)?;
    let title = format!("Footbridge: {} ({}) is held back by a guard", log.integration, target.environment);
    let body = body(place.world, log);
    let Some(found) = host.find(&marker(log)).await? else {
        let made = host.send(Method::POST, host.issues()?, Class::Job, &host.text(&title, &body, true)).await?;
        return Ok(Some(format!("opened an issue: {}", host.address(&made))));
    };
    if found.body == body {
        return Ok(None);
    }
    let made =
        host.send(host.change(), host.issue(found.number)?, Class::Read, &host.text(&title, &body, false)).await?;
    Ok(Some(format!("brought the issue up to date: {}", host.address(&made))))
}

/// Closes the issue, where there is one.
pub async fn close(place: &Place<'_>, log: &RunLog) -> Result<Option<String>, String> {
    // Without CI's variables there is none.
    let Ok(host) = Host::of(place.world) else { return Ok(None) };
    let Some(found) = host.find(&marker(log)).await? else { return Ok(None) };
    let closed = match host.kind {
        Kind::GitHub => json!({ "state": "closed", "state_reason": "completed" }),
        Kind::GitLab => json!({ "state_event": "close" }),
    };
    let made = host.send(host.change(), host.issue(found.number)?, Class::Read, &closed).await?;
    Ok(Some(format!("closed the issue: {}", host.address(&made))))
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
    if let Some(job) = job_url(world) {
        line(&mut text, format!("| Job | {job} |"));
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    GitHub,
    GitLab,
}

/// Where the repository's issues are.
struct Host {
    kind: Kind,
    /// Of the repository, without a slash at the end.
    base: String,
    token: Secret,
    http: Http,
    budget: Budget,
}

struct Found {
    number: u64,
    body: String,
}

impl Host {
    /// As CI's variables say.
    fn of(world: &World) -> Result<Self, String> {
        let set = |name: &str| world.variable(name).filter(|value| !value.trim().is_empty());
        let (kind, base, token) = if set("GITHUB_REPOSITORY").is_some() || set("GITHUB_ACTIONS").is_some() {
            let api = set("GITHUB_API_URL").unwrap_or_else(|| "https://api.github.com".to_owned());
            let repository = set("GITHUB_REPOSITORY").ok_or("GITHUB_REPOSITORY is not set")?;
            let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
            if repository.split('/').count() != 2 || !repository.chars().all(plain) || repository.contains("..") {
                return Err("GITHUB_REPOSITORY is not OWNER/NAME".to_owned());
            }
            let token = set("GITHUB_TOKEN").ok_or("GITHUB_TOKEN is not set: hand it to the step as `env:`")?;
            (Kind::GitHub, format!("{}/repos/{repository}", api.trim_end_matches('/')), token)
        } else if let Some(api) = set("CI_API_V4_URL") {
            let project = set("CI_PROJECT_ID").filter(|id| id.bytes().all(|b| b.is_ascii_digit()));
            let project = project.ok_or("CI_PROJECT_ID is not set")?;
            let token =
                set("GITLAB_TOKEN").ok_or("GITLAB_TOKEN is not set: the job's own token may not open issues")?;
            (Kind::GitLab, format!("{}/projects/{project}", api.trim_end_matches('/')), token)
        } else {
            return Err("neither GitHub's nor GitLab's variables are set; issues are opened from CI only".to_owned());
        };
        let url = Url::parse(&base).map_err(|_| "CI's variable holds no address".to_owned())?;
        Ok(Self { kind, base, token: Secret::new(token), http: client(&url), budget: budget(world) })
    }

    fn url(&self, path: &str) -> Result<Url, String> {
        Url::parse(&format!("{}/{path}", self.base)).map_err(|_| "CI's variable holds no address".to_owned())
    }

    fn issues(&self) -> Result<Url, String> {
        self.url("issues")
    }

    fn issue(&self, number: u64) -> Result<Url, String> {
        self.url(&format!("issues/{number}"))
    }

    fn change(&self) -> Method {
        match self.kind {
            Kind::GitHub => Method::PATCH,
            Kind::GitLab => Method::PUT,
        }
    }

    fn text(&self, title: &str, body: &str, new: bool) -> Value {
        let mut text = match self.kind {
            Kind::GitHub => json!({ "title": title, "body": body }),
            Kind::GitLab => json!({ "title": title, "description": body }),
        };
        if new {
            text["labels"] = match self.kind {
                Kind::GitHub => json!([LABEL]),
                Kind::GitLab => json!(LABEL),
            };
        }
        text
    }

    /// The open issue with this mark.
    async fn find(&self, mark: &str) -> Result<Option<Found>, String> {
        let (state, number, body) = match self.kind {
            Kind::GitHub => ("open", "number", "body"),
            Kind::GitLab => ("opened", "iid", "description"),
        };
        for page in 1..=MOST_PAGES {
            let url = self.url(&format!("issues?state={state}&labels={LABEL}&per_page=100&page={page}"))?;
            let answer = self.call(Request::get(url)).await?;
            let all = answer.as_array().ok_or("its answer is no list of issues")?;
            let ours = all.iter().filter(|issue| issue.get("pull_request").is_none()).find_map(|issue| {
                let text = issue[body].as_str().filter(|text| text.contains(mark))?;
                // What comes back may have other line ends.
                Some(Found { number: issue[number].as_u64()?, body: text.replace("\r\n", "\n") })
            });
            if ours.is_some() || all.len() < 100 {
                return Ok(ours);
            }
        }
        Ok(None)
    }

    async fn send(&self, method: Method, url: Url, class: Class, body: &Value) -> Result<Value, String> {
        self.call(Request::new(method, url, class).body(Body::json(body.to_string().into_bytes()))).await
    }

    async fn call(&self, request: Request) -> Result<Value, String> {
        let unsendable = |_| "the token has characters that a header cannot have".to_owned();
        let request = match self.kind {
            Kind::GitHub => request
                .bearer(self.token.expose())
                .and_then(|request| request.header("accept", "application/vnd.github+json"))
                .and_then(|request| request.header("x-github-api-version", "2022-11-28")),
            Kind::GitLab => request.secret_header("private-token", &self.token),
        };
        let response =
            call(&self.http, &self.budget, &request.map_err(unsendable)?).await.map_err(|why| match &*why {
                "it answered 401" | "it answered 403" | "it answered 404" => {
                    format!("{why}: the token may not write issues of this repository")
                }
                _ => why,
            })?;
        serde_json::from_slice(&response.body).map_err(|_| "its answer is no JSON".to_owned())
    }

    /// Where a person reads the issue, as the host says; never more than an address.
    fn address(&self, issue: &Value) -> String {
        let key = match self.kind {
            Kind::GitHub => "html_url",
            Kind::GitLab => "web_url",
        };
        issue[key]
            .as_str()
            .and_then(|url| Url::parse(url).ok())
            .map_or_else(|| "(no address)".to_owned(), |url| url.to_string())
    }
}
