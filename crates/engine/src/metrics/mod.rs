//! The same for machines: Prometheus text, exposition format 0.0.4.
//!
//! ```text
//!   Picture ─► one table of metrics for each kind of thing ─► HELP, TYPE, samples
//!              session, connection, router, peer, feed
//! ```
//!
//! * **names**   `heliograph_`, the thing, what is counted, its unit: seconds and bytes; counters end in `_total`.
//! * **labels**  a session is known by `session`, `alias` and `vpn_instance` as in the configuration, and empty
//!   where there is none. Names from outside are escaped, and never make two series one.
//! * **how many series**  5 a session and 20 a connection, which is a session and a router; 15 a router, 4 a peer
//!   and 1 for each of its tables; 14 a feed. What is configured bounds all of these: sessions, and
//!   `monitored-router limit routers` and `peers`. Nothing is counted by prefix, attribute or AS path.

mod page;
mod parts;
#[cfg(test)]
mod tests;

use crate::picture::{Connection, Feed, Messages, Peer, PeerTable, Picture, Router, Session};
use page::{Kind, Labels, Metric, Page, Value};

/// The whole page.
#[must_use]
pub fn text(picture: &Picture) -> String {
    let mut page = Page::default();
    process(&mut page, picture);
    sessions(&mut page, picture);
    routers(&mut page, picture);
    feeds(&mut page, picture);
    memory(&mut page, picture);
    for (name, help, times) in [
        (
            "heliograph_queue_to_log_seconds",
            "From a source's queue into the logs.",
            &picture.latency.queue_to_log,
        ),
        (
            "heliograph_log_to_kernel_seconds",
            "From a log to the kernel, live messages.",
            &picture.latency.log_to_kernel,
        ),
    ] {
        page.histogram(name, help, &times.buckets, times.sum_us, times.count);
    }
    page.finish()
}

fn process(page: &mut Page, picture: &Picture) {
    let labels = Labels::new(&[("version", picture.version), ("sysname", &picture.sysname)]);
    page.one("heliograph_info", Kind::Gauge, "Always 1; what runs here.", &labels, Value::Count(1));
    let start = Value::Micros(picture.now_us.saturating_sub(picture.uptime_us));
    let resident = Value::Count(picture.memory.resident_octets);
    for (name, help, value) in [
        ("heliograph_process_start_time_seconds", "When it was started, since 1970.", start),
        (
            "heliograph_process_resident_memory_bytes",
            "What the process takes, as the kernel counts.",
            resident,
        ),
    ] {
        page.one(name, Kind::Gauge, help, &Labels::default(), value);
    }
}

fn session_labels(session: &Session) -> Labels {
    Labels::new(&[
        ("session", &session.address.map(|address| address.to_string()).unwrap_or_default()),
        ("alias", session.alias.as_deref().unwrap_or_default()),
        ("vpn_instance", session.vpn_instance.as_deref().unwrap_or_default()),
    ])
}

fn sessions(page: &mut Page, picture: &Picture) {
    let sessions: Vec<(Labels, &Session)> =
        picture.sessions.iter().map(|session| (session_labels(session), session)).collect();
    each(page, &parts::SESSION, &sessions);
    let mut connections: Vec<(Labels, &Connection)> = Vec::new();
    for (labels, session) in &sessions {
        for connection in &session.connections {
            connections.push((labels.and("router", &connection.router), connection));
        }
    }
    let states: Vec<(Labels, &Connection)> = connections
        .iter()
        .map(|(labels, connection)| (labels.and("state", connection.state), *connection))
        .collect();
    each(page, &[parts::CONNECTION_STATE], &states);
    each(page, &parts::CONNECTION, &connections);
    let sent = connections.iter().map(|(labels, connection)| (labels.clone(), connection.sent));
    messages(page, &parts::SENT, sent);
}

