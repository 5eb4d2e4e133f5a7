//! Where the bare contenders have their octets from.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use queue::bell::Bell;
use queue::log::{Chunk, Read, Reader};

use crate::MESSAGE_LEN;
use crate::times::{EVERY, Times, monotonic};

/// What each socket has to send. What was shown stays where it is until it has been taken.
pub(crate) trait Source: Send + 'static {
    /// What comes next on a socket that has nothing in flight.
    fn next(&mut self, socket: usize) -> Option<&[u8]>;

    /// The kernel took so many octets of that.
    fn took(&mut self, socket: usize, octets: usize);

    /// The thread is about to sleep; `false` if there is something to send after all.
    fn lie_down(&mut self) -> bool {
        true
    }

    /// It is awake.
    fn get_up(&self) {}

    /// Whether there is an end, and it must be reached.
    fn ends(&self) -> bool {
        true
    }
}

/// A lode, over and over.
pub(crate) struct Endless {
    seams: Arc<[Chunk]>,
    /// For each socket: laps done, seam, place in it.
    places: Vec<(u32, usize, usize)>,
    laps: Option<u32>,
}

impl Endless {
    pub(crate) fn new(seams: Arc<[Chunk]>, sockets: usize, laps: Option<u32>) -> Self {
        Self { seams, places: vec![(0, 0, 0); sockets], laps }
    }
}

impl Source for Endless {
    #[inline]
    fn next(&mut self, socket: usize) -> Option<&[u8]> {
        let (lap, seam, at) = self.places[socket];
        if self.laps == Some(lap) {
            return None;
        }
        Some(&self.seams[seam][at..])
    }

    #[inline]
    fn took(&mut self, socket: usize, octets: usize) {
        let (lap, seam, at) = &mut self.places[socket];
        *at += octets;
        if *at == self.seams[*seam].len() {
            (*seam, *at) = (*seam + 1, 0);
            if *seam == self.seams.len() {
                (*lap, *seam) = (*lap + 1, 0);
            }
        }
    }

    fn ends(&self) -> bool {
        self.laps.is_some()
    }
}

/// One and the same message, so often as somebody says.
pub(crate) struct Rounds {
    message: &'static [u8; MESSAGE_LEN],
    /// Octets each socket has taken, and may.
    taken: Vec<u64>,
    goal: Arc<AtomicU64>,
    /// Whether a round follows as soon as the one before has been taken; then so many sockets have it.
    free: bool,
    done: usize,
}

impl Rounds {
    pub(crate) fn new(sockets: usize, goal: Arc<AtomicU64>, free: bool) -> Self {
        Self { message: &[0x5a; MESSAGE_LEN], taken: vec![0; sockets], goal, free, done: 0 }
    }
}

impl Source for Rounds {
    #[inline]
    fn next(&mut self, socket: usize) -> Option<&[u8]> {
        let taken = self.taken[socket];
        let at = usize::try_from(taken).expect("64 bits") % MESSAGE_LEN;
        (taken < self.goal.load(Ordering::Acquire)).then(|| &self.message[at..])
    }

    #[inline]
    fn took(&mut self, socket: usize, octets: usize) {
        self.taken[socket] += octets as u64;
        self.done += usize::from(self.taken[socket] == self.goal.load(Ordering::Relaxed));
    }

    fn lie_down(&mut self) -> bool {
        if self.free && self.done == self.taken.len() && self.goal.load(Ordering::Relaxed) > 0 {
            self.done = 0;
            self.goal.fetch_add(MESSAGE_LEN as u64, Ordering::Relaxed);
            return false;
        }
        true
    }
}

/// What bell the one rings who appends.
pub(crate) type LogBell = Bell<Box<dyn Fn() + Send + Sync>>;

/// A log that somebody appends to.
pub(crate) struct Follow {
    pub(crate) readers: Vec<Reader>,
    pub(crate) shown: Vec<Option<Chunk>>,
    pub(crate) cap: usize,
    pub(crate) bell: Arc<LogBell>,
    pub(crate) times: Arc<Mutex<Times>>,
}

impl Follow {
    pub(crate) fn new(
        readers: Vec<Reader>,
        cap: usize,
        bell: Arc<LogBell>,
        times: Arc<Mutex<Times>>,
    ) -> Self {
        let shown = readers.iter().map(|_| None).collect();
        Self { readers, shown, cap, bell, times }
    }
}

impl Source for Follow {
    #[inline]
    fn next(&mut self, socket: usize) -> Option<&[u8]> {
        match self.readers[socket].read(self.cap) {
            Read::Data(chunk) => Some(self.shown[socket].insert(chunk)),
            Read::Fell => panic!("the log is kept whole here"),
            Read::Idle | Read::Closed => None,
        }
    }

    #[inline]
    fn took(&mut self, socket: usize, octets: usize) {
        self.readers[socket].advance(octets);
        let shown = self.shown[socket].take().expect("it was shown");
        if socket.is_multiple_of(EVERY) {
            self.times.lock().expect("no panic").take(socket, &shown[..octets], monotonic());
        }
    }

    fn lie_down(&mut self) -> bool {
        self.bell.lie_down();
        let news =
            self.readers.iter().zip(&self.shown).any(|(reader, shown)| shown.is_none() && reader.ready());
        if news {
            self.bell.get_up();
        }
        !news
    }

    fn get_up(&self) {
        self.bell.get_up();
    }
}
