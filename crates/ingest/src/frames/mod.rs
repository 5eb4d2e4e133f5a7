//! Octets of one router, in as they come and out as runs of whole messages.
//!
//! ```text
//!   lend ─► buffer with room ─ read ─► give
//!             │ begun message │ free │
//!
//!   in place   [ A A A ][ B ][ A A ][ router's own ][ B…      cut: stays, and is gone on with
//!               ╰ one slice of the buffer each
//!   gathered   [ A A A A A ][ B B B B ][ router's own ]        where peers alternate
//!               ╰ one slice of a copy each
//! ```
//!
//! * **whole**     a run has whole messages, all of one peer or all of none, in the order in which they came; the
//!   runs one after the other are what came, octet for octet.
//! * **in place**  a run is a slice of the buffer that was read into. What a read has cut is copied to the front of
//!   the next buffer, if there is no room for its rest.
//! * **gathered**  where peers alternate so that most runs would be a message, what one read has brought is copied
//!   once, lane by lane. As a slice and a record for each message the same stream came in at 0.34 GB/s and 0.50 GB a
//!   CPU second, and gathered at 1.49 and 1.54 (`examples/rate`), not to speak of who takes the records. Order within
//!   a lane is kept.
//! * **last**      a Termination ends its run: nothing follows it.
//! * **given up**  after octets that are no BMP there is no finding the next message: the same fault, again and
//!   again, with the place where it stood in the stream.

mod buffers;
#[cfg(test)]
mod tests;

use std::fmt;

use bytes::{Bytes, BytesMut};
use wire::bmp::{Frame, HEADER_LEN, Kind, MESSAGE_MAX, PeerIdentity};
use wire::{Error, Fault};

use buffers::Buffers;
pub use buffers::{BUFFER_LEN, BUFFERS_MAX, POOLED_MAX, Pool, READ_MIN};

/// Octets of a run, at most, unless it is a single message. A lane's fair share is as much.
pub const RUN_MAX: usize = 64 << 10;

/// A batch is gathered if that makes this many records into one, on the average,
const GATHER_MIN: usize = 3;

/// and if its runs are no longer than this, on the average: longer ones are better left where they are.
const GATHER_RUN_MAX: usize = 4 << 10;

/// Runs of a batch, at most: what is kept of them is kept for each connection.
const RUNS_MAX: usize = 4096;

/// Octets that are shown of what is no BMP.
pub const SHOWN: usize = 16;

/// One connection's octets.
#[derive(Debug)]
pub struct Frames {
    buffers: Buffers,
    message_max: usize,
    /// Octets of the stream that went out in runs.
    passed: u64,
    spans: Spans,
}

/// Whole messages, one after the other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    /// Whose they are; of nobody: the router's own.
    pub peer: Option<PeerIdentity>,
    /// All of them.
    pub octets: Bytes,
    /// How many.
    pub messages: usize,
    /// The last one is a Termination.
    pub ends: bool,
}

/// Whole messages for one lane.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Placed {
    /// Which.
    pub place: usize,
    /// All of them.
    pub octets: Bytes,
    /// How many.
    pub messages: usize,
}

/// What stands next in the buffer: a run that has not been taken out.
#[derive(Clone, Copy, Debug)]
struct Span {
    peer: Option<PeerIdentity>,
    len: usize,
    messages: usize,
    ends: bool,
}

/// All runs in the buffer, and which come next for the same lane. Kept only for their memory.
#[derive(Default, Debug)]
struct Spans {
    all: Vec<Located>,
    /// By place, the first and the last one's index.
    lanes: Vec<Option<(usize, usize)>>,
    /// Places, in the order in which they first occur.
    places: Vec<usize>,
}

#[derive(Debug)]
struct Located {
    at: usize,
    len: usize,
    messages: usize,
    place: usize,
    /// The next one of the same place.
    next: Option<usize>,
}

/// Octets that are no BMP, or none that we take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Broken {
    /// Octets of the stream in front of the fault.
    pub offset: u64,
    /// What is wrong there.
    pub fault: Fault,
    octets: [u8; SHOWN],
    len: u8,
}

