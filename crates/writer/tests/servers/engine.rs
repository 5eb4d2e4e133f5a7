//! A small engine: it owns a writer and a feed's log, and answers reports as the real one does.
//!
//! ```text
//!   Up    ─► greeting pieces, one after the other ─► a resume, and the log from there
//!   Fell  ─► a resume that says what was missed,  ─► and the log from there
//! ```

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::thread::Thread;
use std::time::{Duration, Instant};

use queue::log::{Log, Pool, Reader};
use writer::driver::{Ends, Token};
use writer::fleet::{ListenerId, Order, Reason, Report, SessionId, Settings, Source, Status, Then};
use writer::plan::{Instance, Listen, Plan, Way};
use writer::{Handle, Io};

use super::stream::{HEADER_LEN, Kind, message, who};

/// Long enough for anything that comes at once, on a machine that is busy with much else.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// How often a condition is looked at that nobody tells us about.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Times that do not keep a test waiting, and limits that do not come into play.
pub(crate) fn quick() -> Settings {
    Settings {
        retry_min: Duration::from_millis(20),
        retry_max: Duration::from_millis(160),
        connect_limit: Duration::from_secs(20),
        stall_limit: Duration::from_secs(60),
        drain_limit: Duration::from_secs(20),
        ..Settings::default()
    }
}

/// A session as the engine sees it.
#[derive(Default)]
pub(crate) struct Session {
    pub(crate) token: Option<Token>,
    pub(crate) ends: Option<Ends>,
    /// Greetings that have not been handed over.
    greetings: VecDeque<Vec<u8>>,
    pub(crate) ups: u32,
    pub(crate) took: u32,
    pub(crate) falls: u32,
    pub(crate) downs: Vec<(Instant, Reason)>,
    pub(crate) failed: Vec<(Instant, Reason, Duration)>,
    pub(crate) forgotten: bool,
}

pub(crate) struct Engine {
    handle: Option<Handle>,
    pub(crate) pool: Pool,
    log: Log,
    /// Where each live message begins, and where the next will.
    begins: Vec<u64>,
    pub(crate) sessions: BTreeMap<SessionId, Session>,
    pub(crate) listening: BTreeMap<ListenerId, Result<SocketAddr, writer::Fault>>,
    pub(crate) strangers: Vec<SocketAddr>,
    /// Greetings of each connection: how many, how long.
    pub(crate) greetings: (u64, usize),
    /// Whether all that a connection is told is handed over at once.
    pub(crate) ahead: bool,
    /// Whether there are more orders than the writer takes at once, and they are handed over bit by bit. This
    /// wakes the writer, which is why it is not always done: it has to wake by itself for all else.
    pub(crate) pushes: bool,
    /// Whether reports are left alone.
    pub(crate) deaf: bool,
}

impl Engine {
    pub(crate) fn new(io: Io, settings: Settings) -> Self {
        Self::with_log(io, settings, 32 << 20)
    }

    /// One whose log keeps so much.
    pub(crate) fn with_log(io: Io, settings: Settings, budget: usize) -> Self {
        let us: Thread = std::thread::current();
        let handle = writer::start(io, settings, 7, move || us.unpark());
        let handle = handle.unwrap_or_else(|error| panic!("{io:?}: {error}"));
        let pool = Pool::default();
        let log = Log::new(&pool, budget);
        Self {
            handle: Some(handle),
            pool,
            log,
            begins: vec![0],
            sessions: BTreeMap::new(),
            listening: BTreeMap::new(),
            strangers: Vec::new(),
            greetings: (1, 100),
            ahead: false,
            pushes: false,
            deaf: false,
        }
    }

    pub(crate) fn order(&mut self, order: Order) {
        self.handle.as_mut().expect("not stopped").order(order);
    }

    /// Live messages so far.
    pub(crate) fn next(&self) -> u64 {
        self.begins.len() as u64 - 1
    }

    /// One more live message.
    pub(crate) fn say(&mut self, len: usize) {
        self.say_quietly(len);
        self.handle.as_mut().expect("not stopped").news();
    }

    /// The same, and nobody is woken.
    pub(crate) fn say_quietly(&mut self, len: usize) {
        self.log.append(&message(Kind::Live, self.next(), 0, len)).expect("short enough");
        self.begins.push(self.log.end());
        self.log.publish();
    }

    pub(crate) fn open(&mut self, id: u32, plan: Plan) {
        self.sessions.entry(SessionId(id)).or_default().forgotten = false;
        self.order(Order::Open(SessionId(id), Box::new(plan)));
    }

    pub(crate) fn session(&self, id: u32) -> &Session {
        &self.sessions[&SessionId(id)]
    }

    /// Takes leave of a session's connection, with a farewell.
    pub(crate) fn leave(&mut self, id: u32, then: Then) {
        let token = self.session(id).token.unwrap_or(Token { session: SessionId(id), life: 0 });
        let farewell = message(Kind::Farewell, who(id, token.life), 0, HEADER_LEN);
        let farewell = Some(self.piece(&[farewell]));
        self.order(Order::Leave { token, farewell, then });
    }

    /// Stops the writer, with all that is under way.
    pub(crate) fn stop(&mut self) {
        self.handle = None;
    }

    /// A log that has these messages and is closed: one segment, for its reader holds no more.
    fn piece(&self, messages: &[Vec<u8>]) -> Reader {
        let mut log = Log::new(&self.pool, 0);
        log.reserve(messages.iter().map(Vec::len).sum()).expect("a short piece");
        let reader = log.subscribe();
        messages.iter().for_each(|message| log.append(message).expect("room"));
        reader
    }

