//! The life of a peer: up, down, and what it tells besides routes.

use super::World;
use super::attributes::Set;
use super::peer::{L, O, Peer, State, V};
use super::routes::IPV4;
use crate::station::{Family, View};
use crate::stream::bytes::{sized, tlv};
use crate::stream::pdu;
use crate::stream::update::attribute;

/// A family that nobody knows, not even a registry.
const UNKNOWN: Family = (16397, 99);

impl Peer {
    /// A new connection has heard nothing yet.
    pub(super) fn forget_what_was_sent(&mut self) {
        self.known = false;
        self.statistics.clear();
        self.end_of_ribs.clear();
    }

    /// What a new connection hears first of it.
    pub(super) fn greet(&mut self, world: &mut World) -> Option<Vec<u8>> {
        let State::Up(session) = &self.state else { return None };
        self.known = true;
        Some(self.peer_up(world, session, &session.families))
    }

    /// Something that changes whether it is up, and whether it is a Peer Up of another session.
    pub(super) fn live(&mut self, world: &mut World) -> (Vec<u8>, bool) {
        let bytes = match &self.state {
            // It stays so most of the time.
            State::Provisional if !world.rng.percent(10) => Vec::new(),
            State::Provisional if self.known && world.rng.percent(30) => self.down(world),
            State::Down | State::Provisional => self.up(world),
            State::Up(_) => match world.rng.below(20) {
                0..9 => self.down(world),
                9..11 => {
                    let mut bytes = Vec::new();
                    for _ in 0..2 {
                        bytes.extend(self.down(world));
                        bytes.extend(self.up(world));
                        if world.rng.percent(50) {
                            bytes.extend(self.speak(world));
                        }
                    }
                    bytes
                }
                11..16 => self.up_again(world),
                _ => return (self.up(world), true),
            },
        };
        (bytes, false)
    }

    /// A session begins; if another was up, it has ended.
    pub(super) fn up(&mut self, world: &mut World) -> Vec<u8> {
        self.end();
        let session = self.session(world);
        self.state = State::Up(session.clone());
        let mut bytes = self.peer_up(world, &session, &session.families);
        self.known = true;
        if world.rng.percent(20) {
            bytes.extend(self.end_of_rib(world));
        }
        bytes
    }

    /// Another Peer Up of the same session: the same, or with one family more, alone or with the
    /// others.
    fn up_again(&mut self, world: &mut World) -> Vec<u8> {
        let more = if world.rng.percent(60) { self.another_family(world) } else { None };
        let State::Up(session) = &mut self.state else { return Vec::new() };
        session.families.extend(more);
        let session = session.clone();
        match more {
            Some(more) if world.rng.percent(50) => self.peer_up(world, &session, &[more]),
            _ => self.peer_up(world, &session, &session.families),
        }
    }

    fn down(&mut self, world: &mut World) -> Vec<u8> {
        let reason = if self.kind.code == 3 { 6 } else { world.rng.within(1, 5) };
        let code = world.rng.pick(&[[6, 2], [6, 4], [4, 0], [3, 11]]);
        let event = world.rng.within(0, 28);
        let bytes = self.message(world, 2, self.kind.flags, |out| {
            out.push(reason);
            match reason {
                1 | 3 => pdu(out, 3, |out| {
                    out.extend(code);
                    if code[0] == 6 {
                        out.extend(b"\x04rest");
                    }
                }),
                2 => out.extend([0, event]),
                6 => tlv(out, 3, b"global"),
                _ => {}
            }
        });
        self.end();
        self.state = State::Down;
        bytes
    }

    /// All that it has said is void.
    fn end(&mut self) {
        self.table.clear();
        self.statistics.clear();
        self.end_of_ribs.clear();
    }

