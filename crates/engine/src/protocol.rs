//! What a shell and the engine say to each other: an object a line, both ways, one answer for each request.
//!
//! ```text
//!   {"hello":{"user":"ann","json":false}}        {"said":{"text":"","refused":false,"leave":false,"prompt":"<m1>"}}
//!   {"line":"display bmp session"}               {"said":{"text":"Total number ..","refused":false, ..}}
//!   {"help":"display bmp "}                      {"help":[["feed","What feeds there are"], ..]}
//!   {"complete":"display bmp se"}                {"complete":["session"]}
//! ```
//!
//! * **bounded**  a request is at most [`REQUEST_MAX`] octets long and an answer [`LINE_MAX`], line feeds included.

use std::fmt;
use std::io;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};

/// Octets of a line, at most, either way: the longest answer is a configuration.
pub const LINE_MAX: usize = 64 << 20;

/// Octets of a request, at most: the longest line that can be typed ([`config::LINE_MAX`] characters), each
/// character of it written as two `\uXXXX`, and what stands around it.
pub const REQUEST_MAX: usize = 12 * config::LINE_MAX + 1024;

/// What a shell says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// The first: who is there, and whether displays should be JSON.
    Hello {
        /// What the operator is called. The engine asks the kernel who it is and takes that; this is for those
        /// who read along.
        user: String,
        /// Whether each display is to be JSON.
        json: bool,
    },
    /// A line was typed.
    Line(String),
    /// `?` was typed behind this.
    Help(String),
    /// Tab was typed behind this.
    Complete(String),
}

/// What the engine says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// To `Hello` and `Line`, and before the engine hangs up.
    Said {
        /// To be shown, as it stands; it ends with a line feed or is empty.
        text: String,
        /// Whether the line was refused.
        refused: bool,
        /// Whether the operator leaves.
        leave: bool,
        /// What stands in front of the next line.
        prompt: String,
    },
    /// To `Help`: words and their help.
    Help(Vec<(String, String)>),
    /// To `Complete`: what the last word may become.
    Complete(Vec<String>),
}

/// Why there is no next request.
#[derive(Debug)]
pub(crate) enum Broken {
    /// There is no connection any more.
    Io(io::Error),
    /// It is longer than [`REQUEST_MAX`].
    Long,
    /// It is none.
    Garbage(serde_json::Error),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Long => write!(f, "A request is longer than {REQUEST_MAX} octets."),
            Self::Garbage(error) => write!(f, "This is not a request ({error}): is this a heliograph shell?"),
        }
    }
}

/// The next request; `None` if the shell has gone, be it in the middle of one. `room` is for octets, and its
/// content is of no account.
pub(crate) async fn request(
    from: &mut (impl AsyncBufRead + Unpin),
    room: &mut Vec<u8>,
) -> Result<Option<Request>, Broken> {
    room.clear();
    from.take(REQUEST_MAX as u64).read_until(b'\n', room).await.map_err(Broken::Io)?;
    match room.last() {
        Some(b'\n') => serde_json::from_slice(room).map(Some).map_err(Broken::Garbage),
        Some(_) if room.len() == REQUEST_MAX => Err(Broken::Long),
        _ => Ok(None),
    }
}

/// A reply as it is sent.
pub(crate) fn line(reply: &Reply) -> Vec<u8> {
    let encode = |reply: &Reply| {
        let mut line = serde_json::to_vec(reply).expect("text and flags can be written");
        line.push(b'\n');
        line
    };
    let line = encode(reply);
    match reply {
        Reply::Said { leave, prompt, .. } if line.len() > LINE_MAX => encode(&Reply::Said {
            text: format!("Error: The answer is longer than {LINE_MAX} octets. Ask for a part of it.\n"),
            refused: true,
            leave: *leave,
            prompt: prompt.clone(),
        }),
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn requests_are_read_as_they_come() {
        let long = [&b"{\"line\":\""[..], &vec![b'x'; REQUEST_MAX], b"\"}\n"].concat();
        let rows: [(&[u8], &str); 9] = [
            (b"", "Ok(None)"),
            (b"{\"line\":\"qu", "Ok(None)"),
            (b"{\"line\":\"quit\"}\n", "Ok(Some(Line(\"quit\")))"),
            (b"{\"help\":\"\"}\r\n", "Ok(Some(Help(\"\")))"),
            (b"{\"complete\":\"q\"}\n", "Ok(Some(Complete(\"q\")))"),
            (b"{\"hello\":{\"user\":\"a\",\"json\":true}}\n", "Ok(Some(Hello { user: \"a\", json: true }))"),
            (b"GET / HTTP/1.1\r\n", "Err(Garbage("),
            (b"\xff\n", "Err(Garbage("),
            (&long, "Err(Long)"),
        ];
        for (octets, wanted) in rows {
            let got = format!("{:?}", request(&mut &*octets, &mut Vec::new()).await);
            let row = String::from_utf8_lossy(&octets[..octets.len().min(40)]);
            assert!(got.starts_with(wanted), "{row:?}: {got}");
        }
    }

    #[test]
    fn the_longest_line_is_a_request() {
        let line = Request::Line("\u{10348}".repeat(config::LINE_MAX));
        assert!(serde_json::to_vec(&line).expect("text").len() < REQUEST_MAX);
        let hello = Request::Hello { user: "\u{1}".repeat(256), json: false };
        assert!(serde_json::to_vec(&hello).expect("text").len() < REQUEST_MAX);
    }

    #[test]
    fn what_is_too_long_is_not_sent() {
        let prompt = String::from("<m1>");
        let reply = Reply::Said { text: "x".repeat(LINE_MAX), refused: false, leave: false, prompt };
        let line = line(&reply);
        assert!(line.len() < 200 && line.ends_with(b"\"prompt\":\"<m1>\"}}\n"), "{} octets", line.len());
    }
}
