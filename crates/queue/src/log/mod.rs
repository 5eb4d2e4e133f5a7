//! The feed log: what many sessions want alike, written once; one writer, many readers, no locks.
//!
//! ```text
//!   Log (the mirror thread)                                     keeps strongly, up to a budget
//!     ├───────────────────────┬────────────────────────┐
//!     ▼                       ▼                        ▼
//!  ┌─────────┐  weak  ┌───────────────┐  weak  ┌──────────────────┬───────────┐
//!  │ segment │┈┈┈┈┈┈┈►│ segment       │┈┈┈┈┈┈┈►│ committed, whole │ room      │ ◄─ reserve, commit
//!  └─────────┘        └───────────────┘        └──────────────────┴───────────┘
//!      ▲                  ▲      ▲                       ▲
//!    Reader             Reader  Chunk in a send        Reader        keep strongly only where they stand
//!
//!    nobody's segment ──► Pool ──► the next segment of any log
//! ```
//!
//! * **one writer**   [`Log`] cannot be cloned; only it fills a segment, publishes and links.
//! * **frozen**       octets that were committed are never written again while their segment lives.
//!   The writer's `&mut` begins where they end, so the two never meet, though they share a block.
//! * **published**    a reader looks only at octets below a length that was stored with release, after
//!   they were written, and that it has loaded with acquire.
//! * **sealed last**  what a segment ends with, its link and the writer's [`Note`], is set before it is
//!   sealed; after that no more comes to it. So who has seen the seal finds them.
//! * **whole**        a commit is one or several whole messages; it lies in one segment, and what is
//!   read ends at the end of a commit.
//! * **weak forward** a segment does not keep the next one. A reader that finds it gone has *fallen
//!   off*: [`Read::Fell`], after a whole message, once it has read all of the segment it stands in.
//! * **zeroed once**  memory comes zeroed and is reused as it is: no octet is ever uninitialised.
//!
//! ```
//! use queue::log::{Log, Pool, Read};
//!
//! let pool = Pool::default();
//! let mut log = Log::new(&pool, 8 << 20);
//! let mut reader = log.subscribe();
//!
//! let room = log.reserve(5)?; // at least five octets: encode straight into them
//! room[..5].copy_from_slice(b"hello");
//! log.commit(5);
//! log.append(b" world")?;
//! assert_eq!(reader.read(64 << 10), Read::Idle); // committed, not yet published
//! assert!(log.publish()); // one store for both; there is news: see who sleeps
//!
//! let Read::Data(chunk) = reader.read(64 << 10) else { unreachable!() };
//! drop((log, pool)); // what is in a send outlives everything
//! assert_eq!(&chunk[..], b"hello world");
//! reader.advance(chunk.len());
//! assert_eq!(reader.read(64 << 10), Read::Closed);
//! # Ok::<(), queue::log::TooLong>(())
//! ```
//!
//! # Memory
//!
//! Nobody has to notice that a session is slow. Of the memory of one [`Pool`]:
//!
//! ```text
//!   retained    for each log at most max(budget, the segment being written)
//!   stragglers  for each Reader and each Chunk at most one segment, shared if they stand in the same
//!   pooled      at most `pooled_max` segments
//! ```
//!
//! and while a log goes on to its next segment, the one before. A session has a reader, and while a
//! send is in flight a chunk that stands in the same segment, so a stalled one holds one segment:
//! [`SEGMENT_LEN`]. Beside its block a segment has a header of a few hundred octets, which is all that
//! is allocated when the pool has a block; one that has gone keeps no more than this header, and only
//! as long as the segment before it is held. [`Pool::usage`] counts.
//!
//! A note is shared by the segments that ended with it and goes with the last of them. What it owns is
//! the writer's to bound, and not counted.
//!
//! # Where messages end
//!
//! A send may stop anywhere, so a reader counts octets, but a session changes to another log only
//! between messages. Nothing here can find those ends in the octets, so the segment remembers some:
//! for every *grain* (a 512th of a segment) where the commit ends that has the grain's first octet.
//! That is 4 octets a grain, written when a commit crosses into one, and found without a search. So
//! [`Reader::read`] always ends between messages, at most a grain and a commit short of its cap; an
//! exact table would be 4 octets for every message, written and searched, to win half a kilobyte.
//!
//! # Falling off
//!
//! Who falls off has read all there was up to the end of its segment, and needs to know what was true
//! there, to find out what it missed. That is the writer's to say: [`Log::set_note`] leaves a note with
//! each segment that ends, and [`Reader::note`] finds it. It lies in the segment, which the reader
//! holds anyway; so no table of places has to be kept for as long as the slowest reader may need it.
//!
//! # Sleeping
//!
//! Whoever reads sleeps on something of its own (an eventfd), for many logs at once; so the wake-up is
//! not here. What is: [`Log::publish`] says whether there is news, [`Reader::ready`] whether to stay
//! awake. No wake-up is lost if both sides fence between their store and their load:
//!
//! ```text
//!   reader: asleep = true;  fence(SeqCst);  any ready()? then asleep = false, else sleep
//!   writer: publish() ──►   fence(SeqCst);  if asleep.swap(false) then wake
//! ```

mod pool;
mod reader;
mod segment;
mod shim;
mod writer;

pub use pool::{Pool, Usage};
pub use reader::{Chunk, Read, Reader};
pub use writer::{Log, TooLong};

/// Something of the writer's that goes with a segment: see [`Log::set_note`]. Whoever lets go of it
/// last drops it, which may be any reader's thread. It should own no reader and no chunk: these hold a
/// segment, and maybe the one that holds the note.
pub type Note = std::sync::Arc<dyn std::any::Any + Send + Sync>;

/// Octets of a segment, by default: one send's worth. From 256 KiB a send the kernel's cost per octet
/// is flat, and a chunk does not span segments, so less costs sends; more costs memory, for this is
/// what a stalled session holds. Appending is equally fast from 64 KiB to 1 MiB.
pub const SEGMENT_LEN: usize = 256 << 10;

/// Segments that wait in a pool for their next use, by default: 16 MiB.
pub const POOLED_MAX: usize = 64;

/// The longest message a log takes, in octets. One longer than a segment gets a segment of its own
/// size, which is not pooled: there are few.
pub const MESSAGE_MAX: usize = 1 << 20;

#[cfg(test)]
mod tests;
