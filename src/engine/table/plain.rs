//! A whole piece of a table made into a block without moving a byte of it: the cells are spans of the piece. Only where every row in it is plain.

use super::Block;
use super::index::Index;
use super::reader::Shape;

/// Bytes indexed at a time.
const WINDOW: usize = if cfg!(test) { 300 } else { 32 << 10 };

/// What one thread needs for piece after piece; room is used again.
#[derive(Default)]
pub(super) struct Plain {
    index: Index,
    spans: Vec<(u32, u32)>,
    lines: Vec<u64>,
}

impl Plain {
    /// The piece as a block whose rows and lines count from 1; or the piece, where it takes a longer look. It begins at the start of a row, and holds no NUL;
    /// `ascii`: nor anything beyond ASCII.
    pub(super) fn take(&mut self, bytes: Vec<u8>, shape: Shape, ascii: bool) -> Result<Block, Vec<u8>> {
        self.spans.clear();
        let Some(text) = self.cells(&bytes, shape) else { return Err(bytes) };
        let rows = self.spans.len() / shape.columns;
        self.lines.clear();
        self.lines.extend(1..=rows as u64);
        let (spans, lines) = (std::mem::take(&mut self.spans), std::mem::take(&mut self.lines));
        let block = Block::spanned(shape.columns, bytes, spans, lines, text);
        if ascii || block.first_not_utf8().is_none() { Ok(block) } else { Err(self.room_of(block)) }
    }

    /// Takes a block apart that nobody needs any more: its bytes.
    pub(super) fn room_of(&mut self, block: Block) -> Vec<u8> {
        let bytes;
        (bytes, self.spans, self.lines) = block.into_parts();
        bytes
    }

    /// Finds the span of every cell; the bytes of all cells come back.
    fn cells(&mut self, bytes: &[u8], shape: Shape) -> Option<usize> {
        if bytes.len() > u32::MAX as usize || shape.columns < 2 {
            return None;
        }
        let (mut at, mut text) = (0, 0);
        while at < bytes.len() {
            let window = &bytes[at..bytes.len().min(at + WINDOW)];
            self.index.take(window, shape.dialect.delimiter, shape.dialect.quote);
            if self.index.plain < window.len() || self.index.intricate {
                return None;
            }
            let quote = shape.dialect.quote.filter(|_| self.index.quoted);
            let (length, cells) = match quote {
                Some(quote) => self.rows(window, at, shape, |byte| byte == quote)?,
                None => self.rows(window, at, shape, |_| false)?,
            };
            if length == 0 {
                return None;
            }
            (at, text) = (at + length, text + cells);
        }
        Some(text)
    }

    /// The rows of a window that lie wholly in it: their length, and the bytes of their cells.
    #[inline(always)]
    fn rows(
        &mut self,
        window: &[u8],
        at: usize,
        shape: Shape,
        is_quote: impl Fn(u8) -> bool,
    ) -> Option<(usize, usize)> {
        let columns = shape.columns;
        let longest = shape.limits.max_cell.min(shape.limits.max_row);
        let rows = self.index.stops.len() / columns;
        // With as many line feeds as rows, and one at the end of each, all other stops are delimiters; and so no line is blank.
        if self.index.feeds != rows {
            return None;
        }
        let first = self.spans.len();
        self.spans.resize(first + rows * columns, (0, 0));
        let (mut row_start, mut text) = (0, 0);
        let all = self.index.stops.chunks_exact(columns).zip(self.spans[first..].chunks_exact_mut(columns));
        for (stops, spans) in all {
            let ([stops @ .., last_stop], [spans @ .., last_span]) = (stops, spans) else { return None };
            let mut start = row_start;
            for (&stop, span) in stops.iter().zip(spans) {
                let stop = stop as usize;
                // An empty cell begins with the delimiter behind it, which is no quote.
                let quote = usize::from(is_quote(window[start]));
                let (from, end) = (start + quote, stop - quote);
                *span = ((at + from) as u32, (at + end) as u32);
                text += end - from;
                start = stop + 1;
            }
            let stop = *last_stop as usize;
            if window[stop] != b'\n' {
                return None;
            }
            let mut end = stop;
            if end > start && window[end - 1] == b'\r' {
                end -= 1;
            }
            let quote = usize::from(is_quote(window[start]));
            let (from, end) = (start + quote, end - quote);
            *last_span = ((at + from) as u32, (at + end) as u32);
            text += end - from;
            if stop + 1 - row_start > longest {
                return None;
            }
            row_start = stop + 1;
        }
        Some((row_start, text))
    }
}
