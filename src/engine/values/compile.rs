//! A field's describe and its options become a rule, or the reason why they cannot.

use super::choice::ChoiceRule;
use super::flag::{self, FlagRule};
use super::identifier::IdentifierRule;
use super::number::NumberRule;
use super::options::{Options, PercentForm, WritePolicy};
use super::rule::{Kind, Quick, Rule};
use super::text::TextRule;
use super::zoned::{MomentRule, PatternProblem, Wanted};
use crate::model::{Field, FieldType};

/// Why a field cannot be written as declared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleProblem {
    /// A formula or roll-up.
    #[error("the field is a formula or roll-up: Salesforce computes it")]
    Calculated,
    /// An auto-number.
    #[error("the field is an auto-number: Salesforce sets it")]
    AutoNumber,
    /// Rich text, whose markup Salesforce rewrites.
    #[error("the field is rich text, whose markup Salesforce rewrites on save")]
    RichText,
    /// Masked, encrypted text.
    #[error("the field is encrypted and shows its values masked, so they cannot be compared")]
    Encrypted,
    /// The record's own id.
    #[error("the record id cannot be written")]
    RecordId,
    /// Name, address or location, made of other fields.
    #[error("the field is compound: it shows what other fields hold")]
    Compound,
    /// A type that Footbridge does not write.
    #[error("fields of type {field_type} cannot be written")]
    UnsupportedType {
        /// The type's name on the wire.
        field_type: String,
    },
    /// Read-only for this user or for everyone.
    #[error("the field is read-only for this user")]
    ReadOnly,
    /// An option that means nothing for the field's type.
    #[error("`{option}` does not fit a field of type {field_type}")]
    OptionDoesNotFit {
        /// The option, as in YAML.
        option: &'static str,
        /// The type's name on the wire.
        field_type: String,
    },
    /// `write: if_greater` or `if_less` on a type without an order.
    #[error("`write: {policy}` needs a number, date, datetime or time, and the field is of type {field_type}")]
    PolicyNeedsOrder {
        /// The policy, as in YAML.
        policy: &'static str,
        /// The type's name on the wire.
        field_type: String,
    },
    /// `write: if_empty` on a checkbox.
    #[error("a checkbox is never empty, so `write: if_empty` would never write")]
    NeverEmpty,
    /// A pattern under `format:` that cannot be used.
    #[error("the pattern under `format:` cannot be used: {problem}")]
    BadFormat {
        /// What is wrong.
        problem: String,
    },
    /// A pattern that gives a date for a datetime or the other way round, or a time without an offset.
    #[error("with this `format:` it is unknown which moment or day is meant")]
    NeedsTimeZone,
    /// `decimal:` other than a point or comma.
    #[error("`decimal:` is either \".\" or \",\"")]
    BadDecimalSign,
    /// A prefix or suffix that could be part of a number.
    #[error("`{option}` must be text that cannot be part of a number")]
    BadAffix {
        /// `prefix` or `suffix`.
        option: &'static str,
    },
    /// A separator that is a letter, digit or white space.
    #[error("`separator:` must be a sign such as \";\", \",\" or \"|\"")]
    BadSeparator,
    /// A currency that is no ISO 4217 code.
    #[error("`currency:` is a code of three capital letters, such as EUR")]
    BadCurrency,
    /// One word for true and for false.
    #[error("one word stands for both true and false")]
    WordForBoth,
    /// New values for a picklist that refuses them.
    #[error("the picklist is restricted: Salesforce refuses values that it does not list")]
    NewValuesRestricted,
}

