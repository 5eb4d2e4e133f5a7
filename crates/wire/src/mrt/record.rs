//! The common header, RFC 6396 §2 and §3, and what its numbers are called.
//!
//! ```text
//!  seconds 4 │ type 2 │ subtype 2 │ length 4 │ [micros 4, types _ET] │ body
//!                                              ◄───────── length ─────────►
//! ```

use zerocopy::big_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use super::Message;
use crate::Error;
use crate::code::codes;
use crate::cursor::Cursor;

/// Octets of time, type, subtype and length.
pub const HEADER_LEN: usize = size_of::<Header>();
/// The most that a length may say. A route with a path from each of a thousand peers has half a
/// mebibyte; a length beyond this is a sign that the stream is no MRT.
pub const RECORD_MAX: usize = 16 << 20;

codes! {
    /// What kind of record.
    Kind(u16) else "mrt" {
        BGP = 5 "bgp" "BGP as MRTd wrote it until 2001: carried, not read",
        OSPF_V2 = 11 "ospf-v2" "OSPF version 2",
        TABLE_DUMP = 12 "table-dump" "A table, one path a record",
        TABLE_DUMP_V2 = 13 "table-dump-v2" "A table, one route a record",
        BGP4MP = 16 "bgp4mp" "BGP messages and state changes",
        BGP4MP_ET = 17 "bgp4mp-et" "The same with microseconds",
        ISIS = 32 "isis" "IS-IS",
        ISIS_ET = 33 "isis-et" "The same with microseconds",
        OSPF_V3 = 48 "ospf-v3" "OSPF version 3",
        OSPF_V3_ET = 49 "ospf-v3-et" "The same with microseconds",
    }
}

impl Kind {
    /// Whether microseconds follow the header, and are counted in its length.
    #[inline]
    #[must_use]
    pub const fn has_micros(self) -> bool {
        matches!(self, Self::BGP4MP_ET | Self::ISIS_ET | Self::OSPF_V3_ET)
    }
}

/// What kind of record within its [`Kind`], which the number alone does not tell.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Subtype(pub u16);

impl Subtype {
    /// Its name among the subtypes of `kind`, if it has one.
    #[must_use]
    pub const fn name(self, kind: Kind) -> Option<&'static str> {
        Some(match (kind, self.0) {
            (Kind::TABLE_DUMP, 1) => "ipv4",
            (Kind::TABLE_DUMP, 2) => "ipv6",
            (Kind::TABLE_DUMP_V2, 1) => "peer-index-table",
            (Kind::TABLE_DUMP_V2, 2) => "rib-ipv4-unicast",
            (Kind::TABLE_DUMP_V2, 3) => "rib-ipv4-multicast",
            (Kind::TABLE_DUMP_V2, 4) => "rib-ipv6-unicast",
            (Kind::TABLE_DUMP_V2, 5) => "rib-ipv6-multicast",
            (Kind::TABLE_DUMP_V2, 6) => "rib-generic",
            (Kind::TABLE_DUMP_V2, 7) => "geo-peer-table",
            (Kind::TABLE_DUMP_V2, 8) => "rib-ipv4-unicast-add-path",
            (Kind::TABLE_DUMP_V2, 9) => "rib-ipv4-multicast-add-path",
            (Kind::TABLE_DUMP_V2, 10) => "rib-ipv6-unicast-add-path",
            (Kind::TABLE_DUMP_V2, 11) => "rib-ipv6-multicast-add-path",
            (Kind::TABLE_DUMP_V2, 12) => "rib-generic-add-path",
            (Kind::BGP4MP | Kind::BGP4MP_ET, 0) => "state-change",
            (Kind::BGP4MP | Kind::BGP4MP_ET, 1) => "message",
            (Kind::BGP4MP | Kind::BGP4MP_ET, 2) => "entry",
            (Kind::BGP4MP | Kind::BGP4MP_ET, 3) => "snapshot",
            (Kind::BGP4MP | Kind::BGP4MP_ET, 4) => "message-as4",
            (Kind::BGP4MP | Kind::BGP4MP_ET, 5) => "state-change-as4",
            (Kind::BGP4MP | Kind::BGP4MP_ET, 6) => "message-local",
            (Kind::BGP4MP | Kind::BGP4MP_ET, 7) => "message-as4-local",
            (Kind::BGP4MP | Kind::BGP4MP_ET, 8) => "message-add-path",
            (Kind::BGP4MP | Kind::BGP4MP_ET, 9) => "message-as4-add-path",
            (Kind::BGP4MP | Kind::BGP4MP_ET, 10) => "message-local-add-path",
            (Kind::BGP4MP | Kind::BGP4MP_ET, 11) => "message-as4-local-add-path",
            _ => return None,
        })
    }
}

