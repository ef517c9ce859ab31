//! What an allocator has given and not yet got back, kept in the obvious way.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::leases::Leases;
use crate::flow::{Binding, Endpoint, FiveTuple, Transport};
use crate::nat::{Candidates, Key, Member, Nat, PortPolicy, Remote};

/// Every held binding, with the part of the destination within which its key is unique.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Held {
    by_external: BTreeMap<(Transport, Endpoint), Vec<(Remote, Binding)>>,
    leases: Leases,
}

impl Held {
    /// Whether the flow may be given this endpoint.
    pub(super) fn is_eligible(&self, nat: &Nat, flow: FiveTuple, external: Endpoint) -> bool {
        self.is_open(nat, flow, external) && self.is_in_turn(nat, flow, external)
    }

    /// The candidates of a flow that are looked at first.
    pub(super) fn first_choices<'a>(&self, nat: &'a Nat, flow: FiveTuple) -> Vec<Candidates<'a>> {
        nat.first_choices(flow, &self.leases.of(flow.source.address))
    }

    /// The candidates of a flow that are looked at when none of the first is eligible.
    pub(super) fn second_choices<'a>(&self, nat: &'a Nat, flow: FiveTuple) -> Vec<Candidates<'a>> {
        nat.second_choices(flow, &self.leases.of(flow.source.address), self.leases.all())
    }

    /// Whether the endpoint is among the first choices, or among the second and none of the first
    /// is eligible.
    fn is_in_turn(&self, nat: &Nat, flow: FiveTuple, external: Endpoint) -> bool {
        if !nat.ports.goes_beyond() {
            return true;
        }
        let is_among =
            |choices: &[Candidates]| choices.iter().any(|one| one.position(external).is_some());
        let first = self.first_choices(nat, flow);
        let mut endpoints = first.iter().flat_map(|one| one.iter());
        is_among(&first)
            || (endpoints.all(|first| !self.is_open(nat, flow, first))
                && is_among(&self.second_choices(nat, flow)))
    }

    /// Whether the flow may be given this endpoint, if it is its turn.
    fn is_open(&self, nat: &Nat, flow: FiveTuple, external: Endpoint) -> bool {
        self.has_room(nat, flow, external.address) && self.is_nobodys(nat, flow, external)
    }

    /// Whether a virtual IP holds fewer keys towards the flow's destination than the limit there
    /// is.
    pub(super) fn has_room(&self, nat: &Nat, flow: FiveTuple, address: Ipv4Addr) -> bool {
        let wanted = nat.key(flow, flow.source).remote;
        let towards_it = |(remote, binding): &(Remote, Binding)| {
            binding.flow.transport == flow.transport && remote.overlaps(wanted)
        };
        let held = || self.on(address).filter(towards_it).count();
        nat.limits.per_destination.is_none_or(|limit| held() < limit as usize)
    }

    /// Whether the flow may be given this endpoint, leases allow it, and nobody holds it.
    pub(super) fn is_nobodys(&self, nat: &Nat, flow: FiveTuple, external: Endpoint) -> bool {
        nat.may_give(flow, external)
            && self.lease_allows(nat, flow, external.address)
            && self.is_free(nat.key(flow, external))
    }

    /// Whether no held key overlaps this one.
    pub(super) fn is_free(&self, key: Key) -> bool {
        let holders = self.by_external.get(&(key.transport, key.external));
        holders.is_none_or(|holders| holders.iter().all(|(held, _)| !held.overlaps(key.remote)))
    }

    /// Holds the endpoint for the flow's mapping. Where members lease blocks, it is in one of its
    /// member's, or begins one.
    pub(super) fn bind(&mut self, nat: &Nat, binding: Binding) {
        self.hold(binding, nat.key(binding.flow, binding.external).remote);
        let Self { by_external, leases } = self;
        let held = by_external.values().flatten().map(|(_, held)| *held);
        leases.bound(nat, binding, held);
    }

    /// The configuration changes. What is held stays held.
    pub(super) fn reconfigure(&mut self, before: &Nat, after: &Nat) {
        self.leases.reconfigured(&before.ports, &after.ports);
    }

    /// Holds the endpoint for the flow's mapping, towards this part of the destination. The
    /// holders of an endpoint stay in order, so that who came first makes no difference.
    pub(super) fn hold(&mut self, binding: Binding, remote: Remote) {
        let external = (binding.flow.transport, binding.external);
        let holders = self.by_external.entry(external).or_default();
        let place = holders.partition_point(|held| *held < (remote, binding));
        holders.insert(place, (remote, binding));
    }

    /// Gives the endpoint back, if it is held by this very binding.
    pub(super) fn release(&mut self, binding: Binding) {
        let external = (binding.flow.transport, binding.external);
        let Some(holders) = self.by_external.get_mut(&external) else {
            return;
        };
        if let Some(index) = holders.iter().position(|(_, held)| *held == binding) {
            holders.remove(index);
            self.leases.released(binding);
        }
        if holders.is_empty() {
            self.by_external.remove(&external);
        }
    }

    /// Held keys among these candidates of a flow, of one virtual IP: the load that
    /// [`crate::nat::Selection::Spread`] compares.
    pub(super) fn load(&self, nat: &Nat, flow: FiveTuple, on: Candidates) -> usize {
        let counts = |(remote, binding): &(Remote, Binding)| {
            binding.flow.transport == flow.transport
                && remote.overlaps(nat.key(flow, binding.external).remote)
                && on.position(binding.external).is_some()
        };
        self.on(on.addresses()[0].0).filter(counts).count()
    }

    /// Whether nothing is held.
    pub(super) fn is_empty(&self) -> bool {
        self.by_external.is_empty()
    }

    /// The bindings held on one virtual IP, in the order of transport and port.
    fn on(&self, address: Ipv4Addr) -> impl Iterator<Item = (Remote, Binding)> {
        let of_transport = move |transport| {
            let port = |port| (transport, Endpoint::new(address, port));
            self.by_external.range(port(0)..=port(u16::MAX))
        };
        Transport::ALL.into_iter().flat_map(of_transport).flat_map(|(_, held)| held).copied()
    }

    /// Under dynamic NAT a member uses the virtual IP it leases, or else one that nobody does.
    fn lease_allows(&self, nat: &Nat, flow: FiveTuple, address: Ipv4Addr) -> bool {
        if nat.ports != PortPolicy::Dynamic {
            return true;
        }
        let member = Some(Member(flow.source.address));
        let lessee = self.lessee(address);
        let leases = || nat.virtual_ips.iter().any(|vip| self.lessee(vip.0) == member);
        lessee == member || (lessee.is_none() && !leases())
    }

    fn lessee(&self, address: Ipv4Addr) -> Option<Member> {
        self.on(address).next().map(|(_, binding)| Member(binding.flow.source.address))
    }
}
