//! Records out of a file, one after another, in one buffer.
//!
//! ```text
//!           head               tail
//!            v                  v
//!  | taken   | record, record, … | free |      read into the free part,
//!            ◄── not yet taken ──►             hand out where it stands
//! ```
//!
//! * **one buffer**   made once; it grows only for a record that is larger than it.
//! * **moved rarely** what is left moves to the front when the next record does not fit behind it:
//!   less than one record for every buffer.
//! * **nothing lost** the source is read only when the buffer has no whole record, so an error comes
//!   after every record in front of it; after the error, or the end, there is nothing.

use std::fmt;
use std::io::{self, Read};

use super::input::{self, Compression, Input, MARK_LEN};
use super::record::wanted_len;
use super::{HEADER_LEN, RECORD_MAX, Record};
use crate::Error;

/// Octets of the buffer at first. 64 KiB, 256 KiB and 1 MiB read a table equally fast; this one stays in
/// the second cache of most machines and holds every record but the rarest.
pub const BUFFER_LEN: usize = 256 << 10;

/// Reads the records of a file.
pub struct Reader<R> {
    input: Input<R>,
    compression: Compression,
    buffer: Vec<u8>,
    head: usize,
    tail: usize,
    /// Where `head` stands in the stream of records.
    position: u64,
    ended: bool,
}

impl<R: Read> Reader<R> {
    /// Reads from `source`, which is MRT as it is or packed with gzip, bzip2, xz or zstd: the first
    /// octets tell. `source` needs no buffer.
    ///
    /// # Errors
    /// The source fails on its first octets.
    pub fn open(mut source: R) -> Result<Self, ReadError> {
        let failed = |source| ReadError::Io { offset: 0, source };
        let mut buffer = vec![0; BUFFER_LEN];
        let mut len = 0;
        while len < MARK_LEN {
            match input::read(&mut source, &mut buffer[len..]).map_err(failed)? {
                0 => break,
                n => len += n,
            }
        }
        let compression = Compression::of(&buffer[..len]);
        let (input, buffer, tail) = if compression == Compression::None {
            (Input::Plain(source), buffer, len)
        } else {
            let input = Input::packed(compression, source, buffer, len).map_err(failed)?;
            (input, vec![0; BUFFER_LEN], 0)
        };
        Ok(Self { input, compression, buffer, head: 0, tail, position: 0, ended: false })
    }

    /// The next record; `Ok(None)` at the end. It stands in the reader's buffer until the next call.
    ///
    /// # Errors
    /// See [`ReadError`]. All whole records in front of it have been handed out before, and after it
    /// there is only `Ok(None)`.
    #[inline]
    #[expect(clippy::should_implement_trait, reason = "an iterator cannot lend")]
    pub fn next(&mut self) -> Result<Option<Record<'_>>, ReadError> {
        let len = loop {
            let ready = self.tail - self.head;
            match wanted_len(&self.buffer[self.head..self.tail]) {
                // A header says how long its record is, so the second look is for that much.
                Ok(want) if want <= ready => break want,
                Ok(want) => {
                    if !self.read_on(want)? {
                        return Ok(None);
                    }
                }
                Err(error) => return Err(self.end_with(ReadError::Record { offset: self.position, error })),
            }
        };
        let bytes = &self.buffer[self.head..self.head + len];
        self.head += len;
        self.position += len as u64;
        // wanted_len has made sure of what split asks for.
        Ok(Record::split(bytes).ok().flatten().map(|(record, _)| record))
    }

    /// Where the next record begins, in octets of the unpacked stream.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// How the source is packed.
    #[must_use]
    pub fn compression(&self) -> Compression {
        self.compression
    }

    /// Reads once, with room for `want` octets; false at the end.
    #[cold]
    fn read_on(&mut self, want: usize) -> Result<bool, ReadError> {
        if self.ended {
            return Ok(false);
        }
        if self.head == self.tail || self.head + want > self.buffer.len() {
            self.buffer.copy_within(self.head..self.tail, 0);
            self.tail -= self.head;
            self.head = 0;
        }
        if want > self.buffer.len() {
            // wanted_len lets no more pass than the most; twice as much, so that growing ends.
            let len = want.max(2 * self.buffer.len()).min(HEADER_LEN + RECORD_MAX);
            self.buffer.resize(len, 0);
        }
        let left = self.tail - self.head;
        match self.input.read(&mut self.buffer[self.tail..]) {
            Ok(0) if left == 0 => {
                self.ended = true;
                Ok(false)
            }
            Ok(0) => Err(self.end_with(ReadError::Cut { offset: self.position, want, left })),
            Ok(n) => {
                self.tail += n;
                Ok(true)
            }
            Err(source) => Err(self.end_with(ReadError::Io { offset: self.position + left as u64, source })),
        }
    }

    /// The error, after which there is nothing.
    #[cold]
    fn end_with(&mut self, error: ReadError) -> ReadError {
        self.ended = true;
        self.head = self.tail;
        error
    }
}

impl<R> fmt::Debug for Reader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("compression", &self.compression)
            .field("position", &self.position)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

/// Why a file could not be read to its end. Offsets count in the unpacked stream.
#[derive(Debug)]
pub enum ReadError {
    /// The source failed, or what it is packed with makes no sense.
    Io {
        /// Octets that could be read before.
        offset: u64,
        /// What happened.
        source: io::Error,
    },
    /// A header that makes no sense: nobody can say where the next record is.
    Record {
        /// Where the record begins.
        offset: u64,
        /// What is wrong, with an offset from there.
        error: Error,
    },
    /// The stream ends inside a record.
    Cut {
        /// Where the record begins.
        offset: u64,
        /// Octets it has, or those of a header if not even that is whole.
        want: usize,
        /// Octets there are.
        left: usize,
    },
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { offset, source } => write!(f, "after {offset} octets: {source}"),
            Self::Record { offset, error } => write!(f, "MRT record at {offset}: {error}"),
            Self::Cut { offset, want, left } => {
                write!(f, "MRT record at {offset} wants {want} octets, {left} left")
            }
        }
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Record { error, .. } => Some(error),
            Self::Cut { .. } => None,
        }
    }
}
