//! The driver by itself, on real sockets of the loopback.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};

use queue::log::{Log, Pool, Read as LogRead};

use super::*;
use crate::plan::Instance;

/// Long enough for whatever happens at once on a machine that is busy with something else.
const SOON: Duration = Duration::from_secs(20);

const TOKEN: Token = Token { session: SessionId(7), life: 3 };
const LISTENER: ListenerId = ListenerId(1);

type Seen = Event<OwnedFd>;

fn plan(server: SocketAddr) -> Plan {
    Plan::new("s", server)
}

fn octets(len: usize) -> Vec<u8> {
    (0..len).map(|at| at.wrapping_mul(0x9e37_79b9).to_be_bytes()[4]).collect()
}

/// A chunk of these octets, as the log gives it.
fn chunk(octets: &[u8]) -> Chunk {
    let mut log = Log::new(&Pool::new(octets.len(), 1), 0);
    let mut reader = log.subscribe();
    log.append(octets).expect("it is as long as a segment");
    log.publish();
    let LogRead::Data(chunk) = reader.read(usize::MAX) else { unreachable!("it was published") };
    chunk
}

/// What one turn of the loop sees, if anything within `limit`.
fn events(driver: &mut Epoll, limit: Duration) -> Vec<Seen> {
    let clock = Instant::now();
    loop {
        driver.flush(clock.elapsed());
        let seen: Vec<_> = std::iter::from_fn(|| driver.next_event()).collect();
        if !seen.is_empty() || clock.elapsed() >= limit {
            return seen;
        }
        driver.wait(Some(limit.min(Duration::from_millis(10)))).expect("epoll_wait");
    }
}

/// The next event; others must not come with it.
fn event(driver: &mut Epoll) -> Seen {
    let mut seen = events(driver, SOON);
    assert_eq!(seen.len(), 1, "{seen:?}");
    seen.remove(0)
}

/// A driver with one connection, and its server.
fn connected() -> (Epoll, TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
    let server = listener.local_addr().expect("bound");
    let mut driver = Epoll::new().expect("epoll");
    driver.dial(TOKEN, &plan(server), SOON);
    let Seen::Connected(TOKEN, ends) = event(&mut driver) else { panic!("not connected") };
    let (stream, remote) = listener.accept().expect("accept");
    assert_eq!((ends.local, ends.remote), (remote, server));
    (driver, stream)
}

#[test]
fn words_about_edges_are_read_as_they_were_written() {
    let token = |session, life| What::Connection(Token { session: SessionId(session), life });
    let all = [What::Bell, What::Listener(ListenerId(0)), What::Listener(ListenerId(u32::MAX - 1))];
    for what in all.into_iter().chain([token(0, 0), token(u32::MAX, (1 << 31) - 1)]) {
        assert_eq!(What::unpack(what.pack()), what);
    }
}

#[test]
fn octets_go_and_come_and_end() {
    let (mut driver, mut server) = connected();
    let sent = octets(1000);
    driver.send(TOKEN, chunk(&sent));
    let Seen::Sent(TOKEN, back, 1000) = event(&mut driver) else { panic!("not sent") };
    assert_eq!(*back, *sent);
    let mut got = vec![0; 1000];
    server.read_exact(&mut got).expect("read");
    assert_eq!(got, sent);

    server.write_all(&octets(300_000)).expect("write");
    let mut heard = 0;
    while heard < 300_000 {
        let Seen::Heard(TOKEN, len) = event(&mut driver) else { panic!("not heard") };
        assert!((1..=HEARD).contains(&len), "{len}");
        heard += len;
    }
    assert_eq!(heard, 300_000);
    drop(server);
    assert!(matches!(event(&mut driver), Seen::Ended(TOKEN)));
    assert!(events(&mut driver, Duration::from_millis(50)).is_empty(), "an end is told once");
}

#[test]
fn an_end_that_comes_with_octets_is_heard_too() {
    let (mut driver, mut server) = connected();
    server.write_all(b"bye").expect("write");
    drop(server);
    let mut seen = events(&mut driver, SOON);
    while seen.len() < 2 {
        seen.append(&mut events(&mut driver, SOON));
    }
    assert!(matches!(seen[..], [Seen::Heard(TOKEN, 3), Seen::Ended(TOKEN)]), "{seen:?}");
}

#[test]
fn who_does_not_read_is_waited_for_and_gets_all() {
    let (mut driver, mut server) = connected();
    let all = octets(32 << 20);
    let mut done = 0;
    let give = |driver: &mut Epoll, done: usize| {
        let end = all.len().min(done + (1 << 20));
        driver.send(TOKEN, chunk(&all[done..end]));
    };
    give(&mut driver, done);
    // Until the kernel takes no more.
    while let [Seen::Sent(TOKEN, _, len)] = &events(&mut driver, Duration::from_millis(300))[..] {
        done += len;
        give(&mut driver, done);
    }
    assert!(done < all.len(), "the kernel took {done} octets that nobody reads");
    let calls = driver.calls();
    driver.wait(Some(Duration::from_millis(20))).expect("epoll_wait");
    assert_eq!(driver.calls(), calls + 1, "nobody sends to who has no room");

    let want = all.clone();
    let reader = std::thread::spawn(move || {
        let mut got = vec![0; want.len()];
        server.read_exact(&mut got).expect("read");
        assert!(got == want, "octets were lost or doubled");
        server
    });
    while done < all.len() {
        let Seen::Sent(TOKEN, _, len) = event(&mut driver) else { panic!("not sent") };
        done += len;
        if done < all.len() {
            give(&mut driver, done);
        }
    }
    driver.finish(TOKEN);
    let mut server = reader.join().expect("all was read");
    assert_eq!(server.read(&mut [0]).expect("an end"), 0);
    drop(server);
    assert!(matches!(event(&mut driver), Seen::Ended(TOKEN)));
    driver.close(TOKEN);
}

