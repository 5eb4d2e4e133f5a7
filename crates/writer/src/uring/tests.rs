//! The driver against real sockets on loopback: no fleet. Each test has a process, a thread and a runtime of its
//! own, so that it can count its descriptors, and a time limit.

use std::future::poll_fn;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::process::Command;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use queue::log::{Chunk, Log, Pool, Read, Reader};
use rustix::event::{EventfdFlags, eventfd};
use rustix::time::{ClockId, clock_gettime};
use socket2::SockRef;

use super::Uring;
use super::cold;
use super::hot::{Hot, Setup};
use super::line::Line;
use super::zero::ZeroCopy;
use crate::driver::{Driver, Event, Token};
use crate::fault::Step;
use crate::fleet::{ListenerId, Order, Report, SessionId, Settings, Source as From};
use crate::plan::{Instance, Listen, Plan};
use crate::thread::{Io, start};

const LIMIT: Duration = Duration::from_secs(20);
const STALL: Duration = Duration::from_secs(300);
const SETUPS: [Setup; 3] = [Setup::Defer, Setup::Coop, Setup::Plain];

/// A driver and what its tests need around it.
struct Bench {
    driver: Uring,
    bell: Arc<OwnedFd>,
}

/// Runs a test where its descriptors are its own.
fn alone<F: Future<Output = ()>>(test: impl FnOnce(Bench) -> F + Send + 'static) {
    alone_with(Setup::Defer, ZeroCopy::Auto, test);
}

fn alone_with<F: Future<Output = ()>>(
    setup: Setup,
    zero_copy: ZeroCopy,
    test: impl FnOnce(Bench) -> F + Send + 'static,
) {
    if !is_alone() {
        return;
    }
    let thread = thread::spawn(move || {
        cold::runtime().unwrap().block_on(async move {
            let bell = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).unwrap());
            let driver = Uring::with(Hot::with(setup, bell.as_fd()).unwrap(), zero_copy);
            tokio::time::timeout(LIMIT, test(Bench { driver, bell })).await.expect("in time");
        });
    });
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

const CHILD: &str = "HELIOGRAPH_TEST_ALONE";

/// Whether nobody else has descriptors here. If not, the whole test is run in a child, once. A table of descriptors
/// for each thread would not do: what a runtime opens once for the whole process would not be in it.
fn is_alone() -> bool {
    static RUN: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let name = thread::current().name().unwrap_or("main").to_owned();
    // Tests that run one after the other do so on this one.
    if std::env::var_os(CHILD).is_some() || name == "main" {
        return true;
    }
    let mut run = RUN.lock().expect("no test panics while it has it");
    if run.contains(&name) {
        return false;
    }
    run.push(name.clone());
    drop(run);
    let mut child = Command::new(std::env::current_exe().unwrap());
    let output = child.args(["--exact", &name, "--nocapture"]).env(CHILD, "1").output().unwrap();
    let [said, complaint] =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(output.status.success() && said.contains("1 passed"), "{name}, alone:\n{said}\n{complaint}");
    false
}

impl Bench {
    /// The next event, in the way of the loop.
    async fn next(&mut self) -> Event<Line> {
        loop {
            self.driver.flush().unwrap();
            if let Some(event) = self.driver.next_event() {
                return event;
            }
            self.driver.sleep(None).await.unwrap();
        }
    }

    /// What comes within a while that is long enough for what should not come.
    async fn rest(&mut self) -> Vec<Event<Line>> {
        let mut events = Vec::new();
        let end = Instant::now() + Duration::from_millis(50);
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            self.driver.flush().unwrap();
            events.extend(std::iter::from_fn(|| self.driver.next_event()));
            self.driver.sleep(Some(left)).await.unwrap();
        }
        events
    }

    /// Connects to a listener of this thread's; both ends.
    async fn connect(&mut self, token: Token, listener: &TcpListener) -> TcpStream {
        self.driver.dial(token, &plan(listener.local_addr().unwrap()), STALL);
        let event = self.next().await;
        assert!(matches!(event, Event::Connected(of, _) if of == token), "{event:?}");
        listener.accept().unwrap().0
    }

    async fn connected(&mut self, token: Token) -> TcpStream {
        self.connect(token, &listener()).await
    }
}

