//! What is measured.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use queue::log::{Log, POOLED_MAX, Pool, Reader, SEGMENT_LEN};
use rustix::thread::{ClockId, CpuSet, Timespec};
use writer::Io;

use crate::MESSAGE_LEN;
use crate::bare::{Bare, Shape};
use crate::lode::Lode;
use crate::meter::{Mark, Spell, helpers_cpu, resident};
use crate::ours::{Feed, Ours};
use crate::receiver::{Receiver, Task};
use crate::source::{Endless, Follow, LogBell, Rounds};
use crate::table::{Pair, Row, Table, USUAL};
use crate::times::{EVERY, Times, monotonic};

/// How long the rest of what was appended may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the command line asks for.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) case: Option<String>,
    pub(crate) only: Option<String>,
    pub(crate) sessions: Option<usize>,
    pub(crate) batch: Option<usize>,
    pub(crate) rounds: Option<usize>,
    pub(crate) time: Option<Duration>,
    pub(crate) lode: Option<usize>,
    pub(crate) variants: bool,
    pub(crate) cores: Option<(usize, usize)>,
    pub(crate) small: bool,
    pub(crate) json: bool,
}

/// How much is done of everything.
#[derive(Clone, Copy, Debug)]
struct Size {
    rounds: usize,
    warm: Duration,
    time: Duration,
    lode: usize,
    small: bool,
    cores: Option<(usize, usize)>,
}

/// One of those who are compared.
#[derive(Clone, Copy, Debug)]
struct Contender {
    name: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Bare(Shape),
    Ours(Io),
}

/// The best of its kind: see the variants.
const RING: Shape =
    Shape { ring: true, unsent_max: Some(128 << 10), registered: false, whole: false, burst: 1 << 20 };
const EPOLL: Shape = Shape { ring: false, burst: usize::MAX, ..RING };

const CONTENDERS: [Contender; 4] = [
    Contender { name: "bare-ring", kind: Kind::Bare(RING) },
    Contender { name: "bare-epoll", kind: Kind::Bare(EPOLL) },
    Contender { name: "ours-uring", kind: Kind::Ours(Io::Uring) },
    Contender { name: "ours-epoll", kind: Kind::Ours(Io::Epoll) },
];

const VARIANTS: [Contender; 5] = [
    Contender { name: "ring-no-lowat", kind: Kind::Bare(Shape { unsent_max: None, ..RING }) },
    Contender { name: "epoll-no-lowat", kind: Kind::Bare(Shape { unsent_max: None, ..EPOLL }) },
    Contender { name: "ring-registered", kind: Kind::Bare(Shape { registered: true, ..RING }) },
    Contender { name: "ring-at-once", kind: Kind::Bare(Shape { burst: usize::MAX, ..RING }) },
    Contender { name: "ring-waitall", kind: Kind::Bare(Shape { whole: true, ..RING }) },
];

