//! What a configuration means: names resolved, defaults filled in, what cannot be refused.
//!
//! ```text
//!   Tree ─┬─ settings   sysname, telemetry, timers, where routers come in
//!         ├─ names      vpn-instance, interface-alias: what Linux calls them
//!         ├─ keys       keychain, tcp ao: complete, one that signs, and what kernels know
//!         └─ session    each bmp-session, with what it takes from all of the above
//!                └─► Meaning and warnings, or all that is wrong
//! ```
//!
//! * **all or nothing**  one problem, and there is no meaning; but all problems are told at once.
//! * **where it stands** each problem and each warning has the path of the statement that is at fault.
//! * **no clear secret** what is sealed is opened only to see that it can be, and how long it is.

mod keys;
mod names;
mod session;
mod settings;

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::keychain::Keychain;
use crate::secret::{Sealed, Vault};
use crate::table::What;
use crate::tree::{Node, Place, Statement, Tree};

pub use settings::{
    MESSAGE_MAX, PATHS_MAX, PEERS_MAX, RETENTION_MB, RETRY_FIRST_S, RETRY_LONGEST_S, ROUTERS_MAX, STALL_S,
    STATISTICS_S,
};

/// Octets of a TCP-MD5 password or a TCP-AO key, at most: what kernels take.
pub const SECRET_MAX: usize = 80;

/// All that a configuration says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Meaning {
    /// What this mirror is called; `None`: as the machine is.
    pub sysname: Option<Arc<str>>,
    /// Where metrics are to be had.
    pub telemetry: Option<SocketAddr>,
    /// Whether there is a `bmp`.
    pub enabled: bool,
    /// Seconds between two Statistics Reports of our own.
    pub statistics_s: u64,
    /// Seconds before the second attempt to connect, and at most.
    pub retry_s: (u64, u64),
    /// Seconds without progress after which a connection ends.
    pub stall_s: u64,
    /// Octets that a feed's log keeps.
    pub retention: usize,
    /// Who may send us routes, and how much.
    pub routers: Routers,
    /// The servers.
    pub sessions: BTreeMap<SessionKey, Arc<Session>>,
}

/// Who may send us routes, and how much.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Routers {
    /// Where we listen for them, in which network.
    pub listen: Vec<(SocketAddr, Network)>,
    /// Who may connect; nobody named: this machine.
    pub permit: Vec<(IpAddr, u8)>,
    /// How many.
    pub routers_max: usize,
    /// Peers of one.
    pub peers_max: usize,
    /// Paths of all.
    pub paths_max: usize,
    /// Octets of a message.
    pub message_max: usize,
}

/// What a session is known by.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SessionKey {
    /// Its VPN instance; `None`: public.
    pub instance: Option<Arc<str>>,
    /// Its server.
    pub address: IpAddr,
    /// Its alias.
    pub alias: Option<Arc<str>>,
}

/// A server, and how to reach it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    /// What it is known by.
    pub key: SessionKey,
    /// Who connects; `None`: nobody yet.
    pub way: Option<Way>,
    /// In which network.
    pub network: Network,
    /// One of our addresses.
    pub source: Option<IpAddr>,
    /// One of our interfaces, as the kernel calls it.
    pub interface: Option<Arc<str>>,
    /// How the two know each other.
    pub auth: Auth,
    /// Differentiated services code point.
    pub dscp: Option<u8>,
    /// Octets of a segment of TCP at most.
    pub mss: Option<u16>,
    /// Octets of the kernel's send buffer.
    pub send_buffer: Option<usize>,
    /// What it carries: the union; everything if there is none.
    pub monitors: Vec<Monitor>,
    /// For people.
    pub description: Option<Arc<str>>,
    /// Whether it is to have no connection.
    pub shutdown: bool,
}

/// Who connects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// We do, to this port.
    Active(u16),
    /// The server does, to this port of ours.
    Passive(u16),
}

/// A network of its own.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Network {
    /// The one we are in.
    #[default]
    Public,
    /// A VRF device.
    Device(Arc<str>),
    /// A network namespace, by its file.
    Namespace(Arc<str>),
}

/// How the two sides of a connection know each other.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Auth {
    /// Not at all.
    #[default]
    None,
    /// TCP-MD5.
    Md5(Sealed),
    /// By a keychain.
    Keychain(Arc<Keychain>),
}

/// What one `monitor` lets through.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Monitor {
    /// Of which peers.
    pub scope: Scope,
    /// Which tables; all if there is none.
    pub tables: Vec<Table>,
}

/// Of which peers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Scope {
    /// Those outside of all VPNs.
    Public,
    /// Those in VPNs.
    AllVpn,
    /// One, outside of all VPNs.
    Peer(IpAddr),
    /// Those of one VPN.
    Vpn(Arc<str>),
    /// One of one VPN.
    VpnPeer(Arc<str>, IpAddr),
    /// Those of one router.
    Router(Arc<str>),
}

