//! Names that exist, for Tab: sessions, aliases, keychains, VPN instances.

use crate::table::What;
use crate::tree::{Part, Statement, Tree};

/// What the last word of a line may become, of what a configuration has, by the word before it.
pub(super) fn names(tree: &Tree, line: &str) -> Vec<String> {
    let mut words: Vec<&str> = line.split_whitespace().collect();
    let begun = if line.ends_with([' ', '\t']) { "" } else { words.pop().unwrap_or("") };
    let Some(before) = words.pop().map(str::to_lowercase) else { return Vec::new() };
    // Short for a keyword if there are enough letters to mean it.
    let is = |keyword: &str| before.len() >= 3 && keyword.starts_with(&before);
    let sessions = || tree.all(What::Bmp).flat_map(|bmp| bmp.inner.all(What::BmpSession));
    let values = |statement: &Statement, parameter: &str| {
        let named = |part: &&Part| matches!(part, Part::Value(name, _) if *name == parameter);
        statement.parts.iter().find(named).map(ToString::to_string)
    };
    let mut found: Vec<String> = match () {
        () if is("bmp-session") || is("session") => {
            sessions().filter_map(|node| values(&node.statement, "ip")).collect()
        }
        () if is("alias") => sessions().filter_map(|node| values(&node.statement, "alias")).collect(),
        () if is("keychain") => {
            tree.all(What::Keychain).filter_map(|node| values(&node.statement, "kcname")).collect()
        }
        () if is("vpn-instance") => {
            tree.all(What::VpnInstance).filter_map(|node| values(&node.statement, "vrf")).collect()
        }
        () => Vec::new(),
    };
    found.retain(|name| name.to_lowercase().starts_with(&begun.to_lowercase()));
    found.sort();
    found.dedup();
    found
}
