//! The engine of the model: it hands over pieces and logs, believes what it is told, and remembers all of it.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::time::Duration;

use queue::log::{Log, Pool, Reader};
use tests::Rng;
use writer::driver::Token;
use writer::fleet::{Order, Reason, Report, SessionId, Settings, Source};
use writer::plan::Plan;
use writer::twin::{Life, Twin};

/// Octets of a message's head: its length, what it is, and a number.
const HEAD: usize = 8;
/// What a message is.
const PIECE: u8 = b'p';
const LOG: u8 = b'l';
const FAREWELL: u8 = b'f';
/// Segments of pieces, and so their longest.
const PIECE_LEN: usize = 512;
/// Pieces that were handed over and not taken, at most.
const AHEAD: usize = 2;
/// How much later than it said it is called the fleet may be, at most, by the simulation.
pub(crate) const LATE: Duration = Duration::from_millis(21);

/// What the seeds have brought about, to be sure that they do.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) runs: usize,
    pub(crate) ups: usize,
    pub(crate) downs: usize,
    pub(crate) failures: usize,
    pub(crate) falls: usize,
    pub(crate) pieces: usize,
    pub(crate) stalls: usize,
    pub(crate) unanswered: usize,
    pub(crate) replaced: usize,
    pub(crate) chatty: usize,
    pub(crate) strangers: usize,
    pub(crate) farewells: usize,
    pub(crate) torn: usize,
    pub(crate) rekeys: usize,
    pub(crate) forgotten: usize,
    pub(crate) back_offs: usize,
    pub(crate) held: usize,
    pub(crate) octets: usize,
}

impl Seen {
    fn counts(&mut self) -> [(&'static str, &mut usize); 18] {
        [
            ("runs", &mut self.runs),
            ("ups", &mut self.ups),
            ("downs", &mut self.downs),
            ("failures", &mut self.failures),
            ("falls", &mut self.falls),
            ("pieces", &mut self.pieces),
            ("stalls", &mut self.stalls),
            ("unanswered", &mut self.unanswered),
            ("replaced", &mut self.replaced),
            ("chatty", &mut self.chatty),
            ("strangers", &mut self.strangers),
            ("farewells", &mut self.farewells),
            ("torn", &mut self.torn),
            ("rekeys", &mut self.rekeys),
            ("forgotten", &mut self.forgotten),
            ("back_offs", &mut self.back_offs),
            ("held", &mut self.held),
            ("octets", &mut self.octets),
        ]
    }

    pub(crate) fn add(&mut self, other: &Self) {
        let mut other = Self { ..*other };
        for ((_, sum), (_, more)) in self.counts().into_iter().zip(other.counts()) {
            *sum += *more;
        }
    }

    pub(crate) fn check(mut self) {
        let runs = self.runs;
        for (name, count) in self.counts() {
            assert!(*count >= runs / 20, "{name}: {count} in {runs} runs");
        }
    }
}

/// A log, and all that ever was in it.
pub(crate) struct Feed {
    pub(crate) log: Log,
    octets: Vec<u8>,
    ends: HashSet<u64>,
}

impl Feed {
    pub(crate) fn new(pool: &Pool, budget: usize) -> Self {
        Self { log: Log::new(pool, budget), octets: Vec::new(), ends: HashSet::from([0]) }
    }