fn token(session: u32) -> Token {
    Token { session: SessionId(session), life: 1 }
}

fn listener() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()
}

fn plan(server: SocketAddr) -> Plan {
    Plan::new("test", server)
}

fn listen(address: SocketAddr) -> Listen {
    Listen { name: Arc::from("test"), address, instance: Instance::Public }
}

/// Descriptors of this thread; one of them is for looking.
fn descriptors() -> usize {
    std::fs::read_dir("/proc/thread-self/fd").unwrap().count()
}

/// CPU time of this thread.
fn cpu() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap()
}

/// A log with so many octets, and no two chunks alike.
fn log(pool: &Pool, len: usize) -> (Log, Reader) {
    let mut log = Log::new(pool, usize::MAX);
    let reader = log.subscribe();
    let mut state = 1_u32;
    for _ in 0..len / 100 {
        let message: [u8; 100] = std::array::from_fn(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        });
        log.append(&message).unwrap();
    }
    log.publish();
    (log, reader)
}

/// FNV-1a, running.
fn hash(hash: u64, octets: &[u8]) -> u64 {
    octets.iter().fold(hash, |hash, octet| (hash ^ u64::from(*octet)).wrapping_mul(0x100_0000_01b3))
}

fn chunk(reader: &mut Reader) -> Option<Chunk> {
    match reader.read(64 << 10) {
        Read::Data(chunk) => Some(chunk),
        _ => None,
    }
}

/// Hashes all until the end; every so often it takes its time.
fn swallow(mut peer: TcpStream, pause: Duration) -> JoinHandle<(u64, usize, std::io::Result<()>)> {
    thread::spawn(move || {
        let (mut buffer, mut sum, mut len, mut rested) = (vec![0; 32 << 10], 0, 0, 0);
        loop {
            match peer.read(&mut buffer) {
                Ok(0) => return (sum, len, Ok(())),
                Ok(n) => {
                    sum = hash(sum, &buffer[..n]);
                    len += n;
                }
                Err(error) => return (sum, len, Err(error)),
            }
            if len - rested > 512 << 10 {
                rested = len;
                thread::sleep(pause);
            }
        }
    })
}

/// Sends until a send stays with the kernel: the server reads nothing.
async fn stall(bench: &mut Bench, token: Token, reader: &mut Reader) {
    bench.driver.send(token, chunk(reader).unwrap());
    while let Ok(event) = tokio::time::timeout(Duration::from_millis(50), bench.next()).await {
        let Event::Sent(of, _, len) = event else { panic!("{event:?}") };
        assert_eq!(of, token);
        reader.advance(len);
        bench.driver.send(token, chunk(reader).unwrap());
    }
    assert_eq!(bench.driver.hot.sending(), 1);
}

#[test]
fn who_is_not_there_refuses() {
    alone(|mut bench| async move {
        let address = listener().local_addr().unwrap();
        bench.driver.dial(token(1), &plan(address), STALL);
        let event = bench.next().await;
        let Event::Failed(of, fault) = event else { panic!("{event:?}") };
        assert_eq!((of, fault.step, fault.errno), (token(1), Step::Connect, libc::ECONNREFUSED));
        bench.driver.close(token(1));
        assert!(bench.rest().await.is_empty());
    });
}

