//! The engine as a service: configuration, control socket, signals, and the thread that mirrors.
//!
//! ```text
//!   what the machine can do ─► the key ─► the file ─► the control socket ─► the thread ─► all of it applied ─► ready
//!        └───────────────┴─────────┴───────────┴── an error ends it here, before anything was done
//!
//!   SIGTERM, SIGINT   leave: a Termination to each server
//!   SIGHUP            the file, as one commit
//!   each second       does the thread turn? if so the watchdog hears it, if it has ended so do we
//! ```
//!
//! One thread does all of this, which has time to wait: what must not wait is another's.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use config::Tree;
use config::meaning::mean;
use config::secret::Vault;
use config::store::Store;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::UnixListener;
use tokio::runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::LocalSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

pub use writer::Io;

use crate::control::{Control, Mirroring, Place, commits_path, file, socket, visitor};
use crate::journal::{Form, Journal, Level};
use crate::keep;
use crate::telemetry::TURN_TIME;
use crate::thread;

mod notify;

use notify::Notify;

/// How often we look whether the thread turns, at least.
const PULSE: Duration = Duration::from_secs(1);

/// How long servers may take to be told that we leave. Those who are slower find out by themselves.
const LEAVE_TIME: Duration = Duration::from_secs(30);

/// What it is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// The configuration. Where there is none it begins empty, and `save` writes it.
    pub file: PathBuf,
    /// Where shells come in. It belongs to the group of its directory.
    pub socket: PathBuf,
    /// The key of the secrets in the configuration; `None`: beside it, made if it is not there.
    pub key: Option<PathBuf>,
    /// What moves the octets.
    pub io: Io,
    /// What log lines look like.
    pub form: Form,
}

/// Where the key of a configuration's secrets is looked for: where systemd put it, or beside the configuration.
#[must_use]
pub fn key_path(file: &Path) -> PathBuf {
    keep::key_beside(file)
}

/// What was read before anything was done.
struct Begin {
    store: Store,
    vault: Arc<Vault>,
    zone: TimeZone,
    host: String,
}

/// Runs until a signal ends it.
///
/// # Errors
/// It could not start, or the thread that mirrors ended: a text for people, which may have several lines.
pub fn run(options: Options) -> Result<(), String> {
    let journal = Journal::new(options.form);
    let _claim = keep::claim(&options.file)?;
    let begin = read(&options, &journal)?;
    let (listener, socket) = socket::listen(&options.socket)?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("There is no runtime to be had: {error}."))?;
    let ended = LocalSet::new().block_on(&runtime, live(options, begin, listener, journal));
    // Whoever is still writing a file may finish that.
    drop(runtime);
    drop(socket);
    ended
}

/// Looks at the machine, and reads what there is to be read.
fn read(options: &Options, journal: &Journal) -> Result<Begin, String> {
    let problem = |problem: writer::check::Problem| format!("{problem}.");
    writer::check::kernel().map_err(problem)?;
    if options.io == Io::Uring {
        writer::check::io_uring().map_err(problem)?;
    }
    let path = &options.file;
    let text = keep::read(path)?;
    let vault = keep::vault(path, options.key.as_deref(), text.as_deref())?;
    let begins_empty = text.is_none();
    let text = text.unwrap_or_default();
    let loaded = file::load(path, &text, &vault)?;
    let (meaning, warnings) = mean(&loaded.tree, &vault)
        .map_err(|problems| file::blocks(path, &text, &loaded, "Error", &problems))?;
    for line in file::blocks(path, &text, &loaded, "Warning", &warnings).lines() {
        journal.say(Level::Warning, "configuration", &line);
    }
    if begins_empty {
        let text = format!("{} does not exist: the configuration begins empty", path.display());
        journal.say(Level::Notice, "configuration", &text);
    }
    writer::check::descriptors(meaning.sessions.len()).map_err(problem)?;
    raise_descriptors();
    Ok(Begin {
        store: remembered(path, loaded.tree, &vault, journal),
        vault: Arc::new(vault),
        zone: TimeZone::system(),
        host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
    })
}

/// A session has a connection for each router, and nobody knows how many there will be: as many as may be.
fn raise_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    // Where that is refused, what there is was enough to begin with.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// The configuration, and the commits that were before it. Without those it works as well.
fn remembered(path: &Path, tree: Tree, vault: &Vault, journal: &Journal) -> Store {
    let commits = commits_path(path);
    let now = Timestamp::now();
    let text = keep::read(&commits).map(Option::unwrap_or_default);
    let store = text.and_then(|text| Store::from_text(&text, tree.clone(), now, vault, &mut keep::random));
    store.unwrap_or_else(|why| {
        let text = format!("{}: {why} The list of commits begins anew", commits.display());
        journal.say(Level::Warning, "configuration", &text);
        Store::new(tree)
    })
}

