//! One verdict on a selection policy, in one call.
//!
//! [`conformance`] plays random scenarios of the method that the policy says it is: endpoints that go
//! down, leave and join between single questions, bursts and fresh starts. A policy that keys have a
//! home under is tried on every change of one endpoint besides. All of it is the same on every
//! machine.
//!
//! A panic of the policy is not caught, and a policy that never returns is not stopped: one that may
//! go on for ever counts its steps and answers
//! [`Unfinished`](natlaw_model::routing::selection::Choice::Unfinished).

use std::fmt;
use std::slice::from_ref;

use natlaw_model::routing::selection::{Answers, EndpointGroup, Method, Outcome, Policy, Selector};
use natlaw_model::subject::{Moment, Scenario, Subject, Trace};

use super::change::{CHANGE_LAWS, Change, changes, slack_percent};
use super::plain::{plainest, roughness};
use super::strategies::{sample, scenario_of};
use super::{LAWS, REACHABLE};
use crate::law::{Law, ValueLaw, Violation, check, sentence, verdicts};
use crate::report::{drawn, table};
use crate::shrink::fewest_events;

/// Random scenarios that a policy is tried on.
pub const CASES: u32 = 1_000;

/// Broken scenarios of each law that are made small, to show the smallest of them.
const SHRUNK: usize = 4;

/// What a policy keeps and what it breaks.
#[derive(Debug, Clone)]
pub struct Conformance {
    /// What it is called.
    pub policy: String,
    /// What it says it does.
    pub method: Method,
    /// Scenarios that were drawn.
    pub drawn: usize,
    /// What became of each law that speaks of its method.
    pub laws: Vec<LawVerdict>,
    /// Changes of one endpoint, and the laws of them that one breaks; both empty where the method
    /// gives keys no home.
    pub changes: (usize, Vec<&'static ValueLaw<Change>>),
    /// Steps used and declared, by the number of endpoints.
    pub steps: Vec<StepsUsed>,
    /// Situations that the policy in the tree reaches on the same scenarios, and this one did not.
    pub unreached: Vec<&'static str>,
}

/// What became of one law.
#[derive(Debug, Clone)]
pub struct LawVerdict {
    /// The law.
    pub law: &'static Law<EndpointGroup>,
    /// Moments that met its premise.
    pub tested: usize,
    /// The smallest trace found that breaks it; its last step is the one that does.
    pub broken: Option<Box<Violation<EndpointGroup>>>,
}

/// What choices took from a group of one size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepsUsed {
    /// Endpoints of the group.
    pub endpoints: usize,
    /// The most steps that a choice took.
    pub used: u64,
    /// The most that it declared.
    pub declared: u64,
}

type NewPolicy<'a> = &'a dyn Fn(u64) -> Box<dyn Policy>;

/// Tries a policy in every way there is here. It is made anew for every group and every fresh start,
/// from a draw that is uniform over all numbers.
pub fn conformance<P: Policy + 'static>(
    policy: &str,
    method: Method,
    new: impl Fn(u64) -> P,
) -> Conformance {
    let new: NewPolicy = &|draw| Box::new(new(draw));
    let scenarios = sample(CASES, &scenario_of(method));
    let traces: Vec<_> = scenarios.iter().map(|scenario| played(scenario, new)).collect();
    let sound: Vec<_> =
        scenarios.iter().map(|scenario| played(scenario, &|draw| method.policy(draw))).collect();
    let reached = reached(&traces);
    let unreached = self::reached(&sound).into_iter().filter(|name| !reached.contains(name));
    Conformance {
        policy: policy.into(),
        method,
        drawn: scenarios.len(),
        unreached: unreached.collect(),
        laws: LAWS.iter().filter_map(|law| verdict(law, &traces, new)).collect(),
        changes: moved(method, new),
        steps: steps(&traces),
    }
}

/// Asserts that a policy is lawful: the whole of a test of your own.
///
/// # Panics
/// With its verdict, when it is not.
pub fn assert_lawful<P: Policy + 'static>(policy: &str, method: Method, new: impl Fn(u64) -> P) {
    let verdict = conformance(policy, method, new);
    assert!(verdict.is_lawful(), "{verdict}");
}

impl Conformance {
    /// Whether it keeps every law.
    pub fn is_lawful(&self) -> bool {
        self.broken_laws().next().is_none() && self.changes.1.is_empty()
    }

    /// The smallest trace that breaks each law which is broken.
    pub fn broken_laws(&self) -> impl Iterator<Item = &Violation<EndpointGroup>> {
        self.laws.iter().filter_map(|verdict| verdict.broken.as_deref())
    }
}

fn played(scenario: &Scenario<EndpointGroup>, new: NewPolicy) -> Trace<EndpointGroup> {
    scenario.play(&mut Selector::new(&scenario.subject, new))
}

