//! The program. What it does is in the library.

mod arguments;

use std::fs::File;
use std::future::Future;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use station::{Report, Screen, Server};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, interval, sleep_until};

use arguments::Arguments;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How often the display shows something new.
const DISPLAY_PERIOD: Duration = Duration::from_secs(1);
/// How often it is asked how many connections have ended.
const LOOK_PERIOD: Duration = Duration::from_millis(10);
/// Complaints shown at the end; the report has more.
const COMPLAINTS_MAX: usize = 20;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(error) => {
            eprintln!("heliograph-station: {error}");
            ExitCode::from(2)
        }
    }
}

/// Runs to the end, and says how many violations there were.
fn run(arguments: &Arguments) -> io::Result<u64> {
    raise_descriptors();
    let mut settings = arguments.settings();
    if let Some(path) = &arguments.dump {
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        settings.dump = Some(File::create(path).map_err(named)?);
    }
    let server = Server::bind(settings)?;
    for address in server.addresses() {
        eprintln!("listening on {address}");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(watch(arguments, &server))?;
    let report = server.finish()?;
    tell(&report);
    if arguments.json {
        let mut out = io::stdout().lock();
        serde_json::to_writer(&mut out, &report)?;
        writeln!(out)?;
    }
    Ok(report.totals.violations)
}

/// Shows how it goes until it is time to end.
async fn watch(arguments: &Arguments, server: &Server) -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let end = arguments.seconds.map(|period| Instant::now() + period);
    let is_terminal = io::stderr().is_terminal();
    let mut screen = Screen::default();
    let mut draws = interval(DISPLAY_PERIOD);
    let mut looks = interval(LOOK_PERIOD);
    loop {
        tokio::select! {
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
            () = at(end.map(sleep_until)) => break,
            _ = looks.tick(), if arguments.until_closed.is_some() => {
                if arguments.until_closed.is_some_and(|all| server.ended() >= all) {
                    break;
                }
            }
            _ = draws.tick(), if !arguments.quiet => {
                let picture = server.picture();
                // Nobody has to watch.
                let _ = match is_terminal {
                    true => write!(io::stderr(), "{}", screen.drawing(picture)),
                    false => writeln!(io::stderr(), "{}", screen.line(picture)),
                };
            }
        }
    }
    Ok(())
}

/// Waits for something that may never come.
async fn at(what: Option<impl Future<Output = ()>>) {
    match what {
        Some(what) => what.await,
        None => std::future::pending().await,
    }
}

/// What it amounts to, in a few lines.
fn tell(report: &Report) {
    let totals = &report.totals;
    eprintln!(
        "{} connections ({} open), {} octets, {} messages, {} announced, {} withdrawn, {} paths, {} violations",
        report.connections,
        report.open,
        totals.octets,
        totals.messages,
        totals.announced,
        totals.withdrawn,
        totals.paths,
        totals.violations
    );
    eprintln!(
        "{:.3}s busy, {:.1} MB/s, {:.0} messages/s",
        report.busy_seconds,
        report.octets_per_second / 1e6,
        report.messages_per_second
    );
    let complaints = report.per_connection.iter().flat_map(station::ConnectionReport::complaints);
    complaints.take(COMPLAINTS_MAX).for_each(|complaint| eprintln!("{complaint}"));
}

/// Each connection is a descriptor: as many as this process may have at all.
fn raise_descriptors() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Whoever gets fewer hears of it when a connection cannot be accepted.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}
