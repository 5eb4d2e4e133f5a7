//! What can stand behind `heliograph`. Help, manual pages and completions are made from these.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Where the configuration is, unless another file is named.
pub(crate) const CONFIG: &str = "/etc/heliograph/heliograph.conf";

/// Mirrors the routes of large route reflectors to many BMP monitoring servers
#[derive(Parser)]
#[command(name = "heliograph", version, arg_required_else_help = true, max_term_width = 100)]
#[command(
    after_help = "Start with `heliograph run`, then `heliograph shell` in another terminal: `?` leads on."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Run(Run),
    Check(Check),
    Shell(Shell),
    /// Write the manual pages
    ///
    /// Writes a page for the program, one for each of its commands, and heliograph-commands(7), which is about
    /// everything that can stand in a configuration or be typed in the shell. Without a directory, the page of the
    /// program is written to standard output.
    Man {
        /// Where the pages go; it is made if it is not there
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
    /// Write what a shell needs to complete the arguments of heliograph
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Run the engine, in the foreground
///
/// Reads the configuration, mirrors, and takes in shells, until SIGTERM or SIGINT. SIGHUP reads the configuration
/// again, as one commit. Tells systemd when it is ready, and that it is alive.
#[derive(Args)]
pub(crate) struct Run {
    /// The configuration; where there is none, the engine begins empty and `save` writes it
    #[arg(short, long, value_name = "FILE", default_value = CONFIG)]
    pub(crate) config: PathBuf,
    /// Where shells come in [default: /run/heliograph/heliograph.sock, or heliograph.sock in $XDG_RUNTIME_DIR or
    /// here where that cannot be written]
    #[arg(long, value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,
    /// The key that seals the secrets of the configuration [default: beside the configuration, made if it is not
    /// there]
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// What moves the octets
    #[arg(long, value_enum, default_value_t = Io::Uring)]
    pub(crate) io: Io,
    /// What lines of the log look like, on standard error
    #[arg(long, value_enum, default_value_t = Log::Text)]
    pub(crate) log: Log,
}

/// Read a configuration and say what is wrong with it
///
/// Ends with 0 if the file can be run, and with 1 if it cannot: then each error stands on standard output as
/// FILE:LINE:COLUMN, with its line, and what could have stood there. No engine has to run.
#[derive(Args)]
pub(crate) struct Check {
    /// The configuration; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The key that its secrets were sealed with [default: beside the configuration; where there is none, sealed
    /// secrets are not opened]
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
}

/// Talk to a running engine
///
/// Without a terminal the lines come from standard input, and the first one that is refused ends it, with 1. So do
/// changes that nobody has committed when the lines end.
#[derive(Args)]
pub(crate) struct Shell {
    /// Where the engine is [default: where `heliograph run` makes it]
    #[arg(long, value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,
    /// A line to run; may be given several times. The first one that is refused ends it, with 1
    #[arg(short = 'c', value_name = "LINE")]
    pub(crate) lines: Vec<String>,
    /// Have every display as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// What moves the octets.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Io {
    /// The fastest
    Uring,
    /// Where there is no io_uring
    Epoll,
}

/// What lines of the log look like.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Log {
    /// For people, and for journald
    Text,
    /// An object a line
    Json,
}

impl From<Io> for engine::daemon::Io {
    fn from(io: Io) -> Self {
        match io {
            Io::Uring => Self::Uring,
            Io::Epoll => Self::Epoll,
        }
    }
}

impl From<Log> for engine::journal::Form {
    fn from(log: Log) -> Self {
        match log {
            Log::Text => Self::Text,
            Log::Json => Self::Json,
        }
    }
}
