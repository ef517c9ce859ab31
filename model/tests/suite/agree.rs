//! The obvious translator and the one in use answer alike, whatever is declared and asked.

use natlaw_model::allocator::FirstFit;
use natlaw_model::flow::{Endpoint, FiveTuple, Transport};
use natlaw_model::nat::{
    AddressPooling, ClosesOn, Configuration, Event, FilteringBehaviour, HoldDown, IcmpError,
    IdleTimers, Limits, MappingBehaviour, Nat, Outcome, PortReuse, Preserve, RulePorts, Selection,
    Signal, TcpTimers, Timers,
};
use natlaw_model::subject::Device;
use natlaw_model::time::Duration;
use natlaw_model::translator::{Reference, Translator};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::{configuration, doubling, fixed, guaranteed, on_demand, read};

/// What happens next, told without knowing what happened before.
#[derive(Debug, Clone)]
enum Move {
    Outbound(Transport, Endpoint, Endpoint, Signal),
    Inbound(Transport, Endpoint, Endpoint, Signal),
    /// To an external endpoint that was seen.
    Hairpin(Endpoint, Index, Signal),
    /// Back to an external tuple that was seen.
    Answer(Index, Signal),
    /// An ICMP error about a packet that was seen, in either direction.
    Error(Index),
    Elapse(Duration),
    Reconfigure(Box<Nat>),
}

fn milliseconds(range: std::ops::RangeInclusive<u64>) -> impl Strategy<Value = Duration> {
    range.prop_map(Duration::from_millis)
}

fn timers() -> impl Strategy<Value = Timers> {
    let open = || milliseconds(1..=4);
    let closed = || milliseconds(0..=3);
    let tcp = (open(), open(), open(), closed(), closed());
    let tcp = tcp.prop_map(|(half_open, established, one_side_closed, time_wait, reset)| {
        TcpTimers { half_open, established, one_side_closed, time_wait, reset }
    });
    let idle = (tcp, open(), open()).prop_map(|(tcp, udp, icmp)| IdleTimers { tcp, udp, icmp });
    let rest = (closed(), closed(), closed(), closed());
    let rest = rest.prop_map(|(finish, reset, idle, half_open)| HoldDown {
        finish,
        reset,
        idle,
        half_open,
    });
    let syn = select(vec![None, Some(Duration::from_secs(6))]);
    (idle, rest, syn).prop_map(|(idle, hold_down, unsolicited_syn)| Timers {
        idle,
        hold_down,
        unsolicited_syn,
    })
}

fn behave(it: &mut Configuration, (mapping, filtering): (usize, usize)) {
    let mapping = [
        MappingBehaviour::EndpointIndependent,
        MappingBehaviour::AddressDependent,
        MappingBehaviour::AddressAndPortDependent,
    ][mapping];
    let filtering = [
        FilteringBehaviour::EndpointIndependent,
        FilteringBehaviour::AddressDependent,
        FilteringBehaviour::AddressAndPortDependent,
    ][filtering];
    it.mapping = mapping.into();
    it.filtering = Some(filtering.into());
    it.port_reuse = PortReuse::finest(mapping, filtering).into();
}

fn nats() -> impl Strategy<Value = Nat> {
    let shape = (1..=2_u8, select(&["10.0.0.1-10.0.0.2", "10.0.0.1", "10.0.0.1, hole, 10.0.0.2"]));
    let ports = select(vec![
        on_demand("1024-1026"),
        fixed(2, "1024-1031"),
        on_demand("1-3"),
        guaranteed(1, "1024-1026", "1028-1029"),
        doubling(1, 4, "1024-1031"),
    ]);
    let limit = || prop_oneof![3 => Just(None), 1 => (1..=2_u32).prop_map(Some)];
    let limits = (limit(), limit(), limit(), limit());
    let flags = any::<[bool; 9]>();
    let behaviour = (0..3_usize, 0..3_usize);
    (shape, ports, timers(), limits, flags, behaviour).prop_map(
        |((addresses, pool), ports, timers, limits, flags, behaviour)| {
            let mut it = configuration(addresses, pool, ports);
            behave(&mut it, behaviour);
            it.timers = timers;
            let (ports, bindings, flows, per_destination) = limits;
            let per_destination =
                per_destination.filter(|_| it.port_reuse == PortReuse::PerDestination.into());
            it.limits = Limits { ports, bindings, flows, per_destination };
            let [paired, spread, both, refresh, rule, group, reserved, exempt, parity] = flags;
            let declare = |what: bool, change: &dyn Fn(&mut Configuration), it: &mut _| {
                if what {
                    change(it);
                }
            };
            declare(paired, &|it| it.pooling = AddressPooling::Paired, &mut it);
            declare(spread, &|it| it.selection = Selection::Spread, &mut it);
            declare(both, &|it| it.closes_on = ClosesOn::BothSides, &mut it);
            declare(refresh, &|it| it.inbound_refresh = true.into(), &mut it);
            declare(
                rule,
                &|it| it.inbound_rules = vec![read("tcp 203.0.113.1:1025 > 10.0.0.1:1")],
                &mut it,
            );
            declare(group, &|it| it.rule_ports = RulePorts::GroupOfEight, &mut it);
            declare(reserved, &|it| it.reserved = vec![read("1024-1024")], &mut it);
            declare(exempt, &|it| it.exempt = vec![read("198.51.100.2/32")], &mut it);
            let keep_parity = Preserve { parity: true, ..Preserve::default() };
            declare(parity, &|it| it.preserve = keep_parity, &mut it);
            Nat::new(it).expect("legal")
        },
    )
}

