//! The thread that mirrors, and how others reach it.
//!
//! ```text
//!   Handle ── Command ═══► Works: Roster, Exchange, Core ◄═══ lanes of sources
//!     ◄─ answers ────────    │ ▲
//!                            ▼ │ orders, reports
//!                          writer's thread
//! ```
//!
//! * **as it comes**  a turn takes in what there is, does what it was told, and looks at its few timers. Where
//!   there is nothing to do it sleeps, and costs nothing.
//! * **bounded**      [`COMMANDS_MAX`] commands wait at most; who gives more waits.

use std::future::Future;
use std::sync::Arc;
use std::thread::{self, Thread};
use std::time::Duration;

use config::difference::Step;
use config::meaning::{Meaning, SessionKey};
use config::secret::Vault;
use config::shell::Target;
use jiff::tz::TimeZone;
use queue::ring::Gate;
use rib::Time;
use tokio::sync::{mpsc, oneshot};
use writer::fleet::{self, Order, Survey};
use writer::{Io, StartError};

use crate::clock::{Clock, micros};
use crate::core::{self, Core, Output, Record};
use crate::exchange::{Exchange, Word};
use crate::journal::{Journal, Level};
use crate::latency::Measured;
use crate::picture::Picture;
use crate::roster::{Roster, World, subject};
use crate::sight::Sight;
use crate::translate::Keys;

/// Commands that wait to be taken, at most.
pub const COMMANDS_MAX: usize = 64;

/// How long the thread may sleep at a stretch, whatever happens.
const SLEEP_MAX: Duration = Duration::from_secs(1);

/// How long all servers together may take when we leave, beyond what each may.
const LEAVE_SLACK: Duration = Duration::from_secs(1);

/// What the thread is started with.
pub struct Settings {
    /// What moves the octets.
    pub io: Io,
    /// Decides how back-offs are spread, and where hashes clash.
    pub seed: u64,
    /// The machine's time zone.
    pub zone: TimeZone,
    /// What the machine is called.
    pub host: String,
    /// Opens the keys of sessions.
    pub vault: Arc<Vault>,
    /// Where it says what happens.
    pub journal: Journal,
}

/// For all who have to do with the thread.
#[derive(Clone)]
pub struct Handle {
    gate: Arc<Gate<Record>>,
    commands: mpsc::Sender<Command>,
    thread: Thread,
}

enum Command {
    Apply(Arc<Meaning>, Vec<Step>, oneshot::Sender<()>),
    Picture(oneshot::Sender<Picture>),
    ResetSessions(Target, oneshot::Sender<usize>),
    ResetRouters(Option<Arc<str>>, oneshot::Sender<usize>),
    Turns(oneshot::Sender<()>),
    Leave(oneshot::Sender<()>),
}

/// Starts it, with nothing configured.
///
/// # Errors
/// The machine does not give us what it needs.
pub fn start(settings: Settings) -> Result<Handle, StartError> {
    let Settings { io, seed, zone, host, vault, journal } = settings;
    let (commands, taken) = mpsc::channel(COMMANDS_MAX);
    let (tell, told) = std::sync::mpsc::channel();
    let body = move || {
        let here = thread::current();
        let (intake_wakes, writer_wakes) = (here.clone(), here.clone());
        let mut core_settings = core::Settings::default();
        core_settings.mirror.rib.seed = seed;
        let (gate, core) = Core::new(core_settings, move || intake_wakes.unpark());
        let writer = writer::start(io, fleet::Settings::default(), seed, move || writer_wakes.unpark());
        let writer = match writer {
            Ok(writer) => writer,
            Err(error) => return drop(tell.send(Err(error))),
        };
        drop(tell.send(Ok((gate, here))));
        let clock = Arc::new(Clock::start());
        let roster = Roster::new(Keys { vault, zone }, journal.clone(), Arc::from(host));
        let works = Works {
            measured: Measured::new(clock.clone()),
            clock,
            core,
            exchange: Exchange::default(),
            writer,
            roster,
            journal,
            meaning: Arc::default(),
            taken,
            surveys: std::sync::mpsc::sync_channel(1),
            asked: Vec::new(),
            feeds_seen: 0,
            step_at: None,
            report_at: None,
            leaving: None,
        };
        works.run();
    };
    thread::Builder::new().name(String::from("mirror")).spawn(body).map_err(StartError::System)?;
    let gone = || StartError::System(std::io::Error::other("the thread that mirrors ended as it began"));
    let (gate, thread) = told.recv().map_err(|_| gone())??;
    Ok(Handle { gate: Arc::new(gate), commands, thread })
}

