//! A naive twin that is told the same and predicts everything: what each reader is shown to the octet,
//! who falls off and where, with which note, and who holds how much memory.

use std::collections::BTreeSet;
use std::sync::{Arc, Weak};

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::{Chunk, Log, Pool, Read, Reader, Usage};
use super::{octet, octets};

/// What is known of a segment: everything, forever.
struct Segment {
    base: u64,
    len: usize,
    grain: u64,
    retained: bool,
    /// What it ended with, as an index of the twin's notes.
    note: Option<usize>,
}

/// A reader with where it must be, and the segment it holds.
struct Cursor {
    reader: Reader,
    position: u64,
    segment: usize,
    between: bool,
}

struct Twin {
    pool: Pool,
    log: Log,
    pooled_max: usize,
    budget: usize,
    segments: Vec<Segment>,
    /// Where commits end.
    cuts: BTreeSet<u64>,
    end: u64,
    published: u64,
    cursors: Vec<Cursor>,
    /// In flight, each with its segment.
    chunks: Vec<(Chunk, usize)>,
    /// Blocks the pool has.
    pooled: usize,
    /// Each says its index; the last one is set.
    notes: Vec<Weak<usize>>,
    fell: usize,
}

impl Twin {
    fn new(segment_len: usize, pooled_max: usize, budget: usize) -> Self {
        let pool = Pool::new(segment_len, pooled_max);
        let log = Log::new(&pool, budget);
        let mut twin = Self {
            pool,
            log,
            pooled_max,
            budget,
            segments: Vec::new(),
            cuts: BTreeSet::new(),
            end: 0,
            published: 0,
            cursors: Vec::new(),
            chunks: Vec::new(),
            pooled: 0,
            notes: Vec::new(),
            fell: 0,
        };
        twin.push_segment(segment_len);
        twin
    }

    fn push_segment(&mut self, len: usize) {
        let grain = len.div_ceil(512).next_power_of_two() as u64;
        self.segments.push(Segment { base: self.end, len, grain, retained: true, note: None });
    }

    fn retained(&self) -> usize {
        self.segments.iter().filter(|segment| segment.retained).map(|segment| segment.len).sum()
    }

    fn alive(&self, at: usize) -> bool {
        self.segments[at].retained
            || self.cursors.iter().any(|cursor| cursor.segment == at)
            || self.chunks.iter().any(|(_, segment)| *segment == at)
    }

    /// What nobody holds goes to the pool, as far as there is place. `alive` is who was before.
    fn settle(&mut self, alive: &BTreeSet<usize>) {
        let usual = self.pool.segment_len();
        let gone = alive.iter().filter(|&&at| !self.alive(at) && self.segments[at].len == usual).count();
        self.pooled = (self.pooled + gone).min(self.pooled_max);
    }

    fn all_alive(&self) -> BTreeSet<usize> {
        (0..self.segments.len()).filter(|&at| self.alive(at)).collect()
    }

    /// Lets go of the oldest while what is kept, with `more`, is over the budget.
    fn evict(&mut self, more: usize) {
        let alive = self.all_alive();
        let tail = self.segments.len() - 1;
        for at in 0..tail {
            if self.segments[at].retained && self.retained() + more > self.budget {
                self.segments[at].retained = false;
            }
        }
        self.settle(&alive);
    }

    fn append(&mut self, lens: &[usize]) {
        let len: usize = lens.iter().sum();
        let tail = self.segments.len() - 1;
        if self.end + len as u64 > self.segments[tail].base + self.segments[tail].len as u64 {
            let usual = self.pool.segment_len();
            let next = len.max(usual);
            self.evict(next);
            if next == usual {
                self.pooled = self.pooled.saturating_sub(1);
            }
            self.published = self.end;
            self.segments[tail].note = self.notes.len().checked_sub(1);
            self.push_segment(next);
            let alive = self.all_alive();
            if self.retained() > self.budget {
                self.segments[tail].retained = false;
            }
            self.settle(&alive);
        }
        let room = self.log.reserve(len).expect("short enough");
        // All of it, as an encoder may that gives up half-way.
        room.fill(0xa5);
        room[..len].copy_from_slice(&octets(self.end, len));
        self.log.commit(len);
        self.end += len as u64;
        if len > 0 {
            self.cuts.insert(self.end);
        }
    }

    fn publish(&mut self) {
        self.log.publish();
        self.published = self.end;
    }

