//! What no crate can promise alone, and what that needs.
//!
//! * [`stream`] makes BMP streams and MRT files from a seed, each with the answers a reader must
//!   give. The benches read them too.
//! * `tests/layering.rs` holds who may use whom.
//! * `tests/against` reads the same octets with decoders that share no line with ours.

pub mod stream;
