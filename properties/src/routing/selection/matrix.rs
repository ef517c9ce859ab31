//! Which law catches which mutant, and in how few events.

use std::slice::from_ref;
use std::sync::LazyLock;

use natlaw_model::routing::selection::EndpointGroup;
use natlaw_model::subject::{Scenario, Trace};

use super::LAWS;
use super::mutants::{MUTANTS, Mutant};
use super::plain::{plainest, roughness};
use super::strategies::{sample, scenario};
use crate::judged::Judged;
use crate::law::{Law, check, verdicts};
use crate::shrink::fewest_events;

/// Scenarios that each mutant is tried on.
pub const CASES: u32 = 3_000;

/// Scenarios that are shrunk for each law and mutant: those that break the law earliest.
const SHRUNK: usize = 8;

/// One mutant and the laws that catch it.
#[derive(Debug)]
pub struct Caught {
    /// The mutant.
    pub mutant: &'static Mutant,
    /// Each law that it breaks, with the smallest scenario that shows it.
    pub by: Vec<(&'static Law<EndpointGroup>, Scenario<EndpointGroup>)>,
}

impl Caught {
    /// The law that the mutant is made to break, with the smallest scenario that shows it.
    pub fn best(&self) -> Option<&(&'static Law<EndpointGroup>, Scenario<EndpointGroup>)> {
        self.by.iter().find(|(law, _)| law.name == self.mutant.law)
    }
}

/// Every mutant, with the laws that catch it. The same on every machine, and computed once.
pub fn matrix() -> &'static [Caught] {
    static MATRIX: LazyLock<Vec<Caught>> = LazyLock::new(|| MUTANTS.iter().map(caught).collect());
    &MATRIX
}

/// One mutant, with the laws that catch it.
fn caught(mutant: &'static Mutant) -> Caught {
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

/// Scenarios with the answers of the sound policies. A mutant that answers the same breaks nothing.
static SAMPLE: LazyLock<Vec<(Scenario<EndpointGroup>, Trace<EndpointGroup>)>> =
    LazyLock::new(|| {
        let with_answers = |scenario: Scenario<EndpointGroup>| {
            let names = EndpointGroup::device_names();
            let mut sound = scenario.subject.device(names[0]).expect("the sound device");
            let trace = scenario.play(&mut sound);
            (scenario, trace)
        };
        sample(CASES, &scenario()).into_iter().map(with_answers).collect()
    });

/// The smallest scenario on which the mutant breaks the law, made from those where it does.
fn smallest_breaking(
    mutant: &Mutant,
    law: &Law<EndpointGroup>,
    mut breaks: Vec<(usize, &Scenario<EndpointGroup>)>,
) -> Option<Scenario<EndpointGroup>> {
    let is_broken = |scenario: &Scenario<EndpointGroup>| {
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
