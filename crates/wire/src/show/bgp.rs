//! BGP messages, UPDATE above all.
//!
//! ```text
//!  update withdraw ipv4-unicast 198.51.100.0/24 announce ipv6-unicast 2001:db8::/32 next-hop
//!         2001:db8::1 as-path 65001 4200000001 origin igp
//!  update end-of-rib ipv6-unicast
//!  update announce ipv4-unicast nlri 5 octets 2801020304 (offset 43: …)     not to be read so
//!  notification cease administrative-shutdown "maint"
//! ```

use std::fmt::{self, Display, Formatter};

use super::attribute::write_attributes;
use super::open::write_open;
use super::{Octets, ROUTES_MAX, Text, leftover, line, list, named, plain};
use crate::bgp::{
    Action, AttributeKind, Dialect, Notification, Open, Pdu, PduKind, RouteRefresh, Update, View,
};

/// What the bytes of a message do not say.
#[derive(Clone, Copy)]
pub(super) struct Context {
    /// How to read NLRI and AS paths.
    pub(super) dialect: Dialect,
    /// Which table they are of.
    pub(super) view: View,
    /// Where the message begins in what errors count from.
    pub(super) offset: usize,
}

impl Context {
    /// A message by itself, of which nothing is known.
    fn plain() -> Self {
        Self { dialect: plain(), view: View::AdjRibInPre, offset: 0 }
    }
}

impl<'a> Pdu<'a> {
    /// Displays it in one line, as a message of this view of peers that speak this dialect.
    #[must_use]
    pub fn show(&self, dialect: &Dialect, view: View) -> impl Display + use<'a> {
        let (pdu, context) = (*self, Context { dialect: *dialect, view, offset: 0 });
        fmt::from_fn(move |f| line(f, fmt::from_fn(|f| write_pdu(f, pdu, &context))))
    }
}

impl Display for Pdu<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        line(f, fmt::from_fn(|f| write_pdu(f, *self, &Context::plain())))
    }
}

impl<'a> Update<'a> {
    /// Displays it in one line, as a message of this view of peers that speak this dialect.
    #[must_use]
    pub fn show(&self, dialect: &Dialect, view: View) -> impl Display + use<'a> {
        let (update, context) = (*self, Context { dialect: *dialect, view, offset: 0 });
        fmt::from_fn(move |f| line(f, fmt::from_fn(|f| write_update(f, &update, &context))))
    }
}

impl Display for Update<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        line(f, fmt::from_fn(|f| write_update(f, self, &Context::plain())))
    }
}

impl Display for Notification<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        line(f, fmt::from_fn(|f| write_notification(f, self)))
    }
}

impl Display for RouteRefresh<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        line(f, fmt::from_fn(|f| write_route_refresh(f, self)))
    }
}

super::debug_is_display!(Pdu<'_>);

/// A message, whatever it is.
pub(super) fn write_pdu(f: &mut Formatter<'_>, pdu: Pdu<'_>, context: &Context) -> fmt::Result {
    let error = match pdu.kind() {
        PduKind::OPEN => match Open::parse(pdu) {
            Ok(open) => return write_open(f, &open),
            Err(error) => error,
        },
        PduKind::UPDATE => match Update::parse(pdu) {
            Ok(update) => return write_update(f, &update, context),
            Err(error) => error,
        },
        PduKind::NOTIFICATION => match Notification::parse(pdu) {
            Ok(notification) => {
                f.write_str("notification ")?;
                return write_notification(f, &notification);
            }
            Err(error) => error,
        },
        PduKind::ROUTE_REFRESH => match RouteRefresh::parse(pdu) {
            Ok(refresh) => return write_route_refresh(f, &refresh),
            Err(error) => error,
        },
        PduKind::KEEPALIVE => {
            f.write_str("keepalive")?;
            return leftover(f, "and", pdu.body());
        }
        PduKind(other) => return write!(f, "bgp-{other} {}", Octets(pdu.body())),
    };
    write!(f, "{}", pdu.kind())?;
    write!(f, " malformed: {}", error.within(context.offset))
}

fn write_update(f: &mut Formatter<'_>, update: &Update<'_>, context: &Context) -> fmt::Result {
    if let Some(family) = update.end_of_rib() {
        return write!(f, "update end-of-rib {family}");
    }
    f.write_str("update")?;
    for part in update.parts() {
        let word = match part.action {
            Action::Announce => "announce",
            Action::Withdraw => "withdraw",
        };
        write!(f, " {word} {}", part.family)?;
        match part.routes(&context.dialect, context.view) {
            Ok(routes) if routes.is_empty() => f.write_str(" no-routes")?,
            Ok(routes) => list(f, " ", routes, ROUTES_MAX)?,
            Err(error) => {
                write!(f, " nlri {} ({})", Octets(part.nlri), error.within(context.offset))?;
            }
        }
        if part.action == Action::Announce
            && part.multiprotocol
            && let Some(next_hop) = update.mp_next_hop()
        {
            write!(f, " next-hop {next_hop}")?;
        }
    }
    let shown_above = |kind| matches!(kind, AttributeKind::MP_REACH | AttributeKind::MP_UNREACH);
    let others = update.attributes().filter(|attribute| !shown_above(attribute.kind));
    write_attributes(f, " ", others, &context.dialect)
}

/// Code and subcode by name, and what the operator on the other side wrote.
pub(super) fn write_notification(f: &mut Formatter<'_>, notification: &Notification<'_>) -> fmt::Result {
    let Notification { code, subcode, data } = *notification;
    let (name, subname) = notification.names();
    named(f, Some(name).filter(|name| *name != "unknown"), "code", code)?;
    match subname {
        Some(name) => write!(f, " {name}")?,
        // A code without subcodes says 0.
        None if subcode == 0 => {}
        None => write!(f, " subcode-{subcode}")?,
    }
    match notification.shutdown_communication() {
        Some(text) => {
            write!(f, " {}", Text(text))?;
            leftover(f, "and", &data[1 + text.len()..])
        }
        None => leftover(f, "data", data),
    }
}

fn write_route_refresh(f: &mut Formatter<'_>, refresh: &RouteRefresh<'_>) -> fmt::Result {
    f.write_str("route-refresh ")?;
    let name = match refresh.subtype {
        0 => Some("request"),
        1 => Some("begin"),
        2 => Some("end"),
        _ => None,
    };
    named(f, name, "subtype", refresh.subtype)?;
    write!(f, " {}", refresh.family)?;
    leftover(f, "filters", refresh.filters)
}
