//! One file read by several threads: cut into pieces at what looks like the end of a row, indexed side by side, taken in order.
//!
//! A piece counts only if the one before it ended exactly where it begins, so what is cut wrongly (a quote where none should be) is found out; from there
//! on the file is read by one thread, and every error is the one that thread meets.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use memchr::{memchr_iter, memrchr};

use super::plain::Plain;
use super::reader::Piece;
use super::{Block, CsvError, CsvReader};

/// Bytes of a piece, as a rule.
const PIECE: usize = if cfg!(test) { 1 << 10 } else { 256 << 10 };
/// A piece without a cut in so many bytes is not looked at further: one thread goes on.
const LONGEST: usize = 4 << 20;

/// Why reading stopped.
#[derive(Debug, thiserror::Error)]
pub enum DrainError<E> {
    /// What is wrong with the file.
    #[error(transparent)]
    Csv(#[from] CsvError),
    /// What the one who takes the rows said.
    #[error("the rows were not taken")]
    Taken(E),
}

/// What is left of a reader whose rows are all taken.
pub struct Drained<R> {
    /// The reader below.
    pub input: R,
    /// Rows that were taken.
    pub rows: u64,
    /// Was the last row closed by a line end?
    pub last_line_ended: bool,
}

/// Where the next piece begins, in rows and lines.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) sequence: u64,
    pub(super) row: u64,
    pub(super) line: u64,
}

struct Source<R> {
    input: R,
    /// What was read behind the last cut.
    rest: Vec<u8>,
    /// Some cell has a line end in it: cuts are looked for with the quotes in mind. Until then a cut is likely where a line ends; a wrong one is found out.
    careful: bool,
    next: u64,
    over: bool,
    /// A line feed that comes first is the second half of a `\r\n` of which the first was taken.
    after_back: bool,
    failed: Option<io::Error>,
}

/// Pieces in order: the first number that is not settled yet.
struct Turn {
    next: u64,
    place: Place,
    last_line_ended: bool,
    /// Pieces that one thread has to read again.
    again: BTreeMap<u64, Vec<u8>>,
    /// A piece was unsound: no later one counts.
    unsound: bool,
    /// Threads whose piece is not next.
    waiting: usize,
}

struct Taking<F, T, E> {
    next: u64,
    /// Not here while a thread takes: nobody waits for that, for what comes meanwhile lies in `early`.
    take: Option<F>,
    /// What came out of turn: so nobody waits for a thread that was kept waiting itself.
    early: BTreeMap<u64, Result<Option<T>, E>>,
    /// Threads that are too far ahead.
    waiting: usize,
    stopped: Option<E>,
    /// A thread has panicked: what it had in hand never comes.
    broken: bool,
}

/// So many pieces a thread may be ahead, where what becomes of a piece takes memory: long enough that one thread may be held up for some milliseconds.
const AHEAD: usize = 12;

/// Does this when the thread that holds it panics: whoever waits for that thread would wait for ever, and nobody would be told.
struct WhenPanicking<F: Fn()>(F);

impl<F: Fn()> Drop for WhenPanicking<F> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            (self.0)();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<R: Read> Source<R> {
    /// The next piece, which ends where a row seems to; true with the last one. `None` when all is read, or where no cut was found.
    /// `piece` is room for it.
    fn piece(&mut self, quote: Option<u8>, mut piece: Vec<u8>) -> Option<(u64, Vec<u8>, bool)> {
        if self.over || self.failed.is_some() {
            return None;
        }
        let mut wanted = PIECE;
        // What a piece held before is written over: to empty all of it again would take time.
        piece.resize(wanted.max(self.rest.len()), 0);
        piece[..self.rest.len()].copy_from_slice(&self.rest);
        let mut filled = self.rest.len();
        self.rest.clear();
        loop {
            piece.resize(wanted.max(filled), 0);
            while filled < wanted && !self.over {
                match self.input.read(&mut piece[filled..]) {
                    Ok(0) => self.over = true,
                    Ok(read) => filled += read,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => {
                        self.failed = Some(error);
                        piece.truncate(filled);
                        self.rest = piece;
                        return None;
                    }
                }
                if filled > 0 && std::mem::take(&mut self.after_back) && piece[0] == b'\n' {
                    piece.copy_within(1..filled, 0);
                    filled -= 1;
                }
            }
            piece.truncate(filled);
            if self.over && piece.len() <= wanted {
                self.next += 1;
                return (!piece.is_empty()).then_some((self.next - 1, piece, true));
            }
            if let Some(cut) = cut(&piece[..piece.len().min(wanted)], quote.filter(|_| self.careful)) {
                self.rest.extend_from_slice(&piece[cut..]);
                piece.truncate(cut);
                self.next += 1;
                return Some((self.next - 1, piece, false));
            }
            wanted *= 2;
            if wanted > LONGEST.max(piece.len()) {
                self.rest = piece;
                return None;
            }
        }
    }
}

