//! What is read into and copied into, and comes back when nobody needs what was in it.
//!
//! ```text
//!   source   [ gone out │ begun │ room ]         used  [..][..][..]  runs of them are still held somewhere
//!   target   [ gone out │ room ]                         │
//!                 too little room: to used ──────────►   │
//!       ▲            the begun message is copied         │ nobody holds a run of it any more
//!       ╰───────────── pool, or the allocator ◄──────────╯
//! ```
//!
//! * **bounded**  a connection has at most [`BUFFERS_MAX`] used buffers and one more when it reads, besides the two
//!   current ones. That is all a router can make us hold, however long nobody takes what it has sent.
//! * **witness**  of each used buffer the first run is kept: when it is the only one left, the buffer is free,
//!   and grows out of it again, for a first run begins where its buffer does.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::mem;
use std::rc::Rc;

use bytes::{Bytes, BytesMut};

/// Octets of a buffer. Reads of 256 KiB cost few system calls and still stay in the second-level cache.
pub const BUFFER_LEN: usize = 256 << 10;

/// A buffer with less room than this is not read into any more.
pub const READ_MIN: usize = 64 << 10;

/// Buffers of one connection that are held by who got its runs, at most, when it reads.
pub const BUFFERS_MAX: usize = 16;

/// Buffers that wait in a pool for their next use, at most.
pub const POOLED_MAX: usize = 64;

/// Buffers that nobody needs just now, for the connections of one thread.
#[derive(Clone, Default, Debug)]
pub struct Pool(Rc<RefCell<Vec<BytesMut>>>);

impl Pool {
    fn take(&self, capacity: usize) -> BytesMut {
        if capacity <= BUFFER_LEN
            && let Some(buffer) = self.0.borrow_mut().pop()
        {
            return buffer;
        }
        BytesMut::with_capacity(capacity.max(BUFFER_LEN))
    }

    /// Buffers made for a long message are not kept.
    fn put(&self, mut buffer: BytesMut) {
        buffer.clear();
        let mut free = self.0.borrow_mut();
        if buffer.capacity() == BUFFER_LEN && free.len() < POOLED_MAX {
            free.push(buffer);
        }
    }

    /// How many wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0.borrow().len()
    }
}

/// A buffer that is being filled.
#[derive(Default, Debug)]
pub(super) struct Current {
    buffer: BytesMut,
    /// The first run that was taken out of it.
    witness: Option<Bytes>,
}

impl Current {
    /// Octets that have not been taken out.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.buffer.len()
    }

    fn room(&self) -> usize {
        self.buffer.capacity() - self.buffer.len()
    }

    #[inline]
    pub(super) fn extend(&mut self, octets: &[u8]) {
        self.buffer.extend_from_slice(octets);
    }

    /// Takes the first octets out.
    #[inline]
    pub(super) fn split(&mut self, len: usize) -> Bytes {
        let run = self.buffer.split_to(len).freeze();
        if self.witness.is_none() {
            self.witness = Some(run.clone());
        }
        run
    }
}

/// The buffers of one connection.
#[derive(Debug)]
pub(super) struct Buffers {
    pool: Pool,
    source: Current,
    target: Current,
    used: VecDeque<Bytes>,
}

impl Buffers {
    pub(super) fn new(pool: Pool) -> Self {
        Self { pool, source: Current::default(), target: Current::default(), used: VecDeque::new() }
    }

    /// What has come and not gone out.
    #[inline]
    pub(super) fn current(&self) -> &BytesMut {
        &self.source.buffer
    }

    /// Lends the buffer that is read into, or another one if it has no room for `missing` octets.
    pub(super) fn lend(&mut self, missing: usize) -> Option<BytesMut> {
        if self.used.len() >= BUFFERS_MAX {
            self.reclaim();
            if self.used.len() >= BUFFERS_MAX {
                return None;
            }
        }
        let room = missing.max(READ_MIN);
        if self.source.room() < room {
            self.reclaim();
            let old = mem::take(&mut self.source);
            self.source.buffer = self.pool.take(old.len() + room);
            self.source.extend(&old.buffer);
            self.retire(old);
        }
        Some(mem::take(&mut self.source.buffer))
    }

    pub(super) fn give(&mut self, buffer: BytesMut) {
        self.source.buffer = buffer;
    }

    /// Lets the first octets go.
    #[inline]
    pub(super) fn split(&mut self, len: usize) -> Bytes {
        self.source.split(len)
    }

    /// What has come and not gone out, and where there is room for a copy of so much of it.
    pub(super) fn target(&mut self, len: usize) -> (&[u8], &mut Current) {
        if self.target.room() < len {
            let old = mem::take(&mut self.target);
            self.retire(old);
            self.reclaim();
            self.target.buffer = self.pool.take(len);
        }
        (&self.source.buffer, &mut self.target)
    }

    /// The first octets have been copied: what stands behind them takes their place.
    pub(super) fn forget(&mut self, len: usize) {
        let buffer = &mut self.source.buffer;
        buffer.copy_within(len.., 0);
        buffer.truncate(buffer.len() - len);
    }

    fn retire(&mut self, old: Current) {
        match old.witness {
            Some(witness) => self.used.push_back(witness),
            None => self.pool.put(old.buffer),
        }
    }

    /// Takes back what nobody holds any more.
    fn reclaim(&mut self) {
        for _ in 0..self.used.len() {
            let Some(witness) = self.used.pop_front() else { return };
            match witness.try_into_mut() {
                Ok(buffer) => self.pool.put(buffer),
                Err(witness) => self.used.push_back(witness),
            }
        }
    }
}

impl Drop for Buffers {
    fn drop(&mut self) {
        let currents = [&mut self.source, &mut self.target].map(mem::take);
        currents.into_iter().for_each(|old| self.retire(old));
        self.reclaim();
    }
}
