//! What one connection amounts to: counts, tables, and the rules it broke.
//!
//! ```text
//!  octets, cut anywhere ──► messages ──► rules ──► peers ──► tables
//!       Discard stops here ┘        └ Count stops here
//! ```
//!
//! * **pure**     octets come in as arguments; no socket, no clock.
//! * **goes on**  a broken rule is noted, and the message then does what it can: only octets that are no BMP
//!   end a hearing. An UPDATE is applied whole or not at all.
//! * **bounded**  but for tables: one message that has begun, [`PEERS_MAX`] peers, and
//!   [`VIOLATIONS_MAX`](crate::VIOLATIONS_MAX) violations.

mod lives;
mod peer;
mod routes;

use std::collections::HashMap;

use foldhash::fast::RandomState;
use wire::bgp::View;
use wire::bmp::{Frame, Kind, Message, PeerHeader, PeerIdentity, TerminationReason};
use wire::{Error, Family, bmp};

use crate::digest::Digest;
use crate::pool::Pool;
use crate::rules::{Demands, Rule, Violations};
use crate::table::Table;

use peer::{Peer, State};

/// Peers of one connection, those that are down included.
pub const PEERS_MAX: usize = 1 << 16;
/// Octets kept for the messages that a connection is cut inside of; what a longer one needed is given back.
const PARTIAL_KEPT: usize = 4096;

/// How much a station does with what it reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Everything.
    Tables,
    /// Messages are counted, and not read.
    Count,
    /// Octets are counted, and not even copied.
    Discard,
}

impl Mode {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tables => "tables",
            Self::Count => "count",
            Self::Discard => "discard",
        }
    }
}

/// What has been counted. Routes stay 0 unless tables are kept.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counts {
    /// Octets, of whole messages and others.
    pub octets: u64,
    /// Whole messages.
    pub messages: u64,
    /// The same by type; the last place is for all types that nobody knows.
    pub kinds: [u64; 8],
    /// Routes announced.
    pub announced: u64,
    /// Routes withdrawn.
    pub withdrawn: u64,
    /// Those of them that were not there.
    pub withdrawn_absent: u64,
    /// End-of-RIBs.
    pub end_of_ribs: u64,
    /// UPDATEs with a family or a type of peer that cannot be taken apart: no table has them.
    pub untold: u64,
    /// Route Mirroring messages that say that messages were lost.
    pub messages_lost: u64,
    /// Paths held.
    pub paths: u64,
    /// Announcements left out because there was no room.
    pub paths_left_out: u64,
}

/// One connection, from its first octet to its last.
pub struct Hearing {
    mode: Mode,
    demands: Demands,
    pool: Pool,
    /// The beginning of a message.
    partial: Vec<u8>,
    /// Octets of all messages before this one.
    at: u64,
    counts: Counts,
    router: Option<String>,
    greeted: bool,
    terminated: Option<u16>,
    broken: bool,
    peers: HashMap<PeerIdentity, Peer, RandomState>,
    violations: Violations,
    scratch: routes::Scratch,
}

impl Hearing {
    /// A connection on which nothing has come.
    #[must_use]
    pub fn new(mode: Mode, demands: Demands, pool: Pool) -> Self {
        Self {
            mode,
            demands,
            pool,
            partial: Vec::new(),
            at: 0,
            counts: Counts::default(),
            router: None,
            greeted: false,
            terminated: None,
            broken: false,
            peers: HashMap::default(),
            violations: Violations::default(),
            scratch: routes::Scratch::default(),
        }
    }

    /// Octets that nobody has looked at.
    pub fn pass(&mut self, octets: usize) {
        self.counts.octets += octets as u64;
    }

    /// What has come, cut anywhere.
    pub fn take(&mut self, mut bytes: &[u8]) {
        self.pass(bytes.len());
        if self.mode == Mode::Discard {
            return;
        }
        // The message that has begun is completed and no more than that: all others are read in place.
        while !self.partial.is_empty() && !bytes.is_empty() && !self.broken {
            let want = wanted(&self.partial).saturating_sub(self.partial.len()).clamp(1, bytes.len());
            let (piece, rest) = bytes.split_at(want);
            bytes = rest;
            let mut held = std::mem::take(&mut self.partial);
            held.extend(piece);
            let read = self.frames(&held);
            held.drain(..read);
            held.shrink_to(if held.is_empty() { PARTIAL_KEPT } else { usize::MAX });
            self.partial = held;
        }
        let read = self.frames(bytes);
        if !self.broken {
            self.partial.extend(&bytes[read..]);
        }
    }

    /// The connection is over.
    pub fn end(&mut self) {
        if !self.partial.is_empty() {
            let (len, want) = (self.partial.len(), wanted(&self.partial));
            self.breach(Rule::WholeMessages, 1, || format!("the end, {len} octets into a message of {want}"));
        }
    }

    /// Reads whole messages, and says how many octets those were.
    fn frames(&mut self, bytes: &[u8]) -> usize {
        let mut rest = bytes;
        while !self.broken {
            match Frame::split(rest) {
                Ok(Some((frame, tail))) => {
                    self.message(&frame);
                    rest = tail;
                }
                Ok(None) => break,
                Err(error) => {
                    self.breach(Rule::Framing, 1, || error.to_string());
                    self.broken = true;
                }
            }
        }
        bytes.len() - rest.len()
    }

