//! Instants and what is good then.

mod twin;

use jiff::civil::DateTime;

use super::*;
use crate::secret::Vault;

/// One hour ahead of UTC, two from the last Sunday of March (02:00) to that of October (03:00).
const CENTRAL_EUROPE: &str = "CET-1CEST,M3.5.0,M10.5.0/3";
/// Where the clock changes at midnight, so that a day begins at one.
const MIDNIGHT: &str = "<-04>4<-03>,M9.1.0/0,M4.1.0/0";

fn zone(posix: &str) -> TimeZone {
    TimeZone::posix(posix).expect("a time zone")
}

fn key(id: u8, send: Option<Window>, receive: Option<Window>) -> Key {
    let secret = Vault::new([0; 32]).seal(&crate::secret::Clear::new("secret"), &mut |_| {});
    Key { id, send_id: id, receive_id: id, algorithm: Algorithm::HmacSha1, secret, send, receive }
}

fn chain(utc: bool, tolerance: Option<u32>, default: Option<u8>, keys: Vec<Key>) -> Keychain {
    Keychain { name: "kc".into(), utc, tolerance_minutes: tolerance, keys, default_send: default }
}

/// `absolute FROM TO`, `daily HH:MM HH:MM`, `weekly 0 3` (Monday is 0), `monthly 1 31`, `yearly 1 12`, `-`.
fn window(text: &str) -> Option<Window> {
    let mut words = text.split_whitespace();
    let form = words.next().expect("a form");
    let rest: Vec<_> = words.collect();
    let minute = |text: &str| {
        let (hour, minute) = text.split_once(':').expect("HH:MM");
        hour.parse::<u16>().expect("an hour") * 60 + minute.parse::<u16>().expect("a minute")
    };
    let civil = |text: &str| text.parse::<DateTime>().expect("a civil time");
    let bits = || rest.iter().fold(0u32, |bits, bit| bits | 1 << bit.parse::<u32>().expect("a number"));
    match form {
        "-" => None,
        "absolute" => Some(Window::Absolute(civil(rest[0]), rest.get(1).map(|end| civil(end)))),
        "daily" => Some(Window::Daily(minute(rest[0]), minute(rest[1]))),
        "weekly" => Some(Window::Weekly(u8::try_from(bits()).expect("seven bits"))),
        "monthly" => Some(Window::Monthly(bits())),
        "yearly" => Some(Window::Yearly(u16::try_from(bits()).expect("13 bits"))),
        _ => panic!("{form}"),
    }
}

/// A window as the only key's, for sending and for receiving: `open wide until`.
fn seen(text: &str, posix: &str, tolerance: u32, now: &str) -> String {
    let key = key(1, window(text), window(text));
    let good =
        chain(false, Some(tolerance), None, vec![key]).at(now.parse().expect("an instant"), &zone(posix));
    let mark = |open: bool| if open { "open" } else { "shut" };
    let until = good.until.map_or("ever".to_owned(), |until| until.to_string());
    format!("{} {} {until}", mark(good.send.is_some()), mark(!good.receive.is_empty()))
}

