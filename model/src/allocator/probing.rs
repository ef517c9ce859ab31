//! The allocators of the field that look at a bounded number of candidates and then give up.

use super::held::Held;
use super::linux_like::WINDOWS;
use super::random::SplitMix;
use super::starts::seed_of;
use super::{PortAllocator, Refusal};
use crate::flow::{Binding, Endpoint, FiveTuple};
use crate::nat::{Candidates, Nat};

/// How many candidates are looked at, and in which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Budget {
    /// This many draws, each from all candidates anew, so that a draw may repeat.
    Draws(u32),
    /// Windows of these lengths, each from a start drawn anew and then upwards. Where the first
    /// window covers all candidates it is searched whole and the others are not needed.
    Windows(&'static [u32]),
}

impl Budget {
    /// VPP's nat44-ed: `ED_PORT_ALLOC_ATTEMPTS` (FD.io VPP, August 2026).
    pub const VPP: Self = Self::Draws(10);
    /// The budget of Cilium 1.19 (`SNAT_COLLISION_RETRIES`), drawn anew each time; Cilium itself
    /// draws once and counts upwards from there, which fails more often.
    pub const CILIUM: Self = Self::Draws(32);
    /// The budget of Cilium before that, likewise.
    pub const CILIUM_BEFORE: Self = Self::Draws(128);
    /// Linux (`nf_nat_l4proto_unique_tuple`) and Open vSwitch (`nat_get_unique_l4`, June 2026).
    pub const LINUX: Self = Self::Windows(&WINDOWS);

    /// The most candidates that one search looks at.
    pub fn probes_max(self) -> u32 {
        match self {
            Self::Draws(draws) => draws,
            Self::Windows(windows) => windows.iter().sum(),
        }
    }
}

/// Looks at candidates until one is eligible or the budget is spent. It says
/// [`Refusal::Exhausted`] only when it has looked at every candidate, and
/// [`Refusal::GaveUp`] otherwise. It draws whatever selection is declared, so it does not spread.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Probing {
    nat: Nat,
    budget: Budget,
    held: Held,
    random: SplitMix,
    probes: u32,
}

impl Probing {
    /// An allocator with this budget that has given nothing yet.
    pub fn new(nat: &Nat, budget: Budget) -> Self {
        let held = Held::default();
        let random = SplitMix::new(seed_of(nat));
        Self { nat: nat.clone(), budget, held, random, probes: 0 }
    }

    /// The starts and lengths of the runs of candidates to look at.
    fn runs(&mut self, candidates: usize) -> Vec<(usize, u32)> {
        let all = u32::try_from(candidates).unwrap_or(u32::MAX);
        let mut start = || self.random.below(candidates);
        match self.budget {
            Budget::Draws(draws) => (0..draws).map(|_| (start(), 1)).collect(),
            Budget::Windows(windows) if windows.first().is_some_and(|first| *first >= all) => {
                vec![(start(), all)]
            }
            Budget::Windows(windows) => windows.iter().map(|length| (start(), *length)).collect(),
        }
    }
}

impl PortAllocator for Probing {
    fn bind(&mut self, flow: FiveTuple) -> Result<Endpoint, Refusal> {
        self.probes = 0;
        let count = self.nat.candidates(flow).map(Candidates::len).ok_or(Refusal::NotInPool)?;
        let runs = self.runs(count);
        let candidates = self.nat.candidates(flow).ok_or(Refusal::NotInPool)?;
        let searched_whole = runs.iter().any(|(_, length)| *length as usize >= count);
        let mut positions = runs.into_iter().flat_map(|(start, length)| {
            (0..length as usize).map(move |step| (start + step) % count)
        });
        let external = positions.find_map(|position| {
            self.probes += 1;
            let endpoint = candidates.at(position)?;
            self.held.is_eligible(&self.nat, flow, endpoint).then_some(endpoint)
        });
        let refusal = if searched_whole { Refusal::Exhausted } else { Refusal::GaveUp };
        let external = external.ok_or(refusal)?;
        self.held.bind(&self.nat, Binding { flow, external });
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
