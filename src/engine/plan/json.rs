//! JSON put together part by part, for who writes a line a record: run logs do, beside plans.

use super::encode::{put_number, put_text};

/// A line in the making. What is not a value of a record is written as it stands.
#[derive(Debug, Default)]
pub struct JsonLine(Vec<u8>);

// Nothing here is generic, so that it is compiled with the engine and not at the level of who calls it.
impl JsonLine {
    /// As it stands.
    pub fn raw(&mut self, json: &str) -> &mut Self {
        self.0.extend_from_slice(json.as_bytes());
        self
    }

    /// A string.
    pub fn text(&mut self, text: &str) -> &mut Self {
        put_text(&mut self.0, text);
        self
    }

    /// A string, or null.
    pub fn value(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.text(text),
            None => self.raw("null"),
        }
    }

    /// A number.
    pub fn number(&mut self, number: u64) -> &mut Self {
        put_number(&mut self.0, number);
        self
    }

    /// What was written so far.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The room itself, for what others write.
    pub fn out(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }

    /// Begins anew.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}