/// Runs what was asked for; whether there is such a thing.
pub(crate) fn run(asked: &Asked) -> bool {
    raise_limits();
    let only: Option<Vec<&str>> = asked.only.as_deref().map(|only| only.split(',').collect());
    let wanted = |contender: &Contender| match &only {
        Some(only) => only.contains(&contender.name),
        None => asked.variants || CONTENDERS.iter().any(|usual| usual.name == contender.name),
    };
    let mut contenders: Vec<Contender> = CONTENDERS.into_iter().chain(VARIANTS).filter(wanted).collect();
    if let Err(problem) = writer::check::io_uring() {
        eprintln!("without rings: {problem}");
        let ring = |kind: Kind| matches!(kind, Kind::Bare(Shape { ring: true, .. }) | Kind::Ours(Io::Uring));
        contenders.retain(|contender| !ring(contender.kind));
    }
    if contenders.is_empty() {
        return false;
    }
    if let Some((ours, _)) = asked.cores {
        pin(None, ours);
    }
    let time = asked.time.unwrap_or(Duration::from_millis(if asked.small { 100 } else { 400 }));
    let rounds = asked.rounds.unwrap_or(if asked.small { 1 } else { 7 });
    let warm = if asked.small { Duration::from_millis(10) } else { Duration::from_millis(200) };
    let lode = asked.lode.unwrap_or(if asked.small { 1 } else { 64 }) << 20;
    let size = Size { rounds, warm, time, lode, small: asked.small, cores: asked.cores };

    let wants = |case: &str| asked.case.as_deref().is_none_or(|wanted| wanted == case);
    let mut any = false;
    if wants("fan-out") {
        let batches: &[usize] = if size.small { &[4096, 65536] } else { &[65536, 262_144, 4096, 16384] };
        let sessions: &[usize] = if size.small { &[1, 8] } else { &[1, 8, 64, 512] };
        for &batch in asked.batch.as_ref().map_or(batches, std::slice::from_ref) {
            for &sessions in asked.sessions.as_ref().map_or(sessions, std::slice::from_ref) {
                fan_out(&contenders, size, sessions, batch).print(asked.json);
            }
        }
        any = true;
    }
    if wants("messages") {
        let sessions = asked.sessions.unwrap_or(if size.small { 16 } else { 512 });
        messages(&contenders, size, sessions, false).print(asked.json);
        any = true;
    }
    if wants("messages-woken") {
        let sessions = asked.sessions.unwrap_or(if size.small { 16 } else { 512 });
        messages(&contenders, size, sessions, true).print(asked.json);
        any = true;
    }
    if wants("latency") {
        let sessions = asked.sessions.unwrap_or(if size.small { 4 } else { 64 });
        latency(&contenders, size, sessions, asked.batch.unwrap_or(SEGMENT_LEN)).print(asked.json);
        any = true;
    }
    if wants("stalled") {
        let sessions = asked.sessions.unwrap_or(if size.small { 4 } else { 64 });
        if let Some(table) = stalled(&contenders, size, sessions, asked.batch.unwrap_or(65536)) {
            table.print(asked.json);
        }
        any = true;
    }
    any
}

/// Each does its turn, there and back again; then once more where its system calls are counted, which makes
/// them slower.
fn rounds(
    contenders: &[Contender],
    size: Size,
    mut turn: impl FnMut(Contender, bool) -> (Vec<f64>, Spell),
) -> Vec<Row> {
    let row = |contender: &Contender| Row { name: contender.name, rounds: Vec::new(), calls: None };
    let mut rows: Vec<Row> = contenders.iter().map(row).collect();
    for round in 0..size.rounds {
        let order: Vec<usize> = if round % 2 == 0 {
            (0..contenders.len()).collect()
        } else {
            (0..contenders.len()).rev().collect()
        };
        for at in order {
            rows[at].rounds.push(turn(contenders[at], false).0);
        }
    }
    if !size.small {
        for (row, contender) in rows.iter_mut().zip(contenders) {
            let counted = turn(*contender, true).1;
            row.calls = (counted.calls > 0.0).then_some(counted.calls / counted.sends);
        }
    }
    rows
}

/// Whoever sends, from a conductor's side.
enum Sender<'a> {
    Bare(Bare),
    Ours(Ours<'a>),
}

impl Sender<'_> {
    fn mark(&mut self) -> Mark {
        match self {
            Self::Bare(bare) => bare.mark(),
            Self::Ours(ours) => ours.survey().0,
        }
    }

    fn wait(&mut self, time: Duration) {
        match self {
            Self::Bare(_) => thread::sleep(time),
            Self::Ours(ours) => ours.wait(time),
        }
    }

    /// Ends it, and sees whether all that it sent came. Ours may have sent some after it was asked.
    fn stop(self, receiver: Receiver) -> crate::receiver::Tally {
        let (sent, exact) = match self {
            Self::Bare(bare) => (bare.stop(), true),
            Self::Ours(ours) => (ours.stop(), false),
        };
        let tally = receiver.finish();
        assert!(
            tally.octets == sent || !exact && tally.octets > sent,
            "{sent} octets were sent, {} came",
            tally.octets
        );
        tally
    }
}

