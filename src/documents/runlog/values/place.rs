//! Where a run's values lie, and how the file is called.

use std::fmt;
use std::path::{Path, PathBuf};

use super::{Keep, ValuesProblem};
use crate::model::OrgId;
use crate::runlog::safe_segment;

/// To whom a committed file is encrypted: an age public key, which is no secret.
#[derive(Clone)]
pub struct Recipient(pub(super) age::x25519::Recipient);

impl Recipient {
    /// Reads `age1…`.
    ///
    /// # Errors
    /// It is none; recipients of plugins and SSH keys are none.
    pub fn parse(text: &str) -> Result<Self, ValuesProblem> {
        text.parse().map(Self).map_err(|_| ValuesProblem::BadRecipient { text: text.to_owned() })
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Where the values of a run are written.
#[derive(Debug, Clone)]
pub enum Place {
    /// Plain, below this folder (`.footbridge/values`).
    Local(PathBuf),
    /// Encrypted, below the folder of run logs.
    Committed {
        /// The folder of run logs.
        runs: PathBuf,
        /// To whom. One at least.
        recipients: Vec<Recipient>,
    },
}

impl Place {
    /// What it is called in the configuration.
    pub fn keep(&self) -> Keep {
        match self {
            Place::Local(_) => Keep::Local,
            Place::Committed { .. } => Keep::Committed,
        }
    }

    /// The file of a run.
    pub fn path(&self, integration: &str, org_id: OrgId, run: &str) -> PathBuf {
        match self {
            Place::Local(folder) => local(folder, integration, org_id, run),
            Place::Committed { runs, .. } => committed(runs, integration, org_id, run),
        }
    }
}

/// The file with a run's values on this machine, below the folder for them. Nothing that stands in a file leads elsewhere.
pub fn local(folder: &Path, integration: &str, org_id: OrgId, run: &str) -> PathBuf {
    folder.join(safe_segment(integration)).join(org_id.as_str()).join(format!("{}.jsonl", safe_segment(run)))
}

/// The one in the folder of run logs. A run's stamp begins with its year.
pub fn committed(runs: &Path, integration: &str, org_id: OrgId, run: &str) -> PathBuf {
    let year = safe_segment(run.get(..4).unwrap_or("0000"));
    let folder = runs.join(safe_segment(integration)).join(org_id.as_str()).join(year);
    folder.join(format!("{}.values.age", safe_segment(run)))
}

/// Does it take a key to open this file?
pub fn is_sealed(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "age")
}
