//! Judging the answers, so that no wrong one is timed.

use natlaw_model::allocator::{FirstFit, PortAllocator, Refusal};
use natlaw_model::flow::{Binding, Endpoint, FiveTuple};
use natlaw_model::nat::{Candidates, Nat};

/// An allocator whose every answer is judged by the obvious one, which then adopts it.
pub(crate) struct Audited<A> {
    pub(crate) name: String,
    /// Calls of `bind` that were refused although an endpoint was eligible.
    pub(crate) failures: u32,
    allocator: A,
    judge: FirstFit,
    nat: Nat,
    in_use: usize,
}

impl<A> Audited<A> {
    pub(crate) fn new(name: &str, nat: &Nat, allocator: A) -> Self {
        let (judge, nat) = (FirstFit::new(nat), nat.clone());
        Self { name: name.into(), failures: 0, allocator, judge, nat, in_use: 0 }
    }

    pub(crate) fn into_inner(self) -> A {
        self.allocator
    }

    fn given(&mut self, flow: FiveTuple, external: Endpoint) {
        assert!(
            self.judge.may_give(flow, external),
            "{}: `bind` answered {external} for {flow}, which is held or no candidate",
            self.name
        );
        self.judge.adopt(Binding { flow, external });
        self.in_use += 1;
    }

    /// All flows here have one member and one destination, so what is eligible is a difference.
    fn refused(&mut self, flow: FiveTuple, refusal: Refusal) {
        let eligible = self.nat.candidates(flow).map_or(0, Candidates::len) - self.in_use;
        assert!(
            refusal == Refusal::GaveUp || (refusal == Refusal::Exhausted && eligible == 0),
            "{}: `bind` refused {flow}: {refusal}, with {eligible} endpoints eligible",
            self.name
        );
        self.failures += u32::from(eligible > 0);
    }
}

impl<A: PortAllocator> PortAllocator for Audited<A> {
    fn bind(&mut self, flow: FiveTuple) -> Result<Endpoint, Refusal> {
        let answer = self.allocator.bind(flow);
        match answer {
            Ok(external) => self.given(flow, external),
            Err(refusal) => self.refused(flow, refusal),
        }
        answer
    }

    fn release(&mut self, binding: Binding) {
        self.allocator.release(binding);
        self.judge.release(binding);
        self.in_use -= 1;
    }

    fn reconfigure(&mut self, nat: &Nat) {
        self.allocator.reconfigure(nat);
        self.judge.reconfigure(nat);
        self.nat = nat.clone();
    }

    fn probes(&self) -> Option<u32> {
        self.allocator.probes()
    }
}
