//! The obvious allocator: the first endpoint that nobody holds.

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

    /// Holds an endpoint that another allocator chose.
    pub fn adopt(&mut self, binding: Binding) {
        self.held.hold(binding, self.nat.port_reuse.remote(binding.flow.destination));
    }
}

impl PortAllocator for FirstFit {
    fn bind(&mut self, flow: FiveTuple) -> Result<Endpoint, Refusal> {
        self.probes = 0;
        let candidates = self.nat.candidates(flow).ok_or(Refusal::NotInPool)?;
        let mut probes = 0;
        let is_eligible = |endpoint: &Endpoint| {
            probes += 1;
            self.may_give(flow, *endpoint)
        };
        let choice = match self.nat.selection {
            Selection::LowestFirst | Selection::Random(_) => candidates.iter().find(is_eligible),
            Selection::Spread => {
                let load = |one: &Candidates| self.held.load(&self.nat, flow, one.addresses()[0].0);
                let by_load = candidates.by_address().sorted_by_cached_key(load);
                by_load.flat_map(Candidates::iter).find(is_eligible)
            }
        };
        self.probes = probes;
        let external = choice.ok_or(Refusal::Exhausted)?;
        self.adopt(Binding { flow, external });
        Ok(external)
    }

    fn release(&mut self, binding: Binding) {
        self.held.release(binding);
    }

    fn reconfigure(&mut self, nat: &Nat) {
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
