//! What an ingest job does: the upload is checked whole, then its rows are saved, 200 a transaction and 10,000 a batch, by the
//! same rules as in collections. Results come out in another order than the rows went in.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::super::faults::Action;
use super::super::ids::eighteen;
use super::super::options::Habits;
use super::super::people::User;
use super::super::problem::Problem;
use super::super::schema::{Catalog, ObjectDef};
use super::super::state::State;
use super::super::store::rows::cell;
use super::super::write::draft::Draft;
use super::super::write::{save, target};
use super::cells;
use super::columns::{self, Header};
use super::delimited::Rows;
use super::job::{Dialect, Files};
use super::locks::{Lanes, ParentLock};
use super::prepared::Writer;
use super::script::JobScript;

/// Rows of an internal batch.
pub const BATCH: usize = 10_000;
/// Rows of a transaction.
const CHUNK: usize = 200;
/// The longest cell and the longest row, in characters.
const LONGEST_CELL: usize = 131_072;
const LONGEST_ROW: usize = 400_000;

/// An upload on its way into the org.
pub struct Work {
    text: Arc<Vec<u8>>,
    dialect: Dialect,
    header: String,
    at: usize,
    /// Rows processed so far.
    pub row: usize,
    done: Writer,
    failed: Writer,
    first: Vec<Vec<u8>>,
    lanes: Lanes,
    hit: usize,
}

/// Who saves what, and what scripts do to the rows.
pub struct Orders {
    /// The job's id.
    pub job: String,
    /// Its user.
    pub user: User,
    /// Its object.
    pub object: String,
    /// How its file is written.
    pub dialect: Dialect,
    /// Its script.
    pub script: JobScript,
    /// Faults of rows.
    pub faults: Vec<Action>,
}

impl Orders {
    fn object<'c>(&self, catalog: &'c Catalog) -> Result<&'c ObjectDef, String> {
        catalog.object(&self.object).ok_or_else(|| format!("InvalidJob : Unable to find object: {}", self.object))
    }
}

fn text_of(upload: &[u8]) -> Result<&str, String> {
    let wrong = |e: std::str::Utf8Error| format!("ClientInputError : Invalid UTF-8 at byte {}", e.valid_up_to());
    std::str::from_utf8(upload).map_err(wrong)
}

/// Reads the upload to its end before anything is written. Returns its rows' number, too.
///
/// # Errors
/// `errorMessage` of the job, which fails as a whole then.
pub fn check(state: &State, orders: &Orders, upload: Arc<Vec<u8>>) -> Result<(Work, usize), String> {
    let catalog = Arc::clone(&state.org().model.catalog);
    let object = orders.object(&catalog)?;
    let text = text_of(&upload)?;
    let Dialect { delimiter, line_end } = orders.dialect;
    if !line_end.agrees(text) {
        let name = line_end.name();
        let message = "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is";
        return Err(format!("{message} {name}"));
    }
    let unreadable = |e: super::delimited::Unreadable| format!("ClientInputError : {e}");
    let mut rows = Rows::new(text, 0, delimiter, line_end);
    let mut cells = Vec::new();
    let raw = rows.next(&mut cells).map_err(unreadable)?;
    let raw = raw.ok_or_else(|| "InvalidBatch : Failed to parse CSV header. EmptyHeader".to_owned())?.to_owned();
    let header = columns::read(object, &orders.user, &raw, &cells)?;
    let at = rows.at();
    let mut count = 0;
    while let Some(row) = rows.next(&mut cells).map_err(unreadable)? {
        count += 1;
        if cells.len() != header.count {
            let (found, wanted) = (cells.len(), header.count);
            return Err(format!("InvalidBatch : Row {count} has {found} columns, the header has {wanted}"));
        }
        let long = |text: &str, most: usize| text.len() > most && text.chars().count() > most;
        if long(row, LONGEST_ROW) {
            return Err(format!("InvalidBatch : Row {count} is longer than {LONGEST_ROW} characters"));
        }
        if let Some(column) = cells.iter().position(|c| long(c, LONGEST_CELL)) {
            let message = format!("Row {count}, column {column}: longer than {LONGEST_CELL} characters");
            return Err(format!("InvalidBatch : {message}"));
        }
    }
    let work = Work {
        text: Arc::clone(&upload),
        dialect: orders.dialect,
        header: raw,
        at,
        row: 0,
        done: Writer::new(),
        failed: Writer::new(),
        first: Vec::new(),
        lanes: Lanes::default(),
        hit: 0,
    };
    Ok((work, count))
}

