//! A picture of everything, from what the core, the roster and the writer know.

use std::collections::HashMap;

use config::meaning::{self, Meaning, Scope, Session, Way};
use mirror::{Mirror, PeerLook, RouterId};
use rib::Time;
use wire::bgp::View;
use wire::bmp::{Kind, PeerKind};
use writer::fleet::{State, Status, Survey};

use crate::core::{Core, Counts, Told};
use crate::latency::Measured;
use crate::picture::{
    Connection, Feed, Latency, Memory, Messages, Monitor, Peer, PeerTable, Picture, Router,
};
use crate::roster::{Entry, Roster};
use crate::translate::shown;

/// What is looked at.
pub(crate) struct Sight<'a> {
    pub(crate) core: &'a Core,
    pub(crate) roster: &'a Roster,
    pub(crate) meaning: &'a Meaning,
    pub(crate) measured: &'a Measured,
    pub(crate) survey: &'a Survey,
    /// Connections of routers.
    pub(crate) intake: &'a [ingest::routers::Sight],
    pub(crate) now: Time,
    pub(crate) uptime_us: u64,
    /// Seconds until the next Statistics Report of our own.
    pub(crate) statistics_remainder_s: u64,
}

impl Sight<'_> {
    /// The picture.
    pub(crate) fn picture(&self) -> Picture {
        let statuses: HashMap<u32, &Status> =
            self.survey.sessions.iter().map(|status| (status.id.0, status)).collect();
        let sessions: Vec<_> = self.roster.entries().map(|entry| self.session(entry, &statuses)).collect();
        let falls = self.falls(&statuses);
        let (logs, pieces) = self.core.usage();
        let rib = self.core.mirror().rib();
        let (memory, count) = (rib.memory(), rib.count());
        Picture {
            sysname: self.roster.sysname().to_string(),
            version: env!("CARGO_PKG_VERSION"),
            uptime_us: self.uptime_us,
            now_us: self.now.0,
            sessions,
            routers: self.roster.routers().iter().map(|(name, id)| self.router(name, *id)).collect(),
            feeds: self.feeds(&falls),
            memory: Memory {
                resident_octets: resident(),
                prefixes_octets: memory.prefixes as u64,
                attributes_octets: memory.attributes as u64,
                columns_octets: memory.columns as u64,
                walks_octets: memory.walks as u64,
                logs_octets: (logs.retained + logs.stragglers + logs.pooled) as u64,
                pieces_octets: (pieces.retained + pieces.stragglers + pieces.pooled) as u64,
                paths: count.paths as u64,
                paths_max: self.meaning.routers.paths_max as u64,
                tombstones: count.tombstones as u64,
                prefixes: count.prefixes as u64,
                attributes: count.attributes as u64,
            },
            latency: Latency {
                queue_to_log: self.measured.queue_to_log(),
                log_to_kernel: self.measured.log_to_kernel(),
            },
        }
    }

    fn age(&self, since: Time) -> u64 {
        self.now.0.saturating_sub(since.0)
    }

    fn session(&self, entry: &Entry, statuses: &HashMap<u32, &Status>) -> crate::picture::Session {
        let session = &entry.session;
        let (port, passive) = match session.way {
            Some(Way::Active(port)) => (port, false),
            Some(Way::Passive(port)) => (port, true),
            None => (0, false),
        };
        let connections = entry.links.iter().map(|(router, link)| {
            let told = |spot| self.core.told(link.id, spot);
            self.connection(router, link.id, statuses.get(&link.id.0).copied(), told)
        });
        crate::picture::Session {
            vpn_instance: session.key.instance.as_deref().map(str::to_owned),
            address: Some(session.key.address),
            alias: session.key.alias.as_deref().map(str::to_owned),
            port,
            passive,
            description: session.description.as_deref().map(str::to_owned),
            state: if entry.up { "Up" } else { "Down" },
            reason: if entry.up { None } else { Some(reason(entry)) },
            age_us: self.age(entry.since),
            changed: entry.changed,
            statistics_timer_s: self.meaning.statistics_s,
            statistics_remainder_s: self.statistics_remainder_s,
            monitors: monitors(session),
            connections_up: entry.links.values().filter(|link| link.up).count(),
            connections: connections.collect(),
        }
    }

    fn connection(
        &self,
        router: &str,
        id: mirror::SessionId,
        status: Option<&Status>,
        told: impl Fn(Option<u64>) -> Told,
    ) -> Connection {
        let position = status.and_then(|status| status.spot).map(|spot| spot.position);
        let told = told(position);
        let mut connection = Connection {
            router: router.to_owned(),
            state: "idle",
            memory_octets: self.core.session_memory(id) as u64,
            catch_ups: told.catch_ups,
            full_dumps: told.full_dumps,
            sent: messages(&told.counts),
            ..Connection::default()
        };
        let Some(status) = status else { return connection };
        let since = self.survey.now.saturating_sub(status.since);
        let retry = status.retry_at.map(|at| at.saturating_sub(self.survey.now));
        connection.state = state(status.state);
        connection.age_us = crate::clock::micros(since);
        connection.local = status.ends.map(|ends| ends.local);
        connection.remote = status.ends.map(|ends| ends.remote);
        connection.reason = status.reason.map(|reason| reason.to_string());
        connection.retry_us = retry.map(crate::clock::micros);
        connection.connects = status.connections;
        connection.octets = status.octets;
        connection.sends = status.sends;
        connection.falls = status.falls;
        connection.lag_octets = status.lag;
        let oldest = position.filter(|_| status.lag > 0).and_then(|at| self.core.published(id, at));
        connection.lag_us = oldest.map_or(0, |oldest| self.age(oldest));
        connection
    }

    fn router(&self, name: &str, id: RouterId) -> Router {
        let mirror = self.core.mirror();
        let presence = self.core.presence(id);
        let tally = mirror.tally(id);
        let connection = self
            .intake
            .iter()
            .find(|sight| sight.router.as_ref().is_some_and(|(router, _)| **router == *name));
        Router {
            name: name.to_owned(),
            state: if presence.lanes > 0 { "up" } else { "down" },
            age_us: self.age(presence.since),
            remote: connection.map(|sight| sight.remote),
            error: self.roster.router_error(name).or_else(|| presence.error.map(|error| error.to_string())),
            octets: connection.map_or(0, |sight| sight.octets),
            stalls: connection.map_or(0, |sight| sight.waits),
            queue_records: self.core.waiting(id) as u64,
            messages: tally.messages,
            route_monitoring: tally.route_monitoring,
            changed: tally.changed,
            same: tally.same,
            refused: tally.refused,
            malformed: tally.malformed,
            untold: tally.untold,
            dropped: tally.stale + tally.stray,
            beyond: tally.beyond,
            peers: mirror.peers_of(id).map(|peer| self.peer(&peer)).collect(),
        }
    }

    fn peer(&self, peer: &PeerLook<'_>) -> Peer {
        let header = peer.header();
        let (updates, updated_at) = peer.updates();
        let loc_rib = header.kind == PeerKind::LOC_RIB;
        let distinguished = header.distinguisher != [0; 8];
        let tables = peer.tables().map(|table| PeerTable {
            view: view(table.view),
            family: table.family.to_string(),
            add_path: table.add_path,
            paths: table.paths as u64,
        });
        Peer {
            address: (!loc_rib).then(|| header.ip()),
            asn: header.asn.get(),
            bgp_id: Some(header.bgp_id.into()),
            kind: header.kind.to_string(),
            distinguisher: distinguished.then(|| wire::RouteDistinguisher(header.distinguisher).to_string()),
            instance: peer.instance().map(|name| String::from_utf8_lossy(name).into_owned()),
            provisional: peer.is_provisional(),
            age_us: self.age(peer.up_at()),
            updates,
            last_change_us: (updates > 0).then(|| self.age(updated_at)),
            tables: tables.collect(),
        }
    }

    /// How often sessions fell off each feed.
    fn falls(&self, statuses: &HashMap<u32, &Status>) -> HashMap<u32, (u64, u64)> {
        let mut falls: HashMap<u32, (u64, u64)> = HashMap::new();
        let links = self.roster.entries().flat_map(|entry| entry.links.values());
        for link in links {
            let feed = self.core.mirror().feed(link.id);
            let of_feed = falls.entry(feed.0).or_default();
            of_feed.0 += 1;
            of_feed.1 += statuses.get(&link.id.0).map_or(0, |status| status.falls);
        }
        falls
    }

    fn feeds(&self, falls: &HashMap<u32, (u64, u64)>) -> Vec<Feed> {
        let mirror: &Mirror = self.core.mirror();
        let mut feeds: Vec<Feed> = mirror
            .feeds()
            .filter_map(|(feed, router)| {
                let log = self.core.log(feed)?;
                let (sessions, falls) = falls.get(&feed.0).copied().unwrap_or_default();
                Some(Feed {
                    number: feed.0,
                    router: mirror.name(router).to_owned(),
                    sessions,
                    octets: log.retained as u64,
                    retention_octets: self.meaning.retention as u64,
                    octets_total: log.end,
                    messages: messages(&log.counts),
                    oldest_us: log.oldest.map_or(0, |oldest| self.age(oldest)),
                    falls,
                })
            })
            .collect();
        feeds.sort_by_key(|feed| feed.number);
        feeds
    }
}

