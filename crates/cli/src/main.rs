//! The program.
//!
//! ```text
//!   heliograph run      the engine, in the foreground          ─► engine::daemon
//!              check    reads a configuration, and judges it   ─► config
//!              shell    an operator's, over the engine's socket ─► engine::protocol
//!              man, completions                                made from the same tables as the rest
//! ```
//!
//! Nothing is decided here that the engine or the grammar could decide: this is what stands between them and a
//! terminal.

mod arguments;
mod check;
mod client;
mod generate;
mod place;
mod shell;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use engine::daemon::{self, Options};

use crate::arguments::{Arguments, Command, Run};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Run(run) => daemon::run(options(run)).map_err(|text| Failure(text.trim_end().to_owned())),
        Command::Check(check) => check::run(&check),
        Command::Shell(shell) => shell::run(&shell),
        Command::Man { folder } => generate::man(folder.as_deref()),
        Command::Completions { shell } => generate::completions(shell),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(text)) => {
            // Nobody may be reading, and there is nothing to be done about that.
            // What is wrong with a file has the file's name in front of each line already.
            let name = if text.contains('\n') { "" } else { "heliograph: " };
            if !text.is_empty() {
                let _ = writeln!(std::io::stderr(), "{name}{text}");
            }
            ExitCode::FAILURE
        }
    }
}

/// Why the program ends with 1: what stands on standard error, or nothing if all has been said.
#[derive(Debug)]
struct Failure(String);

impl Failure {
    /// All has been said.
    fn told() -> Self {
        Self(String::new())
    }

    /// Standard output cannot be written to.
    fn output(error: &std::io::Error) -> Self {
        // Whoever reads has gone, as `head` does: that is their right.
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self::told();
        }
        Self(format!("standard output cannot be written: {error}"))
    }
}

fn options(run: Run) -> Options {
    Options {
        file: run.config,
        socket: run.socket.unwrap_or_else(place::socket),
        key: run.key,
        io: run.io.into(),
        form: run.log.into(),
    }
}
