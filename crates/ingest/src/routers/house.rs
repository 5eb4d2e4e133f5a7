//! Who listens, who is connected, under which name, and what is reported of it.
//!
//! ```text
//!   arrive ─► stranger ── greet: first message ──► router, under its name ─► close
//!     ╰ Refused  ╰ Refused                           ╰ Up                     ╰ Down
//! ```
//!
//! * **once**      every connection is in `guests` from its arrival until it is closed, by whoever is first to do so:
//!   its own task, an order, or the one that takes its place. What comes after that is not reported.
//! * **strangers** who has not said who he is counts apart, so that a router that lost its connection finds room for
//!   the next one, however many routers there are.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use queue::ring::{Gate, OpenError};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

use super::line::Line;
use super::permit::Permit;
use super::report::{REFUSED_A_SECOND, Reason, Report};
use super::{Instance, Io, Limits, ListenerId, ORDERS_MAX, Order, REPORTS_MAX, ROUTERS_MAX, Sight};
use super::{socket, spawn, talk};
use crate::frames::Pool;
use crate::lanes::Lanes;
use crate::{Record, name};

/// Connections that have not said whose they are, at most.
pub const STRANGERS_MAX: usize = 64;

/// How long a listener pauses that cannot accept: for want of descriptors or memory, mostly.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How often the kernel is given time for what it still has of us at the end, and how long.
const LAST_BREATHS: u32 = 3;
const BREATH: Duration = Duration::from_millis(1);

/// What the thread has to do with.
pub(super) struct Outside {
    pub(super) io: Io,
    pub(super) gate: Arc<Gate<Record>>,
    pub(super) now: Box<dyn Fn() -> u64 + Send>,
    pub(super) wake: Box<dyn Fn() + Send>,
    pub(super) reports: mpsc::Sender<Report>,
}

/// See the top of the file.
pub(super) struct House {
    outside: Outside,
    pool: Pool,
    /// There are reports that found no room.
    backlogged: Notify,
    inside: RefCell<Inside>,
}

#[derive(Default)]
struct Inside {
    limits: Limits,
    permit: Permit,
    listeners: HashMap<ListenerId, JoinHandle<()>>,
    /// By the order of their arrival.
    guests: HashMap<u64, Guest>,
    names: HashMap<Arc<str>, u64>,
    arrivals: u64,
    connections: u64,
    backlog: VecDeque<Report>,
    refusals: Refusals,
}

/// A connection.
struct Guest {
    remote: SocketAddr,
    listener: ListenerId,
    since: u64,
    router: Option<(Arc<str>, u64)>,
    tally: Rc<Tally>,
    task: JoinHandle<()>,
}

/// What a connection's task counts.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) octets: Cell<u64>,
    pub(super) messages: Cell<u64>,
    pub(super) lanes: Cell<usize>,
    pub(super) full: Cell<Option<OpenError>>,
    pub(super) waiting: Cell<usize>,
    pub(super) waits: Cell<u64>,
}

/// Refusals of the present second.
#[derive(Default)]
struct Refusals {
    second: u64,
    told: u32,
    untold: u64,
}

/// Does what it is told, until that is to stop.
pub(super) async fn keep(outside: Outside, mut orders: mpsc::Receiver<Order>) {
    let inside = RefCell::new(Inside::default());
    let house = Rc::new(House { outside, pool: Pool::default(), backlogged: Notify::new(), inside });
    loop {
        tokio::select! {
            order = orders.recv() => {
                let was_full = orders.len() + 1 >= ORDERS_MAX;
                match order {
                    Some(Order::Stop) | None => break,
                    Some(order) => house.obey(order).await,
                }
                if was_full {
                    // Whoever gives them may have more.
                    (house.outside.wake)();
                }
            }
            () = house.hand_over() => {}
        }
    }
    house.end().await;
}

