//! UPDATEs for catch-up: as few and as full as fit.
//!
//! ```text
//!  Announce::open(buffer, family, block)   header │ 0 │ attributes, MP_REACH first │
//!    push(route) push(route) … refused                                  NLRI NLRI …
//!    close()                                          ◄── the rest of the block, lengths set
//! ```
//!
//! The buffer's length is the limit: give 4096 octets, or 65535 where the peers have extended
//! messages (RFC 8654). A refused route is the caller's still; it goes into the next UPDATE. One that
//! an UPDATE without routes refuses cannot be sent within the limit at all.
//!
//! * **MP_REACH first** as RFC 7606 §5.1 asks. NLRI are written where they belong while the
//!   attributes that follow them wait in the caller's block, so nothing is ever moved.
//! * **room kept**      for those attributes, so that `push` refuses what would leave too little.

use super::attribute::{Attribute, AttributeKind, MpReach, attributes};
use super::{EXTENDED_MESSAGE_MAX, HEADER_LEN, PduKind, close_pdu, open_pdu};
use crate::cursor::Out;
use crate::nlri::{self, PathId};
use crate::{Family, Overflow};

/// One route to be written: what [`nlri::Entry`] gave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Route<'a> {
    /// Its path id, where ADD-PATH is on.
    pub path_id: Option<PathId>,
    /// Its key.
    pub key: &'a [u8],
    /// What else its announcement carries; of no use in a withdrawal.
    pub payload: &'a [u8],
}

/// An UPDATE that announces routes of one family with one block of attributes.
pub struct Announce<'a> {
    out: Out<'a>,
    family: Family,
    /// Attributes that follow the NLRI.
    tail: &'a [u8],
    /// Where the length of all attributes stands.
    attributes_at: usize,
    /// Where MP_REACH has its length, if there is one.
    reach_at: Option<usize>,
    routes: usize,
}

impl<'a> Announce<'a> {
    /// Begins an UPDATE in `buffer`, whose length is the limit.
    ///
    /// `block` is what [`Update::block`](super::Update::block) gives: a family other than IPv4
    /// unicast needs the MP_REACH in front, and IPv4 unicast is written as it came, with or without.
    ///
    /// # Errors
    /// The block alone does not fit.
    ///
    /// # Panics
    /// If `block` is no list of attributes, or does not begin with the MP_REACH that its family
    /// needs: a bug in the caller.
    pub fn open(buffer: &'a mut [u8], family: Family, block: &'a [u8]) -> Result<Self, Overflow> {
        let limit = buffer.len().min(EXTENDED_MESSAGE_MAX);
        let mut out = Out::new(&mut buffer[..limit]);
        open_pdu(&mut out, PduKind::UPDATE)?;
        out.u16(0)?;
        let attributes_at = out.len();
        out.u16(0)?;
        let mut rest = attributes(block).expect("a block is a list of attributes");
        let reach = rest.next().filter(|first| first.kind == AttributeKind::MP_REACH);
        let stub = reach.map(|reach| MpReach::parse(reach.value));
        assert!(
            match stub {
                Some(stub) => stub.is_ok_and(|stub| stub.family == family && stub.nlri.is_empty()),
                None => family == Family::IPV4_UNICAST,
            },
            "the block of {family} begins with its MP_REACH, without NLRI"
        );
        let mut announce = Self { out, family, tail: block, attributes_at, reach_at: None, routes: 0 };
        match reach {
            Some(reach) => {
                announce.out.put(&[reach.flags | Attribute::EXTENDED, reach.kind.0])?;
                announce.reach_at = Some(announce.out.len());
                announce.out.counted("MP_REACH length", reach.value)?;
                announce.tail = rest.rest();
                announce.out.keep(announce.tail.len())?;
            }
            // RFC 4271's own fields: the routes come last, nothing follows them.
            None => {
                announce.out.counted_at(attributes_at, "path attributes", block)?;
                announce.tail = &[];
            }
        }
        Ok(announce)
    }

    /// Adds a route.
    ///
    /// # Errors
    /// It does not fit any more: close this UPDATE and open another one.
    ///
    /// # Panics
    /// If the key is not one of this family: a bug in the caller.
    #[inline]
    pub fn push(&mut self, route: &Route<'_>) -> Result<(), Overflow> {
        put_route(&mut self.out, self.family, route)?;
        self.routes += 1;
        Ok(())
    }

    /// How many routes it has.
    #[must_use]
    pub fn routes(&self) -> usize {
        self.routes
    }

    /// Ends the UPDATE and gives its length.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "open keeps the room that close needs")]
    pub fn close(mut self) -> usize {
        if let Some(at) = self.reach_at {
            let value = self.out.len() - at - 2;
            self.out.patch(at, &short(value));
            self.out.release();
            self.out.put(self.tail).expect("open kept the room");
            let attributes = self.out.len() - self.attributes_at - 2;
            self.out.patch(self.attributes_at, &short(attributes));
        }
        close_pdu(&mut self.out).expect("open limits the buffer")
    }
}

/// An UPDATE that withdraws routes of one family.
pub struct Withdraw<'a> {
    out: Out<'a>,
    family: Family,
    routes: usize,
}

