//! One verdict on an allocator, in one call.
//!
//! [`conformance`] tries an allocator in every way there is here: random scenarios, every short
//! scenario of each small universe, calls that a translator never makes, and blocks that are nearly
//! full. All of it is the same on every machine, but for the time of a call.
//!
//! A panic of the allocator is not caught.

use std::fmt;
use std::net::Ipv4Addr;
use std::slice::from_ref;

use itertools::Itertools;
use natlaw_model::allocator::{PortAllocator, Refusal};
use natlaw_model::flow::{Binding, Endpoint, FiveTuple, Transport};
use natlaw_model::nat::{
    Candidates, Configuration, Event, Ledger, Nat, Outcome, Pool, PortPolicy, Signal, VirtualIp,
};
use natlaw_model::ports::PortBlock;
use natlaw_model::subject::{Moment, Scenario, Step, Subject, Trace};
use natlaw_model::translator::Translator;

use super::exhaustive::{Coverage, every_scenario, universes};
use super::strategies::{sample, scenario};
use super::{LAWS, REACHABLE, grouped};
use crate::law::{Judge, Law, Verdict, Violation, check, sentence, verdicts};
use crate::prove::smallest;
use crate::report::{drawn, table};
use crate::shrink::fewest_events;

/// Random scenarios that an allocator is tried on.
pub const CASES: u32 = 3_000;

/// The length up to which every scenario of a small universe is played.
pub const LEN_MAX: usize = 3;

/// Ports of the block whose occupancy is varied: a member's of a pool of 1 to 50 in the story
/// "Scaling past Port Exhaustion".
pub const BLOCK: u16 = 1_024;

/// How many of its ports are held: half, nine in ten, 99 in a hundred, all but one, all.
const OCCUPANCIES: [u16; 5] = [512, 921, 1_013, 1_023, BLOCK];

/// Binds that are tried at each occupancy.
const TRIES: u16 = 1_000;

/// Binds after which a block counts as full: an allocator that draws finds every port of a small
/// block long before.
const FILL: u16 = 500;

/// What an allocator keeps and what it breaks.
#[derive(Debug, Clone)]
pub struct Conformance {
    /// What it is called.
    pub allocator: String,
    /// Scenarios that were drawn.
    pub drawn: usize,
    /// Scenarios of small universes that were played.
    pub enumerated: usize,
    /// What became of each law.
    pub laws: Vec<LawVerdict>,
    /// Situations that generators reach with the allocators in the tree, and did not with this one.
    pub unreached: Vec<&'static str>,
    /// What became of calls that a translator never makes.
    pub calls: Vec<CallVerdict>,
    /// How it does in a block that is more and more full.
    pub occupancies: Vec<Occupancy>,
    /// Mean time of a bind in nanoseconds, at each of these occupancies. It is indicative: it
    /// differs from run to run and decides nothing.
    pub bind_ns: Vec<u64>,
}

/// What became of one law.
#[derive(Debug, Clone)]
pub struct LawVerdict {
    /// The law.
    pub law: &'static Law<Nat>,
    /// Moments that met its premise.
    pub tested: usize,
    /// The smallest trace found that breaks it; its last step is the one that does.
    pub broken: Option<Box<Violation<Nat>>>,
}

/// What became of one kind of call. A block is filled after it, and after the same calls without it:
/// the same ports must be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallVerdict {
    /// The claim.
    pub claim: &'static str,
    /// What is given without the call.
    pub expected: Vec<Endpoint>,
    /// What is given after it.
    pub actual: Vec<Endpoint>,
}

/// Binds and refusals in a block of which some ports are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occupancy {
    /// Ports held.
    pub held: usize,
    /// Binds that were tried; each that succeeds is released at once.
    pub tries: usize,
    /// Refusals although a port was eligible: "exhausted" that was not true, and "gave up".
    pub refused_in_vain: usize,
    /// Candidates looked at in all, where the allocator counts them.
    pub probes: Option<u64>,
    /// The most that one bind looked at, where the allocator counts them. A bind is bounded if that
    /// is no more than the candidates there are: a search without that bound locks up near
    /// exhaustion (Linux a504b703bb1d; Tailscale 15367).
    pub probes_max: Option<u32>,
}

