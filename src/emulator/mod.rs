//! A Salesforce org as its documents and recordings describe it, over SQLite, on a real socket. Imports nothing else of this crate.

pub mod schema;
pub mod soql;
