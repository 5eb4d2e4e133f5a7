//! Numbered places for what is wanted: each thing keeps its number for as long as it is, and a number that is
//! free is used again.

/// See the top of the file.
#[derive(Debug)]
pub(crate) struct Slots<T>(Vec<Option<T>>);

/// What has changed: numbers that are free now, and numbers that have something new.
#[derive(PartialEq, Eq, Default, Debug)]
pub(crate) struct Turnover {
    pub(crate) gone: Vec<u32>,
    pub(crate) new: Vec<u32>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: PartialEq> Slots<T> {
    /// From now on these are wanted, and nothing else.
    pub(crate) fn want(&mut self, wanted: Vec<T>) -> Turnover {
        let mut turnover = Turnover::default();
        for (slot, number) in self.0.iter_mut().zip(0..) {
            if slot.as_ref().is_some_and(|known| !wanted.contains(known)) {
                *slot = None;
                turnover.gone.push(number);
            }
        }
        for wanted in wanted {
            if self.find(&wanted).is_none() {
                let free = self.0.iter().position(Option::is_none).unwrap_or_else(|| {
                    self.0.push(None);
                    self.0.len() - 1
                });
                self.0[free] = Some(wanted);
                turnover.new.push(u32::try_from(free).expect("they are few"));
            }
        }
        turnover
    }

    /// What has a number.
    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        self.0.get(number as usize)?.as_ref()
    }

    /// The number of something.
    pub(crate) fn find(&self, wanted: &T) -> Option<u32> {
        let mut slots = self.0.iter().zip(0..);
        slots.find(|(slot, _)| slot.as_ref() == Some(wanted)).map(|(_, number)| number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay() {
        let mut slots = Slots::default();
        for (wanted, gone, new) in [
            ("", vec![], vec![]),
            ("ab", vec![], vec![0, 1]),
            ("ba", vec![], vec![]),
            ("bcd", vec![0], vec![0, 2]),
            ("d", vec![0, 1], vec![]),
            ("dde", vec![], vec![0]),
        ] {
            let turnover = slots.want(wanted.chars().collect());
            assert_eq!(turnover, Turnover { gone, new }, "{wanted}");
            assert!(wanted.chars().all(|one| slots.find(&one).and_then(|at| slots.get(at)) == Some(&one)));
        }
        assert_eq!((slots.find(&'b'), slots.get(1)), (None, None));
    }
}