#[test]
fn it_can_talk_to_itself() {
    alone(|mut bench| async move {
        let any = "[::]:0".parse().unwrap();
        let address = bench.driver.listen(ListenerId(0), &listen(any)).unwrap();
        let server = SocketAddr::from((Ipv4Addr::LOCALHOST, address.port()));
        bench.driver.dial(token(1), &plan(server), STALL);
        let (mut ours, mut theirs) = (None, None);
        while ours.is_none() || theirs.is_none() {
            match bench.next().await {
                Event::Connected(of, ends) => {
                    assert_eq!((of, ends.remote), (token(1), server));
                    ours = Some(ends.local);
                }
                Event::Accepted(id, remote, incoming) => {
                    assert_eq!(id, ListenerId(0));
                    assert_eq!(remote.ip(), IpAddr::V4(Ipv4Addr::LOCALHOST));
                    bench.driver.adopt(token(2), incoming, &plan(remote), STALL).unwrap();
                    theirs = Some(remote);
                }
                event => panic!("{event:?}"),
            }
        }
        assert_eq!(ours, theirs);

        let (_log, mut reader) = log(&Pool::default(), 1000);
        bench.driver.send(token(1), chunk(&mut reader).unwrap());
        let (mut sent, mut heard) = (0, 0);
        while sent < 1000 || heard < 1000 {
            match bench.next().await {
                Event::Sent(of, _, len) if of == token(1) => sent += len,
                Event::Heard(of, len) if of == token(2) => heard += len,
                event => panic!("{event:?}"),
            }
        }
        bench.driver.finish(token(1));
        assert!(matches!(bench.next().await, Event::Ended(of) if of == token(2)));
        bench.driver.finish(token(2));
        assert!(matches!(bench.next().await, Event::Ended(of) if of == token(1)));
        bench.driver.send(token(9), chunk(&mut reader).unwrap());
        assert!(bench.rest().await.is_empty(), "nobody is called 9");
    });
}

/// Several megabytes to a slow reader arrive as they were written, in parts and in each way there is.
#[test]
fn all_arrives_in_order() {
    for (setup, zero_copy) in
        SETUPS.map(|setup| (setup, ZeroCopy::Auto)).into_iter().chain([(Setup::Defer, ZeroCopy::Forced)])
    {
        alone_with(setup, zero_copy, move |mut bench| async move {
            let peer = bench.connected(token(1)).await;
            if let Some(line) = bench.driver.line(token(1)) {
                SockRef::from(&line.as_fd()).set_send_buffer_size(100_000).unwrap();
            }
            let peer = swallow(peer, Duration::from_millis(3));
            let (_log, mut reader) = log(&Pool::default(), 8 << 20);
            let (mut sum, mut total, mut sends, mut parts) = (0, 0, 0, 0);
            while let Some(chunk) = chunk(&mut reader) {
                bench.driver.send(token(1), chunk);
                let event = bench.next().await;
                let Event::Sent(_, chunk, len) = event else { panic!("{event:?}") };
                sum = hash(sum, &chunk[..len]);
                total += len;
                sends += 1;
                parts += usize::from(len < chunk.len());
                reader.advance(len);
            }
            bench.driver.finish(token(1));
            assert!(matches!(bench.next().await, Event::Broke(..) | Event::Ended(_)));
            let (peer_sum, peer_len, end) = peer.join().unwrap();
            end.unwrap();
            assert_eq!((peer_sum, peer_len), (sum, total), "{setup:?} {zero_copy:?}");
            assert!(parts > 0 && sends > parts, "{setup:?} {zero_copy:?}: {parts} of {sends} in parts");
            if zero_copy == ZeroCopy::Forced {
                assert!(bench.driver.hot.noticed() > 10);
            }
        });
    }
}

/// The ring's descriptor becomes readable when a send that waited can go on, in each setup; and what is
/// stalled or idle uses no CPU.
#[test]
fn a_stalled_send_sleeps_and_wakes() {
    for setup in SETUPS {
        alone_with(setup, ZeroCopy::Auto, move |mut bench| async move {
            let mut peer = bench.connected(token(1)).await;
            let (_log, mut reader) = log(&Pool::default(), 16 << 20);
            stall(&mut bench, token(1), &mut reader).await;
            let (start, calls) = (cpu(), bench.driver.calls());
            assert!(bench.rest().await.is_empty());
            assert!(cpu() - start < Duration::from_millis(3), "{:?} for nothing, {setup:?}", cpu() - start);
            assert_eq!(bench.driver.calls(), calls);
            let reads = thread::spawn(move || {
                peer.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
                assert_eq!(
                    std::io::copy(&mut peer, &mut std::io::sink()).unwrap_err().kind(),
                    ErrorKind::WouldBlock
                );
            });
            let event = tokio::time::timeout(Duration::from_secs(2), bench.next()).await;
            assert!(matches!(event, Ok(Event::Sent(..))), "{setup:?}: {event:?}");
            reads.join().unwrap();
        });
    }
}

