//! The program, run as an operator runs it.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

const PROGRAM: &str = env!("CARGO_BIN_EXE_heliograph");

/// Looks again and again until something is so.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{PATIENCE:?} went by, and not yet: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A port that nobody has, as far as one can know.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port()
}

/// A directory of its own.
pub(crate) struct Place(PathBuf);

impl Place {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("heliograph-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&path));
        fs::create_dir(&path).expect("a directory");
        Self(path)
    }

    pub(crate) fn file(&self) -> String {
        self.path("mirror.conf")
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("UTF-8").to_owned()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// An engine that runs.
pub(crate) struct Engine {
    child: std::cell::RefCell<Child>,
    socket: String,
    log: String,
}

impl Engine {
    /// Starts one, and waits until shells come in.
    pub(crate) fn run(place: &Place) -> Self {
        let (socket, log) = (place.path("engine.sock"), place.path("engine.log"));
        let io =
            if fs::read_to_string("/proc/sys/kernel/io_uring_disabled").is_ok_and(|off| off.trim() == "2") {
                "epoll"
            } else {
                "uring"
            };
        let child = Command::new(PROGRAM)
            .args(["run", "-c", &place.file(), "--socket", &socket, "--io", io])
            .stderr(File::create(&log).expect("a file"))
            .stdin(Stdio::null())
            .spawn()
            .expect("the program");
        let engine = Self { child: child.into(), socket, log };
        until("it runs", || {
            let ended = engine.child.borrow_mut().try_wait().expect("a child");
            assert!(ended.is_none(), "it has ended: {}", engine.log());
            engine.try_shell(&["display this"], false).is_ok()
        });
        engine
    }

    /// Runs lines, all of which must be taken; what is said.
    pub(crate) fn shell(&self, lines: &[&str]) -> String {
        self.try_shell(lines, false).unwrap_or_else(|said| panic!("{lines:?}: {said}\n{}", self.log()))
    }

    fn try_shell(&self, lines: &[&str], json: bool) -> Result<String, String> {
        let mut shell = Command::new(PROGRAM);
        shell.args(["shell", "--socket", &self.socket]);
        shell.args(json.then_some("--json"));
        for line in lines {
            shell.args(["-c", line]);
        }
        let output = shell.output().expect("the program");
        let [said, complaint] =
            [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        if output.status.success() { Ok(said) } else { Err(said + &complaint) }
    }

    /// Which sessions are up and read their logs, as `display bmp session` has it.
    pub(crate) fn up(&self) -> Vec<bool> {
        let said = self.try_shell(&["display bmp session"], true).expect("a display");
        let value: Value = serde_json::from_str(&said).expect("JSON");
        let sessions = value["sessions"].as_array().expect("a list").iter();
        let live = |session: &Value| {
            let connections = session["connections"].as_array().expect("a list");
            session["state"] == "Up" && connections.iter().all(|connection| connection["state"] == "live")
        };
        sessions.map(live).collect()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub(crate) fn signal(&self, name: &str) {
        let signal = if name == "HUP" { Signal::HUP } else { Signal::TERM };
        let id = i32::try_from(self.child.borrow().id()).expect("a process");
        kill_process(Pid::from_raw(id).expect("a process"), signal).expect("it is there");
    }

    /// Ends it as systemd does, and sees that it ends well.
    pub(crate) fn terminate(&self) {
        self.signal("TERM");
        let mut status = None;
        until("it ends", || {
            status = self.child.borrow_mut().try_wait().expect("a child");
            status.is_some()
        });
        assert!(status.is_some_and(|status| status.success()), "{status:?}: {}", self.log());
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let mut child = self.child.borrow_mut();
        drop(child.kill());
        drop(child.wait());
    }
}
