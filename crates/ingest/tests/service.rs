//! Who may come in, who is sent away, and how connections end: over real sockets of this machine, with both drivers.
//!
//! Nothing here waits for longer than [`place::LIMIT`]; a wait that has to come true is polled.

mod place;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::Duration;

use ingest::routers::{Instance, Limits, ListenerId, Order, Reason, Report, STRANGERS_MAX};
use place::{LIMIT, Place, both, initiation, of_peer, own, wait};

#[test]
fn who_says_a_name_again_takes_its_place() {
    both(|io| {
        let mut place = Place::new(io);
        let address = place.listen("[::]:0");
        let v4 = format!("127.0.0.1:{}", address.port());
        let mut old = TcpStream::connect(&v4).unwrap();
        old.write_all(&[initiation("rr1"), of_peer(1, 30)].concat()).unwrap();
        place.wait_for("the first is up", |report| matches!(report, Report::Up { connection: 1, .. }));
        wait("both lanes are open", || {
            place.turn();
            place.open_lanes() == 2
        });
        let mut new = TcpStream::connect(format!("[::1]:{}", address.port())).unwrap();
        new.write_all(&[initiation("rr1"), of_peer(2, 30), of_peer(1, 30)].concat()).unwrap();
        place.wait_for("the second is up", |report| matches!(report, Report::Up { connection: 2, .. }));
        let words: Vec<String> = place.reports.iter().map(place::word).collect();
        let expected =
            ["listening", "up rr1 1", "down rr1 1: the router connected anew, from [::1]", "up rr1 2"];
        assert_eq!(words.len(), expected.len(), "{words:?}");
        for (word, expected) in words.iter().zip(expected) {
            assert!(word.starts_with(expected), "{words:?}");
        }
        // The old socket is closed, and its lanes end.
        old.set_read_timeout(Some(LIMIT)).unwrap();
        assert!(matches!(old.read(&mut [0]), Ok(0) | Err(_)));
        wait("the old lanes end", || {
            place.turn();
            place.open_lanes() == 3
        });
        assert_eq!(place.connections("rr1"), [1, 1, 2, 2, 2]);
        drop(new);
        wait("it is down", || {
            place.turn();
            place.downs() == 2 && place.open_lanes() == 0
        });
    });
}

#[test]
fn who_is_not_permitted_stays_outside() {
    both(|io| {
        let mut place = Place::new(io);
        let address = place.listen("127.0.0.1:0");
        let mut inside = TcpStream::connect(address).unwrap();
        inside.write_all(&initiation("rr1")).unwrap();
        place.wait_for("this machine may by itself", |report| matches!(report, Report::Up { .. }));
        place.handle.order(Order::Permit(vec![("127.0.0.0".parse().unwrap(), 8)]));
        let mut more = TcpStream::connect(address).unwrap();
        more.write_all(&initiation("rr2")).unwrap();
        place.wait_for("and by its prefix", |report| matches!(report, Report::Up { connection: 2, .. }));
        place.handle.order(Order::Permit(vec![("192.0.2.0".parse().unwrap(), 24)]));
        for connection in [1, 2] {
            let gone = |report: &Report| match report {
                Report::Down { connection: gone, reason: Reason::NotPermitted, .. } => *gone == connection,
                _ => false,
            };
            place.wait_for("who may no more is closed", gone);
        }
        let refused = TcpStream::connect(address).unwrap();
        place.wait_for("and not let in", |report| {
            matches!(report, Report::Refused { reason: Reason::NotPermitted, untold: 0, .. })
        });
        drop(refused);
    });
}

