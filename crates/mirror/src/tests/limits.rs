//! What is refused, dropped or not kept, and where it is counted.

use wire::bmp::DownReason;
use wire::{Error, Fault};

use super::{
    Bench, ODD, Sent, V4, add, del, down, end, init, loc, mirrored, p, prefix, raw, says, stat, up, up_with,
    update,
};
use crate::catch_up::KEPT_MAX;
use crate::peer::{ENDS_MAX, PEER_UPS_MAX, STATISTICS_MAX};
use crate::{Lane, Settings, Tally};

fn tally(route_monitoring: u64, more: Tally) -> Tally {
    Tally { messages: more.messages.max(1), route_monitoring, ..more }
}

/// Each row, on top of a peer with one route: a message, what is counted, what a live server sees.
/// The peers of which something cannot be told are the last number.
#[test]
fn counted() {
    let one = Tally::default();
    let cut_open = up(p(2)).octets[48..100].to_vec();
    let bad_nlri = update("bad", p(1), [&[], &super::attributes(1), &[33, 10]], &[]);
    let odd = update("odd", p(1), [&[], &super::mp(14, ODD, &[1, 2, 3]), &[]], &[]);
    let both = [super::mp(14, ODD, &[1, 2, 3]), super::attributes(1)].concat();
    let both = update("both", p(1), [&[], &both, &prefix(V4, 9)], &[]);
    let strange = wire::bmp::PeerHeader { kind: wire::bmp::PeerKind(200), ..p(1) };
    let rows: [(Sent, Tally, bool, usize); 18] = [
        (add(p(1), 1, 2), tally(1, Tally { changed: 1, ..one }), true, 0),
        (add(p(1), 1, 1), tally(1, Tally { same: 1, ..one }), true, 0),
        (del(p(1), 2), tally(1, Tally { same: 1, ..one }), true, 0),
        (bad_nlri, tally(1, Tally { malformed: 1, ..one }), true, 1),
        (odd, tally(1, Tally { untold: 1, ..one }), true, 1),
        (both, tally(1, Tally { untold: 1, changed: 1, ..one }), true, 1),
        (raw("no PDU", 0, Some(p(1)), &[0; 30]), tally(1, Tally { malformed: 1, ..one }), true, 1),
        (add(strange, 1, 1), tally(1, Tally { malformed: 1, ..one }), true, 1),
        (
            raw("statistics that lie", 1, Some(p(1)), &[0, 0, 0, 9]),
            tally(0, Tally { malformed: 1, ..one }),
            true,
            1,
        ),
        (raw("half a Peer Up", 3, Some(p(2)), &cut_open), tally(0, Tally { malformed: 1, ..one }), false, 0),
        (raw("half an Initiation", 4, None, &[0]), tally(0, Tally { malformed: 1, ..one }), true, 0),
        (raw("half a Termination", 5, None, &[0]), tally(0, Tally { malformed: 1, ..one }), false, 0),
        (raw("half a mirrored", 6, Some(p(1)), &[0]), tally(0, Tally { malformed: 1, ..one }), true, 0),
        (raw("a Termination", 5, None, &[0, 1, 0, 2, 0, 0]), tally(0, Tally { stray: 1, ..one }), false, 0),
        (raw("type 100", 100, None, &[1]), tally(0, Tally { untold: 1, ..one }), true, 0),
        (down(p(2), DownReason::DECONFIGURED), tally(0, Tally { stray: 1, ..one }), false, 0),
        (mirrored(p(2), 1), tally(0, one), true, 0),
        (init("two"), tally(0, one), true, 0),
    ];
    for (sent, want, passed, untold) in rows {
        let mut bench = Bench::new(Settings::default());
        bench.take(&[init("one"), up(p(1)), add(p(1), 1, 1)]);
        let id = bench.live();
        let row = &sent.name;
        let peers = bench.mirror.peers(bench.router);
        assert_eq!(bench.take(std::slice::from_ref(&sent)), want, "{row}");
        let lines: &[&str] = if passed { &[row] } else { &[] };
        says(row, &bench.heard(id), lines);
        bench.mirror.lost(id);
        bench.mirror.connected(id);
        let (lines, said) = bench.caught_up(id);
        assert_eq!(said, untold, "{row}: {lines:?}");
        if row.starts_with("kind 200") {
            assert_eq!(bench.mirror.peers(bench.router), peers + 1, "{row}: a peer without a Peer Up");
        } else {
            assert_eq!(bench.mirror.peers(bench.router), peers, "{row}");
        }
    }
}

