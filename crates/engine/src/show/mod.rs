//! The displays: text for people, and the same for programs.
//!
//! ```text
//!   Picture ─┬─ text ─► columns and labels as VRP has them, where it has them; sizes in human units
//!            └─ json ─► an object with exact values: microseconds, octets, names as they are
//! ```
//!
//! * **pure**        a picture in, text out: no clock, no socket.
//! * **what comes from outside is escaped**  routers choose their names and servers their errors; neither gets
//!   a control character onto an operator's terminal (`clean`), nor more than so many characters.
//! * **lines end**   each line, the last one too, ends in a line feed and in no blank.

mod clean;
mod inside;
mod keychain;
mod layout;
mod monitor;
mod peer;
mod router;
mod session;
#[cfg(test)]
pub(crate) mod tests;

pub use keychain::{keychain, keychain_json};

pub(crate) use clean::clean;

use config::shell::Display;
use serde::Serialize;
use serde_json::Value;

use crate::picture::Picture;

/// What a display shows, for people.
///
/// # Errors
/// There is nothing of that name: a sentence, without `Error:`.
pub fn text(picture: &Picture, display: &Display) -> Result<String, String> {
    Ok(match display {
        Display::Sessions(instance) => session::all(&session::of(picture, instance.as_deref())),
        Display::Session(key) => session::verbose(session::find(picture, key)?),
        Display::Monitors(family, instance, peer) => {
            let asked = monitor::Asked { family: *family, instance: instance.as_deref(), peer: *peer };
            monitor::text(&asked, &monitor::rows(picture, &asked))
        }
        Display::Keychain(name, _) => return Err(no_keychain(name)),
        Display::Routers(name, verbose) => {
            let routers = router::of(picture, name.as_deref())?;
            if *verbose { router::verbose(&routers) } else { router::all(&routers) }
        }
        Display::Peers(name) => peer::text(&router::of(picture, name.as_deref())?),
        Display::Feeds => inside::feeds(picture),
        Display::Memory => inside::memory(picture),
        Display::Latency => inside::latency(picture),
    })
}

/// The same for programs: always an object, so that it can grow.
///
/// # Errors
/// There is nothing of that name: a sentence, without `Error:`.
pub fn json(picture: &Picture, display: &Display) -> Result<Value, String> {
    match display {
        Display::Sessions(instance) => session::all_json(&session::of(picture, instance.as_deref())),
        Display::Session(key) => value(session::find(picture, key)?),
        Display::Monitors(family, instance, peer) => {
            let asked = monitor::Asked { family: *family, instance: instance.as_deref(), peer: *peer };
            monitor::json(&monitor::rows(picture, &asked))
        }
        Display::Keychain(name, _) => Err(no_keychain(name)),
        Display::Routers(name, _) => router::json(&router::of(picture, name.as_deref())?),
        Display::Peers(name) => peer::json(&router::of(picture, name.as_deref())?),
        Display::Feeds => inside::feeds_json(picture),
        Display::Memory => inside::memory_json(picture),
        Display::Latency => value(&picture.latency),
    }
}

/// Keychains are configuration, of which a picture knows nothing: see [`keychain`].
fn no_keychain(name: &str) -> String {
    format!("The keychain {} does not exist.", layout::name(name))
}

fn value(what: &(impl Serialize + ?Sized)) -> Result<Value, String> {
    serde_json::to_value(what).map_err(|error| format!("This cannot be shown as JSON: {error}."))
}
