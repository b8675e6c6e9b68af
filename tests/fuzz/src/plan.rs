//! Plan files.

use crate::plan_file::Plan;

/// What is accepted is written as it was read.
pub fn check(bytes: &[u8]) {
    let read = |bytes: &[u8]| Plan::read(bytes, tempfile::tempfile().expect("a temporary file"), &mut ());
    let Ok(plan) = read(bytes) else { return };
    let written = plan.write(Vec::new()).expect("it can be written");
    let again = read(&written).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((&again.header, &again.summary, &again.context), (&plan.header, &plan.summary, &plan.context));
    assert_eq!(again.all().expect("entries"), plan.all().expect("entries"));
}