    fn message(&mut self, frame: &Frame<'_>) {
        self.counts.messages += 1;
        self.counts.kinds[usize::from(frame.kind().0.min(7))] += 1;
        if self.terminated.is_some() {
            self.breach(Rule::AfterTermination, 0, || frame.kind().to_string());
        }
        if !self.greeted && frame.kind() != Kind::INITIATION {
            self.breach(Rule::InitiationFirst, 0, || frame.kind().to_string());
        }
        self.greeted = true;
        let has_peer = frame.kind().has_peer();
        if (!has_peer || self.mode == Mode::Tables)
            && let Err(error) = self.read(frame)
        {
            self.breach(Rule::Malformed, 0, || match frame.peer() {
                Some(peer) => format!("{} {peer}: {error}", frame.kind()),
                None => format!("{}: {error}", frame.kind()),
            });
        }
        self.at += frame.bytes().len() as u64;
    }

    fn read(&mut self, frame: &Frame<'_>) -> Result<(), Error> {
        if let Some(monitoring) = frame.route_monitoring()? {
            return self.route_monitoring(&monitoring);
        }
        match frame.message()? {
            Message::Initiation(tlvs) => self.initiation(tlvs),
            Message::Termination(tlvs) => {
                self.terminated = Some(TerminationReason::of(tlvs).map_or(0, |reason| reason.0));
            }
            Message::PeerUp(up) => return self.peer_up(&up),
            Message::PeerDown(down) => return self.peer_down(&down),
            Message::Statistics(statistics) => {
                self.speaks(statistics.peer);
            }
            Message::RouteMirroring(mirroring) => self.route_mirroring(&mirroring),
            // Unknown to everybody: only counted.
            Message::RouteMonitoring(_) | Message::Unknown(_) => {}
        }
        Ok(())
    }

    /// Notes that a rule was broken, by this message or by the one that is `ahead`.
    pub(super) fn breach(&mut self, rule: Rule, ahead: u64, text: impl FnOnce() -> String) {
        self.violations.note(&self.demands, rule, (self.counts.messages + ahead, self.at), text);
    }

    /// What has been counted.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The rules that were broken.
    #[must_use]
    pub fn violations(&self) -> &Violations {
        &self.violations
    }

    /// Its sysName.
    #[must_use]
    pub fn router(&self) -> Option<&str> {
        self.router.as_deref()
    }

    /// The reason of the Termination that has come.
    #[must_use]
    pub fn terminated(&self) -> Option<u16> {
        self.terminated
    }

    /// Whether it is of no use to read on: what comes is no BMP.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// Whether a message has begun and not ended.
    #[must_use]
    pub fn is_mid_message(&self) -> bool {
        !self.partial.is_empty()
    }

    /// Peers that are up.
    #[must_use]
    pub fn peers_up(&self) -> usize {
        self.peers.values().filter(|peer| matches!(peer.state, State::Up(_))).count()
    }

    /// All peers, those that are down included.
    #[must_use]
    pub fn peers_known(&self) -> usize {
        self.peers.len()
    }

    /// The tables, in the order of their peers, views and families.
    #[must_use]
    pub fn tables<'a>(&'a self) -> Vec<(&'a PeerHeader, View, Family, &'a Table)> {
        let of = |peer: &'a Peer| {
            peer.tables.iter().map(|(view, family, table)| (&peer.header, *view, *family, table))
        };
        let mut tables: Vec<_> = self.peers.values().flat_map(of).collect();
        tables.sort_by_key(|(peer, view, family, _)| (peer.identity(), *view, *family));
        tables
    }

    /// The digest over all tables that have paths.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let rows = self.tables();
        all_of(
            rows.iter().map(|(peer, view, family, table)| (peer.identity(), *view, *family, table.digest())),
        )
    }
}

/// The digest over tables; those without paths, whose digest is 0, leave no trace in it.
pub fn all_of(tables: impl Iterator<Item = (PeerIdentity, View, Family, Digest)>) -> Digest {
    let mut sum = Digest::default();
    for (peer, view, family, digest) in tables.filter(|(.., digest)| *digest != Digest::default()) {
        let mut octets = vec![peer.kind.0];
        octets.extend(peer.distinguisher);
        octets.extend(peer.address);
        octets.push(View::ALL.iter().position(|of| *of == view).map_or(u8::MAX, |at| at.to_le_bytes()[0]));
        octets.extend(family.afi.to_be_bytes());
        octets.push(family.safi);
        octets.extend(digest.0.to_be_bytes());
        sum += Digest::of(&octets);
    }
    sum
}

impl Drop for Hearing {
    fn drop(&mut self) {
        self.pool.remove_paths(usize::try_from(self.counts.paths).unwrap_or_default());
    }
}

/// How long the message that begins like this is, as far as that is known.
fn wanted(partial: &[u8]) -> usize {
    match partial.first_chunk::<{ bmp::HEADER_LEN }>() {
        Some(&[_, a, b, c, d, _]) => (u32::from_be_bytes([a, b, c, d]) as usize).min(bmp::MESSAGE_MAX),
        None => bmp::HEADER_LEN,
    }
}
