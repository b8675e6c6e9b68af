//! Files of metadata put into a folder, with a manifest of all that Footbridge has put there. Nothing of anybody else's is written over.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use crate::cli::failure::Failure;
use crate::cli::world::World;
use crate::diag::Code;
use crate::render::metadata::{File, KINDS, MARK, manifest};

const MANIFEST: &str = "package.xml";

/// Writes the files and the manifest below `folder`; tells their paths as they can be opened from here.
///
/// # Errors
/// A file of that name is not ours, or cannot be written.
pub fn deposit(world: &World, folder: &Path, files: &[File], api_version: &str) -> Result<Vec<String>, Failure> {
    let root = world.here.join(folder);
    for path in files.iter().map(|file| file.path.as_str()).chain([MANIFEST]) {
        ours(&root.join(path))?;
    }
    let mut written = Vec::new();
    for file in files {
        put(&root.join(&file.path), &file.text)?;
        written.push(folder.join(&file.path).display().to_string());
    }
    put(&root.join(MANIFEST), &manifest(&members(&root), api_version))?;
    written.push(folder.join(MANIFEST).display().to_string());
    Ok(written)
}

/// Is there nothing, or something that Footbridge has written?
fn ours(path: &Path) -> Result<(), Failure> {
    match std::fs::read(path) {
        Ok(text) if String::from_utf8_lossy(&text).contains(MARK) => Ok(()),
        Ok(_) => {
            let message = format!("{} is there, and Footbridge has not written it", path.display());
            Err(Failure::usage(Code::FileUnwritable, message)
                .help("nothing was written: name another folder with `--write`, and copy from there what you need"))
        }
        Err(error) if matches!(error.kind(), ErrorKind::NotFound) => Ok(()),
        Err(error) => Err(Failure::io("read", path, &error)),
    }
}

/// A file as a whole, or not at all.
fn put(path: &Path, text: &str) -> Result<(), Failure> {
    let cannot = |e: std::io::Error| Failure::io("write", path, &e);
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(cannot)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".footbridge-");
    // It is to be committed, and holds no secret.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    let mut new = builder.tempfile_in(folder).map_err(cannot)?;
    new.write_all(text.as_bytes()).map_err(cannot)?;
    new.persist(path).map_err(|e| cannot(e.error))?;
    Ok(())
}

/// What lies there of ours, by type.
fn members(root: &Path) -> BTreeMap<&'static str, Vec<String>> {
    let mut members: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (folder, ending, kind) in KINDS {
        let Ok(entries) = std::fs::read_dir(root.join(folder)) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(name) = name.strip_suffix(&format!(".{ending}-meta.xml")) else { continue };
            if std::fs::read_to_string(entry.path()).is_ok_and(|text| text.contains(MARK)) {
                members.entry(kind).or_default().push(name.to_owned());
            }
        }
    }
    members
}
