//! What a router is called.
//!
//! * **bounded**  by [`NAME_MAX`] octets: what is longer is cut between two characters.
//! * **shown**    a name goes to logs and terminals, so it is UTF-8 without control characters.

use std::net::IpAddr;
use std::sync::Arc;

use wire::bmp::{Frame, InformationKind, Kind, Message};

/// Octets of a name, at most: as many as an operator may type.
pub const NAME_MAX: usize = 246;

/// The name of who has sent `first` from `remote`: the sysName of its Initiation, or else its address.
#[must_use]
pub fn of(first: &[u8], remote: IpAddr) -> Arc<str> {
    let name = sys_name(first).map(clean).filter(|name| !name.is_empty());
    name.map_or_else(|| Arc::from(remote.to_canonical().to_string()), Arc::from)
}

fn sys_name(first: &[u8]) -> Option<&[u8]> {
    let (frame, _) = Frame::split(first).ok()??;
    if frame.kind() != Kind::INITIATION {
        return None;
    }
    match frame.message().ok()? {
        Message::Initiation(tlvs) => tlvs.find_kind(InformationKind::SYS_NAME),
        _ => None,
    }
}

/// Text from outside, fit to be shown, and no longer than a name.
pub(crate) fn clean(octets: &[u8]) -> String {
    // A replacement has three octets where there was one: nothing behind the longest name counts.
    let text = String::from_utf8_lossy(&octets[..octets.len().min(NAME_MAX)]);
    let mut name = String::new();
    for character in text.trim().chars() {
        let character = if character.is_control() { char::REPLACEMENT_CHARACTER } else { character };
        if name.len() + character.len_utf8() > NAME_MAX {
            break;
        }
        name.push(character);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_router_is_called_as_it_says_or_by_its_address() {
        let long = "n".repeat(300);
        let wide = "ß".repeat(150);
        type Tlvs<'a> = &'a [(u16, &'a [u8])];
        let rows: [(Tlvs<'_>, &str); 9] = [
            (&[(1, b"VRP"), (2, b"rr1.example")], "rr1.example"),
            (&[(2, b"first"), (2, b"second")], "first"),
            (&[(1, b"VRP")], "192.0.2.7"),
            (&[(2, b"")], "192.0.2.7"),
            (&[(2, b" \t ")], "192.0.2.7"),
            (&[(2, b" rr 2 ")], "rr 2"),
            (&[(2, b"a\x1b[2Jb\xffc")], "a\u{fffd}[2Jb\u{fffd}c"),
            (&[(2, long.as_bytes())], &long[..NAME_MAX]),
            (&[(2, wide.as_bytes())], &wide[..NAME_MAX]),
        ];
        let remote = "::ffff:192.0.2.7".parse().unwrap();
        for (tlvs, name) in rows {
            let body: Vec<u8> = tlvs
                .iter()
                .flat_map(|(kind, value)| {
                    let len = u16::try_from(value.len()).unwrap();
                    [&kind.to_be_bytes()[..], &len.to_be_bytes(), value].concat()
                })
                .collect();
            let len = u32::try_from(body.len() + 6).unwrap().to_be_bytes();
            let message = [&[3], &len[..], &[4], &body].concat();
            assert_eq!(&*of(&message, remote), name, "{tlvs:?}");
        }
        for first in [&[3, 0, 0, 0, 7, 100, 1][..], &[3, 0, 0, 0, 9, 4, 0, 2, 0], b"GET / HTTP/1.1", b""] {
            assert_eq!(&*of(first, remote), "192.0.2.7", "{first:?}");
        }
    }
}
