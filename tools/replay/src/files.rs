//! Files, each read by a thread of its own, and their records merged by time.
//!
//! ```text
//!  file ─► thread: unpack, frame ─► pieces of whole records ─► Source ─┐
//!  file ─►                                                   ─► Source ─┴─► next: the oldest record
//! ```
//!
//! * **bounded** a thread is [`PIECES_AHEAD`] pieces ahead; what is looked at in advance, [`AHEAD_MAX`] octets of all
//!   files together.
//! * **in order** records of one file stay in its order, whatever their times say; of two that are equally old,
//!   that of the file named first is first.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use ingest::mrt::{Input, Stamp};
use wire::mrt::{Reader, Record};

/// Octets of a piece, about.
const PIECE_LEN: usize = 256 << 10;
/// Pieces that a thread may be ahead.
pub(crate) const PIECES_AHEAD: usize = 8;
/// Octets of records that are looked at in advance.
pub(crate) const AHEAD_MAX: usize = 32 << 20;

/// Whole records, and how much of the file they end at.
struct Piece {
    records: Vec<u8>,
    position: u64,
    /// Why nothing follows, if nothing does.
    end: Option<Result<(), String>>,
}

/// One file.
struct Source {
    name: PathBuf,
    pieces: Receiver<Piece>,
    ahead: VecDeque<Piece>,
    records: Vec<u8>,
    at: usize,
    position: u64,
    len: Option<u64>,
    /// When the next record was written.
    next: Option<Stamp>,
    end: Option<Result<(), String>>,
    told: bool,
}

/// All of them.
pub(crate) struct Files {
    sources: Vec<Source>,
}

/// What comes next.
pub(crate) enum Next<'a> {
    /// A record.
    Record(Input, Record<'a>),
    /// A file has ended.
    Ended(Input),
}

impl Files {
    /// Opens them all, and begins to read.
    pub(crate) fn open(names: &[PathBuf]) -> Result<Self, String> {
        let sources = names.iter().map(|name| Source::open(name)).collect::<Result<_, _>>()?;
        Ok(Self { sources })
    }

    /// Shows records in advance; whether these were all.
    pub(crate) fn look_ahead(&mut self, mut show: impl FnMut(Input, &Record<'_>)) -> bool {
        let share = AHEAD_MAX / self.sources.len().max(1);
        let mut all = true;
        for (input, source) in self.sources.iter_mut().enumerate() {
            let (mut octets, mut ended) = (0, false);
            while octets < share && !ended {
                let Ok(piece) = source.pieces.recv() else { break };
                let mut rest = &piece.records[..];
                while let Ok(Some((record, tail))) = Record::split(rest) {
                    show(Input(input), &record);
                    rest = tail;
                }
                octets += piece.records.len();
                ended = piece.end.is_some();
                source.ahead.push_back(piece);
            }
            all &= ended;
        }
        all
    }

    /// The oldest record there is.
    pub(crate) fn next(&mut self) -> Option<Next<'_>> {
        let mut oldest: Option<(Stamp, usize)> = None;
        for (input, source) in self.sources.iter_mut().enumerate() {
            match source.peek() {
                Some(time) if oldest.is_none_or(|(least, _)| time < least) => oldest = Some((time, input)),
                None if !std::mem::replace(&mut source.told, true) => {
                    return Some(Next::Ended(Input(input)));
                }
                _ => {}
            }
        }
        let (_, input) = oldest?;
        let record = self.sources[input].take()?;
        Some(Next::Record(Input(input), record))
    }

    /// How far we are, and how far there is to go; the latter is not known of pipes.
    pub(crate) fn position(&self) -> (u64, Option<u64>) {
        let len = self.sources.iter().map(|source| source.len).sum();
        (self.sources.iter().map(|source| source.position).sum(), len)
    }

    /// Names, and what was wrong with them.
    pub(crate) fn ends(&self) -> impl Iterator<Item = (&Path, Option<&str>)> {
        self.sources.iter().map(|source| {
            let end = source.end.as_ref().and_then(|end| end.as_ref().err());
            (&*source.name, end.map(String::as_str))
        })
    }
}

impl Source {
    fn open(name: &Path) -> Result<Self, String> {
        let unread = |error: &dyn std::fmt::Display| format!("{}: {error}", name.display());
        let (file, len): (Box<dyn Read + Send>, _) = if name.as_os_str() == "-" {
            (Box::new(io::stdin()), None)
        } else {
            let file = File::open(name).map_err(|error| unread(&error))?;
            let kind = file.metadata().map_err(|error| unread(&error))?;
            if kind.is_dir() {
                return Err(unread(&"is a directory, and has no records"));
            }
            let len = kind.is_file().then_some(kind.len());
            (Box::new(file), len)
        };
        let (give, pieces) = sync_channel(PIECES_AHEAD);
        let body = move || read(file, &give);
        thread::Builder::new().name(String::from("file")).spawn(body).map_err(|error| unread(&error))?;
        Ok(Self {
            name: name.to_owned(),
            pieces,
            ahead: VecDeque::new(),
            records: Vec::new(),
            at: 0,
            position: 0,
            len,
            next: None,
            end: None,
            told: false,
        })
    }

    /// When the next record was written; `None` at the end.
    fn peek(&mut self) -> Option<Stamp> {
        while self.next.is_none() {
            if self.at == self.records.len() {
                if self.end.is_some() {
                    return None;
                }
                let next = self.ahead.pop_front().or_else(|| self.pieces.recv().ok());
                let Some(piece) = next else {
                    self.end = Some(Err(String::from("whoever reads it has ended")));
                    return None;
                };
                (self.records, self.at, self.position) = (piece.records, 0, piece.position);
                self.end = piece.end;
                continue;
            }
            let (record, _) = Record::split(&self.records[self.at..]).ok().flatten()?;
            self.next = Some(Stamp::of(&record));
        }
        self.next
    }

    fn take(&mut self) -> Option<Record<'_>> {
        self.next = None;
        let (record, _) = Record::split(&self.records[self.at..]).ok().flatten()?;
        self.at += record.bytes().len();
        Some(record)
    }
}

/// Reads a file to its end, or until nobody wants any more of it.
fn read(file: impl Read, give: &SyncSender<Piece>) {
    let octets = Arc::new(AtomicU64::new(0));
    let counted = Counted { file, octets: octets.clone() };
    let piece = |records, end| Piece { records, position: octets.load(Ordering::Relaxed), end };
    let mut reader = match Reader::open(counted) {
        Ok(reader) => reader,
        Err(error) => return drop(give.send(piece(Vec::new(), Some(Err(error.to_string()))))),
    };
    let mut records = Vec::with_capacity(PIECE_LEN);
    let end = loop {
        match reader.next() {
            Ok(Some(record)) => {
                if records.len() + record.bytes().len() > PIECE_LEN && !records.is_empty() {
                    let full = std::mem::replace(&mut records, Vec::with_capacity(PIECE_LEN));
                    if give.send(piece(full, None)).is_err() {
                        return;
                    }
                }
                records.extend_from_slice(record.bytes());
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(error.to_string()),
        }
    };
    // Nobody may want it any more.
    drop(give.send(piece(records, Some(end))));
}

/// Counts what is read.
struct Counted<R> {
    file: R,
    octets: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let len = self.file.read(room)?;
        self.octets.fetch_add(len as u64, Ordering::Relaxed);
        Ok(len)
    }
}
