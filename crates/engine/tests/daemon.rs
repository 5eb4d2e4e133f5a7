//! The engine as a service, from outside: a process of its own, a service manager, signals and a shell.
//!
//! ```text
//!   this test ── SIGHUP, SIGTERM ─► daemon::run ─ READY=1, WATCHDOG=1, RELOADING=1, STOPPING=1 ─► this test
//!        └────── lines ─► the control socket
//! ```

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use engine::daemon::{self, Io, Options};
use engine::journal::Form;
use engine::protocol::{Reply, Request};
use rustix::process::{Pid, Signal, kill_process};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Names the directory of the engine that a child is to be.
const CHILD: &str = "HELIOGRAPH_TEST_DAEMON";

#[test]
#[ignore = "others start it"]
fn the_engine_of_others() {
    let Some(directory) = std::env::var_os(CHILD).map(PathBuf::from) else { return };
    let ended = daemon::run(Options {
        file: directory.join("file"),
        socket: directory.join("socket"),
        key: None,
        io: Io::Epoll,
        form: Form::Text,
    });
    if let Err(text) = ended {
        eprintln!("{text}");
        std::process::exit(1);
    }
}

/// An engine, and the manager that started it.
struct Service {
    child: Child,
    heard: UnixDatagram,
}

impl Service {
    fn start(directory: &Path) -> Self {
        let manager = directory.join("notify");
        let _ = fs::remove_file(&manager);
        let heard = UnixDatagram::bind(&manager).expect("a manager's socket");
        heard.set_read_timeout(Some(PATIENCE)).expect("a time limit");
        let child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "the_engine_of_others", "--ignored", "--nocapture"])
            .env(CHILD, directory)
            .env("NOTIFY_SOCKET", &manager)
            .env("WATCHDOG_USEC", "200000")
            .spawn()
            .expect("a child");
        Self { child, heard }
    }

    /// Waits until the manager is told so.
    fn hears(&self, wanted: &str) {
        let began = Instant::now();
        let mut room = [0; 256];
        let mut before = Vec::new();
        while began.elapsed() < PATIENCE {
            let len = self.heard.recv(&mut room).unwrap_or_else(|_| panic!("{wanted}: only {before:?}"));
            let state = String::from_utf8_lossy(&room[..len]).into_owned();
            if state.starts_with(wanted) {
                return;
            }
            before.push(state);
        }
        panic!("{wanted}: only {before:?}");
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("it lives");
    }

    fn ends(mut self) -> ExitStatus {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().expect("a child of ours") {
                return status;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it does not end");
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A shell over the socket.
struct Shell(BufReader<UnixStream>);

impl Shell {
    fn open(directory: &Path) -> Self {
        let mut shell =
            Self(BufReader::new(UnixStream::connect(directory.join("socket")).expect("an engine")));
        shell.request(&Request::Hello { user: String::from("test"), json: false });
        shell
    }

    fn request(&mut self, request: &Request) -> String {
        let mut line = serde_json::to_vec(request).expect("text");
        line.push(b'\n');
        self.0.get_mut().write_all(&line).expect("it listens");
        let mut line = String::new();
        self.0.read_line(&mut line).expect("an answer");
        match serde_json::from_str(&line) {
            Ok(Reply::Said { text, refused: false, .. }) => text,
            other => panic!("{request:?}: {other:?}"),
        }
    }

    fn line(&mut self, line: &str) -> String {
        self.request(&Request::Line(line.to_owned()))
    }
}

#[test]
fn it_lives_and_dies_as_a_service() {
    let directory = std::env::temp_dir().join(format!("heliograph-daemon-{}", std::process::id()));
    fs::create_dir(&directory).expect("a directory of our own");
    let file = directory.join("file");

    // From nothing, with what was typed.
    let service = Service::start(&directory);
    service.hears("READY=1");
    service.hears("WATCHDOG=1");
    let mut shell = Shell::open(&directory);
    for line in
        ["system-view", "bmp", "statistics-timer 60", "bmp-session 127.0.0.1", "tcp connect port 9", "commit"]
    {
        shell.line(line);
    }
    assert!(shell.line("display bmp session").contains("127.0.0.1"));
    shell.line("return");
    shell.line("save");
    let saved = fs::read_to_string(&file).expect("it was saved");
    assert_eq!(saved, shell.line("display current-configuration"));

    // There is no second one.
    let other = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "the_engine_of_others", "--ignored", "--nocapture"])
        .env(CHILD, &directory)
        .output()
        .expect("a child");
    let text = String::from_utf8_lossy(&other.stderr);
    assert!(!other.status.success() && text.contains("Another engine runs"), "{text}");

    // A bad file changes nothing, a good one what it says.
    for (timer, taken) in [("7", false), ("61", true)] {
        let text = saved.replace("statistics-timer 60", &format!("statistics-timer {timer}"));
        fs::write(&file, &text).expect("it can be written");
        service.signal(Signal::HUP);
        service.hears("RELOADING=1\nMONOTONIC_USEC=");
        service.hears("READY=1");
        let wanted = if taken { &text } else { &saved };
        assert_eq!(&shell.line("display current-configuration"), wanted, "statistics-timer {timer}");
    }

    service.signal(Signal::TERM);
    service.hears("STOPPING=1");
    assert!(service.ends().success());
    assert!(!directory.join("socket").exists(), "the socket is still there");

    // Killed without a word, and started again: all is there, and what it left does not stand in the way.
    let service = Service::start(&directory);
    service.hears("READY=1");
    service.signal(Signal::KILL);
    assert!(!service.ends().success());
    assert!(directory.join("socket").exists());
    let service = Service::start(&directory);
    service.hears("READY=1");
    let mut shell = Shell::open(&directory);
    assert!(shell.line("display current-configuration").contains("statistics-timer 61"));
    let list = shell.line("display configuration commit list");
    assert!(list.contains("1000000001") && list.contains("1000000002"), "{list}");
    service.signal(Signal::INT);
    assert!(service.ends().success());
    fs::remove_dir_all(&directory).expect("ours");
}
