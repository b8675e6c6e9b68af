//! A CSV answer made into blocks while it comes: pieces of the network → bounded channel → the indexer on a thread of its own → bounded channel → rows.
//! Neither the file nor a page of it is ever held. An answer that breaks off never looks like one that ended.

use std::io::{self, Read};

use bytes::Bytes;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::JoinHandle;

use crate::net::{NetError, Pieces};
use crate::salesforce::SalesforceError;
use crate::salesforce::answer::malformed;
use crate::table::{Block, CsvError, CsvReader, Dialect, Limits};

/// Pieces that wait for the indexer, and blocks that wait to be taken.
const PIECES: usize = 16;
const BLOCKS: usize = 2;

enum Came {
    Piece(Bytes),
    /// The answer is over, soundly.
    End,
}

/// What the indexer reads from.
struct Pipe {
    pieces: Receiver<Came>,
    now: Bytes,
    over: bool,
}

impl Read for Pipe {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < out.len() && !self.over {
            if self.now.is_empty() {
                // Waits for the first piece only; what is there already is taken along.
                let came = if filled == 0 { self.pieces.blocking_recv() } else { self.pieces.try_recv().ok() };
                match came {
                    Some(Came::Piece(piece)) => self.now = piece,
                    Some(Came::End) => self.over = true,
                    None if filled == 0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
                    None => break,
                }
                continue;
            }
            let length = self.now.len().min(out.len() - filled);
            out[filled..filled + length].copy_from_slice(&self.now.split_to(length));
            filled += length;
        }
        Ok(filled)
    }
}

enum Parsed {
    Header(Vec<String>),
    Block(Block),
    /// Not even a header.
    Nothing,
    End,
    Failed(CsvError),
}

/// A table that is coming.
pub(super) struct Coming {
    what: &'static str,
    parsed: Receiver<Parsed>,
    pump: JoinHandle<Result<(), NetError>>,
    indexer: Option<JoinHandle<()>>,
}

impl Drop for Coming {
    fn drop(&mut self) {
        self.pump.abort();
    }
}

impl Coming {
    /// Starts reading. The names of the columns come first; `None` when the answer is empty.
    pub(super) async fn open(
        pieces: Pieces,
        what: &'static str,
    ) -> Result<(Option<Vec<String>>, Self), SalesforceError> {
        let (piece_in, piece_out) = mpsc::channel(PIECES);
        let (parsed_in, parsed) = mpsc::channel(BLOCKS);
        let pump = tokio::spawn(pump(pieces, piece_in));
        let pipe = Pipe { pieces: piece_out, now: Bytes::new(), over: false };
        let indexer = tokio::task::spawn_blocking(move || index(pipe, &parsed_in));
        let mut coming = Self { what, parsed, pump, indexer: Some(indexer) };
        match coming.parsed.recv().await {
            Some(Parsed::Header(names)) => Ok((Some(names), coming)),
            Some(Parsed::Nothing) => Ok((None, coming)),
            Some(Parsed::Failed(error)) => Err(coming.failed(error).await),
            _ => Err(coming.interrupted().await),
        }
    }

    /// The next block; `None` at the sound end.
    pub(super) async fn next(&mut self) -> Result<Option<Block>, SalesforceError> {
        match self.parsed.recv().await {
            Some(Parsed::Block(block)) => Ok(Some(block)),
            Some(Parsed::End | Parsed::Nothing) => Ok(None),
            Some(Parsed::Failed(error)) => Err(self.failed(error).await),
            Some(Parsed::Header(_)) | None => Err(self.interrupted().await),
        }
    }

    /// When the indexer ran dry, the network's own error says why.
    async fn failed(&mut self, error: CsvError) -> SalesforceError {
        if let CsvError::Read(_) = error
            && let Ok(Err(net)) = (&mut self.pump).await
        {
            return net.into();
        }
        malformed(self.what, error)
    }

    async fn interrupted(&mut self) -> SalesforceError {
        if let Some(indexer) = self.indexer.take()
            && let Err(ended) = indexer.await
            && ended.is_panic()
        {
            // A bug stays a bug, in whichever thread it shows.
            std::panic::resume_unwind(ended.into_panic());
        }
        malformed(self.what, "reading it was interrupted")
    }
}

async fn pump(mut pieces: Pieces, out: Sender<Came>) -> Result<(), NetError> {
    while let Some(piece) = pieces.next().await? {
        if out.send(Came::Piece(piece)).await.is_err() {
            return Ok(());
        }
    }
    // Nobody listens any more when this fails, and nobody needs to know.
    let _ = out.send(Came::End).await;
    Ok(())
}

fn index(pipe: Pipe, out: &Sender<Parsed>) {
    // Each send fails only when nobody listens any more.
    let (header, mut reader) = match CsvReader::open(pipe, Dialect::default(), Limits::default()) {
        Ok(opened) => opened,
        Err(CsvError::Empty) => {
            let _ = out.blocking_send(Parsed::Nothing);
            return;
        }
        Err(error) => {
            let _ = out.blocking_send(Parsed::Failed(error));
            return;
        }
    };
    if out.blocking_send(Parsed::Header(header.names)).is_err() {
        return;
    }
    loop {
        let (next, last) = match reader.next_block() {
            Ok(Some(block)) => (Parsed::Block(block), false),
            Ok(None) => (Parsed::End, true),
            Err(error) => (Parsed::Failed(error), true),
        };
        if out.blocking_send(next).is_err() || last {
            return;
        }
    }
}