/// The same run of messages to all, as fast as it goes.
fn fan_out(contenders: &[Contender], size: Size, sessions: usize, batch: usize) -> Table {
    const LAPS: u32 = 2;
    // Twice what the fastest can read of it, and those that are handed before they are read.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
    let laps_turn = ((size.warm + size.time).as_secs_f64() * 4e10 / size.lode as f64) as usize + 1;
    let readers = (size.rounds + 1) * contenders.len() * (3 * sessions + laps_turn);
    let mut lode = Lode::new(size.lode, readers, batch);
    let laps = size.small.then_some(LAPS);
    let rows = rounds(contenders, size, |contender, count| {
        let receiver = start_receiver(size, if size.small { Task::Sum } else { Task::Discard });
        let mut sender = match contender.kind {
            Kind::Bare(shape) => {
                let source = Endless::new(lode.seams.clone(), sessions, laps);
                let wake = Bare::eventfd();
                Sender::Bare(Bare::start(shape, receiver.address, sessions, count, wake, source))
            }
            Kind::Ours(io) => {
                let feed = Feed::Pieces(&mut lode, laps);
                Sender::Ours(Ours::start(io, receiver.address, sessions, batch, count, feed))
            }
        };
        sender.wait(size.warm);
        let (helped, from) = (helpers_cpu(), sender.mark());
        sender.wait(size.time);
        let (spell, helped) = (Spell::between(from, sender.mark()), helpers_cpu() - helped);
        let tally = sender.stop(receiver);
        if let Some(laps) = laps {
            let times = u64::from(laps) * sessions as u64;
            assert_eq!(tally.octets, lode.len * times, "{}: octets", contender.name);
            assert_eq!(tally.sum, lode.sum() * times, "{}: all octets added up", contender.name);
        }
        let cpu = spell.cpu + helped.as_secs_f64();
        (
            vec![
                spell.octets / cpu,
                spell.octets / spell.wall,
                cpu / spell.sends * 1e6,
                spell.octets / spell.sends,
                cpu / spell.wall,
            ],
            spell,
        )
    });
    Table {
        case: "fan-out",
        sessions,
        batch,
        figures: &[
            ("bytes_per_cpu_s", 0),
            ("bytes_per_s", 0),
            ("us_per_send", 2),
            ("bytes_per_send", 0),
            ("busy", 2),
        ],
        pairs: USUAL,
        rate: true,
        rows,
    }
}

