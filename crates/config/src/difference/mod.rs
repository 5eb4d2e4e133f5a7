//! What has to be done to get from one meaning to another, and nothing more.
//!
//! ```text
//!   old, new ─► Remove…   Sysname Telemetry Settings Routers   Change…   Add…
//!               what goes             what changes                       what comes
//! ```
//!
//! * **nobody else**   a session that means the same before and after is in no step, so nothing happens to it.
//! * **one step each** a session has one step at most, with the strongest of the changes that it needs.

use std::sync::Arc;

use crate::meaning::{Meaning, Session, SessionKey};

/// One thing to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// The mirror has another name.
    Sysname(Option<Arc<str>>),
    /// Metrics are to be had elsewhere, or nowhere.
    Telemetry(Option<std::net::SocketAddr>),
    /// Times and limits are others: see the new meaning.
    Settings,
    /// Routers come in elsewhere, or others may: see the new meaning.
    Routers,
    /// A session is not there any more.
    Remove(SessionKey),
    /// A session is new.
    Add(Arc<Session>),
    /// A session has changed.
    Change(Arc<Session>, Change),
}

/// How a session that is there becomes what it should be.
///
/// They are ordered by strength, and one that is stronger does what those before it would: a new connection is
/// made by what `tcp` says now, and a session that stops or starts has no connection that would have to be made
/// anew.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Change {
    /// At once, and nobody on the wire notices: its description.
    Quiet,
    /// When it is reset, or connects again by itself: what `tcp` says.
    AtReset,
    /// Now, and its connections are made anew: where it connects from, what it carries. Also the first `tcp connect`
    /// or `tcp listen` of a session, which has no connection that a reset could spare.
    Reconnect,
    /// It takes leave of its server: `shutdown`.
    Stop,
    /// It connects: `undo shutdown`.
    Start,
}

/// What has to be done, in order: what goes, what changes, what comes.
#[must_use]
pub fn difference(old: &Meaning, new: &Meaning) -> Vec<Step> {
    let gone = old.sessions.keys().filter(|key| !new.sessions.contains_key(key));
    let mut steps: Vec<_> = gone.cloned().map(Step::Remove).collect();
    if old.sysname != new.sysname {
        steps.push(Step::Sysname(new.sysname.clone()));
    }
    if old.telemetry != new.telemetry {
        steps.push(Step::Telemetry(new.telemetry));
    }
    if settings(old) != settings(new) {
        steps.push(Step::Settings);
    }
    if (&old.routers.listen, &old.routers.permit) != (&new.routers.listen, &new.routers.permit) {
        steps.push(Step::Routers);
    }
    for (key, session) in &new.sessions {
        let was = old.sessions.get(key);
        if let Some(change) = was.and_then(|was| change(was, session)) {
            steps.push(Step::Change(Arc::clone(session), change));
        }
    }
    let come = new.sessions.iter().filter(|(key, _)| !old.sessions.contains_key(key));
    steps.extend(come.map(|(_, session)| Step::Add(Arc::clone(session))));
    steps
}

impl Step {
    /// Of what an operator should be told who has just committed it: a sentence, without `Warning:`.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        match self {
            Self::Change(session, Change::AtReset) if !session.shutdown => Some(format!(
                "Run reset bmp session for the change to take effect. It is bmp-session {}.",
                session.key
            )),
            _ => None,
        }
    }
}

/// Times and limits.
fn settings(meaning: &Meaning) -> impl PartialEq {
    let Meaning { enabled, statistics_s, retry_s, stall_s, retention, routers, .. } = meaning;
    let limits = [routers.routers_max, routers.peers_max, routers.paths_max, routers.message_max];
    (*enabled, *statistics_s, *retry_s, *stall_s, *retention, limits)
}

/// The strongest change that gets a session from one to the other; `None` if it is the same.
fn change(old: &Session, new: &Session) -> Option<Change> {
    // By name, so that a field that comes later has to be put somewhere.
    let Session {
        key: _,
        way,
        network,
        source,
        interface,
        auth,
        dscp,
        mss,
        send_buffer,
        monitors,
        description,
        shutdown,
    } = new;
    let stops = *shutdown && !old.shutdown;
    let starts = !*shutdown && old.shutdown;
    let elsewhere = (network, source, interface, monitors)
        != (&old.network, &old.source, &old.interface, &old.monitors)
        || (old.way.is_none() && way.is_some());
    let otherwise =
        (way, auth, dscp, mss, send_buffer) != (&old.way, &old.auth, &old.dscp, &old.mss, &old.send_buffer);
    match () {
        () if starts => Some(Change::Start),
        () if stops => Some(Change::Stop),
        () if elsewhere => Some(Change::Reconnect),
        () if otherwise => Some(Change::AtReset),
        () if *description != old.description => Some(Change::Quiet),
        () => None,
    }
}

#[cfg(test)]
mod tests;
