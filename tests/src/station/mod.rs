//! A monitoring server that trusts nobody.
//!
//! ```text
//!  octets, cut anywhere ──► messages ──► rules ──► tables
//!                                          │
//!                                          └──► the first rule that was broken, and where
//! ```
//!
//! * **greeted**   the first message of a connection is an Initiation; nothing follows a Termination.
//! * **in order**  a peer speaks between its Peer Up and its Peer Down. Who may speak without a Peer
//!   Up, and go down at any time, is named to [`Station::tolerate`] beforehand.
//! * **one life**  a Peer Up of a peer that is up is of the same session, and adds to what its OPENs
//!   say; another session begins behind a Peer Down.
//! * **exact**     lengths fill what holds them: messages, UPDATEs, attributes, NLRI.
//! * **forward**   the version of a route never falls, and after a withdrawal or a Peer Down it
//!   rises. A version is the large community `4294901760:high:low`, a number that only grows on each
//!   router; UPDATEs without one are not held to this. A connection may end, the versions stay.
//!
//! It is written from the RFCs and shares no line with what it judges.

mod nlri;
mod octets;
mod rules;
mod session;
mod tables;
mod update;

use std::collections::{BTreeMap, BTreeSet};

pub use tables::{Family, PeerKey, Route, RouteKey, Tables, View, difference};

use octets::Octets;
use session::Session;

/// A message is no longer than this: the largest Route Monitoring has 65 583 octets.
const LENGTH_MAX: usize = 1 << 20;

/// One connection after the other, from one router or from who stands in for it.
#[derive(Default)]
pub struct Station {
    tolerated: BTreeSet<PeerKey>,
    told_again: bool,
    newest: BTreeMap<RouteKey, Newest>,
    tally: Tally,
    messages_lost: usize,
    /// Everything else is of this connection.
    now: Connection,
}

#[derive(Default)]
struct Connection {
    partial: Vec<u8>,
    /// Messages and octets that were read.
    messages: usize,
    octets: usize,
    /// Messages by type.
    kinds: BTreeMap<u8, u64>,
    broken: Option<String>,
    terminated: Option<u16>,
    peers: BTreeMap<PeerKey, Peer>,
    tables: Tables,
    end_of_ribs: BTreeSet<(PeerKey, View, Family)>,
    statistics: BTreeMap<(PeerKey, u8), Vec<u8>>,
}

enum Peer {
    Up(Session),
    /// It has spoken without a Peer Up, and may.
    Provisional,
    Down,
}

/// The newest version of a route, and whether it was withdrawn since, in this connection.
struct Newest {
    version: u64,
    gone: bool,
}

/// What has come, over all connections.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Tally {
    /// Messages by type.
    pub messages: BTreeMap<u8, usize>,
    /// Route Monitoring messages, End-of-RIBs included.
    pub updates: usize,
    /// End-of-RIBs.
    pub end_of_ribs: usize,
    /// Routes announced.
    pub announced: usize,
    /// Routes withdrawn.
    pub withdrawn: usize,
    /// Those of them that were not there.
    pub withdrawn_absent: usize,
    /// UPDATEs with a family that a station does not understand.
    pub untold: usize,
}

impl Station {
    /// A station that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// This peer may send routes without a Peer Up, on this and on every later connection.
    pub fn tolerate(&mut self, peer: PeerKey) {
        self.tolerated.insert(peer);
    }

    /// A peer that is as it was may be said to go down and come up, to be told again: after a Peer Down
    /// a route may be what it was before.
    pub fn tell_again(&mut self) {
        self.told_again = true;
    }

    /// What has come on the wire, cut anywhere.
    ///
    /// # Errors
    ///
    /// The first rule that is broken, with the number of the message, the octet of the connection at
    /// which it starts, and its peer. From then on the answer to everything is the same.
    pub fn take(&mut self, bytes: &[u8]) -> Result<(), String> {
        if let Some(broken) = &self.now.broken {
            return Err(broken.clone());
        }
        let mut held = std::mem::take(&mut self.now.partial);
        held.extend(bytes);
        let taken = self.read(&mut held);
        self.now.partial = held;
        self.now.broken = taken.as_ref().err().cloned();
        taken
    }

    /// Reads whole messages and leaves the rest.
    fn read(&mut self, held: &mut Vec<u8>) -> Result<(), String> {
        let mut rest = &held[..];
        let read = loop {
            match self.message(rest) {
                Ok(0) => break Ok(()),
                Ok(len) => {
                    rest = &rest[len..];
                    self.now.messages += 1;
                    self.now.octets += len;
                }
                Err(text) => {
                    let Connection { messages, octets, .. } = self.now;
                    break Err(format!("message {} at octet {octets}: {text}", messages + 1));
                }
            }
        };
        let read_octets = held.len() - rest.len();
        held.drain(..read_octets);
        read
    }

    /// Reads a message and tells its length, or 0 while it is not complete.
    fn message(&mut self, bytes: &[u8]) -> Result<usize, String> {
        let Some(&version) = bytes.first() else { return Ok(0) };
        if self.now.terminated.is_some() {
            return Err("octets behind a Termination".to_owned());
        }
        if version != 3 {
            return Err(format!("version {version}, expected 3"));
        }
        let Some((&[_, a, b, c, d, kind], _)) = bytes.split_first_chunk() else { return Ok(0) };
        let len = u32::from_be_bytes([a, b, c, d]);
        let has_peer = matches!(kind, 0..=3 | 6);
        let shortest = if has_peer { 48 } else { 6 };
        let len = usize::try_from(len).ok().filter(|len| (shortest..=LENGTH_MAX).contains(len));
        let Some(len) = len else {
            let len = u32::from_be_bytes([a, b, c, d]);
            return Err(format!("length {len} of type {kind}, expected {shortest}..={LENGTH_MAX}"));
        };
        let Some(mut body) = bytes.get(..len).map(Octets::new) else { return Ok(0) };
        body.take(6, "common header")?;
        self.apply(kind, body)?;
        *self.tally.messages.entry(kind).or_default() += 1;
        *self.now.kinds.entry(kind).or_default() += 1;
        Ok(len)
    }

    /// What the peers hold that are up, or that may speak without being so.
    #[must_use]
    pub fn tables(&self) -> &Tables {
        &self.now.tables
    }

    /// Whether a message has begun and not ended.
    #[must_use]
    pub fn mid_message(&self) -> bool {
        !self.now.partial.is_empty()
    }

    /// The connection is gone, and with it all but the versions, the tally and who is tolerated.
    pub fn reconnect(&mut self) {
        self.now = Connection::default();
        self.newest.values_mut().for_each(|newest| newest.gone = false);
    }

    /// What has come over this connection: messages by type.
    #[must_use]
    pub fn heard(&self) -> &BTreeMap<u8, u64> {
        &self.now.kinds
    }

    /// What has come so far.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The End-of-RIBs of each peer since its Peer Up.
    #[must_use]
    pub fn end_of_ribs(&self) -> &BTreeSet<(PeerKey, View, Family)> {
        &self.now.end_of_ribs
    }

    /// The reason of the Termination that has come.
    #[must_use]
    pub fn terminated(&self) -> Option<u16> {
        self.now.terminated
    }

    /// The latest body of a Statistics Report of each peer, by the flags of its header.
    #[must_use]
    pub fn statistics(&self) -> &BTreeMap<(PeerKey, u8), Vec<u8>> {
        &self.now.statistics
    }

    /// How often a Route Mirroring message said that messages were lost.
    #[must_use]
    pub fn messages_lost(&self) -> usize {
        self.messages_lost
    }
}
