//! The ledger, rebuilt from answers alone, foretells what the translator answers next.
//!
//! The universe is small enough for everything in it to collide: two members and a third that
//! comes and goes, three destinations on two remote addresses, a handful of ports, a few
//! milliseconds.

use std::collections::BTreeSet;
use std::hash::BuildHasher;

use itertools::iproduct;
use natlaw_model::allocator::{Bitmap, FirstFit, PortAllocator, Refusal};
use natlaw_model::flow::{Binding, Endpoint, FiveTuple, Transport};
use natlaw_model::nat::{
    Candidates, Census, Configuration, Event, HoldDown, IdleTimers, InboundRule,
};
use natlaw_model::nat::{Ledger, MappingBehaviour, Nat, Outcome, PortPolicy, PortReuse, Reason};
use natlaw_model::nat::{Segment, Selection, Signal, Timers};
use natlaw_model::subject::{Device, Step, Subject, Trace};
use natlaw_model::tiers::TierTable;
use natlaw_model::time::Duration;
use natlaw_model::translator::Translator;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rustc_hash::FxBuildHasher;

use crate::{
    configuration, doubling, fixed, guaranteed, manual, nat, on_demand, read, virtual_ips,
};

const MEMBERS: [&str; 3] = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];
const REMOTES: [&str; 3] = ["198.51.100.1:443", "198.51.100.1:444", "198.51.100.2:443"];
const POOLS: [&str; 5] =
    ["10.0.0.1-10.0.0.2", "10.0.0.1-10.0.0.3", "10.0.0.1", "hole, 10.0.0.2", "10.0.0.2, 10.0.0.1"];

/// What happens next, told without knowing what happened before.
#[derive(Debug, Clone)]
enum Move {
    Outbound(Segment),
    Inbound(Segment),
    /// A packet back to one of the external tuples seen so far.
    Answer(Index, Signal),
    Elapse(Duration),
    Replace(Box<Nat>),
    Adjust(Adjustment),
}