#[test]
fn limits_hold() {
    both(|io| {
        let mut place = Place::new(io);
        let address = place.listen("127.0.0.1:0");
        let first = Duration::from_millis(300);
        let limits = Limits { routers_max: 2, message_max: 1000, first, ..Limits::default() };
        place.handle.order(Order::Limits(limits));
        let mut routers = Vec::new();
        for name in ["rr1", "rr2", "rr3"] {
            let mut router = TcpStream::connect(address).unwrap();
            router.write_all(&initiation(name)).unwrap();
            routers.push(router);
            let (name, wanted) = (name.to_owned(), if name == "rr3" { "refused" } else { "up" });
            place.wait_for(&name, |report| place::word(report).starts_with(wanted));
        }
        let refused = place.reports.last().map(place::word).unwrap();
        assert_eq!(refused, "refused: 2 routers are connected, and no more may be: raise the limit");
        // Who takes its own place is no third.
        let mut again = TcpStream::connect(address).unwrap();
        again.write_all(&initiation("rr2")).unwrap();
        place.wait_for("rr2 again", |report| matches!(report, Report::Up { connection: 3, .. }));
        // A message that is too long, and one that never comes to its end.
        again.write_all(&of_peer(1, 2000)).unwrap();
        place.wait_for("too long", |report| {
            let text = place::word(report);
            text.starts_with("down rr2 3: offset 14: BMP length 2048, expected 6..=1000 [03 00 00 08 00 00")
        });
        let mut slow = TcpStream::connect(address).unwrap();
        slow.write_all(&initiation("rr4")[..9]).unwrap();
        let silent = TcpStream::connect(address).unwrap();
        for _ in 0..2 {
            place.wait_for("no whole message", |report| {
                matches!(report, Report::Refused { reason: Reason::Mute(limit), .. } if *limit == first)
            });
        }
        // A router that has said who it is may be silent.
        thread::sleep(first * 2);
        place.turn();
        assert_eq!(place.ups() - place.downs(), 1);
        drop((silent, slow));
    });
}

#[test]
fn strangers_are_bounded_and_refusals_told_in_moderation() {
    both(|io| {
        let mut place = Place::new(io);
        let address = place.listen("127.0.0.1:0");
        let strangers: Vec<_> =
            (0..STRANGERS_MAX + 40).map(|_| TcpStream::connect(address).unwrap()).collect();
        wait("some are refused", || {
            place.turn();
            place.reports.iter().any(|report| matches!(report, Report::Refused { .. }))
        });
        thread::sleep(Duration::from_millis(100));
        place.turn();
        let told = place.reports.iter().filter(|report| matches!(report, Report::Refused { .. })).count();
        // A second may have begun meanwhile.
        assert!((1..=20).contains(&told), "{told}");
        assert_eq!(place.survey().len(), STRANGERS_MAX);
        drop(strangers);
        wait("they are gone", || place.survey().is_empty());
        thread::sleep(Duration::from_millis(1100));
        drop(TcpStream::connect(address).unwrap());
        let untold = |report: &Report| match report {
            Report::Refused { untold, reason: Reason::Closed { begun: 0 }, .. } => *untold > 0,
            _ => false,
        };
        place.wait_for("the others are counted", untold);
    });
}

#[test]
fn a_connection_ends_as_it_should_be_told() {
    let terminated = own(5, &[0, 1, 0, 2, 0, 3, 0, 0, 0, 4, b'm', b'o', b'r', b'e']);
    let later = [of_peer(1, 20), terminated.clone(), of_peer(1, 20)].concat();
    let rows: [(&str, Vec<u8>, &str); 10] = [
        ("termination later", later, "down 1: the router ended it with a Termination, reason 3: more"),
        ("whole", of_peer(1, 20), "down 1: the router closed the connection"),
        (
            "in mid-message",
            of_peer(1, 20)[..60].to_vec(),
            "down 1: the router closed the connection 60 octets into",
        ),
        ("garbage", vec![0xa5; 5000], "down 1: offset 13: BMP version 165, expected 3 [a5 a5"),
        (
            "version 1",
            vec![1, 0, 0, 0, 48, 0],
            "down 1: offset 13: BMP version 1, a draft from before RFC 7854",
        ),
        (
            "too short",
            vec![3, 0, 0, 0, 7, 0],
            "down 1: offset 14: BMP length 7, expected 48..=1048576 [03 00",
        ),
        ("termination", terminated, "down 1: the router ended it with a Termination, reason 3: more"),
        ("bare termination", own(5, &[]), "down 1: the router ended it with a Termination"),
        ("unknown type", own(100, &[1; 50]), "down 1: the router closed the connection"),
        ("nothing", vec![], "down 1: the router closed the connection"),
    ];
    both(|io| {
        for (name, octets, expected) in &rows {
            let mut place = Place::new(io);
            let address = place.listen("127.0.0.1:0");
            let mut router = TcpStream::connect(address).unwrap();
            router.write_all(&[&initiation("rr1"), &octets[..]].concat()).unwrap();
            // Half-closed: we still could be sent to, and would not know what for.
            router.shutdown(Shutdown::Write).unwrap();
            let expected = expected.replace("down", "down rr1");
            place.wait_for(name, |report| place::word(report).starts_with(&expected));
            wait("its lanes end", || {
                place.turn();
                place.open_lanes() == 0
            });
        }
        for (octets, expected) in [
            (
                &[1, 0, 0, 0, 48, 0][..],
                "refused: offset 0: BMP version 1, a draft from before RFC 7854: set the",
            ),
            (b"GET / HTTP/1.1\r\n", "refused: offset 0: BMP version 71, expected 3 [47 45 54 20"),
            (&[3, 0, 0], "refused: the router closed the connection 3 octets into a message"),
        ] {
            let mut place = Place::new(io);
            let address = place.listen("127.0.0.1:0");
            let mut router = TcpStream::connect(address).unwrap();
            router.write_all(octets).unwrap();
            router.shutdown(Shutdown::Write).unwrap();
            place.wait_for(expected, |report| place::word(report).starts_with(expected));
        }
    });
}

