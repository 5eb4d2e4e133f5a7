//! MRT records: kind, subtype, time, and then what each of them says.
//!
//! ```text
//!  bgp4mp-et message-as4 1700000000.250000 peer 192.0.2.1 AS65001 local 192.0.2.2 AS65002 update …
//!  table-dump-v2 rib-ipv4-unicast 1700000000 sequence 7 ipv4-unicast 203.0.113.0/24 paths 2
//!      peer 0 originated 1699990000 next-hop 192.0.2.1 as-path 65001 origin igp peer 3 …
//! ```

use std::fmt::{self, Display, Formatter};
use std::net::Ipv4Addr;

use super::attribute::write_attributes;
use super::bgp::{Context, write_pdu};
use super::{Octets, PATHS_MAX, PEERS_MAX, Text, leftover, line, list, more, named, plain};
use crate::bgp::{AttributeKind, Dialect, View};
use crate::mrt::{
    BgpEntry, BgpMessage, Location, Message, NLRI_LEN, Path, Peer, PeerTable, Record, Rib, Session,
    StateChange, TableDump,
};
use crate::{Error, Family, FamilySet};

impl<'a> Record<'a> {
    /// Displays it in one line, as peers that speak this dialect mean it. Path ids are read where
    /// the record's subtype and the dialect both say so, AS numbers as the subtype has them.
    #[must_use]
    pub fn show(&self, dialect: &Dialect) -> impl Display + use<'a> {
        let (record, dialect) = (*self, *dialect);
        fmt::from_fn(move |f| line(f, fmt::from_fn(|f| write_record(f, &record, &dialect))))
    }
}

impl Display for Record<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // The subtype says that there are path ids and not in which families: in all of them, then.
        let all: FamilySet = Family::known().collect();
        let dialect = Dialect { add_path_in: all, add_path_out: all, ..plain() };
        line(f, fmt::from_fn(|f| write_record(f, self, &dialect)))
    }
}

fn write_record(f: &mut Formatter<'_>, record: &Record<'_>, dialect: &Dialect) -> fmt::Result {
    let (kind, subtype) = (record.kind(), record.subtype());
    write!(f, "{kind}")?;
    f.write_str(" ")?;
    named(f, subtype.name(kind), "subtype", subtype.0)?;
    match (record.seconds(), record.micros()) {
        (0, 0) => {}
        (seconds, micros) if kind.has_micros() => write!(f, " {seconds}.{micros:06}")?,
        (seconds, _) => write!(f, " {seconds}")?,
    }
    match record.message() {
        Ok(Message::TableDump(dump)) => write_table_dump(f, &dump),
        Ok(Message::PeerIndexTable(table) | Message::GeoPeerTable(table)) => write_peer_table(f, &table),
        Ok(Message::Rib(rib)) => write_rib(f, &rib),
        Ok(Message::StateChange(change)) => write_state_change(f, &change),
        Ok(Message::BgpMessage(message)) => write_bgp_message(f, &message, dialect),
        Ok(Message::BgpEntry(entry)) => write_bgp_entry(f, &entry),
        Ok(Message::BgpSnapshot(snapshot)) => {
            write!(f, " view {} file {}", snapshot.view, Text(snapshot.file_name))
        }
        Ok(Message::Unknown(record)) => write!(f, " {}", Octets(record.body())),
        Err(error) => write!(f, " malformed: {error}"),
    }
}

fn write_table_dump(f: &mut Formatter<'_>, dump: &TableDump<'_>) -> fmt::Result {
    let TableDump { view, sequence, family, status, originated, peer_ip, peer_as, .. } = *dump;
    let mut scratch = [0; NLRI_LEN];
    let route = dump.nlri(&mut scratch);
    write!(f, " view {view} sequence {sequence} {family} {route} peer {peer_ip} AS{peer_as}")?;
    write_status(f, status.into())?;
    write!(f, " originated {originated}")?;
    write_path(f, dump.attributes, dump.path())
}

/// The standard knows one status.
fn write_status(f: &mut Formatter<'_>, status: u16) -> fmt::Result {
    if status == 1 { Ok(()) } else { write!(f, " status {status}") }
}

fn write_peer_table(f: &mut Formatter<'_>, table: &PeerTable<'_>) -> fmt::Result {
    write!(f, " collector {}", Ipv4Addr::from(table.collector_id))?;
    if !table.view_name.is_empty() {
        write!(f, " view {}", Text(table.view_name))?;
    }
    if let Some(location) = table.location {
        write!(f, " at {}", Degrees(location))?;
    }
    write!(f, " peers {}", table.peers().len())?;
    list(f, " ", table.peers().map(PeerToken), PEERS_MAX)
}

