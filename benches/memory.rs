//! Octets a path, and octets a session.
//!
//! ```text
//!  dense      30 peers with the same million of prefixes           8 octets, and a share of the sets
//!  sparse     1000 peers with 20 000 each, of the same million     what a prefix costs twice
//!  sessions   live, and catching up, beside small and large tables
//! ```
//!
//! `cargo bench -p benches --bench memory` measures; `cargo test --benches -p benches` runs everything
//! once, small. Every table is made in a process of its own, so that nothing is counted that others
//! left behind; its input is made in one buffer that is there before.

use std::fs;
use std::process::Command;
use std::sync::Arc;

use benches::measuring;
use benches::table::{Dump, Order};
use bytes::Bytes;
use engine::core::{self, Core, Output, Record};
use mirror::{FeedId, Lane, Logs, Mirror, Mode, Seen, Want};
use queue::log::Reader;
use rib::Time;

/// What a process asks of itself.
const DENSE: &str = "--dense";
const SPARSE: &str = "--sparse";

/// What Linux counts memory in here.
const PAGE: usize = 4096;

const NOW: Time = Time(1_750_000_000_000_000);

/// Nobody reads.
struct Nowhere;

impl Logs for Nowhere {
    fn open(&mut self, _: FeedId) {}
    fn close(&mut self, _: FeedId) {}
    fn append(&mut self, _: FeedId, _: &[u8]) {}
    fn seen(&mut self, _: FeedId, _: &Arc<Seen>) {}
}

/// Octets of this process that are in memory.
fn resident() -> usize {
    let statm = fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok());
    pages.expect("a number") * PAGE
}

/// The tables of so many peers, all told at the same time, a run of each in turn.
fn table(title: &str, peers: u16, prefixes: usize, routes: usize) {
    let mut mirror = Mirror::new(mirror::Settings::default());
    let router = mirror.router("router");
    let mut dumps: Vec<Dump> =
        (0..peers).map(|peer| Dump::new(5, peer, prefixes, routes, Order::Shuffled)).collect();
    let mut run = vec![1; 256 << 10];
    run.clear();
    let lane = Lane { connection: 1, queue: 1 };
    let before = resident();
    let mut more = true;
    while more {
        more = false;
        for dump in &mut dumps {
            if dump.run(&mut run) {
                more = true;
                mirror.take(NOW, router, lane, &run, &mut Nowhere).expect("valid messages");
                mirror.tick(NOW, 16 << 10, &mut Nowhere);
                run.clear();
            }
        }
    }
    let grown = resident() - before;
    let (count, memory) = (mirror.rib().count(), mirror.rib().memory());
    let paths = usize::from(peers) * routes;
    assert_eq!(count.paths, paths);
    #[expect(clippy::cast_precision_loss, reason = "a figure")]
    let each = |octets: usize| octets as f64 / paths as f64;
    if measuring() {
        let updates = dumps.iter().map(Dump::messages).sum::<usize>() - dumps.len();
        println!("\n{title}: {paths} paths, {} prefixes, {} sets", count.prefixes, count.attributes);
        println!("  {:>6.2} octets a path, resident", each(grown));
        println!("  {:>6.2}   columns", each(memory.columns));
        println!("  {:>6.2}   attributes, {:.2} paths a set", each(memory.attributes), 1.0 / each(updates));
        println!("  {:>6.2}   prefixes", each(memory.prefixes));
        println!("  {:>6.2}   walks", each(memory.walks));
        let sum = memory.columns + memory.attributes + memory.prefixes + memory.walks;
        println!("  {:>6.2}   allocator and everything else", each(grown) - each(sum));
    }
}

fn dense() {
    let prefixes = if measuring() { 1_000_000 } else { 2_000 };
    table("dense", if measuring() { 30 } else { 3 }, prefixes, prefixes);
}

fn sparse() {
    let (peers, prefixes, routes) = if measuring() { (1_000, 1_000_000, 20_000) } else { (10, 10_000, 200) };
    table("sparse", peers, prefixes, routes);
}

/// What a session takes that has stalled: one that reads its log, and one that is caught up.
fn sessions() {
    if measuring() {
        println!("\nsessions: octets in the core and the mirror, and what the pools have for it");
    }
    let rows = [1_000, 100_000].map(|routes| {
        // So small a slice that a thousand routes are more than a session's pieces have.
        let settings = core::Settings { slice: 100, ..core::Settings::default() };
        let (gate, mut core) = Core::new(settings, || {});
        let mut inlet = gate.open(64).expect("the first");
        inlet.push(Record::Of { router: Arc::from("router"), connection: 1 }).expect("room");
        let (runs, _) = Dump::new(5, 1, routes, routes, Order::Shuffled).runs();
        for run in runs {
            inlet.push(Record::Messages(Bytes::from(run))).expect("room");
            core.step(NOW, |output| assert!(matches!(output, Output::Came(_)), "there is no session"));
        }
        let want = Arc::new(Want::everything());
        // Both become live. Then one has a new connection, and reads nothing of it.
        let [live, stalled] = [(); 2].map(|()| {
            let session = core.attach("router", &want);
            let connection = core.connected(session);
            while core.mirror().mode(session) != Mode::Live {
                step(&mut core).into_iter().for_each(drop);
                // Whoever had them is done.
                (0..core::PIECES_AHEAD).for_each(|_| core.took(connection));
            }
            connection
        });
        core.lost(stalled);
        core.connected(stalled.session);
        let held: Vec<Reader> = (0..10_000).flat_map(|_| step(&mut core)).collect();
        assert_eq!(held.len(), core::PIECES_AHEAD, "who does not read gets no more");
        assert_eq!(core.mirror().mode(stalled.session), Mode::Catching);
        let row = [live, stalled].map(|connection| core.session_memory(connection.session));
        if measuring() {
            println!(
                "  {routes:>7} routes   live {}   stalled in its catch-up {}, its pieces {}, walks {}",
                row[0],
                row[1],
                core.usage().1.stragglers,
                core.mirror().rib().memory().walks,
            );
        }
        row
    });
    assert_eq!(rows[0], rows[1], "a session takes the same whatever the size of the table");
}

/// What a step gives to read.
fn step(core: &mut Core) -> Vec<Reader> {
    let mut readers = Vec::new();
    core.step(NOW, |output| match output {
        Output::Read(_, reader) | Output::Follow(_, _, reader) => readers.push(reader),
        Output::Came(_) => {}
        other => unreachable!("nobody leaves: {other:?}"),
    });
    readers
}

fn main() {
    let part = std::env::args().find(|argument| [DENSE, SPARSE].contains(&argument.as_str()));
    match part.as_deref() {
        Some(DENSE) => dense(),
        Some(SPARSE) => sparse(),
        _ => {
            let this = std::env::current_exe().expect("a path of our own");
            for part in [DENSE, SPARSE] {
                let status = Command::new(&this).args(measuring().then_some("--bench")).arg(part).status();
                assert!(status.expect("what runs can run again").success(), "{part}");
            }
            sessions();
        }
    }
}
