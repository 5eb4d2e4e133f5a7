//! The metrics: a row each.

use super::page::Value::{Count, Micros};
use super::page::{
    Kind::{self, Counter, Gauge},
    Metric, Value,
};
use crate::picture::{Connection, Feed, Memory, Messages, Peer, PeerTable, Router, Session};

const fn row<T>(name: &'static str, kind: Kind, help: &'static str, value: fn(&T) -> Value) -> Metric<T> {
    Metric { name, kind, help, value }
}

fn flag(is: bool) -> Value {
    Count(u64::from(is))
}

fn number(count: usize) -> Value {
    Count(count as u64)
}

/// By session.
pub(super) const SESSION: [Metric<Session>; 5] = [
    row("heliograph_session_up", Gauge, "Whether all its connections are up.", |s| flag(s.state == "Up")),
    row("heliograph_session_state_age_seconds", Gauge, "For how long it has been up, or down.", |s| {
        Micros(s.age_us)
    }),
    row("heliograph_session_reset_needed", Gauge, "Whether its new configuration waits for a reset.", |s| {
        flag(s.changed)
    }),
    row("heliograph_session_connections_up", Gauge, "Connections that are up.", |s| number(s.connections_up)),
    row("heliograph_session_connections_wanted", Gauge, "Connections that should be.", |s| {
        number(s.connections.len())
    }),
];

/// By connection and its state.
pub(super) const CONNECTION_STATE: Metric<Connection> =
    row("heliograph_connection_state", Gauge, "Always 1; the label says which state it is in.", |_| Count(1));

/// By connection.
pub(super) const CONNECTION: [Metric<Connection>; 11] = [
    row("heliograph_connection_state_age_seconds", Gauge, "For how long it has been in its state.", |c| {
        Micros(c.age_us)
    }),
    row("heliograph_connection_connects_total", Counter, "Connections there have been.", |c| {
        Count(c.connects)
    }),
    row("heliograph_connection_sent_bytes_total", Counter, "Octets that the kernel took.", |c| {
        Count(c.octets)
    }),
    row("heliograph_connection_sends_total", Counter, "Sends that were completed.", |c| Count(c.sends)),
    row("heliograph_connection_lag_bytes", Gauge, "Octets that are there to be sent.", |c| {
        Count(c.lag_octets)
    }),
    row("heliograph_connection_lag_seconds", Gauge, "How long the oldest unsent message has waited.", |c| {
        Micros(c.lag_us)
    }),
    row("heliograph_connection_retry_seconds", Gauge, "Until the next attempt; 0 if none is due.", |c| {
        Micros(c.retry_us.unwrap_or(0))
    }),
    row("heliograph_connection_catch_ups_total", Counter, "Times it was caught up from the tables.", |c| {
        Count(c.catch_ups)
    }),
    row(
        "heliograph_connection_full_dumps_total",
        Counter,
        "Catch-ups among them that began from nothing.",
        |c| Count(c.full_dumps),
    ),
    row("heliograph_connection_falls_total", Counter, "Times it was too slow and fell off its log.", |c| {
        Count(c.falls)
    }),
    row("heliograph_connection_memory_bytes", Gauge, "What it takes, whatever its server does.", |c| {
        Count(c.memory_octets)
    }),
];

/// By connection and type of message.
pub(super) const SENT: Metric<u64> =
    row("heliograph_connection_sent_messages_total", Counter, "Messages that were sent.", |count| {
        Count(*count)
    });

/// How many messages there were of a type.
type OfType = fn(&Messages) -> u64;

/// Messages by type.
pub(super) const TYPES: [(&str, OfType); 8] = [
    ("route-monitoring", |m| m.route_monitoring),
    ("statistics-report", |m| m.statistics_report),
    ("peer-down", |m| m.peer_down),
    ("peer-up", |m| m.peer_up),
    ("initiation", |m| m.initiation),
    ("termination", |m| m.termination),
    ("route-mirroring", |m| m.route_mirroring),
    ("other", |m| m.other),
];

