//! What operators reach: the configuration that is running, and what becomes of it.
//!
//! ```text
//!   shells ─ socket ─► visitor ─► Shell ─ Ask ─┐
//!   SIGHUP ─ the file ─────────────────────────┼─► turnstile ─► mean, check, difference ─► the mirror's thread
//!   the end of a trial ────────────────────────┘                                      └─► store, FILE.commits
//! ```
//!
//! * **all or nothing**    whatever can refuse a configuration is asked before anything is done; what is done then
//!   cannot fail.
//! * **one after another** what changes the configuration passes the turnstile, one at a time. What only looks does
//!   not: a display is answered while a commit is being carried out.
//! * **on record**         whatever an operator changed is in the journal, with who did it, and without secrets.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;

use config::difference::Step;
use config::meaning::{Meaning, SessionKey};
use config::secret::Vault;
use config::shell::{Around, Target};
use config::store::Store;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::{Mutex, MutexGuard, Notify};

use crate::journal::Journal;
use crate::keep;
use crate::picture::Picture;
use crate::telemetry::{TIMES, Telemetry};
use crate::thread::{self, Handle};

mod answer;
mod change;
pub(crate) mod file;
pub(crate) mod socket;
mod user;
pub(crate) mod visitor;

pub(crate) use change::commits_path;

/// What the control plane wants of the thread that mirrors. [`Handle`] is it; tests have a twin that notes down
/// what it was told.
pub(crate) trait Mirroring: Clone {
    /// See [`thread::check`].
    fn check(&self, meaning: &Meaning, vault: &Arc<Vault>) -> Result<(), Vec<(Option<SessionKey>, String)>>;
    /// See [`Handle::apply`].
    async fn apply(&self, meaning: Arc<Meaning>, steps: Vec<Step>);
    /// See [`Handle::picture`].
    async fn picture(&self) -> Picture;
    /// See [`Handle::reset_sessions`].
    async fn reset_sessions(&self, target: Target) -> usize;
    /// See [`Handle::reset_routers`].
    async fn reset_routers(&self, name: Option<Arc<str>>) -> usize;
    /// See [`Handle::turns`].
    async fn turns(&self) -> bool;
}

impl Mirroring for Handle {
    fn check(&self, meaning: &Meaning, vault: &Arc<Vault>) -> Result<(), Vec<(Option<SessionKey>, String)>> {
        thread::check(meaning, vault)
    }
    async fn apply(&self, meaning: Arc<Meaning>, steps: Vec<Step>) {
        Self::apply(self, meaning, steps).await;
    }
    async fn picture(&self) -> Picture {
        Self::picture(self).await
    }
    async fn reset_sessions(&self, target: Target) -> usize {
        Self::reset_sessions(self, target).await
    }
    async fn reset_routers(&self, name: Option<Arc<str>>) -> usize {
        Self::reset_routers(self, name).await
    }
    async fn turns(&self) -> bool {
        Self::turns(self).await
    }
}

/// What does not change while an engine runs.
pub(crate) struct Place {
    /// The configuration.
    pub(crate) file: PathBuf,
    /// Opens and seals its secrets.
    pub(crate) vault: Arc<Vault>,
    /// What the machine is called.
    pub(crate) host: String,
    /// Where it is.
    pub(crate) zone: TimeZone,
    /// Where it is said what happens.
    pub(crate) journal: Journal,
}

/// See the top of the file.
pub(crate) struct Control<M> {
    mirroring: M,
    place: Place,
    telemetry: Telemetry<M>,
    store: RefCell<Store>,
    /// Of what is running.
    meaning: RefCell<Arc<Meaning>>,
    turnstile: Mutex<()>,
    /// The trial is another, or there is none any more.
    trial: Notify,
}

impl<M: Mirroring + 'static> Control<M> {
    /// With nothing configured yet, so far as the thread that mirrors knows: see [`Self::begin`].
    pub(crate) fn new(mirroring: M, place: Place, store: Store, nothing: Arc<Meaning>) -> Self {
        Self {
            telemetry: Telemetry::new(mirroring.clone(), TIMES),
            mirroring,
            place,
            store: RefCell::new(store),
            meaning: RefCell::new(nothing),
            turnstile: Mutex::new(()),
            trial: Notify::new(),
        }
    }

    /// Waits for what is under way to be done; nothing changes the configuration as long as the guard lives.
    pub(crate) async fn close(&self) -> MutexGuard<'_, ()> {
        self.turnstile.lock().await
    }

    pub(crate) fn journal(&self) -> &Journal {
        &self.place.journal
    }

    /// Lends out what a shell needs while it reads a line. There is no waiting inside.
    fn around<T>(&self, with: impl FnOnce(&mut Around<'_>) -> T) -> T {
        let store = self.store.borrow();
        let mut random = keep::random;
        with(&mut Around {
            store: &store,
            vault: &self.place.vault,
            random: &mut random,
            host: &self.place.host,
            now: Timestamp::now(),
            zone: &self.place.zone,
        })
    }
}

#[cfg(test)]
mod tests;
