//! Every command there is, a row each.
//!
//! ```text
//!   mod.rs       what a row is
//!   system.rs    what is configured in the system view and below it, but for `bmp`
//!   bmp.rs       `bmp` and all that stands in it
//!   action.rs    what is done, and what is shown
//!   check.rs     what a row refuses before it counts
//! ```
//!
//! The order of rows is the order of a configuration's text.

mod action;
mod bmp;
mod check;
mod system;

pub use check::SESSIONS_PER_INSTANCE_MAX;

use crate::tree::{Place, Statement, Tree};

/// Where commands are typed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum View {
    /// `<H>`
    User,
    /// `[H]`
    System,
    /// `[H-bmp]`
    Bmp,
    /// `[H-bmp-session-10.1.1.1]`
    Session,
    /// `[H-bmp-session-10.1.1.1-public]`
    Monitor,
    /// `[H-bmp-session-10.1.1.1-ipv4-unicast]`
    TraceUnicast,
    /// `[H-bmp-session-10.1.1.1-ipv4-vpn]`
    TraceVpn,
    /// `[H-keychain-NAME]`
    Keychain,
    /// `[H-keychain-NAME-keyid-1]`
    KeyId,
    /// `[H-tcp-ao-NAME]`
    TcpAo,
    /// `[H-tcp-ao-NAME-keyid-1]`
    TcpAoKey,
}

/// What a row is about. The order is that of the table, and of a configuration's text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum What {
    // what is configured
    /// `sysname NAME`
    Sysname,
    /// `telemetry listen port P …`
    Telemetry,
    /// `vpn-instance NAME …`
    VpnInstance,
    /// `interface-alias NAME device IFNAME`
    InterfaceAlias,
    /// `keychain NAME …`
    Keychain,
    /// `time mode …`, in a keychain
    TimeMode,
    /// `receive-tolerance …`
    ReceiveTolerance,
    /// `tcp-kind N`
    TcpKind,
    /// `tcp-algorithm-id ALG N`
    TcpAlgorithmId,
    /// `digest-length ALG N`
    DigestLength,
    /// `key-id N`
    KeyId,
    /// `key-string …`
    KeyString,
    /// `algorithm …`
    Algorithm,
    /// `default send-key-id`
    DefaultSendKeyId,
    /// `send-time …`
    SendTime,
    /// `receive-time …`
    ReceiveTime,
    /// `tcp ao NAME`
    TcpAo,
    /// `binding keychain NAME`
    Binding,
    /// `accept-mismatch enable`
    AcceptMismatch,
    /// `key-id N`, in tcp ao
    TcpAoKey,
    /// `send-id N receive-id N`
    TcpAoIds,
    /// `option-authentication disable`
    OptionAuthentication,
    /// `ssl policy NAME`
    SslPolicyObject,
    /// `whitelist session-car bmp …`
    Whitelist,
    /// `bmp`
    Bmp,
    /// `statistics-timer N`
    StatisticsTimer,
    /// `connect-interface A`, in the BMP view
    BmpSource,
    /// `monitored-router listen port P …`
    RouterListen,
    /// `monitored-router permit A/LEN`
    RouterPermit,
    /// `monitored-router limit routers N`
    LimitRouters,
    /// `monitored-router limit peers N`
    LimitPeers,
    /// `monitored-router limit paths N`
    LimitPaths,
    /// `monitored-router limit message-size N`
    LimitMessageSize,
    /// `connect-retry-timer MIN [ MAX ]`
    RetryTimer,
    /// `log-retention MB`
    LogRetention,
    /// `stall-timer SECONDS`
    StallTimer,
    /// `bmp-session …`
    BmpSession,
    /// `description TEXT`
    Description,
    /// `shutdown`
    Shutdown,
    /// `tcp connect port P …`
    TcpConnect,
    /// `tcp listen port P …`
    TcpListen,
    /// `tcp dscp N`
    TcpDscp,
    /// `tcp mss N`
    TcpMss,
    /// `tcp send-buffer KB`
    TcpSendBuffer,
    /// `connect-interface …`, of a session
    SessionSource,
    /// `ssl-policy name NAME`
    SslPolicy,
    /// `monitor …`
    Monitor,
    /// `route-mode …`
    RouteMode,
    /// `ipv4 unicast`
    TraceUnicast,
    /// `ipv4 vpn`
    TraceVpn,
    /// `trace-prefix …`
    TracePrefix,

    // what is done
    /// `system-view [ immediately ]`
    SystemView,
    /// `quit`
    Quit,
    /// `return`
    Return,
    /// `run COMMAND`
    Run,
    /// `commit …`
    Commit,
    /// `abort trial`
    AbortTrial,
    /// `clear configuration candidate`
    ClearCandidate,
    /// `refresh configuration candidate`
    RefreshCandidate,
    /// `rollback configuration …`
    Rollback,
    /// `save`
    Save,
    /// `reset bmp session …`
    ResetSession,
    /// `reset bmp monitored-router …`
    ResetRouter,

    // what is shown
    /// `display this`
    DisplayThis,
    /// `display current-configuration …`
    DisplayCurrent,
    /// `display configuration candidate …`
    DisplayCandidate,
    /// `display configuration commit list`
    DisplayCommits,
    /// `display keychain …`
    DisplayKeychain,
    /// `display default-parameter bmp`
    DisplayDefaults,
    /// `display debugging bmp`
    DisplayDebugging,
    /// `display bmp session …`
    DisplaySession,
    /// `display bgp bmp-monitor …`
    DisplayMonitor,
    /// `display bmp monitored-router …`
    DisplayRouter,
    /// `display bmp peer …`
    DisplayPeer,
    /// `display bmp feed`
    DisplayFeed,
    /// `display bmp memory`
    DisplayMemory,
    /// `display bmp latency`
    DisplayLatency,
}

