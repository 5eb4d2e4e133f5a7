//! Routes: one token each, without spaces, so that a field of them is a list.
//!
//! ```text
//!  203.0.113.0/24#7                       path id behind #
//!  10.0.0.0/8|100,200                     labels behind |
//!  65001:100:10.0.0.0/8|100               route distinguisher in front
//!  mac-ip[65001:100,tag=0,02:00:00:00:00:01,192.0.2.1]|100
//!  flowspec[0118cb0071]                   what is not taken apart, as octets
//! ```

use std::fmt::{self, Display, Formatter};
use std::net::{Ipv4Addr, Ipv6Addr};

use super::attribute::ExtendedCommunity;
use super::{ELLIPSIS, LABELS_MAX, hex, named, number};
use crate::Framing;
use crate::nlri::{Entry, PathId};

/// A route distinguisher, RFC 4364 §4.2: `65001:100`, `192.0.2.1:5`, `4200000001:7`, and sixteen
/// hexadecimal digits for types that nobody knows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteDistinguisher(pub [u8; 8]);

impl Display for RouteDistinguisher {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            [0, 0, a, b, ref rest @ ..] => write!(f, "{}:{}", number(&[a, b]), number(rest)),
            [0, 1, a, b, c, d, ref rest @ ..] => write!(f, "{}:{}", Ipv4Addr::new(a, b, c, d), number(rest)),
            [0, 2, ref asn @ .., a, b] => write!(f, "{}:{}", number(asn), number(&[a, b])),
            ref other => hex(f, other),
        }
    }
}

super::debug_is_display!(RouteDistinguisher);

impl Display for PathId {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(&self.0, f)
    }
}

impl Display for Entry<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        route(f, self)?;
        self.path_id().map_or(Ok(()), |id| write!(f, "#{id}"))
    }
}

fn route(f: &mut Formatter<'_>, entry: &Entry<'_>) -> fmt::Result {
    let (bytes, ipv6) = (entry.bytes(), entry.family().afi != 1);
    match (entry.family().framing(), bytes) {
        (Some(Framing::Prefix), _) => match *entry.key() {
            [bits, ref prefix @ ..] => write!(f, "{}", Prefix { bits, octets: prefix, ipv6 }),
            [] => Ok(()),
        },
        (Some(Framing::Labelled), _) => {
            if let [bits, ref prefix @ ..] = *entry.key() {
                write!(f, "{}", Prefix { bits, octets: prefix, ipv6 })?;
            }
            labels(f, &entry.payload())
        }
        (Some(Framing::Vpn), _) => {
            if let Some((&[bits, a, b, c, d, e, g, h, i], prefix)) = entry.key().split_first_chunk() {
                let rd = RouteDistinguisher([a, b, c, d, e, g, h, i]);
                let prefix = Prefix { bits: bits.saturating_sub(64), octets: prefix, ipv6 };
                write!(f, "{rd}:{prefix}")?;
            }
            labels(f, &entry.payload())
        }
        (Some(Framing::Evpn), &[kind, _, ref value @ ..]) => evpn(f, kind, value),
        (Some(Framing::TypeLength), &[kind, _, ref value @ ..]) => {
            named(f, mvpn_name(kind), "mvpn", kind)?;
            opaque(f, value)
        }
        (Some(Framing::Bits { .. }), [_, value @ ..]) => bits(f, entry, value),
        (Some(Framing::Vpls), [_, _, value @ ..]) => vpls(f, value),
        (Some(Framing::Flow), _) => flow(f, entry),
        (Some(Framing::LinkState), &[a, b, _, _, ref value @ ..]) => {
            let kind = u16::from_be_bytes([a, b]);
            named(f, link_state_name(kind), "link-state", kind)?;
            match value.split_first_chunk() {
                Some((rd, value)) if entry.family().safi == 72 => with_rd(f, *rd, value),
                _ => opaque(f, value),
            }
        }
        (Some(Framing::Mup), &[architecture, a, b, _, ref value @ ..]) => {
            let kind = u16::from_be_bytes([a, b]);
            match mup_name(architecture, kind) {
                Some(name) => f.write_str(name)?,
                None => write!(f, "mup-{architecture}-{kind}")?,
            }
            opaque(f, value)
        }
        _ => opaque(f, bytes),
    }
}

/// Octets in brackets.
fn opaque(f: &mut Formatter<'_>, value: &[u8]) -> fmt::Result {
    f.write_str("[")?;
    hex(f, value)?;
    f.write_str("]")
}

/// The same behind a route distinguisher.
fn with_rd(f: &mut Formatter<'_>, rd: [u8; 8], value: &[u8]) -> fmt::Result {
    write!(f, "[{}{}", RouteDistinguisher(rd), if value.is_empty() { "" } else { "," })?;
    hex(f, value)?;
    f.write_str("]")
}