fn signals() -> impl Strategy<Value = Signal> {
    select(&[Signal::Open, Signal::Open, Signal::Data, Signal::Finish, Signal::Reset])
}

fn transports() -> impl Strategy<Value = Transport> {
    prop_oneof![3 => Just(Transport::Tcp), 1 => Just(Transport::Udp)]
}

fn inside() -> impl Strategy<Value = Endpoint> {
    select(&["10.0.0.1:1", "10.0.0.1:2", "10.0.0.2:1", "10.0.0.2:3", "10.0.0.9:1"]).prop_map(read)
}

fn outside() -> impl Strategy<Value = Endpoint> {
    select(&["198.51.100.1:443", "198.51.100.1:444", "198.51.100.2:443"]).prop_map(read)
}

fn external() -> impl Strategy<Value = Endpoint> {
    select(&["203.0.113.1:1024", "203.0.113.1:1025", "203.0.113.2:1024", "203.0.113.1:1"])
        .prop_map(read)
}

fn moves() -> impl Strategy<Value = Move> {
    let outbound = (transports(), inside(), outside(), signals());
    let inbound = (transports(), outside(), external(), signals());
    prop_oneof![
        8 => outbound.prop_map(|(on, from, to, signal)| Move::Outbound(on, from, to, signal)),
        2 => inbound.prop_map(|(on, from, to, signal)| Move::Inbound(on, from, to, signal)),
        3 => (inside(), any::<Index>(), signals())
            .prop_map(|(from, index, signal)| Move::Hairpin(from, index, signal)),
        6 => (any::<Index>(), signals()).prop_map(|(index, signal)| Move::Answer(index, signal)),
        3 => any::<Index>().prop_map(Move::Error),
        5 => milliseconds(0..=5).prop_map(Move::Elapse),
        1 => Just(Move::Elapse(Duration::from_secs(6))),
        1 => nats().prop_map(|nat| Move::Reconfigure(Box::new(nat))),
    ]
}

/// The event of a move, given the external tuples seen so far.
fn event(next: &Move, seen: &[FiveTuple]) -> Event {
    let some = |index: &Index| (!seen.is_empty()).then(|| *index.get(seen));
    let nothing = Event::Elapse(Duration::ZERO);
    let segment = |transport, source, destination, signal| {
        (FiveTuple { transport, source, destination }, signal)
    };
    match *next {
        Move::Outbound(on, from, to, signal) => {
            let (tuple, signal) = segment(on, from, to, signal);
            Event::outbound(tuple, signal)
        }
        Move::Inbound(on, from, to, signal) => {
            let (tuple, signal) = segment(on, from, to, signal);
            Event::inbound(tuple, signal)
        }
        Move::Hairpin(from, ref index, signal) => some(index)
            .map_or(nothing, |tuple| Event::outbound(tuple.to(tuple.source).from(from), signal)),
        Move::Answer(ref index, signal) => {
            some(index).map_or(nothing, |tuple| Event::inbound(tuple.reversed(), signal))
        }
        Move::Error(ref index) => some(index).map_or(nothing, |tuple| {
            let error = IcmpError::unreachable(tuple);
            let is_inside = tuple.destination.address.octets()[0] == 10;
            if is_inside { Event::OutboundError(error) } else { Event::InboundError(error) }
        }),
        Move::Elapse(length) => Event::Elapse(length),
        Move::Reconfigure(ref nat) => Event::Reconfigure(nat.clone()),
    }
}

/// The tuples that were seen, on either side.
fn seen_in(outcome: &Outcome) -> Vec<FiveTuple> {
    match outcome {
        Outcome::Forwarded(tuple) => vec![*tuple],
        Outcome::Hairpinned { sent, delivered } => {
            [Some(*sent), *delivered].into_iter().flatten().collect()
        }
        _ => Vec::new(),
    }
}

/// Asks both, and holds their answers to each other.
fn agree(nat: &Nat, moves: impl IntoIterator<Item = Move>) -> Result<(), TestCaseError> {
    let mut obvious = Reference::new(nat, FirstFit::new);
    let mut in_use = Translator::new(nat, FirstFit::new);
    let mut seen = Vec::new();
    for next in moves {
        let event = event(&next, &seen);
        let expected = obvious.step(&event);
        let actual = in_use.step(&event);
        prop_assert_eq!(&actual, &expected, "{}", event);
        seen.extend(seen_in(&actual));
        seen.drain(..seen.len().saturating_sub(SEEN_MAX));
    }
    Ok(())
}

/// How many tuples are remembered to refer to.
const SEEN_MAX: usize = 40;

/// What is seldom in a short run is common in a long one: tickets that are used again, counts that
/// have been up and down.
#[test]
fn the_obvious_translator_and_the_one_in_use_answer_alike_for_long() {
    let mut runner = TestRunner::deterministic();
    let mut draw = || moves().new_tree(&mut runner).expect("a move").current();
    let moves: Vec<Move> = (0..30_000).map(|_| draw()).collect();
    let mut runner = TestRunner::deterministic();
    let nat = nats().new_tree(&mut runner).expect("a configuration").current();
    agree(&nat, moves).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn the_obvious_translator_and_the_one_in_use_answer_alike(
        nat in nats(),
        moves in vec(moves(), 0..40),
    ) {
        agree(&nat, moves)?;
    }
}
