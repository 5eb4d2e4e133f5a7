//! The mirror by itself: what a router sends, what those see who read the log, what those are told who
//! are caught up.
//!
//! ```text
//!  rows: messages ─take─► Mirror ─► Logs, a Vec a feed ─► lines: a name is that message, octet for octet
//!                           └─ fill ─► pieces ──────────► lines: all else is shown as it reads
//! ```

mod feeds;
mod greeting;
mod limits;
mod lives;
mod own;
mod pieces;
mod sent;
mod wants;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rib::Time;
use wire::Family;
use wire::bmp::Frame;

use crate::{
    FeedId, Filled, Lane, Logs, Mirror, Mode, Progress, RouterId, Seen, SessionId, Settings, Taken, Tally,
    Want,
};
use sent::{
    PATHS_V4, PATHS_V6, Sent, add, add6, attributes, del, down, end, init, loc, mirrored, mp, p, prefix, raw,
    stat, up, up_with, update, v, view,
};

const V4: Family = Family::IPV4_UNICAST;
const V6: Family = Family::IPV6_UNICAST;
/// A family that nobody can tell the routes of.
const ODD: Family = Family::new(9, 9);
const ALL: usize = usize::MAX;
/// When a row begins; each call of `take` is a second later.
const BEGIN: u64 = 1_000_000_000;

/// All messages of a feed, and the latest word.
#[derive(Default)]
struct Log {
    messages: Vec<Vec<u8>>,
    seen: Option<Arc<Seen>>,
}

/// The naive logs.
#[derive(Default)]
struct Twin {
    feeds: BTreeMap<FeedId, Log>,
    /// What was opened and closed.
    story: Vec<String>,
}

impl Logs for Twin {
    fn open(&mut self, feed: FeedId) {
        self.story.push(format!("open {}", feed.0));
        assert!(self.feeds.insert(feed, Log::default()).is_none(), "{feed:?} is open");
    }

    fn close(&mut self, feed: FeedId) {
        self.story.push(format!("close {}", feed.0));
        self.feeds.remove(&feed).expect("an open feed");
    }

    fn append(&mut self, feed: FeedId, message: &[u8]) {
        let Log { messages, seen } = self.feeds.get_mut(&feed).expect("an open feed");
        assert!(seen.is_some(), "nothing was said before the first message");
        messages.push(message.to_vec());
    }

    fn seen(&mut self, feed: FeedId, seen: &Arc<Seen>) {
        self.feeds.get_mut(&feed).expect("an open feed").seen = Some(seen.clone());
    }
}

/// A mirror, its logs, and the router that rows are about.
struct Bench {
    mirror: Mirror,
    logs: Twin,
    router: RouterId,
    lane: Lane,
    now: Time,
    names: HashMap<Vec<u8>, String>,
}

impl Bench {
    fn new(settings: Settings) -> Self {
        let mut mirror = Mirror::new(settings);
        let router = mirror.router("r1");
        let lane = Lane { connection: 1, queue: 1 };
        Self { mirror, logs: Twin::default(), router, lane, now: Time(BEGIN), names: HashMap::new() }
    }

    fn attach(&mut self, want: Want) -> SessionId {
        self.mirror.attach(self.router, &Arc::new(want), &mut self.logs)
    }

    /// A session that wants all, and has been told all there is.
    fn live(&mut self) -> SessionId {
        let id = self.attach(Want::everything());
        self.connect(id);
        self.heard(id);
        id
    }

    /// Takes messages by the bench's lane, in an epoch of their own; gives what was counted of them.
    fn take(&mut self, sent: &[Sent]) -> Tally {
        let before = self.mirror.tally(self.router);
        self.now.0 += 1_000_000;
        self.mirror.tick(self.now, ALL, &mut self.logs);
        for Sent { name, octets } in sent {
            self.names.insert(octets.clone(), name.clone());
        }
        let octets: Vec<_> = sent.iter().flat_map(|sent| sent.octets.clone()).collect();
        let Taken { messages, changed } = self
            .mirror
            .take(self.now, self.router, self.lane, &octets, &mut self.logs)
            .expect("whole messages");
        assert_eq!(messages, sent.len());
        let after = self.mirror.tally(self.router);
        let tally = Tally {
            messages: after.messages - before.messages,
            route_monitoring: after.route_monitoring - before.route_monitoring,
            changed: after.changed - before.changed,
            same: after.same - before.same,
            refused: after.refused - before.refused,
            malformed: after.malformed - before.malformed,
            untold: after.untold - before.untold,
            stale: after.stale - before.stale,
            stray: after.stray - before.stray,
            beyond: after.beyond - before.beyond,
        };
        assert_eq!(tally.changed, changed as u64);
        tally
    }