/// An address and how many of its bits count.
struct Prefix<'a> {
    bits: u8,
    /// As many octets as hold so many bits; more do no harm.
    octets: &'a [u8],
    ipv6: bool,
}

impl Display for Prefix<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut address = [0; 16];
        let len = self.octets.len().min(16);
        address[..len].copy_from_slice(&self.octets[..len]);
        let [a, b, c, d, ..] = address;
        match self.ipv6 {
            true => write!(f, "{}/{}", Ipv6Addr::from(address), self.bits),
            false => write!(f, "{}/{}", Ipv4Addr::new(a, b, c, d), self.bits),
        }
    }
}

/// An address of four octets or of sixteen; other lengths as they stand.
struct Address<'a>(&'a [u8]);

impl Display for Address<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match (<[u8; 4]>::try_from(self.0), <[u8; 16]>::try_from(self.0)) {
            (Ok(octets), _) => write!(f, "{}", Ipv4Addr::from(octets)),
            (_, Ok(octets)) => write!(f, "{}", Ipv6Addr::from(octets)),
            _ => hex(f, self.0),
        }
    }
}

/// Labels behind a bar; the field of a withdrawal (RFC 8277 §2.4) says nothing, so nothing is said.
fn labels(f: &mut Formatter<'_>, fields: &[u8]) -> fmt::Result {
    if matches!(fields, [] | [0x80, 0, 0]) {
        return Ok(());
    }
    for (at, &[a, b, c]) in fields.as_chunks().0.iter().enumerate() {
        f.write_str(if at == 0 { "|" } else { "," })?;
        if at == LABELS_MAX {
            return f.write_str(ELLIPSIS);
        }
        write!(f, "{}", u32::from_be_bytes([0, a, b, c]) >> 4)?;
    }
    Ok(())
}

/// The routes of RFC 7432 and RFC 9136, and the value as it stands where it has not its type's layout.
fn evpn(f: &mut Formatter<'_>, kind: u8, value: &[u8]) -> fmt::Result {
    named(f, evpn_name(kind), "evpn", kind)?;
    let Some((rd, rest)) = value.split_first_chunk() else {
        return opaque(f, value);
    };
    let rd = RouteDistinguisher(*rd);
    match (kind, rest.split_first_chunk::<10>(), rest) {
        (1, Some((esi, &[a, b, c, d, ref label @ ..])), _) if label.len() == 3 => {
            write!(f, "[{rd},tag={},esi={}]", number(&[a, b, c, d]), Colons(esi))?;
            labels(f, label)
        }
        (2, Some((esi, &[a, b, c, d, 48, ref mac_ip @ ..])), _) => {
            let Some((mac, ip, label)) = mac_ip_label(mac_ip) else {
                return opaque(f, value);
            };
            write!(f, "[{rd},tag={},{}", number(&[a, b, c, d]), Colons(mac))?;
            if !ip.is_empty() {
                write!(f, ",{}", Address(ip))?;
            }
            close_with_esi(f, esi)?;
            labels(f, label)
        }
        (3, _, &[a, b, c, d, bits, ref ip @ ..]) if usize::from(bits) == ip.len() * 8 => {
            write!(f, "[{rd},tag={},{}]", number(&[a, b, c, d]), Address(ip))
        }
        (4, Some((esi, &[bits, ref ip @ ..])), _) if usize::from(bits) == ip.len() * 8 => {
            write!(f, "[{rd},esi={},{}]", Colons(esi), Address(ip))
        }
        (5, Some((esi, &[a, b, c, d, bits, ref rest @ ..])), _) if matches!(rest.len(), 11 | 35) => {
            let (prefix, rest) = rest.split_at(rest.len() / 2 - 1);
            let (gateway, label) = rest.split_at(prefix.len());
            let prefix = Prefix { bits, octets: prefix, ipv6: prefix.len() == 16 };
            write!(f, "[{rd},tag={},{prefix}", number(&[a, b, c, d]))?;
            if gateway.iter().any(|octet| *octet != 0) {
                write!(f, ",gateway={}", Address(gateway))?;
            }
            close_with_esi(f, esi)?;
            labels(f, label)
        }
        _ => opaque(f, value),
    }
}

/// The end of a route of which the Ethernet segment is no key: said only where there is one.
fn close_with_esi(f: &mut Formatter<'_>, esi: &[u8; 10]) -> fmt::Result {
    if *esi == [0; 10] { f.write_str("]") } else { write!(f, ",esi={}]", Colons(esi)) }
}

/// MAC, address and labels of EVPN type 2, from behind the length of the MAC.
fn mac_ip_label(bytes: &[u8]) -> Option<(&[u8; 6], &[u8], &[u8])> {
    let (mac, rest) = bytes.split_first_chunk()?;
    let (bits, rest) = rest.split_first()?;
    let (ip, label) = rest.split_at_checked(usize::from(bits / 8))?;
    (matches!(bits, 0 | 32 | 128) && matches!(label.len(), 3 | 6)).then_some((mac, ip, label))
}

