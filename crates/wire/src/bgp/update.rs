//! UPDATE, taken apart.
//!
//! ```text
//!  withdrawn routes │ attributes: … MP_UNREACH … MP_REACH … │ NLRI
//!     Part 1                         Part 2        Part 3       Part 4
//! ```
//!
//! Parts come in the order in which they take effect: what is withdrawn first, so that a route that
//! stands in both ends up announced (RFC 4271 §4.3).

use super::attribute::{self, Attribute, AttributeKind, Attributes, MpReach, MpUnreach, NextHop};
use super::{Dialect, HEADER_LEN, Pdu, PduKind, View};
use crate::cursor::Out;
use crate::error::Fault;
use crate::nlri::Routes;
use crate::{Error, Family, Overflow};

/// An UPDATE whose lengths have all been checked, those inside NLRI apart.
#[derive(Clone, Copy, Debug)]
pub struct Update<'a> {
    withdrawn: &'a [u8],
    attributes: &'a [u8],
    nlri: &'a [u8],
    reach: Option<(MpReach<'a>, usize)>,
    unreach: Option<(MpUnreach<'a>, usize)>,
}

/// What happens to the routes of a part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// They are gone.
    Withdraw,
    /// They are there, with the attributes of the UPDATE.
    Announce,
}

/// The routes of one field of an UPDATE.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Part<'a> {
    /// What happens to them.
    pub action: Action,
    /// Their family.
    pub family: Family,
    /// Whether MP_REACH or MP_UNREACH holds them, and not the fields of RFC 4271.
    pub multiprotocol: bool,
    /// Their bytes.
    pub nlri: &'a [u8],
    /// Where those stand, from the start of the message.
    pub offset: usize,
}

impl<'a> Part<'a> {
    /// The routes, as peers that speak this dialect mean them.
    ///
    /// # Errors
    /// See [`Routes::check`]; offsets count from the start of the message.
    #[inline]
    pub fn routes(&self, dialect: &Dialect, view: View) -> Result<Routes<'a>, Error> {
        Routes::check(self.family, dialect.reading(view, self.family, self.action), self.nlri)
            .map_err(|error| error.within(self.offset))
    }
}

impl<'a> Update<'a> {
    /// Takes an UPDATE apart. NLRI are left to [`Part::routes`].
    ///
    /// # Errors
    /// Another kind of message, a length that runs past its container, or MP_REACH or MP_UNREACH
    /// twice. Offsets count from the start of the message.
    #[inline]
    pub fn parse(pdu: Pdu<'a>) -> Result<Self, Error> {
        pdu.expect(PduKind::UPDATE, "BGP type")?;
        let bytes = pdu.bytes();
        let (withdrawn, rest) = counted(bytes, HEADER_LEN, "withdrawn routes")?;
        let attributes_at = HEADER_LEN + 2 + withdrawn.len();
        let (attributes, nlri) = counted(rest, 0, "path attributes").map_err(|e| e.within(attributes_at))?;
        let mut update = Self { withdrawn, attributes, nlri, reach: None, unreach: None };
        let base = attributes_at + 2;
        let mut rest = attributes;
        while !rest.is_empty() {
            let Some((attribute, tail)) = attribute::split(rest) else {
                return Err(attribute::cut(rest).within(base + attributes.len() - rest.len()));
            };
            if matches!(attribute.kind, AttributeKind::MP_REACH | AttributeKind::MP_UNREACH) {
                let value_at = base + attributes.len() - tail.len() - attribute.value.len();
                update.multiprotocol(attribute, value_at)?;
            }
            rest = tail;
        }
        Ok(update)
    }

    fn multiprotocol(&mut self, attribute: Attribute<'a>, at: usize) -> Result<(), Error> {
        let twice = |what| Err(Error { offset: at, fault: Fault::Twice { what } });
        if attribute.kind == AttributeKind::MP_REACH {
            let reach = MpReach::parse(attribute.value).map_err(|error| error.within(at))?;
            if self.reach.replace((reach, at + reach.nlri_offset())).is_some() {
                return twice("MP_REACH");
            }
        } else {
            let unreach = MpUnreach::parse(attribute.value).map_err(|error| error.within(at))?;
            if self.unreach.replace((unreach, at + MpUnreach::NLRI_OFFSET)).is_some() {
                return twice("MP_UNREACH");
            }
        }
        Ok(())
    }

