//! Deficit round robin beside its textbook form, and the bound that it is there for.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::super::{Cost, Event, Inlet, Settings, intake};

/// A value: its number within its lane, and what it costs.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Numbered {
    number: usize,
    cost: usize,
}

impl Cost for Numbered {
    fn cost(&self) -> usize {
        self.cost
    }
}

const LANES: usize = 6;
const COST_MAX: usize = 40;
const STEPS_MAX: usize = if cfg!(miri) { 30 } else { 300 };

#[derive(Clone, Debug)]
enum Step {
    Push(usize, Vec<usize>),
    Drain(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let costs = prop::collection::vec(1..=COST_MAX, 1..8);
    prop_oneof![
        3 => (0..LANES, costs).prop_map(|(lane, costs)| Step::Push(lane, costs)),
        2 => (0..200_usize).prop_map(Step::Drain),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 8 } else { 1000 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_round_agrees_with_its_twin(
        quantum in 1..60_usize,
        steps in prop::collection::vec(step(), 0..STEPS_MAX),
    ) {
        let (gate, mut intake) = intake(Settings { lanes_max: LANES, quantum }, || ());
        let mut inlets: Vec<Inlet<Numbered>> = (0..LANES).map(|_| gate.open(16).unwrap()).collect();
        intake.drain(usize::MAX, |_, _| {});
        let mut twin = Twin { quantum, ..Twin::default() };
        let mut pushed = [0; LANES];
        let flush = Step::Drain(usize::MAX);
        for step in steps.iter().chain([&flush]) {
            match step {
                Step::Push(lane, costs) => {
                    for cost in costs {
                        let value = Numbered { number: pushed[*lane], cost: *cost };
                        if inlets[*lane].push(value).is_ok() {
                            twin.push(*lane, value);
                            pushed[*lane] += 1;
                        }
                    }
                }
                Step::Drain(budget) => {
                    let mut seen = Vec::new();
                    let drained = intake.drain(*budget, |lane, event| match event {
                        Event::Value(value) => seen.push((lane.index(), value)),
                        other => panic!("{other:?}"),
                    });
                    let expected = twin.drain(*budget);
                    assert_eq!(seen, expected);
                    let cost: usize = seen.iter().map(|(_, value)| value.cost).sum();
                    assert_eq!((drained.cost, drained.more), (cost, !twin.round.is_empty()));
                    assert!(cost < budget.saturating_add(COST_MAX));
                }
            }
        }
        assert!(twin.queues.iter().all(VecDeque::is_empty));
    }

    /// All lanes but one are kept full by producers that never tire; one value trickles in at a time.
    #[test]
    fn who_trickles_waits_for_a_quantum_of_everybody_else(
        quantum in 1..60_usize,
        greedy in 1..LANES,
        budget in 1..100_usize,
        costs in prop::collection::vec(1..=COST_MAX, 50),
        pauses in prop::collection::vec(0..20_usize, if cfg!(miri) { 5 } else { 50 }),
    ) {
        let (gate, mut intake) = intake(Settings { lanes_max: LANES, quantum }, || ());
        let mut inlets: Vec<Inlet<Numbered>> = (0..greedy).map(|_| gate.open(16).unwrap()).collect();
        let mut trickle = gate.open(1).unwrap();
        let mut costs = costs.iter().cycle().map(|cost| Numbered { number: 0, cost: *cost });
        intake.drain(usize::MAX, |_, _| {});
        for pause in pauses {
            let mut waited = vec![0; greedy];
            let mut arrived = false;
            for turn in 0.. {
                if turn == pause {
                    // As much as a quantum covers: the lane needs one visit.
                    trickle.push(Numbered { number: 1, cost: 1 }).unwrap();
                }
                inlets.iter_mut().for_each(|inlet| { inlet.push_many(&mut costs); });
                intake.drain(budget, |lane, event| match event {
                    Event::Value(Numbered { number: 1, .. }) => arrived = true,
                    Event::Value(value) if turn >= pause && !arrived => waited[lane.index()] += value.cost,
                    _ => {}
                });
                if arrived {
                    break;
                }
            }
            for cost in waited {
                assert!(cost < quantum + COST_MAX, "waited for {cost} of a lane, with a quantum of {quantum}");
            }
        }
    }
}

/// The same as the paper has it.
#[derive(Default)]
struct Twin {
    quantum: usize,
    queues: [VecDeque<Numbered>; LANES],
    deficits: [usize; LANES],
    round: VecDeque<usize>,
    granted: bool,
}

impl Twin {
    fn push(&mut self, lane: usize, value: Numbered) {
        self.queues[lane].push_back(value);
        if !self.round.contains(&lane) {
            self.round.push_back(lane);
        }
    }

    fn drain(&mut self, budget: usize) -> Vec<(usize, Numbered)> {
        let (mut seen, mut spent) = (Vec::new(), 0);
        while let Some(&lane) = self.round.front() {
            if spent >= budget {
                break;
            }
            if !self.granted {
                self.deficits[lane] += self.quantum;
                self.granted = true;
            }
            let Some(value) = self.queues[lane].front().copied() else {
                self.deficits[lane] = 0;
                self.round.pop_front();
                self.granted = false;
                continue;
            };
            if value.cost <= self.deficits[lane] {
                self.deficits[lane] -= value.cost;
                spent += value.cost;
                seen.push((lane, value));
                self.queues[lane].pop_front();
                // An empty queue leaves at once, whatever the budget says.
                if self.queues[lane].is_empty() {
                    self.deficits[lane] = 0;
                    self.round.pop_front();
                    self.granted = false;
                }
            } else {
                self.round.rotate_left(1);
                self.granted = false;
            }
        }
        seen
    }
}
