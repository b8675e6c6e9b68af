//! A valid integration and the org's describe become the inputs of a plan; everything that does not fit is told with its place in the YAML.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::grants;
use crate::config::valid::{self, Integration, Mapping, RecordPolicy, RowPolicy, Spanned};
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::model::{Digest, EnvironmentName, Field, FieldName, FieldType, Object};
use crate::plan::{FieldHead, Limit};
use crate::reconcile::{DuplicateRows, FieldInput, Guards, Inputs, KeyInput, Layout, OnBadValue, SeveralRecords};
use crate::values::{KeyRule, Options, PercentForm, Rule, RuleProblem, WhenBlank, WritePolicy};

/// What describe and report say, checked.
pub struct Compiled {
    /// The inputs.
    pub inputs: Inputs,
    /// The mapped fields as the plan shows them.
    pub heads: Vec<FieldHead>,
    /// Digest of the definitions of the mapped fields and the match field.
    pub definitions: Digest,
    /// Is the match field indexed?
    pub indexed: bool,
    /// Rights that could not be checked, and other things worth a line.
    pub warnings: Diagnostics,
    /// What a read-only user could not check.
    pub not_checked: Vec<String>,
}

/// Key prefixes of objects, by API name: `005` for User.
pub type Prefixes = BTreeMap<String, String>;

/// How strictly rights are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rights {
    /// The user that will write.
    Writer,
    /// A read-only user (`plan_auth`): edit rights are not checked.
    Reader,
}

/// Checks the mapping against describe and, where there is one, against the report's columns.
///
/// # Errors
/// Everything that does not fit.
pub fn compile(
    integration: &Integration,
    environment: EnvironmentName,
    object: &Object,
    prefixes: &Prefixes,
    columns: &[String],
    rights: Rights,
) -> Result<Compiled, Diagnostics> {
    let mut compiler = Compiler {
        integration,
        environment,
        object,
        prefixes,
        columns,
        rights,
        problems: Diagnostics::new(),
        not_checked: Vec::new(),
    };
    let inputs = compiler.run();
    let Compiler { problems, not_checked, .. } = compiler;
    match inputs {
        Some((inputs, heads, used)) if !problems.has_errors() => {
            // Who may edit is no part of a definition: a read-only user plans what another applies, and rights are checked by themselves.
            let mut defined = used.clone();
            defined.iter_mut().for_each(|field| field.updateable = true);
            let definitions = Digest::of(&serde_json::to_vec(&defined).unwrap_or_default());
            let indexed = used.first().is_some_and(Field::is_indexed);
            Ok(Compiled { inputs, heads, definitions, indexed, warnings: problems, not_checked })
        }
        // Every problem says what was not done.
        _ => Err(problems.sorted().into_iter().map(unread).collect()),
    }
}

fn unread(diagnostic: Diagnostic) -> Diagnostic {
    if diagnostic.notes.is_empty() { diagnostic.note("no record was read or written") } else { diagnostic }
}

/// Checks what the integration says of the report's columns: this needs no org, so it is told before one is asked.
///
/// # Errors
/// Every column that is not there.
pub fn columns_fit(integration: &Integration, columns: &[String]) -> Result<(), Diagnostics> {
    let mut problems = Diagnostics::new();
    let matching = &integration.matching;
    find(columns, &matching.column, Code::KeyColumnAbsent, &mut problems);
    for mapping in &integration.fields {
        find(columns, &mapping.column, Code::ColumnAbsent, &mut problems);
    }
    if let RowPolicy::Newest { by } = &matching.on_duplicate_rows {
        find(columns, by, Code::ColumnAbsent, &mut problems);
    }
    if problems.has_errors() { Err(problems.sorted()) } else { Ok(()) }
}

