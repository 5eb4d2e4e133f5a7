use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::LocalSet;

use super::*;
use crate::twin::Twin;

/// So short a time for a request that nobody has to wait, and so long a one for the rest that it is told apart.
const SHORT: Times = Times { head: Duration::from_millis(300), all: Duration::from_secs(10) };

/// A port that was free a moment ago.
fn free() -> SocketAddr {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("an address")
}

/// What is said to these octets; nothing, if the connection is ended without a word.
async fn ask(at: SocketAddr, octets: &[u8]) -> String {
    let mut stream = TcpStream::connect(at).await.expect("somebody listens");
    let mut answer = Vec::new();
    let _ = stream.write_all(octets).await;
    let _ = timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await.expect("an end");
    String::from_utf8(answer).expect("text")
}

async fn server(times: Times) -> (Twin, Telemetry<Twin>, SocketAddr) {
    let (twin, at) = (Twin::new(), free());
    let telemetry = Telemetry::new(twin.clone(), times);
    telemetry.listen(Some(at)).await.expect("a free port");
    (twin, telemetry, at)
}

#[tokio::test]
async fn requests_are_answered() {
    LocalSet::new().run_until(requests()).await;
}

async fn requests() {
    let (twin, _telemetry, at) = server(TIMES).await;
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    let headers = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(HEADERS_MAX + 1));
    let long = format!("GET / HTTP/1.1\r\nA: {}\r\n\r\n", "b".repeat(HEAD_MAX));
    let rows: [(String, &str, &str); 13] = [
        (get("/metrics"), "HTTP/1.1 200", "# TYPE "),
        (get("/metrics?a=b"), "HTTP/1.1 200", "text/plain; version=0.0.4"),
        (get("/healthz"), "HTTP/1.1 200", "\r\n\r\nok\n"),
        (get("/"), "HTTP/1.1 200", "<h1>a&lt;b</h1>"),
        (get("/metrics/"), "HTTP/1.1 404", "There are /, /metrics and /healthz."),
        (get("/../etc/passwd"), "HTTP/1.1 404", ""),
        (String::from("GET /healthz HTTP/1.0\r\n\r\n"), "HTTP/1.0 200", "ok\n"),
        (String::from("HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 200", "content-length: 3"),
        (
            String::from("POST /metrics HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"),
            "HTTP/1.1 405",
            "allow: GET, HEAD",
        ),
        (String::from("{\"line\":\"quit\"}\r\n\r\n"), "HTTP/1.1 400", ""),
        (headers, "HTTP/1.1 431", ""),
        (long, "HTTP/1.1 431", ""),
        (String::from("GET http://[ HTTP/1.1\r\n\r\n"), "HTTP/1.1 400", ""),
    ];
    for (request, status, wanted) in rows {
        let answer = ask(at, request.as_bytes()).await;
        let row = &request[..request.len().min(60)];
        assert!(answer.starts_with(status), "{row:?}: {answer}");
        assert!(answer.contains(wanted), "{row:?}: {answer}");
    }
    twin.turns.set(Some(false));
    assert!(ask(at, get("/healthz").as_bytes()).await.starts_with("HTTP/1.1 503"), "it has ended");
    twin.turns.set(None);
    for path in ["/healthz", "/metrics", "/"] {
        assert!(ask(at, get(path).as_bytes()).await.starts_with("HTTP/1.1 503"), "{path}: it is stuck");
    }
}

#[tokio::test]
async fn who_is_slow_has_to_go() {
    LocalSet::new().run_until(slow()).await;
}

async fn slow() {
    let (_twin, _telemetry, at) = server(SHORT).await;
    let began = Instant::now();
    // More than there may be: a header an eternity, or nothing at all.
    let mut strangers = Vec::new();
    for number in 0..CONNECTIONS_MAX * 2 {
        let mut stream = TcpStream::connect(at).await.expect("somebody listens");
        if number % 2 == 0 {
            stream.write_all(b"GET / HTTP/1.1\r\nA: ").await.expect("room");
        }
        strangers.push(stream);
    }
    let drip = spawn_local(async move {
        loop {
            for stream in strangers.iter_mut().step_by(2) {
                // Those that were cut off do not take it, which is what we are waiting for.
                let _ = stream.write_all(b"x").await;
            }
            sleep(Duration::from_millis(20)).await;
        }
    });
    let answer = ask(at, b"GET /healthz HTTP/1.1\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let took = began.elapsed();
    assert!(took >= SHORT.head && took < SHORT.all, "{took:?}");
    drip.abort();
}

#[tokio::test]
async fn it_listens_where_it_should() {
    LocalSet::new().run_until(moves()).await;
}

async fn moves() {
    let (_twin, telemetry, first) = server(TIMES).await;
    let answers = async |at| ask(at, b"GET /healthz HTTP/1.1\r\n\r\n").await.starts_with("HTTP/1.1 200");
    let second = free();
    telemetry.listen(Some(second)).await.unwrap();
    assert!(answers(second).await);
    assert!(TcpStream::connect(first).await.is_err(), "it still listens where it did");

    // The same port, at all addresses, and back.
    let all = SocketAddr::from((Ipv4Addr::UNSPECIFIED, second.port()));
    telemetry.listen(Some(all)).await.unwrap();
    assert!(answers(second).await);
    telemetry.listen(Some(second)).await.unwrap();
    telemetry.listen(Some(second)).await.unwrap();
    assert!(answers(second).await);

    // What cannot be leaves it where it is, be it of the same port.
    let taken = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    telemetry.listen(Some(taken.local_addr().unwrap())).await.unwrap_err();
    assert!(answers(second).await);
    let nobodys = SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), second.port()));
    telemetry.listen(Some(nobodys)).await.unwrap_err();
    assert!(answers(second).await);

    telemetry.listen(None).await.unwrap();
    assert!(TcpStream::connect(second).await.is_err(), "it is to listen nowhere");
}
