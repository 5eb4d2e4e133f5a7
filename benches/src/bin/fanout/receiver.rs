//! The servers: a process of its own, this program once more, which takes what it is sent.
//!
//! ```text
//!   stdout ► port            then, if asked, a line for each round that has come whole,
//!   stdin  ◄ (closed)        and when all connections have ended, what came: one line
//! ```

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::str::FromStr;
use std::time::{Duration, Instant};

use rustix::event::{Timespec, epoll};
use rustix::net::{RecvFlags, SocketFlags, accept_with, recv};
use socket2::{Domain, Socket, Type};

use crate::times::{Times, monotonic};

/// The hidden first argument that makes this program a receiver.
pub(crate) const ARGUMENT: &str = "receive";

/// How long connections may go on when nobody wants more of them.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the servers do with what they get.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Task {
    /// Let the kernel drop it.
    Discard,
    /// Read it and add up its octets.
    Sum,
    /// Discard it, and say so each time that so many octets have come to all of them together.
    Rounds(u64),
    /// See how long messages were under way, on the first of every so many connections; discard the rest.
    Times(usize),
    /// Discard it, but for the first so many that connect: they never read.
    Stall(usize),
}

impl Task {
    fn word(self) -> String {
        match self {
            Self::Discard => String::from("discard:0"),
            Self::Sum => String::from("sum:0"),
            Self::Rounds(octets) => format!("rounds:{octets}"),
            Self::Times(every) => format!("times:{every}"),
            Self::Stall(stalled) => format!("stall:{stalled}"),
        }
    }

    fn of(word: &str) -> Option<Self> {
        let (name, number) = word.split_once(':')?;
        Some(match name {
            "discard" => Self::Discard,
            "sum" => Self::Sum,
            "rounds" => Self::Rounds(number.parse().ok()?),
            "times" => Self::Times(number.parse().ok()?),
            "stall" => Self::Stall(number.parse().ok()?),
            _ => return None,
        })
    }
}

/// What came, in the end.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Tally {
    /// Octets on all connections that were read.
    pub(crate) octets: u64,
    /// All octets added up, by [`Task::Sum`].
    pub(crate) sum: u64,
    /// Messages of which the time was taken, by [`Task::Times`]; and how long half of them, 99 %, 99.9 % and
    /// all were under way at most, in nanoseconds.
    pub(crate) timed: u64,
    pub(crate) times: [u64; 4],
}

impl FromStr for Tally {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let numbers: Option<Vec<u64>> = line.split_whitespace().map(|word| word.parse().ok()).collect();
        match numbers.as_deref() {
            Some(&[octets, sum, timed, p50, p99, p999, most]) => {
                Ok(Self { octets, sum, timed, times: [p50, p99, p999, most] })
            }
            _ => Err(format!("the receiver said {line:?}")),
        }
    }
}

/// The receiver as its parent sees it.
pub(crate) struct Receiver {
    child: Child,
    said: BufReader<ChildStdout>,
    pub(crate) address: SocketAddr,
}

impl Receiver {
    pub(crate) fn start(task: Task) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this program is a file"))
            .args([ARGUMENT, &task.word()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let mut said = BufReader::with_capacity(1 << 10, child.stdout.take().expect("it was asked for"));
        let mut line = String::new();
        said.read_line(&mut line).expect("it says its port");
        let port = line.trim().parse().expect("a port");
        Self { child, said, address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)) }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until a round has come whole.
    pub(crate) fn round(&mut self) {
        self.said.read_exact(&mut [0; 2]).expect("the receiver is there");
    }

    /// What came, when all connections have ended.
    pub(crate) fn finish(mut self) -> Tally {
        drop(self.child.stdin.take());
        let mut line = String::new();
        self.said.read_to_string(&mut line).expect("it says what came");
        self.child.wait().expect("it ends");
        line.lines().last().unwrap_or("").parse().expect("what came")
    }
}

/// One connection.
struct Connection {
    socket: OwnedFd,
    timed: bool,
}

/// The receiver itself: takes what comes until its parent and all connections are gone.
pub(crate) fn serve(word: &str) -> std::io::Result<()> {
    const LISTENER: u64 = u64::MAX;
    const STDIN: u64 = u64::MAX - 1;

    let task = Task::of(word).expect("a task");
    let listener = Socket::new(Domain::IPV4, Type::STREAM.nonblocking(), None)?;
    listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    listener.listen(4096)?;
    let port = listener.local_addr()?.as_socket().expect("an address of IP").port();
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{port}")?;
    stdout.flush()?;

    let stdin = std::io::stdin();
    let epoll_fd = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    epoll::add(&epoll_fd, &listener, epoll::EventData::new_u64(LISTENER), epoll::EventFlags::IN)?;
    epoll::add(&epoll_fd, stdin.as_fd(), epoll::EventData::new_u64(STDIN), epoll::EventFlags::IN)?;

    let mut connections: Vec<Option<Connection>> = Vec::new();
    let (mut open, mut accepted) = (0, 0_usize);
    let mut tally = Tally::default();
    let mut rounds = 0;
    let mut times = Times::new();
    let mut room = vec![0; 1 << 20];
    let mut events = Vec::with_capacity(1024);
    let mut leaving: Option<Instant> = None;
    while leaving.is_none_or(|since| open > 0 && since.elapsed() < PATIENCE) {
        events.clear();
        let timeout = Timespec { tv_sec: 1, tv_nsec: 0 };
        match epoll::wait(&epoll_fd, rustix::buffer::spare_capacity(&mut events), Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        for event in &events {
            match event.data.u64() {
                LISTENER => {
                    while let Ok(socket) = accept_with(&listener, SocketFlags::NONBLOCK) {
                        let stalled = matches!(task, Task::Stall(stalled) if accepted < stalled);
                        let timed = matches!(task, Task::Times(every) if accepted.is_multiple_of(every));
                        accepted += 1;
                        if !stalled {
                            let at = epoll::EventData::new_u64(connections.len() as u64);
                            epoll::add(&epoll_fd, &socket, at, epoll::EventFlags::IN)?;
                            open += 1;
                        }
                        connections.push(Some(Connection { socket, timed }));
                    }
                }
                STDIN => {
                    epoll::delete(&epoll_fd, stdin.as_fd())?;
                    leaving = Some(Instant::now());
                }
                at => {
                    let slot = &mut connections[usize::try_from(at).expect("an index")];
                    let Some(connection) = slot else { continue };
                    let seen = task == Task::Sum || connection.timed;
                    let flags = if seen { RecvFlags::empty() } else { RecvFlags::TRUNC };
                    let got = match recv(&connection.socket, &mut room[..], flags) {
                        Ok((_, got)) => got,
                        Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => continue,
                        Err(_) => 0,
                    };
                    if got == 0 {
                        *slot = None;
                        open -= 1;
                        continue;
                    }
                    tally.octets += got as u64;
                    if task == Task::Sum {
                        tally.sum += room[..got].iter().map(|&octet| u64::from(octet)).sum::<u64>();
                    }
                    if connection.timed {
                        times.take(usize::try_from(at).expect("an index"), &room[..got], monotonic());
                    }
                }
            }
        }
        if let Task::Rounds(octets) = task {
            while rounds < tally.octets / octets {
                rounds += 1;
                stdout.write_all(b".\n")?;
            }
        }
    }
    (tally.timed, tally.times) = times.found();
    let Tally { octets, sum, timed, times: [p50, p99, p999, most] } = tally;
    writeln!(stdout, "{octets} {sum} {timed} {p50} {p99} {p999} {most}")?;
    stdout.flush()
}
