//! The logs of all feeds.

use std::sync::Arc;

use mirror::{FeedId, Seen};
use queue::log::{Log, Pool, Reader, Usage};

pub(super) struct Logs {
    pool: Pool,
    retention: usize,
    /// By feed: its log, and whether it has grown since it was last published.
    logs: Vec<Option<(Log, bool)>>,
    grown: Vec<FeedId>,
}

impl Logs {
    pub(super) fn new(pool: Pool, retention: usize) -> Self {
        Self { pool, retention, logs: Vec::new(), grown: Vec::new() }
    }

    /// A reader of all that comes from now on.
    pub(super) fn subscribe(&self, feed: FeedId) -> Reader {
        let log = self.logs[feed.0 as usize].as_ref().expect("a feed that is open");
        log.0.subscribe()
    }

    /// Shows readers what was appended; whether there was anything.
    pub(super) fn publish(&mut self) -> bool {
        let mut news = false;
        for feed in self.grown.drain(..) {
            if let Some((log, grown)) = &mut self.logs[feed.0 as usize] {
                *grown = false;
                news |= log.publish();
            }
        }
        news
    }

    pub(super) fn usage(&self) -> Usage {
        self.pool.usage()
    }

    fn log(&mut self, feed: FeedId) -> &mut (Log, bool) {
        self.logs[feed.0 as usize].as_mut().expect("a feed that is open")
    }
}

impl mirror::Logs for Logs {
    fn open(&mut self, feed: FeedId) {
        let index = feed.0 as usize;
        if self.logs.len() <= index {
            self.logs.resize_with(index + 1, || None);
        }
        self.logs[index] = Some((Log::new(&self.pool, self.retention), false));
    }

    fn close(&mut self, feed: FeedId) {
        self.logs[feed.0 as usize] = None;
    }

    #[inline]
    fn append(&mut self, feed: FeedId, message: &[u8]) {
        let (log, grown) = self.log(feed);
        log.append(message).expect("no message of BMP is longer than a log takes");
        if !std::mem::replace(grown, true) {
            self.grown.push(feed);
        }
    }

    fn seen(&mut self, feed: FeedId, seen: &Arc<Seen>) {
        self.log(feed).0.set_note(seen.clone());
    }
}
