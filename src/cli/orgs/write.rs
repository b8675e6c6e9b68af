//! Writes an org's id into its file: one place of the text, and the file replaced as a whole.

use std::io::Write as _;

use crate::cli::connect::Door;
use crate::cli::failure::Failure;
use crate::config;
use crate::diag::Code;
use crate::model::OrgId;

/// Where the id was written.
pub struct Written {
    /// The file, from the repository's root.
    pub file: String,
    /// The line.
    pub line: usize,
}

/// Writes the id; `None` where it stands there already.
///
/// # Errors
/// The file cannot be read, changed or written. It is as it was then.
pub fn write(door: &Door<'_>, id: OrgId) -> Result<Option<Written>, Failure> {
    if door.settings.org_id.as_ref().is_some_and(|written| written.value == id) {
        return Ok(None);
    }
    let file = door.settings.domain.span.file().path().to_owned();
    let path = door.root.join(&file);
    // A link stays a link.
    let path = std::fs::canonicalize(&path).map_err(|e| Failure::io("find", &path, &e))?;
    let text = std::fs::read_to_string(&path).map_err(|e| Failure::io("read", &path, &e))?;
    let pinned = config::pin(&text, door.org, door.environment, id).map_err(|problem| {
        Failure::usage(Code::FileUnwritable, format!("{file} was left as it is: {problem}"))
            .help(format!("write `org_id: {id}` under `{}:` of `{}:` yourself", door.environment, door.org))
    })?;
    let cannot = |e: std::io::Error| Failure::io("write", &path, &e).help(format!("write `org_id: {id}` yourself"));
    let facts = std::fs::metadata(&path).map_err(cannot)?;
    let mut new =
        tempfile::Builder::new().prefix(".orgs-").tempfile_in(path.parent().unwrap_or(door.root)).map_err(cannot)?;
    new.write_all(pinned.text.as_bytes()).and_then(|()| new.as_file().sync_all()).map_err(cannot)?;
    new.as_file().set_permissions(facts.permissions()).map_err(cannot)?;
    new.persist(&path).map_err(|e| cannot(e.error))?;
    Ok(Some(Written { file, line: pinned.line }))
}
