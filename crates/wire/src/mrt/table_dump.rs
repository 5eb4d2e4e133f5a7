//! TABLE_DUMP, RFC 6396 §4.2: one path of one peer a record, AS numbers of two octets.
//!
//! ```text
//!  view 2 │ sequence 2 │ prefix 4/16 │ bits 1 │ status 1 │ originated 4 │ peer 4/16 │ AS 2
//!  attributes' length 2 │ attributes
//! ```

use std::net::IpAddr;

use super::{Path, Record, take_ip};
use crate::nlri::{self, Reading};
use crate::{Error, Family};

/// Octets that hold any prefix with its length.
pub const NLRI_LEN: usize = 1 + 16;

/// One path of a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TableDump<'a> {
    /// Which table of the writer.
    pub view: u16,
    /// Counts records, and wraps.
    pub sequence: u16,
    /// IPv4 or IPv6 unicast.
    pub family: Family,
    /// The prefix, host bits as they stand.
    pub prefix: IpAddr,
    /// Its length.
    pub bits: u8,
    /// 1, by the standard.
    pub status: u8,
    /// When the peer announced it: seconds since 1970.
    pub originated: u32,
    /// The peer. One writer has IPv4 peers among IPv6 ones, zeros behind the address.
    pub peer_ip: IpAddr,
    /// Its AS number, 23456 where that has four octets.
    pub peer_as: u16,
    /// The attributes, not walked: see [`TableDump::path`].
    pub attributes: &'a [u8],
    attributes_offset: usize,
}

impl<'a> TableDump<'a> {
    #[inline]
    pub(super) fn parse(record: Record<'a>) -> Result<Self, Error> {
        let ipv6 = record.subtype().0 == 2;
        let family = if ipv6 { Family::IPV6_UNICAST } else { Family::IPV4_UNICAST };
        let mut cursor = record.cursor()?;
        let view = cursor.u16("view number")?;
        let sequence = cursor.u16("sequence number")?;
        let prefix = take_ip(&mut cursor, ipv6, "prefix")?;
        let bits_at = cursor.offset();
        let bits = cursor.u8("prefix length")?;
        if usize::from(bits) > family.address_bits() {
            return Err(Error::value(bits_at, "prefix length", bits.into(), 0, family.address_bits()));
        }
        let status = cursor.u8("status")?;
        let originated = cursor.u32("originated time")?;
        let peer_ip = take_ip(&mut cursor, ipv6, "peer address")?;
        let peer_as = cursor.u16("peer AS")?;
        let len = cursor.u16("attributes length")?;
        let attributes_offset = cursor.offset();
        let attributes = cursor.take(usize::from(len), "attributes")?;
        cursor.end("attributes")?;
        Ok(Self {
            view,
            sequence,
            family,
            prefix,
            bits,
            status,
            originated,
            peer_ip,
            peer_as,
            attributes,
            attributes_offset,
        })
    }

    /// The route as an UPDATE would name it, which is not how it stands here.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "parse has checked the length")]
    pub fn nlri<'s>(&self, scratch: &'s mut [u8; NLRI_LEN]) -> nlri::Entry<'s> {
        scratch[0] = self.bits;
        match self.prefix {
            IpAddr::V4(prefix) => scratch[1..5].copy_from_slice(&prefix.octets()),
            IpAddr::V6(prefix) => scratch[1..].copy_from_slice(&prefix.octets()),
        }
        let (entry, _) = nlri::check_one(self.family, Reading::default(), scratch)
            .expect("scratch has the octets of the longest prefix");
        entry
    }

    /// The attributes, walked. AS numbers have two octets; AS4_PATH says more, where it is.
    ///
    /// # Errors
    /// An attribute that runs past them, or an MP_REACH that makes no sense; offsets count from the
    /// start of the record.
    #[inline]
    pub fn path(&self) -> Result<Path<'a>, Error> {
        Path::parse(self.family, false, self.attributes).map_err(|error| error.within(self.attributes_offset))
    }
}