/// Why a session is down.
fn reason(entry: &Entry) -> String {
    let session = &entry.session;
    if session.shutdown {
        return String::from("Manual Stop");
    }
    if session.way.is_none() {
        return String::from("No port: configure tcp connect port");
    }
    if entry.links.is_empty() {
        return String::from("No router is monitored by its monitor lines");
    }
    entry.reason.clone().unwrap_or_else(|| match session.way {
        Some(Way::Passive(_)) => String::from("The server has not connected"),
        _ => String::from("Connecting"),
    })
}

fn messages(counts: &Counts) -> Messages {
    Messages {
        route_monitoring: counts.of(Kind::ROUTE_MONITORING),
        statistics_report: counts.of(Kind::STATISTICS),
        peer_down: counts.of(Kind::PEER_DOWN),
        peer_up: counts.of(Kind::PEER_UP),
        initiation: counts.of(Kind::INITIATION),
        termination: counts.of(Kind::TERMINATION),
        route_mirroring: counts.of(Kind::ROUTE_MIRRORING),
        other: counts.others(),
    }
}

fn state(state: State) -> &'static str {
    match state {
        State::Idle => "idle",
        State::Connecting => "connecting",
        State::Greeting => "greeting",
        State::CatchingUp => "catching-up",
        State::Live => "live",
        State::Closing => "closing",
        State::Waiting => "waiting",
    }
}

