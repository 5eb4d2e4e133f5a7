//! A BMP monitoring server for tests and capacity checks.
//!
//! ```text
//!  routers, or who stands in for them          station
//!  ──────────────────────────────────          ───────
//!  TCP ─► many ports, thousands of connections ─► Hearing: messages ─► rules ─► tables ─► digests
//!         read at full speed, or slowly,                    counts   violations    dump
//!         or not at all, or not for long                       └──────────┴──────────┴─► display, JSON
//! ```
//!
//! It counts messages by type, rebuilds the tables of each connection (peer, view, family, route and path id to
//! attributes), says them as digests that are equal for equal content, verifies what a stream must keep to
//! ([`Rule`]), and misbehaves on request, so that whoever sends can be seen to bear it.
//!
//! ```text
//! heliograph-station 127.0.0.1:5001-5008 '[::1]:6000' --seconds 60 --json      listen on nine ports for a minute
//! heliograph-station 127.0.0.1:5001 --until-closed 1 --dump tables.txt        one stream, its tables as text
//! heliograph-station 127.0.0.1:5001-5064 --discard --threads 2                as fast as the kernel
//! heliograph-station 127.0.0.1:5001 --stall 10M:30 --only 1                   the first connection stalls
//! heliograph-station 127.0.0.1:5001 --tolerate peer-up-first,one-session      a router from the field
//! ```
//!
//! With `--until-closed 1 --dump FILE`, a stream of five messages gives this on standard error:
//!
//! ```text
//! listening on 127.0.0.1:5001
//! 0.0s  0 connections, 0 ended  0 B/s  0 messages/s  0 messages  0 paths  0 sets  0 violations
//! 1 connections (0 open), 512 octets, 5 messages, 2 announced, 0 withdrawn, 2 paths, 0 violations
//! 0.000s busy, 0.0 MB/s, 0 messages/s
//! ```
//!
//! this in the file (each is one line), where the last word of a path is the digest of what the line says and of
//! what it leaves out:
//!
//! ```text
//! # connection 1 port 5001 router "helio-1" digest 1526a8470c2322d03243501a75f96407
//! global 192.0.2.1 AS65001 adj-rib-in-pre ipv4-unicast 198.18.0.0/15
//!   next-hop 192.0.2.1 as-path 65001 4200000000 origin igp 7e5cae01d116df054630e4f901598bc0
//! global 192.0.2.1 AS65001 adj-rib-in-pre ipv4-unicast 203.0.113.0/24
//!   next-hop 192.0.2.1 as-path 65001 4200000000 origin igp 08aac3cac09a4507432af5a7766cd205
//! ```
//!
//! and with `--json` an object with sums and, `per_connection`, where it came from, how it ended, messages by type,
//! each table with its paths and digest, and the first violations.
//!
//! * **exact**    equal tables have equal digests whatever happened on the way: [`digest`] says how.
//! * **bounded**  but for the tables themselves, which `--paths-max` bounds, memory is: one message a connection,
//!   [`hearing::PEERS_MAX`] peers, [`VIOLATIONS_MAX`] violations, [`REPORTS_MAX`] reports of [`TABLES_MAX`] tables,
//!   [`LISTENERS_MAX`] ports. A path costs 48 octets and room to grow, and shares its attributes with all others.
//! * **goes on**  a broken rule is noted and the stream read on; only what is no BMP ends a connection.
//!
//! A station does not close a connection behind a Termination: it reads on, to see whether something follows. What
//! a connection holds is digested, and dumped, by its worker when it ends; the others of that worker wait so long,
//! for a digest some tenths of a second a million paths.
//!
//! In one second of one core, over loopback, it discards 7 GB, counts 16 to 24 million messages of 150 octets, and
//! keeps tables of a million paths up to date with 0.6 million messages of 5.5 routes each; of four million paths
//! with 0.45. Five thousand connections with 3400 paths each took 1.25 GB, 75 octets a path.
//!
//! Exit status: 0 if all was well, 1 after violations, 2 if it could not do what it was asked to.
//!
//! As a library, a [`Hearing`] reads octets that are already there, and a [`Server`] listens:
//!
//! ```
//! use station::{Demands, Hearing, Mode, Pool};
//!
//! # let stream = [3, 0, 0, 0, 12, 4, 0, 2, 0, 2, b'r', b'1'];
//! let mut hearing = Hearing::new(Mode::Tables, Demands::default(), Pool::new(1_000_000));
//! hearing.take(&stream);
//! hearing.end();
//! assert_eq!((hearing.router(), hearing.violations().total()), (Some("r1"), 0));
//! println!("{} paths, digest {}", hearing.counts().paths, hearing.digest());
//! ```

pub mod digest;
mod display;
pub mod hearing;
mod index;
pub mod pace;
mod pool;
mod report;
mod rules;
mod server;
mod table;

pub use digest::Digest;
pub use display::{ROWS_MAX, Screen};
pub use hearing::{Hearing, Mode};
pub use pool::{Pool, Set};
pub use report::{ConnectionReport, Ended, Report, TABLES_MAX, TableReport, Totals};
pub use rules::{Demands, Rule, VIOLATIONS_MAX, Violation, Violations};
pub use server::{Doing, LISTENERS_MAX, Picture, REPORTS_MAX, Row, Server, Settings};
pub use table::{Path, Table};
