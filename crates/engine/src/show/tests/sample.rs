//! A picture with something of everything, hostile names among it.

use crate::picture::{
    Connection, Feed, Latency, Memory, Messages, Monitor, Peer, PeerTable, Percentiles, Picture, Router,
    Session,
};

const SECOND: u64 = 1_000_000;
const HOUR: u64 = 3600 * SECOND;

/// A name that would paint a terminal red, begin a new line, and end a label.
pub(crate) const HOSTILE: &str = "\u{1b}[31mrr\"2\"\\\n\u{202e}";

fn monitors() -> Vec<Monitor> {
    vec![
        Monitor {
            scope: "public".to_owned(),
            tables: vec![(1, 1, "local-rib"), (2, 1, "local-rib"), (1, 1, "in post-policy")],
            ..Monitor::default()
        },
        Monitor {
            scope: "peer 203.0.113.1".to_owned(),
            peer: Some([203, 0, 113, 1].into()),
            tables: vec![(1, 1, "in pre-policy"), (1, 128, "in pre-policy")],
            ..Monitor::default()
        },
        Monitor {
            scope: "vpn-instance red peer 2001:DB8::7".to_owned(),
            peer: "2001:db8::7".parse().ok(),
            vpn_instance: Some("red".to_owned()),
            tables: vec![(2, 1, "out post-policy")],
        },
    ]
}

fn up() -> Connection {
    Connection {
        router: "rr1".to_owned(),
        state: "live",
        age_us: 12 * HOUR + 18 * 60 * SECOND + 32 * SECOND,
        local: "198.51.100.7:50423".parse().ok(),
        remote: "192.0.2.10:5000".parse().ok(),
        reason: None,
        retry_us: None,
        connects: 1,
        octets: 1_288_490_188,
        sends: 8123,
        lag_octets: 0,
        lag_us: 0,
        catch_ups: 1,
        full_dumps: 1,
        falls: 0,
        memory_octets: 18_432,
        sent: Messages {
            route_monitoring: 9,
            statistics_report: 53,
            peer_up: 4,
            initiation: 1,
            ..Messages::default()
        },
    }
}

fn down() -> Connection {
    Connection {
        router: HOSTILE.to_owned(),
        state: "waiting",
        age_us: 3 * SECOND,
        reason: Some("the server closed the connection".to_owned()),
        retry_us: Some(11_000_001),
        connects: 3,
        octets: 1000,
        sends: 12,
        lag_octets: 70_000,
        lag_us: 1_234_567,
        catch_ups: 4,
        full_dumps: 1,
        falls: 2,
        sent: Messages { peer_down: 3, initiation: 3, route_mirroring: 2, other: 1, ..Messages::default() },
        ..up()
    }
}

fn sessions() -> Vec<Session> {
    let session = Session {
        address: Some([192, 0, 2, 10].into()),
        port: 5000,
        state: "Up",
        age_us: 12 * HOUR + 18 * 60 * SECOND + 32 * SECOND,
        statistics_timer_s: 3600,
        statistics_remainder_s: 2490,
        monitors: monitors(),
        connections_up: 1,
        connections: vec![up()],
        ..Session::default()
    };
    let everything = Monitor { scope: "everything".to_owned(), ..Monitor::default() };
    let second = Session {
        alias: Some("b".to_owned()),
        description: Some("Frankfurt\u{7}, rack 2".to_owned()),
        state: "Down",
        reason: Some("the server closed the connection".to_owned()),
        age_us: 44 * SECOND,
        changed: true,
        monitors: vec![everything],
        connections: vec![up(), down()],
        ..session.clone()
    };
    let third = Session {
        address: "2001:db8:1:2:3:4:5:6".parse().ok(),
        vpn_instance: Some("red".to_owned()),
        port: 1790,
        passive: true,
        state: "Down",
        reason: Some("Manual Stop".to_owned()),
        age_us: 26 * HOUR,
        monitors: vec![Monitor {
            scope: "router rr1".to_owned(),
            tables: vec![(1, 1, "in pre-policy")],
            ..Monitor::default()
        }],
        connections_up: 0,
        connections: Vec::new(),
        ..session.clone()
    };
    vec![session, second, third]
}

