//! Client computers: every address of 127.0.0.0/8 is this machine's own.

use std::net::{IpAddr, Ipv4Addr};

/// Addresses in one block.
const BLOCK: u32 = 1 << 20;

/// What a block of addresses is for, so that clients of different kinds never share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block {
    /// Sessions that are held.
    Held,
    /// Sessions that will be ended.
    Victims,
    /// Sessions that come and go.
    Passing,
}

impl Block {
    /// The address of client number `index` in this block; after 2^20 they begin again.
    /// None of them is 127.0.0.1, where the servers and the administrator are.
    pub fn address(self, index: u32) -> IpAddr {
        let start = match self {
            Self::Held => 0x7F10_0000,
            Self::Victims => 0x7F20_0000,
            Self::Passing => 0x7F30_0000,
        };
        IpAddr::V4(Ipv4Addr::from_bits(start + index % BLOCK))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_client_has_its_own() {
        let mut seen = HashSet::new();
        for block in [Block::Held, Block::Victims, Block::Passing] {
            for index in [0, 1, 255, 256, 9_999, 100_000, BLOCK - 1] {
                let address = block.address(index);
                assert!(address.is_loopback(), "{address}");
                assert_ne!(address, IpAddr::V4(Ipv4Addr::LOCALHOST));
                assert!(seen.insert(address), "{address} twice");
            }
        }
        assert_eq!(Block::Held.address(BLOCK), Block::Held.address(0));
    }
}