/// One token a peer, as a route is.
struct PeerToken(Peer);

impl Display for PeerToken {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Peer { bgp_id, ip, asn, location, .. } = self.0;
        write!(f, "{ip}[AS{asn},id={}", Ipv4Addr::from(bgp_id))?;
        if let Some(location) = location {
            write!(f, ",at={}", Degrees(location))?;
        }
        f.write_str("]")
    }
}

/// A place, to ten metres.
struct Degrees(Location);

impl Display for Degrees {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:.4}/{:.4}", self.0.latitude, self.0.longitude)
    }
}

fn write_rib(f: &mut Formatter<'_>, rib: &Rib<'_>) -> fmt::Result {
    let Rib { sequence, family, nlri, .. } = rib;
    let mut paths = rib.entries();
    write!(f, " sequence {sequence} {family} {nlri} paths {}", paths.len())?;
    for entry in paths.by_ref().take(PATHS_MAX) {
        write!(f, " peer {}", entry.peer.0)?;
        // That of a generic record stands with the route.
        if let Some(id) = entry.path_id.filter(|_| nlri.path_id().is_none()) {
            write!(f, " path-id {id}")?;
        }
        write!(f, " originated {}", entry.originated)?;
        write_path(f, entry.attributes, entry.path())?;
    }
    more(f, paths.len())
}

/// The attributes, or the octets that should be some.
fn write_path(f: &mut Formatter<'_>, octets: &[u8], path: Result<Path<'_>, Error>) -> fmt::Result {
    let path = match path {
        Ok(path) => path,
        Err(error) => return write!(f, " attributes {} ({error})", Octets(octets)),
    };
    if let Some(next_hop) = path.mp_next_hop() {
        write!(f, " next-hop {next_hop}")?;
    }
    let dialect = Dialect { four_octet_as: path.four_octet_as, ..plain() };
    let others = path.attributes().filter(|attribute| attribute.kind != AttributeKind::MP_REACH);
    write_attributes(f, " ", others, &dialect)
}

/// The two ends.
fn write_session(f: &mut Formatter<'_>, session: &Session) -> fmt::Result {
    let Session { peer_as, local_as, ifindex, peer_ip, local_ip } = *session;
    write!(f, " peer {peer_ip} AS{peer_as} local {local_ip} AS{local_as}")?;
    if ifindex == 0 { Ok(()) } else { write!(f, " interface {ifindex}") }
}

fn write_state_change(f: &mut Formatter<'_>, change: &StateChange) -> fmt::Result {
    write_session(f, &change.session)?;
    f.write_str(" from ")?;
    write!(f, "{}", change.old)?;
    f.write_str(" to ")?;
    write!(f, "{}", change.new)
}

fn write_bgp_message(f: &mut Formatter<'_>, message: &BgpMessage<'_>, dialect: &Dialect) -> fmt::Result {
    write_session(f, &message.session)?;
    let offset = message.bytes_offset();
    let pdu = match message.pdu() {
        Ok(pdu) => pdu,
        Err(error) => return write!(f, " message {} ({error})", Octets(message.bytes)),
    };
    let agreed = |families| if message.add_path { families } else { FamilySet::default() };
    let dialect = Dialect {
        add_path_in: agreed(dialect.add_path_in),
        add_path_out: agreed(dialect.add_path_out),
        four_octet_as: message.four_octet_as,
        ..*dialect
    };
    let view = if message.local { View::AdjRibOutPost } else { View::AdjRibInPre };
    f.write_str(" ")?;
    write_pdu(f, pdu, &Context { dialect, view, offset })?;
    leftover(f, "trailing", &message.bytes[pdu.bytes().len()..])
}

fn write_bgp_entry(f: &mut Formatter<'_>, entry: &BgpEntry<'_>) -> fmt::Result {
    write_session(f, &entry.session)?;
    let BgpEntry { view, status, changed, family, nlri, .. } = *entry;
    write!(f, " view {view} {family} {nlri}")?;
    write_status(f, status)?;
    write!(f, " changed {changed}")?;
    let path = entry.path();
    // Where the family wants it in MP_REACH, the path has it; elsewhere it need not be NEXT_HOP.
    if !path.is_ok_and(|path| path.mp_next_hop().is_some()) {
        write!(f, " via {}", entry.next_hop)?;
    }
    write_path(f, entry.attributes, path)
}
