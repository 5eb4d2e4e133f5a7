//! `bmp` and all that stands in it.

use super::{Key, Row, View, What, check, set};

/// Where a connection comes from, in the five documented forms.
macro_rules! source {
    () => {
        "<ip> | <ifname> [ <ip> ] | <iftype> <ifnum> [ <ip> ]"
    };
}

/// How the two sides of a connection know each other.
macro_rules! auth {
    () => {
        "[ password md5 <pwd> | keychain <kcname> ]"
    };
}

/// The tables of a peer that `route-mode` can name, but for flow specifications.
macro_rules! tables {
    () => {
        "{ ipv4-family { unicast | labeled-unicast | vpnv4 } | ipv6-family { unicast | vpnv6 } } \
         { { adj-rib-in | adj-rib-out } { pre-policy | post-policy } \
         | local-rib [ add-path | all ] [ path-marking ] }"
    };
}

/// Flow specifications.
macro_rules! flow {
    () => {
        "{ ipv4-family | ipv6-family } flow local-rib [ report route-identifier ]"
    };
}

const BMP: &[View] = &[View::Bmp];
const SESSION: &[View] = &[View::Session];
const MONITOR: &[View] = &[View::Monitor];

const NOT_MONITORED: &str = "The BMP session does not monitor that.";
const NO_ROUTE_MODE: &str = "The route mode is not configured in this monitor view.";
const NO_PREFIX: &str = "The prefix is not traced.";

