//! Path attributes: the walk, the two that carry NLRI, and those a display takes apart.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::code::codes;
use crate::cursor::Cursor;
use crate::{Error, Family};

codes! {
    /// An attribute's type code.
    AttributeKind(u8) else "attribute" {
        ORIGIN = 1 "origin",
        AS_PATH = 2 "as-path",
        NEXT_HOP = 3 "next-hop",
        MED = 4 "med",
        LOCAL_PREF = 5 "local-pref",
        ATOMIC_AGGREGATE = 6 "atomic-aggregate",
        AGGREGATOR = 7 "aggregator",
        COMMUNITIES = 8 "communities",
        ORIGINATOR_ID = 9 "originator-id",
        CLUSTER_LIST = 10 "cluster-list",
        MP_REACH = 14 "mp-reach",
        MP_UNREACH = 15 "mp-unreach",
        EXTENDED_COMMUNITIES = 16 "extended-communities",
        AS4_PATH = 17 "as4-path",
        AS4_AGGREGATOR = 18 "as4-aggregator",
        PMSI_TUNNEL = 22 "pmsi-tunnel",
        TUNNEL_ENCAPSULATION = 23 "tunnel-encapsulation",
        TRAFFIC_ENGINEERING = 24 "traffic-engineering",
        IPV6_EXTENDED_COMMUNITIES = 25 "ipv6-extended-communities",
        AIGP = 26 "aigp",
        PE_DISTINGUISHER = 27 "pe-distinguisher",
        LINK_STATE = 29 "link-state",
        LARGE_COMMUNITIES = 32 "large-communities",
        BGPSEC_PATH = 33 "bgpsec-path",
        ONLY_TO_CUSTOMER = 35 "only-to-customer",
        D_PATH = 36 "d-path",
        SFP = 37 "sfp",
        BFD_DISCRIMINATOR = 38 "bfd-discriminator",
        PREFIX_SID = 40 "prefix-sid",
        ATTR_SET = 128 "attr-set",
    }
}

/// One path attribute.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attribute<'a> {
    /// Optional, transitive, partial, extended length, and four bits that mean nothing yet.
    pub flags: u8,
    /// Its type.
    pub kind: AttributeKind,
    /// What it says.
    pub value: &'a [u8],
}

impl Attribute<'_> {
    /// Optional.
    pub const OPTIONAL: u8 = 0x80;
    /// Transitive.
    pub const TRANSITIVE: u8 = 0x40;
    /// Partial.
    pub const PARTIAL: u8 = 0x20;
    /// The length has two octets.
    pub const EXTENDED: u8 = 0x10;
}

/// The attributes of a block that has been walked before: iterating cannot fail.
#[derive(Clone, Copy, Debug)]
pub struct Attributes<'a> {
    rest: &'a [u8],
}

/// Walks a block of attributes to its end and gives an iterator that cannot fail.
///
/// # Errors
/// An attribute that runs past the block.
pub fn attributes(block: &[u8]) -> Result<Attributes<'_>, Error> {
    let mut rest = block;
    while !rest.is_empty() {
        let offset = block.len() - rest.len();
        (_, rest) = split(rest).ok_or_else(|| cut(rest).within(offset))?;
    }
    Ok(Attributes { rest: block })
}

impl<'a> Attributes<'a> {
    /// The iterator over bytes that the caller has walked.
    #[inline]
    pub(crate) fn walked(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    /// The octets that have not been iterated over.
    #[inline]
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The first attribute of a kind.
    #[must_use]
    pub fn find_kind(mut self, kind: AttributeKind) -> Option<Attribute<'a>> {
        self.find(|attribute| attribute.kind == kind)
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    #[inline]
    fn next(&mut self) -> Option<Attribute<'a>> {
        let (attribute, rest) = split(self.rest)?;
        self.rest = rest;
        Some(attribute)
    }
}

/// The attribute at the front, if it is whole.
#[inline]
pub(crate) fn split(block: &[u8]) -> Option<(Attribute<'_>, &[u8])> {
    let (&[flags, kind, len], rest) = block.split_first_chunk()?;
    let (value, rest) = if flags & Attribute::EXTENDED == 0 {
        rest.split_at_checked(usize::from(len))?
    } else {
        let (low, rest) = rest.split_first()?;
        rest.split_at_checked(usize::from(u16::from_be_bytes([len, *low])))?
    };
    Some((Attribute { flags, kind: AttributeKind(kind), value }, rest))
}

/// Why [`split`] found none.
#[cold]
pub(crate) fn cut(block: &[u8]) -> Error {
    let head = if block.first().is_some_and(|flags| flags & Attribute::EXTENDED != 0) { 4 } else { 3 };
    let Some(header) = block.get(..head) else {
        return Error::cut(0, "attribute header", head, block.len());
    };
    let len = header[2..].iter().fold(0, |len, octet| len << 8 | usize::from(*octet));
    Error::cut(head, "attribute value", len, block.len() - head)
}