type NewAllocator<'a> = &'a dyn Fn(&Nat) -> Box<dyn PortAllocator>;

/// Tries an allocator in every way there is here.
pub fn conformance<A: PortAllocator + 'static>(
    allocator: &str,
    new: impl Fn(&Nat) -> A,
) -> Conformance {
    let new: NewAllocator = &|nat| Box::new(new(nat));
    let mut tally = Tally::new();
    let drawn = sample(CASES);
    drawn.iter().for_each(|scenario| tally.enter(&played(scenario, new)));
    let enumerated = enumerate(&mut tally, new);
    let occupancies = OCCUPANCIES.iter().map(|held| occupancy(*held, new));
    let (occupancies, bind_ns) = occupancies.unzip();
    Conformance {
        allocator: allocator.into(),
        drawn: drawn.len(),
        enumerated,
        unreached: tally.unreached(),
        laws: tally.verdicts(new),
        calls: CALLS.iter().map(|call| call.verdict(new)).collect(),
        occupancies,
        bind_ns,
    }
}

/// Asserts that an allocator is lawful: the whole of a test of your own.
///
/// # Panics
/// With its verdict, when it is not.
pub fn assert_lawful<A: PortAllocator + 'static>(allocator: &str, new: impl Fn(&Nat) -> A) {
    let verdict = conformance(allocator, new);
    assert!(verdict.is_lawful(), "{verdict}");
}

fn played(scenario: &Scenario<Nat>, new: NewAllocator) -> Trace<Nat> {
    scenario.play(&mut Translator::new(&scenario.subject, new))
}

/// Plays every short scenario of each small universe and answers how many they were.
fn enumerate(tally: &mut Tally, new: NewAllocator) -> usize {
    let of = |universe| every_scenario(&universe, LEN_MAX, |nat| Translator::new(nat, new));
    let tried: Vec<Coverage> = universes(1).into_iter().map(of).collect();
    tried.iter().for_each(|coverage| tally.add(coverage));
    tried.iter().map(|coverage| coverage.states).sum()
}

/// What becomes of the laws and situations over many traces.
struct Tally {
    tested: Vec<usize>,
    broken: Vec<Option<Box<Violation<Nat>>>>,
    reached: Vec<bool>,
}

impl Tally {
    fn new() -> Self {
        let laws = LAWS.len();
        let reached = vec![false; REACHABLE.len()];
        Self { tested: vec![0; laws], broken: vec![None; laws], reached }
    }

    /// Enters a random trace.
    fn enter(&mut self, trace: &Trace<Nat>) {
        let mut judge = Judge::new(LAWS, &trace.subject);
        for Step { event, outcome } in &trace.steps {
            let moment = Moment { before: judge.ledger(), event, outcome };
            for (reached, situation) in self.reached.iter_mut().zip(REACHABLE) {
                *reached = *reached || (situation.occurs)(&moment);
            }
            judge.step(event, outcome);
        }
        for (tested, verdict) in self.tested.iter_mut().zip(judge.verdicts()) {
            *tested += verdict.tested;
        }
        self.keep_the_shortest(trace, judge.verdicts());
    }

    /// Enters the scenarios of a small universe.
    fn add(&mut self, coverage: &Coverage) {
        for (tested, (_, more)) in self.tested.iter_mut().zip(&coverage.tested) {
            *tested += more;
        }
        let broken = coverage.broken.iter().map(|broken| &broken.evidence);
        broken.for_each(|trace| self.keep_the_shortest(trace, &verdicts(LAWS, trace)));
    }

