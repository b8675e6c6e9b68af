//! The notice itself: JSON that Slack shows (`text`, and `attachments` with fields) and that a program reads (`metadata`, Slack's own place for such).

use http::Method;
use serde_json::{Value, json};
use url::Url;

use super::sending::{budget, call};
use super::{Change, Condition};
use crate::cli::branch::ci_page;
use crate::cli::forge::client;
use crate::cli::ground::Place;
use crate::cli::world::World;
use crate::config::valid::{HeaderValue, Notices};
use crate::model::Secret;
use crate::net::{Body, Class, Request};

/// Sends one notice of all changes. The error is for people, and names no address.
pub async fn send(place: &Place<'_>, notices: &Notices, changes: &[Change]) -> Result<(), String> {
    let world = place.world;
    let variables = |value: &HeaderValue| match value {
        HeaderValue::Ready(credential) => credential.variables.join(", "),
        HeaderValue::Unset(variables) => variables.join(", "),
    };
    let address = ready(&notices.url)?;
    let url =
        Url::parse(address.expose().trim()).map_err(|_| format!("{} holds no address", variables(&notices.url)))?;
    let http = client(&url);
    let body = Body::json(payload(world, changes).to_string().into_bytes());
    // A notice that comes twice does less harm than one that does not come.
    let mut request = Request::new(Method::POST, url, Class::Read).secret_address().body(body);
    for header in &notices.headers {
        request = request
            .secret_header(&header.name, ready(&header.value)?)
            .map_err(|_| format!("the header {} cannot be sent", header.name))?;
    }
    call(&http, &budget(world), &request).await.map(drop)
}

fn ready(value: &HeaderValue) -> Result<&Secret, String> {
    match value {
        HeaderValue::Ready(credential) => Ok(&credential.value),
        HeaderValue::Unset(variables) => Err(format!("not set: {}", variables.join(", "))),
    }
}

fn payload(world: &World, changes: &[Change]) -> Value {
    let job = ci_page(world);
    let lines: Vec<String> = changes.iter().map(|change| slack(&sentence(change))).collect();
    let attachments: Vec<Value> = changes
        .iter()
        .map(|change| {
            let log = &change.log;
            let field = |title: &str, value: String| json!({ "title": title, "value": slack(&value), "short": true });
            let mut fields = vec![
                field("Integration", log.integration.clone()),
                field("Org", format!("{} ({})", log.org, log.environment)),
                field("Now", change.now.words()),
                field("Before", change.before.words()),
                field("Run", log.id.clone()),
                field("Updated", format!("{} of {} records", log.records.updated, log.records.records)),
            ];
            if let Some(job) = &job {
                fields.push(json!({ "title": "Job", "value": job, "short": false }));
            }
            let colour = if change.now.failed { "danger" } else { "good" };
            json!({ "color": colour, "fallback": slack(&sentence(change)), "fields": fields })
        })
        .collect();
    let data: Vec<Value> = changes.iter().map(data).collect();
    json!({
        "text": lines.join("\n"),
        "attachments": attachments,
        "metadata": { "event_type": "footbridge_changes", "event_payload": { "footbridge": 1, "changes": data } },
    })
}

fn sentence(change: &Change) -> String {
    let (name, environment) = (&change.log.integration, change.log.environment);
    match (change.before.failed, change.now.failed) {
        (true, false) => format!("{name} ({environment}) works again"),
        (true, true) if change.now == change.before => {
            format!("{name} ({environment}) is still {}", change.now.words())
        }
        (_, true) => format!("{name} ({environment}): {}", change.now.words()),
        (false, false) => format!("{name} ({environment}) is Completed"),
    }
}

fn data(change: &Change) -> Value {
    let log = &change.log;
    let condition = |condition: &Condition| {
        let status = if condition.failed { "Failed" } else { "Completed" };
        json!({ "status": status, "codes": condition.codes, "guards": condition.guards })
    };
    json!({
        "integration": log.integration, "org": log.org, "environment": log.environment, "org_id": log.org_id,
        "run": log.id, "start": log.start, "exit": log.exit.as_str(),
        "now": condition(&change.now), "before": condition(&change.before),
        "records": { "planned": log.records.records, "updated": log.records.updated, "failed": log.records.failed },
    })
}

/// Slack's control characters.
fn slack(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
