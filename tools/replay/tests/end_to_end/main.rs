//! The program, from files to servers on loopback.
//!
//! ```text
//!  seeded files ─► heliograph-replay ─► servers, each a station ─┐
//!       └──────► ingest::mrt::Router ─► a station ───────────────┴─► hold the same
//! ```

mod real;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ingest::mrt::{Filter, Input, Router};
use serde_json::Value;
use tests::station::{Station, Tables, difference};
use tests::stream::{mrt_rib, mrt_updates};
use wire::mrt::Record;

const PATIENCE: Duration = Duration::from_secs(60);

/// A server of one connection that begins after a while, and rests after each read.
fn server(late: Duration, rest: Duration) -> (u16, JoinHandle<Station>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let serve = move || {
        thread::sleep(late);
        let (mut stream, _) = listener.accept().expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
        let mut station = Station::new();
        let mut room = vec![0; 64 << 10];
        while let Ok(len @ 1..) = stream.read(&mut room) {
            station.take(&room[..len]).expect("a stream that keeps the rules");
            thread::sleep(rest);
        }
        station
    };
    (port, thread::spawn(serve))
}

/// A folder that is gone in the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("heliograph-replay-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        Self(folder)
    }

    fn file(&self, name: &str, octets: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, octets).expect("a file");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left is in the machine's own folder for that.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn replay(files: &[&Path], ports: &[u16], options: &[&str]) -> Child {
    let servers = ports.iter().map(|port| format!("127.0.0.1:{port}"));
    Command::new(env!("CARGO_BIN_EXE_heliograph-replay"))
        .args(files)
        .args(options)
        .arg("--to")
        .args(servers)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program")
}

/// Its exit code, and its summary.
fn ended(child: Child) -> (Option<i32>, Value) {
    let Output { status, stdout, stderr } = child.wait_with_output().expect("it ends");
    let told = String::from_utf8_lossy(&stdout);
    let summary = serde_json::from_str(&told)
        .unwrap_or_else(|error| panic!("{error}: {told} {}", String::from_utf8_lossy(&stderr)));
    (status.code(), summary)
}

/// What a server has to hold: of files that are told one after the other.
fn wanted(files: &[&[u8]]) -> Tables {
    let mut router = Router::new(Filter::default());
    let mut out = Vec::new();
    router.initiation("rr1", "what is wanted", &mut out).expect("a short name");
    for (file, octets) in files.iter().enumerate() {
        let mut rest = *octets;
        while let Ok(Some((record, tail))) = Record::split(rest) {
            router.take(Input(file), &record, &mut out);
            rest = tail;
        }
        router.ended(Input(file), &mut out);
    }
    let mut station = Station::new();
    station.take(&out).expect("a stream that keeps the rules");
    station.tables().clone()
}

fn same(station: &Station, wanted: &Tables, who: &str) {
    if let Some(difference) = difference(station.tables(), wanted) {
        panic!("{who}: held against wanted:\n{difference}");
    }
    assert_eq!(station.terminated(), Some(0), "{who}");
}

#[test]
fn all_servers_hold_the_same() {
    let folder = Folder::new("same");
    let (rib, answer) = mrt_rib(1, 3000, 9);
    let (updates, more) = mrt_updates(2, 5000);
    let files = [folder.file("rib", &rib), folder.file("updates", &updates)];
    let wanted = wanted(&[&rib, &updates]);
    let none = Duration::ZERO;
    for io in ["uring", "epoll"] {
        let fast = server(none, none);
        let slow = server(none, Duration::from_millis(2));
        let late = server(Duration::from_millis(400), none);
        let ports = [fast.0, slow.0, late.0];
        let options = ["--io", io, "--wait", "--name", "rr1"];
        let (code, summary) = ended(replay(&[&files[0], &files[1]], &ports, &options));
        assert_eq!((code, summary["complete"].as_bool()), (Some(0), Some(true)), "{summary}");
        let records = (answer.messages + more.messages) as u64;
        assert_eq!(summary["records"], records, "{summary}");
        assert_eq!(summary["mirrored"], records, "{summary}");
        assert_eq!(summary["announced"], (answer.announced + more.announced) as u64, "{summary}");
        assert_eq!(summary["servers"].as_array().map(Vec::len), Some(3), "{summary}");
        for (who, (_, thread)) in
            ["the fast one", "the slow one", "the late one"].iter().zip([fast, slow, late])
        {
            same(&thread.join().expect("a server"), &wanted, who);
        }
    }
}