    /// Keeps the trace for each law that it breaks sooner than what is kept.
    fn keep_the_shortest(&mut self, trace: &Trace<Nat>, verdicts: &[Verdict]) {
        for ((law, verdict), kept) in LAWS.iter().zip(verdicts).zip(&mut self.broken) {
            let kept_at = kept.as_ref().map_or(usize::MAX, |kept| kept.evidence.steps.len());
            if verdict.broken_at.is_some_and(|broken_at| broken_at < kept_at) {
                *kept = check(from_ref(law), trace).err();
            }
        }
    }

    fn unreached(&self) -> Vec<&'static str> {
        let unreached = REACHABLE.iter().zip(&self.reached).filter(|(_, reached)| !**reached);
        unreached.map(|(situation, _)| situation.name).collect()
    }

    /// The verdicts, each counterexample made as small as it gets.
    fn verdicts(self, new: NewAllocator) -> Vec<LawVerdict> {
        let verdict = |((law, tested), broken): ((&'static Law<Nat>, usize), Option<Box<_>>)| {
            let broken = broken.map(|broken| smaller(law, broken, new));
            LawVerdict { law, tested, broken }
        };
        LAWS.iter().zip(self.tested).zip(self.broken).map(verdict).collect()
    }
}

/// The smallest trace that breaks the law: this one with every event taken out that is not needed,
/// or one that random search shrinks.
fn smaller(law: &Law<Nat>, found: Box<Violation<Nat>>, new: NewAllocator) -> Box<Violation<Nat>> {
    let judged = |scenario: &Scenario<Nat>| check(from_ref(law), &played(scenario, new));
    let fewest = fewest_events(&found.evidence.scenario(), |fewer| judged(fewer).is_err());
    let shrunk = smallest(CASES, &scenario(), |scenario| judged(scenario).is_ok());
    let shrunk = shrunk.and_then(|scenario| judged(&scenario).err());
    shorter(shorter(shrunk, judged(&fewest).err()), Some(found.clone())).unwrap_or(found)
}

fn shorter(
    one: Option<Box<Violation<Nat>>>,
    other: Option<Box<Violation<Nat>>>,
) -> Option<Box<Violation<Nat>>> {
    one.into_iter().chain(other).min_by_key(|violation| violation.evidence.steps.len())
}

/// Calls that a translator never makes, made in a small block and followed by filling it.
struct Call {
    claim: &'static str,
    /// What is given when the block is filled, with the call in question or without it; `None` if
    /// a bind that must come before it was refused.
    given: fn(&mut Calls, bool) -> Option<Vec<Endpoint>>,
}

/// A call, named after its function.
macro_rules! call {
    ($function:ident) => {
        Call { claim: stringify!($function), given: $function }
    };
}

const CALLS: &[Call] = &[
    call!(a_release_of_what_was_never_bound_changes_nothing),
    call!(a_second_release_changes_nothing),
    call!(a_second_release_leaves_the_next_holder_alone),
    call!(a_release_by_another_flow_of_the_member_changes_nothing),
    call!(a_release_by_another_member_changes_nothing),
    call!(a_release_by_another_transport_changes_nothing),
    call!(a_release_of_another_flows_port_changes_nothing),
    call!(a_refused_bind_changes_nothing),
    call!(a_bind_of_a_stranger_changes_nothing),
    call!(what_is_held_stays_held_when_the_configuration_stays),
    call!(what_is_held_stays_held_when_its_member_leaves_and_comes_back),
    call!(what_is_held_stays_held_when_the_ports_are_shared_out_otherwise),
    call!(a_release_after_the_member_has_left_frees_the_port),
    call!(what_was_released_is_given_again),
    call!(the_same_calls_get_the_same_answers),
];

impl Call {
    /// What is given with and without the call, in blocks of the members' own and in a shared one:
    /// the first pair that differs.
    fn verdict(&self, new: NewAllocator) -> CallVerdict {
        let mut verdicts = configurations().into_iter().map(|nat| {
            let given = |act| {
                let mut calls = Calls { allocator: new(&nat), nat: nat.clone() };
                (self.given)(&mut calls, act).unwrap_or_default()
            };
            CallVerdict { claim: self.claim, expected: given(false), actual: given(true) }
        });
        let first = verdicts.next().expect("two configurations");
        if first.holds() { verdicts.find(|other| !other.holds()).unwrap_or(first) } else { first }
    }
}