impl RuleProblem {
    /// A short stable word.
    pub fn code(&self) -> &'static str {
        match self {
            RuleProblem::Calculated => "calculated",
            RuleProblem::AutoNumber => "auto_number",
            RuleProblem::RichText => "rich_text",
            RuleProblem::Encrypted => "encrypted",
            RuleProblem::RecordId => "record_id",
            RuleProblem::Compound => "compound",
            RuleProblem::UnsupportedType { .. } => "unsupported_type",
            RuleProblem::ReadOnly => "read_only",
            RuleProblem::OptionDoesNotFit { .. } => "option_does_not_fit",
            RuleProblem::PolicyNeedsOrder { .. } => "policy_needs_order",
            RuleProblem::NeverEmpty => "never_empty",
            RuleProblem::BadFormat { .. } => "bad_format",
            RuleProblem::NeedsTimeZone => "format_needs_time_zone",
            RuleProblem::BadDecimalSign => "bad_decimal_sign",
            RuleProblem::BadAffix { .. } => "bad_affix",
            RuleProblem::BadSeparator => "bad_separator",
            RuleProblem::BadCurrency => "bad_currency",
            RuleProblem::WordForBoth => "word_for_both",
            RuleProblem::NewValuesRestricted => "new_values_restricted",
        }
    }

    /// The mapping's key to point at, as in YAML, where an option is at fault; otherwise the field itself is.
    pub fn option(&self) -> Option<&'static str> {
        Some(match self {
            RuleProblem::OptionDoesNotFit { option, .. } | RuleProblem::BadAffix { option } => option,
            RuleProblem::PolicyNeedsOrder { .. } | RuleProblem::NeverEmpty => "write",
            RuleProblem::BadFormat { .. } | RuleProblem::NeedsTimeZone => "format",
            RuleProblem::BadDecimalSign => "decimal",
            RuleProblem::BadSeparator => "separator",
            RuleProblem::BadCurrency => "currency",
            RuleProblem::WordForBoth => "true_values",
            RuleProblem::NewValuesRestricted => "new_values",
            RuleProblem::Calculated
            | RuleProblem::AutoNumber
            | RuleProblem::RichText
            | RuleProblem::Encrypted
            | RuleProblem::RecordId
            | RuleProblem::Compound
            | RuleProblem::UnsupportedType { .. }
            | RuleProblem::ReadOnly => return None,
        })
    }

    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            RuleProblem::Calculated
            | RuleProblem::AutoNumber
            | RuleProblem::RecordId
            | RuleProblem::UnsupportedType { .. } => "Map the column to another field.",
            RuleProblem::RichText => "Map the column to a plain text area.",
            RuleProblem::Encrypted => "Map the column to a field that is not masked.",
            RuleProblem::Compound => {
                "Map the columns to its parts, such as FirstName and LastName, or Street and City."
            }
            RuleProblem::ReadOnly => {
                "Give the user Edit on this field (field-level security), or map the column to another field."
            }
            RuleProblem::OptionDoesNotFit { .. } => "Remove the option from this field.",
            RuleProblem::PolicyNeedsOrder { .. } | RuleProblem::NeverEmpty => {
                "Write `write: always`, or remove the line."
            }
            RuleProblem::BadFormat { .. } => {
                "Use a pattern such as \"%d/%m/%Y\", \"%m/%d/%Y %I:%M %p\" or \"%Y-%m-%dT%H:%M:%S%:z\"."
            }
            RuleProblem::NeedsTimeZone => {
                "Write `time_zone:` with the zone that the report's clock shows, such as `time_zone: UTC`."
            }
            RuleProblem::BadDecimalSign => "Write `decimal: \",\"` for 1.234,5 or `decimal: \".\"` for 1,234.5.",
            RuleProblem::BadAffix { .. } => {
                "Write the sign or unit alone, such as `prefix: \"$\"` or `suffix: \"EUR\"`."
            }
            RuleProblem::BadSeparator => "Write the sign that stands between the values in the report.",
            RuleProblem::BadCurrency => "Write the code of a currency that is active in the org.",
            RuleProblem::WordForBoth => "Remove the word from `true_values:` or `false_values:`.",
            RuleProblem::NewValuesRestricted => "Remove `new_values: allow`, or add the entries in Setup.",
        }
    }
}