    pub(crate) fn append(&mut self, dice: &mut Rng) {
        let message = message(LOG, dice);
        self.log.append(&message).expect("it is short");
        self.octets.extend(message);
        self.ends.insert(self.log.end());
    }
}

fn message(kind: u8, dice: &mut Rng) -> Vec<u8> {
    let len = HEAD + if dice.percent(3) { dice.below(2000) } else { dice.below(60) };
    let mut octets = vec![0; len];
    octets[..2].copy_from_slice(&u16::try_from(len).expect("short").to_be_bytes());
    octets[2] = kind;
    octets[4..8].copy_from_slice(&dice.u32().to_be_bytes());
    octets[8..].iter_mut().for_each(|octet| *octet = dice.u8());
    octets
}

/// What was handed over for one connection.
#[derive(Default)]
pub(crate) struct Line {
    parts: Vec<Part>,
    pieces: usize,
    took: usize,
    /// What it is told last, and since when it is to leave; none if the fleet knew it no more.
    pub(crate) farewell: Option<Vec<u8>>,
    pub(crate) left_at: Option<Duration>,
    /// When it was first seen to read its log.
    pub(crate) live_at: Option<Duration>,
    /// Why it ended.
    pub(crate) reason: Option<Reason>,
}

enum Part {
    Piece(Vec<u8>),
    Log { feed: usize, from: u64, to: Option<u64> },
}

/// A session as the engine knows it.
pub(crate) struct Session {
    pub(crate) id: SessionId,
    pub(crate) servers: [IpAddr; 2],
    pub(crate) plan: Plan,
    pub(crate) feed: usize,
    pub(crate) up: Option<Token>,
    pub(crate) life: Option<u32>,
    owes: usize,
    owes_log: bool,
    /// When what decides over its next connection was ordered, and with which server.
    pub(crate) orders: Vec<(Duration, Option<IpAddr>)>,
    /// Since it was last forgotten: what its status should say.
    pub(crate) forgetting: bool,
    /// It is to have no connection in the end.
    pub(crate) rests: bool,
    pub(crate) first_life: u32,
    pub(crate) ups: u64,
    pub(crate) falls: u64,
}

impl Session {
    pub(crate) fn new(id: u32, servers: [IpAddr; 2], plan: Plan, feed: usize) -> Self {
        Self {
            id: SessionId(id),
            servers,
            plan,
            feed,
            up: None,
            life: None,
            owes: 0,
            owes_log: false,
            orders: Vec::new(),
            forgetting: false,
            rests: false,
            first_life: 0,
            ups: 0,
            falls: 0,
        }
    }

    /// Whether all that it is owed has been handed over.
    pub(crate) fn handed(&self) -> bool {
        self.up.is_some() && self.owes == 0 && !self.owes_log
    }
}

pub(crate) struct Engine {
    pub(crate) sessions: Vec<Session>,
    pub(crate) feeds: Vec<Feed>,
    pub(crate) lines: HashMap<Token, Line>,
    pub(crate) pieces: Pool,
    pub(crate) logs: Pool,
    pub(crate) seen: Seen,
}

impl Engine {
    /// A log that has ended, and what is in it.
    fn piece(&self, kind: u8, dice: &mut Rng) -> (Vec<u8>, Reader) {
        let mut log = Log::new(&self.pieces, 0);
        let reader = log.subscribe();
        let mut octets = message(kind, dice);
        octets.truncate(PIECE_LEN);
        let len = u16::try_from(octets.len()).expect("short");
        octets[..2].copy_from_slice(&len.to_be_bytes());
        while kind == PIECE && dice.percent(70) {
            let more = message(kind, dice);
            if octets.len() + more.len() > PIECE_LEN {
                break;
            }
            octets.extend(more);
        }
        // One commit for each message.
        for message in messages(&octets) {
            log.append(message).expect("it is short");
        }
        (octets, reader)
    }

    pub(crate) fn farewell(&self, dice: &mut Rng) -> (Vec<u8>, Reader) {
        self.piece(FAREWELL, dice)
    }

