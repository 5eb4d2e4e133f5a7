//! A peer of a router: one life of it, and what is known while that lasts.
//!
//! ```text
//!  Peer Up ──────────────► Incarnation: header, the Peer Ups as they came ─┐
//!  another for the same ─► the same life, one message longer               ├─ Life: how it ended
//!  Peer Down, or the end of what it came by ───────────────────────────────┘
//! ```
//!
//! * **a life** from Peer Up to Peer Down. Its routes are its own: the next life begins with none.
//! * **kept as long as needed** an incarnation lives as long as somebody has been told of it and not of
//!   its end, and has with it all that telling its end takes. So the table of peers forgets it at once.
//! * **provisional** a peer of which routes came and no Peer Up has a life too, without a Peer Up to tell.

use std::sync::{Arc, OnceLock};

use rib::{ColumnId, Epoch, Time};
use wire::Family;
use wire::bgp::{Dialect, View};
use wire::bmp::{PeerHeader, PeerIdentity, PeerUp};

/// Peer Ups of one life that are kept: some routers send one for each family.
pub(crate) const PEER_UPS_MAX: usize = 40;
/// Statistics Reports of a peer that are kept: one for each combination of flags.
pub(crate) const STATISTICS_MAX: usize = 16;
/// Ends of RIB of a peer that are kept: one for each view and family.
pub(crate) const ENDS_MAX: usize = 160;

/// One life of a peer, as servers are told of it.
#[derive(Debug)]
pub struct Incarnation {
    /// Of its first Peer Up, or of its first message if there was none.
    pub(crate) header: PeerHeader,
    /// Its Peer Ups, in order.
    pub(crate) ups: Vec<Arc<[u8]>>,
    /// What the router calls the table or instance it belongs to.
    pub(crate) instance: Option<Arc<[u8]>>,
    life: Arc<Life>,
}

/// What all incarnations of one life share.
#[derive(Debug, Default)]
struct Life {
    /// The Peer Down that ended it.
    down: OnceLock<Box<[u8]>>,
}

impl Incarnation {
    /// A life that begins with a Peer Up.
    pub(crate) fn begin(up: &PeerUp<'_>, message: &[u8]) -> Self {
        let instance = up.table_name().map(Arc::from);
        Self { header: *up.peer, ups: vec![Arc::from(message)], instance, life: Arc::default() }
    }

    /// One that begins with anything else.
    pub(crate) fn provisional(header: &PeerHeader) -> Self {
        Self { header: *header, ups: Vec::new(), instance: None, life: Arc::default() }
    }

    /// The same life, one Peer Up later.
    pub(crate) fn with(&self, message: &[u8]) -> Self {
        let mut ups = self.ups.clone();
        ups.push(Arc::from(message));
        Self { header: self.header, ups, instance: self.instance.clone(), life: self.life.clone() }
    }

    /// Whether both are of one life.
    pub(crate) fn same_life(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.life, &other.life)
    }

    /// The life is over, and this says so.
    pub(crate) fn end(&self, message: &[u8]) {
        self.life.down.get_or_init(|| Box::from(message));
    }

    /// The Peer Down that ended this life, if it is over.
    pub(crate) fn down(&self) -> Option<&[u8]> {
        self.life.down.get().map(|down| &**down)
    }
}

/// The peers that somebody has been told are up, by their place in the router's table.
///
/// Cloned for every change, so in pieces: a change copies one piece and the list of pieces.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roll(Vec<Arc<[Option<Arc<Incarnation>>; PIECE]>>);

const PIECE: usize = 32;

impl Roll {
    pub(crate) fn set(&mut self, place: usize, incarnation: Option<Arc<Incarnation>>) {
        while self.0.len() <= place / PIECE {
            self.0.push(Arc::new([const { None }; PIECE]));
        }
        Arc::make_mut(&mut self.0[place / PIECE])[place % PIECE] = incarnation;
    }

