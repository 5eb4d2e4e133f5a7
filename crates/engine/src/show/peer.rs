//! `display bmp peer`: a row for each peer and view.

use serde_json::Value;

use super::layout::{NOTHING, Page, Side, Table, address, age, name};
use super::value;
use crate::picture::{Peer, PeerTable, Router};

/// A peer's tables by view, in the order in which the views first appear. A peer without tables has one row.
fn views(peer: &Peer) -> Vec<(Option<&'static str>, Vec<&PeerTable>)> {
    let mut views: Vec<(Option<&'static str>, Vec<&PeerTable>)> = Vec::new();
    for table in &peer.tables {
        match views.iter_mut().find(|(view, _)| *view == Some(table.view)) {
            Some((_, tables)) => tables.push(table),
            None => views.push((Some(table.view), vec![table])),
        }
    }
    if views.is_empty() {
        views.push((None, Vec::new()));
    }
    views
}

fn paths(tables: &[&PeerTable]) -> u64 {
    tables.iter().map(|table| table.paths).sum()
}

/// Where it is, if not in the router's own table: what the router calls it, else its distinguisher.
fn instance(peer: &Peer) -> String {
    let of = peer.instance.as_ref().or(peer.distinguisher.as_ref());
    of.map_or_else(|| NOTHING.to_owned(), |of| name(of))
}

/// `ipv4-unicast,ipv6-unicast+`, where + is ADD-PATH.
fn families(tables: &[&PeerTable]) -> String {
    let name =
        |table: &&PeerTable| format!("{}{}", name(&table.family), if table.add_path { "+" } else { "" });
    match tables {
        [] => NOTHING.to_owned(),
        _ => tables.iter().map(name).collect::<Vec<_>>().join(","),
    }
}

pub(super) fn text(routers: &[&Router]) -> String {
    let mut page = Page::default();
    let count: usize = routers.iter().map(|router| router.peers.len()).sum();
    page.line(0, format_args!("Total number of peers in up state : {count}"));
    for router in routers.iter().filter(|router| !router.peers.is_empty()) {
        page.line(1, format_args!("Router {} :", name(&router.name)));
        let mut table = Table::new(
            2,
            &[
                ("Peer", 16, Side::Left),
                ("AS", 11, Side::Left),
                ("VPN", 4, Side::Left),
                ("View", 16, Side::Left),
                ("State", 6, Side::Left),
                ("Age", 10, Side::Left),
                ("Paths", 9, Side::Right),
                ("Updates", 9, Side::Right),
                ("Changed", 8, Side::Left),
                ("Families", 9, Side::Left),
            ],
        );
        for peer in &router.peers {
            for (view, tables) in views(peer) {
                table.row([
                    peer.address.map_or_else(|| name(&peer.kind), address),
                    peer.asn.to_string(),
                    instance(peer),
                    view.unwrap_or(NOTHING).to_owned(),
                    if peer.provisional { "early" } else { "up" }.to_owned(),
                    age(peer.age_us),
                    paths(&tables).to_string(),
                    peer.updates.to_string(),
                    peer.last_change_us.map_or_else(|| NOTHING.to_owned(), age),
                    families(&tables),
                ]);
            }
        }
        page.table(&table);
    }
    let mut peers = routers.iter().flat_map(|router| &router.peers);
    if peers.any(|peer| peer.provisional) {
        page.line(1, format_args!("early : routes came, the Peer Up has not yet"));
    }
    let mut peers = routers.iter().flat_map(|router| &router.peers);
    if peers.any(|peer| peer.tables.iter().any(|table| table.add_path)) {
        page.line(1, format_args!("+ : with path ids"));
    }
    page.finish()
}

pub(super) fn json(routers: &[&Router]) -> Result<Value, String> {
    let mut rows = Vec::new();
    for router in routers {
        for peer in &router.peers {
            for (view, tables) in views(peer) {
                rows.push(serde_json::json!({
                    "router": router.name,
                    "address": peer.address,
                    "asn": peer.asn,
                    "bgp_id": peer.bgp_id,
                    "kind": peer.kind,
                    "distinguisher": peer.distinguisher,
                    "instance": peer.instance,
                    "provisional": peer.provisional,
                    "age_us": peer.age_us,
                    "updates": peer.updates,
                    "last_change_us": peer.last_change_us,
                    "view": view,
                    "paths": paths(&tables),
                    "tables": value(&tables)?,
                }));
            }
        }
    }
    let count: usize = routers.iter().map(|router| router.peers.len()).sum();
    Ok(serde_json::json!({ "total": count, "rows": rows }))
}
