//! The CSV indexer: a reader of bytes → a header and blocks of rows.
//!
//! One pass, one state, no look-back: a cell is copied once, from the chunk into its block, so neither a row nor a
//! cell has to lie in one chunk, and the result does not depend on where chunks are cut. Plain rows that lie in one
//! chunk are found by the [`Index`] and copied many at a time; what they are, the states here define.

use std::io::{self, Read};

use memchr::{memchr, memchr2_iter, memchr3};

use super::drain::Place;
use super::index::Index;
use super::plain::{Plain, has_nul};
use super::{Block, BlockBuilder, CsvError, Dialect, Limits, LineCounter, LineEnd, RowShape};

/// Bytes asked of the reader at a time.
const CHUNK: usize = 256 << 10;
/// However high the limit is set: a block's ends are 32 bits.
const HIGHEST_ROW: usize = 1 << 30;
/// Bytes indexed at a time.
const WINDOW: usize = 32 << 10;

/// The first row of a table, when the dialect has a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Names as written, UTF-8; empty without a header.
    pub names: Vec<String>,
    /// Number of columns, with or without a header.
    pub columns: usize,
    /// Line in which the header (else the first row) starts.
    pub line: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first byte of a line.
    Row,
    /// Before the first byte of a cell.
    Cell,
    Bare,
    Quoted,
    /// After a quote inside a quoted cell: its end, or the first half of a doubled one.
    Closing,
    /// All is read.
    Over,
    Failed,
}

/// Reads CSV into blocks. Not `Debug`: it holds cells.
pub struct CsvReader<R> {
    input: R,
    dialect: Dialect,
    limits: Limits,
    columns: usize,
    state: State,
    chunk: Vec<u8>,
    /// Next byte, end of what may be read, and whether a NUL stands there.
    at: usize,
    end: usize,
    nul: bool,
    /// Offset in the whole input of the chunk's first byte.
    base: u64,
    /// Line of the next byte, and the offset where it starts.
    line: u64,
    line_start: u64,
    /// Offset behind the last `\r`, so that a `\n` there ends no second line.
    behind_cr: u64,
    row_line: u64,
    row_start: u64,
    cell_line: u64,
    /// Position in its line where the cell starts.
    cell_at: u64,
    quoted: bool,
    cells: usize,
    cell_length: usize,
    /// Blank lines of a one-column table that become rows if another row follows.
    blank: u64,
    /// Line of the first of those; later ones follow one by one.
    blank_line: u64,
    line_end: Option<LineEnd>,
    /// Offset behind the first line end.
    first_end: u64,
    last_line_ended: bool,
    next: BlockBuilder,
    index: Index,
    /// Where in the chunk the indexed window begins and, as far as it is plain, ends; and the first stop not used.
    window: (usize, usize),
    stop: usize,
    /// Cells of the rows that are taken together.
    spans: Vec<(u32, u32)>,
}

impl<R: Read> CsvReader<R> {
    /// Starts reading, as far as the first row.
    ///
    /// # Errors
    /// [`CsvError::Empty`] when there is no row, not even a header; else what is wrong with the first row.
    pub fn open(input: R, dialect: Dialect, limits: Limits) -> Result<(Header, Self), CsvError> {
        if !dialect.is_sound() {
            return Err(CsvError::Dialect { delimiter: dialect.delimiter, quote: dialect.quote });
        }
        let limits = Limits { max_row: limits.max_row.min(HIGHEST_ROW), ..limits };
        let mut reader = Self::over(input, vec![0; CHUNK], 0, dialect, limits);
        reader.skip_lines()?;
        let mut first = BlockBuilder::unfixed(1, 0);
        reader.fill(&mut first, 0)?;
        let row = first.clone().finish();
        if row.rows() == 0 {
            return Err(CsvError::Empty);
        }
        reader.check_utf8(&row)?;
        reader.columns = row.columns();
        let mut header = Header { names: Vec::new(), columns: row.columns(), line: row.line(0) };
        if dialect.header {
            header.names = row.row(0).cells().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect();
            reader.next = BlockBuilder::new(reader.columns, 1, 0);
        } else {
            reader.next = first;
        }
        Ok((header, reader))
    }