/// A command.
#[derive(Clone, Copy)]
pub struct Row {
    /// What it is about.
    pub what: What,
    /// Where it can be typed.
    pub views: &'static [View],
    /// As one would write it in a manual: keywords, `<parameter>`, `[ maybe ]`, `{ this | that }`, and
    /// `<parameter>&7` for up to seven of them.
    pub syntax: &'static str,
    /// One line.
    pub help: &'static str,
    /// What it does.
    pub act: Act,
}

/// What a row does.
#[derive(Clone, Copy)]
pub enum Act {
    /// It is part of a configuration.
    Set(Set),
    /// Something happens.
    Do,
    /// Something is shown: `| json` and filters may follow.
    Show,
}

/// How a statement is part of a configuration.
#[derive(Clone, Copy)]
pub struct Set {
    /// Which statements of this row can stand side by side.
    pub key: Key,
    /// What may follow `undo`: every value given must be the statement's.
    pub undo: &'static [&'static str],
    /// The view that it enters, and what that adds to the prompt of the view around it:
    /// `-session-{ip}[-{alias}]`, where the bracket goes if the parameter is not given.
    pub enters: Option<(View, &'static str)>,
    /// What holds where it is not configured, as a line; shown by `include-default`.
    pub default: Option<&'static str>,
    /// What to say when it is undone and not there; `None` if that is no mistake.
    pub absent: Option<&'static str>,
    /// What the value is called that `undo` names and that is not the configured one; `None`: the whole line
    /// is quoted.
    pub called: Option<&'static str>,
    /// Refuses a statement before it counts: by the configuration so far, and the path to where it would stand.
    pub check: Check,
    /// Refuses to let a statement go: by the configuration so far, and the path to where it stands.
    pub keep: Check,
}

/// Refuses with a sentence, without `Error:`.
pub type Check = fn(&Tree, &[Place], &Statement) -> Result<(), String>;

