//! How fast one router comes in over the loopback, into lanes that somebody drains and nobody reads.
//!
//!     cargo run --release -p heliograph-ingest --example rate [-- SECONDS]
//!
//! Streams: `bmp` has seven peers that alternate at random, so nearly each message is a record; `one` is a dump as
//! routers send it, one peer after the other. CPU seconds are those of the service's thread.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ingest::Record;
use ingest::routers::{self, Instance, Io, ListenerId, Order, Report};
use queue::ring::{Event, Settings, intake};
use tests::stream;

fn main() {
    let seconds = std::env::args().nth(1).and_then(|seconds| seconds.parse().ok()).unwrap_or(2);
    let (bmp, answer) = stream::bmp(1, 100_000);
    // The greeting has one message that is no peer's: it is sent once, and the rest again and again.
    let first = u32::from_be_bytes(bmp[1..5].try_into().expect("a header")) as usize;
    let mut sorted: Vec<&[u8]> = Vec::new();
    let mut rest = &bmp[first..];
    while !rest.is_empty() {
        let len = u32::from_be_bytes(rest[1..5].try_into().expect("a header")) as usize;
        sorted.push(&rest[..len]);
        rest = &rest[len..];
    }
    sorted.sort_by_key(|message| (message[6], &message[8..32]));
    for (name, body) in [("bmp", bmp[first..].to_vec()), ("one", sorted.concat())] {
        let mean = body.len() as f64 / (answer.messages - 1) as f64;
        for io in [Io::Uring, Io::Epoll] {
            let (octets, records, took, cpu) = run(io, &bmp[..first], &body, Duration::from_secs(seconds));
            let rate = octets as f64 / took.as_secs_f64();
            println!(
                "{name} {io:?}: {:.0} MB/s, {:.2} million messages/s, {:.2} million records/s, {:.2} CPU s a s, \
                 {:.0} MB a CPU s",
                rate / 1e6,
                rate / mean / 1e6,
                records as f64 / took.as_secs_f64() / 1e6,
                cpu / took.as_secs_f64(),
                octets as f64 / cpu / 1e6,
            );
        }
    }
}

fn run(io: Io, greeting: &[u8], body: &[u8], time: Duration) -> (u64, u64, Duration, f64) {
    let mirror = thread::current();
    let settings = Settings { lanes_max: 4096, quantum: 64 << 10 };
    let (gate, mut intake) = intake::<Record>(settings, move || mirror.unpark());
    let mut handle = routers::start(io, Arc::new(gate), || 0, || {}).expect("a thread");
    handle.order(Order::Listen(ListenerId(1), "127.0.0.1:0".parse().expect("an address"), Instance::Public));
    let address = loop {
        match handle.next_report() {
            Some(Report::Listening(_, address)) => break address.expect("a port"),
            _ => thread::yield_now(),
        }
    };
    let stop = Arc::new(AtomicBool::new(false));
    let (told, sent) = (stop.clone(), Arc::new(AtomicU64::new(0)));
    let (greeting, body) = (greeting.to_vec(), body.to_vec());
    let sender = thread::spawn(move || {
        let mut socket = TcpStream::connect(address).expect("a connection");
        socket.write_all(&greeting).expect("a greeting");
        while !told.load(Ordering::Relaxed) {
            socket.write_all(&body).expect("it is read");
            sent.fetch_add(1, Ordering::Relaxed);
        }
    });
    let (began, cpu_before) = (Instant::now(), cpu());
    let (mut octets, mut records) = (0_u64, 0_u64);
    while began.elapsed() < time {
        let drained = intake.drain(1 << 20, |_, event| {
            if let Event::Value(Record::Messages(messages)) = event {
                octets += messages.len() as u64;
                records += 1;
            }
        });
        if !drained.more && intake.prepare_sleep() {
            thread::park_timeout(Duration::from_millis(100));
        }
    }
    let figures = (octets, records, began.elapsed(), cpu() - cpu_before);
    stop.store(true, Ordering::Relaxed);
    while !sender.is_finished() {
        intake.drain(1 << 20, |_, _| {});
    }
    sender.join().expect("a sender");
    figures
}

/// CPU seconds of the service's thread.
fn cpu() -> f64 {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let ours = tasks.filter(|task| {
        fs::read_to_string(task.path().join("comm")).is_ok_and(|comm| comm.trim_end() == "routers")
    });
    let spent = |path: std::path::PathBuf| -> f64 {
        let stat = fs::read_to_string(path.join("schedstat")).unwrap_or_default();
        stat.split_whitespace().next().and_then(|field| field.parse().ok()).unwrap_or(0.0)
    };
    ours.map(|task| spent(task.path())).sum::<f64>() / 1e9
}