fn find(columns: &[String], wanted: &Spanned<String>, code: Code, problems: &mut Diagnostics) -> Option<usize> {
    let found = columns.iter().position(|c| *c == wanted.value);
    if found.is_none() {
        let near = nearest(&wanted.value, columns.iter().map(String::as_str));
        let message = format!("the report has no column `{}`", wanted.value);
        let listed = format!("the report has these columns: {}", columns.join(", "));
        problems.push(
            Diagnostic::error(code, message)
                .at(wanted.span.clone(), "not in the report")
                .note("no record was read or written")
                .help(near.map_or(listed, |n| format!("did you mean `{n}`? Columns are matched to the letter"))),
        );
    }
    found
}

struct Compiler<'a> {
    integration: &'a Integration,
    environment: EnvironmentName,
    object: &'a Object,
    prefixes: &'a Prefixes,
    columns: &'a [String],
    rights: Rights,
    problems: Diagnostics,
    not_checked: Vec<String>,
}

type Parts = (Inputs, Vec<FieldHead>, Vec<Field>);

impl Compiler<'_> {
    fn run(&mut self) -> Option<Parts> {
        let label = self.object.label.clone();
        if !self.object.queryable {
            let message = format!("this user may not read {label} records");
            let diagnostic = Diagnostic::error(Code::ObjectNotReadable, message)
                .at(self.integration.object.span.clone(), "the object")
                .help("give the user Read on the object, by a permission set");
            self.problems.push(self.object_right(diagnostic));
        }
        match (self.object.updateable, self.rights) {
            (true, _) => {}
            (false, Rights::Reader) => self.not_checked.push(format!("Edit on {}", self.object.name)),
            (false, Rights::Writer) => {
                let message = format!("this user may not edit {label} records");
                let diagnostic = Diagnostic::error(Code::ObjectNotUpdateable, message)
                    .at(self.integration.object.span.clone(), "the object")
                    .help(format!(
                        "give the user Read and Edit on {}, by a permission set; \"Modify All Data\" is not needed",
                        self.object.name
                    ));
                self.problems.push(self.object_right(diagnostic));
            }
        }
        for (name, declared) in self.integration.report.columns.iter().filter(|(n, _)| !self.columns.contains(n)) {
            let near = nearest(name, self.columns.iter().map(String::as_str));
            let near = near.map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
            let message =
                format!("column `{name}` is declared and the report does not have it, so nothing comes of it{near}");
            self.problems.push(
                Diagnostic::warning(Code::DeclaredColumnAbsent, message)
                    .at(declared.span.clone(), "not in the report")
                    .help("correct the name under `columns:`, or delete it there"),
            );
        }
        let key = self.key();
        let mappings: Vec<Option<(FieldInput, FieldHead, Field)>> =
            self.integration.fields.iter().map(|m| self.mapping(m)).collect();
        let duplicate_rows = self.duplicate_rows();
        let (key, key_field) = key?;
        let mut used = vec![key_field];
        let (mut fields, mut heads) = (Vec::new(), Vec::new());
        for mapping in mappings {
            let (input, head, field) = mapping?;
            fields.push(input);
            heads.push(head);
            used.push(field);
        }
        let converted = self.object.name.as_str().eq_ignore_ascii_case("Lead")
            && self.object.field(&FieldName::new("IsConverted")).is_some();
        let newest = match self.integration.matching.on_several_records {
            RecordPolicy::Newest { by } => Some(FieldName::new(by.as_str())),
            _ => None,
        };
        let currency = fields.iter().any(|f| f.currency.is_some()).then(|| FieldName::new("CurrencyIsoCode"));
        let match_field = &used[0].name;
        let layout = Layout::new(match_field, used[1..].iter().map(|f| f.name.clone()), converted, newest.as_ref())
            .with_currency(currency.as_ref());
        let beyond = self.integration.condition.as_ref().map(|_| Layout::beyond(match_field, converted));
        let inputs = Inputs {
            known: Default::default(),
            key,
            fields,
            duplicate_rows: duplicate_rows?,
            several_records: match self.integration.matching.on_several_records {
                RecordPolicy::Skip => SeveralRecords::Skip,
                RecordPolicy::Fail => SeveralRecords::Fail,
                RecordPolicy::All => SeveralRecords::All,
                RecordPolicy::Newest { .. } => SeveralRecords::Newest,
            },
            layout,
            beyond,
            guards: self.integration.environments.get(&self.environment).map(|e| guards(&e.guards)).unwrap_or_default(),
        };
        Some((inputs, heads, used))
    }

    fn column(&mut self, column: &Spanned<String>, code: Code) -> Option<usize> {
        find(self.columns, column, code, &mut self.problems)
    }

    /// With where the right on the object is given.
    fn object_right(&self, diagnostic: Diagnostic) -> Diagnostic {
        let (object, edit) = (self.object, self.rights == Rights::Writer);
        diagnostic
            .help(grants::object_setup(&self.set(), &object.label_plural, edit))
            .help(grants::object_line(&object.name, edit))
    }

    /// With where the right on a field is given.
    fn field_right(&self, diagnostic: Diagnostic, field: &FieldName, edit: bool) -> Diagnostic {
        let (object, edit) = (self.object, edit && self.rights == Rights::Writer);
        diagnostic
            .help(grants::field_setup(&self.set(), &object.label_plural, field.as_str(), edit))
            .help(grants::field_line(&object.name, field, edit))
    }

    /// The permission set of this log-in.
    fn set(&self) -> String {
        grants::set_label(&self.integration.org.value, self.rights == Rights::Reader)
    }

    fn field(&mut self, name: &Spanned<FieldName>, edit: bool) -> Option<Field> {
        let found = self.object.field(&name.value).cloned();
        if found.is_none() {
            // A field that the integration names already is hardly what was meant here.
            let named = |field: &FieldName| {
                let mut named = self.integration.fields.iter().map(|m| &m.field.value);
                *field == self.integration.matching.field.value || named.any(|name| name == field)
            };
            let others = self.object.fields.iter().map(|f| &f.name).filter(|field| !named(field));
            let near = nearest(name.as_str(), others.map(FieldName::as_str));
            let message = format!("{} has no field `{}`, or this user may not see it", self.object.name, name.value);
            let diagnostic = Diagnostic::error(Code::FieldAbsent, message)
                .at(name.span.clone(), "not there, or hidden by field-level security")
                .maybe_help(near.map(|n| format!("did you mean `{n}`?")))
                .help("a new field is invisible to everybody until a permission set grants it");
            self.problems.push(self.field_right(diagnostic, &name.value, edit));
        }
        found
    }

    fn key(&mut self) -> Option<(KeyInput, Field)> {
        let matching = &self.integration.matching;
        let column = self.column(&matching.column, Code::KeyColumnAbsent);
        let field = self.field(&matching.field, false)?;
        let problem = match KeyRule::compile(&field) {
            Ok(rule) => return column.map(|column| (KeyInput { column, rule }, field)),
            Err(problem) => problem,
        };
        let code = if field.filterable { Code::MatchTypeUnsupported } else { Code::MatchNotFilterable };
        self.problems.push(
            Diagnostic::error(code, format!("{} cannot be the match field: {problem}", field.name))
                .at(matching.field.span.clone(), "the match field")
                .help(problem.hint()),
        );
        None
    }

    fn mapping(&mut self, mapping: &Mapping) -> Option<(FieldInput, FieldHead, Field)> {
        let column = self.column(&mapping.column, Code::ColumnAbsent);
        let field = self.field(&mapping.field, true)?;
        let several_currencies = self.object.field(&FieldName::new("CurrencyIsoCode")).is_some();
        if field.field_type == FieldType::Currency && several_currencies && mapping.currency.is_none() {
            self.problems.push(
                Diagnostic::error(Code::CurrencyRequired, format!("the org has several currencies, so {} needs one", field.name))
                    .at(mapping.field.span.clone(), "in which currency?")
                    .help("write `currency: EUR` (or whichever the report is in) beside the column; records in another currency are refused"),
            );
        }
        let mut judged = field.clone();
        if !field.updateable && self.rights == Rights::Reader && !field.calculated && !field.auto_number {
            self.not_checked.push(format!("Edit on {}.{}", self.object.name, field.name));
            judged.updateable = true;
        }
        let rule =
            match options(mapping, &self.integration.reading(self.environment, mapping)).and_then(|mut options| {
                options.id_prefixes = self.prefixes_of(&field);
                Rule::compile(&judged, &options).map_err(|problem| {
                    (code_of(&problem), problem.to_string(), problem.hint().to_owned(), problem.option())
                })
            }) {
                Ok(rule) => rule,
                Err((code, message, help, option)) => {
                    let span = option.and_then(|o| mapping.option_spans.get(o)).unwrap_or(&mapping.field.span).clone();
                    let mut diagnostic = Diagnostic::error(code, format!("{}: {message}", field.name))
                        .at(span, format!("a field of type {}", field.field_type.as_str()))
                        .help(help);
                    // Of an object that may not be edited no field may be: the object's own right is what is missing then.
                    if code == Code::FieldNotUpdateable && field.permissionable && self.object.updateable {
                        diagnostic = self.field_right(diagnostic, &field.name, true);
                    }
                    self.problems.push(diagnostic);
                    return None;
                }
            };
        let on_bad_value = match mapping.on_bad_value {
            valid::BadValue::SkipCell => OnBadValue::SkipCell,
            valid::BadValue::SkipRow => OnBadValue::SkipRow,
            valid::BadValue::Fail => OnBadValue::Fail,
        };
        let currency =
            (field.field_type == FieldType::Currency && several_currencies).then(|| mapping.currency.clone()).flatten();
        let head = FieldHead {
            field: field.name.clone(),
            label: field.label.clone(),
            field_type: field.field_type.clone(),
            column: mapping.column.value.clone(),
            show_values: mapping.show_values,
        };
        let input = FieldInput {
            name: field.name.clone(),
            column_name: mapping.column.value.clone(),
            column: column?,
            rule,
            on_bad_value,
            currency,
        };
        Some((input, head, field))
    }

    /// Beginnings of the ids that a reference may hold; none where one of its objects is not known to this user.
    fn prefixes_of(&self, field: &Field) -> Vec<String> {
        let known = field.reference_to.iter().map(|object| self.prefixes.get(object.as_str()).cloned());
        known.collect::<Option<Vec<String>>>().unwrap_or_default()
    }

    fn duplicate_rows(&mut self) -> Option<DuplicateRows> {
        Some(match &self.integration.matching.on_duplicate_rows {
            RowPolicy::Skip => DuplicateRows::Skip,
            RowPolicy::Fail => DuplicateRows::Fail,
            RowPolicy::First => DuplicateRows::First,
            RowPolicy::Last => DuplicateRows::Last,
            RowPolicy::Newest { by } => {
                let column = self.column(by, Code::ColumnAbsent)?;
                let declared = self.integration.report.columns.get(&by.value).map(|c| &c.reading);
                match moment_rule(declared, self.integration.source(self.environment).time_zone.as_deref()) {
                    Ok(rule) => DuplicateRows::Newest { column, rule: Box::new(rule) },
                    Err(message) => {
                        self.problems.push(
                            Diagnostic::error(Code::OptionDoesNotFit, format!("`newest` by `{}`: {message}", by.value))
                                .at(by.span.clone(), "decides"),
                        );
                        return None;
                    }
                }
            }
        })
    }
}

