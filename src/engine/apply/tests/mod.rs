//! Apply held against an org in memory that fails in every way that the real one can.

mod cases;
mod disk;
pub(super) mod fake;
mod fake_jobs;
mod jobs;
mod jobs_resume;
pub(super) mod plans;
mod properties;
mod resume;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use self::fake::FakeOrg;
use super::journal::{Journal, Line, Log, Selection, Start, parse};
use super::{Apply, Cancel, Event, JobSettings, Observer, Outcomes, Progress, Remaining, RunError, Settings};
use crate::plan::Plan;

/// A log in memory that can break, and knows what is on its disk.
#[derive(Clone, Default)]
pub struct Memory {
    pub bytes: Rc<RefCell<Vec<u8>>>,
    pub synced: Rc<Cell<usize>>,
    /// Appends that still work.
    pub left: Rc<Cell<Option<usize>>>,
    /// Fails once and then works again.
    pub recovers: Rc<Cell<bool>>,
}

impl Memory {
    pub fn lines(&self) -> Vec<Line> {
        parse("memory".as_ref(), &self.bytes.borrow()).unwrap().unwrap().lines
    }
}

impl Log for Memory {
    fn append(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        if let Some(left) = self.left.get() {
            if left == 0 {
                // A full disk takes a part.
                self.bytes.borrow_mut().extend_from_slice(&bytes[..bytes.len() / 2]);
                if self.recovers.get() {
                    self.left.set(None);
                }
                return Err(std::io::ErrorKind::StorageFull.into());
            }
            self.left.set(Some(left - 1));
        }
        self.bytes.borrow_mut().extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self) -> std::io::Result<()> {
        self.synced.set(self.bytes.borrow().len());
        Ok(())
    }
}

/// Keeps what it is told, and checks that it makes sense.
#[derive(Default)]
pub struct Kept {
    pub events: Vec<Event>,
    pub last: Progress,
}

impl Observer for Kept {
    fn progress(&mut self, progress: &Progress) {
        assert!(
            progress.done >= self.last.done && progress.calls >= self.last.calls,
            "{progress:?} after {:?}",
            self.last
        );
        assert!(progress.done <= progress.total, "{progress:?}");
        self.last = *progress;
    }

    fn event(&mut self, event: &Event) {
        self.events.push(event.clone());
    }
}

pub fn settings() -> Settings {
    let jobs = JobSettings { first_poll: Duration::ZERO, longest_poll: Duration::ZERO, ..JobSettings::default() };
    Settings { finish: Duration::from_millis(1), look_up: Duration::from_millis(50), jobs, ..Settings::default() }
}

pub fn start(selection: Selection) -> Start {
    Start {
        run: "2026-11-21T090003Z".into(),
        started: "2026-11-21T09:00:03Z".parse().unwrap(),
        tick: None,
        selection,
        bulk: false,
        parent: None,
        canary: Vec::new(),
    }
}

/// A journal in memory with its header written.
pub fn journal(plan: &Plan, selection: Selection, memory: &Memory) -> Journal {
    journal_of(plan, start(selection), memory)
}

pub fn journal_of(plan: &Plan, start: Start, memory: &Memory) -> Journal {
    let head = start.head(plan, "x.plan".into());
    let mut header = serde_json::to_vec(&Line::Header(Box::new(head.clone()))).unwrap();
    header.push(b'\n');
    memory.bytes.borrow_mut().extend_from_slice(&header);
    memory.synced.set(header.len());
    Journal::over(Box::new(memory.clone()), head, "x.journal".into(), "x.plan".into())
}

/// One run with everything spelled out.
pub struct Rig<'a> {
    pub plan: &'a Plan,
    pub org: &'a FakeOrg,
    pub settings: Settings,
    /// Further tries that the whole run has.
    pub tries: u32,
    /// The pause before each.
    pub pause: Duration,
    pub cancel: Cancel,
    pub kept: Kept,
    /// By jobs, in the order of this field.
    pub bulk: Option<&'static str>,
}

impl<'a> Rig<'a> {
    pub fn new(plan: &'a Plan, org: &'a FakeOrg) -> Self {
        let (settings, cancel, kept) = (settings(), Cancel::never(), Kept::default());
        Self { plan, org, settings, tries: 200, pause: Duration::ZERO, cancel, kept, bulk: None }
    }

    pub fn run(&mut self, journal: &mut Journal, from: Remaining) -> Result<Outcomes, RunError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let clock = || self.org.clock.get();
        let (mut left, pause) = (self.tries, self.pause);
        let mut retries = |repeated: u32, after: Option<Duration>| {
            left = if repeated < 5 { left.checked_sub(1)? } else { return None };
            Some(after.map_or(pause, |after| after.min(pause)))
        };
        let apply = Apply {
            org: self.org,
            settings: &self.settings,
            retries: &mut retries,
            clock: &clock,
            cancel: self.cancel.clone(),
            observer: &mut self.kept,
        };
        runtime.block_on(apply.run(self.plan, journal, from))
    }

    pub fn start(&self, selection: Selection) -> Start {
        let parent = self.bulk.filter(|p| !p.is_empty()).map(Into::into);
        Start { bulk: self.bulk.is_some(), parent, ..start(selection) }
    }

    /// A new run with a journal in memory.
    pub fn fresh(&mut self, selection: Selection) -> Outcomes {
        let memory = Memory::default();
        let mut journal = journal_of(self.plan, self.start(selection), &memory);
        *self.org.journal.borrow_mut() = Some(memory);
        self.run(&mut journal, Remaining::default()).unwrap()
    }
}
