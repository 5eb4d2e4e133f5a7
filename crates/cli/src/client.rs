//! The shell's end of the engine's socket: a request goes out, its answer comes in.

use std::fmt;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use engine::protocol::{LINE_MAX, Reply, Request};

/// A connection to an engine.
pub(crate) struct Client {
    stream: BufReader<UnixStream>,
}

/// What came of a line.
pub(crate) struct Said {
    /// To be shown, as it stands.
    pub(crate) text: String,
    /// Whether the line was refused.
    pub(crate) refused: bool,
    /// Whether the operator leaves.
    pub(crate) leave: bool,
    /// What stands in front of the next line.
    pub(crate) prompt: String,
}

/// Why there is no engine to talk to.
#[derive(Debug)]
pub(crate) enum ClientError {
    /// There is no such socket.
    Absent(PathBuf),
    /// It is there, and nobody is behind it.
    Deserted(PathBuf),
    /// It is something else.
    NoSocket(PathBuf),
    /// We may not connect; its group may.
    Forbidden(PathBuf, Option<String>),
    /// It cannot be reached, for another reason.
    Unreachable(PathBuf, io::Error),
    /// The connection has ended.
    Gone,
    /// What is behind the socket is no engine, or one of another release.
    Foreign(String),
}

impl Client {
    /// Connects, and says who is there. What the engine has to say first comes with it.
    ///
    /// # Errors
    /// There is no engine, or it does not want us.
    pub(crate) fn connect(path: &Path, user: String, json: bool) -> Result<(Self, Said), ClientError> {
        let stream = UnixStream::connect(path).map_err(|error| ClientError::connect(path, error))?;
        let mut client = Self { stream: BufReader::new(stream) };
        let said = client.said(&Request::Hello { user, json })?;
        Ok((client, said))
    }

    /// Has a line run.
    ///
    /// # Errors
    /// The engine is gone.
    pub(crate) fn line(&mut self, line: &str) -> Result<Said, ClientError> {
        self.said(&Request::Line(cut(line)))
    }

    /// What `?` shows behind this.
    ///
    /// # Errors
    /// The engine is gone.
    pub(crate) fn help(&mut self, line: &str) -> Result<Vec<(String, String)>, ClientError> {
        match self.ask(&Request::Help(cut(line)))? {
            Reply::Help(words) => Ok(words),
            other => Err(ClientError::unexpected(&other)),
        }
    }

    /// What the last word of this may become.
    ///
    /// # Errors
    /// The engine is gone.
    pub(crate) fn complete(&mut self, line: &str) -> Result<Vec<String>, ClientError> {
        match self.ask(&Request::Complete(cut(line)))? {
            Reply::Complete(words) => Ok(words),
            other => Err(ClientError::unexpected(&other)),
        }
    }

    fn said(&mut self, request: &Request) -> Result<Said, ClientError> {
        match self.ask(request)? {
            Reply::Said { text, refused, leave, prompt } => Ok(Said { text, refused, leave, prompt }),
            other => Err(ClientError::unexpected(&other)),
        }
    }

    fn ask(&mut self, request: &Request) -> Result<Reply, ClientError> {
        let mut line =
            serde_json::to_vec(request).map_err(|error| ClientError::Foreign(error.to_string()))?;
        line.push(b'\n');
        self.stream.get_mut().write_all(&line).map_err(|_| ClientError::Gone)?;
        line.clear();
        let limit = LINE_MAX as u64 + 1;
        let got =
            (&mut self.stream).take(limit).read_until(b'\n', &mut line).map_err(|_| ClientError::Gone)?;
        if line.pop_if(|last| *last == b'\n').is_none() {
            return Err(if got as u64 == limit {
                ClientError::Foreign(format!("an answer of more than {LINE_MAX} octets"))
            } else {
                ClientError::Gone
            });
        }
        serde_json::from_slice(&line).map_err(|error| ClientError::Foreign(error.to_string()))
    }
}

