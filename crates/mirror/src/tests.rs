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
mod pieces;
mod wants;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rib::Time;
use wire::Family;
use wire::bgp::{self, Capability, CapabilityKind, Pdu};
use wire::bmp::{self, DownReason, Frame, InformationKind, PeerFlags, PeerHeader, PeerKind, Tlv};

use crate::{
    FeedId, Filled, Lane, Logs, Mirror, Mode, Progress, RouterId, Seen, SessionId, Settings, Taken, Tally,
    Want,
};

const V4: Family = Family::IPV4_UNICAST;
const V6: Family = Family::IPV6_UNICAST;
/// A family that nobody can tell the routes of.
const ODD: Family = Family::new(9, 9);
const ALL: usize = usize::MAX;
/// When a row begins; each call of `take` is a second later.
const BEGIN: u64 = 1_000_000_000;

/// A message, and what it is called here.
#[derive(Clone)]
struct Sent {
    name: String,
    octets: Vec<u8>,
}

/// Writes a message into a buffer that is large enough for all.
fn written(name: impl Into<String>, write: impl FnOnce(&mut [u8]) -> Result<usize, wire::Overflow>) -> Sent {
    let mut octets = vec![0xa5; bmp::MESSAGE_MAX];
    let len = write(&mut octets).expect("a megabyte");
    octets.truncate(len);
    Sent { name: name.into(), octets }
}

/// The nth peer of the global instance.
fn p(n: u8) -> PeerHeader {
    let mut header =
        PeerHeader { asn: (65000 + u32::from(n)).into(), bgp_id: [n; 4], ..PeerHeader::default() };
    header.address[12..].copy_from_slice(&[192, 0, 2, n]);
    header.seconds = 7.into();
    header
}

/// The nth peer of a VPN.
fn v(n: u8) -> PeerHeader {
    PeerHeader { kind: PeerKind::RD, distinguisher: [0, 0, 0xfb, 0xf4, 0, 0, 0, n], ..p(n) }
}

/// The table of the router itself.
fn loc() -> PeerHeader {
    PeerHeader { kind: PeerKind::LOC_RIB, address: [0; 16], ..p(9) }
}

/// The same peer, in another view.
fn view(header: PeerHeader, flags: u8) -> PeerHeader {
    PeerHeader { flags: PeerFlags(flags), ..header }
}

fn called(header: &PeerHeader) -> String {
    let flags = if header.flags.0 == 0 { String::new() } else { format!("/{:x}", header.flags.0) };
    match header.kind {
        PeerKind::GLOBAL => format!("p{}{flags}", header.address[15]),
        PeerKind::RD => format!("v{}{flags}", header.address[15]),
        PeerKind::LOC_RIB => format!("loc{flags}"),
        PeerKind(kind) => format!("kind {kind}{flags}"),
    }
}

/// An OPEN with these capabilities behind the usual one.
fn open(asn: u32, capabilities: &[(CapabilityKind, &[u8])]) -> Vec<u8> {
    let four = asn.to_be_bytes();
    let all: Vec<_> = [(CapabilityKind::FOUR_OCTET_AS, &four[..])]
        .iter()
        .chain(capabilities)
        .map(|(kind, value)| Capability { kind: *kind, value })
        .collect();
    let mut octets = vec![0; 4096];
    let len = bgp::write_open(&mut octets, asn, 90, [1; 4], &all).expect("a short one");
    octets.truncate(len);
    octets
}

/// ADD-PATH, both ways, of IPv4 or IPv6 unicast.
const PATHS_V4: (CapabilityKind, &[u8]) = (CapabilityKind::ADD_PATH, &[0, 1, 1, 3]);
const PATHS_V6: (CapabilityKind, &[u8]) = (CapabilityKind::ADD_PATH, &[0, 2, 1, 3]);

/// A Peer Up: from this port, with these capabilities, under this table name, with so much free text.
fn up_with(
    header: PeerHeader,
    port: u16,
    capabilities: &[(CapabilityKind, &[u8])],
    table: &str,
    text: usize,
) -> Sent {
    let [sent, received] = [65500, header.asn.get()].map(|asn| open(asn, capabilities));
    let pdus = [&sent, &received].map(|open| Pdu::split_whole(open).expect("an OPEN").0);
    let text = "x".repeat(text);
    let tlvs: Vec<_> = [(InformationKind::TABLE_NAME, table), (InformationKind::STRING, &*text)]
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(kind, value)| Tlv { kind: kind.0, value: value.as_bytes() })
        .collect();
    let paths = capabilities.iter().map(|(_, value)| format!(" paths {value:?}")).collect::<String>();
    let name = format!("{} up {port}{paths} {table}", called(&header));
    let opens = (pdus[0], pdus[1]);
    written(name.trim(), |to| bmp::peer_up(to, &header, &[5; 16], (port, 179), opens, &tlvs))
}

fn up(header: PeerHeader) -> Sent {
    up_with(header, 1, &[], "", 0)
}

fn down(header: PeerHeader, reason: DownReason) -> Sent {
    let name = format!("{} down {}", called(&header), reason.0);
    written(name, |to| bmp::peer_down(to, &header, reason, &[]))
}

