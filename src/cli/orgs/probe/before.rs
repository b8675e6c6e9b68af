//! What a probed record held before, on this machine, from before the first write until it is back. It holds values of a record: this user's alone, never
//! committed.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::repository::state_folder;
use crate::diag::{Code, Diagnostic};
use crate::model::OrgId;
use crate::probe::Held;

/// The file of an org.
pub struct Before(PathBuf);

impl Before {
    /// Its place.
    pub fn of(root: &Path, org_id: OrgId) -> Self {
        Self(state_folder(root).join("probe").join(format!("{}.json", org_id.as_str())))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Is something to be put back?
    pub fn is_there(&self) -> bool {
        self.0.exists()
    }

    /// What is to be put back.
    ///
    /// # Errors
    /// A file that cannot be read, or is none.
    pub fn read(&self) -> Result<Held, Failure> {
        let text = std::fs::read_to_string(&self.0).map_err(|e| Failure::io("read", &self.0, &e))?;
        serde_json::from_str(&text).map_err(|_| {
            let message = format!("{} cannot be read: it was cut off or changed", self.0.display());
            let diagnostic = Diagnostic::error(Code::ProbeNotRestored, message)
                .note("the record of the last probe may hold values that the probe wrote (they begin with `footbridge`)")
                .help("look at the record in Salesforce (its field history has the values from before), then delete the file");
            Failure::new(Exit::Failed, diagnostic)
        })
    }

    /// Keeps it, whole or not at all.
    pub fn keep(&self, held: &Held) -> std::io::Result<()> {
        let folder = self.0.parent().unwrap_or(Path::new("."));
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(folder)?;
        // A temporary file is this user's alone.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&serde_json::to_vec(held)?)?;
        file.as_file().sync_all()?;
        file.persist(&self.0).map_err(|e| e.error)?;
        if cfg!(unix) { std::fs::File::open(folder)?.sync_all() } else { Ok(()) }
    }

    /// The record is as it was.
    pub fn forget(&self) -> Result<(), Failure> {
        std::fs::remove_file(&self.0).map_err(|e| Failure::io("remove", &self.0, &e))
    }
}
