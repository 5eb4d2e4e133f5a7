//! The proof of `wire`, from outside: what it reads, what it writes, and what it refuses.
//!
//! ```text
//!  hand     bytes put together by hand ─► vectors, bmp, bgp  what messages say, and say again
//!  entropy  choices for a property     ─► families, pack     what holds for every family,
//!  entries  routes by RFC layout       ─►   against twin       and for a reader that is slow and plain
//!  facts    the one look at the API    ─► cuts, errors       what broken bytes do: nothing bad
//! ```
//!
//! * **independent**   `hand`, `entries` and `twin` use nothing of the crate: they are written from
//!   the RFCs' drawings, with indices and vectors.
//! * **repeatable**    every property has a fixed seed; a failure prints the words it shrank to.
//! * **optional data** tests that want `../shared/data` say so and pass where it is missing.

mod bgp;
mod bmp;
mod captures;
mod cuts;
mod entries;
mod entropy;
mod errors;
mod facts;
mod families;
mod hand;
mod pack;
mod twin;
mod vectors;
