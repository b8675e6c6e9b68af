//! `footbridge request NAME`: what to ask of the Salesforce admin, as a message that is ready to be sent. It holds names and rights, no values and no secrets,
//! and asks no org: it is for the time before the fields exist.

use std::fmt::Write;

use super::arguments::RequestArguments;
use super::exit::Exit;
use super::failure::Failure;
use super::repository::Repository;
use super::world::World;
use crate::config::valid::{ColumnType, Integration, Mapping, Percent, Repository as Configured};
use crate::render::commands::{RequestView, json};

const UNDECLARED: &str = "(to be agreed)";

/// Runs the command.
pub fn run(world: &World, arguments: &RequestArguments) -> Result<Exit, Failure> {
    let repository = Repository::load_offline(world)?;
    let place = repository.place(world);
    let integration = place.integration(&arguments.name)?;
    let subject =
        format!("Fields on {} for our report \"{}\"", integration.object.value, integration.report.name.value);
    let body = body(integration, place.repository);
    if world.json {
        let view = RequestView { format: "footbridge request-view/1", subject: &subject, body: &body };
        world.data(&json(&view));
    } else {
        world.print(&format!("Subject: {subject}\n\n{body}"));
    }
    let undeclared = integration.fields.iter().filter(|m| custom(m) && suggested(integration, m) == UNDECLARED);
    let undeclared: Vec<String> = undeclared.map(|m| format!("`{}`", m.column.value)).collect();
    if !undeclared.is_empty() {
        world.say(&format!(
            "no type is suggested for {}; write `type:` (text, number, date, datetime, time, boolean, list) under `columns:` of the report",
            undeclared.join(", ")
        ));
    }
    if integration.goal.is_none() {
        world.say("no goal is stated; write `goal:` in the integration, so that the admin knows what this is for");
    }
    Ok(Exit::Done)
}

fn body(integration: &Integration, repository: &Configured) -> String {
    let object = &integration.object.value;
    let matching = &integration.matching;
    let mut text = String::new();
    let mut say = |line: &str| {
        text.push_str(line);
        text.push('\n');
    };
    say("Hello,\n");
    say(&format!(
        "we would like to see on our {object} records what the WalkMe report \"{}\" says about people.",
        integration.report.name.value
    ));
    if let Some(goal) = &integration.goal {
        say(&format!("Goal: {}", goal.trim()));
    }
    say(&format!(
        "Tool: Footbridge. A row of the report and a record belong together when the column \"{}\" equals the field {}.\n\
         Footbridge updates the fields below on existing records. It never creates or deletes a record, and writes no other field.",
        matching.column.value, matching.field.value
    ));
    let own: Vec<&Mapping> = integration.fields.iter().filter(|m| custom(m)).collect();
    if !own.is_empty() {
        say(&format!("\nPlease add these fields to {object}, in {}:\n", places(integration, repository)));
        say(&table(integration, &own));
    }
    let standard: Vec<&str> =
        integration.fields.iter().filter(|m| !custom(m)).map(|m| m.field.value.as_str()).collect();
    if !standard.is_empty() {
        say(&format!(
            "\nThese fields of {object} are Salesforce's own and need not be added: {}.",
            standard.join(", ")
        ));
    }
    let targets: Vec<&str> = integration.fields.iter().map(|m| m.field.value.as_str()).collect();
    say("\nPlease give the user that Footbridge logs in as a permission set with\n");
    say("  - system permission API Enabled");
    say(&format!("  - object {object}: Read and Edit"));
    say(&format!("  - field {}: Read (to find the records)", matching.field.value));
    say(&format!("  - fields {}: Read and Edit", targets.join(", ")));
    say(&format!("  - the records themselves: by sharing, or Modify All on {object}"));
    say(
        "\nModify All Data is not needed. A new field is invisible to everybody until a permission set or profile grants it.",
    );
    say(
        "You can take this access back at any time: remove the permission set, or block the app in Setup (Connected Apps OAuth Usage).",
    );
    say("Nothing is written before a dry run has been looked at, and the sandbox comes first.\n");
    say("Thank you");
    text
}

fn custom(mapping: &Mapping) -> bool {
    mapping.field.value.as_str().to_ascii_lowercase().ends_with("__c")
}

/// `sandbox (acme--uat.sandbox.my.salesforce.com) and production (…)`
fn places(integration: &Integration, repository: &Configured) -> String {
    let org = repository.orgs.get(&integration.org.value);
    let named: Vec<String> = org
        .into_iter()
        .flat_map(|o| &o.environments)
        .map(|(name, settings)| {
            let host = settings.domain.base_url();
            format!("{name} ({})", host.strip_prefix("https://").unwrap_or(&host))
        })
        .collect();
    named.join(" and ")
}

fn table(integration: &Integration, mappings: &[&Mapping]) -> String {
    let mut rows = vec![["API name".to_owned(), "Label".to_owned(), "Type".to_owned()]];
    rows.extend(
        mappings
            .iter()
            .map(|m| [m.field.value.as_str().to_owned(), m.column.value.clone(), suggested(integration, m).to_owned()]),
    );
    let width = |n: usize| rows.iter().map(|r| r[n].chars().count()).max().unwrap_or(0);
    let (first, second) = (width(0), width(1));
    let mut text = String::new();
    for [name, label, kind] in &rows {
        let _ = writeln!(text, "  {name:first$}  {label:second$}  {kind}");
    }
    text.trim_end().to_owned()
}

/// The type of Setup that suits a column: as declared, or as the mapping's options tell.
fn suggested(integration: &Integration, mapping: &Mapping) -> &'static str {
    let declared = integration.report.columns.get(&mapping.column.value).and_then(|c| c.kind);
    match declared {
        _ if mapping.currency.is_some() => "Currency",
        _ if mapping.reading.percent == Some(Percent::Sign) => "Percent",
        Some(ColumnType::Text) => "Text (255)",
        Some(ColumnType::Number) => "Number",
        Some(ColumnType::Date) => "Date",
        Some(ColumnType::Datetime) => "Date/Time",
        Some(ColumnType::Time) => "Time",
        Some(ColumnType::Boolean) => "Checkbox",
        Some(ColumnType::List) => "Picklist (Multi-Select)",
        None => UNDECLARED,
    }
}