impl House {
    async fn obey(self: &Rc<Self>, order: Order) {
        match order {
            Order::Listen(id, address, instance) => {
                // Before another socket takes its address.
                self.unlisten(id).await;
                let listening = self.listen(id, address, &instance);
                self.report(Report::Listening(id, listening));
            }
            Order::Unlisten(id) => self.unlisten(id).await,
            Order::Permit(prefixes) => {
                let permit = Permit::new(prefixes);
                self.close_where(&Reason::NotPermitted, |guest| !permit.allows(guest.remote.ip()));
                self.inside.borrow_mut().permit = permit;
            }
            Order::Limits(limits) => {
                let routers_max = limits.routers_max.min(ROUTERS_MAX);
                self.inside.borrow_mut().limits = Limits { routers_max, ..limits };
            }
            Order::Reset(None) => self.close_where(&Reason::Command, |_| true),
            Order::Reset(Some(name)) => {
                let key = self.inside.borrow().names.get(&name).copied();
                if let Some(key) = key {
                    self.close(key, Reason::Command);
                }
            }
            Order::Survey(look) => look(self.survey()),
            Order::Stop => unreachable!("it ends the loop"),
        }
    }

    fn listen(
        self: &Rc<Self>,
        id: ListenerId,
        address: SocketAddr,
        instance: &Instance,
    ) -> Result<SocketAddr, String> {
        let listener = socket::listen(address, instance).map_err(|fault| fault.to_string())?;
        let address = listener.local_addr().unwrap_or(address);
        let task = spawn(accepting(self.clone(), id, listener));
        self.inside.borrow_mut().listeners.insert(id, task);
        Ok(address)
    }

    async fn unlisten(&self, id: ListenerId) {
        let task = self.inside.borrow_mut().listeners.remove(&id);
        if let Some(task) = task {
            task.abort();
            drop(task.await);
        }
    }

    /// Somebody has connected.
    fn arrive(self: &Rc<Self>, listener: ListenerId, socket: TcpStream, remote: SocketAddr) {
        // A listener for both families says ::ffff:192.0.2.1 of who is 192.0.2.1 everywhere else.
        let remote = SocketAddr::new(remote.ip().to_canonical(), remote.port());
        let receive = |error: io::Error| Reason::Receive(error.raw_os_error().unwrap_or(0));
        let let_in = self.may_come(remote).and_then(|limits| {
            socket::keep_alive(&socket, limits.silence).map_err(receive)?;
            Ok((limits, Line::new(self.outside.io, socket).map_err(receive)?))
        });
        let (limits, line) = match let_in {
            Ok(let_in) => let_in,
            Err(reason) => return self.refused(remote, reason),
        };
        let tally = Rc::new(Tally::default());
        let mut inside = self.inside.borrow_mut();
        inside.arrivals += 1;
        let key = inside.arrivals;
        let task = spawn(talk::talk(self.clone(), key, line, limits, tally.clone()));
        let guest = Guest { remote, listener, since: self.now(), router: None, tally, task };
        inside.guests.insert(key, guest);
    }

    fn may_come(&self, remote: SocketAddr) -> Result<Limits, Reason> {
        let inside = self.inside.borrow();
        if inside.backlog.len() >= REPORTS_MAX {
            return Err(Reason::Unheard);
        }
        if !inside.permit.allows(remote.ip()) {
            return Err(Reason::NotPermitted);
        }
        if inside.guests.len() - inside.names.len() >= STRANGERS_MAX {
            return Err(Reason::Strangers);
        }
        Ok(inside.limits)
    }

    /// A stranger's first message has come: he has a name from here on, and lanes.
    pub(super) fn greet(&self, key: u64, first: &[u8]) -> Result<Lanes, Reason> {
        // Who is being closed has no more to say.
        let remote =
            self.inside.borrow().guests.get(&key).map(|guest| guest.remote).ok_or(Reason::Command)?;
        let name = name::of(first, remote.ip());
        let old = self.inside.borrow().names.get(&name).copied();
        if let Some(old) = old {
            self.close(old, Reason::Replaced(remote));
        }
        let mut inside = self.inside.borrow_mut();
        if inside.names.len() >= inside.limits.routers_max {
            return Err(Reason::Routers(inside.limits.routers_max));
        }
        let connection = inside.connections + 1;
        let lanes =
            Lanes::open(self.outside.gate.clone(), name.clone(), connection).map_err(Reason::Lanes)?;
        inside.connections = connection;
        inside.names.insert(name.clone(), key);
        if let Some(guest) = inside.guests.get_mut(&key) {
            guest.router = Some((name.clone(), connection));
        }
        drop(inside);
        self.report(Report::Up { router: name, remote, connection });
        Ok(lanes)
    }