/// What becomes of a law; `None` where it says nothing about these traces.
fn verdict(
    law: &'static Law<EndpointGroup>,
    traces: &[Trace<EndpointGroup>],
    new: NewPolicy,
) -> Option<LawVerdict> {
    let judged = traces.iter().map(|trace| (trace, verdicts(from_ref(law), trace)[0]));
    let judged: Vec<_> = judged.collect();
    let tested = judged.iter().map(|(_, verdict)| verdict.tested).sum();
    let mut broken: Vec<_> =
        judged.iter().filter(|(_, verdict)| verdict.broken_at.is_some()).collect();
    broken.sort_by_key(|(_, verdict)| verdict.broken_at);
    let small = broken.iter().take(SHRUNK).map(|(trace, _)| smallest(law, trace, new));
    let broken = small.min_by_key(|small| (small.events.len(), roughness(small)));
    let broken = broken.and_then(|small| check(from_ref(law), &played(&small, new)).err());
    (tested > 0).then_some(LawVerdict { law, tested, broken })
}

/// The trace's scenario with nothing left in it that the law does not need to be broken.
fn smallest(
    law: &Law<EndpointGroup>,
    trace: &Trace<EndpointGroup>,
    new: NewPolicy,
) -> Scenario<EndpointGroup> {
    let is_broken =
        |scenario: &Scenario<EndpointGroup>| check(from_ref(law), &played(scenario, new)).is_err();
    plainest(fewest_events(&trace.scenario(), is_broken), is_broken)
}

/// The laws that a change of one endpoint breaks, and how many changes there were.
fn moved(method: Method, new: NewPolicy) -> (usize, Vec<&'static ValueLaw<Change>>) {
    let Some(slack_percent) = slack_percent(method) else { return (0, Vec::new()) };
    let changes = changes(&mut *new(0), slack_percent);
    let is_broken = |law: &&ValueLaw<Change>| !changes.iter().all(|change| (law.holds)(change));
    (changes.len(), CHANGE_LAWS.iter().filter(is_broken).collect())
}

/// The situations that occur somewhere in these traces.
fn reached(traces: &[Trace<EndpointGroup>]) -> Vec<&'static str> {
    let mut reached = vec![false; REACHABLE.len()];
    for trace in traces {
        each_moment(trace, |moment| {
            for (reached, situation) in reached.iter_mut().zip(REACHABLE) {
                *reached |= (situation.occurs)(moment);
            }
        });
    }
    let reached = REACHABLE.iter().zip(reached).filter(|(_, reached)| *reached);
    reached.map(|(situation, _)| situation.name).collect()
}

/// The most steps used and declared for each size of a group.
fn steps(traces: &[Trace<EndpointGroup>]) -> Vec<StepsUsed> {
    let mut by_size = std::collections::BTreeMap::<usize, (u64, u64)>::new();
    for trace in traces {
        each_moment(trace, |moment| {
            let Outcome::Answered(Answers { steps, steps_max, .. }) = moment.outcome else {
                return;
            };
            let (used, declared) = by_size.entry(moment.before.endpoints.len()).or_default();
            *used = (*used).max(*steps);
            *declared = (*declared).max(*steps_max);
        });
    }
    let row = |(endpoints, (used, declared))| StepsUsed { endpoints, used, declared };
    by_size.into_iter().map(row).collect()
}

fn each_moment(trace: &Trace<EndpointGroup>, mut see: impl FnMut(&Moment<'_, EndpointGroup>)) {
    let mut ledger = trace.subject.ledger();
    for step in &trace.steps {
        see(&Moment { before: &ledger, event: &step.event, outcome: &step.outcome });
        EndpointGroup::record(&mut ledger, &step.event, &step.outcome);
    }
}

impl fmt::Display for Conformance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.is_lawful() { "is lawful" } else { "is not lawful" };
        writeln!(f, "{} {verdict} as {}\n", self.policy, self.method)?;
        writeln!(f, "{}\n\n{}", drawn(&self.verdicts()), drawn(&self.steps_used()))?;
        if !self.unreached.is_empty() {
            writeln!(f, "\nnot reached: {}", self.unreached.join(", "))?;
        }
        for violation in self.broken_laws() {
            writeln!(f, "\n{violation}\nof: {}", violation.evidence.subject)?;
        }
        self.changes.1.iter().try_for_each(|law| writeln!(f, "\nbroken: {}", sentence(law.name)))
    }
}

impl Conformance {
    fn verdicts(&self) -> comfy_table::Table {
        let mut verdicts = table(["law", "tested", "verdict"]);
        for LawVerdict { law, tested, broken } in &self.laws {
            let verdict = if broken.is_some() { "BROKEN" } else { "holds" };
            verdicts.add_row([law.name, &tested.to_string(), verdict]);
        }
        let (changes, broken) = &self.changes;
        for law in CHANGE_LAWS.iter().filter(|_| *changes > 0) {
            let is_broken = broken.iter().any(|broken| broken.name == law.name);
            let verdict = if is_broken { "BROKEN" } else { "holds" };
            verdicts.add_row([law.name, &changes.to_string(), verdict]);
        }
        verdicts
    }

    fn steps_used(&self) -> comfy_table::Table {
        let mut steps = table(["endpoints", "steps at most", "declared"]);
        for StepsUsed { endpoints, used, declared } in &self.steps {
            steps.add_row([endpoints.to_string(), used.to_string(), declared.to_string()]);
        }
        steps
    }
}
