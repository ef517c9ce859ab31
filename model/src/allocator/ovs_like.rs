//! The rule by which Open vSwitch translates sources into a range, as Open vSwitch 3.1.0 was seen to
//! follow it in November 2026.
//!
//! 1. The address is a hash of the whole flow, and no other is tried.
//! 2. Ports are looked at from a start that is a hash too, in windows of 128, 64, 32, 16 and 8; up to
//!    128 ports in one window of all of them. What is free is taken, and who finds nothing gives up.
//!    No port is kept, and no mapping is used again.
//! 3. The identifier of an ICMP query is left as it is, inside the range or not; where it is taken,
//!    the query is refused.
//!
//! **Reading taken.** The hashes begin with a number that each process draws anew. So of the address
//! and of the start anything is allowed, and where refusals are concerned, any address that could
//! refuse.

use super::held::Held;
use super::linux_like::{Allowed, WINDOWS};
use crate::flow::{Binding, Endpoint, FiveTuple, Transport};
use crate::nat::{Candidates, Nat};

/// Says of any answer whether Open vSwitch could have given it, and follows that.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OvsLike {
    nat: Nat,
    held: Held,
}

impl OvsLike {
    /// A rule that has seen nothing given yet.
    pub fn new(nat: &Nat) -> Self {
        Self { nat: nat.clone(), held: Held::default() }
    }

    /// What a new flow may be answered.
    pub fn allowed(&self, flow: FiveTuple) -> Allowed {
        let Some(candidates) = self.nat.candidates(flow) else {
            return Allowed { endpoints: Vec::new(), refusal: true };
        };
        match flow.transport {
            Transport::Tcp | Transport::Udp => self.searched(flow, candidates),
            Transport::Icmp => self.kept(flow, candidates),
        }
    }

    /// Holds an endpoint that a real device chose.
    pub fn adopt(&mut self, binding: Binding) {
        self.held.hold(binding, self.nat.key(binding.flow, binding.external).remote);
    }

    /// The flow is over: its endpoint is free again.
    pub fn release(&mut self, binding: Binding) {
        self.held.release(binding);
    }

    fn searched(&self, flow: FiveTuple, candidates: Candidates<'_>) -> Allowed {
        let is_free = |endpoint: &Endpoint| self.is_free(flow, *endpoint);
        let refuses = |ports: Candidates<'_>| {
            may_find_nothing(&ports.iter().map(|it| is_free(&it)).collect::<Vec<_>>())
        };
        let refusal = candidates.by_address().any(refuses);
        Allowed { endpoints: candidates.iter().filter(is_free).collect(), refusal }
    }

    fn kept(&self, flow: FiveTuple, candidates: Candidates<'_>) -> Allowed {
        let addresses = candidates.addresses().iter();
        let kept: Vec<_> = addresses.map(|it| Endpoint::new(it.0, flow.source.port)).collect();
        let (endpoints, taken): (Vec<_>, Vec<_>) =
            kept.into_iter().partition(|endpoint| self.is_free(flow, *endpoint));
        Allowed { endpoints, refusal: !taken.is_empty() }
    }

    fn is_free(&self, flow: FiveTuple, endpoint: Endpoint) -> bool {
        self.held.is_free(self.nat.key(flow, endpoint))
    }
}

/// Whether there is a start from which the first window, which goes on with the lowest port after the
/// highest, looks at taken ports only.
fn may_find_nothing(free: &[bool]) -> bool {
    let window = free.len().min(WINDOWS[0] as usize);
    let taken_from = |start: usize| free.iter().cycle().skip(start).take(window).all(|free| !free);
    (0..free.len()).any(taken_from)
}
