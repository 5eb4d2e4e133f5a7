//! What can be wrong, and whose fault it is: the type says which side.
//!
//! * [`Error`]    bytes from outside are not what they claim to be: the sender's fault. Count it,
//!   report it, go on. It says where, what was found and what was expected.
//! * [`Overflow`] something does not fit where we wanted to write it: our own fault, or the caller's.

use std::fmt;

use crate::Family;

/// Bytes from outside that cannot be what they claim to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Error {
    /// Octets from the start of what the failing call was given.
    pub offset: usize,
    /// What is wrong there.
    pub fault: Fault,
}

/// The ways in which bytes can be wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// A field wants more octets than its container has left.
    Cut {
        /// The field.
        what: &'static str,
        /// Octets it wants.
        want: usize,
        /// Octets there are.
        left: usize,
    },
    /// A number that the field may not hold.
    Value {
        /// The field.
        what: &'static str,
        /// What it holds.
        got: usize,
        /// The least it may hold.
        least: usize,
        /// The most it may hold.
        most: usize,
    },
    /// Octets after the last thing that may stand here.
    Excess {
        /// After what.
        what: &'static str,
        /// How many octets.
        left: usize,
    },
    /// What may stand once stands twice.
    Twice {
        /// What it is.
        what: &'static str,
    },
    /// A family whose NLRI nobody here can tell apart: carried whole, never guessed.
    Unframed {
        /// The family.
        family: Family,
    },
}

impl Error {
    pub(crate) fn cut(offset: usize, what: &'static str, want: usize, left: usize) -> Self {
        Self { offset, fault: Fault::Cut { what, want, left } }
    }

    pub(crate) fn value(offset: usize, what: &'static str, got: usize, least: usize, most: usize) -> Self {
        Self { offset, fault: Fault::Value { what, got, least, most } }
    }

    pub(crate) fn excess(offset: usize, what: &'static str, left: usize) -> Self {
        Self { offset, fault: Fault::Excess { what, left } }
    }

    /// The same error, seen from a container in which our bytes began at `by`.
    #[must_use]
    pub fn within(self, by: usize) -> Self {
        Self { offset: self.offset + by, ..self }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "offset {}: ", self.offset)?;
        match self.fault {
            Fault::Cut { what, want, left } => write!(f, "{what} wants {want} octets, {left} left"),
            Fault::Value { what, got, least, most } if least == most => {
                write!(f, "{what} {got}, expected {least}")
            }
            Fault::Value { what, got, least, most } => {
                write!(f, "{what} {got}, expected {least}..={most}")
            }
            Fault::Excess { what, left } => write!(f, "{left} octets after {what}, expected none"),
            Fault::Twice { what } => write!(f, "{what} a second time, expected once"),
            Fault::Unframed { family } => write!(f, "NLRI of {family} cannot be told apart"),
        }
    }
}

impl std::error::Error for Error {}

/// Something does not fit where it was to be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Overflow {
    /// The caller's buffer is too small.
    Buffer {
        /// Octets wanted, at the point where it failed.
        want: usize,
        /// Octets that were left there.
        left: usize,
    },
    /// A value is longer than its field can say.
    Field {
        /// The field.
        what: &'static str,
        /// What it was to hold.
        got: usize,
        /// The most it can hold.
        most: usize,
    },
}

impl fmt::Display for Overflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Buffer { want, left } => write!(f, "{want} octets to write, room for {left}"),
            Self::Field { what, got, most } => write!(f, "{what} {got}, at most {most} can be written"),
        }
    }
}

impl std::error::Error for Overflow {}
