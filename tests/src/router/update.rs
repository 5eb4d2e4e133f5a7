//! An UPDATE in the making, which splits itself when it does not fit.

use super::attributes::Set;
use super::nlri::Nlri;
use crate::station::Family;
use crate::stream::bytes::sized;
use crate::stream::pdu;
use crate::stream::update::attribute;

/// Routes to withdraw and to announce with one set of attributes.
#[derive(Clone, Default)]
pub(super) struct Update {
    /// The whole flags of the per-peer header, but for A.
    pub(super) flags: u8,
    pub(super) withdrawn: Vec<Nlri>,
    pub(super) unreach: Option<(Family, Vec<Nlri>)>,
    pub(super) reach: Option<(Family, Vec<u8>, Vec<Nlri>)>,
    pub(super) nlri: Vec<Nlri>,
    pub(super) set: Option<Set>,
    /// Whether `MP_REACH_NLRI` stands in front of the other attributes or behind them.
    pub(super) reach_first: bool,
    /// What stands behind the BGP message.
    pub(super) trailing: Vec<u8>,
}

impl Update {
    /// All attributes but 14 and 15.
    pub(super) fn attributes(&self) -> Vec<u8> {
        self.set.as_ref().map_or(Vec::new(), |set| set.octets(!self.nlri.is_empty()))
    }

    /// The BGP message, if it has at most `longest` octets.
    pub(super) fn pdu(&self, longest: usize) -> Option<Vec<u8>> {
        let withdrawn = wire(&self.withdrawn);
        let nlri = wire(&self.nlri);
        let mut reach = Vec::new();
        if let Some(((afi, safi), next_hop, routes)) = &self.reach {
            attribute(&mut reach, 0x80, 14, |out| {
                out.extend(afi.to_be_bytes());
                out.push(*safi);
                sized::<1>(out, |out| out.extend(next_hop));
                out.push(0);
                out.extend(wire(routes));
            });
        }
        let mut attributes = self.attributes();
        let at = if self.reach_first { 0 } else { attributes.len() };
        attributes.splice(at..at, reach);
        if let Some(((afi, safi), routes)) = &self.unreach {
            attribute(&mut attributes, 0x80, 15, |out| {
                out.extend(afi.to_be_bytes());
                out.push(*safi);
                out.extend(wire(routes));
            });
        }
        if 23 + withdrawn.len() + attributes.len() + nlri.len() > longest {
            return None;
        }
        let mut out = Vec::new();
        pdu(&mut out, 2, |out| {
            sized::<2>(out, |out| out.extend(withdrawn));
            sized::<2>(out, |out| out.extend(attributes));
            out.extend(nlri);
        });
        Some(out)
    }

    /// The same in UPDATEs that fit, in an order that leaves the same routes.
    pub(super) fn fitting(self, longest: usize) -> Vec<(Self, Vec<u8>)> {
        if let Some(pdu) = self.pdu(longest) {
            return vec![(self, pdu)];
        }
        let Self { flags, withdrawn, unreach, reach, nlri, set, reach_first, trailing } = self;
        let withdrawing = Self { flags, reach_first, trailing, ..Self::default() };
        let announcing = Self { set, ..withdrawing.clone() };
        // Each field by itself; the only one in two halves.
        let lens = [
            withdrawn.len(),
            unreach.as_ref().map_or(0, |(_, routes)| routes.len()),
            reach.as_ref().map_or(0, |(.., routes)| routes.len()),
            nlri.len(),
        ];
        let alone = lens.iter().filter(|len| **len > 0).count() == 1;
        assert!(!alone || !lens.contains(&1), "a route that fits in no UPDATE");
        let pieces = |routes: Vec<Nlri>| -> Vec<Vec<Nlri>> {
            let size = if alone { routes.len().div_ceil(2) } else { routes.len() };
            routes.chunks(size.max(1)).map(<[Nlri]>::to_vec).collect()
        };
        let mut parts = Vec::new();
        for withdrawn in pieces(withdrawn) {
            parts.push(Self { withdrawn, ..withdrawing.clone() });
        }
        if let Some((family, routes)) = unreach {
            let each = pieces(routes).into_iter().map(|routes| Some((family, routes)));
            parts.extend(each.map(|unreach| Self { unreach, ..withdrawing.clone() }));
        }
        if let Some((family, next_hop, routes)) = reach {
            let each = pieces(routes).into_iter().map(|routes| Some((family, next_hop.clone(), routes)));
            parts.extend(each.map(|reach| Self { reach, ..announcing.clone() }));
        }
        for nlri in pieces(nlri) {
            parts.push(Self { nlri, ..announcing.clone() });
        }
        parts.into_iter().flat_map(|part| part.fitting(longest)).collect()
    }
}

fn wire(routes: &[Nlri]) -> Vec<u8> {
    routes.iter().flat_map(|route| route.wire.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;
    use crate::router::nlri::{Style, nth};

    /// What does not fit is sent in parts: each fits, withdrawals come first, no route is lost.
    #[test]
    fn parts_fit_and_lose_nothing() {
        let mut rng = Rng::new(1, 1);
        let mut routes = |family, count: usize| -> Vec<Nlri> {
            let style = Style { withdrawn: false, tidy: false };
            (0..count).map(|n| nth(&mut rng, family, n, None, style)).collect()
        };
        for n in 0..20 {
            let update = Update {
                withdrawn: routes((1, 1), n * 3),
                unreach: Some(((2, 1), routes((2, 1), n))),
                reach: Some(((1, 128), vec![0; 12], routes((1, 128), n * 2))),
                nlri: routes((1, 1), n),
                ..Update::default()
            };
            let mut whole = Update {
                unreach: Some(((2, 1), vec![])),
                reach: Some(((1, 128), vec![0; 12], vec![])),
                ..Update::default()
            };
            let mut announced = false;
            for (part, pdu) in update.clone().fitting(100) {
                assert!(pdu.len() <= 100, "{} octets", pdu.len());
                announced |= part.reach.is_some() || !part.nlri.is_empty();
                assert!(!announced || n < 2 || (part.withdrawn.is_empty() && part.unreach.is_none()), "{n}");
                whole.withdrawn.extend(part.withdrawn);
                whole.nlri.extend(part.nlri);
                if let (Some(all), Some(unreach)) = (&mut whole.unreach, part.unreach) {
                    all.1.extend(unreach.1);
                }
                if let (Some(all), Some(reach)) = (&mut whole.reach, part.reach) {
                    all.2.extend(reach.2);
                }
            }
            assert_eq!(whole.pdu(65_535), update.pdu(65_535), "{n}");
        }
    }
}
