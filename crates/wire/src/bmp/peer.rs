//! The per-peer header of RFC 7854 §4.2, with the flags of RFC 8671 and the peer type of RFC 9069.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use zerocopy::big_endian::U32;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::bgp::View;
use crate::code::codes;

codes! {
    /// What kind of peer.
    #[derive(Default, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
    #[repr(transparent)]
    PeerKind(u8) else "peer-type" {
        GLOBAL = 0 "global" "A peer of the global instance",
        RD = 1 "rd" "A peer inside a VRF; the distinguisher is its route distinguisher",
        LOCAL = 2 "local" "A peer of an instance that only the router can name",
        LOC_RIB = 3 "loc-rib" "Not a peer: the router's own table",
    }
}

/// Flags whose meaning depends on the kind of peer.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Debug,
    Default,
    FromBytes,
    IntoBytes,
    KnownLayout,
    Immutable,
    Unaligned,
)]
#[repr(transparent)]
pub struct PeerFlags(pub u8);

impl PeerFlags {
    /// V: the peer's address is IPv6.
    pub const IPV6: u8 = 0x80;
    /// L: after policy.
    pub const POST_POLICY: u8 = 0x40;
    /// A: AS paths have AS numbers of two octets.
    pub const TWO_OCTET_AS: u8 = 0x20;
    /// O: Adj-RIB-Out, RFC 8671.
    pub const ADJ_RIB_OUT: u8 = 0x10;
    /// F, of a Loc-RIB only: the view is filtered, RFC 9069. It has the place of V.
    pub const FILTERED: u8 = 0x80;

    /// Whether a flag is set.
    #[inline]
    #[must_use]
    pub const fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }
}

/// The header in front of everything that is about one peer, read where it stands.
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, Debug, Default, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned,
)]
#[repr(C)]
pub struct PeerHeader {
    /// What kind of peer.
    pub kind: PeerKind,
    /// Flags.
    pub flags: PeerFlags,
    /// Tells peers with equal addresses apart.
    pub distinguisher: [u8; 8],
    /// IPv6, or IPv4 in the last four octets with zeros in front.
    pub address: [u8; 16],
    /// The peer's AS number.
    pub asn: U32,
    /// Its BGP identifier.
    pub bgp_id: [u8; 4],
    /// When the router heard of it: seconds since 1970, 0 for not known.
    pub seconds: U32,
    /// And microseconds.
    pub micros: U32,
}

const _: () = assert!(size_of::<PeerHeader>() == 42);

/// What makes a peer this peer and no other of its router. Views and flags are not part of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PeerIdentity {
    /// What kind of peer.
    pub kind: PeerKind,
    /// Its distinguisher.
    pub distinguisher: [u8; 8],
    /// Its address, as in the header.
    pub address: [u8; 16],
}

impl PeerHeader {
    /// Its identity.
    #[inline]
    #[must_use]
    pub const fn identity(&self) -> PeerIdentity {
        PeerIdentity { kind: self.kind, distinguisher: self.distinguisher, address: self.address }
    }

    /// Whether addresses are IPv6. The bit says something else for a Loc-RIB, which has none.
    #[inline]
    #[must_use]
    pub fn is_ipv6(&self) -> bool {
        self.kind != PeerKind::LOC_RIB && self.flags.has(PeerFlags::IPV6)
    }

    /// Its address.
    #[must_use]
    pub fn ip(&self) -> IpAddr {
        ip(&self.address, self.is_ipv6())
    }

    /// Which of the peer's tables a message is about; `None` for peer types unknown here, whose
    /// flags nobody can read. Of no meaning in Peer Up and Peer Down.
    #[inline]
    #[must_use]
    pub fn view(&self) -> Option<View> {
        let post = self.flags.has(PeerFlags::POST_POLICY);
        match (self.kind, self.flags.has(PeerFlags::ADJ_RIB_OUT)) {
            (PeerKind::LOC_RIB, _) => Some(View::LocRib),
            (PeerKind::GLOBAL | PeerKind::RD | PeerKind::LOCAL, false) if post => Some(View::AdjRibInPost),
            (PeerKind::GLOBAL | PeerKind::RD | PeerKind::LOCAL, false) => Some(View::AdjRibInPre),
            (PeerKind::GLOBAL | PeerKind::RD | PeerKind::LOCAL, true) if post => Some(View::AdjRibOutPost),
            (PeerKind::GLOBAL | PeerKind::RD | PeerKind::LOCAL, true) => Some(View::AdjRibOutPre),
            _ => None,
        }
    }

    /// Whether AS paths of Route Monitoring have AS numbers of four octets. Those of a Loc-RIB
    /// always do (RFC 9069 §5.4).
    #[inline]
    #[must_use]
    pub fn four_octet_as(&self) -> bool {
        self.kind == PeerKind::LOC_RIB || !self.flags.has(PeerFlags::TWO_OCTET_AS)
    }
}

/// An address as BMP writes it: IPv4 in the last four octets.
pub(crate) fn ip(octets: &[u8; 16], ipv6: bool) -> IpAddr {
    if ipv6 {
        return Ipv6Addr::from(*octets).into();
    }
    let [.., a, b, c, d] = *octets;
    Ipv4Addr::new(a, b, c, d).into()
}
