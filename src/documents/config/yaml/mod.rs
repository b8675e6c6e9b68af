//! YAML text → one tree with byte spans, in the part of YAML that every reader takes for the same thing. Knows nothing of what the document means.

mod bytes;
mod gaps;
mod masked;
mod parse;
mod scalar;
mod tree;

pub(super) use bytes::{Text, text_of};
pub(super) use masked::is_sensitive;
pub(super) use parse::parse;
pub(super) use scalar::Plain;
pub(super) use tree::{Key, Node, Scalar, Tree};
