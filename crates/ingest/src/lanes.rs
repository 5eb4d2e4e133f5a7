//! Which peer of a router has which lane.
//!
//! ```text
//!   lane 0   what the router says about itself      opened first
//!   lane 1…  a peer each, as they are first heard of
//!   full     no lane is to be had: peers heard of later share those there are, by a hash
//! ```
//!
//! * **one lane** a peer's messages go through one lane, as long as the connection stands: a peer that shares will
//!   share, also when there is room for a lane again.
//! * **of whom**  a lane's first record says whose it is.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt};
use queue::ring::{Full, Gate, Inlet, OpenError};
use wire::bmp::PeerIdentity;

use crate::Record;

/// Lanes of a connection, at most. Beyond it peers share.
pub const LANES_MAX: usize = 256;

/// Records that wait in one lane, at most. Of a router whose peers alternate each message is a record, and a full
/// lane is tried again a millisecond later: so many keep the mirror busy meanwhile.
pub const LANE_RECORDS: usize = 512;

/// The lanes of one connection.
pub(crate) struct Lanes {
    gate: Arc<Gate<Record>>,
    router: Arc<str>,
    connection: u64,
    inlets: Vec<Inlet<Record>>,
    places: HashMap<PeerIdentity, usize>,
    /// The last one asked for.
    last: (Option<PeerIdentity>, usize),
    /// Why no more are opened.
    full: Option<OpenError>,
}

impl Lanes {
    /// Opens lane 0.
    pub(crate) fn open(
        gate: Arc<Gate<Record>>,
        router: Arc<str>,
        connection: u64,
    ) -> Result<Self, OpenError> {
        let (inlets, places) = (Vec::new(), HashMap::new());
        let mut lanes = Self { gate, router, connection, inlets, places, last: (None, 0), full: None };
        lanes.add()?;
        Ok(lanes)
    }

    /// The lane of a peer, or of the router itself.
    #[inline]
    pub(crate) fn place(&mut self, peer: Option<PeerIdentity>) -> usize {
        let Some(peer) = peer else { return 0 };
        if self.last.0 != Some(peer) {
            self.last = (Some(peer), self.find(peer));
        }
        self.last.1
    }

    fn find(&mut self, peer: PeerIdentity) -> usize {
        if let Some(&place) = self.places.get(&peer) {
            return place;
        }
        if self.full.is_none() {
            match self.add() {
                Ok(place) => {
                    self.places.insert(peer, place);
                    return place;
                }
                Err(error) => self.full = Some(error),
            }
        }
        self.shared(peer)
    }

    /// The lane of a peer that has none of its own.
    fn shared(&self, peer: PeerIdentity) -> usize {
        let others = (self.inlets.len() - 1) as u64;
        if others == 0 {
            return 0;
        }
        // Always the same: it has no key.
        let mut hasher = DefaultHasher::new();
        peer.hash(&mut hasher);
        1 + usize::try_from(hasher.finish() % others).expect("less than there are lanes")
    }

    fn add(&mut self) -> Result<usize, OpenError> {
        if self.inlets.len() >= LANES_MAX {
            return Err(OpenError::Lanes(LANES_MAX));
        }
        let mut inlet = self.gate.open(LANE_RECORDS)?;
        let of = Record::Of { router: self.router.clone(), connection: self.connection };
        inlet.push(of).expect("a new lane has room");
        self.inlets.push(inlet);
        Ok(self.inlets.len() - 1)
    }

    /// Pushes into a lane.
    #[inline]
    pub(crate) fn push(&mut self, place: usize, record: Record) -> Result<(), Full<Record>> {
        self.inlets[place].push(record)
    }

    /// Whether nobody drains them any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.inlets[0].is_closed()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.inlets.len()
    }

    /// Why peers share lanes, if they do.
    pub(crate) fn full(&self) -> Option<OpenError> {
        self.full
    }
}

impl fmt::Debug for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lanes({}, {} of {})", self.router, self.inlets.len(), self.connection)
    }
}

#[cfg(test)]
mod tests {
    use queue::ring::{Event, Settings, intake};
    use wire::bmp::PeerKind;

    use super::*;

    fn peer(n: u16) -> Option<PeerIdentity> {
        let mut address = [0; 16];
        address[14..].copy_from_slice(&n.to_be_bytes());
        Some(PeerIdentity { kind: PeerKind::GLOBAL, distinguisher: [0; 8], address })
    }

    #[test]
    fn a_peer_keeps_its_lane_and_those_beyond_the_limit_share() {
        for (lanes_max, own) in [(10_000, LANES_MAX), (7, 7), (1, 1)] {
            let (gate, mut intake) = intake::<Record>(Settings { lanes_max, quantum: 1024 }, || {});
            let mut lanes = Lanes::open(Arc::new(gate), Arc::from("rr1"), 9).unwrap();
            let first: Vec<usize> = (0..1000).map(|n| lanes.place(peer(n))).collect();
            assert_eq!(lanes.len(), own, "{lanes_max}");
            let again: Vec<usize> = (0..1000).rev().map(|n| lanes.place(peer(n))).collect();
            assert!(first.iter().eq(again.iter().rev()), "{lanes_max}");
            assert_eq!(lanes.place(None), 0);
            for (n, &place) in first.iter().enumerate() {
                let expected = if n + 1 < own { n + 1 } else { place };
                assert_eq!(place, expected, "peer {n} of {lanes_max}");
                assert!(own == 1 || (1..own).contains(&place), "peer {n} of {lanes_max}");
            }
            let mut used = first[own - 1..].to_vec();
            used.sort_unstable();
            used.dedup();
            assert!(used.len() > (own - 1) / 2, "{} lanes are shared, of {own}", used.len());
            let mut opened = 0;
            intake.drain(usize::MAX, |_, event| match event {
                Event::Opened => opened += 1,
                Event::Value(Record::Of { router, connection }) => {
                    assert_eq!((&*router, connection), ("rr1", 9));
                }
                other => panic!("{other:?}"),
            });
            assert_eq!(opened, own);
        }
    }
}
