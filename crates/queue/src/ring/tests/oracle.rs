//! The ring beside a `VecDeque`: any operations in any order, over the wrap of slots and positions.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::super::spsc::{Consumer, Producer, ring_at};
use super::{Drops, Token};

#[derive(Clone, Copy, Debug)]
enum Op {
    Push,
    PushMany(usize),
    Pop,
    Peek,
    /// At most so many, of which only some are iterated over.
    PopMany(usize, usize),
    DropProducer,
    DropConsumer,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => Just(Op::Push),
        4 => (0..10_usize).prop_map(Op::PushMany),
        8 => Just(Op::Pop),
        2 => Just(Op::Peek),
        4 => (0..10_usize, 0..10_usize).prop_map(|(limit, taken)| Op::PopMany(limit, taken)),
        1 => Just(Op::DropProducer),
        1 => Just(Op::DropConsumer),
    ]
}

const OPS_MAX: usize = if cfg!(miri) { 40 } else { 200 };

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 12 } else { 2000 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_ring_agrees_with_a_deque(
        capacity in prop::sample::select(vec![1, 2, 4, 8]),
        before_wrap in 0..20_usize,
        ops in prop::collection::vec(op(), 0..OPS_MAX),
    ) {
        run(capacity, 0_usize.wrapping_sub(before_wrap), &ops);
    }
}

fn run(capacity: usize, start: usize, ops: &[Op]) {
    let drops = Drops::new(ops.len() * 10);
    let (producer, consumer): (Producer<Token>, Consumer<Token>) = ring_at(capacity, start);
    let (mut producer, mut consumer) = (Some(producer), Some(consumer));
    let mut twin = VecDeque::new();
    let mut made = 0;
    let mut make = || {
        made += 1;
        drops.token(made - 1)
    };
    for op in ops {
        match (*op, &mut producer, &mut consumer) {
            (Op::Push, Some(producer), _) => {
                let token = make();
                let name = token.name;
                match producer.push(token) {
                    Ok(()) => twin.push_back(name),
                    Err(back) => assert!(back.0.name == name && twin.len() == capacity),
                }
            }
            (Op::PushMany(count), Some(producer), _) => {
                let mut tokens: VecDeque<Token> = (0..count).map(|_| make()).collect();
                let first = tokens.front().map_or(0, |token| token.name);
                let pushed = producer.push_many(&mut std::iter::from_fn(|| tokens.pop_front()));
                assert_eq!(pushed, count.min(capacity - twin.len()));
                assert_eq!(tokens.len(), count - pushed);
                twin.extend(first..first + pushed);
            }
            (Op::Pop, _, Some(consumer)) => {
                assert_eq!(consumer.pop().map(|token| token.name), twin.pop_front());
            }
            (Op::Peek, _, Some(consumer)) => {
                assert_eq!(consumer.peek().map(|token| token.name), twin.front().copied());
            }
            (Op::PopMany(limit, taken), _, Some(consumer)) => {
                let batch = consumer.pop_many(limit);
                assert_eq!(batch.len(), limit.min(twin.len()));
                let taken = taken.min(batch.len());
                let names: Vec<usize> = batch.take(taken).map(|token| token.name).collect();
                assert_eq!(names, twin.drain(..taken).collect::<Vec<_>>());
            }
            (Op::DropProducer, producer, _) => *producer = None,
            (Op::DropConsumer, _, consumer) => *consumer = None,
            _ => {}
        }
        if let Some(consumer) = &consumer {
            assert_eq!(consumer.is_closed(), producer.is_none() && twin.is_empty());
        }
        if let Some(producer) = &producer {
            assert_eq!(producer.is_closed(), consumer.is_none());
        }
    }
    drop((producer, consumer));
    drops.assert_once(made);
}
