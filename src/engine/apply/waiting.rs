//! The records that wait to be read. Those that nothing has happened to yet take four bytes each.

use std::collections::{HashMap, HashSet, VecDeque};

use super::executor::{Item, Lot};
use super::org::RecordError;

/// First what came back, then what is fresh, in the order of the plan, then what could not be locked.
pub(super) struct Waiting {
    back: VecDeque<Item>,
    fresh: std::vec::IntoIter<u32>,
    /// Of the fresh ones: perhaps written by an earlier process.
    doubt: HashSet<u32>,
    /// Of the fresh ones: what Salesforce said of them to an earlier process.
    refused: HashMap<u32, Box<RecordError>>,
    /// The lot of the fresh ones.
    lot: Lot,
    later: VecDeque<Item>,
}

impl Waiting {
    /// These places wait, all in one lot.
    pub(super) fn new(fresh: Vec<u32>, doubt: HashSet<u32>, refused: HashMap<u32, Box<RecordError>>, lot: Lot) -> Self {
        Self { back: VecDeque::new(), fresh: fresh.into_iter(), doubt, refused, lot, later: VecDeque::new() }
    }

    /// The lot of the first.
    pub(super) fn lot(&self) -> Option<Lot> {
        let fresh = || (!self.fresh.as_slice().is_empty()).then_some(self.lot);
        self.back.front().map(|item| item.lot).or_else(fresh).or_else(|| self.later.front().map(|item| item.lot))
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.back.len() + self.fresh.len() + self.later.len()
    }

    /// Nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.lot().is_none()
    }

    /// Places and lots of all, in order.
    fn all(&self) -> impl Iterator<Item = (usize, Lot)> {
        let item = |item: &Item| (item.index, item.lot);
        let fresh = self.fresh.as_slice().iter().map(|place| (*place as usize, self.lot));
        self.back.iter().map(item).chain(fresh).chain(self.later.iter().map(item))
    }

    /// The places of the first, at most so many, of one lot.
    pub(super) fn first(&self, most: usize) -> Vec<usize> {
        let lot = self.lot();
        self.all().take(most).take_while(|(_, of)| Some(*of) == lot).map(|(place, _)| place).collect()
    }

    /// Takes the first so many out.
    pub(super) fn take(&mut self, count: usize) -> Vec<Item> {
        let mut taken: Vec<Item> = self.back.drain(..count.min(self.back.len())).collect();
        while taken.len() < count
            && let Some(place) = self.fresh.next()
        {
            let (doubt, last) = (self.doubt.remove(&place), self.refused.remove(&place));
            taken.push(Item { doubt, last, ..Item::new(place as usize, self.lot) });
        }
        let left = count.saturating_sub(taken.len()).min(self.later.len());
        taken.extend(self.later.drain(..left));
        taken
    }

    /// Takes those out that were perhaps written by an earlier process.
    pub(super) fn doubtful(&mut self) -> Vec<Item> {
        let fresh = std::mem::take(&mut self.fresh);
        let (doubt, rest): (Vec<u32>, Vec<u32>) = fresh.partition(|place| self.doubt.remove(place));
        self.fresh = rest.into_iter();
        let item =
            |place: u32| Item { doubt: true, last: self.refused.remove(&place), ..Item::new(place as usize, self.lot) };
        doubt.into_iter().map(item).collect()
    }

    /// First again.
    pub(super) fn put_back(&mut self, items: Vec<Item>) {
        for item in items.into_iter().rev() {
            self.back.push_front(item);
        }
    }

    /// Fresh ones behind the fresh.
    pub(super) fn follow(&mut self, fresh: Vec<u32>, doubt: HashSet<u32>) {
        let mut all = self.fresh.as_slice().to_vec();
        all.extend(fresh);
        self.fresh = all.into_iter();
        self.doubt.extend(doubt);
    }

    /// Behind all others.
    pub(super) fn extend(&mut self, items: Vec<Item>) {
        self.later.extend(items);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_back_goes_first_and_what_was_locked_last() {
        let (lot, small) = (Lot { size: 200, part: 0 }, Lot { size: 25, part: 0 });
        let mut waiting = Waiting::new(vec![0, 1, 3, 4], [3].into(), HashMap::new(), lot);
        let mut taken = waiting.take(2);
        assert_eq!(taken.iter().map(|i| i.index).collect::<Vec<_>>(), [0, 1]);
        taken[1].lot = small;
        waiting.extend(vec![taken.pop().unwrap()]);
        waiting.put_back(taken);
        assert_eq!((waiting.lot(), waiting.first(9)), (Some(lot), vec![0, 3, 4]));
        let taken = waiting.take(3);
        assert_eq!(taken.iter().map(|i| (i.index, i.doubt)).collect::<Vec<_>>(), [(0, false), (3, true), (4, false)]);
        assert_eq!((waiting.lot(), waiting.first(9)), (Some(small), vec![1]));
        assert_eq!(waiting.take(9).len(), 1);
        assert!(waiting.is_empty());
        waiting.follow(vec![5, 6, 7], [6].into());
        assert_eq!(waiting.doubtful().iter().map(|i| (i.index, i.doubt)).collect::<Vec<_>>(), [(6, true)]);
        assert_eq!(waiting.take(9).iter().map(|i| (i.index, i.doubt)).collect::<Vec<_>>(), [(5, false), (7, false)]);
    }
}