/// Octets as MAC addresses and Ethernet segments are written.
struct Colons<'a>(&'a [u8]);

impl Display for Colons<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (at, octet) in self.0.iter().enumerate() {
            let colon = if at == 0 { "" } else { ":" };
            write!(f, "{colon}{octet:02x}")?;
        }
        Ok(())
    }
}

/// The families whose value has one layout.
fn bits(f: &mut Formatter<'_>, entry: &Entry<'_>, value: &[u8]) -> fmt::Result {
    match (entry.family().safi, value) {
        (66, &[ref rd @ .., a, b, c, d, e, g, h, i]) if rd.len() == 8 => {
            let (source, group) = (Ipv4Addr::new(a, b, c, d), Ipv4Addr::new(e, g, h, i));
            f.write_str("mdt[")?;
            if let Ok(rd) = <[u8; 8]>::try_from(rd) {
                write!(f, "{}", RouteDistinguisher(rd))?;
            }
            write!(f, ",{source},{group}]")
        }
        (73, &[a, b, c, d, e, g, h, i, ref endpoint @ ..]) => {
            let (distinguisher, colour) = (number(&[a, b, c, d]), number(&[e, g, h, i]));
            write!(f, "sr-policy[{distinguisher},color={colour},{}]", Address(endpoint))
        }
        (132, []) => f.write_str("route-target[default]"),
        (132, &[a, b, c, d, ref target @ ..]) => {
            write!(f, "route-target[AS{},", number(&[a, b, c, d]))?;
            match <[u8; 8]>::try_from(target) {
                Ok(target) => write!(f, "{}]", ExtendedCommunity(target)),
                // A partial target stands for all that begin with it, RFC 4684 §4.
                Err(_) => {
                    hex(f, target)?;
                    write!(f, "/{}]", entry.bytes()[0])
                }
            }
        }
        (129, _) => {
            f.write_str("vpn-multicast")?;
            opaque(f, value)
        }
        _ => opaque(f, value),
    }
}

/// RFC 4761 with a block of labels, RFC 6074 with an address.
fn vpls(f: &mut Formatter<'_>, value: &[u8]) -> fmt::Result {
    f.write_str("vpls")?;
    let Some((rd, rest)) = value.split_first_chunk() else {
        return opaque(f, value);
    };
    let rd = RouteDistinguisher(*rd);
    match *rest {
        [a, b, c, d, e, g, h, i, j] => {
            let (ve, offset, size) = (number(&[a, b]), number(&[c, d]), number(&[e, g]));
            write!(f, "[{rd},ve={ve},offset={offset},size={size}]")?;
            labels(f, &[h, i, j])
        }
        [a, b, c, d] => write!(f, "[{rd},{}]", Ipv4Addr::new(a, b, c, d)),
        _ => opaque(f, value),
    }
}

/// The key of a flow specification is its value.
fn flow(f: &mut Formatter<'_>, entry: &Entry<'_>) -> fmt::Result {
    f.write_str("flowspec")?;
    let value = entry.key();
    match value.split_first_chunk() {
        Some((rd, value)) if entry.family().safi == 134 => with_rd(f, *rd, value),
        _ => opaque(f, &value),
    }
}

const fn evpn_name(kind: u8) -> Option<&'static str> {
    Some(match kind {
        1 => "ethernet-ad",
        2 => "mac-ip",
        3 => "inclusive-multicast",
        4 => "ethernet-segment",
        5 => "ip-prefix",
        6 => "selective-multicast",
        7 => "join-synch",
        8 => "leave-synch",
        9 => "per-region-i-pmsi",
        10 => "s-pmsi",
        11 => "leaf-ad",
        _ => return None,
    })
}

const fn mvpn_name(kind: u8) -> Option<&'static str> {
    Some(match kind {
        1 => "intra-as-i-pmsi",
        2 => "inter-as-i-pmsi",
        3 => "s-pmsi",
        4 => "leaf-ad",
        5 => "source-active",
        6 => "shared-tree-join",
        7 => "source-tree-join",
        _ => return None,
    })
}

const fn link_state_name(kind: u16) -> Option<&'static str> {
    Some(match kind {
        1 => "node",
        2 => "link",
        3 => "ipv4-topology-prefix",
        4 => "ipv6-topology-prefix",
        6 => "srv6-sid",
        _ => return None,
    })
}

/// Of the one architecture that there is, 3GPP 5G.
const fn mup_name(architecture: u8, kind: u16) -> Option<&'static str> {
    Some(match (architecture, kind) {
        (1, 1) => "interwork-segment",
        (1, 2) => "direct-segment",
        (1, 3) => "type-1-session",
        (1, 4) => "type-2-session",
        _ => return None,
    })
}
