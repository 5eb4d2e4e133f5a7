//! A router that lives: its peers come and go, its routes change, and it tells a server about it.
//!
//! ```text
//!                 dice                             ┌──► octets, by peer
//!                   │                              │
//!                   ▼                              │
//!  peers ──► one random event ──► peers, tables ───┤
//!                                                  │
//!                                                  └──► what a server must hold now
//! ```
//!
//! * **naive**    a table is a map from keys to routes; nothing is clever, so that it is plainly right.
//! * **seeded**   the same seed lives the same life.
//! * **whole**    what comes out is whole messages; the order counts within each peer.
//! * **growing**  a version is given to one UPDATE only, or to what repeats it while it still stands;
//!   the time in the per-peer headers grows too.
//! * **lawful**   except for peers that send routes without a Peer Up, and for a Peer Up of another
//!   session without a Peer Down before it. Both are known of routers in the field.

mod attributes;
mod life;
mod nlri;
mod peer;
mod routes;
mod update;

use std::collections::{BTreeMap, BTreeSet};

use crate::Rng;
use crate::station::{Family, PeerKey, Tables, View};
use crate::stream::bytes::{sized_with, tlv};

use peer::{Peer, State};

/// What kind of life it is.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Peers, of eight kinds in turn; at most 256.
    pub peers: usize,
    /// How many prefixes each family draws from; at most 65 536.
    pub prefixes: usize,
    /// So many sets of attributes in a hundred have a version.
    pub versioned: usize,
    /// So many of those have hundreds of communities.
    pub large: usize,
    /// In so many of a hundred steps a peer goes down, comes up, or is said to be up again.
    pub restless: usize,
}

impl Default for Shape {
    fn default() -> Self {
        Self { peers: 4, prefixes: 40, versioned: 70, large: 3, restless: 8 }
    }
}

/// Something that the router sends.
#[derive(Clone, Debug)]
pub struct Emission {
    /// The number of the peer it is about, or `None` if it is about the router itself.
    pub peer: Option<usize>,
    /// Whole messages, one or a few.
    pub bytes: Vec<u8>,
    /// The first message is a Peer Up of another session than the one that is up: a server must take
    /// it as a Peer Down as well.
    pub implicit_down: bool,
}

/// See the top of this module.
pub struct Router {
    name: String,
    world: World,
    peers: Vec<Peer>,
    connected: bool,
}

/// What peers share.
struct World {
    rng: Rng,
    shape: Shape,
    version: u64,
    /// Microseconds.
    clock: u64,
}

impl World {
    fn next_version(&mut self) -> u64 {
        // Not all below the point where the high half begins to count.
        self.version += if self.rng.percent(2) { 1 << 31 } else { 1 };
        self.version
    }

    /// Seconds and microseconds, later than ever before.
    fn now(&mut self) -> [u8; 8] {
        self.clock += 1 + u64::from(self.rng.u32() % 100_000);
        let [seconds, micros] =
            [self.clock / 1_000_000, self.clock % 1_000_000].map(|n| u32::try_from(n).unwrap_or(u32::MAX));
        [seconds.to_be_bytes(), micros.to_be_bytes()].concat().try_into().expect("eight octets")
    }
}

impl Router {
    /// A router that is not connected yet, with most of its peers up.
    #[must_use]
    pub fn new(seed: u64, shape: Shape) -> Self {
        let rng = Rng::new(seed, 20);
        let mut world = World { rng, shape, version: 0, clock: 1_750_000_000_000_000 };
        let first = world.rng.below(peer::KINDS);
        let mut peers: Vec<_> = (0..shape.peers).map(|n| Peer::new(first + n, n)).collect();
        for peer in &mut peers {
            if matches!(peer.state, State::Down) && world.rng.percent(80) {
                peer.up(&mut world);
            }
        }
        let mut router = Self { name: format!("router-{seed}"), world, peers, connected: false };
        router.forget_what_was_sent();
        router
    }

