//! The logs of all feeds.

use std::sync::Arc;

use mirror::{FeedId, Seen};
use queue::log::{Log, Pool, Reader, Usage};
use rib::Time;

use super::marks::{Counts, Marks, Published};

pub(super) struct Logs {
    pool: Pool,
    retention: usize,
    /// By feed.
    logs: Vec<Option<Grown>>,
    grown: Vec<FeedId>,
    opened: usize,
}

/// A feed's log, and what has gone through it.
struct Grown {
    log: Log,
    /// Whether it has grown since it was last published.
    grown: bool,
    counts: Counts,
    marks: Marks,
}

/// A feed's log, to be looked at.
#[derive(Clone, Debug)]
pub struct LogLook {
    /// Octets that it holds.
    pub retained: usize,
    /// Octets that have gone through it.
    pub end: u64,
    /// Messages that have.
    pub counts: Counts,
    /// When the oldest was published that it holds.
    pub oldest: Option<Time>,
}

impl Logs {
    pub(super) fn new(pool: Pool, retention: usize) -> Self {
        Self { pool, retention, logs: Vec::new(), grown: Vec::new(), opened: 0 }
    }

    /// A reader of all that comes from now on.
    pub(super) fn subscribe(&self, feed: FeedId) -> Reader {
        self.grown(feed).expect("a feed that is open").log.subscribe()
    }

    /// Shows readers what was appended; whether there was anything.
    pub(super) fn publish(&mut self, now: Time) -> bool {
        let mut news = false;
        for feed in self.grown.drain(..) {
            if let Some(Grown { log, grown, counts, marks }) = &mut self.logs[feed.0 as usize] {
                *grown = false;
                news |= log.publish();
                marks.publish(log.end(), now, counts);
            }
        }
        news
    }

    /// Octets that each log keeps from now on.
    pub(super) fn set_retention(&mut self, retention: usize) {
        self.retention = retention;
        self.logs.iter_mut().flatten().for_each(|open| open.log.set_budget(retention));
    }

    /// What had gone through a feed's log up to a place of it.
    pub(super) fn counts(&self, feed: FeedId, position: u64) -> Counts {
        self.grown(feed).map(|open| open.marks.counts(position)).unwrap_or_default()
    }

    /// What has gone through a feed's log, what was not published yet included.
    pub(super) fn counts_now(&self, feed: FeedId) -> Counts {
        self.grown(feed).map(|open| open.counts).unwrap_or_default()
    }

    /// When what stands behind a place of a feed's log was published.
    pub(super) fn published(&self, feed: FeedId, position: u64) -> Option<Time> {
        self.grown(feed)?.marks.published(position)
    }

    /// The same for other threads, by the number of a feed.
    pub(super) fn shared(&self) -> Vec<Option<Arc<Published>>> {
        self.logs.iter().map(|open| open.as_ref().map(|open| open.marks.shared().clone())).collect()
    }

    pub(super) fn look(&self, feed: FeedId) -> Option<LogLook> {
        let Grown { log, counts, marks, .. } = self.grown(feed)?;
        let (retained, end) = (log.retained(), log.end());
        let oldest = marks.published(end.saturating_sub(retained as u64));
        Some(LogLook { retained, end, counts: *counts, oldest })
    }

    fn grown(&self, feed: FeedId) -> Option<&Grown> {
        self.logs.get(feed.0 as usize)?.as_ref()
    }

    /// Logs that were opened, ever.
    pub(super) fn opened(&self) -> usize {
        self.opened
    }

    pub(super) fn usage(&self) -> Usage {
        self.pool.usage()
    }

    fn log(&mut self, feed: FeedId) -> &mut Grown {
        self.logs[feed.0 as usize].as_mut().expect("a feed that is open")
    }
}

impl mirror::Logs for Logs {
    fn open(&mut self, feed: FeedId) {
        let index = feed.0 as usize;
        if self.logs.len() <= index {
            self.logs.resize_with(index + 1, || None);
        }
        let log = Log::new(&self.pool, self.retention);
        let (counts, marks) = (Counts::default(), Marks::default());
        self.opened += 1;
        self.logs[index] = Some(Grown { log, grown: false, counts, marks });
    }

    fn close(&mut self, feed: FeedId) {
        self.logs[feed.0 as usize] = None;
    }

    #[inline]
    fn append(&mut self, feed: FeedId, message: &[u8]) {
        let Grown { log, grown, counts, marks } = self.log(feed);
        let end = log.end();
        log.append(message).expect("no message of BMP is longer than a log takes");
        if log.segment_begin() == end {
            marks.end(end, counts);
        }
        counts.count(message);
        if !std::mem::replace(grown, true) {
            self.grown.push(feed);
        }
    }

    fn seen(&mut self, feed: FeedId, seen: &Arc<Seen>) {
        self.log(feed).log.set_note(seen.clone());
    }
}
