//! From what a configuration means to what the mirror and the writer are told: config knows neither of them.

use std::sync::Arc;

use config::keychain::{Algorithm, Keychain};
use config::meaning::{self, Auth, Network, Scope, Session, Way};
use config::secret::{Vault, WrongKey};
use ingest::routers;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use mirror::{Instance, Row, Want};
use wire::Family;
use wire::bgp::View;
use writer::Secret;
use writer::fleet::ListenerId;
use writer::plan::{self, AoAlgorithm, AoKey, AoKeys, Options, Plan, Source};

/// What a session wants of a router; `None`: nothing at all.
pub(crate) fn want(session: &Session, router: &str) -> Option<Want> {
    if session.monitors.is_empty() {
        return Some(Want::everything());
    }
    let rows: Vec<Row> = session.monitors.iter().filter_map(|monitor| row(monitor, router)).collect();
    // No row at all would be everything.
    let mirroring = rows.iter().any(|row| row.tables.is_empty());
    (!rows.is_empty()).then_some(Want { rows, mirroring })
}

fn row(monitor: &meaning::Monitor, router: &str) -> Option<Row> {
    let (instance, address) = match &monitor.scope {
        Scope::Public => (Instance::Public, None),
        Scope::AllVpn => (Instance::Vpn, None),
        Scope::Peer(address) => (Instance::Public, Some(*address)),
        Scope::Vpn(name) => (Instance::Named(name.clone()), None),
        Scope::VpnPeer(name, address) => (Instance::Named(name.clone()), Some(*address)),
        Scope::Router(name) if **name == *router => (Instance::Any, None),
        Scope::Router(_) => return None,
    };
    let tables = monitor.tables.iter();
    let tables = tables.map(|table| (view(table.rib), Family::new(table.family.0, table.family.1)));
    Some(Row { instance, address, tables: tables.collect() })
}

fn view(rib: meaning::Rib) -> View {
    match rib {
        meaning::Rib::InPre => View::AdjRibInPre,
        meaning::Rib::InPost => View::AdjRibInPost,
        meaning::Rib::OutPre => View::AdjRibOutPre,
        meaning::Rib::OutPost => View::AdjRibOutPost,
        meaning::Rib::Local => View::LocRib,
    }
}

/// Why a session's socket cannot be keyed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Unkeyed {
    /// No key of this keychain is good to sign with now.
    NoKey(Arc<str>),
    /// A secret cannot be opened.
    Sealed(WrongKey),
}

impl std::fmt::Display for Unkeyed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoKey(keychain) => write!(
                f,
                "no key of keychain {keychain} is active to send with: give one a send-time that holds now, or make \
                 one the default"
            ),
            Self::Sealed(wrong) => wrong.fmt(f),
        }
    }
}

/// What opens and dates the keys of sessions.
pub(crate) struct Keys {
    pub(crate) vault: Arc<Vault>,
    pub(crate) zone: TimeZone,
}

impl Keys {
    /// How a session's connection about a router comes about. `listener` is where a passive one comes in.
    pub(crate) fn plan(
        &self,
        session: &Session,
        way: Way,
        router: &str,
        listener: Option<ListenerId>,
        now: Timestamp,
    ) -> Result<Plan, Unkeyed> {
        let way = match (way, listener) {
            (Way::Active(port), _) => plan::Way::Active(port),
            (Way::Passive(_), listener) => {
                plan::Way::Passive(listener.expect("a passive session has a listener"))
            }
        };
        Ok(Plan {
            name: Arc::from(format!("{}, router {router}", session.key)),
            server: session.key.address,
            way,
            source: Source { address: session.source, interface: session.interface.clone() },
            instance: instance(&session.network),
            auth: self.auth(&session.auth, now)?,
            options: Options {
                dscp: session.dscp,
                mss: session.mss,
                send_buffer: session.send_buffer,
                ..Options::default()
            },
        })
    }

    /// The keys that are good now.
    fn auth(&self, auth: &Auth, now: Timestamp) -> Result<plan::Auth, Unkeyed> {
        let keychain = match auth {
            Auth::None => return Ok(plan::Auth::None),
            Auth::Md5(sealed) => return Ok(plan::Auth::Md5(self.open(sealed)?)),
            Auth::Keychain(keychain) => keychain,
        };
        let good = keychain.at(now, &self.zone);
        let send = good.send.ok_or_else(|| Unkeyed::NoKey(keychain.name.clone()))?;
        if keychain.keys[send].algorithm == Algorithm::Md5 {
            return Ok(plan::Auth::Md5(self.open(&keychain.keys[send].secret)?));
        }
        let next = good.next.unwrap_or(send);
        let mut places: Vec<usize> = good.receive.clone();
        places.extend([send, next]);
        places.sort_unstable();
        places.dedup();
        let keys = places.into_iter().map(|place| self.key(keychain, place)).collect::<Result<_, _>>()?;
        let (current, next) = (keychain.keys[send].send_id, keychain.keys[next].receive_id);
        Ok(plan::Auth::Ao(AoKeys { keys, current, next }))
    }

