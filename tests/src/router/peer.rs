//! A peer of a router: what kind it is, whether it is up, and what its Peer Up says.

use std::collections::{BTreeMap, BTreeSet};

use super::nlri::FAMILIES;
use super::routes::Held;
use super::{World, bare};
use crate::station::{Family, PeerKey, RouteKey, View};
use crate::stream::bytes::{sized, tlv};
use crate::stream::pdu;

pub(super) const V: u8 = 0x80;
pub(super) const L: u8 = 0x40;
pub(super) const A: u8 = 0x20;
pub(super) const O: u8 = 0x10;

/// What does not change over the life of a peer.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    /// Peer type.
    pub(super) code: u8,
    /// V, or F of a Loc-RIB.
    pub(super) flags: u8,
    /// L and O of each view.
    pub(super) views: &'static [u8],
    pub(super) families: &'static [Family],
    /// Its speaker knows AS numbers of two octets only, RFC 6793.
    pub(super) legacy: bool,
    /// The L and O of a view, in which a TLV stands behind some PDUs.
    pub(super) trailing: Option<u8>,
    /// It sends routes without a Peer Up.
    pub(super) provisional: bool,
}

const PLAIN: Kind = Kind {
    code: 0,
    flags: 0,
    views: &[0],
    families: &FAMILIES,
    legacy: false,
    trailing: None,
    provisional: false,
};

pub(super) const KINDS: usize = 8;

const TABLE: [Kind; KINDS] = [
    PLAIN,
    Kind { flags: V, views: &[0, L], ..PLAIN },
    Kind { code: 3, flags: V, trailing: Some(0), ..PLAIN },
    Kind { code: 1, views: &[0, O | L], trailing: Some(O | L), ..PLAIN },
    Kind { legacy: true, families: &[(1, 1), (1, 2), (1, 4)], ..PLAIN },
    Kind { code: 1, views: &[L], families: &[(1, 128), (2, 128)], provisional: true, ..PLAIN },
    Kind { views: &[0, L, O, O | L], trailing: Some(L), ..PLAIN },
    Kind { code: 3, ..PLAIN },
];

pub(super) struct Peer {
    pub(super) key: PeerKey,
    pub(super) kind: Kind,
    asn: u32,
    bgp_id: [u8; 4],
    pub(super) state: State,
    pub(super) table: BTreeMap<RouteKey, Held>,
    /// Of this connection and since the Peer Up.
    pub(super) statistics: BTreeMap<u8, Vec<u8>>,
    pub(super) end_of_ribs: BTreeSet<(View, Family)>,
    /// Whether this connection has heard of it.
    pub(super) known: bool,
}

pub(super) enum State {
    Up(Session),
    /// It has routes and never had a Peer Up.
    Provisional,
    Down,
}

#[derive(Clone)]
pub(super) struct Session {
    since: [u8; 8],
    ports: [u8; 4],
    pub(super) families: Vec<Negotiated>,
    extended_message: bool,
}

/// A family with the modes of ADD-PATH in the sent and in the received OPEN, 0 if it is not named.
#[derive(Clone, Copy)]
pub(super) struct Negotiated {
    pub(super) family: Family,
    sent: u8,
    received: u8,
}

const ROUTER_AS: u32 = 4_200_000_001;
const ROUTER_ID: [u8; 4] = [203, 0, 113, 9];

