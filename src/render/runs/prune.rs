//! What of the history goes, for a terminal and as JSON (`footbridge runs-prune/1`).

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::json::text;
use crate::render::Options;
use crate::render::escape::Terminal;
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
    /// Runs that stay whole.
    pub staying: u64,
    /// Runs that lie elsewhere than in the folder: nothing of them is removed.
    pub elsewhere: u64,
    /// Bytes that are freed.
    pub bytes: u64,
    /// The files, from the repository's root.
    pub files: Vec<String>,
    /// Logs that cannot be read: left alone.
    pub unreadable: Vec<String>,
}

fn below(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}

/// As JSON.
pub fn prune_json(pruning: &Pruning, root: &Path, removed: bool) -> String {
    text(&PruneView {
        format: "footbridge runs-prune/1".to_owned(),
        removed,
        runs: pruning.runs,
        staying: pruning.staying,
        elsewhere: pruning.elsewhere,
        bytes: pruning.bytes(),
        files: pruning.going.iter().map(|file| below(&file.path, root)).collect(),
        unreadable: pruning.unreadable.iter().map(|path| below(path, root)).collect(),
    })
}

/// For a terminal.
pub fn prune(pruning: &Pruning, root: &Path, removed: bool, options: &Options) -> String {
    let mut out = String::new();
    let most = if options.full { usize::MAX } else { SHOWN };
    for file in pruning.going.iter().take(most) {
        out.push_str(&format!("  {}\n", Terminal(&below(&file.path, root))));
    }
    let left = pruning.going.len().saturating_sub(most);
    if left > 0 {
        out.push_str(&format!("  … and {} more (--json lists all)\n", grouped(left as u64)));
    }
    out.push_str(&match (pruning.going.is_empty(), removed) {
        (true, _) => "Nothing to remove.\n".to_owned(),
        (false, removed) => format!(
            "{} {} ({}), of {}.\n",
            counted(pruning.going.len() as u64, "file"),
            if removed { "removed" } else { "would go" },
            counted(pruning.bytes(), "byte"),
            counted(pruning.runs, "run")
        ),
    });
    out.push_str(&format!(
        "{} whole: the young ones, and always the last that was carried out of each integration, environment and org.\n",
        if pruning.staying == 1 { "1 run stays".to_owned() } else { format!("{} runs stay", grouped(pruning.staying)) }
    ));
    if pruning.elsewhere > 0 {
        out.push_str(&format!(
            "{} kept elsewhere than in the folder: left alone.\n",
            counted(pruning.elsewhere, "run")
        ));
    }
    for path in &pruning.unreadable {
        out.push_str(&format!("unreadable, left alone: {}\n", Terminal(&below(path, root))));
    }
    fold(&out, options.width)
}
