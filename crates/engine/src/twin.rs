//! A twin of the thread that mirrors: it notes down what it is told, and is as slow and as sick as a test wants.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use config::difference::Step;
use config::meaning::{Meaning, SessionKey};
use config::secret::Vault;
use config::shell::Target;
use tokio::sync::Semaphore;

use crate::control::Mirroring;
use crate::picture::{Picture, Session};

#[derive(Clone)]
pub(crate) struct Twin(Rc<State>);

pub(crate) struct State {
    /// What it was told to do, a row for each step.
    pub(crate) done: RefCell<Vec<String>>,
    /// What it says that the machine cannot do.
    pub(crate) refusal: RefCell<Option<String>>,
    /// What it has to have for each thing it does; a test that takes it away makes it wait.
    pub(crate) leave: Semaphore,
    /// Whether it turns; `None`: it does not answer.
    pub(crate) turns: Cell<Option<bool>>,
    meaning: RefCell<Option<Arc<Meaning>>>,
}

impl Twin {
    pub(crate) fn new() -> Self {
        Self(Rc::new(State {
            done: RefCell::default(),
            refusal: RefCell::default(),
            leave: Semaphore::new(1),
            turns: Cell::new(Some(true)),
            meaning: RefCell::default(),
        }))
    }

    /// What it was told to do since somebody last asked.
    pub(crate) fn done(&self) -> Vec<String> {
        self.done.take()
    }
}

impl std::ops::Deref for Twin {
    type Target = State;
    fn deref(&self) -> &State {
        &self.0
    }
}

/// A step in few words.
fn shown(step: &Step) -> String {
    match step {
        Step::Sysname(name) => format!("sysname {}", name.as_deref().unwrap_or("-")),
        Step::Telemetry(at) => {
            format!("telemetry {}", at.map_or_else(|| String::from("-"), |at| at.to_string()))
        }
        Step::Settings => String::from("settings"),
        Step::Routers => String::from("routers"),
        Step::Remove(key) => format!("remove {key}"),
        Step::Add(session) => format!("add {}", session.key),
        Step::Change(session, change) => format!("change {} {change:?}", session.key),
    }
}

impl Mirroring for Twin {
    fn check(&self, _: &Meaning, _: &Arc<Vault>) -> Result<(), Vec<(Option<SessionKey>, String)>> {
        self.refusal.borrow().clone().map_or(Ok(()), |text| Err(vec![(None, text)]))
    }

    async fn apply(&self, meaning: Arc<Meaning>, steps: Vec<Step>) {
        let _leave = self.leave.acquire().await.expect("never closed");
        self.done.borrow_mut().extend(steps.iter().map(shown));
        *self.meaning.borrow_mut() = Some(meaning);
    }

    async fn picture(&self) -> Picture {
        if self.turns.get().is_none() {
            std::future::pending::<()>().await;
        }
        let meaning = self.meaning.borrow();
        let sessions = meaning.iter().flat_map(|meaning| meaning.sessions.keys());
        let sessions = sessions.map(|key| Session {
            address: Some(key.address),
            alias: key.alias.as_deref().map(Into::into),
            vpn_instance: key.instance.as_deref().map(Into::into),
            state: "Up",
            ..Session::default()
        });
        Picture { sysname: String::from("a<b"), sessions: sessions.collect(), ..Picture::default() }
    }

    async fn reset_sessions(&self, target: Target) -> usize {
        self.done.borrow_mut().push(format!("reset {target:?}"));
        self.meaning.borrow().as_ref().map_or(0, |meaning| meaning.sessions.len())
    }

    async fn reset_routers(&self, name: Option<Arc<str>>) -> usize {
        self.done.borrow_mut().push(format!("reset router {}", name.as_deref().unwrap_or("all")));
        usize::from(name.as_deref() == Some("rr1"))
    }

    async fn turns(&self) -> bool {
        match self.turns.get() {
            Some(turns) => turns,
            None => std::future::pending().await,
        }
    }
}
