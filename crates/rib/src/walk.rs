//! The walk: all of a column that has changed since an epoch, as Route Monitoring messages.
//!
//! ```text
//!  blocks whose newest stamp is newer ─► slots whose stamp is ─► keys: │ attribute block │ slot │
//!      sorted, the smallest `sorted_max` of them ─► one UPDATE for each run of one block, as full as it fits
//!      and again from there on, until no key is left
//! ```
//!
//! Routes that share attributes lie anywhere in a column, so a walk sorts by them. It does not keep what
//! it has sorted longer than it makes use of it: what a [`Cursor`] remembers of a server that reads
//! slowly is the next key, and a walk that goes on finds the rest again.
//!
//! * **resumable** a key is told once a walk, whatever happens to the column meanwhile: a path that does
//!   not change keeps its key, and one that changes is owed to the next walk, since this one began.
//! * **current**   what was sorted may be old; what is told is looked up when it is told.
//! * **bounded**   `work` limits a call, [`Settings::sorted_max`] the memory of a walk that sorts, [`WALKS_MAX`] how
//!   many do at the same time. One that must wait says so.
//!
//! [`Settings::sorted_max`]: crate::Settings::sorted_max

use std::hint::black_box;

use wire::bgp::{Announce, EXTENDED_MESSAGE_MAX, MESSAGE_MAX, Route, Withdraw};
use wire::bmp::{HEADER_LEN, PEER_HEADER_LEN, PeerFlags, PeerHeader, PeerKind, route_monitoring_with};
use wire::nlri::PathId;
use wire::{Family, Overflow};

use crate::attributes::{AttributeId, Attributes};
use crate::column::{Column, Path};
use crate::epochs::{Epoch, Stamp, Time};
use crate::prefixes::Prefixes;
use crate::{ColumnId, Open, Rib, table};

/// Walks that sort at the same time.
pub const WALKS_MAX: usize = 8;

/// What looking at a block costs, where telling a route costs one, and how many of its paths cost as much.
const BLOCK_WORK: usize = 4;
const FOUND_PER_WORK: usize = 16;

/// Keys that are sorted at once, and what that and finding them costs.
const RUN: usize = 16 << 10;
const SELECT_PER_WORK: usize = 64;
const SORT_PER_WORK: usize = 4;

/// Keys that are looked at ahead.
const AHEAD: usize = 64;

/// Octets in front of a PDU.
const HEAD: usize = HEADER_LEN + PEER_HEADER_LEN;

/// Where the time stands in a message.
const TIME_AT: usize = HEAD - 8;

/// The least room in which every message of a walk fits: an extended message, and what stands behind it.
pub const ROOM_MIN: usize = HEAD + EXTENDED_MESSAGE_MAX + crate::attributes::FIELD_MAX;

/// Where a walk through a column stands.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Cursor {
    /// The least key that has not been told.
    next: u64,
    /// The column's form, which gives slots their meaning.
    generation: u32,
    /// Which of the scratches it has, if it still has it.
    lease: Option<Lease>,
}

/// A scratch, for as long as its holder is this one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Lease {
    scratch: usize,
    holder: u64,
}

impl Cursor {
    /// Before the first key.
    pub const BEGIN: Self = Self { next: 0, generation: 0, lease: None };
}

/// How far a walk has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Walked {
    /// All that was owed has been told.
    All,
    /// The buffer has no room for the next message.
    Full,
    /// The work that was allowed has been done.
    Spent,
    /// Others are sorting. [`Rib::rest`] makes room.
    Waiting,
}

/// What a call of [`Rib::walk`] has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Told {
    /// Octets written: whole messages.
    pub len: usize,
    /// Messages.
    pub messages: usize,
    /// Routes in them.
    pub routes: usize,
    /// Routes that no message can hold. None has been seen: they came in one.
    pub unsendable: usize,
    /// And how it ended.
    pub walked: Walked,
}

/// What walks sort in.
///
/// * **one holder** a lease has a number of its own, so a cursor that was copied, or whose column has
///   been closed, cannot take what is another's by now.
#[derive(Default)]
pub(crate) struct Scratches {
    all: [Scratch; WALKS_MAX],
    /// How many leases there have been.
    leases: u64,
}

#[derive(Default)]
struct Scratch {
    /// Who has it, 0 if nobody has, and for which column.
    holder: u64,
    column: Option<ColumnId>,
    keys: Vec<u64>,
    /// The next block to be looked at; `None` once all have been.
    scan: Option<usize>,
    /// The next key to be told.
    at: usize,
    /// Keys in front of it are sorted, and not behind any that follow.
    sorted: usize,
    /// What keys in front of it will need has been looked at.
    warm: usize,
    /// Keys from here on were left for later.
    bound: u64,
}

