//! `display bgp bmp-monitor`: which session carries what of which peer.
//!
//! A row is what was configured, not a peer that happens to be up: `public` stands for all peers outside of
//! VPNs. If a peer is asked for, the rows are those that let this peer through.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::Value;
use wire::Family;

use super::layout::{NOTHING, Page, Side, Table, address, name};
use super::session::{alias, server};
use crate::picture::{Monitor, Picture, Session};

/// Explains VRP's marks. Ours has them only where a table says so.
const LEGEND: &str = "Route modes: a - add-path, A - all, m - path-marking, ID - route-identifier";

/// What is asked for; nothing: all.
pub(super) struct Asked<'a> {
    pub(super) family: Option<(u16, u8)>,
    pub(super) instance: Option<&'a str>,
    pub(super) peer: Option<IpAddr>,
}

/// A table that a session carries of some peers.
pub(super) struct Row<'a> {
    session: &'a Session,
    monitor: &'a Monitor,
    /// Without: all tables of all families.
    table: Option<(u16, u8, &'static str)>,
}

pub(super) fn rows<'a>(picture: &'a Picture, asked: &Asked<'_>) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    for session in &picture.sessions {
        for monitor in session.monitors.iter().filter(|monitor| lets_through(picture, asked, monitor)) {
            let all = monitor.tables.is_empty().then_some(None);
            let tables = monitor.tables.iter().filter(|table| is_asked(asked, **table));
            rows.extend(all.into_iter().chain(tables.copied().map(Some)).map(|table| Row {
                session,
                monitor,
                table,
            }));
        }
    }
    rows
}

/// `ipv4` asks for whatever is IPv4 and outside of VPNs. With a VPN instance, whose routes have no distinguisher
/// inside of it, `vpnv4` asks for whatever is IPv4. A router's own table is its peer 0.0.0.0 and nobody else's.
fn is_asked(asked: &Asked<'_>, (afi, safi, table): (u16, u8, &'static str)) -> bool {
    const VPN: u8 = 128;
    let family = asked.family.is_none_or(|(wanted_afi, wanted_safi)| {
        afi == wanted_afi && (asked.instance.is_some() || (safi == VPN) == (wanted_safi == VPN))
    });
    family && asked.peer.is_none_or(|peer| peer.is_unspecified() == is_local(table))
}

fn is_local(table: &str) -> bool {
    table.starts_with("local-rib")
}

fn lets_through(picture: &Picture, asked: &Asked<'_>, monitor: &Monitor) -> bool {
    if asked.peer.is_none() && asked.instance.is_none() {
        return true;
    }
    let everything = monitor.scope == "everything";
    let instance = match (asked.instance, monitor.vpn_instance.as_deref()) {
        (Some(asked), Some(own)) => asked == own,
        (Some(_), None) => everything || monitor.scope == "all-vpn-instance" || router(monitor).is_some(),
        (None, own) => own.is_none() && monitor.scope != "all-vpn-instance",
    };
    let peer = match (asked.peer, monitor.peer, router(monitor)) {
        (Some(asked), Some(own), _) => asked == own,
        (Some(asked), None, Some(name)) if !asked.is_unspecified() => {
            let mut routers = picture.routers.iter().filter(|router| router.name == name);
            routers.any(|router| router.peers.iter().any(|peer| peer.address == Some(asked)))
        }
        _ => true,
    };
    instance && peer
}

/// The router of `router rr1`, if it is about one.
fn router(monitor: &Monitor) -> Option<&str> {
    monitor.scope.strip_prefix("router ")
}

/// By family: `None`, which is all of them, comes first.
fn by_family<'a, 'b>(rows: &'b [Row<'a>]) -> BTreeMap<Option<(u16, u8)>, Vec<&'b Row<'a>>> {
    let mut families: BTreeMap<_, Vec<&Row<'_>>> = BTreeMap::new();
    for row in rows {
        families.entry(row.table.map(|table| (table.0, table.1))).or_default().push(row);
    }
    families
}

