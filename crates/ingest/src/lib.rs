//! Everything that reads: routers over BMP, and MRT files.
//!
//! ```text
//!                      one thread, a task for each connection                        the mirror's thread
//!  router ─TCP─► read ─► Frames ─ runs of one peer's messages ─► Lanes ═╦═ lane 0: the router itself ══► Intake
//!                 ▲      large reads, split in place               │    ╠═ lane 1: a peer
//!                 │                                                │    ╚═ lane 2: another …
//!                 ╰──── not read while a lane is full ◄── Full ────╯
//!
//!  Handle ── orders ═► Listen, Permit, Limits, Reset, Survey          Listening, Up, Down, Refused ═► reports
//! ```
//!
//! * **in place**   what a router sends is read in large pieces and passed on as slices of them, runs of whole
//!   messages of one peer at a time, each one a [`Record`]. Only a message that a read has cut is copied; and what
//!   many peers say in turns, which is gathered by lane first, for a message is too little for a record.
//! * **in order**   a peer's messages go through one lane, always the same. What a router says about itself has
//!   lane 0, which is opened first and has the first message. Between lanes no order is promised.
//! * **told apart** each lane begins with [`Record::Of`]: whose it is, and by which connection. A router is known
//!   by the sysName of its Initiation, or by its address; who connects again takes its own place.
//! * **one alone**  a lane that is full keeps one record waiting and stops the reading of one socket; a message
//!   that makes no sense ends one connection. The others do not notice.
//! * **bounded**    connections, strangers, lanes of a router ([`LANES_MAX`]), records of a lane
//!   ([`LANE_RECORDS`]), octets of a router that the mirror has not dropped yet ([`frames::BUFFERS_MAX`] buffers),
//!   orders, reports: each has its limit.
//!
//! | module        | what it holds                                                               |
//! |---------------|-----------------------------------------------------------------------------|
//! | [`record`]    | what goes through a lane                                                    |
//! | [`frames`]    | octets in as they come, runs of whole messages out: no socket and no clock  |
//! | [`name`]      | what a router is called                                                     |
//! | `lanes`       | which peer has which lane                                                   |
//! | [`mrt`]       | MRT files as the BMP stream of one router: no file and no clock             |
//! | [`routers`]   | the service: listeners, connections, limits, over io_uring or over epoll    |

pub mod frames;
mod lanes;
pub mod mrt;
pub mod name;
pub mod record;
pub mod routers;

pub use lanes::{LANE_RECORDS, LANES_MAX};
pub use record::Record;
