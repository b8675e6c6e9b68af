//! Salesforce ids: 15 characters that heed case, or 18 that need not.
//!
//! Checksum (seen on every id of the recordings): the 15 characters in three groups of five; in each, bit i is set when character i is `A`–`Z`;
//! the three numbers index `ABCDEFGHIJKLMNOPQRSTUVWXYZ012345`.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A record's id, always in its 18-character form.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId([u8; 18]);

/// Why a text is no Salesforce id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdProblem {
    /// Neither 15 nor 18 characters.
    #[error("a Salesforce id has 15 or 18 characters, this has {0}")]
    Length(usize),
    /// A character other than a letter or digit.
    #[error("a Salesforce id has letters and digits only")]
    Character,
    /// The last three characters do not fit the first fifteen.
    #[error("the last three characters do not fit the others: a letter is wrong or its case was changed")]
    Checksum,
}

const SUFFIX: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

fn checksum(first: &[u8]) -> [u8; 3] {
    let mut out = [0; 3];
    for (group, slot) in first.chunks(5).zip(out.iter_mut()) {
        let index =
            group.iter().enumerate().filter(|(_, b)| b.is_ascii_uppercase()).map(|(i, _)| 1usize << i).sum::<usize>();
        *slot = SUFFIX[index & 31];
    }
    out
}

/// The checksum of characters that an id may have; none of others.
#[inline(always)]
fn sum(first: &[u8; 15]) -> Option<[u8; 3]> {
    // Eight characters at a time, the eighth twice: in each byte's highest bit, is it in a range?
    const EACH: u64 = 0x0101_0101_0101_0101;
    let mut words = [[0; 8]; 2];
    words[0].copy_from_slice(&first[..8]);
    words[1].copy_from_slice(&first[7..]);
    let [(sound, upper), (sound_2, upper_2)] = words.map(|word| {
        let word = u64::from_le_bytes(word);
        let ascii = word & (0x7f * EACH);
        let within = |from: u8, to: u8| {
            (ascii + u64::from(0x80 - from) * EACH) & !(ascii + u64::from(0x7f - to) * EACH) & (0x80 * EACH)
        };
        let upper = within(b'A', b'Z');
        let all = upper | within(b'a', b'z') | within(b'0', b'9');
        let bits = (upper >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        (all == 0x80 * EACH && word == ascii, bits as usize)
    });
    let upper = upper | upper_2 << 7;
    (sound && sound_2).then(|| [SUFFIX[upper & 31], SUFFIX[upper >> 5 & 31], SUFFIX[upper >> 10 & 31]])
}

impl RecordId {
    /// Reads 15 or 18 characters; 18 are checked against their checksum (whose case is not heeded).
    pub fn parse(text: &str) -> Result<Self, IdProblem> {
        let bytes = text.as_bytes();
        if bytes.len() != 15 && bytes.len() != 18 {
            return Err(IdProblem::Length(text.chars().count()));
        }
        if !bytes.iter().all(u8::is_ascii_alphanumeric) {
            return Err(IdProblem::Character);
        }
        let mut id = [0; 18];
        id[..15].copy_from_slice(&bytes[..15]);
        id[15..].copy_from_slice(&checksum(&bytes[..15]));
        if bytes.len() == 18 && !id[15..].eq_ignore_ascii_case(&bytes[15..]) {
            return Err(IdProblem::Checksum);
        }
        Ok(Self(id))
    }

    /// The first fifteen characters of what [`Self::parse`] would take; none where it would not. For millions of cells.
    #[inline(always)]
    pub fn first_fifteen(cell: &[u8]) -> Option<[u8; 15]> {
        let (first, rest) = cell.split_first_chunk::<15>()?;
        let sum = sum(first)?;
        (rest.is_empty() || rest == sum || rest.eq_ignore_ascii_case(&sum)).then_some(*first)
    }

    /// What [`Self::parse`] makes of fifteen characters.
    pub fn of_fifteen(first: &[u8; 15]) -> Option<Self> {
        let sum = sum(first)?;
        let mut id = [0; 18];
        id[..15].copy_from_slice(first);
        id[15..].copy_from_slice(&sum);
        Some(Self(id))
    }

    /// The 18 characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The first fifteen characters, which tell a record as well as all eighteen do.
    pub fn fifteen(&self) -> [u8; 15] {
        let mut short = [0; 15];
        short.copy_from_slice(&self.0[..15]);
        short
    }

    /// The first three characters, which tell the object.
    pub fn prefix(&self) -> &str {
        &self.as_str()[..3]
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl JsonSchema for RecordId {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "RecordId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[0-9A-Za-z]{18}$"})
    }
}

impl Serialize for RecordId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for RecordId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        RecordId::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// An org's id (prefix `00D`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct OrgId(RecordId);

impl OrgId {
    /// Reads an org id; anything that is not `00D…` is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        RecordId::parse(text).ok().filter(|id| id.prefix() == "00D").map(Self)
    }

    /// The 18 characters.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for OrgId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifteen_characters_get_their_checksum() {
        // The org and record ids of Salesforce's own documentation examples.
        assert_eq!(RecordId::parse("001D000000IqhSL").unwrap().as_str(), "001D000000IqhSLIAZ");
        assert_eq!(RecordId::parse("001D000000IqhSLIAZ").unwrap(), RecordId::parse("001D000000IqhSL").unwrap());
    }

    #[test]
    fn a_changed_case_is_found_out() {
        assert_eq!(RecordId::parse("001d000000IqhSLIAZ"), Err(IdProblem::Checksum));
        assert_eq!(RecordId::parse("001D000000IqhS"), Err(IdProblem::Length(14)));
        assert_eq!(RecordId::parse("001D000000Iqh-L"), Err(IdProblem::Character));
        for text in [
            "001D000000IqhSL",
            "001D000000IqhSLIAZ",
            "001D000000IqhSLiaz",
            "001d000000IqhSLIAZ",
            "001D000000Iqh-L",
            "",
            "é",
        ] {
            let parsed = RecordId::parse(text).ok().map(|id| id.fifteen());
            assert_eq!(RecordId::first_fifteen(text.as_bytes()), parsed, "{text}");
        }
        for at in 0..15 {
            for byte in 0..=u8::MAX {
                let mut text = *b"aB3dE6gH9jK2mNo";
                text[at] = byte;
                let parsed = std::str::from_utf8(&text).ok().and_then(|text| RecordId::parse(text).ok());
                assert_eq!(RecordId::first_fifteen(&text), parsed.map(|id| id.fifteen()));
                assert_eq!(text.first_chunk().and_then(RecordId::of_fifteen), parsed);
                let Some(id) = parsed else { continue };
                assert_eq!(RecordId::first_fifteen(id.as_str().as_bytes()), Some(text));
            }
        }
        for length in 0..20 {
            let text = "0".repeat(length);
            assert_eq!(RecordId::first_fifteen(text.as_bytes()).is_some(), RecordId::parse(&text).is_ok(), "{length}");
        }
    }
}
