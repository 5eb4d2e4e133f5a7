//! The whole life of an engine, as an operator sees it: the program itself, its shell, a router and servers on
//! loopback.
//!
//! ```text
//!  run ─► shell: sessions, commit ─► Up ─► a router ─► equal tables ─► reset ─► equal again
//!      ─► undo bmp-session ─► save ─► SIGTERM ─► run ─► the same configuration, the same tables
//! ```

mod engine;
mod server;

use std::io::Write as _;
use std::net::TcpStream;

use engine::{Engine, Place, until};
use server::Server;
use tests::station::{Station, difference};

/// What a router sends, and what a station makes of it.
fn router(port: u16, stream: &[u8]) -> TcpStream {
    let mut router = TcpStream::connect(("127.0.0.1", port)).expect("the engine listens for routers");
    router.write_all(stream).expect("the engine reads");
    router
}

/// Waits until all servers hold what the stream says.
fn all_equal(servers: &[&Server], stream: &[u8]) {
    let mut reference = Station::new();
    reference.take(stream).expect("a stream that keeps the rules");
    for server in servers {
        let mut last = None;
        until(&format!("server {} has the table", server.port), || {
            last = server.look(|station| difference(station.tables(), reference.tables()));
            last.is_none()
        });
    }
}

#[test]
fn a_life() {
    let place = Place::new("life");
    let (first, second) = (Server::start(), Server::start());
    let port = engine::free_port();
    let (stream, _) = tests::stream::bmp(11, 3_000);

    let engine = Engine::run(&place);
    engine.shell(&[
        "system-view",
        "sysname mirror1",
        "bmp",
        "connect-retry-timer 1 2",
        &format!("monitored-router listen port {port} address 127.0.0.1"),
        "bmp-session 127.0.0.1 alias a",
        &format!("tcp connect port {}", first.port),
        "bmp-session 127.0.0.1 alias b",
        &format!("tcp connect port {}", second.port),
        "commit label first",
    ]);
    until("both are up", || engine.up() == [true, true]);

    let connection = router(port, &stream);
    all_equal(&[&first, &second], &stream);
    until("they read the log", || engine.up() == [true, true]);

    let before = first.connections();
    engine.shell(&["reset bmp session all"]);
    until("another connection", || first.connections() > before);
    all_equal(&[&first, &second], &stream);
    assert_eq!(first.terminations().last(), Some(&0), "each connection has ended with a Termination");

    engine.shell(&["system-view", "bmp", "undo bmp-session 127.0.0.1 alias b", "commit"]);
    until("the server is told that it is for good", || second.terminations().last() == Some(&4));
    until("one is left", || engine.up() == [true]);
    let configuration = engine.shell(&["display current-configuration"]);
    assert_eq!(engine.shell(&["save"]), format!("Info: The configuration was saved to {}.\n", place.file()));
    let commits = engine.shell(&["display configuration commit list"]);
    assert!(commits.contains("first") && commits.contains("1000000002"), "{commits}");
    engine.terminate();
    drop(connection);
    assert_eq!(first.terminations().last(), Some(&0), "a farewell");
    assert_eq!(std::fs::read_to_string(place.file()).expect("it was saved"), configuration);

    // The same again.
    let engine = Engine::run(&place);
    assert_eq!(engine.shell(&["display current-configuration"]), configuration);
    assert_eq!(engine.shell(&["display configuration commit list"]), commits);
    until("it is up", || engine.up() == [true]);
    let _connection = router(port, &stream);
    all_equal(&[&first], &stream);

    // A file that is edited by hand is one commit; a bad one changes nothing.
    let edited = configuration.replace("sysname mirror1", "sysname mirror2");
    std::fs::write(place.file(), edited.replace("tcp connect port", "tcp conect port")).expect("a file");
    engine.signal("HUP");
    until("it says where", || engine.log().contains(":8:7: Error: Unrecognized command"));
    assert_eq!(engine.shell(&["display current-configuration"]), configuration);
    std::fs::write(place.file(), &edited).expect("a file");
    engine.signal("HUP");
    until("it is taken", || engine.shell(&["display current-configuration"]) == edited);
    assert_eq!(engine.up(), [true], "nobody was disturbed");
    engine.terminate();
    assert!(!engine.log().contains("panicked"), "{}", engine.log());
}
