//! Data that the schema has passed → written types. A failure here is a bug of ours: schema and types say different things.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::diag::{Code, Diagnostic};

use super::document::Document;

pub(super) fn decode<T: DeserializeOwned>(document: &Document, data: Value) -> Result<T, Diagnostic> {
    serde_path_to_error::deserialize(data).map_err(|error| {
        let path = error.path().to_string();
        let steps: Vec<&str> = path.split('.').collect();
        Diagnostic::error(
            Code::DecodingFailed,
            format!("this document passed every check and could not be read: {}", error.inner()),
        )
        .at(document.value(&steps), "")
        .help("this is a bug in Footbridge: please report it, with this file")
    })
}
