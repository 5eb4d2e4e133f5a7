//! What a fleet does when time has passed, and when a connection has come to its end.

use std::time::Duration;

use super::session::Fate;
use super::{Fleet, HELD_PAUSE, Happening, REPORTS_HELD, Reason, Report, STALL_LOOKS, SessionId, State};
use crate::driver::Driver;
use crate::plan::Way;

impl<D: Driver> Fleet<D> {
    pub(super) fn alarm(&mut self, now: Duration, id: SessionId) {
        match self.state(id) {
            State::Waiting => self.dial(now, id),
            State::Connecting => self.lost(now, id, Reason::Unanswered),
            State::Greeting | State::CatchingUp | State::Live => self.look(now, id),
            State::Closing => self.lost(now, id, Reason::Command),
            State::Idle => {}
        }
    }

    /// Looks whether a server takes what it is sent.
    pub(super) fn look(&mut self, now: Duration, id: SessionId) {
        let token = self.token(id).expect("it is connected");
        let unacked = self.driver.unacked(token);
        let stall_limit = self.settings.stall_limit;
        let session = self.session(id).expect("it is connected");
        let line = &mut session.line;
        line.owed = line.sending || unacked > 0;
        let acked = line.octets.saturating_sub(unacked);
        if !line.owed || acked != line.moved.0 {
            line.moved = (acked, now);
        }
        if now >= line.moved.1 + stall_limit {
            self.lost(now, id, Reason::Stalled);
        } else {
            self.look_later(now, id);
        }
    }

    pub(super) fn look_later(&mut self, now: Duration, id: SessionId) {
        let stall_limit = self.settings.stall_limit;
        let session = self.session(id).expect("it is connected");
        let at = (now + stall_limit / STALL_LOOKS).min(session.line.moved.1 + stall_limit);
        self.set_alarm(id, at.max(now));
    }

    /// Begins a connection of a session that has none, if that is for us to do.
    pub(super) fn dial(&mut self, now: Duration, id: SessionId) {
        let held = self.reports.len() >= REPORTS_HELD;
        let session = self.session(id).expect("a session that waits");
        (session.retry_at, session.fate) = (None, Fate::Retry);
        if matches!(session.plan.way, Way::Passive(_)) {
            session.happen(now, Happening::Stop);
            return;
        }
        if held {
            if session.state == State::Idle {
                session.happen(now, Happening::Dial);
                session.happen(now, Happening::Lost);
            }
            self.set_alarm(id, now + HELD_PAUSE);
            return;
        }
        let token = self.next_life(id);
        let slot = &mut self.slots[id.0 as usize];
        let session = slot.session.as_mut().expect("a session that waits");
        session.happen(now, Happening::Dial);
        self.driver.dial(token, &session.plan, self.settings.stall_limit);
        self.set_alarm(id, now + self.settings.connect_limit);
    }

    /// The connection is to end, or the attempt at one, and nobody else knows.
    pub(super) fn lost(&mut self, now: Duration, id: SessionId, reason: Reason) {
        self.driver.close(self.token(id).expect("it has a connection"));
        self.gone(now, id, reason);
    }

    /// There is no connection any more.
    pub(super) fn gone(&mut self, now: Duration, id: SessionId, reason: Reason) {
        let token = self.token(id).expect("it had a connection");
        let session = self.slots[id.0 as usize].session.as_mut().expect("it has a token");
        let was_up = session.state.is_connected();
        session.happen(now, Happening::Lost);
        session.reason = Some(reason);
        session.rekeyed = false;
        let line = std::mem::take(&mut session.line);
        if let Some(feed) = line.awaits {
            self.waiting.remove(feed, id);
        }
        // It was worth connecting, if it was live for a while: a server that takes all and hangs up is not.
        if line.live_at.is_some_and(|live_at| now >= live_at + self.settings.retry_min) {
            session.retry.reset();
        }
        let dials = matches!(session.plan.way, Way::Active(_));
        let delay = match session.fate {
            Fate::Retry if dials => session.retry.next(&self.settings, &mut self.dice),
            _ => Duration::ZERO,
        };
        self.reports.push_back(if was_up {
            Report::Down(token, reason)
        } else {
            Report::Failed(token, reason, delay)
        });
        if session.fate == Fate::Retry && dials {
            session.retry_at = Some(now + delay);
            self.set_alarm(id, now + delay);
        } else {
            self.settle(now, id);
        }
    }

    /// Does with a session without a connection what it is for.
    pub(super) fn settle(&mut self, now: Duration, id: SessionId) {
        self.clear_alarm(id);
        let session = self.session(id).expect("a session to settle");
        match session.fate {
            Fate::Retry | Fate::Again => {
                session.retry.reset();
                self.dial(now, id);
            }
            Fate::Rest => {
                session.retry.reset();
                session.retry_at = None;
                session.happen(now, Happening::Stop);
            }
            Fate::Forget => {
                let slot = &mut self.slots[id.0 as usize];
                let plan = slot.session.take().expect("it was there").plan;
                self.key(id, plan.way, plan.server);
                self.reports.push_back(Report::Forgotten(id));
            }
        }
    }
}
