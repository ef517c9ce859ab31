//! Every routing law over every way to fail, and the smallest outage.
//!
//! A health vector says of each component whether it is up. [`sweep`] groups health vectors into
//! [`classes`] that cannot change an answer, and judges every class by every law, if there are no
//! more than [`classes::CLASSES_MAX`]; of more, it draws a sample. Each is judged from a cold start:
//! a new network, in which the components fail and then everybody asks, and asks once more, when
//! what was answered is kept.
//!
//! **Reading taken.** An outage is when some client is not served: its first request does not end
//! in *delivered*. What fails open answers, and is an outage all the same.

pub mod classes;
mod outage;
mod questions;

use std::num::NonZeroUsize;
use std::thread;

use natlaw_model::routing::{Component, Event, Name, Outcome, Place, RoutingGraph};
use natlaw_model::subject::{Device, Moment, Subject};

use super::mutants::MUTANTS;
use super::{DEVICES, LAWS};
use crate::law::Verdict;
use classes::{CLASSES_MAX, Class, Group, Random, Vectors};
use questions::questions;

pub use outage::{Outage, OutageSearch};

/// How a network of a graph is made.
type NewDevice = fn(&RoutingGraph) -> Box<dyn Device<RoutingGraph>>;

/// How much is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Classes that are drawn where there are too many.
    pub sampled: u64,
    /// What they are drawn from.
    pub seed: u64,
    /// Ways to fail that are tried for the smallest outage where there are too many classes.
    pub outages_max: u64,
}

impl Default for Effort {
    /// 10,000 classes and as many outages.
    fn default() -> Self {
        Self { sampled: 10_000, seed: 1, outages_max: 10_000 }
    }
}

/// What came of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    /// How many health vectors there are.
    pub vectors: Vectors,
    /// Components that no question can lead to, and so stay up.
    pub out_of_reach: usize,
    /// How many classes these make; `None` beyond 64 bits.
    pub classes: Option<u64>,
    /// How many of them were judged.
    pub judged: u64,
    /// The seed they were drawn from; `None` where all of them were judged.
    pub seed: Option<u64>,
    /// Requests and connections of one class.
    pub questions: usize,
    /// Answers that were judged.
    pub answers: u64,
    /// What became of each law. A law is broken at the class of this number, from 1.
    pub verdicts: Vec<Verdict>,
    /// The first way to fail under which a law is broken.
    pub breach: Option<Breach>,
    /// The fewest components that leave some client without an answer.
    pub outage: OutageSearch,
}

/// A broken law, and what showed it.
#[derive(Debug, Clone, PartialEq)]
pub struct Breach {
    /// The law.
    pub law: &'static str,
    /// What is down.
    pub failed: Vec<Component>,
    /// What was asked.
    pub event: Event,
    /// What was answered.
    pub outcome: Outcome,
}

/// Judges the network of this name over its ways to fail; `None` if there is none of the name.
pub fn sweep(graph: &RoutingGraph, device: &str, effort: Effort) -> Option<Sweep> {
    Some(sweep_groups(graph, named(device)?, &groups(graph), effort))
}

/// How many components a question can lead to, and how many classes their health makes.
pub fn size(graph: &RoutingGraph) -> (usize, Option<u64>) {
    let groups = groups(graph);
    (groups.iter().map(|group| group.0.len()).sum(), classes::count(&groups))
}

/// The same without classes: every component that a question can lead to stands for itself alone.
/// It is what classes are held to.
pub fn sweep_every_vector(graph: &RoutingGraph, device: &str) -> Option<Sweep> {
    let alone = |group: Group| group.0.into_iter().map(|component| Group(vec![component]));
    let groups: Vec<Group> = groups(graph).into_iter().flat_map(alone).collect();
    Some(sweep_groups(graph, named(device)?, &groups, Effort::default()))
}

fn sweep_groups(
    graph: &RoutingGraph,
    device: NewDevice,
    groups: &[Group],
    effort: Effort,
) -> Sweep {
    let count = classes::count(groups);
    let all = count.filter(|count| *count <= CLASSES_MAX);
    let chosen: Vec<Class> = match all {
        Some(count) => (0..count).map(|number| classes::class(groups, number)).collect(),
        None => drawn(groups, effort),
    };
    let asked = questions(graph);
    let job = Job { graph, device, groups, questions: &asked };
    let (tally, outage) =
        (job.judge(&chosen), outage::search(&job, all.is_some(), &chosen, effort));
    let can_fail = graph.components().filter(|(at, _)| graph.can_fail(*at)).count();
    let in_reach: usize = groups.iter().map(|group| group.0.len()).sum();
    Sweep {
        vectors: Vectors { components: can_fail },
        out_of_reach: can_fail - in_reach,
        classes: count,
        judged: chosen.len() as u64,
        seed: all.is_none().then_some(effort.seed),
        questions: asked.len(),
        answers: tally.answers,
        verdicts: tally.verdicts,
        breach: tally.breach,
        outage,
    }
}

/// How a network of this name is made.
fn named(device: &str) -> Option<NewDevice> {
    let sound = DEVICES.iter().map(|device| (device.name, device.device));
    let mutants = MUTANTS.iter().map(|mutant| (mutant.name, mutant.device));
    sound.chain(mutants).find(|(known, _)| *known == device).map(|(_, new)| new)
}