/// Two members with four ports of their own each; and the same with four ports for both.
fn configurations() -> [Nat; 2] {
    let ports = |len| PortBlock::from_len(1024, len).expect("a small block");
    let policies =
        [PortPolicy::Fixed { ports: 4, usable: ports(8) }, PortPolicy::OnDemand(ports(4))];
    policies.map(|ports| nat_with(2, ports))
}

fn nat_with(members: usize, ports: PortPolicy) -> Nat {
    let first = member_address(1);
    let pool = Pool::of_size(first, members).expect("a small pool");
    let virtual_ips = vec![VirtualIp([203, 0, 113, 1].into())];
    Nat::new(Configuration::new(virtual_ips, pool, ports)).expect("a legal configuration")
}

fn member_address(member: u8) -> Ipv4Addr {
    [10, 0, 0, member].into()
}

fn flow(member: u8, port: u16) -> FiveTuple {
    FiveTuple {
        transport: Transport::Tcp,
        source: Endpoint::new(member_address(member), port),
        destination: Endpoint::new([198, 51, 100, 1].into(), 443),
    }
}

/// An allocator that is called by hand, and the configuration it began with.
struct Calls {
    allocator: Box<dyn PortAllocator>,
    nat: Nat,
}

impl Calls {
    fn bind(&mut self, member: u8, port: u16) -> Option<Binding> {
        let flow = flow(member, port);
        self.allocator.bind(flow).ok().map(|external| Binding { flow, external })
    }

    fn release(&mut self, binding: Binding) {
        self.allocator.release(binding);
    }

    /// Binds that take all ports of a member, and no more than are needed for that.
    fn occupy(&mut self, member: u8) -> Vec<Binding> {
        let all = self.nat.candidates(flow(member, 0)).map_or(0, Candidates::len);
        (500..500 + FILL).filter_map(|port| self.bind(member, port)).take(all).collect()
    }

    /// What a member's new flows are given until nothing is left, in order.
    fn fill(&mut self, member: u8) -> Vec<Binding> {
        (1_000..1_000 + FILL).filter_map(|port| self.bind(member, port)).collect()
    }

    /// The ports that a member's new flows are given.
    fn filled(&mut self, member: u8) -> Option<Vec<Endpoint>> {
        Some(self.fill(member).into_iter().map(|binding| binding.external).sorted().collect())
    }

    /// Another configuration, and then the one at the start.
    fn there_and_back(&mut self, other: &Nat) {
        self.allocator.reconfigure(other);
        self.allocator.reconfigure(&self.nat);
    }

    fn without_the_second_member(&self) -> Nat {
        nat_with(1, self.nat.ports.clone())
    }
}

fn a_release_of_what_was_never_bound_changes_nothing(
    calls: &mut Calls,
    act: bool,
) -> Option<Vec<Endpoint>> {
    let external = calls.nat.candidates(flow(1, 1))?.at(0)?;
    if act {
        calls.release(Binding { flow: flow(1, 1), external });
    }
    calls.filled(1)
}

fn a_second_release_changes_nothing(calls: &mut Calls, act: bool) -> Option<Vec<Endpoint>> {
    let first = calls.bind(1, 1)?;
    calls.bind(1, 2)?;
    calls.release(first);
    if act {
        calls.release(first);
    }
    calls.filled(1)
}

/// The block is full, one port comes back and is given to another flow; then it comes back again.
fn a_second_release_leaves_the_next_holder_alone(
    calls: &mut Calls,
    act: bool,
) -> Option<Vec<Endpoint>> {
    let first = *calls.occupy(1).first()?;
    calls.release(first);
    calls.bind(1, 1)?;
    if act {
        calls.release(first);
    }
    calls.filled(1)
}