/// A change to a part of the configuration; one that breaks a rule changes nothing.
#[derive(Debug, Clone)]
enum Adjustment {
    Pool(&'static str),
    Addresses(u8),
    Ports(PortPolicy),
    Timers(Timers),
    Rules(Vec<InboundRule>),
    PerDestination(Option<u32>),
}

fn milliseconds(range: std::ops::RangeInclusive<u64>) -> impl Strategy<Value = Duration> {
    range.prop_map(Duration::from_millis)
}

fn timers() -> impl Strategy<Value = Timers> {
    let idle = (milliseconds(1..=4), milliseconds(1..=4));
    let hold_down = [milliseconds(0..=4), milliseconds(0..=4), milliseconds(0..=4)];
    (idle, hold_down).prop_map(|((tcp, udp), [finish, reset, idle])| Timers {
        idle: IdleTimers { tcp: tcp.into(), udp, ..IdleTimers::default() },
        hold_down: HoldDown { finish, reset, idle, half_open: idle },
        unsolicited_syn: None,
    })
}

fn policies() -> impl Strategy<Value = PortPolicy> {
    select(vec![
        PortPolicy::Static,
        PortPolicy::Dynamic,
        PortPolicy::Tiered("1-2: 64, 3-3: 32".parse::<TierTable>().unwrap()),
        fixed(1, "1024-1026"),
        fixed(2, "1024-1030"),
        manual(8, "1024-1049"),
        on_demand("1024-1025"),
        on_demand("1-1"),
        guaranteed(1, "1024-1026", "1027-1027"),
        guaranteed(2, "1024-1029", "1-2"),
        doubling(1, 2, "1024-1026"),
        doubling(1, 4, "1024-1030"),
        doubling(2, 8, "1-13"),
    ])
}

/// What mappings depend on, and a re-use under which replies can be told apart.
fn behaviours() -> impl Strategy<Value = (MappingBehaviour, PortReuse)> {
    use MappingBehaviour::{AddressAndPortDependent, AddressDependent, EndpointIndependent};
    select(&[
        (EndpointIndependent, PortReuse::Never),
        (AddressDependent, PortReuse::Never),
        (AddressDependent, PortReuse::PerDestinationAddress),
        (AddressAndPortDependent, PortReuse::Never),
        (AddressAndPortDependent, PortReuse::PerDestinationAddress),
        (AddressAndPortDependent, PortReuse::PerDestination),
    ])
}

fn selections() -> impl Strategy<Value = Selection> {
    let others = prop_oneof![Just(Selection::Spread), any::<u64>().prop_map(Selection::Random)];
    prop_oneof![2 => Just(Selection::LowestFirst), 1 => others]
}

/// Services of a member, one of them at two outside endpoints.
fn rules() -> impl Strategy<Value = Vec<InboundRule>> {
    let rules: [InboundRule; 3] = [
        read("tcp 203.0.113.1:1024 > 10.0.0.1:1"),
        read("tcp 203.0.113.1:80 > 10.0.0.1:1"),
        read("udp 203.0.113.1:1 > 10.0.0.1:2"),
    ];
    prop_oneof![2 => Just(Vec::new()), 1 => proptest::sample::subsequence(rules.to_vec(), 1..=3)]
}

/// A limit of keys towards a destination.
fn per_destination() -> impl Strategy<Value = Option<u32>> {
    select(&[None, Some(1), Some(2)])
}

fn nats() -> impl Strategy<Value = Nat> {
    let whose = (select(&POOLS), 1..=2_u8, policies(), per_destination());
    (whose, behaviours(), selections(), timers(), rules()).prop_map(
        |((pool, addresses, ports, limit), behaviour, selection, timers, inbound_rules)| {
            let mut it = configuration(addresses, pool, ports);
            (it.selection, it.timers, it.inbound_rules) = (selection, timers, inbound_rules);
            (it.mapping, it.port_reuse) = (behaviour.0.into(), behaviour.1.into());
            if !it.ports.translates_ports() {
                it.port_reuse = PortReuse::finest_of(behaviour.0).into();
            }
            if it.ports == PortPolicy::Static {
                it.virtual_ips = virtual_ips(3);
            }
            let has_destinations = it.port_reuse == PortReuse::PerDestination.into();
            it.limits.per_destination = limit.filter(|_| has_destinations);
            if pool.starts_with("hole") {
                it.inbound_rules.clear();
            }
            Nat::new(it).unwrap()
        },
    )
}

fn signals() -> impl Strategy<Value = Signal> {
    select(&[Signal::Open, Signal::Data, Signal::Finish, Signal::Reset])
}

fn transports() -> impl Strategy<Value = Transport> {
    prop_oneof![3 => Just(Transport::Tcp), 1 => Just(Transport::Udp)]
}

fn endpoint(address: &str, port: u16) -> Endpoint {
    Endpoint::new(read(address), port)
}

fn outbound() -> impl Strategy<Value = Segment> {
    let member = prop_oneof![4 => select(&MEMBERS[..2]), 1 => Just(MEMBERS[2])];
    (transports(), member, 1..=2_u16, select(&REMOTES), signals()).prop_map(
        |(transport, member, port, remote, signal)| {
            let (source, destination) = (endpoint(member, port), read(remote));
            Segment { tuple: FiveTuple { transport, source, destination }, signal }
        },
    )
}

fn inbound() -> impl Strategy<Value = Segment> {
    let external = (select(&["203.0.113.1", "203.0.113.2"]), select(&[1, 2, 80, 1024, 1025]));
    (transports(), select(&REMOTES), external, signals()).prop_map(
        |(transport, remote, (address, port), signal)| {
            let (source, destination) = (read(remote), endpoint(address, port));
            Segment { tuple: FiveTuple { transport, source, destination }, signal }
        },
    )
}

fn adjustments() -> impl Strategy<Value = Adjustment> {
    prop_oneof![
        select(&POOLS).prop_map(Adjustment::Pool),
        (1..=3_u8).prop_map(Adjustment::Addresses),
        policies().prop_map(Adjustment::Ports),
        timers().prop_map(Adjustment::Timers),
        rules().prop_map(Adjustment::Rules),
        per_destination().prop_map(Adjustment::PerDestination),
    ]
}

fn moves() -> impl Strategy<Value = Move> {
    prop_oneof![
        10 => outbound().prop_map(Move::Outbound),
        3 => inbound().prop_map(Move::Inbound),
        4 => (any::<Index>(), signals()).prop_map(|(index, signal)| Move::Answer(index, signal)),
        4 => milliseconds(0..=5).prop_map(Move::Elapse),
        1 => nats().prop_map(|nat| Move::Replace(Box::new(nat))),
        2 => adjustments().prop_map(Move::Adjust),
    ]
}

impl Adjustment {
    fn change(&self, it: &mut Configuration) {
        match self {
            Self::Pool(pool) => it.pool = read(pool),
            Self::Addresses(count) => it.virtual_ips = virtual_ips(*count),
            Self::Ports(ports) => it.ports.clone_from(ports),
            Self::Timers(timers) => it.timers = *timers,
            Self::Rules(rules) => it.inbound_rules.clone_from(rules),
            Self::PerDestination(limit) => it.limits.per_destination = *limit,
        }
    }
}

/// What the ledger foretells.
#[derive(Debug)]
enum Foretold {
    Exactly(Outcome),
    /// One of these external endpoints, the first if the lowest is to be taken.
    Binds(Vec<Endpoint>),
}

/// What the ledger foretells of an event, and what kind of case that is.
fn foretell(ledger: &Ledger, event: &Event) -> (&'static str, Foretold) {
    let (case, outcome) = match event {
        Event::Outbound(segment) => match foretell_outbound(ledger, *segment) {
            (case, Ok(external)) => (case, Outcome::Forwarded(segment.tuple.from(external))),
            (case, Err(Some(reason))) => (case, Outcome::Dropped(reason)),
            (case, Err(None)) => {
                return (case, Foretold::Binds(ledger.eligible(segment.tuple).collect()));
            }
        },
        Event::Inbound(segment) => match foretell_inbound(ledger, segment.tuple) {
            (case, Ok(inside)) => (case, Outcome::Forwarded(segment.tuple.to(inside))),
            (case, Err(reason)) => (case, Outcome::Dropped(reason)),
        },
        Event::OutboundError(_) | Event::InboundError(_) => {
            unreachable!("no move makes an ICMP error")
        }
        Event::Elapse(_) => ("time passes", Outcome::ELAPSED),
        Event::Reconfigure(nat) => foretell_reconfigured(ledger, nat),
    };
    (case, Foretold::Exactly(outcome))
}

/// The external endpoint of an outbound packet; no reason where it is the allocator's choice.
fn foretell_outbound(
    ledger: &Ledger,
    segment: Segment,
) -> (&'static str, Result<Endpoint, Option<Reason>>) {
    let flow = segment.tuple;
    let refused = |refusal| Err(Some(Reason::Refused(refusal)));
    if let Some(external) = ledger.admitted_through(flow) {
        return ("a reply to an admitted connection", Ok(external));
    }
    if let Some(external) = ledger.external_of(flow) {
        return ("a live flow goes on", Ok(external));
    }
    if segment.ends_its_flow() {
        return ("the end of no flow", Err(Some(Reason::NoFlow)));
    }
    match ledger.holding_of(flow) {
        Some(holding) if holding.is_live(ledger.now) => {
            ("a live mapping gets a flow", Ok(holding.binding.external))
        }
        Some(holding) => ("a cooling mapping is taken back", Ok(holding.binding.external)),
        None if ledger.nat.candidates(flow).is_none() => {
            ("a stranger", refused(Refusal::NotInPool))
        }
        None if ledger.eligible(flow).next().is_none() => {
            ("nothing is eligible", refused(Refusal::Exhausted))
        }
        None => ("a new mapping", Err(None)),
    }
}

/// The inside endpoint of an inbound packet.
fn foretell_inbound(ledger: &Ledger, tuple: FiveTuple) -> (&'static str, Result<Endpoint, Reason>) {
    if let Some(rule) = ledger.nat.rule_at(tuple.transport, tuple.destination) {
        let reply = tuple.to(rule.inside).reversed();
        let through = ledger.external_of(reply).or(ledger.admitted_through(reply));
        return match through {
            Some(through) if through != tuple.destination => ("a rule clashes", Err(Reason::Clash)),
            _ => ("a rule admits", Ok(rule.inside)),
        };
    }
    match ledger.mapping_for(tuple) {
        Some(holding) => ("a mapping admits", Ok(holding.binding.flow.source)),
        None => ("nothing admits", Err(Reason::NoMapping)),
    }
}

/// The live bindings that a new configuration does not keep, in the order of their flows.
fn foretell_reconfigured(ledger: &Ledger, nat: &Nat) -> (&'static str, Outcome) {
    let live = ledger.holdings().filter(|holding| !holding.stranded && holding.is_live(ledger.now));
    let (kept, mut stranded): (Vec<Binding>, Vec<Binding>) =
        live.map(|holding| holding.binding).partition(|binding| nat.keeps(&ledger.nat, *binding));
    stranded.sort_unstable();
    let case = match (kept.is_empty(), stranded.is_empty()) {
        (true, true) => "nothing was live",
        (false, true) => "all is kept",
        (true, false) => "all is stranded",
        (false, false) => "some is kept and some is stranded",
    };
    (case, Outcome::Reconfigured { stranded })
}

/// Holds an answer to what the ledger foretells of it.
fn agrees(ledger: &Ledger, event: &Event, actual: &Outcome) -> Result<(), TestCaseError> {
    let (case, expected) = foretell(ledger, event);
    let agrees = match (&expected, actual) {
        (Foretold::Exactly(expected), actual) => expected == actual,
        (Foretold::Binds(eligible), Outcome::Forwarded(tuple)) => match ledger.nat.selection {
            Selection::LowestFirst => eligible.first() == Some(&tuple.source),
            _ => eligible.contains(&tuple.source),
        },
        (Foretold::Binds(_), _) => false,
    };
    prop_assert!(agrees, "{event} ({case}): {expected:?}, and the answer is {actual:?}");
    Ok(())
}

/// A translator and the ledger of its answers.
struct Told<A> {
    translator: Translator<A>,
    ledger: Ledger,
    trace: Trace<Nat>,
    seen: Vec<FiveTuple>,
    cases: BTreeSet<&'static str>,
}

impl<A: PortAllocator + Clone> Told<A> {
    fn new(nat: &Nat, new: impl FnOnce(&Nat) -> A) -> Self {
        Self {
            translator: Translator::new(nat, new),
            ledger: nat.ledger(),
            trace: Trace { subject: nat.clone(), steps: Vec::new() },
            seen: Vec::new(),
            cases: BTreeSet::new(),
        }
    }

