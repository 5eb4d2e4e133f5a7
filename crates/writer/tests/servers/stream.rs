//! What is sent, so that whoever gets it can tell that it is whole.
//!
//! ```text
//!   magic  kind  length   one                    two                     filler, drawn from all of these
//!   u16    u16   u32      u64                    u64
//!          GREETING       session << 32 | life   which, from 0
//!          RESUME         live messages told     the next live message
//!          LIVE           which, from 0          0
//!          FAREWELL       session << 32 | life   0
//! ```
//!
//! * **greeted**   a connection begins with its own greetings, counted from 0.
//! * **gapless**   a live message is the one after the last; where some were missed, a resume says so, and
//!   from which to which. So an octet that is lost, doubled, moved or changed shows where it is.
//! * **not torn**  a connection that ends well does so between messages, and after a farewell nothing comes.

const MAGIC: u16 = 0x4847;

/// Octets of a message without filler.
pub(crate) const HEADER_LEN: usize = 24;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
pub(crate) enum Kind {
    Greeting = 1,
    Resume = 2,
    Live = 3,
    Farewell = 4,
}

/// A whole message of `len` octets.
pub(crate) fn message(kind: Kind, one: u64, two: u64, len: usize) -> Vec<u8> {
    let mut octets = vec![0; len];
    let (header, filler) = octets.split_at_mut(HEADER_LEN);
    header[..2].copy_from_slice(&MAGIC.to_be_bytes());
    header[2..4].copy_from_slice(&(kind as u16).to_be_bytes());
    header[4..8].copy_from_slice(&u32::try_from(len).expect("a short message").to_be_bytes());
    header[8..16].copy_from_slice(&one.to_be_bytes());
    header[16..24].copy_from_slice(&two.to_be_bytes());
    let mut state = (kind as u64) << 60 ^ one.rotate_left(20) ^ two ^ len as u64;
    for word in filler.chunks_mut(8) {
        state =
            (state ^ (state >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9).wrapping_add(0x9e37_79b9_7f4a_7c15);
        word.copy_from_slice(&state.to_le_bytes()[..word.len()]);
    }
    octets
}

/// Session and life in one word.
pub(crate) fn who(session: u32, life: u32) -> u64 {
    u64::from(session) << 32 | u64::from(life)
}

/// What one connection was told so far.
#[derive(Default, Clone, Debug)]
pub(crate) struct Checker {
    /// Of the message that is not whole yet.
    partial: Vec<u8>,
    /// From the first greeting.
    pub(crate) who: Option<u64>,
    pub(crate) greetings: u64,
    /// The live message that has to come next, once it has been said.
    pub(crate) next: Option<u64>,
    pub(crate) resumes: u64,
    pub(crate) farewell: bool,
    pub(crate) octets: u64,
}

impl Checker {
    /// The next octets.
    ///
    /// # Errors
    /// They are not what comes next.
    pub(crate) fn take(&mut self, octets: &[u8]) -> Result<(), String> {
        self.octets += octets.len() as u64;
        self.partial.extend_from_slice(octets);
        let mut done = 0;
        while let Some(header) = self.partial[done..].first_chunk::<HEADER_LEN>() {
            let len = u32::from_be_bytes(header[4..8].try_into().expect("4")) as usize;
            if header[..2] != MAGIC.to_be_bytes() || len < HEADER_LEN {
                let at = self.octets - (self.partial.len() - done) as u64;
                return Err(format!("no message at octet {at}: {header:02x?}"));
            }
            let Some(message) = self.partial.get(done..done + len) else { break };
            let message = message.to_vec();
            self.message(&message)?;
            done += len;
        }
        self.partial.drain(..done);
        Ok(())
    }

    fn message(&mut self, octets: &[u8]) -> Result<(), String> {
        let word = |at: usize| u64::from_be_bytes(octets[at..at + 8].try_into().expect("8"));
        let (one, two) = (word(8), word(16));
        let kind = match octets[3] {
            1 => Kind::Greeting,
            2 => Kind::Resume,
            3 => Kind::Live,
            4 => Kind::Farewell,
            other => return Err(format!("kind {other}")),
        };
        if octets != message(kind, one, two, octets.len()) {
            return Err(format!("{kind:?} {one:x} {two}: octets are not its own"));
        }
        let wanted = match kind {
            _ if self.farewell => false,
            Kind::Greeting if two == 0 => self.octets > 0 && self.who.is_none(),
            Kind::Greeting => self.who == Some(one) && self.greetings == two && self.next.is_none(),
            Kind::Resume => self.who.is_some() && self.next.unwrap_or(0) == one && two >= one,
            Kind::Live => self.next == Some(one),
            Kind::Farewell => self.who == Some(one),
        };
        if !wanted {
            return Err(format!("{kind:?} {one:x} {two} after {:?} {:?}", self.greetings, self.next));
        }
        match kind {
            Kind::Greeting => (self.who, self.greetings) = (Some(one), two + 1),
            Kind::Resume => (self.next, self.resumes) = (Some(two), self.resumes + 1),
            Kind::Live => self.next = Some(one + 1),
            Kind::Farewell => self.farewell = true,
        }
        Ok(())
    }

    /// Whether a message has begun and not ended.
    pub(crate) fn torn(&self) -> bool {
        !self.partial.is_empty()
    }
}
