//! A run's intent, version 1: in the lock on the remote before the run's first write, so that whoever comes after a machine that died knows what it was about to do.
//! It goes with the lock, once the run's log is on the branch. (It once lay on that branch; what lies there is still read.)

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::counts::RecordCounts;
use super::draft::status_of;
use super::{ExitReason, RunLog, RunProblem, RunSummary, Seconds, VERSION};
use crate::plan::RecordLedger;

/// The format's kind: `kind: run-intent`.
pub const INTENT_KIND: &str = "run-intent";

/// How the file of an intent ends.
pub const INTENT_END: &str = ".intent.yaml";

/// The code of the problem that stands in the log of a run that died, written by another machine.
const DIED: &str = "FB0844";

impl RunLog {
    /// Was it written by another machine, after the run's own had died?
    pub fn is_of_the_dead(&self) -> bool {
        self.problems.iter().any(|problem| problem.code == DIED)
    }
}

impl RunSummary {
    /// Was its log written by another machine, after the run's own had died?
    pub fn is_of_the_dead(&self) -> bool {
        self.codes.iter().any(|code| code == DIED)
    }
}

/// A run that is about to write, or died while it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "Footbridge intent of a run")]
pub struct Intent {
    /// The format's version.
    #[schemars(range(min = 1, max = 1))]
    pub footbridge: u32,
    /// Always `run-intent`.
    #[schemars(extend("const" = "run-intent"))]
    pub kind: String,
    /// The machine, as it calls itself.
    pub host: String,
    /// The page of CI's job, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ci: Option<String>,
    /// How it writes: `collections`, or `bulk`.
    pub way: String,
    /// The file with the run's values beside this one, where they are kept with the run log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<String>,
    /// The log that the run would have if it ended before its first write: who, when, which org and object, digests, counts.
    pub log: RunLog,
}

impl Intent {
    /// Of a run, by the log that it would have if nothing were written.
    pub fn new(log: RunLog, host: String, ci: Option<String>, way: &str, values: Option<String>) -> Self {
        Self { footbridge: VERSION, kind: INTENT_KIND.to_owned(), host, ci, way: way.to_owned(), values, log }
    }

    /// Reads one.
    ///
    /// # Errors
    /// It is none, or of another version.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let intent: Self = serde_yaml::from_slice(bytes).map_err(|e| format!("it cannot be read: {e}"))?;
        if intent.kind != INTENT_KIND || intent.footbridge != VERSION {
            return Err("it is no intent that this version of Footbridge reads".to_owned());
        }
        Ok(intent)
    }

    /// As the file has it.
    ///
    /// # Errors
    /// Serialisation; does not happen with what is in it.
    pub fn text(&self) -> Result<String, serde_yaml::Error> {
        serde_yaml::to_string(self)
    }

    /// The log of the run, which has died: where its records were found, and what is to be said of it. `found`: when that was found out.
    pub fn died(&self, records: &RecordLedger, problems: Vec<RunProblem>, found: Timestamp) -> RunLog {
        let exit = ExitReason::Interrupted;
        RunLog {
            status: status_of(&exit, records, &problems),
            exit,
            records: RecordCounts::from(records),
            problems,
            end: found,
            run_time_seconds: Seconds::between(self.log.start, found),
            ..self.log.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runlog::{Status, sample};

    #[test]
    fn an_intent_becomes_the_log_of_a_run_that_failed() {
        let (log, _) = sample::run();
        let planned = log.records.records;
        let intent = Intent::new(log.clone(), "runner-1".into(), None, "collections", None);
        let read = Intent::read(intent.text().unwrap().as_bytes()).unwrap();
        assert_eq!(read, intent);
        let ledger = RecordLedger { records: planned, updated: planned, ..RecordLedger::default() };
        let problem = RunProblem { code: "FB0844".into(), message: "died".into(), not_done: None, next: None };
        let died = read.died(&ledger, vec![problem], log.end);
        assert_eq!((died.status, died.exit.clone(), died.balances()), (Status::Failed, ExitReason::Interrupted, true));
        assert_eq!((&died.id, &died.digests), (&log.id, &log.digests));
        assert_eq!((died.is_of_the_dead(), log.is_of_the_dead()), (true, false));
        assert!(Intent::read(b"footbridge: 1\nkind: run\n").is_err());
    }
}