    /// Ends a connection, unless it has ended.
    pub(super) fn close(&self, key: u64, reason: Reason) {
        let mut inside = self.inside.borrow_mut();
        let Some(guest) = inside.guests.remove(&key) else { return };
        // Its socket, its buffers and its lanes go with it.
        guest.task.abort();
        let remote = guest.remote;
        let Some((router, connection)) = guest.router else {
            drop(inside);
            return self.refused(remote, reason);
        };
        inside.names.remove(&router);
        drop(inside);
        self.report(Report::Down { router, remote, connection, reason });
    }

    fn close_where(&self, reason: &Reason, wanted: impl Fn(&Guest) -> bool) {
        let inside = self.inside.borrow();
        let mut keys: Vec<u64> =
            inside.guests.iter().filter(|(_, guest)| wanted(guest)).map(|(&key, _)| key).collect();
        drop(inside);
        keys.sort_unstable();
        keys.into_iter().for_each(|key| self.close(key, reason.clone()));
    }

    fn survey(&self) -> Vec<Sight> {
        let inside = self.inside.borrow();
        let mut guests: Vec<_> = inside.guests.iter().collect();
        guests.sort_unstable_by_key(|&(&key, _)| key);
        let sight = |(_, guest): (&u64, &Guest)| Sight {
            router: guest.router.clone(),
            remote: guest.remote,
            listener: guest.listener,
            since: guest.since,
            octets: guest.tally.octets.get(),
            messages: guest.tally.messages.get(),
            lanes: guest.tally.lanes.get(),
            waiting: guest.tally.waiting.get(),
            waits: guest.tally.waits.get(),
            error: guest.tally.full.get().map(|error| format!("{error}: peers share lanes")),
        };
        guests.into_iter().map(sight).collect()
    }

    fn refused(&self, remote: SocketAddr, reason: Reason) {
        let second = self.now() / 1_000_000;
        let mut inside = self.inside.borrow_mut();
        let refusals = &mut inside.refusals;
        if refusals.second != second {
            (refusals.second, refusals.told) = (second, 0);
        }
        if refusals.told >= REFUSED_A_SECOND || reason == Reason::Unheard {
            refusals.untold += 1;
            return;
        }
        refusals.told += 1;
        let untold = std::mem::take(&mut refusals.untold);
        drop(inside);
        self.report(Report::Refused { remote, reason, untold });
    }

    fn report(&self, report: Report) {
        let mut inside = self.inside.borrow_mut();
        let waits = !inside.backlog.is_empty();
        let refused =
            if waits { Some(report) } else { self.outside.reports.try_send(report).err().map(untaken) };
        if let Some(report) = refused {
            inside.backlog.push_back(report);
            self.backlogged.notify_one();
        }
        drop(inside);
        (self.outside.wake)();
    }

    /// Waits for room for a report that found none, and hands it over.
    async fn hand_over(&self) {
        if self.inside.borrow().backlog.is_empty() {
            self.backlogged.notified().await;
        }
        match self.outside.reports.reserve().await {
            Ok(place) => {
                if let Some(report) = self.inside.borrow_mut().backlog.pop_front() {
                    place.send(report);
                }
                (self.outside.wake)();
            }
            // Nobody will ever want them.
            Err(_) => self.inside.borrow_mut().backlog.clear(),
        }
    }

    async fn end(self: &Rc<Self>) {
        let listeners: Vec<_> = self.inside.borrow().listeners.keys().copied().collect();
        for id in listeners {
            self.unlisten(id).await;
        }
        self.close_where(&Reason::Command, |_| true);
        // Each task holds the house; and two breaths lead from the last one's end to that of its read.
        let mut breaths = 0;
        while breaths < LAST_BREATHS {
            tokio::time::sleep(BREATH).await;
            breaths += u32::from(Rc::strong_count(self) == 1);
        }
    }

    pub(super) fn now(&self) -> u64 {
        (self.outside.now)()
    }

    pub(super) fn pool(&self) -> &Pool {
        &self.pool
    }
}

fn untaken(error: mpsc::error::TrySendError<Report>) -> Report {
    error.into_inner()
}

async fn accepting(house: Rc<House>, id: ListenerId, listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((socket, remote)) => house.arrive(id, socket, remote),
            // Who connected has gone again.
            Err(error) if error.raw_os_error() == Some(libc::ECONNABORTED) => {}
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}