/// Where the fields of a withdrawing UPDATE stand.
const WITHDRAWN_AT: usize = HEADER_LEN;
const ATTRIBUTES_AT: usize = HEADER_LEN + 2;
const UNREACH_AT: usize = ATTRIBUTES_AT + 2 + 2;

impl<'a> Withdraw<'a> {
    /// Begins an UPDATE in `buffer`, whose length is the limit.
    ///
    /// # Errors
    /// Not even an empty one fits.
    pub fn open(buffer: &'a mut [u8], family: Family) -> Result<Self, Overflow> {
        let limit = buffer.len().min(EXTENDED_MESSAGE_MAX);
        let mut out = Out::new(&mut buffer[..limit]);
        open_pdu(&mut out, PduKind::UPDATE)?;
        out.u16(0)?;
        if family == Family::IPV4_UNICAST {
            // Behind the routes stands the length of no attributes.
            out.keep(2)?;
        } else {
            put_mp_unreach(&mut out, family)?;
        }
        Ok(Self { out, family, routes: 0 })
    }

    /// Adds a route.
    ///
    /// # Errors
    /// It does not fit any more: close this UPDATE and open another one.
    ///
    /// # Panics
    /// If the key is not one of this family: a bug in the caller.
    #[inline]
    pub fn push(&mut self, path_id: Option<PathId>, key: &[u8]) -> Result<(), Overflow> {
        let payload = nlri::withdrawal_payload(self.family, key);
        put_route(&mut self.out, self.family, &Route { path_id, key, payload })?;
        self.routes += 1;
        Ok(())
    }

    /// How many routes it has.
    #[must_use]
    pub fn routes(&self) -> usize {
        self.routes
    }

    /// Ends the UPDATE and gives its length. One without routes is the End-of-RIB of its family.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "open keeps the room that close needs")]
    pub fn close(mut self) -> usize {
        let len = self.out.len();
        if self.family == Family::IPV4_UNICAST {
            self.out.patch(WITHDRAWN_AT, &short(len - WITHDRAWN_AT - 2));
            self.out.release();
            self.out.u16(0).expect("open kept the room");
        } else {
            self.out.patch(ATTRIBUTES_AT, &short(len - ATTRIBUTES_AT - 2));
            self.out.patch(UNREACH_AT, &short(len - UNREACH_AT - 2));
        }
        close_pdu(&mut self.out).expect("open limits the buffer")
    }
}

fn put_mp_unreach(out: &mut Out<'_>, family: Family) -> Result<(), Overflow> {
    out.u16(0)?;
    out.put(&[Attribute::OPTIONAL | Attribute::EXTENDED, AttributeKind::MP_UNREACH.0])?;
    out.u16(0)?;
    out.u16(family.afi)?;
    out.u8(family.safi)
}

/// A path id, if there is one, and an entry: whole or not at all.
#[inline]
fn put_route(out: &mut Out<'_>, family: Family, route: &Route<'_>) -> Result<(), Overflow> {
    let before = out.len();
    let put = match route.path_id {
        Some(PathId(id)) => out.u32(id),
        None => Ok(()),
    };
    put.and_then(|()| nlri::put(out, family, route.key, route.payload)).inspect_err(|_| out.truncate(before))
}

/// A length inside a message of at most 65535 octets.
#[expect(clippy::cast_possible_truncation, reason = "open limits the buffer to EXTENDED_MESSAGE_MAX")]
fn short(len: usize) -> [u8; 2] {
    (len as u16).to_be_bytes()
}

/// Writes the End-of-RIB of a family, RFC 4724 §2, and says how long it is: 23 octets for IPv4
/// unicast, 29 for all others.
///
/// # Errors
/// The buffer is too small.
pub fn end_of_rib(buffer: &mut [u8], family: Family) -> Result<usize, Overflow> {
    let mut out = Out::new(buffer);
    open_pdu(&mut out, PduKind::UPDATE)?;
    out.u16(0)?;
    if family == Family::IPV4_UNICAST {
        out.u16(0)?;
    } else {
        out.u16(6)?;
        out.put(&[Attribute::OPTIONAL, AttributeKind::MP_UNREACH.0, 3])?;
        out.u16(family.afi)?;
        out.u8(family.safi)?;
    }
    close_pdu(&mut out)
}

/// Writes a KEEPALIVE and says how long it is.
///
/// # Errors
/// The buffer is too small.
pub fn keepalive(buffer: &mut [u8]) -> Result<usize, Overflow> {
    let mut out = Out::new(buffer);
    open_pdu(&mut out, PduKind::KEEPALIVE)?;
    close_pdu(&mut out)
}

/// Writes a ROUTE-REFRESH and says how long it is.
///
/// # Errors
/// The buffer is too small.
pub fn route_refresh(
    buffer: &mut [u8],
    family: Family,
    subtype: u8,
    filters: &[u8],
) -> Result<usize, Overflow> {
    let mut out = Out::new(buffer);
    open_pdu(&mut out, PduKind::ROUTE_REFRESH)?;
    out.u16(family.afi)?;
    out.put(&[subtype, family.safi])?;
    out.put(filters)?;
    close_pdu(&mut out)
}