fn routers(page: &mut Page, picture: &Picture) {
    let routers: Vec<(Labels, &Router)> =
        picture.routers.iter().map(|router| (Labels::new(&[("router", &router.name)]), router)).collect();
    each(page, &parts::ROUTER, &routers);
    let routes = routers.iter().flat_map(|(labels, router)| {
        [("changed", router.changed), ("same", router.same), ("refused", router.refused)]
            .map(|(result, count)| (labels.and("result", result), count))
    });
    counts(page, &parts::ROUTES, routes);
    let peers: Vec<(Labels, &Peer)> = routers
        .iter()
        .flat_map(|(labels, router)| router.peers.iter().map(|peer| (peer_labels(labels, peer), peer)))
        .collect();
    each(page, &parts::PEER, &peers);
    let mut tables: Vec<(Labels, &PeerTable)> = Vec::new();
    for (labels, peer) in &peers {
        for table in &peer.tables {
            let add_path = if table.add_path { "true" } else { "false" };
            let labels = labels.and("view", table.view).and("family", &table.family);
            tables.push((labels.and("add_path", add_path), table));
        }
    }
    each(page, &[parts::PEER_PATHS], &tables);
}

/// What BMP knows a peer by, and its AS and BGP identifier, which two that follow one another may differ by.
fn peer_labels(router: &Labels, peer: &Peer) -> Labels {
    router
        .and("peer", &peer.address.map(|address| address.to_string()).unwrap_or_default())
        .and("kind", &peer.kind)
        .and("distinguisher", peer.distinguisher.as_deref().unwrap_or_default())
        .and("asn", &peer.asn.to_string())
        .and("bgp_id", &peer.bgp_id.map(|id| id.to_string()).unwrap_or_default())
}

fn feeds(page: &mut Page, picture: &Picture) {
    let feeds: Vec<(Labels, &Feed)> = picture
        .feeds
        .iter()
        .map(|feed| (Labels::new(&[("feed", &feed.number.to_string()), ("router", &feed.router)]), feed))
        .collect();
    each(page, &parts::FEED, &feeds);
    messages(page, &parts::FEED_MESSAGES, feeds.iter().map(|(labels, feed)| (labels.clone(), feed.messages)));
}

fn memory(page: &mut Page, picture: &Picture) {
    let memory = &picture.memory;
    let connections = picture.sessions.iter().flat_map(|session| &session.connections);
    let parts = [
        ("prefixes", memory.prefixes_octets),
        ("attributes", memory.attributes_octets),
        ("paths", memory.columns_octets),
        ("walks", memory.walks_octets),
        ("logs", memory.logs_octets),
        ("pieces", memory.pieces_octets),
        ("connections", connections.map(|connection| connection.memory_octets).sum()),
    ];
    counts(page, &parts::MEMORY, parts.map(|(part, octets)| (Labels::new(&[("part", part)]), octets)));
    each(page, &parts::TABLES, &[(Labels::default(), memory)]);
}

/// Families that have a sample for each of these.
fn each<T>(page: &mut Page, metrics: &[Metric<T>], things: &[(Labels, &T)]) {
    for metric in metrics {
        page.each(metric, things.iter().map(|(labels, thing)| (labels, *thing)));
    }
}

/// A family whose values are at hand.
fn counts(page: &mut Page, metric: &Metric<u64>, counts: impl IntoIterator<Item = (Labels, u64)>) {
    let counts: Vec<(Labels, u64)> = counts.into_iter().collect();
    page.each(metric, counts.iter().map(|(labels, count)| (labels, count)));
}

/// A family with a sample for each type of message.
fn messages(page: &mut Page, metric: &Metric<u64>, all: impl IntoIterator<Item = (Labels, Messages)>) {
    let by_type = all.into_iter().flat_map(|(labels, messages)| {
        parts::TYPES.map(|(name, count)| (labels.and("type", name), count(&messages)))
    });
    counts(page, metric, by_type);
}
