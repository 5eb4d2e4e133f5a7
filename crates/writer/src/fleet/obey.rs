//! What a fleet does when it is told to.

use std::net::IpAddr;
use std::time::Duration;

use queue::log::Reader;

use super::session::{Fate, Session};
use super::{
    Alarm, Fleet, HELD_PAUSE, Happening, Listener, ListenerId, Order, REPORTS_HELD, Reason, Report,
    SessionId, Slot, State, Then, Waiting, stands,
};
use crate::driver::{Driver, Token};
use crate::plan::{Auth, Plan, Way};

impl<D: Driver> Fleet<D> {
    /// Takes an order.
    pub fn order(&mut self, now: Duration, order: Order) {
        match order {
            Order::Open(id, plan) => self.open(now, id, plan),
            Order::Rekey(id, plan) => self.rekey(id, plan),
            Order::Read(token, source) => {
                // What is for a connection that is gone, or that takes leave, is for nobody.
                let reads =
                    |session: &&mut Session| session.state.is_connected() && session.state != State::Closing;
                if let Some(session) = self.current(token).filter(reads) {
                    session.line.add(source);
                    self.go_on(now, token.session);
                }
            }
            Order::Leave { token, farewell, then } => self.leave(now, token, farewell, then),
            Order::Listen(id, listen) => {
                self.unlisten(id);
                self.listeners.insert(id, Listener { listen, listens: false });
                self.listen(now, id);
            }
            Order::Unlisten(id) => self.unlisten(id),
            Order::Settings(settings) => {
                self.settings = *settings;
                for id in self.ids() {
                    if self.session(id).is_some_and(|session| stands(session.state)) {
                        self.look(now, id);
                    }
                }
            }
            Order::Survey(see) => see(&self.survey(now)),
            Order::Witness(witness) => self.witness = witness,
            Order::Stop => self.stop(),
        }
    }

    fn open(&mut self, now: Duration, id: SessionId, plan: Box<Plan>) {
        let index = id.0 as usize;
        if self.slots.len() <= index {
            self.slots.resize_with(index + 1, Slot::default);
        }
        let slot = &mut self.slots[index];
        let session = slot.session.get_or_insert_with(|| Session::new(plan.clone(), now));
        let old = std::mem::replace(&mut session.plan, plan);
        let changed = old != session.plan;
        // One that is closing connects as soon as it has; who waits need not wait any longer.
        session.fate = if session.state == State::Closing { Fate::Again } else { Fate::Retry };
        if changed {
            self.key(id, old.way, old.server);
        }
        self.key_own(id);
        match self.state(id) {
            State::Idle | State::Waiting => self.dial(now, id),
            // What is asked for is not what is wanted any more.
            State::Connecting if changed => {
                self.session(id).expect("it was opened").fate = Fate::Again;
                self.lost(now, id, Reason::Command);
            }
            _ => {}
        }
    }

    fn rekey(&mut self, id: SessionId, plan: Box<Plan>) {
        let Some(session) = self.session(id) else { return };
        session.plan = plan;
        session.rekeyed = session.state == State::Connecting;
        let connected = session.state.is_connected();
        self.key_own(id);
        if connected && let Some(token) = self.token(id) {
            self.rekey_connection(token);
        }
    }

    /// Gives a connection the keys that its session's plan says.
    pub(super) fn rekey_connection(&mut self, token: Token) {
        let session = self.slots[token.session.0 as usize].session.as_ref().expect("it is connected");
        if let Err(fault) = self.driver.rekey(token, &session.plan) {
            self.reports.push_back(Report::Unkeyed(token.session, fault));
        }
    }

    fn leave(&mut self, now: Duration, token: Token, farewell: Option<Reader>, then: Then) {
        let id = token.session;
        let is_current = self.token(id) == Some(token);
        let Some(session) = self.session(id) else { return };
        let fate = match then {
            Then::Again => Fate::Again,
            Then::Rest => Fate::Rest,
            Then::Forget => Fate::Forget,
        };
        match session.state {
            State::Idle | State::Waiting => {
                session.fate = fate;
                self.settle(now, id);
            }
            // It has been told farewell.
            State::Closing => session.fate = fate,
            State::Greeting | State::CatchingUp | State::Live if is_current => {
                session.fate = fate;
                session.happen(now, Happening::Leave);
                session.line.farewell = farewell;
                if let Some(feed) = session.line.awaits.take() {
                    self.waiting.remove(feed, id);
                }
                self.set_alarm(id, now + self.settings.drain_limit);
                self.go_on(now, id);
            }
            // It has another connection by now, or is about to, which is what was asked for.
            _ if then == Then::Again => {}
            _ => {
                session.fate = fate;
                self.lost(now, id, Reason::Command);
            }
        }
    }

    pub(super) fn listen(&mut self, now: Duration, id: ListenerId) {
        if self.reports.len() >= REPORTS_HELD {
            self.alarms.insert((now + HELD_PAUSE, Alarm::Listener(id)));
            return;
        }
        let Some(listener) = self.listeners.get_mut(&id) else { return };
        let result = self.driver.listen(id, &listener.listen);
        listener.listens = result.is_ok();
        self.reports.push_back(Report::Listening(id, result));
        if result.is_ok() {
            for session in self.ids() {
                if self.session(session).is_some_and(|session| session.plan.way == Way::Passive(id)) {
                    self.key_own(session);
                }
            }
        } else {
            // Its address may come later.
            self.alarms.insert((now + self.settings.retry_min, Alarm::Listener(id)));
        }
    }

    fn unlisten(&mut self, id: ListenerId) {
        if let Some(listener) = self.listeners.remove(&id) {
            self.alarms.retain(|(_, alarm)| *alarm != Alarm::Listener(id));
            if listener.listens {
                self.driver.unlisten(id);
            }
        }
    }

    fn stop(&mut self) {
        for id in self.ids() {
            if let Some(token) = self.token(id)
                && !matches!(self.state(id), State::Idle | State::Waiting)
            {
                self.driver.close(token);
            }
        }
        let listeners: Vec<_> = self.listeners.keys().copied().collect();
        listeners.into_iter().for_each(|id| self.unlisten(id));
        (self.slots, self.waiting, self.stopped) = (Vec::new(), Waiting::default(), true);
        self.alarms.clear();
    }

    /// Tells a passive session's listener how its server signs.
    fn key_own(&mut self, id: SessionId) {
        if let Some(session) = self.session(id) {
            let (way, server) = (session.plan.way, session.plan.server);
            self.key(id, way, server);
        }
    }

    /// Tells a listener how a server signs, if there is a session that says so: sessions of one server and
    /// listener say the same, or whoever let them in was wrong.
    pub(super) fn key(&mut self, id: SessionId, way: Way, server: IpAddr) {
        let Way::Passive(listener) = way else { return };
        if !self.listeners.get(&listener).is_some_and(|listener| listener.listens) {
            return;
        }
        let sessions = self.slots.iter().filter_map(|slot| slot.session.as_ref());
        let mut plans = sessions.map(|session| &session.plan);
        let auth = plans.find(|plan| plan.way == way && plan.server == server).map(|plan| &plan.auth);
        if let Err(fault) = self.driver.key(listener, server, auth.unwrap_or(&Auth::None)) {
            self.reports.push_back(Report::Unkeyed(id, fault));
        }
    }
}
