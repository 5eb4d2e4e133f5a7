//! The form that every reader's answer is brought into before two of them are compared: lines.
//!
//! A line says one thing, and lines say things in the same order for everybody, routes apart: those
//! are sorted. What a reader refuses is an answer too: `Err` with its own words.

use std::fmt::{Debug, Display, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What a reader made of one message.
pub(crate) type Answer = Result<Vec<String>, String>;

/// A per-peer header.
#[derive(Debug)]
#[expect(dead_code, reason = "read by Debug")]
pub(crate) struct Peer {
    pub(crate) kind: u8,
    /// The flags that mean something for this kind of peer, as RFC 8671 and RFC 9069 have them.
    pub(crate) flags: u8,
    pub(crate) distinguisher: String,
    pub(crate) address: Option<IpAddr>,
    pub(crate) asn: u32,
    pub(crate) bgp_id: Ipv4Addr,
    pub(crate) micros: u64,
}

pub(crate) fn peer(peer: &Peer) -> String {
    format!("{peer:?}")
}

/// An address, unless it is zero: not every reader tells that from none.
pub(crate) fn address(ip: IpAddr) -> Option<IpAddr> {
    (!ip.is_unspecified()).then_some(ip)
}

#[derive(Debug)]
#[expect(dead_code, reason = "read by Debug")]
pub(crate) struct Open {
    pub(crate) version: u8,
    pub(crate) my_as: u16,
    pub(crate) asn: u32,
    pub(crate) hold_time: u16,
    pub(crate) bgp_id: Ipv4Addr,
    pub(crate) capabilities: Vec<(u8, String)>,
}

#[derive(Clone, Copy)]
pub(crate) enum Sign {
    Withdraw,
    Announce,
}

/// A route of an UPDATE.
pub(crate) fn route(sign: Sign, (afi, safi): (u16, u8), path_id: Option<u32>, route: impl Display) -> String {
    let sign = match sign {
        Sign::Announce => '+',
        Sign::Withdraw => '-',
    };
    match path_id {
        Some(id) => format!("{sign} {afi}/{safi} path {id} {route}"),
        None => format!("{sign} {afi}/{safi} {route}"),
    }
}

/// MP_REACH or MP_UNREACH of a family that the reader at hand does not take apart.
pub(crate) fn whole(sign: Sign, family: (u16, u8), value: &[u8]) -> String {
    route(sign, family, None, format_args!("whole {}", hex(value)))
}

/// Whether a line is a route.
pub(crate) fn is_route(line: &str) -> bool {
    line.starts_with(['+', '-'])
}

pub(crate) fn attribute(code: u8, value: impl Debug) -> String {
    format!("attribute {code} {value:?}")
}

pub(crate) fn end_of_rib((afi, safi): (u16, u8)) -> String {
    format!("end-of-rib {afi}/{safi}")
}

/// A prefix, host bits masked.
pub(crate) fn prefix(bits: u8, octets: &[u8], ipv6: bool) -> String {
    let mut whole = [0; 16];
    whole[..octets.len()].copy_from_slice(octets);
    let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
    let address = u128::from_be_bytes(whole) & mask;
    match ipv6 {
        true => format!("{}/{bits}", Ipv6Addr::from(address)),
        false => {
            let [a, b, c, d, ..] = address.to_be_bytes();
            format!("{}/{bits}", Ipv4Addr::new(a, b, c, d))
        }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

/// What only one of two answers says: theirs first. `None` if they agree.
pub(crate) fn difference(ours: &Answer, theirs: &Answer) -> Option<Disagreement> {
    let sorted = |answer: &Answer| {
        answer.clone().map(|mut lines| {
            let routes = lines.extract_if(.., |line| is_route(line)).collect::<Vec<_>>();
            lines.extend({
                let mut routes = routes;
                routes.sort_unstable();
                routes
            });
            lines
        })
    };
    let (ours, theirs) = (sorted(ours), sorted(theirs));
    if ours == theirs {
        return None;
    }
    let only = |these: &Answer, those: &Answer| match (these, those) {
        (Ok(these), Ok(those)) => {
            Ok(these.iter().filter(|line| !those.contains(line)).cloned().collect::<Vec<_>>())
        }
        _ => these.clone(),
    };
    Some(Disagreement { ours: only(&ours, &theirs), theirs: only(&theirs, &ours) })
}

/// Where two answers part: the lines only one has, or all of them if the other refused.
#[derive(Debug)]
pub(crate) struct Disagreement {
    pub(crate) ours: Answer,
    pub(crate) theirs: Answer,
}

impl Disagreement {
    /// They refuse, with these words among others, what we take.
    pub(crate) fn they_refuse(&self, words: &str) -> bool {
        self.ours.is_ok() && self.theirs.as_ref().is_err_and(|error| error.contains(words))
    }

    /// The lines that differ, if both took the message.
    pub(crate) fn lines(&self) -> Option<(&[String], &[String])> {
        Some((self.ours.as_deref().ok()?, self.theirs.as_deref().ok()?))
    }
}
