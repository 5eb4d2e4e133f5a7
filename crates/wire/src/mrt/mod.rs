//! MRT: routing tables and update logs as files, RFC 6396, RFC 6397 and RFC 8050.
//!
//! ```text
//!  a file ──Reader::next──► Record ──message──► Message
//!  (plain or packed)         │ kind, time        PeerIndexTable, GeoPeerTable ─► Peer
//!  bytes ──Record::split──►  │ bytes             Rib ─► RibEntry ─┐
//!                            ▼                   TableDump ───────┼─path──► Path ─► block
//!                     carried verbatim           BgpEntry ────────┘               │
//!                                                BgpMessage ─► bgp::Pdu           ▼
//!                                                StateChange              bgp::Announce
//! ```
//!
//! * **framed first** [`Record::split`] trusts nothing but type and length; a body that makes no
//!   sense is still a whole record, to be counted and stepped over.
//! * **checked once** [`Record::message`] walks all lengths but those inside attributes and PDUs:
//!   a dump is mostly attributes, and not everybody wants them. [`RibEntry::path`] and
//!   [`BgpMessage::pdu`] are the doors to those.
//! * **survives**     unknown types, subtypes, states and flags keep their numbers and bytes.
//! * **one form**     however a writer cut its MP_REACH short, [`Path::block`] gives what
//!   [`bgp::Update::block`](crate::bgp::Update::block) gives.
//! * **nothing lost** whatever ends a file too early, the records before it come first.

mod bgp4mp;
mod input;
mod path;
mod peers;
mod reader;
mod record;
mod rib;
mod table_dump;

pub use bgp4mp::{BgpEntry, BgpMessage, BgpSnapshot, Session, State, StateChange};
pub use input::{Compression, XZ_MEMORY_MAX};
pub use path::{PATH_GROWTH, Path};
pub use peers::{Location, Peer, PeerIndex, PeerTable, PeerType, Peers};
pub use reader::{BUFFER_LEN, ReadError, Reader};
pub use record::{HEADER_LEN, Kind, RECORD_MAX, Record, Subtype};
pub use rib::{Rib, RibEntries, RibEntry};
pub use table_dump::{NLRI_LEN, TableDump};

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::Error;
use crate::cursor::Cursor;

/// A record, taken apart.
#[derive(Clone, Copy, Debug)]
pub enum Message<'a> {
    /// One path of a table, before 2008.
    TableDump(TableDump<'a>),
    /// The peers that RIB entries refer to.
    PeerIndexTable(PeerTable<'a>),
    /// The same with the places where they stand.
    GeoPeerTable(PeerTable<'a>),
    /// A route, and every path to it.
    Rib(Rib<'a>),
    /// A session went from one state to another.
    StateChange(StateChange),
    /// A BGP message as it was received or sent.
    BgpMessage(BgpMessage<'a>),
    /// One path of a table, deprecated.
    BgpEntry(BgpEntry<'a>),
    /// The name of a file with a table, deprecated.
    BgpSnapshot(BgpSnapshot<'a>),
    /// Any other type or subtype: carried, not read.
    Unknown(Record<'a>),
}

impl<'a> Message<'a> {
    #[inline]
    fn parse(record: Record<'a>) -> Result<Self, Error> {
        Ok(match (record.kind(), record.subtype().0) {
            (Kind::TABLE_DUMP, 1 | 2) => Self::TableDump(TableDump::parse(record)?),
            (Kind::TABLE_DUMP_V2, 1) => Self::PeerIndexTable(PeerTable::parse(record)?),
            (Kind::TABLE_DUMP_V2, 2..=6 | 8..=12) => Self::Rib(Rib::parse(record)?),
            (Kind::TABLE_DUMP_V2, 7) => Self::GeoPeerTable(PeerTable::parse_geo(record)?),
            (Kind::BGP4MP | Kind::BGP4MP_ET, subtype) => match subtype {
                0 | 5 => Self::StateChange(StateChange::parse(record)?),
                1 | 4 | 6..=11 => Self::BgpMessage(BgpMessage::parse(record)?),
                2 => Self::BgpEntry(BgpEntry::parse(record)?),
                3 => Self::BgpSnapshot(BgpSnapshot::parse(record)?),
                _ => Self::Unknown(record),
            },
            _ => Self::Unknown(record),
        })
    }
}

/// The addresses of a record are all of one length, or have a bit each that says which.
fn take_ip(cursor: &mut Cursor<'_>, ipv6: bool, what: &'static str) -> Result<IpAddr, Error> {
    Ok(if ipv6 {
        Ipv6Addr::from(*cursor.array(what)?).into()
    } else {
        Ipv4Addr::from(*cursor.array(what)?).into()
    })
}

/// And so are AS numbers.
fn take_asn(cursor: &mut Cursor<'_>, four_octets: bool, what: &'static str) -> Result<u32, Error> {
    if four_octets { cursor.u32(what) } else { cursor.u16(what).map(u32::from) }
}

#[cfg(test)]
mod tests;
