//! The consumer's side of an intake: deficit round robin over the lanes that have work.
//!
//! ```text
//!  ready-list ──► round: [ front ] [ … ] [ back ] ──┐    a visit grants the front one quantum;
//!                            ▲                      │    values pass while their cost is covered
//!                            └── more than covered ─┘
//!                 empty ──► rests, its deficit is forgotten; listed again by the next push
//!                 empty, and the producer gone ──► `Ended`, and its slot is free
//! ```
//!
//! * **fair**   between a value's arrival in an idle lane and its turn, each other lane of the round
//!   passes on at most its quantum and what it saved up, which is less than its next value's cost.
//! * **exact**  a lane is in the round, or on the ready-list, or at rest with an empty ring.
//! * **told**   [`Event::Opened`] comes before all values of a lane, [`Event::Ended`] after, once each.
//!
//! Shreedhar and Varghese, "Efficient fair queuing using deficit round robin", 1995.

use std::collections::VecDeque;
use std::mem;

use super::lanes::{Settings, Shared};
use super::spsc::{Consumer, Rest};
use super::{Cost, Lane};
use crate::sync::{Arc, Ordering};

/// The consumer of all lanes.
pub struct Intake<T> {
    shared: Arc<Shared<T>>,
    quantum: usize,
    /// By the index of a [`Lane`].
    slots: Vec<Slot<T>>,
    /// Slots whose lane has ended.
    free: Vec<usize>,
    /// Lanes with work, in the order of their visits.
    round: VecDeque<usize>,
    /// Whether the front has had its quantum: a budget may end a drain within a visit.
    granted: bool,
}

/// What happened on a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<T> {
    /// It is new.
    Opened,
    /// The next value.
    Value(T),
    /// Its producer has gone, and all values have been seen.
    Ended,
}

/// How a drain went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// What the values cost that were passed on; an opening and an ending cost one.
    pub cost: usize,
    /// Whether work is left. If not, think of sleep.
    pub more: bool,
}

impl<T: Cost> Intake<T> {
    /// Passes on what the lanes have, in order within each and in turn between them, until `budget`
    /// is spent or nothing is left. The last value may overdraw the budget.
    pub fn drain(&mut self, budget: usize, mut visit: impl FnMut(Lane, Event<T>)) -> Drained {
        let mut spent = 0;
        loop {
            self.admit();
            let Some(&index) = self.round.front() else { return Drained { cost: spent, more: false } };
            if spent >= budget {
                return Drained { cost: spent, more: true };
            }
            let slot = &mut self.slots[index];
            let lane = Lane { index, generation: slot.generation };
            if !mem::replace(&mut slot.told, true) {
                spent += 1;
                visit(lane, Event::Opened);
            }
            if !mem::replace(&mut self.granted, true) {
                slot.deficit = slot.deficit.saturating_add(self.quantum);
            }
            match slot.pass_on(self.quantum.saturating_mul(VISITS_MAX), budget, &mut spent, |value| {
                visit(lane, Event::Value(value));
            }) {
                Visit::Unspent => {}
                Visit::Spent => {
                    self.round.rotate_left(1);
                    self.granted = false;
                }
                Visit::Idle => self.leave_round(),
                Visit::Ended => {
                    self.leave_round();
                    self.retire(index);
                    spent += 1;
                    visit(lane, Event::Ended);
                }
            }
        }
    }
}

impl<T> Intake<T> {
    pub(super) fn new(shared: Arc<Shared<T>>, settings: Settings) -> Self {
        let Settings { lanes_max, quantum } = settings;
        Self {
            shared,
            quantum,
            slots: Vec::with_capacity(lanes_max),
            free: Vec::with_capacity(lanes_max),
            round: VecDeque::with_capacity(lanes_max),
            granted: false,
        }
    }

    /// A lane's share of the tables above.
    pub(super) const LANE_MEMORY: usize = size_of::<Slot<T>>() + 2 * size_of::<usize>();

