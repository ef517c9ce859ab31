//! Small scopes, tried whole: every event from every reachable state, and every scenario up to a
//! length.
//!
//! [`every_state`] is for devices that can be cloned and told as a state: what the ledger and the
//! device hold, with all instants told from now on, so that a small universe is finite and the
//! search ends by itself. Each edge is judged by every law. The search goes by breadth, so no
//! counterexample is shorter than the one it answers. [`every_scenario`] is for any other device:
//! it plays each scenario from its beginning.
//!
//! The search is written by hand. A model checker such as stateright holds properties of states;
//! laws judge edges, and count how often they were put to the test.
//!
//! **Reading taken.** States are told apart by 128 bits of their hash. Among a hundred million of
//! them the chance that any two are taken for one is about 10^-23.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use itertools::Itertools;
use natlaw_model::allocator::PortAllocator;
use natlaw_model::flow::{Endpoint, FiveTuple, Transport};
use natlaw_model::nat::{
    Candidates, ClosesOn, Configuration, Doubling, Event, HoldDown, IcmpError, IdleTimers,
    InboundRule, Ledger, Limits, MappingBehaviour, Nat, PerTransport, Pool, PortPolicy, PortReuse,
    Selection, Signal, TcpTimers, Timers, VirtualIp,
};
use natlaw_model::ports::PortBlock;
use natlaw_model::subject::{Device, Moment, Scenario, Subject, Trace};
use natlaw_model::time::Duration;
use natlaw_model::translator::Translator;
use rustc_hash::FxHashSet;

use super::{LAWS, grouped};
use crate::law::{Violation, check};
use crate::report::{drawn, table};

/// All that may be asked, and from where on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Universe {
    /// What it is about.
    pub name: &'static str,
    /// The configuration at the start.
    pub nat: Nat,
    /// What may happen in any state.
    pub events: Vec<Event>,
    /// The most events of one history; without a bound the search ends when no state is new.
    pub depth_max: Option<usize>,
}

/// What was tried, and what came of it.
#[derive(Debug, Clone)]
pub struct Coverage {
    /// States, or scenarios, that differ; the one at the start included.
    pub states: usize,
    /// Events that were asked in one of them, and judged.
    pub edges: usize,
    /// Events on the shortest way to the farthest of them.
    pub depth: usize,
    /// Whether every event was asked in every state that can be reached.
    pub is_closed: bool,
    /// How often each law was put to the test, in the order of the laws.
    pub tested: Vec<(&'static str, usize)>,
    /// The first law broken, and the shortest trace that breaks one.
    pub broken: Option<Box<Violation<Nat>>>,
}

/// What can be told as a state: two that are told alike have the same future.
pub trait Canonical {
    /// Tells the state, with instants told from now on.
    fn tell(&self, state: &mut impl Hasher);
}

impl Canonical for Ledger {
    fn tell(&self, state: &mut impl Hasher) {
        self.relative().hash(state);
    }
}

impl<A: PortAllocator + Hash> Canonical for Translator<A> {
    fn tell(&self, state: &mut impl Hasher) {
        self.relative().hash(state);
    }
}

/// Asks every event in every state that can be reached, the nearest first, until a law is broken.
///
/// # Panics
/// When the device answers one scenario in two ways.
pub fn every_state<D: Device<Nat> + Canonical + Clone>(
    universe: &Universe,
    new: impl Fn(&Nat) -> D,
) -> Coverage {
    let start = State { device: new(&universe.nat), ledger: universe.nat.ledger(), way: 0 };
    let mut search = Search::new(universe, &start);
    let mut frontier = vec![start];
    while !frontier.is_empty() && universe.depth_max != Some(search.coverage.depth) {
        let mut next = Vec::new();
        for (state, event) in frontier.iter().cartesian_product(0..universe.events.len()) {
            let Ok(to) = search.step(state, event) else {
                let scenario = search.scenario(state.way, event);
                let again = check(LAWS, &scenario.play(&mut new(&universe.nat)));
                let broken = again.expect_err("one scenario is always answered alike");
                return Coverage { broken: Some(broken), ..search.coverage };
            };
            next.extend(to);
        }
        search.coverage.depth += usize::from(!next.is_empty());
        frontier = next;
    }
    Coverage { is_closed: frontier.is_empty(), ..search.coverage }
}

/// Plays every scenario of at most `len_max` events from its beginning, the shortest first, until a
/// law is broken. Each is judged at its last step: what comes before is a scenario itself.
pub fn every_scenario<D: Device<Nat>>(
    universe: &Universe,
    len_max: usize,
    new: impl Fn(&Nat) -> D,
) -> Coverage {
    let mut coverage = Coverage::of_the_start();
    for len in 1..=len_max {
        coverage.depth = len;
        let choices = std::iter::repeat_n(universe.events.iter().cloned(), len);
        for events in choices.multi_cartesian_product() {
            coverage.states += 1;
            let scenario = Scenario { subject: universe.nat.clone(), events };
            let trace = scenario.play(&mut new(&universe.nat));
            if coverage.judge_last(&trace).is_err() {
                return Coverage { broken: check(LAWS, &trace).err(), ..coverage };
            }
        }
    }
    coverage
}

/// A law is broken.
struct Broken;

/// A device, what its answers imply, and the way that led there.
#[derive(Clone)]
struct State<D> {
    device: D,
    ledger: Ledger,
    way: usize,
}

/// What a search over states has seen.
struct Search<'a> {
    universe: &'a Universe,
    seen: FxHashSet<u128>,
    /// How each state was first reached: from which way, and by which event.
    ways: Vec<(usize, usize)>,
    coverage: Coverage,
}