#[test]
fn a_router_without_initiation_goes_by_its_address() {
    both(|io| {
        let mut place = Place::new(io);
        let address = place.listen("127.0.0.1:0");
        let mut router = TcpStream::connect(address).unwrap();
        router.write_all(&of_peer(1, 20)).unwrap();
        place.wait_for("up", |report| place::word(report) == "up 127.0.0.1 1");
        drop(router);
        wait("its lanes end", || {
            place.turn();
            place.open_lanes() == 0
        });
        place.check("127.0.0.1", &of_peer(1, 20));
    });
}

#[test]
fn a_reset_closes_one_or_all() {
    both(|io| {
        let mut place = Place::new(io);
        let address = place.listen("127.0.0.1:0");
        let mut routers = Vec::new();
        for (name, number) in [("rr1", 1), ("rr2", 2), ("rr3", 3)] {
            let mut router = TcpStream::connect(address).unwrap();
            router.write_all(&initiation(name)).unwrap();
            routers.push(router);
            place.wait_for(
                name,
                |report| matches!(report, Report::Up { connection, .. } if *connection == number),
            );
        }
        place.handle.order(Order::Reset(Some("rr2".into())));
        place.handle.order(Order::Reset(Some("nobody".into())));
        place.wait_for("rr2", |report| place::word(report) == "down rr2 2: by command");
        place.handle.order(Order::Reset(None));
        place.wait_for("rr3", |report| place::word(report) == "down rr3 3: by command");
        assert_eq!(place.downs(), 3);
        // Listeners come and go, and what is connected stays.
        let mut router = TcpStream::connect(address).unwrap();
        router.write_all(&initiation("rr4")).unwrap();
        place.wait_for("rr4", |report| matches!(report, Report::Up { connection: 4, .. }));
        let same = place.listen(&address.to_string());
        assert_eq!(same, address);
        place.handle.order(Order::Unlisten(ListenerId(1)));
        wait("nobody listens", || TcpStream::connect(address).is_err());
        let sights = place.survey();
        assert_eq!(sights.len(), 1);
        assert_eq!(sights[0].router, Some(("rr4".into(), 4)));
        assert_eq!((sights[0].octets, sights[0].messages, sights[0].waiting), (13, 1, 0));
        place.handle.order(Order::Listen(ListenerId(9), "192.0.2.1:1".parse().unwrap(), Instance::Public));
        place.wait_for("no such address", |report| {
            matches!(report, Report::Listening(ListenerId(9), Err(text)) if text.contains("add it, or another"))
        });
    });
}

#[test]
fn the_mirror_may_end_first() {
    both(|io| {
        let mut place = Place::new(io);
        let address = place.listen("127.0.0.1:0");
        let mut router = TcpStream::connect(address).unwrap();
        router.write_all(&initiation("rr1")).unwrap();
        place.wait_for("up", |report| matches!(report, Report::Up { .. }));
        place.intake = None;
        router.write_all(&of_peer(1, 20)).unwrap();
        place.wait_for("down", |report| place::word(report) == "down rr1 1: the mirror has ended");
        let mut router = TcpStream::connect(address).unwrap();
        router.write_all(&initiation("rr1")).unwrap();
        place.wait_for("refused", |report| place::word(report) == "refused: the mirror has ended");
    });
}
