//! Records without an end, in the order in which they are dealt with. Of those that were never touched only their places are held: a plan may have millions.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use super::org::RecordError;

/// Groups of one lot are sent together; records of several lots never are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lot {
    /// Records a call.
    pub(super) size: usize,
    /// 0 in the ordinary case; halves of a refused batch each have their own.
    pub(super) part: u32,
}

/// One record without an end.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// Its place among the targets.
    pub(super) index: usize,
    pub(super) lot: Lot,
    /// When it was last read: before the call, so that its age is never told too small.
    pub(super) read: Option<Duration>,
    /// An update whose answer was lost may have written it.
    pub(super) doubt: bool,
    /// How often it was sent and could not be locked.
    pub(super) tries: u32,
    /// What Salesforce said then.
    pub(super) last: Option<Box<RecordError>>,
}

impl Item {
    /// One that nothing was done for yet.
    pub(super) fn new(index: usize, lot: Lot) -> Self {
        Self { index, lot, read: None, doubt: false, tries: 0, last: None }
    }

    /// How old its read is; what was never read is of any age.
    pub(super) fn age(&self, now: Duration) -> Duration {
        self.read.map_or(Duration::MAX, |read| now.saturating_sub(read))
    }
}

/// What waits to be read: first what was put back, then what was never touched, then what has to wait for all of that.
#[derive(Debug)]
pub(super) struct Queue {
    first: VecDeque<Item>,
    fresh: std::vec::IntoIter<u32>,
    doubt: HashSet<u32>,
    lot: Lot,
    last: VecDeque<Item>,
}

impl Queue {
    /// These places among the targets, in this order; those in doubt were perhaps written by an earlier process.
    pub(super) fn new(fresh: Vec<u32>, doubt: HashSet<u32>, lot: Lot) -> Self {
        Self { first: VecDeque::new(), fresh: fresh.into_iter(), doubt, lot, last: VecDeque::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.first.len() + self.fresh.len() + self.last.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The lot of the next record.
    pub(super) fn next_lot(&self) -> Option<Lot> {
        match (self.first.front(), self.fresh.len(), self.last.front()) {
            (Some(item), ..) => Some(item.lot),
            (None, 1.., _) => Some(self.lot),
            (None, 0, last) => last.map(|item| item.lot),
        }
    }

    /// The next records of one lot, at most so many.
    pub(super) fn take(&mut self, most: usize, lot: Lot) -> Vec<Item> {
        let mut taken = Vec::with_capacity(most.min(self.len()));
        while taken.len() < most && self.next_lot() == Some(lot) {
            taken.extend(self.pop());
        }
        taken
    }

    fn pop(&mut self) -> Option<Item> {
        if let Some(item) = self.first.pop_front() {
            return Some(item);
        }
        match self.fresh.next() {
            Some(place) => {
                let doubt = self.doubt.contains(&place);
                Some(Item { doubt, ..Item::new(place as usize, self.lot) })
            }
            None => self.last.pop_front(),
        }
    }

    /// These come next.
    pub(super) fn put_back(&mut self, items: Vec<Item>) {
        for item in items.into_iter().rev() {
            self.first.push_front(item);
        }
    }

    /// These come last.
    pub(super) fn append(&mut self, items: Vec<Item>) {
        self.last.extend(items);
    }

    /// All of them, for the end of a run.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Item> + '_ {
        std::iter::from_fn(|| self.pop())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_back_comes_first_and_what_waits_comes_last() {
        let lot = Lot { size: 3, part: 0 };
        let other = Lot { size: 1, part: 0 };
        let mut queue = Queue::new(vec![4, 5, 6], HashSet::from([5]), lot);
        queue.append(vec![Item::new(9, other)]);
        queue.put_back(vec![Item::new(1, lot), Item::new(2, lot)]);
        assert_eq!((queue.len(), queue.next_lot()), (6, Some(lot)));
        let taken = queue.take(4, lot);
        assert_eq!(
            taken.iter().map(|i| (i.index, i.doubt)).collect::<Vec<_>>(),
            [(1, false), (2, false), (4, false), (5, true)]
        );
        assert_eq!(queue.take(9, lot).len(), 1, "another lot is not taken with it");
        assert_eq!(queue.next_lot(), Some(other));
        assert_eq!(queue.drain().map(|i| i.index).collect::<Vec<_>>(), [9]);
        assert!(queue.is_empty());
    }
}
