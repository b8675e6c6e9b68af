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

/// The first fifteen characters of an id, which tell a record as well as all eighteen do: as numbers, for millions of them. Orders as the id does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ShortId {
    /// Eight characters.
    first: u64,
    /// The other seven; the highest byte is 0.
    rest: u64,
}

impl ShortId {
    const REST: u64 = u64::MAX >> 8;

    /// Of what [`RecordId::parse`] would take; none where it would not.
    #[inline(always)]
    pub fn read(cell: &[u8]) -> Option<Self> {
        Self::checked(cell).map(|(id, _)| id)
    }

    /// With its checksum.
    #[inline(always)]
    fn checked(cell: &[u8]) -> Option<(Self, [u8; 3])> {
        let (first, more) = (cell.first_chunk()?, cell.get(7..)?);
        let (rest, suffix) = more.split_first_chunk()?;
        let id = Self { first: u64::from_be_bytes(*first), rest: u64::from_be_bytes(*rest) & Self::REST };
        let sum = id.checksum()?;
        (suffix.is_empty() || suffix == sum || suffix.eq_ignore_ascii_case(&sum)).then_some((id, sum))
    }

    /// Two numbers, the second of them below 2⁵⁶.
    #[inline]
    pub(crate) fn numbers(self) -> (u64, u64) {
        (self.first, self.rest)
    }

    /// From [`Self::numbers`]; what the second has above is not heeded.
    #[inline]
    pub(crate) fn of_numbers(first: u64, rest: u64) -> Self {
        Self { first, rest: rest & Self::REST }
    }

    /// What [`RecordId::parse`] makes of the fifteen characters.
    pub fn full(self) -> Option<RecordId> {
        let sum = self.checksum()?;
        let mut id = [0; 18];
        id[7..15].copy_from_slice(&self.rest.to_be_bytes());
        id[..8].copy_from_slice(&self.first.to_be_bytes());
        id[15..].copy_from_slice(&sum);
        Some(RecordId(id))
    }

    /// The checksum of characters that an id may have; none of others.
    #[inline(always)]
    fn checksum(self) -> Option<[u8; 3]> {
        // Eight characters at a time, the eighth twice: in each byte's highest bit, is it in a range?
        const EACH: u64 = 0x0101_0101_0101_0101;
        let last = self.first << 56 | self.rest;
        let [(sound, upper), (sound_2, upper_2)] = [self.first, last].map(|word| {
            let word = word.swap_bytes();
            let ascii = word & (0x7f * EACH);
            let within = |from: u8, to: u8| {
                (ascii + u64::from(0x80 - from) * EACH) & !(ascii + u64::from(0x7f - to) * EACH) & (0x80 * EACH)
            };
            // Letters in either case, of which the one has a bit more.
            let folded = ascii | (0x20 * EACH);
            let letter = (folded + (0x80 - u64::from(b'a')) * EACH)
                & !(folded + (0x7f - u64::from(b'z')) * EACH)
                & (0x80 * EACH);
            let upper = letter & !(word << 2);
            let all = letter | within(b'0', b'9');
            let bits = (upper >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56;
            (all == 0x80 * EACH && word == ascii, bits as usize)
        });
        let upper = upper | upper_2 << 7;
        (sound && sound_2).then(|| [SUFFIX[upper & 31], SUFFIX[upper >> 5 & 31], SUFFIX[upper >> 10 & 31]])
    }
}

impl RecordId {
    /// Reads 15 or 18 characters; 18 are checked against their checksum (whose case is not heeded).
    pub fn parse(text: &str) -> Result<Self, IdProblem> {
        let bytes = text.as_bytes();
        let Some((_, sum)) = ShortId::checked(bytes) else {
            return Err(match bytes.len() {
                15 | 18 if bytes.iter().all(u8::is_ascii_alphanumeric) => IdProblem::Checksum,
                15 | 18 => IdProblem::Character,
                _ => IdProblem::Length(text.chars().count()),
            });
        };
        let mut id = [0; 18];
        id[..15].copy_from_slice(&bytes[..15]);
        id[15..].copy_from_slice(&sum);
        Ok(Self(id))
    }

    /// The 18 characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The 18 characters, all ASCII.
    pub fn as_bytes(&self) -> &[u8; 18] {
        &self.0
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

    /// Letter by letter.
    fn checksum(first: &[u8]) -> [u8; 3] {
        let mut out = [0; 3];
        for (group, slot) in first.chunks(5).zip(out.iter_mut()) {
            let index = group
                .iter()
                .enumerate()
                .filter(|(_, b)| b.is_ascii_uppercase())
                .map(|(i, _)| 1usize << i)
                .sum::<usize>();
            *slot = SUFFIX[index & 31];
        }
        out
    }

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
            let parsed = RecordId::parse(text).ok();
            assert_eq!(ShortId::read(text.as_bytes()).and_then(ShortId::full), parsed, "{text}");
        }
        let base = ShortId::read(b"aB3dE6gH9jK2mNo").unwrap();
        for at in 0..15 {
            for byte in 0..=u8::MAX {
                let mut text = *b"aB3dE6gH9jK2mNo";
                text[at] = byte;
                let short = ShortId::read(&text);
                assert_eq!(short.is_some(), byte.is_ascii_alphanumeric());
                let Some(short) = short else { continue };
                let (first, rest) = short.numbers();
                assert_eq!(ShortId::of_numbers(first, rest | 7 << 56), short);
                assert_eq!(short.cmp(&base), text.cmp(b"aB3dE6gH9jK2mNo"));
                let id = short.full().unwrap();
                assert_eq!((id.fifteen(), &id.as_str().as_bytes()[15..]), (text, &checksum(&text)[..]));
                assert_eq!(RecordId::parse(std::str::from_utf8(&text).unwrap()), Ok(id));
                assert_eq!(ShortId::read(id.as_str().as_bytes()), Some(short));
            }
        }
        for length in 0..20 {
            let text = "0".repeat(length);
            assert_eq!(ShortId::read(text.as_bytes()).is_some(), RecordId::parse(&text).is_ok(), "{length}");
        }
    }
}
