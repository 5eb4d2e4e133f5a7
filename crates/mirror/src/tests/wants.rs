//! What servers want, and what they are shown of a message that is wanted in part.

use std::net::IpAddr;

use wire::bgp::{Dialect, View};
use wire::bmp::{Frame, PeerFlags, PeerHeader, PeerKind};
use wire::{Family, FamilySet};

use super::{
    Bench, ODD, PATHS_V4, Sent, V4, V6, add, add6, attributes, del, end, loc, mirrored, mp, p, prefix, raw,
    says, stat, up, up_with, update, v, view,
};
use crate::{Instance, Row, Settings, Want};

const POST: u8 = PeerFlags::POST_POLICY;

fn any() -> Row {
    Row { instance: Instance::Any, address: None, tables: Vec::new() }
}

fn want(rows: Vec<Row>) -> Want {
    Want { rows, mirroring: true }
}

fn named(name: &str) -> Row {
    Row { instance: Instance::Named(name.into()), ..any() }
}

fn tables(tables: &[(View, Family)]) -> Row {
    Row { tables: tables.to_vec(), ..any() }
}

/// Peers of all kinds come up, and one of each tells something; which of them a server hears of, live and
/// caught up.
#[test]
fn peers() {
    let v6 = PeerHeader { address: [0x20; 16], flags: PeerFlags(PeerFlags::IPV6), ..p(1) };
    let vrf_loc = PeerHeader { distinguisher: v(3).distinguisher, ..loc() };
    let local = PeerHeader { kind: PeerKind::LOCAL, ..p(4) };
    let ups = [
        ("p1", up(p(1))),
        ("p2", up_with(p(2), 1, &[], "blue", 0)),
        ("v1", up_with(v(1), 1, &[], "blue", 0)),
        ("v2", up(v(2))),
        ("loc", up(loc())),
        ("vloc", up_with(vrf_loc, 1, &[], "red", 0)),
        ("local", up(local)),
        ("six", up(v6)),
    ];
    let address = |text: &str| Some(text.parse::<IpAddr>().expect("an address"));
    let rows = [
        (want(vec![]), "p1 p2 v1 v2 loc vloc local six"),
        (want(vec![any()]), "p1 p2 v1 v2 loc vloc local six"),
        (want(vec![Row { instance: Instance::Public, ..any() }]), "p1 p2 loc six"),
        (want(vec![Row { instance: Instance::Vpn, ..any() }]), "v1 v2 vloc local"),
        (want(vec![named("blue")]), "p2 v1"),
        (want(vec![named("red")]), "vloc"),
        (want(vec![named("64500:2")]), "v2"),
        (want(vec![named("64500:3")]), "vloc"),
        (want(vec![named("0:0")]), "local"),
        (want(vec![named("green")]), ""),
        (want(vec![Row { address: address("192.0.2.1"), ..any() }]), "p1 v1"),
        (want(vec![Row { address: address("2020:2020:2020:2020:2020:2020:2020:2020"), ..any() }]), "six"),
        (want(vec![Row { address: address("192.0.2.1"), ..named("blue") }]), "v1"),
        (want(vec![named("red"), Row { address: address("192.0.2.2"), ..any() }]), "p2 v2 vloc"),
        // A Loc-RIB is a peer with that one view, and no other peer has it.
        (want(vec![tables(&[(View::LocRib, V4)])]), "loc vloc"),
        (want(vec![tables(&[(View::AdjRibOutPost, V4)])]), "p1 p2 v1 v2 local six"),
    ];
    for (wanted, peers) in rows {
        let mut bench = Bench::new(Settings::default());
        let row = format!("{:?}", wanted.rows);
        let id = bench.attach(wanted);
        let empty = bench.connect(id).len();
        let sent: Vec<_> = ups
            .iter()
            .map(|(name, up)| Sent { name: (*name).to_owned(), octets: up.octets.clone() })
            .collect();
        bench.take(&sent);
        let want: Vec<_> = peers.split(' ').filter(|peer| !peer.is_empty()).collect();
        says(&row, &bench.heard(id), &want);
        // Loc-RIBs come last there.
        let mut told = bench.reconnect(id)[empty..].to_vec();
        told.sort_by_key(|name| ups.iter().position(|(known, _)| known == name));
        says(&row, &told, &want);
    }
}

