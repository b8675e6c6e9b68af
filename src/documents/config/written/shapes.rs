//! Values that may have two shapes. Which one is meant is told by the kind of node, never by trying.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

/// Text (or a word), or a mapping.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::config) enum Either<W, M> {
    Word(W),
    Map(M),
}

impl<'de, W: Deserialize<'de>, M: Deserialize<'de>> Deserialize<'de> for Either<W, M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shapes<W, M>(PhantomData<(W, M)>);
        impl<'de, W: Deserialize<'de>, M: Deserialize<'de>> Visitor<'de> for Shapes<W, M> {
            type Value = Either<W, M>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text or a mapping")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                W::deserialize(StrDeserializer::new(text)).map(Either::Word)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                M::deserialize(MapAccessDeserializer::new(map)).map(Either::Map)
            }
        }
        deserializer.deserialize_any(Shapes(PhantomData))
    }
}

impl<W: JsonSchema, M: JsonSchema> JsonSchema for Either<W, M> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("{}_or_{}", W::schema_name(), M::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (word, map) = (generator.subschema_for::<W>(), generator.subschema_for::<M>());
        json_schema!({ "anyOf": [word, map] })
    }
}

/// A limit: a number, or a share in percent.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::config) enum Limit {
    Count(u64),
    Percent(String),
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Limits;
        impl Visitor<'_> for Limits {
            type Value = Limit;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number or a percentage")
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Limit, E> {
                Ok(Limit::Count(number))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Limit, E> {
                Ok(Limit::Percent(text.to_owned()))
            }
        }
        deserializer.deserialize_any(Limits)
    }
}

/// The form of a percentage.
pub(in crate::config) const PERCENT: &str = r"^(0|[1-9][0-9]{0,3})(\.[0-9]{1,2})?%$";

impl JsonSchema for Limit {
    fn schema_name() -> Cow<'static, str> {
        "Limit".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A whole number, or a share such as `30%`.",
            "anyOf": [
                { "type": "integer", "minimum": 0, "maximum": 1_000_000_000 },
                { "type": "string", "pattern": PERCENT },
            ],
        })
    }
}

/// `footbridge: 1`
pub(super) fn version(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "integer", "const": 1 })
}

macro_rules! kind {
    ($($name:ident = $word:literal),*) => {
        $(pub(super) fn $name(_: &mut SchemaGenerator) -> Schema {
            json_schema!({ "type": "string", "const": $word })
        })*
    };
}
kind!(
    kind_integration = "integration",
    kind_orgs = "orgs",
    kind_report = "report",
    kind_project = "project",
    kind_known_failures = "known_failures"
);
