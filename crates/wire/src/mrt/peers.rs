//! PEER_INDEX_TABLE, RFC 6396 §4.3.1, and GEO_PEER_TABLE, RFC 6397: whom RIB entries mean.
//!
//! ```text
//!  collector 4 │ view name 2+n │ [latitude 4, longitude 4] │ count 2 │ peers
//!                         peer:  type 1 │ BGP id 4 │ address 4/16 │ AS 2/4 │ [latitude, longitude]
//! ```

use std::net::IpAddr;

use super::{Record, take_asn, take_ip};
use crate::Error;
use crate::cursor::Cursor;

/// Which peer of the [`PeerTable`] in front of a dump, counted from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PeerIndex(pub u16);

/// How a peer is written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PeerType(pub u8);

impl PeerType {
    /// The address is IPv6.
    pub const IPV6: u8 = 0x01;
    /// The AS number has four octets. Those of paths always have, RFC 6396 §4.3.4.
    pub const FOUR_OCTET_AS: u8 = 0x02;

    /// Whether a bit is set.
    #[inline]
    #[must_use]
    pub const fn has(self, bit: u8) -> bool {
        self.0 & bit != 0
    }
}

/// A place on earth, in degrees; not a number where it is not to be known.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Location {
    /// North of the equator.
    pub latitude: f32,
    /// East of Greenwich.
    pub longitude: f32,
}

/// One peer of a table.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Peer {
    /// How it is written.
    pub kind: PeerType,
    /// Its BGP identifier.
    pub bgp_id: [u8; 4],
    /// Its address.
    pub ip: IpAddr,
    /// Its AS number.
    pub asn: u32,
    /// Where it stands, in a GEO_PEER_TABLE.
    pub location: Option<Location>,
}

/// The peers of a dump, all of them checked.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PeerTable<'a> {
    /// BGP identifier of the collector.
    pub collector_id: [u8; 4],
    /// Which table of the collector; mostly empty.
    pub view_name: &'a [u8],
    /// Where the collector stands, in a GEO_PEER_TABLE.
    pub location: Option<Location>,
    peers: Peers<'a>,
}

impl<'a> PeerTable<'a> {
    pub(super) fn parse(record: Record<'a>) -> Result<Self, Error> {
        Self::take(record.cursor()?, false)
    }

    pub(super) fn parse_geo(record: Record<'a>) -> Result<Self, Error> {
        Self::take(record.cursor()?, true)
    }

    fn take(mut cursor: Cursor<'a>, geo: bool) -> Result<Self, Error> {
        let collector_id = *cursor.array("collector id")?;
        let len = cursor.u16("view name length")?;
        let view_name = cursor.take(usize::from(len), "view name")?;
        let location = geo.then(|| Location::take(&mut cursor)).transpose()?;
        let count = cursor.u16("peer count")?;
        let peers = Peers { rest: cursor.rest(), count, geo };
        for _ in 0..count {
            Peer::take(&mut cursor, geo)?;
        }
        cursor.end("peers")?;
        Ok(Self { collector_id, view_name, location, peers })
    }

    /// The peers, in the order of their index.
    #[must_use]
    pub fn peers(&self) -> Peers<'a> {
        self.peers
    }

    /// One of them. Walks those in front of it: to look up many, collect [`PeerTable::peers`].
    #[must_use]
    pub fn peer(&self, index: PeerIndex) -> Option<Peer> {
        self.peers().nth(index.0.into())
    }
}

/// Iterates over the peers of a table.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Peers<'a> {
    rest: &'a [u8],
    count: u16,
    geo: bool,
}

impl Iterator for Peers<'_> {
    type Item = Peer;

    fn next(&mut self) -> Option<Peer> {
        self.count = self.count.checked_sub(1)?;
        let mut cursor = Cursor::new(self.rest);
        let peer = Peer::take(&mut cursor, self.geo).ok()?;
        self.rest = cursor.rest();
        Some(peer)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.count.into(), Some(self.count.into()))
    }
}

impl ExactSizeIterator for Peers<'_> {}

impl Peer {
    fn take(cursor: &mut Cursor<'_>, geo: bool) -> Result<Self, Error> {
        let kind = PeerType(cursor.u8("peer type")?);
        Ok(Self {
            kind,
            bgp_id: *cursor.array("peer BGP id")?,
            ip: take_ip(cursor, kind.has(PeerType::IPV6), "peer address")?,
            asn: take_asn(cursor, kind.has(PeerType::FOUR_OCTET_AS), "peer AS")?,
            location: geo.then(|| Location::take(cursor)).transpose()?,
        })
    }
}

impl Location {
    fn take(cursor: &mut Cursor<'_>) -> Result<Self, Error> {
        let mut degrees = |what| cursor.array(what).map(|octets| f32::from_be_bytes(*octets));
        Ok(Self { latitude: degrees("latitude")?, longitude: degrees("longitude")? })
    }
}
