//! OPENs for sessions of which no file has any.
//!
//! A collector's file rarely has the OPENs of its sessions, and a Peer Up has to have both. So they are made: they
//! say what the file shows, and nothing that it does not.
//!
//! | capability              | when                                                                        |
//! |-------------------------|-----------------------------------------------------------------------------|
//! | multiprotocol           | each family that the file has of the peer                                   |
//! | four-octet AS           | in both; of a session with AS numbers of two octets, where one needs four   |
//! | ADD-PATH                | send and receive, in both: the one value that all servers take alike        |
//! | multiple labels         | where a route has a stack of them                                           |
//! | extended message        | where an UPDATE has more than 4096 octets                                   |
//! | graceful restart        | always: there are servers that wait for End-of-RIB only then                |
//!
//! An OPEN that the file does have is taken as it stands, unless the pair would not say how the routes are to be
//! read.

use std::net::IpAddr;

use wire::bgp::{Capability, CapabilityKind, Dialect, Open, write_open};
use wire::{Family, Overflow};

use super::peers::{AS_TRANS, Peer, open};

/// Hold time of sessions that we know nothing of, in seconds.
const HOLD_TIME: u16 = 180;
/// The AS of a collector that no record names: a private one.
const COLLECTOR_AS: u32 = 64_512;
/// Seconds that graceful restart may take.
const RESTART_TIME: u16 = 120;
/// Labels of a stack, as far as the capability says.
const LABELS: u8 = 2;

/// Octets of an OPEN.
pub(super) const OPEN_MAX: usize = wire::bgp::MESSAGE_MAX;

/// What a Peer Up says.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Claims {
    pub(super) families: Vec<Claim>,
    /// UPDATEs of more than 4096 octets.
    pub(super) long: bool,
}

/// What it says of a family.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Claim {
    pub(super) family: Family,
    pub(super) path_ids: bool,
    pub(super) stack: bool,
}

impl Claims {
    /// What the peer needs, by all that is known of it now.
    pub(super) fn of(peer: &Peer, besides: &[Family]) -> Self {
        let agreed = peer.agreed();
        let needed = peer.needs.iter().map(|need| Claim {
            family: need.family,
            path_ids: need.path_ids(agreed.as_ref()),
            stack: need.stack,
        });
        let mut families: Vec<Claim> = needed.collect();
        for family in besides {
            if families.iter().all(|claim| claim.family != *family) {
                families.push(Claim { family: *family, path_ids: false, stack: false });
            }
        }
        families.sort_by_key(|claim| claim.family);
        Self { families, long: peer.long }
    }

    pub(super) fn family(&self, family: Family) -> Option<&Claim> {
        self.families.iter().find(|claim| claim.family == family)
    }

    /// How to read routes.
    pub(super) fn dialect(&self) -> Dialect {
        let path_ids = || self.families.iter().filter(|claim| claim.path_ids).map(|claim| claim.family);
        let stacks = self.families.iter().filter(|claim| claim.stack).map(|claim| claim.family);
        Dialect {
            add_path_in: path_ids().collect(),
            add_path_out: path_ids().collect(),
            label_stack: stacks.collect(),
            extended_message: self.long,
            ..Dialect::default()
        }
    }

    /// Whether a pair of OPENs says the same of how routes are to be read.
    fn told_by(&self, sent: &Open<'_>, received: &Open<'_>) -> bool {
        let told = Dialect::negotiated(sent, received);
        let alike = |claim: &Claim| {
            told.add_path_in.contains(claim.family) == claim.path_ids
                && (told.label_stack.contains(claim.family) || !claim.stack)
        };
        self.families.iter().all(alike) && (told.extended_message || !self.long)
    }
}

/// The OPENs of a session: of the collector, and of the peer.
///
/// # Errors
/// More families than fit into an OPEN.
pub(super) fn opens(peer: &Peer, claims: &Claims) -> Result<(Vec<u8>, Vec<u8>), Overflow> {
    let collector = peer.local.map(|(_, asn)| asn).filter(|asn| *asn != 0).unwrap_or(COLLECTOR_AS);
    // AS numbers of two octets are a session's in which one side cannot do four: the collector, if need be.
    let narrow = peer.two_octets && !peer.four_octets;
    let wide = |asn: u32| asn > u32::from(u16::MAX) || asn == AS_TRANS;
    let collector_id = collector_id(peer).unwrap_or([192, 0, 2, 1]);
    let made_sent = make(collector, collector_id, !narrow || wide(collector) && !wide(peer.asn), claims)?;
    let made_received = make(peer.asn, peer.identifier(), !narrow || wide(peer.asn), claims)?;
    let real_sent = peer.sent.as_deref();
    let real_received = peer.received.as_deref();
    for (sent, received) in [(real_sent, real_received), (None, real_received), (real_sent, None)] {
        if sent.is_none() && received.is_none() {
            continue;
        }
        let (sent, received) = (sent.unwrap_or(&made_sent), received.unwrap_or(&made_received));
        if let (Some(one), Some(other)) = (open(sent), open(received))
            && claims.told_by(&one, &other)
        {
            return Ok((sent.to_vec(), received.to_vec()));
        }
    }
    Ok((made_sent, made_received))
}

/// The collector's BGP identifier, or the address that may stand for it.
pub(super) fn collector_id(peer: &Peer) -> Option<[u8; 4]> {
    let address = match peer.local {
        Some((IpAddr::V4(ip), _)) => ip.octets(),
        _ => [0; 4],
    };
    [peer.collector, address].into_iter().find(|id| *id != [0; 4])
}

/// One OPEN.
fn make(asn: u32, bgp_id: [u8; 4], four_octets: bool, claims: &Claims) -> Result<Vec<u8>, Overflow> {
    let mut values: Vec<(CapabilityKind, Vec<u8>)> = Vec::new();
    let tuple = |family: Family, last: u8| {
        let [a, b] = family.afi.to_be_bytes();
        [a, b, family.safi, last]
    };
    for claim in &claims.families {
        let [a, b] = claim.family.afi.to_be_bytes();
        values.push((CapabilityKind::MULTIPROTOCOL, vec![a, b, 0, claim.family.safi]));
    }
    if claims.long {
        values.push((CapabilityKind::EXTENDED_MESSAGE, Vec::new()));
    }
    let stacks = claims.families.iter().filter(|claim| claim.stack);
    let stacks: Vec<u8> = stacks.flat_map(|claim| tuple(claim.family, LABELS)).collect();
    if !stacks.is_empty() {
        values.push((CapabilityKind::MULTIPLE_LABELS, stacks));
    }
    let mut restart = RESTART_TIME.to_be_bytes().to_vec();
    restart.extend(claims.families.iter().flat_map(|claim| tuple(claim.family, 0)));
    values.push((CapabilityKind::GRACEFUL_RESTART, restart));
    if four_octets {
        values.push((CapabilityKind::FOUR_OCTET_AS, asn.to_be_bytes().to_vec()));
    }
    let path_ids = claims.families.iter().filter(|claim| claim.path_ids);
    let path_ids: Vec<u8> = path_ids.flat_map(|claim| tuple(claim.family, 3)).collect();
    if !path_ids.is_empty() {
        values.push((CapabilityKind::ADD_PATH, path_ids));
    }
    let capabilities: Vec<Capability<'_>> =
        values.iter().map(|(kind, value)| Capability { kind: *kind, value }).collect();
    let mut buffer = vec![0; OPEN_MAX];
    let len = write_open(&mut buffer, asn, HOLD_TIME, bgp_id, &capabilities)?;
    buffer.truncate(len);
    Ok(buffer)
}