/// A flow of the member holds a port; something is released as if it were held.
fn released_in_place_of(
    calls: &mut Calls,
    act: bool,
    other: impl Fn(Binding) -> Binding,
) -> Option<Vec<Endpoint>> {
    let held = calls.bind(1, 1)?;
    if act {
        calls.release(other(held));
    }
    calls.filled(1)
}

fn a_release_by_another_flow_of_the_member_changes_nothing(
    calls: &mut Calls,
    act: bool,
) -> Option<Vec<Endpoint>> {
    released_in_place_of(calls, act, |held| Binding { flow: flow(1, 2), ..held })
}

fn a_release_by_another_member_changes_nothing(
    calls: &mut Calls,
    act: bool,
) -> Option<Vec<Endpoint>> {
    released_in_place_of(calls, act, |held| Binding { flow: flow(2, 1), ..held })
}

fn a_release_by_another_transport_changes_nothing(
    calls: &mut Calls,
    act: bool,
) -> Option<Vec<Endpoint>> {
    let udp = FiveTuple { transport: Transport::Udp, ..flow(1, 1) };
    released_in_place_of(calls, act, |held| Binding { flow: udp, ..held })
}

/// Two flows of a member hold a port each; one releases the other's.
fn a_release_of_another_flows_port_changes_nothing(
    calls: &mut Calls,
    act: bool,
) -> Option<Vec<Endpoint>> {
    let (one, other) = (calls.bind(1, 1)?, calls.bind(1, 2)?);
    if act {
        calls.release(Binding { external: other.external, ..one });
    }
    calls.filled(1)
}

/// The block is full, so nothing more is given; after that one port comes back.
fn a_refused_bind_changes_nothing(calls: &mut Calls, act: bool) -> Option<Vec<Endpoint>> {
    let held = calls.occupy(1);
    let asked = if act { 1..9 } else { 1..1 };
    let mut given: Vec<_> = asked.filter_map(|port| calls.bind(1, port)).collect();
    calls.release(*held.first()?);
    given.extend(calls.fill(1));
    Some(given.into_iter().map(|binding| binding.external).sorted().collect())
}

fn a_bind_of_a_stranger_changes_nothing(calls: &mut Calls, act: bool) -> Option<Vec<Endpoint>> {
    calls.bind(1, 1)?;
    if act {
        calls.bind(9, 1);
    }
    calls.filled(1)
}

fn what_is_held_stays_held_when_the_configuration_stays(
    calls: &mut Calls,
    act: bool,
) -> Option<Vec<Endpoint>> {
    calls.bind(1, 1)?;
    if act {
        calls.allocator.reconfigure(&calls.nat);
    }
    calls.filled(1)
}

fn what_is_held_stays_held_when_its_member_leaves_and_comes_back(
    calls: &mut Calls,
    act: bool,
) -> Option<Vec<Endpoint>> {
    calls.bind(2, 1)?;
    if act {
        calls.there_and_back(&calls.without_the_second_member());
    }
    calls.filled(2)
}

fn what_is_held_stays_held_when_the_ports_are_shared_out_otherwise(
    calls: &mut Calls,
    act: bool,
) -> Option<Vec<Endpoint>> {
    calls.bind(1, 1)?;
    if act {
        configurations().iter().for_each(|other| calls.there_and_back(other));
    }
    calls.filled(1)
}

/// The member's flow is over before it leaves, or only afterwards.
fn a_release_after_the_member_has_left_frees_the_port(
    calls: &mut Calls,
    act: bool,
) -> Option<Vec<Endpoint>> {
    let held = calls.bind(2, 1)?;
    if act {
        calls.allocator.reconfigure(&calls.without_the_second_member());
    }
    calls.release(held);
    calls.allocator.reconfigure(&calls.nat);
    calls.filled(2)
}