/// The header, read where it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Header {
    seconds: U32,
    kind: U16,
    subtype: U16,
    length: U32,
}

const _: () = assert!(size_of::<Header>() == 12);

/// One whole record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record<'a> {
    header: &'a Header,
    /// Header included, with the microseconds where its kind has them.
    bytes: &'a [u8],
}

impl<'a> Record<'a> {
    /// Splits the first record off `input`; `Ok(None)` asks for more bytes.
    ///
    /// # Errors
    /// A length beyond [`RECORD_MAX`], or one that leaves no room for microseconds. There is no way
    /// to find the next record after that.
    #[inline]
    pub fn split(input: &'a [u8]) -> Result<Option<(Self, &'a [u8])>, Error> {
        let Ok((header, _)) = Header::ref_from_prefix(input) else {
            return Ok(None);
        };
        let len = header.record_len()?;
        Ok(input.split_at_checked(len).map(|(bytes, rest)| (Self { header, bytes }, rest)))
    }

    /// What kind of record it is.
    #[inline]
    #[must_use]
    pub fn kind(&self) -> Kind {
        Kind(self.header.kind.get())
    }

    /// And what kind of that.
    #[inline]
    #[must_use]
    pub fn subtype(&self) -> Subtype {
        Subtype(self.header.subtype.get())
    }

    /// When it was written: seconds since 1970.
    #[inline]
    #[must_use]
    pub fn seconds(&self) -> u32 {
        self.header.seconds.get()
    }

    /// And microseconds; 0 where its kind has none.
    #[inline]
    #[must_use]
    pub fn micros(&self) -> u32 {
        match self.bytes[HEADER_LEN..].first_chunk() {
            Some(micros) if self.kind().has_micros() => u32::from_be_bytes(*micros),
            _ => 0,
        }
    }

    /// All of it.
    #[inline]
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// What follows header and microseconds.
    #[inline]
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        &self.bytes[self.body_offset()..]
    }

    /// Where [`Record::body`] begins.
    #[inline]
    #[must_use]
    pub fn body_offset(&self) -> usize {
        if self.kind().has_micros() { HEADER_LEN + 4 } else { HEADER_LEN }
    }

    /// The message, taken apart and checked. Attributes and PDUs are left to [`super::Path`] and
    /// [`super::BgpMessage::pdu`].
    ///
    /// # Errors
    /// A body that is not what its type says; offsets count from the start of the record. The
    /// next record is where it would have been all the same.
    #[inline]
    pub fn message(&self) -> Result<Message<'a>, Error> {
        Message::parse(*self)
    }

    /// Reads the body, with offsets that count from the start of the record.
    #[inline]
    pub(super) fn cursor(&self) -> Result<Cursor<'a>, Error> {
        let mut cursor = Cursor::new(self.bytes);
        cursor.take(self.body_offset(), "MRT header")?;
        Ok(cursor)
    }
}

impl Header {
    /// Octets of the whole record.
    #[inline]
    fn record_len(&self) -> Result<usize, Error> {
        let len = self.length.get() as usize;
        let least = if Kind(self.kind.get()).has_micros() { 4 } else { 0 };
        if len < least || len > RECORD_MAX {
            return Err(Error::value(8, "MRT length", len, least, RECORD_MAX));
        }
        Ok(HEADER_LEN + len)
    }
}

/// Octets of the record that begins here, which may not be whole; those of a header where not even
/// that is.
#[inline]
pub(super) fn wanted_len(input: &[u8]) -> Result<usize, Error> {
    match Header::ref_from_prefix(input) {
        Ok((header, _)) => header.record_len(),
        Err(_) => Ok(HEADER_LEN),
    }
}
