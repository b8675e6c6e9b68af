//! Bodies that are read from a file while they are sent, and compressed on the way: constant memory whatever their size.

use std::io::{self, Write};

use axum::body::{Body, Bytes};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::stream;
use tokio::sync::mpsc;

use super::super::jobs::Slice;

/// Pieces that wait for the socket.
const AHEAD: usize = 2;

/// The body of a slice.
pub fn body(slice: Slice, gzip: bool) -> Body {
    let (sender, mut receiver) = mpsc::channel::<io::Result<Bytes>>(AHEAD);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = send(slice, gzip, &sender) {
            let _ = sender.blocking_send(Err(error));
        }
    });
    Body::from_stream(stream::poll_fn(move |context| receiver.poll_recv(context)))
}

fn send(mut slice: Slice, gzip: bool, to: &mpsc::Sender<io::Result<Bytes>>) -> io::Result<()> {
    let mut encoder = gzip.then(|| GzEncoder::new(Vec::new(), Compression::fast()));
    // A client that went away wants no more.
    let pass = |piece: Vec<u8>| piece.is_empty() || to.blocking_send(Ok(Bytes::from(piece))).is_ok();
    while let Some(piece) = slice.next()? {
        let piece = match &mut encoder {
            Some(encoder) => {
                encoder.write_all(&piece)?;
                std::mem::take(encoder.get_mut())
            }
            None => piece,
        };
        if !pass(piece) {
            return Ok(());
        }
    }
    if let Some(encoder) = encoder {
        pass(encoder.finish()?);
    }
    Ok(())
}
