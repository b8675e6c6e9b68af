//! What was found out about one assumption.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::assumption::{Assumption, Way, all};
use super::subject::Kind;

/// How an assumption fared, best known last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Verdict {
    /// Not tried.
    #[serde(rename = "not tried")]
    NotTried,
    /// Tried, and it could not be told.
    #[serde(rename = "could not be told")]
    Untold,
    /// As assumed.
    #[serde(rename = "as assumed")]
    AsAssumed,
    /// Otherwise than assumed.
    #[serde(rename = "differs")]
    Differs,
}

impl Verdict {
    /// The words for people and files.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::NotTried => "not tried",
            Verdict::Untold => "could not be told",
            Verdict::AsAssumed => "as assumed",
            Verdict::Differs => "differs",
        }
    }
}

/// One assumption, and how it fared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which.
    pub assumption: &'static Assumption,
    /// How it fared.
    pub verdict: Verdict,
    /// Why, or what was found instead: own words, codes and counts.
    pub found: String,
}

/// What was found so far.
#[derive(Debug, Default)]
pub struct Findings {
    found: BTreeMap<&'static str, (Verdict, String)>,
    written: BTreeSet<Kind>,
}

impl Findings {
    /// Notes a verdict. Of several for one assumption the graver stays: one that differs once, differs; one that was told once, is told.
    pub fn note(&mut self, id: &'static str, verdict: Verdict, found: impl Into<String>) {
        debug_assert!(super::assumption(id).is_some(), "{id}");
        let known = self.found.get(id).map(|(verdict, _)| *verdict);
        if known.is_none_or(|known| verdict > known) {
            self.found.insert(id, (verdict, found.into()));
        }
    }

    /// As assumed, or what was found instead.
    pub fn judge(&mut self, id: &'static str, holds: bool, otherwise: impl Into<String>) {
        match holds {
            true => self.note(id, Verdict::AsAssumed, ""),
            false => self.note(id, Verdict::Differs, otherwise),
        }
    }

    /// It could not be told, and why.
    pub fn untold(&mut self, id: &'static str, why: impl Into<String>) {
        self.note(id, Verdict::Untold, why);
    }

    /// It was not tried, and why.
    pub fn not_tried(&mut self, id: &'static str, why: impl Into<String>) {
        self.note(id, Verdict::NotTried, why);
    }

    /// A field of this kind was saved.
    pub(super) fn wrote(&mut self, kind: Kind) {
        self.written.insert(kind);
    }

    /// The kinds of fields of which at least one value was saved. A value that was refused, rightly or not, is none.
    pub fn written(&self) -> Vec<Kind> {
        self.written.iter().copied().collect()
    }

    /// All assumptions, in their order. `unwritten` says why those that take a record were not tried.
    pub fn close(mut self, unread: &str, unwritten: &str) -> Vec<Finding> {
        let one = |assumption: &'static Assumption| {
            let (verdict, found) = self.found.remove(assumption.id).unwrap_or_else(|| {
                let why = match assumption.way {
                    Way::Reads => unread,
                    Way::Writes => unwritten,
                    Way::Never(why) => why,
                };
                (Verdict::NotTried, why.to_owned())
            });
            Finding { assumption, verdict, found }
        };
        all().iter().map(one).collect()
    }
}

/// A code of Salesforce's, as a report may hold it.
pub(super) fn plain(code: &str) -> String {
    let plain = !code.is_empty()
        && code.len() <= 60
        && code.bytes().all(|b| b.is_ascii_uppercase() || b"_0123456789".contains(&b));
    if plain { code.to_owned() } else { "a code of another form".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_graver_verdict_stays_and_nothing_is_left_out() {
        let mut findings = Findings::default();
        findings.untold("in_case", "no record");
        findings.judge("in_case", true, "");
        findings.untold("in_case", "again");
        findings.judge("text_trim", false, "it stays");
        findings.judge("text_trim", true, "");
        let closed = findings.close("broken off", "no record");
        assert_eq!(closed.len(), all().len());
        let of = |id: &str| closed.iter().find(|f| f.assumption.id == id).unwrap();
        assert_eq!((of("in_case").verdict, of("in_case").found.as_str()), (Verdict::AsAssumed, ""));
        assert_eq!((of("text_trim").verdict, of("text_trim").found.as_str()), (Verdict::Differs, "it stays"));
        assert_eq!((of("area_lines").verdict, of("area_lines").found.as_str()), (Verdict::NotTried, "no record"));
        assert_eq!(of("page_size").found, "broken off");
        assert!(of("login_rate").found.contains("log-ins"));
    }

    #[test]
    fn a_code_of_a_servers_own_making_is_not_repeated() {
        assert_eq!(plain("INVALID_FIELD"), "INVALID_FIELD");
        for odd in ["", "ada@leads.example", "MARKED-TOKEN", "x"] {
            assert_eq!(plain(odd), "a code of another form");
        }
    }
}
