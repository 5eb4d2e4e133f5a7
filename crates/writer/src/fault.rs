//! What was refused, by the kernel or by us, and what to do about it.
//!
//! ```text
//!   connect : Connection refused (os error 111) : nobody listens there: see that the server runs, ..
//!   ╰ Step    ╰ errno                             ╰ REMEDIES, by both
//!
//!   server fe80::1 is link-local: give an address that can be routed
//!   ╰ Why: errno is 0, the refusal is ours
//! ```
//!
//! * **one step each**  everything a socket is asked for is a step of its own, so that an error names the
//!   option. Whose session it is says whoever prints.
//! * **no secret**      no fault holds anything of a key but its length and its numbers.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};

use libc::{
    EACCES, EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EAGAIN, EBUSY, ECONNABORTED, ECONNREFUSED, ECONNRESET,
    EEXIST, EHOSTUNREACH, EINVAL, EISCONN, EKEYREJECTED, EMFILE, ENETDOWN, ENETUNREACH, ENFILE, ENOBUFS,
    ENODEV, ENOENT, ENOMEM, ENOPROTOOPT, EPERM, EPIPE, ETIMEDOUT,
};

/// A refusal: what was asked, what the kernel said, and a remedy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// What was asked for.
    pub step: Step,
    /// The kernel's number for its reason; 0 if the refusal is ours.
    pub errno: i32,
}

/// What a socket was asked for when it refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// To be there.
    Socket,
    /// To be in a network namespace.
    Namespace,
    /// To be in the network of a VRF device.
    Instance(Name),
    /// To leave through an interface.
    Interface(Name),
    /// To find an interface's addresses.
    Interfaces,
    /// To come from an address.
    Source(IpAddr),
    /// To sign by TCP-MD5.
    Md5,
    /// To take a key of TCP-AO.
    AoAdd,
    /// To sign with another key of TCP-AO.
    AoChoose,
    /// To forget a key of TCP-AO.
    AoDelete,
    /// To tell its keys of TCP-AO.
    AoRead,
    /// To mark its packets.
    Dscp,
    /// To keep segments short.
    Mss,
    /// To ask a silent server.
    Keepalive,
    /// To send at once.
    NoDelay,
    /// To keep little unsent.
    Unsent,
    /// To have a buffer of a size.
    SendBuffer,
    /// To give up on a server that takes nothing.
    Stall,
    /// To wait in calls, or not.
    Blocking,
    /// To listen on an address.
    Bind(SocketAddr),
    /// To listen.
    Listen,
    /// To tell its two ends.
    Ends,
    /// To connect.
    Connect,
    /// To carry octets.
    Send,
    /// To read what a server sends.
    Receive,
    /// Nothing: we refused before.
    Ours(Why),
}