/// What cannot be told is said once to whoever was told what came before it.
#[test]
fn untold_once() {
    let mut bench = Bench::new(Settings::default());
    bench.take(&[up(p(1)), up(p(2))]);
    let id = bench.live();
    bench.take(&[]);
    let seen = bench.seen(id);
    let odd = |header| update("odd", header, [&[], &super::mp(14, ODD, &[1]), &[]], &[]);
    bench.take(&[odd(p(1)), odd(p(2)), odd(p(2))]);
    bench.mirror.fell(id, &seen);
    assert_eq!(bench.caught_up(id).1, 2);
    bench.take(&[]);
    let seen = bench.seen(id);
    bench.take(&[add(p(1), 1, 1)]);
    bench.mirror.fell(id, &seen);
    assert_eq!(bench.caught_up(id).1, 0);
}

#[test]
fn octets_that_are_no_bmp() {
    let [first, second] = [up(p(1)).octets, add(p(1), 1, 1).octets];
    let at = first.len();
    let rows = [
        ("nothing", vec![], Ok(0)),
        ("a version", vec![9, 0, 0], Err((at, "BMP version 9, expected 3"))),
        ("a length", vec![3, 0, 0, 0, 5, 0], Err((at + 1, "BMP length 5, expected 48..=1048576"))),
        ("a header", vec![3, 0, 0], Err((at, "BMP message wants 4 octets, 3 left"))),
        ("a message", second[..60].to_vec(), Err((at, "BMP message wants 61 octets, 60 left"))),
        ("all of it", second, Ok(1)),
    ];
    for (row, more, want) in rows {
        let mut bench = Bench::new(Settings::default());
        let octets = [&*first, &more].concat();
        let (now, lane) = (bench.now, bench.lane);
        let taken = bench.mirror.take(now, bench.router, lane, &octets, &mut bench.logs);
        let said = taken.map(|taken| taken.changed).map_err(|error| (error.offset, error.to_string()));
        let want = want.map_err(|(offset, text)| (offset, format!("offset {offset}: {text}")));
        assert_eq!(said, want, "{row}");
        assert_eq!(bench.mirror.peers(bench.router), 1, "{row}: what stood in front was taken");
    }
    let cut = Error { offset: 0, fault: Fault::Cut { what: "BMP message", want: 2, left: 1 } };
    let mut bench = Bench::new(Settings::default());
    let (now, router, lane) = (bench.now, bench.router, bench.lane);
    assert_eq!(bench.mirror.take(now, router, lane, &[3], &mut bench.logs), Err(cut));
}

#[test]
fn peers_beyond() {
    let mut bench = Bench::new(Settings { peers_max: 2, ..Settings::default() });
    let id = bench.live();
    let beyond = |messages, beyond| Tally { messages, beyond, ..Tally::default() };
    assert_eq!(bench.take(&[up(p(1)), up(p(2)), up(p(3)), stat(p(3), 1)]), beyond(4, 2));
    says("no third", &bench.heard(id), &["p1 up 1", "p2 up 1"]);
    let tally = bench.take(&[add(p(4), 1, 1), end(p(4), V4), mirrored(p(4), 0)]);
    assert_eq!(tally, Tally { route_monitoring: 2, ..beyond(3, 2) });
    says("what is mirrored makes no peer", &bench.heard(id), &["p4 mirrored 0"]);
    assert_eq!(bench.take(&[up_with(p(2), 2, &[], "", 0)]), beyond(1, 0), "in its own place");
    assert_eq!(bench.take(&[down(p(1), DownReason::DECONFIGURED), up(p(3))]), beyond(2, 0), "there is room");
    assert_eq!(bench.mirror.peers(bench.router), 2);
}