#[test]
fn from_standard_input_and_again() {
    let (updates, answer) = mrt_updates(3, 2000);
    let wanted = wanted(&[&updates]);
    let (port, thread) = server(Duration::ZERO, Duration::ZERO);
    let mut child = replay(&[Path::new("-")], &[port], &["--rate", "20000", "--io", "epoll"]);
    child.stdin.take().expect("a pipe").write_all(&updates).expect("it reads");
    let (code, summary) = ended(child);
    assert_eq!((code, &summary["records"]), (Some(0), &Value::from(answer.messages)), "{summary}");
    assert!(summary["seconds"].as_f64().is_some_and(|seconds| seconds >= 1999.0 / 20_000.0), "{summary}");
    same(&thread.join().expect("a server"), &wanted, "the server");

    let folder = Folder::new("again");
    let file = folder.file("updates", &updates);
    let (port, thread) = server(Duration::ZERO, Duration::ZERO);
    let (code, summary) = ended(replay(&[&file], &[port], &["--loop", "3", "--io", "epoll"]));
    assert_eq!((code, &summary["records"]), (Some(0), &Value::from(3 * answer.messages)), "{summary}");
    same(&thread.join().expect("a server"), &wanted, "the server");
}

#[test]
fn who_is_not_there_and_what_is_cut() {
    let folder = Folder::new("cut");
    let (updates, _) = mrt_updates(4, 500);
    let whole = folder.file("whole", &updates);
    let cut = folder.file("cut", &updates[..updates.len() - 5]);
    let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
    let (port, thread) = server(Duration::ZERO, Duration::ZERO);
    let (code, summary) = ended(replay(&[&whole], &[port, free], &["--io", "epoll"]));
    assert_eq!((code, summary["complete"].as_bool()), (Some(1), Some(false)), "{summary}");
    let complete =
        summary["servers"].as_array().expect("servers").iter().map(|one| one["complete"].as_bool());
    assert_eq!(complete.filter(|complete| *complete == Some(true)).count(), 1, "{summary}");
    same(&thread.join().expect("a server"), &wanted(&[&updates]), "the one that is there");

    let (port, thread) = server(Duration::ZERO, Duration::ZERO);
    let (code, summary) = ended(replay(&[&cut], &[port], &["--io", "epoll"]));
    assert_eq!((code, &summary["records"]), (Some(1), &Value::from(499)), "{summary}");
    assert!(summary["files"][0]["error"].as_str().is_some_and(|error| error.contains("left")), "{summary}");
    assert_eq!(thread.join().expect("a server").terminated(), Some(0));

    let missing = replay(&[Path::new("there-is-none")], &[port], &[]).wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert!(text.contains("there-is-none") && missing.status.code() == Some(1), "{text}");
}

/// One that breaks off in the middle of it all has everything by its second connection.
#[test]
fn broken_and_back() {
    let folder = Folder::new("back");
    let (rib, _) = mrt_rib(6, 3000, 9);
    let file = folder.file("rib", &rib);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let thread = thread::spawn(move || {
        let mut room = vec![0; 64 << 10];
        let (mut first, _) = listener.accept().expect("a connection");
        first.read_exact(&mut room).expect("so much of it");
        drop(first);
        let (mut second, _) = listener.accept().expect("another connection");
        second.set_read_timeout(Some(PATIENCE)).expect("a limit");
        let mut station = Station::new();
        while let Ok(len @ 1..) = second.read(&mut room) {
            station.take(&room[..len]).expect("a stream that keeps the rules");
        }
        station
    });
    let (code, summary) = ended(replay(&[&file], &[port], &["--io", "epoll"]));
    assert_eq!((code, summary["complete"].as_bool()), (Some(0), Some(true)), "{summary}");
    same(&thread.join().expect("a server"), &wanted(&[&rib]), "the server");
}

/// At the speed of the records, a second of them takes a second; and Ctrl-C ends it with a Termination.
#[test]
fn on_time_and_interrupted() {
    let folder = Folder::new("time");
    let (updates, _) = mrt_updates(5, 2000);
    let mut times = Vec::new();
    let mut rest = &updates[..];
    while let Ok(Some((record, tail))) = Record::split(rest) {
        times.push(u64::from(record.seconds()) * 1_000_000 + u64::from(record.micros()));
        rest = tail;
    }
    let span = times.iter().max().expect("some") - times[0];
    let file = folder.file("updates", &updates);
    let (port, thread) = server(Duration::ZERO, Duration::ZERO);
    // As fast as it takes a second.
    let speed = format!("{}.{:06}x", span / 1_000_000, span % 1_000_000);
    let (code, summary) = ended(replay(&[&file], &[port], &["--speed", &speed, "--io", "epoll"]));
    let seconds = summary["seconds"].as_f64().expect("a number");
    assert!(code == Some(0) && (0.99..5.0).contains(&seconds), "{summary}");
    assert!(summary["waits"].as_u64().is_some_and(|waits| waits > 0), "{summary}");
    thread.join().expect("a server");

    let (port, thread) = server(Duration::ZERO, Duration::ZERO);
    let child = replay(&[&file], &[port], &["--rate", "10", "--io", "epoll"]);
    thread::sleep(Duration::from_millis(1500));
    let begun = Instant::now();
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(kill.success());
    let (code, summary) = ended(child);
    assert_eq!((code, summary["interrupted"].as_bool()), (Some(130), Some(true)), "{summary}");
    assert!(begun.elapsed() < Duration::from_secs(20), "it leaves at once");
    assert_eq!(thread.join().expect("a server").terminated(), Some(0));
}
