//! Tables: TABLE_DUMP_V2, TABLE_DUMP, and the entries of BGP4MP that hardly anybody wrote.

use wire::Family;
use wire::bmp::DownReason;
use wire::mrt::{BgpEntry, NLRI_LEN, PATH_GROWTH, Path, PeerTable, Rib, TableDump};
use wire::nlri::{Entry, PathId};

use super::life::NO_EVENT;
use super::pack::Share;
use super::peers::PeerId;
use super::survey::is_stack;
use super::{Input, Router, Skip, Stamp};

/// Octets of the attributes of an entry, as they are passed on.
const BLOCK_MAX: usize = u16::MAX as usize + PATH_GROWTH;

/// A route of a table, and whose.
struct Found<'a> {
    peer: PeerId,
    family: Family,
    route: &'a Entry<'a>,
    path_id: Option<PathId>,
    /// When the peer announced it.
    originated: Stamp,
    path: Path<'a>,
}

impl Router {
    /// A table begins.
    pub(super) fn index(&mut self, input: Input, time: Stamp, table: &PeerTable<'_>, out: &mut Vec<u8>) {
        if self.source(input).in_table {
            self.end_table(input, out);
        }
        let again = !self.source(input).views.insert(table.view_name.to_vec());
        let ids = self.known(table);
        let mut index = Vec::with_capacity(ids.len());
        for (id, peer) in ids.into_iter().zip(table.peers()) {
            let wanted = self.filter.peer(peer.ip, peer.asn);
            index.push(wanted.then_some(id));
            if !wanted {
                continue;
            }
            if again {
                self.peer_down(id, time, DownReason::LOCAL_NO_NOTIFICATION, &NO_EVENT, out);
            }
            if self.peers.get(id).up.is_none() {
                self.peer_up(id, time, out);
            }
        }
        let source = self.source(input);
        source.dumped = index.iter().flatten().copied().collect();
        (source.index, source.in_table) = (index, true);
    }

    /// And ends.
    pub(super) fn end_table(&mut self, input: Input, out: &mut Vec<u8>) {
        self.flush(out);
        let source = self.source(input);
        (source.in_table, source.last) = (false, None);
        let (dumped, families) = (std::mem::take(&mut source.dumped), std::mem::take(&mut source.families));
        let time = source.time;
        for id in dumped {
            for family in &families {
                self.end_of_rib(id, *family, time, out);
            }
        }
    }

