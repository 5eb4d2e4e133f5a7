//! The replay: records out of the files, messages into the engine, each when it is due.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ingest::mrt::{Router, Stamp};

use crate::arguments::{Arguments, Io};
use crate::files::{Files, Next};
use crate::pace::{Clock as _, Late, Machine, Pace, wait};
use crate::progress::{self, INTERRUPTED, Shared};
use crate::servers::Servers;
use crate::summary::Summary;

/// Octets of messages that go into the engine at once.
const PIECE_LEN: usize = 64 << 10;
/// What we say that we are.
const DESCRIPTION: &str = concat!(
    "heliograph-replay ",
    env!("CARGO_PKG_VERSION"),
    ": MRT files; OPENs that no file has are made from what the files show"
);
/// Routes of a table wait to be packed, but not for longer than this while records are waited for, in microseconds.
const PENDING_US: u64 = 50_000;
/// Nor while nothing is due for so long.
const IDLE_US: u64 = 10_000;
/// Between two looks at how far we are, in records.
const RECORDS_A_LOOK: u64 = 1024;

static SHARED: Shared = Shared::new();

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    let stdin = arguments.files.iter().filter(|file| file.as_os_str() == "-").count();
    if stdin > 1 {
        return Err(String::from("standard input can be read once: give `-` once"));
    }
    if stdin > 0 && arguments.passes > 1 {
        return Err(String::from("standard input can be read once: give files to --loop"));
    }
    let mut files = Files::open(&arguments.files)?;
    let mut router = Router::new(arguments.filter());
    let mut first = Vec::new();
    let name = &arguments.name;
    router
        .initiation(name, DESCRIPTION, &mut first)
        .map_err(|_| format!("--name has {} octets, expected at most 65535", name.len()))?;
    let io = match arguments.io {
        Io::Uring => writer::Io::Uring,
        Io::Epoll => writer::Io::Epoll,
    };
    let mut servers = Servers::start(io, name, Bytes::from(first), &arguments.to)?;
    progress::start(&SHARED, servers.handle.clone(), name.clone())?;
    let looked = Instant::now();
    if files.look_ahead(|input, record| router.expect(input, record)) {
        router.expected_all();
    }
    let seconds_ahead = looked.elapsed().as_secs_f64();
    servers.ready(arguments.wait, &SHARED.stop);

    let begun = Instant::now();
    let mut replay = Replay {
        router,
        pace: Pace::new(arguments.speed, arguments.rate),
        clock: Machine(begun),
        out: Vec::with_capacity(2 * PIECE_LEN),
        due: None,
        flushed: 0,
        late: Late::default(),
        servers: &mut servers,
    };
    for pass in 0..arguments.passes {
        if pass > 0 {
            replay.router.leave(&mut replay.out);
            replay.pace.again();
            files = Files::open(&arguments.files)?;
        }
        replay.files(&mut files)?;
        if SHARED.stop.load(Ordering::Relaxed) {
            break;
        }
    }
    let (counts, late) = (replay.router.counts().clone(), replay.late);
    let seconds = begun.elapsed().as_secs_f64();
    let mut ends = servers.settle(counts.messages, &SHARED.stop);
    let seconds_all = begun.elapsed().as_secs_f64();
    if arguments.linger > 0 {
        Servers::linger(Duration::from_secs(arguments.linger), &SHARED.stop);
        // Who came late has it now, and who has gone had it.
        let lingered = servers.servers(counts.messages);
        for (end, then) in ends.iter_mut().zip(lingered) {
            if then.complete || !end.complete {
                *end = then;
            }
        }
    }
    progress::clear(&SHARED);
    servers.leave();
    let files =
        files.ends().map(|(name, error)| (name.display().to_string(), error.map(str::to_owned))).collect();
    let interrupted = SHARED.stop.load(Ordering::Relaxed);
    let summary =
        Summary { counts, seconds_ahead, seconds, seconds_all, late, servers: ends, files, interrupted };
    let text = if arguments.json || !std::io::stdout().is_terminal() {
        summary.json() + "\n"
    } else {
        summary.text()
    };
    // Nobody may be reading: what was to be done is done.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(match (summary.is_complete(), interrupted) {
        (true, _) => ExitCode::SUCCESS,
        (false, true) => ExitCode::from(INTERRUPTED),
        (false, false) => ExitCode::FAILURE,
    })
}

/// One replay, on its way.
struct Replay<'a> {
    router: Router,
    pace: Pace,
    clock: Machine,
    /// Messages that the engine has not got.
    out: Vec<u8>,
    /// When the first of them was due.
    due: Option<u64>,
    /// When routes that wait were last sent.
    flushed: u64,
    late: Late,
    servers: &'a mut Servers,
}

impl Replay<'_> {
    /// All records of all files, once.
    fn files(&mut self, files: &mut Files) -> Result<(), String> {
        let mut until_look = 0;
        loop {
            if until_look == 0 {
                until_look = RECORDS_A_LOOK;
                show(self.router.counts().records, files);
                if SHARED.stop.load(Ordering::Relaxed) {
                    return Ok(());
                }
            }
            until_look -= 1;
            match files.next() {
                Some(Next::Record(input, record)) => {
                    if !self.pace.is_free() {
                        self.until_due(Stamp::of(&record))?;
                        if SHARED.stop.load(Ordering::Relaxed) {
                            return Ok(());
                        }
                    }
                    self.router.take(input, &record, &mut self.out);
                }
                Some(Next::Ended(input)) => self.router.ended(input, &mut self.out),
                None => break,
            }
            if self.out.len() >= PIECE_LEN {
                self.push()?;
            }
        }
        show(self.router.counts().records, files);
        self.router.flush(&mut self.out);
        self.push()
    }

    /// Waits for a record; what came before it does not.
    fn until_due(&mut self, record: Stamp) -> Result<(), String> {
        let due = self.pace.due(&mut self.clock, record.as_micros());
        let now = self.clock.now();
        if due > now {
            let left = due - now;
            if self.router.is_pending() && (left >= IDLE_US || now - self.flushed >= PENDING_US) {
                self.router.flush(&mut self.out);
                self.flushed = now;
            }
            self.push()?;
            wait(&mut self.clock, due, &SHARED.stop);
        }
        self.due.get_or_insert(due);
        Ok(())
    }

    fn push(&mut self) -> Result<(), String> {
        if let Some(due) = self.due.take() {
            self.late.add(self.clock.now().saturating_sub(due));
        }
        if self.out.is_empty() {
            return Ok(());
        }
        let room = Vec::with_capacity(self.out.len().max(2 * PIECE_LEN));
        let out = std::mem::replace(&mut self.out, room);
        self.servers.push(Bytes::from(out), &SHARED.stop)
    }
}

fn show(records: u64, files: &Files) {
    let (position, len) = files.position();
    SHARED.records.store(records, Ordering::Relaxed);
    SHARED.position.store(position, Ordering::Relaxed);
    SHARED.len.store(len.unwrap_or(0), Ordering::Relaxed);
}
