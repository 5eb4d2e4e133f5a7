//! Between the core, which knows what servers are owed, and the writer, which knows their connections.
//!
//! ```text
//!          Output: read, follow, finish            Order: read, leave
//!   Core ──────────────────────────────► Exchange ────────────────────► Fleet
//!        ◄──────────────────────────────          ◄────────────────────
//!          connected, took, fell, lost             Report: up, took, fell, down
//! ```
//!
//! A session has the same number on both sides. Its connections have names of their own on each, since
//! either side may know of one that the other has not heard of yet; here they are told apart.
//!
//! * **paired**  a connection of the core lives from the writer's [`Report::Up`] to its [`Report::Down`]. What
//!   either says of another one is about nothing that is there, and dropped.

use std::fmt;

use mirror::SessionId;
use rib::Time;
use wire::bmp::TerminationReason;
use writer::Handle;
use writer::driver::Token;
use writer::fleet::{self, Order, Report, Source, Then};

use crate::core::{Connection, Core, Output, Step};

/// See the top of the file.
#[derive(Default)]
pub struct Exchange {
    /// By the number of a session: the connection it has, by both its names.
    pairs: Vec<Option<(Token, Connection)>>,
}

/// What people are told.
#[derive(Debug)]
pub enum Word {
    /// By the core.
    Core(Output),
    /// By the writer.
    Writer(Report),
}

impl Exchange {
    /// One turn of everything: the core hears what the writer told, makes its step, and the writer is told
    /// what it wants and woken if there is news. What people should know comes as a word.
    pub fn turn(
        &mut self,
        core: &mut Core,
        writer: &mut Handle,
        now: Time,
        mut word: impl FnMut(Word),
    ) -> Step {
        while let Some(report) = writer.next_report() {
            if let Some(report) = self.report(core, report) {
                word(Word::Writer(report));
            }
        }
        let step = core.step(now, |output| match self.output(output) {
            Ok(Some(order)) => writer.order(order),
            Ok(None) => {}
            Err(output) => word(Word::Core(output)),
        });
        if step.news {
            writer.news();
        }
        step
    }

    /// Tells the core what the writer has told; gives back what only concerns people.
    pub fn report(&mut self, core: &mut Core, report: Report) -> Option<Report> {
        match report {
            Report::Up(token, _) => {
                let index = token.session.0 as usize;
                if self.pairs.len() <= index {
                    self.pairs.resize(index + 1, None);
                }
                self.pairs[index] = Some((token, core.connected(SessionId(token.session.0))));
                Some(report)
            }
            Report::Down(token, _) => {
                if let Some(connection) = self.connection(token) {
                    core.lost(connection);
                    self.pairs[token.session.0 as usize] = None;
                }
                Some(report)
            }
            Report::Took(token) => {
                if let Some(connection) = self.connection(token) {
                    core.took(connection);
                }
                None
            }
            Report::Fell(token, reader) => {
                if let Some(connection) = self.connection(token) {
                    core.fell(connection, &reader);
                }
                None
            }
            _ => Some(report),
        }
    }

    /// What the core wants of the writer; gives back what is not for it.
    ///
    /// # Errors
    /// It is for people.
    pub fn output(&self, output: Output) -> Result<Option<Order>, Output> {
        let read = |connection, source| self.token(connection).map(|token| Order::Read(token, source));
        match output {
            Output::Read(connection, reader) => Ok(read(connection, Source::Piece(reader))),
            Output::Follow(connection, feed, reader) => Ok(read(connection, Source::Log(feed.0, reader))),
            other => Err(other),
        }
    }

    /// We leave a session's server, if it has one: with a Termination, for this reason.
    pub fn leave(&self, core: &mut Core, id: SessionId, reason: TerminationReason, then: Then) -> Order {
        let mut farewell = None;
        core.leave(id, reason, &mut |output| {
            if let Output::Finish(_, reader) = output {
                farewell = Some(reader);
            }
        });
        let pair = self.pairs.get(id.0 as usize).copied().flatten();
        // Without a connection that we know of there is nobody to be told, but the session ends all the same.
        let none = Token { session: fleet::SessionId(id.0), life: 0 };
        Order::Leave { token: pair.map_or(none, |(token, _)| token), farewell, then }
    }

    fn connection(&self, token: Token) -> Option<Connection> {
        let pair = self.pairs.get(token.session.0 as usize).copied().flatten();
        pair.filter(|(known, _)| *known == token).map(|(_, connection)| connection)
    }

    fn token(&self, connection: Connection) -> Option<Token> {
        let pair = self.pairs.get(connection.session.0 as usize).copied().flatten();
        pair.filter(|(_, known)| *known == connection).map(|(token, _)| token)
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let connected = self.pairs.iter().flatten().count();
        f.debug_struct("Exchange").field("connected", &connected).finish()
    }
}
