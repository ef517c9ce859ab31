//! The fewest components that leave some client without an answer.

use natlaw_model::routing::{Component, Disposition, Event, Outcome, Request, Walk};

use super::classes::{Class, Group, GroupHealth, fewest_down};
use super::{Effort, Job};

/// What failed, who was not served, and how far it got.
#[derive(Debug, Clone, PartialEq)]
pub struct Outage {
    /// What is down.
    pub failed: Vec<Component>,
    /// What was asked.
    pub request: Request,
    /// How far it got.
    pub walk: Walk,
}

/// What came of the search for the smallest outage.
#[derive(Debug, Clone, PartialEq)]
pub enum OutageSearch {
    /// No fewer components bring one about.
    Smallest(Outage),
    /// An outage, but of fewer components not all sets were tried.
    AtMost {
        /// The outage that was found.
        outage: Outage,
        /// No set of so few components brings one about.
        none_up_to: usize,
    },
    /// Every client is served whatever fails.
    Never,
    /// No set of so few components brings one about; larger ones were not all tried.
    NoneUpTo(usize),
    /// Nobody asks.
    NobodyAsks,
}

/// Searches by size, so that what is found first is the smallest. Of a class, the vector with the
/// fewest components down counts.
pub(super) fn search(job: &Job, is_all: bool, chosen: &[Class], effort: Effort) -> OutageSearch {
    if !job.questions.iter().any(|event| matches!(event, Event::Request(_))) {
        return OutageSearch::NobodyAsks;
    }
    if is_all { among_all(job, chosen) } else { among_many(job, chosen, effort) }
}

fn among_all(job: &Job, chosen: &[Class]) -> OutageSearch {
    let mut by_size: Vec<&Class> = chosen.iter().collect();
    by_size.sort_by_key(|class| fewest_down(job.groups, class).len());
    let found = by_size.into_iter().find_map(|class| of(job, class));
    found.map_or(OutageSearch::Never, OutageSearch::Smallest)
}

/// All sets of one component, then of two, until the tries are spent; then whatever the sample has.
fn among_many(job: &Job, chosen: &[Class], effort: Effort) -> OutageSearch {
    let mut tries = effort.outages_max;
    let mut none_up_to = 0;
    for size in 0..=job.groups.iter().map(|group| group.0.len()).sum() {
        let mut sets = Sets { job, tries: &mut tries, class: all_up(job.groups) };
        match sets.search(0, size) {
            Searched::Found(outage) => return OutageSearch::Smallest(*outage),
            Searched::None => none_up_to = size,
            Searched::GaveUp => break,
        }
    }
    match chosen.iter().filter_map(|class| of(job, class)).min_by_key(|it| it.failed.len()) {
        Some(outage) => OutageSearch::AtMost { outage: smaller(job, outage), none_up_to },
        None => OutageSearch::NoneUpTo(none_up_to),
    }
}

fn all_up(groups: &[Group]) -> Class {
    vec![GroupHealth::AllUp; groups.len()]
}

/// Sets of components of one size, tried one after another.
struct Sets<'a, 'b> {
    job: &'a Job<'b>,
    tries: &'a mut u64,
    class: Class,
}

enum Searched {
    Found(Box<Outage>),
    None,
    GaveUp,
}

impl Sets<'_, '_> {
    /// Tries every set of this size among the groups from `first` on. It goes as deep as the set is
    /// large, and the tries end it.
    fn search(&mut self, first: usize, size: usize) -> Searched {
        if size == 0 {
            return self.attempt();
        }
        for group in first..self.job.groups.len() {
            for health in &self.job.groups[group].states()[1..] {
                let cost = self.job.groups[group].fewest_down(*health).len();
                let Some(rest) = size.checked_sub(cost) else { continue };
                self.class[group] = *health;
                let searched = self.search(group + 1, rest);
                self.class[group] = GroupHealth::AllUp;
                if !matches!(searched, Searched::None) {
                    return searched;
                }
            }
        }
        Searched::None
    }

    fn attempt(&mut self) -> Searched {
        if *self.tries == 0 {
            return Searched::GaveUp;
        }
        *self.tries -= 1;
        of(self.job, &self.class).map_or(Searched::None, |outage| Searched::Found(Box::new(outage)))
    }
}

/// The first client that is not served, each from a cold start, in the class's vector with the fewest
/// components down.
fn of(job: &Job, class: &Class) -> Option<Outage> {
    unserved(job, &job.named(&fewest_down(job.groups, class)))
}

/// The first request that is not delivered while these are down.
fn unserved(job: &Job, failed: &[Component]) -> Option<Outage> {
    job.questions.iter().find_map(|event| {
        let Event::Request(request) = event else { return None };
        let mut device = (job.device)(job.graph);
        for component in failed {
            device.step(&Event::Fail(component.clone()));
        }
        match device.step(event) {
            Outcome::Walked(walk) if walk.disposition == Disposition::Delivered => None,
            Outcome::Walked(walk) => {
                Some(Outage { failed: failed.to_vec(), request: request.clone(), walk })
            }
            _ => None,
        }
    })
}

/// The outage without any component that it does not need.
fn smaller(job: &Job, outage: Outage) -> Outage {
    let mut smallest = outage;
    let mut at = 0;
    while at < smallest.failed.len() {
        let mut fewer = smallest.failed.clone();
        fewer.remove(at);
        match unserved(job, &fewer) {
            Some(outage) => smallest = outage,
            None => at += 1,
        }
    }
    smallest
}
