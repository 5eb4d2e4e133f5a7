//! The shell against an engine of this test's own, which knows a handful of lines and writes down what it is asked.

mod fake;
mod lines;
mod pty;
mod script;
mod terminal;
mod unreachable;

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Nothing here takes longer, unless it never ends.
const PATIENCE: Duration = Duration::from_secs(30);

/// `heliograph shell`, with a socket.
fn shell(socket: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heliograph"));
    command.arg("shell").arg("--socket").arg(socket).args(arguments);
    command.env("USER", "ann").env_remove("SUDO_USER").env("TERM", "xterm");
    command
}

/// Runs it to its end, with this on standard input.
fn run(mut command: Command, input: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("heliograph starts");
    // It may end without having read all.
    let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
    let mut out = child.stdout.take().expect("piped");
    let mut err = child.stderr.take().expect("piped");
    let reader = thread::spawn(move || {
        let mut octets = Vec::new();
        out.read_to_end(&mut octets).map(|_| octets)
    });
    let mut stderr = Vec::new();
    let errors = thread::spawn(move || err.read_to_end(&mut stderr).map(|_| stderr));
    let status = wait(&mut child);
    Output {
        status,
        stdout: reader.join().expect("no panic").expect("readable"),
        stderr: errors.join().expect("no panic").expect("readable"),
    }
}

/// Waits for its end, but not for ever.
fn wait(child: &mut Child) -> std::process::ExitStatus {
    let begin = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("a child") {
            return status;
        }
        if begin.elapsed() > PATIENCE {
            child.kill().expect("a child");
            panic!("heliograph did not end within {PATIENCE:?}");
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// How it ended, and what it said: what rows of tables are compared with.
fn told(output: &Output) -> (i32, String, String) {
    let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).expect("UTF-8");
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}
