//! What a server wants to see of a router.
//!
//! Servers that want the same share a feed, so a want is compared, and asked once for a message and feed.

use std::net::IpAddr;
use std::sync::Arc;

use wire::Family;
use wire::bgp::View;
use wire::bmp::PeerKind;

use crate::peer::Incarnation;

/// Which messages go to a server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Want {
    /// What any of these lets through; everything if there is none.
    pub rows: Vec<Row>,
    /// Whether Route Mirroring messages are among it.
    pub mirroring: bool,
}

/// Some peers, and some of their tables.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// The instance that a peer must belong to.
    pub instance: Instance,
    /// Its address; any if `None`.
    pub address: Option<IpAddr>,
    /// Its tables; all of them if there is none.
    pub tables: Vec<(View, Family)>,
}

/// Where a peer may live.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Instance {
    /// Anywhere.
    Any,
    /// Outside of all VPNs.
    Public,
    /// In any VPN.
    Vpn,
    /// In the VPN that the router calls by this name, or whose route distinguisher is this, as written.
    Named(Arc<str>),
}

impl Want {
    /// All there is.
    #[must_use]
    pub const fn everything() -> Self {
        Self { rows: Vec::new(), mirroring: true }
    }

    /// Whether anything of a peer is wanted.
    pub(crate) fn peer(&self, peer: &Incarnation) -> bool {
        // A Loc-RIB is a peer of its own, with that one view: who wants none of those need not know that it is.
        let local = peer.header.kind == PeerKind::LOC_RIB;
        let wanted = |row: &Row| {
            row.tables.is_empty() || row.tables.iter().any(|(view, _)| (*view == View::LocRib) == local)
        };
        self.rows.is_empty() || self.rows.iter().any(|row| row.peer(peer) && wanted(row))
    }

    /// Whether a table of a peer is.
    pub(crate) fn table(&self, peer: &Incarnation, view: View, family: Family) -> bool {
        let wanted = |row: &Row| row.tables.is_empty() || row.tables.contains(&(view, family));
        self.rows.is_empty() || self.rows.iter().any(|row| row.peer(peer) && wanted(row))
    }

    /// Whether any table of a view of a peer is.
    pub(crate) fn view(&self, peer: &Incarnation, view: Option<View>) -> bool {
        let wanted =
            |row: &Row| row.tables.is_empty() || row.tables.iter().any(|table| Some(table.0) == view);
        self.rows.is_empty() || self.rows.iter().any(|row| row.peer(peer) && wanted(row))
    }
}

impl Row {
    fn peer(&self, peer: &Incarnation) -> bool {
        let header = &peer.header;
        let public = header.kind == PeerKind::GLOBAL
            || header.kind == PeerKind::LOC_RIB && header.distinguisher == [0; 8];
        let instance = match &self.instance {
            Instance::Any => true,
            Instance::Public => public,
            Instance::Vpn => !public,
            Instance::Named(name) => {
                let called = peer.instance.as_deref() == Some(name.as_bytes());
                called || !public && wire::RouteDistinguisher(header.distinguisher).to_string() == **name
            }
        };
        instance && self.address.is_none_or(|address| address == header.ip())
    }
}
