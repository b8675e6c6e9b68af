//! A run's outcome lines one by one, for a terminal.

use std::io::{self, Write};

use crate::render::escape::Terminal;
use crate::render::wording::{grouped, outcome_words};
use crate::render::{Audience, Options};
use crate::runlog::{Outcome, OutcomesLine, RecordLine, RowLine};

/// Writes each line as it comes, and how many there were.
///
/// # Errors
/// Writing, or reading the lines.
pub fn outcomes(
    lines: impl Iterator<Item = io::Result<OutcomesLine>>,
    options: &Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut count = 0;
    for line in lines {
        match line? {
            OutcomesLine::Head(_) => continue,
            OutcomesLine::Record(line) => writeln!(out, "{}", record(&line, options))?,
            OutcomesLine::Row(line) => writeln!(out, "{}", row(&line))?,
        }
        count += 1;
    }
    if count == 0 {
        writeln!(out, "None.")?;
    }
    Ok(())
}

/// Why a record ended as it did, in one line.
pub(super) fn why(line: &RecordLine, person: bool) -> String {
    let end = why_it_ended(line, person);
    let resent = if line.resent {
        "sent again after an answer was lost; that sending may have been carried out, too"
    } else {
        ""
    };
    [end.as_str(), resent].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
}

fn why_it_ended(line: &RecordLine, person: bool) -> String {
    let fields = |fields: &mut dyn Iterator<Item = &str>| {
        let listed = fields.map(|f| Terminal(f).to_string()).collect::<Vec<_>>().join(", ");
        if listed.is_empty() { listed } else { format!(" ({listed})") }
    };
    match line.outcome {
        Outcome::Updated => String::new(),
        Outcome::Failed => {
            let problems = line.problems.iter().map(|p| {
                let words = p.words.as_ref().filter(|_| person).or(p.message.as_ref());
                let words = words.map(|w| format!(": {}", Terminal(w))).unwrap_or_default();
                format!("{}{}{words}", Terminal(&p.code), fields(&mut p.fields.iter().map(|f| f.as_str())))
            });
            problems.collect::<Vec<_>>().join("; ")
        }
        Outcome::Drifted => {
            let what = if line.already_there { "somebody wrote the planned values" } else { "changed in between" };
            format!("{what}{}", fields(&mut line.fields.iter().map(|f| f.as_str())))
        }
        Outcome::NotAttempted => Terminal(line.reason.as_ref().map_or("", |r| r.sentence())).to_string(),
        Outcome::Unknown => Terminal(line.doubt.as_ref().map_or("", |d| d.sentence())).to_string(),
    }
}

fn record(line: &RecordLine, options: &Options) -> String {
    let end = line.outcome.as_str().replace('_', " ");
    let why = why(line, options.audience == Audience::Person);
    format!("row {:<9} {}  {end:<13} {why}", grouped(line.row), line.record).trim_end().to_owned()
}

fn row(line: &RowLine) -> String {
    let records = line.records.iter().map(|r| r.as_str()).collect::<Vec<_>>().join(" ");
    let refused = line.refused.iter().map(|r| format!("{} ({})", Terminal(r.field.as_str()), Terminal(&r.code)));
    let refused = refused.collect::<Vec<_>>().join(", ");
    let refused = if refused.is_empty() { refused } else { format!("refused: {refused}") };
    let rows = line.rows.iter().map(|row| grouped(*row)).collect::<Vec<_>>().join(", ");
    let rows = if rows.is_empty() { rows } else { format!("with row {rows}") };
    let parts = [records, rows, refused].into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join("  ");
    format!("row {:<9} line {:<9} {:<15} {parts}", grouped(line.row), grouped(line.line), outcome_words(line.outcome))
        .trim_end()
        .to_owned()
}