impl Rule {
    /// For this field, with these options.
    ///
    /// # Errors
    /// [`RuleProblem`]: fields that cannot be written, and options that do not fit the field. The first one found.
    pub fn compile(field: &Field, options: &Options) -> Result<Rule, RuleProblem> {
        check_target(field)?;
        check_options(field, options)?;
        let (kind, plain) = kind(field, options)?;
        let plain = plain && options.blank_values.is_empty();
        let quick = Quick::of(&kind, plain, options.when_blank, field.nillable);
        Ok(Rule {
            field_type: field.field_type.clone(),
            kind,
            blank_values: options.blank_values.iter().map(|value| value.trim().to_owned()).collect(),
            when_blank: options.when_blank,
            write: options.write,
            nillable: field.nillable,
            plain,
            quick,
        })
    }
}

fn check_target(field: &Field) -> Result<(), RuleProblem> {
    use FieldType::{Address, EncryptedString, Id, Location};
    if field.calculated {
        return Err(RuleProblem::Calculated);
    }
    if field.auto_number {
        return Err(RuleProblem::AutoNumber);
    }
    if field.html_formatted {
        return Err(RuleProblem::RichText);
    }
    if field.encrypted || field.field_type == EncryptedString {
        return Err(RuleProblem::Encrypted);
    }
    match &field.field_type {
        Id => return Err(RuleProblem::RecordId),
        Address | Location => return Err(RuleProblem::Compound),
        FieldType::Base64 | FieldType::AnyType | FieldType::Complexvalue | FieldType::Other(_) => {
            return Err(RuleProblem::UnsupportedType { field_type: type_name(field) });
        }
        _ => {}
    }
    if !field.updateable {
        // Lead.Name and Contact.Name say so in no other way (recordings describe_lead.json, describe_contact.json).
        let whole_name = field.name.as_str().eq_ignore_ascii_case("Name");
        return Err(if whole_name { RuleProblem::Compound } else { RuleProblem::ReadOnly });
    }
    Ok(())
}

fn type_name(field: &Field) -> String {
    field.field_type.as_str().to_owned()
}

fn check_options(field: &Field, options: &Options) -> Result<(), RuleProblem> {
    use FieldType::{
        Boolean, Combobox, Currency, Date, Datetime, Multipicklist, Picklist, Reference, String as Text, Textarea, Time,
    };
    let t = &field.field_type;
    let moment = matches!(t, Date | Datetime | Time);
    let choice = matches!(t, Picklist | Multipicklist);
    let fits = [
        ("format", options.format.is_some(), moment),
        ("decimal", options.decimal.is_some(), t.is_number()),
        ("percent", options.percent.is_some(), t.is_number()),
        ("prefix", options.prefix.is_some(), t.is_number()),
        ("suffix", options.suffix.is_some(), t.is_number()),
        ("currency", options.currency.is_some(), *t == Currency),
        ("true_values", !options.true_values.is_empty(), *t == Boolean),
        ("false_values", !options.false_values.is_empty(), *t == Boolean),
        ("separator", options.separator.is_some(), *t == Multipicklist),
        ("new_values", options.new_values, choice),
        ("truncate", options.truncate, matches!(t, Text | Textarea | Combobox)),
        ("id_prefixes", !options.id_prefixes.is_empty(), *t == Reference),
    ];
    if let Some((option, ..)) = fits.into_iter().find(|(_, declared, fits)| *declared && !fits) {
        return Err(RuleProblem::OptionDoesNotFit { option, field_type: type_name(field) });
    }
    let ordered = moment || t.is_number();
    let policy = match options.write {
        WritePolicy::IfEmpty if *t == Boolean => return Err(RuleProblem::NeverEmpty),
        WritePolicy::IfGreater => Some("if_greater"),
        WritePolicy::IfLess => Some("if_less"),
        WritePolicy::Always | WritePolicy::IfEmpty => None,
    };
    if let Some(policy) = policy.filter(|_| !ordered) {
        return Err(RuleProblem::PolicyNeedsOrder { policy, field_type: type_name(field) });
    }
    if options.decimal.is_some_and(|sign| sign != '.' && sign != ',') {
        return Err(RuleProblem::BadDecimalSign);
    }
    for (option, affix) in [("prefix", &options.prefix), ("suffix", &options.suffix)] {
        let clashes = |c: char| c.is_ascii_digit() || matches!(c, '-' | '.' | ',' | '\'' | '’');
        let ends = |affix: &str| affix.chars().next().is_none_or(clashes) || affix.chars().last().is_none_or(clashes);
        // `Fr.` and `Rs.` end in a point, where a number cannot go on.
        let affix = affix.as_deref().map(|affix| affix.trim().trim_end_matches('.'));
        if affix.is_some_and(ends) {
            return Err(RuleProblem::BadAffix { option });
        }
    }
    if options.currency.as_deref().is_some_and(|code| code.len() != 3 || !code.bytes().all(|b| b.is_ascii_uppercase()))
    {
        return Err(RuleProblem::BadCurrency);
    }
    if options
        .separator
        .is_some_and(|sign| sign.is_alphanumeric() || sign.is_whitespace() && !matches!(sign, '\n' | '\t'))
    {
        return Err(RuleProblem::BadSeparator);
    }
    if options.new_values && field.restricted_picklist {
        return Err(RuleProblem::NewValuesRestricted);
    }
    let is = |words: &[String], word: &str, meaning: bool| {
        words.iter().any(|w| unicase::eq(w.trim(), word.trim())) || flag::built_in(word.trim()) == Some(meaning)
    };
    if options.true_values.iter().any(|word| is(&options.false_values, word, false))
        || options.false_values.iter().any(|word| is(&options.true_values, word, true))
    {
        return Err(RuleProblem::WordForBoth);
    }
    Ok(())
}

