use super::*;
use crate::control::visitor::SHELLS_MAX;
use crate::protocol::REQUEST_MAX;

/// What is said to these octets until it hangs up.
async fn told(engine: &Engine, octets: &[u8], then_close: bool) -> String {
    let mut stream = engine.connect().await;
    let _ = stream.write_all(octets).await;
    if then_close {
        let _ = stream.shutdown().await;
    }
    let mut answer = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("it hangs up");
    String::from_utf8(answer).expect("text")
}

#[tokio::test]
async fn who_does_not_behave_has_to_go() {
    LocalSet::new().run_until(behave()).await;
}

async fn behave() {
    let engine = Engine::new("bmp\n").await;
    let mut patient = engine.shell().await;
    let hello = "{\"hello\":{\"user\":\"root\",\"json\":false}}\n";
    let long = format!("{hello}{{\"line\":\"{}\"}}\n", "x".repeat(REQUEST_MAX));
    let endless = "x".repeat(3 * REQUEST_MAX);
    let deep = format!("{hello}{}\n", "[".repeat(30_000));
    let rows: [(&str, bool, &str); 10] = [
        ("", false, ""),
        ("{\"hello\":", false, ""),
        ("{\"hello\":", true, ""),
        ("GET / HTTP/1.1\r\n\r\n", false, "This is not a request"),
        ("{\"line\":\"save\"}\n", false, "says hello first"),
        ("{\"hello\":{\"user\":3}}\n", false, "This is not a request"),
        ("\n", false, "This is not a request"),
        (&long, false, "A request is longer than"),
        (&endless, false, "A request is longer than"),
        (&deep, false, "This is not a request"),
    ];
    for (octets, then_close, wanted) in rows {
        let answer = told(&engine, octets.as_bytes(), then_close).await;
        let row = &octets[..octets.len().min(60)];
        assert!(answer.contains(wanted), "{row:?}: {answer:?}");
        assert!(wanted.is_empty() || answer.contains("\"leave\":true"), "{row:?}: {answer:?}");
    }
    // Long since silent, it is still there.
    sleep(HELLO * 2).await;
    assert!(patient.line("display current-configuration").await.contains("bmp"));
    let long = format!("display {}", "x".repeat(4000));
    assert!(patient.line(&format!("!{long}")).await.starts_with(' ') || !patient.prompt.is_empty());
    let (_, refused) = patient.request(&Request::Line(String::from("\u{0}\u{1b}[2J"))).await;
    assert!(refused);
}

#[tokio::test]
async fn there_is_an_end_to_shells() {
    LocalSet::new().run_until(many()).await;
}

async fn many() {
    let engine = Engine::new("bmp\n").await;
    let mut shells = Vec::new();
    for _ in 0..SHELLS_MAX {
        shells.push(engine.shell().await);
    }
    for _ in 0..3 {
        let answer = told(&engine, b"", false).await;
        assert!(answer.contains("64 shells are open"), "{answer:?}");
    }
    // Those that are there do not notice; one that leaves makes room.
    for shell in &mut shells {
        shell.line("system-view").await;
    }
    shells.pop();
    for _ in 0..100 {
        sleep(Duration::from_millis(10)).await;
        let mut stream = BufReader::new(engine.connect().await);
        let _ = stream.write_all(b"{\"hello\":{\"user\":\"\",\"json\":true}}\n").await;
        let mut line = String::new();
        let _ = stream.read_line(&mut line).await;
        if line.contains("\"refused\":false") {
            return;
        }
    }
    panic!("no room was made");
}