    /// The next that a session is owed, if it may have it.
    pub(crate) fn hand(&mut self, at: usize, dice: &mut Rng) -> Option<Order> {
        let token = self.sessions[at].up?;
        let line = &self.lines[&token];
        if line.left_at.is_some() || line.pieces - line.took >= AHEAD {
            return None;
        }
        let (part, source) = if self.sessions[at].owes > 0 {
            let (octets, reader) = self.piece(PIECE, dice);
            self.sessions[at].owes -= 1;
            (Part::Piece(octets), Source::Piece(reader))
        } else if self.sessions[at].owes_log {
            self.sessions[at].owes_log = false;
            let feed = self.sessions[at].feed;
            let log = &self.feeds[feed].log;
            let number = u32::try_from(feed).expect("few");
            (Part::Log { feed, from: log.end(), to: None }, Source::Log(number, log.subscribe()))
        } else {
            return None;
        };
        let line = self.lines.get_mut(&token).expect("it is up");
        line.pieces += usize::from(matches!(part, Part::Piece(_)));
        line.parts.push(part);
        Some(Order::Read(token, source))
    }

    fn session(&mut self, id: SessionId) -> &mut Session {
        &mut self.sessions[id.0 as usize]
    }

    pub(crate) fn report(&mut self, report: Report, settings: &Settings, dice: &mut Rng) {
        match report {
            Report::Up(token, _) => {
                self.seen.ups += 1;
                let (owes, owes_log) = (dice.below(4), true);
                let session = self.session(token.session);
                assert_eq!(session.up, None, "Up({token:?}) without a Down");
                assert!(session.life < Some(token.life), "Up({token:?}) after life {:?}", session.life);
                (session.up, session.life) = (Some(token), Some(token.life));
                (session.owes, session.owes_log) = (owes, owes_log);
                session.ups += 1;
                let before = self.lines.insert(token, Line::default());
                assert!(before.is_none(), "{token:?} twice");
            }
            Report::Took(token) => {
                self.seen.pieces += 1;
                assert_eq!(self.session(token.session).up, Some(token), "Took");
                let line = self.lines.get_mut(&token).expect("it is up");
                line.took += 1;
                assert!(line.took <= line.pieces, "Took({token:?}) of {} pieces", line.pieces);
            }
            Report::Fell(token, reader) => {
                self.seen.falls += 1;
                let (owes, owes_log) = (dice.below(3), true);
                let session = self.session(token.session);
                assert_eq!(session.up, Some(token), "Fell");
                (session.owes, session.owes_log) = (owes, owes_log);
                session.falls += 1;
                let line = self.lines.get_mut(&token).expect("it is up");
                assert_eq!(line.took, line.pieces, "Fell({token:?}) before its pieces were taken");
                let Some(Part::Log { feed, to, .. }) = line.parts.last_mut() else {
                    panic!("Fell({token:?}), but from what?")
                };
                let before = to.replace(reader.position());
                assert_eq!(before, None, "Fell({token:?}) twice");
                let whole = self.feeds[*feed].ends.contains(&reader.position());
                assert!(whole, "Fell({token:?}) inside of a message, at {}", reader.position());
            }
            Report::Down(token, reason) => {
                self.seen.downs += 1;
                let session = self.session(token.session);
                assert_eq!(session.up.take(), Some(token), "Down");
                self.lines.get_mut(&token).expect("it was up").reason = Some(reason);
                match reason {
                    Reason::Stalled => self.seen.stalls += 1,
                    Reason::Replaced => self.seen.replaced += 1,
                    Reason::Chatty => self.seen.chatty += 1,
                    _ => {}
                }
            }
            Report::Failed(token, reason, delay) => {
                self.seen.failures += 1;
                self.seen.unanswered += usize::from(reason == Reason::Unanswered);
                let session = self.session(token.session);
                assert_eq!(session.up, None, "Failed({token:?}) after an Up");
                assert!(session.life < Some(token.life), "Failed({token:?}) after life {:?}", session.life);
                session.life = Some(token.life);
                let (min, max) = (settings.retry_min, settings.retry_max);
                assert!(
                    delay.is_zero() || (min..=max).contains(&delay),
                    "Failed({token:?}): {delay:?}, expected {min:?}..={max:?}"
                );
                self.lines.insert(token, Line { reason: Some(reason), ..Line::default() });
            }
            Report::Forgotten(id) => {
                self.seen.forgotten += 1;
                let session = self.session(id);
                assert_eq!(session.up, None, "Forgotten({id:?}) before Down");
                assert!(session.forgetting, "Forgotten({id:?}), and nobody said so");
                session.forgetting = false;
                (session.ups, session.falls) = (0, 0);
                session.first_life = session.life.map_or(0, |life| life + 1);
            }
            Report::Stranger(..) => self.seen.strangers += 1,
            Report::Listening(..) | Report::Unkeyed(..) => {}
        }
    }

