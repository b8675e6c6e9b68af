//! Plain values that everyone may name: names, record ids, field types, the describe of an object, secrets, digests. No I/O, and no knowledge of any
//! other module.

mod describe;
mod digest;
mod id;
mod name;
mod secret;

pub use describe::{Field, FieldType, Object, PicklistValue};
pub use digest::{Digest, Digester};
pub use id::{IdProblem, OrgId, RecordId, ShortId};
pub use name::{EnvironmentName, FieldName, ObjectName};
pub use secret::Secret;
