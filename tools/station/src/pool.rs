//! Attribute sets, each held once however many paths have them, and how many paths there may be.
//!
//! * **once**     sets are told apart by their canonical octets. All connections share one pool: a table that
//!   is mirrored to a thousand of them has its attributes here once.
//! * **bounded**  sets that no path has are let go when there are twice as many as were alive last time; paths
//!   have a limit over all connections, which is checked before each UPDATE and therefore passed by at most
//!   the routes of one UPDATE a thread.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::fast::RandomState;
use wire::bgp::{AttributeKind, Attributes, attributes};
use wire::bmp::{PeerFlags, PeerHeader};

use crate::digest::{Digest, put};

/// Each has a lock of its own.
const SHARDS: usize = 64;
/// Sets of a shard that are kept without asking who has them.
const SWEEP_MIN: usize = 256;
/// The global administrator of the large community that says a version, as the routers of our tests put it:
/// `4294901760:high:low`.
const VERSION_MARK: u32 = 0xffff_0000;

/// Everything that the routes of an UPDATE share.
pub struct Set {
    /// Canonical: flags 1, AS 4, BGP identifier 4, length 4 and attribute block, length 4 and trailing octets.
    octets: Box<[u8]>,
    block_len: usize,
    digest: Digest,
    /// An attribute that stands there twice, which no UPDATE may have.
    pub(crate) twice: Option<AttributeKind>,
    /// What the large community of versions says.
    pub(crate) version: Option<u64>,
}

/// Octets of a set in front of its block.
const HEAD: usize = 1 + 4 + 4 + 4;

impl Set {
    fn new(octets: &[u8], block_len: usize) -> Self {
        let mut set =
            Self { octets: octets.into(), block_len, digest: Digest::of(octets), twice: None, version: None };
        let mut seen = [false; 256];
        let (mut twice, mut version) = (None, None);
        for attribute in set.attributes() {
            if std::mem::replace(&mut seen[usize::from(attribute.kind.0)], true) {
                twice = Some(attribute.kind);
            }
            if attribute.kind == AttributeKind::LARGE_COMMUNITIES {
                let marked = attribute.value.as_chunks::<12>().0.iter();
                let mut marked = marked.filter(|community| community[..4] == VERSION_MARK.to_be_bytes());
                version =
                    marked.next_back().map(|c| c[4..].iter().fold(0, |n, octet| n << 8 | u64::from(*octet)));
            }
        }
        set.twice = twice;
        set.version = version;
        set
    }

    /// Flags of the per-peer header.
    #[must_use]
    pub fn flags(&self) -> PeerFlags {
        PeerFlags(self.octets[0])
    }

    /// AS number of the per-peer header.
    #[must_use]
    pub fn asn(&self) -> u32 {
        self.octets[1..5].iter().fold(0, |n, octet| n << 8 | u32::from(*octet))
    }

    /// BGP identifier of the per-peer header.
    #[must_use]
    pub fn bgp_id(&self) -> [u8; 4] {
        [self.octets[5], self.octets[6], self.octets[7], self.octets[8]]
    }

    /// The attributes in the form of [`wire::bgp::Update::block`].
    #[must_use]
    pub fn block(&self) -> &[u8] {
        &self.octets[HEAD..HEAD + self.block_len]
    }

    /// The same, one after the other.
    #[must_use]
    pub fn attributes(&self) -> Attributes<'_> {
        // A block comes from an UPDATE that has been walked to its end.
        attributes(self.block()).unwrap_or_else(|error| unreachable!("a block that was checked: {error}"))
    }

    /// What stood behind the PDU.
    #[must_use]
    pub fn trailing(&self) -> &[u8] {
        &self.octets[HEAD + self.block_len + 4..]
    }

    /// Its digest.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

/// A set in a shard: it is what its octets are.
struct Held(Arc<Set>);

impl Borrow<[u8]> for Held {
    fn borrow(&self) -> &[u8] {
        &self.0.octets
    }
}

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        self.0.octets == other.0.octets
    }
}

