//! Address families, and how the NLRI of each stand one after another.
//!
//! One table says everything that differs by family; framing, keys, display and the sets below
//! read it. A family outside the table is carried, named by its numbers and never taken apart.

use std::fmt;

/// An address family: AFI and SAFI as on the wire. Unknown pairs survive untouched.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Family {
    /// Address family identifier.
    pub afi: u16,
    /// Subsequent address family identifier.
    pub safi: u8,
}

/// How the NLRI of a family stand one after another (RFC numbers in the table below).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Framing {
    /// Length in bits, prefix.
    Prefix,
    /// Length in bits, labels, prefix.
    Labelled,
    /// Length in bits, labels, route distinguisher, prefix.
    Vpn,
    /// Length in bits, then a value that is the key as it stands.
    Bits {
        /// The least length in bits, zero apart.
        least: u8,
        /// The most.
        most: u8,
        /// Whether a length of zero is allowed as well (the default route target of RFC 4684).
        zero: bool,
    },
    /// One octet of type, one of length, value.
    TypeLength,
    /// The same with EVPN's per-type keys.
    Evpn,
    /// Two octets of length in octets, value.
    Vpls,
    /// One octet of length below 240, else two (`0xfnnn`), value.
    Flow,
    /// Two octets of type, two of length, value.
    LinkState,
    /// One octet of architecture, two of type, one of length, value.
    Mup,
}

/// One row of the table.
struct Row {
    family: Family,
    name: &'static str,
    framing: Framing,
}

const fn row(afi: u16, safi: u8, name: &'static str, framing: Framing) -> Row {
    Row { family: Family { afi, safi }, name, framing }
}

const fn bits(least: u8, most: u8) -> Framing {
    Framing::Bits { least, most, zero: false }
}

/// Every family that can be taken apart. The position of a row is the family's index in a
/// [`FamilySet`], so [`Family::index`] and this table list them in the same order (tested).
const TABLE: [Row; 30] = [
    row(1, 1, "ipv4-unicast", Framing::Prefix),
    row(2, 1, "ipv6-unicast", Framing::Prefix),
    row(1, 2, "ipv4-multicast", Framing::Prefix),
    row(2, 2, "ipv6-multicast", Framing::Prefix),
    row(1, 4, "ipv4-labelled", Framing::Labelled), // RFC 8277
    row(2, 4, "ipv6-labelled", Framing::Labelled),
    row(1, 5, "ipv4-mvpn", Framing::TypeLength), // RFC 6514
    row(2, 5, "ipv6-mvpn", Framing::TypeLength),
    row(1, 66, "ipv4-mdt", bits(128, 128)), // RFC 6037: RD, source, group
    row(1, 73, "ipv4-sr-policy", bits(96, 96)), // RFC 9830: distinguisher, colour, endpoint
    row(2, 73, "ipv6-sr-policy", bits(192, 192)),
    row(1, 76, "ipv4-transport-class", Framing::Vpn), // RFC 9832
    row(2, 76, "ipv6-transport-class", Framing::Vpn),
    row(1, 85, "ipv4-mup", Framing::Mup), // draft-ietf-bess-mup-safi
    row(2, 85, "ipv6-mup", Framing::Mup),
    row(1, 128, "ipv4-vpn", Framing::Vpn), // RFC 4364, RFC 4659
    row(2, 128, "ipv6-vpn", Framing::Vpn),
    // RFC 6514 has no label here, GoBGP writes one: the value is the key as it stands.
    row(1, 129, "ipv4-vpn-multicast", bits(64, 255)),
    row(2, 129, "ipv6-vpn-multicast", bits(64, 255)),
    row(1, 132, "route-target", Framing::Bits { least: 32, most: 96, zero: true }), // RFC 4684
    row(1, 133, "ipv4-flowspec", Framing::Flow),                                    // RFC 8955, RFC 8956
    row(2, 133, "ipv6-flowspec", Framing::Flow),
    row(1, 134, "ipv4-flowspec-vpn", Framing::Flow),
    row(2, 134, "ipv6-flowspec-vpn", Framing::Flow),
    row(25, 65, "l2vpn-vpls", Framing::Vpls), // RFC 4761, RFC 6074
    row(25, 70, "l2vpn-evpn", Framing::Evpn), // RFC 7432, RFC 9136
    row(25, 133, "l2vpn-flowspec", Framing::Flow),
    row(25, 134, "l2vpn-flowspec-vpn", Framing::Flow),
    row(16388, 71, "link-state", Framing::LinkState), // RFC 9552
    row(16388, 72, "link-state-vpn", Framing::LinkState),
];

