//! `display keychain`: what a keychain is made of, and which of its keys are good now.
//!
//! The configuration of a keychain is not part of a picture, so whoever has it hands it in.

use config::keychain::{Algorithm, Good, Key, Keychain, Window};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::layout::{Page, name};

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const MONTHS: [&str; 13] =
    ["", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const NONE: &str = "None";
const NOT_CONFIGURED: &str = "Not configured";

/// A keychain, or one key of it. `good` is what [`Keychain::at`] says of now, `zone` the machine's.
///
/// # Errors
/// It has no such key: a sentence, without `Error:`.
pub fn keychain(keychain: &Keychain, good: &Good, id: Option<u8>, zone: &TimeZone) -> Result<String, String> {
    let keys = keys(keychain, id)?;
    let mut page = Page::default();
    page.line(1, format_args!("Keychain Information:"));
    page.line(1, format_args!("---------------------"));
    let Facts { mode, tolerance, kind, send, receive, default, next, until } = facts(keychain, good, zone);
    let rows = [
        ("Keychain Name", name(&keychain.name)),
        ("Timer Mode", mode),
        ("Time Mode", if keychain.utc { "UTC" } else { "LMT" }.to_owned()),
        ("Receive Tolerance(min)", tolerance),
        ("TCP Kind", kind),
        // TCP-AO and TCP-MD5 name no algorithm in a segment: both sides have to know it.
        ("TCP Algorithm IDs", NONE.to_owned()),
        ("Number of Key IDs", keychain.keys.len().to_string()),
        ("Active Send Key ID", send),
        ("Next Send Key ID", next),
        ("Active Receive Key IDs", receive),
        ("Default send Key ID", default),
        ("Next change", until),
    ];
    for (label, value) in rows {
        page.line(1, format_args!("{label:<23}: {value}"));
    }
    for (place, key) in keys {
        page.line(0, format_args!(""));
        page.line(1, format_args!("Key ID Information:"));
        page.line(1, format_args!("-------------------"));
        page.line(1, format_args!("{:<23}: {}", "Key ID", key.id));
        page.line(1, format_args!("{:<23}: ******", "Key string"));
        page.line(1, format_args!("{:<23}: {}", "Algorithm", algorithm(key.algorithm)));
        let ids = format!("{} / {}", key.send_id, key.receive_id);
        page.line(1, format_args!("{:<23}: {ids}", "Send ID / Receive ID"));
        timer(&mut page, "SEND TIMER", key.send.as_ref(), good.send == Some(place));
        timer(&mut page, "RECEIVE TIMER", key.receive.as_ref(), good.receive.contains(&place));
    }
    Ok(page.finish())
}

/// The same for programs.
///
/// # Errors
/// It has no such key: a sentence, without `Error:`.
pub fn keychain_json(keychain: &Keychain, good: &Good, id: Option<u8>) -> Result<Value, String> {
    let id_of = |place: usize| keychain.keys.get(place).map(|key| key.id);
    let keys: Vec<Value> = keys(keychain, id)?
        .into_iter()
        .map(|(place, key)| {
            serde_json::json!({
                "id": key.id,
                "send_id": key.send_id,
                "receive_id": key.receive_id,
                "algorithm": algorithm(key.algorithm),
                "send": window_json(key.send.as_ref(), good.send == Some(place)),
                "receive": window_json(key.receive.as_ref(), good.receive.contains(&place)),
            })
        })
        .collect();
    Ok(serde_json::json!({
        "name": &*keychain.name,
        "timer_mode": mode(keychain),
        "time_mode": if keychain.utc { "utc" } else { "lmt" },
        "receive_tolerance_minutes": keychain.tolerance_minutes,
        "receive_tolerance_infinite": keychain.tolerance_minutes.is_none(),
        "default_send": keychain.default_send,
        "active_send": good.send.and_then(id_of),
        "next_send": good.next.and_then(id_of),
        "active_receive": good.receive.iter().copied().filter_map(id_of).collect::<Vec<_>>(),
        "until": good.until.map(|until| until.to_string()),
        "keys": keys,
    }))
}

fn keys(keychain: &Keychain, id: Option<u8>) -> Result<Vec<(usize, &Key)>, String> {
    let is_wanted = |(_, key): &(usize, &Key)| id.is_none_or(|id| key.id == id);
    let keys: Vec<(usize, &Key)> = keychain.keys.iter().enumerate().filter(is_wanted).collect();
    match id {
        Some(id) if keys.is_empty() => {
            Err(format!("The keychain {} has no complete key-id {id}.", name(&keychain.name)))
        }
        _ => Ok(keys),
    }
}

/// The values of the first block.
struct Facts {
    mode: String,
    tolerance: String,
    kind: String,
    send: String,
    receive: String,
    default: String,
    next: String,
    until: String,
}

fn facts(keychain: &Keychain, good: &Good, zone: &TimeZone) -> Facts {
    let id_of = |place: Option<usize>| {
        let key = place.and_then(|place| keychain.keys.get(place));
        key.map_or_else(|| NONE.to_owned(), |key| key.id.to_string())
    };
    let receive: Vec<String> = good.receive.iter().map(|&place| id_of(Some(place))).collect();
    let or = |value: Option<String>, none: &str| value.unwrap_or_else(|| none.to_owned());
    Facts {
        mode: mode(keychain).to_owned(),
        tolerance: or(keychain.tolerance_minutes.map(|minutes| minutes.to_string()), "infinite"),
        kind: kind(keychain).to_owned(),
        send: id_of(good.send),
        next: id_of(good.next),
        receive: if receive.is_empty() { NONE.to_owned() } else { receive.join(" ") },
        default: or(keychain.default_send.map(|id| id.to_string()), NOT_CONFIGURED),
        until: good.until.map_or_else(|| NONE.to_owned(), |until| local(until, keychain, zone)),
    }
}

fn local(time: Timestamp, keychain: &Keychain, zone: &TimeZone) -> String {
    let zone = if keychain.utc { TimeZone::UTC } else { zone.clone() };
    time.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The form of the windows, which is the same for all.
fn mode(keychain: &Keychain) -> &'static str {
    let window = keychain.keys.iter().find_map(|key| key.send.as_ref().or(key.receive.as_ref()));
    match window {
        Some(Window::Absolute(..)) => "Absolute",
        Some(Window::Daily(..)) => "Periodic daily",
        Some(Window::Weekly(_)) => "Periodic weekly",
        Some(Window::Monthly(_)) => "Periodic monthly",
        Some(Window::Yearly(_)) => "Periodic yearly",
        None => NONE,
    }
}

/// What is on the wire, which is the kernel's to say.
fn kind(keychain: &Keychain) -> &'static str {
    match keychain.keys.first().map(|key| key.algorithm) {
        None => NONE,
        Some(Algorithm::Md5) => "19 (TCP-MD5)",
        Some(_) => "29 (TCP-AO)",
    }
}