/// A peer with as much as is kept, and one more of it: what is counted, and how many lines a new server
/// is told of it.
#[test]
fn kept_so_many() {
    let ups = |n: usize| (0..n).map(|n| up_with(p(1), 1, &[], &format!("t{n}"), 0)).collect::<Vec<_>>();
    let flags = |n: usize| super::view(p(1), u8::try_from(n).expect("few") & 0x4f | 0x20);
    let stats = |n: usize| (0..n).map(|n| stat(flags(n + n / 16 * 48), 1)).collect::<Vec<_>>();
    let family = |n: usize| wire::Family::new(u16::try_from(1000 + n).expect("few"), 1);
    let ends = |n: usize| (0..n).map(|n| end(p(1), family(n))).collect::<Vec<_>>();
    let rows = [
        ("Peer Ups", PEER_UPS_MAX, ups(PEER_UPS_MAX), 0),
        ("one too many", PEER_UPS_MAX, ups(PEER_UPS_MAX + 1), 1),
        ("three too many", PEER_UPS_MAX, ups(PEER_UPS_MAX + 3), 3),
        ("statistics", STATISTICS_MAX + 1, [ups(1), stats(STATISTICS_MAX)].concat(), 0),
        ("one too many", STATISTICS_MAX + 1, [ups(1), stats(STATISTICS_MAX + 1)].concat(), 1),
        ("ends", ENDS_MAX + 1, [ups(1), ends(ENDS_MAX)].concat(), 0),
        ("one too many", ENDS_MAX + 1, [ups(1), ends(ENDS_MAX + 1)].concat(), 1),
        ("again and again", ENDS_MAX + 1, [ups(1), ends(ENDS_MAX), ends(ENDS_MAX)].concat(), 0),
    ];
    for (row, kept, sent, untold) in rows {
        let mut bench = Bench::new(Settings::default());
        let id = bench.live();
        assert_eq!(bench.take(&sent).untold, untold, "{row}");
        assert_eq!(bench.heard(id).len(), sent.len(), "{row}: all of it is passed on");
        bench.mirror.lost(id);
        bench.mirror.connected(id);
        let (lines, said) = bench.caught_up(id);
        assert_eq!((lines.len(), said as u64), (1 + kept, untold.min(1)), "{row}");
    }
}

/// Messages of KEPT_MAX octets are kept, longer ones are not: Peer Ups go without their TLVs.
#[test]
fn kept_so_long() {
    let stats = |len: usize| {
        let stat = [&[0, 0, 0, 1, 0, 0], &u16::try_from(len - 56).expect("short").to_be_bytes()[..]].concat();
        raw("long statistics", 1, Some(p(1)), &[stat, vec![0; len - 56]].concat())
    };
    let longer = |mut sent: Sent| {
        let more = KEPT_MAX + 1 - sent.octets.len();
        sent.octets.extend([0, 0]);
        sent.octets.extend(u16::try_from(more - 4).expect("short").to_be_bytes());
        sent.octets.extend(vec![b'x'; more - 4]);
        let len = u32::try_from(sent.octets.len()).expect("short").to_be_bytes();
        sent.octets[1..5].copy_from_slice(&len);
        sent
    };
    let long_init = longer(init("one"));
    let long_up = longer(up_with(p(1), 1, &[], "blue", 0));
    let (kept, one) = ("initiation sys-descr \"d\" sys-name \"r1\"", "p1 up 1");
    let rows = [
        ("statistics", vec![up(p(1)), stats(KEPT_MAX)], vec![kept, one, "long statistics"], 0, 0),
        ("too long", vec![up(p(1)), stat(p(1), 1), stats(KEPT_MAX + 1)], vec![kept, one], 1, 1),
        ("Initiation", vec![init("two"), long_init.clone()], vec![kept], 1, 0),
        (
            "Peer Up",
            vec![up(p(1)), down(p(1), DownReason::DECONFIGURED), long_up.clone()],
            vec![kept, one],
            1,
            1,
        ),
        ("another", vec![up_with(p(1), 1, &[], "t", 0), long_up], vec![kept, "p1 up 1 t", one], 1, 1),
    ];
    for (row, sent, want, counted, untold) in rows {
        let mut bench = Bench::new(Settings { description: "d".to_owned(), ..Settings::default() });
        let id = bench.live();
        bench.names.insert(up(p(1)).octets, one.to_owned());
        assert_eq!(bench.take(&sent).untold, counted, "{row}");
        assert_eq!(bench.heard(id).len(), sent.len(), "{row}: all of it is passed on");
        bench.mirror.lost(id);
        bench.mirror.connected(id);
        let (lines, said) = bench.caught_up(id);
        says(row, &lines, &want);
        assert_eq!(said, untold, "{row}");
    }
}

