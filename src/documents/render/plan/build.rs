//! From a plan to its view: what this audience may see, and the figures.

use super::view::*;
use crate::model::{FieldName, RecordId};
use crate::plan::{CellChange, ChangeKind, Entry, Header, Plan};
use crate::render::wording::{counted, grouped, guard_sentence, listed};
use crate::render::{Audience, Options};
use crate::runlog::{CellCounts, PlanDigests, RowCounts, mentions, source_shown};

/// Who may see what of a plan.
#[derive(Debug, Clone)]
pub(super) struct Sight {
    audience: Audience,
    /// The fields whose values everyone may see.
    shown: Vec<FieldName>,
}

impl Sight {
    pub fn new(header: &Header, audience: Audience) -> Self {
        let shown = header.fields.iter().filter(|f| f.show_values).map(|f| f.field.clone());
        Self { audience, shown: shown.collect() }
    }

    /// May values of this field be seen?
    pub fn values_of(&self, field: &FieldName) -> bool {
        self.audience == Audience::Person || self.shown.contains(field)
    }

    /// The key, if it may be seen.
    pub fn key(&self, entry: &Entry) -> Option<String> {
        (self.audience == Audience::Person).then(|| entry.key.clone())
    }

    /// A sentence that somebody wrote about a row, unless it repeats what may not be seen.
    pub fn sentence(&self, text: &str, entry: &Entry) -> Option<String> {
        let mut hidden: Vec<&str> = Vec::new();
        if self.audience == Audience::Public {
            hidden.push(&entry.key);
            hidden.extend(entry.refused.iter().filter(|r| !self.values_of(&r.field)).map(|r| r.value.as_str()));
            for cell in entry.cells.iter().filter(|c| !self.values_of(&c.field)) {
                hidden.extend([&cell.before, &cell.after].into_iter().filter_map(|v| v.as_deref()));
                hidden.extend(cell.note.as_ref().and_then(|n| n.from.as_deref()));
            }
        }
        (!hidden.iter().any(|value| mentions(text, value))).then(|| text.to_owned())
    }

    /// May this value of a field be seen? The key may not, even where a field whose values may be seen repeats it.
    pub fn value(&self, field: &FieldName, value: &str, entry: &Entry) -> bool {
        const SHORT: usize = 4;
        if self.audience == Audience::Person {
            return true;
        }
        let key = entry.key.trim();
        let repeats = match key.chars().count() {
            0 => false,
            1..SHORT => value.trim().eq_ignore_ascii_case(key),
            _ => mentions(value, key),
        };
        self.values_of(field) && !repeats
    }

    /// May this change be seen with its values?
    pub fn change(&self, cell: &CellChange, entry: &Entry) -> bool {
        let CellChange { field, kind: _, before, after, note } = cell;
        let reported = note.as_ref().and_then(|n| n.from.as_ref());
        self.values_of(field)
            && [before.as_ref(), after.as_ref(), reported].into_iter().flatten().all(|v| self.value(field, v, entry))
    }

    fn cell(&self, cell: &CellChange, entry: &Entry) -> CellView {
        let CellChange { field, kind, before, after, note } = cell;
        let seen = self.change(cell, entry);
        let note_text = note.as_ref().filter(|n| seen || n.from.is_none());
        CellView {
            field: field.as_str().to_owned(),
            kind: *kind,
            hidden: !seen,
            before: before.clone().filter(|_| seen),
            after: after.clone().filter(|_| seen),
            note: note.as_ref().map(|n| n.code.clone()),
            note_text: note_text.and_then(|n| self.sentence(&n.text, entry)),
            reported: note.as_ref().and_then(|n| n.from.clone()).filter(|_| seen),
        }
    }
}

/// A record of a planned entry, as this audience may see it.
pub(super) fn record(entry: &Entry, sight: &Sight, links: &RecordLinks) -> Option<RecordView> {
    let record = entry.record?;
    Some(RecordView {
        record,
        link: links.to(record),
        row: entry.row,
        line: entry.line,
        key: sight.key(entry),
        cells: entry.cells.iter().map(|c| sight.cell(c, entry)).collect(),
        refused: entry.refused.len() as u64,
    })
}

impl PlanView {
    /// The view of a plan with what was kept of its entries.
    pub(super) fn new(
        plan: &Plan,
        options: &Options,
        sight: &Sight,
        common: Vec<CommonChange>,
        notable: Vec<NotableGroup>,
        records: Vec<RecordView>,
    ) -> Self {
        let Plan { header, summary, context, .. } = plan;
        Self {
            format: FormatName::PlanView1,
            values: if options.audience == Audience::Person { Values::Shown } else { Values::Hidden },
            verdict: verdict(plan, options),
            subject: Subject {
                integration: header.integration.clone(),
                report: header.report.clone(),
                source: source_shown(&header.source),
                object: header.object.as_str().to_owned(),
                object_label: header.object_label.clone(),
                org: header.org.clone(),
                environment: header.environment.as_str().to_owned(),
                org_id: header.org_id.as_str().to_owned(),
                match_column: header.match_column.clone(),
                match_field: header.match_field.as_str().to_owned(),
                scope: header.scope.clone(),
            },
            planned_at: context.planned_at,
            version: context.version.clone(),
            report_modified: context.report_modified,
            guards: guards(plan, options),
            calls: CallsView {
                made: context.calls_made,
                to_come: context.calls_to_come,
                used: context.usage.map(|u| u.used),
                allowed: context.usage.map(|u| u.allowed),
                org_rows: context.org_rows,
            },
            rows: RowCounts::from(&summary.rows),
            cells: CellCounts::from(&summary.cells),
            fields: fields(plan, sight),
            common,
            notable,
            records_left_out: summary.records.saturating_sub(records.len() as u64),
            records,
            warnings: context.warnings.clone(),
            not_checked: context.not_checked.clone(),
            digests: PlanDigests {
                configuration: header.digests.configuration.clone(),
                report: header.digests.report.clone(),
                definitions: header.digests.definitions.clone(),
                inputs: summary.inputs.clone(),
                changes: summary.changes.clone(),
            },
        }
    }
}

