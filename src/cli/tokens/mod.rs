//! The log-ins that are kept on this machine, as commands use them: the key and where it comes from, the keeper that a session asks, and what
//! Salesforce's own command line has.

mod keeper;
mod key;
mod keyring;
pub mod sf;

pub use keeper::{Keeper, stored};
pub use key::{KeyPlace, Unusable, identity, vault, vault_or_new};
