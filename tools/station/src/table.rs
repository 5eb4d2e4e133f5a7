//! One table: the paths of one peer in one view and one family.
//!
//! A path costs 40 octets of a list and 8 of an index, each with room to grow, and nothing beside them as long as
//! its key has no more than 22 octets with its path id (all of IPv4, and IPv6 unicast) and no payload.
//!
//! * **ahead** a path is looked for at two places that no cache has: its bucket, and its entry. So what the routes
//!   of an UPDATE need is loaded for 32 of them at once, without a branch in between, and then used.

use std::fmt::{self, Display, Formatter};
use std::hash::BuildHasher;
use std::hint::black_box;
use std::sync::Arc;

use foldhash::fast::RandomState;
use wire::Family;
use wire::bgp::{Dialect, View};
use wire::bmp::{PeerFlags, PeerHeader};
use wire::nlri::{self, Labels, PathId, Reading, Routes};

use crate::digest::{Digest, put};
use crate::index::Index;
use crate::pool::Set;

/// Octets of a path id and a route key that stand in the map itself.
const INLINE_MAX: usize = 22;
/// The longest entry of any family: MUP has one octet of length, flow specifications twelve bits, link state and
/// VPLS sixteen, and labels stand beside the key.
const ENTRY_MAX: usize = 2 * (4 + 0xffff);

/// Routes that are looked at ahead.
const AHEAD: usize = 32;

/// The paths of one table.
#[derive(Default)]
pub struct Table {
    index: Index,
    paths: Vec<(Key, Held)>,
    hasher: RandomState,
    /// Its End-of-RIB has come.
    pub(crate) is_complete: bool,
}

/// Path id and route key: a mark, four octets if the mark is 1, and the key.
#[derive(Clone)]
enum Key {
    Inline { len: u8, octets: [u8; INLINE_MAX] },
    Boxed(Box<[u8]>),
}

/// What a path has. Hardly any has a payload.
enum Held {
    Plain(Arc<Set>),
    Loaded(Box<(Arc<Set>, Box<[u8]>)>),
}

const _: () = assert!(size_of::<(Key, Held)>() == 40);

/// One path as it is held.
#[derive(Clone, Copy)]
pub struct Path<'a> {
    /// ADD-PATH.
    pub path_id: Option<PathId>,
    /// What identifies the route: [`wire::nlri::Entry::key`].
    pub key: &'a [u8],
    /// What does not: [`wire::nlri::Entry::payload`].
    pub payload: &'a [u8],
    /// What it shares with others.
    pub set: &'a Set,
}

/// Keys of routes and their hashes, while they are being looked for.
#[derive(Default)]
pub(crate) struct Ahead(Vec<(u32, Key)>);

/// What putting paths into a table did.
#[derive(Default)]
pub(crate) struct Put {
    /// So many are new.
    pub(crate) new: u64,
    /// So many would have been new, and there was no room.
    pub(crate) left_out: u64,
    /// One took the place of one with a greater version, which is this.
    pub(crate) newest: Option<u64>,
}

impl Key {
    fn new(path_id: Option<PathId>, key: &[u8]) -> Self {
        let head = match path_id {
            None => [0; 5],
            Some(PathId(id)) => {
                let [a, b, c, d] = id.to_be_bytes();
                [1, a, b, c, d]
            }
        };
        let head = if path_id.is_some() { &head[..] } else { &head[..1] };
        let len = head.len() + key.len();
        if len > INLINE_MAX {
            return Self::Boxed([head, key].concat().into());
        }
        let mut octets = [0; INLINE_MAX];
        octets[..head.len()].copy_from_slice(head);
        octets[head.len()..len].copy_from_slice(key);
        #[expect(clippy::cast_possible_truncation, reason = "at most INLINE_MAX")]
        Self::Inline { len: len as u8, octets }
    }

    fn octets(&self) -> &[u8] {
        match self {
            Self::Inline { len, octets } => &octets[..usize::from(*len)],
            Self::Boxed(octets) => octets,
        }
    }

    /// Something that is a read of its memory.
    #[inline]
    fn first(&self) -> u8 {
        match self {
            Self::Inline { len, .. } => *len,
            Self::Boxed(_) => 0,
        }
    }

    fn parts(&self) -> (Option<PathId>, &[u8]) {
        match self.octets() {
            &[1, a, b, c, d, ref key @ ..] => (Some(PathId(u32::from_be_bytes([a, b, c, d]))), key),
            octets => (None, octets.get(1..).unwrap_or_default()),
        }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.octets() == other.octets()
    }
}

impl Eq for Key {}

impl Held {
    fn parts(&self) -> (&Arc<Set>, &[u8]) {
        match self {
            Self::Plain(set) => (set, &[]),
            Self::Loaded(both) => (&both.0, &both.1),
        }
    }
}