/// The pages of records in Lightning.
pub(super) struct RecordLinks(Option<String>);

impl RecordLinks {
    /// None, unless base and object are made of what addresses are made of.
    pub fn new(plan: &Plan) -> Self {
        let (base, object) = (plan.context.record_links.as_deref(), plan.header.object.as_str());
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '/');
        let base = base
            .map(|b| b.trim_end_matches('/'))
            .filter(|b| (b.starts_with("https://") || b.starts_with("http://")) && b.chars().all(plain));
        let object_plain = object.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        Self(base.filter(|_| object_plain).map(|base| format!("{base}/lightning/r/{object}/")))
    }

    fn to(&self, record: RecordId) -> Option<String> {
        self.0.as_ref().map(|start| format!("{start}{record}/view"))
    }
}

fn guards(plan: &Plan, options: &Options) -> Vec<GuardView> {
    let view = |guard: &crate::plan::GuardVerdict| {
        let limit = guard.limit.to_string();
        GuardView {
            name: guard.name.as_str().to_owned(),
            value: guard.value,
            base: guard.base,
            text: guard_sentence(guard.name.as_str(), guard.value, guard.base, &limit),
            limit,
            held: guard.held,
            waived: options.waived.contains(&guard.name),
        }
    };
    plan.guards().map(view).collect()
}

fn fields(plan: &Plan, sight: &Sight) -> Vec<FieldView> {
    let view = |head: &crate::plan::FieldHead| {
        let counts = plan.summary.fields.get(&head.field).cloned().unwrap_or_default();
        let of = |kind| counts.changes.get(&kind).copied().unwrap_or(0);
        FieldView {
            field: head.field.as_str().to_owned(),
            label: head.label.clone(),
            field_type: head.field_type.as_str().to_owned(),
            column: head.column.clone(),
            values_shown: sight.values_of(&head.field),
            fill: of(ChangeKind::Fill),
            overwrite: of(ChangeKind::Overwrite),
            clear: of(ChangeKind::Clear),
            same: counts.same,
            kept: counts.kept,
            refused: counts.refused.values().sum(),
        }
    };
    plan.header.fields.iter().map(view).collect()
}

fn verdict(plan: &Plan, options: &Options) -> Verdict {
    let summary = &plan.summary;
    let of = |kind| summary.fields.values().filter_map(|f| f.changes.get(&kind)).sum::<u64>();
    let (fills, overwrites, clears) = (of(ChangeKind::Fill), of(ChangeKind::Overwrite), of(ChangeKind::Clear));
    let held_by: Vec<String> = plan.held_by(&options.waived).map(|g| g.name.as_str().to_owned()).collect();
    let waived: Vec<String> = plan
        .guards()
        .filter(|g| g.held && options.waived.contains(&g.name))
        .map(|g| g.name.as_str().to_owned())
        .collect();
    let mut text = if plan.is_empty() {
        let unusable: u64 = crate::plan::RowOutcome::ALL
            .into_iter()
            .filter(|o| !matches!(o, crate::plan::RowOutcome::Planned | crate::plan::RowOutcome::Unchanged))
            .map(|o| summary.rows.of(o))
            .sum();
        let agree = summary.rows.of(crate::plan::RowOutcome::Unchanged);
        let mut text = if summary.rows.rows == 0 {
            "No changes. The report has no rows".to_owned()
        } else {
            format!(
                "No changes. {} of {} already {} with {}",
                counted(agree, "row"),
                grouped(summary.rows.rows),
                if agree == 1 { "agrees" } else { "agree" },
                if agree == 1 { "its record" } else { "their records" },
            )
        };
        match unusable {
            0 => text.push('.'),
            1 => text.push_str("; 1 row could not be used."),
            n => text.push_str(&format!("; {} rows could not be used.", grouped(n))),
        }
        text
    } else {
        format!(
            "Plan: {} would change ({}: {}, {}, {}).",
            counted(summary.records, "record"),
            counted(summary.cells.change, "cell"),
            counted(fills, "fill"),
            counted(overwrites, "overwrite"),
            counted(clears, "clear"),
        )
    };
    if !held_by.is_empty() {
        text.push_str(&format!(" Held back by {}.", listed(&held_by)));
    } else if !waived.is_empty() {
        text.push_str(&format!(" Waived: {}.", listed(&waived)));
    } else if !plan.is_empty() {
        text.push_str(" No guard holds it back.");
    }
    Verdict {
        text,
        changes: !plan.is_empty(),
        held: !held_by.is_empty(),
        held_by,
        waived,
        records: summary.records,
        matched: summary.matched,
        cells: summary.cells.change,
        fills,
        overwrites,
        clears,
    }
}