    fn key(&self, keychain: &Keychain, place: usize) -> Result<AoKey, Unkeyed> {
        let key = &keychain.keys[place];
        let algorithm = match key.algorithm {
            // Only one that is alone and always good gets as far as this: see `auth`.
            Algorithm::Md5 | Algorithm::HmacSha1 => AoAlgorithm::HmacSha1,
            Algorithm::HmacSha1Long => AoAlgorithm::HmacSha1Long,
            Algorithm::HmacSha256 => AoAlgorithm::HmacSha256,
            Algorithm::Aes128Cmac => AoAlgorithm::Aes128Cmac,
        };
        let secret = self.open(&key.secret)?;
        Ok(AoKey { send_id: key.send_id, receive_id: key.receive_id, algorithm, secret })
    }

    fn open(&self, sealed: &config::secret::Sealed) -> Result<Secret, Unkeyed> {
        let clear = self.vault.open(sealed).map_err(Unkeyed::Sealed)?;
        Ok(Secret::new(clear.reveal().as_bytes()))
    }

    /// All keys that a session may ever be given, whenever they are good.
    pub(crate) fn every(&self, auth: &Auth) -> Result<plan::Auth, Unkeyed> {
        let Auth::Keychain(keychain) = auth else { return self.auth(auth, Timestamp::UNIX_EPOCH) };
        if keychain.keys.iter().any(|key| key.algorithm == Algorithm::Md5) {
            return Ok(plan::Auth::Md5(self.open(&keychain.keys[0].secret)?));
        }
        let first = keychain.keys.first().ok_or_else(|| Unkeyed::NoKey(keychain.name.clone()))?;
        let keys =
            (0..keychain.keys.len()).map(|place| self.key(keychain, place)).collect::<Result<_, _>>()?;
        Ok(plan::Auth::Ao(AoKeys { keys, current: first.send_id, next: first.receive_id }))
    }
}

pub(crate) fn instance(network: &Network) -> plan::Instance {
    match network {
        Network::Public => plan::Instance::Public,
        Network::Device(name) => plan::Instance::Device(name.clone()),
        Network::Namespace(path) => plan::Instance::Namespace(namespace(path).into()),
    }
}

/// The same for where routers come in.
pub(crate) fn intake_instance(network: &Network) -> routers::Instance {
    match network {
        Network::Public => routers::Instance::Public,
        Network::Device(name) => routers::Instance::Device(name.clone()),
        Network::Namespace(path) => routers::Instance::Namespace(namespace(path).into()),
    }
}

/// A namespace is named by its file, or as `ip netns` names it.
fn namespace(name: &str) -> String {
    if name.contains('/') { name.to_owned() } else { format!("/run/netns/{name}") }
}