impl Frames {
    /// Of a connection on which nothing came yet. Messages longer than `message_max` or [`MESSAGE_MAX`] are taken
    /// for a fault.
    #[must_use]
    pub fn new(message_max: usize, pool: &Pool) -> Self {
        let message_max = message_max.clamp(HEADER_LEN, MESSAGE_MAX);
        Self { buffers: Buffers::new(pool.clone()), message_max, passed: 0, spans: Spans::default() }
    }

    /// A buffer to read into, behind what is in it; bring it back with [`Frames::give`]. Nothing if so many are
    /// still held by who got the runs that there has to be a pause.
    #[must_use]
    pub fn lend(&mut self) -> Option<BytesMut> {
        let begun = self.buffers.current();
        let length =
            begun.first_chunk().map_or(0, |&[_, a, b, c, d]| u32::from_be_bytes([a, b, c, d]) as usize);
        let missing = length.min(self.message_max).saturating_sub(begun.len());
        self.buffers.lend(missing)
    }

    /// Takes a buffer back that was lent, with what was read behind what was in it.
    pub fn give(&mut self, buffer: BytesMut) {
        self.buffers.give(buffer);
    }

    /// The next run; nothing if a message is not whole yet, or none has begun.
    ///
    /// # Errors
    /// What comes next is no BMP message. All in front of it has been given out.
    pub fn next_run(&mut self) -> Result<Option<Run>, Broken> {
        let span = scan(self.buffers.current(), self.message_max).map_err(|error| self.broken(error))?;
        Ok(span.map(|Span { peer, len, messages, ends }| {
            self.passed += len as u64;
            Run { peer, octets: self.buffers.split(len), messages, ends }
        }))
    }

    /// Takes out what is whole, up to a Termination, for the lanes that `place` says; and whether there is one.
    /// Nothing is put into `batch` if nothing is whole.
    ///
    /// # Errors
    /// What comes next is no BMP message. All in front of it has been given out.
    pub fn next_batch(
        &mut self,
        mut place: impl FnMut(Option<PeerIdentity>) -> usize,
        batch: &mut Vec<Placed>,
    ) -> Result<Option<Bytes>, Broken> {
        let Self { buffers, spans, .. } = self;
        let input = buffers.current();
        let (mut at, mut end) = (0, None);
        spans.clear();
        while end.is_none() && spans.all.len() < RUNS_MAX {
            let span = match scan(&input[at..], self.message_max) {
                Ok(Some(span)) => span,
                Err(error) if at == 0 => return Err(self.broken(error)),
                Ok(None) | Err(_) => break,
            };
            spans.push(at, &span, place(span.peer));
            end = span.ends.then(|| Bytes::copy_from_slice(&input[at..at + span.len]));
            at += span.len;
        }
        self.passed += at as u64;
        if spans.are_many_and_short(at) {
            let copy = buffers.target(at);
            spans.gather(copy.0, copy.1, batch);
            buffers.forget(at);
        } else {
            batch.extend(spans.all.iter().map(|span| {
                let &Located { len, messages, place, .. } = span;
                Placed { place, octets: buffers.split(len), messages }
            }));
        }
        Ok(end)
    }

    /// Octets of a message that has begun and is not whole.
    #[must_use]
    pub fn begun(&self) -> usize {
        self.buffers.current().len()
    }

    #[cold]
    fn broken(&self, error: Error) -> Broken {
        let input = self.buffers.current();
        let len = input.len().min(SHOWN);
        let mut octets = [0; SHOWN];
        octets[..len].copy_from_slice(&input[..len]);
        let len = u8::try_from(len).expect("no more than are shown");
        Broken { offset: self.passed + error.offset as u64, fault: error.fault, octets, len }
    }
}

impl Spans {
    fn clear(&mut self) {
        self.all.clear();
        self.places.drain(..).for_each(|place| self.lanes[place] = None);
    }

