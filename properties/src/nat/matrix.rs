//! Which law catches which mutant, and in how few events.

use std::slice::from_ref;

use natlaw_model::nat::Nat;
use natlaw_model::subject::Scenario;

use super::LAWS;
use super::mutants::{MUTANTS, Mutant};
use super::strategies::{sample, scenario};
use crate::law::{Law, check, verdicts};
use crate::prove::smallest;

/// Scenarios that each mutant is tried on.
pub const CASES: u32 = 3_000;

/// One mutant and the laws that catch it.
#[derive(Debug)]
pub struct Caught {
    /// The mutant.
    pub mutant: &'static Mutant,
    /// Each law that it breaks, with the smallest scenario that shows it.
    pub by: Vec<(&'static Law<Nat>, Scenario<Nat>)>,
}

impl Caught {
    /// The law that shows the defect in the fewest events.
    pub fn best(&self) -> Option<&(&'static Law<Nat>, Scenario<Nat>)> {
        self.by.iter().min_by_key(|(_, scenario)| scenario.events.len())
    }
}

/// Every mutant, with the laws that catch it. The same on every machine.
pub fn matrix() -> Vec<Caught> {
    let scenarios = sample(CASES);
    let caught = |mutant| Caught { mutant, by: caught_by(mutant, &scenarios) };
    MUTANTS.iter().map(caught).collect()
}

fn caught_by(
    mutant: &Mutant,
    scenarios: &[Scenario<Nat>],
) -> Vec<(&'static Law<Nat>, Scenario<Nat>)> {
    let mut breaks = vec![false; LAWS.len()];
    for scenario in scenarios {
        let verdicts = verdicts(LAWS, &scenario.play(&mut (mutant.device)(&scenario.subject)));
        for (broken, verdict) in breaks.iter_mut().zip(verdicts) {
            *broken |= verdict.broken_at.is_some();
        }
    }
    let broken = LAWS.iter().zip(breaks).filter(|(_, broken)| *broken).map(|(law, _)| law);
    broken.filter_map(|law| Some((law, smallest_breaking(mutant, law)?))).collect()
}

/// The smallest scenario on which the mutant breaks the law.
fn smallest_breaking(mutant: &Mutant, law: &Law<Nat>) -> Option<Scenario<Nat>> {
    smallest(CASES, &scenario(), |scenario: &Scenario<Nat>| {
        let trace = scenario.play(&mut (mutant.device)(&scenario.subject));
        check(from_ref(law), &trace).is_ok()
    })
}
