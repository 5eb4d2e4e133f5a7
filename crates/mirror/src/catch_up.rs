//! Catching up: what a server does not know yet, in pieces, until the log can take over.
//!
//! ```text
//!  round:  epoch ends ─► Initiation ─► Peer Downs ─► Peer Ups ─► each peer: tables, ends, statistics, losses
//!            ▲                                                                        │
//!            └──── something else was done in between ◄───────────────────────────────┤
//!                                                                                     ▼
//!                        the round began and ended in one call: all is told, the log takes over here
//! ```
//!
//! A first dump, a slow server and a reconnect are this. They differ in what is known at the beginning.
//!
//! * **told**   which life of which peer the server knows, and up to which epoch. A round tells what is
//!   newer, and where it began is what its peers are known up to.
//! * **lives**  a peer of which another life is known than the one it has goes down and comes up: so a flap
//!   that nobody saw is still a flap, and the routes of one life are never those of another.
//! * **whole**  pieces are whole messages.
//! * **small**  beside the peers there is a cursor, whatever the size of the tables.

use std::sync::Arc;

use rib::{Cursor, Epoch, Rib, Time, Walked};
use wire::Family;
use wire::bgp::{View, end_of_rib};
use wire::bmp::{DownReason, PeerHeader, PeerKind, RouteMirroring, route_mirroring, route_monitoring_with};

use crate::peer::{End, Incarnation, Peer, Table};
use crate::session::Event;
use crate::take::{micros, peer_down, seconds};
use crate::{Mirror, Router, Seen, SessionId, Want, at, at_mut, initiation};

/// The longest message that is kept to be told again.
pub(crate) const KEPT_MAX: usize = 64 << 10;

/// The least that a piece must hold: every message of a catch-up fits.
pub const PIECE_MIN: usize = rib::ROOM_MIN;

const _: () = assert!(PIECE_MIN >= KEPT_MAX);

/// How a call of [`Mirror::fill`] ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// The piece is full, and there is more.
    Full,
    /// The work that was allowed is done, and there is more.
    Spent,
    /// There is more, but too many others are sorting: see [`Mirror::rest`].
    Waiting,
    /// With this piece the server knows all there is. The session is live: its log goes on from here.
    CaughtUp,
}

/// What a call of [`Mirror::fill`] has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Filled {
    /// Octets written: whole messages.
    pub len: usize,
    /// Routes in them.
    pub routes: usize,
    /// Peers of which something cannot be told: routes of unknown families, for one.
    pub untold: usize,
    /// And how it ended.
    pub progress: Progress,
}

/// What a server knows of a peer.
#[derive(Debug)]
struct Told {
    incarnation: Arc<Incarnation>,
    /// How many of its Peer Ups.
    ups: usize,
    since: Epoch,
}

/// What comes next in a round.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Begin,
    Initiation,
    /// By place.
    Downs(usize),
    /// By place, Loc-RIBs in a second pass: a station reads the router's address out of the first Peer Up.
    Ups(usize, bool),
    Peer(usize, Part),
}

/// What comes next of a peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    Tables(usize, Cursor),
    /// Of a first dump, table by table.
    OwnEnds(usize),
    /// Those that the router said. Both only grow, each by itself.
    Ends(usize),
    Statistics(usize),
    Mirroring,
}

const TABLES: Part = Part::Tables(0, Cursor::BEGIN);

#[derive(Debug)]
pub(crate) struct CatchUp {
    /// Whether the server knew nothing, and knows nothing whole yet.
    first: bool,
    /// Up to where the router's own messages are known.
    since: Epoch,
    /// Where the round began.
    round: Epoch,
    /// The least epoch after which the server may be owed the word of a route that is gone.
    owed_from: Epoch,
    phase: Phase,
    /// By place.
    told: Vec<Option<Told>>,
    routes: usize,
    untold: usize,
}

impl CatchUp {
    /// Of a server that knows nothing.
    pub(crate) fn first() -> Self {
        Self {
            first: true,
            since: Epoch::NOTHING,
            round: Epoch::NOTHING,
            owed_from: Epoch(u64::MAX),
            phase: Phase::Begin,
            told: Vec::new(),
            routes: 0,
            untold: 0,
        }
    }

    /// Of one that knows what was seen.
    pub(crate) fn after(seen: &Seen, want: &Want) -> Self {
        let mut catch_up = Self { first: false, since: seen.epoch, ..Self::first() };
        for (place, incarnation) in seen.roll.iter().filter(|(_, incarnation)| want.peer(incarnation)) {
            let (incarnation, ups) = (incarnation.clone(), incarnation.ups.len());
            *catch_up.place(place) = Some(Told { incarnation, ups, since: seen.epoch });
            catch_up.owed_from = seen.epoch;
        }
        catch_up
    }