    fn push(&mut self, at: usize, span: &Span, place: usize) {
        let index = self.all.len();
        let &Span { len, messages, .. } = span;
        self.all.push(Located { at, len, messages, place, next: None });
        if self.lanes.len() <= place {
            self.lanes.resize(place + 1, None);
        }
        if let Some((_, last)) = &mut self.lanes[place] {
            self.all[*last].next = Some(index);
            *last = index;
        } else {
            self.lanes[place] = Some((index, index));
            self.places.push(place);
        }
    }

    fn are_many_and_short(&self, octets: usize) -> bool {
        let runs = self.all.len();
        runs >= GATHER_MIN * self.places.len() && octets <= GATHER_RUN_MAX * runs && runs > 1
    }

    /// Copies all from `input`, lane by lane, to the end of `target`, which has room; and takes it out there.
    fn gather(&self, input: &[u8], target: &mut buffers::Current, batch: &mut Vec<Placed>) {
        for &place in &self.places {
            let mut messages = 0;
            let mut next = self.lanes[place].map(|(first, _)| first);
            while let Some(index) = next {
                let span = &self.all[index];
                if messages > 0 && target.len() + span.len > RUN_MAX {
                    batch.push(Placed { place, octets: target.split(target.len()), messages });
                    messages = 0;
                }
                target.extend(&input[span.at..span.at + span.len]);
                messages += span.messages;
                next = span.next;
            }
            batch.push(Placed { place, octets: target.split(target.len()), messages });
        }
    }
}

/// The run that `input` begins with, if it has a whole message.
#[inline]
fn scan(input: &[u8], message_max: usize) -> Result<Option<Span>, Error> {
    let (mut peer, mut len, mut messages, mut ends) = (None, 0, 0, false);
    while !ends {
        let frame = match split(&input[len..], message_max) {
            Ok(Some(frame)) => frame,
            Err(error) if messages == 0 => return Err(error),
            // What stands in front of a fault goes out first.
            Ok(None) | Err(_) => break,
        };
        let whose = frame.peer().map(wire::bmp::PeerHeader::identity);
        let longer = len + frame.bytes().len();
        if messages > 0 && (whose != peer || longer > RUN_MAX) {
            break;
        }
        (peer, len, messages) = (whose, longer, messages + 1);
        ends = frame.kind() == Kind::TERMINATION;
    }
    Ok((messages > 0).then_some(Span { peer, len, messages, ends }))
}

/// The first message, if it is whole; and no longer than it may be, whether it is or not.
#[inline]
fn split(input: &[u8], message_max: usize) -> Result<Option<Frame<'_>>, Error> {
    let split = Frame::split(input)?;
    if let Some(&[_, a, b, c, d, _]) = input.first_chunk::<HEADER_LEN>() {
        let len = u32::from_be_bytes([a, b, c, d]) as usize;
        if len > message_max {
            let fault = Fault::Value { what: "BMP length", got: len, least: HEADER_LEN, most: message_max };
            return Err(Error { offset: 1, fault });
        }
    }
    Ok(split.map(|(frame, _)| frame))
}

impl Broken {
    /// What stands there, from the start of the message, as far as it had come.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.octets[..usize::from(self.len)]
    }

    /// The version that the message claims to be of, if that is the fault.
    #[must_use]
    pub fn version(&self) -> Option<usize> {
        match self.fault {
            Fault::Value { what: "BMP version", got, .. } => Some(got),
            _ => None,
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.version() {
            Some(version @ (1 | 2)) => write!(
                f,
                "offset {}: BMP version {version}, a draft from before RFC 7854: set the router to version 3, or \
                 give it software that has it",
                self.offset
            )?,
            _ => {
                let offset = usize::try_from(self.offset).unwrap_or(usize::MAX);
                Error { offset, fault: self.fault }.fmt(f)?;
            }
        }
        f.write_str(" [")?;
        for (at, octet) in self.octets().iter().enumerate() {
            write!(f, "{}{octet:02x}", if at == 0 { "" } else { " " })?;
        }
        f.write_str("]")
    }
}

impl std::error::Error for Broken {}
