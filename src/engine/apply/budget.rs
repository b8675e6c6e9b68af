//! The run's budget of further tries, as a run asks it. What a try costs and how long a pause is, is settled in `net`.

use std::time::Duration;

/// The one budget of a run. The client's calls may spend the same one.
pub trait Retries {
    /// Takes one further try: how long to wait before it, or `None` when there is none left.
    ///
    /// `repeated` is how often in a row it has failed already, from 0; `after` is what Salesforce asks for.
    fn take(&mut self, repeated: u32, after: Option<Duration>) -> Option<Duration>;
}

impl<F: FnMut(u32, Option<Duration>) -> Option<Duration>> Retries for F {
    fn take(&mut self, repeated: u32, after: Option<Duration>) -> Option<Duration> {
        self(repeated, after)
    }
}
