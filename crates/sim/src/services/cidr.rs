//! Blocks of addresses.

use std::net::Ipv4Addr;

/// Whether an address is in a block of IPv4 addresses.
pub(crate) fn within(cidr: &str, address: &str) -> bool {
    let parsed = cidr.split_once('/').and_then(|(block, bits)| {
        let bits = bits.parse::<u32>().ok().filter(|bits| *bits <= 32)?;
        Some((block.parse::<Ipv4Addr>().ok()?, address.parse::<Ipv4Addr>().ok()?, bits))
    });
    parsed.is_some_and(|(block, address, bits)| {
        let mask = u32::MAX.checked_shl(32 - bits).unwrap_or_default();
        block.to_bits() & mask == address.to_bits() & mask
    })
}