/// A next hop as MP_REACH carries it: any length, taken apart where it is known.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NextHop<'a>(pub &'a [u8]);

impl fmt::Display for NextHop<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A next hop of a VPN family has a route distinguisher of zero in front (RFC 4364 §4.3.2).
        let addresses: &[&[u8]] = match self.0.len() {
            4 | 16 => &[self.0],
            12 | 24 => &[&self.0[8..]],
            32 => &[&self.0[..16], &self.0[16..]],
            48 => &[&self.0[8..24], &self.0[32..]],
            0 => return f.write_str("none"),
            _ => return crate::show::hex(f, self.0),
        };
        for (at, address) in addresses.iter().enumerate() {
            if at > 0 {
                f.write_str("/")?;
            }
            match **address {
                [a, b, c, d] => write!(f, "{}", Ipv4Addr::new(a, b, c, d))?,
                ref long => {
                    let mut octets = [0; 16];
                    octets.copy_from_slice(long);
                    write!(f, "{}", Ipv6Addr::from(octets))?;
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for NextHop<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What MP_REACH_NLRI says, RFC 4760 §3.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MpReach<'a> {
    /// Whose routes.
    pub family: Family,
    /// Where they lead.
    pub next_hop: NextHop<'a>,
    /// The routes.
    pub nlri: &'a [u8],
}

impl<'a> MpReach<'a> {
    /// Reads an attribute's value.
    ///
    /// # Errors
    /// A value that ends too early.
    #[inline]
    pub fn parse(value: &'a [u8]) -> Result<Self, Error> {
        let mut cursor = Cursor::new(value);
        let &[a, b, safi, next_hop_len] = cursor.array("MP_REACH family and next hop length")?;
        let next_hop = cursor.take(usize::from(next_hop_len), "MP_REACH next hop")?;
        cursor.u8("MP_REACH reserved octet")?;
        let family = Family::new(u16::from_be_bytes([a, b]), safi);
        Ok(Self { family, next_hop: NextHop(next_hop), nlri: cursor.rest() })
    }

    /// Octets of the attribute's value in front of the NLRI.
    pub(crate) fn nlri_offset(&self) -> usize {
        2 + 1 + 1 + self.next_hop.0.len() + 1
    }
}

/// What MP_UNREACH_NLRI says, RFC 4760 §4.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MpUnreach<'a> {
    /// Whose routes.
    pub family: Family,
    /// The routes.
    pub nlri: &'a [u8],
}

impl<'a> MpUnreach<'a> {
    /// Octets of the attribute's value in front of the NLRI.
    pub(crate) const NLRI_OFFSET: usize = 3;

    /// Reads an attribute's value.
    ///
    /// # Errors
    /// A value that ends too early.
    #[inline]
    pub fn parse(value: &'a [u8]) -> Result<Self, Error> {
        let mut cursor = Cursor::new(value);
        let &[a, b, safi] = cursor.array("MP_UNREACH family")?;
        Ok(Self { family: Family::new(u16::from_be_bytes([a, b]), safi), nlri: cursor.rest() })
    }
}

/// The segments of AS_PATH or AS4_PATH, RFC 4271 §4.3 and RFC 5065.
#[derive(Clone, Copy, Debug)]
pub struct AsPath<'a> {
    rest: &'a [u8],
    as_len: usize,
}

impl<'a> AsPath<'a> {
    /// Walks the value of an AS_PATH with AS numbers of four octets, or of two.
    ///
    /// # Errors
    /// A segment that runs past the value.
    pub fn parse(value: &'a [u8], four_octets: bool) -> Result<Self, Error> {
        let path = Self { rest: value, as_len: if four_octets { 4 } else { 2 } };
        let mut cursor = Cursor::new(value);
        while !cursor.is_empty() {
            let &[_, count] = cursor.array("AS_PATH segment header")?;
            cursor.take(usize::from(count) * path.as_len, "AS_PATH segment")?;
        }
        Ok(path)
    }
}

impl<'a> Iterator for AsPath<'a> {
    type Item = AsSegment<'a>;

    fn next(&mut self) -> Option<AsSegment<'a>> {
        let (&[kind, count], rest) = self.rest.split_first_chunk()?;
        let (numbers, rest) = rest.split_at_checked(usize::from(count) * self.as_len)?;
        self.rest = rest;
        Some(AsSegment { kind, numbers, as_len: self.as_len })
    }
}

/// One segment of an AS path.
#[derive(Clone, Copy, Debug)]
pub struct AsSegment<'a> {
    /// 1 set, 2 sequence, 3 confederation sequence, 4 confederation set.
    pub kind: u8,
    numbers: &'a [u8],
    as_len: usize,
}

impl<'a> AsSegment<'a> {
    /// Its AS numbers.
    pub fn numbers(&self) -> impl Iterator<Item = u32> + use<'a> {
        self.numbers
            .chunks_exact(self.as_len)
            .map(|octets| octets.iter().fold(0, |number, octet| number << 8 | u32::from(*octet)))
    }
}
