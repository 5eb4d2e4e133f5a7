//! What a monitoring server holds, and how to say it.

use std::collections::BTreeMap;
use std::fmt::{self, Debug, Display, Formatter};
use std::net::{Ipv4Addr, Ipv6Addr};

/// AFI and SAFI.
pub type Family = (u16, u8);

/// All routes of all peers of one router.
pub type Tables = BTreeMap<RouteKey, Route>;

/// Who speaks: what of a per-peer header is identity, RFC 7854 §4.2.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerKey {
    /// Peer type.
    pub kind: u8,
    /// Peer distinguisher.
    pub distinguisher: [u8; 8],
    /// Peer address.
    pub address: [u8; 16],
}

/// Which table of a peer: what flags L and O select, or the Loc-RIB.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum View {
    /// Adj-RIB-In before policy.
    PreIn,
    /// Adj-RIB-In after policy.
    PostIn,
    /// Adj-RIB-Out before policy.
    PreOut,
    /// Adj-RIB-Out after policy.
    PostOut,
    /// Loc-RIB.
    LocRib,
}

impl View {
    /// The view that a per-peer header means.
    #[must_use]
    pub fn of(kind: u8, flags: u8) -> Self {
        match (kind, flags & 0x40 != 0, flags & 0x10 != 0) {
            (3, _, _) => Self::LocRib,
            (_, false, false) => Self::PreIn,
            (_, true, false) => Self::PostIn,
            (_, false, true) => Self::PreOut,
            (_, true, true) => Self::PostOut,
        }
    }
}

/// What two routes must share for the later to replace the earlier.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteKey {
    /// Whose route.
    pub peer: PeerKey,
    /// In which of its tables.
    pub view: View,
    /// Of which family.
    pub family: Family,
    /// What of the NLRI identifies it, with bits behind a prefix masked.
    pub key: Vec<u8>,
    /// ADD-PATH.
    pub path_id: Option<u32>,
}

/// Everything else that came with a route.
#[derive(Clone, PartialEq, Eq)]
pub struct Route {
    /// Flags, AS and BGP identifier of the per-peer header.
    pub header: (u8, u32, [u8; 4]),
    /// That of `MP_REACH_NLRI`; empty if the route stood in the NLRI field.
    pub next_hop: Vec<u8>,
    /// All attributes but 14 and 15, in their order.
    pub attributes: Vec<u8>,
    /// What of the NLRI does not identify: labels, segments, gateways.
    pub payload: Vec<u8>,
    /// What stood behind the BGP message.
    pub trailing: Vec<u8>,
}

/// The first few differences between what is held and what should be, or `None`.
#[must_use]
pub fn difference(held: &Tables, wanted: &Tables) -> Option<String> {
    let missing = wanted.keys().filter(|key| !held.contains_key(key)).map(|key| format!("missing {key}"));
    let superfluous =
        held.keys().filter(|key| !wanted.contains_key(key)).map(|key| format!("too much {key}"));
    let changed = held.iter().filter_map(|(key, held)| {
        let wanted = wanted.get(key).filter(|wanted| *wanted != held)?;
        Some(format!("{key}\n  held   {held:?}\n  wanted {wanted:?}"))
    });
    let mut lines: Vec<_> = missing.chain(superfluous).chain(changed).collect();
    let all = lines.len();
    lines.truncate(8);
    (all > 0).then(|| format!("{all} routes differ:\n{}", lines.join("\n")))
}

/// Octets in hexadecimal.
struct Hex<'a>(&'a [u8]);

impl Display for Hex<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl Display for PeerKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.address.split_last_chunk() {
            _ if self.kind == 3 => write!(f, "Loc-RIB")?,
            Some((&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], v4)) => write!(f, "{}", Ipv4Addr::from(*v4))?,
            _ => write!(f, "{}", Ipv6Addr::from(self.address))?,
        }
        match (self.kind, self.distinguisher) {
            (0, [0, 0, 0, 0, 0, 0, 0, 0]) => Ok(()),
            (kind, distinguisher) => write!(f, " (type {kind}, {})", Hex(&distinguisher)),
        }
    }
}

impl Display for RouteKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { peer, view, family: (afi, safi), key, path_id } = self;
        write!(f, "{peer} {view:?} {afi}/{safi} {}", Hex(key))?;
        path_id.map_or(Ok(()), |path_id| write!(f, " path id {path_id}"))
    }
}

impl Debug for PeerKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

impl Debug for RouteKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

impl Debug for Route {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { header: (flags, asn, bgp_id), next_hop, attributes, payload, trailing } = self;
        let bgp_id = Ipv4Addr::from(*bgp_id);
        write!(f, "flags {flags:02x} AS {asn} id {bgp_id} next hop [{}] ", Hex(next_hop))?;
        let [attributes, payload, trailing] = [attributes, payload, trailing].map(|octets| Hex(octets));
        write!(f, "attributes [{attributes}] payload [{payload}] trailing [{trailing}]")
    }
}
