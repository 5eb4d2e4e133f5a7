//! A peer of one connection.

use wire::Family;
use wire::bgp::{Dialect, View};
use wire::bmp::{PeerHeader, PeerUp};

use crate::table::Table;

pub(super) struct Peer {
    /// As it was when it was last new.
    pub(super) header: PeerHeader,
    pub(super) state: State,
    pub(super) tables: Vec<(View, Family, Table)>,
    /// The latest timestamp of each view, in microseconds.
    pub(super) times: [u64; View::ALL.len()],
}

pub(super) enum State {
    Up(Session),
    /// It has spoken without a Peer Up.
    Provisional,
    Down,
}

/// What a Peer Up says.
#[derive(Clone)]
pub(super) struct Session {
    /// AS, BGP identifier, timestamp.
    who: (u32, [u8; 4], (u32, u32)),
    /// Local address and ports.
    place: ([u8; 16], u16, u16),
    pub(super) dialect: Dialect,
}

impl Session {
    pub(super) fn of(up: &PeerUp<'_>) -> Self {
        let peer = up.peer;
        Self {
            who: (peer.asn.get(), peer.bgp_id, (peer.seconds.get(), peer.micros.get())),
            place: (*up.local_address(), up.local_port(), up.remote_port()),
            dialect: up.dialect(),
        }
    }

    /// Adds what another Peer Up of the same session says; of another session, tells what differs.
    pub(super) fn unite(&mut self, other: &Self) -> Result<(), &'static str> {
        let rows = [
            (self.who.0 == other.who.0, "AS"),
            (self.who.1 == other.who.1, "BGP identifier"),
            (self.who.2 == other.who.2, "timestamp"),
            (self.place.0 == other.place.0, "local address"),
            (self.place == other.place, "port"),
        ];
        if let Some((_, what)) = rows.iter().find(|(same, _)| !same) {
            return Err(what);
        }
        self.dialect = self.dialect.merged(other.dialect);
        Ok(())
    }
}

impl Peer {
    pub(super) fn new(header: &PeerHeader) -> Self {
        Self { header: *header, state: State::Down, tables: Vec::new(), times: [0; View::ALL.len()] }
    }

    /// Everything is gone, and so many paths with it.
    pub(super) fn forget(&mut self, header: &PeerHeader) -> usize {
        self.header = *header;
        self.times = [0; View::ALL.len()];
        std::mem::take(&mut self.tables).iter().map(|(.., table)| table.len()).sum()
    }

    /// Who it is said to be. A peer of which nothing is known speaks without path ids.
    pub(super) fn dialect(&self) -> Dialect {
        match &self.state {
            State::Up(session) => session.dialect,
            State::Provisional | State::Down => Dialect::default(),
        }
    }

    /// One of its tables, new if need be.
    pub(super) fn table(&mut self, view: View, family: Family) -> &mut Table {
        let at = self.tables.iter().position(|table| (table.0, table.1) == (view, family));
        let at = at.unwrap_or_else(|| {
            self.tables.push((view, family, Table::default()));
            self.tables.len() - 1
        });
        &mut self.tables[at].2
    }
}
