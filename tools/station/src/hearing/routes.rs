//! What an UPDATE does to tables.

use wire::Error;
use wire::bgp::{Action, Dialect, Part, View};
use wire::bmp::RouteMonitoring;
use wire::nlri::Routes;

use super::Hearing;
use crate::rules::Rule;
use crate::table::{Ahead, Put};

/// Octets of an UPDATE between peers that have not agreed on more.
const UPDATE_MAX: usize = 4096;

/// Room to put attributes together in, which grows to what the longest UPDATE needs.
#[derive(Default)]
pub(super) struct Scratch {
    block: Vec<u8>,
    set: Vec<u8>,
    ahead: Ahead,
}

impl Hearing {
    pub(super) fn route_monitoring(&mut self, monitoring: &RouteMonitoring<'_>) -> Result<(), Error> {
        let header = monitoring.peer;
        let Some(dialect) = self.speaks(header) else { return Ok(()) };
        let len = monitoring.pdu.bytes().len();
        if len > UPDATE_MAX && !dialect.extended_message {
            self.breach(Rule::UpdateLength, 0, || {
                format!("{header}: an UPDATE of {len} octets, expected at most {UPDATE_MAX}")
            });
        }
        let update = monitoring.update()?;
        let Some(view) = header.view() else {
            self.counts.untold += 1;
            return Ok(());
        };
        if self.demands.times {
            self.check_time(monitoring, view);
        }
        if let Some(family) = update.end_of_rib() {
            self.counts.end_of_ribs += 1;
            if family.framing().is_some()
                && let Some(peer) = self.peer(header)
            {
                peer.table(view, family).is_complete = true;
            }
            return Ok(());
        }
        // Everything is read before anything is done.
        let mut parts: [Option<(Part<'_>, Routes<'_>)>; 4] = [None; 4];
        let mut untold = false;
        for (slot, part) in parts.iter_mut().zip(update.parts()) {
            *slot = told(&part, &dialect, view)?.map(|routes| (part, routes));
            untold |= slot.is_none();
        }
        self.counts.untold += u64::from(untold);
        let (mut backwards, mut twice, mut full) = (None, None, 0);
        let mut paths = self.counts.paths;
        let Some(peer) = self.peers.get_mut(&header.identity()) else { return Ok(()) };
        for (part, routes) in parts.into_iter().flatten() {
            let table = peer.table(view, part.family);
            if part.action == Action::Withdraw {
                self.counts.withdrawn += routes.len() as u64;
                let were_there = table.take(routes, &mut self.scratch.ahead);
                paths -= were_there;
                self.counts.withdrawn_absent += routes.len() as u64 - were_there;
                continue;
            }
            self.counts.announced += routes.len() as u64;
            let Scratch { block, set, ahead } = &mut self.scratch;
            if block.len() < len {
                block.resize(len, 0);
            }
            let block =
                update.block(&part, block).unwrap_or_else(|e| unreachable!("as long as the message: {e}"));
            let set = self.pool.intern(header, block, monitoring.trailing, set);
            let Put { new, left_out, newest } = table.put(routes, &set, self.pool.has_room(), ahead);
            paths += new;
            if self.demands.versions && newest > set.version {
                // A path without a version promises nothing.
                backwards = backwards.or(newest.zip(set.version));
            }
            self.counts.paths_left_out += left_out;
            full += left_out;
            twice = twice.or(set.twice);
        }
        let before = std::mem::replace(&mut self.counts.paths, paths);
        self.pool.add_paths(usize::try_from(paths.saturating_sub(before)).unwrap_or_default());
        self.pool.remove_paths(usize::try_from(before.saturating_sub(paths)).unwrap_or_default());
        if let Some((old, new)) = backwards {
            self.breach(Rule::Backwards, 0, || format!("{header}: version {new} behind {old}"));
        }
        if let Some(kind) = twice {
            self.breach(Rule::Malformed, 0, || format!("{header}: attribute {kind} twice"));
        }
        if full > 0 {
            let most = self.pool.paths_max();
            self.breach(Rule::PathsMax, 0, || format!("{header}: {full} paths left out, there are {most}"));
        }
        Ok(())
    }

    /// Timestamps do not fall. One of 0 is not known.
    fn check_time(&mut self, monitoring: &RouteMonitoring<'_>, view: View) {
        let header = monitoring.peer;
        let time = u64::from(header.seconds.get()) * 1_000_000 + u64::from(header.micros.get());
        let (Some(at), Some(peer)) = (View::ALL.iter().position(|of| *of == view), self.peer(header)) else {
            return;
        };
        let newest = peer.times[at];
        peer.times[at] = newest.max(time);
        if time != 0 && time < newest {
            self.breach(Rule::Backwards, 0, || {
                format!("{header} {}: {} microseconds before an earlier message", view.name(), newest - time)
            });
        }
    }
}

/// The routes of a part; `None` if nobody here can take its family apart.
fn told<'a>(part: &Part<'a>, dialect: &Dialect, view: View) -> Result<Option<Routes<'a>>, Error> {
    match part.family.framing() {
        Some(_) => part.routes(dialect, view).map(Some),
        None => Ok(None),
    }
}