impl Eq for Held {}

impl Hash for Held {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.octets.hash(state);
    }
}

#[derive(Default)]
struct Shard {
    sets: HashSet<Held, RandomState>,
    sweep_at: usize,
}

/// What connections share. Clones are the same pool.
#[derive(Clone)]
pub struct Pool(Arc<Shared>);

struct Shared {
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
    paths: AtomicUsize,
    paths_max: usize,
}

impl Pool {
    /// A pool for at most so many paths.
    #[must_use]
    pub fn new(paths_max: usize) -> Self {
        let shards = std::array::from_fn(|_| Mutex::default());
        Self(Arc::new(Shared {
            shards,
            hasher: RandomState::default(),
            paths: AtomicUsize::new(0),
            paths_max,
        }))
    }

    /// Paths that all connections hold.
    #[must_use]
    pub fn paths(&self) -> usize {
        self.0.paths.load(Ordering::Relaxed)
    }

    /// How many there may be.
    #[must_use]
    pub fn paths_max(&self) -> usize {
        self.0.paths_max
    }

    /// Attribute sets that are held.
    #[must_use]
    pub fn sets(&self) -> usize {
        let len = |shard: &Mutex<Shard>| shard.lock().unwrap_or_else(PoisonError::into_inner).sets.len();
        self.0.shards.iter().map(len).sum()
    }

    /// Whether another path may be held.
    pub(crate) fn has_room(&self) -> bool {
        self.paths() < self.0.paths_max
    }

    pub(crate) fn add_paths(&self, paths: usize) {
        if paths > 0 {
            self.0.paths.fetch_add(paths, Ordering::Relaxed);
        }
    }

    pub(crate) fn remove_paths(&self, paths: usize) {
        if paths > 0 {
            self.0.paths.fetch_sub(paths, Ordering::Relaxed);
        }
    }

    /// The set with these parts. `scratch` is where it is put together.
    pub(crate) fn intern(
        &self,
        peer: &PeerHeader,
        block: &[u8],
        trailing: &[u8],
        scratch: &mut Vec<u8>,
    ) -> Arc<Set> {
        scratch.clear();
        scratch.push(peer.flags.0);
        scratch.extend(peer.asn.get().to_be_bytes());
        scratch.extend(peer.bgp_id);
        put(scratch, block);
        put(scratch, trailing);
        let shard = (self.0.hasher.hash_one(&scratch[..]) >> 32) as usize % SHARDS;
        let mut shard = self.0.shards[shard].lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = shard.sets.get(&scratch[..]) {
            return Arc::clone(&held.0);
        }
        if shard.sets.len() >= shard.sweep_at.max(SWEEP_MIN) {
            shard.sets.retain(|held| Arc::strong_count(&held.0) > 1);
            shard.sweep_at = shard.sets.len() * 2;
        }
        let set = Arc::new(Set::new(scratch, block.len()));
        shard.sets.insert(Held(Arc::clone(&set)));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_held_once_and_let_go() {
        let pool = Pool::new(1);
        let peer = PeerHeader::default();
        let mut scratch = Vec::new();
        let mut intern = |n: u32| {
            let med = [[0x80, 4, 4].as_slice(), &n.to_be_bytes()].concat();
            pool.intern(&peer, &med, &[], &mut scratch)
        };
        let first = intern(7);
        assert!(Arc::ptr_eq(&first, &intern(7)));
        (0..200_000).for_each(|n| drop(intern(n)));
        assert!(pool.sets() <= 2 * SHARDS * SWEEP_MIN, "{} sets", pool.sets());
        assert!(Arc::ptr_eq(&first, &intern(7)), "one that somebody has stays");
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let pool = Pool::new(1);
        let mut scratch = Vec::new();
        let one = [0x40, 1, 1, 0];
        let mut digest = |block: &[u8], trailing: &[u8]| {
            pool.intern(&PeerHeader::default(), block, trailing, &mut scratch).digest()
        };
        assert_ne!(digest(&one, &[]), digest(&[], &one));
    }
}
