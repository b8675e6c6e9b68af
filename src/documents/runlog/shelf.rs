//! Places where run logs lie, behind one small trait: the folder `runs/`, and whatever else keeps the same files under the same names.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// What [`Shelf::read`] hands over: the place of the file among those asked for, and what is in it.
pub type Take<'t> = dyn FnMut(usize, io::Result<&[u8]>) -> ControlFlow<()> + 't;

/// A place where run logs, their outcomes and their side files lie, to be read. A file's name is its path below the place, with `/`:
/// `logins-to-leads/00D000000000001EAA/2026/2026-11-21T090003Z.yaml`.
pub trait Shelf: fmt::Debug + Send + Sync {
    /// What stands before a name in a file's path: the folder, also for a place that holds the same files elsewhere (a branch), or a word of its own.
    fn root(&self) -> &Path;

    /// Does it hold this file?
    fn has(&self, name: &str) -> bool;

    /// The names of all files below `under` (empty, an integration's folder, an integration's and an org's), in any order. Nothing there is no error.
    fn names(&self, under: &str) -> io::Result<Vec<String>>;

    /// Reads files whole, in this order, until `take` has enough. A file that is longer than `longest` or cannot be read is an error of that file alone.
    fn read(&self, names: &[&str], longest: u64, take: &mut Take<'_>) -> io::Result<()>;

    /// Opens one file, to be read as a stream.
    fn open(&self, name: &str) -> io::Result<Box<dyn Read + Send>>;
}

/// A folder.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    root: PathBuf,
}

/// Integration, org, year, file: below that lies nothing of ours.
const DEPTH: usize = 4;

impl Folder {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }
}

impl Shelf for Folder {
    fn root(&self) -> &Path {
        &self.root
    }

    fn has(&self, name: &str) -> bool {
        self.root.join(name).is_file()
    }

    fn names(&self, under: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        let depth = if under.is_empty() { 0 } else { under.split('/').count() };
        walk(&self.root.join(under), under, DEPTH.saturating_sub(depth), &mut names)?;
        Ok(names)
    }

    fn read(&self, names: &[&str], longest: u64, take: &mut Take<'_>) -> io::Result<()> {
        let mut bytes = Vec::new();
        for (at, name) in names.iter().enumerate() {
            bytes.clear();
            let read = File::open(self.root.join(name)).and_then(|file| whole(file, longest, &mut bytes));
            if take(at, read.map(|()| bytes.as_slice())).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(File::open(self.root.join(name))?))
    }
}

/// Reads to the end, or says that it is too long.
fn whole(file: File, longest: u64, bytes: &mut Vec<u8>) -> io::Result<()> {
    file.take(longest + 1).read_to_end(bytes)?;
    if bytes.len() as u64 > longest {
        return Err(io::Error::other(format!("it has more than {longest} bytes, too many for a run log")));
    }
    Ok(())
}

/// Links to folders are not followed: what lies elsewhere is no part of the history.
fn walk(folder: &Path, name: &str, depth: usize, names: &mut Vec<String>) -> io::Result<()> {
    let found = match fs::read_dir(folder) {
        Ok(found) => found,
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(()),
        Err(e) => return Err(e),
    };
    for entry in found {
        let entry = entry?;
        // A name that is no text is none that we gave.
        let Ok(own) = entry.file_name().into_string() else { continue };
        let below = if name.is_empty() { own } else { format!("{name}/{own}") };
        if !entry.file_type()?.is_dir() {
            names.push(below);
        } else if depth > 1 {
            walk(&entry.path(), &below, depth - 1, names)?;
        }
    }
    Ok(())
}

/// Where a run stands among all: by its stamp, then the number behind it, then its whole name. Newest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Order<'n> {
    stamp: &'n str,
    number: u64,
    name: &'n str,
}

impl<'n> Order<'n> {
    pub(super) fn of(name: &'n str) -> Self {
        let file = name.rsplit_once('/').map_or(name, |(_, file)| file);
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        match stem.split_once("Z-") {
            Some((stamp, number)) => Self { stamp, number: number.parse().unwrap_or(1), name },
            None => Self { stamp: stem.strip_suffix('Z').unwrap_or(stem), number: 1, name },
        }
    }

    /// The start that the name tells, to the second: `2026-11-21T090003`.
    pub(super) fn stamp(&self) -> &'n str {
        self.stamp
    }
}

/// Is this the name of a run log? Four levels deep, `….yaml`, and none of the files beside one.
pub(super) fn is_log(name: &str) -> bool {
    name.bytes().filter(|b| *b == b'/').count() == DEPTH - 1
        && name.strip_suffix(".yaml").is_some_and(|stem| !stem.ends_with(".intent"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_one_second_are_ordered_by_their_number() {
        let mut names: Vec<String> = (1..12)
            .map(|n| if n == 1 { String::new() } else { format!("-{n}") })
            .map(|n| format!("a/o/2026/2026-11-21T090000Z{n}.yaml"))
            .collect();
        names.push("b/o/2026/2026-11-21T085959Z.yaml".into());
        names.sort_by(|a, b| Order::of(a).cmp(&Order::of(b)));
        assert!(names[0].starts_with("b/") && names[1].ends_with("00Z.yaml") && names[2].ends_with("00Z-2.yaml"));
        assert!(names[11].ends_with("00Z-11.yaml"));
    }

    #[test]
    fn only_logs_are_logs() {
        assert!(is_log("a/o/2026/2026-11-21T090000Z.yaml"));
        for other in [
            "a/o/2026/2026-11-21T090000Z.intent.yaml",
            "a/o/2026/2026-11-21T090000Z.records.jsonl",
            "a/o/2026/2026-11-21T090000Z.values.age",
            "a/o/x.yaml",
            "x.yaml",
        ] {
            assert!(!is_log(other), "{other}");
        }
    }
}