    fn place(&mut self, place: usize) -> &mut Option<Told> {
        if self.told.len() <= place {
            self.told.resize_with(place + 1, || None);
        }
        &mut self.told[place]
    }

    /// The least epoch after which the server may be owed the word of a route that is gone: looked for once
    /// a round, since it only grows.
    pub(crate) fn owed_from(&self) -> Epoch {
        self.owed_from
    }

    /// A round begins: those who know nothing are owed what goes from here on.
    fn begin(&mut self, round: Epoch) {
        let since = self.told.iter().flatten().map(|told| told.since);
        self.owed_from = since.filter(|since| *since != Epoch::NOTHING).fold(round, Epoch::min);
        (self.round, self.phase) = (round, Phase::Initiation);
    }

    /// Lets others sort.
    pub(crate) fn rest(&mut self, rib: &mut Rib) {
        if let Phase::Peer(_, Part::Tables(_, cursor)) = &mut self.phase {
            rib.rest(cursor);
        }
    }

    pub(crate) fn memory(&self) -> usize {
        size_of::<Self>() + self.told.capacity() * size_of::<Option<Told>>()
    }
}

/// A piece being filled.
struct Piece<'a> {
    buffer: &'a mut [u8],
    len: usize,
}

impl Piece<'_> {
    fn put(&mut self, message: &[u8]) -> Result<(), Progress> {
        let room = self.buffer.get_mut(self.len..self.len + message.len()).ok_or(Progress::Full)?;
        room.copy_from_slice(message);
        self.len += message.len();
        Ok(())
    }
}

impl Mirror {
    /// Writes what a session that is catching up does not know, as far as the piece and the work allow,
    /// of which what was done is taken.
    /// A piece of [`PIECE_MIN`] octets has room for the next message in any case.
    ///
    /// # Panics
    /// If the session is not catching up.
    pub fn fill(&mut self, id: SessionId, now: Time, piece: &mut [u8], work: &mut usize) -> Filled {
        let mut piece = Piece { buffer: piece, len: 0 };
        let session = at_mut(&mut self.sessions, id.0);
        let mut catch_up = session.catch_up.take().expect("a session that is catching up");
        let before = catch_up.routes;
        let mut began_here = false;
        let progress = loop {
            if catch_up.phase == Phase::Begin {
                self.epoch = self.rib.tick(now);
                catch_up.begin(self.epoch);
                began_here = true;
            }
            if let Err(progress) = self.round(id, now, &mut catch_up, &mut piece, work) {
                break progress;
            }
            let Mirror { rib, sessions, routers, .. } = self;
            let router = &routers[at(sessions, id.0).router.0 as usize];
            for (place, told) in catch_up.told.iter_mut().enumerate() {
                // One of which something was lost while it was told stays where it was: the next round
                // finds that it cannot be taken further.
                if let Some(told) = told.as_mut().filter(|told| can_tell(rib, router, place, told)) {
                    told.since = catch_up.round;
                }
            }
            (catch_up.first, catch_up.since, catch_up.phase) = (false, catch_up.round, Phase::Begin);
            if began_here {
                break Progress::CaughtUp;
            }
        };
        let filled = Filled {
            len: piece.len,
            routes: catch_up.routes - before,
            untold: std::mem::take(&mut catch_up.untold),
            progress,
        };
        let session = at_mut(&mut self.sessions, id.0);
        match progress {
            Progress::CaughtUp => session.on(Event::CaughtUp),
            Progress::Full | Progress::Spent | Progress::Waiting => session.catch_up = Some(catch_up),
        }
        filled
    }

    /// A session that cannot go on for now lets others sort.
    pub fn rest(&mut self, id: SessionId) {
        if let Some(catch_up) = &mut at_mut(&mut self.sessions, id.0).catch_up {
            catch_up.rest(&mut self.rib);
        }
    }