    /// Its attributes, in order.
    #[inline]
    #[must_use]
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes::walked(self.attributes)
    }

    /// The fields that hold routes, in the order in which they take effect. Empty fields of
    /// RFC 4271 are left out; MP_REACH and MP_UNREACH are there if the attribute is.
    #[inline]
    #[must_use]
    pub fn parts(&self) -> Parts<'_, 'a> {
        Parts { update: self, at: 0 }
    }

    /// The next hop of MP_REACH, if there is one.
    #[must_use]
    pub fn mp_next_hop(&self) -> Option<NextHop<'a>> {
        self.reach.map(|(reach, _)| reach.next_hop)
    }

    /// The family that this UPDATE ends the dump of, in either form (RFC 4724 §2): no routes and no
    /// attributes at all, or nothing but an MP_UNREACH without routes.
    #[must_use]
    pub fn end_of_rib(&self) -> Option<Family> {
        if !self.withdrawn.is_empty() || !self.nlri.is_empty() {
            return None;
        }
        if self.attributes.is_empty() {
            return Some(Family::IPV4_UNICAST);
        }
        let mut attributes = self.attributes();
        match (self.unreach, attributes.next(), attributes.next()) {
            (Some((mp, _)), Some(_), None) if mp.nlri.is_empty() => Some(mp.family),
            _ => None,
        }
    }

    /// The attribute block of an announced part: what its routes share, next hop in, NLRI out.
    ///
    /// A block is a list of attributes as they came, without MP_UNREACH. That of a multiprotocol
    /// part begins with an MP_REACH that ends where its NLRI would begin; that of a plain part has no
    /// MP_REACH. [`Announce`](super::Announce) takes it back in. Borrows from the message where the
    /// block stands there in one run, and is put together in `scratch` where it does not.
    ///
    /// # Errors
    /// `scratch` is too small; as many octets as the message has are always enough.
    pub fn block<'s>(&self, part: &Part<'_>, scratch: &'s mut [u8]) -> Result<&'s [u8], Overflow>
    where
        'a: 's,
    {
        if !part.multiprotocol && self.reach.is_none() && self.unreach.is_none() {
            return Ok(self.attributes);
        }
        let mut out = Out::new(scratch);
        if part.multiprotocol
            && let Some((reach, _)) = self.reach
        {
            put_mp_reach_stub(&mut out, reach.family, reach.next_hop)?;
        }
        put_others(&mut out, self.attributes())?;
        Ok(out.written())
    }
}

/// The fields of an UPDATE that hold routes. Each is made when it is asked for: collecting them
/// first cost a fifth of the whole walk, in copies.
#[derive(Clone, Debug)]
pub struct Parts<'u, 'a> {
    update: &'u Update<'a>,
    at: u8,
}

impl<'a> Iterator for Parts<'_, 'a> {
    type Item = Part<'a>;

    #[inline]
    fn next(&mut self) -> Option<Part<'a>> {
        use Action::{Announce, Withdraw};
        let update = self.update;
        let plain = |nlri: &'a [u8], action, offset| {
            Some(Part { action, family: Family::IPV4_UNICAST, multiprotocol: false, nlri, offset })
        };
        let multiprotocol =
            |nlri, family, action, offset| Some(Part { action, family, multiprotocol: true, nlri, offset });
        let withdrawn_at = HEADER_LEN + 2;
        loop {
            self.at += 1;
            match self.at {
                1 if !update.withdrawn.is_empty() => return plain(update.withdrawn, Withdraw, withdrawn_at),
                2 if let Some((mp, at)) = update.unreach => {
                    return multiprotocol(mp.nlri, mp.family, Withdraw, at);
                }
                3 if let Some((mp, at)) = update.reach => {
                    return multiprotocol(mp.nlri, mp.family, Announce, at);
                }
                4 if !update.nlri.is_empty() => {
                    let nlri_at = withdrawn_at + update.withdrawn.len() + 2 + update.attributes.len();
                    return plain(update.nlri, Announce, nlri_at);
                }
                1..=4 => {}
                _ => {
                    self.at = 4;
                    return None;
                }
            }
        }
    }
}

/// Writes all attributes but those that hold NLRI, octet for octet.
pub(crate) fn put_others(out: &mut Out<'_>, mut attributes: Attributes<'_>) -> Result<(), Overflow> {
    loop {
        let before = attributes.rest();
        let Some(attribute) = attributes.next() else { return Ok(()) };
        if !matches!(attribute.kind, AttributeKind::MP_REACH | AttributeKind::MP_UNREACH) {
            out.put(&before[..before.len() - attributes.rest().len()])?;
        }
    }
}

/// Writes an MP_REACH that ends where its NLRI would begin.
pub(crate) fn put_mp_reach_stub(
    out: &mut Out<'_>,
    family: Family,
    next_hop: NextHop<'_>,
) -> Result<(), Overflow> {
    let NextHop(next_hop) = next_hop;
    let len = crate::cursor::fit_u16("MP_REACH length", 5 + next_hop.len())?;
    // The flags every implementation sends; the extended length leaves room for NLRI.
    out.put(&[Attribute::OPTIONAL | Attribute::EXTENDED, AttributeKind::MP_REACH.0])?;
    out.u16(len)?;
    out.u16(family.afi)?;
    out.put(&[family.safi, crate::cursor::fit_u8("next hop length", next_hop.len())?])?;
    out.put(next_hop)?;
    out.u8(0)
}

/// A field behind its two octets of length, and what follows it.
#[inline]
fn counted<'a>(bytes: &'a [u8], at: usize, what: &'static str) -> Result<(&'a [u8], &'a [u8]), Error> {
    let Some(&[high, low]) = bytes.get(at..).and_then(|rest| rest.first_chunk()) else {
        return Err(Error::cut(at, what, 2, bytes.len() - at));
    };
    let len = usize::from(u16::from_be_bytes([high, low]));
    bytes[at + 2..].split_at_checked(len).ok_or_else(|| Error::cut(at + 2, what, len, bytes.len() - at - 2))
}
