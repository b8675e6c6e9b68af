//! The emulated org's clock: the machine's, or one that a test sets.
//!
//! The only place of the emulator that reads the machine's clock.

use jiff::{SignedDuration, Timestamp};

/// Where the time comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// Always this instant, until it is set anew.
    Fixed(Timestamp),
    /// This instant when it is set, moving on as the machine's clock does.
    Ticking(Timestamp),
}

/// A clock that runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Running {
    clock: Clock,
    set_at: Timestamp,
}

impl Running {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, set_at: machine() }
    }

    /// The time in the org, in whole milliseconds.
    pub(super) fn now(&self) -> Timestamp {
        let now = match self.clock {
            Clock::System => machine(),
            Clock::Fixed(at) => at,
            Clock::Ticking(start) => start.saturating_add(machine().duration_since(self.set_at)).unwrap_or(start),
        };
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }
}

/// Seconds from `earlier` to `later`; negative when the clock was set back.
pub(super) fn seconds_between(earlier: Timestamp, later: Timestamp) -> i64 {
    let passed: SignedDuration = later.duration_since(earlier);
    passed.as_secs()
}

#[allow(clippy::disallowed_methods)]
fn machine() -> Timestamp {
    Timestamp::now()
}

/// How Salesforce stores a moment: whole seconds, UTC.
pub(super) fn stored(at: Timestamp) -> String {
    format!("{}.000Z", at.strftime("%Y-%m-%dT%H:%M:%S"))
}