impl Scratches {
    pub(crate) fn memory(&self) -> usize {
        self.all.iter().map(|scratch| scratch.keys.capacity() * size_of::<u64>()).sum()
    }

    /// The scratch of a walk, which takes one if it has none and there is one.
    fn lease(&mut self, cursor: &mut Cursor, column: ColumnId) -> Option<&mut Scratch> {
        let held = cursor.lease.filter(|lease| self.all[lease.scratch].holder == lease.holder);
        let at = if let Some(lease) = held {
            lease.scratch
        } else {
            cursor.lease = None;
            let free = self.all.iter().position(|scratch| scratch.holder == 0)?;
            self.leases += 1;
            self.all[free].holder = self.leases;
            self.all[free].column = Some(column);
            self.all[free].begin();
            cursor.lease = Some(Lease { scratch: free, holder: self.leases });
            free
        };
        Some(&mut self.all[at])
    }

    fn release(&mut self, cursor: &mut Cursor) {
        if let Some(lease) = cursor.lease.take()
            && self.all[lease.scratch].holder == lease.holder
        {
            self.free(lease.scratch);
        }
    }

    /// Nobody walks through this column any more.
    pub(crate) fn close(&mut self, column: ColumnId) {
        for at in 0..WALKS_MAX {
            if self.all[at].column == Some(column) {
                self.free(at);
            }
        }
    }

    fn free(&mut self, at: usize) {
        (self.all[at].holder, self.all[at].column) = (0, None);
        // One is kept warm; the memory of the others is for when there are others.
        if at > 0 {
            self.all[at].keys = Vec::new();
        }
    }
}

impl Scratch {
    fn begin(&mut self) {
        self.keys.clear();
        (self.scan, self.at, self.sorted, self.warm, self.bound) = (Some(0), 0, 0, 0, u64::MAX);
    }

    /// Sorts the next run of keys: all at once would be a step that takes as long as ten.
    fn sort(&mut self, work: &mut usize) {
        let rest = &mut self.keys[self.sorted..];
        let run = rest.len().min(RUN);
        if run < rest.len() {
            rest.select_nth_unstable(run);
        }
        rest[..run].sort_unstable();
        *work = work.saturating_sub(rest.len() / SELECT_PER_WORK + run / SORT_PER_WORK);
        self.sorted += run;
    }

    /// Looks at what the next keys will need, all of it before any of it is needed: a path lies anywhere,
    /// and so does its prefix, but keys do not depend on each other.
    fn look_ahead(&mut self, column: &Column, prefixes: &Prefixes) {
        if self.at + AHEAD / 4 < self.warm || self.warm == self.sorted {
            return;
        }
        let next = self.warm.max(self.at)..self.sorted.min(self.at + AHEAD);
        let slots = || self.keys[next.clone()].iter().map(|key| open_key(*key).1);
        black_box(slots().fold(0, |sum, slot| sum ^ column.get(slot).stamp));
        black_box(slots().fold(0, |sum, slot| sum ^ prefixes.touch_slot(column.get(slot).prefix)));
        self.warm = next.end;
    }

    /// Keeps the least so many of the keys.
    fn choose(&mut self, sorted_max: usize) {
        let (_, bound, _) = self.keys.select_nth_unstable(sorted_max);
        self.bound = *bound;
        self.keys.truncate(sorted_max);
    }
}

fn key(block: AttributeId, slot: u32) -> u64 {
    u64::from(block) << 32 | u64::from(slot)
}

#[expect(clippy::cast_possible_truncation, reason = "two halves")]
fn open_key(key: u64) -> (AttributeId, u32) {
    ((key >> 32) as u32, key as u32)
}

