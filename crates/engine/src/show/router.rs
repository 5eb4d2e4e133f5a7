//! `display bmp monitored-router`: where routes come from, and whether they all got in.

use serde_json::Value;

use super::layout::{Page, Side, Table, age, name, sentence, socket};
use super::value;
use crate::picture::{Picture, Router};

/// The router of a name, or all.
pub(super) fn of<'a>(picture: &'a Picture, wanted: Option<&str>) -> Result<Vec<&'a Router>, String> {
    let is_wanted = |router: &&Router| wanted.is_none_or(|wanted| router.name == wanted);
    let routers: Vec<&Router> = picture.routers.iter().filter(is_wanted).collect();
    match wanted {
        Some(wanted) if routers.is_empty() => Err(format!(
            "The monitored router {} is not known. Run display bmp monitored-router for those that are.",
            name(wanted)
        )),
        _ => Ok(routers),
    }
}

fn up(routers: &[&Router]) -> usize {
    routers.iter().filter(|router| router.state == "up").count()
}

fn paths(router: &Router) -> u64 {
    router.peers.iter().flat_map(|peer| &peer.tables).map(|table| table.paths).sum()
}

/// Routes and messages of a router that did not get into its tables.
fn lost(router: &Router) -> u64 {
    router.refused + router.malformed + router.dropped + router.beyond
}

fn heading(page: &mut Page, routers: &[&Router]) {
    page.line(0, format_args!("Total number of monitored routers : {}", routers.len()));
    page.line(1, format_args!("Routers in up state : {}", up(routers)));
}

/// A row each, and below it what went wrong last.
pub(super) fn all(routers: &[&Router]) -> String {
    let mut page = Page::default();
    heading(&mut page, routers);
    let mut table = Table::new(
        2,
        &[
            ("Router", 17, Side::Left),
            ("State", 6, Side::Left),
            ("Age", 10, Side::Left),
            ("Remote", 22, Side::Left),
            ("Peers", 6, Side::Right),
            ("Paths", 11, Side::Right),
            ("Messages", 12, Side::Right),
            ("Queue", 7, Side::Right),
            ("Lost", 7, Side::Right),
        ],
    );
    for router in routers {
        table.row([
            name(&router.name),
            router.state.to_owned(),
            age(router.age_us),
            socket(router.remote),
            router.peers.len().to_string(),
            paths(router).to_string(),
            router.messages.to_string(),
            router.queue_records.to_string(),
            lost(router).to_string(),
        ]);
        if let Some(error) = &router.error {
            table.below(format!("Last error: {}", sentence(error)));
        }
    }
    page.table(&table);
    page.finish()
}

/// All of each.
pub(super) fn verbose(routers: &[&Router]) -> String {
    let mut page = Page::default();
    heading(&mut page, routers);
    for router in routers {
        page.line(0, format_args!(""));
        page.line(0, format_args!("Monitored router {}", name(&router.name)));
        page.line(4, format_args!("Current state: {}, Age: {}", router.state, age(router.age_us)));
        page.line(4, format_args!("Remote: {}", socket(router.remote)));
        if let Some(error) = &router.error {
            page.line(4, format_args!("Last error: {}", sentence(error)));
        }
        let provisional = router.peers.iter().filter(|peer| peer.provisional).count();
        let without = match provisional {
            0 => String::new(),
            count => format!(" ({count} with routes, but no Peer Up yet)"),
        };
        page.line(4, format_args!("Peers up: {}{without}, Paths: {}", router.peers.len(), paths(router)));
        page.line(4, format_args!("Reads that wait in queues: {}", router.queue_records));
        let (messages, monitoring) = (router.messages, router.route_monitoring);
        page.line(4, format_args!("Messages: {messages}, Route Monitoring: {monitoring}"));
        page.line(4, format_args!("Routes that changed a table: {}", router.changed));
        page.line(4, format_args!("Routes that were there before: {}", router.same));
        page.line(4, format_args!("Routes refused for want of room: {}", router.refused));
        page.line(4, format_args!("Messages that could not be read: {}", router.malformed));
        page.line(4, format_args!("Messages dropped: {}", router.dropped));
        page.line(4, format_args!("Messages dropped of peers beyond limit peers: {}", router.beyond));
        page.line(4, format_args!("Messages that no catch-up can tell: {}", router.untold));
    }
    page.finish()
}

pub(super) fn json(routers: &[&Router]) -> Result<Value, String> {
    Ok(serde_json::json!({ "total": routers.len(), "up": up(routers), "routers": value(routers)? }))
}