    /// A reader whose chunk holds `end` bytes already, at the start of a row.
    fn over(input: R, chunk: Vec<u8>, end: usize, dialect: Dialect, limits: Limits) -> Self {
        Self {
            input,
            dialect,
            limits,
            columns: 0,
            state: State::Row,
            chunk,
            at: 0,
            end,
            nul: false,
            base: 0,
            line: 1,
            line_start: 0,
            behind_cr: 0,
            row_line: 0,
            row_start: 0,
            cell_line: 0,
            cell_at: 0,
            quoted: false,
            cells: 0,
            cell_length: 0,
            blank: 0,
            blank_line: 0,
            line_end: None,
            first_end: 0,
            last_line_ended: true,
            next: BlockBuilder::unfixed(1, 0),
            index: Index::default(),
            window: (0, 0),
            stop: 0,
            spans: Vec::new(),
        }
    }

    /// The next block, never one without rows; `None` at the end.
    ///
    /// # Errors
    /// What is wrong with the file, once; [`CsvError::FailedBefore`] ever after. Rows of the block that was being
    /// filled are not handed out.
    pub fn next_block(&mut self) -> Result<Option<Block>, CsvError> {
        match self.try_next_block() {
            Ok(block) => Ok(block),
            Err(error) => {
                self.state = State::Failed;
                Err(error)
            }
        }
    }

    /// The line end of the first line that is over; `None` before that.
    pub fn line_end(&self) -> Option<LineEnd> {
        self.line_end
    }

