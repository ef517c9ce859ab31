//! Who leases which block under [`PortPolicy::Doubling`](crate::nat::PortPolicy::Doubling).

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use crate::flow::Binding;
use crate::nat::{Lease, Nat, PortPolicy};

/// The leases of each member that has any, in the order in which they were given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Leases {
    by_member: BTreeMap<Ipv4Addr, Vec<Held>>,
}

/// A lease, and how many bindings of its member are held in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Held {
    lease: Lease,
    bindings: usize,
}

impl Leases {
    /// Those of one member.
    pub(super) fn of(&self, member: Ipv4Addr) -> Vec<Lease> {
        let held = self.by_member.get(&member).into_iter().flatten();
        held.map(|held| held.lease).collect()
    }

    /// Those of all members.
    pub(super) fn all(&self) -> impl Iterator<Item = Lease> {
        self.by_member.values().flatten().map(|held| held.lease)
    }

    /// A binding is held from now on: it lies in a block of its member, or begins one. `held` are
    /// all bindings that are, this one included.
    pub(super) fn bound(
        &mut self,
        nat: &Nat,
        binding: Binding,
        held: impl Iterator<Item = Binding>,
    ) {
        if let Some(held) = self.around(binding) {
            held.bindings += 1;
            return;
        }
        let member = binding.flow.source.address;
        let Some(lease) = nat.next_lease(&self.of(member), binding.external) else { return };
        let is_in_it =
            |held: &Binding| held.flow.source.address == member && lease.contains(held.external);
        let bindings = held.filter(is_in_it).count();
        self.by_member.entry(member).or_default().push(Held { lease, bindings });
    }

    /// A binding is no longer held. A block in which none is ends, if it is its member's last.
    pub(super) fn released(&mut self, binding: Binding) {
        let Some(held) = self.around(binding) else { return };
        held.bindings -= 1;
        let member = binding.flow.source.address;
        let Some(held) = self.by_member.get_mut(&member) else { return };
        while held.pop_if(|last| last.bindings == 0).is_some() {}
        if held.is_empty() {
            self.by_member.remove(&member);
        }
    }

    /// The configuration changes: under another port policy no lease goes on.
    pub(super) fn reconfigured(&mut self, before: &PortPolicy, after: &PortPolicy) {
        if before != after {
            self.by_member.clear();
        }
    }

    /// The lease of its member that a binding lies in.
    fn around(&mut self, binding: Binding) -> Option<&mut Held> {
        let held = self.by_member.get_mut(&binding.flow.source.address)?;
        held.iter_mut().find(|held| held.lease.contains(binding.external))
    }
}
