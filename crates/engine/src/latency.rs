//! How long things take: from a source's queue into the logs, and from a log to the kernel.
//!
//! The first is measured by the thread that mirrors, for some records of each step. The second by the writer's
//! thread, for one send in [`SAMPLE`]: how long the oldest octets in it had been published.

use std::sync::{Arc, Mutex, PoisonError};

use hdrhistogram::Histogram;
use rib::Time;
use writer::fleet::{Order, Spot, Witness};

use crate::clock::Clock;
use crate::core::Published;
use crate::picture::Percentiles;

/// One send in so many is measured.
const SAMPLE: u32 = 8;

/// Longer than this counts as this: a minute.
const MICROS_MAX: u64 = 60_000_000;

/// Edges of what metrics show, in microseconds.
const EDGES: [u64; 14] =
    [50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 10_000_000];

/// Both histograms.
pub(crate) struct Measured {
    clock: Arc<Clock>,
    queue_to_log: Histogram<u64>,
    /// Both threads touch it: one for each sample, the other for each picture.
    log_to_kernel: Arc<Mutex<Histogram<u64>>>,
}

impl Measured {
    pub(crate) fn new(clock: Arc<Clock>) -> Self {
        let log_to_kernel = Arc::new(Mutex::new(histogram()));
        Self { clock, queue_to_log: histogram(), log_to_kernel }
    }

    /// What came then has been published now.
    pub(crate) fn logged(&mut self, came: &[Time]) {
        if !came.is_empty() {
            let now = self.clock.now();
            came.iter().for_each(|came| self.queue_to_log.saturating_record(now.0.saturating_sub(came.0)));
        }
    }

    /// The order that has the writer measure, by when each feed's log was published.
    pub(crate) fn witness(&self, feeds: Vec<Option<Arc<Published>>>) -> Order {
        let (clock, histogram) = (self.clock.clone(), self.log_to_kernel.clone());
        let mut sends = 0_u32;
        let witness: Witness = Box::new(move |_, spot, _| {
            sends = sends.wrapping_add(1);
            if sends.is_multiple_of(SAMPLE)
                && let Some(Spot { feed, position }) = spot
                && let Some(Some(published)) = feeds.get(feed as usize)
                && let Some(when) = published.when(position)
            {
                let took = clock.now().0.saturating_sub(when.0);
                histogram.lock().unwrap_or_else(PoisonError::into_inner).saturating_record(took);
            }
        });
        Order::Witness(Some(witness))
    }

    pub(crate) fn queue_to_log(&self) -> Percentiles {
        percentiles(&self.queue_to_log)
    }

    pub(crate) fn log_to_kernel(&self) -> Percentiles {
        percentiles(&self.log_to_kernel.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, MICROS_MAX, 2).expect("bounds that it allows")
}

fn percentiles(histogram: &Histogram<u64>) -> Percentiles {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a sum of microseconds, for people"
    )]
    let sum_us = (histogram.mean() * histogram.len() as f64) as u64;
    let buckets = EDGES.map(|edge| (edge, histogram.count_between(0, edge)));
    Percentiles {
        count: histogram.len(),
        sum_us,
        min_us: if histogram.is_empty() { 0 } else { histogram.min() },
        p50_us: histogram.value_at_quantile(0.5),
        p90_us: histogram.value_at_quantile(0.9),
        p99_us: histogram.value_at_quantile(0.99),
        p999_us: histogram.value_at_quantile(0.999),
        max_us: histogram.max(),
        buckets: buckets.to_vec(),
    }
}
