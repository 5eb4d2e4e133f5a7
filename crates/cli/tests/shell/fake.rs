//! An engine that mirrors nothing: views are what `system-view`, `bmp` and `quit` make them.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use engine::protocol::{Reply, Request};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A folder for one test, gone after it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("heliograph-shell-{}-{number}", std::process::id()));
        fs::create_dir(&path).expect("a folder of our own");
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// It listens as long as the test runs.
pub(crate) struct Fake {
    folder: Folder,
    asked: Arc<Mutex<Vec<Request>>>,
}

impl Fake {
    pub(crate) fn start() -> Self {
        let folder = Folder::new();
        let listener = UnixListener::bind(folder.path("socket")).expect("a socket");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                // A shell that goes in the middle of an answer is no concern of ours.
                let _ = serve(&stream, &written);
            }
        });
        Self { folder, asked }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path("socket")
    }

    /// What it has been asked so far.
    pub(crate) fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The lines among that.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |request| if let Request::Line(line) = request { Some(line) } else { None };
        self.asked().into_iter().filter_map(line).collect()
    }
}

/// Answers each request of a connection.
fn serve(stream: &UnixStream, asked: &Mutex<Vec<Request>>) -> std::io::Result<()> {
    let mut views = Views::default();
    for line in BufReader::new(stream).lines() {
        let request: Request = serde_json::from_str(&line?)?;
        asked.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        let Some(reply) = views.answer(request) else {
            return Ok(());
        };
        let mut octets = serde_json::to_vec(&reply)?;
        octets.push(b'\n');
        let mut stream = stream;
        stream.write_all(&octets)?;
    }
    Ok(())
}

#[derive(Default)]
struct Views {
    depth: usize,
    dirty: bool,
    asking: bool,
    json: bool,
}

impl Views {
    fn prompt(&self) -> String {
        if self.asking {
            return "Commit them first? [Y/N/C]:".to_owned();
        }
        let mark = if self.dirty { '*' } else { '~' };
        match self.depth {
            0 => "<m1>".to_owned(),
            1 => format!("[{mark}m1]"),
            _ => format!("[{mark}m1-bmp]"),
        }
    }

    fn said(&self, text: &str, refused: bool, leave: bool) -> Reply {
        Reply::Said { text: text.to_owned(), refused, leave, prompt: self.prompt() }
    }

    /// `None`: it hangs up.
    fn answer(&mut self, request: Request) -> Option<Reply> {
        Some(match request {
            Request::Hello { user, .. } if user == "nobody" => {
                self.said("There are too many shells.\n", true, true)
            }
            Request::Hello { json, .. } => {
                self.json = json;
                self.said("", false, false)
            }
            Request::Help(line) if line.contains('?') => Reply::Help(Vec::new()),
            Request::Help(line) => Reply::Help(vec![
                ("alias".to_owned(), format!("Behind {line:?}")),
                ("<cr>".to_owned(), String::new()),
            ]),
            Request::Complete(line) => Reply::Complete(match line.as_str() {
                "dis" => vec!["display".to_owned()],
                "display b" => vec!["bgp".to_owned(), "bmp".to_owned()],
                _ => Vec::new(),
            }),
            Request::Line(line) => return self.line(line.trim()),
        })
    }

    fn line(&mut self, line: &str) -> Option<Reply> {
        if self.asking {
            self.asking = !["y", "n", "c"].contains(&line);
            (self.depth, self.dirty) = if line == "n" { (0, false) } else { (self.depth, self.dirty) };
            return Some(self.said("", false, false));
        }
        Some(match line {
            "vanish" => return None,
            "stop" => self.said("Error: The engine ends.\n", true, true),
            "system-view" => {
                self.depth = 1;
                self.said("Enter system view, return user view with return command.\n", false, false)
            }
            "bmp" => {
                (self.depth, self.dirty) = (2, true);
                self.said("", false, false)
            }
            "commit" => {
                self.dirty = false;
                self.said("", false, false)
            }
            "return" => {
                self.depth = 0;
                self.said("", false, false)
            }
            "quit" if self.depth == 0 => self.said("", false, true),
            "quit" if self.depth == 1 && self.dirty => {
                self.asking = true;
                self.said("", false, false)
            }
            "quit" => {
                self.depth -= 1;
                self.said("", false, false)
            }
            "display router" => self.said("a \u{1b}[2Jrouter\n", false, false),
            shown if shown.starts_with("display") && self.json => {
                self.said("{\"shown\":true}\n", false, false)
            }
            shown if shown.starts_with("display") => self.said(&format!("shown: {shown}\n"), false, false),
            "" => self.said("", false, false),
            set if set.starts_with("sysname") || set.starts_with("tcp") => self.said("", false, false),
            wrong => {
                let column = self.prompt().len() + wrong.find(' ').map_or(0, |at| at + 1);
                let text = format!(
                    "{}^\nError: Wrong parameter found at '^' position.\nExpected: INTEGER<1-65535>\n",
                    " ".repeat(column)
                );
                self.said(&text, true, false)
            }
        })
    }
}

/// A socket that nobody listens at any more.
pub(crate) fn deserted(path: &Path) {
    drop(UnixListener::bind(path).expect("a socket"));
}
