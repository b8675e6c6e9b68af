//! What is kept of a plan's entries while they go by, so that showing the plan need not pass over them again: the first records, the first rows of each
//! kind, and how often each change occurs. What is to be shown whole is read from the plan while it is written out.

use std::borrow::Cow;
use std::io::{self, Write};

use super::build::{RecordLinks, Sight, record};
use super::frequent::Frequent;
use super::notable::{Groups, Key};
use super::view::{NotableRow, PlanView, RecordView};
use super::{json, markdown, text};
use crate::plan::{Entry, Header, Plan, RowOutcome, Watch};
use crate::render::{Options, html};

/// Records of a page, unless all are asked for.
const HTML_RECORDS: usize = 500;
/// Rows of a group on a page.
const HTML_ROWS: usize = 50;

/// How a plan is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For a terminal.
    Text,
    /// For a pull request; always below [`super::MARKDOWN_LIMIT`] bytes.
    Markdown,
    /// For programs: `footbridge plan-view/1`, one document.
    Json,
    /// For a browser: one page that stands alone.
    Html,
}

/// Kept of the entries of one plan, for one form and audience. Make it before the plan is made or read, and let it watch.
#[derive(Debug)]
pub struct Outline {
    form: Form,
    options: Options,
    /// Records that are kept.
    most: usize,
    sight: Option<Sight>,
    frequent: Frequent,
    groups: Groups,
    records: Vec<Entry>,
    /// Bytes of values in `records`.
    bytes: usize,
}

impl Outline {
    /// Records whose values take more than this are listed no further: no page has room for them.
    const ROOM: usize = 16 << 20;

    /// For a plan that is to be shown like this.
    pub fn new(form: Form, options: Options) -> Self {
        let (records, rows) = match (form, options.full) {
            (Form::Json, _) | (Form::Text, true) => (0, 0),
            // One row more than is shown: whether that one is the only one left decides how the remainder is told.
            (Form::Text, false) => {
                (options.records_limit.unwrap_or(text::RECORDS), options.rows_limit.unwrap_or(text::ROWS) + 1)
            }
            (Form::Markdown, _) => (markdown::RECORDS, markdown::ROWS),
            (Form::Html, false) => (HTML_RECORDS, HTML_ROWS),
            (Form::Html, true) => (usize::MAX, usize::MAX),
        };
        Self::keeping(form, options, records, rows)
    }

    fn keeping(form: Form, options: Options, records: usize, rows: usize) -> Self {
        Self {
            form,
            options,
            most: records,
            sight: None,
            frequent: Frequent::default(),
            groups: Groups::new(rows),
            records: Vec::new(),
            bytes: 0,
        }
    }

    /// The view of the plan that was watched.
    pub fn view(&self, plan: &Plan) -> PlanView {
        let nobody = Sight::new(&plan.header, self.options.audience);
        let sight = self.sight.as_ref().unwrap_or(&nobody);
        let links = RecordLinks::new(plan);
        let records = self.records.iter().filter_map(|entry| record(entry, sight, &links)).collect();
        let notable = self.groups.all(plan).into_iter().map(|(_, group)| group).collect();
        PlanView::new(plan, &self.options, sight, self.frequent.most(plan.summary.records), notable, records)
    }

    /// Writes the plan out. `plan` is the one that was watched.
    ///
    /// # Errors
    /// Writing, or reading the plan's entries where they are shown whole.
    pub fn write(&self, plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
        let nobody = Sight::new(&plan.header, self.options.audience);
        let sight = self.sight.as_ref().unwrap_or(&nobody);
        let links = RecordLinks::new(plan);
        let records = self.records.iter().filter_map(|entry| record(entry, sight, &links)).collect();
        let (keys, notable): (Vec<Key>, Vec<_>) = self.groups.all(plan).into_iter().unzip();
        let common = self.frequent.most(plan.summary.records);
        let view = PlanView::new(plan, &self.options, sight, common, notable, records);
        let whole = self.form == Form::Json || (self.form == Form::Text && self.options.full);
        let listing = Listing { view: &view, keys: &keys, whole: whole.then_some(plan), sight, links: &links };
        match self.form {
            Form::Text => text::render(&listing, &self.options, out),
            Form::Markdown => out.write_all(markdown::render(&view, &self.options).as_bytes()),
            Form::Html => out.write_all(html::plan(&view).as_bytes()),
            Form::Json => json::render(&listing, plan, &self.options, out),
        }
    }

