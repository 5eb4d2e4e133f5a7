//! UPDATEs: read, looked at ahead, brought into their columns, passed on.
//!
//! ```text
//!  frames ─read─► Read, Read, Read … ─► the RIB looks at what all of them need ─► one after the other:
//!                 until one is no UPDATE, or its peer is not there      columns, then feeds
//! ```
//!
//! * **read once**   what is looked at ahead is what is applied. Nothing that is in a window changes how
//!   another one of it is read: only a Peer Up or a Peer Down could, and they end it.
//! * **all or none** an UPDATE of which one part cannot be read is none.

use rib::{ColumnId, Rib, Shared};
use wire::bgp::{Action, Announce, EXTENDED_MESSAGE_MAX, Part, Route, Update, View, Withdraw};
use wire::bmp::{self, Frame, RouteMonitoring};
use wire::nlri::Routes;
use wire::{Error, Fault, Overflow};

use crate::peer::{ENDS_MAX, End, Peer, Table};
use crate::{Logs, Mirror, RouterId, at};

/// UPDATEs that are looked at ahead of their turn. More make no difference, half as many little.
pub(crate) const WINDOW: usize = 32;

/// An UPDATE of a peer that is there, with all its routes checked.
pub(crate) struct Read<'a> {
    frame: Frame<'a>,
    monitoring: RouteMonitoring<'a>,
    update: Update<'a>,
    view: View,
    /// The place of its peer.
    place: usize,
    /// For each part of the UPDATE its routes, if they can be told apart. The parts themselves would be
    /// half of all that a window holds, and are made again for less than they cost to move.
    routes: [Option<Routes<'a>>; 4],
    /// Whether there are others.
    untold: bool,
}

impl<'a> Read<'a> {
    /// Reads a Route Monitoring message as its peer means it; `None` if it cannot be read.
    pub(crate) fn new(
        frame: Frame<'a>,
        monitoring: RouteMonitoring<'a>,
        peer: &Peer,
        place: usize,
    ) -> Option<Self> {
        let (view, update) = (monitoring.peer.view()?, monitoring.update().ok()?);
        let mut read = Self { frame, monitoring, update, view, place, routes: [None; 4], untold: false };
        for (checked, part) in read.routes.iter_mut().zip(update.parts()) {
            match part.routes(&peer.dialect, view) {
                Ok(routes) => *checked = Some(routes),
                // An End-of-RIB has no routes to be told apart.
                Err(Error { fault: Fault::Unframed { .. }, .. }) => read.untold |= !part.nlri.is_empty(),
                Err(_) => return None,
            }
        }
        Some(read)
    }

    /// The parts that have routes, and their routes.
    fn parts(&self) -> impl Iterator<Item = (Part<'a>, Routes<'a>)> {
        let parts = self.update.parts().zip(&self.routes);
        parts.filter_map(|(part, routes)| Some((part, routes.filter(|routes| !routes.is_empty())?)))
    }

    fn shared<'s>(&self, part: &Part<'_>, scratch: &'s mut [u8]) -> Shared<'s>
    where
        'a: 's,
    {
        let block = self.update.block(part, scratch).expect("no block is longer than its message");
        let two_octet_as = !self.monitoring.peer.four_octet_as();
        Shared { block, trailing: self.monitoring.trailing, two_octet_as }
    }
}

impl Mirror {
    /// Reads as many UPDATEs as are next, and looks at what they need. Gives how many octets they have.
    pub(crate) fn look_ahead<'a>(
        &mut self,
        id: RouterId,
        octets: &'a [u8],
        window: &mut Vec<Read<'a>>,
    ) -> usize {
        let Self { rib, routers, scratch, .. } = self;
        let router = &mut routers[id.0 as usize];
        let mut rest = octets;
        while window.len() < WINDOW
            && let Ok(Some((frame, tail))) = Frame::split(rest)
            && let Ok(Some(monitoring)) = frame.route_monitoring()
            && let Some(place) = router.find(&monitoring.peer.identity())
            && let Some(peer) = &router.peers[place]
            && let Some(read) = Read::new(frame, monitoring, peer, place)
        {
            rest = tail;
            let mut room = true;
            for (part, routes) in read.parts() {
                let Some(column) = peer.table(read.view, part.family) else { continue };
                // A block that would have to be put together first is not worth a look.
                let plain = part.action == Action::Announce && !part.multiprotocol;
                let shared = plain.then(|| read.shared(&part, scratch));
                room &= rib.expect(column, routes, shared.as_ref());
            }
            window.push(read);
            if !room {
                break;
            }
        }
        rib.look_ahead();
        octets.len() - rest.len()
    }

    /// Does what an UPDATE says, and passes it on. Gives how many routes it changed.
    pub(crate) fn update(&mut self, id: RouterId, read: &Read<'_>, logs: &mut impl Logs) -> usize {
        let Self { rib, routers, scratch, now, .. } = self;
        let router = &mut routers[id.0 as usize];
        let Some(peer) = &mut router.peers[read.place] else { return 0 };
        (peer.updates, peer.updated_at) = (peer.updates + 1, *now);
        let mut untold = read.untold;
        if let Some(family) = read.update.end_of_rib() {
            let epoch = rib.stamp();
            untold |= !keep_end(peer, End { view: read.view, family, epoch });
        }
        let (mut changed, mut same, mut refused) = (0, 0, 0);
        for (part, routes) in read.parts() {
            let applied = apply(rib, peer, read, &part, routes, scratch);
            changed += applied.changed;
            same += applied.same;
            refused += applied.refused;
        }
        peer.set_header(read.view, read.monitoring.peer);
        router.tally.changed += changed as u64;
        router.tally.same += same as u64;
        router.tally.refused += refused as u64;
        untold |= refused > 0;
        if untold {
            let epoch = rib.stamp();
            self.untold(id, read.place, epoch);
        }
        self.pass_update(id, read, logs);
        changed
    }

    /// Passes an UPDATE on to the feeds that want all of it, and to others what they want of it.
    fn pass_update(&mut self, id: RouterId, read: &Read<'_>, logs: &mut impl Logs) {
        let Self { routers, feeds, scratch, .. } = self;
        let router = &routers[id.0 as usize];
        for &feed in &router.feeds {
            let want = &at(feeds, feed.0).want;
            if want.rows.is_empty() {
                logs.append(feed, read.frame.bytes());
                continue;
            }
            let Some(peer) = &router.peers[read.place] else { continue };
            let peer = &peer.incarnation;
            // An UPDATE may have no family at all.
            if !want.view(peer, Some(read.view)) {
                continue;
            }
            let families = || read.update.parts().map(|part| part.family).chain(read.update.end_of_rib());
            if families().all(|family| want.table(peer, read.view, family)) {
                logs.append(feed, read.frame.bytes());
            } else if families().any(|family| want.table(peer, read.view, family)) {
                let wanted = |part: &Part<'_>| want.table(peer, read.view, part.family);
                partly(read, wanted, scratch, |message| logs.append(feed, message));
            }
        }
    }
}