    /// Goes from `told` messages over to the live log.
    fn resume(&mut self, token: Token, told: u64) {
        let resume = self.piece(&[message(Kind::Resume, told, self.next(), HEADER_LEN)]);
        let reader = self.log.subscribe();
        self.order(Order::Read(token, Source::Piece(resume)));
        self.order(Order::Read(token, Source::Log(0, reader)));
    }

    /// Answers all reports there are.
    pub(crate) fn answer(&mut self) {
        while !self.deaf
            && let Some(report) = self.handle.as_mut().expect("not stopped").next_report()
        {
            self.report(report);
        }
        let handle = self.handle.as_mut().expect("not stopped");
        if self.pushes {
            handle.news();
        }
        if let Some(error) = handle.ended() {
            panic!("the writer ended: {error}");
        }
    }

    fn report(&mut self, report: Report) {
        match report {
            Report::Up(token, ends) => {
                let (count, len) = self.greetings;
                let word = who(token.session.0, token.life);
                let session = self.sessions.get_mut(&token.session).expect("it was opened");
                assert_eq!(session.token, None, "*up and down*");
                (session.token, session.ends) = (Some(token), Some(ends));
                session.ups += 1;
                session.greetings =
                    (0..count).map(|at| message(Kind::Greeting, word, at, HEADER_LEN + len)).collect();
                self.greet(token);
            }
            Report::Took(token) => {
                let session = self.sessions.get_mut(&token.session).expect("it was opened");
                session.took += 1;
                if session.token == Some(token) {
                    self.greet(token);
                }
            }
            Report::Fell(token, reader) => {
                let session = self.sessions.get_mut(&token.session).expect("it was opened");
                if session.token != Some(token) {
                    return;
                }
                session.falls += 1;
                let position = reader.position();
                let told = self.begins.binary_search(&position);
                let told = told.unwrap_or_else(|_| panic!("fell at {position}, inside of a message"));
                self.resume(token, told as u64);
            }
            Report::Down(token, reason) => {
                let session = self.sessions.get_mut(&token.session).expect("it was opened");
                assert_eq!(session.token, Some(token), "*up and down*");
                (session.token, session.ends) = (None, None);
                session.downs.push((Instant::now(), reason));
            }
            Report::Failed(token, reason, delay) => {
                let session = self.sessions.get_mut(&token.session).expect("it was opened");
                session.failed.push((Instant::now(), reason, delay));
            }
            Report::Forgotten(id) => {
                self.sessions.get_mut(&id).expect("it was opened").forgotten = true;
            }
            Report::Listening(id, at) => drop(self.listening.insert(id, at)),
            Report::Stranger(_, address) => self.strangers.push(address),
            Report::Unkeyed(id, fault) => panic!("{id:?}: {fault}"),
        }
    }

    /// The next greeting, and after the last one the log.
    fn greet(&mut self, token: Token) {
        let session = self.sessions.get_mut(&token.session).expect("it was opened");
        let Some(greeting) = session.greetings.pop_front() else { return };
        let last = session.greetings.is_empty();
        let piece = self.piece(&[greeting]);
        self.order(Order::Read(token, Source::Piece(piece)));
        if last {
            self.resume(token, 0);
        } else if self.ahead {
            self.greet(token);
        }
    }

    /// Answers reports until something is so.
    pub(crate) fn until(&mut self, what: &str, is_so: impl FnMut(&mut Self) -> bool) {
        self.until_in(SOON, what, is_so);
    }

    pub(crate) fn until_in(&mut self, limit: Duration, what: &str, mut is_so: impl FnMut(&mut Self) -> bool) {
        let begin = Instant::now();
        loop {
            self.answer();
            if is_so(self) {
                return;
            }
            assert!(begin.elapsed() < limit, "not {what} within {limit:?}: {}", self.picture());
            std::thread::park_timeout(LOOK_EVERY);
        }
    }

    /// Answers reports for so long.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = Instant::now() + time;
        self.until("later", |_| Instant::now() >= end);
    }

    /// Where all sessions stand, as the writer sees it.
    pub(crate) fn survey(&mut self) -> Vec<Status> {
        let (sender, receiver) = std::sync::mpsc::channel();
        let see = move |survey: &writer::fleet::Survey| drop(sender.send(survey.sessions.clone()));
        self.order(Order::Survey(Box::new(see)));
        let begin = Instant::now();
        loop {
            self.handle.as_mut().expect("not stopped").news();
            match receiver.recv_timeout(LOOK_EVERY) {
                Ok(survey) => return survey,
                Err(_) => assert!(begin.elapsed() < SOON, "no survey"),
            }
        }
    }

    fn picture(&mut self) -> String {
        let mut words = String::new();
        for (id, session) in self.sessions.iter().take(4) {
            let Session { token, ups, took, falls, downs, failed, .. } = session;
            words += &format!(
                "\n  {id:?} {token:?} ups {ups} took {took} falls {falls} downs {:?} failed {:?}",
                downs.iter().rev().take(3).map(|down| down.1).collect::<Vec<_>>(),
                failed.iter().rev().take(3).map(|failed| failed.1).collect::<Vec<_>>(),
            );
        }
        for status in self.survey().iter().take(4) {
            words += &format!("\n  {status:?}");
        }
        words
    }
}

/// A plan to connect there.
pub(crate) fn active(server: SocketAddr) -> Plan {
    plan(server.ip(), Way::Active(server.port()))
}

/// A plan to be connected to.
pub(crate) fn passive(server: IpAddr, listener: u32) -> Plan {
    plan(server, Way::Passive(ListenerId(listener)))
}

fn plan(server: IpAddr, way: Way) -> Plan {
    Plan { way, ..Plan::new("server", (server, 0).into()) }
}

pub(crate) fn listen(address: impl Into<SocketAddr>) -> Box<Listen> {
    Box::new(Listen { name: "listener".into(), address: address.into(), instance: Instance::Public })
}