/// An UPDATE of these fields; the attributes of RFC 4271 come in front of those given.
fn update(name: &str, header: PeerHeader, [withdrawn, more, nlri]: [&[u8]; 3], trailing: &[u8]) -> Sent {
    let length = |len: usize| u16::try_from(len).expect("a short field").to_be_bytes();
    let len = 23 + withdrawn.len() + more.len() + nlri.len();
    let pdu = [
        &[0xff; 16],
        &length(len)[..],
        &[2],
        &length(withdrawn.len()),
        withdrawn,
        &length(more.len()),
        more,
        nlri,
    ]
    .concat();
    let name = format!("{} {name}", called(&header));
    written(name, |to| bmp::route_monitoring(to, &header, &pdu, trailing))
}

/// ORIGIN and a MED, by which one announcement is told from another.
fn attributes(med: u8) -> Vec<u8> {
    [[0x40, 1, 1, 0].as_slice(), &[0x80, 4, 4, 0, 0, 0, med]].concat()
}

fn mp(kind: u8, family: Family, nlri: &[u8]) -> Vec<u8> {
    let [a, b] = family.afi.to_be_bytes();
    let next_hop: &[u8] = if kind == 14 { &[4, 192, 0, 2, 99, 0] } else { &[] };
    let value = [&[a, b, family.safi], next_hop, nlri].concat();
    [&[0x80, kind, u8::try_from(value.len()).expect("short")], &*value].concat()
}

/// The nth prefix: 10.n.0.0/16 or 2001:n00::/24.
fn prefix(family: Family, n: u8) -> Vec<u8> {
    if family == V4 { vec![16, 10, n] } else { vec![24, 0x20, 1, n] }
}

fn add(header: PeerHeader, n: u8, med: u8) -> Sent {
    update(&format!("+{n} med {med}"), header, [&[], &attributes(med), &prefix(V4, n)], &[])
}

fn add6(header: PeerHeader, n: u8, med: u8) -> Sent {
    let more = [mp(14, V6, &prefix(V6, n)), attributes(med)].concat();
    update(&format!("+v6 {n} med {med}"), header, [&[], &more, &[]], &[])
}

fn del(header: PeerHeader, n: u8) -> Sent {
    update(&format!("-{n}"), header, [&prefix(V4, n), &[], &[]], &[])
}

fn end(header: PeerHeader, family: Family) -> Sent {
    let name = format!("{} end {family}", called(&header));
    written(name, |to| bmp::route_monitoring_with(to, &header, |pdu| bgp::end_of_rib(pdu, family)))
}

fn stat(header: PeerHeader, value: u8) -> Sent {
    let stats = [Tlv { kind: 0, value: &[0, 0, 0, value] }];
    written(format!("{} stat {value}", called(&header)), |to| bmp::statistics(to, &header, &stats))
}

fn mirrored(header: PeerHeader, code: u16) -> Sent {
    let name = format!("{} mirrored {code}", called(&header));
    written(name, |to| bmp::route_mirroring(to, &header, &[code], None))
}

fn init(text: &str) -> Sent {
    let tlv = Tlv { kind: InformationKind::SYS_NAME.0, value: text.as_bytes() };
    written(format!("init {}", &text[..text.len().min(9)]), |to| bmp::initiation(to, &[tlv]))
}

/// A message of any type, whatever is in it.
fn raw(name: &str, kind: u8, header: Option<PeerHeader>, body: &[u8]) -> Sent {
    let mut octets = vec![3, 0, 0, 0, 0, kind];
    if let Some(header) = header {
        // An End-of-RIB with this header, of which the header is taken.
        octets.extend(&end(header, V4).octets[6..48]);
    }
    octets.extend(body);
    let len = u32::try_from(octets.len()).expect("short").to_be_bytes();
    octets[1..5].copy_from_slice(&len);
    Sent { name: name.to_owned(), octets }
}

/// The naive logs: all messages of a feed, and the latest word.
#[derive(Default)]
struct Twin {
    feeds: BTreeMap<FeedId, (Vec<Vec<u8>>, Option<Arc<Seen>>)>,
    /// What was opened and closed.
    story: Vec<String>,
}

impl Logs for Twin {
    fn open(&mut self, feed: FeedId) {
        self.story.push(format!("open {}", feed.0));
        assert!(self.feeds.insert(feed, (Vec::new(), None)).is_none(), "{feed:?} is open");
    }

    fn close(&mut self, feed: FeedId) {
        self.story.push(format!("close {}", feed.0));
        self.feeds.remove(&feed).expect("an open feed");
    }

    fn append(&mut self, feed: FeedId, message: &[u8]) {
        let (messages, seen) = self.feeds.get_mut(&feed).expect("an open feed");
        assert!(seen.is_some(), "nothing was said before the first message");
        messages.push(message.to_vec());
    }

    fn seen(&mut self, feed: FeedId, seen: &Arc<Seen>) {
        self.feeds.get_mut(&feed).expect("an open feed").1 = Some(seen.clone());
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

    /// A lane of the router ends.
    fn ended(&mut self, lane: Lane) {
        self.now.0 += 1_000_000;
        self.mirror.ended(self.now, self.router, lane, &mut self.logs);
    }

    /// What the log of a session's feed has that was not asked for before.
    fn heard(&mut self, id: SessionId) -> Vec<String> {
        let feed = self.mirror.feed(id);
        let messages = std::mem::take(&mut self.logs.feeds.get_mut(&feed).expect("an open feed").0);
        messages.iter().flat_map(|message| self.lines(message)).collect()
    }

    /// What somebody knows who read the log until now.
    fn seen(&self, id: SessionId) -> Arc<Seen> {
        self.logs.feeds[&self.mirror.feed(id)].1.clone().expect("something was said")
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
