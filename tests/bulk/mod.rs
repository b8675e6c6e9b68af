//! The Bulk API end to end: the real binary against the emulated org.

mod reading;
