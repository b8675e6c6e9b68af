//! What commands print as JSON that have no page, plan or run to show: files, locks, codes, a message.

use schemars::JsonSchema;
use serde::Serialize;

pub use super::escape::json_text as json;
use crate::diag::Code;
use crate::runlog::git::LockNote;

/// Files that a command wrote.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Footbridge files")]
pub struct FilesView {
    /// Always `footbridge files-view/1`.
    #[schemars(extend("const" = "footbridge files-view/1"))]
    format: &'static str,
    /// The folder that they are in.
    folder: String,
    /// The files.
    files: Vec<FileView>,
    /// Environment variables that they need to be given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    variables: Vec<String>,
}

/// One file.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "File")]
pub struct FileView {
    /// Below the folder.
    pub path: String,
    /// What became of it.
    pub outcome: FileOutcome,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileOutcome {
    /// Written.
    Written,
    /// It was there already, and is as it was.
    Kept,
    /// Not asked for: it could be written.
    Known,
}

impl FilesView {
    /// None so far.
    pub fn new(folder: impl Into<String>) -> Self {
        Self { format: "footbridge files-view/1", folder: folder.into(), files: Vec::new(), variables: Vec::new() }
    }

    /// One more.
    pub fn file(&mut self, path: impl Into<String>, outcome: FileOutcome) {
        self.files.push(FileView { path: path.into(), outcome });
    }

    /// What they need to be given.
    pub fn variables(&mut self, names: impl IntoIterator<Item = String>) {
        self.variables.extend(names);
    }
}

/// Locks on the remote.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Footbridge locks")]
pub struct LocksView<'a> {
    /// Always `footbridge locks-view/1`.
    #[schemars(extend("const" = "footbridge locks-view/1"))]
    pub format: &'static str,
    /// Those that are held; or the one that was taken away.
    pub locks: Vec<LockView<'a>>,
    /// Was it taken away?
    pub taken_away: bool,
    /// What its run left, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<String>,
}

/// One lock.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Lock")]
pub struct LockView<'a> {
    /// The branch that it is.
    pub branch: &'a str,
    /// Is it held? If not, it only keeps what a run has begun and not logged.
    pub held: bool,
    /// Who holds it; null where that cannot be read.
    pub lock: Option<&'a LockNote>,
    /// For how long.
    pub age_seconds: Option<u64>,
    /// Is it past its time?
    pub stale: Option<bool>,
    /// The runs that have begun to write and have no log yet.
    pub begun: Vec<BegunView<'a>>,
}

/// A run that has begun to write.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Begun")]
pub struct BegunView<'a> {
    /// The run.
    pub run: &'a str,
    /// How many records it was to write.
    pub records: u64,
}

/// Error codes.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Footbridge codes")]
pub struct CodesView {
    /// Always `footbridge codes-view/1`.
    #[schemars(extend("const" = "footbridge codes-view/1"))]
    format: &'static str,
    /// The one that was asked for, or all.
    codes: Vec<CodeView>,
}

/// One code.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Code")]
struct CodeView {
    /// `FB0103`
    code: &'static str,
    /// What it is about, in a few words.
    title: &'static str,
    /// What it means and how to mend it, in Markdown.
    page: &'static str,
}

impl CodesView {
    /// Of these.
    pub fn of(codes: &[Code]) -> Self {
        let view = |code: &Code| CodeView { code: code.as_str(), title: code.title(), page: code.page() };
        Self { format: "footbridge codes-view/1", codes: codes.iter().map(view).collect() }
    }
}

/// A message to the Salesforce admin.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Footbridge request")]
pub struct RequestView<'a> {
    /// Always `footbridge request-view/1`.
    #[schemars(extend("const" = "footbridge request-view/1"))]
    pub format: &'static str,
    /// The subject.
    pub subject: &'a str,
    /// The text.
    pub body: &'a str,
}

/// An emulated org that listens.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Footbridge emulator")]
pub struct EmulatorView<'a> {
    /// Always `footbridge emulator-view/1`.
    #[schemars(extend("const" = "footbridge emulator-view/1"))]
    pub format: &'static str,
    /// Where.
    pub url: &'a str,
    /// The org's id.
    pub org_id: &'a str,
    /// A session.
    pub access_token: &'a str,
    /// Other log-ins. These open this emulator and nothing else.
    pub client_id: &'a str,
    /// The app's secret.
    pub client_secret: &'a str,
    /// The user.
    pub username: &'a str,
    /// The user's refresh token.
    pub refresh_token: &'a str,
}