pub(super) const ROWS: &[Row] = &[
    set(What::Bmp, &[View::System], "bmp", &["bmp"], "Mirror routes to monitoring servers by BMP (RFC 7854)")
        .enters(View::Bmp, "-bmp"),
    set(
        What::StatisticsTimer,
        BMP,
        "statistics-timer <statistics>",
        &["statistics-timer [ <statistics> ]"],
        "Seconds between two Statistics Reports",
    )
    .called("statistics timer")
    .default("statistics-timer 3600"),
    set(
        What::BmpSource,
        BMP,
        "connect-interface <ipv4>",
        &["connect-interface [ <ipv4> ]"],
        "Source address of IPv4 sessions that have no connect-interface of their own",
    )
    .called("source address"),
    set(
        What::RouterListen,
        BMP,
        "monitored-router listen port <port> [ address <ip> ] [ vpn-instance <vrf> ]",
        &["monitored-router listen port <port> [ address <ip> ] [ vpn-instance <vrf> ]"],
        "Where routers send their BMP streams; at all addresses unless one is given",
    )
    .key(Key::All, "Monitored routers are not listened for there."),
    set(
        What::RouterPermit,
        BMP,
        "monitored-router permit <prefix>",
        &["monitored-router permit <prefix>"],
        "Routers that may connect; only those of this machine if none is given",
    )
    .key(Key::All, "The prefix is not permitted."),
    set(
        What::LimitRouters,
        BMP,
        "monitored-router limit routers <routers>",
        &["monitored-router limit routers [ <routers> ]"],
        "Routers at the same time, those included that have gone and are not forgotten yet",
    )
    .called("limit of routers")
    .default("monitored-router limit routers 1000"),
    set(
        What::LimitPeers,
        BMP,
        "monitored-router limit peers <peers>",
        &["monitored-router limit peers [ <peers> ]"],
        "Peers of a router",
    )
    .called("limit of peers")
    .default("monitored-router limit peers 4096"),
    set(
        What::LimitPaths,
        BMP,
        "monitored-router limit paths <paths>",
        &["monitored-router limit paths [ <paths> ]"],
        "Paths of all routers together",
    )
    .called("limit of paths")
    .default("monitored-router limit paths 1073741824"),
    set(
        What::LimitMessageSize,
        BMP,
        "monitored-router limit message-size <bytes>",
        &["monitored-router limit message-size [ <bytes> ]"],
        "Octets of a BMP message that a router sends",
    )
    .called("limit of message sizes")
    .default("monitored-router limit message-size 1048576"),
    set(
        What::RetryTimer,
        BMP,
        "connect-retry-timer <retry> [ <retry> ]",
        &["connect-retry-timer"],
        "Seconds before a server is tried again: the first time, and at most (RFC 7854, section 3.2)",
    )
    .default("connect-retry-timer 30 720")
    .check(check::retry_timer),
    set(
        What::LogRetention,
        BMP,
        "log-retention <megabytes>",
        &["log-retention [ <megabytes> ]"],
        "Megabytes of live messages that are kept for slow servers, for each feed",
    )
    .called("log retention")
    .default("log-retention 64"),
    set(
        What::StallTimer,
        BMP,
        "stall-timer <stall>",
        &["stall-timer [ <stall> ]"],
        "Seconds without progress after which a connection ends",
    )
    .called("stall timer")
    .default("stall-timer 300"),
    set(
        What::BmpSession,
        BMP,
        "bmp-session [ vpn-instance <vrf> ] <ip> [ alias <alias> ]",
        &["bmp-session [ vpn-instance <vrf> ] <ip> [ alias <alias> ]"],
        "A monitoring server; aliases tell several at one address apart",
    )
    .key(Key::By(&["vrf", "ip", "alias"]), "The BMP session does not exist.")
    .enters(View::Session, "-session-{ip}[-{alias}]")
    .check(check::session),
    set(What::Description, SESSION, "description <text80>", &["description"], "A word to other operators"),
    set(What::Shutdown, SESSION, "shutdown", &["shutdown"], "Keep the configuration and close the session"),
    set(
        What::TcpConnect,
        SESSION,
        concat!("tcp connect port <port> ", auth!()),
        &["tcp connect port [ <port> ]"],
        "Connect to this port of the server",
    )
    .called("TCP connection port of the BMP session"),
    set(
        What::TcpListen,
        SESSION,
        concat!("tcp listen port <port> ", auth!()),
        &["tcp listen port [ <port> ]"],
        "Let the server connect to this port of ours",
    )
    .called("TCP listening port of the BMP session"),
    set(
        What::TcpDscp,
        SESSION,
        "tcp dscp <dscp>",
        &["tcp dscp [ <dscp> ]"],
        "Differentiated services code point of what is sent",
    )
    .called("code point of the BMP session"),
    set(What::TcpMss, SESSION, "tcp mss <mss>", &["tcp mss [ <mss> ]"], "Octets of a TCP segment at most")
        .called("segment size of the BMP session"),
    set(
        What::TcpSendBuffer,
        SESSION,
        "tcp send-buffer <kilobytes>",
        &["tcp send-buffer [ <kilobytes> ]"],
        "Kilobytes that the kernel buffers; as the kernel sees fit by default",
    )
    .called("send buffer of the BMP session"),
    set(
        What::SessionSource,
        SESSION,
        concat!("connect-interface { ", source!(), " }"),
        &[concat!("connect-interface [ ", source!(), " ]")],
        "Where the connection comes from: an interface, an address, or an address of an interface",
    )
    .check(check::source),
    set(
        What::SslPolicy,
        SESSION,
        "ssl-policy name <policy>",
        &["ssl-policy name <policy>"],
        "A TLS policy; refused by commit as long as this system has no TLS",
    )
    .called("SSL policy of the BMP session"),
    set(
        What::Monitor,
        SESSION,
        "monitor public",
        &["monitor public"],
        "Send routes of peers outside of VPNs; without any monitor, all is sent",
    )
    .key(Key::All, NOT_MONITORED)
    .enters(View::Monitor, "-public"),
    set(
        What::Monitor,
        SESSION,
        "monitor all-vpn-instance",
        &["monitor all-vpn-instance"],
        "Send routes of all VPN instances",
    )
    .key(Key::All, NOT_MONITORED)
    .enters(View::Monitor, "-all-vpn-instance"),
    set(
        What::Monitor,
        SESSION,
        "monitor peer <ip>",
        &["monitor peer <ip>"],
        "Send routes of one peer outside of VPNs",
    )
    .key(Key::All, NOT_MONITORED)
    .enters(View::Monitor, "-peer-{ip}"),
    set(
        What::Monitor,
        SESSION,
        "monitor vpn-instance <vrf> [ peer <ip> ]",
        &["monitor vpn-instance <vrf> [ peer <ip> ]"],
        "Send routes of one VPN instance, or of one of its peers",
    )
    .key(Key::All, NOT_MONITORED)
    .enters(View::Monitor, "-vpn-instance-{vrf}[-peer-{ip}]"),
    set(
        What::Monitor,
        SESSION,
        "monitor router <router>",
        &["monitor router <router>"],
        "Send routes of one monitored router, by its name",
    )
    .key(Key::All, NOT_MONITORED)
    .enters(View::Monitor, "-router-{router}"),
    set(
        What::RouteMode,
        MONITOR,
        concat!("route-mode ", tables!()),
        &[concat!("route-mode ", tables!())],
        "Send these tables; without any route-mode, all tables of the scope are sent",
    )
    .key(Key::But(&["add-path", "all", "path-marking"]), NO_ROUTE_MODE)
    .check(check::route_mode),
    set(
        What::RouteMode,
        MONITOR,
        concat!("route-mode ", flow!()),
        &[concat!("route-mode ", flow!())],
        "Send flow specifications",
    )
    .key(Key::But(&["report", "route-identifier"]), NO_ROUTE_MODE)
    .check(check::route_mode),
    set(
        What::TraceUnicast,
        SESSION,
        "ipv4 unicast",
        &["ipv4 unicast"],
        "Trace IPv4 routes; refused by commit, for this system has no routes of its own to trace",
    )
    .enters(View::TraceUnicast, "-ipv4-unicast"),
    set(
        What::TraceVpn,
        SESSION,
        "ipv4 vpn",
        &["ipv4 vpn"],
        "Trace IPv4 routes of VPNs; refused by commit like ipv4 unicast",
    )
    .enters(View::TraceVpn, "-ipv4-vpn"),
    set(
        What::TracePrefix,
        &[View::TraceUnicast],
        "trace-prefix { all | <ipv4> <masklen> }",
        &["trace-prefix { all | <ipv4> <masklen> }"],
        "Prefixes to trace",
    )
    .key(Key::All, NO_PREFIX),
    set(
        What::TracePrefix,
        &[View::TraceVpn],
        "trace-prefix route-distinguisher <rd> { all | <ipv4> <masklen> }",
        &["trace-prefix route-distinguisher <rd> { all | <ipv4> <masklen> }"],
        "Prefixes of a VPN to trace",
    )
    .key(Key::All, NO_PREFIX),
];
