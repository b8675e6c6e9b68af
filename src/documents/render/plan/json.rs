//! The plan's view as JSON, its long lists read from the plan while they are written.

use std::io::{self, Write};

use serde::Serialize;

use super::outline::Listing;
use super::view::*;
use crate::plan::Plan;
use crate::render::Options;
use crate::render::stream::{Seq, write_json};
use crate::runlog::{CellCounts, PlanDigests, RowCounts};

/// [`PlanView`] with lists that are made while they are written. A test holds the two together.
#[derive(Serialize)]
struct Streamed<'a, N, R> {
    format: FormatName,
    values: Values,
    verdict: &'a Verdict,
    subject: &'a Subject,
    planned_at: jiff::Timestamp,
    version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    report_modified: Option<jiff::Timestamp>,
    guards: &'a [GuardView],
    calls: &'a CallsView,
    rows: &'a RowCounts,
    cells: &'a CellCounts,
    fields: &'a [FieldView],
    common: &'a [CommonChange],
    notable: N,
    records: R,
    records_left_out: u64,
    warnings: &'a [String],
    not_checked: &'a [String],
    digests: &'a PlanDigests,
}

/// [`NotableGroup`], likewise.
#[derive(Serialize)]
struct StreamedGroup<'a, R> {
    kind: &'a str,
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
    count: u64,
    rows: R,
    left_out: u64,
}

/// One document, indented, with a line break at its end.
pub(super) fn render(listing: &Listing<'_>, plan: &Plan, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let PlanView {
        format,
        values,
        verdict,
        subject,
        planned_at,
        version,
        report_modified,
        guards,
        calls,
        rows,
        cells,
        fields,
        common,
        notable,
        records: _,
        records_left_out: _,
        warnings,
        not_checked,
        digests,
    } = listing.view;
    let groups = notable.iter().enumerate().map(|(place, group)| {
        Ok::<_, io::Error>(StreamedGroup {
            kind: &group.kind,
            title: &group.title,
            hint: group.hint.as_deref(),
            count: group.count,
            rows: Seq::new(listing.rows(place)),
            left_out: listing.left_out(place),
        })
    });
    let most = options.records_limit.filter(|_| !options.full).unwrap_or(usize::MAX);
    let listed = listing.count().min(most as u64);
    let view = Streamed {
        format: *format,
        values: *values,
        verdict,
        subject,
        planned_at: *planned_at,
        version,
        report_modified: *report_modified,
        guards,
        calls,
        rows,
        cells,
        fields,
        common,
        notable: Seq::new(groups),
        records: Seq::new(listing.records().take(most)),
        records_left_out: plan.summary.records.saturating_sub(listed),
        warnings,
        not_checked,
        digests,
    };
    write_json(&view, out)
}