/// One message to all; the next when the kernel has taken all of them, or, where somebody else begins each
/// round and the sender has to be woken for it, when all of them have come.
fn messages(contenders: &[Contender], size: Size, sessions: usize, woken: bool) -> Table {
    let round_len = (sessions * MESSAGE_LEN) as u64;
    let rows = rounds(contenders, size, |contender, count| {
        let mut receiver = start_receiver(size, if woken { Task::Rounds(round_len) } else { Task::Discard });
        let goal = Arc::new(AtomicU64::new(0));
        let log = Arc::new(Mutex::new(Log::new(&Pool::default(), 16 << 20)));
        let append = |log: &Mutex<Log>| {
            let mut log = log.lock().expect("no panic");
            log.append(&[0x5a; MESSAGE_LEN]).expect("short");
            log.publish();
        };
        let going = Arc::new(AtomicBool::new(true));
        let mut sender = match contender.kind {
            Kind::Bare(shape) => {
                let source = Rounds::new(sessions, goal.clone(), !woken);
                let wake = Bare::eventfd();
                Sender::Bare(Bare::start(shape, receiver.address, sessions, count, wake, source))
            }
            Kind::Ours(io) => {
                let readers = (0..sessions).map(|_| log.lock().expect("no panic").subscribe()).collect();
                let feed = Feed::Logs(readers);
                let mut ours = Ours::start(io, receiver.address, sessions, SEGMENT_LEN, count, feed);
                if !woken {
                    // Where there is little room, a message may take two sends.
                    let whole = sessions * MESSAGE_LEN;
                    let (log, going, mut left) = (log.clone(), going.clone(), whole);
                    ours.witness(move |_, octets| {
                        left -= octets.len();
                        if left == 0 && going.load(Ordering::Relaxed) {
                            left = whole;
                            append(&log);
                        }
                    });
                }
                Sender::Ours(ours)
            }
        };
        let begin = |sender: &mut Sender<'_>| match sender {
            Sender::Bare(bare) => {
                goal.fetch_add(MESSAGE_LEN as u64, Ordering::Release);
                bare.wake();
            }
            Sender::Ours(ours) => {
                append(&log);
                ours.news();
            }
        };
        let run = |sender: &mut Sender<'_>, receiver: &mut Receiver, time: Duration| {
            let began = Instant::now();
            while woken && began.elapsed() < time {
                begin(sender);
                receiver.round();
            }
            if !woken {
                sender.wait(time);
            }
        };
        if !woken {
            begin(&mut sender);
        }
        run(&mut sender, &mut receiver, size.warm);
        let from = sender.mark();
        run(&mut sender, &mut receiver, size.time);
        let spell = Spell::between(from, sender.mark());
        going.store(false, Ordering::Relaxed);
        sender.wait(Duration::from_millis(20));
        sender.stop(receiver);
        let sends = spell.octets / MESSAGE_LEN as f64;
        let rounds = sends / sessions as f64;
        let figures = vec![
            sends / spell.cpu,
            spell.cpu / sends * 1e6,
            spell.cpu / rounds * 1e6,
            spell.wall / rounds * 1e6,
            spell.octets / spell.cpu,
        ];
        (figures, Spell { sends, ..spell })
    });
    Table {
        case: if woken { "messages-woken" } else { "messages" },
        sessions,
        batch: MESSAGE_LEN,
        figures: &[
            ("sends_per_cpu_s", 0),
            ("us_per_send", 3),
            ("cpu_us_per_round", 0),
            ("wall_us_per_round", 0),
            ("bytes_per_cpu_s", 0),
        ],
        pairs: USUAL,
        rate: true,
        rows,
    }
}

