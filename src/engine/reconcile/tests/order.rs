//! What the order of rows decides: of the org's, nothing; of the report's, the numbers of lines and rows and the order of a plan, and nothing else.

use std::collections::BTreeSet;

use super::*;

/// A case with an order of its report's rows and one of its org's.
fn shuffled() -> impl Strategy<Value = (Case, Vec<usize>, Vec<usize>)> {
    cases().prop_flat_map(|case| {
        let order = |rows: usize| Just((0..rows).collect::<Vec<_>>()).prop_shuffle();
        let (report, org) = (order(case.report.len()), order(case.org.len()));
        (Just(case), report, org)
    })
}

/// Without the rows among which only their order chooses: `first` and `last` by what they are, `newest` among equals.
fn without_choice(mut case: Case) -> Case {
    let mut seen = BTreeSet::new();
    let by_time = case.duplicates > 3;
    if case.duplicates > 1 {
        case.report.retain(|[key, _, _, moment]| {
            let key = key.trim().to_lowercase();
            let moment = moment.parse::<jiff::Timestamp>().ok().filter(|_| by_time);
            key.is_empty() || seen.insert((key, moment))
        });
    }
    case
}

/// Entries with the rows' numbers of before, in the order of before.
fn as_before(entries: Vec<Entry>, order: &[usize]) -> Vec<Entry> {
    let was = |row: u64| order[row as usize - 1] as u64 + 1;
    let mut entries: Vec<Entry> = entries
        .into_iter()
        .map(|mut entry| {
            assert_eq!(entry.line, entry.row + 1, "a row is told with its own line");
            entry.row = was(entry.row);
            entry.line = entry.row + 1;
            entry.rows.iter_mut().for_each(|row| *row = was(*row));
            entry.rows.sort_unstable();
            entry
        })
        .collect();
    entries.sort_by_key(|entry| (entry.row, entry.record));
    entries
}

proptest! {
    #[test]
    fn the_order_of_the_orgs_rows_changes_no_byte((case, _, org) in shuffled(), way in ways()) {
        let rows = org_rows(&case);
        let turned = org.iter().map(|&at| rows[at].clone()).collect();
        prop_assert_eq!(run(&case, rows, PLAIN), run(&case, turned, way));
    }

    #[test]
    fn the_order_of_the_reports_rows_changes_lines_and_order_alone((case, order, _) in shuffled(), way in ways()) {
        let case = without_choice(case);
        let order: Vec<usize> = order.into_iter().filter(|&at| at < case.report.len()).collect();
        let turned = Case { report: order.iter().map(|&at| case.report[at].clone()).collect(), ..case.clone() };
        let (entries, summary) = run(&case, org_rows(&case), PLAIN);
        let (again, told) = run(&turned, org_rows(&turned), way);
        let straight: Vec<usize> = (0..case.report.len()).collect();
        prop_assert_eq!(as_before(entries, &straight), as_before(again, &order));
        // The digest is that of the lines, in their order.
        prop_assert_eq!(&Summary { changes: told.changes.clone(), ..summary }, &told);
    }
}
