//! Path attributes: name, then value; octets where nobody here can read them.
//!
//! ```text
//!  next-hop 192.0.2.1 as-path 65001 {64500,64501} origin igp med 100 communities 65001:1 no-export
//!  attribute-99 flags c0 12 octets 0a0b…      nobody knows it
//!  med malformed flags 80 3 octets 010203     everybody knows it, and not like this
//! ```

use std::fmt::{self, Display, Formatter};
use std::net::Ipv4Addr;

use super::{ATTRIBUTES_MAX, ELEMENTS_MAX, Octets, line, list, more, number, plain};
use crate::bgp::{AsPath, Attribute, AttributeKind, Attributes, Dialect, MpReach, MpUnreach, NextHop};

/// What an operator looks for first, and therefore stands first: where to, through whom, from whom.
const LEAD: [AttributeKind; 3] = [AttributeKind::NEXT_HOP, AttributeKind::AS_PATH, AttributeKind::ORIGIN];

impl<'a> Attributes<'a> {
    /// Displays them in one line, as peers that speak this dialect mean them.
    #[must_use]
    pub fn show(&self, dialect: &Dialect) -> impl Display + use<'a> {
        let (attributes, dialect) = (*self, *dialect);
        fmt::from_fn(move |f| line(f, fmt::from_fn(|f| write_attributes(f, "", attributes, &dialect))))
    }
}

impl Display for Attributes<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.show(&plain()).fmt(f)
    }
}

impl<'a> Attribute<'a> {
    /// Displays it in one line, as peers that speak this dialect mean it.
    #[must_use]
    pub fn show(&self, dialect: &Dialect) -> impl Display + use<'a> {
        let (attribute, dialect) = (*self, *dialect);
        fmt::from_fn(move |f| line(f, fmt::from_fn(|f| write_attribute(f, attribute, &dialect))))
    }
}

impl Display for Attribute<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.show(&plain()).fmt(f)
    }
}

/// Attributes with spaces between them and `lead` in front, the leading kinds first.
pub(super) fn write_attributes<'a>(
    f: &mut Formatter<'_>,
    lead: &str,
    attributes: impl Iterator<Item = Attribute<'a>> + Clone,
    dialect: &Dialect,
) -> fmt::Result {
    let all = attributes.clone();
    let first = LEAD.iter().filter_map(|kind| all.clone().find(|attribute| attribute.kind == *kind));
    // One that stands a second time is not the one that was shown first.
    let mut led = [false; LEAD.len()];
    let rest = attributes.filter(|attribute| {
        let at = LEAD.iter().position(|kind| *kind == attribute.kind);
        at.is_none_or(|at| std::mem::replace(&mut led[at], true))
    });
    let shown =
        first.chain(rest).map(|attribute| fmt::from_fn(move |f| write_attribute(f, attribute, dialect)));
    list(f, lead, shown, ATTRIBUTES_MAX)
}

fn write_attribute(f: &mut Formatter<'_>, attribute: Attribute<'_>, dialect: &Dialect) -> fmt::Result {
    let Attribute { kind, flags, value } = attribute;
    write!(f, "{kind}")?;
    match (kind, value) {
        (AttributeKind::ORIGIN, [0]) => f.write_str(" igp"),
        (AttributeKind::ORIGIN, [1]) => f.write_str(" egp"),
        (AttributeKind::ORIGIN, [2]) => f.write_str(" incomplete"),
        (AttributeKind::ORIGIN, [other]) => write!(f, " {other}"),
        (AttributeKind::AS_PATH, _) if AsPath::parse(value, dialect.four_octet_as).is_ok() => {
            as_path(f, value, dialect.four_octet_as)
        }
        (AttributeKind::AS4_PATH, _) if AsPath::parse(value, true).is_ok() => as_path(f, value, true),
        (AttributeKind::NEXT_HOP, [_, ..]) => write!(f, " {}", NextHop(value)),
        (AttributeKind::MED | AttributeKind::LOCAL_PREF, [_, _, _, _]) => write!(f, " {}", number(value)),
        (AttributeKind::ONLY_TO_CUSTOMER, [_, _, _, _]) => write!(f, " AS{}", number(value)),
        // RFC 7311: one TLV of type 1 is all there is.
        (AttributeKind::AIGP, [1, 0, 11, metric @ ..]) if metric.len() == 8 => {
            write!(f, " {}", number(metric))
        }
        (AttributeKind::ATOMIC_AGGREGATE, []) => Ok(()),
        (AttributeKind::AGGREGATOR | AttributeKind::AS4_AGGREGATOR, &[ref asn @ .., a, b, c, d])
            if matches!(asn.len(), 2 | 4) =>
        {
            write!(f, " AS{} {}", number(asn), Ipv4Addr::new(a, b, c, d))
        }
        (AttributeKind::ORIGINATOR_ID, &[a, b, c, d]) => write!(f, " {}", Ipv4Addr::new(a, b, c, d)),
        (AttributeKind::CLUSTER_LIST, _) if let Some(ids) = whole(value) => {
            list(f, " ", ids.iter().map(|id: &[u8; 4]| Ipv4Addr::from(*id)), ELEMENTS_MAX)
        }
        (AttributeKind::COMMUNITIES, _) if let Some(communities) = whole(value) => {
            list(f, " ", communities.iter().map(|octets| Community(*octets)), ELEMENTS_MAX)
        }
        (AttributeKind::EXTENDED_COMMUNITIES, _) if let Some(communities) = whole(value) => {
            list(f, " ", communities.iter().map(|octets| ExtendedCommunity(*octets)), ELEMENTS_MAX)
        }
        (AttributeKind::LARGE_COMMUNITIES, _) if let Some(communities) = whole(value) => {
            list(f, " ", communities.iter().map(|octets| LargeCommunity(*octets)), ELEMENTS_MAX)
        }
        (AttributeKind::MP_REACH, _) if let Ok(reach) = MpReach::parse(value) => {
            write!(f, " {} next-hop {}", reach.family, reach.next_hop)?;
            super::leftover(f, "nlri", reach.nlri)
        }
        (AttributeKind::MP_UNREACH, _) if let Ok(unreach) = MpUnreach::parse(value) => {
            write!(f, " {}", unreach.family)?;
            super::leftover(f, "nlri", unreach.nlri)
        }
        _ => {
            let malformed = if can_be_read(kind) { " malformed" } else { "" };
            write!(f, "{malformed} flags {flags:02x} {}", Octets(value))
        }
    }
}