/// The block is filled, emptied and filled once more.
fn what_was_released_is_given_again(calls: &mut Calls, act: bool) -> Option<Vec<Endpoint>> {
    if act {
        calls.occupy(1).into_iter().for_each(|binding| calls.release(binding));
    }
    calls.filled(1)
}

/// Two allocators are filled alike: the order counts.
fn the_same_calls_get_the_same_answers(calls: &mut Calls, _act: bool) -> Option<Vec<Endpoint>> {
    Some(calls.fill(1).into_iter().map(|binding| binding.external).collect())
}

impl CallVerdict {
    /// Whether the call makes no difference.
    pub fn holds(&self) -> bool {
        self.expected == self.actual
    }
}

/// Tries binds in a block with so many ports held. The time of one is its mean, in nanoseconds.
fn occupancy(held: u16, new: NewAllocator) -> (Occupancy, u64) {
    let usable = PortBlock::from_len(1024, BLOCK.into()).expect("a block");
    let nat = nat_with(1, PortPolicy::Fixed { ports: BLOCK, usable });
    let mut calls = Calls { allocator: new(&nat), nat };
    let ledger = fill_to(held, &mut calls);
    let held = ledger.holdings().count();
    let mut binds = Occupancy::new(held);
    let mut spent = std::time::Duration::ZERO;
    for port in 20_000..20_000 + TRIES {
        let flow = flow(1, port);
        let began = std::time::Instant::now();
        let answer = calls.allocator.bind(flow);
        spent += began.elapsed();
        binds.enter(flow, answer, &ledger, calls.allocator.probes());
        answer.into_iter().for_each(|external| calls.release(Binding { flow, external }));
    }
    (binds, u64::try_from(spent.as_nanos()).unwrap_or(u64::MAX) / u64::from(TRIES))
}

/// Binds one flow after the other until so many ports are held, or no more are to be had.
fn fill_to(held: u16, calls: &mut Calls) -> Ledger {
    let mut ledger = calls.nat.ledger();
    for port in 1..=held {
        let tries = (0..u32::from(TRIES) * 10).find_map(|_| calls.bind(1, port));
        let Some(Binding { flow, external }) = tries else { return ledger };
        let sent = Outcome::Forwarded(flow.from(external));
        Nat::record(&mut ledger, &Event::outbound(flow, Signal::Open), &sent);
    }
    ledger
}

impl Occupancy {
    fn new(held: usize) -> Self {
        let (probes, probes_max) = (Some(0), Some(0));
        Self { held, tries: TRIES.into(), refused_in_vain: 0, probes, probes_max }
    }

    /// Whether no bind looks at more candidates than there are. One that does not count them is
    /// believed.
    pub fn is_bounded(&self) -> bool {
        self.probes_max.is_none_or(|probes| probes <= BLOCK.into())
    }

    fn enter(
        &mut self,
        flow: FiveTuple,
        answer: Result<Endpoint, Refusal>,
        ledger: &Ledger,
        probes: Option<u32>,
    ) {
        let in_vain =
            |refusal| refusal == Refusal::GaveUp || ledger.eligible(flow).next().is_some();
        self.refused_in_vain += usize::from(answer.is_err_and(in_vain));
        self.probes = self.probes.zip(probes).map(|(all, these)| all + u64::from(these));
        self.probes_max = self.probes_max.zip(probes).map(|(most, these)| most.max(these));
    }

    /// The part of the binds that is refused although a port was eligible: 0 to 1.
    #[allow(clippy::cast_precision_loss)]
    pub fn false_exhaustion_rate(&self) -> f64 {
        self.refused_in_vain as f64 / self.tries as f64
    }

    /// Candidates that a bind looks at on average, where the allocator counts them.
    #[allow(clippy::cast_precision_loss)]
    pub fn probes_mean(&self) -> Option<f64> {
        self.probes.map(|probes| probes as f64 / self.tries as f64)
    }
}