impl<'a> Search<'a> {
    fn new(universe: &'a Universe, start: &State<impl Canonical>) -> Self {
        let seen = FxHashSet::from_iter([start.fingerprint()]);
        Self { universe, seen, ways: vec![(0, 0)], coverage: Coverage::of_the_start() }
    }

    /// Asks the event in the state: the state it leads to, if that is new.
    fn step<D: Device<Nat> + Canonical + Clone>(
        &mut self,
        from: &State<D>,
        event: usize,
    ) -> Result<Option<State<D>>, Broken> {
        let mut to = State { way: self.ways.len(), ..from.clone() };
        let asked = &self.universe.events[event];
        let outcome = &to.device.step(asked);
        self.coverage.judge(&Moment { before: &from.ledger, event: asked, outcome })?;
        Nat::record(&mut to.ledger, asked, outcome);
        if !self.seen.insert(to.fingerprint()) {
            return Ok(None);
        }
        self.ways.push((from.way, event));
        self.coverage.states += 1;
        Ok(Some(to))
    }

    /// The events that lead to a state by the way it was first reached, and one more.
    fn scenario(&self, mut way: usize, last: usize) -> Scenario<Nat> {
        let mut events = vec![last];
        while way > 0 {
            let (from, event) = self.ways[way];
            events.push(event);
            way = from;
        }
        let events = events.into_iter().rev().map(|event| self.universe.events[event].clone());
        Scenario { subject: self.universe.nat.clone(), events: events.collect() }
    }
}

impl<D: Canonical> State<D> {
    fn fingerprint(&self) -> u128 {
        let mut told = Told(Vec::with_capacity(1024));
        self.ledger.tell(&mut told);
        self.device.tell(&mut told);
        let half = |seed: u64| {
            let mut hasher = DefaultHasher::new();
            seed.hash(&mut hasher);
            hasher.write(&told.0);
            u128::from(hasher.finish())
        };
        half(0) << 64 | half(1)
    }
}

/// A state as bytes.
struct Told(Vec<u8>);

impl Hasher for Told {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

impl Coverage {
    /// Nothing was asked yet.
    fn of_the_start() -> Self {
        let tested = LAWS.iter().map(|law| (law.name, 0)).collect();
        Self { states: 1, edges: 0, depth: 0, is_closed: false, tested, broken: None }
    }

    /// Holds one moment to every law.
    fn judge(&mut self, moment: &Moment<'_, Nat>) -> Result<(), Broken> {
        self.edges += 1;
        let mut holds_all = true;
        for (law, (_, tested)) in LAWS.iter().zip(&mut self.tested) {
            let Some(holds) = (law.holds)(moment) else { continue };
            *tested += 1;
            holds_all &= holds;
        }
        if holds_all { Ok(()) } else { Err(Broken) }
    }

