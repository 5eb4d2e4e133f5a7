//! The writer as its users have it: orders, reports, and readers of logs.

use std::net::SocketAddr;
use std::sync::mpsc::{TryRecvError, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use queue::log::Reader;
use writer::driver::Token;
use writer::fleet::{Order, Report, SessionId, Settings, Source, Survey, Then};
use writer::plan::Plan;
use writer::{Handle, Io};

use crate::kernel::Calls;
use crate::lode::Lode;
use crate::meter::Mark;

/// How long anything may take that should be a matter of milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the writer sends.
pub(crate) enum Feed<'a> {
    /// A lode, over and over, or so often to each.
    Pieces(&'a mut Lode, Option<u32>),
    /// Logs that somebody appends to, one reader for each session.
    Logs(Vec<Reader>),
}

/// A writer with all its sessions up.
pub(crate) struct Ours<'a> {
    handle: Handle,
    tokens: Vec<Option<Token>>,
    feed: Feed<'a>,
    /// Pieces each session has been handed and has read.
    handed: Vec<u32>,
    taken: Vec<u32>,
    forgotten: usize,
    leaving: bool,
    /// Who has fallen off the log, and where they stand.
    pub(crate) fallen: Vec<(Token, Reader)>,
    calls: Arc<Mutex<Option<Calls>>>,
}

impl<'a> Ours<'a> {
    pub(crate) fn start(
        io: Io,
        server: SocketAddr,
        sessions: usize,
        cap: usize,
        count: bool,
        feed: Feed<'a>,
    ) -> Self {
        let settings = Settings { cap, ..Settings::default() };
        let here = thread::current();
        let handle = writer::start(io, settings, 1, move || here.unpark()).expect("a writer");
        let tokens = vec![None; sessions];
        let (handed, taken) = (vec![0; sessions], vec![0; sessions]);
        let calls = Arc::default();
        let fallen = Vec::new();
        let mut ours =
            Self { handle, tokens, feed, handed, taken, forgotten: 0, leaving: false, fallen, calls };
        for session in 0..sessions {
            let plan = Plan::new(&format!("s{session}"), server);
            let id = SessionId(u32::try_from(session).expect("few"));
            ours.handle.order(Order::Open(id, Box::new(plan)));
        }
        ours.wait_until("all sessions are up", |ours| ours.tokens.iter().all(Option::is_some));
        if count {
            let calls = ours.calls.clone();
            let start = move |_: &Survey| *calls.lock().expect("no panic") = Calls::start();
            ours.handle.order(Order::Survey(Box::new(start)));
        }
        if let Feed::Logs(readers) = &mut ours.feed {
            for (token, reader) in ours.tokens.iter().zip(readers.drain(..)) {
                let token = token.expect("it is up");
                ours.handle.order(Order::Read(token, Source::Log(0, reader)));
            }
        }
        ours.hand_pieces();
        ours
    }

    /// Each session has one piece that it reads and one that waits, so that none runs dry.
    fn hand_pieces(&mut self) {
        if let Feed::Pieces(..) = self.feed {
            for session in 0..self.tokens.len() {
                self.hand_piece(session);
                self.hand_piece(session);
            }
        }
    }

    fn hand_piece(&mut self, session: usize) {
        let Feed::Pieces(lode, laps) = &mut self.feed else { return };
        if *laps == Some(self.handed[session]) || self.leaving {
            return;
        }
        let Some(token) = self.tokens[session] else { return };
        let reader = lode.reader().expect("readers enough for all rounds");
        self.handed[session] += 1;
        self.handle.order(Order::Read(token, Source::Piece(reader)));
    }

    /// Takes in what the writer has to say.
    pub(crate) fn serve(&mut self) {
        while let Some(report) = self.handle.next_report() {
            match report {
                Report::Up(token, _) => self.tokens[token.session.0 as usize] = Some(token),
                Report::Took(token) => {
                    let session = token.session.0 as usize;
                    self.taken[session] += 1;
                    self.hand_piece(session);
                }
                Report::Fell(token, reader) => self.fallen.push((token, reader)),
                Report::Forgotten(_) => self.forgotten += 1,
                Report::Down(..) if self.leaving => {}
                other => panic!("the writer says {other:?}"),
            }
        }
        if let Some(error) = self.handle.ended() {
            panic!("the writer ended: {error}");
        }
    }

    /// Serves for so long.
    pub(crate) fn wait(&mut self, time: Duration) {
        let began = Instant::now();
        self.serve();
        while let Some(left) = time.checked_sub(began.elapsed()).filter(|left| !left.is_zero()) {
            thread::park_timeout(left);
            self.serve();
        }
    }

    fn wait_until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        self.serve();
        while !done(self) {
            assert!(began.elapsed() < PATIENCE, "{PATIENCE:?} went by, and not yet: {what}");
            thread::park_timeout(Duration::from_millis(10));
            self.serve();
        }
    }

    pub(crate) fn news(&mut self) {
        self.handle.news();
    }

    /// From here on this is shown what each send that is completed carried, and whose it was.
    pub(crate) fn witness(&mut self, mut witness: impl FnMut(usize, &[u8]) + Send + 'static) {
        let witness = move |token: Token, _, octets: &[u8]| witness(token.session.0 as usize, octets);
        self.handle.order(Order::Witness(Some(Box::new(witness))));
        self.survey();
    }

    pub(crate) fn read(&mut self, token: Token, reader: Reader) {
        self.handle.order(Order::Read(token, Source::Log(0, reader)));
    }

    /// Where it stands; and octets by session.
    pub(crate) fn survey(&mut self) -> (Mark, Vec<u64>) {
        let (tell, told) = channel();
        let (calls, sessions) = (self.calls.clone(), self.tokens.len());
        self.handle.order(Order::Survey(Box::new(move |all| {
            let mut octets = vec![0; sessions];
            all.sessions.iter().for_each(|status| octets[status.id.0 as usize] = status.octets);
            let sends = all.sessions.iter().map(|status| status.sends).sum();
            let calls = calls.lock().expect("no panic");
            let mark = Mark::here(octets.iter().sum(), sends, calls.as_ref());
            // Who asked waits.
            drop(tell.send((mark, octets)));
        })));
        let began = Instant::now();
        loop {
            match told.try_recv() {
                Ok(found) => return found,
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => panic!("the survey was thrown away"),
            }
            assert!(began.elapsed() < PATIENCE, "{PATIENCE:?} went by without a survey");
            thread::park_timeout(Duration::from_micros(200));
            self.serve();
        }
    }

    /// Ends all; at least so many octets were sent, and no more where there is an end.
    pub(crate) fn stop(mut self) -> u64 {
        if let Feed::Pieces(_, Some(laps)) = self.feed {
            self.wait_until("all has been read", |ours| ours.taken.iter().all(|taken| *taken == laps));
        }
        let (mark, _) = self.survey();
        self.leaving = true;
        for token in self.tokens.iter().flatten() {
            self.handle.order(Order::Leave { token: *token, farewell: None, then: Then::Forget });
        }
        self.wait_until("all sessions are forgotten", |ours| ours.forgotten == ours.tokens.len());
        mark.octets
    }
}
