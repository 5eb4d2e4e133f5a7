//! `display bmp session`: all in a row each, or one with all there is to know.

use std::collections::BTreeMap;

use config::meaning::SessionKey;
use serde_json::Value;

use super::layout::{NOTHING, Page, Side, Table, address, age, name, octets, sentence, socket, span};
use super::{monitor, value};
use crate::picture::{Connection, Messages, Picture, Session};

/// What the instance outside of all VPNs is called.
const PUBLIC: &str = "_public_";

/// The sessions of a VPN instance, or all.
pub(super) fn of<'a>(picture: &'a Picture, instance: Option<&str>) -> Vec<&'a Session> {
    let wanted = |session: &&Session| instance.is_none() || session.vpn_instance.as_deref() == instance;
    picture.sessions.iter().filter(wanted).collect()
}

/// The session that is known by this.
pub(super) fn find<'a>(picture: &'a Picture, key: &SessionKey) -> Result<&'a Session, String> {
    let known = |session: &&Session| {
        session.address == Some(key.address)
            && session.alias.as_deref() == key.alias.as_deref()
            && session.vpn_instance.as_deref() == key.instance.as_deref()
    };
    picture.sessions.iter().find(known).ok_or_else(|| "The BMP session does not exist.".to_owned())
}

/// The server's address.
pub(super) fn server(session: &Session) -> String {
    session.address.map_or_else(|| NOTHING.to_owned(), address)
}

/// The alias, if there is one.
pub(super) fn alias(session: &Session) -> String {
    session.alias.as_deref().map(name).unwrap_or_default()
}

fn instance(session: &Session) -> String {
    session.vpn_instance.as_deref().map_or_else(|| PUBLIC.to_owned(), name)
}

fn is_up(session: &Session) -> bool {
    session.state == "Up"
}

/// A row each. The columns up to the VPN are VRP's, in its widths; what follows is ours.
pub(super) fn all(sessions: &[&Session]) -> String {
    let mut page = Page::default();
    page.line(0, format_args!("Total number of BMP session : {}", sessions.len()));
    page.line(1, format_args!("Session in up state : {}", sessions.iter().filter(|s| is_up(s)).count()));
    let mut table = Table::new(
        2,
        &[
            ("Session", 17, Side::Left),
            ("Alias", 11, Side::Left),
            ("State", 11, Side::Left),
            ("Age", 15, Side::Left),
            ("VPN", 13, Side::Left),
            ("Connections", 12, Side::Left),
            ("Behind", 8, Side::Left),
        ],
    );
    for session in sessions {
        let mark = if session.changed { " *" } else { "" };
        table.row([
            server(session),
            alias(session),
            session.state.to_owned(),
            age(session.age_us),
            instance(session),
            format!("{}/{}{mark}", session.connections_up, session.connections.len()),
            span(session.connections.iter().map(|connection| connection.lag_us).max().unwrap_or(0)),
        ]);
    }
    page.table(&table);
    if sessions.iter().any(|session| session.changed) {
        page.line(1, format_args!("* : configuration changed, takes effect after reset bmp session"));
    }
    page.finish()
}

pub(super) fn all_json(sessions: &[&Session]) -> Result<Value, String> {
    Ok(serde_json::json!({
        "total": sessions.len(),
        "up": sessions.iter().filter(|session| is_up(session)).count(),
        "sessions": value(sessions)?,
    }))
}

/// All of one: VRP's lines in VRP's order, ours where they help, then a block for each connection.
pub(super) fn verbose(session: &Session) -> String {
    let mut page = Page::default();
    let alias = session.alias.as_deref().map(|alias| format!(", alias {}", name(alias))).unwrap_or_default();
    page.line(0, format_args!("BMP session {}{alias}, port {}", server(session), session.port));
    if let Some(description) = &session.description {
        page.line(4, format_args!("Description: {}", sentence(description)));
    }
    page.line(4, format_args!("Current state: {}, Age: {}", state(session), age(session.age_us)));
    if session.changed {
        page.line(4, format_args!("Configuration changed: takes effect after reset bmp session"));
    }
    page.line(4, format_args!("VPN-instance name: {}", instance(session)));
    if session.passive {
        page.line(4, format_args!("Connection mode: passive, the server connects to port {}", session.port));
    }
    let local = session.connections.iter().find_map(|connection| connection.local);
    let (ip, port) = local.map_or((NOTHING.to_owned(), 0), |local| (address(local.ip()), local.port()));
    page.line(4, format_args!("Local address: {ip}, Local port: {port}"));
    timers(&mut page, session);
    messages(&mut page, &total(session));
    monitor::of_session(&mut page, session);
    connections(&mut page, session);
    page.finish()
}