/// The rule's typed part, and whether plain forms mean what they always mean.
fn kind(field: &Field, options: &Options) -> Result<(Kind, bool), RuleProblem> {
    let length = field.length as usize;
    let longest = if length == 0 { 255 } else { length };
    let choices = |longest| ChoiceRule::compile(&field.picklist, options.new_values, longest);
    let moment = |wanted| {
        MomentRule::compile(wanted, options.format.as_deref(), options.time_zone.clone()).map(Kind::Moment).map_err(
            |problem| match problem {
                PatternProblem::Bad(problem) => RuleProblem::BadFormat { problem },
                PatternProblem::NeedsTimeZone => RuleProblem::NeedsTimeZone,
            },
        )
    };
    let kind = match &field.field_type {
        FieldType::Int | FieldType::Double | FieldType::Currency | FieldType::Percent => {
            let plain = options.decimal != Some(',') && options.percent != Some(PercentForm::Fraction);
            return Ok((Kind::Number(number_rule(field, options)), plain));
        }
        FieldType::Date => moment(Wanted::Date)?,
        FieldType::Datetime => moment(Wanted::Datetime)?,
        FieldType::Time => moment(Wanted::Time)?,
        FieldType::Boolean => Kind::Flag(FlagRule {
            true_values: options.true_values.clone(),
            false_values: options.false_values.clone(),
        }),
        FieldType::Picklist => Kind::Choice(choices(longest)),
        FieldType::Multipicklist => Kind::Choices {
            rule: choices(255),
            separator: options.separator.unwrap_or(';'),
            max: if length == 0 { 4099 } else { length },
        },
        FieldType::Reference => Kind::Identifier(IdentifierRule { prefixes: options.id_prefixes.clone() }),
        t => Kind::Text(TextRule {
            max: length,
            lines: *t == FieldType::Textarea,
            email: *t == FieldType::Email,
            truncate: options.truncate,
        }),
    };
    Ok((kind, true))
}

/// Describe gives digits in all and right of the point; int fields give their digits alone.
fn number_rule(field: &Field, options: &Options) -> NumberRule {
    let int = field.field_type == FieldType::Int;
    let whole_digits = match (int, field.digits, field.precision) {
        (true, 0, _) => 10,
        (true, digits, _) => digits,
        (false, _, 0) => 18,
        (false, _, precision) => precision.saturating_sub(field.scale),
    };
    let affix = |text: &Option<String>| text.as_deref().map(|text| text.trim().to_owned());
    NumberRule {
        whole_digits,
        scale: if int { 0 } else { field.scale },
        int,
        decimal: options.decimal,
        percent: options.percent,
        prefix: affix(&options.prefix),
        suffix: affix(&options.suffix),
    }
}
