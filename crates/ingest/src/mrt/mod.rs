//! MRT files as the BMP stream of one router.
//!
//! ```text
//!  records ──expect──► Peers: who, which families, path ids      (as many as can be had in advance)
//!          ──take────► PEER_INDEX_TABLE, states, OPENs ─► Peer Up, Peer Down ─┐
//!                      entries of tables ─► Pack ─► packed UPDATEs, EoR ──────┼─► BMP messages
//!                      BGP4MP UPDATEs ─► as they stand ───────────────────────┘
//! ```
//!
//! * **pure**         octets in, octets out: no file, no clock, no socket.
//! * **accounted for** each record is mirrored, or skipped for a reason: [`Counts`].
//! * **verbatim**     a BGP message goes out as it stands, with the record's time; AS paths with AS numbers of two
//!   octets are marked so in the per-peer header.
//! * **honest**       what is made, OPENs and UPDATEs for tables, says what the files show and no more. A Peer Up
//!   needs to say which families there are and whether routes have path ids, which records tell only by and by:
//!   so they may be shown in advance, as many as is convenient. Where that was not all, IPv4 and IPv6 unicast are
//!   taken for granted; a family that comes as a surprise is told in a second Peer Up of the same session, and path
//!   ids that do are told by a Peer Down and another Peer Up.
//! * **in order**     what is said of a peer leaves in the order in which it came. Entries of a table wait, to be
//!   packed with others that have the same attributes and the same time: until [`PENDING_MAX`] octets wait, until
//!   anything else is said of their peer, or until [`Router::flush`].
//! * **a whole table** begins with its index of peers, and ends where records of another kind begin or the file
//!   ends: then each peer has an End-of-RIB for each of its families. A second index with the same view name is a
//!   new table: its peers go down and up, and have only what it says.

mod counts;
mod filter;
mod life;
mod opens;
mod pack;
mod peers;
mod survey;
mod tables;
mod updates;

pub use counts::{Counts, Skip};
pub use filter::{Filter, Who};
pub use pack::PENDING_MAX;
pub use peers::EVIDENCE_MAX;

use std::collections::BTreeSet;

use wire::bmp::{self, InformationKind, Tlv};
use wire::mrt::{Message, Record};
use wire::{Family, Overflow};

use pack::Pack;
use peers::{PeerId, Peers};

/// Octets of the longest message that is made here, and some.
const SCRATCH_LEN: usize = 72 << 10;

/// When, as BMP has it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Stamp {
    /// Seconds since 1970.
    pub seconds: u32,
    /// And microseconds.
    pub micros: u32,
}

impl Stamp {
    /// When a record was written.
    #[must_use]
    pub fn of(record: &Record<'_>) -> Self {
        // What is no fraction of a second is as much of one as there can be.
        Self { seconds: record.seconds(), micros: record.micros().min(999_999) }
    }

    /// In microseconds since 1970.
    #[must_use]
    pub fn as_micros(self) -> u64 {
        u64::from(self.seconds) * 1_000_000 + u64::from(self.micros)
    }
}

/// One of the files, which need not be one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Input(pub usize);

/// The router that the files amount to.
pub struct Router {
    filter: Filter,
    peers: Peers,
    sources: Vec<Source>,
    pack: Pack,
    counts: Counts,
    /// Whether all records have been shown in advance.
    surveyed: bool,
    /// Counts routes, of which each peer may have one; see [`peers::Peer::turn`].
    turn: u64,
    scratch: Box<[u8]>,
    /// Where attributes are put together.
    block: Vec<u8>,
}

/// What is known of an input.
#[derive(Default)]
struct Source {
    /// The peers of its index, for records in advance and for records taken.
    ahead: Vec<PeerId>,
    index: Vec<Option<PeerId>>,
    /// View names of the tables that it has had.
    views: BTreeSet<Vec<u8>>,
    /// Whether a table has begun and not ended.
    in_table: bool,
    /// The peers of that table, and its families.
    dumped: BTreeSet<PeerId>,
    families: Vec<Family>,
    /// When its last record was written.
    time: Stamp,
    /// The route of the last record of TABLE_DUMP.
    last: Option<(std::net::IpAddr, u8)>,
}