    /// The name in its Initiation.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A connection begins: who it is, who is up, all routes with new versions, and that this is all.
    pub fn connect(&mut self) -> Vec<Emission> {
        self.connected = true;
        self.forget_what_was_sent();
        let mut emissions = vec![emission(None, self.initiation())];
        // All Peer Ups first or each before its routes: both are common.
        let together = self.world.rng.percent(50);
        let mut dumps = Vec::new();
        for (n, peer) in self.peers.iter_mut().enumerate() {
            let greeting = peer.greet(&mut self.world);
            emissions.extend(greeting.map(|bytes| emission(Some(n), bytes)));
            let dump = peer.dump(&mut self.world).into_iter().map(|bytes| emission(Some(n), bytes));
            if together { dumps.extend(dump) } else { emissions.extend(dump) }
        }
        emissions.extend(dumps);
        emissions
    }

    /// One random event. Without a connection it happens all the same and nobody hears of it.
    pub fn step(&mut self) -> Vec<Emission> {
        // Who is down has little to say: then somebody else.
        let emissions = (0..10).map(|_| self.event()).find(|emissions| !emissions.is_empty());
        if self.connected {
            return emissions.unwrap_or_default();
        }
        self.forget_what_was_sent();
        Vec::new()
    }

    fn event(&mut self) -> Vec<Emission> {
        let restless = self.world.rng.percent(self.world.shape.restless);
        if !restless && self.world.rng.percent(2) {
            let bytes = if self.world.rng.percent(30) { self.initiation() } else { self.unknown_type() };
            return vec![emission(None, bytes)];
        }
        let n = self.world.rng.below(self.peers.len());
        let (world, peer) = (&mut self.world, &mut self.peers[n]);
        let (bytes, implicit_down) = if restless { peer.live(world) } else { (peer.speak(world), false) };
        if bytes.is_empty() { Vec::new() } else { vec![Emission { peer: Some(n), bytes, implicit_down }] }
    }

    /// The connection is lost: a server forgets all that was sent on it.
    pub fn disconnect(&mut self) {
        self.connected = false;
        self.forget_what_was_sent();
    }

    fn forget_what_was_sent(&mut self) {
        self.peers.iter_mut().for_each(Peer::forget_what_was_sent);
    }

    /// What a server must hold now that has heard all of this connection.
    #[must_use]
    pub fn tables(&self) -> Tables {
        let peers = self.peers.iter().filter(|_| self.connected);
        peers
            .flat_map(|peer| peer.table.iter().map(|(key, held)| (key.clone(), held.route.clone())))
            .collect()
    }

    /// The peers that may send routes without a Peer Up.
    #[must_use]
    pub fn provisional(&self) -> Vec<PeerKey> {
        self.peers.iter().filter(|peer| peer.kind.provisional).map(|peer| peer.key).collect()
    }

    /// The latest body of a Statistics Report of each peer that is up, by the flags of its header.
    #[must_use]
    pub fn statistics(&self) -> BTreeMap<(PeerKey, u8), Vec<u8>> {
        let all = self
            .peers
            .iter()
            .flat_map(|peer| peer.statistics.iter().map(|(flags, body)| ((peer.key, *flags), body.clone())));
        all.collect()
    }

    /// The End-of-RIBs of each peer that is up, since its Peer Up.
    #[must_use]
    pub fn end_of_ribs(&self) -> BTreeSet<(PeerKey, View, Family)> {
        let all = self
            .peers
            .iter()
            .flat_map(|peer| peer.end_of_ribs.iter().map(|(view, family)| (peer.key, *view, *family)));
        all.collect()
    }

    fn initiation(&mut self) -> Vec<u8> {
        let more = self.world.rng.percent(30);
        let name = self.name.clone();
        bare(4, |out| {
            tlv(out, 1, b"a router that lives");
            tlv(out, 2, name.as_bytes());
            if more {
                tlv(out, 0, b"instance=default");
            }
        })
    }

    /// A type in no registry, and without a per-peer header.
    fn unknown_type(&mut self) -> Vec<u8> {
        let body = self.world.rng.octets::<64>();
        let len = self.world.rng.below(64);
        bare(100, |out| out.extend(&body[..len]))
    }
}

fn emission(peer: Option<usize>, bytes: Vec<u8>) -> Emission {
    Emission { peer, bytes, implicit_down: false }
}

/// A message without a per-peer header.
fn bare(kind: u8, body: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = vec![3];
    sized_with::<4>(&mut out, 5, |out| {
        out.push(kind);
        body(out);
    });
    out
}
