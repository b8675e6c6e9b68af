//! What of the history goes, for a terminal and as JSON (`footbridge runs-prune/1`).

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::render::Options;
use crate::render::escape::Terminal;
use crate::render::escape::json_text;
use crate::render::fold::fold;
use crate::render::wording::{counted, grouped};
use crate::runlog::Pruning;

/// Files shown, unless all are.
const SHOWN: usize = 20;

/// What goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "Footbridge runs pruned")]
pub struct PruneView {
    /// Always `footbridge runs-prune/1`.
    #[schemars(extend("const" = "footbridge runs-prune/1"))]
    pub format: String,
    /// Are the files removed? Otherwise they would be.
    pub removed: bool,
    /// Runs that lose files.
    pub runs: u64,
    /// Runs of which nothing goes.
    pub staying: u64,
    /// Runs with old files on the branch of run logs, which stay there: `--push` removes them.
    pub elsewhere: u64,
    /// Bytes that are freed here.
    pub bytes: u64,
    /// The files that go here, from the repository's root.
    pub files: Vec<String>,
    /// The files that go from the branch of run logs, from the repository's root. Git's history keeps them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub branch: Vec<String>,
    /// Logs that cannot be read: left alone.
    pub unreadable: Vec<String>,
}

fn below(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}

/// The branch's names of these files. `folder`: that of run logs, below the root.
fn on_branch<'a>(pruning: &'a Pruning, folder: &'a str) -> impl Iterator<Item = String> + 'a {
    pruning.branch.iter().map(move |name| format!("{folder}/{name}"))
}

/// As JSON.
pub fn prune_json(pruning: &Pruning, root: &Path, folder: &str, removed: bool) -> String {
    json_text(&PruneView {
        format: "footbridge runs-prune/1".to_owned(),
        removed,
        runs: pruning.runs,
        staying: pruning.staying,
        elsewhere: pruning.elsewhere,
        bytes: pruning.bytes(),
        files: pruning.going.iter().map(|file| below(&file.path, root)).collect(),
        branch: on_branch(pruning, folder).collect(),
        unreadable: pruning.unreadable.iter().map(|path| below(path, root)).collect(),
    })
}

/// For a terminal.
pub fn prune(pruning: &Pruning, root: &Path, folder: &str, removed: bool, options: &Options) -> String {
    let mut out = String::new();
    let most = if options.full { usize::MAX } else { SHOWN };
    let here = pruning.going.iter().map(|file| below(&file.path, root));
    for file in here.chain(on_branch(pruning, folder).map(|file| format!("on the branch: {file}"))).take(most) {
        out.push_str(&format!("  {}\n", Terminal(&file)));
    }
    let left = pruning.files().saturating_sub(most as u64);
    if left > 0 {
        out.push_str(&format!("  … and {} more (--json lists all)\n", grouped(left)));
    }
    let what = if removed { "removed" } else { "would go" };
    let mut going = Vec::new();
    if !pruning.going.is_empty() {
        let bytes = counted(pruning.bytes(), "byte");
        going.push(format!("{} {what} ({bytes})", counted(pruning.going.len() as u64, "file")));
    }
    if !pruning.branch.is_empty() {
        going.push(format!("{} {what} from the branch", counted(pruning.branch.len() as u64, "file")));
    }
    out.push_str(&match going.is_empty() {
        true => "Nothing to remove.\n".to_owned(),
        false => format!("{}, of {}.\n", going.join(", "), counted(pruning.runs, "run")),
    });
    if !pruning.branch.is_empty() {
        out.push_str("Git's history of the branch still holds what its newest commit does not.\n");
    }
    out.push_str(&format!(
        "{} whole: the young ones, and always the last that was carried out and the last that wrote, of each integration, environment and org.\n",
        if pruning.staying == 1 { "1 run stays".to_owned() } else { format!("{} runs stay", grouped(pruning.staying)) }
    ));
    if pruning.elsewhere > 0 {
        out.push_str(&format!(
            "{} older files on the branch of run logs, which stay there: `--push` removes them.\n",
            if pruning.elsewhere == 1 {
                "1 run has".to_owned()
            } else {
                format!("{} runs have", grouped(pruning.elsewhere))
            }
        ));
    }
    for path in &pruning.unreadable {
        out.push_str(&format!("unreadable, left alone: {}\n", Terminal(&below(path, root))));
    }
    fold(&out, options.width)
}
