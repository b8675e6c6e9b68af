//! Fault scripts: which requests go wrong, and how.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One fault: requests that match, and what happens to them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Which requests; any when not given.
    #[serde(default)]
    pub on: Match,
    /// What happens.
    pub action: Action,
}

/// Requests that a fault is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Match {
    /// HTTP method.
    pub method: Option<String>,
    /// Part of path and decoded query, such as `/composite/sobjects` or `FROM Lead`.
    pub path: Option<String>,
    /// Part of the request's body.
    pub body: Option<String>,
    /// So many matching requests go well before.
    pub after: u32,
    /// For so many requests; 0 = for all that follow.
    pub times: u32,
}

impl Default for Match {
    fn default() -> Self {
        Self { method: None, path: None, body: None, after: 0, times: 1 }
    }
}

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// This answer, and nothing is done.
    Status {
        /// HTTP status.
        code: u16,
        /// Body.
        #[serde(default)]
        body: String,
        /// Further headers; `content-type` is JSON when not given.
        #[serde(default)]
        headers: BTreeMap<String, String>,
    },
    /// An error in Salesforce's form, and nothing is done.
    Error {
        /// HTTP status.
        status: u16,
        /// `errorCode`.
        code: String,
        /// Message.
        message: String,
    },
    /// Milliseconds before anything is done.
    Delay(u64),
    /// Milliseconds after everything is done, before the answer is sent.
    DelayAnswer(u64),
    /// The connection is closed and nothing is done.
    CutBefore,
    /// Everything is done; the connection is closed instead of an answer.
    CutAfter,
    /// Everything is done; the connection is closed halfway through the body.
    CutMidBody,
    /// Every session ends first, so that this request (with any but a new token) gets a 401.
    ExpireSession,
    /// These records cannot be locked (`UNABLE_TO_LOCK_ROW`); the others are saved.
    LockRows {
        /// Ids; any when empty.
        #[serde(default)]
        ids: Vec<String>,
        /// The first so many of those in the request; all when not given.
        #[serde(default)]
        count: Option<usize>,
    },
    /// Records fail with this error; the others are saved.
    RecordError {
        /// Of this id; any when not given.
        #[serde(default)]
        id: Option<String>,
        /// The one at this place in the request, from 0; all when neither is given.
        #[serde(default)]
        nth: Option<usize>,
        /// Each so many-th one, beginning with the first (or with `nth`).
        #[serde(default)]
        every: Option<usize>,
        /// `statusCode`.
        code: String,
        /// Message.
        message: String,
        /// API names.
        #[serde(default)]
        fields: Vec<String>,
    },
    /// Children of one parent that are saved at the same time, by two jobs or by two transactions of one job, cannot all lock it.
    LockParents(super::jobs::ParentLock),
    /// The bulk job that the request makes, or is about, goes another way.
    Job(Box<super::jobs::JobScript>),
    /// The daily limit is reached: 403 REQUEST_LIMIT_EXCEEDED, no Retry-After.
    LimitExceeded,
    /// A page for people instead of JSON.
    Html {
        /// HTTP status.
        code: u16,
        /// What the page says.
        text: String,
    },
    /// 200 with a JSON body of so many bytes.
    HugeBody(u64),
    /// Another org answers: its id stands wherever this org's stood.
    WrongOrg {
        /// Its id, 18 characters.
        id: String,
    },
    /// Somebody else edits a record just before this request is served: for drift between a client's read and its write.
    Edit(Other),
    /// Somebody else edits a record just after this request was served.
    EditAfter(Other),
    /// The body is cut to so many bytes, with a length that agrees: truncated JSON on a sound connection.
    Truncate(usize),
}

/// An edit by somebody else, past the rules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Other {
    /// The object.
    pub object: String,
    /// The record.
    pub id: String,
    /// What it will hold.
    pub fields: serde_json::Map<String, serde_json::Value>,
}