    /// All that the server of a connection may have by now, but for a farewell.
    pub(crate) fn handed(&self, token: Token) -> Vec<u8> {
        let mut octets = Vec::new();
        for part in self.lines.get(&token).map_or(&[][..], |line| &line.parts) {
            match part {
                Part::Piece(piece) => octets.extend(piece),
                Part::Log { feed, from, to } => {
                    let log = &self.feeds[*feed].octets;
                    let [from, to] = [*from, to.unwrap_or(log.len() as u64)]
                        .map(|position| usize::try_from(position).expect("it is in memory"));
                    octets.extend(&log[from..to]);
                }
            }
        }
        octets
    }

    /// *in order*, *whole*: whether a server has what it may.
    pub(crate) fn check_octets(&mut self, life: &Life) {
        let Some(token) = life.token else {
            assert!(life.octets.is_empty(), "a stranger has got octets");
            return;
        };
        self.seen.octets += life.octets.len();
        let handed = self.handed(token);
        if handed.starts_with(&life.octets) {
            return;
        }
        let body: usize =
            messages(&life.octets).take_while(|message| message[2] != FAREWELL).map(<[u8]>::len).sum();
        let (body, rest) = life.octets.split_at(body);
        let same = handed.iter().zip(body).take_while(|(one, other)| one == other).count();
        assert!(
            handed.starts_with(body),
            "{token:?}: octet {same} of {} is not the one that was handed over, of {}",
            body.len(),
            handed.len()
        );
        let line = &self.lines[&token];
        let farewell = line.farewell.as_deref().unwrap_or_default();
        assert!(
            farewell.starts_with(rest),
            "{token:?}: after {} octets neither what was handed over nor a farewell: {rest:?}",
            body.len()
        );
        assert!(!body.is_empty(), "{token:?}: a farewell to one who heard nothing");
        self.seen.farewells += usize::from(rest.len() == farewell.len());
    }

    /// *in time*, of a connection that is over.
    pub(crate) fn check_times(&mut self, life: &Life, settings: &Settings) {
        let (Some(token), Some(closed_at)) = (life.token, life.closed_at) else { return };
        let Settings { connect_limit, stall_limit, drain_limit, chatter_max, .. } = *settings;
        let Some(line) = self.lines.get(&token) else { return };
        let lasted = closed_at.checked_sub(life.begun_at).expect("it began before");
        let within = |what: &str, got: Duration, min: Duration, max: Duration| {
            assert!(
                got >= min && got <= max,
                "{token:?}, {what}: {got:?}, expected {min:?}..={max:?}: {life:?}"
            );
        };
        if life.connected_at.is_none() {
            let least = if line.reason == Some(Reason::Unanswered) { connect_limit } else { Duration::ZERO };
            // What came to a listener may have lain there.
            if life.dialled {
                within("no answer", lasted, least, connect_limit + LATE);
            }
            return;
        }
        let reason = line.reason.expect("it is over");
        // Since when the server had something to take, and took nothing.
        let still_at = life.read_at.max(life.owed_at);
        if reason == Reason::Stalled {
            let most = life.moved_at.max(still_at).saturating_sub(still_at) + stall_limit + stall_limit / 4;
            within("stalled", closed_at.saturating_sub(still_at), stall_limit, most + 2 * LATE);
        }
        self.seen.torn += usize::from(life.reset && life.taken > life.octets.len());
        // One that leaves has other limits.
        if life.taken > life.octets.len() && line.left_at.is_none() {
            let most = stall_limit + stall_limit / 4 + 2 * LATE;
            let moved_at = life.moved_at.max(still_at);
            within("let stand", closed_at.saturating_sub(moved_at), Duration::ZERO, most);
        }
        if let Some(left_at) = line.left_at {
            let hurried = life.ended || life.reset || reason != Reason::Command;
            let least = if hurried { Duration::ZERO } else { drain_limit };
            within("drained", closed_at.saturating_sub(left_at), least, drain_limit + LATE);
        }
        match reason {
            Reason::Chatty => assert!(life.said > chatter_max, "{token:?} said {} only", life.said),
            Reason::Ended => assert!(life.ended, "{token:?} has not ended"),
            Reason::Fault(_) => assert!(life.reset, "{token:?} was not reset"),
            Reason::Unanswered => panic!("{token:?} was answered"),
            Reason::Stalled | Reason::Replaced | Reason::Command => {}
        }
    }

