//! Everything that is to be seen of a running engine, at one moment: plain data, which the displays, the
//! metrics and JSON are made of.
//!
//! Ages and times are in microseconds, sizes in octets, and their names say so. What is not known is absent.

use std::net::{IpAddr, SocketAddr};

use serde::Serialize;

/// One moment.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Picture {
    /// What this mirror is called.
    pub sysname: String,
    /// Its release.
    pub version: &'static str,
    /// How long it has been running.
    pub uptime_us: u64,
    /// Now, since 1970.
    pub now_us: u64,
    /// Each `bmp-session`, in the order of the configuration.
    pub sessions: Vec<Session>,
    /// Each router that has been heard of.
    pub routers: Vec<Router>,
    /// Each feed.
    pub feeds: Vec<Feed>,
    /// What it takes.
    pub memory: Memory,
    /// How long things take.
    pub latency: Latency,
}

/// A `bmp-session`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Session {
    /// Its VPN instance; absent: public.
    pub vpn_instance: Option<String>,
    /// Its server.
    pub address: Option<IpAddr>,
    /// Its alias.
    pub alias: Option<String>,
    /// The port of `tcp connect` or `tcp listen`; 0 if there is none.
    pub port: u16,
    /// Whether the server connects to us.
    pub passive: bool,
    /// What it is for.
    pub description: Option<String>,
    /// `Up` if each wanted connection is; else `Down`.
    pub state: &'static str,
    /// Why it is down: `Manual Stop`, or what the last connection ended by.
    pub reason: Option<String>,
    /// Since when, how long.
    pub age_us: u64,
    /// Whether its configuration waits for `reset bmp session`.
    pub changed: bool,
    /// Seconds between two Statistics Reports, and until the next one.
    pub statistics_timer_s: u64,
    /// See `statistics_timer_s`.
    pub statistics_remainder_s: u64,
    /// What it carries, a line each: `public ipv4-family unicast in pre-policy`; `everything`.
    pub monitors: Vec<Monitor>,
    /// Connections that are up.
    pub connections_up: usize,
    /// A connection for each router.
    pub connections: Vec<Connection>,
}

/// What one `monitor` of a session lets through.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Monitor {
    /// `public`, `peer 192.0.2.1`, `vpn-instance a`, `router rr1`, `everything`.
    pub scope: String,
    /// The peer's address, if it is about one.
    pub peer: Option<IpAddr>,
    /// The VPN instance, if it is about one.
    pub vpn_instance: Option<String>,
    /// AFI and SAFI, and the tables of them: `in pre-policy`, `local-rib`. None: all.
    pub tables: Vec<(u16, u8, &'static str)>,
}

/// One connection to a server, about one router.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Connection {
    /// Which.
    pub router: String,
    /// `idle`, `connecting`, `greeting`, `catching-up`, `live`, `closing`, `waiting`.
    pub state: &'static str,
    /// Since when, how long.
    pub age_us: u64,
    /// Our end.
    pub local: Option<SocketAddr>,
    /// The server's end.
    pub remote: Option<SocketAddr>,
    /// Why the last one ended, or did not come about.
    pub reason: Option<String>,
    /// When the next attempt is.
    pub retry_us: Option<u64>,
    /// Connections there have been, and times they were lost.
    pub connects: u64,
    /// Octets that the kernel took, over all connections.
    pub octets: u64,
    /// Sends that were completed.
    pub sends: u64,
    /// Octets that are there to be sent.
    pub lag_octets: u64,
    /// How long the oldest of those has been waiting.
    pub lag_us: u64,
    /// Times it was caught up, among them from nothing, and times it fell off its log.
    pub catch_ups: u64,
    /// See `catch_ups`.
    pub full_dumps: u64,
    /// See `catch_ups`.
    pub falls: u64,
    /// Octets it takes, whatever its server does.
    pub memory_octets: u64,
    /// Messages that were sent.
    pub sent: Messages,
}

/// Messages by type.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Messages {
    /// Type 0.
    pub route_monitoring: u64,
    /// Type 1.
    pub statistics_report: u64,
    /// Type 2.
    pub peer_down: u64,
    /// Type 3.
    pub peer_up: u64,
    /// Type 4.
    pub initiation: u64,
    /// Type 5.
    pub termination: u64,
    /// Type 6.
    pub route_mirroring: u64,
    /// Any other.
    pub other: u64,
}

