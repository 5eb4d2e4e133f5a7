//! BGP4MP and BGP4MP_ET, RFC 6396 §4.4, RFC 8050 §3, and the two that RFC 6396 B.2 buries.
//!
//! ```text
//!  peer AS 2/4 │ local AS 2/4 │ interface 2 │ AFI 2 │ peer 4/16 │ local 4/16 │ PDU
//!                                                                           │ old 2 │ new 2
//! ```
//!
//! * **by subtype**  width of AS numbers, who sent it and path ids: the body does not tell. Path ids
//!   are there only in families for which the session agreed on them, which no record tells.
//! * **not read**    a PDU that is broken or cut is still a message: what a router sent.

use std::net::IpAddr;

use super::{Path, Record, take_asn, take_ip};
use crate::bgp::{NextHop, Pdu};
use crate::code::codes;
use crate::cursor::Cursor;
use crate::nlri::{self, Reading};
use crate::{Error, Family};

/// The two ends of a session.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Session {
    /// AS number of the peer.
    pub peer_as: u32,
    /// AS number of the collector.
    pub local_as: u32,
    /// The collector's interface, 0 for unknown.
    pub ifindex: u16,
    /// Address of the peer.
    pub peer_ip: IpAddr,
    /// Address of the collector.
    pub local_ip: IpAddr,
}

impl Session {
    #[inline]
    fn take(cursor: &mut Cursor<'_>, four_octet_as: bool) -> Result<Self, Error> {
        let peer_as = take_asn(cursor, four_octet_as, "peer AS")?;
        let local_as = take_asn(cursor, four_octet_as, "local AS")?;
        let ifindex = cursor.u16("interface index")?;
        let afi_at = cursor.offset();
        let ipv6 = match cursor.u16("address family")? {
            1 => false,
            2 => true,
            afi => return Err(Error::value(afi_at, "address family", afi.into(), 1, 2)),
        };
        let peer_ip = take_ip(cursor, ipv6, "peer address")?;
        let local_ip = take_ip(cursor, ipv6, "local address")?;
        Ok(Self { peer_as, local_as, ifindex, peer_ip, local_ip })
    }
}

/// A BGP message as it was received or sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BgpMessage<'a> {
    /// Between whom.
    pub session: Session,
    /// Whether AS numbers have four octets, here and in the paths of an UPDATE. Some writers use the
    /// other subtype for OPEN and KEEPALIVE, where it means nothing.
    pub four_octet_as: bool,
    /// Whether the collector sent it, not the peer.
    pub local: bool,
    /// Whether NLRI have path ids, in families that have agreed on them.
    pub add_path: bool,
    /// The message, as it stands.
    pub bytes: &'a [u8],
    bytes_offset: usize,
}

impl<'a> BgpMessage<'a> {
    #[inline]
    pub(super) fn parse(record: Record<'a>) -> Result<Self, Error> {
        let subtype = record.subtype().0;
        let four_octet_as = matches!(subtype, 4 | 7 | 9 | 11);
        let mut cursor = record.cursor()?;
        Ok(Self {
            session: Session::take(&mut cursor, four_octet_as)?,
            four_octet_as,
            local: matches!(subtype, 6 | 7 | 10 | 11),
            add_path: matches!(subtype, 8..=11),
            bytes: cursor.rest(),
            bytes_offset: cursor.offset(),
        })
    }

    /// The message, if it is one. Octets behind it are let pass: they are in
    /// [`BgpMessage::bytes`].
    ///
    /// # Errors
    /// No BGP message, or one that is cut off; offsets count from the start of the record.
    #[inline]
    pub fn pdu(&self) -> Result<Pdu<'a>, Error> {
        Pdu::split_whole(self.bytes).map(|(pdu, _)| pdu).map_err(|error| error.within(self.bytes_offset))
    }

    /// Where [`BgpMessage::bytes`] begin, from the start of the record.
    #[inline]
    #[must_use]
    pub fn bytes_offset(&self) -> usize {
        self.bytes_offset
    }
}

