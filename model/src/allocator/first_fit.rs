//! The obvious allocator: the first endpoint that nobody holds.

use std::cmp::Reverse;
use std::hash::{Hash, Hasher};

use itertools::Itertools;

use super::held::Held;
use super::{PortAllocator, Refusal};
use crate::flow::{Binding, Endpoint, FiveTuple};
use crate::nat::{Candidates, Nat, Selection};

/// The specification by example: looks at every candidate in order and takes the first eligible
/// one. Under [`Selection::Spread`] it first prefers the virtual IP with the fewest keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstFit {
    nat: Nat,
    held: Held,
    probes: u32,
}

impl FirstFit {
    /// An allocator that has given nothing yet.
    pub fn new(nat: &Nat) -> Self {
        Self { nat: nat.clone(), held: Held::default(), probes: 0 }
    }

    /// Whether the flow may be given this endpoint now.
    pub fn may_give(&self, flow: FiveTuple, external: Endpoint) -> bool {
        self.held.is_eligible(&self.nat, flow, external)
    }

    /// The first eligible candidate, or of those that keep most of the inside port the first.
    fn choose(&self, flow: FiveTuple, probes: &mut u32) -> Result<Endpoint, Refusal> {
        self.nat.candidates(flow).ok_or(Refusal::NotInPool)?;
        let first = self.choose_among(flow, self.held.first_choices(&self.nat, flow), probes);
        let second = || {
            let choices = self.held.second_choices(&self.nat, flow);
            self.choose_among(flow, choices, probes)
        };
        first.or_else(second).ok_or(Refusal::Exhausted)
    }

    fn choose_among(
        &self,
        flow: FiveTuple,
        candidates: Vec<Candidates>,
        probes: &mut u32,
    ) -> Option<Endpoint> {
        let is_nobodys = |endpoint: &Endpoint| {
            *probes += 1;
            self.held.is_nobodys(&self.nat, flow, *endpoint)
        };
        let in_order = self.in_order(flow, candidates).into_iter().flat_map(Candidates::iter);
        let mut eligible = in_order.filter(is_nobodys);
        let (preserve, inside) = (self.nat.preserve, flow.source.port);
        match preserve.keeps_anything() {
            true => eligible.min_by_key(|it| Reverse(preserve.rank(inside, it.port))),
            false => eligible.next(),
        }
    }

    /// The candidates in the order in which they are looked at, of each virtual IP with room.
    fn in_order<'a>(
        &self,
        flow: FiveTuple,
        candidates: Vec<Candidates<'a>>,
    ) -> Vec<Candidates<'a>> {
        let has_room = |one: &Candidates| self.held.has_room(&self.nat, flow, one.addresses()[0].0);
        let by_address = candidates.into_iter().flat_map(Candidates::by_address);
        let with_room = by_address.filter(has_room);
        let load = |one: &Candidates| {
            let around = self.nat.candidates_around(flow, *one);
            around.map_or(0, |around| self.held.load(&self.nat, flow, around))
        };
        match self.nat.selection {
            Selection::Spread => with_room.sorted_by_cached_key(load).collect(),
            _ => with_room.collect(),
        }
    }

    /// Holds an endpoint that another allocator chose.
    pub fn adopt(&mut self, binding: Binding) {
        self.held.bind(&self.nat, binding);
    }
}

impl PortAllocator for FirstFit {
    fn bind(&mut self, flow: FiveTuple) -> Result<Endpoint, Refusal> {
        self.probes = 0;
        let mut probes = 0;
        let external = self.choose(flow, &mut probes);
        self.probes = probes;
        let external = external?;
        self.adopt(Binding { flow, external });
        Ok(external)
    }

    fn release(&mut self, binding: Binding) {
        self.held.release(binding);
    }

    fn reconfigure(&mut self, nat: &Nat) {
        self.held.reconfigure(&self.nat, nat);
        self.nat = nat.clone();
    }

    fn probes(&self) -> Option<u32> {
        Some(self.probes)
    }
}

/// The count of the last search is left out: no later answer depends on it.
impl Hash for FirstFit {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.nat, &self.held).hash(state);
    }
}
