//! What a row refuses before it counts. Sentences name the object and the remedy.

use std::net::IpAddr;

use super::What;
use crate::tree::{Part, Place, Statement, Tree};
use crate::value::Value;

/// Sessions of a VPN instance. VRP knows 4; ours only keeps a slip of a script from filling memory.
pub const SESSIONS_PER_INSTANCE_MAX: usize = 1000;

/// Days and months, in order.
const DAYS: &[&str] = &["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const MONTHS: &[&str] = &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Anything goes.
pub(super) fn nothing(_: &Tree, _: &[Place], _: &Statement) -> Result<(), String> {
    Ok(())
}

/// A VPN instance stays as long as something is in it.
pub(super) fn instance_unused(tree: &Tree, _: &[Place], instance: &Statement) -> Result<(), String> {
    let Some(bmp) = tree.one(What::Bmp) else { return Ok(()) };
    let name = instance.text("vrf");
    let of_it = |statement: &Statement| statement.text("vrf") == name;
    let mut users = bmp.inner.all(What::RouterListen).chain(bmp.inner.all(What::BmpSession));
    let Some(user) = users.find(|node| of_it(&node.statement)) else { return Ok(()) };
    let instance = name.map_or("", |name| name);
    Err(format!("The VPN instance {instance} is used by: {}. Undo that first.", user.statement))
}

/// A keychain is created with a mode, which it keeps.
pub(super) fn keychain(tree: &Tree, path: &[Place], keychain: &Statement) -> Result<(), String> {
    let existing = tree.at(path).and_then(|view| view.node(&[keychain.place()]));
    match (existing.and_then(|node| mode(&node.statement)), mode(keychain)) {
        (None, None) => Err("The keychain does not exist. Specify its mode to create it.".into()),
        (Some(is), Some(asked)) if is != asked => {
            Err(format!("The mode of the keychain is {is}, not {asked}. Undo the keychain to change it."))
        }
        _ => Ok(()),
    }
}

/// The mode of a keychain, if it is said.
fn mode(keychain: &Statement) -> Option<&'static str> {
    ["absolute", "daily", "weekly", "monthly", "yearly"].into_iter().find(|mode| keychain.has(mode))
}

/// A window has the form that goes with its keychain's mode, and ends after it begins.
pub(super) fn window(tree: &Tree, path: &[Place], window: &Statement) -> Result<(), String> {
    let forms = [("daily", "daily"), ("day", "weekly"), ("date", "monthly"), ("month", "yearly")];
    let form = forms.into_iter().find(|(word, _)| window.has(word)).map_or("absolute", |(_, mode)| mode);
    let keychain = path.split_last().and_then(|(_, outer)| tree.node(outer));
    let mode = keychain.and_then(|node| mode(&node.statement)).unwrap_or(form);
    if mode != form {
        return Err(format!("The mode of the keychain is {mode}; this form is for mode {form}."));
    }
    if !window.has("to") {
        return Ok(());
    }
    let ends = |parameter| window.values(parameter).collect::<Vec<_>>();
    let (times, dates, numbers) = (ends("time"), ends("date"), ends("day-of-month"));
    let later = match form {
        "daily" => times.first() < times.last(),
        "weekly" => rising(window, DAYS),
        "monthly" => numbers.first() < numbers.last(),
        "yearly" => rising(window, MONTHS),
        _ => (dates.first(), times.first()) < (dates.last(), times.last()),
    };
    if later { Ok(()) } else { Err("The end is not later than the start.".into()) }
}

/// Whether the words of a statement that are among these come in their order.
fn rising(statement: &Statement, names: &[&str]) -> bool {
    let named = statement.parts.iter().filter_map(|part| match part {
        Part::Keyword(word) => names.iter().position(|name| name == word),
        Part::Value(..) => None,
    });
    named.is_sorted_by(|a, b| a < b)
}

/// A server has an address of its own, and there is room for it.
pub(super) fn session(tree: &Tree, path: &[Place], session: &Statement) -> Result<(), String> {
    match session.address("ip") {
        Some(IpAddr::V6(ip)) if ip.is_unicast_link_local() => {
            return Err("A link-local address cannot be used as a BMP session address.".into());
        }
        Some(ip) if ip.is_unspecified() || ip.is_multicast() || is_broadcast(ip) => {
            return Err("The BMP session address must be that of one server.".into());
        }
        _ => {}
    }
    let Some(view) = tree.at(path) else { return Ok(()) };
    if view.node(&[session.place()]).is_some() {
        return Ok(());
    }
    let instance = session.text("vrf");
    let others = view.all(What::BmpSession).filter(|node| node.statement.text("vrf") == instance).count();
    if others < SESSIONS_PER_INSTANCE_MAX {
        return Ok(());
    }
    Err(format!("A maximum of {SESSIONS_PER_INSTANCE_MAX} BMP sessions is allowed in a VPN instance."))
}

fn is_broadcast(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V4(ip) if ip.is_broadcast())
}

/// A source address is of its session's family.
pub(super) fn source(tree: &Tree, path: &[Place], source: &Statement) -> Result<(), String> {
    let session = tree.node(path).and_then(|node| node.statement.address("ip"));
    match (session, source.address("ip")) {
        (Some(session), Some(source)) if session.is_ipv4() != source.is_ipv4() => {
            Err("The source address family does not match the BMP session.".into())
        }
        _ => Ok(()),
    }
}

/// The longest wait is not the shortest.
pub(super) fn retry_timer(_: &Tree, _: &[Place], timer: &Statement) -> Result<(), String> {
    let mut waits = timer.values("retry").filter_map(|wait| match wait {
        Value::Number(seconds) => Some(*seconds),
        _ => None,
    });
    match (waits.next(), waits.next()) {
        (Some(first), Some(longest)) if longest < first => {
            Err(format!("The longest wait of {longest} seconds is shorter than the first of {first}."))
        }
        _ => Ok(()),
    }
}

/// A scope has the tables that it has:
///
/// | scope               | families                          | tables         |
/// |---------------------|-----------------------------------|----------------|
/// | public, router      | all                               | in, out, local |
/// | peer                | all but flow                      | in, out        |
/// | vpn-instance        | unicast, labeled-unicast, flow    | in, out, local |
/// | vpn-instance peer   | unicast, labeled-unicast          | in, out        |
/// | all-vpn-instance    | unicast, labeled-unicast          | in, out, local |
pub(super) fn route_mode(tree: &Tree, path: &[Place], table: &Statement) -> Result<(), String> {
    let Some(scope) = tree.node(path).map(|node| &node.statement) else { return Ok(()) };
    if scope.has("peer") && table.has("local-rib") {
        return Err("local-rib cannot be configured in this monitor view.".into());
    }
    let absent: &[&str] = match () {
        () if scope.has("all-vpn-instance") => &["vpnv4", "vpnv6", "flow"],
        () if scope.has("vpn-instance") => &["vpnv4", "vpnv6"],
        () => &[],
    };
    match absent.iter().find(|family| table.has(family)) {
        Some(family) => {
            Err(format!("The address family {family} cannot be configured in this monitor view."))
        }
        None => Ok(()),
    }
}