impl Conformance {
    /// Whether it keeps every law, every call changes what it may and nothing else, and no bind
    /// looks at more candidates than there are. An allocator that says it gave up is lawful: its
    /// rates are there to be read.
    pub fn is_lawful(&self) -> bool {
        self.broken_laws().next().is_none()
            && self.calls.iter().all(CallVerdict::holds)
            && self.occupancies.iter().all(Occupancy::is_bounded)
    }

    /// The laws that it breaks, each with the smallest trace found.
    pub fn broken_laws(&self) -> impl Iterator<Item = &Violation<Nat>> {
        self.laws.iter().filter_map(|verdict| verdict.broken.as_deref())
    }

    /// The claims about calls that fail.
    pub fn broken_calls(&self) -> impl Iterator<Item = &CallVerdict> {
        self.calls.iter().filter(|call| !call.holds())
    }

    /// The mean time of a bind at each occupancy, as a table. Indicative: it differs from run to
    /// run.
    pub fn times(&self) -> String {
        let mut times = table(["ports held", "ns a bind, indicative"]);
        for (occupancy, nanos) in self.occupancies.iter().zip(&self.bind_ns) {
            times.add_row([grouped(occupancy.held), nanos.to_string()]);
        }
        drawn(&times)
    }

    fn rates(&self) -> String {
        let mut rates = table(["ports held", "refused in vain", "looked at, mean", "at most"]);
        let counted = |count: Option<String>| count.unwrap_or_else(|| "not counted".into());
        for occupancy in &self.occupancies {
            let mean = counted(occupancy.probes_mean().map(|probes| format!("{probes:.1}")));
            let most = counted(occupancy.probes_max.map(|probes| grouped(probes as usize)));
            let rate = format!("{:.1} %", 100.0 * occupancy.false_exhaustion_rate());
            let held = format!("{} of {}", grouped(occupancy.held), grouped(BLOCK.into()));
            rates.add_row([held, rate, mean, most]);
        }
        drawn(&rates)
    }

    fn counts(&self) -> String {
        let of = |kept: usize, all: usize| format!("{kept} of {all}");
        let laws = self.laws.len() - self.broken_laws().count();
        let calls = self.calls.len() - self.broken_calls().count();
        let reached = REACHABLE.len() - self.unreached.len();
        let mut counts = table(["tried", ""]);
        counts.add_row(["laws kept".into(), of(laws, self.laws.len())]);
        counts.add_row(["claims about single calls kept".into(), of(calls, self.calls.len())]);
        counts.add_row(["situations reached".into(), of(reached, REACHABLE.len())]);
        counts.add_row(["random scenarios".into(), grouped(self.drawn)]);
        counts.add_row(["short scenarios, one by one".to_string(), grouped(self.enumerated)]);
        drawn(&counts)
    }
}

/// Everything but the times, which are never the same twice.
impl fmt::Display for Conformance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.is_lawful() { "is lawful" } else { "is not lawful" };
        writeln!(f, "{} {verdict}\n\n{}\n\n{}", self.allocator, self.counts(), self.rates())?;
        if !self.unreached.is_empty() {
            writeln!(f, "\nnot reached: {}", self.unreached.iter().join(", "))?;
        }
        if let Some(at) = self.occupancies.iter().find(|at| !at.is_bounded()) {
            let (held, most) = (grouped(at.held), grouped(at.probes_max.unwrap_or(0) as usize));
            let all = grouped(BLOCK.into());
            writeln!(
                f,
                "\nbroken: with {held} ports held a bind looks at {most} of {all} candidates"
            )?;
        }
        for violation in self.broken_laws() {
            writeln!(f, "\n{violation}")?;
        }
        self.broken_calls().try_for_each(|call| writeln!(f, "\n{call}"))
    }
}

impl fmt::Display for CallVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {}", if self.holds() { "kept:" } else { "broken:" }, sentence(self.claim))?;
        writeln!(f, "given without the call: {}", self.expected.iter().join(", "))?;
        write!(f, "given after it:         {}", self.actual.iter().join(", "))
    }
}
