//! From the ends of a plan's records to the lines of an outcomes file and to the record ledger, so that the two never disagree.

use super::{NotAttempted, Outcome, OutcomesLine, RecordLine, RowLine};
use crate::plan::{Plan, RecordLedger};

/// Every planned record as not attempted, for a run that sent nothing.
pub fn all_not_attempted(plan: &Plan, reason: &NotAttempted) -> Vec<RecordLine> {
    plan.planned().filter_map(|entry| RecordLine::not_attempted(entry, reason.clone())).collect()
}

/// The lines of the outcomes file: the records as given, then the rows of the plan that could not be used, or not wholly.
pub fn outcome_lines(plan: &Plan, records: &[RecordLine]) -> impl Iterator<Item = OutcomesLine> {
    let rows = plan.entries.iter().filter_map(RowLine::new).map(OutcomesLine::Row);
    records.iter().cloned().map(OutcomesLine::Record).chain(rows)
}

/// The record ledger of these lines.
pub fn tally(records: &[RecordLine]) -> RecordLedger {
    let mut ledger = RecordLedger { records: records.len() as u64, ..RecordLedger::default() };
    for line in records {
        let count = match line.outcome {
            Outcome::Updated => &mut ledger.updated,
            Outcome::Failed => &mut ledger.failed,
            Outcome::Drifted => &mut ledger.drifted,
            Outcome::NotAttempted => &mut ledger.not_attempted,
            Outcome::Unknown => &mut ledger.unknown,
        };
        *count += 1;
    }
    ledger
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runlog::sample;

    #[test]
    fn lines_and_ledger_agree() {
        let (log, records) = sample::run();
        let ledger = tally(&records);
        assert!(ledger.balances());
        assert_eq!(super::super::RecordCounts::from(&ledger), log.records);
        let plan = sample::plan();
        assert_eq!(outcome_lines(&plan, &records).count(), 6 + 10);
        let none = all_not_attempted(&plan, &NotAttempted::Guard);
        assert_eq!((tally(&none).not_attempted, tally(&none).records), (6, 6));
    }
}