    fn set_note(&mut self) {
        let note = Arc::new(self.notes.len());
        self.notes.push(Arc::downgrade(&note));
        self.log.set_note(note);
    }

    /// Where a chunk from `from` must end: at a cut which some grain remembers, or at the end of all.
    fn cut(&self, segment: usize, from: u64, cap: u64) -> u64 {
        let Segment { base, len, grain, .. } = self.segments[segment];
        let visible = self.published.min(self.segments.get(segment + 1).map_or(u64::MAX, |next| next.base));
        if from + cap >= visible {
            return visible;
        }
        let firsts = (base..base + len as u64).step_by(usize::try_from(grain).expect("small"));
        let known = firsts.filter_map(|first| self.cuts.range(first + 1..).next().copied());
        let known: BTreeSet<u64> = known.filter(|&cut| from < cut && cut < visible).collect();
        let near = known.range(..=from + cap).next_back();
        *near.or_else(|| known.first()).unwrap_or(&visible)
    }

    /// Reads, checks, and is done with `done` 256ths of it; keeps the chunk if so told.
    fn read(&mut self, which: usize, cap: usize, done: usize, keep: bool) {
        let alive = self.all_alive();
        let mut cursor = self.cursors.swap_remove(which);
        // Over whatever has been read to its end, as far as there is a way.
        let mut expected = None;
        while expected.is_none() {
            let next = self.segments.get(cursor.segment + 1).map(|next| next.base);
            let visible = next.unwrap_or(self.published);
            if cursor.position < visible {
                expected = Some("data");
            } else if next.is_none() {
                expected = Some("idle");
            } else if !self.alive(cursor.segment + 1) {
                expected = Some("fell");
            } else {
                cursor.segment += 1;
            }
        }
        match cursor.reader.read(cap) {
            Read::Data(chunk) => {
                assert_eq!(expected, Some("data"));
                let end = self.cut(cursor.segment, cursor.position, cap as u64);
                assert_eq!(chunk.position(), cursor.position);
                assert_eq!(chunk.position() + chunk.len() as u64, end);
                assert!(self.cuts.contains(&end), "whole");
                assert_eq!(*chunk, octets(cursor.position, chunk.len()));
                let done = (chunk.len() * done).div_ceil(255).min(chunk.len());
                cursor.reader.advance(done);
                cursor.between = done == chunk.len() || done == 0 && cursor.between;
                cursor.position += done as u64;
                assert_eq!(cursor.reader.at_boundary(), cursor.between);
                if keep {
                    self.chunks.push((chunk, cursor.segment));
                }
            }
            Read::Idle => assert_eq!((expected, cursor.reader.ready()), (Some("idle"), false)),
            Read::Fell => {
                assert_eq!((expected, cursor.reader.cut_off()), (Some("fell"), true));
                assert!(cursor.between, "after a whole message");
                assert_eq!(note(&cursor), self.segments[cursor.segment].note);
                self.fell += 1;
                // It catches up elsewhere, and comes back where the log is.
                cursor = self.subscribe();
            }
            Read::Closed => panic!("the log lives"),
        }
        assert_eq!(cursor.reader.position(), cursor.position);
        self.cursors.push(cursor);
        self.settle(&alive);
    }

    fn subscribe(&self) -> Cursor {
        let segment = self.segments.len() - 1;
        Cursor { reader: self.log.subscribe(), position: self.end, segment, between: true }
    }

    /// One step, chosen by three numbers.
    fn step(&mut self, (kind, a, b): (u8, u16, u16)) {
        let (a, b) = (usize::from(a), usize::from(b));
        let usual = self.pool.segment_len();
        match kind % 16 {
            0..=3 => self.append(&[1 + a % (usual / 4)]),
            4 => self.append(&[1 + a % (usual / 8), 1 + b % (usual / 8)]),
            5 => self.append(&[if b % 8 == 0 { usual + a % usual } else { a % usual }]),
            6 | 7 => self.publish(),
            8 if self.cursors.len() < 4 => self.cursors.push(self.subscribe()),
            8..=12 if !self.cursors.is_empty() => {
                // The last cursor is read rarely: the others move to the end of the list.
                let which = a % self.cursors.len().div_ceil(2);
                self.read(which, b % (2 * usual), [255, 255, 100, 0][kind as usize % 4], kind >= 240);
            }
            13 if !self.chunks.is_empty() => {
                let alive = self.all_alive();
                self.chunks.swap_remove(a % self.chunks.len());
                self.settle(&alive);
            }
            14 if a % 4 == 0 && !self.cursors.is_empty() => {
                let alive = self.all_alive();
                self.cursors.swap_remove(b % self.cursors.len());
                self.settle(&alive);
            }
            14 if a % 4 == 1 => self.set_note(),
            15 if a % 4 == 0 => {
                self.budget = b % (6 * usual);
                self.log.set_budget(self.budget);
                self.evict(0);
            }
            _ => {}
        }
    }