/// Whether this machine can do what a configuration wants: keys, names, addresses. For a commit, before it counts.
///
/// # Errors
/// What it cannot, a sentence each.
pub fn check(meaning: &Meaning, vault: &Arc<Vault>) -> Result<(), Vec<(Option<SessionKey>, String)>> {
    let keys = Keys { vault: vault.clone(), zone: TimeZone::UTC };
    let mut faults = Vec::new();
    for session in meaning.sessions.values() {
        let Some(way) = session.way else { continue };
        let mut fault = |text: String| faults.push((Some(session.key.clone()), text));
        let auth = match keys.every(&session.auth) {
            Ok(auth) => auth,
            Err(unkeyed) => {
                fault(unkeyed.to_string());
                continue;
            }
        };
        if let Err(refused) = auth.supported() {
            fault(refused.to_string());
        }
        // Keys apart, which were looked at: whether there is one just now is another matter.
        let unkeyed = config::meaning::Session { auth: config::meaning::Auth::None, ..(**session).clone() };
        let listener = Some(fleet::ListenerId(0));
        match keys.plan(&unkeyed, way, "", listener, jiff::Timestamp::UNIX_EPOCH) {
            Ok(plan) => {
                if let Err(refused) = plan.check() {
                    fault(refused.to_string());
                }
            }
            Err(unkeyed) => fault(unkeyed.to_string()),
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

impl Handle {
    /// Where sources come in.
    #[must_use]
    pub fn gate(&self) -> &Gate<Record> {
        &self.gate
    }

    /// Does what a difference says; returns when it is done.
    pub async fn apply(&self, meaning: Arc<Meaning>, steps: Vec<Step>) {
        self.ask(|answer| Command::Apply(meaning, steps, answer)).await;
    }

    /// Everything that is to be seen; nothing if the thread has ended.
    pub async fn picture(&self) -> Picture {
        self.ask(Command::Picture).await.unwrap_or_default()
    }

    /// Resets sessions: how many there were to reset.
    pub async fn reset_sessions(&self, target: Target) -> usize {
        self.ask(|answer| Command::ResetSessions(target, answer)).await.unwrap_or(0)
    }

    /// Resets routers: how many there were to reset.
    pub async fn reset_routers(&self, name: Option<Arc<str>>) -> usize {
        self.ask(|answer| Command::ResetRouters(name, answer)).await.unwrap_or(0)
    }

    /// Whether the thread still turns: answers when it has.
    pub async fn turns(&self) -> bool {
        self.ask(Command::Turns).await.is_some()
    }

    /// Takes leave of all servers, with a Termination each, and ends the thread.
    pub async fn leave(&self) {
        self.ask(Command::Leave).await;
    }

    fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> impl Future<Output = Option<T>> {
        let (answer, answered) = oneshot::channel();
        let command = command(answer);
        async move {
            self.commands.send(command).await.ok()?;
            self.thread.unpark();
            answered.await.ok()
        }
    }
}

/// Everything that the thread has.
struct Works {
    clock: Arc<Clock>,
    core: Core,
    exchange: Exchange,
    writer: writer::Handle,
    roster: Roster,
    journal: Journal,
    measured: Measured,
    meaning: Arc<Meaning>,
    taken: mpsc::Receiver<Command>,
    /// What the writer answers to the question that a picture takes, one at a time.
    surveys: (std::sync::mpsc::SyncSender<Survey>, std::sync::mpsc::Receiver<Survey>),
    /// Who waits for a picture.
    asked: Vec<oneshot::Sender<Picture>>,
    /// How many feeds there had been when the writer's witness was told of them.
    feeds_seen: usize,
    /// When the core wants its next step at the latest.
    step_at: Option<Time>,
    /// When the next Statistics Reports of our own are due.
    report_at: Option<Time>,
    /// Who is told that we have left, and when we go in any case.
    leaving: Option<(oneshot::Sender<()>, Time)>,
}

impl Works {
    fn run(mut self) {
        loop {
            let now = self.clock.now();
            while let Ok(command) = self.taken.try_recv() {
                self.obey(now, command);
            }
            if let Ok(survey) = self.surveys.1.try_recv() {
                self.show(now, &survey);
            }
            let more = self.turn(now);
            if let Some(error) = self.writer.ended() {
                self.journal.say(Level::Error, "writer", &error);
                return;
            }
            if self.leaving.is_some() && (self.roster.has_left() || self.leave_is_over(now)) {
                // The writer's thread ends with its handle; only then is everybody gone.
                let Self { writer, leaving, .. } = self;
                drop(writer);
                let _ = leaving.map(|(answer, _)| answer.send(()));
                return;
            }
            if self.taken.is_closed() && self.leaving.is_none() {
                return;
            }
            if !more && self.core.prepare_sleep() {
                thread::park_timeout(self.sleep(now));
            }
        }
    }

    fn leave_is_over(&self, now: Time) -> bool {
        self.leaving.as_ref().is_some_and(|(_, at)| *at <= now)
    }

    /// How long there is nothing to do if nothing comes.
    fn sleep(&self, now: Time) -> Duration {
        let timers = [self.report_at, self.roster.rekey_at(), self.leaving.as_ref().map(|(_, at)| *at)];
        let next = timers.into_iter().flatten().chain(self.step_at).min();
        let next = next.map(|at| Duration::from_micros(at.0.saturating_sub(now.0)));
        next.unwrap_or(SLEEP_MAX).min(SLEEP_MAX)
    }

    /// One turn of everything; whether there is more to do at once.
    fn turn(&mut self, now: Time) -> bool {
        let mut words = Vec::new();
        let step = self.exchange.turn(&mut self.core, &mut self.writer, now, |word| words.push(word));
        self.measured.logged(self.core.came());
        self.step_at = step.at;
        let mut more = step.more;
        for word in words {
            more |= self.hear(now, word);
        }
        if self.report_at.is_some_and(|at| at <= now) {
            self.report(now);
            more = true;
        }
        if self.roster.rekey_at().is_some_and(|at| at <= now) {
            self.world(now, Roster::rekey);
        }
        self.show_feeds();
        more
    }

    /// Does something with the roster.
    fn world<T>(&mut self, now: Time, act: impl FnOnce(&mut Roster, &mut World<'_>) -> T) -> T {
        let Self { core, exchange, writer, roster, .. } = self;
        let mut order = |order| writer.order(order);
        act(roster, &mut World { core, exchange, order: &mut order, now })
    }

    /// Takes in what people should know; whether that leaves something to do.
    fn hear(&mut self, now: Time, word: Word) -> bool {
        match word {
            Word::Writer(report) => self.world(now, |roster, world| roster.report(world, &report)),
            Word::Core(Output::Came(router)) => self.world(now, |roster, world| roster.came(world, router)),
            Word::Core(Output::Went(router)) => self.world(now, |roster, world| roster.went(world, router)),
            Word::Core(Output::Broken(router, error)) => {
                let name = self.core.mirror().name(router);
                self.journal.say(Level::Error, &format!("router {name}"), &format!("sent no BMP: {error}"));
            }
            Word::Core(Output::Untold(id, peers)) => {
                let text = format!(
                    "of {peers} peers there is something that no catch-up can tell, as of families that cannot be taken \
                     apart"
                );
                let who = self.roster.whose(id).map_or_else(|| String::from("session"), subject);
                self.journal.say(Level::Warning, &who, &text);
            }
            // The exchange's.
            Word::Core(Output::Read(..) | Output::Follow(..) | Output::Finish(..)) => return false,
        }
        true
    }

    fn obey(&mut self, now: Time, command: Command) {
        match command {
            Command::Apply(meaning, steps, answer) => {
                self.apply(now, &meaning, steps);
                let _ = answer.send(());
            }
            Command::Picture(answer) => {
                self.asked.push(answer);
                if self.asked.len() == 1 {
                    self.survey();
                }
            }
            Command::ResetSessions(target, answer) => {
                let reset = self.world(now, |roster, world| roster.reset(world, &target));
                let _ = answer.send(reset);
            }
            Command::ResetRouters(name, answer) => {
                let names: Vec<_> = match name {
                    Some(name) => vec![name],
                    None => self.roster.routers().keys().cloned().collect(),
                };
                let reset = names
                    .iter()
                    .filter(|name| self.world(now, |roster, world| roster.forget_router(world, name)));
                let _ = answer.send(reset.count());
            }
            Command::Turns(answer) => {
                let _ = answer.send(());
            }
            Command::Leave(answer) => {
                self.world(now, Roster::leave);
                let limit = fleet::Settings::default().drain_limit + LEAVE_SLACK;
                self.leaving = Some((answer, Time(now.0 + micros(limit))));
            }
        }
    }

    fn apply(&mut self, now: Time, meaning: &Arc<Meaning>, steps: Vec<Step>) {
        let old = std::mem::replace(&mut self.meaning, meaning.clone());
        if steps.iter().any(|step| matches!(step, Step::Settings | Step::Routers)) {
            let settings = fleet::Settings {
                retry_min: Duration::from_secs(meaning.retry_s.0),
                retry_max: Duration::from_secs(meaning.retry_s.1),
                stall_limit: Duration::from_secs(meaning.stall_s),
                ..fleet::Settings::default()
            };
            self.writer.order(Order::Settings(Box::new(settings)));
            self.core.set_retention(meaning.retention);
            self.core.set_limits(meaning.routers.peers_max, meaning.routers.paths_max);
        }
        if self.report_at.is_none() || old.statistics_s != meaning.statistics_s {
            self.report_at = Some(Time(now.0 + meaning.statistics_s * 1_000_000));
        }
        self.world(now, |roster, world| roster.apply(world, meaning, steps));
    }

    /// Statistics Reports of our own, for peers whose routers send none.
    fn report(&mut self, now: Time) {
        for router in self.roster.routers().values().copied().collect::<Vec<_>>() {
            self.core.report(now, router);
        }
        self.report_at = Some(Time(now.0 + self.meaning.statistics_s * 1_000_000));
    }

    /// Asks the writer where everybody stands.
    fn survey(&mut self) {
        let (tell, here) = (self.surveys.0.clone(), thread::current());
        self.writer.order(Order::Survey(Box::new(move |survey| {
            drop(tell.try_send(survey.clone()));
            here.unpark();
        })));
    }

    fn show(&mut self, now: Time, survey: &Survey) {
        let remainder = self.report_at.map_or(0, |at| at.0.saturating_sub(now.0) / 1_000_000);
        let sight = Sight {
            core: &self.core,
            roster: &self.roster,
            meaning: &self.meaning,
            measured: &self.measured,
            survey,
            now,
            uptime_us: micros(self.clock.uptime()),
            statistics_remainder_s: remainder,
        };
        let picture = sight.picture();
        for answer in self.asked.drain(..) {
            drop(answer.send(picture.clone()));
        }
    }

    /// Tells the writer's witness of feeds that are new.
    fn show_feeds(&mut self) {
        let feeds = self.core.feeds_opened();
        if feeds != self.feeds_seen {
            self.feeds_seen = feeds;
            let witness = self.measured.witness(self.core.published_by_feed());
            self.writer.order(witness);
        }
    }
}
