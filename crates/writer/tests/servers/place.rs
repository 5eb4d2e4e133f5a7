//! What scenarios need of the machine: a process or networks of their own, and how much is used.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, Socket, Type};
use writer::Io;

use super::host::Host;

/// Runs the body in a process of its own: this test again, and nothing else.
pub(crate) fn alone(io: Io, scenario: &str, body: impl FnOnce()) {
    const MARK: &str = "HELIOGRAPH_ALONE";
    if std::env::var_os(MARK).is_some() {
        return body();
    }
    let test = format!("{}::{scenario}", if io == Io::Uring { "uring" } else { "epoll" });
    let output = Command::new(std::env::current_exe().expect("we are somewhere"))
        .args([&test, "--exact", "--nocapture", "--include-ignored", "--test-threads=1"])
        .env(MARK, "")
        .output()
        .expect("we can be run");
    let words =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{words}");
    assert!(output.status.success(), "{}", output.status);
    assert!(words.contains("1 passed"), "{test} is no test");
}

/// The processor time of the one writer's thread in the process. It has its descriptor already.
pub(crate) struct Cpu(File);

impl Cpu {
    pub(crate) fn of_writer() -> Self {
        let tasks = fs::read_dir("/proc/self/task").expect("procfs").map(|task| task.expect("procfs").path());
        let is_writer =
            |task: &PathBuf| fs::read_to_string(task.join("comm")).is_ok_and(|name| name == "writer\n");
        let writers: Vec<_> = tasks.filter(is_writer).collect();
        let [writer] = &writers[..] else { panic!("{} writers", writers.len()) };
        Self(File::open(writer.join("schedstat")).expect("procfs"))
    }

    pub(crate) fn time(&self) -> Duration {
        let mut stat = [0; 64];
        let len = self.0.read_at(&mut stat, 0).expect("procfs");
        let stat = str::from_utf8(&stat[..len]).expect("digits");
        Duration::from_nanos(stat.split(' ').next().and_then(|word| word.parse().ok()).expect("nanoseconds"))
    }
}

pub(crate) fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").expect("procfs").count()
}

/// Octets of memory that the process has.
pub(crate) fn resident() -> usize {
    let pages = fs::read_to_string("/proc/self/statm").expect("procfs");
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).expect("statm") * 4096
}

/// As many descriptors as we may have.
pub(crate) fn raise_limit() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).expect("our own limit");
}

/// We may have a few descriptors from now on. An accept that waits in a ring goes by the limit at its beginning.
pub(crate) fn lower_limit() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(256), ..limit }).expect("our own limit");
}

/// All descriptors there are, until they are dropped.
pub(crate) fn take_all_descriptors() -> Vec<File> {
    std::iter::from_fn(|| File::open("/dev/null").ok()).collect()
}

/// A listener whose queue is full, and who fills it: the next one to come is not answered.
pub(crate) fn full_house() -> (SocketAddr, (TcpListener, Vec<Socket>)) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).expect("an address of ours");
    socket.listen(0).expect("listen");
    let listener = TcpListener::from(socket);
    let address = listener.local_addr().expect("bound");
    let waiting = (0..4)
        .map(|_| {
            let socket = Socket::new(Domain::IPV4, Type::STREAM.nonblocking(), None).expect("a socket");
            drop(socket.connect(&address.into()));
            socket
        })
        .collect();
    std::thread::sleep(Duration::from_millis(50));
    (address, (listener, waiting))
}

/// Our network, and a server's, with one wire between them.
pub(crate) struct Network {
    commands: Sender<Box<dyn FnOnce() + Send>>,
    far: Option<JoinHandle<()>>,
}

impl Network {
    /// Runs something in the server's network.
    fn far<T: Send + 'static>(&self, body: impl FnOnce() -> T + Send + 'static) -> T {
        let (sender, receiver) = channel();
        self.commands.send(Box::new(move || drop(sender.send(body())))).expect("it is there");
        receiver.recv().expect("it did not panic")
    }

    pub(crate) fn host(&self, address: SocketAddr) -> Host {
        self.far(move || Host::new(address))
    }

    /// Takes the wire out, at the server's end.
    pub(crate) fn cut(&self) {
        self.far(|| ip("link set far down")).expect("it was up");
    }

    pub(crate) fn mend(&self) {
        self.far(|| ip("link set far up")).expect("it was down");
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.commands = channel().0;
        drop(self.far.take().map(JoinHandle::join));
    }
}

/// Runs the body in a network of its own, 192.0.2.1, with a server's, 192.0.2.2, if we may make such.
pub(crate) fn in_networks(body: impl FnOnce(&Network) + Send + 'static) {
    // Of its own is a thread's network, so it gets a thread that ends with it.
    let near = std::thread::spawn(move || {
        let (commands, receiver) = channel::<Box<dyn FnOnce() + Send>>();
        let far = std::thread::spawn(move || receiver.into_iter().for_each(|command| command()));
        let network = Network { commands, far: Some(far) };
        let made = own_network()
            .and_then(|_| network.far(own_network))
            .and_then(|far| ip(&format!("link add near type veth peer name far netns {far}")))
            .and_then(|()| ip("addr add 192.0.2.1/24 dev near"))
            .and_then(|()| ip("link set near up"))
            .and_then(|()| network.far(|| ip("addr add 192.0.2.2/24 dev far")))
            .and_then(|()| network.far(|| ip("link set far up")));
        match made {
            Ok(()) => body(&network),
            Err(error) => println!("skipped, no networks can be made here: {error}"),
        }
    });
    if let Err(panic) = near.join() {
        std::panic::resume_unwind(panic);
    }
}

/// The thread's network is a new one; gives the thread's number.
fn own_network() -> Result<i32, String> {
    // SAFETY: a network is no memory, and no descriptor table is unshared.
    let made = unsafe { rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::NEWNET) };
    made.map_err(|errno| errno.to_string())?;
    Ok(rustix::thread::gettid().as_raw_nonzero().get())
}

fn ip(words: &str) -> Result<(), String> {
    let output =
        Command::new("ip").args(words.split(' ')).output().map_err(|error| format!("ip: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    output.status.success().then_some(()).ok_or(format!("ip {words}: {said}"))
}
