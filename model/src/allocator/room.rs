//! How many keys each virtual IP holds towards each destination, counted where that is limited.

use std::net::Ipv4Addr;

use rustc_hash::FxHashMap;

use crate::flow::{Binding, FiveTuple, Transport};
use crate::nat::{Nat, PortReuse, Remote};

/// Held keys by transport, virtual IP and part of the destination.
#[derive(Debug, Clone, Default)]
pub(super) struct Room {
    limit: Option<u32>,
    held: FxHashMap<(Transport, Ipv4Addr, Remote), u32>,
}

impl Room {
    /// Nothing is held yet, and nothing is counted where there is no limit.
    pub(super) fn new(nat: &Nat) -> Self {
        Self { limit: nat.limits.per_destination, held: FxHashMap::default() }
    }

    /// Whether any virtual IP might have none.
    pub(super) const fn is_limited(&self) -> bool {
        self.limit.is_some()
    }

    /// Whether a virtual IP has room towards the flow's destination. Keys of a configuration since
    /// replaced may be unique towards a coarser part of it.
    pub(super) fn is_left(&self, nat: &Nat, flow: FiveTuple, address: Ipv4Addr) -> bool {
        let destination = nat.destination_of(flow);
        let of = |reuse: PortReuse| (flow.transport, address, reuse.remote(destination));
        let overlapping =
            [PortReuse::Never, PortReuse::PerDestinationAddress, PortReuse::PerDestination];
        let held = overlapping.map(|reuse| self.held.get(&of(reuse)).copied().unwrap_or_default());
        self.limit.is_none_or(|limit| held.iter().sum::<u32>() < limit)
    }

    pub(super) fn bound(&mut self, Binding { flow, external }: Binding, remote: Remote) {
        if self.is_limited() {
            *self.held.entry((flow.transport, external.address, remote)).or_default() += 1;
        }
    }

    pub(super) fn released(&mut self, Binding { flow, external }: Binding, remote: Remote) {
        let towards = (flow.transport, external.address, remote);
        let Some(held) = self.held.get_mut(&towards) else { return };
        *held -= 1;
        if *held == 0 {
            self.held.remove(&towards);
        }
    }
}
