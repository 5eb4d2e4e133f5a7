//! From a hash to an id: open addressing, one word a bucket.
//!
//! ```text
//!  hash:   │ shard 6 │ … │ tag 32 │         bucket:  │ tag 32 │ id 32 │,  0 is empty
//!  home of a tag: tag * buckets >> 32       then the next bucket, until an empty one
//! ```
//!
//! * **one look**   a bucket has 32 bits of the hash, so a wrong candidate is seldom looked at, and
//!   growing needs nothing but the buckets.
//! * **no wall**    each shard grows by itself: a large index never moves all at once.
//! * **no graves**  removing shifts back what follows, so lookups do not slow down with age.

/// Of a hundred buckets at most so many are used.
const LOAD_MAX: usize = 80;
/// The fewest buckets of a shard that has any.
const BUCKETS_MIN: usize = 8;

pub(crate) struct Index {
    shards: Box<[Shard]>,
    /// How far right the hash goes to leave the shard's number.
    shift: u32,
}

#[derive(Clone, Default)]
struct Shard {
    buckets: Box<[u64]>,
    len: usize,
}

impl Index {
    /// An index of `2^log2` shards.
    pub(crate) fn new(log2: u32) -> Self {
        Self { shards: vec![Shard::default(); 1 << log2].into_boxed_slice(), shift: 64 - log2 }
    }

    #[inline]
    fn shard(&self, hash: u64) -> usize {
        #[expect(clippy::cast_possible_truncation, reason = "a few bits")]
        let shard = hash.checked_shr(self.shift).unwrap_or(0) as usize;
        shard
    }

    /// The id with this hash of which `is_it` says yes.
    #[inline]
    pub(crate) fn find(&self, hash: u64, is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        self.shards[self.shard(hash)].find(tag(hash), is_it)
    }

    /// The bucket where a search for this hash begins: looking there early brings its line here.
    #[inline]
    pub(crate) fn touch(&self, hash: u64) -> u64 {
        let shard = &self.shards[self.shard(hash)];
        shard.buckets.get(shard.home(tag(hash))).copied().unwrap_or(0)
    }

    /// Adds an id that is not there.
    pub(crate) fn insert(&mut self, hash: u64, id: u32) {
        let shard = self.shard(hash);
        self.shards[shard].insert(tag(hash), id);
    }

    /// Removes an id that is there.
    pub(crate) fn remove(&mut self, hash: u64, id: u32) {
        let shard = self.shard(hash);
        self.shards[shard].remove(tag(hash), id);
    }

    /// How many ids there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.len).sum()
    }

    /// Octets of all buckets.
    pub(crate) fn memory(&self) -> usize {
        let buckets: usize = self.shards.iter().map(|shard| shard.buckets.len()).sum();
        buckets * size_of::<u64>() + self.shards.len() * size_of::<Shard>()
    }
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the low half is meant")]
fn tag(hash: u64) -> u32 {
    hash as u32
}

#[inline]
fn bucket(tag: u32, id: u32) -> u64 {
    debug_assert!(id != 0, "ids begin at 1");
    u64::from(tag) << 32 | u64::from(id)
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "two halves")]
fn open(bucket: u64) -> (u32, u32) {
    ((bucket >> 32) as u32, bucket as u32)
}

impl Shard {
    #[inline]
    fn home(&self, tag: u32) -> usize {
        ((u64::from(tag) * self.buckets.len() as u64) >> 32) as usize
    }

    #[inline]
    fn next(&self, at: usize) -> usize {
        if at + 1 == self.buckets.len() { 0 } else { at + 1 }
    }

    #[inline]
    fn find(&self, tag: u32, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        if self.len == 0 {
            return None;
        }
        let mut at = self.home(tag);
        loop {
            match open(self.buckets[at]) {
                (_, 0) => return None,
                (found, id) if found == tag && is_it(id) => return Some(id),
                _ => at = self.next(at),
            }
        }
    }

    fn insert(&mut self, tag: u32, id: u32) {
        if (self.len + 1) * 100 > self.buckets.len() * LOAD_MAX {
            self.grow();
        }
        self.len += 1;
        self.put(bucket(tag, id));
    }

    fn put(&mut self, bucket: u64) {
        let mut at = self.home(open(bucket).0);
        while self.buckets[at] != 0 {
            at = self.next(at);
        }
        self.buckets[at] = bucket;
    }

    fn remove(&mut self, tag: u32, id: u32) {
        let gone = bucket(tag, id);
        let mut hole = self.home(tag);
        while self.buckets[hole] != gone {
            assert!(self.buckets[hole] != 0, "only what is there is removed");
            hole = self.next(hole);
        }
        self.len -= 1;
        let mut at = hole;
        loop {
            at = self.next(at);
            let bucket = self.buckets[at];
            if bucket == 0 {
                break;
            }
            // It may move back to the hole if its home is not behind the hole, seen from where it is.
            let len = self.buckets.len();
            let from_home = (at + len - self.home(open(bucket).0)) % len;
            let from_hole = (at + len - hole) % len;
            if from_home >= from_hole {
                self.buckets[hole] = bucket;
                hole = at;
            }
        }
        self.buckets[hole] = 0;
        if self.len * 5 < self.buckets.len() && self.buckets.len() > BUCKETS_MIN * 4 {
            self.resize(self.len * 2);
        }
    }

    #[cold]
    fn grow(&mut self) {
        // By a quarter: homes keep their order, so a resize is two walks in step and costs little.
        self.resize((self.buckets.len() * 5 / 4).max(BUCKETS_MIN));
    }

    fn resize(&mut self, len: usize) {
        let old = std::mem::replace(&mut self.buckets, vec![0; len].into_boxed_slice());
        for bucket in old.into_iter().filter(|bucket| *bucket != 0) {
            self.put(bucket);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// Few hashes, so that they clash: in home, in tag, at the end of the buckets.
    fn hash(key: u8) -> u64 {
        let tag = match key % 4 {
            0 => u32::MAX - u32::from(key / 16),
            1 => 7,
            _ => u32::from(key) << 24,
        };
        u64::from(key % 2) << 63 | u64::from(tag)
    }

    proptest! {
        #[test]
        fn does_what_a_map_does(steps in prop::collection::vec((any::<u8>(), any::<bool>()), 0..2000)) {
            let mut index = Index::new(1);
            let mut map = BTreeMap::new();
            for (key, insert) in steps {
                let id = u32::from(key) + 1;
                prop_assert_eq!(index.find(hash(key), |found| found == id).is_some(), map.contains_key(&key));
                if insert && map.insert(key, id).is_none() {
                    index.insert(hash(key), id);
                } else if !insert && map.remove(&key).is_some() {
                    index.remove(hash(key), id);
                }
            }
            for key in 0..=255 {
                let found = index.find(hash(key), |id| id == u32::from(key) + 1);
                prop_assert_eq!(found, map.get(&key).copied());
            }
        }
    }
}
