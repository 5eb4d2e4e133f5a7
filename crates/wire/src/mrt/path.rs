//! The attributes of a route in a dump, and the one form in which everything else knows them.
//!
//! A dump names its route outside the attributes, so it has no use for most of MP_REACH, and every
//! writer leaves out something else:
//!
//! ```text
//!  RFC 6396 §4.3.4     length, next hop                          most collectors
//!  RFC 4760            AFI SAFI length, next hop, 0              TABLE_DUMP, some collectors
//!    without the 0     AFI SAFI length, next hop
//!    as received       AFI SAFI length, next hop, 0, NLRI
//!  none at all         IPv4 unicast has NEXT_HOP; in other families a writer has dropped it
//! ```
//!
//! [`Path::block`] gives the second for all but the last of IPv4 unicast, in front of the others:
//! what [`bgp::Update::block`](crate::bgp::Update::block) gives for the UPDATE the route came in.
//!
//! * **told apart** by the first octet: 0 is the high octet of an AFI, any other the length of a
//!   next hop. Of an AFI above 255 the octets are known, for it is that of the record.

use crate::bgp::{self, Attribute, AttributeKind, Attributes, NextHop};
use crate::cursor::{Cursor, Out};
use crate::error::Fault;
use crate::{Error, Family, Overflow};

/// By how many octets, at most, [`Path::block`] is longer than the attributes it was made from: an
/// MP_REACH where there was none, with the next hop that a [`super::BgpEntry`] has elsewhere.
pub const PATH_GROWTH: usize = 9 + u8::MAX as usize;

/// The attributes of a route, all of them walked.
#[derive(Clone, Copy, Debug)]
pub struct Path<'a> {
    /// The family of the route.
    pub family: Family,
    /// Whether the AS numbers of AS_PATH and AGGREGATOR have four octets.
    pub four_octet_as: bool,
    attributes: &'a [u8],
    reach: Option<NextHop<'a>>,
    /// The attributes are the block.
    stands: bool,
}

impl<'a> Path<'a> {
    /// Walks the attributes that a dump has for a route of `family`.
    ///
    /// # Errors
    /// An attribute that runs past them, an MP_REACH that makes no sense, or two of those.
    #[inline]
    pub fn parse(family: Family, four_octet_as: bool, attributes: &'a [u8]) -> Result<Self, Error> {
        let mut walk = bgp::attributes(attributes)?;
        let mut reach = None;
        let mut stands = family == Family::IPV4_UNICAST;
        let mut first = true;
        while let Some(attribute) = walk.next() {
            if attribute.kind == AttributeKind::MP_REACH {
                let at = attributes.len() - walk.rest().len() - attribute.value.len();
                let next_hop = next_hop(family, attribute.value).map_err(|error| error.within(at))?;
                if reach.replace(next_hop).is_some() {
                    return Err(Error { offset: at, fault: Fault::Twice { what: "MP_REACH" } });
                }
                stands = first && is_stub(family, attribute, next_hop);
            } else if attribute.kind == AttributeKind::MP_UNREACH {
                stands = false;
            }
            first = false;
        }
        Ok(Self { family, four_octet_as, attributes, reach, stands })
    }

    /// A next hop that stood elsewhere, for a family that wants one in MP_REACH.
    pub(super) fn or_next_hop(mut self, next_hop: NextHop<'a>) -> Self {
        if self.reach.is_none() && self.family != Family::IPV4_UNICAST {
            self.reach = Some(next_hop);
        }
        self
    }

    /// The attributes as they stand in the dump, with whatever MP_REACH that has.
    #[inline]
    #[must_use]
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes::walked(self.attributes)
    }

    /// The next hop of MP_REACH, if there is one.
    #[inline]
    #[must_use]
    pub fn mp_next_hop(&self) -> Option<NextHop<'a>> {
        self.reach
    }

    /// The attribute block of the route: what [`bgp::Update::block`] gives and [`bgp::Announce`]
    /// takes. Borrows from the dump where the block stands there in one run, and is put together in
    /// `scratch` where it does not.
    ///
    /// A family that needs an MP_REACH and has none gets one without a next hop.
    ///
    /// # Errors
    /// `scratch` is too small; as many octets as the attributes have and [`PATH_GROWTH`] are always
    /// enough.
    pub fn block<'s>(&self, scratch: &'s mut [u8]) -> Result<&'s [u8], Overflow>
    where
        'a: 's,
    {
        if self.stands {
            return Ok(self.attributes);
        }
        let mut out = Out::new(scratch);
        if self.reach.is_some() || self.family != Family::IPV4_UNICAST {
            bgp::put_mp_reach_stub(&mut out, self.family, self.reach.unwrap_or(NextHop(&[])))?;
        }
        bgp::put_others(&mut out, self.attributes())?;
        Ok(out.written())
    }
}

/// The next hop of an MP_REACH in any of the forms above.
fn next_hop(family: Family, value: &[u8]) -> Result<NextHop<'_>, Error> {
    let mut cursor = Cursor::new(value);
    let full = match value {
        [0] => false, // no next hop at all, as flow specifications have it
        [0, ..] => true,
        _ => value.starts_with(&family.afi.to_be_bytes()),
    };
    let len = if full {
        let &[_, _, _, len] = cursor.array("MP_REACH family and next hop length")?;
        len
    } else {
        cursor.u8("MP_REACH next hop length")?
    };
    cursor.take(usize::from(len), "MP_REACH next hop").map(NextHop)
}

/// Whether an MP_REACH is to the octet what [`bgp::put_mp_reach_stub`] writes.
fn is_stub(family: Family, reach: Attribute<'_>, next_hop: NextHop<'_>) -> bool {
    let [a, b] = family.afi.to_be_bytes();
    reach.flags == Attribute::OPTIONAL | Attribute::EXTENDED
        && reach.value.starts_with(&[a, b, family.safi])
        && reach.value.len() == 5 + next_hop.0.len()
        && reach.value.last() == Some(&0)
}