    /// The same for those who do not count.
    fn happens(&mut self, sent: &[Sent]) {
        self.take(sent);
    }

    /// A lane of the router ends.
    fn ended(&mut self, lane: Lane) {
        self.now.0 += 1_000_000;
        self.mirror.ended(self.now, self.router, lane, &mut self.logs);
    }

    /// What the log of a session's feed has that was not asked for before.
    fn heard(&mut self, id: SessionId) -> Vec<String> {
        let feed = self.mirror.feed(id);
        let messages = std::mem::take(&mut self.logs.feeds.get_mut(&feed).expect("an open feed").messages);
        messages.iter().flat_map(|message| self.lines(message)).collect()
    }

    /// What somebody knows who read the log until now.
    fn seen(&self, id: SessionId) -> Arc<Seen> {
        self.logs.feeds[&self.mirror.feed(id)].seen.clone().expect("something was said")
    }

    fn fill(&mut self, id: SessionId, len: usize, mut work: usize) -> (Filled, Vec<u8>) {
        let mut piece = vec![0xa5; len];
        let filled = self.mirror.fill(id, self.now, &mut piece, &mut work);
        assert!(piece[filled.len..].iter().all(|octet| *octet == 0xa5) || filled.len < len);
        piece.truncate(filled.len);
        (filled, piece)
    }

    /// All that a catch-up tells, at once; and of how many peers it cannot tell something.
    fn caught_up(&mut self, id: SessionId) -> (Vec<String>, usize) {
        let (filled, piece) = self.fill(id, 4 << 20, ALL);
        assert_eq!((filled.progress, self.mirror.mode(id)), (Progress::CaughtUp, Mode::Live));
        (self.lines(&piece), filled.untold)
    }

    /// A connection: all that its server is told first.
    fn connect(&mut self, id: SessionId) -> Vec<String> {
        self.mirror.connected(id);
        self.caught_up(id).0
    }

    /// A connection that ends, and another one.
    fn reconnect(&mut self, id: SessionId) -> Vec<String> {
        self.mirror.lost(id);
        self.connect(id)
    }

    /// A session falls off where this was seen, and is told the rest.
    fn fall(&mut self, id: SessionId, seen: &Arc<Seen>) -> Vec<String> {
        self.mirror.fell(id, seen);
        self.caught_up(id).0
    }

    /// A line a message: its name if it is one that the router sent, octet for octet.
    fn lines(&self, mut octets: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some((frame, rest)) = Frame::split(octets).expect("BMP") {
            lines.push(self.names.get(frame.bytes()).cloned().unwrap_or_else(|| shown(&frame)));
            octets = rest;
        }
        assert!(octets.is_empty(), "whole messages");
        lines
    }
}

/// A message that nobody sent, in as few words as tell it.
fn shown(frame: &Frame<'_>) -> String {
    short(frame.to_string())
}

fn short(mut line: String) -> String {
    for n in 1..=9 {
        line = line.replace(&format!("global 192.0.2.{n} AS6500{n}"), &format!("p{n}"));
        line = line.replace(&format!("rd 64500:{n} 192.0.2.{n} AS6500{n}"), &format!("v{n}"));
    }
    let words = [
        ("loc-rib AS65009", "loc"),
        ("route-monitoring ", ""),
        ("adj-rib-", ""),
        ("update ", ""),
        (".000000", ""),
        (" ipv4-unicast", ""),
        (" origin igp", ""),
    ];
    words.iter().fold(line, |line, (long, short)| line.replace(long, short))
}

/// Compares lines, and prints both if they differ.
#[track_caller]
fn says(row: &str, got: &[String], want: &[&str]) {
    assert!(
        got == want,
        "{row}\n  got:\n    {}\n  expected:\n    {}",
        got.join("\n    "),
        want.join("\n    ")
    );
}
