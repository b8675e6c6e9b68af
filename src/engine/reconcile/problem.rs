//! Why planning cannot go on.

/// Why planning cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReconcileError {
    /// More rows than a report can have here.
    #[error("a report of more than {most} rows cannot be planned in one piece")]
    TooManyRows {
        /// The most rows.
        most: u64,
    },
    /// A record came without a proper id.
    #[error("Salesforce gave a record without a proper id (`{found}`)")]
    NoId {
        /// What stood in its place.
        found: String,
    },
    /// A block of the org has other columns than were asked for.
    #[error("Salesforce gave {found} columns where {asked} were asked for")]
    Columns {
        /// Columns asked for.
        asked: usize,
        /// Columns found.
        found: usize,
    },
    /// The temporary file for what does not fit into memory failed.
    #[error("the temporary file for what does not fit into memory cannot be used: {}", if *full { "the disk is full" } else { detail.as_str() })]
    Scratch {
        /// No space is left.
        full: bool,
        /// What the system said.
        detail: String,
    },
    /// A ledger that does not add up: a bug.
    #[error("the {0} ledger does not add up: this is a bug in Footbridge, nothing was written")]
    Unbalanced(&'static str),
}

/// Why a plan could not be finished.
#[derive(Debug, thiserror::Error)]
pub enum FinishError<E> {
    /// The plan itself.
    #[error(transparent)]
    Reconcile(#[from] ReconcileError),
    /// The sink did not take an entry.
    #[error("the plan could not be kept")]
    Sink(E),
    /// An entry could not be written down.
    #[error("the plan could not be encoded: {0}")]
    Encode(std::io::Error),
}
