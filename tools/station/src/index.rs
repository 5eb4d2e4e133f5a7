//! Where in a list an entry stands, by its hash: numbers only, the list is the caller's.
//!
//! ```text
//!  bucket   hash, 32 bits │ place + 1, 32 bits        0 = free
//!           at home = hash & mask, or right behind, without a gap in between
//! ```
//!
//! * **no gaps**   from an entry's home to where it stands every bucket is taken: looking ends at the first that
//!   is free, and taking out moves up what follows.
//! * **alone**     growing and taking out read buckets and no entries, each of which would be a miss of the cache.
//!   So does [`Index::peek`], with which a caller loads what the next few steps need, all at once.

/// The fewest buckets, once there is one.
const BUCKETS_MIN: usize = 8;

#[derive(Default)]
pub(crate) struct Index {
    /// A power of two of them, or none; at most three quarters are taken.
    buckets: Box<[u64]>,
    len: usize,
}

/// What a bucket says.
fn parts(bucket: u64) -> (u32, Option<u32>) {
    #[expect(clippy::cast_possible_truncation, reason = "two halves")]
    let (hash, place) = ((bucket >> 32) as u32, bucket as u32);
    (hash, place.checked_sub(1))
}

impl Index {
    /// The place of an entry with this hash for which `is_it` holds.
    #[inline]
    pub(crate) fn find(&self, hash: u32, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        self.bucket(hash, is_it).and_then(|at| parts(self.buckets[at]).1)
    }

    #[inline]
    fn bucket(&self, hash: u32, is_it: impl Fn(u32) -> bool) -> Option<usize> {
        if self.buckets.is_empty() {
            return None;
        }
        let mask = self.buckets.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            match parts(self.buckets[at]) {
                (_, None) => return None,
                (of, Some(place)) if of == hash && is_it(place) => return Some(at),
                _ => at = (at + 1) & mask,
            }
        }
    }

    /// The place that an entry with this hash has if it is at home.
    #[inline]
    pub(crate) fn peek(&self, hash: u32) -> Option<u32> {
        let at = hash as usize & self.buckets.len().wrapping_sub(1);
        parts(*self.buckets.get(at)?).1
    }

    /// Adds an entry that is not there.
    ///
    /// The place is below `u32::MAX`.
    pub(crate) fn insert(&mut self, hash: u32, place: u32) {
        if (self.len + 1) * 4 > self.buckets.len() * 3 {
            self.grow();
        }
        self.len += 1;
        self.settle(u64::from(hash) << 32 | u64::from(place + 1));
    }

    /// Puts a bucket into the first place that is free for it.
    #[inline]
    fn settle(&mut self, bucket: u64) {
        let mask = self.buckets.len() - 1;
        let mut at = parts(bucket).0 as usize & mask;
        while self.buckets[at] != 0 {
            at = (at + 1) & mask;
        }
        self.buckets[at] = bucket;
    }

    fn grow(&mut self) {
        let more = vec![0; (self.buckets.len() * 2).max(BUCKETS_MIN)].into();
        let old = std::mem::replace(&mut self.buckets, more);
        old.into_iter().filter(|bucket| *bucket != 0).for_each(|bucket| self.settle(bucket));
    }

    /// Takes an entry out by its place, if it is there.
    pub(crate) fn remove(&mut self, hash: u32, place: u32) {
        let Some(mut free) = self.bucket(hash, |at| at == place) else { return };
        let mask = self.buckets.len() - 1;
        let mut at = free;
        loop {
            at = (at + 1) & mask;
            let bucket = self.buckets[at];
            if bucket == 0 {
                break;
            }
            // It moves up unless that is in front of its home.
            let home = parts(bucket).0 as usize & mask;
            if at.wrapping_sub(home) & mask >= at.wrapping_sub(free) & mask {
                self.buckets[free] = bucket;
                free = at;
            }
        }
        self.buckets[free] = 0;
        self.len -= 1;
    }

    /// An entry has moved.
    pub(crate) fn renumber(&mut self, hash: u32, from: u32, to: u32) {
        if let Some(at) = self.bucket(hash, |at| at == from) {
            self.buckets[at] = u64::from(hash) << 32 | u64::from(to + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Few hashes, so that many entries want to be in the same place, also at the end of the buckets.
        #[test]
        fn as_a_map_has_it(steps in prop::collection::vec((any::<bool>(), 0_u32..60, 0_u32..4), 0..400)) {
            let mut index = Index::default();
            let mut twin: BTreeMap<u32, u32> = BTreeMap::new();
            for (is_in, place, hash) in steps {
                let hash = [0, 6, 7, u32::MAX][hash as usize] ^ (place & 1) << 8;
                match (is_in, twin.get(&place).copied()) {
                    (true, None) => {
                        index.insert(hash, place);
                        twin.insert(place, hash);
                    }
                    (true, Some(hash)) => {
                        index.renumber(hash, place, place + 100);
                        prop_assert_eq!(index.find(hash, |at| at == place), None);
                        index.renumber(hash, place + 100, place);
                    }
                    (false, had) => {
                        index.remove(had.unwrap_or(hash), place);
                        twin.remove(&place);
                    }
                }
                prop_assert_eq!(index.len, twin.len());
                for place in 0..60 {
                    let hash = twin.get(&place).copied();
                    let found = index.find(hash.unwrap_or_default(), |at| at == place);
                    prop_assert_eq!(found, hash.map(|_| place));
                }
            }
        }
    }
}
