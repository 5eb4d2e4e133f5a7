//! What a session's socket should be like, said before there is one.
//!
//! ```text
//!   commit ─► Plan::check ─► Auth::supported ─► Order::Open ─► socket
//!             no socket       one that goes nowhere            checks again
//! ```
//!
//! * **exactly**   a socket is as its plan says, or there is none: nothing is left out because the kernel has
//!   it not, and above all no key.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::Secret;
use crate::fault::{Fault, Name, Why};
use crate::fleet::ListenerId;

/// How one session's connections come about, and what their sockets are like.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// What people call the session: it begins each word about it.
    pub name: Arc<str>,
    /// Its server. Never link-local: see [`Fault`].
    pub server: IpAddr,
    /// Who connects.
    pub way: Way,
    /// Where it connects from. Of a passive session the address alone counts: where it was connected to.
    pub source: Source,
    /// In which network. Of a passive session its listener's counts.
    pub instance: Instance,
    /// How the two know each other.
    pub auth: Auth,
    /// All else.
    pub options: Options,
}

/// Who connects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// We do, to this port.
    Active(u16),
    /// The server does, to one of our listeners.
    Passive(ListenerId),
}

/// Where we listen for servers. Whose address is no session's is sent away.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listen {
    /// What people call it.
    pub name: Arc<str>,
    /// Address and port, which may be 0 for any.
    pub address: SocketAddr,
    /// In which network.
    pub instance: Instance,
}

/// Where connections come from. Nothing: from wherever the way leads out.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Source {
    /// One of our addresses.
    pub address: Option<IpAddr>,
    /// One of our interfaces. Without an address its first global one of the server's family is taken.
    pub interface: Option<Arc<str>>,
}

/// A network of its own.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Instance {
    /// The one we are in.
    #[default]
    Public,
    /// A VRF device.
    Device(Arc<str>),
    /// A network namespace, by the file that stands for it.
    Namespace(PathBuf),
}

/// How the two sides of a connection know each other.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Auth {
    /// Not at all.
    #[default]
    None,
    /// TCP-MD5 (RFC 2385): a key of at most [`MD5_MAX`] octets.
    Md5(Secret),
    /// TCP-AO (RFC 5925).
    Ao(AoKeys),
}

impl Plan {
    /// We connect to this server, and nothing else matters.
    #[must_use]
    pub fn new(name: &str, server: SocketAddr) -> Self {
        Self {
            name: Arc::from(name),
            server: server.ip(),
            way: Way::Active(server.port()),
            source: Source::default(),
            instance: Instance::default(),
            auth: Auth::default(),
            options: Options::default(),
        }
    }

    /// Refuses what can be refused without a socket.
    ///
    /// # Errors
    /// What is wrong, and what to do about it.
    pub fn check(&self) -> Result<(), Fault> {
        self.why_not().map_or(Ok(()), |why| Err(Fault::ours(why)))
    }

    fn why_not(&self) -> Option<Why> {
        let server = self.server;
        if server != server.to_canonical() {
            return Some(Why::Mapped(server));
        }
        if is_link_local(server) {
            return Some(Why::LinkLocal(server));
        }
        if is_nobody(server) {
            return Some(Why::NotAServer(server));
        }
        if let Way::Active(0) = self.way {
            return Some(Why::Port);
        }
        if let Some(source) = self.source.address {
            if source != source.to_canonical() {
                return Some(Why::Mapped(source));
            }
            if source.is_ipv4() != server.is_ipv4() {
                return Some(Why::Families(source, server));
            }
            if is_nobody(source) || is_link_local(source) {
                return Some(Why::NotASource(source));
            }
        }
        let device = match &self.instance {
            Instance::Device(name) => Some(name),
            Instance::Public | Instance::Namespace(_) => None,
        };
        let names = [self.source.interface.as_ref(), device];
        if let Some(why) = names.into_iter().flatten().find_map(|name| wrong_name(name)) {
            return Some(why);
        }
        if self.options.mss.is_some() && matches!(self.way, Way::Passive(_)) {
            return Some(Why::Passive("mss"));
        }
        self.auth.why_not().or_else(|| self.options.why_not())
    }
}

impl Listen {
    /// Refuses what can be refused without a socket.
    ///
    /// # Errors
    /// What is wrong, and what to do about it.
    pub fn check(&self) -> Result<(), Fault> {
        let Instance::Device(name) = &self.instance else { return Ok(()) };
        wrong_name(name).map_or(Ok(()), |why| Err(Fault::ours(why)))
    }
}

impl Auth {
    /// Whether this kernel can do that, asked of a socket that goes nowhere: for whoever has to refuse a
    /// configuration before it counts.
    ///
    /// # Errors
    /// It cannot, or the keys are wrong in themselves.
    pub fn supported(&self) -> Result<(), Fault> {
        self.why_not().map_or(Ok(()), |why| Err(Fault::ours(why)))?;
        crate::socket::probe(self)
    }

    fn why_not(&self) -> Option<Why> {
        match self {
            Self::None => None,
            Self::Md5(secret) => out_of("octets of an MD5 key", secret.octets().len(), 1, MD5_MAX),
            Self::Ao(keys) => keys.why_not(),
        }
    }
}