impl Rib {
    /// Tells what has changed in a column since an epoch, from where `cursor` stands: into `buffer`, in
    /// whole messages with this header, for as much `work` as there is, of which what was done is taken.
    /// To whoever was told nothing yet, nothing is withdrawn.
    ///
    /// A walk that ends in anything but [`Walked::All`] goes on with the same column, epoch and cursor,
    /// for as long as [`Rib::can_tell`] says so: ask before each call. The cursor of one that has ended
    /// begins another.
    ///
    /// One of [`ROOM_MIN`] octets has room for a message in any case: who offers that gets on.
    ///
    /// # Panics
    /// If the column is not open.
    pub fn walk(
        &mut self,
        id: ColumnId,
        since: Epoch,
        cursor: &mut Cursor,
        header: &PeerHeader,
        buffer: &mut [u8],
        work: &mut usize,
    ) -> Told {
        let Self { settings, epochs, prefixes, attributes, columns, scratches, .. } = self;
        let Open { family, add_path, column, .. } = columns[id.0 as usize].as_ref().expect("an open column");
        let told = epochs.told(since);
        let mut telling = Telling {
            column,
            attributes,
            prefixes: table(prefixes, *family),
            family: *family,
            add_path: *add_path,
            header,
            buffer,
            time: |stamp| epochs.time(stamp),
            done: Told { len: 0, messages: 0, routes: 0, unsendable: 0, walked: Walked::All },
        };
        if column.newest <= told {
            scratches.release(cursor);
            *cursor = Cursor::default();
            return telling.done;
        }
        if cursor.generation != column.generation {
            // Slots have got another meaning: the attributes stand, and their routes are told again.
            scratches.release(cursor);
            *cursor = Cursor { next: cursor.next >> 32 << 32, generation: column.generation, lease: None };
        }
        let Some(scratch) = scratches.lease(cursor, id) else {
            telling.done.walked = Walked::Waiting;
            return telling.done;
        };
        let fresh = since == Epoch::NOTHING;
        telling.done.walked = loop {
            if *work == 0 {
                break Walked::Spent;
            }
            if let Some(block) = scratch.scan {
                let owed = (told, fresh, cursor.next);
                collect(column, attributes, scratch, block, owed, settings.sorted_max, work);
                continue;
            }
            if scratch.at == scratch.sorted && scratch.sorted < scratch.keys.len() {
                scratch.sort(work);
                continue;
            }
            scratch.look_ahead(column, telling.prefixes);
            match telling.tell(scratch, work) {
                Ok(()) => {}
                Err(stopped) => break stopped,
            }
            if scratch.at < scratch.keys.len() {
                continue;
            }
            if scratch.bound == u64::MAX {
                break Walked::All;
            }
            cursor.next = scratch.bound;
            scratch.begin();
        };
        if scratch.scan.is_none() && scratch.at > 0 {
            cursor.next = scratch.keys[scratch.at - 1] + 1;
        }
        let done = telling.done;
        if done.walked == Walked::All {
            scratches.release(cursor);
            *cursor = Cursor::default();
        }
        done
    }

    /// A walk will not go on for now: what it sorts in is free for others. It has to sort anew when it
    /// does, so one that rests after every little work gets nowhere: rest when the server does.
    pub fn rest(&mut self, cursor: &mut Cursor) {
        self.scratches.release(cursor);
    }
}

/// Looks for keys of changed paths, from a block on, for as long as there is work.
fn collect(
    column: &Column,
    attributes: &Attributes,
    scratch: &mut Scratch,
    mut block: usize,
    (told, fresh, next): (Stamp, bool, u64),
    sorted_max: usize,
    work: &mut usize,
) {
    while let Some(changed) = column.changed_block(block, told) {
        if *work == 0 {
            scratch.scan = Some(changed);
            return;
        }
        let Scratch { keys, bound, .. } = scratch;
        let mut found = 0;
        column.changed(changed, told, |slot, id| {
            found += 1;
            if id != 0 || !fresh {
                let key = key(if id == 0 { 0 } else { attributes.block_of(id) }, slot);
                if key >= next && key < *bound {
                    keys.push(key);
                }
            }
        });
        *work = work.saturating_sub(BLOCK_WORK + found / FOUND_PER_WORK);
        if scratch.keys.len() >= 2 * sorted_max {
            *work = work.saturating_sub(scratch.keys.len() / SELECT_PER_WORK);
            scratch.choose(sorted_max);
        }
        block = changed + 1;
    }
    if scratch.keys.len() > sorted_max {
        scratch.choose(sorted_max);
    }
    scratch.scan = None;
}

/// The path of a key, if it still is what the key says: there with these attributes, or gone.
#[inline]
fn stands(column: &Column, attributes: &Attributes, key: u64) -> Option<Path> {
    let (block, slot) = open_key(key);
    let path = column.get(slot);
    let stands = match path.attributes {
        0 => path.stamp != 0 && block == 0,
        id => attributes.block_of(id) == block,
    };
    stands.then_some(path)
}

/// All that putting routes into messages needs.
struct Telling<'a, F> {
    column: &'a Column,
    attributes: &'a Attributes,
    prefixes: &'a Prefixes,
    family: Family,
    add_path: bool,
    header: &'a PeerHeader,
    buffer: &'a mut [u8],
    time: F,
    done: Told,
}

