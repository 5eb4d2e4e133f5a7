//! The thread that mirrors, and how others reach it.
//!
//! ```text
//!   Handle ── Command ═══► Works: Roster, Exchange, Core ◄═══ lanes of sources
//!     ◄─ answers ────────    │ ▲                    │ ▲
//!                            ▼ │ orders, reports    ▼ │
//!                          writer's thread        routers' thread
//! ```
//!
//! * **as it comes**  a turn takes in what there is, does what it was told, and looks at its few timers. Where
//!   there is nothing to do it sleeps, and costs nothing.
//! * **bounded**      [`COMMANDS_MAX`] commands wait at most; who gives more waits.

use std::future::Future;
use std::sync::Arc;
use std::thread::{self, Thread};

use config::difference::Step;
use config::meaning::{Meaning, SessionKey};
use config::secret::Vault;
use config::shell::Target;
use ingest::routers;
use jiff::tz::TimeZone;
use queue::ring::Gate;
use tokio::sync::{mpsc, oneshot};
use writer::fleet;
use writer::{Io, StartError};

use crate::clock::Clock;
use crate::core::{self, Core, Record};
use crate::journal::Journal;
use crate::picture::Picture;
use crate::roster::Roster;
use crate::translate::Keys;
use crate::works::{Machine, Works};

/// Commands that wait to be taken, at most.
pub const COMMANDS_MAX: usize = 64;

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

/// What the thread is told, each with where the answer goes.
pub(crate) enum Command {
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
    let clock = Arc::new(Clock::start());
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
        let gate = Arc::new(gate);
        let intake_io = if io == Io::Uring { routers::Io::Uring } else { routers::Io::Epoll };
        let (time, routers_wake) = (clock.clone(), here.clone());
        let intake =
            routers::start(intake_io, gate.clone(), move || time.now().0, move || routers_wake.unpark());
        let intake = match intake {
            Ok(intake) => intake,
            Err(error) => return drop(tell.send(Err(StartError::System(error)))),
        };
        drop(tell.send(Ok((gate, here))));
        let roster = Roster::new(Keys { vault, zone }, journal.clone(), Arc::from(host));
        let machine = Machine { core, writer, intake, clock };
        Works::new(machine, roster, journal, taken).run();
    };
    thread::Builder::new().name(String::from("mirror")).spawn(body).map_err(StartError::System)?;
    let gone = || StartError::System(std::io::Error::other("the thread that mirrors ended as it began"));
    let (gate, thread) = told.recv().map_err(|_| gone())??;
    Ok(Handle { gate, commands, thread })
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

    /// Everything that is to be seen; nothing if the thread has ended. What concerns connections is a moment older
    /// than the rest: that all has come and nothing lags is certain when two pictures say so.
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
