//! What stands in front of every BMP message about a peer: who, which table, when.
//!
//! ```text
//!  global 192.0.2.1 AS65001 adj-rib-in-pre 1699999999.250000
//!  rd 64499:11 10.0.0.2 AS65001 post-policy
//!  loc-rib AS4200000001 filtered 1699999999.250000
//! ```
//!
//! Views are words of Route Monitoring. In all other messages the flags L and O have no meaning of
//! their own, but routers set them, so they are named where they are set: `post-policy`,
//! `adj-rib-out`.

use std::fmt::{self, Display, Formatter};

use super::RouteDistinguisher;
use crate::bgp::View;
use crate::bmp::{Kind, PeerFlags, PeerHeader, PeerKind};

/// Who: kind, distinguisher, address and AS number.
impl Display for PeerHeader {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if self.distinguisher != [0; 8] {
            write!(f, " {}", RouteDistinguisher(self.distinguisher))?;
        }
        // A Loc-RIB is no peer and has no address.
        if self.kind != PeerKind::LOC_RIB {
            write!(f, " {}", self.ip())?;
        }
        write!(f, " AS{}", self.asn)
    }
}

/// What stands in front of every body.
pub(super) fn head(f: &mut Formatter<'_>, kind: Kind, peer: Option<&PeerHeader>) -> fmt::Result {
    write!(f, "{kind}")?;
    let Some(peer) = peer else {
        return Ok(());
    };
    write!(f, " {peer}")?;
    write_flags(f, kind, peer)?;
    if (peer.seconds.get(), peer.micros.get()) != (0, 0) {
        write!(f, " {}.{:06}", peer.seconds, peer.micros.get())?;
    }
    Ok(())
}

/// The view, and the flags that it and the address do not tell.
fn write_flags(f: &mut Formatter<'_>, kind: Kind, peer: &PeerHeader) -> fmt::Result {
    const LOC_RIB: &[(u8, &str)] = &[(PeerFlags::FILTERED, "filtered")];
    const MONITORED: &[(u8, &str)] = &[(PeerFlags::TWO_OCTET_AS, "two-octet-as")];
    const OTHERS: &[(u8, &str)] = &[
        (PeerFlags::POST_POLICY, "post-policy"),
        (PeerFlags::TWO_OCTET_AS, "two-octet-as"),
        (PeerFlags::ADJ_RIB_OUT, "adj-rib-out"),
    ];
    const ADDRESS_AND_VIEW: u8 = PeerFlags::IPV6 | PeerFlags::POST_POLICY | PeerFlags::ADJ_RIB_OUT;
    let (told, words) = match (peer.view(), kind) {
        (None, _) => (PeerFlags::IPV6, &[][..]),
        (Some(View::LocRib), _) => (0, LOC_RIB),
        (Some(view), Kind::ROUTE_MONITORING) => {
            write!(f, " {}", view.name())?;
            (ADDRESS_AND_VIEW, MONITORED)
        }
        (Some(_), _) => (PeerFlags::IPV6, OTHERS),
    };
    let mut left = peer.flags.0 & !told;
    for (flag, word) in words.iter().filter(|(flag, _)| peer.flags.has(*flag)) {
        write!(f, " {word}")?;
        left &= !flag;
    }
    if left == 0 { Ok(()) } else { write!(f, " flags {left:02x}") }
}