#[test]
fn long_names_end_too() {
    // A Loc-RIB whose name is as long as names get: its Peer Down is longer than what is kept.
    let name = "n".repeat(65535);
    let mut bench = Bench::new(Settings::default());
    let id = bench.live();
    bench.take(&[up_with(loc(), 1, &[], &name, 0)]);
    bench.reconnect(id);
    bench.heard(id);
    let seen = bench.seen(id);
    bench.ended(bench.lane);
    let live = bench.heard(id);
    assert!(live.len() == 1 && live[0].contains("loc-rib-ended"), "{live:?}");
    let told = bench.fall(id, &seen);
    assert_eq!(told, live, "the same, made anew");
}

/// Routes that the RIB has no room for: passed on, counted, and catch-ups say that they lack them.
#[test]
fn routes_refused() {
    let settings =
        Settings { rib: rib::Settings { paths_max: 2, ..rib::Settings::default() }, ..Settings::default() };
    let mut bench = Bench::new(settings);
    let id = bench.live();
    let nlri = [prefix(V4, 1), prefix(V4, 2), prefix(V4, 3)].concat();
    let three = update("three", p(1), [&[], &super::attributes(1), &nlri], &[]);
    let want =
        Tally { messages: 2, route_monitoring: 1, changed: 2, refused: 1, untold: 1, ..Tally::default() };
    assert_eq!(bench.take(&[up(p(1)), three]), want);
    says("live", &bench.heard(id), &["p1 up 1", "p1 three"]);
    bench.mirror.lost(id);
    bench.mirror.connected(id);
    let (lines, untold) = bench.caught_up(id);
    assert_eq!((lines[2].as_str(), untold), ("p1 in-pre 1001 announce 10.1.0.0/16 10.2.0.0/16 med 1", 1));
}

/// A connection that was replaced: what is left of it is counted and dropped.
#[test]
fn stale() {
    let mut bench = Bench::new(Settings::default());
    let id = bench.live();
    bench.take(&[up(p(1))]);
    let old = std::mem::replace(&mut bench.lane, Lane { connection: 2, queue: 2 });
    bench.take(&[up(p(2))]);
    let new = std::mem::replace(&mut bench.lane, old);
    let want = Tally { messages: 3, stale: 3, ..Tally::default() };
    assert_eq!(bench.take(&[add(p(1), 1, 1), up(p(2)), init("old")]), want);
    bench.ended(old);
    let lines = bench.heard(id);
    says("one went when the other came", &lines, &["p1 up 1", "peer-down p1 1002 deconfigured", "p2 up 1"]);
    bench.lane = new;
    assert_eq!(bench.take(&[add(p(2), 1, 1)]).changed, 1);
}
