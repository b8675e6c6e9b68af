//! What is wrong with a report, worded for the people who export it.

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::diag::{Code, Diagnostic, Span};
use crate::report::{PathProblem, ReportError};
use crate::table::CsvError;

/// The failure, pointing at the source in the configuration where that is known.
pub fn failure(error: ReportError, at: Option<&Span>) -> Failure {
    let exit = match &error {
        ReportError::Path { .. } => Exit::Usage,
        _ => Exit::Failed,
    };
    let mut diagnostic = word(error).note("nothing was read from Salesforce and nothing was written");
    if let Some(span) = at {
        diagnostic = diagnostic.at(span.clone(), "the source");
    }
    Failure::new(exit, diagnostic)
}

/// The report is another one than a moment ago.
pub fn changed(name: &str, at: &Span) -> Failure {
    let diagnostic = Diagnostic::error(Code::ReportUnreadable, format!("`{name}` changed while it was read"));
    let diagnostic = diagnostic.at(at.clone(), "the source").help("wait until the export is finished, then try again");
    Failure::new(Exit::Failed, diagnostic.note("nothing was written"))
}

fn word(error: ReportError) -> Diagnostic {
    match error {
        ReportError::Path { name, problem } => path(&name, &problem),
        ReportError::Missing { name, folder_exists, near, siblings, more } => {
            let found = Diagnostic::error(Code::ReportMissing, format!("there is no file `{name}`"));
            match (near.first(), folder_exists, siblings.is_empty()) {
                (Some(near), _, _) => found.help(format!("did you mean `{near}`, which lies in the same folder?")),
                (None, false, _) => found.help("the folder does not exist either: make it and put the exported report there"),
                (None, true, true) => found.help("the folder is empty: put the exported report there"),
                (None, true, false) => {
                    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
                    found
                        .help("export the report to that place, or name in `source:` the file that is meant")
                        .help(format!("in the same folder are: {}{rest}", siblings.join(", ")))
                }
            }
        }
        ReportError::NotAFile { name, folder } => {
            Diagnostic::error(Code::ReportUnreadable, format!("`{name}` is {}, not a file", if folder { "a folder" } else { "something else" }))
                .help("name the CSV file itself in `source:`")
        }
        ReportError::Unreadable { name, source } => Diagnostic::error(Code::ReportUnreadable, format!("`{name}` cannot be read: {source}"))
            .help("let the user who runs Footbridge read the file, then try again"),
        ReportError::Empty { name, .. } => {
            Diagnostic::error(Code::ReportEmpty, format!("`{name}` is empty: not even a header")).help("export the report again")
        }
        ReportError::NotText { name, kind } => Diagnostic::error(Code::ReportNotCsv, format!("`{name}` is not a CSV file but {kind}"))
            .help("export the report as CSV (UTF-8), and name that file in `source:`"),
        ReportError::Contradiction { name, mark } => {
            Diagnostic::error(Code::ReportEncoding, format!("`{name}` begins with the byte order mark of {mark}, and another encoding is set"))
                .help("remove `encoding:`, or set the one that the file has")
        }
        ReportError::ByteOrder { name } => Diagnostic::error(Code::ReportEncoding, format!("`{name}` has no byte order mark"))
            .help("write `encoding: utf-16le` or `encoding: utf-16be`"),
        ReportError::Encoding { name, fault } => {
            let message = format!("`{name}`, line {}: a byte that is not {} (byte {} of the file)", fault.line, fault.charset, fault.offset);
            let found = Diagnostic::error(Code::ReportEncoding, message);
            match (fault.cut, fault.in_windows_1252) {
                (true, _) => found.help("the file ends in the middle of a character: it may be cut off; export it again"),
                (false, Some(letter)) => {
                    found.help(format!("in Windows-1252 it would be `{letter}`: if that is right, write `encoding: windows-1252` beside the source"))
                }
                (false, None) => found.help("write the file's `encoding:` beside the source, or export it as UTF-8"),
            }
        }
        ReportError::Packed { name, how, source } => {
            Diagnostic::error(Code::ReportTruncated, format!("the {how} file `{name}` is damaged or cut off: {source}")).help("fetch it again")
        }
        ReportError::TooLarge { name, limit } => Diagnostic::error(Code::ReportTooLarge, format!("`{name}` unpacks to more than {limit} bytes"))
            .help("unpack it, look at what is in it, and name the unpacked file in `source:`"),
        ReportError::DelimiterUnclear { name, .. } => {
            Diagnostic::error(Code::ReportDelimiter, format!("it is not clear what separates the cells of `{name}`"))
                .help("write `delimiter: \",\"` (or `;`, `|`, `tab`) beside the source")
        }
        ReportError::DuplicateColumns { name, line, duplicates } => {
            let names: Vec<String> = duplicates.iter().map(|d| format!("`{}` (columns {})", d.name, list(&d.positions))).collect();
            Diagnostic::error(Code::ReportDuplicateColumns, format!("`{name}`, line {line}: columns share a name: {}", names.join(", ")))
                .help("a mapping names columns, so each needs a name of its own: rename or leave one out in the export")
        }
        ReportError::BlankHeader { name, line } => Diagnostic::error(Code::ReportEmpty, format!("`{name}`, line {line}: no column has a name"))
            .help("if the file has no header, write `header: false` beside the source: columns are then called 1, 2, and so on"),
        ReportError::Content { name, problem, column } => content(&name, &problem, column.as_deref()),
        ReportError::Changed { name, .. } => {
            Diagnostic::error(Code::ReportUnreadable, format!("`{name}` changed while it was read")).help("wait until the export is finished, then try again")
        }
    }
}

