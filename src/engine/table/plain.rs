//! A whole piece of a table made into a block without moving a byte of it: the cells stay where they are written. Only where every row in it is plain.

use memchr::memchr;

use super::Block;
use super::index::Index;
use super::reader::Shape;
use super::simd::wide;

/// What one thread needs for piece after piece; room is used again.
#[derive(Default)]
pub(super) struct Plain {
    index: Index,
    spans: Vec<(u32, u32)>,
}

impl Plain {
    /// The piece as a block whose rows and lines count from 1; or the piece, where it takes a longer look. It begins at the start of a row.
    pub(super) fn take(&mut self, bytes: Vec<u8>, shape: Shape) -> Result<Block, Vec<u8>> {
        if bytes.len() >= u32::MAX as usize || shape.columns < 2 {
            return Err(bytes);
        }
        self.index.take(&bytes, shape.dialect.delimiter, shape.dialect.quote);
        let Some(rows) = self.rows(&bytes, shape) else { return Err(bytes) };
        wide(
            #[inline(always)]
            || self.span(&bytes, shape),
        );
        let block = Block::spanned(shape.columns, rows, bytes, std::mem::take(&mut self.spans));
        let sound = !self.index.strange || (!has_nul(block.bytes()) && block.first_not_utf8().is_none());
        if sound { Ok(block) } else { Err(self.room_of(block)) }
    }

    /// Takes a block apart that nobody needs any more: its bytes.
    pub(super) fn room_of(&mut self, block: Block) -> Vec<u8> {
        let bytes;
        (bytes, self.spans) = block.into_parts();
        bytes
    }

    /// How many rows, where all that was looked at is whole rows of the table, one a line.
    fn rows(&self, bytes: &[u8], shape: Shape) -> Option<usize> {
        let Index { stops, feeds, plain, intricate, .. } = self.index;
        if plain < bytes.len() || intricate {
            return None;
        }
        let longest = shape.limits.max_cell.min(shape.limits.max_row) as u32;
        let mut start = 0;
        // With as many line feeds as rows, and one at the end of each, all other stops are delimiters; and so no line is blank.
        for row in self.index.behind(0, stops)?.chunks(shape.columns) {
            let &[.., behind] = row else { return None };
            if row.len() < shape.columns || bytes[behind as usize - 1] != b'\n' || behind - start > longest {
                return None;
            }
            start = behind;
        }
        (start as usize == bytes.len() && feeds * shape.columns == stops).then_some(feeds)
    }

    /// Where each cell starts and ends: before the stop, without the quotes it stands in.
    #[inline(always)]
    fn span(&mut self, bytes: &[u8], shape: Shape) {
        let Index { ref starts, stops, quotes, returns, .. } = self.index;
        if self.spans.len() < stops {
            self.spans.resize(stops, (0, 0));
        }
        let spans = &mut self.spans[..stops];
        let cells = || starts[..stops].iter().zip(&starts[1..]).map(|(&start, &next)| (start, next - 1));
        // In a bulk export every cell stands in quotes, in most reports none does: neither asks the bytes.
        if !returns && quotes == 0 {
            spans.iter_mut().zip(cells()).for_each(|(span, cell)| *span = cell);
        } else if !returns && quotes == stops * 2 {
            spans.iter_mut().zip(cells()).for_each(|(span, (start, end))| *span = (start + 1, end - 1));
        } else {
            let mut left = shape.columns;
            for (span, (start, mut end)) in spans.iter_mut().zip(cells()) {
                left -= 1;
                if left == 0 {
                    left = shape.columns;
                    end -= u32::from(end > start && bytes[end as usize - 1] == b'\r');
                }
                // An empty cell is followed by what is no quote.
                let quoted = u32::from(Some(bytes[start as usize]) == shape.dialect.quote);
                *span = (start + quoted, end - quoted);
            }
        }
    }
}

/// Is there a NUL? Then one thread says where.
pub(super) fn has_nul(bytes: &[u8]) -> bool {
    memchr(0, bytes).is_some()
}
