//! Who has read all there is of a log, and waits for more.
//!
//! * **in order**  a feed's sessions stand in the order of their places in its log. A log only grows, so if
//!   the first of them still finds nothing, none does: a look at each feed is a look at all sessions. That is
//!   nearly the order in which they come; but who subscribed to what was not published yet is ahead of others.
//! * **no ghosts** who loses its connection while it waits is taken out.

use std::collections::VecDeque;

use super::SessionId;

#[derive(Default)]
pub(super) struct Waiting {
    /// By the number of a feed.
    feeds: Vec<VecDeque<(u64, SessionId)>>,
}

impl Waiting {
    /// The session has found nothing in the log of a feed, at this position.
    pub(super) fn put(&mut self, feed: u32, position: u64, id: SessionId) {
        let index = feed as usize;
        if self.feeds.len() <= index {
            self.feeds.resize_with(index + 1, VecDeque::new);
        }
        let sessions = &mut self.feeds[index];
        let place = sessions.iter().rposition(|(other, _)| *other <= position).map_or(0, |at| at + 1);
        sessions.insert(place, (position, id));
    }

    /// The session does not wait any more.
    pub(super) fn remove(&mut self, feed: u32, id: SessionId) {
        self.feeds[feed as usize].retain(|(_, other)| *other != id);
    }

    /// Takes out somebody who waits for a feed, if `ready` says that there is something for the first.
    pub(super) fn take(&mut self, feed: usize, ready: impl FnOnce(SessionId) -> bool) -> Option<SessionId> {
        self.feeds[feed].pop_front_if(|(_, first)| ready(*first)).map(|(_, first)| first)
    }

    /// How many feeds there are.
    pub(super) fn len(&self) -> usize {
        self.feeds.len()
    }

    /// The first of each feed.
    pub(super) fn first(&self) -> impl Iterator<Item = SessionId> {
        self.feeds.iter().filter_map(|sessions| sessions.front()).map(|(_, first)| *first)
    }
}