/// A row's result: was it saved, and its line in the results.
type Line = (bool, Vec<u8>);

impl Work {
    /// Rows that failed so far.
    pub fn failures(&self) -> usize {
        self.failed.rows()
    }

    /// Saves up to `most` further rows in one go. False when there are no more.
    pub fn save(&mut self, state: &State, orders: &Orders, most: usize) -> Result<bool, String> {
        let upload = Arc::clone(&self.text);
        let text = text_of(&upload)?;
        let org = state.org();
        let catalog = Arc::clone(&org.model.catalog);
        let object = orders.object(&catalog)?;
        let Dialect { delimiter, line_end } = self.dialect;
        let mut names = Vec::new();
        let mut rows = Rows::new(text, 0, delimiter, line_end);
        // It was read before.
        let raw = rows.next(&mut names).ok().flatten().unwrap_or_default();
        let header = columns::read(object, &orders.user, raw, &names)?;
        let mut rows = Rows::new(text, self.at, delimiter, line_end);
        let now = state.now();
        let failed = |e: rusqlite::Error| format!("UnknownException : {e}");
        let transaction = org.db.unchecked_transaction().map_err(failed)?;
        let mut cells: Vec<Cow<'_, str>> = Vec::new();
        let mut lines: Vec<Line> = Vec::with_capacity(most.min(BATCH));
        let mut repeats: HashMap<String, usize> = HashMap::new();
        let mut more = true;
        while lines.len() < most {
            let Ok(Some(raw)) = rows.next(&mut cells) else {
                more = false;
                break;
            };
            if self.row.is_multiple_of(CHUNK) {
                repeats.clear();
            }
            let sent = header.id.and_then(|column| cells.get(column)).map(|c| &**c);
            let saved = target::id(object, sent).map_err(|p| vec![p]).and_then(|id| {
                if header.id.is_some() {
                    let seen = repeats.entry(id.clone()).or_insert(0);
                    *seen += 1;
                    if *seen > target::MOST_REPEATS {
                        return Err(vec![target::repeated(&id)]);
                    }
                }
                self.hindered(state, &org.db, orders, object, &id)?;
                let draft = draft(object, &header, &cells, org.habits).map_err(|p| vec![p])?;
                save::record(&org, &orders.user, &draft, &id, now).map(|()| id)
            });
            self.row += 1;
            lines.push(line(saved, sent.unwrap_or_default(), raw, self.dialect));
        }
        transaction.commit().map_err(failed)?;
        drop(org);
        self.at = rows.at();
        // The order is Salesforce's own.
        for (saved, line) in lines.iter().rev() {
            let file = if *saved { &mut self.done } else { &mut self.failed };
            file.row(line).map_err(|e| format!("UnknownException : {e}"))?;
            if *saved && self.first.len() < orders.script.twice {
                self.first.push(line.clone());
            }
        }
        Ok(more)
    }

    /// What a script or a lock has against this row.
    fn hindered(
        &mut self,
        state: &State,
        db: &rusqlite::Connection,
        orders: &Orders,
        object: &ObjectDef,
        id: &str,
    ) -> Result<(), Vec<Problem>> {
        for fault in &orders.faults {
            if let Some(problem) = fault.of_record(id, self.row, self.hit) {
                self.hit += 1;
                return Err(vec![problem]);
            }
            let Action::LockParents(lock) = fault else { continue };
            let Some(parent) = parent(db, object, id, lock).map_err(|e| vec![e.into()])? else { continue };
            if !(self.lanes.take(lock, self.row, &parent) && state.jobs().held.take(&orders.job, &parent)) {
                let message = format!("unable to obtain exclusive access to this record or 1 records: {parent}");
                return Err(vec![Problem::of_record("UNABLE_TO_LOCK_ROW", message, &[])]);
            }
        }
        Ok(())
    }