/// Each row: what is wanted of a peer's tables, and what is heard of what it sends: live, then caught up.
#[test]
fn of_a_peer() {
    let post = view(p(1), POST);
    let sent = [
        up(p(1)),
        add(p(1), 1, 1),
        add(post, 1, 1),
        add6(p(1), 1, 1),
        update("no routes", p(1), [&[], &attributes(1), &[]], &[]),
        end(p(1), V4),
        end(p(1), V6),
        end(post, V4),
        stat(p(1), 1),
        stat(post, 1),
        raw("bad", 0, Some(p(1)), &[0; 30]),
        mirrored(p(1), 0),
        del(p(1), 1),
    ];
    let pre4 = (View::AdjRibInPre, V4);
    let rows: [(Want, &[&str], &[&str]); 5] = [
        (
            want(vec![tables(&[pre4])]),
            &[
                "p1 up 1",
                "p1 +1 med 1",
                "p1 no routes",
                "p1 end ipv4-unicast",
                "p1 stat 1",
                "bad",
                "p1 mirrored 0",
                "p1 -1",
            ],
            &["p1 up 1", "p1 in-pre 1001 end-of-rib", "p1 stat 1"],
        ),
        (
            Want { mirroring: false, ..want(vec![tables(&[(View::AdjRibInPost, V4)])]) },
            &["p1 up 1", "p1/40 +1 med 1", "p1/40 end ipv4-unicast", "p1/40 stat 1", "bad"],
            &[
                "p1 up 1",
                "p1 in-post 1001 announce 10.1.0.0/16 med 1",
                "p1 in-post 1001 end-of-rib",
                "p1/40 stat 1",
            ],
        ),
        (
            Want { mirroring: false, ..want(vec![tables(&[(View::AdjRibInPre, V6)])]) },
            &["p1 up 1", "p1 +v6 1 med 1", "p1 no routes", "p1 end ipv6-unicast", "p1 stat 1", "bad"],
            &[
                "p1 up 1",
                "p1 in-pre 1001 announce ipv6-unicast 2001:100::/24 next-hop 192.0.2.99 med 1",
                "p1 in-pre 1001 end-of-rib ipv6-unicast",
                "p1 stat 1",
            ],
        ),
        (Want { mirroring: false, ..want(vec![tables(&[(View::LocRib, V4)])]) }, &[], &[]),
        (want(vec![named("blue")]), &[], &[]),
    ];
    for (wanted, live, told) in rows {
        let mut bench = Bench::new(Settings::default());
        let row = format!("{wanted:?}");
        let id = bench.attach(wanted);
        bench.connect(id);
        bench.take(&sent);
        says(&row, &bench.heard(id), live);
        says(&row, &bench.reconnect(id)[1..], told);
    }
}

/// Mirroring that is not wanted is not lost either; broken mirroring is mirroring.
#[test]
fn no_mirroring() {
    let mut bench = Bench::new(Settings::default());
    let ids = [true, false].map(|mirroring| bench.attach(Want { mirroring, ..Want::everything() }));
    for id in ids {
        bench.connect(id);
    }
    bench.take(&[up(p(1))]);
    bench.take(&[]);
    for id in ids {
        bench.heard(id);
    }
    let seen = ids.map(|id| bench.seen(id));
    bench.take(&[mirrored(p(1), 0), mirrored(p(2), 0), raw("half", 6, Some(p(1)), &[0])]);
    says("wanted", &bench.heard(ids[0]), &["p1 mirrored 0", "p2 mirrored 0", "half"]);
    says("not wanted", &bench.heard(ids[1]), &[]);
    says("lost", &bench.fall(ids[0], &seen[0]), &["route-mirroring p1 1003 messages-lost"]);
    says("no loss", &bench.fall(ids[1], &seen[1]), &[]);
}

/// What of a peer is wanted.
type Tables = Vec<(View, Family)>;

/// Withdrawn routes, more attributes, routes.
type Fields<'a> = [&'a [u8]; 3];
/// What a message is called, its fields, what stands behind it, what is wanted, and what comes of it.
type Mixed<'a> = (&'a str, Fields<'a>, &'a [u8], Tables, Vec<String>);