/// Behind the last line feed that has an even number of quotes before it.
fn cut(piece: &[u8], quote: Option<u8>) -> Option<usize> {
    let odd = |bytes: &[u8]| quote.is_some_and(|quote| memchr_iter(quote, bytes).count() % 2 == 1);
    let mut before = odd(piece);
    let mut end = piece.len();
    while let Some(at) = memrchr(b'\n', &piece[..end]) {
        before ^= odd(&piece[at..end]);
        if !before {
            return Some(at + 1);
        }
        end = at;
    }
    None
}

impl<R: Read + Send> CsvReader<R> {
    /// Reads the rest of the table on several threads: each block goes to `map` on any of them, and what that gives to `take`, in order.
    /// `map` sees no block that lies behind an error in the file.
    ///
    /// # Errors
    /// The first, as one thread would meet it; blocks before it were taken.
    pub fn drain<T: Send, E: Send>(
        mut self,
        threads: usize,
        map: impl Fn(&Block) -> Result<T, E> + Sync,
        mut take: impl FnMut(T) -> Result<(), E> + Send,
    ) -> Result<Drained<R>, DrainError<E>> {
        let (mut rows, mut careful) = (0, false);
        // The first block alone: most reports are no longer, and it settles what kind of line ends there are.
        if let Some(block) = self.next_block()? {
            rows += block.rows() as u64;
            careful = block.rows() > 0 && block.line(block.rows() - 1) >= block.line(0) + block.rows() as u64;
            map(&block).and_then(&mut take).map_err(DrainError::Taken)?;
        }
        if !self.can_be_cut() {
            return one_by_one(self, rows, map, take);
        }
        let shape = self.shape();
        let (input, rest, after_back, place) = self.apart();
        let first = place.row;
        let source = Mutex::new(Source { input, rest, careful, next: 0, over: false, after_back, failed: None });
        let turn = Mutex::new(Turn {
            next: 0,
            place,
            last_line_ended: true,
            again: BTreeMap::new(),
            unsound: false,
            waiting: 0,
        });
        let taking =
            Taking { next: 0, take: Some(&mut take), early: BTreeMap::new(), waiting: 0, stopped: None, broken: false };
        let taking = Mutex::new(taking);
        let (settled, taken) = (Condvar::new(), Condvar::new());
        let ahead = if size_of::<T>() == 0 { usize::MAX } else { AHEAD * threads };
        let work = || {
            let _others = WhenPanicking(|| {
                lock(&turn).unsound = true;
                lock(&taking).broken = true;
                settled.notify_all();
                taken.notify_all();
                // Last: somebody may be reading, and holds it for as long.
                lock(&source).over = true;
            });
            let (mut plain, mut room) = (Plain::default(), Vec::new());
            loop {
                let next = lock(&source).piece(shape.quote(), std::mem::take(&mut room));
                let Some((number, bytes, last)) = next else { return };
                let piece = shape.read(bytes, &mut plain);
                if let Piece::Sound { block, lines, .. } = &piece
                    && *lines > block.as_ref().map_or(0, |block| block.rows() as u64)
                {
                    lock(&source).careful = true;
                }
                let mut turn_now = lock(&turn);
                while turn_now.next != number && !turn_now.unsound {
                    turn_now.waiting += 1;
                    turn_now = settled.wait(turn_now).unwrap_or_else(PoisonError::into_inner);
                    turn_now.waiting -= 1;
                }
                // A word to nobody costs as much as one to somebody.
                let others = turn_now.waiting > 0;
                let block = match piece {
                    Piece::Sound { block, lines, ended, .. } if !turn_now.unsound && (ended || last) => {
                        let place = turn_now.place;
                        turn_now.next += 1;
                        turn_now.place.line += lines;
                        turn_now.last_line_ended = ended;
                        if let Some(block) = &block {
                            turn_now.place.row += block.rows() as u64;
                            turn_now.place.sequence += 1;
                        }
                        block.map(|block| block.further(place.line - 1).placed(place.sequence, place.row))
                    }
                    unsound => {
                        let bytes = match unsound {
                            Piece::Sound { bytes: Some(bytes), .. } | Piece::Unsound { bytes } => bytes,
                            Piece::Sound { block, .. } => block.map_or_else(Vec::new, |block| plain.room_of(block)),
                        };
                        turn_now.unsound = true;
                        turn_now.again.insert(number, bytes);
                        settled.notify_all();
                        return;
                    }
                };
                drop(turn_now);
                if others {
                    settled.notify_all();
                }
                let mapped = block.as_ref().map(&map).transpose();
                if let Some(block) = block {
                    room = plain.room_of(block);
                }
                let mut now = lock(&taking);
                now.early.insert(number, mapped);
                while now.stopped.is_none() && !now.broken {
                    let next = now.next;
                    if now.early.contains_key(&next)
                        && let Some(take) = now.take.take()
                    {
                        let mapped = now.early.remove(&next);
                        drop(now);
                        let end = mapped.map_or(Ok(()), |mapped| mapped?.map_or(Ok(()), &mut *take));
                        now = lock(&taking);
                        now.take = Some(take);
                        now.next += 1;
                        if let Err(error) = end {
                            now.stopped = Some(error);
                            lock(&source).over = true;
                        }
                        if now.waiting > 0 {
                            taken.notify_all();
                        }
                    } else if now.early.len() > ahead {
                        now.waiting += 1;
                        now = taken.wait(now).unwrap_or_else(PoisonError::into_inner);
                        now.waiting -= 1;
                    } else {
                        break;
                    }
                }
                if now.stopped.is_some() || now.broken {
                    return;
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(work);
            }
            work();
        });
        let taking = taking.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = taking.stopped {
            return Err(DrainError::Taken(error));
        }
        let source = source.into_inner().unwrap_or_else(PoisonError::into_inner);
        let turn = turn.into_inner().unwrap_or_else(PoisonError::into_inner);
        rows += turn.place.row - first;
        if source.over && turn.again.is_empty() {
            return Ok(Drained { input: source.input, rows, last_line_ended: turn.last_line_ended });
        }
        // What several threads could not settle, one does: from the first piece that did not count.
        let mut bytes: Vec<u8> = turn.again.into_values().flatten().collect();
        bytes.extend_from_slice(&source.rest);
        let input = Cursor::new(bytes).chain(Failing(source.failed)).chain(source.input);
        let Drained { input, rows, last_line_ended } = one_by_one(shape.reader(input, turn.place), rows, map, take)?;
        Ok(Drained { input: input.into_inner().1, rows, last_line_ended })
    }
}

