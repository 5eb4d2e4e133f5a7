//! One session: where it stands, and what it is to send.

use std::collections::VecDeque;
use std::time::Duration;

use queue::log::{Chunk, Read, Reader};

use super::Spot;
use super::order::{Reason, Source};
use super::retry::Retry;
use super::state::{Happening, State};
use crate::driver::Ends;
use crate::plan::Plan;

/// Sources that one connection has at most at once: pieces made ahead, and the log.
pub const SOURCES_MAX: usize = 8;

/// What each send touches comes first, here and in [`Line`], for there are hundreds of these and the kernel's
/// work in between leaves none in a cache.
#[repr(C)]
pub(super) struct Session {
    pub(super) state: State,
    /// What it is for when its connection is gone.
    pub(super) fate: Fate,
    /// Whether its keys changed while it was connecting.
    pub(super) rekeyed: bool,
    pub(super) octets: u64,
    pub(super) sends: u64,
    pub(super) line: Line,
    pub(super) plan: Box<Plan>,
    pub(super) since: Duration,
    pub(super) retry: Retry,
    pub(super) retry_at: Option<Duration>,
    pub(super) reason: Option<Reason>,
    pub(super) connections: u64,
    pub(super) falls: u64,
}

/// What becomes of a session without a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It tries again when its back-off is over.
    Retry,
    /// It tries again at once.
    Again,
    /// It stays without.
    Rest,
    /// It is forgotten.
    Forget,
}

/// What a session knows of the connection it has.
#[derive(Default)]
#[repr(C)]
pub(super) struct Line {
    /// What is being read.
    source: Option<Source>,
    /// Whether a send is in flight.
    pub(super) sending: bool,
    /// Whether it may owe the server something since it was last seen to take some.
    pub(super) owed: bool,
    /// Whether it is the farewell's turn, or over.
    parting: bool,
    /// Whether the server has been told that nothing more comes.
    pub(super) finished: bool,
    /// The feed whose news it waits for.
    pub(super) awaits: Option<u32>,
    /// Octets the kernel took.
    pub(super) octets: u64,
    /// Octets the server had when it was last seen to take some, and when that was.
    pub(super) moved: (u64, Duration),
    /// What is read after that.
    sources: VecDeque<Source>,
    /// What is sent last.
    pub(super) farewell: Option<Reader>,
    pub(super) ends: Option<Ends>,
    /// When it first read a log.
    pub(super) live_at: Option<Duration>,
    /// Octets that came from the server.
    pub(super) heard: u64,
}

/// What a connection needs next.
pub(super) enum Next {
    /// To send this.
    Send(Chunk),
    /// To wait for a feed, from a position of its log.
    Await(u32, u64),
    /// To wait for what it is given.
    Nothing,
    /// To tell that a piece has been read, and to ask again.
    Took,
    /// To tell that it fell off.
    Fell(Reader),
    /// To tell the server that nothing more comes.
    Finish,
}

impl Session {
    pub(super) fn new(plan: Box<Plan>, now: Duration) -> Self {
        Self {
            plan,
            state: State::Idle,
            since: now,
            fate: Fate::Retry,
            retry: Retry::default(),
            retry_at: None,
            reason: None,
            rekeyed: false,
            line: Line::default(),
            connections: 0,
            falls: 0,
            octets: 0,
            sends: 0,
        }
    }

    /// Takes a step in its life.
    pub(super) fn happen(&mut self, now: Duration, happening: Happening) {
        let after = self.state.after(happening);
        let after = after.unwrap_or_else(|| panic!("{happening:?} cannot happen to who is {:?}", self.state));
        if after != self.state {
            (self.state, self.since) = (after, now);
        }
    }

    /// Octets that its readers have and the kernel has not.
    pub(super) fn lag(&self) -> u64 {
        self.line.source.iter().chain(&self.line.sources).map(|source| source.reader().behind()).sum()
    }
}

impl Line {
    pub(super) fn new(ends: Ends, now: Duration) -> Self {
        Self { ends: Some(ends), moved: (0, now), ..Self::default() }
    }

    /// What comes when all that came before has been read.
    pub(super) fn add(&mut self, source: Source) {
        assert!(self.sources.len() < SOURCES_MAX, "more than {SOURCES_MAX} sources for one connection");
        if self.source.is_none() {
            self.source = Some(source);
        } else {
            self.sources.push_back(source);
        }
    }

    /// What was being read is over.
    fn turn_over(&mut self) -> Option<Source> {
        std::mem::replace(&mut self.source, self.sources.pop_front())
    }

    /// Whether what it reads now is a log.
    pub(super) fn reads_log(&self) -> bool {
        matches!(self.source, Some(Source::Log(..)))
    }

    /// Where it stands in a feed's log, if it reads one.
    pub(super) fn spot(&self) -> Option<Spot> {
        match &self.source {
            Some(Source::Log(feed, reader)) => Some(Spot { feed: *feed, position: reader.position() }),
            _ => None,
        }
    }

    /// Whether there is something where it found nothing.
    pub(super) fn has_news(&self) -> bool {
        self.source.as_ref().is_some_and(|source| source.reader().ready())
    }

    /// The kernel took so many octets of what was read last.
    pub(super) fn took(&mut self, octets: usize) {
        let source = self.source.as_mut().expect("it reads what is being sent");
        source.reader_mut().advance(octets);
        self.octets += octets as u64;
    }

    /// What comes next, when no send is in flight.
    pub(super) fn next(&mut self, cap: usize) -> Next {
        debug_assert!(!self.sending, "one send in flight");
        let Some(source) = &mut self.source else { return Next::Nothing };
        match source.reader_mut().read(cap) {
            Read::Data(chunk) => Next::Send(chunk),
            Read::Idle => match source {
                Source::Log(feed, reader) => Next::Await(*feed, reader.position()),
                // Pieces are closed before they are handed over.
                Source::Piece(_) => unreachable!("a piece that goes on"),
            },
            Read::Closed => match self.turn_over() {
                Some(Source::Piece(_)) => Next::Took,
                // The feed is no more: whoever closed it takes leave of us.
                _ => Next::Nothing,
            },
            Read::Fell => match self.turn_over() {
                Some(Source::Log(_, reader)) => Next::Fell(reader),
                // A piece is one segment, which its reader holds.
                _ => unreachable!("a piece that went away"),
            },
        }
    }

    /// The same for one who takes leave: the rest of the message in flight, the farewell, the end.
    pub(super) fn last(&mut self, cap: usize) -> Next {
        debug_assert!(!self.sending, "one send in flight");
        if self.finished {
            return Next::Nothing;
        }
        if !self.parting {
            let torn = self.source.as_ref().is_some_and(|source| !source.reader().at_boundary());
            if torn {
                return self.next(0);
            }
            self.parting = true;
            self.sources.clear();
            // Who has heard nothing needs no farewell.
            self.source = self.farewell.take().filter(|_| self.octets > 0).map(Source::Piece);
        }
        let next = self.next(cap);
        if !matches!(next, Next::Send(_)) {
            self.finished = true;
            return Next::Finish;
        }
        next
    }
}

impl Source {
    fn reader(&self) -> &Reader {
        let (Self::Piece(reader) | Self::Log(_, reader)) = self;
        reader
    }

    fn reader_mut(&mut self) -> &mut Reader {
        let (Self::Piece(reader) | Self::Log(_, reader)) = self;
        reader
    }
}