/// A table of a peer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Table {
    /// Which.
    pub rib: Rib,
    /// The numbers of its address family: AFI and SAFI.
    pub family: (u16, u8),
}

/// Which table of a peer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Rib {
    /// What the peer sent.
    InPre,
    /// What policy left of it.
    InPost,
    /// What is meant for the peer.
    OutPre,
    /// What was sent to it.
    OutPost,
    /// The router's own.
    Local,
}

/// What is wrong with a configuration that can be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// The statement that is at fault, from the outermost view in.
    pub path: Vec<Place>,
    /// One sentence that names the object and the remedy, without `Error:`.
    pub text: String,
}

impl Session {
    /// One of which nothing is configured: it has no connection.
    #[must_use]
    pub fn new(key: SessionKey) -> Self {
        Self {
            key,
            way: None,
            network: Network::Public,
            source: None,
            interface: None,
            auth: Auth::None,
            dscp: None,
            mss: None,
            send_buffer: None,
            monitors: Vec::new(),
            description: None,
            shutdown: false,
        }
    }
}

impl fmt::Display for SessionKey {
    /// As behind `bmp-session`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // As names print in a configuration.
        let quote = |name: &str| if name.contains([' ', '\t']) { "\"" } else { "" };
        if let Some(instance) = &self.instance {
            let quote = quote(instance);
            write!(f, "vpn-instance {quote}{instance}{quote} ")?;
        }
        write!(f, "{}", self.address.to_string().to_uppercase())?;
        let Some(alias) = &self.alias else { return Ok(()) };
        let quote = quote(alias);
        write!(f, " alias {quote}{alias}{quote}")
    }
}

/// What a configuration means, and of what its owner should be warned.
///
/// # Errors
/// All that is wrong with it.
pub fn mean(tree: &Tree, vault: &Vault) -> Result<(Meaning, Vec<Problem>), Vec<Problem>> {
    let mut found = Findings::default();
    let names = names::Names::of(tree, &mut found);
    let chains = keys::keychains(tree, vault, &mut found);
    let mut meaning = settings::settings(tree, &names, &mut found);
    if let Some(bmp) = at(tree, &[], What::Bmp).next() {
        session::sessions(&bmp, &names, &chains, vault, &mut meaning, &mut found);
    }
    // In the order of the text.
    for told in [&mut found.problems, &mut found.warnings] {
        told.sort_by(|one, other| one.path.cmp(&other.path));
    }
    if found.problems.is_empty() { Ok((meaning, found.warnings)) } else { Err(found.problems) }
}

/// A keychain of a configuration, whoever uses it; nothing where it is not complete.
#[must_use]
pub fn keychain(tree: &Tree, vault: &Vault, name: &str) -> Option<Arc<Keychain>> {
    keys::keychains(tree, vault, &mut Findings::default()).remove(name).flatten()
}

/// What is wrong, and what is odd.
#[derive(Default)]
struct Findings {
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Findings {
    fn refuse(&mut self, at: &At<'_>, text: impl Into<String>) {
        self.problems.push(Problem { path: at.path.clone(), text: text.into() });
    }

    fn warn(&mut self, at: &At<'_>, text: impl Into<String>) {
        self.warnings.push(Problem { path: at.path.clone(), text: text.into() });
    }
}

/// A statement, and where it stands.
struct At<'a> {
    path: Vec<Place>,
    node: &'a Node,
}

/// The statements of a view that are about something.
fn at<'a>(view: &'a Tree, outer: &[Place], what: What) -> impl Iterator<Item = At<'a>> {
    view.nodes().filter(move |(_, node)| node.statement.what() == what).map(|(place, node)| {
        let path = outer.iter().chain([place]).cloned().collect();
        At { path, node }
    })
}

impl<'a> At<'a> {
    fn statement(&self) -> &'a Statement {
        &self.node.statement
    }

    /// Those in its view that are about something.
    fn all(&self, what: What) -> impl Iterator<Item = At<'a>> {
        at(&self.node.inner, &self.path, what)
    }

    fn one(&self, what: What) -> Option<At<'a>> {
        self.all(what).next()
    }

    fn again(&self) -> Self {
        Self { path: self.path.clone(), node: self.node }
    }

    /// A parameter of the one in its view that is about something, if it is a number that fits.
    fn number<N: TryFrom<u64>>(&self, what: What, parameter: &str) -> Option<N> {
        N::try_from(self.one(what)?.statement().number(parameter)?).ok()
    }
}

/// A parameter that is a name; nothing for one that is not there.
fn text<'a>(statement: &'a Statement, parameter: &str) -> &'a str {
    statement.text(parameter).map_or("", |text| text)
}

#[cfg(test)]
mod tests;