#[test]
fn the_bell_ends_a_sleep() {
    for setup in SETUPS {
        alone_with(setup, ZeroCopy::Auto, move |mut bench| async move {
            bench.driver.flush().unwrap();
            for _ in 0..5 {
                let ring = |bell: &Arc<OwnedFd>| {
                    let bell = bell.clone();
                    thread::spawn(move || {
                        thread::sleep(Duration::from_millis(20));
                        rustix::io::write(&bell, &1_u64.to_ne_bytes()).unwrap();
                    })
                };
                // What rang while nobody slept may end one sleep for nothing.
                bench.rest().await;
                let (ringer, start) = (ring(&bench.bell), Instant::now());
                bench.driver.sleep(None).await.unwrap();
                let slept = start.elapsed();
                assert!((15..200).contains(&slept.as_millis()), "{slept:?} {setup:?}");
                bench.driver.flush().unwrap();
                ringer.join().unwrap();
            }
        });
    }
}

#[test]
fn a_close_with_a_send_in_flight_holds_the_chunk_and_resets() {
    for zero_copy in [ZeroCopy::Auto, ZeroCopy::Forced] {
        alone_with(Setup::Defer, zero_copy, |mut bench| async move {
            let mut peer = bench.connected(token(1)).await;
            let pool = Pool::new(64 << 10, 1);
            let (log, mut reader) = log(&pool, 16 << 20);
            stall(&mut bench, token(1), &mut reader).await;
            drop((log, reader));
            assert!(pool.usage().stragglers > 0);
            bench.driver.close(token(1));
            assert!(pool.usage().stragglers > 0, "the kernel has not let go");
            assert!(bench.rest().await.is_empty(), "no event of what was closed");
            assert_eq!(pool.usage().stragglers, 0);
            assert_eq!(bench.driver.hot.sending(), 0);
            let error = std::io::copy(&mut peer, &mut std::io::sink()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        });
    }
}

#[test]
fn a_close_without_a_send_resets_too() {
    alone(|mut bench| async move {
        let mut peer = bench.connected(token(1)).await;
        bench.driver.close(token(1));
        assert!(bench.rest().await.is_empty());
        assert_eq!(peer.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn who_is_accepted_and_not_adopted_is_reset() {
    alone(|mut bench| async move {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let address = bench.driver.listen(ListenerId(0), &listen(any)).unwrap();
        let mut peer = TcpStream::connect(address).unwrap();
        let event = bench.next().await;
        assert!(matches!(event, Event::Accepted(..)), "{event:?}");
        drop(event);
        assert_eq!(peer.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_listener_comes_and_goes() {
    alone(|mut bench| async move {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let before = descriptors();
        let address = bench.driver.listen(ListenerId(0), &listen(any)).unwrap();
        for _ in 0..3 {
            bench.rest().await;
            assert_eq!(bench.driver.listen(ListenerId(0), &listen(address)).unwrap(), address);
            let _peer = TcpStream::connect(address).unwrap();
            let event = bench.next().await;
            assert!(matches!(event, Event::Accepted(..)), "{event:?}");
        }
        bench.driver.unlisten(ListenerId(0));
        assert!(bench.rest().await.is_empty());
        assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
        assert_eq!(descriptors(), before);
    });
}

#[test]
fn what_the_server_says_and_does_is_noticed() {
    alone(|mut bench| async move {
        let mut peer = bench.connected(token(1)).await;
        peer.write_all(&[0; 1500]).unwrap();
        let mut heard = 0;
        while heard < 1500 {
            let event = bench.next().await;
            let Event::Heard(_, len) = event else { panic!("{event:?}") };
            heard += len;
        }
        peer.shutdown(Shutdown::Write).unwrap();
        assert!(matches!(bench.next().await, Event::Ended(_)));
        assert!(bench.rest().await.is_empty());
        SockRef::from(&peer).set_linger(Some(Duration::ZERO)).unwrap();
        drop(peer);
        let (_log, mut reader) = log(&Pool::default(), 1000);
        bench.driver.send(token(1), chunk(&mut reader).unwrap());
        let event = bench.next().await;
        let Event::Broke(of, fault) = event else { panic!("{event:?}") };
        assert_eq!((of, fault.step), (token(1), Step::Send));

        let peer = bench.connected(token(2)).await;
        SockRef::from(&peer).set_linger(Some(Duration::ZERO)).unwrap();
        drop(peer);
        let event = bench.next().await;
        let Event::Broke(of, fault) = event else { panic!("{event:?}") };
        assert_eq!((of, fault.step, fault.errno), (token(2), Step::Receive, libc::ECONNRESET));
    });
}

#[test]
fn news_of_what_was_closed_is_dropped() {
    alone(|mut bench| async move {
        let mut peer = bench.connected(token(1)).await;
        let (_log, mut reader) = log(&Pool::default(), 1000);
        bench.driver.send(token(1), chunk(&mut reader).unwrap());
        peer.write_all(b"hello").unwrap();
        while !bench.driver.has_news() {
            bench.driver.flush().unwrap();
            bench.driver.breathe().await.unwrap();
        }
        bench.driver.close(token(1));
        assert!(bench.rest().await.is_empty());
        // And of one that was closed while it connected, or failed.
        let listener = listener();
        for _ in 0..50 {
            bench.driver.dial(token(2), &plan(listener.local_addr().unwrap()), STALL);
            bench.driver.breathe().await.unwrap();
            bench.driver.close(token(2));
            bench.driver.breathe().await.unwrap();
        }
        assert!(bench.rest().await.is_empty());
    });
}

#[test]
fn descriptors_return() {
    alone(|mut bench| async move {
        let listener = listener();
        let (_log, mut reader) = log(&Pool::default(), 1 << 20);
        drop(bench.connect(token(0), &listener).await);
        bench.driver.close(token(0));
        bench.rest().await;
        let before = descriptors();
        for round in 0..200 {
            let peer = bench.connect(token(round), &listener).await;
            match round % 4 {
                0 => drop(peer),
                1 => bench.driver.send(token(round), chunk(&mut reader).unwrap()),
                2 => bench.driver.finish(token(round)),
                _ => {}
            }
            bench.driver.close(token(round));
        }
        bench.rest().await;
        assert_eq!(descriptors(), before);
    });
}

/// A thousand stalled connections sleep; then they end, one way or the other.
#[test]
fn a_thousand_connections() {
    for gently in [true, false] {
        alone(move |mut bench| async move {
            let listener = listener();
            let mut log = Log::new(&Pool::default(), 1 << 20);
            let mut readers: Vec<_> = (0..1000).map(|_| log.subscribe()).collect();
            log.append(&[7; 1000]).unwrap();
            log.publish();
            let mut peers = Vec::new();
            for i in 0..1000 {
                peers.push(bench.connect(token(i), &listener).await);
            }
            // All at once, and each is heard of once.
            for (reader, i) in readers.iter_mut().zip(0..) {
                bench.driver.send(token(i), chunk(reader).unwrap());
            }
            let calls = bench.driver.calls();
            let mut sent = vec![0; 1000];
            while sent.contains(&0) {
                let event = bench.next().await;
                let Event::Sent(of, _, 1000) = event else { panic!("{event:?}") };
                sent[of.session.0 as usize] += 1;
            }
            assert!(sent.iter().all(|count| *count == 1));
            let calls = bench.driver.calls() - calls;
            assert!(calls <= 8, "{calls} enters for 1000 sends");
            let start = cpu();
            assert!(bench.rest().await.is_empty());
            assert!(cpu() - start < Duration::from_millis(3), "{:?} for nothing", cpu() - start);
            if gently {
                bench.driver.end().await;
                for peer in &mut peers {
                    peer.read_exact(&mut [0; 1000]).unwrap();
                    assert_eq!(peer.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
                }
            }
            // Else the runtime ends with a thousand reads in the kernel.
        });
    }
}

/// What is ready at once lets nobody wait: the park hook submits while the loop is busy.
#[test]
fn a_busy_loop_breathes() {
    alone(|mut bench| async move {
        let mut peer = bench.connected(token(1)).await;
        peer.write_all(b"hello").unwrap();
        for _ in 0..4 {
            bench.driver.breathe().await.unwrap();
            if bench.driver.has_news() {
                return;
            }
        }
        panic!("the read was never submitted");
    });
}

/// The mark of deferred work, left behind with no work, as *stuck* has it.
#[test]
fn a_mark_that_is_stuck_keeps_nobody_awake() {
    for setup in [Setup::Defer, Setup::Coop] {
        alone_with(setup, ZeroCopy::Auto, move |mut bench| async move {
            bench.driver.flush().unwrap();
            assert!(bench.driver.sleep(Some(Duration::from_millis(1))).await.unwrap(), "nothing is there");
            for _ in 0..3 {
                mark(bench.driver.hot.as_raw_fd());
                assert!(!bench.driver.sleep(None).await.unwrap(), "the cold tasks had no turn");
                let start = cpu();
                assert!(bench.rest().await.is_empty());
                let used = cpu() - start;
                assert!(used < Duration::from_millis(5), "{used:?} for nothing, {setup:?}");
            }
        });
    }
}

/// Marks deferred work in a ring (`IORING_SQ_TASKRUN`).
fn mark(ring: RawFd) {
    const TASKRUN: u32 = 1 << 2;
    let mut params = [0_u32; 30];
    let page = 4096;
    // SAFETY: `params` is as long as the kernel's, whose 15th word says where any ring has its flags. They are
    // in the page that is mapped, and an atomic there for the kernel, too.
    unsafe {
        let other = libc::syscall(libc::SYS_io_uring_setup, 1, params.as_mut_ptr());
        assert!(other >= 0);
        libc::close(i32::try_from(other).unwrap());
        let shared =
            libc::mmap(null_mut(), page, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED, ring, 0);
        assert_ne!(shared, libc::MAP_FAILED);
        let flags = shared.byte_add(params[14] as usize).cast::<AtomicU32>();
        (*flags).fetch_or(TASKRUN, Ordering::SeqCst);
        libc::munmap(shared, page);
    }
}

#[test]
fn a_timer_ends_the_sleep() {
    alone(|mut bench| async move {
        let start = Instant::now();
        bench.driver.flush().unwrap();
        bench.driver.sleep(Some(Duration::from_millis(20))).await.unwrap();
        assert!((19..200).contains(&start.elapsed().as_millis()));
        poll_fn(|context| {
            assert!(bench.driver.hot.poll(context).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
    });
}

/// The loop with its fleet: each message arrives soon, whether the thread sleeps here, there or not at all.
#[test]
fn the_loop_serves() {
    let (listener, woken) = (listener(), Arc::new(Parking::default()));
    let wake = woken.clone();
    let mut handle = start(Io::Uring, Settings::default(), 1, move || wake.ring()).unwrap();
    handle.order(Order::Open(SessionId(0), Box::new(plan(listener.local_addr().unwrap()))));
    let mut peer = listener.accept().unwrap().0;
    peer.set_read_timeout(Some(LIMIT)).unwrap();
    let report = woken.wait(|| handle.next_report());
    let Report::Up(token, _) = report else { panic!("{report:?}") };
    let mut log = Log::new(&Pool::default(), 1 << 20);
    handle.order(Order::Read(token, From::Log(0, log.subscribe())));
    for round in 0..300_u32 {
        // Long asleep, just asleep, at once.
        thread::sleep([3_000, 300, 0].map(Duration::from_micros)[round as usize % 3]);
        log.append(&round.to_be_bytes()).unwrap();
        log.publish();
        let start = Instant::now();
        handle.news();
        let mut got = [0; 4];
        peer.read_exact(&mut got).unwrap();
        assert_eq!(u32::from_be_bytes(got), round);
        assert!(start.elapsed() < Duration::from_millis(500), "{:?} in round {round}", start.elapsed());
    }
    assert!(handle.ended().is_none());
    drop(handle);
    assert_eq!(peer.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
}

/// What a thread of tests waits on.
#[derive(Default)]
struct Parking(Mutex<()>, Condvar);

impl Parking {
    fn ring(&self) {
        let _held = self.0.lock().unwrap();
        self.1.notify_all();
    }

    fn wait<T>(&self, mut look: impl FnMut() -> Option<T>) -> T {
        let end = Instant::now() + LIMIT;
        let mut held = self.0.lock().unwrap();
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(Instant::now() < end, "in time");
            held = self.1.wait_timeout(held, LIMIT).unwrap().0;
        }
    }
}
