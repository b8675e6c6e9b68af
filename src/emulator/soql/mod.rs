//! SOQL over the emulator's SQLite tables: text in, prepared JSON records out, Salesforce's own refusals where it refuses.
//!
//! A query goes through `lexer` → `parser` (→ `ast`) → `compile` (with `scope`, `filter`, `order`, `select`) → one SQL statement → `answer`.
//! Knows the catalogue of objects (`schema`) and the tables' columns. Must not know HTTP, paging, users or how records are written.
//!
//! Rules: <https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/>. What neither a document nor a recording
//! confirms is marked "unconfirmed" beside the code.

mod answer;
mod ast;
mod compile;
mod export;
mod failure;
mod filter;
mod folding;
mod ids;
mod lexer;
mod operand;
mod order;
mod parser;
mod record_access;
mod relative;
mod scope;
mod select;
mod values;

#[cfg(test)]
mod tests;

pub use answer::{Answer, View, run};
pub use export::{Table, check, export};
pub use failure::Failure;
pub use folding::install;
pub use record_access::access_asked;
