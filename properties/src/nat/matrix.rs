//! Which law catches which mutant, and in how few events.

use std::slice::from_ref;
use std::sync::LazyLock;

use natlaw_model::allocator::FirstFit;
use natlaw_model::nat::Nat;
use natlaw_model::subject::{Scenario, Trace};
use natlaw_model::translator::Translator;

use super::LAWS;
use super::mutants::{MUTANTS, Mutant};
use super::plain::{plainest, roughness};
use super::strategies::sample;
use crate::law::{Law, check, verdicts};
use crate::shrink::fewest_events;

/// Scenarios that each mutant is tried on.
pub const CASES: u32 = 3_000;

/// Scenarios that are shrunk for each law and mutant: those that break the law earliest.
const SHRUNK: usize = 16;

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

/// Every mutant, with the laws that catch it. The same on every machine, and computed once.
pub fn matrix() -> &'static [Caught] {
    static MATRIX: LazyLock<Vec<Caught>> = LazyLock::new(|| MUTANTS.iter().map(caught).collect());
    &MATRIX
}

/// One mutant, with the laws that catch it.
pub fn caught(mutant: &'static Mutant) -> Caught {
    let mut breaks = vec![Vec::new(); LAWS.len()];
    for (scenario, sound) in SAMPLE.iter() {
        let trace = scenario.play(&mut (mutant.device)(&scenario.subject));
        if trace == *sound {
            continue;
        }
        for (breaks, verdict) in breaks.iter_mut().zip(verdicts(LAWS, &trace)) {
            breaks.extend(verdict.broken_at.map(|step| (step, scenario)));
        }
    }
    let by = LAWS.iter().zip(breaks);
    let by = by.filter_map(|(law, breaks)| Some((law, smallest_breaking(mutant, law, breaks)?)));
    Caught { mutant, by: by.collect() }
}

/// Scenarios with the answers of a sound translator. A mutant that answers the same breaks nothing.
static SAMPLE: LazyLock<Vec<(Scenario<Nat>, Trace<Nat>)>> = LazyLock::new(|| {
    let with_answers = |scenario: Scenario<Nat>| {
        let trace = scenario.play(&mut Translator::new(&scenario.subject, FirstFit::new));
        (scenario, trace)
    };
    sample(CASES).into_iter().map(with_answers).collect()
});

/// The smallest scenario on which the mutant breaks the law, made from those where it does.
fn smallest_breaking(
    mutant: &Mutant,
    law: &Law<Nat>,
    mut breaks: Vec<(usize, &Scenario<Nat>)>,
) -> Option<Scenario<Nat>> {
    let is_broken = |scenario: &Scenario<Nat>| {
        let trace = scenario.play(&mut (mutant.device)(&scenario.subject));
        check(from_ref(law), &trace).is_err()
    };
    breaks.sort_by_key(|(step, _)| *step);
    let shrunk = breaks.into_iter().take(SHRUNK).map(|(step, scenario)| {
        let events = scenario.events[..step].to_vec();
        let subject = scenario.subject.clone();
        plainest(fewest_events(&Scenario { subject, events }, is_broken), is_broken)
    });
    shrunk.min_by_key(|scenario| (scenario.events.len(), roughness(scenario)))
}
