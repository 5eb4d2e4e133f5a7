//! Everything that writes: many servers at once, from one thread.
//!
//! ```text
//!   whoever owns sessions            the writer's thread
//!   ─────────────────────            ─────────────────────────────────────────────────────────
//!   Handle ── Order ═══════════════► Fleet: sessions, their states, readers, back-off, time limits
//!          ◄═ Report ───────────────   │  ▲
//!          ┈┈ news: the bell ┈┈┈┈┈┈►   ▼  │ events
//!                                    Driver: io_uring or epoll; in tests a twin in memory
//!                                      │
//!                                      ▼ one send in flight for each session, of all its log has
//!                                    servers
//! ```
//!
//! It knows sockets and slices, and nothing of BMP. A session has a [`Plan`](plan::Plan): who its server is, who
//! connects, from where, in which network, with which key. When there is a connection
//! ([`Report::Up`](fleet::Report::Up)), whoever owns the session hands over what is to be sent, as readers of
//! logs ([`Source`](fleet::Source)): pieces, which end, and then a feed's log, which goes on. When a reader falls
//! off its log ([`Report::Fell`](fleet::Report::Fell)), it hands over new ones. All else, from back-off to a stalled server, is
//! seen to here.
//!
//! ```
//! use std::io::Read;
//! use std::net::TcpListener;
//! use std::time::Duration;
//!
//! use queue::log::{Log, Pool};
//! use writer::fleet::{Order, Report, SessionId, Settings, Source};
//! use writer::plan::Plan;
//! use writer::{Io, start};
//!
//! let server = TcpListener::bind("127.0.0.1:0")?;
//! let address = server.local_addr()?;
//! // `wake` would wake this thread: there are reports.
//! let mut writer = start(Io::Epoll, Settings::default(), 1, || {})?;
//! writer.order(Order::Open(SessionId(0), Box::new(Plan::new("collector-1", address))));
//!
//! let mut log = Log::new(&Pool::default(), 8 << 20);
//! let token = loop {
//!     match writer.next_report() {
//!         Some(Report::Up(token, _)) => break token,
//!         _ => std::thread::sleep(Duration::from_millis(1)),
//!     }
//! };
//! writer.order(Order::Read(token, Source::Log(0, log.subscribe())));
//!
//! log.append(b"whole messages")?;
//! if log.publish() {
//!     writer.news(); // a fence and a load, if the thread does not sleep
//! }
//! let mut octets = [0; 14];
//! server.accept()?.0.read_exact(&mut octets)?;
//! assert_eq!(&octets, b"whole messages");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! * [`plan`], [`Fault`]  what a socket should be like; what was refused, and the remedy.
//! * [`fleet`]            what sessions do, without socket, thread or clock.
//! * [`driver`]           the door to what moves octets; [`twin`] is one that goes wrong on purpose.
//! * [`check`]            whether the machine is as it must be.
//!
//! One of the two crates with `unsafe`: each block says which named invariant it leans on. There are few doors
//! to it: the ring's submission queue, socket options, limits of the process, descriptors that a runtime owns.

pub mod check;
mod dice;
pub mod driver;
mod epoll;
mod fault;
pub mod fleet;
pub mod plan;
mod secret;
mod socket;
mod thread;
pub mod twin;
mod uring;

pub use fault::{Fault, Name, Step, Why};
pub use secret::Secret;
pub use thread::{Handle, Io, ORDERS_MAX, REPORTS_MAX, StartError, start};
