//! A service and its mirror, for tests: an intake that keeps what comes, and reports that are kept.

#![allow(dead_code, reason = "each of those who use it uses some of it")]

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use ingest::Record;
use ingest::routers::{self, Handle, Instance, Io, ListenerId, Order, Report, Sight};
use queue::ring::{Event, Intake, Settings, intake};

/// Nothing takes longer.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// With both drivers.
pub(crate) fn both(test: impl Fn(Io)) {
    for io in [Io::Uring, Io::Epoll] {
        println!("{io:?}");
        test(io);
    }
}

/// Waits for something to be true.
#[track_caller]
pub(crate) fn wait(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + LIMIT;
    while !holds() {
        assert!(Instant::now() < end, "{what}: not within {LIMIT:?}");
        thread::sleep(Duration::from_millis(1));
    }
}

type Peer = Option<Vec<u8>>;

/// What came of one router.
#[derive(Default)]
struct Came {
    by_peer: BTreeMap<Peer, Vec<u8>>,
    messages: usize,
    /// Of its lanes, in the order in which they were opened.
    connections: Vec<u64>,
}

pub(crate) struct Place {
    pub(crate) handle: Handle,
    pub(crate) intake: Option<Intake<Record>>,
    pub(crate) reports: Vec<Report>,
    pub(crate) came: usize,
    /// Whether octets are kept, or counted.
    pub(crate) keep: bool,
    looked_at: usize,
    lanes: HashMap<usize, Arc<str>>,
    routers: BTreeMap<Arc<str>, Came>,
}

impl Place {
    pub(crate) fn new(io: Io) -> Self {
        let (gate, intake) = intake(Settings { lanes_max: 4096, quantum: 64 << 10 }, || {});
        let now = || {
            let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
            u64::try_from(since.as_micros()).unwrap()
        };
        let handle = routers::start(io, Arc::new(gate), now, || {}).unwrap();
        Self {
            handle,
            intake: Some(intake),
            reports: Vec::new(),
            came: 0,
            keep: true,
            looked_at: 0,
            lanes: HashMap::new(),
            routers: BTreeMap::new(),
        }
    }

    pub(crate) fn listen(&mut self, address: &str) -> SocketAddr {
        self.handle.order(Order::Listen(ListenerId(1), address.parse().unwrap(), Instance::Public));
        let mut listening = None;
        self.wait_for("listening", |report| {
            if let Report::Listening(ListenerId(1), Ok(address)) = report {
                listening = Some(*address);
            }
            listening.is_some()
        });
        listening.unwrap()
    }

    /// Waits for a report among those not looked at yet. The lanes are left alone.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, what: &str, mut wanted: impl FnMut(&Report) -> bool) {
        let end = Instant::now() + LIMIT;
        loop {
            self.reports.extend(std::iter::from_fn(|| self.handle.next_report()));
            while self.looked_at < self.reports.len() {
                self.looked_at += 1;
                if wanted(&self.reports[self.looked_at - 1]) {
                    return;
                }
            }
            assert!(Instant::now() < end, "{what}: {:?}", self.reports.iter().map(word).collect::<Vec<_>>());
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Takes what has come.
    pub(crate) fn turn(&mut self) {
        self.reports.extend(std::iter::from_fn(|| self.handle.next_report()));
        self.drain();
    }

    /// Takes what has come by the lanes, and leaves reports where they are.
    pub(crate) fn drain(&mut self) {
        let Self { intake: Some(intake), lanes, routers, came, keep, .. } = self else { return };
        intake.drain(4 << 20, |lane, event| match event {
            Event::Opened => {}
            Event::Value(Record::Of { router, connection }) => {
                routers.entry(router.clone()).or_default().connections.push(connection);
                assert!(lanes.insert(lane.index(), router).is_none(), "a lane has a first record, and one");
            }
            Event::Value(Record::Came(_)) => *came += 1,
            Event::Value(Record::Messages(octets)) => {
                let router = routers.get_mut(&lanes[&lane.index()]).unwrap();
                let mut rest = &octets[..];
                while !rest.is_empty() {
                    let len = u32::from_be_bytes(rest[1..5].try_into().unwrap()) as usize;
                    router.messages += 1;
                    if *keep {
                        router.by_peer.entry(peer_of(rest)).or_default().extend_from_slice(&rest[..len]);
                    }
                    rest = &rest[len..];
                }
            }
            Event::Ended => drop(lanes.remove(&lane.index())),
        });
    }

    /// What came of a router is what it sent, peer by peer.
    #[track_caller]
    pub(crate) fn check(&self, router: &str, sent: &[u8]) {
        let mut expected = BTreeMap::<Peer, Vec<u8>>::new();
        let mut rest = sent;
        while !rest.is_empty() {
            let len = u32::from_be_bytes(rest[1..5].try_into().unwrap()) as usize;
            expected.entry(peer_of(rest)).or_default().extend_from_slice(&rest[..len]);
            rest = &rest[len..];
        }
        let got = &self.routers.get(router).unwrap_or_else(|| panic!("{router} never came")).by_peer;
        assert!(got.keys().eq(expected.keys()), "{router} has other peers");
        for (peer, octets) in got {
            assert!(*octets == expected[peer], "{router}, {peer:?}: {} octets differ", octets.len());
        }
    }

    pub(crate) fn connections(&self, router: &str) -> Vec<u64> {
        self.routers[router].connections.clone()
    }

    pub(crate) fn lanes_seen(&self) -> usize {
        self.routers.values().map(|came| came.connections.len()).sum()
    }

    pub(crate) fn messages(&self, router: &str) -> usize {
        self.routers.get(router).map_or(0, |came| came.messages)
    }

    pub(crate) fn open_lanes(&self) -> usize {
        self.lanes.len()
    }

    pub(crate) fn ups(&self) -> usize {
        self.reports.iter().filter(|report| matches!(report, Report::Up { .. })).count()
    }

    pub(crate) fn downs(&self) -> usize {
        self.reports.iter().filter(|report| matches!(report, Report::Down { .. })).count()
    }

    pub(crate) fn survey(&mut self) -> Vec<Sight> {
        let (tell, told) = mpsc::channel();
        self.handle.order(Order::Survey(Box::new(move |sights| tell.send(sights).unwrap())));
        told.recv_timeout(LIMIT).unwrap()
    }
}

fn peer_of(message: &[u8]) -> Peer {
    matches!(message[5], 0..=3 | 6).then(|| [&message[6..7], &message[8..32]].concat())
}

/// A report in a line, without what differs from run to run.
pub(crate) fn word(report: &Report) -> String {
    match report {
        Report::Listening(..) => String::from("listening"),
        Report::Up { router, connection, .. } => format!("up {router} {connection}"),
        Report::Down { router, connection, reason, .. } => format!("down {router} {connection}: {reason}"),
        Report::Refused { reason, .. } => format!("refused: {reason}"),
    }
}

/// A message without a per-peer header.
pub(crate) fn own(kind: u8, body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(6 + body.len()).unwrap().to_be_bytes();
    [&[3], &len[..], &[kind], body].concat()
}

/// An Initiation that has a name, and nothing else.
pub(crate) fn initiation(name: &str) -> Vec<u8> {
    let len = u16::try_from(name.len()).unwrap().to_be_bytes();
    own(4, &[&[0, 2], &len[..], name.as_bytes()].concat())
}

/// A Route Monitoring message of a peer, which makes no sense.
pub(crate) fn of_peer(n: u8, body: usize) -> Vec<u8> {
    let mut octets = vec![0; 42 + body];
    octets[25] = n;
    own(0, &octets)
}
