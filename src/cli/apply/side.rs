//! Several integrations applied: one after another where a person is asked, else side by side. Those of one object go one after another from report to run
//! log; those that share a parent only write one after another. Each one's text is shown whole, in the order in which they were named.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::carry;
use super::carry::{Asked, From};
use super::errand::{Errand, Turns};
use super::publish::Publisher;
use crate::apply::{Cancel, Selection};
use crate::cli::arguments::ApplyArguments;
use crate::cli::connect::{beside, budget};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::ground::{Place, Target};
use crate::cli::lane::Lane;
use crate::cli::world::World;
use crate::diag::{Code, Diagnostic};
use crate::model::OrgId;
use crate::net::Budget;

/// One of several.
#[derive(Clone, Copy)]
pub struct Work<'a> {
    /// What to apply.
    pub target: Target<'a>,
    /// The tick that it is for.
    pub tick: Option<Timestamp>,
    /// The tick before that one, where it went by without a run.
    pub passed: Option<Timestamp>,
}

/// What all of them share.
struct Shared<'a> {
    place: Place<'a>,
    arguments: &'a ApplyArguments,
    selection: &'a Selection,
    publisher: &'a Publisher,
    cancel: &'a Cancel,
    /// One budget of repeats an org.
    budgets: BTreeMap<OrgId, Budget>,
    turns: Turns,
}

/// Applies all. One failure never stops another; the gravest exit code is told.
pub async fn apply(
    place: Place<'_>,
    works: &[Work<'_>],
    arguments: &ApplyArguments,
    selection: &Selection,
    publisher: &Publisher,
    cancel: &Cancel,
) -> Exit {
    let mut budgets = BTreeMap::new();
    for work in works {
        budgets.entry(work.target.org_id).or_insert_with(|| budget(place.world));
    }
    let shared = Shared { place, arguments, selection, publisher, cancel, budgets, turns: Turns::default() };
    let queue = queue(works);
    // A person can be asked one thing at a time.
    let lanes = if arguments.yes { arguments.at_once.min(queue.len()) } else { 1 };
    if lanes <= 1 {
        let mut exit = Exit::Done;
        for work in works {
            exit = exit.and(shared.one(place.world, work).await);
            place.world.end_document();
        }
        return exit;
    }
    let (queue, board) = (Mutex::new(queue), Mutex::new(Board::new(place, works)));
    let runtime = tokio::runtime::Handle::current();
    // Threads, not tasks: planning computes for seconds, and must not keep another's records from being read again in time.
    tokio::task::block_in_place(|| {
        std::thread::scope(|scope| {
            for _ in 0..lanes {
                scope.spawn(|| {
                    while let Some(chain) = next(&queue) {
                        for index in chain {
                            let world = board.lock().unwrap_or_else(PoisonError::into_inner).world(index, lanes);
                            let work = || runtime.block_on(shared.one(&world, &works[index]));
                            let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
                            let exit = ended.unwrap_or_else(|_| {
                                // The hook has said where.
                                super::told(&world, Err(Failure::bug("Footbridge panicked")))
                            });
                            world.close_documents();
                            board.lock().unwrap_or_else(PoisonError::into_inner).ended(index, exit);
                        }
                    }
                });
            }
        });
    });
    board.into_inner().unwrap_or_else(PoisonError::into_inner).exit
}

impl Shared<'_> {
    async fn one(&self, world: &World, work: &Work<'_>) -> Exit {
        let name = &work.target.integration.name.value;
        if self.cancel.is_cancelled() {
            let diagnostic =
                Diagnostic::error(Code::Interrupted, format!("`{name}` was not begun: the apply was interrupted"));
            return super::told(world, Err(Failure::new(Exit::Failed, diagnostic)));
        }
        let budget = match self.budgets.get(&work.target.org_id) {
            Some(shared) => beside(shared, world),
            None => budget(world),
        };
        let errand = Errand { tick: work.tick, passed: work.passed, budget, turns: self.turns.clone() };
        let place = Place { world, ..self.place };
        let asked = Asked {
            arguments: self.arguments,
            selection: self.selection,
            errand: &errand,
            publisher: self.publisher,
            cancel: self.cancel,
        };
        super::told(world, carry::integration(&place, work.target, From::Report, asked).await)
    }
}

/// Chains of works: of one object in one org, in their order.
fn queue(works: &[Work<'_>]) -> VecDeque<Vec<usize>> {
    let mut places: BTreeMap<(OrgId, String), usize> = BTreeMap::new();
    let mut chains: VecDeque<Vec<usize>> = VecDeque::new();
    for (index, work) in works.iter().enumerate() {
        let object = work.target.integration.object.value.as_str().to_ascii_lowercase();
        let at = *places.entry((work.target.org_id, object)).or_insert_with(|| {
            chains.push_back(Vec::new());
            chains.len() - 1
        });
        chains[at].push(index);
    }
    chains
}

fn next(queue: &Mutex<VecDeque<Vec<usize>>>) -> Option<Vec<usize>> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}

/// What has ended, and what was shown of it.
struct Board<'a> {
    place: Place<'a>,
    lanes: Vec<Arc<Lane>>,
    ended: Vec<bool>,
    shown: usize,
    exit: Exit,
}

impl<'a> Board<'a> {
    fn new(place: Place<'a>, works: &[Work<'_>]) -> Self {
        let lanes = works.iter().map(|work| Arc::new(Lane::new(&work.target.integration.name.value))).collect();
        Self { place, lanes, ended: vec![false; works.len()], shown: 0, exit: Exit::Done }
    }

    fn world(&self, index: usize, lanes: usize) -> World {
        self.place.world.clone().in_lane(Arc::clone(&self.lanes[index]), lanes)
    }

    /// Shows it, and those after it that have waited for it.
    fn ended(&mut self, index: usize, exit: Exit) {
        self.ended[index] = true;
        self.exit = self.exit.and(exit);
        while self.ended.get(self.shown) == Some(&true) {
            self.place.world.show(&self.lanes[self.shown]);
            self.lanes[self.shown] = Arc::new(Lane::new(""));
            self.shown += 1;
        }
    }
}
