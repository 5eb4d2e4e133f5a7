//! What the service costs when nothing happens, and what it leaves behind: measured of the whole process, so this
//! is a program of one test.

mod place;

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use ingest::routers::{Io, Report};
use place::{LIMIT, Place, initiation, of_peer, wait};

/// Nanoseconds that threads of a name have spent on a processor.
fn busy(name: &str) -> u64 {
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    let ours = tasks.filter(|task| {
        fs::read_to_string(task.path().join("comm")).is_ok_and(|comm| comm.trim_end() == name)
    });
    let busy = |path: std::path::PathBuf| -> u64 {
        let stat = fs::read_to_string(path.join("schedstat")).unwrap_or_default();
        stat.split_whitespace().next().and_then(|field| field.parse().ok()).unwrap_or(0)
    };
    ours.map(|task| busy(task.path())).sum()
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn idle_costs_nothing_and_nothing_is_left() {
    for io in [Io::Uring, Io::Epoll] {
        println!("{io:?}");
        // What a runtime opens once for the whole process, as for signals, stays.
        drop(Place::new(io));
        let mut at_first = descriptors();
        wait("the first one is gone", || at_first == std::mem::replace(&mut at_first, descriptors()));
        let mut place = Place::new(io);
        let address = place.listen("[::]:0");
        let v4 = format!("127.0.0.1:{}", address.port());
        let mut routers: Vec<_> = (0..50)
            .map(|n| {
                let mut router = TcpStream::connect(&v4).unwrap();
                router.write_all(&[initiation(&format!("rr{n}")), of_peer(1, 20)].concat()).unwrap();
                router
            })
            .collect();
        wait("all are up", || {
            place.turn();
            place.ups() == routers.len() && place.open_lanes() == 2 * routers.len()
        });
        let idle = descriptors();
        thread::sleep(Duration::from_millis(50));
        let before = busy("routers");
        thread::sleep(Duration::from_secs(1));
        let spent = Duration::from_nanos(busy("routers") - before);
        assert!(before > 0 && spent < Duration::from_millis(1), "{io:?}: {spent:?} in an idle second");

        // A thousand come and go: some say who they are, some in the middle of a message, some nothing.
        for n in 0..1000 {
            let mut router = TcpStream::connect(&v4).unwrap();
            let said = [initiation("guest"), of_peer(1, 20)].concat();
            drop(router.write_all(&said[..[0, 3, said.len() - 1, said.len()][n % 4]]));
            if n % 5 == 0 {
                socket2::SockRef::from(&router).set_linger(Some(Duration::ZERO)).unwrap();
            }
            drop(router);
            if n % 32 == 31 {
                // Or there were too many strangers at once.
                wait("these are gone", || {
                    place.turn();
                    place.survey().len() == routers.len()
                });
            }
        }
        wait("they are gone", || {
            place.turn();
            place.survey().len() == routers.len() && place.open_lanes() == 2 * routers.len()
        });
        assert!(place.downs() > 100);
        wait("their descriptors too", || descriptors() == idle);

        // Those that stand are closed by us, one of them in the middle of a read that is going on.
        routers[0].write_all(&of_peer(1, 20)[..30]).unwrap();
        place.handle.order(ingest::routers::Order::Reset(None));
        wait("all are down", || {
            place.turn();
            place.open_lanes() == 0 && place.survey().is_empty()
        });
        wait("their sockets too", || descriptors() == idle - routers.len());
        for router in &mut routers {
            router.set_read_timeout(Some(LIMIT)).unwrap();
            assert!(!matches!(std::io::Read::read(router, &mut [0]), Ok(1..)), "closed");
        }
        let again = TcpStream::connect(&v4).unwrap();
        wait("one is there", || place.survey().len() == 1);
        assert!(place.reports.iter().all(|report| !matches!(report, Report::Listening(_, Err(_)))));
        drop(place);
        drop((routers, again));
        // The kernel closes a ring when it comes to it.
        wait(&format!("nothing is left by {io:?}"), || descriptors() == at_first);
    }
}
