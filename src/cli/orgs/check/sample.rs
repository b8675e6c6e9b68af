//! Records to try sharing on: those that the reports name, as far as a look-up finds them.

use std::collections::BTreeSet;

use super::sight::{Sample, Sight, told};
use crate::cli::ground::{Place, Target};
use crate::config::valid::Integration;
use crate::model::{EnvironmentName, Object, RecordId};
use crate::salesforce::{ACCESS_LIMIT, Client, Lookup, SalesforceError};
use crate::table::Block;
use crate::values::{KeyKind, KeyRule, Side};

/// Keys of a report that are looked up: what fits a call.
const KEYS: usize = ACCESS_LIMIT;

/// The keys of a report's first rows, as SOQL; `None` where it is not there or cannot be read, which is for a plan to tell.
pub async fn keys(place: &Place<'_>, target: Target<'_>, object: &Object) -> Option<Vec<String>> {
    let matching = &target.integration.matching;
    let rule = KeyRule::compile(object.field(&matching.field.value)?).ok()?;
    let mut report = place.open(target).await.ok()?;
    let column = report.columns.iter().position(|c| *c == matching.column.value)?;
    let (mut literals, mut seen, mut key) = (Vec::new(), BTreeSet::new(), Vec::new());
    while let Some(block) = report.next_block().ok()? {
        for row in 0..block.rows() {
            let cell = block.cell(row, column);
            if !matches!(rule.canon(Side::Report, cell, &mut key), Ok(KeyKind::Key)) || !seen.insert(key.clone()) {
                continue;
            }
            let mut literal = String::new();
            rule.write_soql(&key, cell, &mut literal);
            literals.push(literal);
            if literals.len() == KEYS {
                return Some(literals);
            }
        }
    }
    Some(literals)
}

/// Records of an integration that this user sees: of the report's keys, or any that could match. Says whether they are the report's.
///
/// # Errors
/// The log-in, the network, limits.
pub async fn records(
    client: &Client,
    integration: &Integration,
    object: &Object,
    keys: Option<&[String]>,
) -> Result<(Vec<RecordId>, bool), SalesforceError> {
    let Some(field) = object.field(&integration.matching.field.value).filter(|f| f.filterable && object.queryable)
    else {
        return Ok((Vec::new(), false));
    };
    let condition = integration.condition.as_ref().map(|c| c.value.as_str());
    if let Some(keys) = keys.filter(|keys| !keys.is_empty()) {
        let lookup = Lookup {
            object: object.name.clone(),
            columns: vec!["Id".to_owned()],
            key_field: field.name.clone(),
            condition: condition.map(str::to_owned),
        };
        let mut found = Vec::new();
        let mut on_block = |block: Block| -> Result<(), SalesforceError> {
            let ids = (0..block.rows()).filter_map(|row| std::str::from_utf8(block.cell(row, 0)).ok());
            found.extend(ids.filter_map(|id| RecordId::parse(id).ok()));
            Ok(())
        };
        told(client.look_up::<SalesforceError>(&lookup, keys, &mut on_block).await)?;
        return Ok((found, true));
    }
    let own = format!("{} != null", field.name);
    let whole = condition.map_or_else(|| own.clone(), |c| format!("{own} AND ({c})"));
    Ok((told(client.some_records(&object.name, Some(&whole), KEYS).await)?.unwrap_or_default(), false))
}

/// Asks what each user may do with the records that any of them sees.
///
/// # Errors
/// The log-in, the network, limits.
pub async fn take(
    place: &Place<'_>,
    integrations: &[&Integration],
    environment: EnvironmentName,
    users: &mut [(&Client, &mut Sight)],
) -> Result<(), SalesforceError> {
    let names: BTreeSet<_> = integrations.iter().map(|i| i.object.value.clone()).collect();
    for name in names {
        let mut found: Vec<RecordId> = Vec::new();
        let mut of_report = true;
        for integration in integrations.iter().filter(|i| i.object.value == name) {
            let seen = users.iter().find_map(|(_, sight)| sight.object(&name));
            let target = place.target(integration, environment).ok();
            let keys = match seen.zip(target) {
                Some((object, target)) => keys(place, target, object).await,
                None => None,
            };
            for (client, sight) in users.iter() {
                let Some(object) = sight.object(&name) else { continue };
                let (records, reports) = records(client, integration, object, keys.as_deref()).await?;
                of_report &= reports;
                found.extend(records.into_iter().filter(|record| !found.contains(record)).collect::<Vec<_>>());
            }
        }
        found.truncate(ACCESS_LIMIT);
        if found.is_empty() {
            continue;
        }
        for (client, sight) in users.iter_mut() {
            let (Some(user), Some(object)) = (sight.user, sight.object(&name)) else { continue };
            let canonical = object.name.clone();
            let Some(access) = told(client.record_access(user, &found).await)? else { continue };
            let hidden = access.iter().filter(|a| !a.read).count();
            let locked = access.iter().filter(|a| a.read && !a.edit).count();
            sight.samples.insert(canonical, Sample { records: found.len(), hidden, locked, of_report });
        }
    }
    Ok(())
}
