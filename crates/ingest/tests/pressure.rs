//! Much at once, and nobody who takes it: over real sockets of this machine, with both drivers.
//!
//! * **whole**  what routers send comes out of the lanes: each peer's messages, octet for octet, in order.

mod place;

use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ingest::LANE_RECORDS;
use ingest::frames::{BUFFER_LEN, BUFFERS_MAX};
use ingest::routers::{REPORTS_MAX, Reason, Report};
use place::{LIMIT, Place, both, initiation, of_peer, wait};
use tests::stream::{bmp, every_family};

#[test]
fn many_routers_at_once_lose_nothing() {
    both(|io| {
        let mut place = Place::new(io);
        let address = place.listen("127.0.0.1:0");
        let streams: Vec<Vec<u8>> = (0..24)
            .map(|n| {
                let stream = if n % 3 == 0 { every_family(n, 3000).0 } else { bmp(n, 3000).0 };
                // The generator calls all of them the same.
                [initiation(&format!("rr{n}")), stream].concat()
            })
            .collect();
        let senders: Vec<_> = streams
            .iter()
            .cloned()
            .enumerate()
            .map(|(n, stream)| {
                thread::spawn(move || {
                    let mut socket = TcpStream::connect(address).unwrap();
                    // Cuts of all lengths, some at each octet.
                    for piece in stream.chunks(if n == 7 { 31 } else { 1000 + 4099 * n }) {
                        socket.write_all(piece).unwrap();
                    }
                })
            })
            .collect();
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        wait("all are down", || {
            place.turn();
            place.downs() == streams.len() && place.open_lanes() == 0
        });
        for (n, stream) in streams.iter().enumerate() {
            place.check(&format!("rr{n}"), stream);
        }
        assert!(place.came > 0, "nobody said when it came");
        let reasons = place.reports.iter().filter_map(|report| match report {
            Report::Down { reason, .. } => Some(reason),
            _ => None,
        });
        reasons.for_each(|reason| assert_eq!(*reason, Reason::Closed { begun: 0 }));
    });
}

#[test]
fn a_full_lane_stops_one_socket_and_nobody_else() {
    both(|io| {
        let mut place = Place::new(io);
        let address = place.listen("127.0.0.1:0");
        // Nobody drains: both fill as many buffers as they may, one in place and one gathered.
        let few = [initiation("few"), bmp(1, 300_000).0].concat();
        let alternating: Vec<u8> = (0..200_000_u32).flat_map(|n| of_peer((n % 2) as u8, 40)).collect();
        let alternating = [initiation("alternating"), alternating].concat();
        let senders: Vec<_> = [few.clone(), alternating.clone()]
            .map(|stream| {
                thread::spawn(move || TcpStream::connect(address).unwrap().write_all(&stream).unwrap())
            })
            .into_iter()
            .collect();
        let stalled = |place: &mut Place| {
            let sights = place.survey();
            sights.len() == 2 && sights.iter().all(|sight| sight.waiting > 0)
        };
        wait("both wait", || stalled(&mut place));
        let before: Vec<u64> = place.survey().iter().map(|sight| sight.octets).collect();
        thread::sleep(Duration::from_millis(100));
        let after: Vec<u64> = place.survey().iter().map(|sight| sight.octets).collect();
        assert_eq!(before, after, "who waits is not read");
        assert!(before.iter().all(|&octets| octets <= ((BUFFERS_MAX + 2) * BUFFER_LEN) as u64), "{before:?}");
        // A third one is served meanwhile, as far as its reports show.
        let mut third = TcpStream::connect(address).unwrap();
        third.write_all(&[initiation("third"), of_peer(1, 20)].concat()).unwrap();
        wait("the third is read", || {
            place.survey().iter().any(|sight| {
                sight.router.as_ref().is_some_and(|(name, _)| &**name == "third") && sight.messages == 2
            })
        });
        assert!(senders.iter().all(|sender| !sender.is_finished()), "TCP holds the routers back");
        // And when somebody drains, it goes on and nothing is lost.
        drop(third);
        wait("all is drained", || {
            place.turn();
            place.downs() == 3 && place.open_lanes() == 0
        });
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        place.check("few", &few);
        place.check("alternating", &alternating);
        place.check("third", &[initiation("third"), of_peer(1, 20)].concat());
    });
}

