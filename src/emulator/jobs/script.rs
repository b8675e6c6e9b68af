//! What a fault script does to one job.

use serde::{Deserialize, Serialize};

/// Everything is optional; several scripts for one job add up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JobScript {
    /// So many polls still say UploadComplete.
    pub queued: u32,
    /// After those, so many polls say InProgress.
    pub polls: u32,
    /// It is not done before so many milliseconds have passed since it was closed (ingest) or created (query).
    pub millis: u64,
    /// It stays InProgress until somebody aborts it.
    pub never: bool,
    /// Ingest: so many rows are written at first, the others when the job may end; none of them if it is aborted before.
    pub pause_after: Option<usize>,
    /// It ends as Failed.
    pub fail: Option<Ending>,
    /// It ends as Aborted, as if somebody else had aborted it.
    pub abort: Option<Ending>,
    /// The first so many rows of successfulResults, or of a query's result, come twice.
    pub twice: usize,
    /// The last so many rows of the same file are missing, though they are counted.
    pub drop: usize,
    /// Lines put into the same file behind the others, and counted: records that nobody sent or asked for.
    pub add: Vec<String>,
    /// What becomes of the header of a query's result.
    pub columns: Option<Columns>,
    /// Locators of a query's result are refused, so many times.
    pub stale_locators: u32,
}

/// How a job ends before its time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ending {
    /// Ingest: so many rows are processed before; the others are unprocessed.
    pub after: usize,
    /// `errorMessage`.
    pub message: String,
}

/// Columns of a query's result, not as they were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Columns {
    /// Names in small letters.
    Lower,
    /// Names in capitals.
    Upper,
    /// In the opposite order.
    Reversed,
    /// The last one is missing.
    Short,
}

impl JobScript {
    /// Takes what another script says on top.
    pub fn add(&mut self, other: &Self) {
        self.queued = self.queued.max(other.queued);
        self.polls = self.polls.max(other.polls);
        self.millis = self.millis.max(other.millis);
        self.never |= other.never;
        self.pause_after = other.pause_after.or(self.pause_after);
        self.fail = other.fail.clone().or(self.fail.take());
        self.abort = other.abort.clone().or(self.abort.take());
        self.twice = self.twice.max(other.twice);
        self.drop = self.drop.max(other.drop);
        self.add.extend(other.add.iter().cloned());
        self.columns = other.columns.or(self.columns);
        self.stale_locators = self.stale_locators.max(other.stale_locators);
    }

    /// Nothing keeps the job from ending any more.
    pub fn release(&mut self) {
        (self.queued, self.polls, self.millis, self.never) = (0, 0, 0, false);
    }

    /// The row at which the work stops for now, or for good.
    pub fn stop_at(&self) -> Option<usize> {
        let ends = [self.pause_after, self.fail.as_ref().map(|e| e.after), self.abort.as_ref().map(|e| e.after)];
        ends.into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::seed::form::from_yaml;
    use super::{Columns, JobScript};

    #[test]
    fn a_script_reads_and_adds_up() {
        let mut script: JobScript = from_yaml("{ polls: 2, fail: { after: 3, message: no } }").unwrap();
        script.add(&from_yaml("{ polls: 1, never: true, pause_after: 2, columns: lower }").unwrap());
        assert_eq!((script.polls, script.never, script.stop_at()), (2, true, Some(2)));
        assert_eq!(script.columns, Some(Columns::Lower));
        script.release();
        assert!(!script.never && script.polls == 0);
        assert!(from_yaml::<JobScript>("{ pols: 2 }").is_err());
    }
}