impl Peer {
    /// The n-th peer of a router; its kind is a row of the table.
    pub(super) fn new(row: usize, n: usize) -> Self {
        let kind = TABLE[row % KINDS];
        let n = u8::try_from(n).expect("at most 256 peers");
        let loc_rib = kind.code == 3;
        // One Loc-RIB is that of the default instance, which has no distinguisher.
        let global = kind.code == 0 || (loc_rib && kind.flags != 0 && usize::from(n) < KINDS);
        let distinguisher = if global { [0; 8] } else { [0, 0, 0xfd, 0xe9, 0, 0, 0, n] };
        let mut address = [0; 16];
        match (loc_rib, kind.flags & V != 0) {
            (true, _) => {}
            (_, true) => address = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, n],
            (_, false) => address[12..].copy_from_slice(&[192, 0, 2, n]),
        }
        let bgp_id = if loc_rib { ROUTER_ID } else { [198, 51, 100, n] };
        let asn = match loc_rib {
            true => ROUTER_AS,
            false if kind.legacy || n.is_multiple_of(2) => 65_000 + u32::from(n),
            false => 4_200_000_100 + u32::from(n),
        };
        Self {
            key: PeerKey { kind: kind.code, distinguisher, address },
            kind,
            asn,
            bgp_id,
            state: if kind.provisional { State::Provisional } else { State::Down },
            table: BTreeMap::new(),
            statistics: BTreeMap::new(),
            end_of_ribs: BTreeSet::new(),
            known: false,
        }
    }

    /// The families of which it may send routes now.
    pub(super) fn families(&self) -> Vec<Family> {
        match &self.state {
            State::Up(session) => session.families.iter().map(|negotiated| negotiated.family).collect(),
            State::Provisional => self.kind.families.to_vec(),
            State::Down => Vec::new(),
        }
    }

    /// The longest UPDATE, RFC 8654 §4.
    pub(super) fn longest(&self) -> usize {
        match &self.state {
            State::Up(Session { extended_message: true, .. }) => 65_535,
            _ => 4096,
        }
    }

    pub(super) fn has_path_ids(&self, view: View, family: Family) -> bool {
        let State::Up(session) = &self.state else { return false };
        let Some(row) = session.families.iter().find(|row| row.family == family) else { return false };
        match view {
            View::LocRib => row.sent != 0,
            View::PreIn | View::PostIn => matches!((row.sent, row.received), (1 | 3, 2 | 3)),
            View::PreOut | View::PostOut => matches!((row.sent, row.received), (2 | 3, 1 | 3)),
        }
    }

    /// A session with what its OPENs agree on drawn anew.
    pub(super) fn session(&self, world: &mut World) -> Session {
        let families: Vec<_> = self
            .kind
            .families
            .iter()
            .filter(|family| world.rng.percent(if **family == (1, 1) { 90 } else { 50 }))
            .copied()
            .collect();
        let since = world.now();
        let ports = if self.kind.code == 3 {
            [0; 4]
        } else {
            let [a, b] = world.rng.octets();
            [0, 179, a | 0x80, b]
        };
        let families = families.into_iter().map(|family| self.negotiated(world, family)).collect();
        Session { since, ports, families, extended_message: world.rng.percent(30) }
    }

    fn negotiated(&self, world: &mut World, family: Family) -> Negotiated {
        let [sent, received] = [(); 2].map(|()| world.rng.pick(&[0, 0, 1, 2, 3, 3, 3]));
        // A Loc-RIB has one OPEN twice.
        Negotiated { family, sent, received: if self.kind.code == 3 { sent } else { received } }
    }

    /// A family that the session does not have yet, if there is one.
    pub(super) fn another_family(&self, world: &mut World) -> Option<Negotiated> {
        let has = self.families();
        let lacks: Vec<_> =
            self.kind.families.iter().filter(|family| !has.contains(family)).copied().collect();
        if lacks.is_empty() {
            return None;
        }
        let family = world.rng.pick(&lacks);
        Some(self.negotiated(world, family))
    }

    /// A Peer Up whose OPENs name these families.
    pub(super) fn peer_up(&self, world: &mut World, session: &Session, families: &[Negotiated]) -> Vec<u8> {
        let loc_rib = self.kind.code == 3;
        let mut local = [0; 16];
        match (loc_rib, self.kind.flags & V != 0) {
            (true, _) => {}
            (_, true) => local = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 254],
            (_, false) => local[12..].copy_from_slice(&[192, 0, 2, 254]),
        }
        // Some routers set L here, which means nothing.
        let l = if !loc_rib && self.kind.views.contains(&L) && world.rng.percent(30) { L } else { 0 };
        let note = world.rng.percent(20);
        self.message_at(session.since, 3, self.kind.flags | l, |out| {
            out.extend(local);
            out.extend(session.ports);
            let extended = session.extended_message;
            open(out, (ROUTER_AS, ROUTER_ID), families, |row| row.sent, extended, true);
            let remote = (self.asn, self.bgp_id);
            open(out, remote, families, |row| row.received, extended, !self.kind.legacy);
            if loc_rib {
                tlv(out, 3, b"global");
            }
            if note {
                tlv(out, 0, b"a note");
            }
        })
    }

    /// A message with a per-peer header.
    pub(super) fn message(
        &self,
        world: &mut World,
        kind: u8,
        flags: u8,
        body: impl FnOnce(&mut Vec<u8>),
    ) -> Vec<u8> {
        self.message_at(world.now(), kind, flags, body)
    }

    fn message_at(&self, time: [u8; 8], kind: u8, flags: u8, body: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        bare(kind, |out| {
            out.extend([self.kind.code, flags]);
            out.extend(self.key.distinguisher);
            out.extend(self.key.address);
            let (asn, bgp_id) = self.speaker();
            out.extend(asn.to_be_bytes());
            out.extend(bgp_id);
            out.extend(time);
            body(out);
        })
    }

    /// AS and BGP identifier of its messages; before there is a session, nobody knows the latter.
    pub(super) fn speaker(&self) -> (u32, [u8; 4]) {
        let bgp_id = if matches!(self.state, State::Provisional) { [0; 4] } else { self.bgp_id };
        (self.asn, bgp_id)
    }
}

/// An OPEN, RFC 4271 §4.2, with one capability a parameter.
fn open(
    out: &mut Vec<u8>,
    (asn, bgp_id): (u32, [u8; 4]),
    families: &[Negotiated],
    mode: impl Fn(&Negotiated) -> u8,
    extended_message: bool,
    four_octet_as: bool,
) {
    let mut capabilities = Vec::new();
    let mut capability = |code: u8, value: &[u8]| {
        capabilities.push(2);
        sized::<1>(&mut capabilities, |out| {
            out.push(code);
            sized::<1>(out, |out| out.extend(value));
        });
    };
    for Negotiated { family: (afi, safi), .. } in families {
        let [a, b] = afi.to_be_bytes();
        capability(1, &[a, b, 0, *safi]);
    }
    capability(2, &[]);
    if extended_message {
        capability(6, &[]);
    }
    if four_octet_as {
        capability(65, &asn.to_be_bytes());
    }
    let named = families.iter().filter(|row| mode(row) != 0);
    let add_path: Vec<u8> = named
        .flat_map(|row| {
            let [a, b] = row.family.0.to_be_bytes();
            [a, b, row.family.1, mode(row)]
        })
        .collect();
    if !add_path.is_empty() {
        capability(69, &add_path);
    }
    pdu(out, 1, |out| {
        out.push(4);
        out.extend(u16::try_from(asn).unwrap_or(23_456).to_be_bytes());
        out.extend(180_u16.to_be_bytes());
        out.extend(bgp_id);
        sized::<1>(out, |out| out.extend(capabilities));
    });
}