fn list(positions: &[usize]) -> String {
    positions.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
}

fn path(name: &str, problem: &PathProblem) -> Diagnostic {
    let code = match problem {
        PathProblem::LeadsOut { .. } | PathProblem::Dangling { .. } => Code::ReportLinkLeavesRepository,
        PathProblem::Unreadable { .. } | PathProblem::NotAFolder { .. } => Code::ReportUnreadable,
        _ => Code::PathLeavesRepository,
    };
    // The problem names the part of the path at fault, which is most often the whole.
    let problem = problem.to_string();
    let message = if problem.starts_with(name) { problem } else { format!("`{name}`: {problem}") };
    Diagnostic::error(code, message).help(match code {
        Code::ReportLinkLeavesRepository => "put the file itself in the place of the link",
        _ => "a source is a file inside the repository, written relative to its root",
    })
}

fn content(name: &str, problem: &CsvError, column: Option<&str>) -> Diagnostic {
    let column = column.map(|c| format!(", column `{c}`")).unwrap_or_default();
    match problem {
        CsvError::Ragged { line, row, expected, found, last } => {
            let message = format!(
                "`{name}`, line {line} (row {row}): {found} {} where the header has {expected}",
                if *found == 1 { "cell" } else { "cells" }
            );
            let diagnostic = Diagnostic::error(if *last { Code::ReportTruncated } else { Code::ReportRagged }, message);
            match last {
                true => {
                    diagnostic.help("it is the last line and has no line end: the file may be cut off; export it again")
                }
                false => diagnostic.help("a delimiter inside a cell must stand between quotes; look at that line. Lines above the header: `skip_lines:`"),
            }
        }
        CsvError::UnclosedQuote { line, at, .. } => Diagnostic::error(
            Code::ReportTruncated,
            format!("`{name}`, line {line}, position {at}{column}: the quote opened here is never closed"),
        )
        .help("the file is cut off, or has a quote too many; export it again"),
        CsvError::TextAfterQuote { line, at, .. } => Diagnostic::error(
            Code::ReportRagged,
            format!("`{name}`, line {line}, position {at}{column}: text after a closing quote"),
        )
        .help("a quote inside a quoted cell is written twice"),
        CsvError::CellTooLong { line, limit, .. } => Diagnostic::error(
            Code::ReportLineTooLong,
            format!("`{name}`, line {line}{column}: a cell of more than {limit} bytes"),
        )
        .help("most often a closing quote is missing, or this is not a CSV file"),
        CsvError::RowTooLong { line, limit } => Diagnostic::error(
            Code::ReportLineTooLong,
            format!("`{name}`, line {line}: a line of more than {limit} bytes"),
        )
        .help("most often line ends are missing, or this is not a CSV file"),
        CsvError::TooManyColumns { line, limit } => {
            Diagnostic::error(Code::ReportLineTooLong, format!("`{name}`, line {line}: more than {limit} columns"))
                .help("most often line ends are missing, or this is not a CSV file")
        }
        CsvError::Nul { line, at } => {
            Diagnostic::error(Code::ReportEncoding, format!("`{name}`, line {line}, position {at}: a NUL byte"))
                .help("the file is not text, or its `encoding:` is UTF-16")
        }
        other => Diagnostic::error(Code::ReportUnreadable, format!("`{name}`: {other}")),
    }
}
