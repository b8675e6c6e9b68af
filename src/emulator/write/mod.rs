//! What may be written into a record, and what becomes of it on the way (FACTS: types and normalisation on write).
//!
//! In three steps, as a real org does it: the JSON must fit the types, or the whole call is refused (`draft`); each record must
//! pass access and field rules (`field_rules`), then validation rules (`validation`). Knows nothing of HTTP.

pub(super) mod draft;
mod email;
mod field_rules;
pub(super) mod save;
pub(super) mod target;
mod validation;