impl AoKeys {
    fn why_not(&self) -> Option<Why> {
        if self.keys.is_empty() {
            return Some(Why::NoKeys);
        }
        for (at, key) in self.keys.iter().enumerate() {
            let before = &self.keys[..at];
            // RFC 5925 §3.1: neither number may be another key's for the same connection.
            if before.iter().any(|other| other.send_id == key.send_id) {
                return Some(Why::TwoKeys("send id", key.send_id));
            }
            if before.iter().any(|other| other.receive_id == key.receive_id) {
                return Some(Why::TwoKeys("receive id", key.receive_id));
            }
            let octets = out_of("octets of a TCP-AO key", key.secret.octets().len(), 1, MD5_MAX);
            if octets.is_some() {
                return octets;
            }
        }
        if !self.keys.iter().any(|key| key.send_id == self.current) {
            return Some(Why::NoKey("active send id", self.current));
        }
        if !self.keys.iter().any(|key| key.receive_id == self.next) {
            return Some(Why::NoKey("next receive id", self.next));
        }
        None
    }
}

impl Options {
    fn why_not(&self) -> Option<Why> {
        let asked = &self.keepalive;
        // What the kernel takes; an error of its own would not say which of several numbers it meant.
        None.or_else(|| out_of("dscp", self.dscp?, 0, 63_u8))
            .or_else(|| out_of("mss", self.mss?, 88, 32767_u16))
            .or_else(|| out_of("octets of the send buffer", self.send_buffer?, 1, 1 << 30))
            .or_else(|| out_of("limit of unsent octets", self.unsent_max, 1, 1 << 30))
            .or_else(|| out_of("seconds before a keepalive", asked.idle.as_secs(), 1, 32767_u64))
            .or_else(|| out_of("seconds between keepalives", asked.interval.as_secs(), 1, 32767_u64))
            .or_else(|| out_of("keepalives", asked.probes, 1, 127_u32))
    }
}

fn out_of<N: TryInto<u64>>(what: &'static str, got: N, min: N, max: N) -> Option<Why> {
    let [got, min, max] = [got, min, max].map(|number| number.try_into().unwrap_or(u64::MAX));
    (!(min..=max).contains(&got)).then_some(Why::Range(what, got, min, max))
}

fn wrong_name(name: &str) -> Option<Why> {
    // The kernel cuts a name that is too long without a word, and would take another interface.
    (name.is_empty() || name.len() >= libc::IFNAMSIZ).then(|| Why::NameLength(Name::new(name), name.len()))
}

/// fe80::/10 and 169.254/16.
pub(crate) fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

/// Not the address of one machine.
pub(crate) fn is_nobody(address: IpAddr) -> bool {
    let everybody = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    address.is_unspecified() || address.is_multicast() || everybody
}

/// Octets of a TCP-MD5 key, at most.
pub const MD5_MAX: usize = 80;

/// The keys of a connection, by TCP-AO.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AoKeys {
    /// All that are good now.
    pub keys: Vec<AoKey>,
    /// The send id of the one we send with.
    pub current: u8,
    /// The receive id of the one we ask the other side to send with.
    pub next: u8,
}

/// A key of TCP-AO.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AoKey {
    /// Its number in what we send.
    pub send_id: u8,
    /// Its number in what we get.
    pub receive_id: u8,
    /// How it signs.
    pub algorithm: AoAlgorithm,
    /// What it signs with, at most [`MD5_MAX`] octets.
    pub secret: Secret,
}

/// How a key of TCP-AO signs: a name of the kernel's and the octets of a signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AoAlgorithm {
    /// HMAC-SHA-1, 12 octets: the one everybody has (RFC 5926).
    HmacSha1,
    /// HMAC-SHA-1, 16 octets.
    HmacSha1Long,
    /// HMAC-SHA-256, 16 octets.
    HmacSha256,
    /// AES-128-CMAC, 12 octets (RFC 5926).
    Aes128Cmac,
}

/// What else a socket is told. What is `None` is left to the kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Differentiated services code point, 0 to 63.
    pub dscp: Option<u8>,
    /// Octets of a segment of TCP at most.
    pub mss: Option<u16>,
    /// Octets of the kernel's send buffer.
    pub send_buffer: Option<usize>,
    /// Octets that may wait unsent in the kernel: beyond it they stay in the log, where lag can be seen
    /// and a catch-up can shorten it.
    pub unsent_max: usize,
    /// When to ask a silent server whether it is there.
    pub keepalive: Keepalive,
}

/// How a silent server is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Keepalive {
    /// After so long.
    pub idle: Duration,
    /// And again after so long.
    pub interval: Duration,
    /// So often without an answer.
    pub probes: u32,
}

impl Default for Options {
    fn default() -> Self {
        let keepalive =
            Keepalive { idle: Duration::from_secs(30), interval: Duration::from_secs(10), probes: 3 };
        Self { dscp: None, mss: None, send_buffer: None, unsent_max: 128 << 10, keepalive }
    }
}