    /// The files, with everything not yet processed as left over.
    pub fn close(mut self, script: &JobScript) -> std::io::Result<Files> {
        let mut left = Writer::new();
        let end = self.dialect.line_end.text();
        let text = std::str::from_utf8(&self.text).unwrap_or_default();
        let mut rows = Rows::new(text, self.at, self.dialect.delimiter, self.dialect.line_end);
        let mut cells = Vec::new();
        while let Ok(Some(raw)) = rows.next(&mut cells) {
            left.row(format!("{raw}{end}").as_bytes())?;
        }
        for line in &self.first {
            self.done.row(line)?;
        }
        for line in &script.add {
            self.done.row(format!("{line}{end}").as_bytes())?;
        }
        Ok(Files {
            header: self.header,
            done: Arc::new(self.done.close(script.drop)?),
            failed: Arc::new(self.failed.close(0)?),
            left: Arc::new(left.close(0)?),
        })
    }
}

/// Files of an upload of which nothing was processed: all its rows are left over.
pub fn untouched(upload: Option<&[u8]>, dialect: Dialect) -> Files {
    let Some(text) = upload.and_then(|u| std::str::from_utf8(u).ok()) else { return Files::none(String::new()) };
    let mut rows = Rows::new(text, 0, dialect.delimiter, dialect.line_end);
    let (mut cells, mut left) = (Vec::new(), Writer::new());
    let header = rows.next(&mut cells).ok().flatten().unwrap_or_default().to_owned();
    let mut fine = true;
    while let Ok(Some(raw)) = rows.next(&mut cells) {
        fine &= left.row(format!("{raw}{}", dialect.line_end.text()).as_bytes()).is_ok();
    }
    let mut files = Files::none(header);
    if let Ok(left) = left.close(0)
        && fine
    {
        files.left = Arc::new(left);
    }
    files
}

fn parent(
    db: &rusqlite::Connection,
    object: &ObjectDef,
    id: &str,
    lock: &ParentLock,
) -> rusqlite::Result<Option<String>> {
    let Some(field) = object.field(&lock.field) else { return Ok(None) };
    Ok(match cell(db, &object.name, id, &field.name)? {
        rusqlite::types::Value::Text(parent) => Some(parent),
        _ => None,
    })
}

fn draft<'m>(
    object: &'m ObjectDef,
    header: &Header<'m>,
    cells: &[Cow<'_, str>],
    habits: Habits,
) -> Result<Draft<'m>, Problem> {
    let mut changes = Vec::with_capacity(header.fields.len());
    for (column, field) in &header.fields {
        if let Some(typed) = cells::typed(field, &cells[*column], *column, habits)? {
            changes.push((*field, typed));
        }
    }
    Ok(Draft { object, changes })
}

/// `"00Q…","false",…` or `"00Q…","CODE:message:Field --",…`, then the row as it was sent.
fn line(saved: Result<String, Vec<Problem>>, sent: &str, raw: &str, dialect: Dialect) -> Line {
    let Dialect { delimiter, line_end } = dialect;
    let end = line_end.text();
    match saved {
        Ok(id) => (true, format!("\"{id}\"{delimiter}\"false\"{delimiter}{raw}{end}").into_bytes()),
        Err(problems) => {
            let told: String = problems.into_iter().map(target::among_many).map(|p| told(&p)).collect();
            let (id, told) = (eighteen(sent).unwrap_or_default(), told.replace('"', "\"\""));
            (false, format!("\"{id}\"{delimiter}\"{told}\"{delimiter}{raw}{end}").into_bytes())
        }
    }
}

/// `REQUIRED_FIELD_MISSING:Required fields are missing: [Industry]:Industry --`; several follow one another.
fn told(problem: &Problem) -> String {
    let fields = problem.fields.clone().unwrap_or_default().join(", ");
    let space = if fields.is_empty() { "" } else { " " };
    format!("{}:{}:{fields}{space}--", problem.code, problem.message)
}