    /// The event of a move, here and now.
    fn event(&self, next: &Move) -> Event {
        match next {
            Move::Outbound(segment) => Event::Outbound(*segment),
            Move::Inbound(segment) => Event::Inbound(*segment),
            Move::Answer(_, _) if self.seen.is_empty() => Event::Elapse(Duration::ZERO),
            Move::Answer(index, signal) => {
                Event::inbound(index.get(&self.seen).reversed(), *signal)
            }
            Move::Elapse(length) => Event::Elapse(*length),
            Move::Replace(nat) => Event::Reconfigure(nat.clone()),
            Move::Adjust(adjustment) => {
                let nat = &self.ledger.nat;
                let adjusted = nat.with(|it| adjustment.change(it));
                Event::reconfigure(adjusted.unwrap_or_else(|_| nat.clone()))
            }
        }
    }

    /// Asks, holds the answer to the ledger, and enters it.
    fn step(&mut self, event: Event) -> Result<(), TestCaseError> {
        self.cases.insert(foretell(&self.ledger, &event).0);
        let outcome = self.translator.step(&event);
        agrees(&self.ledger, &event, &outcome)?;
        if let (Event::Outbound(_), Outcome::Forwarded(tuple)) = (&event, &outcome) {
            self.seen.push(*tuple);
        }
        Nat::record(&mut self.ledger, &event, &outcome);
        self.trace.steps.push(Step { event, outcome });
        Ok(())
    }

