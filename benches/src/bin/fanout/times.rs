//! How long messages are under way: each carries when it was due, so that one that comes late is late from
//! then on, and whoever makes it cannot hide that by coming late itself.

use hdrhistogram::Histogram;
use rustix::time::{ClockId, clock_gettime};

use crate::MESSAGE_LEN;

/// Of so many sessions the times are taken on one: 6.4 million messages a second are more than who takes
/// them could look at without being late for it.
pub(crate) const EVERY: usize = 8;

/// The clock that both processes share, in nanoseconds.
pub(crate) fn monotonic() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec.cast_unsigned() * 1_000_000_000 + now.tv_nsec.cast_unsigned()
}

/// What was seen of times.
#[derive(Debug)]
pub(crate) struct Times {
    histogram: Histogram<u64>,
    timed: u64,
    /// For each connection, the beginning of a message that was cut.
    carries: Vec<Vec<u8>>,
}

impl Times {
    pub(crate) fn new() -> Self {
        // A minute at three digits.
        let histogram = Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("bounds that fit");
        Self { histogram, timed: 0, carries: Vec::new() }
    }

    /// These octets came next on a connection: reads off when their messages were due.
    pub(crate) fn take(&mut self, connection: usize, mut octets: &[u8], now: u64) {
        if self.carries.len() <= connection {
            self.carries.resize_with(connection + 1, Vec::new);
        }
        let mut carry = std::mem::take(&mut self.carries[connection]);
        if !carry.is_empty() {
            let missing = (MESSAGE_LEN - carry.len()).min(octets.len());
            carry.extend_from_slice(&octets[..missing]);
            octets = &octets[missing..];
            if carry.len() == MESSAGE_LEN {
                self.message(&carry, now);
                carry.clear();
            }
        }
        let messages = octets.chunks_exact(MESSAGE_LEN);
        carry.extend_from_slice(messages.remainder());
        messages.for_each(|message| self.message(message, now));
        self.carries[connection] = carry;
    }

    fn message(&mut self, message: &[u8], now: u64) {
        let due = u64::from_ne_bytes(message[..8].try_into().expect("eight octets"));
        // What was sent to warm up has no time.
        if due > 0 {
            self.histogram.saturating_record(now.saturating_sub(due));
            self.timed += 1;
        }
    }

    /// How many; and how long half of them, 99 %, 99.9 % and all took at most, in nanoseconds.
    pub(crate) fn found(&self) -> (u64, [u64; 4]) {
        let at = |quantile: f64| self.histogram.value_at_quantile(quantile);
        (self.timed, [at(0.5), at(0.99), at(0.999), self.histogram.max()])
    }
}
