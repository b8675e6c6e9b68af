//! `/limits` and `/limits/recordCount`.

use serde_json::{Value, json};

use super::super::problem::Problem;
use super::super::state::State;
use super::super::store::rows;
use super::reply::Reply;
use super::request::Call;

/// `GET …/limits`: a part of what a real org lists.
pub fn limits(state: &State, call: &Call<'_>) -> Result<Reply, Problem> {
    if !call.user.seed.view_setup {
        let message = "You do not have the level of access necessary to perform the operation you requested";
        return Err(Problem::new(403, "INSUFFICIENT_ACCESS", message));
    }
    let max = state.settings.daily_limit;
    let bulk = &state.settings.bulk;
    let left = state.jobs().left(bulk);
    let part = |max: u64, left: u64| json!({"Max": max, "Remaining": left});
    let whole = |n: u64| json!({"Max": n, "Remaining": n});
    Ok(Reply::json(
        200,
        &json!({
            "DailyApiRequests": {"Max": max, "Remaining": max.saturating_sub(state.used())},
            "DailyAsyncApexExecutions": whole(250_000),
            "DailyBulkApiBatches": part(bulk.daily_batches, left.batches),
            "DailyBulkV2QueryFileStorageMB": part(bulk.daily_result_megabytes, left.result_bytes >> 20),
            "DailyBulkV2QueryJobs": part(bulk.daily_query_jobs, left.query_jobs),
            "DataStorageMB": whole(1_024),
            "FileStorageMB": whole(1_024),
            "PermissionSets": {"Max": 1_500, "Remaining": 1_500, "CreateCustom": whole(1_000)},
            "SingleEmail": whole(5_000),
        }),
    ))
}

/// `GET …/limits/recordCount?sObjects=A,B`: unknown objects are dropped without a word; all objects when none is named.
pub fn record_count(state: &State, call: &Call<'_>) -> Result<Reply, Problem> {
    let org = state.org();
    let catalog = &org.model.catalog;
    let names: Vec<&str> = match call.request.parameter("sObjects") {
        Some(list) => list.split(',').map(str::trim).collect(),
        None => catalog.objects.iter().map(|o| o.name.as_str()).collect(),
    };
    let mut counts = Vec::new();
    for object in names.iter().filter_map(|n| catalog.object(n)).filter(|o| call.user.object(&o.name).read) {
        let count = rows::count(&org.db, &object.name)?;
        counts.push(json!({"count": count, "name": object.name}));
    }
    Ok(Reply::json(200, &json!({"sObjects": Value::Array(counts)})))
}
