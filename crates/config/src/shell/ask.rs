//! What a shell asks of whoever runs the engine.

use std::net::IpAddr;
use std::sync::Arc;

use crate::meaning::SessionKey;
use crate::parse::Pipe;
use crate::table::What;
use crate::tree::{Part, Statement, Tree};
use crate::value::Value;

/// What a shell cannot do by itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ask {
    /// Make this the running configuration.
    Commit(Proposal),
    /// Make what a file says the running configuration, as a commit of the line `rollback`.
    RollbackFile(Arc<str>),
    /// Take back the trial.
    AbortTrial,
    /// Write the running configuration to its file.
    Save,
    /// Sessions are to be reset.
    ResetSession(Target),
    /// Routers are to be reset; `None`: all.
    ResetRouter(Option<Arc<str>>),
    /// Something of the engine is to be shown.
    Display(Display, Option<Pipe>),
}

/// A configuration that is to be the running one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proposal {
    /// It.
    pub tree: Arc<Tree>,
    /// What it is called.
    pub label: Option<Arc<str>>,
    /// What it is said to be.
    pub description: Option<Arc<str>>,
    /// After so many seconds it is taken back, unless committed again.
    pub trial_s: Option<u32>,
    /// By which line: `shell`, `rollback`, `file`.
    pub line: &'static str,
    /// The number of the shell; 0 for what is none. Who began a trial is known by it.
    pub shell: u64,
}

/// Which sessions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// All of them.
    All,
    /// All of one VPN instance.
    Instance(Arc<str>),
    /// One.
    One(SessionKey),
}

/// What of the engine is to be shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Display {
    /// `display bmp session`, of a VPN instance if one is named.
    Sessions(Option<Arc<str>>),
    /// `display bmp session A verbose`.
    Session(SessionKey),
    /// `display bgp bmp-monitor`: the family (AFI, SAFI), the VPN instance, the peer; nothing: `all`.
    Monitors(Option<(u16, u8)>, Option<Arc<str>>, Option<IpAddr>),
    /// `display keychain NAME [ key-id N ]`.
    Keychain(Arc<str>, Option<u8>),
    /// `display bmp monitored-router [ NAME ] [ verbose ]`.
    Routers(Option<Arc<str>>, bool),
    /// `display bmp peer [ router NAME ]`.
    Peers(Option<Arc<str>>),
    /// `display bmp feed`.
    Feeds,
    /// `display bmp memory`.
    Memory,
    /// `display bmp latency`.
    Latency,
}

impl Proposal {
    /// This configuration, as it is, by a line.
    #[must_use]
    pub fn new(tree: Arc<Tree>, line: &'static str) -> Self {
        Self { tree, label: None, description: None, trial_s: None, line, shell: 0 }
    }
}

/// What a `display` wants of the engine; `None` if it is answered without it.
///
/// # Errors
/// A sentence: what it names is not there.
pub(super) fn display(statement: &Statement, running: &Tree) -> Result<Option<Display>, &'static str> {
    let instance = name(statement, "vrf");
    Ok(Some(match statement.what() {
        What::DisplaySession if address(statement).is_none() => Display::Sessions(instance),
        What::DisplaySession => Display::Session(session(statement, running)?),
        What::DisplayMonitor => {
            let families = [("ipv4", (1, 1)), ("ipv6", (2, 1)), ("vpnv4", (1, 128)), ("vpnv6", (2, 128))];
            let family =
                families.iter().find(|(keyword, _)| statement.has(keyword)).map(|&(_, family)| family);
            Display::Monitors(family, instance, address(statement))
        }
        What::DisplayKeychain => {
            let keychain = name(statement, "kcname").unwrap_or_default();
            if !running
                .all(What::Keychain)
                .any(|node| name(&node.statement, "kcname").as_ref() == Some(&keychain))
            {
                return Err(
                    "The keychain does not exist. Run display current-configuration to see those that do.",
                );
            }
            Display::Keychain(keychain, statement.number("keyid").and_then(|id| id.try_into().ok()))
        }
        What::DisplayRouter => Display::Routers(name(statement, "router"), statement.has("verbose")),
        What::DisplayPeer => Display::Peers(name(statement, "router")),
        What::DisplayFeed => Display::Feeds,
        What::DisplayMemory => Display::Memory,
        What::DisplayLatency => Display::Latency,
        _ => return Ok(None),
    }))
}

/// What `reset bmp session` names.
///
/// # Errors
/// A sentence: it is not there.
pub(super) fn target(statement: &Statement, running: &Tree) -> Result<Target, &'static str> {
    if !statement.has("all") {
        return session(statement, running).map(Target::One);
    }
    Ok(name(statement, "vrf").map_or(Target::All, Target::Instance))
}

/// The session that a statement names, if it is running.
fn session(statement: &Statement, running: &Tree) -> Result<SessionKey, &'static str> {
    let wanted = key(statement);
    let mut sessions = running.all(What::Bmp).flat_map(|bmp| bmp.inner.all(What::BmpSession));
    wanted.filter(|wanted| sessions.any(|node| key(&node.statement).as_ref() == Some(wanted))).ok_or(
        "The BMP session does not exist. Run display bmp session to see those that do: an alias is part of what a \
         session is known by.",
    )
}

/// What a session that a statement names is known by.
pub(super) fn key(statement: &Statement) -> Option<SessionKey> {
    let (instance, alias) = (name(statement, "vrf"), name(statement, "alias"));
    address(statement).map(|address| SessionKey { instance, address, alias })
}

/// The address among a statement's words.
fn address(statement: &Statement) -> Option<IpAddr> {
    statement.parts.iter().find_map(|part| match part {
        Part::Value(_, Value::V4(address)) => Some((*address).into()),
        Part::Value(_, Value::V6(address)) => Some((*address).into()),
        _ => None,
    })
}

/// A name, or the rest of a line.
pub(super) fn name(statement: &Statement, parameter: &str) -> Option<Arc<str>> {
    statement.text(parameter).cloned()
}