    /// A Statistics Report of one of its views, or of all.
    pub(super) fn statistics_report(&mut self, world: &mut World) -> Vec<u8> {
        let loc_rib = self.kind.code == 3;
        let views: &[u8] = if loc_rib { &[0] } else { &[0, 0, L, O | L] };
        let flags = self.kind.flags | world.rng.pick(views);
        let mut body = Vec::new();
        let mut count = 0_u32;
        let mut add = |kind, value: &[u8]| {
            count += 1;
            tlv(&mut body, kind, value);
        };
        let gauge = |world: &mut World| u64::from(world.rng.u32()).to_be_bytes();
        if loc_rib {
            add(8, &gauge(world));
        } else {
            add(0, &world.rng.octets::<4>());
            add(7, &gauge(world));
        }
        for family in self.families() {
            let [a, b] = family.0.to_be_bytes();
            let value = [&[a, b, family.1][..], &gauge(world)].concat();
            add(if loc_rib { 10 } else { 9 }, &value);
        }
        if world.rng.percent(20) {
            add(65_531, &world.rng.octets::<4>());
        }
        let body = [&count.to_be_bytes()[..], &body].concat();
        self.statistics.insert(flags, body.clone());
        self.message(world, 1, flags, |out| out.extend(body))
    }

    /// A Route Mirroring message: a PDU as it came, a broken one, or a loss.
    pub(super) fn route_mirroring(&self, world: &mut World) -> Vec<u8> {
        if self.kind.code == 3 {
            return Vec::new(); // RFC 9069 §6.1.1 knows none there
        }
        let path_id: &[u8] = if self.has_path_ids(View::PreIn, IPV4) { &[0, 0, 0, 1] } else { &[] };
        let withdrawn = [path_id, &[24, 10], &world.rng.octets::<2>()].concat();
        let mut mirrored = Vec::new();
        match world.rng.below(3) {
            0 => pdu(&mut mirrored, 4, |_| {}),
            1 => pdu(&mut mirrored, 5, |out| out.extend([0, 1, 0, 1])),
            _ => pdu(&mut mirrored, 2, |out| {
                sized::<2>(out, |out| out.extend(withdrawn));
                out.extend([0, 0]);
            }),
        }
        let flavour = world.rng.below(10);
        self.message(world, 6, self.kind.flags & V, |out| match flavour {
            0..2 => tlv(out, 1, &[0, 1]),
            2..4 => {
                tlv(out, 1, &[0, 0]);
                tlv(out, 0, &mirrored);
            }
            _ => tlv(out, 0, &mirrored),
        })
    }

    /// That one dump has come to its end; or is said to have, once more.
    pub(super) fn end_of_rib(&mut self, world: &mut World) -> Vec<u8> {
        let Some((flags, family)) = self.place(world) else { return Vec::new() };
        self.end_of(world, flags, family)
    }

    /// RFC 4724 §2; the extended length of some routers is legal.
    pub(super) fn end_of(&mut self, world: &mut World, flags: u8, family: Family) -> Vec<u8> {
        self.end_of_ribs.insert((self.view(flags), family));
        let [a, b] = family.0.to_be_bytes();
        let form = world.rng.below(3);
        self.message(world, 0, self.kind.flags | flags, |out| {
            pdu(out, 2, |out| match (family, form) {
                (IPV4, 0..2) => out.extend([0, 0, 0, 0]),
                (_, 0) => out.extend([0, 0, 0, 7, 0x90, 15, 0, 3, a, b, family.1]),
                _ => out.extend([0, 0, 0, 6, 0x80, 15, 3, a, b, family.1]),
            });
        })
    }

    /// An UPDATE that nobody can take apart.
    pub(super) fn unknown_family(&mut self, world: &mut World) -> Vec<u8> {
        let flags = self.kind.flags | world.rng.pick(self.kind.views);
        let announced = world.rng.percent(70);
        let set = Set::draw(world, 0, false);
        let octets = world.rng.octets::<24>();
        let [a, b] = UNKNOWN.0.to_be_bytes();
        self.message(world, 0, flags, |out| {
            let mut attributes = Vec::new();
            if announced {
                let next_hop = [4, 198, 51, 100, 1, 0];
                attribute(&mut attributes, 0x80, 14, |out| {
                    out.extend([&[a, b, UNKNOWN.1][..], &next_hop, &octets].concat());
                });
                attributes.extend(set.octets(false));
            } else {
                attribute(&mut attributes, 0x80, 15, |out| {
                    out.extend([&[a, b, UNKNOWN.1], &octets[..]].concat());
                });
            }
            pdu(out, 2, |out| {
                out.extend([0, 0]);
                sized::<2>(out, |out| out.extend(attributes));
            });
        })
    }
}
