//! In which order the candidates of a flow are looked at where a member has ports of its own and
//! may be given others.

use std::collections::BTreeMap;

use itertools::Itertools;

use super::{Candidates, Lease, Nat, PortPolicy, VirtualIp};
use crate::flow::{Endpoint, FiveTuple};
use crate::ports::PortBlock;

impl Nat {
    /// The candidates of a flow that are looked at first, in order, given what its member leases:
    /// all that are the member's own.
    pub fn first_choices(&self, flow: FiveTuple, leases: &[Lease]) -> Vec<Candidates<'_>> {
        let Some(candidates) = self.candidates(flow) else { return Vec::new() };
        if !matches!(self.ports, PortPolicy::Doubling(_)) {
            return vec![candidates.first()];
        }
        let blocks = leases.iter().filter_map(|lease| candidates.within(*lease));
        blocks.sorted_by_key(|block| candidates.positions_of(*block).start).collect()
    }

    /// The candidates of a flow that are looked at when none of the first is eligible, in order,
    /// given what its member leases and what all members do: shared ports, or the blocks that the
    /// member may lease next.
    pub fn second_choices(
        &self,
        flow: FiveTuple,
        leases: &[Lease],
        of_all: impl Iterator<Item = Lease>,
    ) -> Vec<Candidates<'_>> {
        let Some(candidates) = self.candidates(flow) else { return Vec::new() };
        let PortPolicy::Doubling(doubling) = &self.ports else {
            return candidates.beyond().into_iter().collect();
        };
        let Some(ports) = doubling.next_ports(leases) else { return Vec::new() };
        let taken = Leased::of(of_all);
        let vips = candidates.addresses().iter();
        let blocks = vips.cartesian_product(doubling.blocks(ports).collect_vec());
        let blocks = blocks.map(|(vip, block)| Lease { virtual_ip: *vip, block });
        let free = blocks.filter(|block| !taken.overlaps(*block));
        free.filter_map(|block| candidates.within(block)).collect()
    }

    /// All candidates of a flow that lie on one virtual IP with these: of the guarantee, or beyond
    /// it.
    pub(crate) fn candidates_around(
        &self,
        flow: FiveTuple,
        some: Candidates<'_>,
    ) -> Option<Candidates<'_>> {
        let endpoint = some.at(0)?;
        self.candidates(flow)?.by_address().find(|one| one.position(endpoint).is_some())
    }

    /// The block that a member which leases these begins to lease with this endpoint; `None` if the
    /// endpoint is in no block, or the member leases all that it may.
    pub fn next_lease(&self, leases: &[Lease], external: Endpoint) -> Option<Lease> {
        let PortPolicy::Doubling(doubling) = &self.ports else { return None };
        let block = doubling.block_at(external.port, doubling.next_ports(leases)?)?;
        Some(Lease { virtual_ip: VirtualIp(external.address), block })
    }
}

/// The leases of all members, which do not overlap: the last port of each by its place.
struct Leased(BTreeMap<(VirtualIp, u16), PortBlock>);

impl Leased {
    fn of(leases: impl Iterator<Item = Lease>) -> Self {
        let place = |lease: Lease| ((lease.virtual_ip, lease.block.first()), lease.block);
        Self(leases.map(place).collect())
    }

    fn overlaps(&self, wanted: Lease) -> bool {
        let before = self.0.range(..=(wanted.virtual_ip, wanted.block.last())).next_back();
        let held = before.map(|((virtual_ip, _), block)| (*virtual_ip, *block));
        held.is_some_and(|(virtual_ip, block)| wanted.overlaps(Lease { virtual_ip, block }))
    }
}
