//! Bytes put together by hand, as the RFCs draw them. Nothing here calls the crate.

/// Octets of a text of hexadecimal digits; everything else in it is there for the reader.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    assert!(digits.len().is_multiple_of(2), "half an octet in {text}");
    digits.chunks(2).map(|pair| be8((pair[0] << 4 | pair[1]) as usize)).collect()
}

/// The other way.
pub(crate) fn unhex(bytes: &[u8]) -> String {
    bytes.iter().map(|octet| format!("{octet:02x}")).collect()
}

pub(crate) fn be8(n: usize) -> u8 {
    u8::try_from(n).expect("one octet")
}

pub(crate) fn be16(n: usize) -> [u8; 2] {
    u16::try_from(n).expect("two octets").to_be_bytes()
}

/// A BGP message.
pub(crate) fn pdu(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[0xff; 16][..], &be16(19 + body.len()), &[kind], body].concat()
}

/// A path attribute; its flags say how long the length is.
pub(crate) fn attribute(flags: u8, kind: u8, value: &[u8]) -> Vec<u8> {
    let len = be16(value.len());
    let len = if flags & 0x10 != 0 { &len[..] } else { &len[1..] };
    [&[flags, kind], len, value].concat()
}

pub(crate) fn mp_reach(flags: u8, (afi, safi): (u16, u8), next_hop: &[u8], nlri: &[u8]) -> Vec<u8> {
    let head = [&afi.to_be_bytes()[..], &[safi, be8(next_hop.len())]].concat();
    attribute(flags, 14, &[&head, next_hop, &[0], nlri].concat())
}

pub(crate) fn mp_unreach(flags: u8, (afi, safi): (u16, u8), nlri: &[u8]) -> Vec<u8> {
    attribute(flags, 15, &[&afi.to_be_bytes()[..], &[safi], nlri].concat())
}

/// An UPDATE.
pub(crate) fn update(withdrawn: &[u8], attributes: &[u8], nlri: &[u8]) -> Vec<u8> {
    let fields = [&be16(withdrawn.len()), withdrawn, &be16(attributes.len()), attributes, nlri];
    pdu(2, &fields.concat())
}

/// An OPEN of AS 65001 with these optional parameters, their length in front.
pub(crate) fn open(parameters: &str) -> Vec<u8> {
    pdu(1, &[hex("04 fde9 00b4 c6336401"), hex(parameters)].concat())
}

/// A per-peer header: 192.0.2.1, or 2001:db8::1 where the flags say so, AS 65001.
pub(crate) fn peer(kind: u8, flags: u8) -> Vec<u8> {
    let address = match (kind, flags & 0x80) {
        (3, _) => "00000000 00000000 00000000 00000000",
        (_, 0) => "00000000 00000000 00000000 c0000201",
        _ => "20010db8 00000000 00000000 00000001",
    };
    let rest = "0000fde9 c6336401 6553f100 0003d090";
    [&[kind, flags][..], &[0; 8], &hex(address), &hex(rest)].concat()
}

/// A BMP message.
pub(crate) fn bmp(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let len = u32::try_from(6 + body.len()).expect("four octets");
    [&[3][..], &len.to_be_bytes(), &[kind], &body].concat()
}

/// A Route Monitoring message of the peer with kind and flags 0.
pub(crate) fn route_monitoring(pdu: &[u8]) -> Vec<u8> {
    bmp(0, &[&peer(0, 0), pdu])
}

/// ORIGIN, AS_PATH of four-octet numbers and NEXT_HOP.
pub(crate) const ATTRIBUTES: &str = "400101 00  40020a 0202 0000fde9 fa56ea00  400304 c0000201";
