//! Guards that hold a plan against the last run of the same integration, environment and org that was carried out: columns that are gone, blank cells that
//! became more, rows that no longer find their record.

use std::collections::BTreeMap;

use super::compile::limit;
use super::ground::{Place, Target};
use crate::config::valid::Guards;
use crate::model::{FieldName, OrgId};
use crate::plan::{FieldHead, GuardName, GuardVerdict, Limit, RowLedger};
use crate::runlog::{RowCounts, RunLog};

/// A share of one, in hundredths of a point.
const WHOLE: u64 = 10_000;

/// What the report of now is like.
pub struct Seen<'a> {
    /// Its columns.
    pub columns: &'a [String],
    /// The mapped fields.
    pub heads: &'a [FieldHead],
    /// Its rows.
    pub rows: u64,
    /// Blank cells, by field.
    pub blanks: &'a BTreeMap<FieldName, u64>,
}

impl Place<'_> {
    /// The log of the last run that was carried out, where a guard wants it. A history that cannot be read is no history: nothing to compare with.
    pub fn before(&self, target: Target<'_>, org_id: OrgId) -> Option<RunLog> {
        let guards = &target.integration.environments.get(&target.environment)?.guards;
        let wanted = guards.max_shrink.is_some()
            || guards.column_vanished.is_some()
            || guards.blanks_rose.is_some()
            || guards.match_fell.is_some();
        if !wanted {
            return None;
        }
        let store = self.store();
        let last = store.last_carried_out(&target.integration.name.value, target.environment, org_id);
        store.log(&last.ok()??.path).ok()
    }
}

/// Per cent of a share, to a tenth.
fn percent(value: u64, base: u64) -> String {
    let tenths = (u128::from(value) * 2_000 + u128::from(base)) / (u128::from(base.max(1)) * 2);
    format!("{}.{}%", tenths / 10, tenths % 10)
}

/// By how much a share grew, in hundredths of a point; `None` where either says nothing.
fn growth(before: (u64, u64), now: (u64, u64)) -> Option<u64> {
    let share = |(value, base): (u64, u64)| {
        (base >= Limit::FLOOR).then(|| (u128::from(value) * u128::from(WHOLE) / u128::from(base)) as u64)
    };
    Some(share(now)?.saturating_sub(share(before)?))
}

fn verdict(name: GuardName, grown: Option<u64>, limit: Limit) -> GuardVerdict {
    let (value, base) = (grown.unwrap_or(0), if grown.is_some() { WHOLE } else { 0 });
    GuardVerdict { name, value, base, limit, held: limit.exceeded_by(value, base) }
}

/// `column_vanished` and `blanks_rose`; what is amiss is named in `warnings`.
pub fn report(
    guards: Option<&Guards>,
    before: Option<&RunLog>,
    now: &Seen<'_>,
    warnings: &mut Vec<String>,
) -> Vec<GuardVerdict> {
    let Some(guards) = guards else { return Vec::new() };
    let mut verdicts = Vec::new();
    if let Some(most) = guards.column_vanished {
        let had = before.map_or(&[][..], |run| &run.report.columns);
        let gone: Vec<&str> = had.iter().filter(|c| !now.columns.contains(c)).map(String::as_str).collect();
        if !gone.is_empty() {
            let more = if gone.len() > 10 { format!(" and {} more", gone.len() - 10) } else { String::new() };
            let listed = gone.iter().take(10).map(|c| format!("`{c}`")).collect::<Vec<_>>().join(", ");
            warnings.push(format!("columns that the report of the last run had are gone: {listed}{more}"));
        }
        let (value, limit) = (gone.len() as u64, Limit::Count(most));
        let base = had.len() as u64;
        verdicts.push(GuardVerdict {
            name: GuardName::ColumnVanished,
            value,
            base,
            limit,
            held: limit.exceeded_by(value, base),
        });
    }
    if let Some(most) = guards.blanks_rose.map(limit) {
        let mut worst = None;
        for head in now.heads {
            let tally =
                before.and_then(|run| run.fields.iter().find(|f| f.field == head.field && f.column == head.column));
            let (Some(run), Some(was)) = (before, tally.and_then(|tally| tally.blank)) else { continue };
            let is = now.blanks.get(&head.field).copied().unwrap_or(0);
            let Some(grown) = growth((was, run.rows.rows), (is, now.rows)) else { continue };
            if most.exceeded_by(grown, WHOLE) {
                warnings.push(format!(
                    "column `{}`: {} of the cells are blank, in the last run it was {}",
                    head.column,
                    percent(is, now.rows),
                    percent(was, run.rows.rows)
                ));
            }
            worst = worst.max(Some(grown));
        }
        verdicts.push(verdict(GuardName::BlanksRose, worst, most));
    }
    verdicts
}

/// `match_fell`.
pub fn matching(
    guards: Option<&Guards>,
    before: Option<&RunLog>,
    now: &RowLedger,
    warnings: &mut Vec<String>,
) -> Option<GuardVerdict> {
    let most = limit(guards?.match_fell?);
    let now = RowCounts::from(now);
    // Of a run without a plan there is no share.
    let before = before.map(|run| &run.rows).filter(|rows| rows.rows > 0);
    // What fell is what did not find a record, grown.
    let lost = |rows: &RowCounts| (rows.rows - rows.found(), rows.rows);
    let grown = before.and_then(|before| growth(lost(before), lost(&now)));
    if let (Some(before), Some(grown)) = (before, grown)
        && most.exceeded_by(grown, WHOLE)
    {
        warnings.push(format!(
            "{} of the rows find a record, in the last run it was {}",
            percent(now.found(), now.rows),
            percent(before.found(), before.rows)
        ));
    }
    Some(verdict(GuardName::MatchFell, grown, most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_in_points_and_counts_from_ten_rows_up() {
        assert_eq!(growth((5, 100), (40, 100)), Some(3_500));
        assert_eq!(growth((40, 100), (5, 100)), Some(0));
        assert_eq!(growth((0, 9), (9, 9)), None);
        assert_eq!(growth((0, 10), (u64::MAX / 2, u64::MAX)), Some(4_999));
        let limit = Limit::Percent(2_000);
        assert!(!verdict(GuardName::MatchFell, Some(2_000), limit).held);
        assert!(verdict(GuardName::MatchFell, Some(2_001), limit).held);
        assert!(!verdict(GuardName::MatchFell, None, limit).held);
    }
}