impl Family {
    /// The family that UPDATE has fields of its own for.
    pub const IPV4_UNICAST: Self = Self::new(1, 1);
    /// IPv6 unicast.
    pub const IPV6_UNICAST: Self = Self::new(2, 1);

    /// The family with these numbers, known or not.
    #[must_use]
    pub const fn new(afi: u16, safi: u8) -> Self {
        Self { afi, safi }
    }

    /// Every family that can be taken apart, in the order of [`Family::index`].
    pub fn known() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.family)
    }

    /// A dense number for a known family.
    #[inline]
    #[must_use]
    pub const fn index(self) -> Option<usize> {
        Some(match (self.afi, self.safi) {
            (1, 1) => 0,
            (2, 1) => 1,
            (1, 2) => 2,
            (2, 2) => 3,
            (1, 4) => 4,
            (2, 4) => 5,
            (1, 5) => 6,
            (2, 5) => 7,
            (1, 66) => 8,
            (1, 73) => 9,
            (2, 73) => 10,
            (1, 76) => 11,
            (2, 76) => 12,
            (1, 85) => 13,
            (2, 85) => 14,
            (1, 128) => 15,
            (2, 128) => 16,
            (1, 129) => 17,
            (2, 129) => 18,
            (1, 132) => 19,
            (1, 133) => 20,
            (2, 133) => 21,
            (1, 134) => 22,
            (2, 134) => 23,
            (25, 65) => 24,
            (25, 70) => 25,
            (25, 133) => 26,
            (25, 134) => 27,
            (16388, 71) => 28,
            (16388, 72) => 29,
            _ => return None,
        })
    }

    /// How its NLRI stand one after another; `None` for a family that cannot be taken apart.
    #[inline]
    #[must_use]
    pub const fn framing(self) -> Option<Framing> {
        match self.index() {
            Some(index) => Some(TABLE[index].framing),
            None => None,
        }
    }

    /// Its name, if it has one here.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self.index() {
            Some(index) => Some(TABLE[index].name),
            None => None,
        }
    }

    /// The most bits a prefix of this family can have.
    #[inline]
    #[must_use]
    pub(crate) const fn address_bits(self) -> usize {
        if self.afi == 1 { 32 } else { 128 }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => write!(f, "afi-{}-safi-{}", self.afi, self.safi),
        }
    }
}

impl fmt::Debug for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A set of known families. Families outside the table are never members: nothing can be asked
/// of them that depends on one.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct FamilySet(u32);

const _: () = assert!(TABLE.len() <= 32, "a FamilySet has a bit for each family");

impl FamilySet {
    /// Adds a family; one outside the table is passed over.
    pub fn insert(&mut self, family: Family) {
        if let Some(index) = family.index() {
            self.0 |= 1 << index;
        }
    }

    /// Whether the family is a member.
    #[inline]
    #[must_use]
    pub const fn contains(self, family: Family) -> bool {
        // Nearly always nobody is: the answer then costs no look at the table.
        self.0 != 0
            && match family.index() {
                Some(index) => self.0 & (1 << index) != 0,
                None => false,
            }
    }

    /// Members of either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Members of both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether it has no member.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its members, in the order of [`Family::index`].
    pub fn iter(self) -> impl Iterator<Item = Family> {
        Family::known().filter(move |family| self.contains(*family))
    }
}

impl fmt::Debug for FamilySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl FromIterator<Family> for FamilySet {
    fn from_iter<I: IntoIterator<Item = Family>>(families: I) -> Self {
        let mut set = Self::default();
        families.into_iter().for_each(|family| set.insert(family));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_and_table_agree() {
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(row.family.index(), Some(index), "{}", row.name);
        }
        let known = (0..=u16::MAX)
            .flat_map(|afi| (0..=u8::MAX).map(move |safi| Family::new(afi, safi)))
            .filter(|family| family.index().is_some());
        assert_eq!(known.count(), TABLE.len());
    }

    #[test]
    fn sets() {
        let mut set: FamilySet = [Family::new(25, 70), Family::new(9, 9)].into_iter().collect();
        assert_eq!(format!("{set:?}"), "{l2vpn-evpn}");
        set.insert(Family::IPV4_UNICAST);
        assert!(set.contains(Family::IPV4_UNICAST) && !set.contains(Family::new(9, 9)));
        assert_eq!(format!("{:?}", set.iter().collect::<Vec<_>>()), "[ipv4-unicast, l2vpn-evpn]");
        assert_eq!(Family::new(9, 9).to_string(), "afi-9-safi-9");
    }
}
