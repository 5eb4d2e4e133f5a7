//! What the display says, line by line.
//!
//! `messages.golden` has a message of every kind: its name, its bytes and its line.
//! `HELIOGRAPH_BLESS=1` writes the lines anew. The tables below have what differs inside of messages.
//! The rest throws bytes at it: whatever they are, there is one line, and it is not long.

mod bgp;
mod bmp_bodies;
mod hostile;
mod mrt;
mod routes;

use std::fmt::{Debug, Display, Write as _};

use wire::bgp::PduKind;
use wire::bmp::{self, Frame, Kind, PeerHeader};

/// What no line is longer than.
const LINE_MAX: usize = 4096;

const GOLDEN: &str = include_str!("messages.golden");

fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|digit| !digit.is_ascii_whitespace()).collect();
    let octet = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16);
    digits.chunks(2).map(|pair| octet(pair).unwrap_or_else(|_| panic!("no octets: {hex}"))).collect()
}

fn frame(bytes: &[u8]) -> Frame<'_> {
    let (frame, rest) = Frame::split(bytes).unwrap().unwrap();
    assert!(rest.is_empty(), "one frame");
    frame
}

/// Displays, and checks what is true of every line.
fn line(of: &(impl Display + ?Sized)) -> String {
    let line = of.to_string();
    assert!(!line.contains(|c: char| c.is_control() || "\u{2028}\u{2029}\u{202e}".contains(c)), "{line:?}");
    assert!(line.len() <= LINE_MAX, "{} octets: {line}", line.len());
    assert!(!line.contains("  ") && line.trim() == line, "single spaces: {line:?}");
    line
}

/// The same, and `Debug` says the same.
fn line_and_debug(of: &(impl Display + Debug)) -> String {
    let line = line(of);
    assert_eq!(format!("{of:?}"), line);
    line
}

/// A message made by `write` in a buffer that is large enough.
fn made(write: impl FnOnce(&mut [u8]) -> Result<usize, wire::Overflow>) -> Vec<u8> {
    let mut buffer = vec![0xa5; bmp::MESSAGE_MAX];
    let len = write(&mut buffer).unwrap();
    buffer.truncate(len);
    buffer
}

/// A BGP message around a body.
fn pdu(kind: PduKind, body: &[u8]) -> Vec<u8> {
    let mut pdu = vec![0xff; 16];
    pdu.extend(u16::try_from(19 + body.len()).unwrap().to_be_bytes());
    pdu.push(kind.0);
    pdu.extend(body);
    pdu
}

/// An UPDATE of these three fields.
fn update(withdrawn: &[u8], attributes: &[u8], nlri: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for field in [withdrawn, attributes] {
        body.extend(u16::try_from(field.len()).unwrap().to_be_bytes());
        body.extend(field);
    }
    body.extend(nlri);
    pdu(PduKind::UPDATE, &body)
}

fn peer() -> PeerHeader {
    PeerHeader {
        address: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1],
        asn: 65001.into(),
        bgp_id: [198, 51, 100, 1],
        ..PeerHeader::default()
    }
}

/// What stands behind kind and peer.
fn tail<'a>(line: &'a str, head: &str) -> &'a str {
    line.strip_prefix(head).unwrap_or_else(|| panic!("{head:?} in front of {line:?}"))
}

/// Name, bytes and line of every message of the golden file.
fn golden() -> impl Iterator<Item = (&'static str, Vec<u8>, &'static str)> {
    GOLDEN.split_terminator("\n\n").map(|entry| {
        let [name, hex, line] = entry.lines().collect::<Vec<_>>()[..] else {
            panic!("name, bytes and line: {entry}");
        };
        (name, octets(hex), line)
    })
}

#[test]
fn every_message() {
    let mut now = String::new();
    for (name, bytes, _) in golden() {
        let frame = frame(&bytes);
        let line = line_and_debug(&frame);
        assert_eq!(line_and_debug(&frame.message().unwrap()), line, "{name}");
        let hex = bytes.iter().fold(String::new(), |hex, octet| format!("{hex}{octet:02x}"));
        writeln!(now, "{name}\n{hex}\n{line}\n").unwrap();
    }
    now.pop();
    if std::env::var_os("HELIOGRAPH_BLESS").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/show/messages.golden");
        return std::fs::write(path, now).unwrap();
    }
    for ((name, _, _), (then, now)) in golden().zip(GOLDEN.split("\n\n").zip(now.split("\n\n"))) {
        assert_eq!(then, now, "{name}");
    }
}

#[test]
fn every_kind_is_in_the_golden_file() {
    for kind in (0..=6).map(Kind) {
        assert!(golden().any(|(_, bytes, _)| frame(&bytes).kind() == kind), "{:?}", kind.name());
    }
    assert_eq!(golden().count(), 25);
}