impl Router {
    /// One of which nothing is known.
    #[must_use]
    pub fn new(filter: Filter) -> Self {
        Self {
            filter,
            peers: Peers::default(),
            sources: Vec::new(),
            pack: Pack::default(),
            counts: Counts::default(),
            surveyed: false,
            turn: 0,
            scratch: vec![0; SCRATCH_LEN].into(),
            block: Vec::new(),
        }
    }

    /// The router's first message.
    ///
    /// # Errors
    /// A name that is longer than a TLV.
    pub fn initiation(&mut self, name: &str, description: &str, out: &mut Vec<u8>) -> Result<(), Overflow> {
        let tlv = |kind: InformationKind, text: &'_ str| (kind.0, text.as_bytes().to_vec());
        let values = [tlv(InformationKind::SYS_DESCR, description), tlv(InformationKind::SYS_NAME, name)];
        let tlvs = values.each_ref().map(|(kind, value)| Tlv { kind: *kind, value });
        let len = bmp::initiation(&mut self.scratch, &tlvs)?;
        self.put(len, out);
        Ok(())
    }

    /// Takes a record: what a server is to hear of it is appended to `out`, now or later.
    pub fn take(&mut self, input: Input, record: &Record<'_>, out: &mut Vec<u8>) {
        self.counts.records += 1;
        let time = Stamp::of(record);
        let told = match record.message() {
            Ok(message) => self.message(input, record, time, &message, out),
            Err(_) => Err(Skip::Malformed),
        };
        self.source(input).time = time;
        match told {
            Ok(()) => self.counts.mirrored += 1,
            Err(why) => self.counts.skip(why),
        }
    }

    fn message(
        &mut self,
        input: Input,
        record: &Record<'_>,
        time: Stamp,
        message: &Message<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Skip> {
        // Without its index a table cannot be read, whenever it was written.
        if let Message::PeerIndexTable(table) | Message::GeoPeerTable(table) = message {
            self.index(input, time, table, out);
            return Ok(());
        }
        let in_table = matches!(message, Message::Rib(_) | Message::TableDump(_) | Message::BgpEntry(_));
        if !in_table && self.source(input).in_table {
            self.end_table(input, out);
        }
        if !self.filter.time(time) {
            return Err(Skip::Filtered);
        }
        match message {
            Message::Rib(rib) => self.rib(input, time, rib, out),
            Message::TableDump(dump) => self.table_dump(input, time, dump, out),
            Message::BgpEntry(entry) => self.entry(input, time, entry, out),
            Message::BgpMessage(message) => self.bgp(time, message, out),
            Message::StateChange(change) => self.state(time, change, out),
            Message::BgpSnapshot(_) => Err(Skip::Snapshot),
            Message::PeerIndexTable(_) | Message::GeoPeerTable(_) | Message::Unknown(_) => {
                Err(Skip::Unread(record.kind(), record.subtype()))
            }
        }
    }

    /// An input has ended: so has its table, if there is one.
    pub fn ended(&mut self, input: Input, out: &mut Vec<u8>) {
        if self.source(input).in_table {
            self.end_table(input, out);
        }
        self.flush(out);
    }

    /// All peers that are up go down, and the inputs begin anew.
    pub fn leave(&mut self, out: &mut Vec<u8>) {
        self.flush(out);
        let time = self.sources.iter().map(|source| source.time).max().unwrap_or_default();
        for id in self.peers.ids() {
            self.peer_down(id, time, bmp::DownReason::DECONFIGURED, &[], out);
        }
        self.sources.clear();
    }

    /// What has become of the records so far.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// How many peers are up.
    #[must_use]
    pub fn peers_up(&self) -> usize {
        self.peers.up_count()
    }

    /// Whether routes wait to be packed.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        !self.pack.is_empty()
    }

    fn source(&mut self, Input(input): Input) -> &mut Source {
        if self.sources.len() <= input {
            self.sources.resize_with(input + 1, Source::default);
        }
        &mut self.sources[input]
    }

    /// The message at the front of `scratch` goes out.
    fn put(&mut self, len: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.scratch[..len]);
        self.counts.message(len);
    }
}

impl std::fmt::Debug for Router {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Router").field("counts", &self.counts).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
