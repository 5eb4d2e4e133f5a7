//! Where the octets of a file come from: as they are, or out of one of four compressions.
//!
//! ```text
//!  source ──read──► input ──step──► the reader's buffer
//!                   ▲   consumed, produced, at an end?
//!                   └── more, when a step wants more
//! ```
//!
//! The crates' own readers drop what they have decoded when a call fails halfway, which is up to a
//! mebibyte of good records in front of one bad octet. So the engines are driven from here:
//!
//! * **nothing lost**  a step says how much it produced also when it fails; the failure waits until
//!   that has been handed out.
//! * **to the end**    a stream may have many members (`cat a.gz b.gz`, pbzip2); after each, what
//!   follows is the next, and only the end of the source is the end.
//! * **drained first** the source is read when a step can do nothing more without it, so its
//!   failures come after everything that was in front of them.
//! * **moves**         a step that neither consumes nor produces, with input to take, is an error.

use std::io::{self, Read};

use bzip2::Decompress as Bzip2;
use flate2::{Decompress as Inflate, FlushDecompress};
use lzma_rust2::{Action, XzStream};
use zstd::stream::raw::{Decoder as Zstd, InBuffer, Operation, OutBuffer};

/// The most memory an xz stream may ask for: twice what `xz -9` does, and as much as the zstd
/// library takes without being told.
pub const XZ_MEMORY_MAX: usize = 128 << 20;

/// Octets of the longest mark below.
pub(super) const MARK_LEN: usize = 6;

/// How a file is packed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip, RFC 1952.
    Gzip,
    /// bzip2.
    Bzip2,
    /// xz.
    Xz,
    /// zstd, RFC 8878.
    Zstd,
}

impl Compression {
    /// Tells by the first octets. MRT itself begins with a time, and each of these is one: 1986 for
    /// gzip, 1991 for zstd, 2104 for xz. "BZh" is a day in April 2005, so the first octet of a
    /// bzip2 block, or of the end of an empty stream, has to be there too.
    #[must_use]
    pub const fn of(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31 | 0x17, ..] => Self::Bzip2,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            _ => Self::None,
        }
    }
}

/// A source as the reader sees it.
pub(super) enum Input<R> {
    Plain(R),
    Packed(Box<Packed<R>>),
}

impl<R: Read> Input<R> {
    /// The rest of `source`, of which `start` has been read.
    pub(super) fn packed(
        compression: Compression,
        source: R,
        start: Vec<u8>,
        len: usize,
    ) -> io::Result<Self> {
        let engine = Engine::of(compression)?;
        Ok(Self::Packed(Box::new(Packed {
            source,
            engine,
            input: start,
            head: 0,
            tail: len,
            dry: false,
            between: false,
            failure: None,
        })))
    }

    #[inline]
    pub(super) fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(source) => read(source, out),
            Self::Packed(packed) => packed.read(out),
        }
    }
}

/// One read, which a signal does not end.
pub(super) fn read(source: &mut impl Read, out: &mut [u8]) -> io::Result<usize> {
    loop {
        match source.read(out) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

pub(super) struct Packed<R> {
    source: R,
    engine: Engine,
    /// Packed octets; those in `head..tail` have not been taken.
    input: Vec<u8>,
    head: usize,
    tail: usize,
    /// The source has ended.
    dry: bool,
    /// A member has ended and no other has begun.
    between: bool,
    failure: Option<io::Error>,
}

impl<R: Read> Packed<R> {
    /// At least one octet, or 0 at the end of everything.
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(failure) = self.failure.take() {
                return Err(failure);
            }
            let waiting = self.tail - self.head;
            if self.between && waiting > 0 {
                self.engine = self.engine.renewed()?;
                self.between = false;
            }
            let mut step = Step::default();
            if !self.between {
                step = self.engine.step(&self.input[self.head..self.tail], out, self.dry);
                self.head += step.consumed;
                self.between = step.ended;
                self.failure = step.failure;
            }
            if step.produced > 0 {
                return Ok(step.produced);
            }
            if self.failure.is_some() || step.consumed > 0 || step.ended {
                continue;
            }
            if waiting > 0 {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "packed stream makes no progress"));
            }
            if self.dry {
                let cut = || io::Error::new(io::ErrorKind::UnexpectedEof, "packed stream ends too early");
                return if self.between { Ok(0) } else { Err(cut()) };
            }
            self.head = 0;
            self.tail = read(&mut self.source, &mut self.input)?;
            self.dry = self.tail == 0;
        }
    }
}