    /// The same in memory.
    #[cfg(test)]
    pub(super) fn shown(&self, plan: &Plan) -> String {
        let mut out = Vec::new();
        self.write(plan, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// The view of a plan with all its rows, and with all records unless the options limit them, in memory.
    #[cfg(test)]
    pub(super) fn whole_view(plan: &Plan, options: &Options) -> PlanView {
        let most = options.records_limit.filter(|_| !options.full).unwrap_or(usize::MAX);
        let mut outline = Self::keeping(Form::Json, options.clone(), most, usize::MAX);
        outline.header(&plan.header);
        plan.all().unwrap().iter().for_each(|entry| outline.entry(entry));
        let (sight, links) = (Sight::new(&plan.header, options.audience), RecordLinks::new(plan));
        let records = outline.records.iter().filter_map(|entry| record(entry, &sight, &links)).collect();
        let notable = outline.groups.all(plan).into_iter().map(|(_, group)| group).collect();
        PlanView::new(plan, options, &sight, outline.frequent.most(plan.summary.records), notable, records)
    }
}

impl Watch for Outline {
    fn header(&mut self, header: &Header) {
        self.sight = Some(Sight::new(header, self.options.audience));
    }

    fn entry(&mut self, entry: &Entry) {
        let Some(sight) = &self.sight else { return };
        self.frequent.entry(entry, sight);
        self.groups.entry(entry, sight);
        if entry.outcome == RowOutcome::Planned
            && !entry.cells.is_empty()
            && self.records.len() < self.most
            && self.bytes < Self::ROOM
        {
            let value = |v: &Option<String>| v.as_ref().map_or(0, String::len);
            self.bytes += entry.cells.iter().map(|c| value(&c.before) + value(&c.after)).sum::<usize>();
            self.records.push(entry.clone());
        }
    }
}

/// The rows and records of a view: those that it holds, or all of the plan.
pub(super) struct Listing<'a> {
    pub view: &'a PlanView,
    keys: &'a [Key],
    whole: Option<&'a Plan>,
    sight: &'a Sight,
    links: &'a RecordLinks,
}

type All<'a, T> = Box<dyn Iterator<Item = io::Result<Cow<'a, T>>> + 'a>;

impl<'a> Listing<'a> {
    /// The rows of a group, by its place among the view's.
    pub(super) fn rows(&self, group: usize) -> All<'a, NotableRow> {
        let Some(held) = self.view.notable.get(group) else { return Box::new(std::iter::empty()) };
        match (self.whole, self.keys.get(group)) {
            (Some(plan), Some(key)) => {
                let rows = key.rows(plan, self.sight, held.hint.as_deref());
                Box::new(rows.map(|row| row.map(Cow::Owned).map_err(io::Error::other)))
            }
            _ => Box::new(held.rows.iter().map(|row| Ok(Cow::Borrowed(row)))),
        }
    }

    /// How many rows of a group are not among [`Self::rows`].
    pub(super) fn left_out(&self, group: usize) -> u64 {
        let Some(held) = self.view.notable.get(group) else { return 0 };
        match (self.whole, self.keys.get(group)) {
            (Some(plan), Some(Key::Outcome(outcome))) => held.count.saturating_sub(plan.count_of(*outcome)),
            (Some(_), _) => 0,
            _ => held.left_out,
        }
    }

    /// The records.
    pub(super) fn records(&self) -> All<'a, RecordView> {
        let (sight, links) = (self.sight, self.links);
        match self.whole {
            Some(plan) => Box::new(plan.planned().filter_map(move |entry| match entry {
                Ok(entry) => record(&entry, sight, links).map(|record| Ok(Cow::Owned(record))),
                Err(problem) => Some(Err(io::Error::other(problem))),
            })),
            None => Box::new(self.view.records.iter().map(|record| Ok(Cow::Borrowed(record)))),
        }
    }

    /// How many [`Self::records`] there are.
    pub(super) fn count(&self) -> u64 {
        self.whole.map_or(self.view.records.len() as u64, |plan| plan.count_of(RowOutcome::Planned))
    }
}
