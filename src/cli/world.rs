//! What is outside the program: environment variables, the clock, the terminal. Read here and nowhere else.

use std::collections::BTreeSet;
use std::io::{ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use indicatif::ProgressBar;
use jiff::Timestamp;

use super::arguments::{ColourChoice, Global};
use super::documents::Documents;
use super::fetch::Downloads;
use super::lane::{Kept, Lane};
use crate::diag::Diagnostics;
use crate::render::fold;

/// The process's surroundings.
#[derive(Debug, Clone)]
pub struct World {
    /// The folder that the command was started in.
    pub here: PathBuf,
    /// `--root`, where given.
    root: Option<PathBuf>,
    /// Standard output is a person's terminal.
    pub terminal: bool,
    /// Standard error is a terminal: progress may be drawn.
    pub progress: bool,
    /// Standard input is a terminal: questions may be asked.
    pub asks: bool,
    /// Use colour on standard output.
    pub colour: bool,
    /// Use colour on standard error.
    pub colour_messages: bool,
    /// Columns of the terminal on standard output; `None` where there is none: lines may have any length.
    pub width: Option<u16>,
    /// Columns of the terminal on standard error.
    pub message_width: Option<u16>,
    /// Records, and rows of a group, to list of a plan, where fewer than usual are wanted (by the demo).
    pub listed: Option<(usize, usize)>,
    /// `--quiet`.
    pub quiet: bool,
    /// `--verbose`, counted.
    pub verbose: u8,
    /// `--json`: data is printed by [`World::document`].
    pub json: bool,
    /// With `--json`, what is printed; text then goes where messages go.
    documents: Option<Arc<Documents>>,
    /// `--memory`, in bytes.
    pub memory: u64,
    /// `--trusted-from`.
    pub trusted_from: Option<String>,
    /// The progress bar, while one is drawn: messages go above it.
    pub bar: Arc<Mutex<Option<ProgressBar>>>,
    /// Reports that were fetched.
    pub downloads: Downloads,
    /// GitHub reads what is printed, for annotations.
    annotate: Arc<AtomicBool>,
    /// Where several work side by side: what keeps this one's text.
    lane: Option<Arc<Lane>>,
    /// Repositories whose branch of run logs has been fetched by this process.
    pub fetched: Arc<Mutex<BTreeSet<PathBuf>>>,
    /// Variables set for this run only (the demo's).
    own: Vec<(String, String)>,
}

#[allow(clippy::disallowed_methods)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl World {
    /// As it is now.
    pub fn look(global: &Global) -> Self {
        let terminal = std::io::stdout().is_terminal();
        let messages = std::io::stderr().is_terminal();
        let plain = variable("NO_COLOR").is_some_and(|v| !v.is_empty()) || variable("TERM").as_deref() == Some("dumb");
        let colour = |terminal: bool| match global.color {
            ColourChoice::Always => true,
            ColourChoice::Never => false,
            ColourChoice::Auto => terminal && !plain,
        };
        let columns = variable("COLUMNS")
            .and_then(|c| c.parse().ok())
            .or_else(|| terminal_size::terminal_size().map(|(w, _)| w.0))
            .map_or(100, |c: u16| c.clamp(40, 200));
        Self {
            here: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
            root: global.root.clone(),
            terminal,
            progress: messages && !global.quiet,
            asks: std::io::stdin().is_terminal() && messages,
            colour: colour(terminal),
            colour_messages: colour(messages),
            width: terminal.then_some(columns),
            message_width: messages.then_some(columns),
            listed: None,
            bar: Arc::default(),
            quiet: global.quiet,
            verbose: global.verbose,
            json: global.json,
            documents: global.json.then(Arc::default),
            memory: global.memory,
            downloads: Downloads::default(),
            trusted_from: global.trusted_from.clone(),
            annotate: Arc::new(AtomicBool::new(variable("GITHUB_ACTIONS").as_deref() == Some("true"))),
            lane: None,
            fetched: Arc::default(),
            own: Vec::new(),
        }
    }

    /// The same in another repository.
    #[must_use]
    pub fn within(self, root: &Path) -> Self {
        Self { here: root.to_owned(), root: Some(root.to_owned()), ..self }
    }

    /// The same with `--quiet` or without.
    #[must_use]
    pub fn hushed(self, quiet: bool) -> Self {
        Self { quiet, ..self }
    }

    /// The same for one of so many that work side by side: its text is kept, no bar is drawn, nobody is asked, and the memory is shared.
    #[must_use]
    pub fn in_lane(self, lane: Arc<Lane>, of: usize) -> Self {
        let memory = self.memory / u64::try_from(of.max(1)).unwrap_or(1);
        let documents = self.documents.map(|_| Arc::default());
        Self { lane: Some(lane), progress: false, asks: false, bar: Arc::default(), memory, documents, ..self }
    }

    /// The same for a step of another command, whose text is for a person.
    #[must_use]
    pub fn for_a_person(self) -> Self {
        Self { json: false, ..self }
    }

    /// The same with a variable set.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.own.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same with fewer records, and rows of a group, listed of a plan.
    #[must_use]
    pub fn listing(self, records: usize, rows: usize) -> Self {
        Self { listed: Some((records, rows)), ..self }
    }

    /// How this program can be called by its name here: with nothing done first, or with its folder put on the path.
    pub fn on_path(&self) -> Result<(), PathBuf> {
        let this = std::env::current_exe().and_then(std::fs::canonicalize);
        let (Ok(this), Some(path)) = (this, variable("PATH")) else { return Ok(()) };
        let name = this.file_name().unwrap_or_default();
        let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
        match found.and_then(|file| std::fs::canonicalize(file).ok()) {
            Some(file) if file == this => Ok(()),
            _ => Err(this.parent().map(Path::to_owned).unwrap_or_default()),
        }
    }

    /// An environment variable.
    pub fn variable(&self, name: &str) -> Option<String> {
        let own = self.own.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
        own.or_else(|| variable(name))
    }

    /// Panics when `FOOTBRIDGE_PANIC` names this stage (`start`, `planned`, `sending`), with `held` in the message: so that tests can see that a bug
    /// ends with exit code 70, and that nothing of what a panic holds is printed.
    #[allow(clippy::panic)]
    pub fn bug_on_demand(&self, stage: &str, held: &dyn std::fmt::Debug) {
        if variable("FOOTBRIDGE_PANIC").as_deref() == Some(stage) {
            panic!("asked for by FOOTBRIDGE_PANIC: {held:?}");
        }
    }

    /// Is this a machine's run of CI (`CI` is set, as every CI system does)?
    pub fn is_ci(&self) -> bool {
        self.variable("CI").is_some_and(|ci| !ci.is_empty() && ci != "false")
    }

    /// From now on problems are annotations, too.
    pub fn annotate(&self) {
        self.annotate.store(true, Ordering::Relaxed);
    }

    /// Are problems annotations, too? Then with what is put before their paths: the root's folder in what was checked out.
    pub fn annotates(&self) -> Option<String> {
        self.annotate.load(Ordering::Relaxed).then(|| {
            let workspace = self.variable("GITHUB_WORKSPACE").map(PathBuf::from);
            let root = std::fs::canonicalize(self.root()).ok();
            let workspace = workspace.and_then(|folder| std::fs::canonicalize(folder).ok());
            let below = root.zip(workspace).and_then(|(r, w)| r.strip_prefix(w).ok().map(Path::to_owned));
            let below = below.filter(|folder| !folder.as_os_str().is_empty());
            below.map_or_else(String::new, |folder| format!("{}/", folder.display()))
        })
    }

    /// A command for the CI that reads standard error. Nothing but [`crate::render::diagnostics::github`] makes one.
    pub fn command(&self, text: &str) {
        let mut out = std::io::stderr().lock();
        let _ = writeln!(out, "{text}");
    }

    /// The time (UTC). `FOOTBRIDGE_NOW` fixes it, for tests and recordings.
    #[allow(clippy::disallowed_methods)]
    pub fn now(&self) -> Timestamp {
        variable("FOOTBRIDGE_NOW").and_then(|t| t.parse().ok()).unwrap_or_else(Timestamp::now)
    }

    /// The repository's root: `--root`, or the nearest folder upwards that holds `integrations/`.
    pub fn root(&self) -> PathBuf {
        if let Some(root) = &self.root {
            return root.clone();
        }
        let found = self.here.ancestors().find(|f| f.join("integrations").is_dir());
        found.map(Path::to_owned).unwrap_or_else(|| self.here.clone())
    }

    /// Data, to standard output; with `--json`, which prints one document there, to standard error. A closed pipe is no error.
    pub fn print(&self, text: &str) {
        if self.documents.is_some() {
            if !self.quiet {
                self.warn(text.trim_end_matches('\n'));
            }
            return;
        }
        if let Some(lane) = &self.lane {
            let line = if text.ends_with('\n') { "" } else { "\n" };
            let _ = lane.print(text.as_bytes()).and_then(|()| lane.print(line.as_bytes()));
            return;
        }
        let mut out = std::io::stdout().lock();
        let printed = out
            .write_all(text.as_bytes())
            .and_then(|()| if text.ends_with('\n') { Ok(()) } else { out.write_all(b"\n") });
        noted(printed.and_then(|()| out.flush()).err().as_ref());
    }

    /// Text that is made while it is written, to where [`World::print`] prints. A closed pipe is no error, and ends the making.
    ///
    /// # Errors
    /// Making it failed.
    pub fn stream(&self, make: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> std::io::Result<()> {
        if self.documents.is_some() {
            let mut text = Vec::new();
            make(&mut text)?;
            self.print(&String::from_utf8_lossy(&text));
            return Ok(());
        }
        self.out(make)
    }

    fn out(&self, make: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> std::io::Result<()> {
        if let Some(lane) = &self.lane {
            let mut out = std::io::BufWriter::with_capacity(1 << 16, Kept(lane));
            return make(&mut out).and_then(|()| out.flush());
        }
        let mut out = Pipe { out: std::io::BufWriter::with_capacity(1 << 16, std::io::stdout().lock()), closed: false };
        let made = make(&mut out);
        let _ = out.flush();
        if out.closed { Ok(()) } else { made }
    }

    /// With `--json`: the command's document, made while it is written. A closed pipe is no error, and ends the making.
    ///
    /// # Errors
    /// Making it failed.
    pub fn document(&self, make: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> std::io::Result<()> {
        match &self.documents {
            Some(documents) => self.out(|out| documents.write(out, make)),
            None => self.out(make),
        }
    }

    /// The same from what is there already.
    pub fn data(&self, text: &str) {
        let _ = self.document(|out| out.write_all(text.as_bytes()));
    }

    /// With `--json`: what follows is of several integrations, and a list.
    pub fn several(&self) {
        self.documents.iter().for_each(|documents| documents.list());
    }

    /// With `--json`: keeps problems for the document.
    pub fn found(&self, found: &Diagnostics) {
        self.documents.iter().for_each(|documents| documents.told(found));
    }

    /// With `--json`: the next document is another's.
    pub fn end_document(&self) {
        self.documents.iter().for_each(|documents| _ = self.out(|out| documents.end(out)));
    }

    /// With `--json`: the command is over, or what is done in this lane.
    pub fn close_documents(&self) {
        self.documents.iter().for_each(|documents| _ = self.out(|out| documents.close(out, self.lane.is_none())));
    }

    /// Shows what a lane kept: its data, then its messages.
    pub fn show(&self, lane: &Lane) {
        let begin = |out: &mut dyn Write| match &self.documents {
            Some(documents) if !lane.is_silent() => documents.next(out),
            _ => Ok(()),
        };
        // A closed pipe is no error.
        let _ = self.out(|out| begin(out).and_then(|()| lane.show(out, &mut std::io::stderr().lock())));
    }

    /// Sentences for a reader, to standard output: lines are broken between words.
    pub fn tell(&self, text: &str) {
        self.print(&fold(text, self.width));
    }

    /// A message, to standard error; not with `--quiet`.
    pub fn say(&self, text: &str) {
        if self.quiet {
            return;
        }
        let text = fold(text, self.message_width);
        match &self.lane {
            Some(lane) => self.line(&lane.named(&text)),
            None => self.line(&text),
        }
    }

    /// A message that `--quiet` does not silence, with its lines as they are.
    pub fn warn(&self, text: &str) {
        match &self.lane {
            Some(lane) => _ = lane.warn(format!("{text}\n").as_bytes()),
            None => self.line(text),
        }
    }

    fn line(&self, text: &str) {
        // Where GitHub reads along, only `command` gives commands.
        let reads = self.annotate.load(Ordering::Relaxed);
        let text = &if reads { harmless(text) } else { text.to_owned() };
        let line = || {
            let mut out = std::io::stderr().lock();
            let _ = writeln!(out, "{text}");
        };
        // A clone, so that the bar can be taken away at the same time.
        let bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match bar {
            Some(bar) => bar.suspend(line),
            None => line(),
        }
    }

    /// Asks a person; `None` where there is nobody to ask.
    pub fn ask(&self, question: &str) -> Option<String> {
        if !self.asks {
            return None;
        }
        {
            // Let go of it before waiting: somebody else may have to say that the question is off.
            let mut out = std::io::stderr().lock();
            let _ = write!(out, "{} ", fold(question, self.message_width));
            let _ = out.flush();
        }
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).ok()?;
        Some(answer.trim().to_owned())
    }
}

/// The text without a command for GitHub's runner: `::name::` at the start of a line, `##[name]` anywhere.
fn harmless(text: &str) -> String {
    let line = |line: &str| match line.trim_start().starts_with("::") {
        true => line.replacen("::", ": :", 1),
        false => line.to_owned(),
    };
    text.replace("##[", "## [").split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// Why standard output is not whole; nothing where it is, or where nobody reads it any more.
static LOST: OnceLock<std::io::ErrorKind> = OnceLock::new();

/// Why what was printed is not whole: a full disk, say. A closed pipe is no such reason.
pub fn output_lost() -> Option<std::io::ErrorKind> {
    LOST.get().copied()
}

fn noted(error: Option<&std::io::Error>) {
    if let Some(kind) = error.map(std::io::Error::kind)
        && !matches!(kind, ErrorKind::BrokenPipe | ErrorKind::Interrupted)
    {
        let _ = LOST.set(kind);
    }
}

/// Standard output that remembers whether anybody reads it.
struct Pipe<W> {
    out: W,
    closed: bool,
}

impl<W: Write> Write for Pipe<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.out.write(bytes);
        self.closed |= written.is_err();
        noted(written.as_ref().err());
        written
    }

    fn flush(&mut self) -> std::io::Result<()> {
        let flushed = self.out.flush();
        self.closed |= flushed.is_err();
        noted(flushed.as_ref().err());
        flushed
    }
}