async fn live(
    options: Options,
    begin: Begin,
    listener: std::os::unix::net::UnixListener,
    journal: Journal,
) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("The control plane cannot start: {error}.");
    // Before anything is done: a signal that comes early is not to end us without a word.
    let mut term = signal(SignalKind::terminate()).map_err(failed)?;
    let mut int = signal(SignalKind::interrupt()).map_err(failed)?;
    let hangup = signal(SignalKind::hangup()).map_err(failed)?;
    let listener = UnixListener::from_std(listener).map_err(failed)?;

    let Begin { store, vault, zone, host } = begin;
    let mut seed = [0; 8];
    keep::random(&mut seed);
    let mistake = |_| String::from("An empty configuration means nothing to us, which is our own mistake.");
    let (nothing, _) = mean(&Tree::default(), &vault).map_err(mistake)?;
    let (meaning, _) = mean(store.running(), &vault).map_err(mistake)?;
    let settings = thread::Settings {
        io: options.io,
        seed: u64::from_ne_bytes(seed),
        zone: zone.clone(),
        host: host.clone(),
        vault: vault.clone(),
        journal: journal.clone(),
    };
    let handle = thread::start(settings).map_err(|error| format!("The mirror cannot start: {error}."))?;
    let place = Place { file: options.file, vault, host, zone, journal };
    let control = Rc::new(Control::new(handle.clone(), place, store, Arc::new(nothing)));
    control.begin(meaning).await;

    let notify = Notify::new();
    notify.say("READY=1");
    control.journal().say(
        Level::Info,
        "engine",
        &format_args!("heliograph {} runs", env!("CARGO_PKG_VERSION")),
    );
    let ended = tokio::select! {
        _ = term.recv() => Ok("SIGTERM"),
        _ = int.recv() => Ok("SIGINT"),
        why = pulse(&handle, control.journal(), &notify) => Err(why),
        () = reload(&control, hangup, &notify) => Err(String::from("Signals are not heard any more.")),
        () = control.end_trials() => Err(String::from("Trials are not ended any more.")),
        () = visitor::receive(control.clone(), listener, visitor::HELLO_TIME) => {
            Err(String::from("Shells are not heard any more."))
        }
    };
    notify.say("STOPPING=1");
    let by = ended?;
    control.journal().say(Level::Info, "engine", &format_args!("{by}: takes leave of all servers"));
    let leave = async {
        let _closed = control.close().await;
        handle.leave().await;
    };
    if timeout(LEAVE_TIME, leave).await.is_err() {
        let text = format!("not all servers could be told within {} seconds", LEAVE_TIME.as_secs());
        control.journal().say(Level::Warning, "engine", &text);
    }
    control.journal().say(Level::Info, "engine", &"ends");
    Ok(())
}

/// Reads the file whenever a signal asks for it, for ever.
async fn reload<M: Mirroring + 'static>(control: &Control<M>, mut hangup: Signal, notify: &Notify) {
    while hangup.recv().await.is_some() {
        notify.reloading();
        control.reload().await;
        notify.say("READY=1");
    }
}

/// Looks whether the thread that mirrors still turns, and tells the watchdog; returns when it has ended.
async fn pulse(mirroring: &impl Mirroring, journal: &Journal, notify: &Notify) -> String {
    let every = notify::watchdog().map_or(PULSE, |time| PULSE.min(time / 2));
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut stuck = false;
    loop {
        ticks.tick().await;
        match timeout(TURN_TIME, mirroring.turns()).await {
            Ok(true) => {
                if stuck {
                    journal.say(Level::Warning, "engine", &"the thread that mirrors turns again");
                }
                stuck = false;
                notify.say("WATCHDOG=1");
            }
            Ok(false) => return String::from("The thread that mirrors has ended."),
            Err(_) if stuck => {}
            Err(_) => {
                let text =
                    format!("the thread that mirrors has not turned for {} seconds", TURN_TIME.as_secs());
                journal.say(Level::Error, "engine", &text);
                stuck = true;
            }
        }
    }
}

#[cfg(test)]
mod tests;
