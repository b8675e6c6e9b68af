//! What a person sees while an apply works: a bar on a terminal, a line now and then elsewhere.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::apply::{Event, Observer, Progress};
use crate::cli::world::World;
use crate::render::escape::Terminal;
use crate::render::grouped;

/// Seconds between two lines where no bar can be drawn.
const EVERY: Duration = Duration::from_secs(10);

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
            let form = "{bar:30} {pos}/{len} records  {per_sec}  {msg}  {eta} left";
            if let Ok(style) = ProgressStyle::with_template(form) {
                bar.set_style(style);
            }
            bar
        });
        Self { world, bar, last: Instant::now() }
    }

    /// Takes the bar away.
    pub fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }

    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.world.say(text)),
            None => self.world.say(text),
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
                self.line(&format!("waiting {:.0} s: {}", pause.as_secs_f64(), Terminal(&fault.to_string())));
            }
            Event::Again { records, pause } if !pause.is_zero() => {
                self.line(&format!("{records} records are locked; trying again in {:.0} s", pause.as_secs_f64()));
            }
            Event::LookingUp { records, fault } => {
                self.line(&format!(
                    "an answer was lost ({}); looking up {records} records",
                    Terminal(&fault.to_string())
                ));
            }
            Event::Stopped(reason) => self.line(&format!("stopped: {}", Terminal(&reason.message))),
            _ => {}
        }
    }
}