/// Whether octets are shown of an attribute only if they are not what its type says.
const fn can_be_read(kind: AttributeKind) -> bool {
    matches!(kind.0, 1..=10 | 14..=18 | 26 | 32 | 35)
}

/// A list of at least one element that ends with the last one.
fn whole<const N: usize>(value: &[u8]) -> Option<&[[u8; N]]> {
    match value.as_chunks() {
        (elements, []) if !elements.is_empty() => Some(elements),
        _ => None,
    }
}

/// Sequences as they are, sets `{1,2}`, sequences and sets of a confederation `(1 2)` and `[1,2]`.
fn as_path(f: &mut Formatter<'_>, value: &[u8], four_octets: bool) -> fmt::Result {
    let Ok(path) = AsPath::parse(value, four_octets) else {
        return Ok(());
    };
    // An empty segment counts as one number: there can be thousands of them as well.
    let cost = |numbers: usize| numbers.max(1);
    let total = path.map(|segment| cost(segment.numbers().count())).sum::<usize>();
    if total == 0 {
        return f.write_str(" empty");
    }
    let mut left = ELEMENTS_MAX;
    for segment in path {
        if left == 0 {
            break;
        }
        f.write_str(" ")?;
        let (open, between, close) = match segment.kind {
            1 => ("{", ",", "}"),
            2 if segment.numbers().next().is_some() => ("", " ", ""),
            2 => ("empty-sequence", "", ""),
            3 => ("(", " ", ")"),
            4 => ("[", ",", "]"),
            other => {
                write!(f, "segment-{other}")?;
                ("<", " ", ">")
            }
        };
        f.write_str(open)?;
        for (at, number) in segment.numbers().take(left).enumerate() {
            write!(f, "{}{number}", if at == 0 { "" } else { between })?;
        }
        f.write_str(close)?;
        left = left.saturating_sub(cost(segment.numbers().count()));
    }
    more(f, total.saturating_sub(ELEMENTS_MAX))
}

/// RFC 1997, and the well-known ones by name.
struct Community([u8; 4]);

impl Display for Community {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = match u32::from_be_bytes(self.0) {
            0xffff_0000 => "graceful-shutdown",   // RFC 8326
            0xffff_0006 => "llgr-stale",          // RFC 9494
            0xffff_0007 => "no-llgr",             // RFC 9494
            0xffff_029a => "blackhole",           // RFC 7999
            0xffff_ff01 => "no-export",           // RFC 1997
            0xffff_ff02 => "no-advertise",        // RFC 1997
            0xffff_ff03 => "no-export-subconfed", // RFC 1997
            0xffff_ff04 => "no-peer",             // RFC 3765
            _ => return write!(f, "{}:{}", number(&self.0[..2]), number(&self.0[2..])),
        };
        f.write_str(name)
    }
}

/// RFC 4360: route targets and route origins by name, all others as octets.
pub(super) struct ExtendedCommunity(pub(super) [u8; 8]);

impl Display for ExtendedCommunity {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let [kind, subtype, a, b, c, d, e, g] = self.0;
        let name = match subtype {
            2 => "rt",
            3 => "ro",
            _ => return super::hex(f, &self.0),
        };
        // The bit 0x40 says that it stays inside the AS.
        match kind & !0x40 {
            0 => write!(f, "{name}:{}:{}", number(&[a, b]), number(&[c, d, e, g])),
            1 => write!(f, "{name}:{}:{}", Ipv4Addr::new(a, b, c, d), number(&[e, g])),
            2 => write!(f, "{name}:{}:{}", number(&[a, b, c, d]), number(&[e, g])),
            _ => super::hex(f, &self.0),
        }
    }
}

/// RFC 8092.
struct LargeCommunity([u8; 12]);

impl Display for LargeCommunity {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", number(&self.0[..4]), number(&self.0[4..8]), number(&self.0[8..]))
    }
}
