//! What a Peer Up says: which session it is, and what its OPENs agree on.

use std::collections::BTreeMap;

use super::octets::Octets;
use super::tables::{Family, PeerKey, View};

/// The per-peer header, RFC 7854 §4.2.
pub(super) struct Header {
    pub(super) peer: PeerKey,
    pub(super) flags: u8,
    pub(super) asn: u32,
    pub(super) bgp_id: [u8; 4],
    time: [u8; 8],
}

impl Header {
    pub(super) fn read(body: &mut Octets<'_>) -> Result<Self, String> {
        let what = "per-peer header";
        let kind = body.u8(what)?;
        let flags = body.u8(what)?;
        let peer = PeerKey { kind, distinguisher: body.array(what)?, address: body.array(what)? };
        Ok(Self { peer, flags, asn: body.u32(what)?, bgp_id: body.array(what)?, time: body.array(what)? })
    }

    pub(super) fn view(&self) -> View {
        View::of(self.peer.kind, self.flags)
    }
}

/// A BGP session, as far as a station cares.
pub(super) struct Session {
    /// AS, BGP identifier, timestamp, local address, ports: two Peer Ups with the same are of one
    /// session.
    identity: (u32, [u8; 4], [u8; 8], [u8; 16], [u8; 4]),
    sent: Capabilities,
    received: Capabilities,
}

#[derive(Default)]
struct Capabilities {
    /// ADD-PATH, RFC 7911 §4: bit 1 = receive, bit 2 = send.
    add_path: BTreeMap<Family, u8>,
    extended_message: bool,
}

impl Session {
    /// The body of a Peer Up behind its per-peer header.
    pub(super) fn read(header: &Header, mut body: Octets<'_>) -> Result<Self, String> {
        let local = body.array("local address")?;
        let ports = body.array("ports")?;
        let sent = Capabilities::read(body.pdu(1, "sent OPEN")?)?;
        let received = Capabilities::read(body.pdu(1, "received OPEN")?)?;
        body.tlvs()?;
        Ok(Self { identity: (header.asn, header.bgp_id, header.time, local, ports), sent, received })
    }

    /// Adds what another Peer Up of the same session says; of another session, tells what differs.
    pub(super) fn unite(&mut self, other: Self) -> Result<(), &'static str> {
        let (asn, bgp_id, time, local, ports) = self.identity;
        let rows = [
            (asn == other.identity.0, "AS"),
            (bgp_id == other.identity.1, "BGP identifier"),
            (time == other.identity.2, "timestamp"),
            (local == other.identity.3, "local address"),
            (ports == other.identity.4, "ports"),
        ];
        if let Some((_, what)) = rows.iter().find(|(same, _)| !same) {
            return Err(what);
        }
        self.sent.unite(other.sent);
        self.received.unite(other.received);
        Ok(())
    }

    /// RFC 7911 §4 with the directions of RFC 8671; in a Loc-RIB, presence is the signal (RFC 9069).
    pub(super) fn has_path_ids(&self, view: View, family: Family) -> bool {
        let [sent, received] = [&self.sent, &self.received].map(|open| open.add_path.get(&family).copied());
        let can = |mode: Option<u8>, bit: u8| mode.is_some_and(|mode| mode & bit != 0);
        match view {
            View::LocRib => sent.is_some() || received.is_some(),
            View::PreIn | View::PostIn => can(sent, 1) && can(received, 2),
            View::PreOut | View::PostOut => can(sent, 2) && can(received, 1),
        }
    }

    /// How long an UPDATE may be, RFC 8654 §4.
    pub(super) fn longest_update(&self) -> usize {
        if self.sent.extended_message && self.received.extended_message { 65_535 } else { 4096 }
    }
}

impl Capabilities {
    /// What an OPEN says, with parameters of either length (RFC 9072).
    fn read(mut open: Octets<'_>) -> Result<Self, String> {
        open.take(1 + 2 + 2 + 4, "OPEN")?;
        let len = open.u8("length of the parameters")?;
        let extended = len == 255 && open.rest().first() == Some(&255);
        let mut parameters = if extended {
            open.u8("extended parameters")?;
            open.counted("extended parameters")?
        } else {
            open.field(usize::from(len), "parameters")?
        };
        open.end("an OPEN")?;
        let mut capabilities = Self::default();
        while !parameters.is_empty() {
            let kind = parameters.u8("type of a parameter")?;
            let mut parameter = if extended {
                parameters.counted("parameter")?
            } else {
                let len = parameters.u8("length of a parameter")?;
                parameters.field(usize::from(len), "parameter")?
            };
            while kind == 2 && !parameter.is_empty() {
                let code = parameter.u8("capability")?;
                let len = parameter.u8("length of a capability")?;
                capabilities.add(code, parameter.field(usize::from(len), "capability")?)?;
            }
        }
        Ok(capabilities)
    }

    fn add(&mut self, code: u8, mut value: Octets<'_>) -> Result<(), String> {
        match code {
            6 => self.extended_message = true,
            69 => {
                while !value.is_empty() {
                    let family = (value.u16("AFI")?, value.u8("SAFI")?);
                    *self.add_path.entry(family).or_default() |= value.u8("mode of ADD-PATH")?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn unite(&mut self, other: Self) {
        self.extended_message |= other.extended_message;
        for (family, mode) in other.add_path {
            *self.add_path.entry(family).or_default() |= mode;
        }
    }
}