fn view(view: View) -> &'static str {
    match view {
        View::AdjRibInPre => "adj-rib-in-pre",
        View::AdjRibInPost => "adj-rib-in-post",
        View::AdjRibOutPre => "adj-rib-out-pre",
        View::AdjRibOutPost => "adj-rib-out-post",
        View::LocRib => "loc-rib",
    }
}

/// What a session carries.
fn monitors(session: &Session) -> Vec<Monitor> {
    if session.monitors.is_empty() {
        return vec![Monitor { scope: String::from("everything"), ..Monitor::default() }];
    }
    session.monitors.iter().map(monitor).collect()
}

fn monitor(monitor: &meaning::Monitor) -> Monitor {
    let (scope, peer, vpn_instance) = match &monitor.scope {
        Scope::Public => (String::from("public"), None, None),
        Scope::AllVpn => (String::from("all-vpn-instance"), None, None),
        Scope::Peer(address) => (format!("peer {}", shown(*address)), Some(*address), None),
        Scope::Vpn(name) => (format!("vpn-instance {name}"), None, Some(name.to_string())),
        Scope::VpnPeer(name, address) => {
            let scope = format!("vpn-instance {name} peer {}", shown(*address));
            (scope, Some(*address), Some(name.to_string()))
        }
        Scope::Router(name) => (format!("router {name}"), None, None),
    };
    let tables = monitor.tables.iter().map(|table| {
        let rib = match table.rib {
            meaning::Rib::InPre => "in pre-policy",
            meaning::Rib::InPost => "in post-policy",
            meaning::Rib::OutPre => "out pre-policy",
            meaning::Rib::OutPost => "out post-policy",
            meaning::Rib::Local => "local-rib",
        };
        (table.family.0, table.family.1, rib)
    });
    Monitor { scope, peer, vpn_instance, tables: tables.collect() }
}

/// Octets of this process that are in memory.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * rustix::param::page_size() as u64
}
