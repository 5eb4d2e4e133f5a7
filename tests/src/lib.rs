//! What no crate can promise alone, and what that needs.
//!
//! * [`stream`] makes BMP streams and MRT files from a seed, each with the answers a reader must
//!   give. The benches read them too.
//! * [`router`] is a router that lives: peers come and go, routes change, and it knows what a server
//!   must hold of what it has sent.
//! * [`station`] is a monitoring server that trusts nobody: it holds the tables that a stream amounts
//!   to, and tells the first rule that the stream breaks.
//! * [`seeds`] runs a model for many of them.
//! * `tests/layering.rs` holds who may use whom.
//! * `tests/against` reads the same octets with decoders that share no line with ours.
//! * `tests/station` gives routers to stations, and broken streams too.

pub mod router;
pub mod seeds;
pub mod station;
pub mod stream;

pub use stream::Rng;
