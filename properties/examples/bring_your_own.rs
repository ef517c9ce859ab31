//! An allocator of your own, and its verdict.
//!
//! ```sh
//! cargo run --release --package natlaw-properties --example bring_your_own
//! ```

use natlaw_model::allocator::{PortAllocator, Refusal};
use natlaw_model::flow::{Binding, Endpoint, FiveTuple};
use natlaw_model::nat::Nat;
use natlaw_properties::nat::conformance::conformance;

/// The first port that no flow holds, whatever its destination and its transport. The report says
/// what that costs.
struct OneFlowAPort(Nat, Vec<Binding>);

impl PortAllocator for OneFlowAPort {
    fn bind(&mut self, flow: FiveTuple) -> Result<Endpoint, Refusal> {
        let mut candidates = self.0.candidates(flow).ok_or(Refusal::NotInPool)?.iter();
        let is_held = |at: Endpoint| self.1.iter().any(|held| held.external == at);
        let free = candidates.find(|at| self.0.may_give(flow, *at) && !is_held(*at));
        self.1.extend(free.map(|external| Binding { flow, external }));
        free.ok_or(Refusal::Exhausted)
    }

    fn release(&mut self, binding: Binding) {
        self.1.retain(|held| *held != binding);
    }

    fn reconfigure(&mut self, nat: &Nat) {
        self.0 = nat.clone();
    }
}

fn main() {
    println!("{}", conformance("one flow a port", |nat| OneFlowAPort(nat.clone(), Vec::new())));
}