#[test]
fn windows_and_instants() {
    let ever = "absolute 2026-01-01T00:00";
    let once = "absolute 2026-01-01T00:00 2026-01-02T12:30";
    let night = "daily 22:00 06:00";
    for (window, posix, tolerance, now, expected) in [
        // one that is absolute
        (ever, "UTC0", 0, "2025-12-31T23:59:59Z", "shut shut 2026-01-01T00:00:00Z"),
        (ever, "UTC0", 0, "2026-01-01T00:00:00Z", "open open ever"),
        (ever, "UTC0", 10, "2025-12-31T23:49:59Z", "shut shut 2025-12-31T23:50:00Z"),
        (ever, "UTC0", 10, "2025-12-31T23:50:00Z", "shut open 2026-01-01T00:00:00Z"),
        (once, "UTC0", 0, "2026-01-02T12:29:59.999Z", "open open 2026-01-02T12:30:00Z"),
        (once, "UTC0", 0, "2026-01-02T12:30:00Z", "shut shut ever"),
        (once, "UTC0", 14400, "2026-01-02T12:30:00Z", "shut open 2026-01-12T12:30:00Z"),
        (once, CENTRAL_EUROPE, 0, "2025-12-31T22:59:59Z", "shut shut 2025-12-31T23:00:00Z"),
        // daily
        ("daily 08:00 18:00", "UTC0", 0, "2026-05-01T07:59:00Z", "shut shut 2026-05-01T08:00:00Z"),
        ("daily 08:00 18:00", "UTC0", 0, "2026-05-01T08:00:00Z", "open open 2026-05-01T18:00:00Z"),
        ("daily 08:00 18:00", "UTC0", 5, "2026-05-01T18:00:00Z", "shut open 2026-05-01T18:05:00Z"),
        ("daily 08:00 18:00", "UTC0", 420, "2026-05-01T18:00:00Z", "shut open 2026-05-02T08:00:00Z"),
        (night, "UTC0", 0, "2026-05-01T21:59:00Z", "shut shut 2026-05-01T22:00:00Z"),
        (night, "UTC0", 0, "2026-05-01T23:59:59Z", "open open 2026-05-02T06:00:00Z"),
        (night, "UTC0", 0, "2026-05-02T00:00:00Z", "open open 2026-05-02T06:00:00Z"),
        ("daily 22:00 00:00", "UTC0", 0, "2026-05-01T23:00:00Z", "open open 2026-05-02T00:00:00Z"),
        ("daily 05:00 05:00", "UTC0", 0, "2026-05-01T23:00:00Z", "open open ever"),
        // the night of the change has an hour less, or one more
        (night, CENTRAL_EUROPE, 0, "2026-03-28T21:00:00Z", "open open 2026-03-29T04:00:00Z"),
        (night, CENTRAL_EUROPE, 0, "2026-10-24T20:00:00Z", "open open 2026-10-25T05:00:00Z"),
        // what begins in the hour left out begins at once, and what is all within is left out
        ("daily 02:30 05:00", CENTRAL_EUROPE, 0, "2026-03-29T00:59:59Z", "shut shut 2026-03-29T01:00:00Z"),
        ("daily 01:00 02:30", CENTRAL_EUROPE, 0, "2026-03-29T00:59:59Z", "open open 2026-03-29T01:00:00Z"),
        ("daily 02:15 02:45", CENTRAL_EUROPE, 0, "2026-03-29T00:00:00Z", "shut shut 2026-03-30T00:15:00Z"),
        ("daily 02:15 02:45", CENTRAL_EUROPE, 9, "2026-03-29T01:00:00Z", "shut shut 2026-03-30T00:06:00Z"),
        // in the hour lived twice the clock stands still the second time
        ("daily 02:15 02:45", CENTRAL_EUROPE, 0, "2026-10-25T00:14:00Z", "shut shut 2026-10-25T00:15:00Z"),
        ("daily 02:15 02:45", CENTRAL_EUROPE, 0, "2026-10-25T00:15:00Z", "open open 2026-10-25T00:45:00Z"),
        ("daily 02:15 02:45", CENTRAL_EUROPE, 0, "2026-10-25T01:20:00Z", "shut shut 2026-10-26T01:15:00Z"),
        ("daily 02:45 04:00", CENTRAL_EUROPE, 0, "2026-10-25T01:10:00Z", "open open 2026-10-25T03:00:00Z"),
        ("daily 03:00 04:00", CENTRAL_EUROPE, 0, "2026-10-25T01:10:00Z", "shut shut 2026-10-25T02:00:00Z"),
        // days of the week: 2026-05-01 is a Friday
        ("weekly 4", "UTC0", 0, "2026-05-01T12:00:00Z", "open open 2026-05-02T00:00:00Z"),
        ("weekly 4 5 0", "UTC0", 0, "2026-05-01T12:00:00Z", "open open 2026-05-03T00:00:00Z"),
        ("weekly 3", "UTC0", 0, "2026-05-01T12:00:00Z", "shut shut 2026-05-07T00:00:00Z"),
        ("weekly 0 1 2 3 4 5 6", "UTC0", 0, "2026-05-01T12:00:00Z", "open open ever"),
        ("weekly 6", CENTRAL_EUROPE, 0, "2026-03-29T12:00:00Z", "open open 2026-03-29T22:00:00Z"),
        ("weekly 6", MIDNIGHT, 0, "2026-09-06T03:59:00Z", "shut shut 2026-09-06T04:00:00Z"),
        // days of the month, some of which are not in every month
        ("monthly 1", "UTC0", 0, "2026-05-01T12:00:00Z", "open open 2026-05-02T00:00:00Z"),
        ("monthly 31 1", "UTC0", 0, "2026-05-31T12:00:00Z", "open open 2026-06-02T00:00:00Z"),
        ("monthly 31", "UTC0", 0, "2026-02-01T12:00:00Z", "shut shut 2026-03-31T00:00:00Z"),
        ("monthly 30", "UTC0", 0, "2026-01-31T12:00:00Z", "shut shut 2026-03-30T00:00:00Z"),
        ("monthly 31", "UTC0", 14400, "2026-02-15T12:00:00Z", "shut shut 2026-03-21T00:00:00Z"),
        // months
        ("yearly 2", "UTC0", 0, "2028-02-29T12:00:00Z", "open open 2028-03-01T00:00:00Z"),
        ("yearly 2", "UTC0", 0, "2026-03-01T12:00:00Z", "shut shut 2027-02-01T00:00:00Z"),
        ("yearly 12 1", "UTC0", 0, "2026-12-24T12:00:00Z", "open open 2027-02-01T00:00:00Z"),
        ("yearly 1 2 3 4 5 6 7 8 9 10 11 12", "UTC0", 0, "2026-12-24T12:00:00Z", "open open ever"),
    ] {
        let came = seen(window, posix, tolerance, now);
        assert_eq!(came, expected, "{window} in {posix} with {tolerance} at {now}");
    }
}