    /// Holds the last step of a trace to every law.
    fn judge_last(&mut self, trace: &Trace<Nat>) -> Result<(), Broken> {
        let Some((last, before)) = trace.steps.split_last() else { return Ok(()) };
        let mut ledger = trace.subject.ledger();
        before.iter().for_each(|step| Nat::record(&mut ledger, &step.event, &step.outcome));
        self.judge(&Moment { before: &ledger, event: &last.event, outcome: &last.outcome })
    }
}

/// How often each law was put to the test in all of these, as a table.
pub fn premises(tried: &[Coverage]) -> String {
    let mut laws = table(["law", "tested"]);
    for (index, law) in LAWS.iter().enumerate() {
        let tested = tried.iter().map(|coverage| coverage.tested[index].1).sum();
        laws.add_row([law.name.into(), grouped(tested)]);
    }
    drawn(&laws)
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [states, edges] = [self.states, self.edges].map(grouped);
        write!(f, "{states} states, {edges} edges, depth {}", self.depth)?;
        write!(f, "{}", if self.is_closed { ", all there are" } else { "" })?;
        self.broken.iter().try_for_each(|broken| write!(f, "\n{broken}"))
    }
}

/// One universe for each way of sharing out ports, of telling mappings apart and of choosing among
/// ports. `size` is the number of source ports of the first member; a second member has one. Packets
/// open and end flows, replies come to every endpoint that may be given, time passes by one second
/// and by three, and the configuration changes there and back. Where a member is given more than its
/// own, the first has one source port more.
pub fn universes(size: u16) -> Vec<Universe> {
    let own = beyond_own_ports(size);
    [shares_of_ports(size), own, kinds_of_mappings(size), choices(size), turns()].concat()
}

/// Two that are as small in either size: a member that calls its neighbour, and itself, through the
/// virtual IP; and one flow with all that TCP and ICMP errors can make of it.
fn turns() -> Vec<Universe> {
    vec![between_neighbours(), one_flow_to_its_end()]
}

/// Both members open and finish towards each of two ports of the virtual IP. Any neighbour is let
/// in.
fn between_neighbours() -> Universe {
    let mapping = MappingBehaviour::EndpointIndependent.into();
    let nat = Configuration { mapping, port_reuse: PortReuse::Never.into(), ..shared(2) };
    let doors = block(2).first()..=block(2).last();
    let doors: Vec<_> = doors.map(|port| Endpoint::new(virtual_ip(1).0, port)).collect();
    let insides = [inside(1, 1), inside(2, 1)];
    let flow = |(source, destination)| FiveTuple { transport: Transport::Tcp, source, destination };
    let flows: Vec<_> = insides.into_iter().cartesian_product(doors).map(flow).collect();
    let packets = flows.iter().flat_map(|flow| {
        [Signal::Open, Signal::Finish].map(|signal| Event::outbound(*flow, signal))
    });
    let errors = insides.into_iter().flat_map(|source| {
        let reply = |flow: &FiveTuple| IcmpError::unreachable(flow.reversed().to(source));
        flows.iter().map(reply).map(Event::OutboundError).dedup().collect::<Vec<_>>()
    });
    let events = packets.chain(errors.sorted().dedup()).chain([elapse(1)]).collect();
    Universe { name: "between neighbours", nat: legal(nat), events, depth_max: None }
}

/// Every signal of either side, errors of both, and a SYN that waits. Each state has a timer of its
/// own.
fn one_flow_to_its_end() -> Universe {
    let flow =
        FiveTuple { transport: Transport::Tcp, source: inside(1, 1), destination: outside(1) };
    let nat = Configuration { closes_on: ClosesOn::BothSides, ..one_member(shared(1)) };
    let nat = with_a_timer_for_each_state(nat);
    let sent = flow.from(Endpoint::new(virtual_ip(1).0, block(1).first()));
    let signals = [Signal::Open, Signal::Data, Signal::Finish, Signal::Reset];
    let packets = signals.into_iter().flat_map(|signal| {
        [Event::outbound(flow, signal), Event::inbound(sent.reversed(), signal)]
    });
    let errors = [
        Event::InboundError(IcmpError::unreachable(sent)),
        Event::OutboundError(IcmpError::unreachable(flow.reversed())),
    ];
    let events = packets.chain(errors).chain([elapse(1), elapse(5)]).collect();
    Universe { name: "one flow to its end", nat: legal(nat), events, depth_max: None }
}

