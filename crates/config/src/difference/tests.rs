//! Changes and their strength, and a twin that does what the steps say.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use proptest::prelude::*;

use super::*;
use crate::meaning::{Auth, Monitor, Network, Scope, Way};
use crate::secret::{Clear, Vault};

fn session(alias: u8) -> Session {
    let address = IpAddr::from([192, 0, 2, 1]);
    let key = SessionKey { instance: None, address, alias: Some(alias.to_string().into()) };
    Session { way: Some(Way::Active(5000)), ..Session::new(key) }
}

fn password(nonce: u8) -> Auth {
    Auth::Md5(Vault::new([0; 32]).seal(&Clear::new("secret"), &mut |octets| octets.fill(nonce)))
}

/// Makes a session another.
type Edit = fn(&mut Session);

#[test]
fn what_changes_how() {
    let same: Edit = |_| {};
    let shut: Edit = |s| s.shutdown = true;
    let no_way: Edit = |s| s.way = None;
    let rows: &[(&str, Edit, &[Edit], Option<Change>)] = &[
        ("nothing", same, &[same], None),
        ("description", same, &[|s| s.description = Some("x".into())], Some(Change::Quiet)),
        ("port", same, &[|s| s.way = Some(Way::Active(1))], Some(Change::AtReset)),
        ("who connects", same, &[|s| s.way = Some(Way::Passive(5000))], Some(Change::AtReset)),
        ("undo tcp connect", same, &[no_way], Some(Change::AtReset)),
        ("first tcp connect", no_way, &[same], Some(Change::Reconnect)),
        ("password", same, &[|s| s.auth = password(1)], Some(Change::AtReset)),
        ("another password", |s| s.auth = password(1), &[|s| s.auth = password(2)], Some(Change::AtReset)),
        ("dscp", same, &[|s| s.dscp = Some(48)], Some(Change::AtReset)),
        ("mss", same, &[|s| s.mss = Some(1000)], Some(Change::AtReset)),
        ("send buffer", same, &[|s| s.send_buffer = Some(1 << 20)], Some(Change::AtReset)),
        ("source", same, &[|s| s.source = Some([192, 0, 2, 2].into())], Some(Change::Reconnect)),
        ("interface", same, &[|s| s.interface = Some("lo".into())], Some(Change::Reconnect)),
        ("network", same, &[|s| s.network = Network::Device("v".into())], Some(Change::Reconnect)),
        ("monitor", same, &[|s| s.monitors = monitors(1)], Some(Change::Reconnect)),
        ("shutdown", same, &[shut], Some(Change::Stop)),
        ("undo shutdown", shut, &[same], Some(Change::Start)),
        ("while shut", shut, &[shut, |s| s.dscp = Some(1)], Some(Change::AtReset)),
        ("two", same, &[|s| s.description = Some("x".into()), |s| s.dscp = Some(1)], Some(Change::AtReset)),
        ("three", same, &[|s| s.dscp = Some(1), |s| s.monitors = monitors(1)], Some(Change::Reconnect)),
        ("stop and more", same, &[shut, |s| s.monitors = monitors(1)], Some(Change::Stop)),
        ("start and more", shut, &[|s| s.monitors = monitors(1)], Some(Change::Start)),
    ];
    for (name, before, after, expected) in rows {
        let (mut old, mut new) = (session(1), session(1));
        before(&mut old);
        after.iter().for_each(|edit| edit(&mut new));
        assert_eq!(change(&old, &new), *expected, "{name}");
    }
}

#[test]
fn what_goes_comes_first() {
    let with = |aliases: &[u8], edit: Edit| {
        let mut meaning = Meaning::default();
        for alias in aliases {
            let mut session = session(*alias);
            edit(&mut session);
            meaning.sessions.insert(session.key.clone(), session.into());
        }
        meaning
    };
    let old = with(&[1, 2, 3], |_| {});
    let mut new = with(&[2, 3, 4], |s| s.shutdown = s.key.alias.as_deref() == Some("3"));
    new.sysname = Some("m".into());
    new.routers.paths_max = 5;
    new.routers.permit = vec![([192, 0, 2, 0].into(), 24)];
    let shown: Vec<_> = difference(&old, &new).iter().map(show).collect();
    let expected = [
        "remove 192.0.2.1 alias 1",
        "sysname",
        "settings",
        "routers",
        "192.0.2.1 alias 3 Stop",
        "add 192.0.2.1 alias 4",
    ];
    assert_eq!(shown, expected);
}

#[test]
fn who_has_to_reset() {
    for (edit, change, expected) in [
        ((|_| {}) as Edit, Change::AtReset, true),
        (|_| {}, Change::Reconnect, false),
        (|_| {}, Change::Quiet, false),
        (|s| s.shutdown = true, Change::AtReset, false),
    ] {
        let mut session = session(1);
        edit(&mut session);
        let warning = Step::Change(session.into(), change).warning();
        let sentence =
            "Run reset bmp session for the change to take effect. It is bmp-session 192.0.2.1 alias 1.";
        assert_eq!(warning.as_deref(), expected.then_some(sentence), "{change:?}");
    }
}

