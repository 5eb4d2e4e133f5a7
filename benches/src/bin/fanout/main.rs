//! Many servers at once: the writer beside the barest loops that send the same octets.
//!
//! ```text
//!   this process                                          receiver: this program once more
//!     conductor ── orders, news, wake-ups ─► sender ═══════► N sockets of loopback, discarded
//!         ▲                                    │
//!         ╰──────────── marks ◄────────────────╯            (what the sender has used, found by itself)
//! ```
//!
//! * **same octets** everybody sends the same run of messages from the same memory, and what came is counted.
//! * **own time**    a mark is taken on the thread that sends: its user and system time, and no other's.
//! * **in turn**     A B C D, D C B A, … each with fresh sockets and a warm-up; ratios are taken round by round.
//!
//! `cargo run --release -p benches --bin fanout -- --help`

mod bare;
mod cases;
mod kernel;
mod lode;
mod meter;
mod ours;
mod receiver;
mod source;
mod table;
mod times;

use std::process::ExitCode;
use std::time::Duration;

use benches as _;
use cases::Asked;

/// Octets of a usual Route Monitoring message.
pub(crate) const MESSAGE_LEN: usize = 150;

const HELP: &str = "\
fanout [--case fan-out|messages|messages-woken|latency|stalled] [--sessions N] [--batch OCTETS]
       [--rounds R] [--seconds S] [--only NAME,NAME] [--variants] [--lode MIB] [--cores OURS,THEIRS] [--small] [--json]

  --lode      how much memory is walked through over and over: 64 MiB, unless said otherwise
  --only      contenders: bare-ring, bare-epoll, ours-uring, ours-epoll, and the variants
  --variants  more bare rings: without TCP_NOTSENT_LOWAT, registered files, with MSG_WAITALL
  --cores     where this process runs, and where the receiver
  --small     everything once, tiny, and what came is checked";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let mut asked = Asked::default();
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().and_then(|number| number.parse::<f64>().ok());
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "small numbers of people"
        )]
        let known = match &*argument {
            receiver::ARGUMENT => {
                let task = arguments.next().unwrap_or_default();
                return match receiver::serve(&task) {
                    Ok(()) => ExitCode::SUCCESS,
                    Err(error) => {
                        eprintln!("receiver: {error}");
                        ExitCode::FAILURE
                    }
                };
            }
            "--json" => set(&mut asked.json, Some(true)),
            "--small" => set(&mut asked.small, Some(true)),
            "--cores" => set(&mut asked.cores, arguments.next().and_then(|cores| two(&cores)).map(Some)),
            "--variants" => set(&mut asked.variants, Some(true)),
            "--case" => set(&mut asked.case, Some(arguments.next())),
            "--only" => set(&mut asked.only, Some(arguments.next())),
            "--sessions" => set(&mut asked.sessions, number().map(|number| Some(number as usize))),
            "--batch" => set(&mut asked.batch, number().map(|number| Some(number as usize))),
            "--lode" => set(&mut asked.lode, number().map(|number| Some((number as usize).max(1)))),
            "--rounds" => set(&mut asked.rounds, number().map(|number| Some((number as usize).max(1)))),
            "--seconds" => set(&mut asked.time, number().map(|number| Some(Duration::from_secs_f64(number)))),
            _ => false,
        };
        if !known {
            eprintln!("{HELP}");
            return ExitCode::FAILURE;
        }
    }
    if cases::run(&asked) {
        ExitCode::SUCCESS
    } else {
        eprintln!("no case and no contender of that name\n{HELP}");
        ExitCode::FAILURE
    }
}

fn two(cores: &str) -> Option<(usize, usize)> {
    let (ours, theirs) = cores.split_once(',')?;
    Some((ours.parse().ok()?, theirs.parse().ok()?))
}

/// Takes a value, if there is one.
fn set<T>(place: &mut T, value: Option<T>) -> bool {
    let there = value.is_some();
    if let Some(value) = value {
        *place = value;
    }
    there
}
