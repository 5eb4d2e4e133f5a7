//! Statistics of our own, for peers whose router sends none: how many routes each of their tables has.
//!
//! A report goes into the logs once, like everything else. Nobody is told an old one: the next comes soon.

use rib::Time;
use wire::bgp::View;
use wire::bmp::{self, PeerHeader, StatKind, Tlv};

use crate::peer::Peer;
use crate::take::{micros, seconds};
use crate::{Logs, Mirror, RouterId, at};

/// Octets of a report, at most: the headers, a total, and a line for each family there is.
const REPORT_MAX: usize = 64 + 16 * 32;

impl Mirror {
    /// Reports how many routes the tables of a router's peers have, for each peer that is up and of which the
    /// router itself has reported nothing. Gives how many reports that made.
    pub fn report(&mut self, now: Time, router: RouterId, logs: &mut impl Logs) -> usize {
        let Self { routers, feeds, rib, .. } = self;
        let router = &routers[router.0 as usize];
        let mut reports = 0;
        for peer in router.peers.iter().flatten() {
            // Who has not been told that it is up has nothing to count.
            if !peer.statistics.is_empty() || peer.incarnation.ups.is_empty() {
                continue;
            }
            for view in View::ALL {
                let Some((message, len)) = report(peer, view, now, |column| rib.paths(column) as u64) else {
                    continue;
                };
                reports += 1;
                for &feed in &router.feeds {
                    if at(feeds, feed.0).want.view(&peer.incarnation, Some(view)) {
                        logs.append(feed, &message[..len]);
                    }
                }
            }
        }
        reports
    }
}

/// The report of one view, if the peer has tables of it.
fn report(
    peer: &Peer,
    view: View,
    now: Time,
    paths: impl Fn(rib::ColumnId) -> u64,
) -> Option<([u8; REPORT_MAX], usize)> {
    let tables = peer.tables.iter().filter(|table| table.view == view);
    let counts: Vec<_> = tables.map(|table| (table.family, paths(table.column))).collect();
    if counts.is_empty() {
        return None;
    }
    let (all, each) = kinds(view);
    let total = counts.iter().map(|(_, paths)| paths).sum::<u64>().to_be_bytes();
    let families: Vec<[u8; 11]> = counts.iter().map(|(family, paths)| gauge(*family, *paths)).collect();
    let mut stats = vec![Tlv { kind: all.0, value: &total }];
    stats.extend(families.iter().map(|value| Tlv { kind: each.0, value }));
    let header = PeerHeader { seconds: seconds(now).into(), micros: micros(now).into(), ..peer.header(view) };
    let mut message = [0; REPORT_MAX];
    let len = bmp::statistics(&mut message, &header, &stats).expect("there are no more families than that");
    Some((message, len))
}

/// What counts the routes of a view: in all, and of one family (RFC 7854 §4.8, RFC 8671 §6.2).
fn kinds(view: View) -> (StatKind, StatKind) {
    match view {
        // Whether before or after policy says the header.
        View::AdjRibInPre | View::AdjRibInPost => (StatKind(7), StatKind(9)),
        View::LocRib => (StatKind(8), StatKind(10)),
        View::AdjRibOutPre => (StatKind(14), StatKind(16)),
        View::AdjRibOutPost => (StatKind(15), StatKind(17)),
    }
}

fn gauge(family: wire::Family, paths: u64) -> [u8; 11] {
    let mut value = [0; 11];
    value[..2].copy_from_slice(&family.afi.to_be_bytes());
    value[2] = family.safi;
    value[3..].copy_from_slice(&paths.to_be_bytes());
    value
}
