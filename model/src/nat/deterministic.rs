//! Deterministic mapping: whose a port is follows from the configuration alone (RFC 7422).
//!
//! **Reading taken.** The RFC leaves the algorithm open; this one is its sequential one. A virtual
//! IP serves as many members as the compression ratio says, one after another, and each has one
//! block there. Above these blocks lie the ports that are kept for all members, and what makes up
//! no whole block is left over:
//!
//! ```text
//!  203.0.113.1            203.0.113.2            ratio 2, one block kept for all
//! [ 1st | 2nd | all | ]  [ 3rd | 4th | all | ]
//! ```
//!
//! The round robin of the RFC, which gives a member the same ports of each virtual IP, is
//! [`PortPolicy::Fixed`](super::PortPolicy::Fixed).

use std::num::NonZeroU16;

use serde::{Deserialize, Serialize};

use super::policy::{block_index, nth_block};
use crate::ports::PortBlock;

/// Which ports are a member's, by its slot alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[serde(deny_unknown_fields)]
pub struct Deterministic {
    /// Members that one virtual IP serves: the compression ratio.
    pub members_per_address: NonZeroU16,
    /// How many blocks of a virtual IP, each as large as a member's, all members draw on when none
    /// of their own ports is eligible: the dynamic factor.
    #[serde(default)]
    pub shared_blocks: u16,
    /// The ports of a virtual IP that are shared out: all but the reserved ones.
    pub usable: PortBlock,
}

impl Deterministic {
    /// Ports of each block; 0 if there are fewer usable ports than blocks.
    pub fn ports(self) -> u16 {
        let blocks = u32::from(self.members_per_address.get()) + u32::from(self.shared_blocks);
        u16::try_from(self.usable.len() / blocks).unwrap_or(u16::MAX)
    }

    /// The ports of each virtual IP that all members draw on, if there are any.
    pub fn shared(self) -> Option<PortBlock> {
        let ports = u32::from(self.ports());
        let own = u32::from(self.members_per_address.get()) * ports;
        let first = u16::try_from(u32::from(self.usable.first()) + own).ok()?;
        PortBlock::from_len(first, u32::from(self.shared_blocks) * ports)
    }

    /// Forward: on which virtual IP (from 0) the block of a slot (from 0) lies, and which ports it
    /// has.
    pub fn block_of(self, slot: usize) -> Option<(usize, PortBlock)> {
        let members = usize::from(self.members_per_address.get());
        let block = nth_block(slot % members, self.ports(), self.usable)?;
        Some((slot / members, block))
    }

    /// Reverse: the slot (from 0) whose block holds a port of a virtual IP (from 0); `None` if the
    /// port is no slot's alone.
    pub fn slot_of(self, address: usize, port: u16) -> Option<usize> {
        let members = usize::from(self.members_per_address.get());
        let block = block_index(port, NonZeroU16::new(self.ports())?, self.usable)?;
        (block < members).then_some(address * members + block)
    }
}