/// By router.
pub(super) const ROUTER: [Metric<Router>; 12] = [
    row("heliograph_router_up", Gauge, "Whether it is connected.", |r| flag(r.state == "up")),
    row("heliograph_router_state_age_seconds", Gauge, "For how long it has been up, or down.", |r| {
        Micros(r.age_us)
    }),
    row("heliograph_router_peers", Gauge, "Peers that are up.", |r| number(r.peers.len())),
    row("heliograph_router_queue_records", Gauge, "Reads of its connection that wait in queues.", |r| {
        Count(r.queue_records)
    }),
    row("heliograph_router_messages_total", Counter, "Messages taken in.", |r| Count(r.messages)),
    row(
        "heliograph_router_route_monitoring_messages_total",
        Counter,
        "Route Monitoring messages taken in.",
        |r| Count(r.route_monitoring),
    ),
    row("heliograph_router_malformed_messages_total", Counter, "Messages that could not be read.", |r| {
        Count(r.malformed)
    }),
    row("heliograph_router_untold_messages_total", Counter, "Messages that no catch-up can tell.", |r| {
        Count(r.untold)
    }),
    row("heliograph_router_dropped_messages_total", Counter, "Messages that were dropped.", |r| {
        Count(r.dropped)
    }),
    row(
        "heliograph_router_beyond_limit_messages_total",
        Counter,
        "Messages of peers beyond the limit.",
        |r| Count(r.beyond),
    ),
    row(
        "heliograph_router_received_bytes_total",
        Counter,
        "Octets that came by its present connection.",
        |r| Count(r.octets),
    ),
    row(
        "heliograph_router_stalls_total",
        Counter,
        "Times that its socket was left alone, a queue being full.",
        |r| Count(r.stalls),
    ),
];

/// By router and what came of a route.
pub(super) const ROUTES: Metric<u64> =
    row("heliograph_router_routes_total", Counter, "Routes, by what they did to a table.", |count| {
        Count(*count)
    });

/// By peer.
pub(super) const PEER: [Metric<Peer>; 4] = [
    row("heliograph_peer_up_seconds", Gauge, "For how long it has been up.", |p| Micros(p.age_us)),
    row("heliograph_peer_provisional", Gauge, "Whether routes came before its Peer Up.", |p| {
        flag(p.provisional)
    }),
    row("heliograph_peer_updates_total", Counter, "Route Monitoring messages.", |p| Count(p.updates)),
    row(
        "heliograph_peer_quiet_seconds",
        Gauge,
        "Since its last route; since it is up, if there was none.",
        |p| Micros(p.last_change_us.unwrap_or(p.age_us)),
    ),
];

/// By table of a peer.
pub(super) const PEER_PATHS: Metric<PeerTable> =
    row("heliograph_peer_paths", Gauge, "Paths in a table.", |table| Count(table.paths));

/// By feed.
pub(super) const FEED: [Metric<Feed>; 6] = [
    row("heliograph_feed_sessions", Gauge, "Connections that read it.", |f| Count(f.sessions)),
    row("heliograph_feed_log_bytes", Gauge, "Octets that its log holds.", |f| Count(f.octets)),
    row("heliograph_feed_log_limit_bytes", Gauge, "Octets that its log may hold.", |f| {
        Count(f.retention_octets)
    }),
    row("heliograph_feed_bytes_total", Counter, "Octets that have gone through it.", |f| {
        Count(f.octets_total)
    }),
    row("heliograph_feed_oldest_seconds", Gauge, "How old the oldest message is that it holds.", |f| {
        Micros(f.oldest_us)
    }),
    row("heliograph_feed_falls_total", Counter, "Times that one of its connections fell off it.", |f| {
        Count(f.falls)
    }),
];

/// By feed and type of message.
pub(super) const FEED_MESSAGES: Metric<u64> =
    row("heliograph_feed_messages_total", Counter, "Messages that have gone through it.", |count| {
        Count(*count)
    });

/// By part.
pub(super) const MEMORY: Metric<u64> =
    row("heliograph_memory_bytes", Gauge, "What a part of the engine takes.", |octets| Count(*octets));

/// What the tables hold.
pub(super) const TABLES: [Metric<Memory>; 5] = [
    row("heliograph_paths", Gauge, "Paths in all tables.", |m| Count(m.paths)),
    row("heliograph_paths_limit", Gauge, "How many there may be.", |m| Count(m.paths_max)),
    row("heliograph_tombstones", Gauge, "Paths that are gone and remembered.", |m| Count(m.tombstones)),
    row("heliograph_prefixes", Gauge, "Different prefixes.", |m| Count(m.prefixes)),
    row("heliograph_attribute_sets", Gauge, "Different sets of attributes.", |m| Count(m.attributes)),
];