/// Brings the routes of one part of an UPDATE into their column.
fn apply(
    rib: &mut Rib,
    peer: &mut Peer,
    read: &Read<'_>,
    part: &Part<'_>,
    routes: Routes<'_>,
    scratch: &mut [u8],
) -> rib::Applied {
    let known = peer.table(read.view, part.family);
    if part.action == Action::Withdraw {
        let none = rib::Applied { same: routes.len(), ..rib::Applied::default() };
        return known.map_or(none, |column| rib.withdraw(column, routes));
    }
    let column = known.unwrap_or_else(|| open(rib, peer, read.view, part));
    rib.announce(column, routes, &read.shared(part, scratch))
}

/// The first routes of a table.
fn open(rib: &mut Rib, peer: &mut Peer, view: View, part: &Part<'_>) -> ColumnId {
    let Ok(column) = rib.open(part.family, peer.dialect.add_path(view, part.family)) else {
        unreachable!("its routes were told apart")
    };
    peer.tables.push(Table { view, family: part.family, column });
    column
}

/// Keeps the end of a table's dump; whether there was room for it.
fn keep_end(peer: &mut Peer, end: End) -> bool {
    if let Some(known) =
        peer.ends.iter_mut().find(|known| (known.view, known.family) == (end.view, end.family))
    {
        *known = end;
        return true;
    }
    let room = peer.ends.len() < ENDS_MAX;
    if room {
        peer.ends.push(end);
    }
    room
}

/// Makes messages of those parts of an UPDATE that are wanted.
fn partly(
    read: &Read<'_>,
    wanted: impl Fn(&Part<'_>) -> bool,
    scratch: &mut [u8],
    mut pass: impl FnMut(&[u8]),
) {
    let (scratch, buffer) = scratch.split_at_mut(EXTENDED_MESSAGE_MAX + 8);
    let monitoring = &read.monitoring;
    for (part, routes) in read.parts().filter(|(part, _)| wanted(part)) {
        let Shared { block, trailing, .. } = read.shared(&part, scratch);
        let mut rest = routes.peekable();
        while rest.peek().is_some() {
            let message = bmp::route_monitoring_with(buffer, monitoring.peer, |body| {
                let len = match part.action {
                    Action::Announce => {
                        let mut announce = Announce::open(body, part.family, block)?;
                        let mut put = |entry: &wire::nlri::Entry<'_>| {
                            let (key, payload) = (entry.key(), entry.payload());
                            announce.push(&Route { path_id: entry.path_id(), key: &key, payload: &payload })
                        };
                        fill(&mut rest, &mut put)?;
                        announce.close()
                    }
                    Action::Withdraw => {
                        let mut withdraw = Withdraw::open(body, part.family)?;
                        fill(&mut rest, &mut |entry| withdraw.push(entry.path_id(), &entry.key()))?;
                        withdraw.close()
                    }
                };
                let room = body.get_mut(len..len + trailing.len());
                room.ok_or(Overflow::Buffer { want: trailing.len(), left: 0 })?.copy_from_slice(trailing);
                Ok(len + trailing.len())
            });
            match message {
                Ok(len) => pass(&buffer[..len]),
                // What one message brought and none of ours can hold: nothing of that kind is known.
                Err(_) => break,
            }
        }
    }
}

/// Takes as many routes off the front as `put` takes; at least one, or its refusal.
fn fill<'a>(
    rest: &mut std::iter::Peekable<Routes<'a>>,
    put: &mut impl FnMut(&wire::nlri::Entry<'a>) -> Result<(), Overflow>,
) -> Result<(), Overflow> {
    let mut any = false;
    while let Some(entry) = rest.peek() {
        match put(entry) {
            Err(refused) if !any => return Err(refused),
            Err(_) => break,
            Ok(()) => (any, _) = (true, rest.next()),
        }
    }
    Ok(())
}
