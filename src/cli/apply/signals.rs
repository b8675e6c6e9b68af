//! Ctrl-C and SIGTERM, heard from the beginning of an apply to its end: while planning nothing is sent any more, while sending the call under way is
//! ended and every record's end told, and no further integration is begun.

use crate::apply::Cancel;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::diag::{Code, Diagnostic};

/// Begins to hear. A second signal ends the process at once, as a kill would: the journal holds what was sent.
pub fn hear() -> Cancel {
    let (canceller, cancel) = Cancel::new();
    let mut signals = Signals::new();
    tokio::spawn(async move {
        signals.next().await;
        canceller.cancel();
        signals.next().await;
        std::process::exit(i32::from(Exit::Failed.code()));
    });
    cancel
}

/// The word to stop came before anything was sent.
pub fn interrupted() -> Failure {
    let diagnostic = Diagnostic::error(Code::Interrupted, "the apply was interrupted").note("nothing was sent");
    Failure::new(Exit::Failed, diagnostic.help("run it again"))
}

#[cfg(unix)]
struct Signals([Option<tokio::signal::unix::Signal>; 2]);

#[cfg(unix)]
impl Signals {
    fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self([SignalKind::terminate(), SignalKind::interrupt()].map(|kind| match signal(kind) {
            Ok(signal) => Some(signal),
            Err(error) => {
                tracing::warn!(%error, "a signal cannot be heard");
                None
            }
        }))
    }

    async fn next(&mut self) {
        async fn one(signal: &mut Option<tokio::signal::unix::Signal>) {
            let heard = match signal {
                Some(signal) => signal.recv().await.is_some(),
                None => false,
            };
            if !heard {
                std::future::pending::<()>().await;
            }
        }
        let [terminate, interrupt] = &mut self.0;
        tokio::select! {
            () = one(terminate) => {}
            () = one(interrupt) => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> Self {
        Self
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