impl<F: Fn(Stamp) -> Time> Telling<'_, F> {
    /// One message: the next keys that share a block, or are all of withdrawn paths.
    fn tell(&mut self, scratch: &mut Scratch, work: &mut usize) -> Result<(), Walked> {
        let keys = &scratch.keys[scratch.at..scratch.sorted];
        let Some(block) = keys.first().map(|key| open_key(*key).0) else { return Ok(()) };
        let keys = &keys[..keys.len().min(*work)];
        let run = keys.iter().position(|key| open_key(*key).0 != block).unwrap_or(keys.len());
        let passed = keys[..run]
            .iter()
            .position(|key| stands(self.column, self.attributes, *key).is_some())
            .unwrap_or(run);
        let keys = &keys[passed..run];
        scratch.at += passed;
        *work -= passed;
        if keys.is_empty() {
            return Ok(());
        }
        let trailing = if block == 0 { 0 } else { self.attributes.trailing_len(block) };
        // As full as a common message can be, and longer only if one route needs it.
        for most in [MESSAGE_MAX, EXTENDED_MESSAGE_MAX] {
            if self.buffer.len() - self.done.len < HEAD + most + trailing {
                return Err(Walked::Full);
            }
            let written =
                if block == 0 { self.withdraw(keys, most) } else { self.announce(keys, block, most) };
            if let Ok(taken) = written {
                scratch.at += taken;
                *work -= taken;
                return Ok(());
            }
        }
        self.done.unsendable += 1;
        scratch.at += 1;
        *work -= 1;
        Ok(())
    }

    /// Puts as many of these paths into one UPDATE as fit, those passed over that do not stand any more;
    /// gives how many that were.
    fn announce(&mut self, keys: &[u64], block: AttributeId, most: usize) -> Result<usize, Overflow> {
        let Self { column, attributes, prefixes, family, add_path, .. } = *self;
        let shared = attributes.shared(block);
        let mut header = *self.header;
        // The flag is of a message, not of a peer: RFC 7854 §4.2. A Loc-RIB has none.
        if header.kind != PeerKind::LOC_RIB {
            header.flags.0 &= !PeerFlags::TWO_OCTET_AS;
            header.flags.0 |= if shared.two_octet_as { PeerFlags::TWO_OCTET_AS } else { 0 };
        }
        let (mut taken, mut routes, mut newest) = (0, 0, 0);
        let len = route_monitoring_with(&mut self.buffer[self.done.len..], &header, |body| {
            let mut announce = Announce::open(&mut body[..most], family, shared.block)?;
            for key in keys {
                if let Some(path) = stands(column, attributes, *key) {
                    let key = prefixes.key(path.prefix);
                    let path_id = add_path.then_some(PathId(path.path));
                    let payload = attributes.payload(path.attributes);
                    if let Err(refused) = announce.push(&Route { path_id, key: &key, payload }) {
                        if announce.routes() == 0 {
                            return Err(refused);
                        }
                        break;
                    }
                    newest = newest.max(path.stamp);
                }
                taken += 1;
            }
            routes = announce.routes();
            let len = announce.close();
            body[len..len + shared.trailing.len()].copy_from_slice(shared.trailing);
            Ok(len + shared.trailing.len())
        })?;
        self.finish(len, routes, newest);
        Ok(taken)
    }

    /// The same for paths that are gone.
    fn withdraw(&mut self, keys: &[u64], most: usize) -> Result<usize, Overflow> {
        let Self { column, attributes, prefixes, family, add_path, .. } = *self;
        let (mut taken, mut routes, mut newest) = (0, 0, 0);
        let len = route_monitoring_with(&mut self.buffer[self.done.len..], self.header, |body| {
            let mut withdraw = Withdraw::open(&mut body[..most], family)?;
            for key in keys {
                if let Some(path) = stands(column, attributes, *key) {
                    let path_id = add_path.then_some(PathId(path.path));
                    if let Err(refused) = withdraw.push(path_id, &prefixes.key(path.prefix)) {
                        if withdraw.routes() == 0 {
                            return Err(refused);
                        }
                        break;
                    }
                    newest = newest.max(path.stamp);
                }
                taken += 1;
            }
            routes = withdraw.routes();
            Ok(withdraw.close())
        })?;
        self.finish(len, routes, newest);
        Ok(taken)
    }

    /// Sets the time of the message that was written, and counts it.
    fn finish(&mut self, len: usize, routes: usize, newest: Stamp) {
        let Time(time) = (self.time)(newest);
        #[expect(clippy::cast_possible_truncation, reason = "until 2106")]
        let [seconds, micros] = [time / 1_000_000, time % 1_000_000].map(|part| (part as u32).to_be_bytes());
        let at = self.done.len + TIME_AT;
        self.buffer[at..at + 4].copy_from_slice(&seconds);
        self.buffer[at + 4..at + 8].copy_from_slice(&micros);
        self.done.len += len;
        self.done.messages += 1;
        self.done.routes += routes;
    }
}