/// An address as operators write it.
pub(crate) fn shown(address: std::net::IpAddr) -> String {
    address.to_string().to_uppercase()
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use config::keychain::{Key, Window};
    use config::meaning::{Monitor, Rib, SessionKey, Table};
    use config::secret::Clear;

    use super::*;

    fn session(monitors: Vec<Monitor>) -> Session {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Session { monitors, ..Session::new(SessionKey { instance: None, address, alias: None }) }
    }

    #[test]
    fn wants() {
        let peer = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
        let tables =
            vec![Table { rib: Rib::InPost, family: (2, 1) }, Table { rib: Rib::Local, family: (1, 128) }];
        let monitor = |scope, tables: &[Table]| Monitor { scope, tables: tables.to_vec() };
        for (monitors, text) in [
            (vec![], "everything"),
            (vec![monitor(Scope::Public, &[])], "Public None [] mirroring"),
            (
                vec![monitor(Scope::AllVpn, &tables)],
                "Vpn None [(AdjRibInPost, ipv6-unicast), (LocRib, ipv4-vpn)]",
            ),
            (vec![monitor(Scope::Peer(peer), &[])], "Public Some(192.0.2.1) [] mirroring"),
            (vec![monitor(Scope::Vpn(Arc::from("a")), &[])], "Named(\"a\") None [] mirroring"),
            (
                vec![
                    monitor(Scope::VpnPeer(Arc::from("a"), peer), &tables[..1]),
                    monitor(Scope::Public, &[]),
                ],
                "Named(\"a\") Some(192.0.2.1) [(AdjRibInPost, ipv6-unicast)], Public None [] mirroring",
            ),
            (vec![monitor(Scope::Router(Arc::from("rr1")), &[])], "Any None [] mirroring"),
            // A session that names other routers only wants nothing of this one, which is not everything.
            (vec![monitor(Scope::Router(Arc::from("rr2")), &[])], "nothing"),
        ] {
            let got = match want(&session(monitors), "rr1") {
                None => String::from("nothing"),
                Some(want) if want == Want::everything() => String::from("everything"),
                Some(want) => {
                    let rows = want.rows.iter();
                    let rows =
                        rows.map(|row| format!("{:?} {:?} {:?}", row.instance, row.address, row.tables));
                    let rows: Vec<_> = rows.collect();
                    let mirroring = if want.mirroring { " mirroring" } else { "" };
                    format!("{}{mirroring}", rows.join(", "))
                }
            };
            assert_eq!(got, text);
        }
    }

    /// By what a session is keyed at a moment: no key that is good is left out, and none is in clear.
    #[test]
    fn keys() {
        let vault = Arc::new(Vault::new([3; 32]));
        let sealed = |text: &str| vault.seal(&Clear::new(text), &mut |nonce| nonce.fill(9));
        let daily = |from: u16, to: u16| Some(Window::Daily(from * 60, to * 60));
        let key = |id, algorithm, send, receive| Key {
            id,
            send_id: id,
            receive_id: id + 100,
            algorithm,
            secret: sealed("secret"),
            send,
            receive,
        };
        let (sha1, md5) = (Algorithm::HmacSha1, Algorithm::Md5);
        let always = || Some(Window::Absolute(jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0), None));
        let day = vec![key(1, sha1, daily(0, 12), daily(0, 13)), key(2, sha1, daily(12, 23), daily(11, 23))];
        for (keys, hour, text) in [
            (day.clone(), 3, "send 1 next 102 keys 1/101 2/102"),
            (day.clone(), 12, "send 2 next 101 keys 1/101 2/102"),
            (day.clone(), 15, "send 2 next 101 keys 1/101 2/102"),
            (
                day,
                23,
                "no key of keychain kc is active to send with: give one a send-time that holds now, or make \
                       one the default",
            ),
            (vec![key(7, sha1, always(), always())], 3, "send 7 next 107 keys 7/107"),
            (vec![key(7, md5, always(), always())], 3, "md5"),
        ] {
            let keychain = Keychain {
                name: Arc::from("kc"),
                utc: true,
                tolerance_minutes: Some(0),
                keys,
                default_send: None,
            };
            let session = Session { auth: Auth::Keychain(Arc::new(keychain)), ..session(vec![]) };
            let now =
                jiff::civil::date(2026, 3, 1).at(hour, 30, 0, 0).to_zoned(TimeZone::UTC).expect("a time");
            let keys = Keys { vault: vault.clone(), zone: TimeZone::UTC };
            let plan = keys.plan(&session, Way::Active(1), "rr1", None, now.timestamp());
            let got = match plan.map(|plan| plan.auth) {
                Err(unkeyed) => unkeyed.to_string(),
                Ok(plan::Auth::None) => String::from("none"),
                Ok(plan::Auth::Md5(secret)) => {
                    assert_eq!(secret, Secret::new(b"secret"));
                    String::from("md5")
                }
                Ok(plan::Auth::Ao(ao)) => {
                    let ids: Vec<_> =
                        ao.keys.iter().map(|key| format!("{}/{}", key.send_id, key.receive_id)).collect();
                    assert!(ao.keys.iter().all(|key| key.secret == Secret::new(b"secret")));
                    format!("send {} next {} keys {}", ao.current, ao.next, ids.join(" "))
                }
            };
            assert_eq!(got, text, "at {hour}:30");
        }
    }

    #[test]
    fn networks() {
        for (network, text) in [
            (Network::Public, "Public"),
            (Network::Device(Arc::from("red")), "Device(\"red\")"),
            (Network::Namespace(Arc::from("blue")), "Namespace(\"/run/netns/blue\")"),
            (Network::Namespace(Arc::from("/proc/1/ns/net")), "Namespace(\"/proc/1/ns/net\")"),
        ] {
            assert_eq!(format!("{:?}", instance(&network)), text);
        }
    }
}
