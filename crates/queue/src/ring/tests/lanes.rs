//! Lanes on one thread, by hand: what the visitor is told, the limits, and what a lane takes.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::{Cost, Drained, Event, Gate, Intake, OpenError, Settings, intake, lane_memory};
use super::Drops;

#[derive(Debug)]
struct Octets(usize);

impl Cost for Octets {
    fn cost(&self) -> usize {
        self.0
    }
}

fn new(lanes_max: usize, quantum: usize) -> (Gate<Octets>, Intake<Octets>, Arc<AtomicUsize>) {
    let wakes = Arc::new(AtomicUsize::new(0));
    let count = wakes.clone();
    let (gate, intake) = intake(Settings { lanes_max, quantum }, move || {
        count.fetch_add(1, Ordering::Relaxed);
    });
    (gate, intake, wakes)
}

/// Drains and tells the story: `0.1 7` is a value of 7 from the second lane that had the index 0.
fn told(intake: &mut Intake<Octets>, budget: usize) -> String {
    let mut story = String::new();
    let drained = intake.drain(budget, |lane, event| {
        let event = match event {
            Event::Opened => "opened".into(),
            Event::Value(Octets(cost)) => cost.to_string(),
            Event::Ended => "ended".into(),
        };
        story += &format!("{}.{} {event}, ", lane.index(), lane.generation());
    });
    story + if drained.more { "more" } else { "idle" }
}

/// Also the lanes that the consumer has never met.
#[test]
fn all_inlets_see_the_consumer_go() {
    let (gate, mut intake, _) = new(2, 100);
    let met = gate.open(2).expect("the first of two");
    assert_eq!(told(&mut intake, 100), "0.0 opened, idle");
    let mut new = gate.open(2).expect("the second");
    new.push(Octets(1)).expect("room");
    drop(intake);
    assert!(met.is_closed() && new.is_closed());
}

#[test]
fn a_lane_is_told_from_its_opening_to_its_end() {
    let (gate, mut intake, _) = new(2, 10);
    assert_eq!(told(&mut intake, 99), "idle");
    let mut first = gate.open(4).unwrap();
    let mut second = gate.open(4).unwrap();
    assert_eq!(gate.open(4).err(), Some(OpenError::Lanes(2)));
    assert_eq!(told(&mut intake, 0), "more");
    second.push(Octets(3)).unwrap();
    assert_eq!(told(&mut intake, 99), "0.0 opened, 1.0 opened, 1.0 3, idle");
    // The order in which they became ready is the order of their visits.
    second.push(Octets(4)).unwrap();
    first.push(Octets(5)).unwrap();
    first.push(Octets(6)).unwrap();
    first.push(Octets(7)).unwrap();
    drop(first);
    assert_eq!(gate.open(4).err(), Some(OpenError::Lanes(2)));
    assert_eq!(told(&mut intake, 99), "1.0 4, 0.0 5, 0.0 6, 0.0 7, 0.0 ended, idle");
    let third = gate.open(4).unwrap();
    drop((third, second));
    assert_eq!(told(&mut intake, 99), "0.1 opened, 0.1 ended, 1.0 ended, idle");
    assert_eq!((told(&mut intake, 99).as_str(), intake.lanes()), ("idle", 0));
    drop(intake);
    assert_eq!(gate.open(4).err(), Some(OpenError::Closed));
}

#[test]
fn quanta_and_budgets_cut_where_they_should() {
    let (gate, mut intake, _) = new(2, 10);
    let mut dump = gate.open(8).unwrap();
    let mut trickle = gate.open(8).unwrap();
    assert_eq!(told(&mut intake, 99), "0.0 opened, 1.0 opened, idle");
    assert_eq!(dump.push_many(&mut [4, 4, 4, 4, 4, 25, 0, 1].map(Octets).into_iter()), 8);
    assert_eq!(trickle.push_many(&mut [1, 1].map(Octets).into_iter()), 2);
    // 4 + 4 of 10, 2 saved; within the budget, the trickle next; the last value overdraws.
    assert_eq!(told(&mut intake, 9), "0.0 4, 0.0 4, 1.0 1, more");
    // The visit that the budget cut goes on; 12 cover three more; 25 wait for three visits.
    assert_eq!(told(&mut intake, 99), "1.0 1, 0.0 4, 0.0 4, 0.0 4, 0.0 25, 0.0 0, 0.0 1, idle");
}

