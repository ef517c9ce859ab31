//! Which law catches which mutant, and in how few events.

use std::slice::from_ref;
use std::sync::LazyLock;

use natlaw_model::routing::RoutingGraph;
use natlaw_model::subject::{Scenario, Trace};

use super::LAWS;
use super::devices::sound;
use super::mutants::{MUTANTS, Mutant};
use super::plain::{plainest, size};
use super::strategies::sample;
use crate::law::{Law, check, verdicts};
use crate::shrink::fewest_events;

/// Scenarios that each mutant is tried on.
pub const CASES: u32 = 1_000;

/// Scenarios that are shrunk for each law and mutant: those that break the law earliest.
const SHRUNK: usize = 2;

/// One mutant and the laws that catch it.
#[derive(Debug)]
pub struct Caught {
    /// The mutant.
    pub mutant: &'static Mutant,
    /// Each law that it breaks, with the smallest scenario that shows it.
    pub by: Vec<(&'static Law<RoutingGraph>, Scenario<RoutingGraph>)>,
}

impl Caught {
    /// The law that shows the defect in the fewest events.
    pub fn best(&self) -> Option<&(&'static Law<RoutingGraph>, Scenario<RoutingGraph>)> {
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

/// A scenario and the answers of the sound device.
type Answered = (Scenario<RoutingGraph>, Trace<RoutingGraph>);

/// Scenarios with the answers of the sound device. A mutant that answers the same breaks nothing.
static SAMPLE: LazyLock<Vec<Answered>> = LazyLock::new(|| {
    let with_answers = |scenario: Scenario<RoutingGraph>| {
        let trace = scenario.play(&mut sound(&scenario.subject));
        (scenario, trace)
    };
    sample(CASES).into_iter().map(with_answers).collect()
});

/// The smallest scenario on which the mutant breaks the law, made from those where it does.
fn smallest_breaking(
    mutant: &Mutant,
    law: &Law<RoutingGraph>,
    mut breaks: Vec<(usize, &Scenario<RoutingGraph>)>,
) -> Option<Scenario<RoutingGraph>> {
    let is_broken = |scenario: &Scenario<RoutingGraph>| {
        let trace = scenario.play(&mut (mutant.device)(&scenario.subject));
        check(from_ref(law), &trace).is_err()
    };
    breaks.sort_by_key(|(step, scenario)| (*step, size(&scenario.subject)));
    let shrunk = breaks.into_iter().take(SHRUNK).map(|(step, scenario)| {
        let events = scenario.events[..step].to_vec();
        let subject = scenario.subject.clone();
        plainest(fewest_events(&Scenario { subject, events }, is_broken), is_broken)
    });
    shrunk.min_by_key(|scenario| (scenario.events.len(), size(&scenario.subject)))
}
