//! What is sent: the same octets in the same memory for everybody.

use std::sync::Arc;

use queue::log::{Chunk, Log, Pool, Read, Reader, SEGMENT_LEN};

use crate::MESSAGE_LEN;

/// A log that was written and closed; all of it is kept.
pub(crate) struct Lode {
    /// All of it as its readers get it, in order.
    pub(crate) seams: Arc<[Chunk]>,
    /// Readers that stand at its beginning.
    stock: Vec<Reader>,
    /// Octets.
    pub(crate) len: u64,
}

impl Lode {
    /// About so many octets, for so many readers, which read at most `cap` at once. A log's readers begin
    /// where it ends when they come, so they come first.
    pub(crate) fn new(octets: usize, readers: usize, cap: usize) -> Self {
        let pool = Pool::new(SEGMENT_LEN, 1);
        let mut log = Log::new(&pool, usize::MAX);
        let stock = (0..readers).map(|_| log.subscribe()).collect();
        let mut all = log.subscribe();
        for number in 0..octets / MESSAGE_LEN {
            let mut message = [0xa5; MESSAGE_LEN];
            message[..8].copy_from_slice(&number.to_le_bytes());
            log.append(&message).expect("short");
        }
        log.publish();
        let len = log.end();
        let mut seams = Vec::new();
        while let Read::Data(chunk) = all.read(cap) {
            all.advance(chunk.len());
            seams.push(chunk);
        }
        Self { seams: seams.into(), stock, len }
    }

    pub(crate) fn reader(&mut self) -> Option<Reader> {
        self.stock.pop()
    }

    /// All octets added up.
    pub(crate) fn sum(&self) -> u64 {
        self.seams.iter().flat_map(|seam| seam.iter()).map(|&octet| u64::from(octet)).sum()
    }
}
