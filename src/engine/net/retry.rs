//! The retry table: class of call × what happened → go on, give up, or wait and send again.
//!
//! Only a call that may be repeated without a look is repeated when its outcome is unknown. Everything else is handed back as unknown, and whoever
//! sent it looks first. A server that says "not now" did nothing, so every class may be sent again.

use std::time::Duration;

use super::Trouble;

/// Classes of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Changes nothing, or leaves nothing behind that matters (a log-in without rotation).
    Read,
    /// Ends in the same state when sent twice, but sets off automation again: the caller looks before it repeats.
    IdempotentWrite,
    /// Spends something that can be spent once (a rotating refresh token).
    Token,
    /// Creates something that would exist twice (a bulk job).
    Job,
}

/// What the caller's classifier says of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A good answer.
    Done,
    /// Refused, and it would be refused again.
    Fatal,
    /// Refused for now; surely nothing was done. `after` is what the server asks for.
    Retry {
        /// The server's own wish.
        after: Option<Duration>,
    },
    /// The server failed, and may have done what was asked or not.
    Lost {
        /// The server's own wish.
        after: Option<Duration>,
    },
    /// The session has ended: log in again, then repeat once. Nothing was done.
    Refresh,
}

/// What happened to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// The network failed.
    Trouble(Trouble),
    /// An answer came.
    Answer(Verdict),
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Hand the answer or the error to the caller.
    HandBack,
    /// Wait, then send again. `after` is the server's wish, which comes before the back-off.
    Wait {
        /// The server's own wish.
        after: Option<Duration>,
    },
}

/// The table. Attempts and waits are limited by the [`Budget`](super::Budget), not here.
pub fn decide(class: Class, happened: Happened) -> Decision {
    use Decision::{HandBack, Wait};
    let repeatable = class == Class::Read;
    match happened {
        // Nothing reached the server.
        Happened::Trouble(Trouble::Name | Trouble::Connect | Trouble::ConnectTimeout) => Wait { after: None },
        // It will not be trusted a second later either.
        Happened::Trouble(Trouble::Tls) => HandBack,
        Happened::Trouble(Trouble::Timeout | Trouble::Reset | Trouble::Cut) if repeatable => Wait { after: None },
        Happened::Trouble(Trouble::Timeout | Trouble::Reset | Trouble::Cut) => HandBack,
        Happened::Answer(Verdict::Retry { after }) => Wait { after },
        Happened::Answer(Verdict::Lost { after }) if repeatable => Wait { after },
        Happened::Answer(Verdict::Lost { .. }) => HandBack,
        Happened::Answer(Verdict::Done | Verdict::Fatal | Verdict::Refresh) => HandBack,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S5: Option<Duration> = Some(Duration::from_secs(5));
    const BACK: Decision = Decision::HandBack;
    const WAIT: Decision = Decision::Wait { after: None };

    /// One line of the table: what happened, then read, idempotent write, token, job.
    fn line(happened: Happened, expected: [Decision; 4]) {
        let classes = [Class::Read, Class::IdempotentWrite, Class::Token, Class::Job];
        for (class, expected) in classes.into_iter().zip(expected) {
            assert_eq!(decide(class, happened), expected, "{class:?} × {happened:?}");
        }
    }

    #[test]
    fn unknown_name_waits() {
        line(Happened::Trouble(Trouble::Name), [WAIT; 4]);
    }

    #[test]
    fn refused_connection_waits() {
        line(Happened::Trouble(Trouble::Connect), [WAIT; 4]);
    }

    #[test]
    fn connection_not_in_time_waits() {
        line(Happened::Trouble(Trouble::ConnectTimeout), [WAIT; 4]);
    }

    #[test]
    fn untrusted_certificate_gives_up() {
        line(Happened::Trouble(Trouble::Tls), [BACK; 4]);
    }

    #[test]
    fn no_answer_in_time_repeats_reads_only() {
        line(Happened::Trouble(Trouble::Timeout), [WAIT, BACK, BACK, BACK]);
    }

    #[test]
    fn reset_before_the_answer_repeats_reads_only() {
        line(Happened::Trouble(Trouble::Reset), [WAIT, BACK, BACK, BACK]);
    }

    #[test]
    fn cut_in_the_answer_repeats_reads_only() {
        line(Happened::Trouble(Trouble::Cut), [WAIT, BACK, BACK, BACK]);
    }

    #[test]
    fn refused_for_now_waits_as_long_as_the_server_asks() {
        line(Happened::Answer(Verdict::Retry { after: S5 }), [Decision::Wait { after: S5 }; 4]);
        line(Happened::Answer(Verdict::Retry { after: None }), [WAIT; 4]);
    }

    #[test]
    fn failed_server_repeats_reads_only() {
        line(Happened::Answer(Verdict::Lost { after: S5 }), [Decision::Wait { after: S5 }, BACK, BACK, BACK]);
        line(Happened::Answer(Verdict::Lost { after: None }), [WAIT, BACK, BACK, BACK]);
    }

    #[test]
    fn good_final_and_session_answers_go_back() {
        for verdict in [Verdict::Done, Verdict::Fatal, Verdict::Refresh] {
            line(Happened::Answer(verdict), [BACK; 4]);
        }
    }
}
