//! How an integration is after a run: what a notice compares with the run before.

use std::collections::BTreeSet;
use std::path::Path;

use crate::diag::Code;
use crate::runlog::{OutcomesLine, RunLog, Status, Store, plain_code};

/// So many lines of outcomes are looked through for the codes of records that failed.
const MOST_LINES: usize = 200_000;

/// Status, error codes and guards. The default is: well.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    /// `Failed`.
    pub failed: bool,
    /// Footbridge's codes, Salesforce's, or in a word why the run ended.
    pub codes: BTreeSet<String>,
    /// Guards that held it.
    pub guards: BTreeSet<String>,
}

impl Condition {
    /// After this run.
    pub fn of(store: &Store, path: &Path, log: &RunLog) -> Self {
        if log.status == Status::Completed {
            return Self::default();
        }
        // What nobody was told says nothing of the integration.
        let ours = [Code::NoticeNotSent.as_str(), Code::IssueNotOpened.as_str()];
        let problems = log.problems.iter().filter(|problem| !ours.contains(&problem.code.as_str()));
        let mut codes: BTreeSet<String> = problems.map(|problem| plain_code(&problem.code)).collect();
        if log.records.failed > 0
            && let Ok((_, lines)) = store.outcomes(path, log)
        {
            for line in lines.take(MOST_LINES).map_while(Result::ok) {
                if let OutcomesLine::Record(record) = line {
                    codes.extend(record.problems.iter().map(|problem| plain_code(&problem.code)));
                }
            }
        }
        let guards: BTreeSet<String> = log.held_by().map(|guard| guard.name.clone()).collect();
        if codes.is_empty() && guards.is_empty() {
            codes.insert(log.exit.as_str().to_owned());
        }
        Self { failed: true, codes, guards }
    }

    /// In a few words.
    pub fn words(&self) -> String {
        let list = |words: &BTreeSet<String>| words.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        match (self.failed, self.guards.is_empty()) {
            (false, _) => "Completed".to_owned(),
            (true, false) => format!("held back by {}", list(&self.guards)),
            (true, true) => format!("Failed ({})", list(&self.codes)),
        }
    }
}