/// A router whose routes are mirrored.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Router {
    /// Its sysName.
    pub name: String,
    /// `up` if it has a lane, else `down`.
    pub state: &'static str,
    /// Since when, how long.
    pub age_us: u64,
    /// Where it connects from.
    pub remote: Option<SocketAddr>,
    /// What went wrong last.
    pub error: Option<String>,
    /// Octets that came by its present connection.
    pub octets: u64,
    /// Records that wait in its queues: runs of one peer's messages.
    pub queue_records: u64,
    /// Times that its socket was left alone because a queue was full.
    pub stalls: u64,
    /// Messages taken in.
    pub messages: u64,
    /// Among them Route Monitoring.
    pub route_monitoring: u64,
    /// Routes that changed a table.
    pub changed: u64,
    /// Routes that did not.
    pub same: u64,
    /// Routes for which there was no room.
    pub refused: u64,
    /// Messages that could not be read.
    pub malformed: u64,
    /// Messages that no catch-up can tell.
    pub untold: u64,
    /// Messages that were dropped: of an old connection, or of peers that are not up.
    pub dropped: u64,
    /// Messages that were dropped because they were of peers beyond `monitored-router limit peers`.
    pub beyond: u64,
    /// Those that are up.
    pub peers: Vec<Peer>,
}

/// A peer that is up.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Peer {
    /// Its address; absent for a Loc-RIB.
    pub address: Option<IpAddr>,
    /// Its AS.
    pub asn: u32,
    /// Its BGP identifier.
    pub bgp_id: Option<std::net::Ipv4Addr>,
    /// `global`, `rd`, `local`, `loc-rib`, or the number of another type.
    pub kind: String,
    /// Its distinguisher, if it has one.
    pub distinguisher: Option<String>,
    /// What the router calls its table or instance.
    pub instance: Option<String>,
    /// Whether routes came before its Peer Up.
    pub provisional: bool,
    /// How long it has been up.
    pub age_us: u64,
    /// Route Monitoring messages.
    pub updates: u64,
    /// How long ago the last one came.
    pub last_change_us: Option<u64>,
    /// Its tables: `adj-rib-in-pre`, the family, whether with path ids, and paths.
    pub tables: Vec<PeerTable>,
}

/// A table of a peer.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PeerTable {
    /// `adj-rib-in-pre`, `adj-rib-in-post`, `adj-rib-out-pre`, `adj-rib-out-post`, `loc-rib`.
    pub view: &'static str,
    /// `ipv4-unicast`.
    pub family: String,
    /// Whether its routes have path ids.
    pub add_path: bool,
    /// How many there are.
    pub paths: u64,
}

/// A log that sessions share which want the same.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Feed {
    /// Which.
    pub number: u32,
    /// Of which router.
    pub router: String,
    /// Sessions that read it.
    pub sessions: u64,
    /// Octets that it holds, and may.
    pub octets: u64,
    /// See `octets`.
    pub retention_octets: u64,
    /// Octets that have gone through it.
    pub octets_total: u64,
    /// Messages that have gone through it.
    pub messages: Messages,
    /// How old the oldest message is that it holds.
    pub oldest_us: u64,
    /// Times that a session fell off it.
    pub falls: u64,
}

/// What the engine takes, in octets.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Memory {
    /// The process, as the kernel counts.
    pub resident_octets: u64,
    /// Tables of prefixes.
    pub prefixes_octets: u64,
    /// Attributes.
    pub attributes_octets: u64,
    /// Columns of paths.
    pub columns_octets: u64,
    /// What catch-ups sort in.
    pub walks_octets: u64,
    /// Logs of feeds, and segments that wait for their next use.
    pub logs_octets: u64,
    /// Pieces of catch-ups, likewise.
    pub pieces_octets: u64,
    /// Paths.
    pub paths: u64,
    /// How many there may be.
    pub paths_max: u64,
    /// Paths that are gone and remembered.
    pub tombstones: u64,
    /// Different prefixes.
    pub prefixes: u64,
    /// Different sets of attributes.
    pub attributes: u64,
}

/// How long things take.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Latency {
    /// From a source's queue into the logs.
    pub queue_to_log: Percentiles,
    /// From a log to the kernel, for messages of it that are live.
    pub log_to_kernel: Percentiles,
}

/// A histogram, summed up.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Percentiles {
    /// How many were measured.
    pub count: u64,
    /// Their sum.
    pub sum_us: u64,
    /// The least.
    pub min_us: u64,
    /// The median.
    pub p50_us: u64,
    /// 90 of 100 are below.
    pub p90_us: u64,
    /// 99 of 100 are below.
    pub p99_us: u64,
    /// 999 of 1000 are below.
    pub p999_us: u64,
    /// The most.
    pub max_us: u64,
    /// For histograms: up to so many microseconds, so many in all.
    pub buckets: Vec<(u64, u64)>,
}