fn state(session: &Session) -> String {
    match &session.reason {
        Some(reason) if !is_up(session) => format!("{} (Reason: {})", session.state, sentence(reason)),
        _ => session.state.to_owned(),
    }
}

fn timers(page: &mut Page, session: &Session) {
    let retry = session.connections.iter().filter_map(|connection| connection.retry_us).min().unwrap_or(0);
    page.line(4, format_args!("Statistics timeout: {}(s)", session.statistics_timer_s));
    // Rounded up: what is still to come does not show as 0.
    page.line(4, format_args!("ConnectRetry Timer Remainder: {}(s)", retry.div_ceil(1_000_000)));
    page.line(4, format_args!("Statistics-report Timer Remainder: {}(s)", session.statistics_remainder_s));
}

/// What all connections of a session sent.
fn total(session: &Session) -> Messages {
    session.connections.iter().fold(Messages::default(), |sum, Connection { sent, .. }| Messages {
        route_monitoring: sum.route_monitoring + sent.route_monitoring,
        statistics_report: sum.statistics_report + sent.statistics_report,
        peer_down: sum.peer_down + sent.peer_down,
        peer_up: sum.peer_up + sent.peer_up,
        initiation: sum.initiation + sent.initiation,
        termination: sum.termination + sent.termination,
        route_mirroring: sum.route_mirroring + sent.route_mirroring,
        other: sum.other + sent.other,
    })
}

fn messages(page: &mut Page, sent: &Messages) {
    let rows = [
        ("Route Monitoring", sent.route_monitoring),
        ("Statistics Report", sent.statistics_report),
        ("Peer Down Notification", sent.peer_down),
        ("Peer Up Notification", sent.peer_up),
        ("Initiation", sent.initiation),
        ("Termination", sent.termination),
        // A mirror traces nothing itself; what a router sends of that type passes as any other does.
        ("Trace Route", 0),
        ("Route Mirroring", sent.route_mirroring),
        ("other", sent.other),
    ];
    for (kind, count) in rows {
        page.line(4, format_args!("Send {kind} messages: {count}"));
    }
}

/// One for each router: what is down or behind is easy to find by its state.
fn connections(page: &mut Page, session: &Session) {
    let mut states: BTreeMap<&str, usize> = BTreeMap::new();
    for connection in &session.connections {
        *states.entry(connection.state).or_default() += 1;
    }
    let states: Vec<String> = states.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let states = if states.is_empty() { String::new() } else { format!(" ({})", states.join(", ")) };
    let (up, wanted) = (session.connections_up, session.connections.len());
    page.line(2, format_args!("Connections : {up} up, {wanted} wanted{states}"));
    for connection in &session.connections {
        page.line(4, format_args!("Router {} :", name(&connection.router)));
        block(page, connection);
    }
}

fn block(page: &mut Page, connection: &Connection) {
    let Connection { state, age_us, local, remote, connects, .. } = connection;
    let lost = connects.saturating_sub(1);
    page.line(6, format_args!("State: {state}, Age: {}, Reconnects: {lost}", age(*age_us)));
    if let Some(reason) = &connection.reason {
        page.line(6, format_args!("Last down reason: {}", sentence(reason)));
    }
    if let Some(retry) = connection.retry_us {
        page.line(6, format_args!("Next attempt: in {}(s)", retry.div_ceil(1_000_000)));
    }
    page.line(6, format_args!("Local: {}, Remote: {}", socket(*local), socket(*remote)));
    let (sent, sends) = (octets(connection.octets), connection.sends);
    page.line(6, format_args!("Sent: {sent} in {sends} sends, Memory: {}", octets(connection.memory_octets)));
    let (lag, oldest) = (octets(connection.lag_octets), span(connection.lag_us));
    page.line(6, format_args!("Lag: {lag}, Oldest unsent: {oldest}"));
    let Connection { catch_ups, full_dumps, falls, .. } = connection;
    page.line(6, format_args!("Catch-ups: {catch_ups}, Full dumps: {full_dumps}, Falls: {falls}"));
}
