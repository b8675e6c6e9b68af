//! The word to stop, as Ctrl-C and SIGTERM give it.

use tokio::sync::watch;

/// Gives the word to stop.
#[derive(Debug, Clone)]
pub struct Canceller(std::sync::Arc<watch::Sender<bool>>);

impl Canceller {
    /// Stop. Saying it twice is the same.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }
}

/// Hears the word to stop.
#[derive(Debug, Clone)]
pub struct Cancel(watch::Receiver<bool>);

impl Cancel {
    /// Both ends.
    pub fn new() -> (Canceller, Self) {
        let (sender, receiver) = watch::channel(false);
        (Canceller(std::sync::Arc::new(sender)), Self(receiver))
    }

    /// One that nobody can give the word to.
    pub fn never() -> Self {
        Self::new().1
    }

    /// Was the word given?
    pub fn is_cancelled(&self) -> bool {
        *self.0.borrow()
    }

    /// Ends when the word is given; never, when nobody is left to give it.
    pub async fn cancelled(&mut self) {
        if self.0.wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
