//! A monitoring server on a thread, which knows what a station may hear.

use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tests::station::Station;

/// What it has seen.
#[derive(Default)]
struct State {
    station: Station,
    connections: usize,
    /// The reasons of the Terminations that came, one for each connection that has ended.
    terminations: Vec<u16>,
}

pub(crate) struct Server {
    pub(crate) port: u16,
    state: Arc<Mutex<State>>,
}

impl Server {
    /// It serves one connection after the other, for as long as the test runs.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let state = Arc::<Mutex<State>>::default();
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                serve(stream, &shared);
            }
        });
        Self { port, state }
    }

    pub(crate) fn look<T>(&self, look: impl FnOnce(&Station) -> T) -> T {
        look(&self.state.lock().expect("no thread panics").station)
    }

    pub(crate) fn connections(&self) -> usize {
        self.state.lock().expect("no thread panics").connections
    }

    pub(crate) fn terminations(&self) -> Vec<u16> {
        self.state.lock().expect("no thread panics").terminations.clone()
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) {
    stream.set_read_timeout(Some(Duration::from_secs(120))).expect("a limit");
    {
        let mut state = state.lock().expect("no thread panics");
        state.connections += 1;
        state.station.reconnect();
    }
    let mut room = vec![0; 64 << 10];
    while let Ok(len @ 1..) = stream.read(&mut room) {
        let mut state = state.lock().expect("no thread panics");
        state.station.take(&room[..len]).expect("a stream that keeps the rules");
    }
    let mut state = state.lock().expect("no thread panics");
    let reason = state.station.terminated().unwrap_or(u16::MAX);
    state.terminations.push(reason);
}