fn show(step: &Step) -> String {
    match step {
        Step::Sysname(_) => "sysname".into(),
        Step::Telemetry(_) => "telemetry".into(),
        Step::Settings => "settings".into(),
        Step::Routers => "routers".into(),
        Step::Remove(key) => format!("remove {key}"),
        Step::Add(session) => format!("add {}", session.key),
        Step::Change(session, change) => format!("{} {change:?}", session.key),
    }
}

fn monitors(count: u8) -> Vec<Monitor> {
    let scope = |count: u8| Scope::Peer([192, 0, 2, count].into());
    (0..count).map(|count| Monitor { scope: scope(count), tables: Vec::new() }).collect()
}

prop_compose! {
    fn any_session()(
        alias in 0..4_u8,
        way in 0..4_u16,
        (interface, dscp, mss) in (any::<bool>(), any::<bool>(), any::<bool>()),
        (monitors_count, nonce) in (0..2_u8, 0..3_u8),
        (described, shutdown) in (any::<bool>(), any::<bool>()),
    ) -> Session {
        Session {
            way: match way {
                0 => None,
                1 => Some(Way::Passive(1)),
                port => Some(Way::Active(port)),
            },
            interface: interface.then(|| "lo".into()),
            auth: if nonce == 0 { Auth::None } else { password(nonce) },
            dscp: dscp.then_some(1),
            mss: mss.then_some(1000),
            monitors: monitors(monitors_count),
            description: described.then(|| "x".into()),
            shutdown,
            ..session(alias)
        }
    }
}

prop_compose! {
    fn any_meaning()(
        sessions in prop::collection::vec(any_session(), 0..4),
        (sysname, telemetry, enabled) in (any::<bool>(), any::<bool>(), any::<bool>()),
        (statistics_s, stall_s, retention, paths_max) in (1..3_u64, 1..3_u64, 1..3_usize, 1..3_usize),
        (permit, listen) in (0..2_u8, 0..2_u16),
    ) -> Meaning {
        let mut meaning = Meaning {
            sysname: sysname.then(|| "m".into()),
            telemetry: telemetry.then(|| SocketAddr::from(([127, 0, 0, 1], 1))),
            enabled,
            statistics_s,
            stall_s,
            retention,
            ..Meaning::default()
        };
        meaning.routers.paths_max = paths_max;
        meaning.routers.permit = (0..permit).map(|host| ([192, 0, 2, host].into(), 32)).collect();
        let listening = |port| (SocketAddr::from(([127, 0, 0, 1], port)), Network::Public);
        meaning.routers.listen = (0..listen).map(listening).collect();
        meaning.sessions = sessions.into_iter().map(|session| (session.key.clone(), session.into())).collect();
        meaning
    }
}

/// Does what a step says, with nothing else of the new meaning than what its kind tells to look at.
fn take(meaning: &mut Meaning, step: &Step, new: &Meaning) {
    match step {
        Step::Sysname(sysname) => meaning.sysname.clone_from(sysname),
        Step::Telemetry(telemetry) => meaning.telemetry = *telemetry,
        Step::Settings => {
            let routers = crate::meaning::Routers {
                listen: meaning.routers.listen.clone(),
                permit: meaning.routers.permit.clone(),
                ..new.routers.clone()
            };
            *meaning = Meaning {
                sysname: meaning.sysname.clone(),
                telemetry: meaning.telemetry,
                sessions: meaning.sessions.clone(),
                routers,
                ..new.clone()
            };
        }
        Step::Routers => {
            meaning.routers.listen.clone_from(&new.routers.listen);
            meaning.routers.permit.clone_from(&new.routers.permit);
        }
        Step::Remove(key) => assert!(meaning.sessions.remove(key).is_some(), "{key} was not there"),
        Step::Add(session) => {
            let before = meaning.sessions.insert(session.key.clone(), session.clone());
            assert!(before.is_none(), "{} was there", session.key);
        }
        Step::Change(session, _) => {
            let before = meaning.sessions.insert(session.key.clone(), session.clone());
            assert!(before.is_some(), "{} was not there", session.key);
        }
    }
}

proptest! {
    #[test]
    fn steps_lead_from_the_old_to_the_new(old in any_meaning(), new in any_meaning()) {
        let steps = difference(&old, &new);
        let mut now = old.clone();
        let mut named = BTreeSet::new();
        for step in &steps {
            take(&mut now, step, &new);
            let key = match step {
                Step::Remove(key) => Some(key),
                Step::Add(session) | Step::Change(session, _) => Some(&session.key),
                Step::Sysname(_) | Step::Telemetry(_) | Step::Settings | Step::Routers => None,
            };
            if let Some(key) = key {
                prop_assert!(named.insert(key.clone()), "{} has two steps", key);
                prop_assert!(old.sessions.get(key) != new.sessions.get(key), "{} is as it was", key);
            }
        }
        prop_assert_eq!(now, new);
    }

    #[test]
    fn nothing_is_done_for_nothing(meaning in any_meaning()) {
        prop_assert_eq!(difference(&meaning, &meaning.clone()), Vec::new());
    }
}
