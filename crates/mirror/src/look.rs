//! What people can see of routers and peers.

use rib::Time;
use wire::Family;
use wire::bgp::View;
use wire::bmp::PeerHeader;

use crate::peer::{Incarnation, Peer};
use crate::{FeedId, Mirror, RouterId};

/// A peer that is up, to be looked at.
#[derive(Clone, Copy, Debug)]
pub struct PeerLook<'a> {
    peer: &'a Peer,
    mirror: &'a Mirror,
}

/// A table of a peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TableLook {
    /// Which.
    pub view: View,
    /// Of which family.
    pub family: Family,
    /// Whether its routes have path ids.
    pub add_path: bool,
    /// How many there are.
    pub paths: usize,
}

impl Mirror {
    /// The routers there are, and what they are called.
    pub fn routers(&self) -> impl Iterator<Item = (RouterId, &str)> {
        let routers = self.routers.iter().zip(0..);
        routers
            .filter(|(router, _)| !router.forgotten)
            .map(|(router, index)| (RouterId(index), &*router.name))
    }

    /// The feeds there are, and whose they are.
    pub fn feeds(&self) -> impl Iterator<Item = (FeedId, RouterId)> {
        let routers = self.routers.iter().zip(0..);
        routers.flat_map(|(router, index)| router.feeds.iter().map(move |feed| (*feed, RouterId(index))))
    }

    /// The peers of a router that are up.
    pub fn peers_of(&self, router: RouterId) -> impl Iterator<Item = PeerLook<'_>> {
        let peers = self.routers[router.0 as usize].peers.iter().flatten();
        peers.map(|peer| PeerLook { peer, mirror: self })
    }
}

impl<'a> PeerLook<'a> {
    fn incarnation(&self) -> &'a Incarnation {
        &self.peer.incarnation
    }

    /// The header of its first message.
    #[must_use]
    pub fn header(&self) -> &'a PeerHeader {
        &self.incarnation().header
    }

    /// What the router calls the table or instance it belongs to, as it came.
    #[must_use]
    pub fn instance(&self) -> Option<&'a [u8]> {
        self.incarnation().instance.as_deref()
    }

    /// Whether routes of it came before its Peer Up, which has not come.
    #[must_use]
    pub fn is_provisional(&self) -> bool {
        self.incarnation().ups.is_empty()
    }

    /// When it came up.
    #[must_use]
    pub fn up_at(&self) -> Time {
        self.peer.up_at
    }

    /// UPDATEs that came of it, and when the last one did.
    #[must_use]
    pub fn updates(&self) -> (u64, Time) {
        (self.peer.updates, self.peer.updated_at)
    }

    /// Its tables.
    pub fn tables(&self) -> impl Iterator<Item = TableLook> {
        let rib = &self.mirror.rib;
        self.peer.tables.iter().map(|table| TableLook {
            view: table.view,
            family: table.family,
            add_path: rib.family(table.column).1,
            paths: rib.paths(table.column),
        })
    }
}

impl std::fmt::Debug for Mirror {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mirror").field("routers", &self.routers.len()).finish_non_exhaustive()
    }
}
