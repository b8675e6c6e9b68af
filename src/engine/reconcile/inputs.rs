//! Everything that decides a plan, resolved: no options left.

use std::collections::HashMap;

use super::Guards;
use crate::model::{FieldName, RecordId};
use crate::values::{KeyRule, Rule};

/// The match.
pub struct KeyInput {
    /// Index of the key column in the report's blocks.
    pub column: usize,
    /// How keys compare.
    pub rule: KeyRule,
}

/// What a cell that cannot be written does to its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnBadValue {
    /// The cell is left out, the others are written.
    SkipCell,
    /// Nothing of the row is written.
    SkipRow,
    /// The plan cannot be applied.
    Fail,
}

/// One mapped field.
pub struct FieldInput {
    /// The field.
    pub name: FieldName,
    /// The column's name in the report.
    pub column_name: String,
    /// The column's index in the report's blocks.
    pub column: usize,
    /// What its cells mean.
    pub rule: Rule,
    /// What a bad value does.
    pub on_bad_value: OnBadValue,
    /// The currency of the report's amounts, in orgs with several: records in another are refused.
    pub currency: Option<String>,
}

impl FieldInput {
    /// Is the record in another currency than the report's amounts?
    pub(super) fn other_currency(&self, record: Option<&[u8]>) -> bool {
        matches!((&self.currency, record), (Some(report), Some(record)) if report.as_bytes() != record)
    }
}

/// A key that occurs in several report rows.
pub enum DuplicateRows {
    /// None of the rows is used.
    Skip,
    /// None is used, and the plan cannot be applied.
    Fail,
    /// The first row is used.
    First,
    /// The last row is used.
    Last,
    /// The row with the latest moment in a column is used; none where that is not clear.
    Newest {
        /// Index of the column in the report's blocks.
        column: usize,
        /// Reads the column; canonical moments order as text.
        rule: Box<Rule>,
    },
}

/// A key that several records share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeveralRecords {
    /// None is written.
    Skip,
    /// None is written, and the plan cannot be applied.
    Fail,
    /// All are written.
    All,
    /// The one with the latest value of the layout's `newest` column.
    Newest,
}

/// Where things stand in the org's blocks, whose columns are in SELECT order; `Id` is column 0.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    /// The SELECT list, column by column.
    pub columns: Vec<String>,
    /// The match field.
    pub key: usize,
    /// The mapped fields, in the order of [`Inputs::fields`].
    pub fields: Vec<usize>,
    /// `IsConverted`, where the object has it.
    pub converted: Option<usize>,
    /// `CreatedDate` or `LastModifiedDate`, with [`SeveralRecords::Newest`].
    pub newest: Option<usize>,
    /// `CurrencyIsoCode`, in orgs with several currencies.
    pub currency: Option<usize>,
}

impl Layout {
    /// The layout that reads these fields with as few columns as it takes.
    pub fn new(
        key: &FieldName,
        fields: impl IntoIterator<Item = FieldName>,
        converted: bool,
        newest: Option<&FieldName>,
    ) -> Self {
        let mut layout = Layout { columns: vec!["Id".to_owned()], ..Layout::default() };
        layout.key = layout.place(key);
        layout.fields = fields.into_iter().map(|f| layout.place(&f)).collect();
        layout.converted = converted.then(|| layout.place(&FieldName::new("IsConverted")));
        layout.newest = newest.map(|f| layout.place(f));
        layout
    }

    /// The same with the record's currency.
    #[must_use]
    pub fn with_currency(mut self, field: Option<&FieldName>) -> Self {
        self.currency = field.map(|f| self.place(f));
        self
    }

    /// The layout of the second reading, which only asks whether a record exists at all.
    pub fn beyond(key: &FieldName, converted: bool) -> Self {
        Self::new(key, [], converted, None)
    }

    fn place(&mut self, field: &FieldName) -> usize {
        if let Some(at) = self.columns.iter().position(|c| c.eq_ignore_ascii_case(field.as_str())) {
            return at;
        }
        self.columns.push(field.as_str().to_owned());
        self.columns.len() - 1
    }
}

/// Everything that decides a plan, apart from the rows.
pub struct Inputs {
    /// The match.
    pub key: KeyInput,
    /// The mapped fields.
    pub fields: Vec<FieldInput>,
    /// Rows that share a key.
    pub duplicate_rows: DuplicateRows,
    /// Records that share a key.
    pub several_records: SeveralRecords,
    /// The org's columns.
    pub layout: Layout,
    /// The org's columns in the second reading, where the integration has a `where:`.
    pub beyond: Option<Layout>,
    /// Limits.
    pub guards: Guards,
    /// Cells that are known to fail: by record, the index of the field and what to say of it. They are listed and not written, and count as no refusal of the
    /// plan's.
    pub known: HashMap<RecordId, Vec<(usize, String)>>,
}

/// The code of a cell that is known to fail.
pub const KNOWN_FAILURE: &str = "known_failure";