/// All up, and as many classes besides as are asked for.
fn drawn(groups: &[Group], effort: Effort) -> Vec<Class> {
    let mut random = Random::new(effort.seed);
    let mut draw = |number| match number {
        0 => classes::class(groups, 0),
        _ => classes::drawn(groups, &mut random),
    };
    (0..effort.sampled.max(1)).map(&mut draw).collect()
}

/// The components that can fail and that a question can lead to: members of one pool together.
fn groups(graph: &RoutingGraph) -> Vec<Group> {
    let reach = questions::reach(graph);
    let mut groups: Vec<(Option<&Name>, Group)> = Vec::new();
    for (at, component) in graph.components().filter(|(at, _)| graph.can_fail(*at)) {
        let pool = match component {
            Component::Place(Place::Member(member)) => Some(&member.pool),
            Component::Place(Place::Node(_)) | Component::Link(..) => None,
        };
        if !reach.contains(component) {
            continue;
        }
        match groups.last_mut().filter(|(of, _)| pool.is_some() && *of == pool) {
            Some((_, group)) => group.0.push(at),
            None => groups.push((pool, Group(vec![at]))),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// What one class is judged with.
pub(super) struct Job<'a> {
    graph: &'a RoutingGraph,
    device: NewDevice,
    groups: &'a [Group],
    questions: &'a [Event],
}

/// What was judged so far.
struct Tally {
    verdicts: Vec<Verdict>,
    breach: Option<Breach>,
    answers: u64,
}

impl Job<'_> {
    /// Judges every class, on as many threads as there are cores. The order does not matter.
    fn judge(&self, chosen: &[Class]) -> Tally {
        let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let share = chosen.len().div_ceil(threads).max(1);
        let tallies: Vec<Tally> = thread::scope(|scope| {
            let parts = chosen.chunks(share).enumerate();
            let judge = |(part, chosen)| scope.spawn(move || self.judge_part(part * share, chosen));
            let running: Vec<_> = parts.map(judge).collect();
            running.into_iter().map(|part| part.join().expect("no law panics")).collect()
        });
        tallies.into_iter().reduce(Tally::and).unwrap_or_else(Tally::new)
    }

    fn judge_part(&self, first: usize, chosen: &[Class]) -> Tally {
        let mut tally = Tally::new();
        for (at, class) in chosen.iter().enumerate() {
            self.judge_class(first + at + 1, class, &mut tally);
        }
        tally
    }

    /// Everybody asks twice, once what is down is down.
    fn judge_class(&self, number: usize, class: &Class, tally: &mut Tally) {
        let failed = self.named(&classes::down(self.groups, class));
        let mut device = (self.device)(self.graph);
        let mut ledger = self.graph.ledger();
        let fails = failed.iter().cloned().map(Event::Fail);
        let asked = self.questions.iter().chain(self.questions).cloned();
        for event in fails.chain(asked) {
            let outcome = device.step(&event);
            let moment = Moment { before: &ledger, event: &event, outcome: &outcome };
            if let Some(law) = tally.judge(number, &moment) {
                let (event, outcome) = (event.clone(), outcome.clone());
                let breach = Breach { law, failed: failed.clone(), event, outcome };
                tally.breach.get_or_insert(breach);
            }
            RoutingGraph::record(&mut ledger, &event, &outcome);
        }
    }

    /// The components of these indices.
    fn named(&self, down: &[usize]) -> Vec<Component> {
        let mut by_index = vec![None; down.iter().max().map_or(0, |last| last + 1)];
        for (at, component) in self.graph.components() {
            by_index.get_mut(at).into_iter().for_each(|it| *it = Some(component));
        }
        down.iter().filter_map(|at| by_index[*at].cloned()).collect()
    }
}

impl Tally {
    fn new() -> Self {
        let verdict = |law: &crate::law::Law<RoutingGraph>| Verdict {
            law: law.name,
            tested: 0,
            broken_at: None,
        };
        Self { verdicts: LAWS.iter().map(verdict).collect(), breach: None, answers: 0 }
    }

    /// Judges one answer; answers the first law that it breaks.
    fn judge(&mut self, number: usize, moment: &Moment<'_, RoutingGraph>) -> Option<&'static str> {
        self.answers += u64::from(!matches!(moment.event, Event::Fail(_)));
        let mut broken = None;
        for (law, verdict) in LAWS.iter().zip(&mut self.verdicts) {
            let Some(holds) = (law.holds)(moment) else { continue };
            verdict.tested += 1;
            if !holds {
                verdict.broken_at.get_or_insert(number);
                broken.get_or_insert(law.name);
            }
        }
        broken
    }

    /// Both, the first one's classes before the other's.
    fn and(mut self, other: Self) -> Self {
        for (verdict, other) in self.verdicts.iter_mut().zip(&other.verdicts) {
            verdict.tested += other.tested;
            verdict.broken_at = verdict.broken_at.or(other.broken_at);
        }
        self.answers += other.answers;
        self.breach = self.breach.or(other.breach);
        self
    }
}

impl Sweep {
    /// Laws that were put to the test and held.
    pub fn held(&self) -> usize {
        self.verdicts.iter().filter(|v| v.tested > 0 && v.broken_at.is_none()).count()
    }
}
