//! The life of a session, as the table one would draw.

use State::{CatchingUp, Closing, Connecting, Greeting, Idle, Live, Waiting};

/// Where a session stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum State {
    /// No connection, and none is wanted before something happens: it is stopped, or the server connects.
    Idle,
    /// We asked for a connection.
    Connecting,
    /// There is one; nothing has been sent yet.
    Greeting,
    /// It is told what it missed.
    CatchingUp,
    /// It reads a feed's log.
    Live,
    /// It has been told farewell, and takes the rest.
    Closing,
    /// The next attempt comes when the back-off is over.
    Waiting,
}

/// What happens to a session.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Happening {
    /// We ask for a connection.
    Dial,
    /// There is one.
    Connected,
    /// The kernel took the first octets.
    Greeted,
    /// What comes next is the log.
    CaughtUp,
    /// What comes next is gone.
    Fell,
    /// We take our leave.
    Leave,
    /// The connection is gone, or never came about.
    Lost,
    /// No connection is wanted.
    Stop,
}

impl State {
    /// All there are, in the order of a life.
    pub const ALL: [Self; 7] = [Idle, Connecting, Greeting, CatchingUp, Live, Closing, Waiting];

    /// Where a session stands after what happened; `None` where it cannot have.
    #[must_use]
    pub fn after(self, happening: Happening) -> Option<Self> {
        use Happening::{CaughtUp, Connected, Dial, Fell, Greeted, Leave, Lost, Stop};
        Some(match (self, happening) {
            (Idle | Waiting, Dial) => Connecting,
            // A passive session has not asked.
            (Idle | Waiting | Connecting, Connected) => Greeting,
            (Greeting, Greeted) => CatchingUp,
            (Greeting | CatchingUp, CaughtUp) => Live,
            (Live, Fell) => CatchingUp,
            (Greeting | CatchingUp | Live, Leave) => Closing,
            (Connecting | Greeting | CatchingUp | Live | Closing, Lost) => Waiting,
            (_, Stop) => Idle,
            _ => return None,
        })
    }

    /// Whether there is a connection.
    #[must_use]
    pub fn is_connected(self) -> bool {
        matches!(self, Greeting | CatchingUp | Live | Closing)
    }
}