fn with_a_timer_for_each_state(configuration: Configuration) -> Configuration {
    let [reset, time_wait, half_open, one_side_closed, established] =
        [1, 2, 3, 4, 5].map(Duration::from_secs);
    let tcp = TcpTimers { half_open, established, one_side_closed, time_wait, reset };
    let idle = IdleTimers { tcp, ..configuration.timers.idle };
    let unsolicited_syn = Some(Duration::from_secs(6));
    let timers = Timers { idle, unsolicited_syn, ..configuration.timers };
    Configuration { timers, ..configuration }
}

const fn elapse(seconds: u64) -> Event {
    Event::Elapse(Duration::from_secs(seconds))
}

fn legal(configuration: Configuration) -> Nat {
    Nat::new(configuration).expect("a legal one")
}

fn shares_of_ports(size: u16) -> Vec<Universe> {
    let own = start(1, PortPolicy::Fixed { ports: 2, usable: block(4) });
    let [lease, two_leases] = [1, 2].map(|virtual_ips| start(virtual_ips, PortPolicy::Dynamic));
    let fixed = start(2, PortPolicy::Static);
    let rule = with_rule(own.clone());
    let of = |name, configurations| universe(name, size, 1, configurations);
    vec![
        of("shared ports", [shared(2), shared(1), one_member(shared(2))]),
        of("own ports, one of them published", [rule.clone(), own, two_virtual_ips(rule)]),
        of("leased addresses", [two_leases.clone(), one_member(two_leases.clone()), lease]),
        of("an address for each member", [fixed.clone(), one_member(fixed), two_leases]),
    ]
}

fn kinds_of_mappings(size: u16) -> Vec<Universe> {
    let of = |name, destinations, mapping, port_reuse| {
        let (mapping, port_reuse) = (PerTransport::from(mapping), PerTransport::from(port_reuse));
        let here = Configuration { mapping, port_reuse, ..shared(1) };
        let never = Configuration { port_reuse: PortReuse::Never.into(), ..shared(1) };
        universe(name, size, destinations, [here.clone(), one_member(here), never])
    };
    let by_endpoint = MappingBehaviour::AddressAndPortDependent;
    let by_address = MappingBehaviour::AddressDependent;
    let by_nothing = MappingBehaviour::EndpointIndependent;
    vec![
        of("one mapping a destination", 2, by_endpoint, PortReuse::PerDestination),
        of("one mapping an address", 3, by_address, PortReuse::PerDestinationAddress),
        of("one mapping for all destinations", 2, by_nothing, PortReuse::Never),
    ]
}

/// A draw changes the state for good: where ports are drawn, histories are bounded.
fn choices(size: u16) -> Vec<Universe> {
    let spread = Configuration { selection: Selection::Spread, ..two_virtual_ips(shared(1)) };
    let random = Configuration { selection: Selection::Random(1), ..shared(3) };
    let both = two_virtual_ips(shared(2));
    let one_each = Limits { per_destination: Some(1), ..Limits::default() };
    let limited = Configuration { limits: one_each, ..both.clone() };
    let slow = with_hold_down(shared(1), HoldDown::uniform(Duration::from_secs(3)));
    let hasty = with_hold_down(shared(1), HoldDown::uniform(Duration::ZERO));
    let of = |name, configurations| universe(name, size, 1, configurations);
    let drawn = of("a random start", [random.clone(), one_member(random), shared(1)]);
    vec![
        of("two addresses, spread", [spread.clone(), one_member(spread), shared(1)]),
        of(
            "one key an address towards a destination",
            [limited.clone(), one_member(limited), both],
        ),
        of("hold-downs that change", [shared(1), slow, hasty]),
        Universe { depth_max: Some(4 + usize::from(size)), ..drawn },
    ]
}

/// Everything that may happen in one of these configurations, the first of them at the start.
fn universe(
    name: &'static str,
    size: u16,
    destinations: u8,
    configurations: [Configuration; 3],
) -> Universe {
    let nats = configurations.map(legal);
    let flows = flows(size, destinations);
    let packets = flows.iter().flat_map(|flow| {
        [Signal::Open, Signal::Finish].map(|signal| Event::outbound(*flow, signal))
    });
    let answers = nats.iter().flat_map(|nat| answers(nat, &flows)).sorted().dedup();
    let lengths = [1, 3].map(elapse);
    let events = packets.chain(answers).chain(lengths);
    let events = events.chain(nats.iter().cloned().map(Event::reconfigure)).collect();
    let [nat, ..] = nats;
    Universe { name, nat, events, depth_max: None }
}

