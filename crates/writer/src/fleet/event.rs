//! What a fleet does when something has happened on the network.

use std::net::SocketAddr;
use std::time::Duration;

use queue::log::Chunk;

use super::session::{Fate, Line, Next, Session};
use super::{Fleet, Happening, ListenerId, REPORTS_HELD, Reason, Report, SessionId, Spot, State};
use crate::driver::{Driver, Ends, Event, Token};
use crate::plan::Way;

impl<D: Driver> Fleet<D> {
    pub(super) fn event(&mut self, now: Duration, event: Event<D::Incoming>) {
        match event {
            Event::Accepted(listener, remote, incoming) => self.accepted(now, listener, remote, incoming),
            Event::Connected(token, ends) => {
                if self.current(token).is_some_and(|session| session.state == State::Connecting) {
                    self.connected(now, token, ends);
                }
            }
            Event::Failed(token, fault) => {
                if self.current(token).is_some_and(|session| session.state == State::Connecting) {
                    self.gone(now, token.session, Reason::Fault(fault));
                }
            }
            Event::Sent(token, chunk, octets) => self.sent(now, token, &chunk, octets),
            Event::Heard(token, octets) => {
                let most = self.settings.chatter_max;
                if let Some(session) = self.connected_one(token) {
                    session.line.heard += octets as u64;
                    if session.line.heard > most {
                        self.lost(now, token.session, Reason::Chatty);
                    }
                }
            }
            Event::Ended(token) => self.broke(now, token, Reason::Ended),
            Event::Broke(token, fault) => self.broke(now, token, Reason::Fault(fault)),
        }
    }

    /// Who has been told farewell is gone by command, however it goes.
    fn broke(&mut self, now: Duration, token: Token, reason: Reason) {
        if let Some(session) = self.connected_one(token) {
            let closing = session.state == State::Closing;
            self.lost(now, token.session, if closing { Reason::Command } else { reason });
        }
    }

    /// Somebody connected: to the session of that server which has no connection, or else to the one that has
    /// had no sign of it for longest.
    fn accepted(&mut self, now: Duration, listener: ListenerId, remote: SocketAddr, incoming: D::Incoming) {
        let wanted = |session: &Session| {
            session.plan.way == Way::Passive(listener)
                && session.plan.server == remote.ip()
                && matches!(session.fate, Fate::Retry | Fate::Again)
        };
        let sessions =
            self.slots.iter().zip(0..).filter_map(|(slot, index)| Some((slot.session.as_ref()?, index)));
        let stalest = sessions
            .filter(|(session, _)| wanted(session))
            .min_by_key(|(session, _)| (session.state.is_connected(), session.line.moved.1));
        let Some((_, index)) = stalest else {
            drop(incoming);
            if self.reports.len() < REPORTS_HELD {
                self.reports.push_back(Report::Stranger(listener, remote));
            }
            return;
        };
        if self.reports.len() >= REPORTS_HELD {
            return; // it is reset, and may come again
        }
        let id = SessionId(index);
        // A session that was opened anew may still be asking for a connection itself.
        if !matches!(self.state(id), State::Idle | State::Waiting) {
            self.lost(now, id, Reason::Replaced);
        }
        let token = self.next_life(id);
        let slot = &mut self.slots[id.0 as usize];
        let session = slot.session.as_mut().expect("a session was found");
        match self.driver.adopt(token, incoming, &session.plan, self.settings.stall_limit) {
            Ok(ends) => self.connected(now, token, ends),
            Err(fault) => {
                session.reason = Some(Reason::Fault(fault));
                self.reports.push_back(Report::Failed(token, Reason::Fault(fault), Duration::ZERO));
            }
        }
    }

    fn connected(&mut self, now: Duration, token: Token, ends: Ends) {
        let session = self.session(token.session).expect("it is connected");
        session.happen(now, Happening::Connected);
        session.line = Line::new(ends, now);
        session.connections += 1;
        let rekeyed = std::mem::take(&mut session.rekeyed);
        self.reports.push_back(Report::Up(token, ends));
        self.look_later(now, token.session);
        if rekeyed {
            self.rekey_connection(token);
        }
    }

    fn sent(&mut self, now: Duration, token: Token, chunk: &Chunk, octets: usize) {
        // One that was closed is of no interest: its readers are gone.
        let Some(session) = self.connected_one(token).filter(|session| session.line.sending) else { return };
        session.line.sending = false;
        session.line.took(octets);
        session.octets += octets as u64;
        session.sends += 1;
        if session.state == State::Greeting {
            session.happen(now, Happening::Greeted);
        }
        let spot = session.line.spot().map(|spot| Spot { position: chunk.position(), ..spot });
        if let Some(witness) = &mut self.witness {
            witness(token, spot, &chunk[..octets]);
        }
        self.go_on(now, token.session);
    }

    /// Gives the driver what a connection sends next, if none of its sends is in flight.
    pub(super) fn go_on(&mut self, now: Duration, id: SessionId) {
        let Some(token) = self.token(id) else { return };
        let session = self.slots[id.0 as usize].session.as_mut().expect("it has a token");
        if !session.state.is_connected() || session.line.sending || session.line.awaits.is_some() {
            return;
        }
        loop {
            // Before the log is read: what it says first may be that what follows is gone.
            let catching = matches!(session.state, State::Greeting | State::CatchingUp);
            if catching && session.line.reads_log() {
                session.happen(now, Happening::CaughtUp);
                session.line.live_at.get_or_insert(now);
            }
            let cap = self.settings.cap;
            let closing = session.state == State::Closing;
            match if closing { session.line.last(cap) } else { session.line.next(cap) } {
                Next::Send(chunk) => {
                    session.line.sending = true;
                    if !session.line.owed {
                        (session.line.owed, session.line.moved.1) = (true, now);
                    }
                    self.driver.send(token, chunk);
                }
                Next::Await(feed, position) => {
                    session.line.awaits = Some(feed);
                    self.waiting.put(feed, position, id);
                }
                Next::Took => {
                    self.reports.push_back(Report::Took(token));
                    continue;
                }
                Next::Fell(reader) => {
                    session.falls += 1;
                    session.happen(now, Happening::Fell);
                    self.reports.push_back(Report::Fell(token, reader));
                }
                Next::Finish => self.driver.finish(token),
                Next::Nothing => {}
            }
            return;
        }
    }
}