/// The nearest name, where one is near.
pub(super) fn nearest<'n>(name: &str, among: impl Iterator<Item = &'n str>) -> Option<String> {
    let wanted = name.to_lowercase();
    among
        .map(|candidate| (strsim::jaro_winkler(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness >= 0.85)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate.to_owned())
}

type NotFitting = (Code, String, String, Option<&'static str>);

fn zone(name: Option<&str>) -> Result<Option<TimeZone>, NotFitting> {
    let unknown = |n: &str| {
        (
            Code::UnknownTimeZone,
            format!("`{n}` is no time zone"),
            "use an IANA name such as Europe/Berlin, or UTC".to_owned(),
            Some("time_zone"),
        )
    };
    name.map(|n| TimeZone::get(n).map_err(|_| unknown(n))).transpose()
}

/// `reading` is the mapping's, with the environment's source behind it.
fn options(mapping: &Mapping, reading: &valid::Reading) -> Result<Options, NotFitting> {
    Ok(Options {
        blank_values: reading.blank_values.clone(),
        when_blank: match mapping.when_blank {
            valid::WhenBlank::Keep => WhenBlank::Keep,
            valid::WhenBlank::Clear => WhenBlank::Clear,
            valid::WhenBlank::Fail => WhenBlank::Fail,
        },
        write: match mapping.write {
            valid::WritePolicy::Always => WritePolicy::Always,
            valid::WritePolicy::IfEmpty => WritePolicy::IfEmpty,
            valid::WritePolicy::IfGreater => WritePolicy::IfGreater,
            valid::WritePolicy::IfLess => WritePolicy::IfLess,
        },
        new_values: mapping.new_values == valid::NewValues::Allow,
        format: reading.format.clone(),
        decimal: reading.decimal,
        percent: reading.percent.map(|p| match p {
            valid::Percent::Sign => PercentForm::Sign,
            valid::Percent::Fraction => PercentForm::Fraction,
        }),
        prefix: reading.prefix.clone(),
        suffix: reading.suffix.clone(),
        time_zone: zone(reading.time_zone.as_deref())?,
        true_values: reading.true_values.clone(),
        false_values: reading.false_values.clone(),
        separator: reading.separator,
        truncate: mapping.truncate,
        currency: mapping.currency.clone(),
        id_prefixes: Vec::new(),
    })
}

/// A rule that reads moments out of a column, for `newest`.
fn moment_rule(declared: Option<&valid::Reading>, source_zone: Option<&str>) -> Result<Rule, String> {
    let words = |e: NotFitting| e.1;
    let options = Options {
        format: declared.and_then(|d| d.format.clone()),
        time_zone: zone(declared.and_then(|d| d.time_zone.as_deref()).or(source_zone))
            .map_err(words)?
            .or(Some(TimeZone::UTC)),
        ..Options::default()
    };
    let field = Field::plain("moment", FieldType::Datetime);
    Rule::compile(&field, &options).map_err(|problem| problem.to_string())
}

fn code_of(problem: &RuleProblem) -> Code {
    match problem {
        RuleProblem::Calculated => Code::FieldFormula,
        RuleProblem::AutoNumber => Code::FieldAutoNumber,
        RuleProblem::RichText => Code::FieldRichText,
        RuleProblem::Encrypted => Code::FieldEncrypted,
        RuleProblem::Compound => Code::FieldCompound,
        RuleProblem::RecordId | RuleProblem::UnsupportedType { .. } => Code::FieldTypeUnsupported,
        RuleProblem::ReadOnly => Code::FieldNotUpdateable,
        RuleProblem::BadFormat { .. } => Code::BadFormat,
        RuleProblem::NeedsTimeZone => Code::TimeZoneRequired,
        _ => Code::OptionDoesNotFit,
    }
}

/// A limit as the plan knows it: per cents in hundredths.
pub(super) fn limit(limit: valid::Limit) -> Limit {
    match limit {
        valid::Limit::Count(n) => Limit::Count(n),
        valid::Limit::Percent(p) => Limit::Percent(
            u32::try_from((p * rust_decimal::Decimal::ONE_HUNDRED).round().mantissa()).unwrap_or(u32::MAX),
        ),
    }
}

/// Limits as a plan's counts are held against them.
pub(super) fn guards(written: &valid::Guards) -> Guards {
    Guards {
        max_fills: written.max_fills.map(limit),
        max_overwrites: written.max_overwrites.map(limit),
        max_clears: Some(limit(written.max_clears)),
        max_refused: Some(limit(written.max_refused)),
        min_match: Some(limit(written.min_match)),
        min_rows: Some(Limit::Count(written.min_rows)),
        given: Vec::new(),
    }
}
