//! Large orgs and large plans, by jobs of the Bulk API 2.0, through the real binary against the emulated org.

mod reading;
mod writing;