    /// *in time*, between the connections of a session; `held`: they may have waited for room for reports.
    pub(crate) fn check_back_off(&mut self, at: usize, twin: &Twin, settings: &Settings, held: bool) {
        let session = &self.sessions[at];
        let lives: Vec<_> =
            twin.lives().filter(|life| life.token.is_some_and(|token| token.session == session.id)).collect();
        let mut failures = None;
        for pair in lives.windows(2) {
            let [before, after] = pair else { unreachable!() };
            let (Some(token), Some(closed_at)) = (before.token, before.closed_at) else { continue };
            let ordered = |(time, _): &(Duration, _)| *time >= before.begun_at && *time <= after.begun_at;
            let Some(line) = self.lines.get(&token) else { continue };
            let dialled = |life: &Life| life.connected_at != Some(life.begun_at) && life.dialled;
            if session.orders.iter().any(ordered) || !dialled(before) || !dialled(after) {
                failures = None;
                continue;
            }
            // What it began with, if that is known: one that was live for a while starts anew; one that was
            // told to read its log may have been, if it was there for as long.
            let logs = line.parts.iter().any(|part| matches!(part, Part::Log { .. }));
            let lasted =
                |since: Option<Duration>| since.is_some_and(|at| closed_at >= at + settings.retry_min);
            let may_start_anew = logs && lasted(before.connected_at);
            let known = if lasted(line.live_at) { Some(0) } else { failures.filter(|_| !may_start_anew) };
            let waited = after.begun_at.checked_sub(closed_at).expect("one after the other");
            let step = |failures: u32| {
                let step = settings.retry_min.saturating_mul(1 << failures.min(16)).min(settings.retry_max);
                (step, (step + step / 4).min(settings.retry_max))
            };
            let fits = |failures: u32| {
                let (least, most) = step(failures);
                waited >= least && (held || waited <= most + LATE)
            };
            match known {
                Some(failures) => assert!(
                    fits(failures),
                    "{token:?}: waited {waited:?} after {failures} failures, expected {:?}",
                    step(failures)
                ),
                None => assert!((0..16).any(fits), "{token:?}: waited {waited:?}, which is no step"),
            }
            self.seen.back_offs += 1;
            // A wait that only one number of failures explains tells it.
            let mut fitting = (0..16).filter(|failures| fits(*failures));
            failures = match (known, fitting.next(), fitting.next()) {
                (Some(known), ..) => Some(known + 1),
                (None, Some(only), None) => Some(only + 1),
                _ => None,
            };
        }
    }
}

/// The whole messages that octets begin with.
fn messages(octets: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = octets;
    std::iter::from_fn(move || {
        let len = usize::from(u16::from_be_bytes(rest.get(..2)?.try_into().expect("two")));
        let message = rest.get(..len).filter(|message| message.len() >= HEAD)?;
        rest = &rest[len..];
        Some(message)
    })
}