/// An UPDATE of several families is taken apart for who wants some of them. Each row: its fields and what
/// stands behind it, what is wanted, and the messages that come of it.
#[test]
fn partly() {
    let path = |id: u8, n: u8| [&[0, 0, 0, id], &*prefix(V4, n)].concat();
    let paths = [path(1, 1), path(2, 1), path(1, 2)].concat();
    let unknown = [0xc0, 222, 2, 0xab, 0xcd];
    let reach = [mp(14, V6, &prefix(V6, 1)), attributes(7), unknown.to_vec()].concat();
    let both = [mp(15, V6, &prefix(V6, 2)), mp(14, V6, &prefix(V6, 1)), attributes(7)].concat();
    let odd = [mp(14, ODD, &[1, 2, 3]), attributes(7)].concat();
    let labelled = Family::new(1, 4);
    let label = [&[40, 0, 1, 1][..], &[10, 1]].concat();
    let labels = [mp(14, labelled, &label), attributes(7)].concat();
    let none: &[u8] = &[];
    let (pre4, pre6) = ((View::AdjRibInPre, V4), (View::AdjRibInPre, V6));
    let paths_gone = "p1 in-pre 7 withdraw 10.1.0.0/16#1 10.1.0.0/16#2 10.2.0.0/16#1";
    let six = "p1 in-pre 7 announce ipv6-unicast 2001:100::/24 next-hop 192.0.2.99 med 7";
    let plain = "p1 in-pre 7 announce 10.1.0.0/16#1 10.1.0.0/16#2 10.2.0.0/16#1 med 7";
    let more = "attribute-222 flags c0 2 octets abcd";
    let with = |line: &str, more: &str| format!("{line} {more}");
    let rows: [Mixed<'_>; 9] = [
        ("withdrawn", [&paths, &reach, none], none, vec![pre4], vec![paths_gone.into()]),
        ("announced", [&paths, &reach, none], none, vec![pre6], vec![with(six, more)]),
        ("plain routes", [none, &reach, &paths], none, vec![pre4], vec![with(plain, more)]),
        (
            "withdrawn and announced",
            [&paths, &both, &paths],
            none,
            vec![pre6],
            vec!["p1 in-pre 7 withdraw ipv6-unicast 2001:200::/24".into(), six.into()],
        ),
        (
            "with what stands behind it",
            [&paths, &reach, none],
            &[0, 9, 0, 1, 7],
            vec![pre6],
            vec![with(six, &with(more, "tlv-9 1 octets 07"))],
        ),
        (
            "a label",
            [&paths, &labels, none],
            none,
            vec![(View::AdjRibInPre, labelled)],
            vec!["p1 in-pre 7 announce ipv4-labelled 10.1.0.0/16|16 next-hop 192.0.2.99 med 7".into()],
        ),
        ("all of it", [&paths, &reach, none], none, vec![pre4, pre6], vec!["p1 mixed".into()]),
        ("none of it", [&paths, &reach, none], none, vec![(View::AdjRibInPost, V4)], vec![]),
        ("beside what cannot be told apart", [none, &odd, &paths], none, vec![pre4], vec![plain.into()]),
    ];
    let mut add_path_in = FamilySet::default();
    add_path_in.insert(V4);
    let dialect = Dialect { add_path_in, four_octet_as: true, ..Dialect::default() };
    for (row, fields, trailing, of, expected) in rows {
        let mut bench = Bench::new(Settings::default());
        let id = bench.attach(want(vec![tables(&of)]));
        bench.connect(id);
        bench.take(&[up_with(p(1), 1, &[PATHS_V4], "", 0)]);
        bench.heard(id);
        let mixed = update("mixed", p(1), fields, trailing);
        bench.take(std::slice::from_ref(&mixed));
        let feed = bench.mirror.feed(id);
        let messages = std::mem::take(&mut bench.logs.feeds.get_mut(&feed).expect("open").messages);
        let lines: Vec<_> = messages
            .iter()
            .map(|message| {
                let (frame, _) = Frame::split(message).expect("BMP").expect("whole");
                if *message == mixed.octets {
                    mixed.name.clone()
                } else {
                    super::short(frame.show(&dialect).to_string())
                }
            })
            .collect();
        says(row, &lines, &expected.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

/// An UPDATE as long as can be loses no route when it is taken apart.
#[test]
fn long_ones() {
    let nlri: Vec<u8> = (0..16_000_u16)
        .flat_map(|n| {
            let [a, b] = n.to_be_bytes();
            [24, 10, a, b]
        })
        .collect();
    let six = mp(15, V6, &prefix(V6, 1));
    let mut bench = Bench::new(Settings::default());
    let id = bench.attach(want(vec![tables(&[(View::AdjRibInPre, V4)])]));
    bench.connect(id);
    bench.take(&[up(p(1)), update("long", p(1), [&[], &six, &nlri], &[])]);
    assert_eq!(bench.mirror.rib().count().paths, 16_000);
    let feed = bench.mirror.feed(id);
    let messages = &bench.logs.feeds[&feed].messages[1..];
    let routes = messages.iter().map(|message| {
        let (frame, _) = Frame::split(message).expect("BMP").expect("whole");
        let update = frame.route_monitoring().expect("fine").expect("of this kind").update().expect("fine");
        update.parts().map(|part| part.nlri.len() / 4).sum::<usize>()
    });
    assert_eq!(routes.sum::<usize>(), 16_000);
}
