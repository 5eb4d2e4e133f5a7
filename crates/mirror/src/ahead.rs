//! Looking ahead in a run of messages: the RIB is told what comes, so that it waits once for many routes
//! and not for each of them. Nothing is decided here: what was seen wrongly costs a look, no more.

use wire::bgp::Action;
use wire::bmp::Frame;

use rib::Shared;

use crate::{Mirror, RouterId};

/// Messages that are looked at ahead.
const MESSAGES: usize = 32;

impl Mirror {
    /// Looks at the first messages of these octets. Gives how many.
    pub(crate) fn look_ahead(&mut self, id: RouterId, octets: &[u8]) -> usize {
        let Self { rib, routers, scratch, .. } = self;
        let router = &routers[id.0 as usize];
        let (mut seen, mut rest) = (0, octets);
        'messages: while seen < MESSAGES {
            let Ok(Some((frame, tail))) = Frame::split(rest) else { break };
            (seen, rest) = (seen + 1, tail);
            let Ok(Some(monitoring)) = frame.route_monitoring() else { continue };
            let identity = monitoring.peer.identity();
            let last = router.peers.get(router.last).and_then(Option::as_ref);
            let peer = last.filter(|peer| peer.identity == identity).or_else(|| {
                let place = router.places.get(&identity)?;
                router.peers[*place].as_ref()
            });
            let (Some(peer), Some(view), Ok(update)) = (peer, monitoring.peer.view(), monitoring.update())
            else {
                continue;
            };
            for part in update.parts() {
                let Some(column) = peer.table(view, part.family) else { continue };
                let Ok(routes) = part.routes(&peer.dialect, view) else { continue };
                // A block that would have to be put together first is not worth a look.
                let plain = part.action == Action::Announce && !part.multiprotocol;
                let block = if plain { update.block(&part, scratch).ok() } else { None };
                let two_octet_as = !monitoring.peer.four_octet_as();
                let shared = block.map(|block| Shared { block, trailing: monitoring.trailing, two_octet_as });
                if !rib.expect(column, routes, shared.as_ref()) {
                    break 'messages;
                }
            }
        }
        rib.look_ahead();
        seen.max(1)
    }
}
