//! What Linux calls what VRP has other names for.

use std::sync::Arc;

use super::{At, Findings, Network, at, text};
use crate::table::What;
use crate::tree::{Statement, Tree};

/// Where named network namespaces have their files.
const NAMESPACES: &str = "/run/netns";
/// Characters of an interface's name, at most: IFNAMSIZ without the zero at the end.
const DEVICE_MAX: usize = 15;

/// VPN instances and interfaces.
pub(super) struct Names<'a> {
    instances: Vec<(&'a str, Network)>,
    aliases: Vec<(&'a str, &'a Arc<str>)>,
}

impl<'a> Names<'a> {
    /// Those of a configuration. Names of interfaces are equal whatever their case: two that are must not differ.
    pub(super) fn of(tree: &'a Tree, found: &mut Findings) -> Self {
        let instances = tree.all(What::VpnInstance);
        let instances =
            instances.filter_map(|node| Some((text(&node.statement, "vrf"), network(&node.statement)?)));
        let mut aliases: Vec<(&str, &Arc<str>)> = Vec::new();
        for at in at(tree, &[], What::InterfaceAlias) {
            let name = text(at.statement(), "ifname");
            let Some(device) = at.statement().text("device") else { continue };
            match aliases.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)) {
                Some((other, is)) if *is != device => found.refuse(
                    &at,
                    format!(
                        "The interface aliases {other} and {name} are the same name for two devices, {is} and {device}. \
                         Undo one of them."
                    ),
                ),
                _ => aliases.push((name, device)),
            }
        }
        Self { instances: instances.collect(), aliases }
    }

    /// The network of a statement that may name a VPN instance, if that exists.
    pub(super) fn find(&self, statement: &Statement) -> Option<Network> {
        let Some(name) = statement.text("vrf") else { return Some(Network::Public) };
        let mut instances = self.instances.iter();
        instances.find(|(instance, _)| **instance == **name).map(|(_, network)| network.clone())
    }

    /// The same, and a problem if it does not exist.
    pub(super) fn network(&self, at: &At<'_>, found: &mut Findings) -> Option<Network> {
        let network = self.find(at.statement());
        if network.is_none() {
            let name = text(at.statement(), "vrf");
            let text = format!(
                "The VPN instance {name} does not exist. Say what it is on this machine: vpn-instance {name} \
                 device, or vpn-instance {name} netns."
            );
            found.refuse(at, text);
        }
        network
    }

    /// What Linux calls the interface of a statement, if that names one: what stands for the name, or else the
    /// name itself.
    pub(super) fn interface(&self, at: &At<'_>, found: &mut Findings) -> Option<Arc<str>> {
        let typed = at.statement();
        let name: Arc<str> = match (typed.text("ifname"), typed.text("iftype"), typed.text("ifnum")) {
            (Some(name), ..) => name.clone(),
            (None, Some(kind), Some(number)) => format!("{kind}{number}").into(),
            (None, ..) => return None,
        };
        if let Some((_, device)) = self.aliases.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(&name)) {
            return Some((*device).clone());
        }
        if name.len() > DEVICE_MAX {
            let text = format!(
                "The interface {name} does not exist: names on this machine have at most {DEVICE_MAX} characters. \
                 Say which one it is: interface-alias {name} device."
            );
            found.refuse(at, text);
        }
        Some(name)
    }
}

/// What a VPN instance is said to be. A namespace without `/` is a name, as `ip netns` has them.
fn network(instance: &Statement) -> Option<Network> {
    if let Some(device) = instance.text("device") {
        return Some(Network::Device(device.clone()));
    }
    let path = instance.text("path")?;
    let file = if path.contains('/') { path.clone() } else { format!("{NAMESPACES}/{path}").into() };
    Some(Network::Namespace(file))
}