#[test]
fn who_signs() {
    let rows = [
        // default, keys by id: send window, receive window; now; what is expected
        (
            None,
            vec![
                (1, "daily 06:00 18:00", "daily 05:00 19:00"),
                (2, "daily 18:00 06:00", "daily 17:00 07:00"),
            ],
        ),
        (Some(9), vec![(3, "daily 06:00 12:00", "-"), (9, "-", "daily 00:00 00:00")]),
        (Some(9), vec![(3, "daily 06:00 12:00", "-")]),
        (None, vec![]),
    ];
    for (row, now, expected) in [
        (0, "2026-05-01T04:59:00Z", "Some(1) Some(0) [1] Some(2026-05-01T05:00:00Z)"),
        (0, "2026-05-01T05:30:00Z", "Some(1) Some(0) [0, 1] Some(2026-05-01T06:00:00Z)"),
        (0, "2026-05-01T06:00:00Z", "Some(0) Some(1) [0, 1] Some(2026-05-01T07:00:00Z)"),
        (1, "2026-05-01T05:00:00Z", "Some(1) Some(0) [1] Some(2026-05-01T06:00:00Z)"),
        (1, "2026-05-01T06:00:00Z", "Some(0) Some(0) [1] Some(2026-05-01T12:00:00Z)"),
        (2, "2026-05-01T05:00:00Z", "None Some(0) [] Some(2026-05-01T06:00:00Z)"),
        (3, "2026-05-01T05:00:00Z", "None None [] None"),
    ] {
        let (default, keys) = &rows[row];
        let keys = keys.iter().map(|&(id, send, receive)| key(id, window(send), window(receive))).collect();
        let good = chain(true, Some(0), *default, keys).at(now.parse().expect("an instant"), &zone(MIDNIGHT));
        let came = format!("{:?} {:?} {:?} {:?}", good.send, good.next, good.receive, good.until);
        assert_eq!(came, expected, "row {row} at {now}");
    }
}

