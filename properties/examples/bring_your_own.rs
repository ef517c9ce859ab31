//! An allocator of your own, and its verdict.
//!
//! ```sh
//! cargo run --release --package natlaw-properties --example bring_your_own
//! ```

use std::collections::BTreeSet;

use natlaw_model::allocator::{PortAllocator, Refusal};
use natlaw_model::flow::{Binding, Endpoint, FiveTuple};
use natlaw_model::nat::Nat;
use natlaw_properties::nat::conformance::conformance;

/// Next-fit: the search goes on behind the endpoint that was given last. It takes no account of
/// destinations, so the report says what that costs.
struct NextFit {
    nat: Nat,
    held: BTreeSet<Binding>,
    last: usize,
}

impl PortAllocator for NextFit {
    fn bind(&mut self, flow: FiveTuple) -> Result<Endpoint, Refusal> {
        let candidates = self.nat.candidates(flow).ok_or(Refusal::NotInPool)?;
        let order = (1..=candidates.len()).map(|step| (self.last + step) % candidates.len());
        let is_free = |external: Endpoint| {
            self.nat.may_give(flow, external)
                && self.held.iter().all(|held| held.external != external)
        };
        let free =
            order.filter_map(|at| Some((at, candidates.at(at)?))).find(|(_, at)| is_free(*at));
        let (at, external) = free.ok_or(Refusal::Exhausted)?;
        self.last = at;
        self.held.insert(Binding { flow, external });
        Ok(external)
    }

    fn release(&mut self, binding: Binding) {
        self.held.remove(&binding);
    }

    fn reconfigure(&mut self, nat: &Nat) {
        self.nat = nat.clone();
    }
}

fn main() {
    let new = |nat: &Nat| NextFit { nat: nat.clone(), held: BTreeSet::new(), last: 0 };
    let verdict = conformance("next-fit", new);
    println!("{verdict}\n{}", verdict.times());
}
