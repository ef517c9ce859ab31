//! Blocks of ports that members lease, each as large as all they had before.
//!
//! **Readings taken.** The documents say that a virtual machine starts with a minimum of ports,
//! that they are doubled when it is close to using them up, and that packets may be lost meanwhile
//! ("Troubleshoot configuration", Google Cloud NAT documentation, date not known). Here:
//! - A block is leased while the allocator holds a binding of its member in it, for all transports
//!   together. A member that holds nothing leases nothing, so its minimum is kept for nobody.
//! - A member is given a block when no port of those that it leases is eligible for the flow, and
//!   at once: no packet is lost. The first is of the minimum; each further one is as large as all
//!   before it together, until the maximum is reached.
//! - A block of `n` ports begins at a multiple of `n` from the first usable port and lies on one
//!   virtual IP. Blocks of one member may lie on several.
//! - Blocks are given back in the reverse order: the last one once nothing in it is held, and then
//!   the one before it. What a member leases is always the minimum times a power of two.
//! - A block on a virtual IP that was taken away counts until it is given back. Another port policy
//!   ends all leases.

use serde::{Deserialize, Serialize};

use super::policy::{block_index, blocks_per_address, nth_block};
use super::pool::VirtualIp;
use crate::flow::Endpoint;
use crate::ports::PortBlock;

/// How many ports a member may lease, and of which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[serde(deny_unknown_fields)]
pub struct Doubling {
    /// Ports of the first block: a power of two.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = crate::schema::powers_of_two(0..=15))))]
    pub minimum: u16,
    /// Ports of all blocks of a member together: a power of two above the minimum, 65,536 at most.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = crate::schema::powers_of_two(1..=16))))]
    pub maximum: u32,
    /// The ports of a virtual IP that are leased; what is no whole block of the minimum is left
    /// over.
    pub usable: PortBlock,
}

/// A block of ports that a member leases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lease {
    /// Where it lies.
    pub virtual_ip: VirtualIp,
    /// Its ports.
    pub block: PortBlock,
}

impl Doubling {
    /// The ports of a virtual IP that are in some block.
    pub fn in_blocks(&self) -> PortBlock {
        let blocks = blocks_per_address(self.minimum, self.usable);
        let ports = u32::try_from(blocks).unwrap_or(u32::MAX) * u32::from(self.minimum);
        PortBlock::from_len(self.usable.first(), ports).unwrap_or(self.usable)
    }

    /// How many ports the next block of a member has that leases these; `None` at the maximum.
    pub fn next_ports(&self, leases: &[Lease]) -> Option<u16> {
        let total: u32 = leases.iter().map(|lease| lease.block.len()).sum();
        let next = total.max(self.minimum.into());
        (total + next <= self.maximum).then(|| u16::try_from(next).ok())?
    }

    /// The block of so many ports that a port lies in, if there is one.
    pub fn block_at(&self, port: u16, ports: u16) -> Option<PortBlock> {
        let index = block_index(port, ports.try_into().ok()?, self.usable)?;
        nth_block(index, ports, self.usable)
    }

    /// All blocks of so many ports, in order.
    pub fn blocks(&self, ports: u16) -> impl Iterator<Item = PortBlock> {
        let blocks = 0..blocks_per_address(ports, self.usable);
        blocks.filter_map(move |index| nth_block(index, ports, self.usable))
    }
}

impl Lease {
    /// Whether an endpoint is in the block.
    pub fn contains(self, external: Endpoint) -> bool {
        self.virtual_ip.0 == external.address && self.block.contains(external.port)
    }

    /// Whether two leases have a port of one virtual IP in common.
    pub fn overlaps(self, other: Self) -> bool {
        self.virtual_ip == other.virtual_ip && self.block.overlaps(other.block)
    }
}