#[test]
fn an_endless_tolerance_takes_keys_always() {
    let once = "absolute 2026-01-01T00:00 2026-01-02T12:30";
    let keys = vec![key(1, None, window(once)), key(2, window(once), None)];
    let good =
        chain(true, None, None, keys).at("2030-01-01T00:00:00Z".parse().expect("an instant"), &TimeZone::UTC);
    assert_eq!(good, Good { receive: vec![0], ..Good::default() });
}

#[test]
fn the_ends_of_time_are_no_trouble() {
    let forms = ["absolute 1970-01-01T00:00", "daily 23:00 01:00", "weekly 0", "monthly 31", "yearly 12"];
    for now in [Timestamp::MIN, Timestamp::UNIX_EPOCH, Timestamp::MAX] {
        for form in forms {
            let key = key(1, window(form), window(form));
            let good = chain(false, Some(14400), None, vec![key]).at(now, &zone(CENTRAL_EUROPE));
            assert!(good.until.is_none_or(|until| until > now), "{form} at {now}");
        }
    }
}

#[test]
fn overlaps() {
    for (one, other, expected) in [
        ("absolute 2026-01-01T00:00 2026-02-01T00:00", "absolute 2026-02-01T00:00 2026-03-01T00:00", false),
        ("absolute 2026-01-01T00:00 2026-02-01T00:01", "absolute 2026-02-01T00:00 2026-03-01T00:00", true),
        ("absolute 2026-01-01T00:00", "absolute 2030-02-01T00:00 2030-03-01T00:00", true),
        ("absolute 2026-01-01T00:00", "absolute 2025-02-01T00:00 2026-01-01T00:00", false),
        ("absolute 2026-01-01T00:00", "absolute 2027-01-01T00:00", true),
        ("daily 06:00 18:00", "daily 18:00 06:00", false),
        ("daily 06:00 18:01", "daily 18:00 06:00", true),
        ("daily 22:00 02:00", "daily 01:00 03:00", true),
        ("daily 22:00 02:00", "daily 23:00 23:30", true),
        ("daily 22:00 02:00", "daily 03:00 22:00", false),
        ("daily 05:00 05:00", "daily 04:00 04:01", true),
        ("daily 22:00 02:00", "daily 21:00 03:00", true),
        ("weekly 0 1", "weekly 2 3", false),
        ("weekly 0 1", "weekly 1", true),
        ("monthly 31", "monthly 30", false),
        ("monthly 31 1", "monthly 1", true),
        ("yearly 1", "yearly 12", false),
        ("yearly 1 12", "yearly 12", true),
        ("daily 06:00 18:00", "weekly 1", true),
    ] {
        let [a, b] = [one, other].map(|text| window(text).expect("a window"));
        assert_eq!((a.overlaps(&b), b.overlaps(&a)), (expected, expected), "{one} and {other}");
    }
}

#[test]
fn endless() {
    for (text, expected) in [
        ("absolute 2026-01-01T00:00", true),
        ("absolute 2026-01-01T00:00 2026-01-02T00:00", false),
        ("daily 00:00 00:00", true),
        ("daily 00:00 23:59", false),
        ("weekly 0 1 2 3 4 5 6", true),
        ("weekly 0 1 2 3 4 5", false),
        ("monthly 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31", true),
        ("monthly 1", false),
        ("yearly 1 2 3 4 5 6 7 8 9 10 11 12", true),
        ("yearly 1 2 3 4 5 6 7 8 9 10 11", false),
    ] {
        assert_eq!(window(text).expect("a window").is_endless(), expected, "{text}");
    }
}
