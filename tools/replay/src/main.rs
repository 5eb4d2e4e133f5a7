//! MRT files out as BMP, to one server or many.
//!
//! ```text
//!  FILE ─► files: a thread each, unpacked ─┐  merged by time
//!  FILE ─►                                 ├─► ingest::mrt::Router ─► pace ─► lane ═► engine ─► server
//!  -    ─►                                 ┘      BMP of one router                         └─► server …
//! ```
//!
//! * **an engine inside** each server is caught up as the engine does it: one that is slow, late or broken delays
//!   nobody, and in the end has the same tables.
//! * **bounded**          files are read ahead by so many octets, and no further than the engine takes.
//! * **on time**          with a speed, what is due leaves when it is due; with none, as fast as it can.
//! * **all or 1**         the program ends with 0 if every server has got everything.

mod arguments;
mod files;
mod pace;
mod progress;
mod run;
mod servers;
mod summary;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

use crate::arguments::Arguments;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match run::run(&Arguments::parse()) {
        Ok(code) => code,
        Err(text) => {
            // Nobody may be reading, and there is nothing to be done about that.
            let _ = writeln!(std::io::stderr(), "heliograph-replay: {text}");
            ExitCode::FAILURE
        }
    }
}