fn table(view: &'static str, family: &str, add_path: bool, paths: u64) -> PeerTable {
    PeerTable { view, family: family.to_owned(), add_path, paths }
}

fn routers() -> Vec<Router> {
    let peer = Peer {
        address: Some([203, 0, 113, 1].into()),
        asn: 65001,
        bgp_id: Some([10, 0, 0, 1].into()),
        kind: "global".to_owned(),
        age_us: 4 * HOUR + 39 * 60 * SECOND + 54 * SECOND,
        updates: 1_048_576,
        last_change_us: Some(2 * SECOND),
        tables: vec![
            table("adj-rib-in-pre", "ipv4-unicast", true, 942_117),
            table("adj-rib-in-post", "ipv4-unicast", false, 942_000),
            table("adj-rib-in-pre", "ipv6-unicast", false, 180_021),
        ],
        ..Peer::default()
    };
    let vpn = Peer {
        address: "2001:db8::7".parse().ok(),
        asn: 4_200_000_001,
        kind: "rd".to_owned(),
        distinguisher: Some("65000:1".to_owned()),
        provisional: true,
        age_us: 5 * SECOND,
        updates: 0,
        last_change_us: None,
        tables: Vec::new(),
        ..peer.clone()
    };
    let local = Peer {
        address: None,
        kind: "loc-rib".to_owned(),
        instance: Some("global\r".to_owned()),
        tables: vec![table("loc-rib", "ipv4-unicast", false, 7)],
        ..peer.clone()
    };
    let first = Router {
        name: "rr1".to_owned(),
        state: "up",
        age_us: 30 * 24 * HOUR,
        remote: "198.51.100.1:41112".parse().ok(),
        queue_records: 3,
        messages: 2_097_152,
        route_monitoring: 2_097_000,
        changed: 5_000_000,
        same: 40_000,
        peers: vec![peer, vpn, local],
        ..Router::default()
    };
    let second = Router {
        name: HOSTILE.to_owned(),
        state: "down",
        age_us: 59 * 60 * SECOND,
        remote: "[2001:db8::1]:11019".parse().ok(),
        error: Some("BMP version 71, expected 3\r\nHTTP".to_owned()),
        messages: 12,
        malformed: 1,
        dropped: 4,
        beyond: 2,
        refused: 100,
        untold: 2,
        ..Router::default()
    };
    vec![first, second]
}

/// The picture.
pub(crate) fn picture() -> Picture {
    let feed = Feed {
        number: 0,
        router: "rr1".to_owned(),
        sessions: 2,
        octets: 67_108_863,
        retention_octets: 67_108_864,
        octets_total: 5_000_000_000,
        messages: Messages { route_monitoring: 2_000_000, peer_up: 3, ..Messages::default() },
        oldest_us: 812 * SECOND,
        falls: 2,
    };
    let times = Percentiles {
        count: 1_000_000,
        sum_us: 150_000_000,
        min_us: 8,
        p50_us: 120,
        p90_us: 310,
        p99_us: 1520,
        p999_us: 24_000,
        max_us: 2_500_000,
        buckets: vec![(100, 400_000), (1000, 980_000), (1_000_000, 999_990)],
    };
    Picture {
        sysname: "mirror1".to_owned(),
        version: "0.1.0",
        uptime_us: 31 * 24 * HOUR,
        now_us: 1_800_000_000 * SECOND,
        sessions: sessions(),
        routers: routers(),
        feeds: vec![feed.clone(), Feed { number: 1, router: HOSTILE.to_owned(), octets: 0, ..feed }],
        memory: Memory {
            resident_octets: 40_000_000,
            prefixes_octets: 10_000_000,
            attributes_octets: 5_000_000,
            columns_octets: 16_513_160,
            walks_octets: 1024,
            logs_octets: 67_108_864,
            pieces_octets: 1023,
            paths: 2_064_145,
            paths_max: 200_000_000,
            tombstones: 12,
            prefixes: 1_122_138,
            attributes: 81_000,
        },
        latency: Latency { queue_to_log: times, log_to_kernel: Percentiles::default() },
    }
}
