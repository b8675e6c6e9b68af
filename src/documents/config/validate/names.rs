//! API names, time zones and date formats, as far as they can be judged by themselves.

use crate::diag::{Code, Diagnostic, Span};

use super::Check;

/// Fields that Salesforce sets itself on every object.
const SYSTEM_FIELDS: [&str; 11] = [
    "Id",
    "IsDeleted",
    "CreatedById",
    "CreatedDate",
    "LastModifiedById",
    "LastModifiedDate",
    "SystemModstamp",
    "LastActivityDate",
    "LastViewedDate",
    "LastReferencedDate",
    "MasterRecordId",
];

pub(super) fn is_api_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.ends_with('_')
}

pub(super) fn is_system_field(name: &str) -> bool {
    SYSTEM_FIELDS.iter().any(|field| field.eq_ignore_ascii_case(name))
}

/// What an API name could be, made from something like it.
fn likely_name(written: &str) -> Option<String> {
    let (stem, suffix) = match written.strip_suffix("__c") {
        Some(stem) => (stem, "__c"),
        None => (written, "__c"),
    };
    let mut name = String::new();
    for c in stem.chars() {
        let c = if c.is_ascii_alphanumeric() { c } else { '_' };
        if c != '_' || !name.ends_with('_') {
            name.push(c);
        }
    }
    let name = name.trim_matches('_');
    (is_api_name(name)).then(|| format!("{name}{suffix}"))
}

impl Check<'_> {
    /// An API name at a place; told when it is none.
    pub(super) fn api_name(&mut self, span: Span, name: &str, what: &str) -> bool {
        if is_api_name(name) {
            return true;
        }
        let mut diagnostic = Diagnostic::error(Code::BadApiName, format!("`{name}` is not the API name of {what}"))
            .at(span, "letters, digits and `_` only");
        diagnostic = if name.contains('.') {
            diagnostic.help(
                "a field of another record cannot be used; map the object that holds it in an integration of its own",
            )
        } else {
            match likely_name(name).filter(|_| what != "an object") {
                Some(likely) => diagnostic.help(format!(
                    "it may be `{likely}`: Setup > Object Manager > Fields & Relationships shows it as Field Name"
                )),
                None => diagnostic.help("Setup > Object Manager shows it as API Name"),
            }
        };
        self.push(diagnostic);
        false
    }

    /// An IANA time zone; told when it is none.
    pub(super) fn time_zone(&mut self, path: &[&str], name: &str) {
        let shaped = name == "UTC" || (name.contains('/') && !name.contains(char::is_whitespace));
        let known = shaped
            && (jiff::tz::TimeZone::get(name).is_ok() || name == "UTC" || jiff::tz::db().is_definitively_empty());
        if !known {
            let message = format!("`{name}` is not a time zone");
            self.wrong(
                Code::UnknownTimeZone,
                path,
                message,
                "not an IANA name",
                "write a name such as `Europe/Berlin`, `America/New_York` or `UTC`",
            );
        }
    }

    /// A pattern of dates or times; told when it is not understood.
    pub(super) fn date_format(&mut self, path: &[&str], format: &str) {
        if let Err(why) = check_format(format) {
            let message = format!("the format `{format}` is not understood");
            let help = match likely_format(format) {
                Some(likely) => {
                    format!("it may be \"{likely}\": day %d, month %m, year %Y, hour %H, minute %M, second %S")
                }
                None => "use a pattern such as \"%d/%m/%Y\" or \"%m/%d/%Y %I:%M %p\"".to_owned(),
            };
            self.wrong(Code::BadFormat, path, message, &why, help);
        }
    }
}

/// Is it a strptime pattern that says a date or a time? Whether it suits the field is for the plan to say.
fn check_format(format: &str) -> Result<(), String> {
    if !format.contains('%') {
        return Err("day, month and year are written %d, %m and %Y".to_owned());
    }
    let sample = jiff::civil::date(2026, 1, 2).at(3, 4, 5, 0).to_zoned(jiff::tz::TimeZone::UTC);
    let sample = sample.map_err(|error| error.to_string())?;
    let mut shown = String::new();
    let pattern = jiff::fmt::strtime::BrokenDownTime::from(&sample);
    pattern.format(format, &mut shown).map_err(|error| error.to_string())?;
    let has = |any: &[&str]| any.iter().any(|directive| format.contains(directive));
    let month = has(&["%m", "%b", "%B", "%h", "%F", "%D", "%j", "%s", "%c", "%x"]);
    if has(&["%Y", "%y"]) && !month {
        return Err(if has(&["%M"]) { "%M are minutes; months are %m" } else { "the month is missing" }.to_owned());
    }
    Ok(())
}

/// `DD/MM/YYYY` as `%d/%m/%Y`.
fn likely_format(written: &str) -> Option<String> {
    let mut likely = written.to_owned();
    for (from, to) in [
        ("YYYY", "%Y"),
        ("yyyy", "%Y"),
        ("YY", "%y"),
        ("DD", "%d"),
        ("dd", "%d"),
        ("MM", "%m"),
        ("HH", "%H"),
        ("hh", "%H"),
        ("mm", "%M"),
        ("SS", "%S"),
        ("ss", "%S"),
    ] {
        if !likely.contains(to) {
            likely = likely.replacen(from, to, 1);
        }
    }
    // `mm` beside a year and no `MM` was meant as months.
    if likely.contains("%Y") && !likely.contains("%m") {
        likely = likely.replacen("%M", "%m", 1);
    }
    (likely != written && check_format(&likely).is_ok()).then_some(likely)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_strptime_patterns() {
        for good in ["%d/%m/%Y", "%m/%d/%y %I:%M %p", "%Y-%m-%dT%H:%M:%S%:z", "%H:%M", "%F", "%d. %B %Y"] {
            assert_eq!(check_format(good), Ok(()), "{good}");
        }
        for bad in ["", "dd/mm/yyyy", "%Y-%M-%d", "%é", "%"] {
            assert!(check_format(bad).is_err(), "{bad}");
        }
        assert_eq!(likely_format("DD/MM/YYYY").as_deref(), Some("%d/%m/%Y"));
        assert_eq!(likely_format("yyyy-mm-dd").as_deref(), Some("%Y-%m-%d"));
        assert_eq!(likely_format("YYYY-MM-DD hh:mm:ss").as_deref(), Some("%Y-%m-%d %H:%M:%S"));
        assert_eq!(likely_format("soon"), None);
    }

    #[test]
    fn names_that_cannot_be_are_told_with_one_that_could() {
        assert!(is_api_name("WalkMe_Logins_last_30_days__c"));
        for bad in ["First login", "WalkMe_#_x__c", "Owner.Name", "", "1st__c", "x_"] {
            assert!(!is_api_name(bad), "{bad}");
        }
        assert_eq!(likely_name("WalkMe_#_Logins").as_deref(), Some("WalkMe_Logins__c"));
        assert_eq!(likely_name("First login").as_deref(), Some("First_login__c"));
    }
}
