//! References by record id: 15 or 18 characters in, always 18 out.

use super::refusal::Reason;
use crate::model::RecordId;

/// How a reference is written.
#[derive(Debug, Clone)]
pub(super) struct IdentifierRule {
    /// Key prefixes of the objects that may be pointed to; empty: any.
    pub prefixes: Vec<String>,
}

impl IdentifierRule {
    /// May the field point to it? No object has 000: Salesforce stores the id of nothing as null.
    fn takes(&self, id: &RecordId) -> bool {
        let known = self.prefixes.is_empty() || self.prefixes.iter().any(|prefix| prefix == id.prefix());
        known && id.prefix() != "000"
    }

    /// Short cut: the very same bytes, an id that may be written.
    pub fn plainly_same(&self, report: &[u8], org: &[u8]) -> bool {
        report == org
            && std::str::from_utf8(report).is_ok_and(|cell| RecordId::parse(cell).is_ok_and(|id| self.takes(&id)))
    }

    /// The report's side. The cell is not blank.
    pub fn canon(&self, cell: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
        let id = parse(cell)?;
        if !self.takes(&id) {
            return Err(Reason::WrongObject { prefix: id.prefix().to_owned() });
        }
        out.extend_from_slice(id.as_str().as_bytes());
        Ok(())
    }
}

/// A report's id.
pub(super) fn parse(cell: &str) -> Result<RecordId, Reason> {
    let cell = cell.trim();
    RecordId::parse(cell).map_err(|problem| {
        if super::is_placeholder(cell) { Reason::PlaceholderWord } else { Reason::BadId { problem } }
    })
}

/// The org's side.
pub(super) fn canon_org(cell: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    let id = RecordId::parse(cell.trim()).map_err(|_| Reason::OrgUnreadable)?;
    out.extend_from_slice(id.as_str().as_bytes());
    Ok(())
}