    /// The rest of a round.
    fn round(
        &mut self,
        id: SessionId,
        now: Time,
        catch_up: &mut CatchUp,
        piece: &mut Piece<'_>,
        work: &mut usize,
    ) -> Result<(), Progress> {
        let Mirror { rib, routers, feeds, sessions, settings, scratch, .. } = self;
        let session = at(sessions, id.0);
        let router = &routers[session.router.0 as usize];
        let want = &*at(feeds, session.feed.0).want;
        loop {
            catch_up.phase = match catch_up.phase {
                Phase::Begin => return Ok(()),
                Phase::Initiation => {
                    match &router.initiation {
                        Some(latest) if latest.epoch > catch_up.since => piece.put(&latest.message)?,
                        None if catch_up.since == Epoch::NOTHING => {
                            let len = initiation(scratch, &router.name, &settings.description);
                            piece.put(&scratch[..len])?;
                        }
                        _ => {}
                    }
                    Phase::Downs(0)
                }
                Phase::Downs(place) => {
                    let Some(told) = catch_up.told.get(place) else {
                        catch_up.phase = Phase::Ups(0, false);
                        continue;
                    };
                    if let Some(told) = told
                        && !can_tell(rib, router, place, told)
                    {
                        match told.incarnation.down() {
                            Some(down) if !down.is_empty() => piece.put(down)?,
                            _ => piece.put(&peer_down(&told.incarnation, DownReason::REMOTE_NO_DATA, now))?,
                        }
                        catch_up.told[place] = None;
                    }
                    Phase::Downs(place + 1)
                }
                Phase::Ups(place, local) if place < router.peers.len() => {
                    tell_up(router, want, catch_up, place, local, piece)?;
                    Phase::Ups(place + 1, local)
                }
                Phase::Ups(_, false) => Phase::Ups(0, true),
                Phase::Ups(_, true) => Phase::Peer(0, TABLES),
                Phase::Peer(place, part) => {
                    let Some(told) = catch_up.told.get_mut(place) else { return Ok(()) };
                    let current = told.as_mut().and_then(|told| Some((current(router, place, told)?, told)));
                    let Some((peer, told)) = current else {
                        catch_up.rest(rib);
                        catch_up.phase = Phase::Peer(place + 1, TABLES);
                        continue;
                    };
                    // One that came meanwhile may say how the routes of a new table are to be read.
                    tell_ups(peer, told, piece)?;
                    let mut telling = Telling {
                        want,
                        peer,
                        since: told.since,
                        first: catch_up.first,
                        now,
                        piece,
                        work,
                        routes: 0,
                        unsendable: false,
                    };
                    let next = telling.part(rib, part);
                    catch_up.routes += telling.routes;
                    catch_up.untold += usize::from(telling.unsendable);
                    match next {
                        Ok(Some(part)) => Phase::Peer(place, part),
                        Ok(None) => {
                            catch_up.untold += usize::from(peer.untold > told.since);
                            Phase::Peer(place + 1, TABLES)
                        }
                        Err((part, progress)) => {
                            catch_up.phase = Phase::Peer(place, part);
                            return Err(progress);
                        }
                    }
                }
            };
        }
    }
}

/// The peer that is at a place, if it is still in the life that was told.
fn current<'a>(router: &'a Router, place: usize, told: &Told) -> Option<&'a Peer> {
    let peer = router.peers.get(place)?.as_ref()?;
    peer.incarnation.same_life(&told.incarnation).then_some(peer)
}

/// Whether what is told of a peer can be taken further: it is in the same life, and all that has changed in
/// its tables can still be told.
fn can_tell(rib: &Rib, router: &Router, place: usize, told: &Told) -> bool {
    let can_tell = |table: &Table| rib.can_tell(table.column, told.since);
    current(router, place, told).is_some_and(|peer| peer.tables.iter().all(can_tell))
}

/// That a peer is up.
fn tell_up(
    router: &Router,
    want: &Want,
    catch_up: &mut CatchUp,
    place: usize,
    local: bool,
    piece: &mut Piece<'_>,
) -> Result<(), Progress> {
    let Some(peer) = &router.peers[place] else { return Ok(()) };
    if (peer.identity.kind == PeerKind::LOC_RIB) != local || !want.peer(&peer.incarnation) {
        return Ok(());
    }
    let slot = catch_up.place(place);
    let mut told = slot.take().unwrap_or_else(|| Told {
        incarnation: peer.incarnation.clone(),
        ups: 0,
        since: Epoch::NOTHING,
    });
    // Another life than the one that is known is the next round's business.
    let same = told.incarnation.same_life(&peer.incarnation);
    let done = if same { tell_ups(peer, &mut told, piece) } else { Ok(()) };
    // One whose first Peer Up had no room may be gone before there is room, and is not known then.
    *slot = (told.ups > 0 || told.incarnation.ups.is_empty()).then_some(told);
    done
}

