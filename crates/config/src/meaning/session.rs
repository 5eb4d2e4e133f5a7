//! Sessions: each by itself, and all together.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use super::keys::Keychains;
use super::names::Names;
use super::{
    At, Auth, Findings, Meaning, Monitor, Network, Rib, Scope, Session, SessionKey, Table, Way, keys,
};
use crate::meaning::settings::{listening, port};
use crate::secret::Vault;
use crate::table::What;
use crate::tree::Statement;

/// What sessions take from the rest of the configuration.
struct Around<'a> {
    names: &'a Names<'a>,
    chains: &'a Keychains<'a>,
    vault: &'a Vault,
    /// Where IPv4 sessions connect from that do not say.
    source: Option<IpAddr>,
}

/// Adds all sessions to a meaning that has the rest.
pub(super) fn sessions(
    bmp: &At<'_>,
    names: &Names<'_>,
    chains: &Keychains<'_>,
    vault: &Vault,
    meaning: &mut Meaning,
    found: &mut Findings,
) {
    let source = bmp.one(What::BmpSource).and_then(|at| source(&at, found));
    let around = Around { names, chains, vault, source };
    let mut known: Vec<(At<'_>, Arc<Session>)> = Vec::new();
    for at in bmp.all(What::BmpSession) {
        if let Some(session) = session(&at, &around, found) {
            let session = Arc::new(session);
            meaning.sessions.insert(session.key.clone(), Arc::clone(&session));
            known.push((at, session));
        }
    }
    apart(&known, found);
    ports(bmp, &known, &around, meaning, found);
    unused_words(&known, found);
}

fn session(at: &At<'_>, around: &Around<'_>, found: &mut Findings) -> Option<Session> {
    let typed = at.statement();
    let key = SessionKey {
        instance: typed.text("vrf").cloned(),
        address: typed.address("ip")?,
        alias: typed.text("alias").cloned(),
    };
    let (connect, listen) = (at.one(What::TcpConnect), at.one(What::TcpListen));
    if let (Some(_), Some(listen)) = (&connect, &listen) {
        let text = format!("bmp-session {key} has both tcp connect and tcp listen. Undo one of them.");
        found.refuse(listen, text);
    }
    let way = match (&connect, &listen) {
        (Some(connect), _) => port(connect.statement()).map(Way::Active),
        (None, Some(listen)) => port(listen.statement()).map(Way::Passive),
        (None, None) => None,
    };
    let shutdown = at.one(What::Shutdown).is_some();
    if way.is_none() && !shutdown {
        let text = "The session is down until tcp connect port is configured.";
        found.warn(at, format!("{text} It is bmp-session {key}."));
    }
    if matches!(key.address, IpAddr::V4(address) if address.is_link_local()) {
        let text = "A link-local address cannot be used as a BMP session address.";
        found.refuse(at, format!("{text} Undo bmp-session {key}, and use a global address of the server."));
    }
    refuse_the_unsupported(at, &key, way, found);
    let own = at.one(What::SessionSource);
    let inherited = around.source.filter(|_| own.is_none() && key.address.is_ipv4());
    Some(Session {
        way,
        network: around.names.network(at, found).unwrap_or_default(),
        source: own.as_ref().map_or(inherited, |own| source(own, found)),
        interface: own.as_ref().and_then(|own| around.names.interface(own, found)),
        auth: connect.or(listen).map_or(Auth::None, |tcp| auth(&tcp, &key, around, found)),
        dscp: at.number(What::TcpDscp, "dscp"),
        mss: at.number(What::TcpMss, "mss"),
        send_buffer: at.number::<usize>(What::TcpSendBuffer, "kilobytes").map(|kilobytes| kilobytes << 10),
        monitors: at.all(What::Monitor).map(|monitor| self::monitor(&monitor, found)).collect(),
        description: at.one(What::Description).and_then(|at| at.statement().text("text80").cloned()),
        shutdown,
        key,
    })
}

fn refuse_the_unsupported(at: &At<'_>, key: &SessionKey, way: Option<Way>, found: &mut Findings) {
    if let Some(policy) = at.one(What::SslPolicy) {
        let text = format!("TLS is not available on this system. Undo ssl-policy in bmp-session {key}.");
        found.refuse(&policy, text);
    }
    for trace in [What::TraceUnicast, What::TraceVpn].into_iter().filter_map(|what| at.one(what)) {
        let line = trace.statement();
        let text = format!(
            "Tracing routes is not supported by this system, which has none of its own. Undo {line} in bmp-session \
             {key}."
        );
        found.refuse(&trace, text);
    }
    if let (Some(mss), Some(Way::Passive(_))) = (at.one(What::TcpMss), way) {
        let text = format!(
            "tcp mss cannot be set for connections that servers make. Undo it in bmp-session {key}, or use tcp connect."
        );
        found.refuse(&mss, text);
    }
}

/// An address of ours, if one is named.
fn source(at: &At<'_>, found: &mut Findings) -> Option<IpAddr> {
    let address = at.statement().address("ip").or_else(|| at.statement().address("ipv4"))?;
    let nobody = address.is_unspecified() || address.is_multicast();
    let link_local = match address {
        IpAddr::V4(address) => address.is_link_local() || address.is_broadcast(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    if nobody || link_local {
        let shown = address.to_string().to_uppercase();
        let text =
            format!("The source address {shown} cannot be used. Use a global address of this machine.");
        found.refuse(at, text);
    }
    Some(address)
}

fn auth(tcp: &At<'_>, key: &SessionKey, around: &Around<'_>, found: &mut Findings) -> Auth {
    if tcp.statement().has("password") {
        let before = found.problems.len();
        let secret = keys::secret(tcp, "The MD5 password", around.vault, found);
        for problem in &mut found.problems[before..] {
            problem.text = format!("{} It is that of bmp-session {key}.", problem.text);
        }
        return secret.map_or(Auth::None, Auth::Md5);
    }
    let Some(name) = tcp.statement().text("kcname") else { return Auth::None };
    let Some(chain) = around.chains.get(&**name) else {
        found.refuse(tcp, format!("{} bmp-session {key} uses it.", keys::absent(name)));
        return Auth::None;
    };
    let Some(chain) = chain else { return Auth::None };
    if !chain.keys.iter().any(|key| key.send.is_some() || chain.default_send == Some(key.id)) {
        let text = format!(
            "Keychain {name} has no key to sign with, and bmp-session {key} uses it. Configure a key-id with \
             send-time or default send-key-id in it."
        );
        found.refuse(tcp, text);
    }
    Auth::Keychain(Arc::clone(chain))
}

fn monitor(at: &At<'_>, found: &mut Findings) -> Monitor {
    let scope = at.statement();
    let vpn = scope.text("vrf").cloned();
    let scope = match (vpn, scope.address("ip"), scope.text("router")) {
        (Some(vpn), Some(peer), _) => Scope::VpnPeer(vpn, peer),
        (Some(vpn), None, _) => Scope::Vpn(vpn),
        (None, Some(peer), _) => Scope::Peer(peer),
        (None, None, Some(router)) => Scope::Router(router.clone()),
        (None, None, None) if scope.has("all-vpn-instance") => Scope::AllVpn,
        (None, None, None) => Scope::Public,
    };
    let mut tables = Vec::new();
    for mode in at.all(What::RouteMode) {
        let table = table(mode.statement());
        if (&scope, table.rib) == (&Scope::AllVpn, Rib::Local) {
            found
                .warn(&mode, "Not every release of VRP knows local-rib of all-vpn-instance; here it counts.");
        }
        tables.push(table);
    }
    tables.sort_unstable();
    tables.dedup();
    Monitor { scope, tables }
}

/// The table that a `route-mode` names.
fn table(mode: &Statement) -> Table {
    let post = mode.has("post-policy");
    let rib = match (mode.has("adj-rib-in"), mode.has("adj-rib-out")) {
        (true, _) if post => Rib::InPost,
        (true, _) => Rib::InPre,
        (_, true) if post => Rib::OutPost,
        (_, true) => Rib::OutPre,
        (false, false) => Rib::Local,
    };
    let afi = if mode.has("ipv6-family") { 2 } else { 1 };
    // As IANA has them: unicast, labels (RFC 8277), VPNs (RFC 4364, 4659), flow specifications (RFC 8955).
    let safi = match () {
        () if mode.has("labeled-unicast") => 4,
        () if mode.has("vpnv4") || mode.has("vpnv6") => 128,
        () if mode.has("flow") => 133,
        () => 1,
    };
    Table { rib, family: (afi, safi) }
}

/// No server can tell two sessions with the same destination apart, nor we two servers at the same address.
fn apart(known: &[(At<'_>, Arc<Session>)], found: &mut Findings) {
    let mut taken = BTreeMap::new();
    for (at, session) in known {
        let key = &session.key;
        let (what, port, sentence) = match session.way {
            Some(Way::Active(port)) => {
                let sentence = "Two BMP sessions use the same destination address, port and VPN instance.";
                (What::TcpConnect, port, sentence)
            }
            Some(Way::Passive(port)) => {
                let sentence =
                    "Two BMP sessions listen for the same server at the same port and VPN instance.";
                (What::TcpListen, port, sentence)
            }
            None => continue,
        };
        let Some(other) = taken.insert((&key.instance, key.address, what, port), key) else { continue };
        let text =
            format!("{sentence} Change the port {port} of bmp-session {other} or of bmp-session {key}.");
        found.refuse(&at.one(what).unwrap_or_else(|| at.again()), text);
    }
}

/// A listener: the statement that wants it, where it is, and who wants it.
struct Listener<'a> {
    at: At<'a>,
    address: SocketAddr,
    network: Network,
    user: String,
    /// Servers share one: their addresses tell them apart.
    shared: bool,
}

/// A port is listened at for one thing.
fn ports(
    bmp: &At<'_>,
    known: &[(At<'_>, Arc<Session>)],
    around: &Around<'_>,
    meaning: &Meaning,
    found: &mut Findings,
) {
    let everywhere: IpAddr = Ipv6Addr::UNSPECIFIED.into();
    let routers = bmp.all(What::RouterListen).filter_map(|at| {
        let address = listening(at.statement(), everywhere)?;
        let (network, user) = (around.names.find(at.statement())?, at.statement().to_string());
        Some(Listener { at, address, network, user, shared: false })
    });
    let servers = known.iter().filter_map(|(at, session)| {
        let Some(Way::Passive(port)) = session.way else { return None };
        let (network, user) = (session.network.clone(), format!("bmp-session {}", session.key));
        let (at, address) = (at.one(What::TcpListen)?, SocketAddr::new(everywhere, port));
        Some(Listener { at, address, network, user, shared: true })
    });
    let mut taken: Vec<_> =
        meaning.telemetry.map(|at| (at, Network::Public, "telemetry".to_owned())).into_iter().collect();
    for Listener { at, address, network, user, shared } in routers.chain(servers) {
        let clash = taken.iter().find(|(other, in_network, _)| {
            let wide = other.ip().is_unspecified() || address.ip().is_unspecified();
            *in_network == network && other.port() == address.port() && (wide || *other == address)
        });
        if let Some((_, _, other)) = clash {
            let port = address.port();
            found.refuse(&at, format!("Both {other} and {user} listen at port {port}. Change one of them."));
        } else if !shared {
            taken.push((address, network, user));
        }
    }
}

/// Some words of `route-mode` choose what a router would send. We send what routers have sent.
fn unused_words(known: &[(At<'_>, Arc<Session>)], found: &mut Findings) {
    const WORDS: [&str; 4] = ["add-path", "all", "path-marking", "report"];
    let monitors = known.iter().flat_map(|(at, _)| at.all(What::Monitor));
    let mut modes = monitors.flat_map(|monitor| monitor.all(What::RouteMode).collect::<Vec<_>>());
    if let Some(first) = modes.find(|mode| WORDS.iter().any(|word| mode.statement().has(word))) {
        let text = "add-path, all, path-marking and report route-identifier of route-mode change nothing here: what \
                    routers send is mirrored as it is.";
        found.warn(&first, text);
    }
}