codes! {
    /// A state of the BGP state machine, RFC 4271 §8.2.2.
    State(u16) else "state" {
        IDLE = 1 "idle" "Nothing happens",
        CONNECT = 2 "connect" "Connecting",
        ACTIVE = 3 "active" "Waiting to be connected to",
        OPEN_SENT = 4 "open-sent" "Connected, OPEN sent",
        OPEN_CONFIRM = 5 "open-confirm" "OPEN received",
        ESTABLISHED = 6 "established" "Up",
        CLEARING = 7 "clearing" "Quagga: routes are being removed",
        DELETED = 8 "deleted" "Quagga: the peer is no longer configured",
    }
}

/// A session went from one state to another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StateChange {
    /// Which.
    pub session: Session,
    /// Whether AS numbers were written with four octets.
    pub four_octet_as: bool,
    /// From.
    pub old: State,
    /// To.
    pub new: State,
}

impl StateChange {
    pub(super) fn parse(record: Record<'_>) -> Result<Self, Error> {
        let four_octet_as = record.subtype().0 == 5;
        let mut cursor = record.cursor()?;
        let change = Self {
            session: Session::take(&mut cursor, four_octet_as)?,
            four_octet_as,
            old: State(cursor.u16("old state")?),
            new: State(cursor.u16("new state")?),
        };
        cursor.end("new state")?;
        Ok(change)
    }
}

/// One path of a table.
#[derive(Clone, Copy, Debug)]
pub struct BgpEntry<'a> {
    /// Whose.
    pub session: Session,
    /// Which table.
    pub view: u16,
    /// Status.
    pub status: u16,
    /// When it last changed: seconds since 1970.
    pub changed: u32,
    /// The family of the route.
    pub family: Family,
    /// The next hop, which stands outside the attributes.
    pub next_hop: NextHop<'a>,
    /// The route.
    pub nlri: nlri::Entry<'a>,
    /// Its attributes, not walked: see [`BgpEntry::path`].
    pub attributes: &'a [u8],
    attributes_offset: usize,
}

impl<'a> BgpEntry<'a> {
    pub(super) fn parse(record: Record<'a>) -> Result<Self, Error> {
        let mut cursor = record.cursor()?;
        let session = Session::take(&mut cursor, false)?;
        let view = cursor.u16("view number")?;
        let status = cursor.u16("status")?;
        let changed = cursor.u32("time of last change")?;
        let &[a, b, safi, next_hop_len] = cursor.array("AFI, SAFI and next hop length")?;
        let family = Family::new(u16::from_be_bytes([a, b]), safi);
        let next_hop = NextHop(cursor.take(usize::from(next_hop_len), "next hop")?);
        let (nlri, rest) = nlri::check_one(family, Reading::default(), cursor.rest())
            .map_err(|error| error.within(cursor.offset()))?;
        cursor.take(cursor.rest().len() - rest.len(), "NLRI entry")?;
        let len = cursor.u16("attributes length")?;
        let attributes_offset = cursor.offset();
        let attributes = cursor.take(usize::from(len), "attributes")?;
        cursor.end("attributes")?;
        Ok(Self { session, view, status, changed, family, next_hop, nlri, attributes, attributes_offset })
    }

    /// The attributes, walked, with the next hop in MP_REACH where the family wants it there. AS
    /// numbers have two octets.
    ///
    /// # Errors
    /// An attribute that runs past them, or an MP_REACH that makes no sense; offsets count from the
    /// start of the record.
    pub fn path(&self) -> Result<Path<'a>, Error> {
        Path::parse(self.family, false, self.attributes)
            .map(|path| path.or_next_hop(self.next_hop))
            .map_err(|error| error.within(self.attributes_offset))
    }
}

/// The name of a file with a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BgpSnapshot<'a> {
    /// Which table.
    pub view: u16,
    /// The name, without the zero that ends it.
    pub file_name: &'a [u8],
}

impl<'a> BgpSnapshot<'a> {
    pub(super) fn parse(record: Record<'a>) -> Result<Self, Error> {
        let mut cursor = record.cursor()?;
        let view = cursor.u16("view number")?;
        let rest = cursor.rest();
        let len = rest.iter().position(|octet| *octet == 0).unwrap_or(rest.len());
        let file_name = cursor.take(len, "file name")?;
        cursor.u8("zero after the file name")?;
        cursor.end("file name")?;
        Ok(Self { view, file_name })
    }
}
