//! A terminal with somebody at it: keys go in, and what is seen is waited for.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Instant;

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::{PATIENCE, wait};

/// A program in a terminal of 24 lines of 100 characters.
pub(crate) struct Terminal {
    child: Child,
    keys: File,
    screen: Receiver<Vec<u8>>,
    /// What has been seen and not been waited for yet, control sequences taken out.
    seen: String,
    /// An octet sequence that is not complete.
    rest: Vec<u8>,
}

impl Terminal {
    pub(crate) fn start(mut command: Command) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let ours = openpt(flags).expect("a pseudo terminal");
        grantpt(&ours).expect("a pseudo terminal");
        unlockpt(&ours).expect("a pseudo terminal");
        let size = Winsize { ws_row: 24, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&ours, size).expect("a size");
        let theirs = ioctl_tiocgptpeer(&ours, flags).expect("its other end");
        let end = || OwnedFd::from(File::from(theirs.try_clone().expect("a descriptor")));
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().expect("heliograph starts");
        drop(command); // which holds ends of its own
        drop(theirs);
        let keys = File::from(ours);
        let mut output = keys.try_clone().expect("a descriptor");
        let (sender, screen) = mpsc::channel();
        thread::spawn(move || {
            let mut octets = [0; 4096];
            // An error is how a terminal says that nobody holds its other end any more.
            while let Ok(got @ 1..) = output.read(&mut octets) {
                if sender.send(octets[..got].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { child, keys, screen, seen: String::new(), rest: Vec::new() }
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("a terminal");
    }

    /// Waits until this has been seen, and gives what was seen before it.
    pub(crate) fn until(&mut self, wanted: &str) -> String {
        let begin = Instant::now();
        loop {
            if let Some(at) = self.seen.find(wanted) {
                let rest = self.seen.split_off(at + wanted.len());
                let mut before = std::mem::replace(&mut self.seen, rest);
                before.truncate(at);
                return before;
            }
            let left = PATIENCE.saturating_sub(begin.elapsed());
            match self.screen.recv_timeout(left) {
                Ok(octets) => self.see(&octets),
                Err(why) => {
                    let _ = self.child.kill();
                    panic!("waiting for {wanted:?}, seen was {:?}: {why}", self.seen);
                }
            }
        }
    }

    /// Presses keys, then waits.
    pub(crate) fn type_until(&mut self, keys: &str, wanted: &str) -> String {
        self.press(keys);
        self.until(wanted)
    }

    /// Waits for the end, and gives what is still seen.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        let status = wait(&mut self.child);
        while let Ok(octets) = self.screen.recv_timeout(std::time::Duration::from_secs(2)) {
            self.see(&octets);
        }
        (status, self.seen)
    }

    fn see(&mut self, octets: &[u8]) {
        self.rest.extend_from_slice(octets);
        let (text, used) = plain(&self.rest);
        self.seen.push_str(&text);
        self.rest.drain(..used);
    }
}

/// What is left without control sequences, and how many octets that was made of: the last sequence may not have
/// come whole.
fn plain(octets: &[u8]) -> (String, usize) {
    let mut text = Vec::new();
    let mut at = 0;
    while let Some(&octet) = octets.get(at) {
        match octet {
            0x1b => {
                let Some(len) = sequence(&octets[at..]) else { break };
                at += len;
            }
            b'\r' | 0x07 => at += 1,
            _ => {
                text.push(octet);
                at += 1;
            }
        }
    }
    (String::from_utf8_lossy(&text).into_owned(), at)
}

/// Octets of a control sequence: `ESC [`, parameters, a letter; or `ESC` and one more.
fn sequence(octets: &[u8]) -> Option<usize> {
    match octets.get(1)? {
        b'[' => octets[2..].iter().position(|octet| (0x40..=0x7e).contains(octet)).map(|at| at + 3),
        _ => Some(2),
    }
}

#[test]
fn control_sequences_are_not_seen() {
    let rows: [(&[u8], &str, usize); 5] = [
        (b"abc\r\n", "abc\n", 5),
        (b"\x1b[?2004ha\x1b[Kb", "ab", 13),
        (b"a\x1b[12", "a", 1),
        (b"a\x1b", "a", 1),
        (b"\x1b=a", "a", 3),
    ];
    for (octets, text, used) in rows {
        assert_eq!(plain(octets), (text.to_owned(), used), "{octets:?}");
    }
}
