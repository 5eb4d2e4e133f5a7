//! Routes of tables, put together: a table has one route and all its paths a record, an UPDATE has one path and
//! all its routes.
//!
//! ```text
//!  peer, family, time, attributes ──hash──► slot ──► group: route route route …    one UPDATE, or a few
//!                                           slot ──► group: route …
//! ```
//!
//! * **bounded** by [`PENDING_MAX`] octets and [`GROUPS_MAX`] groups; then all of them go out, in the order in
//!   which they began.
//! * **reused**  what holds them is made once.
//! * **dated**   routes that were announced at different times stay apart, for a message has one time. In two tables
//!   of real collectors that is 7 and 9 messages of a hundred more than without.

use std::hash::{BuildHasher, Hash, Hasher};
use std::ops::Range;

use foldhash::fast::FixedState;
use wire::bgp::{Announce, EXTENDED_MESSAGE_MAX, MESSAGE_MAX, Route};
use wire::bmp::{PeerFlags, route_monitoring_with};
use wire::nlri::{Labels, PathId, Reading, Routes};
use wire::{Family, Overflow};

use super::life::stamped;
use super::peers::PeerId;
use super::{Router, Skip, Stamp};

/// Octets of attributes and routes that wait, at most.
pub const PENDING_MAX: usize = 8 << 20;
/// Groups that wait, at most.
const GROUPS_MAX: usize = 32 << 10;
/// Slots of the table: twice as many.
const SLOTS: usize = 2 * GROUPS_MAX;

/// What the routes of a group share, attributes apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Share {
    pub(super) peer: PeerId,
    pub(super) family: Family,
    pub(super) time: Stamp,
    /// AS numbers of four octets.
    pub(super) four_octets: bool,
    pub(super) path_ids: bool,
    pub(super) stack: bool,
}

struct Group {
    hash: u64,
    share: Share,
    block: Range<usize>,
    /// Routes, as an UPDATE has them.
    routes: Vec<u8>,
}

/// Routes that wait.
#[derive(Default)]
pub(super) struct Pack {
    /// Those in front of `used` have routes; the others are there to be used again.
    groups: Vec<Group>,
    used: usize,
    /// Numbers of groups, from 1; 0 is free.
    slots: Vec<u32>,
    blocks: Vec<u8>,
    octets: usize,
}

impl Pack {
    /// Adds a route, with its path id if it is to have one.
    pub(super) fn add(&mut self, share: Share, block: &[u8], path_id: Option<PathId>, route: &[u8]) {
        let group = self.group(share, block);
        let routes = &mut self.groups[group].routes;
        let before = routes.len();
        if let Some(PathId(id)) = path_id {
            routes.extend_from_slice(&id.to_be_bytes());
        }
        routes.extend_from_slice(route);
        self.octets += routes.len() - before;
    }

    fn group(&mut self, share: Share, block: &[u8]) -> usize {
        if self.slots.is_empty() {
            self.slots = vec![0; SLOTS];
        }
        let mut hasher = FixedState::default().build_hasher();
        share.hash(&mut hasher);
        hasher.write(block);
        let hash = hasher.finish();
        let mut slot = usize::try_from(hash % SLOTS as u64).unwrap_or(0);
        while let Some(group) = (self.slots[slot] as usize).checked_sub(1) {
            let there = &self.groups[group];
            if there.hash == hash && there.share == share && &self.blocks[there.block.clone()] == block {
                return group;
            }
            slot = (slot + 1) % SLOTS;
        }
        let begin = self.blocks.len();
        self.blocks.extend_from_slice(block);
        self.octets += block.len();
        let block = begin..self.blocks.len();
        match self.groups.get_mut(self.used) {
            Some(group) => {
                (group.hash, group.share, group.block) = (hash, share, block);
                group.routes.clear();
            }
            None => self.groups.push(Group { hash, share, block, routes: Vec::new() }),
        }
        self.used += 1;
        self.slots[slot] = u32::try_from(self.used).expect("less than GROUPS_MAX");
        self.used - 1
    }

    pub(super) fn is_empty(&self) -> bool {
        self.used == 0
    }

    pub(super) fn is_full(&self) -> bool {
        self.octets >= PENDING_MAX || self.used >= GROUPS_MAX
    }

    fn clear(&mut self) {
        (self.used, self.octets) = (0, 0);
        self.slots.fill(0);
        self.blocks.clear();
    }
}

impl Router {
    /// All routes that wait go out.
    pub fn flush(&mut self, out: &mut Vec<u8>) {
        if self.pack.is_empty() {
            return;
        }
        let mut pack = std::mem::take(&mut self.pack);
        for group in &pack.groups[..pack.used] {
            self.group(group, &pack.blocks[group.block.clone()], out);
            self.peers.get_mut(group.share.peer).pending = 0;
        }
        pack.clear();
        self.pack = pack;
    }

    /// Those of a peer go out, and with them all others.
    pub(super) fn flush_for(&mut self, id: PeerId, out: &mut Vec<u8>) {
        if self.peers.get(id).pending > 0 {
            self.flush(out);
        }
    }

    fn group(&mut self, group: &Group, block: &[u8], out: &mut Vec<u8>) {
        let Share { peer, family, time, four_octets, path_ids, stack } = group.share;
        let labels = if stack { Labels::Stack } else { Labels::One };
        let reading = Reading { add_path: path_ids, labels };
        let routes = Routes::check(family, reading, &group.routes).expect("routes that were read before");
        let mut routes = routes.peekable();
        let mut limit = MESSAGE_MAX;
        while routes.peek().is_some() {
            // It came up before its first route did.
            let Some(up) = &self.peers.get(peer).up else { return };
            let mut header = stamped(&up.header, time);
            header.flags = PeerFlags(header.flags.0 | if four_octets { 0 } else { PeerFlags::TWO_OCTET_AS });
            let mut told = 0;
            let written = route_monitoring_with(&mut self.scratch, &header, |body| {
                let mut announce = Announce::open(&mut body[..limit], family, block)?;
                while let Some(route) = routes.peek() {
                    let (key, payload) = (route.key(), route.payload());
                    let route = Route { path_id: route.path_id(), key: &key, payload: &payload };
                    match announce.push(&route) {
                        Ok(()) => drop(routes.next()),
                        Err(full) if announce.routes() == 0 => return Err(full),
                        Err(_) => break,
                    }
                }
                told = announce.routes();
                Ok::<usize, Overflow>(announce.close())
            });
            match written {
                Ok(len) => {
                    self.put(len, out);
                    self.counts.announced += told as u64;
                }
                // Attributes that nearly fill a message: there are longer ones.
                Err(_) if limit == MESSAGE_MAX => {
                    limit = EXTENDED_MESSAGE_MAX;
                    let known = self.peers.get_mut(peer);
                    if !std::mem::replace(&mut known.long, true) {
                        self.peer_up(peer, time, out);
                    }
                }
                Err(_) => {
                    for _ in routes.by_ref() {
                        self.counts.skip_entry(Skip::TooLong);
                    }
                }
            }
        }
    }
}
