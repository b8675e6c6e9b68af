//! A report fetched from elsewhere into a file without a name, and read from there as often as it is wanted.
//!
//! A download that breaks off goes on where it stopped, if the server names the content by a strong ETag; else it begins anew.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use jiff::Timestamp;

use super::store::StoreError;
use super::{Opened, Options, ReportError, open_stream};
use crate::net::{Budget, NetError, Trouble};

/// After so many new bytes a download that breaks off counts as one that gets on: its repeats are counted anew.
const PROGRESS: u64 = 1 << 20;

/// Why a report could not be fetched. Texts hold hosts and paths, never a query, a header or a body.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No answer, or none that may be had.
    #[error(transparent)]
    Net(#[from] NetError),
    /// An answer that is no report.
    #[error("{host} answered {status}")]
    Answer {
        /// Who answered.
        host: String,
        /// HTTP status.
        status: u16,
    },
    /// A redirect that is not followed.
    #[error("{host} sends on to {to}: {why}")]
    Redirect {
        /// Who answered.
        host: String,
        /// Scheme and host that it names.
        to: String,
        /// Why not.
        why: &'static str,
    },
    /// Longer than is allowed.
    #[error("it is longer than {limit} bytes")]
    TooLarge {
        /// Bytes allowed.
        limit: u64,
    },
    /// It broke off again and again.
    #[error("it broke off after {bytes} bytes, {tries} times: {last}")]
    Broken {
        /// Bytes that had come.
        bytes: u64,
        /// Attempts.
        tries: u32,
        /// The last attempt's end.
        last: NetError,
    },
    /// The file for it.
    #[error("it cannot be kept on this machine: {0}")]
    Disk(#[from] io::Error),
    /// An object store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A report that was fetched.
#[derive(Debug)]
pub struct Fetched {
    file: Arc<File>,
    /// Its length.
    pub bytes: u64,
    /// When it was made or changed, as its source tells.
    pub modified: Option<Timestamp>,
    /// What was read, where the configuration has a pattern: the object, and among how many.
    pub picked: Option<(String, usize)>,
    /// The host that gave it, where that is another than the one asked.
    pub sent_on_to: Option<String>,
}

impl Fetched {
    /// Opens it from its beginning. `name`: the source as the configuration writes it.
    ///
    /// # Errors
    /// [`ReportError`]
    pub fn open(&self, name: &str, options: &Options) -> Result<Opened, ReportError> {
        open_stream(name, Box::new(Again::of(self)), self.modified, options)
    }
}

/// The file from its beginning, whoever else reads it.
pub(super) struct Again {
    file: Arc<File>,
    at: u64,
}

impl Again {
    pub(super) fn of(fetched: &Fetched) -> Self {
        Self { file: Arc::clone(&fetched.file), at: 0 }
    }
}

impl Read for Again {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        #[cfg(unix)]
        let read = std::os::unix::fs::FileExt::read_at(&*self.file, buffer, self.at)?;
        #[cfg(windows)]
        let read = std::os::windows::fs::FileExt::seek_read(&*self.file, buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// A source's answer.
pub(super) struct Answer {
    /// Where in the content the first piece lies: at its beginning, or where it was asked to go on.
    pub(super) at: u64,
    /// See [`Fetched::modified`].
    pub(super) modified: Option<Timestamp>,
    /// Names this content; given only where a part of it can be asked for.
    pub(super) tag: Option<String>,
    /// See [`Fetched::sent_on_to`].
    pub(super) sent_on_to: Option<String>,
    pub(super) pieces: BoxStream<'static, Result<Bytes, FetchError>>,
}

/// Where it was broken off, and the content's name.
pub(super) type Resume<'a> = Option<(u64, &'a str)>;

/// What can be asked for a content, from its beginning or from a place in it.
pub(super) trait Origin {
    async fn begin(&self, resume: Resume<'_>) -> Result<Answer, FetchError>;
}

/// Fetches all of it into `file`.
pub(super) async fn fill(
    origin: &impl Origin,
    mut file: File,
    limit: u64,
    budget: &Budget,
) -> Result<Fetched, FetchError> {
    let (mut got, mut tag, mut tries, mut repeated) = (0, None::<String>, 0, 0);
    loop {
        let resume = tag.as_deref().filter(|_| got > 0).map(|tag| (got, tag));
        let mut answer = origin.begin(resume).await?;
        tries += 1;
        if answer.at != got {
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
            got = 0;
        }
        tag = answer.tag.take();
        let before = got;
        let last = loop {
            match answer.pieces.next().await {
                Some(Ok(piece)) => {
                    got += piece.len() as u64;
                    if got > limit {
                        return Err(FetchError::TooLarge { limit });
                    }
                    file.write_all(&piece)?;
                }
                Some(Err(FetchError::Net(error))) if passes(&error) => break error,
                Some(Err(error)) => return Err(error),
                None => {
                    let Answer { modified, sent_on_to, .. } = answer;
                    return Ok(Fetched { file: Arc::new(file), bytes: got, modified, picked: None, sent_on_to });
                }
            }
        };
        if got - before >= PROGRESS {
            repeated = 0;
        }
        if !budget.pause(repeated, None, "the download broke off").await {
            return Err(FetchError::Broken { bytes: got, tries, last });
        }
        repeated += 1;
    }
}

/// Trouble that may be over a moment later.
fn passes(error: &NetError) -> bool {
    matches!(error, NetError::Failed { trouble: Trouble::Cut | Trouble::Reset | Trouble::Timeout, .. })
}