/// Why we refuse what the kernel was not even asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// A server's address means something on one link only.
    LinkLocal(IpAddr),
    /// A server's address is that of nobody, or of many.
    NotAServer(IpAddr),
    /// An IPv4 address in IPv6 clothes.
    Mapped(IpAddr),
    /// Port 0.
    Port,
    /// Source and server, which are of two families.
    Families(IpAddr, IpAddr),
    /// A source's address that no connection to elsewhere can have.
    NotASource(IpAddr),
    /// An interface's name, and its length, which no interface can have.
    NameLength(Name, usize),
    /// There is no interface of this name.
    NoInterface(Name),
    /// An interface without a global address of the server's family.
    NoAddress(Name, IpAddr),
    /// An interface that has not this address.
    NotOnInterface(Name, IpAddr),
    /// An interface that is not in this VRF device.
    NotInInstance(Name, Name),
    /// A number out of its range: what, the number, the least and the most.
    Range(&'static str, u64, u64, u64),
    /// The server makes the connection, and with it decides this.
    Passive(&'static str),
    /// The octets of a send buffer that the kernel gives, and those asked for.
    SendBuffer(u64, u64),
    /// No keys.
    NoKeys,
    /// Two keys of one number: which of the two numbers, and it.
    TwoKeys(&'static str, u8),
    /// A number that is no key's: what for, and it.
    NoKey(&'static str, u8),
    /// The key of this send id is not what it was.
    KeyChanged(u8),
    /// A connection comes from somebody else.
    NotTheServer(IpAddr),
    /// A connection came to another of our addresses.
    NotOurEnd(IpAddr),
    /// A connection is not signed, and has to be.
    Unsigned,
    /// A connection is signed, and nobody wants that.
    Signed,
}

/// An interface's name, as far as the kernel would read it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Name([u8; Name::LEN]);

impl Fault {
    /// What the kernel said when it was asked.
    #[must_use]
    pub fn new(step: Step, error: &io::Error) -> Self {
        Self { step, errno: error.raw_os_error().unwrap_or(0) }
    }

    /// What we refuse.
    #[must_use]
    pub fn ours(why: Why) -> Self {
        Self { step: Step::Ours(why), errno: 0 }
    }

    /// What to do about it, where anybody knows.
    #[must_use]
    pub fn remedy(self) -> Option<&'static str> {
        remedy(self.step, self.errno)
    }
}

/// For `map_err`: what the kernel said when it was asked for `step`.
pub(crate) fn at(step: Step) -> impl Fn(io::Error) -> Fault {
    move |error| Fault::new(step, &error)
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.step.fmt(f)?;
        match (self.step, self.errno) {
            (Step::Ours(_), _) => return Ok(()),
            // An error of the standard library's own: it has no number.
            (_, 0) => f.write_str(": refused")?,
            (_, errno) => write!(f, ": {}", io::Error::from_raw_os_error(errno))?,
        }
        match self.remedy() {
            Some(remedy) => write!(f, ": {remedy}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Fault {}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket => f.write_str("socket"),
            Self::Namespace => f.write_str("network namespace of the vpn-instance"),
            Self::Instance(name) => write!(f, "vpn-instance by VRF device {name} (SO_BINDTODEVICE)"),
            Self::Interface(name) => write!(f, "source interface {name} (SO_BINDTODEVICE)"),
            Self::Interfaces => f.write_str("list of interfaces (getifaddrs)"),
            Self::Source(address) => write!(f, "source address {address} (bind)"),
            Self::Md5 => f.write_str("MD5 key (TCP_MD5SIG)"),
            Self::AoAdd => f.write_str("keychain (TCP_AO_ADD_KEY)"),
            Self::AoChoose => f.write_str("keychain's active key (TCP_AO_INFO)"),
            Self::AoDelete => f.write_str("keychain's old key (TCP_AO_DEL_KEY)"),
            Self::AoRead => f.write_str("keychain of a connection (TCP_AO_GET_KEYS)"),
            Self::Dscp => f.write_str("dscp (IP_TOS, IPV6_TCLASS)"),
            Self::Mss => f.write_str("mss (TCP_MAXSEG)"),
            Self::Keepalive => f.write_str("keepalive (SO_KEEPALIVE)"),
            Self::NoDelay => f.write_str("sending at once (TCP_NODELAY)"),
            Self::Unsent => f.write_str("limit of unsent octets (TCP_NOTSENT_LOWAT)"),
            Self::SendBuffer => f.write_str("send buffer (SO_SNDBUF)"),
            Self::Stall => f.write_str("stall time (TCP_USER_TIMEOUT)"),
            Self::Blocking => f.write_str("blocking mode (O_NONBLOCK)"),
            Self::Bind(address) => write!(f, "listening on {address} (bind)"),
            Self::Listen => f.write_str("listening"),
            Self::Ends => f.write_str("addresses of a connection (getsockname)"),
            Self::Connect => f.write_str("connect"),
            Self::Send => f.write_str("send"),
            Self::Receive => f.write_str("receive"),
            Self::Ours(why) => why.fmt(f),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LinkLocal(server) => {
                write!(f, "server {server} is link-local: give an address that can be routed")
            }
            Self::NotAServer(server) => {
                write!(f, "server {server} is no single machine: give the server's own address")
            }
            Self::Mapped(address) => {
                write!(f, "address {address} is IPv4 written as IPv6: write {}", address.to_canonical())
            }
            Self::Port => f.write_str("port 0, expected 1 to 65535"),
            Self::Families(source, server) => {
                write!(f, "source {source} and server {server}: both have to be IPv4, or both IPv6")
            }
            Self::NotASource(source) => write!(f, "source {source}: give an address that can be routed"),
            Self::NameLength(name, len) => {
                write!(f, "name {name}.. has {len} octets, an interface's has 1 to {}", Name::LEN - 1)
            }
            Self::NoInterface(name) => {
                write!(f, "there is no interface {name} here: see `ip link`, in the session's vpn-instance")
            }
            Self::NoAddress(name, server) => {
                let family = if server.is_ipv4() { "IPv4" } else { "IPv6" };
                write!(f, "interface {name} has no global {family} address: give it one, or another source")
            }
            Self::NotOnInterface(name, address) => {
                write!(f, "interface {name} has no address {address}: add it, or another source")
            }
            Self::NotInInstance(name, device) => {
                write!(f, "interface {name} is not in {device}: `ip link set {name} master {device}`")
            }
            Self::Range(what, got, min, max) => write!(f, "{what} {got}, expected {min} to {max}"),
            Self::Passive(what) => {
                write!(f, "{what} of a passive session is the server's to decide: set it there, or leave it")
            }
            Self::SendBuffer(got, wanted) => write!(
                f,
                "send buffer of {wanted} octets, the kernel gives {got}: raise net.core.wmem_max, or give \
                 the process CAP_NET_ADMIN"
            ),
            Self::NoKeys => f.write_str("no key is good now: see the keychain's times"),
            Self::TwoKeys(which, id) => write!(f, "two keys have {which} {id}: give each its own"),
            Self::NoKey(what, id) => write!(f, "{what} {id} is no key's that is good now"),
            Self::KeyChanged(id) => write!(
                f,
                "key {id} of a connection that stands was changed: reset the session, or give the new key a \
                 number of its own"
            ),
            Self::NotTheServer(got) => write!(f, "connection from {got}, who is not the session's server"),
            Self::NotOurEnd(got) => write!(f, "connection to {got}, which is not the session's source"),
            Self::Unsigned => f.write_str(
                "connection is not signed as the session asks, perhaps because it is older than the key: \
                 reset the session",
            ),
            Self::Signed => f.write_str(
                "connection is signed and the session has no key: take the key from the server, or give it \
                 to the session",
            ),
        }
    }
}

impl Name {
    const LEN: usize = libc::IFNAMSIZ;

    /// Of a text; what is too long is cut.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut octets = [0; Self::LEN];
        let len = text.len().min(Self::LEN);
        octets[..len].copy_from_slice(&text.as_bytes()[..len]);
        Self(octets)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let len = self.0.iter().position(|&octet| octet == 0).unwrap_or(Self::LEN);
        String::from_utf8_lossy(&self.0[..len]).fmt(f)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}

const NO_MD5: &str = "this kernel has no TCP-MD5: use one with CONFIG_TCP_MD5SIG";
const NO_AO: &str = "this kernel has no TCP-AO (Linux 6.7 with CONFIG_TCP_AO): use a kernel that has, or one key \
                     with md5";
const BOTH: &str = "the kernel takes MD5 or TCP-AO for one server, not both: reset the session";
const DESCRIPTORS: &str = "raise the limit of open files (ulimit -n, LimitNOFILE=)";
const MEMORY: &str = "the kernel has no memory for it: see net.ipv4.tcp_mem and net.core.optmem_max";

/// What to do about it: the first line that fits.
fn remedy(step: Step, errno: i32) -> Option<&'static str> {
    use Step::{
        AoAdd, AoChoose, AoDelete, AoRead, Bind, Connect, Instance, Interface, Md5, Mss, Namespace, Receive,
        Send, Socket, Source,
    };
    Some(match (step, errno) {
        (Namespace, ENOENT) => "there is no such file: `ip netns add`, or map the vpn-instance to another",
        (Namespace, EINVAL) => "the file is no network namespace: `ip netns add` makes one",
        (Namespace, EPERM | EACCES) => "give the process CAP_SYS_ADMIN",
        (Namespace, EAGAIN) => "no thread can be made: raise the limit of processes (TasksMax=, ulimit -u)",
        (Instance(_), ENODEV) => "there is no such VRF device: `ip link add NAME type vrf table N`",
        (Instance(_) | Interface(_), EPERM) => "give the process CAP_NET_RAW",
        (Interface(_), ENODEV) => "there is no such interface: see `ip link`",
        (Source(_), EADDRNOTAVAIL) => {
            "it is on no interface of the session's vpn-instance: add it, or another"
        }
        (Source(_) | Bind(_), EADDRINUSE) => "another program has the port",
        (Bind(_), EADDRNOTAVAIL) => {
            "it is on no interface of the listener's vpn-instance: add it, or another"
        }
        (Bind(_), EACCES) => "give the process CAP_NET_BIND_SERVICE, or listen on a port from 1024",
        (Md5, ENOPROTOOPT | ENOENT) => NO_MD5,
        (AoAdd | AoChoose | AoDelete | AoRead, ENOPROTOOPT) => NO_AO,
        (Md5 | AoAdd | AoChoose | Connect, EKEYREJECTED) => BOTH,
        (AoAdd, ENOENT) => "this kernel cannot sign so (`cat /proc/crypto`): choose another algorithm",
        (AoAdd, EEXIST) => "the server has another key of that number: reset the session",
        (AoAdd | AoChoose, EISCONN) => "the connection is not signed: reset the session",
        (AoDelete, EBUSY) => "the server still signs with it: give it the new key",
        (Mss, EINVAL) => "expected 88 to 32767",
        (Connect, ECONNREFUSED) => "nobody listens there: see that the server runs, and its port",
        (Connect, ETIMEDOUT) => {
            "the server does not answer: see the way to it, its firewall, and the key, which \
                                 both sides must have"
        }
        (Connect, EHOSTUNREACH) => "the server's network has no such machine, or a router says so",
        (Connect, ENETUNREACH) => {
            "there is no route to the server from this vpn-instance: see `ip route get`"
        }
        (Connect, ENETDOWN) => "the interface is down: `ip link set NAME up`",
        (Connect, EADDRNOTAVAIL) => "all ports towards this server are taken (net.ipv4.ip_local_port_range)",
        (Connect, EACCES | EPERM) => "a firewall of this machine refuses it",
        (Connect, EINVAL) => "the source address cannot reach this server: choose another",
        (Connect, ECONNRESET) => "the server hung up at once: see its log",
        (Connect, ECONNABORTED) => "it was given up",
        (Send | Receive, ECONNRESET | EPIPE) => "the server hung up: see its log",
        (Send | Receive, ETIMEDOUT) => {
            "the server took nothing for the stall time, or does not answer: see the server, and the way to it"
        }
        (Send | Receive, EHOSTUNREACH | ENETUNREACH) => "the way to the server is gone",
        (Socket, EAFNOSUPPORT) => "this kernel or container has no such family: turn IPv6 on, or use IPv4",
        (_, EMFILE) => DESCRIPTORS,
        (_, ENFILE) => "the machine has too many open files: raise fs.file-max",
        (_, ENOMEM | ENOBUFS) => MEMORY,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_says_what_was_asked_what_the_kernel_said_and_what_to_do() {
        let eth = Name::new("eth7");
        for (step, errno, text) in [
            (
                Step::Interface(eth),
                EPERM,
                "source interface eth7 (SO_BINDTODEVICE): Operation not permitted (os error 1): give the process \
                 CAP_NET_RAW",
            ),
            (
                Step::Instance(Name::new("red")),
                ENODEV,
                "vpn-instance by VRF device red (SO_BINDTODEVICE): No such device (os error 19): there is no such \
                 VRF device: `ip link add NAME type vrf table N`",
            ),
            (
                Step::Md5,
                ENOPROTOOPT,
                "MD5 key (TCP_MD5SIG): Protocol not available (os error 92): this kernel has no TCP-MD5: use one \
                 with CONFIG_TCP_MD5SIG",
            ),
            (
                Step::AoAdd,
                ENOPROTOOPT,
                "keychain (TCP_AO_ADD_KEY): Protocol not available (os error 92): this kernel has no TCP-AO (Linux \
                 6.7 with CONFIG_TCP_AO): use a kernel that has, or one key with md5",
            ),
            (
                Step::Source("192.0.2.1".parse().unwrap()),
                EADDRNOTAVAIL,
                "source address 192.0.2.1 (bind): Cannot assign requested address (os error 99): it is on no \
                 interface of the session's vpn-instance: add it, or another",
            ),
            (
                Step::Connect,
                ECONNREFUSED,
                "connect: Connection refused (os error 111): nobody listens there: see that the server runs, and \
                 its port",
            ),
            (
                Step::Socket,
                EMFILE,
                "socket: Too many open files (os error 24): raise the limit of open files (ulimit -n, \
                 LimitNOFILE=)",
            ),
            (Step::Dscp, EINVAL, "dscp (IP_TOS, IPV6_TCLASS): Invalid argument (os error 22)"),
            (Step::Send, 0, "send: refused"),
        ] {
            assert_eq!(Fault { step, errno }.to_string(), text);
        }
    }

    #[test]
    fn the_brief_errors_of_connecting_all_have_a_remedy() {
        for errno in
            [ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, EMFILE, ENFILE, ENOMEM, EADDRNOTAVAIL]
        {
            let fault = Fault { step: Step::Connect, errno };
            assert!(fault.remedy().is_some(), "{fault}");
        }
    }

    #[test]
    fn a_name_is_cut_and_never_misread() {
        for (text, cut) in
            [("", ""), ("lo", "lo"), ("sixteen-octets-x", "sixteen-octets-x"), ("éééééééééé", "éééééééé")]
        {
            assert_eq!(Name::new(text).to_string(), cut);
        }
    }
}
