//! The shape of bytes: BMP, BGP, the NLRI of every family, and MRT.
//!
//! ```text
//!  a router's stream ─► bmp::Frame ─► bmp::Message ─► bgp::Update ─► nlri::Routes ─► key, payload
//!  an MRT file ───────► mrt::Record ─► mrt::Message ──────┘                             │
//!  a server's stream ◄── bmp::route_monitoring ◄── bgp::Announce, bgp::Withdraw ◄───────┘
//! ```
//!
//! Views in, encoders out. A view borrows the bytes it was given and checks them once, at the door;
//! what it hands out afterwards cannot fail. An encoder writes into the caller's buffer and says
//! how long the result is.
//!
//! * **pure**      no clock, no socket, no thread, no `unsafe`.
//! * **no copies** reading allocates nothing; MRT files have one buffer, made once.
//! * **survives**  what nobody knows yet keeps its numbers and its bytes.
//! * **whose**     [`Error`] is the sender's fault and names offset, found and expected;
//!   [`Overflow`] is ours.
//!
//! ```
//! use wire::{bgp, bmp};
//!
//! # fn stream() -> Vec<u8> {
//! #     let mut buffer = [0; 128];
//! #     let len = bmp::route_monitoring_with(&mut buffer, &bmp::PeerHeader::default(), |pdu| {
//! #         bgp::end_of_rib(pdu, wire::Family::IPV6_UNICAST)
//! #     }).unwrap();
//! #     buffer[..len].to_vec()
//! # }
//! let stream = stream();
//! let mut rest = &stream[..];
//! while let Some((frame, tail)) = bmp::Frame::split(rest)? {
//!     rest = tail;
//!     println!("{frame}");
//!     let Some(monitoring) = frame.route_monitoring()? else { continue };
//!     let Some(view) = monitoring.peer.view() else { continue };
//!     for part in monitoring.update()?.parts() {
//!         for route in part.routes(&bgp::Dialect::default(), view)? {
//!             println!("{:?} {:?}", part.action, route.key());
//!         }
//!     }
//! }
//! # Ok::<(), wire::Error>(())
//! ```

pub mod bgp;
pub mod bmp;
mod code;
mod cursor;
mod error;
mod family;
pub mod mrt;
pub mod nlri;
mod show;

pub use error::{Error, Fault, Overflow};
pub use family::{Family, FamilySet, Framing};
pub use show::RouteDistinguisher;