    /// Those who are up, with their places.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &Arc<Incarnation>)> {
        let places = self.0.iter().flat_map(|piece| piece.iter()).enumerate();
        places.filter_map(|(place, incarnation)| Some((place, incarnation.as_ref()?)))
    }
}

/// By what a router's messages come in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Lane {
    /// Which of the router's connections, counted up: the highest is the one that counts.
    pub connection: u64,
    /// Which queue.
    pub queue: u64,
}

/// A table of a peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    pub(crate) view: View,
    pub(crate) family: Family,
    pub(crate) column: ColumnId,
}

/// A message of which only the latest counts.
#[derive(Debug)]
pub(crate) struct Latest {
    pub(crate) message: Vec<u8>,
    pub(crate) epoch: Epoch,
}

/// The end of a table's dump, as the router said it.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) view: View,
    pub(crate) family: Family,
    pub(crate) epoch: Epoch,
}

/// A peer that is up.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) identity: PeerIdentity,
    pub(crate) incarnation: Arc<Incarnation>,
    /// Whose messages count.
    pub(crate) lane: Lane,
    pub(crate) dialect: Dialect,
    pub(crate) tables: Vec<Table>,
    /// The header of the last route of each view: what its catch-ups have.
    headers: [Option<PeerHeader>; View::ALL.len()],
    pub(crate) statistics: Vec<(u8, Latest)>,
    pub(crate) ends: Vec<End>,
    /// When a Route Mirroring message came last, and with what header.
    pub(crate) mirrored: Option<(PeerHeader, Epoch)>,
    /// When something came last that no catch-up can tell.
    pub(crate) untold: Epoch,
    /// When it came up.
    pub(crate) up_at: Time,
    /// UPDATEs that came of it, and when the last one did.
    pub(crate) updates: u64,
    pub(crate) updated_at: Time,
}

impl Peer {
    pub(crate) fn new(
        header: &PeerHeader,
        incarnation: Incarnation,
        lane: Lane,
        dialect: Dialect,
        now: Time,
    ) -> Self {
        Self {
            identity: header.identity(),
            incarnation: Arc::new(incarnation),
            lane,
            dialect,
            tables: Vec::new(),
            headers: [None; View::ALL.len()],
            statistics: Vec::new(),
            ends: Vec::new(),
            mirrored: None,
            untold: Epoch::NOTHING,
            up_at: now,
            updates: 0,
            updated_at: now,
        }
    }

    pub(crate) fn table(&self, view: View, family: Family) -> Option<ColumnId> {
        self.tables
            .iter()
            .find(|table| (table.view, table.family) == (view, family))
            .map(|table| table.column)
    }

    /// Whether another dialect reads all tables that there are in the same way.
    pub(crate) fn reads_alike(&self, dialect: &Dialect) -> bool {
        self.tables.iter().all(|Table { view, family, .. }| {
            self.dialect.add_path(*view, *family) == dialect.add_path(*view, *family)
        })
    }

    pub(crate) fn set_header(&mut self, view: View, header: &PeerHeader) {
        self.headers[view as usize] = Some(*header);
    }

    /// The header of a view, without a time: of its last route, else of the Peer Up.
    pub(crate) fn header(&self, view: View) -> PeerHeader {
        let mut header = self.headers[view as usize].unwrap_or(self.incarnation.header);
        (header.seconds, header.micros) = (0.into(), 0.into());
        header
    }
}

/// Whether a Peer Up speaks of the same session as another one: WIRE's five marks.
pub(crate) fn same_session(one: &PeerUp<'_>, other: &PeerUp<'_>) -> bool {
    let marks = |up: &PeerUp<'_>| {
        let PeerHeader { asn, bgp_id, seconds, micros, .. } = *up.peer;
        (asn, bgp_id, seconds, micros, *up.local_address(), up.local_port(), up.remote_port())
    };
    marks(one) == marks(other)
}
