//! Which records are wanted.
//!
//! * **whole messages** an UPDATE passes as it stands if one of its routes is wanted: what routers said is not
//!   taken apart. Entries of a table are single routes and pass one by one.
//! * **inside**         a prefix wants itself and everything inside of it. Routes of families that have no plain
//!   prefixes are never inside of one.

use std::net::IpAddr;

use wire::bgp::{Dialect, Update, View};
use wire::{Family, Framing};

use super::Stamp;

/// What is wanted; of what is left empty, everything.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Filter {
    /// Not before.
    pub from: Option<Stamp>,
    /// Not after.
    pub to: Option<Stamp>,
    /// Of these peers.
    pub peers: Vec<Who>,
    /// Of these prefixes, and what is inside.
    pub prefixes: Vec<(IpAddr, u8)>,
    /// Of these families.
    pub families: Vec<Family>,
}

/// A peer, as people name it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    /// By its address.
    Address(IpAddr),
    /// All of an AS.
    As(u32),
}

impl Filter {
    pub(super) fn time(&self, time: Stamp) -> bool {
        self.from.is_none_or(|from| time >= from) && self.to.is_none_or(|to| time <= to)
    }

    pub(super) fn peer(&self, ip: IpAddr, asn: u32) -> bool {
        let is = |who: &Who| match *who {
            Who::Address(wanted) => wanted == ip,
            Who::As(wanted) => wanted == asn,
        };
        self.peers.is_empty() || self.peers.iter().any(is)
    }

    pub(super) fn family(&self, family: Family) -> bool {
        self.families.is_empty() || self.families.contains(&family)
    }

    /// A route by its key.
    pub(super) fn route(&self, family: Family, key: &[u8]) -> bool {
        self.prefixes.is_empty()
            || family.framing() == Some(Framing::Prefix)
                && self.prefixes.iter().any(|wanted| is_inside(family, key, *wanted))
    }

    /// Whether one of its routes is wanted; an End-of-RIB, by its family.
    pub(super) fn update(&self, update: &Update<'_>, dialect: &Dialect, view: View) -> bool {
        if let Some(family) = update.end_of_rib() {
            return self.family(family);
        }
        if self.families.is_empty() && self.prefixes.is_empty() {
            return true;
        }
        update.parts().filter(|part| self.family(part.family)).any(|part| {
            self.prefixes.is_empty()
                || part
                    .routes(dialect, view)
                    .is_ok_and(|mut routes| routes.any(|route| self.route(part.family, &route.key())))
        })
    }
}

/// Whether the route with this key is inside of a prefix.
fn is_inside(family: Family, key: &[u8], (prefix, bits): (IpAddr, u8)) -> bool {
    let (afi, octets): (u16, &[u8]) = match &prefix {
        IpAddr::V4(prefix) => (1, &prefix.octets()),
        IpAddr::V6(prefix) => (2, &prefix.octets()),
    };
    let Some((&len, route)) = key.split_first() else { return false };
    if afi != family.afi || len < bits {
        return false;
    }
    let whole = usize::from(bits / 8);
    let mask = !(0xff_u16 >> (bits % 8)).to_be_bytes()[1];
    let octet = |from: &[u8]| from.get(whole).copied().unwrap_or(0) & mask;
    route.get(..whole) == octets.get(..whole) && octet(route) == octet(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inside() {
        let rows: &[(&[u8], &str, u8, bool)] = &[
            (&[24, 192, 0, 2], "192.0.2.0", 24, true),
            (&[25, 192, 0, 2, 128], "192.0.2.0", 24, true),
            (&[23, 192, 0, 2], "192.0.2.0", 24, false),
            (&[24, 192, 0, 3], "192.0.2.0", 23, true),
            (&[24, 192, 0, 4], "192.0.2.0", 23, false),
            (&[32, 192, 0, 2, 1], "192.0.2.1", 32, true),
            (&[32, 192, 0, 2, 2], "192.0.2.1", 32, false),
            (&[0], "0.0.0.0", 0, true),
            (&[24, 192, 0, 2], "0.0.0.0", 0, true),
            (&[8, 10], "::", 0, false),
        ];
        for (key, prefix, bits, expected) in rows {
            let prefix = (prefix.parse().expect("an address"), *bits);
            assert_eq!(is_inside(Family::IPV4_UNICAST, key, prefix), *expected, "{key:?} in {prefix:?}");
        }
        let (all, v6) = (("::".parse().expect("an address"), 0), Family::IPV6_UNICAST);
        assert!(is_inside(v6, &[32, 0x20, 1, 0xd, 0xb8], all));
    }
}
