//! Logs by hand, beside a naive twin, across threads, and every schedule of small ones.

#[cfg(loom)]
mod loom;
#[cfg(not(loom))]
mod oracle;
#[cfg(not(loom))]
mod rows;
#[cfg(not(loom))]
mod threads;

/// The octet at a position: neighbours differ, and so do the same places of two segments.
#[cfg(not(loom))]
fn octet(position: u64) -> u8 {
    (position.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56).to_le_bytes()[0]
}

/// The octets from a position.
#[cfg(not(loom))]
fn octets(position: u64, len: usize) -> Vec<u8> {
    (position..).take(len).map(octet).collect()
}
