use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use config::meaning::mean;
use config::{Tree, render};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::{JoinHandle, LocalSet, spawn_local};
use tokio::time::{sleep, timeout};

use super::*;
use crate::journal::Form;
use crate::protocol::{Reply, Request};
use crate::scratch::Scratch;
use crate::twin::Twin;

mod commits;
mod hostile;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a shell may take to say hello here.
const HELLO: Duration = Duration::from_millis(500);

/// An engine without its thread, and its socket.
struct Engine {
    scratch: Scratch,
    twin: Twin,
    control: Rc<Control<Twin>>,
    listening: JoinHandle<()>,
    _socket: socket::Socket,
}

impl Engine {
    /// What `text` says is its file, and what it runs.
    async fn new(text: &str) -> Self {
        let scratch = Scratch::new();
        std::fs::write(scratch.path("file"), text).unwrap();
        Self::on(scratch).await
    }

    async fn on(scratch: Scratch) -> Self {
        let path = scratch.path("file");
        let text = keep::read(&path).unwrap().unwrap();
        let vault = Arc::new(keep::vault(&path, None, Some(&text)).unwrap());
        let loaded = file::load(&path, &text, &vault).unwrap_or_else(|report| panic!("{report}"));
        let (meaning, _) = mean(&loaded.tree, &vault).unwrap_or_else(|problems| panic!("{problems:?}"));
        let (nothing, _) = mean(&Tree::default(), &vault).unwrap();
        let twin = Twin::new();
        let journal = Journal::new(Form::Text);
        let commits = keep::read(&commits_path(&path)).unwrap().unwrap_or_default();
        let now = Timestamp::now();
        let store = Store::from_text(&commits, loaded.tree, now, &vault, &mut keep::random).unwrap();
        let host = String::from("host1");
        let place = Place { file: path, vault, host, zone: TimeZone::UTC, journal };
        let control = Rc::new(Control::new(twin.clone(), place, store, Arc::new(nothing)));
        control.begin(meaning).await;
        let (listener, socket) = socket::listen(&scratch.path("socket")).unwrap();
        let listener = UnixListener::from_std(listener).unwrap();
        let listening = spawn_local(visitor::receive(control.clone(), listener, HELLO));
        Self { scratch, twin, control, listening, _socket: socket }
    }

    /// The same after a restart.
    async fn again(self) -> Self {
        self.listening.abort();
        let _ = self.listening.await;
        Self::on(self.scratch).await
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path(name)
    }

    fn running(&self) -> String {
        render::text(self.control.store.borrow().running(), false)
    }

    fn file(&self) -> String {
        std::fs::read_to_string(self.path("file")).unwrap()
    }

    async fn connect(&self) -> UnixStream {
        UnixStream::connect(self.path("socket")).await.expect("somebody listens")
    }

    async fn shell(&self) -> Client {
        let mut client = Client { stream: BufReader::new(self.connect().await), prompt: String::new() };
        let hello = Request::Hello { user: String::from("mallory"), json: false };
        assert_eq!(client.request(&hello).await, (String::new(), false));
        client
    }
}

/// A shell of an operator.
struct Client {
    stream: BufReader<UnixStream>,
    prompt: String,
}

impl Client {
    async fn send(&mut self, request: &Request) {
        let mut line = serde_json::to_vec(request).unwrap();
        line.push(b'\n');
        self.stream.write_all(&line).await.expect("it listens");
    }

    async fn reply(&mut self) -> Reply {
        let mut line = String::new();
        timeout(PATIENCE, self.stream.read_line(&mut line)).await.expect("an answer").unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"))
    }

    /// What is said to a request, and whether it was refused.
    async fn request(&mut self, request: &Request) -> (String, bool) {
        self.send(request).await;
        match self.reply().await {
            Reply::Said { text, refused, prompt, .. } => {
                self.prompt = prompt;
                (text, refused)
            }
            other => panic!("{request:?}: {other:?}"),
        }
    }

    /// Types a line that is refused if that begins with `!`: what is said.
    async fn line(&mut self, line: &str) -> String {
        let wanted = line.starts_with('!');
        let line = line.trim_start_matches('!');
        let (text, refused) = self.request(&Request::Line(line.to_owned())).await;
        assert_eq!(refused, wanted, "{line:?}: {text}");
        text
    }

    /// Types lines: what was said to the last one.
    async fn lines(&mut self, lines: &[&str]) -> String {
        let mut text = String::new();
        for line in lines {
            text = self.line(line).await;
        }
        text
    }
}
