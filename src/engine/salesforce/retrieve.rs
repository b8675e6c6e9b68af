//! Records by id: `POST composite/sobjects/X` with `{"ids","fields"}` (REST API guide, "Get Records by ID using sObject Collections").

use std::collections::HashSet;

use foldhash::fast::RandomState;
use http::Method;

use super::answer::malformed;
use super::client::Call;
use super::rows::decode_retrieved;
use super::{Client, Lookup, SalesforceError};
use crate::model::{ObjectName, RecordId};
use crate::net::{Body, Class};
use crate::table::Block;

/// Ids that one call takes.
pub const RETRIEVE_LIMIT: usize = 2000;

impl Client {
    /// Reads records by id. `columns` must name `Id`; rows come in the ids' order, and an id that is not there or not visible has no row.
    /// Parent paths (`Account.Name`) go by SOQL, since the resource by id does not take them; the order is then Salesforce's own.
    pub async fn read(
        &self,
        object: &ObjectName,
        ids: &[RecordId],
        columns: &[String],
    ) -> Result<Vec<Block>, SalesforceError> {
        let Some(id_column) = columns.iter().position(|c| c.eq_ignore_ascii_case("Id")) else {
            return Err(SalesforceError::Request { detail: "records are read without their Id".to_owned() });
        };
        if columns.iter().any(|c| c.contains('.')) {
            return self.read_by_query(object, ids, columns).await;
        }
        let mut blocks = Vec::new();
        let mut rows = 1;
        for (n, part) in ids.chunks(RETRIEVE_LIMIT).enumerate() {
            let body = wire(part, columns).map_err(|error| SalesforceError::Request { detail: error.to_string() })?;
            let call = Call {
                method: Method::POST,
                target: self.path(&format!("composite/sobjects/{object}")),
                class: Class::Read,
                headers: Vec::new(),
                body: Some(Body::json(body)),
            };
            let response = self.call(&call).await?;
            let (block, entries) = decode_retrieved(&response.body, columns, rows, n as u64)?;
            if entries != part.len() as u64 {
                return Err(SalesforceError::RowsMissing { announced: part.len() as u64, received: entries });
            }
            let asked: HashSet<RecordId, RandomState> = part.iter().copied().collect();
            for row in 0..block.rows() {
                let id = std::str::from_utf8(block.cell(row, id_column)).ok().and_then(|id| RecordId::parse(id).ok());
                if !id.is_some_and(|id| asked.contains(&id)) {
                    return Err(malformed("reading records by id", "a record came that was not asked for"));
                }
            }
            rows += block.rows() as u64;
            blocks.push(block);
        }
        Ok(blocks)
    }

    async fn read_by_query(
        &self,
        object: &ObjectName,
        ids: &[RecordId],
        columns: &[String],
    ) -> Result<Vec<Block>, SalesforceError> {
        let lookup =
            Lookup { object: object.clone(), columns: columns.to_vec(), key_field: "Id".into(), condition: None };
        let literals: Vec<String> = ids.iter().map(|id| format!("'{id}'")).collect();
        let mut blocks = Vec::new();
        let mut collect = |block: Block| -> Result<(), SalesforceError> {
            blocks.push(block);
            Ok(())
        };
        self.look_up(&lookup, &literals, &mut collect).await?;
        Ok(blocks)
    }
}

/// `{"ids":[…],"fields":[…]}`. An id has nothing that a string escapes.
fn wire(ids: &[RecordId], fields: &[String]) -> serde_json::Result<Vec<u8>> {
    let mut body = b"{\"ids\":[".to_vec();
    for id in ids {
        body.push(b'"');
        body.extend_from_slice(id.as_str().as_bytes());
        body.extend_from_slice(b"\",");
    }
    if !ids.is_empty() {
        body.pop();
    }
    body.extend_from_slice(b"],\"fields\":");
    serde_json::to_writer(&mut body, fields)?;
    body.push(b'}');
    Ok(body)
}