/// What one step did.
#[derive(Default)]
struct Step {
    consumed: usize,
    produced: usize,
    /// A member is complete.
    ended: bool,
    failure: Option<io::Error>,
}

enum Engine {
    Gzip(Inflate),
    Bzip2(Bzip2),
    Xz(Box<XzStream>),
    /// With the number of octets it asks for next.
    Zstd(Zstd<'static>, usize),
}

/// Octets of the shortest zstd frame header: as many as can be given before it says what it wants.
const ZSTD_START: usize = 5;

impl Engine {
    fn of(compression: Compression) -> io::Result<Self> {
        Ok(match compression {
            Compression::Gzip => Self::Gzip(Inflate::new_gzip(15)),
            Compression::Bzip2 => Self::Bzip2(Bzip2::new(false)),
            Compression::Xz => {
                let kibibytes = u32::try_from(XZ_MEMORY_MAX >> 10).unwrap_or(u32::MAX);
                Self::Xz(Box::new(XzStream::new_mem_limit(true, kibibytes)))
            }
            Compression::Zstd => Self::Zstd(Zstd::new()?, ZSTD_START),
            Compression::None => return Err(io::Error::other("not packed")),
        })
    }

    /// One for the next member.
    fn renewed(&self) -> io::Result<Self> {
        Self::of(match self {
            Self::Gzip(_) => Compression::Gzip,
            Self::Bzip2(_) => Compression::Bzip2,
            Self::Xz(_) => Compression::Xz,
            Self::Zstd(..) => Compression::Zstd,
        })
    }

    fn step(&mut self, input: &[u8], out: &mut [u8], last: bool) -> Step {
        match self {
            Self::Gzip(engine) => {
                let before = (engine.total_in(), engine.total_out());
                let status = engine.decompress(input, out, FlushDecompress::None);
                let after = (engine.total_in(), engine.total_out());
                Step::counted(before, after, status.map(|status| status == flate2::Status::StreamEnd))
            }
            Self::Bzip2(engine) => {
                let before = (engine.total_in(), engine.total_out());
                let status = engine.decompress(input, out);
                let after = (engine.total_in(), engine.total_out());
                Step::counted(before, after, status.map(|status| status == bzip2::Status::StreamEnd))
            }
            Self::Xz(engine) => {
                let before = (engine.total_in(), engine.total_out());
                // It goes from stream to stream by itself, for zeros may stand between them.
                let status = engine.process(input, out, if last { Action::Finish } else { Action::Run });
                let after = (engine.total_in(), engine.total_out());
                let ended = |done: lzma_rust2::StreamResult| done.status == lzma_rust2::Status::StreamEnd;
                Step::counted(before, after, status.map(ended))
            }
            Self::Zstd(engine, wanted) => {
                // A failing call keeps what it decoded to itself: it gets one block at a time.
                let mut source = InBuffer::around(&input[..input.len().min(*wanted)]);
                let mut target = OutBuffer::around(out);
                let hint = engine.run(&mut source, &mut target);
                let mut step = Step { consumed: source.pos(), produced: target.pos(), ..Step::default() };
                match hint {
                    Ok(hint) => (*wanted, step.ended) = (hint, hint == 0),
                    Err(error) => step.failure = Some(error),
                }
                step
            }
        }
    }
}

impl Step {
    /// From the counters of an engine, which never go down.
    #[expect(clippy::cast_possible_truncation, reason = "no more than the slices given")]
    fn counted<E: Into<io::Error>>(before: (u64, u64), after: (u64, u64), ended: Result<bool, E>) -> Self {
        let (ended, failure) = match ended {
            Ok(ended) => (ended, None),
            Err(error) => (false, Some(error.into())),
        };
        Self {
            consumed: (after.0 - before.0) as usize,
            produced: (after.1 - before.1) as usize,
            ended,
            failure,
        }
    }
}