/// As it is configured.
fn algorithm(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Md5 => "md5",
        Algorithm::HmacSha1 => "hmac-sha1-12",
        Algorithm::HmacSha1Long => "hmac-sha1-20",
        Algorithm::HmacSha256 => "hmac-sha-256",
        Algorithm::Aes128Cmac => "aes-128-cmac",
    }
}

fn timer(page: &mut Page, label: &str, window: Option<&Window>, active: bool) {
    page.line(1, format_args!("{label}"));
    let (start, end) = window.map_or((NOT_CONFIGURED.to_owned(), NOT_CONFIGURED.to_owned()), ends);
    page.line(3, format_args!("{:<21}: {start}", "Start time"));
    page.line(3, format_args!("{:<21}: {end}", "End time"));
    page.line(3, format_args!("{:<21}: {}", "Status", if active { "Active" } else { "Inactive" }));
}

/// When a window begins and ends. One of whole days or months is its list, which has no end of its own.
fn ends(window: &Window) -> (String, String) {
    let list = |names: Vec<String>| (names.join(" "), NONE.to_owned());
    let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    match window {
        Window::Absolute(start, end) => {
            let civil = |time: &jiff::civil::DateTime| time.strftime("%Y-%m-%d %H:%M").to_string();
            (civil(start), end.as_ref().map_or_else(|| "Infinite".to_owned(), civil))
        }
        Window::Daily(start, end) => (clock(*start), clock(*end)),
        Window::Weekly(days) => {
            let on = DAYS.iter().enumerate().filter(|(bit, _)| days >> bit & 1 == 1);
            list(on.map(|(_, day)| (*day).to_owned()).collect())
        }
        Window::Monthly(days) => {
            list((1..32).filter(|bit| days >> bit & 1 == 1).map(|day| day.to_string()).collect())
        }
        Window::Yearly(months) => {
            let on = MONTHS.iter().enumerate().skip(1).filter(|(bit, _)| months >> bit & 1 == 1);
            list(on.map(|(_, month)| (*month).to_owned()).collect())
        }
    }
}

fn window_json(window: Option<&Window>, active: bool) -> Value {
    let ends = window.map(ends);
    serde_json::json!({
        "start": ends.as_ref().map(|ends| &ends.0),
        "end": ends.as_ref().map(|ends| &ends.1),
        "active": active,
    })
}