/// The Peer Ups of a life that are not known.
fn tell_ups(peer: &Peer, told: &mut Told, piece: &mut Piece<'_>) -> Result<(), Progress> {
    while let Some(up) = peer.incarnation.ups.get(told.ups) {
        piece.put(up)?;
        told.ups += 1;
    }
    Ok(())
}

/// What telling a peer takes.
struct Telling<'a, 'p, 'b> {
    want: &'a Want,
    peer: &'a Peer,
    since: Epoch,
    first: bool,
    now: Time,
    piece: &'p mut Piece<'b>,
    work: &'p mut usize,
    routes: usize,
    /// Whether a route was too long for any message.
    unsendable: bool,
}

impl Telling<'_, '_, '_> {
    /// Tells one part, or the rest of it; gives the next one, if there is one.
    fn part(&mut self, rib: &mut Rib, part: Part) -> Result<Option<Part>, (Part, Progress)> {
        let stay = |progress| (part, progress);
        Ok(Some(match part {
            Part::Tables(at, cursor) => match self.peer.tables.get(at) {
                None => Part::OwnEnds(0),
                Some(table) => self.table(rib, at, table, cursor)?,
            },
            Part::OwnEnds(at) => match self.peer.tables.get(at).filter(|_| self.first) {
                None => Part::Ends(0),
                Some(Table { view, family, .. }) => {
                    // Those that the router ended come below.
                    let said = |end: &End| (end.view, end.family) == (*view, *family);
                    if !self.peer.ends.iter().any(said) {
                        self.end(*view, *family).map_err(stay)?;
                    }
                    Part::OwnEnds(at + 1)
                }
            },
            Part::Ends(at) => match self.peer.ends.get(at) {
                None => Part::Statistics(0),
                Some(End { view, family, epoch }) => {
                    if *epoch > self.since {
                        self.end(*view, *family).map_err(stay)?;
                    }
                    Part::Ends(at + 1)
                }
            },
            Part::Statistics(at) => match self.peer.statistics.get(at) {
                None => Part::Mirroring,
                Some((flags, latest)) => {
                    let view =
                        PeerHeader { flags: wire::bmp::PeerFlags(*flags), ..self.peer.incarnation.header }
                            .view();
                    if latest.epoch > self.since && self.want.view(&self.peer.incarnation, view) {
                        self.piece.put(&latest.message).map_err(stay)?;
                    }
                    Part::Statistics(at + 1)
                }
            },
            Part::Mirroring => {
                if let Some((header, epoch)) = self.peer.mirrored
                    && self.since != Epoch::NOTHING
                    && epoch > self.since
                    && self.want.mirroring
                {
                    let mut message = [0; 128];
                    let lost = [RouteMirroring::MESSAGES_LOST];
                    let len = route_mirroring(&mut message, &self.timed(header), &lost, None);
                    self.piece.put(&message[..len.expect("less than a hundred octets")]).map_err(stay)?;
                }
                return Ok(None);
            }
        }))
    }

    /// That the dump of a table has ended, to whoever wants it.
    fn end(&mut self, view: View, family: Family) -> Result<(), Progress> {
        if !self.want.table(&self.peer.incarnation, view, family) {
            return Ok(());
        }
        let header = self.timed(self.peer.header(view));
        let mut message = [0; 128];
        let len = route_monitoring_with(&mut message, &header, |pdu| end_of_rib(pdu, family));
        self.piece.put(&message[..len.expect("less than a hundred octets")])
    }

    fn table(
        &mut self,
        rib: &mut Rib,
        at: usize,
        table: &Table,
        mut cursor: Cursor,
    ) -> Result<Part, (Part, Progress)> {
        let next = Part::Tables(at + 1, Cursor::BEGIN);
        if !self.want.table(&self.peer.incarnation, table.view, table.family) {
            return Ok(next);
        }
        let header = self.peer.header(table.view);
        let room = &mut self.piece.buffer[self.piece.len..];
        let told = rib.walk(table.column, self.since, &mut cursor, &header, room, self.work);
        self.piece.len += told.len;
        self.routes += told.routes;
        self.unsendable |= told.unsendable > 0;
        let progress = match told.walked {
            Walked::All => return Ok(next),
            Walked::Full => Progress::Full,
            Walked::Spent => Progress::Spent,
            Walked::Waiting => Progress::Waiting,
        };
        Err((Part::Tables(at, cursor), progress))
    }

    fn timed(&self, header: PeerHeader) -> PeerHeader {
        PeerHeader { seconds: seconds(self.now).into(), micros: micros(self.now).into(), ..header }
    }
}