    fn play(&mut self, moves: &[Move]) -> Result<(), TestCaseError> {
        moves.iter().try_for_each(|next| self.step(self.event(next)))
    }

    /// Asks a copy of the translator about everything in the universe.
    fn agrees_on_everything(&self) -> Result<(), TestCaseError> {
        everything()
            .iter()
            .try_for_each(|event| agrees(&self.ledger, event, &self.translator.clone().step(event)))
    }

    /// Opens connections of a member until one is refused: each is given what is eligible then, and
    /// in the end nothing is. Where no limit, guarantee or lease steps in, that is what was eligible
    /// at the beginning.
    fn gives_what_is_eligible(&self, member: &str) -> Result<(), TestCaseError> {
        let flow = |port| FiveTuple {
            transport: Transport::Tcp,
            source: endpoint(member, port),
            destination: read(REMOTES[0]),
        };
        let (mut translator, mut ledger) = (self.translator.clone(), self.ledger.clone());
        let mut given = BTreeSet::new();
        for port in 3..u16::MAX {
            let open = Event::outbound(flow(port), Signal::Open);
            let outcome = translator.step(&open);
            let Outcome::Forwarded(tuple) = outcome else { break };
            prop_assert!(ledger.is_eligible(flow(port), tuple.source), "{}", tuple);
            prop_assert!(given.insert(tuple.source), "{}", tuple);
            Nat::record(&mut ledger, &open, &outcome);
        }
        prop_assert_eq!(ledger.eligible(flow(u16::MAX)).next(), None);
        let nat = &self.ledger.nat;
        if !nat.ports.goes_beyond() && nat.limits.per_destination.is_none() {
            prop_assert_eq!(given, self.ledger.eligible(flow(3)).collect());
        }
        Ok(())
    }
}

/// Every flow of the universe opened and ended, and every packet that the outside could send.
fn everything() -> Vec<Event> {
    let opened_and_ended =
        |flow| [Signal::Open, Signal::Finish].map(|signal| Event::outbound(flow, signal));
    let transports = [Transport::Tcp, Transport::Udp];
    let externals = iproduct!(virtual_ips(3), [1, 2, 80, 1024, 1025, 1032]);
    let inbound =
        iproduct!(transports, REMOTES, externals).map(|(transport, remote, (vip, port))| {
            let (source, destination) = (read(remote), Endpoint::new(vip.0, port));
            Event::inbound(FiveTuple { transport, source, destination }, Signal::Data)
        });
    flows().flat_map(opened_and_ended).chain(inbound).collect()
}

/// The flows of the universe, and those of an inside port not used before.
fn flows() -> impl Iterator<Item = FiveTuple> {
    let transports = [Transport::Tcp, Transport::Udp];
    iproduct!(transports, MEMBERS, [1, 2, 9], REMOTES).map(|(transport, member, port, remote)| {
        FiveTuple { transport, source: endpoint(member, port), destination: read(remote) }
    })
}

/// Every candidate is counted once, and the free ones are those that are eligible.
fn adds_up(ledger: &Ledger) -> Result<(), TestCaseError> {
    for flow in flows() {
        let Census { candidates, free, live, cooling, reserved } = ledger.census(flow);
        let expected = ledger.nat.candidates(flow).map_or(0, Candidates::len);
        prop_assert_eq!(candidates, expected, "{}", flow);
        prop_assert_eq!(free + live + cooling + reserved, candidates, "{}", flow);
        let eligible = ledger.eligible(flow).count();
        prop_assert!(free >= eligible, "{flow}: {free} free, {eligible} eligible");
        if !ledger.nat.ports.goes_beyond() {
            prop_assert_eq!(free, eligible, "{}", flow);
        }
        let held = ledger.holdings().count();
        prop_assert!(live + cooling <= held, "{flow}: {live} live, {cooling} cooling of {held}");
    }
    Ok(())
}

fn is_foretold<A: PortAllocator + Clone>(
    nat: &Nat,
    new: impl FnOnce(&Nat) -> A,
    moves: &[Move],
) -> Result<(), TestCaseError> {
    let mut told = Told::new(nat, new);
    told.play(moves)?;
    told.agrees_on_everything()?;
    if told.ledger.nat.ports.translates_ports() {
        MEMBERS.iter().try_for_each(|member| told.gives_what_is_eligible(member))?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn the_ledger_foretells_every_answer_of_first_fit(nat in nats(), moves in vec(moves(), 0..40)) {
        is_foretold(&nat, FirstFit::new, &moves)?;
    }

    #[test]
    fn the_ledger_foretells_every_answer_of_bitmap(nat in nats(), moves in vec(moves(), 0..40)) {
        is_foretold(&nat, Bitmap::new, &moves)?;
    }

    #[test]
    fn the_census_counts_every_candidate_once(nat in nats(), moves in vec(moves(), 0..40)) {
        let mut told = Told::new(&nat, FirstFit::new);
        told.play(&moves)?;
        adds_up(&told.ledger)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_trace_reads_back_as_itself_and_implies_the_same(
        nat in nats(),
        moves in vec(moves(), 0..40),
    ) {
        let mut told = Told::new(&nat, FirstFit::new);
        told.play(&moves)?;
        let json = serde_json::to_string(&told.trace).unwrap();
        let trace: Trace<Nat> = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(&trace, &told.trace);
        let again = trace.scenario().play(&mut Translator::new(&nat, FirstFit::new));
        prop_assert_eq!(&again, &trace);
        let ledger = trace.ledger();
        prop_assert_eq!(ledger.now, told.ledger.now);
        prop_assert!(ledger.holdings().eq(told.ledger.holdings()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn the_ledger_foretells_every_answer_at_the_last_instant(
        nat in nats(),
        before in vec(moves(), 0..10),
        moves in vec(moves(), 0..40),
    ) {
        let mut told = Told::new(&nat, FirstFit::new);
        told.play(&before)?;
        told.step(Event::Elapse(Duration::from_millis(u64::MAX)))?;
        told.play(&moves)?;
        told.agrees_on_everything()?;
        prop_assert_eq!(told.ledger.now.millis(), u64::MAX);
    }
}

proptest! {
    // Long enough for the ledger to forget what is over, several times.
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn the_ledger_foretells_every_answer_of_a_long_scenario(
        nat in nats(),
        moves in vec(moves(), 5_000),
    ) {
        is_foretold(&nat, FirstFit::new, &moves)?;
        is_foretold(&nat, Bitmap::new, &moves)?;
    }
}

/// No promise above holds for want of trying: the moves lead into every kind of case.
#[test]
fn random_moves_lead_into_every_kind_of_case() {
    let mut runner = TestRunner::deterministic();
    let mut reached = BTreeSet::new();
    for _ in 0..300 {
        let nat = nats().new_tree(&mut runner).unwrap().current();
        let moves = vec(moves(), 40).new_tree(&mut runner).unwrap().current();
        let mut told = Told::new(&nat, FirstFit::new);
        told.play(&moves).unwrap();
        reached.extend(told.cases);
    }
    let expected = [
        "a cooling mapping is taken back",
        "a live flow goes on",
        "a live mapping gets a flow",
        "a mapping admits",
        "a new mapping",
        "a reply to an admitted connection",
        "a rule admits",
        "a rule clashes",
        "a stranger",
        "all is kept",
        "all is stranded",
        "nothing admits",
        "nothing is eligible",
        "nothing was live",
        "some is kept and some is stranded",
        "the end of no flow",
        "time passes",
    ];
    assert_eq!(reached, BTreeSet::from(expected));
}

/// A flow of member 1, by its port.
fn flow(port: u16) -> FiveTuple {
    read(&format!("tcp 10.0.0.1:{port} > 198.51.100.1:443"))
}

/// Plays events on the obvious translator and gives back what its answers imply.
fn ledger_after(nat: &Nat, events: &[Event]) -> Ledger {
    let mut told = Told::new(nat, FirstFit::new);
    events.iter().try_for_each(|event| told.step(event.clone())).unwrap();
    told.ledger
}

#[test]
fn a_candidate_is_free_then_live_then_cooling_then_free() {
    let mut it = configuration(1, "10.0.0.1", on_demand("1024-1027"));
    it.timers.hold_down = HoldDown::uniform(Duration::from_secs(4));
    it.inbound_rules = vec![read("tcp 203.0.113.1:1027 > 10.0.0.1:80")];
    let nat = Nat::new(it).unwrap();
    let events = [
        Event::outbound(flow(1), Signal::Open),
        Event::outbound(flow(2), Signal::Open),
        Event::outbound(flow(1), Signal::Finish),
        Event::Elapse(Duration::from_millis(3_999)),
        Event::Elapse(Duration::from_millis(1)),
    ];
    let census = |events: &[Event]| {
        let census = ledger_after(&nat, events).census(flow(9));
        [census.candidates, census.free, census.live, census.cooling, census.reserved]
    };
    assert_eq!(census(&events[..0]), [4, 3, 0, 0, 1]);
    assert_eq!(census(&events[..1]), [4, 2, 1, 0, 1]);
    assert_eq!(census(&events[..2]), [4, 1, 2, 0, 1]);
    assert_eq!(census(&events[..3]), [4, 1, 1, 1, 1]);
    assert_eq!(census(&events[..4]), [4, 1, 1, 1, 1]);
    assert_eq!(census(&events[..5]), [4, 2, 1, 0, 1]);
}

#[test]
fn what_somebody_else_leases_is_reserved() {
    let nat = nat(2, "10.0.0.1-10.0.0.3", PortPolicy::Dynamic);
    let of = |member: &str| read::<FiveTuple>(&format!("tcp {member}:5 > 198.51.100.1:443"));
    let opened = |member| Event::outbound(of(member), Signal::Open);
    let ledger = ledger_after(&nat, &[opened("10.0.0.2")]);
    assert_eq!(ledger.lessee(read("203.0.113.1")).unwrap().to_string(), "10.0.0.2");
    assert_eq!(ledger.lessee(read("203.0.113.2")), None);
    let census = ledger.census(of("10.0.0.1"));
    assert_eq!((census.candidates, census.free, census.reserved), (2, 1, 1));
    let own = ledger.census(of("10.0.0.2"));
    assert_eq!((own.candidates, own.live, own.reserved), (2, 1, 1));
    let closed = Event::outbound(of("10.0.0.2"), Signal::Reset);
    let ledger = ledger_after(&nat, &[opened("10.0.0.2"), closed]);
    assert_eq!(ledger.lessee(read("203.0.113.1")), None);
}

/// Only a change of port policy leads here: who leases the address is then told by the lowest key.
#[test]
fn where_two_members_hold_keys_of_an_address_all_agree_on_who_leases_it() {
    let mut it = configuration(1, "10.0.0.1-10.0.0.2", on_demand("1024-1024"));
    it.timers.hold_down.idle = Duration::from_secs(4);
    let nat = Nat::new(it).unwrap();
    let dynamic = nat.with(|it| it.ports = PortPolicy::Dynamic).unwrap();
    let opened = |text: &str| Event::outbound(read(text), Signal::Open);
    let events = [
        opened("tcp 10.0.0.1:5 > 198.51.100.2:443"),
        opened("tcp 10.0.0.2:5 > 198.51.100.1:443"),
        Event::reconfigure(dynamic),
        opened("tcp 10.0.0.1:5 > 198.51.100.3:443"),
        opened("tcp 10.0.0.2:5 > 198.51.100.3:443"),
    ];
    let (mut obvious, mut fast) = (Told::new(&nat, FirstFit::new), Told::new(&nat, Bitmap::new));
    for event in events {
        obvious.step(event.clone()).unwrap();
        fast.step(event).unwrap();
    }
    assert_eq!(fast.trace, obvious.trace);
}

#[test]
fn a_stranded_key_is_held_but_is_no_mappings_any_more() {
    let mut it = configuration(1, "10.0.0.1", on_demand("1024-1025"));
    it.timers.hold_down.idle = Duration::from_secs(4);
    let nat = Nat::new(it).unwrap();
    let moved = nat.with(|it| it.ports = on_demand("1024-1026")).unwrap();
    let events = [Event::outbound(flow(1), Signal::Open), Event::reconfigure(moved.clone())];
    let ledger = ledger_after(&nat, &events);
    assert_eq!(ledger.external_of(flow(1)), None);
    assert_eq!(ledger.holding_of(flow(1)), None);
    let external = read("203.0.113.1:1024");
    assert_eq!(ledger.mapping_for(flow(1).from(external).reversed()), None);
    let holders: Vec<_> = ledger.holders(moved.key(flow(2), external)).collect();
    assert_eq!(holders.len(), 1);
    assert!(holders[0].stranded && !holders[0].is_live(ledger.now));
    assert_eq!(holders[0].held_until().millis(), 4_000);
    assert!(!ledger.is_eligible(flow(1), external));
    assert!(ledger.eligible(flow(1)).eq([read("203.0.113.1:1025"), read("203.0.113.1:1026")]));
}

/// Plays events and answers the ledger of the answers.
fn told(nat: &Nat, events: &[Event]) -> Ledger {
    let mut translator = Translator::new(nat, FirstFit::new);
    let mut ledger = nat.ledger();
    for event in events {
        let outcome = translator.step(event);
        Nat::record(&mut ledger, event, &outcome);
    }
    ledger
}

fn hash_of(ledger: &Ledger) -> u64 {
    FxBuildHasher.hash_one(ledger.relative())
}

/// A search over states ends only if what has ended is no part of the state.
#[test]
fn what_has_ended_is_no_part_of_the_state() {
    let rule = read("tcp 203.0.113.1:80 > 10.0.0.1:8080");
    let nat = nat(1, "10.0.0.1", on_demand("1024-1025"));
    let nat = nat.with(|it| it.inbound_rules = vec![rule]).unwrap();
    let one = read("tcp 10.0.0.1:1 > 198.51.100.1:443");
    let other = read("tcp 10.0.0.1:2 > 198.51.100.1:443");
    let knock = read("tcp 198.51.100.9:7 > 203.0.113.1:80");
    let open = |flow| Event::outbound(flow, Signal::Open);
    let close = |flow| Event::outbound(flow, Signal::Finish);
    let admitted = Event::inbound(knock, Signal::Open);
    let over = Event::inbound(knock, Signal::Finish);
    let now_and_then = |before: &[Event]| {
        let after = [before, &[Event::Elapse(read("1h")), open(other)]].concat();
        hash_of(&told(&nat, &after))
    };
    let never = now_and_then(&[]);
    assert_eq!(now_and_then(&[open(one), close(one)]), never);
    assert_eq!(now_and_then(&[admitted.clone(), over]), never);
    assert_eq!(now_and_then(std::slice::from_ref(&admitted)), never);
    let live = |before: &[Event]| hash_of(&told(&nat, before));
    assert_ne!(live(&[admitted]), live(&[]));
    assert_ne!(live(&[open(one)]), live(&[]));
    assert_ne!(live(&[open(one)]), live(&[open(one), Event::Elapse(read("1s"))]));
}

/// Memory follows what is held, not what has been: here one flow after the other.
#[test]
fn what_has_ended_is_forgotten_in_time() {
    let nat = nat(1, "10.0.0.1", on_demand("1024-1025"));
    let mut events = Vec::new();
    for n in 0..8_000_u32 {
        let [a, b] = [n / 250 + 1, n % 250];
        let flow = read(&format!("udp 10.0.0.1:1 > 198.51.{b}.{a}:443"));
        events.extend([Event::outbound(flow, Signal::Data), Event::Elapse(read("1h"))]);
    }
    let ledger = told(&nat, &events);
    assert_eq!(ledger.holdings().count(), 0);
    assert!(ledger.keys_kept() <= 1_000, "{} keys", ledger.keys_kept());
}

/// A flow that is over at this very instant has left only its hold-down behind.
#[test]
fn a_flow_that_ends_now_is_no_part_of_the_state() {
    let nat = nat(1, "10.0.0.1", on_demand("1024-1025"));
    let nat = nat
        .with(|it| {
            it.timers.hold_down.finish = read("2s");
            it.timers.hold_down.reset = read("3s");
        })
        .unwrap();
    let flow = read("tcp 10.0.0.1:1 > 198.51.100.1:443");
    let second = Event::Elapse(read("1s"));
    let open = Event::outbound(flow, Signal::Open);
    let ends = |signal| Event::outbound(flow, signal);
    let now = told(&nat, &[open.clone(), second.clone(), ends(Signal::Finish)]);
    let earlier = told(&nat, &[open, ends(Signal::Reset), second]);
    assert_eq!(hash_of(&now), hash_of(&earlier));
}