/// Gives back an error of reading at its place.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

fn one_by_one<R: Read, T, E>(
    mut reader: CsvReader<R>,
    mut rows: u64,
    map: impl Fn(&Block) -> Result<T, E>,
    mut take: impl FnMut(T) -> Result<(), E>,
) -> Result<Drained<R>, DrainError<E>> {
    while let Some(block) = reader.next_block()? {
        rows += block.rows() as u64;
        map(&block).and_then(&mut take).map_err(DrainError::Taken)?;
    }
    let last_line_ended = reader.last_line_ended();
    Ok(Drained { input: reader.into_inner(), rows, last_line_ended })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use proptest::prelude::*;

    use super::super::{Dialect, Limits};
    use super::*;

    type Rows = Vec<(u64, u64, Vec<Vec<u8>>)>;

    fn rows(block: &Block) -> Rows {
        block.iter().map(|row| (row.number(), row.line(), row.cells().map(<[u8]>::to_vec).collect())).collect()
    }

    fn by(threads: usize, text: &[u8]) -> Result<(Rows, u64, bool), String> {
        let limits = Limits { block: 100, ..Limits::default() };
        let (_, reader) = CsvReader::open(text, Dialect::default(), limits).map_err(|e| e.to_string())?;
        let mut all = Vec::new();
        let seen = AtomicUsize::new(0);
        let drained = reader.drain(
            threads,
            |block| {
                seen.fetch_add(block.rows(), Ordering::Relaxed);
                Ok::<_, ()>(rows(block))
            },
            |rows| {
                all.extend(rows);
                Ok(())
            },
        );
        match drained {
            Ok(drained) => {
                assert_eq!(drained.rows, all.len() as u64);
                assert_eq!(seen.into_inner(), all.len());
                Ok((all, drained.rows, drained.last_line_ended))
            }
            Err(error) => Err(format!("{error:?}")),
        }
    }

    /// Block by block, as the reader's states have it.
    fn plainly(text: &[u8]) -> Result<(Rows, u64, bool), String> {
        let limits = Limits { block: 100, ..Limits::default() };
        let (_, mut reader) = CsvReader::open(text, Dialect::default(), limits).map_err(|e| e.to_string())?;
        let mut all = Vec::new();
        while let Some(block) = reader.next_block().map_err(|e| format!("{:?}", DrainError::<()>::Csv(e)))? {
            all.extend(rows(&block));
        }
        let count = all.len() as u64;
        Ok((all, count, reader.last_line_ended()))
    }

    /// Long enough for several pieces, with something odd at a place or at its end.
    fn long(line_end: &str, odd: &str, at: usize, end: &str) -> String {
        let mut text = format!("a,b,c{line_end}");
        for n in 0..300 {
            if n == at {
                text.push_str(odd);
            }
            match n % 7 {
                0 => text.push_str(&format!("\"x{n}\",\"line\nbreak, \"\"quoted\"\"\",é{line_end}")),
                1 => text.push_str(&format!("{n},,{line_end}")),
                _ => text.push_str(&format!("{n},plain text of row {n},\"q\"{line_end}")),
            }
        }
        text.push_str(end);
        text
    }

    #[test]
    fn several_threads_read_what_one_reads() {
        for line_end in ["\n", "\r\n", "\r"] {
            for odd in
                ["", "\n\r\n\n", "5\" pipe,\"x\",y\n", "1,2\n", "\"open,\n", "1,\"2\"x,3\n", "1,\0,3\n", "1,2,3,4\n"]
            {
                for at in [10, 150, 299] {
                    for end in ["", "1,2,3", "1,2", "\"x"] {
                        let text = long(line_end, odd, at, end);
                        let one = plainly(text.as_bytes());
                        for threads in [1, 2, 3] {
                            assert!(one == by(threads, text.as_bytes()), "{line_end:?} {odd:?} at {at}, then {end:?}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn the_first_cell_with_line_ends_may_lie_across_a_cut() {
        for quiet in [40, 41, 200] {
            for lines in [1, 30, 700, 3_000] {
                let mut text = String::from("a,b\n");
                (0..quiet).for_each(|n| text.push_str(&format!("{n},\"one line\"\n")));
                text.push_str(&format!("\"{}\",x\n", "y\n".repeat(lines)));
                (0..quiet).for_each(|n| text.push_str(&format!("{n},z\n")));
                let one = plainly(text.as_bytes());
                assert_eq!(one.as_ref().unwrap().1, 2 * quiet + 1);
                for threads in [1, 2, 3] {
                    assert!(one == by(threads, text.as_bytes()), "{lines} line ends behind {quiet} rows");
                }
            }
        }
    }

    #[test]
    fn bytes_that_are_not_text_are_told_alike() {
        let mut text = long("\n", "", 0, "").into_bytes();
        let at = text.len() / 2;
        text[at] = 0xff;
        assert_eq!(by(1, &text), by(2, &text));
        assert!(by(2, &text).is_err());
    }

    #[test]
    fn who_takes_may_stop_it() {
        let text = long("\n", "", 0, "");
        let limits = Limits { block: 100, ..Limits::default() };
        let (_, reader) = CsvReader::open(text.as_bytes(), Dialect::default(), limits).unwrap();
        let mut taken = 0;
        let stopped = reader.drain(
            2,
            |block| Ok::<_, &str>(block.rows()),
            |_| {
                taken += 1;
                if taken == 3 { Err("enough") } else { Ok(()) }
            },
        );
        assert!(matches!(stopped, Err(DrainError::Taken("enough"))));
        assert_eq!(taken, 3);
    }

    #[test]
    fn a_panic_of_one_thread_is_told_and_not_waited_for() {
        // More pieces than any thread may be ahead.
        let text: String =
            std::iter::once("a,b\n".to_owned()).chain((0..9_000).map(|n| format!("{n},text\n"))).collect();
        assert!(text.len() / PIECE > 2 * AHEAD * 3, "{}", text.len());
        for (map_panics, take_panics) in [(true, false), (false, true)] {
            for threads in [1, 2, 3] {
                let limits = Limits { block: 100, ..Limits::default() };
                let (_, reader) = CsvReader::open(text.as_bytes(), Dialect::default(), limits).unwrap();
                let taken = AtomicUsize::new(0);
                let drained = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    reader.drain(
                        threads,
                        |block| {
                            assert!(!(map_panics && block.sequence() == 3), "a fault of who maps");
                            Ok::<_, ()>(block.sequence())
                        },
                        |sequence| {
                            assert!(!(take_panics && sequence == 3), "a fault of who takes");
                            taken.fetch_add(1, Ordering::Relaxed);
                            Ok(())
                        },
                    )
                }));
                assert!(drained.is_err());
                assert!(taken.into_inner() <= 3, "{threads} threads: nothing is taken behind it");
            }
        }
    }

    proptest! {
        #[test]
        fn a_cut_stands_behind_a_line_feed_outside_quotes(text in "[a,\"\n]{0,40}") {
            if let Some(cut) = cut(text.as_bytes(), Some(b'"')) {
                prop_assert_eq!(text.as_bytes()[cut - 1], b'\n');
                prop_assert_eq!(text[..cut].matches('"').count() % 2, 0);
            }
        }
    }
}