/// What a family's rows stand below.
fn heading(family: Option<(u16, u8)>) -> String {
    let name = match family {
        None => "all families".to_owned(),
        Some((1, 1)) => "ipv4-family unicast".to_owned(),
        Some((2, 1)) => "ipv6-family unicast".to_owned(),
        Some((1, 4)) => "ipv4-family labeled-unicast".to_owned(),
        Some((1, 128)) => "ipv4-family vpnv4".to_owned(),
        Some((2, 128)) => "ipv6-family vpnv6".to_owned(),
        Some((1, 133)) => "ipv4-family flow".to_owned(),
        Some((2, 133)) => "ipv6-family flow".to_owned(),
        Some((afi, safi)) => Family::new(afi, safi).to_string(),
    };
    format!("BGP {name} :")
}

/// Of which peers. A router's own table is its peer 0.0.0.0, as in VRP.
fn whose(row: &Row<'_>) -> String {
    let local = row.table.is_some_and(|table| is_local(table.2));
    match (row.monitor.peer, &row.monitor.vpn_instance) {
        (Some(peer), None) => address(peer),
        (Some(peer), Some(instance)) => format!("{} (vpn-instance {})", address(peer), name(instance)),
        (None, _) if local && row.monitor.scope == "public" => "0.0.0.0".to_owned(),
        (None, _) => name(&row.monitor.scope),
    }
}

fn modes(row: &Row<'_>) -> &'static str {
    row.table.map_or("all", |table| table.2)
}

pub(super) fn text(asked: &Asked<'_>, rows: &[Row<'_>]) -> String {
    let mut page = Page::default();
    page.line(0, format_args!("{LEGEND}"));
    for (family, rows) in by_family(rows) {
        page.line(0, format_args!(""));
        page.line(1, format_args!("{}", heading(family)));
        let mut table = Table::new(
            2,
            &[
                ("Peer", 17, Side::Left),
                ("Modes", 17, Side::Left),
                ("Session", 17, Side::Left),
                ("Alias", 11, Side::Left),
                ("State", 11, Side::Left),
            ],
        );
        for row in rows {
            let state = row.session.state.to_owned();
            table.row([whose(row), modes(row).to_owned(), server(row.session), alias(row.session), state]);
        }
        page.table(&table);
    }
    if rows.is_empty() {
        let what = asked.peer.map_or_else(|| "this".to_owned(), |peer| format!("the peer {}", address(peer)));
        page.line(1, format_args!("No BMP session monitors {what}."));
    }
    page.finish()
}

pub(super) fn json(rows: &[Row<'_>]) -> Result<Value, String> {
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            serde_json::json!({
                "scope": row.monitor.scope,
                "peer": row.monitor.peer,
                "peer_vpn_instance": row.monitor.vpn_instance,
                "family": row.table.map(|(afi, safi, _)| Family::new(afi, safi).to_string()),
                "table": row.table.map(|table| table.2),
                "session": row.session.address,
                "alias": row.session.alias,
                "vpn_instance": row.session.vpn_instance,
                "state": row.session.state,
            })
        })
        .collect();
    Ok(serde_json::json!({ "monitors": rows }))
}

/// What one session carries: `display bmp session … verbose`.
pub(super) fn of_session(page: &mut Page, session: &Session) {
    let monitors = session.monitors.iter().flat_map(|monitor| {
        let all = monitor.tables.is_empty().then_some(None);
        let tables = all.into_iter().chain(monitor.tables.iter().copied().map(Some));
        tables.map(move |table| Row { session, monitor, table })
    });
    let rows: Vec<Row<'_>> = monitors.collect();
    for (family, rows) in by_family(&rows) {
        page.line(2, format_args!("{}", heading(family)));
        for row in rows {
            page.line(4, format_args!("{} ({})", whose(row), modes(row)));
        }
    }
    if rows.is_empty() {
        page.line(2, format_args!("BGP {NOTHING} : nothing is monitored"));
    }
}