/// Which statements of a row can stand side by side.
#[derive(Clone, Copy)]
pub enum Key {
    /// There is one at most: a second one takes its place.
    One,
    /// One for each combination of these parameters.
    By(&'static [&'static str]),
    /// One for each way to write it.
    All,
    /// One for each way to write it, but for these keywords and parameters.
    But(&'static [&'static str]),
}

/// The table.
pub static TABLE: &[Row] = &joined::<{ system::ROWS.len() + bmp::ROWS.len() + action::ROWS.len() }>();

const fn joined<const N: usize>() -> [Row; N] {
    let parts = [system::ROWS, bmp::ROWS, action::ROWS];
    let mut rows = [system::ROWS[0]; N];
    let (mut part, mut at, mut row) = (0, 0, 0);
    while row < N {
        if at == parts[part].len() {
            (part, at) = (part + 1, 0);
        }
        rows[row] = parts[part][at];
        (at, row) = (at + 1, row + 1);
    }
    rows
}

/// All views.
const ALL: &[View] = &[
    View::User,
    View::System,
    View::Bmp,
    View::Session,
    View::Monitor,
    View::TraceUnicast,
    View::TraceVpn,
    View::Keychain,
    View::KeyId,
    View::TcpAo,
    View::TcpAoKey,
];

/// A row that configures: one of its kind, that needs no check.
const fn set(
    what: What,
    views: &'static [View],
    syntax: &'static str,
    undo: &'static [&'static str],
    help: &'static str,
) -> Row {
    let set = Set {
        key: Key::One,
        undo,
        enters: None,
        default: None,
        absent: None,
        called: None,
        check: check::nothing,
        keep: check::nothing,
    };
    Row { what, views, syntax, help, act: Act::Set(set) }
}

/// A row after which something happens.
const fn action(what: What, views: &'static [View], syntax: &'static str, help: &'static str) -> Row {
    Row { what, views, syntax, help, act: Act::Do }
}

/// A row that shows something.
const fn show(what: What, syntax: &'static str, help: &'static str) -> Row {
    Row { what, views: ALL, syntax, help, act: Act::Show }
}

impl Row {
    /// How it is part of a configuration, if it is.
    #[must_use]
    pub const fn set(&self) -> Option<&Set> {
        match &self.act {
            Act::Set(set) => Some(set),
            Act::Do | Act::Show => None,
        }
    }

    const fn key(mut self, key: Key, absent: &'static str) -> Self {
        if let Act::Set(set) = &mut self.act {
            (set.key, set.absent) = (key, Some(absent));
        }
        self
    }

    const fn enters(mut self, view: View, prompt: &'static str) -> Self {
        if let Act::Set(set) = &mut self.act {
            set.enters = Some((view, prompt));
        }
        self
    }

    const fn default(mut self, line: &'static str) -> Self {
        if let Act::Set(set) = &mut self.act {
            set.default = Some(line);
        }
        self
    }

    const fn called(mut self, name: &'static str) -> Self {
        if let Act::Set(set) = &mut self.act {
            set.called = Some(name);
        }
        self
    }

    const fn check(mut self, check: Check) -> Self {
        if let Act::Set(set) = &mut self.act {
            set.check = check;
        }
        self
    }

    const fn keep(mut self, keep: Check) -> Self {
        if let Act::Set(set) = &mut self.act {
            set.keep = keep;
        }
        self
    }
}

impl View {
    /// What the manual calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user view",
            Self::System => "system view",
            Self::Bmp => "BMP view",
            Self::Session => "BMP session view",
            Self::Monitor => "BMP monitor view",
            Self::TraceUnicast => "IPv4 unicast trace view",
            Self::TraceVpn => "IPv4 VPN trace view",
            Self::Keychain => "keychain view",
            Self::KeyId => "key-id view",
            Self::TcpAo => "TCP-AO view",
            Self::TcpAoKey => "TCP-AO key-id view",
        }
    }

    /// All of them, from the outermost in.
    pub const ALL: &'static [Self] = ALL;
}