/// A line that is too long is refused by the engine; it need not have all of it to see that.
fn cut(line: &str) -> String {
    line.chars().take(config::LINE_MAX + 1).collect()
}

impl ClientError {
    fn connect(path: &Path, error: io::Error) -> Self {
        let path = path.to_path_buf();
        match error.kind() {
            io::ErrorKind::NotFound => Self::Absent(path),
            io::ErrorKind::ConnectionRefused => match fs::metadata(&path) {
                Ok(meta) if !meta.file_type().is_socket() => Self::NoSocket(path),
                _ => Self::Deserted(path),
            },
            io::ErrorKind::PermissionDenied => {
                // Where the folder does not let us through, it is the folder's group that may pass.
                let folder = path.parent().map(fs::metadata).and_then(Result::ok);
                let owned = fs::metadata(&path).ok().or(folder);
                Self::Forbidden(path, owned.map(|meta| group(meta.gid())))
            }
            _ => Self::Unreachable(path, error),
        }
    }

    fn unexpected(reply: &Reply) -> Self {
        let kind = match reply {
            Reply::Said { .. } => "said",
            Reply::Help(_) => "help",
            Reply::Complete(_) => "complete",
        };
        Self::Foreign(format!("an answer to something else: {kind}"))
    }
}

/// What a group is called; its number if it has no name here.
fn group(id: u32) -> String {
    fs::read_to_string("/etc/group")
        .ok()
        .and_then(|groups| named(&groups, id).map(str::to_owned))
        .unwrap_or_else(|| id.to_string())
}

/// By the lines of `/etc/group`: name, password, number, members.
fn named(groups: &str, id: u32) -> Option<&str> {
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(id)).then_some(name)
    })
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent(path) => write!(
                f,
                "no engine runs at {}: there is no such socket. Start one with `heliograph run`, or name the \
                 socket of one that runs with --socket.",
                path.display()
            ),
            Self::Deserted(path) => write!(
                f,
                "no engine runs at {}: the one that made this socket has ended. Start it again.",
                path.display()
            ),
            Self::NoSocket(path) => write!(f, "no engine runs at {}: this is no socket.", path.display()),
            Self::Forbidden(path, Some(group)) => write!(
                f,
                "the engine at {} is for members of the group {group}. Become one (as root: `usermod -aG {group} \
                 USER`) and log in again.",
                path.display()
            ),
            Self::Forbidden(path, None) => {
                write!(
                    f,
                    "you may not go where {} is. Run this as a member of the engine's group.",
                    path.display()
                )
            }
            Self::Unreachable(path, error) => {
                write!(f, "the engine at {} cannot be reached: {error}", path.display())
            }
            Self::Gone => f.write_str("the engine has gone away. What was not committed is lost."),
            Self::Foreign(what) => {
                write!(f, "what answers is no engine, or one of another release: {what}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups() {
        let text = "root:x:0:\nadm:x:4:a,b\nbroken\nheliograph:x:998:op\n";
        for (id, expected) in [(0, Some("root")), (4, Some("adm")), (998, Some("heliograph")), (99, None)] {
            assert_eq!(named(text, id), expected, "{id}");
        }
    }

    /// The other errors are met for real in `tests/shell/unreachable.rs`; this one root never meets.
    #[test]
    fn who_may_not_connect_is_told_who_may() {
        let rows = [
            ("/etc/passwd", "the engine at /etc/passwd is for members of the group root. Become one"),
            ("/etc/absent/heliograph.sock", "you may not go where /etc/absent/heliograph.sock is."),
            ("/etc/heliograph.sock", "the engine at /etc/heliograph.sock is for members of the group root."),
        ];
        for (path, wanted) in rows {
            let error = ClientError::connect(Path::new(path), io::ErrorKind::PermissionDenied.into());
            assert!(error.to_string().starts_with(wanted), "{error}");
        }
    }
}