    /// What holds at every step.
    fn check(&self) {
        let usual = self.pool.segment_len();
        let segments = self.segments.iter().enumerate();
        let lost = |(at, segment): (usize, &Segment)| {
            if self.alive(at) && !segment.retained { segment.len } else { 0 }
        };
        let stragglers: usize = segments.map(lost).sum();
        let usage = Usage { retained: self.retained(), stragglers, pooled: self.pooled * usual };
        assert_eq!(self.pool.usage(), usage);
        // The bound, from what the story says.
        let tail = self.segments.last().expect("one").len;
        let longest = self.segments.iter().map(|segment| segment.len).max().unwrap_or(0);
        assert!(usage.retained <= self.budget.max(tail));
        assert!(usage.stragglers <= (self.cursors.len() + self.chunks.len()) * longest);
        assert!(usage.pooled <= self.pooled_max * usual);
        assert_eq!((self.log.end(), self.log.retained()), (self.end, usage.retained));
        // A note is the log's while it is set, and of each segment that ended with it and lives.
        let mut holders = vec![0; self.notes.len()];
        if let Some(set) = holders.last_mut() {
            *set += 1;
        }
        for (at, segment) in self.segments.iter().enumerate() {
            if let Some(note) = segment.note.filter(|_| self.alive(at)) {
                holders[note] += 1;
            }
        }
        assert_eq!(self.notes.iter().map(Weak::strong_count).collect::<Vec<_>>(), holders);
        for cursor in &self.cursors {
            assert_eq!(note(cursor), self.segments[cursor.segment].note);
        }
        for (chunk, _) in &self.chunks {
            let last = chunk.position() + chunk.len() as u64 - 1;
            assert_eq!((chunk[0], chunk[chunk.len() - 1]), (octet(chunk.position()), octet(last)));
        }
    }
}

fn note(cursor: &Cursor) -> Option<usize> {
    cursor.reader.note().map(|note| *note.downcast_ref().expect("an index"))
}

fn run(segment_len: usize, pooled_max: usize, budget: usize, steps: &[(u8, u16, u16)]) -> usize {
    let mut twin = Twin::new(segment_len, pooled_max, budget);
    for &step in steps {
        twin.step(step);
        twin.check();
    }
    // The last segment ends with the log.
    twin.segments.last_mut().expect("one").note = twin.notes.len().checked_sub(1);
    let Twin { chunks, fell, pool, log, cursors, segments, notes, .. } = twin;
    drop(log);
    for cursor in &cursors {
        assert_eq!(note(cursor), segments[cursor.segment].note);
    }
    // Chunks in flight are as they were, after everything else is gone.
    drop(cursors);
    assert_eq!(pool.usage().retained, 0);
    drop(pool);
    for (chunk, _) in chunks {
        assert_eq!(*chunk, octets(chunk.position(), chunk.len()));
    }
    assert!(notes.iter().all(|note| note.strong_count() == 0), "nor is a note left");
    fell
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 4 } else { 512 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn readers_and_memory_are_as_the_twin_says(
        segment_len in prop_oneof![Just(16_usize), Just(64), Just(300), Just(1500), Just(4096)],
        pooled_max in 1..6_usize,
        segments in 0..6_usize,
        steps in vec(any::<(u8, u16, u16)>(), 1..if cfg!(miri) { 60 } else { 400 }),
    ) {
        run(segment_len, pooled_max, segments * segment_len + segment_len / 2, &steps);
    }
}

/// The rows above mean something only if the readers of such runs do fall off.
#[test]
fn falling_off_is_common_in_what_is_tried() {
    let mut state = 1_u64;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33).to_le_bytes()
    };
    let steps: Vec<(u8, u16, u16)> = (0..if cfg!(miri) { 300 } else { 20_000 })
        .map(|_| {
            let [a, b, c, d, ..] = draw();
            (draw()[0], u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]))
        })
        .collect();
    let fell = run(64, 3, 200, &steps);
    assert!(fell * 100 >= steps.len(), "{fell} of {}", steps.len());
}