impl Action {
    /// The error that this action gives a record, if any. `place` counts from 0 among the request's records, `hit` the
    /// records that it has hit so far.
    pub fn of_record(&self, id: &str, place: usize, hit: usize) -> Option<super::problem::Problem> {
        use super::problem::Problem;
        match self {
            Self::LockRows { ids, count } => {
                let named = ids.is_empty() || ids.iter().any(|i| i.get(..15) == id.get(..15));
                let message = format!("unable to obtain exclusive access to this record or 1 records: {id}");
                (named && count.is_none_or(|most| hit < most))
                    .then(|| Problem::of_record("UNABLE_TO_LOCK_ROW", message, &[]))
            }
            Self::RecordError { id: only, nth, every, code, message, fields } => {
                let placed = match (nth, every) {
                    (nth, Some(every)) => place % every.max(&1) == nth.unwrap_or(0) % every.max(&1),
                    (Some(nth), None) => *nth == place,
                    (None, None) => true,
                };
                let hits = only.as_ref().is_none_or(|i| i.get(..15) == id.get(..15)) && placed;
                let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
                hits.then(|| Problem::of_record(code, message.clone(), &fields))
            }
            _ => None,
        }
    }
}

/// What a fault looks at.
pub struct Seen<'a> {
    /// Method.
    pub method: &'a str,
    /// Path, and decoded query behind `?`.
    pub path: &'a str,
    /// Body.
    pub body: &'a str,
}

/// The faults in force, with how often each has matched.
#[derive(Default)]
pub struct Script {
    entries: Vec<(Fault, u32)>,
}

impl Script {
    /// Adds a fault.
    pub fn add(&mut self, fault: Fault) {
        self.entries.push((fault, 0));
    }

    /// Ends all faults.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// The actions for a request, in the order of the script; counts it.
    pub fn fire(&mut self, seen: &Seen<'_>) -> Vec<Action> {
        let mut actions = Vec::new();
        for (fault, matched) in &mut self.entries {
            let on = &fault.on;
            let hit = on.method.as_ref().is_none_or(|m| m.eq_ignore_ascii_case(seen.method))
                && on.path.as_ref().is_none_or(|p| seen.path.contains(p.as_str()))
                && on.body.as_ref().is_none_or(|b| seen.body.contains(b.as_str()));
            if !hit {
                continue;
            }
            let index = *matched;
            *matched = matched.saturating_add(1);
            if index >= on.after && (on.times == 0 || index - on.after < on.times) {
                actions.push(fault.action.clone());
            }
        }
        actions
    }
}

#[cfg(test)]
mod tests {
    use super::super::seed::form::from_yaml;
    use super::{Action, Fault, Script, Seen};

    #[test]
    fn a_fault_fires_after_and_for_as_often_as_it_says() {
        let faults: Vec<Fault> = from_yaml(
            "- on: { method: patch, path: composite, after: 1, times: 2 }\n  action: cut_after\n\
             - on: { times: 0, body: '00Q' }\n  action: { delay: 5 }\n\
             - action: { status: { code: 503, headers: { Retry-After: '1' } } }\n",
        )
        .unwrap();
        let mut script = Script::default();
        faults.into_iter().for_each(|f| script.add(f));
        let patch = Seen { method: "PATCH", path: "/services/data/v66.0/composite/sobjects", body: "00Q" };
        let fired: Vec<usize> = (0..4).map(|_| script.fire(&patch).len()).collect();
        assert_eq!(fired, [2, 2, 2, 1]);
        let get = Seen { method: "GET", path: "/", body: "" };
        assert!(script.fire(&get).is_empty());
    }

    #[test]
    fn locks_and_errors_hit_the_records_they_name() {
        let lock = Action::LockRows { ids: Vec::new(), count: Some(2) };
        let hits: Vec<bool> = (0..3).map(|n| lock.of_record("00Q", n, n.min(2)).is_some()).collect();
        assert_eq!(hits, [true, true, false]);
        let one: Action = from_yaml("record_error: { nth: 1, code: X, message: m, fields: [A] }").unwrap();
        assert!(one.of_record("00Q", 0, 0).is_none());
        assert_eq!(one.of_record("00Q", 1, 0).unwrap().fields.unwrap(), ["A"]);
    }

    #[test]
    fn an_unknown_action_is_an_error() {
        assert!(from_yaml::<Fault>("action: explode").is_err());
        assert!(from_yaml::<Fault>("action: { delay: 1 }\nwhen: now").is_err());
    }
}
