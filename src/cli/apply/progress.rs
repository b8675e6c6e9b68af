//! What a person sees while an apply works: a bar on a terminal, a line now and then elsewhere.

use std::fmt::Write;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use super::jobs;
use crate::apply::{Event, Observer, Progress};
use crate::cli::world::World;
use crate::render::escape::Terminal;
use crate::render::{counted, grouped};

/// Seconds between two lines where no bar can be drawn.
const EVERY: Duration = Duration::from_secs(10);

/// The bar takes the room that the figures leave, so the line is never wider than the terminal: a wider one could not be taken away again.
const FORM: &str = "{wide_bar} {records} · {rate} · {msg} · {left}";

/// How long it may still take; nothing is guessed before a record has ended.
fn left(done: u64, eta: Duration) -> String {
    match (done, eta.as_secs()) {
        (0, _) => "time left unknown".to_owned(),
        (_, 0..60) => format!("{} s left", eta.as_secs()),
        (_, 60..3600) => format!("{} min {} s left", eta.as_secs() / 60, eta.as_secs() % 60),
        (_, seconds) => format!("{} h {} min left", seconds / 3600, seconds % 3600 / 60),
    }
}

/// Draws, or prints lines.
pub struct Shown<'a> {
    world: &'a World,
    bar: Option<ProgressBar>,
    last: Instant,
}

impl<'a> Shown<'a> {
    /// For so many records.
    pub fn new(world: &'a World, total: u64) -> Self {
        let bar = world.progress.then(|| {
            let bar = ProgressBar::new(total);
            if let Ok(style) = ProgressStyle::with_template(FORM) {
                bar.set_style(
                    style
                        .with_key("records", |s: &ProgressState, out: &mut dyn Write| {
                            let _ = write!(out, "{} of {} records", grouped(s.pos()), grouped(s.len().unwrap_or(0)));
                        })
                        .with_key("rate", |s: &ProgressState, out: &mut dyn Write| {
                            let _ = write!(out, "{:.0} a second", s.per_sec());
                        })
                        .with_key("left", |s: &ProgressState, out: &mut dyn Write| {
                            let _ = out.write_str(&left(s.pos(), s.eta()));
                        })
                        .progress_chars("██░"),
                );
            }
            bar.set_message("0 calls");
            // Drawn between calls, too: the time left goes on while an answer is slow.
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        });
        world.bar.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&bar);
        Self { world, bar, last: Instant::now() }
    }

    /// Takes the bar away.
    pub fn end(self) {
        *self.world.bar.lock().unwrap_or_else(PoisonError::into_inner) = None;
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Observer for Shown<'_> {
    fn progress(&mut self, progress: &Progress) {
        if progress.updated > 0 {
            self.world.bug_on_demand("sending", progress);
        }
        let calls = format!("{} calls", grouped(progress.calls));
        if let Some(bar) = &self.bar {
            bar.set_length(progress.total);
            bar.set_position(progress.done);
            bar.set_message(calls);
        } else if self.last.elapsed() >= EVERY {
            self.last = Instant::now();
            self.world.say(&format!("{} of {} records, {calls}", grouped(progress.done), grouped(progress.total)));
        }
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::Waiting { fault, pause } if !pause.is_zero() => {
                self.world.say(&format!("waiting {:.0} s: {}", pause.as_secs_f64(), Terminal(&fault.to_string())));
            }
            Event::Again { records, pause } if !pause.is_zero() => {
                let records = counted(*records as u64, "record");
                self.world.say(&format!("{records} locked; trying again in {:.0} s", pause.as_secs_f64()));
            }
            Event::GivenUp { records } => self.world.say(&format!(
                "{} still locked, and the run's further tries are used up: not sent again",
                counted(*records as u64, "record")
            )),
            Event::LookingUp { records, fault } => {
                self.world.say(&format!(
                    "an answer was lost ({}); looking up {records} records",
                    Terminal(&fault.to_string())
                ));
            }
            Event::Job { id, records, taken_up } => {
                let what = if *taken_up { "taking up bulk job" } else { "bulk job" };
                self.world.say(&format!("{what} {id} with {} records", grouped(*records as u64)));
            }
            Event::JobState { id, state, processed, failed, records, polls } => {
                let far = format!("{state}, {} of {}", grouped(*processed), grouped(*records as u64));
                let failed = if *failed > 0 { format!(", {} failed", grouped(*failed)) } else { String::new() };
                if let Some(bar) = &self.bar {
                    bar.set_message(format!("job {far}{failed}"));
                } else if self.last.elapsed() >= EVERY {
                    self.last = Instant::now();
                    self.world.say(&format!("bulk job {id}: {far} records{failed}; asked {polls} times"));
                }
            }
            Event::JobAborted { id, state, processed } => self.world.say(&jobs::aborted(id, *state, *processed)),
            Event::JobResults { id, untold, foreign } => {
                self.world.say(&format!(
                    "the results of bulk job {id} leave {} records open ({} rows were of others); looking them up",
                    grouped(*untold as u64),
                    grouped(*foreign)
                ));
            }
            Event::JobHalfway { id, message, records } => self.world.say(&format!(
                "bulk job {id} ended before it came to {} records ({}); they go with another",
                grouped(*records as u64),
                Terminal(message)
            )),
            Event::NoJobs(fault) => self.world.say(&format!(
                "Salesforce makes no bulk job of this object ({}); going on in batches of 200",
                Terminal(&fault.to_string())
            )),
            Event::NotForBulk { records } => self.world.say(&format!(
                "{} records hold values that bulk CSV cannot carry; they go in batches of 200",
                grouped(*records as u64)
            )),
            Event::Stopped(reason) => self.world.say(&format!("stopped: {}", Terminal(&reason.message))),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_is_told_once_it_is_known() {
        let cases =
            [(0, 5, "time left unknown"), (1, 5, "5 s left"), (1, 125, "2 min 5 s left"), (1, 7300, "2 h 1 min left")];
        for (done, seconds, text) in cases {
            assert_eq!(left(done, Duration::from_secs(seconds)), text);
        }
    }
}