#[test]
fn a_lane_full_of_small_records_keeps_what_finds_no_room() {
    both(|io| {
        let mut place = Place::new(io);
        let address = place.listen("127.0.0.1:0");
        let mut router = TcpStream::connect(address).unwrap();
        router.set_nodelay(true).unwrap();
        router.write_all(&initiation("rr1")).unwrap();
        let mut sent = initiation("rr1");
        // One by one, so that each is a read and a record. The lane also holds what says when they came; and now
        // and then a read brings two.
        let mut waits = false;
        for n in 0..20_000_u32 {
            let message = of_peer(1, 4 + (n % 50) as usize);
            sent.extend_from_slice(&message);
            router.write_all(&message).unwrap();
            thread::sleep(Duration::from_micros(20));
            if n % 100 == 99 && place.survey()[0].waiting > 0 {
                waits = true;
                break;
            }
        }
        assert!(waits, "{:?}", place.survey());
        assert!(place.survey()[0].messages > LANE_RECORDS as u64 / 2);
        // It is tried again and again, and it stays the next one.
        thread::sleep(Duration::from_millis(50));
        let more: Vec<u8> = (0..250_u8).flat_map(|n| of_peer(1 + n % 3, 9)).collect();
        router.write_all(&more).unwrap();
        drop(router);
        wait("it is down", || {
            place.turn();
            place.downs() == 1 && place.open_lanes() == 0
        });
        place.check("rr1", &[sent, more].concat());
    });
}

#[test]
fn a_busy_router_does_not_starve_another() {
    both(|io| {
        let mut place = Place::new(io);
        place.keep = false;
        let address = place.listen("127.0.0.1:0");
        let stop = Arc::new(AtomicBool::new(false));
        let busy = stop.clone();
        let sender = thread::spawn(move || {
            let mut socket = TcpStream::connect(address).unwrap();
            socket.write_all(&initiation("busy")).unwrap();
            let octets: Vec<u8> = (0..1000).flat_map(|_| of_peer(1, 100)).collect();
            while !busy.load(Ordering::Relaxed) {
                socket.write_all(&octets).unwrap();
            }
        });
        place.wait_for("busy", |report| matches!(report, Report::Up { connection: 1, .. }));
        let mut quiet = TcpStream::connect(address).unwrap();
        quiet.set_nodelay(true).unwrap();
        quiet.write_all(&initiation("quiet")).unwrap();
        place.wait_for("quiet", |report| matches!(report, Report::Up { connection: 2, .. }));
        let mut longest = Duration::ZERO;
        for n in 1..=50 {
            let sent = Instant::now();
            quiet.write_all(&of_peer(1, 10)).unwrap();
            wait("it comes", || {
                place.turn();
                place.messages("quiet") == n + 1
            });
            longest = longest.max(sent.elapsed());
        }
        assert!(longest < Duration::from_millis(500), "{longest:?}");
        assert!(place.messages("busy") > 1000);
        stop.store(true, Ordering::Relaxed);
        sender.join().unwrap();
    });
}

#[test]
fn reports_that_nobody_takes_wait() {
    const ROUTERS: usize = 2_100;
    const { assert!(2 * ROUTERS > REPORTS_MAX) };
    both(|io| {
        let mut place = Place::new(io);
        let address = place.listen("127.0.0.1:0");
        for n in 1..=ROUTERS {
            let mut router = TcpStream::connect(address).unwrap();
            router.write_all(&initiation("rr1")).unwrap();
            // One after the other, and their lanes are taken and their reports are not.
            let end = Instant::now() + LIMIT;
            while place.lanes_seen() < n {
                assert!(Instant::now() < end, "connection {n}");
                place.drain();
                thread::yield_now();
            }
        }
        wait("all are told", || {
            place.turn();
            place.downs() == ROUTERS
        });
        let mut ups = place.reports.iter().filter_map(|report| match report {
            Report::Up { connection, .. } => Some(*connection),
            _ => None,
        });
        assert!(ups.by_ref().eq(1..=ROUTERS as u64), "each once, in order");
    });
}