/// Messages come by the clock; how long is each under way?
fn latency(contenders: &[Contender], size: Size, sessions: usize, batch: usize) -> Table {
    let rate: u64 = if size.small { 2000 } else { 100_000 };
    let rows = rounds(contenders, size, |contender, count| {
        let receiver = start_receiver(size, Task::Times(EVERY));
        let mut log = Log::new(&Pool::new(SEGMENT_LEN, POOLED_MAX), 64 << 20);
        let readers: Vec<Reader> = (0..sessions).map(|_| log.subscribe()).collect();
        let times = Arc::new(Mutex::new(Times::new()));
        let wake = Bare::eventfd();
        let ringer = wake.try_clone().expect("a descriptor");
        let bell: Arc<LogBell> = Arc::new(LogBell::new(Box::new(move || {
            let _ = rustix::io::write(&ringer, &1_u64.to_ne_bytes());
        })));
        let mut sender = match contender.kind {
            Kind::Bare(shape) => {
                let source = Follow::new(readers, batch, bell.clone(), times.clone());
                Sender::Bare(Bare::start(shape, receiver.address, sessions, count, wake, source))
            }
            Kind::Ours(io) => {
                let feed = Feed::Logs(readers);
                let mut ours = Ours::start(io, receiver.address, sessions, batch, count, feed);
                let times = times.clone();
                ours.witness(move |session, octets| {
                    if session.is_multiple_of(EVERY) {
                        times.lock().expect("no panic").take(session, octets, monotonic());
                    }
                });
                Sender::Ours(ours)
            }
        };
        let mut feed = |sender: &mut Sender<'_>, time: Duration, timed: bool| {
            let (began, gap) = (monotonic(), 1_000_000_000 / rate);
            let total = time.as_nanos() as u64 / gap;
            let mut message = [0; MESSAGE_LEN];
            let mut done = 0;
            while done < total {
                let now = monotonic();
                while done < total && began + done * gap <= now {
                    let due = if timed { began + done * gap } else { 0 };
                    message[..8].copy_from_slice(&due.to_ne_bytes());
                    log.append(&message).expect("short");
                    done += 1;
                }
                if log.publish() {
                    match sender {
                        Sender::Bare(_) => bell.ring(),
                        Sender::Ours(ours) => ours.news(),
                    }
                }
                if let Sender::Ours(ours) = sender {
                    ours.serve();
                }
                sleep_until(now + 50_000);
            }
            total
        };
        let untimed = feed(&mut sender, size.warm, false);
        let from = sender.mark();
        let timed = feed(&mut sender, size.time, true);
        let spell = Spell::between(from, sender.mark());
        // What is still in the log goes out before anybody leaves.
        let (all, began) = ((untimed + timed) * (MESSAGE_LEN * sessions) as u64, Instant::now());
        while sender.mark().octets < all {
            assert!(began.elapsed() < PATIENCE, "{}: not all has been sent", contender.name);
            sender.wait(Duration::from_millis(10));
        }
        let tally = sender.stop(receiver);
        let expected = timed * sessions.div_ceil(EVERY) as u64;
        assert_eq!(tally.timed, expected, "{}: messages whose time was taken", contender.name);
        let (sent, sent_times) = times.lock().expect("no panic").found();
        assert_eq!(sent, expected, "{}: messages whose time was taken when they were sent", contender.name);
        let micros = |nanos: u64| nanos as f64 / 1e3;
        let ([s50, s99, s999, _], [r50, r99, r999, _]) = (sent_times.map(micros), tally.times.map(micros));
        let messages = (timed * sessions as u64) as f64;
        let busy = spell.cpu / spell.wall;
        (vec![s99, s50, s999, r50, r99, r999, busy, messages / spell.sends], spell)
    });
    Table {
        case: "latency",
        sessions,
        batch,
        figures: &[
            ("sent_p99_us", 0),
            ("sent_p50_us", 0),
            ("sent_p999_us", 0),
            ("received_p50_us", 0),
            ("received_p99_us", 0),
            ("received_p999_us", 0),
            ("busy", 2),
            ("messages_per_send", 1),
        ],
        pairs: USUAL,
        rate: false,
        rows,
    }
}

