//! What the fuzz targets hold. The modules under test are mounted by their paths: so a target sees what is private in them, is built within a minute, and the
//! program itself knows nothing of fuzzing.

#![allow(dead_code, unused_imports, missing_docs)]

pub mod indexer;
pub mod plan;
pub mod soql;
pub mod yaml;

#[path = "../../../src/documents/diag/mod.rs"]
pub mod diag;
#[path = "../../../src/engine/model/mod.rs"]
pub mod model;
#[path = "../../../src/engine/plan/mod.rs"]
pub mod plan_file;
#[path = "../../../src/engine/table/mod.rs"]
pub mod table;
