//! What the branch of run logs holds, read from git's objects without a checkout.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::path::{Component, Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout};
use std::sync::{Mutex, PoisonError};

use super::branch::{Branch, tree_lines};
use super::command::Git;
use super::problem::GitProblem;
use crate::runlog::shelf::{Shelf, Take};

/// The files of a branch below one folder, as they were when it was opened: of what was last fetched from the remote, of the local branch, and of further commits.
pub struct Archive {
    git: Git,
    /// Before each path: the folder that the same files would lie in.
    root: PathBuf,
    /// Blobs by path below the folder.
    files: BTreeMap<PathBuf, String>,
    batch: Mutex<Option<Batch>>,
}

impl fmt::Debug for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Archive").field("files", &self.files.len()).finish_non_exhaustive()
    }
}

impl Archive {
    /// Lists the branch as this clone knows it, below a folder (`runs`), and what only these commits of locks have. `None` where it knows neither.
    pub fn open(branch: &Branch, folder: &str, locks: &[String]) -> Result<Option<Self>, GitProblem> {
        let git = branch.git().clone();
        let inside = format!("{}{}", git.prefix(), folder.trim_matches('/'));
        let mut files = BTreeMap::new();
        let (mut known, mut differs) = (!locks.is_empty(), false);
        let below = |path: &str| {
            let below = Path::new(path).strip_prefix(&inside).ok()?;
            below.components().all(|part| matches!(part, Component::Normal(_))).then(|| below.to_owned())
        };
        // The remote's comes last: where both have a file, they mostly have the same.
        for reference in branch.refs().iter().rev() {
            let Some(tip) = git.resolve(reference)? else { continue };
            known = true;
            let said = git.done("list the branch", &["ls-tree", "-r", "-z", "--full-tree", &tip, &inside])?;
            for (path, oid) in tree_lines(&said.out) {
                let Some(below) = below(&path) else { continue };
                differs |= files.insert(below, oid.clone()).is_some_and(|other| other != oid);
            }
        }
        if differs {
            // What was added to here and could not be pushed yet.
            files.extend(branch.newer()?.iter().filter_map(|(path, oid)| Some((below(path)?, oid.clone()))));
        }
        for (path, oid) in
            locks.iter().map(|lock| branch.files(Some(lock))).collect::<Result<Vec<_>, _>>()?.into_iter().flatten()
        {
            if let Some(below) = below(&path) {
                files.entry(below).or_insert(oid);
            }
        }
        Ok(known.then(|| Self { git, root: PathBuf::new(), files, batch: Mutex::default() }))
    }

    /// The same, its files having the paths that they would have in this folder.
    #[must_use]
    pub fn at(self, root: &Path) -> Self {
        Self { root: root.to_owned(), ..self }
    }

    /// Does it hold this file? By its path below the folder.
    pub fn has(&self, path: &Path) -> bool {
        self.files.contains_key(path)
    }

    /// The files below a folder of the folder (empty for all), in order.
    pub fn below<'a>(&'a self, folder: &'a Path) -> impl Iterator<Item = &'a Path> {
        let from = self.files.range(folder.to_owned()..);
        from.map(|(path, _)| path.as_path()).take_while(move |path| path.starts_with(folder))
    }

    /// A file's bytes; `None` where it does not hold the file, or it has more than `most` bytes.
    ///
    /// # Errors
    /// Git cannot give it.
    fn whole(&self, path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
        let Some(oid) = self.files.get(path) else { return Ok(None) };
        self.with(|batch| batch.read(oid, most))
    }

    /// A file as a stream, by way of a temporary file without a name; `None` where the archive does not hold it.
    ///
    /// # Errors
    /// Git cannot give it, or the temporary file cannot be written.
    fn stream(&self, path: &Path) -> io::Result<Option<File>> {
        let Some(oid) = self.files.get(path) else { return Ok(None) };
        let mut file = tempfile::tempfile()?;
        self.with(|batch| batch.copy(oid, &mut file))?;
        file.rewind()?;
        Ok(Some(file))
    }

    fn with<T>(&self, ask: impl FnOnce(&mut Batch) -> io::Result<T>) -> io::Result<T> {
        let mut kept = self.batch.lock().unwrap_or_else(PoisonError::into_inner);
        let mut batch = match kept.take() {
            Some(batch) => batch,
            None => Batch::start(&self.git).map_err(io::Error::other)?,
        };
        // After an error the conversation is out of step: the next one begins anew.
        let answer = ask(&mut batch)?;
        *kept = Some(batch);
        Ok(answer)
    }
}

impl Shelf for Archive {
    fn root(&self) -> &Path {
        &self.root
    }

    fn has(&self, name: &str) -> bool {
        Archive::has(self, Path::new(name))
    }

    fn names(&self, under: &str) -> io::Result<Vec<String>> {
        // A name that is no text is none that we gave.
        Ok(self.below(Path::new(under)).filter_map(|path| path.to_str().map(str::to_owned)).collect())
    }

    fn read(&self, names: &[&str], longest: u64, take: &mut Take<'_>) -> io::Result<()> {
        for (at, name) in names.iter().enumerate() {
            let read = self.whole(Path::new(name), longest);
            let read = read.and_then(|bytes| {
                bytes.ok_or_else(|| io::Error::other(format!("it has more than {longest} bytes, or is gone")))
            });
            if take(at, read.as_deref().map_err(|e| io::Error::new(e.kind(), e.to_string()))).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Read + Send>> {
        match self.stream(Path::new(name))? {
            Some(file) => Ok(Box::new(file)),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

/// `git cat-file --batch`, kept for as long as it is talked to.
struct Batch {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Batch {
    fn start(git: &Git) -> Result<Self, GitProblem> {
        let mut child = git.command(&["cat-file", "--batch"]).talk()?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(ask), Some(out)) => Ok(Self { child, ask, answers: BufReader::with_capacity(1 << 16, out) }),
            _ => Err(GitProblem::Answer { what: "cat-file" }),
        }
    }

    /// Asks for a blob; its size.
    fn ask(&mut self, oid: &str) -> io::Result<u64> {
        writeln!(self.ask, "{oid}")?;
        self.ask.flush()?;
        let mut head = String::new();
        self.answers.read_line(&mut head)?;
        // `<oid> blob <size>`
        let size = head.trim_end().rsplit_once(' ').and_then(|(rest, size)| Some((rest.split_once(' ')?.1, size)));
        match size {
            Some(("blob", size)) => size.parse::<u64>().map_err(|_| unreadable()),
            _ => Err(unreadable()),
        }
    }

    /// The line's end behind a blob.
    fn end(&mut self) -> io::Result<()> {
        let mut end = [0];
        self.answers.read_exact(&mut end)
    }

    fn copy(&mut self, oid: &str, to: &mut impl Write) -> io::Result<()> {
        let size = self.ask(oid)?;
        if io::copy(&mut (&mut self.answers).take(size), to)? != size {
            return Err(unreadable());
        }
        self.end()
    }

    fn read(&mut self, oid: &str, most: u64) -> io::Result<Option<Vec<u8>>> {
        let size = self.ask(oid)?;
        let mut bytes = Vec::new();
        if size <= most {
            (&mut self.answers).take(size).read_to_end(&mut bytes)?;
            if bytes.len() as u64 != size {
                return Err(unreadable());
            }
        } else {
            io::copy(&mut (&mut self.answers).take(size), &mut io::sink())?;
        }
        self.end()?;
        Ok((size <= most).then_some(bytes))
    }
}

fn unreadable() -> io::Error {
    io::Error::other("git could not give this file of the branch of run logs")
}

impl Drop for Batch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