/// A live log that is as long as it is; what becomes of the others when one never reads.
fn stalled(contenders: &[Contender], size: Size, sessions: usize, batch: usize) -> Option<Table> {
    const BUDGET: usize = 8 << 20;
    /// How far the log runs ahead of the slowest that reads.
    const AHEAD: u64 = 4 << 20;
    const PAIRS: &[Pair] = &[
        ("ratio_to_even", "stalled-uring", "even-uring"),
        ("epoll_ratio_to_even", "stalled-epoll", "even-epoll"),
    ];
    let of = |name: &'static str, kind: Kind| Contender { name, kind };
    let mut both = Vec::new();
    for contender in contenders {
        match contender.kind {
            Kind::Ours(Io::Uring) => {
                both.extend([of("even-uring", contender.kind), of("stalled-uring", contender.kind)])
            }
            Kind::Ours(Io::Epoll) => {
                both.extend([of("even-epoll", contender.kind), of("stalled-epoll", contender.kind)])
            }
            Kind::Bare(_) => {}
        }
    }
    if both.is_empty() {
        return None;
    }
    let rows = rounds(&both, size, |contender, count| {
        let Kind::Ours(io) = contender.kind else { unreachable!("only ours has a log that is not kept") };
        let stalls = contender.name.starts_with("stalled");
        let receiver = start_receiver(size, Task::Stall(usize::from(stalls)));
        let pool = Pool::default();
        let mut log = Log::new(&pool, BUDGET);
        let feed = Feed::Logs((0..sessions).map(|_| log.subscribe()).collect());
        let mut ours = Ours::start(io, receiver.address, sessions, batch, count, feed);
        // Where each session would stand had it read all that it fell over.
        let mut skipped = vec![0; sessions];
        let (mut falls, mut held, mut memory) = (0.0, 0, (u64::MAX, 0));
        let mut spell_of = |ours: &mut Ours<'_>, time: Duration| {
            let began = Instant::now();
            let (from, first) = ours.survey();
            loop {
                let (to, octets) = ours.survey();
                for (token, reader) in std::mem::take(&mut ours.fallen) {
                    let anew = log.subscribe();
                    skipped[token.session.0 as usize] += anew.position() - reader.position();
                    ours.read(token, anew);
                    falls += 1.0;
                }
                let mut places: Vec<u64> =
                    octets.iter().zip(&skipped).map(|(took, skipped)| took + skipped).collect();
                places.sort_unstable();
                let slowest = places[usize::from(stalls)];
                while log.end() < slowest + AHEAD {
                    log.append(&[0x5a; MESSAGE_LEN]).expect("short");
                }
                log.publish();
                ours.news();
                held = held.max(pool.usage().stragglers);
                let now = resident(std::process::id());
                memory = (memory.0.min(now), memory.1.max(now));
                if began.elapsed() >= time {
                    let mut took: Vec<u64> = octets.iter().zip(&first).map(|(to, from)| to - from).collect();
                    took.sort_unstable();
                    // The one that stalls, or in its stead the slowest.
                    return (Spell::between(from, to), took[1..].iter().sum::<u64>() as f64);
                }
                ours.wait(Duration::from_millis(1));
            }
        };
        spell_of(&mut ours, size.warm);
        let (spell, took) = spell_of(&mut ours, size.time);
        let grown = (memory.1 - memory.0) as f64;
        drop(ours);
        let tally = receiver.finish();
        assert!(tally.octets as f64 >= took, "{took} octets were sent, {} came", tally.octets);
        (vec![took / spell.cpu, took / spell.wall, spell.cpu / spell.wall, held as f64, grown, falls], spell)
    });
    Some(Table {
        case: "stalled",
        sessions,
        batch,
        figures: &[
            ("bytes_per_cpu_s", 0),
            ("bytes_per_s", 0),
            ("busy", 2),
            ("stragglers_max", 0),
            ("resident_grown", 0),
            ("falls", 0),
        ],
        pairs: PAIRS,
        rate: true,
        rows,
    })
}

fn start_receiver(size: Size, task: Task) -> Receiver {
    let receiver = Receiver::start(task);
    if let Some((_, theirs)) = size.cores {
        pin(Some(receiver.pid()), theirs);
    }
    receiver
}

/// Runs a process on this core only.
fn pin(pid: Option<u32>, core: usize) {
    let mut cores = CpuSet::new();
    cores.set(core);
    let pid = pid.and_then(|pid| rustix::thread::Pid::from_raw(pid.cast_signed()));
    rustix::thread::sched_setaffinity(pid, &cores).expect("two cores");
}

fn sleep_until(nanos: u64) {
    let request = Timespec {
        tv_sec: (nanos / 1_000_000_000).cast_signed(),
        tv_nsec: (nanos % 1_000_000_000).cast_signed(),
    };
    // A signal at most, and then it is early.
    let _ = rustix::thread::clock_nanosleep_absolute(ClockId::Monotonic, &request);
}

/// As many descriptors as we may have.
fn raise_limits() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // What cannot be raised may be enough.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}
