//! From a hash to an id: open addressing, one word a bucket.
//!
//! ```text
//!  tag: 32 bits of a hash, the first of them the shard      bucket:  │ tag 32 │ id 32 │,  0 is empty
//!  home of a tag: what is left of it * homes >> 32          then the next bucket, until one is greater or empty
//! ```
//!
//! * **in order**   homes grow with tags, and within a shard so do the buckets: a search ends at the first
//!   tag that is greater, found or not, and growing is two walks in step.
//! * **one look**   a bucket has the whole tag, so a wrong candidate is seldom looked at, and growing
//!   needs nothing but the buckets.
//! * **no wall**    each shard grows by itself: a large index never moves all at once.
//! * **no graves**  removing shifts back what follows, so lookups do not slow down with age.

/// Of a hundred buckets at most so many are used.
const LOAD_MAX: usize = 80;
/// The fewest homes of a shard that has any.
const HOMES_MIN: usize = 8;

/// Buckets behind the last home, for those that were pushed there: what a shard needs there grows with the
/// length of its runs, and not with its own. If they do not suffice it grows.
const fn slack(homes: usize) -> usize {
    16 + homes / 64
}

/// What an index knows of a key.
pub(crate) type Tag = u32;

/// The tag of a hash.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "both halves are in it")]
pub(crate) fn tag(hash: u64) -> Tag {
    (hash ^ (hash >> 32)) as u32
}

pub(crate) struct Index {
    shards: Box<[Shard]>,
    /// How many bits of a tag are the shard's number.
    log2: u32,
}

#[derive(Clone, Default)]
struct Shard {
    /// As many as there are homes, and some behind them, the last of which is empty.
    buckets: Box<[u64]>,
    homes: usize,
    len: usize,
    log2: u32,
}

impl Index {
    /// An index of `2^log2` shards.
    pub(crate) fn new(log2: u32) -> Self {
        let shard = Shard { log2, ..Shard::default() };
        Self { shards: vec![shard; 1 << log2].into_boxed_slice(), log2 }
    }

    #[inline]
    fn shard(&self, tag: Tag) -> usize {
        tag.checked_shr(32 - self.log2).unwrap_or(0) as usize
    }

    /// The id with this tag of which `is_it` says yes.
    #[inline]
    pub(crate) fn find(&self, tag: Tag, is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        self.shards[self.shard(tag)].find(tag, is_it)
    }

    /// The bucket where a search for this tag begins: looking there early brings its line here.
    #[inline]
    pub(crate) fn touch(&self, tag: Tag) -> u64 {
        let shard = &self.shards[self.shard(tag)];
        shard.buckets.get(shard.home(tag)).copied().unwrap_or(0)
    }

    /// Adds an id that is not there.
    pub(crate) fn insert(&mut self, tag: Tag, id: u32) {
        let shard = self.shard(tag);
        self.shards[shard].insert(tag, id);
    }

    /// Removes an id that is there.
    pub(crate) fn remove(&mut self, tag: Tag, id: u32) {
        let shard = self.shard(tag);
        self.shards[shard].remove(tag, id);
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
fn bucket(tag: Tag, id: u32) -> u64 {
    debug_assert!(id != 0, "ids begin at 1");
    u64::from(tag) << 32 | u64::from(id)
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "two halves")]
fn open(bucket: u64) -> (Tag, u32) {
    ((bucket >> 32) as u32, bucket as u32)
}

impl Shard {
    #[inline]
    fn home(&self, tag: Tag) -> usize {
        ((u64::from(tag << self.log2) * self.homes as u64) >> 32) as usize
    }

    #[inline]
    fn find(&self, tag: Tag, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let from = self.home(tag);
        for &bucket in self.buckets.get(from..)? {
            let (found, id) = open(bucket);
            if found == tag && id != 0 && is_it(id) {
                return Some(id);
            }
            if bucket == 0 || found > tag {
                break;
            }
        }
        None
    }

    fn insert(&mut self, tag: Tag, id: u32) {
        if (self.len + 1) * 100 > self.homes * LOAD_MAX {
            self.grow();
        }
        while !self.put(bucket(tag, id)) {
            self.grow();
        }
        self.len += 1;
    }

    /// Puts a bucket behind those that are not greater, if there is an empty one to push the others into.
    fn put(&mut self, bucket: u64) -> bool {
        let (tag, _) = open(bucket);
        let mut at = self.home(tag);
        while self.buckets[at] != 0 && open(self.buckets[at]).0 <= tag {
            at += 1;
        }
        let mut empty = at;
        while self.buckets[empty] != 0 {
            empty += 1;
        }
        if empty + 1 == self.buckets.len() {
            return false;
        }
        self.buckets.copy_within(at..empty, at + 1);
        self.buckets[at] = bucket;
        true
    }

    fn remove(&mut self, tag: Tag, id: u32) {
        let gone = bucket(tag, id);
        let mut at = self.home(tag);
        while self.buckets[at] != gone {
            assert!(self.buckets[at] != 0, "only what is there is removed");
            at += 1;
        }
        // Those behind it that are not at home come one nearer.
        let mut end = at + 1;
        while self.buckets[end] != 0 && self.home(open(self.buckets[end]).0) < end {
            end += 1;
        }
        self.buckets.copy_within(at + 1..end, at);
        self.buckets[end - 1] = 0;
        self.len -= 1;
        if self.len * 5 < self.homes && self.homes > HOMES_MIN * 4 {
            self.resize(self.len * 2);
        }
    }

    #[cold]
    fn grow(&mut self) {
        self.resize((self.homes * 5 / 4).max(HOMES_MIN));
    }

    /// The same buckets for another number of homes, or a few more of those if some would be pushed too far.
    fn resize(&mut self, homes: usize) {
        let old = std::mem::take(&mut self.buckets);
        let mut homes = homes;
        loop {
            self.homes = homes;
            self.buckets = vec![0; homes + slack(homes)].into_boxed_slice();
            let mut end = 0;
            let fits = old.iter().filter(|bucket| **bucket != 0).all(|&bucket| {
                let at = self.home(open(bucket).0).max(end);
                end = at + 1;
                let fits = end < self.buckets.len();
                if fits {
                    self.buckets[at] = bucket;
                }
                fits
            });
            if fits {
                return;
            }
            homes += homes / 4 + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// Few tags, so that they clash: whole, in home, at the end of the buckets.
    fn tag(key: u8) -> Tag {
        match key % 4 {
            0 => u32::MAX - u32::from(key / 16),
            1 => 7,
            2 => u32::from(key) << 24,
            _ => u32::MAX / 2 - u32::from(key / 64),
        }
    }

    proptest! {
        #[test]
        fn does_what_a_map_does(steps in prop::collection::vec((any::<u8>(), any::<bool>()), 0..2000)) {
            let mut index = Index::new(1);
            let mut map = BTreeMap::new();
            for (key, insert) in steps {
                let id = u32::from(key) + 1;
                prop_assert_eq!(index.find(tag(key), |found| found == id).is_some(), map.contains_key(&key));
                if insert && map.insert(key, id).is_none() {
                    index.insert(tag(key), id);
                } else if !insert && map.remove(&key).is_some() {
                    index.remove(tag(key), id);
                }
            }
            for key in 0..=255 {
                let found = index.find(tag(key), |id| id == u32::from(key) + 1);
                prop_assert_eq!(found, map.get(&key).copied());
            }
        }
    }
}