    /// Declares that the consumer sleeps, unless there is work: `true` means that `wake` will be
    /// called for whatever comes, and `false` that something has come. May be asked again after a
    /// sleep that ended by itself; the next [`drain`](Self::drain) takes the declaration back, and a
    /// producer that had already seen it may still call `wake` then.
    #[must_use = "there may be work"]
    pub fn prepare_sleep(&mut self) -> bool {
        self.round.is_empty() && self.shared.ready.sleep()
    }

    /// Lanes that are open, or have something left.
    #[must_use]
    pub fn lanes(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// How many values wait in a lane, by its index: a figure for people.
    #[must_use]
    pub fn waiting(&self, index: usize) -> usize {
        let consumer = self.slots.get(index).and_then(|slot| slot.consumer.as_ref());
        consumer.map_or(0, Consumer::waiting)
    }

    /// Lets the lanes that became ready join the round, at its end.
    #[inline]
    fn admit(&mut self) {
        // Nothing here calls out: a visitor that panics cannot lose a lane between list and round.
        for ring in self.shared.ready.take() {
            let index = ring.link.index().unwrap_or_else(|| {
                let index = self.free.pop().unwrap_or_else(|| {
                    self.slots.push(Slot { consumer: None, deficit: 0, generation: 0, told: false });
                    self.slots.len() - 1
                });
                ring.link.set_index(index);
                self.slots[index].consumer = Some(Consumer::new(ring));
                index
            });
            self.round.push_back(index);
        }
    }

    fn leave_round(&mut self) {
        self.round.pop_front();
        self.granted = false;
    }

    /// Frees the slot of a lane that has ended.
    fn retire(&mut self, index: usize) {
        let generation = self.slots[index].generation.wrapping_add(1);
        self.slots[index] = Slot { consumer: None, deficit: 0, generation, told: false };
        self.free.push(index);
        self.shared.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<T> Drop for Intake<T> {
    /// Every producer notices: those of the lanes in our slots as these are dropped, the others here.
    fn drop(&mut self) {
        for ring in self.shared.ready.close() {
            if ring.link.index().is_none() {
                drop(Consumer::new(ring));
            }
        }
    }
}

/// What the consumer knows of a lane.
struct Slot<T> {
    consumer: Option<Consumer<T>>,
    /// What the lane may pass on, saved up from visits that did not cover its next value.
    deficit: usize,
    generation: u32,
    /// Whether the visitor has heard of it.
    told: bool,
}

/// How a visit ended.
enum Visit {
    /// The drain's budget did not suffice; the visit goes on in the next one.
    Unspent,
    /// The lane has used its quantum, and has more.
    Spent,
    /// It has no more.
    Idle,
    /// It will never have more.
    Ended,
}

impl<T: Cost> Slot<T> {
    #[inline]
    fn pass_on(
        &mut self,
        cost_max: usize,
        budget: usize,
        spent: &mut usize,
        mut visit: impl FnMut(T),
    ) -> Visit {
        let Some(consumer) = &mut self.consumer else { unreachable!("a lane of the round is open") };
        let how = loop {
            if let Some(cost) = consumer.peek().map(|value| value.cost().clamp(1, cost_max)) {
                if *spent >= budget {
                    break Visit::Unspent;
                }
                if cost > self.deficit {
                    break Visit::Spent;
                }
                self.deficit -= cost;
                *spent += cost;
                consumer.take().into_iter().for_each(&mut visit);
            } else {
                match consumer.rest() {
                    Rest::Awake => {}
                    Rest::Resting => break Visit::Idle,
                    Rest::Ended => break Visit::Ended,
                }
            }
        };
        // Once a visit: the producer finds room later, but its cache line is left alone meanwhile.
        consumer.publish();
        if matches!(how, Visit::Idle) {
            self.deficit = 0;
        }
        how
    }
}

/// So many visits, and a value of whatever cost passes: bounds what one can make us do for nothing.
const VISITS_MAX: usize = 64;
