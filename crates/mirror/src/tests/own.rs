//! Statistics of our own, routers that are forgotten, and what people see of peers.

use super::{Bench, Settings, V4, V6, Want, add, add6, del, loc, p, says, stat, up, v, view};
use crate::{Instance, RouterId, Row};
use wire::bgp::View;

const POST: u8 = 0x40;
const OUT: u8 = 0x10;

#[test]
fn reports() {
    let mut bench = Bench::new(Settings::default());
    let id = bench.live();
    let public = Row { instance: Instance::Public, address: None, tables: vec![(View::AdjRibInPre, V4)] };
    let some = bench.attach(Want { rows: vec![public], mirroring: false });
    bench.connect(some);
    bench.happens(&[
        up(p(1)),
        add(p(1), 1, 1),
        add(p(1), 2, 1),
        add(p(1), 3, 1),
        del(p(1), 3),
        add6(p(1), 1, 1),
        add(view(p(1), POST), 1, 1),
        add(view(p(1), OUT), 1, 1),
        up(loc()),
        add(loc(), 5, 1),
        up(v(2)),
        // A router that reports itself, a peer without routes, and one that nobody was told of.
        up(p(3)),
        stat(p(3), 1),
        add(p(3), 9, 1),
        up(p(4)),
        add(p(5), 1, 1),
    ]);
    bench.heard(id);
    bench.heard(some);
    let router = bench.router;
    assert_eq!(bench.mirror.report(bench.now, router, &mut bench.logs), 4);
    let all = [
        // The header says whether before or after policy.
        "statistics p1 1001 in 3 in 2 in ipv6-unicast 1",
        "statistics p1 post-policy 1001 in 1 in 1",
        "statistics p1 out 1001 out-pre 1 out-pre 1",
        "statistics loc 1001 loc-rib 1 loc-rib 1",
    ];
    says("all", &bench.heard(id), &all);
    says("some", &bench.heard(some), &all[..1]);
}

#[test]
fn forgotten_routers() {
    let mut bench = Bench::new(Settings::default());
    let id = bench.live();
    assert!(!bench.mirror.forget_router(bench.router), "a session is about it");
    bench.happens(&[up(p(1)), add(p(1), 1, 1)]);
    bench.mirror.lost(id);
    bench.mirror.detach(id, &mut bench.logs);
    assert!(!bench.mirror.forget_router(bench.router), "it has a peer");
    bench.ended(bench.lane);
    assert!(bench.mirror.forget_router(bench.router));
    let names: Vec<_> = bench.mirror.routers().map(|(_, name)| name.to_owned()).collect();
    assert_eq!(names, [""; 0]);
    // Its number is free, and not its name, whatever that is.
    assert_eq!(bench.mirror.router("r2"), RouterId(0));
    assert_eq!(bench.mirror.router(""), RouterId(1));
    assert_eq!(bench.mirror.router("r1"), RouterId(2));
    assert_eq!(bench.mirror.tally(RouterId(0)), crate::Tally::default());
}

#[test]
fn looks() {
    let mut bench = Bench::new(Settings::default());
    bench.happens(&[up(p(1)), add(p(1), 1, 1), add(p(1), 2, 1)]);
    let up_at = bench.now;
    bench.happens(&[add(p(1), 3, 1), add6(p(1), 1, 1), add(p(2), 1, 1)]);
    let peers: Vec<_> = bench.mirror.peers_of(bench.router).collect();
    let seen = |at: usize| {
        let peer = peers[at];
        let tables: Vec<_> = peer.tables().map(|table| (table.view, table.family, table.paths)).collect();
        (peer.header().ip().to_string(), peer.is_provisional(), peer.up_at(), peer.updates(), tables)
    };
    let pre = View::AdjRibInPre;
    assert_eq!(
        seen(0),
        (String::from("192.0.2.1"), false, up_at, (4, bench.now), vec![(pre, V4, 3), (pre, V6, 1)])
    );
    assert_eq!(seen(1), (String::from("192.0.2.2"), true, bench.now, (1, bench.now), vec![(pre, V4, 1)]));
}