#[test]
fn whatever_a_value_costs_it_passes() {
    let (gate, mut intake, _) = new(1, 1);
    let mut inlet = gate.open(1).unwrap();
    inlet.push(Octets(usize::MAX)).unwrap();
    let mut values = 0;
    let drained =
        intake.drain(usize::MAX, |_, event| values += usize::from(matches!(event, Event::Value(_))));
    assert_eq!((values, drained), (1, Drained { cost: 1 + 64, more: false }));
}

#[test]
fn who_is_awake_is_not_woken_and_who_sleeps_is_woken_once() {
    let (gate, mut intake, wakes) = new(2, 10);
    let woken = || wakes.swap(0, Ordering::Relaxed);
    let mut inlets = [gate.open(4).unwrap(), gate.open(4).unwrap()];
    assert_eq!((woken(), intake.prepare_sleep()), (0, false));
    told(&mut intake, 99);
    inlets.iter_mut().for_each(|inlet| inlet.push(Octets(1)).unwrap());
    assert_eq!((woken(), intake.prepare_sleep()), (0, false));
    told(&mut intake, 1);
    assert!(!intake.prepare_sleep(), "the budget left one");
    told(&mut intake, 99);
    // Asleep, and still asleep after a sleep that ended by itself.
    assert!(intake.prepare_sleep() && intake.prepare_sleep());
    for inlet in &mut inlets {
        inlet.push(Octets(1)).unwrap();
        inlet.push(Octets(1)).unwrap();
    }
    assert_eq!((woken(), intake.prepare_sleep()), (1, false));
    told(&mut intake, 99);
    // A drain takes the declaration back.
    assert!(intake.prepare_sleep());
    told(&mut intake, 99);
    drop(inlets);
    assert_eq!(woken(), 0);
    told(&mut intake, 99);
    // An opening wakes too.
    assert!(intake.prepare_sleep());
    drop(gate.open(1).unwrap());
    assert_eq!(woken(), 1);
}

#[test]
fn a_visitor_that_panics_loses_only_what_it_holds() {
    let drops = Drops::new(6);
    let (gate, mut intake) = intake(Settings { lanes_max: 2, quantum: 2 }, || ());
    let mut inlets = [gate.open(4).unwrap(), gate.open(4).unwrap()];
    for (name, lane) in [0, 0, 0, 1, 1, 1].into_iter().enumerate() {
        assert!(inlets[lane].push(drops.token(name)).is_ok());
    }
    drop(inlets);
    let (events, mut ended) = (Cell::new(0), 0);
    let mut names = [const { Vec::new() }; 2];
    loop {
        let drained = catch_unwind(AssertUnwindSafe(|| {
            intake.drain(99, |lane, event| {
                match event {
                    Event::Opened => {}
                    Event::Value(token) => names[lane.index()].push(token.name),
                    Event::Ended => ended += 1,
                }
                events.set(events.get() + 1);
                assert!(events.get() % 2 == 0, "on purpose");
            })
        }));
        if drained.is_ok_and(|drained| !drained.more) {
            break;
        }
    }
    assert_eq!((names, ended, events.get()), ([vec![0, 1, 2], vec![3, 4, 5]], 2, 10));
    drops.assert_once(6);
}

#[test]
fn what_a_lane_takes() {
    // A ring of 1024 values of 16 octets, two words on cache lines of their own, the rest.
    let (slots, all) = (1024 * size_of::<[u64; 2]>(), lane_memory::<[u64; 2]>(1024));
    println!("a lane of 1024 values of 16 octets takes {all}, {} of it beside the slots", all - slots);
    assert!((slots..=slots + 640).contains(&all), "{all}");
}

#[test]
#[should_panic(expected = "a capacity of 3")]
fn a_capacity_is_a_power_of_two() {
    let (gate, _intake, _) = new(1, 1);
    let _ = gate.open(3);
}
