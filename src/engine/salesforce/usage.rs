//! How much of the org's API allowance is used: `Sforce-Limit-Info` on every answer, `/limits` for the rest, `/limits/recordCount` for sizes of objects.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::answer::malformed;
use super::client::Call;
use super::{Client, SalesforceError};
use crate::model::ObjectName;

/// `api-usage=USED/MAX` (REST API guide, "Limit Info Header"): requests of the org in a rolling 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Used.
    pub used: u64,
    /// Allowed.
    pub allowed: u64,
}

impl Usage {
    /// Reads the header's value: `api-usage=18/5000`, perhaps with `; per-app-api-usage=…` after or before it.
    pub fn parse(value: &str) -> Option<Self> {
        let pair = value.split([';', ',']).find_map(|part| part.trim().strip_prefix("api-usage="))?;
        let (used, allowed) = pair.split_once('/')?;
        Some(Self { used: used.trim().parse().ok()?, allowed: allowed.trim().parse().ok()? })
    }

    /// Left.
    pub fn left(&self) -> u64 {
        self.allowed.saturating_sub(self.used)
    }
}

/// One entry of `/limits`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Limit {
    /// Allowed.
    pub max: i64,
    /// Left; may be some minutes old.
    pub remaining: i64,
}

/// Decodes `/limits`; entries of another shape are left out.
pub(crate) fn decode_limits(body: &[u8]) -> Result<BTreeMap<String, Limit>, SalesforceError> {
    let entries: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(body).map_err(|e| malformed("limits", e))?;
    Ok(entries.into_iter().filter_map(|(name, v)| Some((name, serde_json::from_value(v).ok()?))).collect())
}

#[derive(Deserialize)]
struct Counts {
    #[serde(default, rename = "sObjects")]
    objects: Vec<Count>,
}

#[derive(Deserialize)]
struct Count {
    name: String,
    count: u64,
}

pub(crate) fn decode_record_count(body: &[u8], object: &ObjectName) -> Result<Option<u64>, SalesforceError> {
    let counts: Counts = serde_json::from_slice(body).map_err(|e| malformed("recordCount", e))?;
    Ok(counts.objects.into_iter().find(|c| c.name.eq_ignore_ascii_case(object.as_str())).map(|c| c.count))
}

impl Client {
    /// The org's limits by name (`DailyApiRequests`, …). Needs "View Setup and Configuration".
    pub async fn limits(&self) -> Result<BTreeMap<String, Limit>, SalesforceError> {
        let response = self.call(&Call::get(self.path("limits"))).await?;
        decode_limits(&response.body)
    }

    /// About how many records an object has: an estimate that may be old; `None` where the org gives none (which may mean none at all).
    pub async fn record_count(&self, object: &ObjectName) -> Result<Option<u64>, SalesforceError> {
        let target = format!("{}?sObjects={}", self.path("limits/recordCount"), super::encode_query(object.as_str()));
        let response = self.call(&Call::get(target)).await?;
        decode_record_count(&response.body, object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_read_with_and_without_its_app_part() {
        let table = [
            ("api-usage=18/5000", Some((18, 5000))),
            ("api-usage=15907/5000000; per-app-api-usage=17/250(appName=sample-app)", Some((15907, 5_000_000))),
            ("per-app-api-usage=17/250(appName=x); api-usage=1/2", Some((1, 2))),
            ("per-app-api-usage=17/250", None),
            ("api-usage=x/5", None),
            ("", None),
        ];
        for (value, expected) in table {
            assert_eq!(Usage::parse(value).map(|u| (u.used, u.allowed)), expected, "{value}");
        }
    }

    #[test]
    fn counts_may_be_missing() {
        let body = br#"{"sObjects":[{"count":3,"name":"Account"}]}"#;
        assert_eq!(decode_record_count(body, &"account".into()).unwrap(), Some(3));
        assert_eq!(decode_record_count(body, &"Lead".into()).unwrap(), None);
    }
}
