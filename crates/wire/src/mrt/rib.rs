//! The RIB records of TABLE_DUMP_V2, RFC 6396 §4.3.2 to §4.3.4 and RFC 8050 §4: one route, and the
//! path of every peer that has one.
//!
//! ```text
//!  sequence 4 │ [AFI 2 │ SAFI 1, generic] │ NLRI │ count 2 │ entries
//!        entry:  peer 2 │ originated 4 │ [path id 4, ADD-PATH] │ length 2 │ attributes
//! ```
//!
//! In the generic record with ADD-PATH the path id stands in front of the NLRI, once for all
//! entries; [`RibEntry::path_id`] has it from either place.

use super::{Path, PeerIndex, Record};
use crate::nlri::{self, Labels, PathId, Reading};
use crate::{Error, Family};

/// Octets of an entry in front of its attributes, without a path id.
const ENTRY_HEAD: usize = 2 + 4 + 2;

/// A route, and every path to it.
#[derive(Clone, Copy, Debug)]
pub struct Rib<'a> {
    /// Counts records from 0.
    pub sequence: u32,
    /// The family of the route.
    pub family: Family,
    /// The route.
    pub nlri: nlri::Entry<'a>,
    entries: RibEntries<'a>,
}

impl<'a> Rib<'a> {
    #[inline]
    pub(super) fn parse(record: Record<'a>) -> Result<Self, Error> {
        let mut cursor = record.cursor()?;
        let sequence = cursor.u32("sequence number")?;
        let subtype = record.subtype().0;
        let family = match subtype {
            2 | 8 => Family::IPV4_UNICAST,
            3 | 9 => Family::new(1, 2),
            4 | 10 => Family::IPV6_UNICAST,
            5 | 11 => Family::new(2, 2),
            _ => {
                let &[a, b, safi] = cursor.array("AFI and SAFI")?;
                Family::new(u16::from_be_bytes([a, b]), safi)
            }
        };
        let (nlri, rest) =
            one_route(family, subtype == 12, cursor.rest()).map_err(|error| error.within(cursor.offset()))?;
        cursor.take(cursor.rest().len() - rest.len(), "NLRI entry")?;
        let count = cursor.u16("entry count")?;
        let add_path = matches!(subtype, 8..=11);
        let entries = RibEntries {
            rest: cursor.rest(),
            offset: cursor.offset(),
            count,
            add_path,
            path_id: nlri.path_id(),
            family,
        };
        let head = if add_path { ENTRY_HEAD + 4 } else { ENTRY_HEAD };
        for _ in 0..count {
            let entry = cursor.take(head, "RIB entry")?;
            let len = u16::from_be_bytes([entry[head - 2], entry[head - 1]]);
            cursor.take(usize::from(len), "RIB entry attributes")?;
        }
        cursor.end("RIB entries")?;
        Ok(Self { sequence, family, nlri, entries })
    }

    /// The paths, in order.
    #[inline]
    #[must_use]
    pub fn entries(&self) -> RibEntries<'a> {
        self.entries
    }
}

/// The route at the front. A dump does not say whether its labels are a stack: where the first is
/// not the bottom of one, a stack is tried, and one label is what remains.
#[inline]
pub(super) fn one_route(
    family: Family,
    add_path: bool,
    bytes: &[u8],
) -> Result<(nlri::Entry<'_>, &[u8]), Error> {
    nlri::check_one(family, Reading { add_path, labels: Labels::Stack }, bytes)
        .or_else(|_| nlri::check_one(family, Reading { add_path, labels: Labels::One }, bytes))
}

/// Iterates over the paths to a route; all lengths have been walked.
#[derive(Clone, Copy, Debug)]
pub struct RibEntries<'a> {
    rest: &'a [u8],
    /// Where `rest` begins, from the start of the record.
    offset: usize,
    count: u16,
    add_path: bool,
    /// The one that stands with the NLRI.
    path_id: Option<PathId>,
    family: Family,
}

impl<'a> Iterator for RibEntries<'a> {
    type Item = RibEntry<'a>;

    #[inline]
    fn next(&mut self) -> Option<RibEntry<'a>> {
        self.count = self.count.checked_sub(1)?;
        let (&[p, q, a, b, c, d], rest) = self.rest.split_first_chunk()?;
        let (path_id, rest) = if self.add_path {
            let (id, rest) = rest.split_first_chunk()?;
            (Some(PathId(u32::from_be_bytes(*id))), rest)
        } else {
            (self.path_id, rest)
        };
        let (len, rest) = rest.split_first_chunk()?;
        let (attributes, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
        let next_offset = self.offset + self.rest.len() - rest.len();
        self.rest = rest;
        self.offset = next_offset;
        Some(RibEntry {
            peer: PeerIndex(u16::from_be_bytes([p, q])),
            originated: u32::from_be_bytes([a, b, c, d]),
            path_id,
            attributes,
            family: self.family,
            attributes_offset: next_offset - attributes.len(),
        })
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.count.into(), Some(self.count.into()))
    }
}

impl ExactSizeIterator for RibEntries<'_> {}

/// One path to a route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RibEntry<'a> {
    /// Whose.
    pub peer: PeerIndex,
    /// When the peer announced it: seconds since 1970.
    pub originated: u32,
    /// Its path id, where ADD-PATH is on.
    pub path_id: Option<PathId>,
    /// Its attributes, not walked: see [`RibEntry::path`].
    pub attributes: &'a [u8],
    family: Family,
    attributes_offset: usize,
}

impl<'a> RibEntry<'a> {
    /// The attributes, walked. AS numbers have four octets, whatever the peer's type says.
    ///
    /// # Errors
    /// An attribute that runs past them, or an MP_REACH that makes no sense; offsets count from the
    /// start of the record.
    #[inline]
    pub fn path(&self) -> Result<Path<'a>, Error> {
        Path::parse(self.family, true, self.attributes).map_err(|error| error.within(self.attributes_offset))
    }
}
