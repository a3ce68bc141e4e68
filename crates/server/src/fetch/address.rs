//! Which addresses are anybody's, and which are inside.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is one of the public Internet's.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// The IANA registry of special addresses, all of which are kept out, multicast and what is
/// reserved too.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = matches!(
        (a, b, c),
        (0 | 10 | 127, _, _)
            | (100, 64..=127, _) // between carriers and their customers
            | (169, 254, _) // link-local, and the metadata of clouds
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99) // relays of 6to4
            | (192, 168, _)
            | (198, 18..=19, _)
            | (198, 51, 100)
            | (203, 0, 113)
            | (224.., _, _)
    );
    !is_special
}

/// Only 2000::/3 is given out, and of it not what stands for something else: addresses that
/// carry one of version 4 lead there, whatever that is, so they are kept out whole.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let is_special = match first {
        0x2001 => second < 0x0200 || second == 0x0db8, // Teredo, ORCHID; documentation
        0x2002 => true,                                // 6to4
        0x3ffe => true,                                // the former test network
        0x3fff => second < 0x1000,                     // documentation
        _ => false,
    };
    (0x2000..0x4000).contains(&first) && !is_special
}
