//! Records from a CSV file: `leads.csv` fills Lead. Columns are field names; custom fields that the org lacks are made up from
//! their values. Files are read as streams, so that they may hold millions of records.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use super::super::store::moments;
use super::form::{FieldSeed, ObjectSeed};

/// The object that a file's name says: its stem, singular or plural.
pub fn object_of(path: &Path, known: &[&str]) -> Option<String> {
    let stem = path.file_stem()?.to_str()?.replace(['-', '_', ' '], "").to_ascii_lowercase();
    let plain = |name: &str| name.replace('_', "").to_ascii_lowercase();
    let matches = |name: &&&str| {
        let name = plain(name);
        stem == name || stem == format!("{name}s") || name.strip_suffix('y').is_some_and(|n| stem == format!("{n}ies"))
    };
    known.iter().find(matches).map(|name| (*name).to_owned())
}

/// Rows of a file.
pub type Rows<R> = csv::Reader<BufReader<R>>;

/// A file's header and its rows.
///
/// # Errors
/// What is wrong with the file.
pub fn rows<R: Read>(file: R) -> Result<(Vec<String>, Rows<R>), String> {
    let mut file = BufReader::with_capacity(262_144, file);
    let begins = file.fill_buf().map_err(|e| e.to_string())?;
    let mark = if begins.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    file.consume(mark);
    let mut reader = csv::ReaderBuilder::new().from_reader(file);
    let header = reader.headers().map_err(|e| e.to_string())?.iter().map(|name| name.trim().to_owned()).collect();
    Ok((header, reader))
}

/// Definitions of the custom columns that `has_field` does not know.
///
/// # Errors
/// What is wrong with the file.
pub fn survey<R: Read>(file: R, has_field: &dyn Fn(&str) -> bool) -> Result<ObjectSeed, String> {
    let (header, mut reader) = rows(file)?;
    let unknown: Vec<usize> = (0..header.len()).filter(|i| !has_field(&header[*i])).collect();
    if let Some(column) = unknown.iter().find(|i| !header[**i].ends_with("__c")) {
        return Err(format!("column `{}` is no field, and no custom one either (`__c`)", header[*column]));
    }
    let mut guesses: Vec<Guess> = unknown.iter().map(|_| Guess::default()).collect();
    let mut row = csv::StringRecord::new();
    while !unknown.is_empty() && reader.read_record(&mut row).map_err(|e| e.to_string())? {
        for (guess, column) in guesses.iter_mut().zip(&unknown) {
            guess.see(row.get(*column).unwrap_or_default());
        }
    }
    let fields = unknown.iter().zip(&guesses).map(|(column, guess)| guess.field(&header[*column])).collect();
    Ok(ObjectSeed { fields, ..ObjectSeed::default() })
}

/// What the values of a column may be, as far as they were seen.
struct Guess {
    datetime: bool,
    date: bool,
    number: bool,
    boolean: bool,
    longest: usize,
}

impl Default for Guess {
    fn default() -> Self {
        Self { datetime: true, date: true, number: true, boolean: true, longest: 0 }
    }
}

impl Guess {
    fn see(&mut self, cell: &str) {
        if cell.is_empty() {
            return;
        }
        self.longest = self.longest.max(if cell.len() > self.longest { cell.chars().count() } else { 0 });
        self.datetime = self.datetime && moments::datetime(cell).is_ok();
        self.date = self.date && moments::date(cell).is_ok();
        self.number = self.number
            && cell.bytes().all(|b| b.is_ascii_digit() || b".-".contains(&b))
            && cell.parse::<f64>().is_ok();
        self.boolean = self.boolean && matches!(cell.to_ascii_lowercase().as_str(), "true" | "false");
    }

    fn field(&self, name: &str) -> FieldSeed {
        // The fields of the worked example keep their labels and types even when a file leaves them blank.
        let example = [
            ("WalkMe_First_Login__c", "First login", "datetime"),
            ("WalkMe_Last_Login__c", "Last login", "datetime"),
            ("WalkMe_Logins_last_30_days__c", "# logins last 30 days", "number"),
        ];
        if let Some((name, label, kind)) = example.iter().find(|(known, ..)| known.eq_ignore_ascii_case(name)) {
            let (name, label, kind) = ((*name).to_owned(), Some((*label).to_owned()), (*kind).to_owned());
            return FieldSeed { name, label, kind, ..FieldSeed::default() };
        }
        let seen = self.longest > 0;
        let kind = match () {
            () if !seen => "text",
            () if self.datetime => "datetime",
            () if self.date => "date",
            () if self.number => "number",
            () if self.boolean => "boolean",
            () if self.longest > 255 => "longtextarea",
            () => "text",
        };
        let scale = (kind == "number").then_some(2);
        FieldSeed { name: name.to_owned(), kind: kind.to_owned(), scale, ..FieldSeed::default() }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{object_of, rows, survey};

    #[test]
    fn the_name_of_a_file_says_its_object() {
        let known = ["Lead", "Opportunity", "CampaignMember", "Sub_Account__c"];
        for (file, object) in [
            ("leads.csv", Some("Lead")),
            ("x/Lead.csv", Some("Lead")),
            ("opportunities.csv", Some("Opportunity")),
            ("campaign-members.csv", Some("CampaignMember")),
            ("people.csv", None),
        ] {
            assert_eq!(object_of(Path::new(file), &known).as_deref(), object, "{file}");
        }
    }

    #[test]
    fn custom_columns_get_the_type_of_their_values() {
        let text = "Email,D__c,T__c,N__c,B__c,S__c,WalkMe_Last_Login__c\n\
                    a@b.example,2026-01-02,2026-01-02T03:04:05.000Z,1.5,true,x,\n\
                    ,,,,,,\n";
        let seed = survey(text.as_bytes(), &|name| name == "Email").unwrap();
        let kinds: Vec<&str> = seed.fields.iter().map(|f| f.kind.as_str()).collect();
        assert_eq!(kinds, ["date", "datetime", "number", "boolean", "text", "datetime"]);
        let marked = format!("\u{feff}{text}");
        let (header, mut records) = rows(marked.as_bytes()).unwrap();
        assert_eq!((header[0].as_str(), records.records().count()), ("Email", 2));
    }

    #[test]
    fn an_unknown_standard_field_is_an_error() {
        let error = survey(&b"Emial\na@b.example\n"[..], &|_| false).unwrap_err();
        assert!(error.contains("Emial"), "{error}");
    }
}
