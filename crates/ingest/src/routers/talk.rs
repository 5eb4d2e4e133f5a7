//! One connection, from its first octet to its last.
//!
//! ```text
//!   read ─► frames ─► first run ─► name, lanes ─► batch of records ─► push ─► read …
//!    ╰ first message in time                        Full: keep them, look again ◄╯
//! ```
//!
//! * **not read** while records wait for room, or too much of what was read is still held: the kernel's buffer
//!   fills, and TCP tells the router.

use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use queue::ring::{Full, OpenError};
use tokio::time::{sleep, timeout};
use wire::bmp::{Frame, InformationKind, Kind, Message};

use super::Limits;
use super::house::{House, Tally};
use super::line::Line;
use super::report::Reason;
use crate::frames::{Frames, Placed, Run};
use crate::lanes::Lanes;
use crate::{Record, name};

/// How soon a lane that was full is tried again.
pub const AGAIN_MIN: Duration = Duration::from_millis(1);

/// And how long it takes at most, each time twice as long.
pub const AGAIN_MAX: Duration = Duration::from_millis(10);

/// Of so many reads one says when it came.
pub const CAME_EVERY: u32 = 8;

/// Sees a connection through, and says how it ended.
pub(super) async fn talk(house: Rc<House>, key: u64, line: Line, limits: Limits, tally: Rc<Tally>) {
    let Err(reason) = converse(&house, key, &line, limits, &tally).await;
    house.close(key, reason);
}

async fn converse(
    house: &House,
    key: u64,
    line: &Line,
    limits: Limits,
    tally: &Tally,
) -> Result<Infallible, Reason> {
    let mut frames = Frames::new(limits.message_max, house.pool());
    let first = timeout(limits.first, greeting(&mut frames, line, tally)).await;
    let first = first.map_err(|_| Reason::Mute(limits.first))??;
    let mut lanes = house.greet(key, &first.octets)?;
    let messages = first.messages;
    let end = first.ends.then(|| first.octets.clone());
    let place = lanes.place(first.peer);
    let mut batch = vec![Placed { place, octets: first.octets, messages }];
    pass(&mut lanes, &mut batch, tally).await?;
    if let Some(last) = end {
        return Err(terminated(&last));
    }
    let mut reads = 0_u32;
    loop {
        let mut came = reads.is_multiple_of(CAME_EVERY).then(|| house.now());
        loop {
            let end = frames.next_batch(|peer| lanes.place(peer), &mut batch).map_err(Reason::Broken)?;
            let Some(first) = batch.first() else { break };
            if let Some(time) = came.take() {
                // It is a sample: where there is no room it is left out.
                drop(lanes.push(first.place, Record::Came(time)));
            }
            pass(&mut lanes, &mut batch, tally).await?;
            if let Some(last) = end {
                return Err(terminated(&last));
            }
        }
        tally.lanes.set(lanes.len());
        tally.full.set(lanes.full());
        read(&mut frames, line, tally).await?;
        if lanes.is_closed() {
            return Err(Reason::Lanes(OpenError::Closed));
        }
        reads = reads.wrapping_add(1);
    }
}

/// The first run.
async fn greeting(frames: &mut Frames, line: &Line, tally: &Tally) -> Result<Run, Reason> {
    loop {
        read(frames, line, tally).await?;
        if let Some(run) = frames.next_run().map_err(Reason::Broken)? {
            return Ok(run);
        }
    }
}

/// Reads once, as soon as there is a buffer to read into.
async fn read(frames: &mut Frames, line: &Line, tally: &Tally) -> Result<(), Reason> {
    let mut pause = Pause::new(tally, 1);
    let mut buffer = loop {
        match frames.lend() {
            Some(buffer) => break buffer,
            None => pause.wait().await,
        }
    };
    pause.over();
    loop {
        let (result, back) = line.read(buffer).await;
        match result {
            Err(error) if error.raw_os_error() == Some(libc::EINTR) => buffer = back,
            result => {
                frames.give(back);
                let len = result.map_err(|error| Reason::Receive(error.raw_os_error().unwrap_or(0)))?;
                if len == 0 {
                    return Err(Reason::Closed { begun: frames.begun() });
                }
                add(&tally.octets, len as u64);
                return Ok(());
            }
        }
    }
}

/// Pushes what one read has brought, each record as soon as there is room.
async fn pass(lanes: &mut Lanes, batch: &mut Vec<Placed>, tally: &Tally) -> Result<(), Reason> {
    let mut left = batch.len();
    for Placed { place, octets, messages } in batch.drain(..) {
        add(&tally.messages, messages as u64);
        if let Err(Full(record)) = lanes.push(place, Record::Messages(octets)) {
            insist(lanes, place, record, left, tally).await?;
        }
        left -= 1;
    }
    Ok(())
}

/// Pushes a record into a lane that was full; `left` records wait, this one included.
#[cold]
async fn insist(
    lanes: &mut Lanes,
    place: usize,
    mut record: Record,
    left: usize,
    tally: &Tally,
) -> Result<(), Reason> {
    let mut pause = Pause::new(tally, left);
    loop {
        if lanes.is_closed() {
            return Err(Reason::Lanes(OpenError::Closed));
        }
        pause.wait().await;
        match lanes.push(place, record) {
            Ok(()) => break,
            Err(Full(back)) => record = back,
        }
    }
    pause.over();
    Ok(())
}

/// Waiting for whoever does not say when there is room.
struct Pause<'a> {
    tally: &'a Tally,
    /// Records that wait with us.
    left: usize,
    next: Duration,
}

impl<'a> Pause<'a> {
    fn new(tally: &'a Tally, left: usize) -> Self {
        Self { tally, left, next: AGAIN_MIN }
    }

    async fn wait(&mut self) {
        if self.tally.waiting.replace(self.left) == 0 {
            add(&self.tally.waits, 1);
        }
        sleep(self.next).await;
        self.next = (self.next * 2).min(AGAIN_MAX);
    }

    fn over(&self) {
        self.tally.waiting.set(0);
    }
}

fn add(count: &std::cell::Cell<u64>, more: u64) {
    count.set(count.get() + more);
}

/// What the last message of a run says.
#[cold]
fn terminated(octets: &Bytes) -> Reason {
    let mut said = (None, String::new());
    let mut rest = &octets[..];
    while let Ok(Some((frame, tail))) = Frame::split(rest) {
        rest = tail;
        if frame.kind() == Kind::TERMINATION
            && let Ok(Message::Termination(tlvs)) = frame.message()
        {
            let reason = tlvs.find_kind(InformationKind::REASON);
            let reason = reason.and_then(|value| value.try_into().ok()).map(u16::from_be_bytes);
            said = (reason, tlvs.find_kind(InformationKind::STRING).map(name::clean).unwrap_or_default());
        }
    }
    Reason::Terminated { reason: said.0, text: said.1 }
}
