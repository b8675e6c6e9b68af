//! Where the planned records ended, four bytes each: most of them end alike.

use std::collections::HashMap;
use std::ops::Index;

use super::outcome::End;

/// Ends by the record's place among the planned ones. Equal ends are kept once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ends {
    kinds: Vec<End>,
    known: HashMap<End, u32>,
    /// Into `kinds`, from 1; 0 for a record without an end.
    places: Vec<u32>,
}

impl Ends {
    /// The end of a record, if it has one.
    pub fn get(&self, place: usize) -> Option<&End> {
        let kind = *self.places.get(place)?;
        self.kinds.get((kind as usize).checked_sub(1)?)
    }

    /// Gives a record its end; `true` if it had one already.
    pub fn set(&mut self, place: usize, end: End) -> bool {
        let kind = match self.known.get(&end) {
            Some(kind) => *kind,
            None => {
                self.kinds.push(end.clone());
                let kind = self.kinds.len() as u32;
                self.known.insert(end, kind);
                kind
            }
        };
        if self.places.len() <= place {
            self.places.resize(place + 1, 0);
        }
        std::mem::replace(&mut self.places[place], kind) != 0
    }

    /// Takes a record's end away.
    pub fn unset(&mut self, place: usize) {
        if let Some(kind) = self.places.get_mut(place) {
            *kind = 0;
        }
    }

    /// Of every record in order, until the last that has one.
    pub fn iter(&self) -> impl Iterator<Item = Option<&End>> {
        (0..self.places.len()).map(|place| self.get(place))
    }

    /// The different ends that occur, or once occurred.
    pub fn kinds(&self) -> impl Iterator<Item = &End> {
        self.kinds.iter()
    }

    /// How many records have one.
    pub fn len(&self) -> usize {
        self.places.iter().filter(|kind| **kind != 0).count()
    }

    /// No record has one.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Of a record that has one; a place without is a slip of the caller's.
impl Index<usize> for Ends {
    type Output = End;

    fn index(&self, place: usize) -> &End {
        &self.kinds[self.places[place] as usize - 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::NotAttempted;

    #[test]
    fn equal_ends_are_kept_once() {
        let mut ends = Ends::default();
        let refused = || End::failed("CODE", "words", &[]);
        assert!(!ends.set(2, End::Updated));
        assert!(!ends.set(0, refused()));
        assert!(!ends.set(3, refused()));
        assert!(ends.set(3, End::NotAttempted { reason: NotAttempted::Limit }), "it had one");
        assert_eq!((ends.get(0), ends.get(1), ends.get(9)), (Some(&refused()), None, None));
        assert_eq!((&ends[2], ends.len(), ends.kinds().count()), (&End::Updated, 3, 3));
        ends.unset(2);
        assert_eq!((ends.get(2), ends.len()), (None, 2));
        assert_eq!(ends.iter().flatten().count(), 2);
    }
}