impl Table {
    /// How many paths it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.paths.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// Whether its End-of-RIB has come.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Its paths, in no order.
    pub fn paths(&self) -> impl Iterator<Item = Path<'_>> {
        self.paths.iter().map(|(key, held)| {
            let ((path_id, key), (set, payload)) = (key.parts(), held.parts());
            Path { path_id, key, payload, set }
        })
    }

    /// The sum of the digests of its paths.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut scratch = Vec::new();
        let mut sum = Digest::default();
        self.paths().for_each(|path| sum += path.digest_with(&mut scratch));
        sum
    }

    /// Puts the routes of an UPDATE in. Without room, only those that take the place of others.
    pub(crate) fn put(
        &mut self,
        mut routes: Routes<'_>,
        set: &Arc<Set>,
        has_room: bool,
        ahead: &mut Ahead,
    ) -> Put {
        let mut put = Put::default();
        while !routes.is_empty() {
            self.look(routes, ahead);
            for ((hash, key), entry) in ahead.0.drain(..).zip(&mut routes) {
                let payload = entry.payload();
                let set = Arc::clone(set);
                let held = match payload.len() {
                    0 => Held::Plain(set),
                    _ => Held::Loaded(Box::new((set, payload[..].into()))),
                };
                if let Some(place) = self.find(hash, &key) {
                    let old = std::mem::replace(&mut self.paths[place as usize].1, held);
                    put.newest = put.newest.max(old.parts().0.version);
                    continue;
                }
                let place =
                    u32::try_from(self.paths.len()).ok().filter(|place| has_room && *place < u32::MAX);
                let Some(place) = place else {
                    put.left_out += 1;
                    continue;
                };
                self.index.insert(hash, place);
                self.paths.push((key, held));
                put.new += 1;
            }
        }
        put
    }

    /// Takes the routes of an UPDATE out, and says how many were there.
    pub(crate) fn take(&mut self, mut routes: Routes<'_>, ahead: &mut Ahead) -> u64 {
        let before = self.paths.len();
        while !routes.is_empty() {
            self.look(routes, ahead);
            for ((hash, key), _) in ahead.0.drain(..).zip(&mut routes) {
                let Some(place) = self.find(hash, &key) else { continue };
                self.index.remove(hash, place);
                self.paths.swap_remove(place as usize);
                // The last one has taken its place.
                if let (Some((key, _)), Ok(from)) =
                    (self.paths.get(place as usize), u32::try_from(self.paths.len()))
                {
                    self.index.renumber(self.hash(key), from, place);
                }
            }
        }
        (before - self.paths.len()) as u64
    }

    #[inline]
    fn find(&self, hash: u32, key: &Key) -> Option<u32> {
        self.index.find(hash, |place| self.paths[place as usize].0 == *key)
    }

    fn hash(&self, key: &Key) -> u32 {
        let hash = self.hasher.hash_one(key.octets());
        #[expect(clippy::cast_possible_truncation, reason = "two halves")]
        let halves = (hash as u32, (hash >> 32) as u32);
        halves.0 ^ halves.1
    }

    /// Loads what the first few routes need: all buckets, then all entries.
    fn look(&self, routes: Routes<'_>, ahead: &mut Ahead) {
        ahead.0.clear();
        ahead.0.extend(routes.take(AHEAD).map(|entry| {
            let key = Key::new(entry.path_id(), &entry.key());
            (self.hash(&key), key)
        }));
        let buckets = ahead.0.iter().map(|(hash, _)| self.index.peek(*hash).unwrap_or_default());
        black_box(buckets.fold(0, |all, place| all ^ place));
        let entries = ahead.0.iter().map(|(hash, _)| {
            let place = self.index.peek(*hash).unwrap_or_default();
            self.paths.get(place as usize).map_or(0, |(key, _)| key.first())
        });
        black_box(entries.fold(0, |all, octet| all ^ octet));
    }
}

impl<'a> Path<'a> {
    /// Its digest.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest_with(&mut Vec::new())
    }

    fn digest_with(&self, scratch: &mut Vec<u8>) -> Digest {
        scratch.clear();
        scratch.push(u8::from(self.path_id.is_some()));
        scratch.extend(self.path_id.map_or(0, |id| id.0).to_be_bytes());
        put(scratch, self.key);
        put(scratch, self.payload);
        scratch.extend(self.set.digest().0.to_be_bytes());
        Digest::of(scratch)
    }

    /// The path as a line of a dump: who, which table, the route, what it has, and its digest, which also stands
    /// for what a line has no room to say.
    #[must_use]
    pub fn line(self, peer: PeerHeader, view: View, family: Family) -> impl Display + use<'a> {
        fmt::from_fn(move |f| self.write_line(f, peer, view, family))
    }

    fn write_line(
        &self,
        f: &mut Formatter<'_>,
        mut peer: PeerHeader,
        view: View,
        family: Family,
    ) -> fmt::Result {
        peer.flags = self.set.flags();
        peer.asn.set(self.set.asn());
        peer.bgp_id = self.set.bgp_id();
        write!(f, "{peer} {} {family} ", view.name())?;
        // Two labels and more are a stack, and read as one.
        let labels = if self.payload.len() > 3 { Labels::Stack } else { Labels::One };
        let mut buffer = vec![0; ENTRY_MAX.min(self.key.len() + self.payload.len() + 16)];
        let written = nlri::write(&mut buffer, family, self.key, self.payload).unwrap_or_default();
        let routes = Routes::check(family, Reading { add_path: false, labels }, &buffer[..written]);
        match routes.ok().and_then(|mut routes| routes.next()) {
            Some(entry) => write!(f, "{entry}")?,
            None => {
                self.key.iter().try_for_each(|octet| write!(f, "{octet:02x}"))?;
            }
        }
        self.path_id.map_or(Ok(()), |id| write!(f, "#{id}"))?;
        let four_octet_as = view == View::LocRib || !peer.flags.has(PeerFlags::TWO_OCTET_AS);
        let dialect = Dialect { four_octet_as, ..Dialect::default() };
        write!(f, " {}", self.set.attributes().show(&dialect))?;
        if !self.set.trailing().is_empty() {
            write!(f, " trailing {} octets", self.set.trailing().len())?;
        }
        write!(f, " {}", self.digest())
    }
}
