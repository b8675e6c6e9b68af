//! An error as Salesforce tells it: status, code, message, fields (FACTS: REST error bodies; recorded `error_*.json`).

use serde_json::{Value, json};

/// One error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// HTTP status when it refuses a whole request.
    pub status: u16,
    /// `errorCode`, or `statusCode` within collections.
    pub code: String,
    /// What people read.
    pub message: String,
    /// API names; `None` on request-level errors, whose bodies have no such key.
    pub fields: Option<Vec<String>>,
}

impl Problem {
    /// An error of a whole request.
    pub fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into(), fields: None }
    }

    /// An error of one record (400 when it stands alone).
    pub fn of_record(code: &str, message: impl Into<String>, fields: &[&str]) -> Self {
        let fields = Some(fields.iter().map(|f| (*f).to_owned()).collect());
        Self { status: 400, code: code.to_owned(), message: message.into(), fields }
    }

    /// The same with another status.
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// "The requested resource does not exist" (recorded).
    pub fn not_found() -> Self {
        Self::new(404, "NOT_FOUND", "The requested resource does not exist")
    }

    /// Something in the emulator itself went wrong.
    pub fn internal(what: &dyn std::fmt::Display) -> Self {
        Self::new(500, "UNKNOWN_EXCEPTION", format!("An unexpected error occurred in the emulator: {what}"))
    }

    /// As an element of a REST error body.
    pub fn rest(&self) -> Value {
        let mut body = json!({"message": self.message, "errorCode": self.code});
        if let (Some(fields), Some(map)) = (&self.fields, body.as_object_mut()) {
            map.insert("fields".to_owned(), json!(fields));
        }
        body
    }

    /// As an element of a collection's `errors`.
    pub fn in_collection(&self) -> Value {
        json!({"statusCode": self.code, "message": self.message, "fields": self.fields.clone().unwrap_or_default()})
    }
}

impl From<rusqlite::Error> for Problem {
    fn from(error: rusqlite::Error) -> Self {
        Self::internal(&error)
    }
}

/// A body's bytes to JSON, with Salesforce's words when it is none (`errors_seen_in_the_wild.json`).
pub fn parse_json(bytes: &[u8]) -> Result<Value, Problem> {
    let refuse = |message: String| Problem::new(400, "JSON_PARSER_ERROR", message);
    let text = std::str::from_utf8(bytes).map_err(|e| refuse(format!("Invalid UTF-8 at byte {}", e.valid_up_to())))?;
    serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let place = format!("at [line:{line}, column:{column}]");
        if error.is_eof() {
            let message =
                format!("Unexpected end-of-input: expected close marker for OBJECT (from [line:1, column:0]) {place}");
            return refuse(message);
        }
        let bytes = text.lines().nth(line.saturating_sub(1)).unwrap_or_default().as_bytes();
        let found = bytes.get(column.saturating_sub(1)).copied().unwrap_or(b' ');
        let said = error.to_string();
        let expected = if said.starts_with("expected `:`") {
            "was expecting a colon to separate field name and value"
        } else if said.starts_with("expected `,`") {
            "was expecting comma to separate OBJECT entries"
        } else if said.starts_with("key must be a string") {
            "was expecting double-quote to start field name"
        } else {
            "expected a valid value (number, String, array, object, 'true', 'false' or 'null')"
        };
        refuse(format!("Unexpected character ('{}' (code {found})): {expected} {place}", char::from(found)))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Problem, parse_json};

    proptest! {
        #[test]
        fn any_body_is_json_or_refused(body in proptest::collection::vec(any::<u8>(), 0..64), near in "[{}\\[\\]\":,a1é \n]{0,24}") {
            for bytes in [body.as_slice(), near.as_bytes()] {
                if let Err(problem) = parse_json(bytes) {
                    prop_assert_eq!(problem.code, "JSON_PARSER_ERROR");
                }
            }
        }
    }

    #[test]
    fn malformed_json_is_told_in_salesforces_words() {
        let told = |text: &str| parse_json(text.as_bytes()).unwrap_err().message;
        assert_eq!(
            told("{\"FirstName\"      j}"),
            "Unexpected character ('j' (code 106)): was expecting a colon to separate field name and value at [line:1, column:19]"
        );
        assert!(told("{\"a\":1").starts_with("Unexpected end-of-input"));
        assert!(told("{a:1}").contains("was expecting double-quote to start field name"));
        assert!(told("").starts_with("Unexpected end-of-input"));
        assert!(parse_json(b"\xff").is_err());
    }

    #[test]
    fn request_level_errors_have_no_fields_key() {
        assert_eq!(Problem::not_found().rest().as_object().unwrap().len(), 2);
        assert_eq!(Problem::of_record("X", "x", &[]).rest().as_object().unwrap().len(), 3);
    }
}
