//! A twin that looks at a clock every minute.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{CENTRAL_EUROPE, MIDNIGHT, chain, key, zone};
use crate::keychain::Window;

/// A clock that is looked at every minute.
struct Twin {
    start: Timestamp,
    /// What the clock has shown at most, minute by minute.
    shown: Vec<DateTime>,
}

/// Minutes before and after those that are compared: a tolerance, and a day.
const MARGIN: usize = (10 + 1) * 24 * 60;
const COMPARED: usize = 24 * 24 * 60;

impl Twin {
    fn new(first: Timestamp, zone: &TimeZone) -> Self {
        let start = first - minutes(MARGIN);
        let mut most = DateTime::MIN;
        let shown = (0..COMPARED + 2 * MARGIN).map(|minute| {
            most = most.max(zone.to_datetime(start + minutes(minute)));
            most
        });
        Self { start, shown: shown.collect() }
    }

    fn instant(&self, minute: usize) -> Timestamp {
        self.start + minutes(minute)
    }

    /// Minute by minute.
    fn open(&self, window: &Window) -> Vec<bool> {
        let open = |shown: &DateTime| {
            let of_day =
                u16::from(shown.hour().cast_unsigned()) * 60 + u16::from(shown.minute().cast_unsigned());
            match window {
                Window::Absolute(from, to) => shown >= from && to.is_none_or(|to| *shown < to),
                Window::Daily(from, to) if from < to => (from..to).contains(&&of_day),
                Window::Daily(from, to) => of_day >= *from || of_day < *to,
                Window::Weekly(set) => set & (1 << (shown.weekday().to_monday_one_offset() - 1)) != 0,
                Window::Monthly(set) => set & (1 << shown.day()) != 0,
                Window::Yearly(set) => set & (1 << shown.month()) != 0,
            }
        };
        self.shown.iter().map(open).collect()
    }
}

/// As many minutes longer at both ends.
fn wider(open: &[bool], by: usize) -> Vec<bool> {
    let mut sums = vec![0usize];
    for &open in open {
        sums.push(sums[sums.len() - 1] + usize::from(open));
    }
    let any = |at: usize| sums[(at + by + 1).min(open.len())] > sums[at.saturating_sub(by)];
    (0..open.len()).map(any).collect()
}

struct Dice(u64);

impl Dice {
    /// Below `sides`.
    fn roll<N: TryFrom<u64>>(&mut self, sides: u64) -> N {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        N::try_from((mixed ^ (mixed >> 31)) % sides).ok().expect("a number for what it is asked for")
    }

    fn one_in(&mut self, sides: u64) -> bool {
        self.roll::<u64>(sides) == 0
    }

    fn window(&mut self, first: Timestamp) -> Option<Window> {
        Some(match self.roll(7) {
            0 => return None,
            form @ 1..=2 => {
                let from = TimeZone::UTC.to_datetime(first - minutes(9000) + minutes(self.roll(40_000)));
                let to = from.saturating_add(minutes(self.roll(9000)));
                Window::Absolute(from, (form == 2).then_some(to))
            }
            // Near the hours that clocks change at.
            3 => Window::Daily(self.roll(240), self.roll(240)),
            4 => Window::Daily(self.roll(1440), self.roll(1440)),
            5 => Window::Weekly(self.roll(1 << 7)),
            _ if self.one_in(2) => Window::Yearly(self.roll::<u16>(1 << 12) << 1),
            _ => Window::Monthly(self.roll::<u32>(1 << 31) << 1),
        })
    }
}

fn minutes(count: usize) -> SignedDuration {
    SignedDuration::from_mins(i64::try_from(count).expect("a few weeks"))
}

#[derive(Default)]
struct Seen {
    changes: usize,
    signed: usize,
    nexts: usize,
}

fn compare(seed: u64) -> Seen {
    let mut dice = Dice(seed);
    let posix = [CENTRAL_EUROPE, MIDNIGHT, "UTC0"][dice.roll::<usize>(3)];
    let zone = zone(posix);
    // Around one of the changes of that year.
    let change =
        ["2026-03-15T00:00:00Z", "2026-08-25T00:00:00Z", "2026-10-15T00:00:00Z"][dice.roll::<usize>(3)];
    let first = change.parse::<Timestamp>().expect("an instant") + minutes(dice.roll(9999));
    let utc = dice.one_in(4);
    let tolerance = [0, 1, 17, 500, 14_400][dice.roll::<usize>(5)];
    let keys: Vec<_> =
        (1..=1 + dice.roll::<u8>(4)).map(|id| key(id, dice.window(first), dice.window(first))).collect();
    let chain = chain(utc, Some(tolerance), dice.one_in(2).then_some(1), keys);

    let twin = Twin::new(first, &if utc { TimeZone::UTC } else { zone.clone() });
    let send: Vec<_> =
        chain.keys.iter().map(|key| key.send.as_ref().map(|window| twin.open(window))).collect();
    let receive: Vec<_> = chain
        .keys
        .iter()
        .map(|key| {
            key.receive
                .as_ref()
                .map(|window| wider(&twin.open(window), usize::try_from(tolerance).expect("small")))
        })
        .collect();
    let is = |table: &Option<Vec<bool>>, minute: usize| table.as_ref().is_some_and(|open| open[minute]);
    let expected = |minute: usize| {
        let signs = send.iter().position(|open| is(open, minute)).or(chain.default_send.map(|_| 0));
        let takes: Vec<_> = (0..receive.len()).filter(|&at| is(&receive[at], minute)).collect();
        (signs, takes)
    };
    let opens = |after: usize| {
        let mut minutes = after + 1..send.first().map_or(0, |_| twin.shown.len());
        minutes.find_map(|minute| send.iter().position(|open| is(open, minute) && !is(open, minute - 1)))
    };

    let mut seen = Seen::default();
    let mut minute = MARGIN;
    while minute < MARGIN + COMPARED {
        let now = twin.instant(minute);
        let good = chain.at(now, &zone);
        let until = good.until.unwrap_or(Timestamp::MAX);
        assert!(until > now, "seed {seed}: until {until} at {now}");
        if let Some(next) = opens(minute) {
            assert_eq!(good.next, Some(next), "seed {seed}: next at {now} in {posix}: {chain:?}");
            seen.nexts += 1;
        }
        seen.changes += 1;
        seen.signed += usize::from(good.send.is_some());
        let answer = (good.send, good.receive);
        while minute < MARGIN + COMPARED && twin.instant(minute) < until {
            let at = twin.instant(minute);
            assert_eq!(
                answer,
                expected(minute),
                "seed {seed}: {at}, answered at {now} in {posix}: {chain:?}"
            );
            minute += 1;
        }
    }
    seen
}

#[test]
fn a_clock_looked_at_every_minute_agrees() {
    let (seen, enough) = ::tests::seeds::run(0..60, compare, |all: &mut Seen, one| {
        all.changes += one.changes;
        all.signed += one.signed;
        all.nexts += one.nexts;
    });
    if enough {
        let Seen { changes, signed, nexts } = seen;
        assert!(
            changes > 1000 && signed > 500 && nexts > 500,
            "{changes} changes, {signed} signed, {nexts} nexts"
        );
    }
}
