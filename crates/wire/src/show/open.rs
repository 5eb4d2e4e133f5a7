//! OPEN, capability by capability.
//!
//! ```text
//!  open AS4200000001 hold 180 id 203.0.113.9 multiprotocol ipv4-unicast,ipv6-unicast
//!       four-octet-as add-path ipv4-unicast:both graceful-restart 120 ipv4-unicast:forwarding
//! ```

use std::fmt::{self, Display, Formatter};

use super::{CAPABILITIES_MAX, ELLIPSIS, FAMILIES_MAX, Octets, Text, leftover, line, more, named};
use crate::Family;
use crate::bgp::{Capability, CapabilityKind, Open};

/// The optional parameter that holds capabilities; all others are shown as they stand.
const CAPABILITIES: u8 = 2;

impl Display for Open<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        line(f, fmt::from_fn(|f| write_open(f, self)))
    }
}

pub(super) fn write_open(f: &mut Formatter<'_>, open: &Open<'_>) -> fmt::Result {
    let Open { version, hold_time, .. } = *open;
    write!(f, "open AS{}", open.asn())?;
    if version != 4 {
        write!(f, " version {version}")?;
    }
    write!(f, " hold {hold_time} id {}", open.bgp_id())?;
    let mut shown = 0;
    let mut in_a_row = false;
    for capability in open.capabilities() {
        if shown == CAPABILITIES_MAX {
            return more(f, open.capabilities().count() - shown);
        }
        // One word for the families in a row: routers send a capability for each.
        let family = capability.family();
        match family {
            Some(family) if in_a_row => write!(f, ",{family}")?,
            _ => {
                f.write_str(" ")?;
                write_capability(f, &capability, open.asn())?;
            }
        }
        in_a_row = family.is_some();
        shown += 1;
    }
    for (kind, value) in open.parameters().filter(|(kind, _)| *kind != CAPABILITIES) {
        if shown == CAPABILITIES_MAX {
            return write!(f, " {ELLIPSIS}");
        }
        write!(f, " parameter-{kind} {}", Octets(value))?;
        shown += 1;
    }
    Ok(())
}

impl Display for Capability<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        line(f, fmt::from_fn(|f| write_capability(f, self, 0)))
    }
}

/// One capability; `asn` is said already.
fn write_capability(f: &mut Formatter<'_>, capability: &Capability<'_>, asn: u32) -> fmt::Result {
    let Capability { kind, value } = *capability;
    write!(f, "{kind}")?;
    match kind {
        CapabilityKind::MULTIPROTOCOL if let Some(family) = capability.family() => write!(f, " {family}"),
        CapabilityKind::FOUR_OCTET_AS if let Some(own) = capability.asn() => {
            if own == asn {
                Ok(())
            } else {
                write!(f, " AS{own}")
            }
        }
        CapabilityKind::ADD_PATH if let (tuples, []) = value.as_chunks() => {
            families(f, tuples.iter().map(|&[a, b, safi, mode]| (family(a, b, safi), Mode(mode))))
        }
        CapabilityKind::MULTIPLE_LABELS if let (tuples, []) = value.as_chunks() => {
            families(f, tuples.iter().map(|&[a, b, safi, count]| (family(a, b, safi), count)))
        }
        // RFC 8950: the SAFI has two octets here.
        CapabilityKind::EXTENDED_NEXT_HOP if let (tuples, []) = value.as_chunks() => families(
            f,
            tuples
                .iter()
                .map(|&[a, b, _, safi, c, d]| (family(a, b, safi), NextHopAfi(u16::from_be_bytes([c, d])))),
        ),
        // RFC 4724 and RFC 8538.
        CapabilityKind::GRACEFUL_RESTART if let [high, low, tuples @ ..] = value => {
            write!(f, " {}", u16::from_be_bytes([high & 0x0f, *low]))?;
            if high & 0x80 != 0 {
                f.write_str(" restarting")?;
            }
            if high & 0x40 != 0 {
                f.write_str(" notification")?;
            }
            let (tuples, rest) = tuples.as_chunks();
            families(f, tuples.iter().map(|&[a, b, safi, flags]| (family(a, b, safi), Kept(flags))))?;
            leftover(f, "and", rest)
        }
        // RFC 9494.
        CapabilityKind::LONG_LIVED_GRACEFUL_RESTART if let (tuples, []) = value.as_chunks() => families(
            f,
            tuples.iter().map(|&[a, b, safi, flags, c, d, e]| {
                let seconds = u32::from_be_bytes([0, c, d, e]);
                (family(a, b, safi), fmt::from_fn(move |f| write!(f, "{seconds}{}", Kept(flags).behind())))
            }),
        ),
        // RFC 9234.
        CapabilityKind::ROLE if let [role] = value => {
            let name = ["provider", "route-server", "route-server-client", "customer", "peer"];
            f.write_str(" ")?;
            named(f, name.get(usize::from(*role)).copied(), "role", role)
        }
        CapabilityKind::FQDN if let Some((host, domain)) = fqdn(value) => {
            write!(f, " {} {}", Text(host), Text(domain))
        }
        _ if value.is_empty() => Ok(()),
        _ => write!(f, " {}", Octets(value)),
    }
}

fn family(a: u8, b: u8, safi: u8) -> Family {
    Family::new(u16::from_be_bytes([a, b]), safi)
}

/// Families, and what is said of each.
fn families(f: &mut Formatter<'_>, mut tuples: impl Iterator<Item = (Family, impl Display)>) -> fmt::Result {
    let mut between = " ";
    for (family, word) in tuples.by_ref().take(FAMILIES_MAX) {
        write!(f, "{between}{family}:{word}")?;
        between = ",";
    }
    more(f, tuples.count())
}

/// Who may send several paths, RFC 7911 §4.
struct Mode(u8);

impl Display for Mode {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            1 => Some("receive"),
            2 => Some("send"),
            3 => Some("both"),
            _ => None,
        };
        named(f, name, "mode", self.0)
    }
}

/// The address family of next hops.
struct NextHopAfi(u16);

impl Display for NextHopAfi {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            1 => Some("ipv4"),
            2 => Some("ipv6"),
            _ => None,
        };
        named(f, name, "afi", self.0)
    }
}

/// Whether forwarding went on while the router restarted.
struct Kept(u8);

impl Kept {
    fn is_forwarding(&self) -> bool {
        self.0 & 0x80 != 0
    }

    /// The same behind a number: nothing unless it did.
    fn behind(&self) -> &'static str {
        if self.is_forwarding() { ":forwarding" } else { "" }
    }
}

impl Display for Kept {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_forwarding() { "forwarding" } else { "lost" })
    }
}

/// Host and domain, each behind its length.
fn fqdn(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&len, rest) = value.split_first()?;
    let (host, rest) = rest.split_at_checked(len.into())?;
    let (&len, domain) = rest.split_first()?;
    (domain.len() == usize::from(len)).then_some((host, domain))
}
