//! An allocator of your own, in a crate of your own.
//!
//! - `cargo test`: its verdict, and its report against the reviewed one in `tests/snapshots`
//! - `cargo bench`: what it costs beside the allocators of natlaw

use natlaw_model::allocator::{FirstFit, PortAllocator, Refusal};
use natlaw_model::flow::{Binding, Endpoint, FiveTuple};
use natlaw_model::nat::{Nat, Selection};

/// Next-fit: the search goes on behind the endpoint that was given last.
pub struct NextFit {
    nat: Nat,
    /// Knows who holds what.
    book: FirstFit,
    last: usize,
}

impl NextFit {
    /// An allocator that has given nothing yet.
    pub fn new(nat: &Nat) -> Self {
        Self { nat: nat.clone(), book: FirstFit::new(nat), last: 0 }
    }
}

impl PortAllocator for NextFit {
    fn bind(&mut self, flow: FiveTuple) -> Result<Endpoint, Refusal> {
        // What a configuration declares about the choice is left to the book.
        if self.nat.selection == Selection::Spread || self.nat.preserve.keeps_anything() {
            return self.book.bind(flow);
        }
        let candidates = self.nat.candidates(flow).ok_or(Refusal::NotInPool)?;
        let len = candidates.len();
        let positions = (1..=len).map(|step| (self.last + step) % len);
        let mut endpoints = positions.filter_map(|at| Some((at, candidates.at(at)?)));
        let free = endpoints.find(|(_, external)| self.book.may_give(flow, *external));
        let (at, external) = free.ok_or(Refusal::Exhausted)?;
        self.last = at;
        self.book.adopt(Binding { flow, external });
        Ok(external)
    }

    fn release(&mut self, binding: Binding) {
        self.book.release(binding);
    }

    fn reconfigure(&mut self, nat: &Nat) {
        self.nat = nat.clone();
        self.book.reconfigure(nat);
    }
}
