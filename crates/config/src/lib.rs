//! The command grammar: what an operator can type, what that means, and what changes.
//!
//! ```text
//!   a line ─parse─► Statement ─set, undo─► Tree ─mean─► Meaning ─difference─► Steps
//!           by the table                   what was     what it is           for the engine
//!                                          typed        about
//! ```
//!
//! Everything about a command stands in one row of one [`table`]: its syntax, where it can be typed, a line of
//! help, how it is undone, which view it enters. The parser, abbreviations, `?`, Tab, `undo`, the text of a
//! configuration and the manual are all made from it.
//!
//! * **what is printed parses back to itself**  a configuration is the statements that were typed, in the order
//!   of the table, and a statement prints as the row's own words.
//! * **no clear secret**  a password is sealed ([`secret::Vault`]) before it becomes part of anything that is kept.
//! * **pure**  no clock, no socket, no file: time, randomness and text come in as arguments.

pub mod difference;
pub mod keychain;
pub mod load;
pub mod manual;
pub mod mask;
pub mod meaning;
pub mod parse;
pub mod render;
pub mod secret;
pub mod shell;
pub mod store;
mod syntax;
pub mod table;
pub mod tree;
pub mod value;
mod words;

pub use parse::{Parsed, Refusal};
pub use table::{View, What};
pub use tree::{Place, Tree};
pub use value::Value;
pub use words::LINE_MAX;
