//! What routecore says of one NLRI, in lines: of families that nobody else here takes apart.

use octseq::Parser;
use routecore::bgp::nlri::afisafi::Afi;
use routecore::bgp::nlri::flowspec::FlowSpecNlri;
use routecore::bgp::nlri::vpls::VplsNlri;
use wire::Family;

use crate::canon::{Answer, hex};

/// The families it is asked about.
pub(crate) fn knows(family: Family) -> bool {
    matches!((family.afi, family.safi), (1 | 2, 133) | (25, 65))
}

/// The entry at the front of `field`: how many octets it has, and what it says. Of IPv6 it reads no
/// component, hence no more than the value.
pub(crate) fn entry(family: Family, field: &[u8]) -> Answer {
    let mut parser = Parser::from_ref(&field);
    let text = match family.afi {
        25 => format!("{:?}", VplsNlri::parse(&mut parser).map_err(|error| error.to_string())?),
        afi => {
            let afi = if afi == 1 { Afi::Ipv4 } else { Afi::Ipv6 };
            hex(FlowSpecNlri::parse(&mut parser, afi).map_err(|error| error.to_string())?.raw())
        }
    };
    Ok(vec![format!("{} octets", parser.pos()), text])
}