    pub(super) fn rib(
        &mut self,
        input: Input,
        time: Stamp,
        rib: &Rib<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Skip> {
        if !self.filter.family(rib.family) || !self.filter.route(rib.family, &rib.nlri.key()) {
            return Err(Skip::Filtered);
        }
        self.begin(input, rib.family, true);
        let (mut told, mut why) = (0, None);
        for entry in rib.entries() {
            let found = match self.source(input).index.get(usize::from(entry.peer.0)) {
                None => Err(Skip::UnknownPeer),
                Some(None) => Err(Skip::Filtered),
                Some(Some(peer)) => Ok(*peer),
            };
            let found = found.and_then(|peer| Ok((peer, entry.path().map_err(|_| Skip::Attributes)?)));
            match found {
                Ok((peer, path)) => {
                    told += 1;
                    let originated = originated(entry.originated, time);
                    let (family, path_id) = (rib.family, entry.path_id);
                    let found = Found { peer, family, route: &rib.nlri, path_id, originated, path };
                    self.route(time, &found, out);
                }
                Err(one) => {
                    self.counts.skip_entry(one);
                    why = Some(one);
                }
            }
        }
        match (told, why) {
            (0, None | Some(Skip::UnknownPeer | Skip::Attributes)) => Err(Skip::NoEntry),
            (0, Some(why)) => Err(why),
            _ => Ok(()),
        }
    }

    pub(super) fn table_dump(
        &mut self,
        input: Input,
        time: Stamp,
        dump: &TableDump<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Skip> {
        let mut scratch = [0; NLRI_LEN];
        let route = dump.nlri(&mut scratch);
        let asn = dump.peer_as.into();
        let wanted = self.filter.peer(dump.peer_ip, asn) && self.filter.family(dump.family);
        if !wanted || !self.filter.route(dump.family, &route.key()) {
            return Err(Skip::Filtered);
        }
        let path = dump.path().map_err(|_| Skip::Attributes)?;
        let next =
            self.source(input).last.replace((dump.prefix, dump.bits)) != Some((dump.prefix, dump.bits));
        self.begin(input, dump.family, next);
        let peer = self.peers.find(dump.peer_ip, asn, 0);
        self.source(input).dumped.insert(peer);
        self.peers.get_mut(peer).two_octets = true;
        let originated = originated(dump.originated, time);
        let found = Found { peer, family: dump.family, route: &route, path_id: None, originated, path };
        self.route(time, &found, out);
        Ok(())
    }

    pub(super) fn entry(
        &mut self,
        input: Input,
        time: Stamp,
        entry: &BgpEntry<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Skip> {
        let wanted = self.filter.peer(entry.session.peer_ip, entry.session.peer_as)
            && self.filter.family(entry.family)
            && self.filter.route(entry.family, &entry.nlri.key());
        if !wanted {
            return Err(Skip::Filtered);
        }
        let path = entry.path().map_err(|_| Skip::Attributes)?;
        self.begin(input, entry.family, true);
        let peer = self.session(&entry.session);
        self.source(input).dumped.insert(peer);
        self.peers.get_mut(peer).two_octets = true;
        let originated = originated(entry.changed, time);
        let found = Found { peer, family: entry.family, route: &entry.nlri, path_id: None, originated, path };
        self.route(time, &found, out);
        Ok(())
    }

    /// A record of a table begins; whether it is about another route than the one before.
    fn begin(&mut self, input: Input, family: Family, next: bool) {
        self.turn += u64::from(next);
        let source = self.source(input);
        source.in_table = true;
        if !source.families.contains(&family) {
            source.families.push(family);
        }
    }

    /// A path of a peer, to be packed with others.
    fn route(&mut self, time: Stamp, found: &Found<'_>, out: &mut Vec<u8>) {
        let Found { peer: id, family, route, originated, path, .. } = found;
        let peer = self.peers.get_mut(*id);
        let need = peer.need(*family);
        need.in_table |= found.path_id.is_some();
        let stack = is_stack(*family, route.bytes());
        need.stack |= stack;
        let path_ids = self.ready(*id, time, *family, out);
        let path_id = if path_ids { Some(found.path_id.unwrap_or(PathId(0))) } else { None };
        self.counts.path_ids_made += u64::from(path_ids && found.path_id.is_none());
        let turn = self.turn;
        let peer = self.peers.get_mut(*id);
        // The same route a second time: the last one counts, so the first has to leave before it.
        let twice = found.path_id.is_none() && std::mem::replace(&mut peer.turn, turn) == turn;
        if twice || self.pack.is_full() {
            self.flush(out);
        }
        let share = Share {
            peer: *id,
            family: *family,
            time: *originated,
            four_octets: path.four_octet_as,
            path_ids,
            stack,
        };
        // The packer keeps a copy: what stands in the record is lent, what does not is put together here.
        let mut block = std::mem::take(&mut self.block);
        block.resize(BLOCK_MAX, 0);
        match path.block(&mut block) {
            Ok(block) => {
                self.pack.add(share, block, path_id, route.bytes());
                self.peers.get_mut(*id).pending += 1;
            }
            Err(_) => self.counts.skip_entry(Skip::TooLong),
        }
        self.block = block;
    }
}

/// When a route was announced: as the table says, or at the time of its record where it does not.
fn originated(seconds: u32, time: Stamp) -> Stamp {
    if seconds == 0 { time } else { Stamp { seconds, micros: 0 } }
}