/// TCP from every source port to every destination, and UDP from one to one.
fn flows(size: u16, destinations: u8) -> Vec<FiveTuple> {
    let insides = (1..=size).map(|port| inside(1, port)).chain([inside(2, 1)]);
    let flow = |transport, source, n| FiveTuple { transport, source, destination: outside(n) };
    let tcp = insides.cartesian_product(1..=destinations);
    let tcp = tcp.map(|(source, n)| flow(Transport::Tcp, source, n));
    tcp.chain([flow(Transport::Udp, inside(1, 1), 1)]).collect()
}

/// What the outside may send to the endpoints that these flows may be given, and to rules.
fn answers(nat: &Nat, flows: &[FiveTuple]) -> Vec<Event> {
    let mut answers = Vec::new();
    for flow in flows {
        let candidates = nat.candidates(*flow).into_iter().flat_map(Candidates::iter);
        for external in candidates {
            let packet = flow.from(external).reversed();
            answers.extend([Signal::Data, Signal::Reset].map(|say| Event::inbound(packet, say)));
        }
    }
    answers
}

fn start(virtual_ips: u8, ports: PortPolicy) -> Configuration {
    let secs = Duration::from_secs;
    let idle = IdleTimers::uniform(secs(2));
    let hold_down = HoldDown { reset: Duration::ZERO, ..HoldDown::uniform(secs(1)) };
    let virtual_ips = (1..=virtual_ips).map(virtual_ip).collect();
    let timers = Timers { idle, hold_down, ..Timers::default() };
    Configuration { timers, ..Configuration::new(virtual_ips, pool(2), ports) }
}

/// So many ports for both members.
fn shared(ports: u32) -> Configuration {
    start(1, PortPolicy::OnDemand(block(ports)))
}

/// A member that is given more than its own needs a flow more than others do: histories are bounded.
fn beyond_own_ports(size: u16) -> Vec<Universe> {
    let (guaranteed, doubling) = (start(1, guaranteed()), start(1, doubling()));
    let depth_max = Some(4 + usize::from(size));
    let of = |name, start: Configuration| {
        let configurations = [start.clone(), one_member(start), shared(2)];
        Universe { depth_max, ..universe(name, size + 1, 1, configurations) }
    };
    vec![of("a guarantee and a shared port", guaranteed), of("blocks that double", doubling)]
}

/// A port for each member, and a third for both.
fn guaranteed() -> PortPolicy {
    PortPolicy::Guaranteed { ports: 1, usable: block(2), shared: PortBlock::single(1026) }
}

/// A port for a member, and another one while there is.
fn doubling() -> PortPolicy {
    PortPolicy::Doubling(Doubling { minimum: 1, maximum: 2, usable: block(3) })
}

fn with_hold_down(configuration: Configuration, hold_down: HoldDown) -> Configuration {
    let timers = Timers { hold_down, ..configuration.timers };
    Configuration { timers, ..configuration }
}

fn one_member(configuration: Configuration) -> Configuration {
    Configuration { pool: pool(1), ..configuration }
}

fn two_virtual_ips(configuration: Configuration) -> Configuration {
    Configuration { virtual_ips: vec![virtual_ip(1), virtual_ip(2)], ..configuration }
}

/// The first port of the first member is published.
fn with_rule(configuration: Configuration) -> Configuration {
    let external = Endpoint::new(virtual_ip(1).0, block(1).first());
    let rule = InboundRule { transport: Transport::Tcp, external, inside: inside(1, 1) };
    Configuration { inbound_rules: vec![rule], ..configuration }
}

fn pool(members: usize) -> Pool {
    Pool::of_size(inside(1, 1).address, members).expect("a small pool")
}

fn block(ports: u32) -> PortBlock {
    PortBlock::from_len(1024, ports).expect("a small block")
}

fn virtual_ip(n: u8) -> VirtualIp {
    VirtualIp([203, 0, 113, n].into())
}

fn inside(member: u8, port: u16) -> Endpoint {
    Endpoint::new([10, 0, 0, member].into(), port)
}

/// Two destinations of one address, and then another address.
fn outside(n: u8) -> Endpoint {
    Endpoint::new([198, 51, 100, 1 + n / 3].into(), if n == 2 { 80 } else { 443 })
}