#[test]
fn what_is_being_sent_goes_before_the_end() {
    let (mut driver, mut server) = connected();
    driver.send(TOKEN, chunk(b"last words"));
    driver.finish(TOKEN);
    assert!(matches!(event(&mut driver), Seen::Sent(TOKEN, _, 10)));
    let mut got = Vec::new();
    server.read_to_end(&mut got).expect("an end, not a reset");
    assert_eq!(got, b"last words");
}

#[test]
fn a_reset_is_told_once_and_nothing_follows() {
    for sends in [false, true] {
        let (mut driver, server) = connected();
        if sends {
            // More than anybody takes, so it is in flight.
            driver.send(TOKEN, chunk(&octets(64 << 20)));
            driver.flush(Duration::ZERO);
            assert!(matches!(event(&mut driver), Seen::Sent(TOKEN, ..)));
            driver.send(TOKEN, chunk(&octets(64 << 20)));
            assert!(!driver.flush(Duration::ZERO));
        }
        SockRef::from(&server).set_linger(Some(Duration::ZERO)).expect("linger");
        drop(server);
        let Seen::Broke(TOKEN, fault) = event(&mut driver) else { panic!("not broken") };
        assert!(matches!(fault.errno, libc::ECONNRESET | libc::EPIPE), "{fault}");
        // It is forgotten: none of this does anything.
        driver.send(TOKEN, chunk(b"x"));
        driver.finish(TOKEN);
        driver.close(TOKEN);
        assert_eq!((driver.unacked(TOKEN), driver.connections.len()), (0, 0));
        assert!(events(&mut driver, Duration::from_millis(20)).is_empty());
    }
}

#[test]
fn who_is_closed_is_reset_and_not_told_of() {
    let (mut driver, mut server) = connected();
    server.write_all(b"hello").expect("write");
    driver.send(TOKEN, chunk(b"in flight"));
    driver.flush(Duration::ZERO);
    driver.close(TOKEN);
    assert!(events(&mut driver, Duration::from_millis(50)).is_empty());
    let mut got = Vec::new();
    let error = server.read_to_end(&mut got).expect_err("a reset");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_refusal_is_told_as_the_kernel_did() {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind").local_addr().expect("bound");
    let mut driver = Epoll::new().expect("epoll");
    driver.dial(TOKEN, &plan(port), SOON);
    let Seen::Failed(TOKEN, fault) = event(&mut driver) else { panic!("not refused") };
    assert_eq!(fault, Fault { step: Step::Connect, errno: libc::ECONNREFUSED });
    assert!(driver.connections.is_empty());
}

fn listening(address: SocketAddr) -> (Epoll, SocketAddr) {
    let mut driver = Epoll::new().expect("epoll");
    let listen = Listen { name: "l".into(), address, instance: Instance::Public };
    let at = driver.listen(LISTENER, &listen).expect("listen");
    (driver, at)
}

#[test]
fn who_connects_is_told_plainly_and_reset_if_nobody_takes_it() {
    let (mut driver, at) = listening((Ipv6Addr::UNSPECIFIED, 0).into());
    let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, at.port())).expect("connect");
    let Seen::Accepted(LISTENER, remote, incoming) = event(&mut driver) else { panic!("not accepted") };
    assert_eq!(remote, server.local_addr().expect("connected"));
    let ends = driver.adopt(TOKEN, incoming, &plan(remote), SOON).expect("adopted");
    assert_eq!((ends.remote, ends.local), (remote, server.peer_addr().expect("connected")));
    driver.send(TOKEN, chunk(b"hello"));
    assert!(matches!(event(&mut driver), Seen::Sent(TOKEN, _, 5)));
    let mut got = [0; 5];
    server.read_exact(&mut got).expect("read");
    assert_eq!(&got, b"hello");

    let mut stranger = TcpStream::connect((Ipv6Addr::LOCALHOST, at.port())).expect("connect");
    let Seen::Accepted(LISTENER, remote, incoming) = event(&mut driver) else { panic!("not accepted") };
    assert_eq!(remote, stranger.local_addr().expect("connected"));
    drop(incoming);
    assert_eq!(stranger.read(&mut [0]).expect_err("a reset").kind(), ErrorKind::ConnectionReset);

    driver.unlisten(LISTENER);
    assert!(TcpStream::connect((Ipv6Addr::LOCALHOST, at.port())).is_err(), "nobody listens");
}

#[test]
fn a_crowd_is_let_in_a_few_at_a_time() {
    let (mut driver, at) = listening((Ipv4Addr::LOCALHOST, 0).into());
    let crowd: Vec<_> = (0..3 * ACCEPTS).map(|_| TcpStream::connect(at).expect("connect")).collect();
    let mut accepted = 0;
    while accepted < crowd.len() {
        let seen = events(&mut driver, SOON).len();
        assert!((1..=ACCEPTS).contains(&seen), "{seen} at once");
        accepted += seen;
    }
    assert!(events(&mut driver, Duration::from_millis(20)).is_empty());
}
