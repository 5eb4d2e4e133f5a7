//! The binary over loopback.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use socket2::SockRef;
use tests::stream;

use super::hear;

/// Longer than any of these tests lasts on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// A station that runs.
struct Running {
    child: Child,
    addresses: Vec<SocketAddr>,
    errors: BufReader<std::process::ChildStderr>,
}

impl Running {
    /// On so many ports of its own choice.
    fn start(ports: usize, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_heliograph-station"))
            .args(vec!["127.0.0.1:0"; ports])
            .args(["--json", "--quiet"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the station starts");
        let mut errors = BufReader::new(child.stderr.take().expect("piped"));
        let addresses = (0..ports).map(|_| {
            let mut line = String::new();
            errors.read_line(&mut line).expect("a line");
            let address = line.strip_prefix("listening on ").unwrap_or_else(|| panic!("{line}"));
            address.trim().parse().expect("an address")
        });
        let addresses = addresses.collect();
        Self { child, addresses, errors }
    }

    fn connect(&self, port: usize) -> TcpStream {
        let stream = TcpStream::connect(self.addresses[port]).expect("the station accepts");
        stream.set_write_timeout(Some(PATIENCE)).expect("a socket");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        stream
    }

    /// Asks it to end.
    fn terminate(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill").success());
    }

    /// Its exit status, its report, and what else it said.
    fn end(mut self) -> (i32, Value, String) {
        let began = Instant::now();
        let mut out = self.child.stdout.take().expect("piped");
        let reads = thread::spawn(move || {
            let mut json = String::new();
            out.read_to_string(&mut json).expect("UTF-8");
            json
        });
        while self.child.try_wait().expect("a child").is_none() {
            if began.elapsed() > PATIENCE {
                self.child.kill().expect("a child");
                panic!("the station does not end");
            }
            thread::sleep(Duration::from_millis(5));
        }
        let status = self.child.wait().expect("a child").code().expect("no signal ended it");
        let json = reads.join().expect("no panic");
        let mut said = String::new();
        self.errors.read_to_string(&mut said).expect("UTF-8");
        let report = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json:?} {said}"));
        (status, report, said)
    }
}

/// Sends in pieces and closes in order.
fn send(mut stream: &TcpStream, bytes: &[u8], piece: usize) {
    bytes.chunks(piece).for_each(|piece| stream.write_all(piece).expect("the station reads"));
    SockRef::from(stream).shutdown(std::net::Shutdown::Write).expect("a socket");
}

fn rows(report: &Value) -> &Vec<Value> {
    report["per_connection"].as_array().expect("a list")
}

#[test]
fn many_connections_each_with_its_own_tables() {
    const EACH: usize = 60;
    let streams: Vec<_> = (0..4).map(|seed| stream::bmp(seed, 200)).collect();
    let all = (streams.len() * EACH).to_string();
    let station = Running::start(streams.len(), &["--until-closed", &all, "--threads", "2"]);
    thread::scope(|scope| {
        for (port, (bytes, _)) in streams.iter().enumerate() {
            let station = &station;
            scope.spawn(move || {
                // All are open before the first one ends.
                let open: Vec<_> = (0..EACH).map(|_| station.connect(port)).collect();
                open.iter().enumerate().for_each(|(n, stream)| send(stream, bytes, 1 + n * 77));
            });
        }
    });
    let addresses = station.addresses.clone();
    let (status, report, said) = station.end();
    assert_eq!(status, 0, "{said}");
    assert_eq!((&report["connections"], rows(&report).len()), (&Value::from(240), 240));
    for (n, row) in rows(&report).iter().enumerate() {
        assert_eq!(row["number"], n as u64 + 1, "in order");
        let port = addresses.iter().position(|address| row["port"] == address.port()).expect("one of ours");
        let (bytes, answer) = &streams[port];
        let hearing = hear(bytes);
        let expected = [
            ("octets", Value::from(bytes.len())),
            ("messages", answer.messages.into()),
            ("announced", answer.announced.into()),
            ("withdrawn", answer.withdrawn.into()),
            ("paths", hearing.counts().paths.into()),
            ("digest", hearing.digest().to_string().into()),
            ("peers_up", 7.into()),
            ("router", "seed-1".into()),
            ("ended", "closed".into()),
            ("violations", 0.into()),
        ];
        for (name, value) in expected {
            assert_eq!(row[name], value, "{name} of connection {}", n + 1);
        }
        assert_eq!(row["messages_by_type"]["route-monitoring"], answer.route_monitoring, "by type");
        let paths: u64 =
            row["tables"].as_array().expect("tables").iter().filter_map(|t| t["paths"].as_u64()).sum();
        assert_eq!(row["paths"], paths);
    }
    let octets: usize = streams.iter().map(|(bytes, _)| bytes.len() * EACH).sum();
    assert_eq!(report["octets"], octets);
}

#[test]
fn modes_that_keep_less() {
    let (bytes, answer) = stream::bmp(1, 5000);
    for (mode, messages) in [("--discard", 0), ("--count", answer.messages)] {
        let station = Running::start(1, &[mode, "--until-closed", "1"]);
        send(&station.connect(0), &bytes, 100_000);
        let (status, report, said) = station.end();
        assert_eq!(status, 0, "{mode}: {said}");
        assert_eq!(
            (&report["octets"], &report["messages"]),
            (&bytes.len().into(), &messages.into()),
            "{mode}"
        );
        assert_eq!((&report["paths"], &rows(&report)[0]["digest"]), (&0.into(), &Value::Null), "{mode}");
    }
}

#[test]
fn a_stream_that_breaks_rules() {
    let (mut bytes, _) = stream::bmp(1, 50);
    bytes.truncate(bytes.len() - 3);
    for (arguments, status, violations) in [(&[][..], 1, 1), (&["--tolerate", "whole-messages"], 0, 0)] {
        let station = Running::start(1, &[&["--until-closed", "1"], arguments].concat());
        send(&station.connect(0), &bytes, 1000);
        let (got, report, said) = station.end();
        assert_eq!((got, &report["violations"]), (status, &violations.into()), "{said}");
        let row = &rows(&report)[0];
        assert_eq!(row["mid_message"], true);
        let (rule, list) = ("whole-messages", row["first_violations"].as_array().expect("a list"));
        assert_eq!(list.iter().filter(|violation| violation["rule"] == rule).count(), violations);
        assert_eq!(report["tolerated"].get(rule).is_some(), status == 0);
        assert_eq!(said.contains("router \"seed-1\": whole-messages: message "), status == 1, "{said}");
    }
    // What is no BMP is closed at once.
    let station = Running::start(1, &["--until-closed", "1"]);
    let mut stream = station.connect(0);
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").expect("the station reads");
    let (status, report, _) = station.end();
    assert_eq!((status, &rows(&report)[0]["ended"]), (1, &"not-bmp".into()));
}

#[test]
fn dumps_are_sorted_and_whole() {
    let (bytes, _) = stream::every_family(3, 300);
    let folder = std::env::temp_dir().join(format!("heliograph-station-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("tables.txt");
    let station = Running::start(1, &["--until-closed", "1", "--dump", file.to_str().expect("UTF-8")]);
    send(&station.connect(0), &bytes, 5000);
    let (status, report, said) = station.end();
    assert_eq!(status, 0, "{said}");
    let text = std::fs::read_to_string(&file).expect("a dump");
    std::fs::remove_dir_all(&folder).expect("a folder of ours");
    let mut lines = text.lines();
    let head = lines.next().expect("a head");
    assert!(head.starts_with("# connection 1 port ") && head.contains("router \"seed-1\""), "{head}");
    assert!(head.ends_with(rows(&report)[0]["digest"].as_str().expect("a digest")), "{head}");
    let lines: Vec<_> = lines.collect();
    assert_eq!(report["paths"], lines.len());
    let table = |line: &str| line.split(' ').take(5).collect::<Vec<_>>().join(" ");
    for pair in lines.windows(2) {
        let [one, next] = pair else { continue };
        assert!(table(one) != table(next) || one < next, "{one}\n{next}");
    }
    assert!(lines.iter().all(|line| line.rsplit(' ').next().is_some_and(|word| word.len() == 32)));
}

#[test]
fn slow_on_purpose() {
    let (bytes, _) = stream::bmp(1, 20_000); // three megabytes
    let len = bytes.len() as u64;
    let until_read = |arguments: &[&str]| {
        let station =
            Running::start(1, &[&["--until-closed", "1", "--receive-buffer", "65536"], arguments].concat());
        let began = Instant::now();
        send(&station.connect(0), &bytes, 65_536);
        let (status, report, said) = station.end();
        assert_eq!((status, &report["octets"]), (0, &len.into()), "{arguments:?}: {said}");
        began.elapsed()
    };
    // A little less than it takes: a bucket may be half full at the beginning.
    assert!(until_read(&["--rate", "3M"]) > Duration::from_millis(len / 3 / 1000 * 8 / 10));
    assert!(until_read(&["--stall", "100k:1.5"]) > Duration::from_millis(1500));
    // Another one of the same port is well.
    let station = Running::start(1, &["--stall", "100k:0", "--only", "1", "--receive-buffer", "65536"]);
    let stalled = station.connect(0);
    stalled.set_write_timeout(Some(Duration::from_secs(2))).expect("a socket");
    SockRef::from(&stalled).set_send_buffer_size(65_536).expect("a socket");
    let hung = (&stalled).write_all(&bytes).expect_err("nobody reads");
    assert!(matches!(hung.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut), "{hung}");
    let well = station.connect(0);
    send(&well, &bytes, 65_536);
    assert_eq!((&well).read(&mut [0]).expect("an end"), 0, "it was read to its end");
    station.terminate();
    let (status, report, _) = station.end();
    let octets: Vec<_> = rows(&report).iter().map(|row| row["octets"].as_u64()).collect();
    assert_eq!((status, octets), (0, vec![Some(100_000), Some(len)]));
    assert_eq!((&rows(&report)[0]["ended"], &rows(&report)[1]["ended"]), (&"open".into(), &"closed".into()));
}

#[test]
fn rude_on_purpose() {
    let (bytes, _) = stream::bmp(1, 20_000);
    for (arguments, ended) in [(&["--reset"][..], "reset-by-us"), (&[], "closed-by-us")] {
        let station =
            Running::start(1, &[&["--close-after", "50k", "--until-closed", "1"], arguments].concat());
        let mut stream = station.connect(0);
        stream.write_all(&bytes[..50_000]).expect("the station reads");
        let end = stream.read(&mut [0]);
        match ended {
            "closed-by-us" => assert_eq!(end.expect("an orderly end"), 0),
            _ => assert_eq!(end.expect_err("a reset").kind(), std::io::ErrorKind::ConnectionReset),
        }
        drop(stream);
        let (status, report, said) = station.end();
        assert_eq!((status, &report["octets"]), (0, &50_000.into()), "{said}");
        assert_eq!(rows(&report)[0]["ended"], ended);
    }
    let station = Running::start(1, &["--accept-delay", "0.5", "--until-closed", "2"]);
    let began = Instant::now();
    let all: Vec<_> = (0..2).map(|_| station.connect(0)).collect();
    all.iter().for_each(|stream| send(stream, &bytes[..55], 55));
    station.end();
    assert!(began.elapsed() > Duration::from_millis(950));
}

#[test]
fn ends_when_asked() {
    let (bytes, _) = stream::bmp(1, 100);
    let station = Running::start(1, &["--seconds", "0.6"]);
    let mut stream = station.connect(0);
    stream.write_all(&bytes[..bytes.len() - 1]).expect("the station reads");
    let (status, report, _) = station.end();
    assert_eq!((status, &report["open"]), (0, &1.into()), "what goes on is no violation");
    let row = &rows(&report)[0];
    assert_eq!((&row["ended"], &row["mid_message"]), (&"open".into(), &true.into()));
    for wrong in [&["127.0.0.1"][..], &["127.0.0.1:0", "--tolerate", "everything"], &[]] {
        let output =
            Command::new(env!("CARGO_BIN_EXE_heliograph-station")).args(wrong).output().expect("it runs");
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let output =
        Command::new(env!("CARGO_BIN_EXE_heliograph-station")).arg(&address).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains(&format!("listen on {address}: ")), "{said}");
}
