//! What is not about one session: name, metrics, timers, and where routers come in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::names::Names;
use super::{At, Findings, Meaning, Routers, at};
use crate::table::What;
use crate::tree::{Statement, Tree};
use crate::value::Value;

/// Seconds between two Statistics Reports, as VRP has it.
pub const STATISTICS_S: u64 = 3600;
/// Seconds before the second attempt to connect: RFC 7854 §3.2.
pub const RETRY_FIRST_S: u64 = 30;
/// Seconds between two attempts, at most: likewise.
pub const RETRY_LONGEST_S: u64 = 720;
/// Megabytes of a feed's log.
pub const RETENTION_MB: usize = 64;
/// Seconds without progress.
pub const STALL_S: u64 = 300;
/// Routers at the same time.
pub const ROUTERS_MAX: usize = 1000;
/// Peers of a router.
pub const PEERS_MAX: usize = 4096;
/// Paths of all routers.
pub const PATHS_MAX: usize = 1 << 30;
/// Octets of a message.
pub const MESSAGE_MAX: usize = 1 << 20;

impl Default for Meaning {
    /// What holds where nothing is configured.
    fn default() -> Self {
        Self {
            sysname: None,
            telemetry: None,
            enabled: false,
            statistics_s: STATISTICS_S,
            retry_s: (RETRY_FIRST_S, RETRY_LONGEST_S),
            stall_s: STALL_S,
            retention: RETENTION_MB << 20,
            routers: Routers::default(),
            sessions: std::collections::BTreeMap::new(),
        }
    }
}

impl Default for Routers {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            permit: Vec::new(),
            routers_max: ROUTERS_MAX,
            peers_max: PEERS_MAX,
            paths_max: PATHS_MAX,
            message_max: MESSAGE_MAX,
        }
    }
}

/// All but the sessions.
pub(super) fn settings(tree: &Tree, names: &Names<'_>, found: &mut Findings) -> Meaning {
    let mut meaning = Meaning {
        sysname: tree.one(What::Sysname).and_then(|node| node.statement.text("sysname").cloned()),
        telemetry: tree
            .one(What::Telemetry)
            .and_then(|node| listening(&node.statement, Ipv4Addr::LOCALHOST.into())),
        ..Meaning::default()
    };
    for policy in at(tree, &[], What::SslPolicyObject) {
        found.warn(&policy, "The SSL policy has no effect: TLS is not available on this system.");
    }
    if let Some(whitelist) = at(tree, &[], What::Whitelist).next() {
        found.warn(&whitelist, "whitelist session-car has no effect: this system has no such limit.");
    }
    let Some(bmp) = at(tree, &[], What::Bmp).next() else { return meaning };
    meaning.enabled = true;
    if let Some(seconds) = bmp.number(What::StatisticsTimer, "statistics") {
        meaning.statistics_s = seconds;
    }
    if let Some(timer) = bmp.one(What::RetryTimer) {
        meaning.retry_s = retry(timer.statement());
    }
    if let Some(seconds) = bmp.number(What::StallTimer, "stall") {
        meaning.stall_s = seconds;
    }
    if let Some(megabytes) = bmp.number::<usize>(What::LogRetention, "megabytes") {
        meaning.retention = megabytes << 20;
    }
    meaning.routers = routers(&bmp, names, found);
    meaning
}

/// The first wait, and the longest: never shorter than the first, so a long first one alone is both.
fn retry(timer: &Statement) -> (u64, u64) {
    let mut waits = timer.values("retry").filter_map(|wait| match wait {
        Value::Number(seconds) => Some(*seconds),
        _ => None,
    });
    let first = waits.next().unwrap_or(RETRY_FIRST_S);
    (first, waits.next().unwrap_or(RETRY_LONGEST_S).max(first))
}

fn routers(bmp: &At<'_>, names: &Names<'_>, found: &mut Findings) -> Routers {
    let mut routers = Routers::default();
    for listen in bmp.all(What::RouterListen) {
        let address = listening(listen.statement(), Ipv6Addr::UNSPECIFIED.into());
        if let (Some(address), Some(network)) = (address, names.network(&listen, found)) {
            routers.listen.push((address, network));
        }
    }
    let permitted = |permit: At<'_>| match permit.statement().value("prefix") {
        Some(Value::Prefix(address, length)) => Some((*address, *length)),
        _ => None,
    };
    routers.permit = bmp.all(What::RouterPermit).filter_map(permitted).collect::<Vec<(IpAddr, u8)>>();
    for (what, parameter, limit) in [
        (What::LimitRouters, "routers", &mut routers.routers_max),
        (What::LimitPeers, "peers", &mut routers.peers_max),
        (What::LimitPaths, "paths", &mut routers.paths_max),
        (What::LimitMessageSize, "bytes", &mut routers.message_max),
    ] {
        *limit = bmp.number(what, parameter).unwrap_or(*limit);
    }
    routers
}

/// Where something listens that may say at which address.
pub(super) fn listening(statement: &Statement, otherwise: IpAddr) -> Option<SocketAddr> {
    Some(SocketAddr::new(statement.address("ip").unwrap_or(otherwise), port(statement)?))
}

/// A port, which the syntax has kept within its range.
pub(super) fn port(statement: &Statement) -> Option<u16> {
    statement.number("port").and_then(|port| u16::try_from(port).ok())
}