    /// At the end: was the last row closed by a line end? If not, the file may be cut off.
    pub fn last_line_ended(&self) -> bool {
        self.last_line_ended
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The reader below. Bytes already taken from it are gone.
    pub fn into_inner(self) -> R {
        self.input
    }

    /// May what is left be cut at line feeds? At the start of a row, after at least one block.
    pub(super) fn can_be_cut(&self) -> bool {
        self.state == State::Row && self.columns > 1 && !self.nul && self.next.rows() == 0
    }

    pub(super) fn shape(&self) -> Shape {
        Shape { dialect: self.dialect, limits: self.limits, columns: self.columns }
    }

    /// The reader below, what was read of it and not used, whether a line feed there would belong to a row already taken, and where that stands. At the
    /// start of a row.
    pub(super) fn apart(mut self) -> (R, Vec<u8>, bool, Place) {
        let mut after_back = self.offset() == self.behind_cr && self.behind_cr > 0;
        if after_back && self.at < self.end {
            self.at += usize::from(self.chunk[self.at] == b'\n');
            after_back = false;
        }
        let place = Place { sequence: self.next.sequence(), row: self.next.next_row(), line: self.line };
        let (at, end) = (self.at, self.end);
        self.chunk.truncate(end);
        (self.input, self.chunk.split_off(at), after_back, place)
    }

    fn try_next_block(&mut self) -> Result<Option<Block>, CsvError> {
        if self.state == State::Failed {
            return Err(CsvError::FailedBefore);
        }
        let mut builder = std::mem::replace(&mut self.next, BlockBuilder::new(self.columns, 0, 0));
        if builder.weight() < self.limits.block || builder.rows() == 0 {
            let room = self.limits.block.min(CHUNK);
            builder.reserve(room + room / 4, room / 16 / self.columns.max(1));
            self.fill(&mut builder, self.limits.block)?;
        }
        if builder.rows() == 0 {
            return Ok(None);
        }
        let next_row = builder.next_row();
        let block = builder.finish();
        self.next = BlockBuilder::new(self.columns, next_row, block.sequence() + 1);
        self.check_utf8(&block)?;
        Ok(Some(block))
    }

    /// Adds rows until the builder weighs `target` (and has one row at least), or the input is over.
    fn fill(&mut self, builder: &mut BlockBuilder, target: usize) -> Result<(), CsvError> {
        let (delimiter, quote) = (self.dialect.delimiter, self.dialect.quote);
        while self.state != State::Over {
            if self.at == self.end && !self.refill()? {
                return self.finish(builder);
            }
            let byte = self.chunk[self.at];
            match self.state {
                State::Row => {
                    if byte == b'\n' || byte == b'\r' {
                        self.blank_line(byte);
                        continue;
                    }
                    if self.emit_blank_rows(builder, target)? {
                        return Ok(());
                    }
                    if self.plain_rows(builder, target) {
                        if builder.weight() >= target {
                            return Ok(());
                        }
                        continue;
                    }
                    self.row_line = self.line;
                    self.row_start = self.offset();
                    self.cells = 0;
                    self.start_cell();
                }
                State::Cell => {
                    if Some(byte) == quote {
                        self.quoted = true;
                        self.at += 1;
                        self.state = State::Quoted;
                    } else {
                        self.state = State::Bare;
                    }
                }
                State::Bare => {
                    let rest = &self.chunk[self.at..self.end];
                    let length = memchr3(delimiter, b'\n', b'\r', rest).unwrap_or(rest.len());
                    builder.extend(&rest[..length]);
                    self.taken(length)?;
                    if self.at < self.end {
                        let byte = self.chunk[self.at];
                        if self.end_cell(builder, byte)? && builder.weight() >= target {
                            return Ok(());
                        }
                    }
                }
                State::Quoted => {
                    let rest = &self.chunk[self.at..self.end];
                    // `quote` is there, or this state is never reached.
                    let length = quote.and_then(|quote| memchr(quote, rest)).unwrap_or(rest.len());
                    builder.extend(&rest[..length]);
                    self.count_lines(length);
                    self.taken(length)?;
                    if self.at < self.end {
                        self.at += 1;
                        self.state = State::Closing;
                    }
                }
                State::Closing => {
                    if Some(byte) == quote {
                        builder.extend(&[byte]);
                        self.taken(1)?;
                        self.state = State::Quoted;
                    } else if byte == delimiter || byte == b'\n' || byte == b'\r' {
                        if self.end_cell(builder, byte)? && builder.weight() >= target {
                            return Ok(());
                        }
                    } else {
                        return Err(CsvError::TextAfterQuote {
                            line: self.line,
                            at: self.position(),
                            cell: self.cells + 1,
                            opened_line: self.cell_line,
                        });
                    }
                }
                State::Over | State::Failed => return Err(CsvError::FailedBefore),
            }
        }
        Ok(())
    }

    /// Takes plain rows that lie wholly in the chunk, until the builder weighs `target`. False when there is none at this place. At the start of a row.
    fn plain_rows(&mut self, builder: &mut BlockBuilder, target: usize) -> bool {
        if self.columns == 0 {
            return false;
        }
        if !(self.window.0..self.window.1).contains(&self.at) {
            let text = &self.chunk[self.at..self.end.min(self.at + WINDOW)];
            self.index.take(text, self.dialect.delimiter, self.dialect.quote);
            self.window = (self.at, self.at + self.index.plain);
            self.stop = 0;
        }
        let start = self.at - self.window.0;
        while self.index.behind(self.stop, 1).is_some_and(|behind| behind[0] as usize <= start) {
            self.stop += 1;
        }
        if self.index.intricate {
            return self.intricate_row(builder);
        }
        let text = &self.chunk[self.window.0..self.end];
        let (delimiter, quoted) = (self.dialect.delimiter, self.index.quotes > 0);
        let quote = self.dialect.quote.unwrap_or_default();
        let longest = self.limits.max_cell.min(self.limits.max_row);
        let room = target.saturating_sub(builder.weight());
        let (mut row_start, mut weight, mut bytes) = (start, 0, 0);
        self.spans.clear();
        while let Some(behind) = self.index.behind(self.stop, self.columns) {
            let cells = self.spans.len();
            let mut cell_start = row_start;
            let mut sound = true;
            let mut cells_of_row = 0;
            for (column, &behind) in behind.iter().enumerate() {
                let stop = behind as usize - 1;
                let last = column + 1 == self.columns;
                sound &= text[stop] == if last { b'\n' } else { delimiter };
                let mut end = stop;
                if last && end > cell_start && text[end - 1] == b'\r' {
                    end -= 1;
                }
                let mut from = cell_start;
                if quoted && from < end && text[from] == quote {
                    (from, end) = (from + 1, end - 1);
                }
                self.spans.push(((from - start) as u32, (end - start) as u32));
                cells_of_row += end - from;
                cell_start = stop + 1;
            }
            let blank = text[row_start] == b'\n' || text[row_start] == b'\r';
            if !sound || blank || cell_start - row_start > longest {
                self.spans.truncate(cells);
                break;
            }
            bytes += cells_of_row;
            weight += cells_of_row + self.columns * size_of::<u32>() + size_of::<u64>();
            row_start = cell_start;
            self.stop += self.columns;
            if weight >= room {
                break;
            }
        }
        let rows = self.spans.len() / self.columns;
        if rows == 0 {
            return false;
        }
        let first = self.line;
        builder.raw(&text[start..row_start], &self.spans, (0..rows).map(|row| first + row as u64), bytes);
        self.line += rows as u64;
        self.at += row_start - start;
        self.line_start = self.offset();
        true
    }

    /// The next row of a window in which cells hold doubled quotes or line ends, copied cell by cell.
    fn intricate_row(&mut self, builder: &mut BlockBuilder) -> bool {
        let Some(behind) = self.index.behind(self.stop, self.columns) else { return false };
        let (delimiter, quote) = (self.dialect.delimiter, self.dialect.quote.unwrap_or_default());
        let (start, base) = (self.at, self.window.0);
        let ends = |(column, &behind): (usize, &u32)| {
            self.chunk[base + behind as usize - 1] == if column + 1 == self.columns { b'\n' } else { delimiter }
        };
        let end = base + behind[self.columns - 1] as usize;
        let blank = matches!(self.chunk[start], b'\n' | b'\r');
        if blank || end - start > self.limits.max_cell.min(self.limits.max_row) || !behind.iter().enumerate().all(ends)
        {
            return false;
        }
        let mut cell_start = start;
        for &behind in behind {
            let stop = base + behind as usize - 1;
            let mut cell = &self.chunk[cell_start..stop];
            if stop + 1 == end {
                cell = cell.strip_suffix(b"\r").unwrap_or(cell);
            }
            match cell {
                // The index has seen that a quote at the start has its other one at the end.
                [first, inner @ .., _] if *first == quote && self.dialect.quote.is_some() => {
                    let mut rest = inner;
                    while let Some(at) = memchr(quote, rest) {
                        builder.extend(&rest[..=at]);
                        rest = &rest[at + 2..];
                    }
                    builder.push(rest);
                }
                bare => builder.push(bare),
            }
            cell_start = stop + 1;
        }
        let mut lines = LineCounter::default();
        lines.feed(&self.chunk[start..end]);
        // The row has as many cells as the table has columns, and is far from 4 GiB.
        let taken = builder.end_row(self.line).is_ok();
        self.line += lines.line() - 1;
        self.at = end;
        self.line_start = self.offset();
        self.stop += self.columns;
        taken
    }

    /// Closes a cell at a delimiter, or a cell and its row at a line end: then true.
    fn end_cell(&mut self, builder: &mut BlockBuilder, byte: u8) -> Result<bool, CsvError> {
        builder.end_cell();
        self.cells += 1;
        if byte == self.dialect.delimiter {
            self.at += 1;
            if self.cells >= self.limits.max_columns {
                return Err(self.too_many_cells(builder));
            }
            self.start_cell();
            return Ok(false);
        }
        self.end_row(builder, false)?;
        self.end_line(byte);
        Ok(true)
    }

    fn too_many_cells(&self, builder: &BlockBuilder) -> CsvError {
        match builder.columns() {
            None => CsvError::TooManyColumns { line: self.row_line, limit: self.limits.max_columns },
            Some(expected) => CsvError::Ragged {
                line: self.row_line,
                row: builder.next_row(),
                expected,
                found: self.cells + 1,
                last: false,
            },
        }
    }

    fn end_row(&mut self, builder: &mut BlockBuilder, last: bool) -> Result<(), CsvError> {
        self.check_row()?;
        self.state = State::Row;
        let row = builder.next_row();
        builder.end_row(self.row_line).map_err(|shape| match shape {
            RowShape::Cells { expected, found } => CsvError::Ragged { line: self.row_line, row, expected, found, last },
            RowShape::Full => CsvError::RowTooLong { line: self.row_line, limit: self.limits.max_row },
        })
    }

    fn start_cell(&mut self) {
        self.state = State::Cell;
        self.quoted = false;
        self.cell_length = 0;
        self.cell_line = self.line;
        self.cell_at = self.position();
    }

    /// Goes on by `length` bytes of the current cell.
    fn taken(&mut self, length: usize) -> Result<(), CsvError> {
        self.at += length;
        self.cell_length += length;
        if self.cell_length > self.limits.max_cell {
            return Err(CsvError::CellTooLong {
                line: self.cell_line,
                cell: self.cells + 1,
                limit: self.limits.max_cell,
                quoted: self.quoted,
            });
        }
        Ok(())
    }

    fn check_row(&self) -> Result<(), CsvError> {
        if self.offset() - self.row_start > self.limits.max_row as u64 {
            return Err(CsvError::RowTooLong { line: self.row_line, limit: self.limits.max_row });
        }
        Ok(())
    }

    fn offset(&self) -> u64 {
        self.base + self.at as u64
    }

    /// Position of the next byte in its line, from 1.
    fn position(&self) -> u64 {
        self.offset() - self.line_start + 1
    }

    /// Steps over a line end byte. True when it ends a line, false for the `\n` of a `\r\n` already counted.
    fn end_line(&mut self, byte: u8) -> bool {
        let second = byte == b'\n' && self.offset() == self.behind_cr && self.behind_cr > 0;
        self.at += 1;
        self.line_start = self.offset();
        if byte == b'\r' {
            self.behind_cr = self.offset();
        }
        if second {
            if self.line_end == Some(LineEnd::Cr) && self.behind_cr == self.first_end {
                self.line_end = Some(LineEnd::CrLf);
            }
            return false;
        }
        self.line += 1;
        if self.line_end.is_none() {
            self.line_end = Some(if byte == b'\r' { LineEnd::Cr } else { LineEnd::Lf });
            self.first_end = self.offset();
        }
        true
    }

    /// Counts the line ends in the next `length` bytes, which belong to a quoted cell.
    fn count_lines(&mut self, length: usize) {
        let from = self.offset();
        for found in memchr2_iter(b'\n', b'\r', &self.chunk[self.at..self.at + length]) {
            let here = from + found as u64;
            if self.chunk[self.at + found] == b'\r' {
                self.behind_cr = here + 1;
                self.line += 1;
            } else if self.behind_cr != here || here == 0 {
                self.line += 1;
            }
            self.line_start = here + 1;
        }
    }

    fn blank_line(&mut self, byte: u8) {
        let line = self.line;
        if self.end_line(byte) && self.columns == 1 {
            if self.blank == 0 {
                self.blank_line = line;
            }
            self.blank += 1;
        }
    }

    /// In a one-column table, blank lines before another row are rows. True when the block is full.
    fn emit_blank_rows(&mut self, builder: &mut BlockBuilder, target: usize) -> Result<bool, CsvError> {
        while self.blank > 0 {
            builder.end_cell();
            self.row_line = self.blank_line;
            self.row_start = self.offset();
            self.end_row(builder, false)?;
            self.blank -= 1;
            self.blank_line += 1;
            if builder.weight() >= target {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The input is over: closes what is open.
    fn finish(&mut self, builder: &mut BlockBuilder) -> Result<(), CsvError> {
        match self.state {
            State::Row => {}
            State::Quoted => {
                return Err(CsvError::UnclosedQuote { line: self.cell_line, at: self.cell_at, cell: self.cells + 1 });
            }
            _ => {
                builder.end_cell();
                self.cells += 1;
                self.end_row(builder, true)?;
                self.last_line_ended = false;
            }
        }
        self.state = State::Over;
        Ok(())
    }

    fn refill(&mut self) -> Result<bool, CsvError> {
        if self.state != State::Row {
            self.check_row()?;
        }
        if self.nul {
            return Err(CsvError::Nul { line: self.line, at: self.position() });
        }
        self.base += self.end as u64;
        self.at = 0;
        self.end = 0;
        self.window = (0, 0);
        let read = loop {
            match self.input.read(&mut self.chunk) {
                Ok(read) => break read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(CsvError::Read(error)),
            }
        };
        let nul = memchr(0, &self.chunk[..read]);
        self.nul = nul.is_some();
        self.end = nul.unwrap_or(read);
        if self.nul && self.end == 0 {
            return Err(CsvError::Nul { line: self.line, at: self.position() });
        }
        Ok(read > 0)
    }

    fn skip_lines(&mut self) -> Result<(), CsvError> {
        let after = self.dialect.skip_lines.saturating_add(1);
        self.row_line = 1;
        while self.line < after {
            if self.at == self.end {
                // A line that never ends is not worth reading to its end.
                if self.offset() - self.line_start > self.limits.max_row as u64 {
                    return Err(CsvError::RowTooLong { line: self.line, limit: self.limits.max_row });
                }
                if !self.refill()? {
                    return Ok(());
                }
            }
            let rest = &self.chunk[self.at..self.end];
            self.at += memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
            if self.at < self.end {
                self.end_line(self.chunk[self.at]);
            }
        }
        Ok(())
    }

    fn check_utf8(&self, block: &Block) -> Result<(), CsvError> {
        match block.first_not_utf8() {
            None => Ok(()),
            Some((row, cell)) => Err(CsvError::NotUtf8 { line: block.line(row), cell: cell + 1 }),
        }
    }
}

/// What readers of the parts of one table share.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub(super) dialect: Dialect,
    pub(super) limits: Limits,
    pub(super) columns: usize,
}

/// What a piece of a table, read by itself, turned out to be. Rows and lines count from 1.
pub(super) enum Piece {
    Sound {
        block: Option<Block>,
        /// Line ends in it.
        lines: u64,
        /// Does it end behind a line end?
        ended: bool,
        /// The piece, where the block does not hold it.
        bytes: Option<Vec<u8>>,
    },
    Unsound {
        bytes: Vec<u8>,
    },
}

impl Shape {
    pub(super) fn quote(&self) -> Option<u8> {
        self.dialect.quote
    }

    /// A reader that goes on at a place, at the start of a row.
    pub(super) fn reader<R: Read>(self, input: R, place: Place) -> CsvReader<R> {
        let mut reader = CsvReader::over(input, vec![0; CHUNK], 0, self.dialect, self.limits);
        reader.columns = self.columns;
        reader.line = place.line;
        reader.next = BlockBuilder::new(self.columns, place.row, place.sequence);
        reader
    }

    /// Reads a piece that begins at the start of a row.
    pub(super) fn read(self, bytes: Vec<u8>, plain: &mut Plain) -> Piece {
        let bytes = match plain.take(bytes, self) {
            Ok(block) => {
                let lines = block.rows() as u64;
                return Piece::Sound { block: Some(block), lines, ended: true, bytes: None };
            }
            Err(bytes) if has_nul(&bytes) => return Piece::Unsound { bytes },
            Err(bytes) => bytes,
        };
        let end = bytes.len();
        let mut reader = CsvReader::over(io::empty(), bytes, end, self.dialect, self.limits);
        reader.columns = self.columns;
        let mut builder = BlockBuilder::new(self.columns, 1, 0);
        builder.reserve(end, end / 16 / self.columns.max(1));
        let read = reader.fill(&mut builder, usize::MAX);
        let block = builder.finish();
        if read.is_err() || reader.check_utf8(&block).is_err() {
            return Piece::Unsound { bytes: reader.chunk };
        }
        let block = (block.rows() > 0).then_some(block);
        Piece::Sound { block, lines: reader.line - 1, ended: reader.last_line_ended, bytes: Some(reader.chunk) }
    }
}
