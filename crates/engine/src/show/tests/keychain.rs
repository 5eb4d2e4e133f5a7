//! Keychains.

use config::keychain::{Algorithm, Good, Key, Keychain, Window};
use config::secret::Sealed;
use jiff::civil::date;
use jiff::tz::{TimeZone, offset};
use serde_json::json;

use crate::show::{keychain, keychain_json};

fn key(id: u8, algorithm: Algorithm, send: Option<Window>, receive: Option<Window>) -> Key {
    let secret = Sealed::parse(&format!("%^%#{}%^%#", "A".repeat(64))).unwrap();
    Key { id, send_id: id, receive_id: id + 100, algorithm, secret, send, receive }
}

fn two() -> (Keychain, Good) {
    let (may, june) = (date(2026, 5, 1).at(0, 0, 0, 0), date(2026, 6, 1).at(12, 30, 0, 0));
    let first = Window::Absolute(may, Some(june));
    let keys = vec![
        key(1, Algorithm::HmacSha1, Some(first.clone()), Some(first)),
        key(7, Algorithm::Aes128Cmac, Some(Window::Absolute(june, None)), None),
    ];
    let keychain =
        Keychain { name: "kc1".into(), utc: false, tolerance_minutes: Some(10), keys, default_send: Some(7) };
    let until = "2026-06-01T10:30:00Z".parse().ok();
    (keychain, Good { send: Some(0), next: Some(1), receive: vec![0], until })
}

#[test]
fn a_keychain_and_its_keys() {
    let (chain, good) = two();
    let zone = TimeZone::fixed(offset(2));
    let want = " Keychain Information:
 ---------------------
 Keychain Name          : kc1
 Timer Mode             : Absolute
 Time Mode              : LMT
 Receive Tolerance(min) : 10
 TCP Kind               : 29 (TCP-AO)
 TCP Algorithm IDs      : None
 Number of Key IDs      : 2
 Active Send Key ID     : 1
 Next Send Key ID       : 7
 Active Receive Key IDs : 1
 Default send Key ID    : 7
 Next change            : 2026-06-01 12:30:00

 Key ID Information:
 -------------------
 Key ID                 : 7
 Key string             : ******
 Algorithm              : aes-128-cmac
 Send ID / Receive ID   : 7 / 107
 SEND TIMER
   Start time           : 2026-06-01 12:30
   End time             : Infinite
   Status               : Inactive
 RECEIVE TIMER
   Start time           : Not configured
   End time             : Not configured
   Status               : Inactive
";
    assert_eq!(keychain(&chain, &good, Some(7), &zone).unwrap(), want);
    let all = keychain(&chain, &good, None, &zone).unwrap();
    assert_eq!(all.matches(": Active\n").count(), 2, "both windows of key 1:\n{all}");
    assert_eq!(all.matches("Key ID Information:").count(), 2);
    assert!(!all.contains("AAAA"), "a secret:\n{all}");
    let no_key = Err("The keychain kc1 has no complete key-id 3.".to_owned());
    assert_eq!(keychain(&chain, &good, Some(3), &zone), no_key);
    assert_eq!(keychain_json(&chain, &good, Some(3)).map(|_| String::new()), no_key);
    let utc = Keychain { utc: true, ..chain };
    let text = keychain(&utc, &good, None, &zone).unwrap();
    assert!(text.contains(": UTC\n") && text.contains(": 2026-06-01 10:30:00\n"), "{text}");
}

#[test]
fn nothing_is_good() {
    let chain = Keychain {
        name: "kc".into(),
        utc: true,
        tolerance_minutes: None,
        keys: Vec::new(),
        default_send: None,
    };
    let text = keychain(&chain, &Good::default(), None, &TimeZone::UTC).unwrap();
    for line in [
        "Timer Mode             : None",
        "Receive Tolerance(min) : infinite",
        "TCP Kind               : None",
        "Number of Key IDs      : 0",
        "Active Send Key ID     : None",
        "Active Receive Key IDs : None",
        "Default send Key ID    : Not configured",
        "Next change            : None",
    ] {
        assert!(text.lines().any(|got| got.trim() == line), "{line}:\n{text}");
    }
}

#[test]
fn windows() {
    // A window, the mode it makes, where it begins and ends.
    let rows: &[(Window, &str, &str, &str)] = &[
        (Window::Daily(0, 1439), "Periodic daily", "00:00", "23:59"),
        (Window::Daily(1320, 65), "Periodic daily", "22:00", "01:05"),
        (Window::Weekly(0b100_0001), "Periodic weekly", "mon sun", "None"),
        (Window::Monthly(1 << 1 | 1 << 15 | 1 << 31), "Periodic monthly", "1 15 31", "None"),
        (Window::Yearly(1 << 1 | 1 << 12), "Periodic yearly", "jan dec", "None"),
    ];
    for (window, mode, start, end) in rows {
        let keys = vec![key(0, Algorithm::Md5, None, Some(window.clone()))];
        let chain =
            Keychain { name: "k".into(), utc: true, tolerance_minutes: Some(0), keys, default_send: None };
        let text = keychain(&chain, &Good::default(), None, &TimeZone::UTC).unwrap();
        for line in [
            format!("Timer Mode : {mode}"),
            format!("Start time : {start}"),
            format!("End time : {end}"),
            "TCP Kind : 19 (TCP-MD5)".to_owned(),
        ] {
            let found = text.lines().any(|got| got.split_whitespace().collect::<Vec<_>>().join(" ") == line);
            assert!(found, "{line}:\n{text}");
        }
    }
}

#[test]
fn an_object() {
    let (chain, good) = two();
    let rows = [
        ("/name", json!("kc1")),
        ("/timer_mode", json!("Absolute")),
        ("/receive_tolerance_minutes", json!(10)),
        ("/active_send", json!(1)),
        ("/next_send", json!(7)),
        ("/active_receive", json!([1])),
        ("/until", json!("2026-06-01T10:30:00Z")),
        ("/keys/1/algorithm", json!("aes-128-cmac")),
        ("/keys/0/send/active", json!(true)),
        ("/keys/1/send/end", json!("Infinite")),
        ("/keys/1/receive/start", json!(null)),
    ];
    let value = keychain_json(&chain, &good, None).unwrap();
    for (pointer, want) in rows {
        assert_eq!(value.pointer(pointer), Some(&want), "{pointer}: {value:#}");
    }
    assert!(!value.to_string().contains("AAAA"), "a secret: {value:#}");
}
