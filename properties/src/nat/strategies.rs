//! Scenarios of a translator, drawn from a universe small enough to collide.
//!
//! Three members and a stranger, four source ports, three destinations, two or three virtual IPs,
//! one to three ports a member: most scenarios run out of ports, meet a hold-down and answer a
//! reply. One function a noun; every value is legal.

use std::net::Ipv4Addr;

use natlaw_model::allocator::FirstFit;
use natlaw_model::flow::{Endpoint, FiveTuple, Transport};
use natlaw_model::nat::{
    Configuration, Event, HoldDown, IdleTimers, InboundRule, MappingBehaviour, Member, Nat,
    Outcome, Pool, PortPolicy, PortReuse, Segment, Selection, Signal, Timers, VirtualIp,
};
use natlaw_model::ports::PortBlock;
use natlaw_model::subject::{Device, Scenario, Step, Trace};
use natlaw_model::tiers::TierTable;
use natlaw_model::time::Duration;
use natlaw_model::translator::Translator;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// The most events of a scenario.
pub const EVENTS_MAX: usize = 28;

/// The most slots of a pool.
const SLOTS_MAX: u16 = 3;

/// A scenario: a configuration, events, and now and then a change of the configuration.
pub fn scenario() -> BoxedStrategy<Scenario<Nat>> {
    scenario_of(configuration())
}

/// This many scenarios, the same on every machine.
pub fn sample(cases: u32) -> Vec<Scenario<Nat>> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[1; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let strategy = scenario();
    let mut draw = || strategy.new_tree(&mut runner).expect("a scenario").current();
    (0..cases).map(|_| draw()).collect()
}

/// A scenario in which this is declared throughout about the choice of endpoints.
pub fn scenario_with(selection: Selection) -> BoxedStrategy<Scenario<Nat>> {
    let declare = move |nat: &Nat| nat.with(|nat| nat.selection = selection).expect("legal");
    let declare_throughout = move |scenario: Scenario<Nat>| {
        let event = |event: Event| match event {
            Event::Reconfigure(nat) => Event::Reconfigure(declare(&nat)),
            Event::Outbound(_) | Event::Inbound(_) | Event::Elapse(_) => event,
        };
        Scenario {
            subject: declare(&scenario.subject),
            events: scenario.events.into_iter().map(event).collect(),
        }
    };
    scenario().prop_map(declare_throughout).boxed()
}

/// A scenario that starts with such a configuration.
pub fn scenario_of(
    configuration: impl Strategy<Value = Configuration> + 'static,
) -> BoxedStrategy<Scenario<Nat>> {
    let scenario = |(configuration, drafts): (Configuration, Vec<Draft>)| {
        let subject = legal(configuration.clone());
        let mut obvious = Translator::new(&subject, FirstFit::new);
        let mut steps: Vec<Step<Nat>> = Vec::new();
        for draft in drafts {
            let event = draft.event(&configuration, &steps);
            let outcome = obvious.step(&event);
            steps.push(Step { event, outcome });
        }
        Trace { subject, steps }.scenario()
    };
    (configuration, vec(draft(), 0..=EVENTS_MAX)).prop_map(scenario).boxed()
}

/// A translator.
pub fn nat() -> impl Strategy<Value = Nat> {
    configuration().prop_map(legal)
}

/// What describes a translator.
pub fn configuration() -> impl Strategy<Value = Configuration> {
    let addresses = (virtual_ips(), pool(), ports());
    let behaviour = (mapping_and_reuse(), selection(), timers(), inbound_rules());
    (addresses, behaviour).prop_map(|((virtual_ips, pool, ports), behaviour)| {
        let ((mapping, port_reuse), selection, timers, inbound_rules) = behaviour;
        let configuration = Configuration {
            virtual_ips,
            pool,
            ports,
            mapping,
            port_reuse,
            selection,
            timers,
            inbound_rules,
        };
        fitted(configuration)
    })
}

/// One or two outside addresses.
pub fn virtual_ips() -> impl Strategy<Value = Vec<VirtualIp>> {
    select(vec![1_u8, 1, 2]).prop_map(first_virtual_ips)
}

/// A pool of one to three slots, with a hole now and then.
pub fn pool() -> impl Strategy<Value = Pool> {
    let pools = [vec![1], vec![1, 2], vec![1, 2, 3], vec![1, 0, 3], vec![0, 2]];
    select(pools.to_vec()).prop_map(|slots| {
        let member = |n: u8| (n > 0).then_some(Member(member_address(n)));
        Pool::new(slots.into_iter().map(member).collect()).expect("a pool of the universe")
    })
}

/// A port policy with few ports: ranges of one to three, some that begin at 1 or end at 65,535, some with
/// ports left over.
pub fn ports() -> impl Strategy<Value = PortPolicy> {
    let first = prop_oneof![4 => Just(1024_u16), 1 => Just(65_500)];
    let lowest = (1024_u16..=1026).prop_map(|last| (1024, last));
    let highest = (65_533..=u16::MAX).prop_map(|first| (first, u16::MAX));
    let from_one = (1_u16..=3).prop_map(|last| (1, last));
    let on_demand =
        prop_oneof![6 => lowest, 1 => highest, 1 => from_one].prop_map(|(first, last)| {
            PortPolicy::OnDemand(PortBlock::new(first, last).expect("a block of the universe"))
        });
    let fixed = (first, 1_u16..=3, 0_u32..=2).prop_map(|(first, ports, left_over)| {
        let len = u32::from(ports * SLOTS_MAX) + left_over;
        PortPolicy::Fixed { ports, usable: PortBlock::from_len(first, len).expect("a block") }
    });
    let manual = (0_u32..=7).prop_map(|left_over| PortPolicy::Manual {
        ports: 8,
        usable: PortBlock::from_len(1024, 24 + left_over).expect("a block"),
    });
    prop_oneof![
        6 => on_demand,
        8 => fixed,
        1 => manual,
        1 => Just(PortPolicy::Tiered(TierTable::of_the_story())),
        2 => Just(PortPolicy::Static),
        2 => Just(PortPolicy::Dynamic),
    ]
}

/// A mapping behaviour with a re-use under which replies can be told apart.
pub fn mapping_and_reuse() -> impl Strategy<Value = (MappingBehaviour, PortReuse)> {
    use MappingBehaviour::{AddressAndPortDependent, AddressDependent, EndpointIndependent};
    use PortReuse::{Never, PerDestination, PerDestinationAddress};
    prop_oneof![
        4 => Just((AddressAndPortDependent, PerDestination)),
        1 => Just((AddressAndPortDependent, PerDestinationAddress)),
        1 => Just((AddressAndPortDependent, Never)),
        1 => Just((AddressDependent, PerDestinationAddress)),
        1 => Just((AddressDependent, Never)),
        2 => Just((EndpointIndependent, Never)),
    ]
}

/// Which of the eligible endpoints is taken.
pub fn selection() -> impl Strategy<Value = Selection> {
    prop_oneof![
        3 => Just(Selection::LowestFirst),
        2 => Just(Selection::Spread),
        1 => (0_u64..4).prop_map(Selection::Random),
    ]
}

/// Timers short enough to run out, and few enough to run out together.
pub fn timers() -> impl Strategy<Value = Timers> {
    let idle = [2, 3, 5].map(Duration::from_secs).to_vec();
    let rest = [0, 1, 2].map(Duration::from_secs).to_vec();
    let idle = move || select(idle.clone());
    let rest = move || select(rest.clone());
    let idle = (idle(), idle(), idle()).prop_map(|(tcp, udp, icmp)| IdleTimers { tcp, udp, icmp });
    let rest = (rest(), rest(), rest());
    let hold_down = rest.prop_map(|(finish, reset, idle)| HoldDown { finish, reset, idle });
    (idle, hold_down).prop_map(|(idle, hold_down)| Timers { idle, hold_down })
}

/// No inbound rule, or one or two for a port that flows would be given.
pub fn inbound_rules() -> impl Strategy<Value = Vec<InboundRule>> {
    let rule = |port, member| InboundRule {
        transport: Transport::Tcp,
        external: Endpoint::new(virtual_ip(1), port),
        inside: Endpoint::new(member_address(member), 1),
    };
    prop_oneof![
        2 => Just(vec![]),
        1 => Just(vec![rule(1024, 1)]),
        1 => Just(vec![rule(1024, 2), rule(1025, 2)]),
    ]
}

/// A destination: two addresses, one of them with two ports.
pub fn destination() -> impl Strategy<Value = Endpoint> {
    let remote = |host, port| Endpoint::new([198, 51, 100, host].into(), port);
    select(vec![remote(1, 443), remote(1, 443), remote(1, 80), remote(2, 443)])
}

/// An inside endpoint: four source ports of three members, and a stranger now and then.
pub fn inside() -> impl Strategy<Value = Endpoint> {
    let member = select(vec![1_u8, 1, 1, 1, 2, 2, 3, 3, 9]);
    (member, 1_u16..=4).prop_map(|(n, port)| Endpoint::new(member_address(n), port))
}

/// An endpoint that a flow or a rule may have: mostly the lowest there is, else one of the lowest
/// ports of each kind of block.
pub fn external() -> impl Strategy<Value = Endpoint> {
    let likely = Just(Endpoint::new(virtual_ip(1), 1024));
    let port = prop_oneof![
        6 => 1024_u16..=1030,
        1 => Just(2048_u16),
        2 => 65_500_u16..=65_508,
        2 => 65_533_u16..=65_535,
        2 => 1_u16..=4,
    ];
    let other = (select(vec![1_u8, 1, 2, 3]), port);
    let other = other.prop_map(|(n, port)| Endpoint::new(virtual_ip(n), port));
    prop_oneof![likely, other]
}

/// What carries a packet: mostly TCP.
pub fn transport() -> impl Strategy<Value = Transport> {
    prop_oneof![5 => Just(Transport::Tcp), 2 => Just(Transport::Udp), 1 => Just(Transport::Icmp)]
}

/// What a packet says about its flow: mostly that it begins.
pub fn signal() -> impl Strategy<Value = Signal> {
    prop_oneof![
        6 => Just(Signal::Open),
        2 => Just(Signal::Data),
        2 => Just(Signal::Finish),
        1 => Just(Signal::Reset),
    ]
}

/// What another packet of a flow says: mostly that it ends.
pub fn later_signal() -> impl Strategy<Value = Signal> {
    select(vec![
        Signal::Data,
        Signal::Data,
        Signal::Finish,
        Signal::Finish,
        Signal::Reset,
        Signal::Reset,
    ])
}

/// A length of time: the timers, and one millisecond on either side of them.
pub fn length() -> impl Strategy<Value = Duration> {
    let around = |millis: u64| [millis - 1, millis, millis + 1];
    let lengths = [1_000, 2_000, 3_000, 5_000].into_iter().flat_map(around);
    select(lengths.map(Duration::from_millis).collect::<Vec<_>>())
}

/// A packet from the inside.
pub fn outbound() -> impl Strategy<Value = Event> {
    (transport(), inside(), destination(), signal()).prop_map(|(transport, source, to, signal)| {
        Event::outbound(FiveTuple { transport, source, destination: to }, signal)
    })
}

/// A packet from the outside.
pub fn inbound() -> impl Strategy<Value = Event> {
    (transport(), destination(), external(), signal()).prop_map(|(transport, from, to, signal)| {
        Event::inbound(FiveTuple { transport, source: from, destination: to }, signal)
    })
}

/// An event, as far as it can be told without those before it. What it refers to is looked up in the
/// answers of the obvious translator.
#[derive(Debug, Clone)]
enum Draft {
    /// Any event.
    Event(Box<Event>),
    /// Another packet with the tuple of an earlier one.
    Again(Index, Signal),
    /// A packet to where an earlier one went, from another port of its source.
    Rival(Index, u16),
    /// A packet that answers an earlier one that went on.
    Answer(Index, Signal),
    /// A packet from where an earlier one went, to the first inbound rule there is.
    Knock(Index, Signal),
    /// The configuration at the start, with other addresses and another pool.
    Resize { virtual_ips: u8, pool: Pool },
    /// Another configuration.
    Replace(Box<Configuration>),
}

fn draft() -> impl Strategy<Value = Draft> {
    let event = prop_oneof![
        9 => outbound(),
        3 => inbound(),
        6 => length().prop_map(Event::Elapse),
    ];
    prop_oneof![
        18 => event.prop_map(|event| Draft::Event(Box::new(event))),
        4 => (any::<Index>(), later_signal()).prop_map(|(index, signal)| Draft::Again(index, signal)),
        5 => (any::<Index>(), 1_u16..=4).prop_map(|(index, port)| Draft::Rival(index, port)),
        8 => (any::<Index>(), signal()).prop_map(|(index, signal)| Draft::Answer(index, signal)),
        2 => (any::<Index>(), signal()).prop_map(|(index, signal)| Draft::Knock(index, signal)),
        1 => (1_u8..=2, pool()).prop_map(|(virtual_ips, pool)| Draft::Resize { virtual_ips, pool }),
        1 => configuration().prop_map(|other| Draft::Replace(Box::new(other))),
    ]
}

impl Draft {
    fn event(self, start: &Configuration, earlier: &[Step<Nat>]) -> Event {
        let nothing = Event::Elapse(Duration::ZERO);
        match self {
            Self::Event(event) => *event,
            Self::Again(index, signal) => again(earlier, index, signal).unwrap_or(nothing),
            Self::Rival(index, port) => rival(earlier, index, port).unwrap_or(nothing),
            Self::Answer(index, signal) => answer(earlier, index, signal).unwrap_or(nothing),
            Self::Knock(index, signal) => knock(start, earlier, index, signal).unwrap_or(nothing),
            Self::Resize { virtual_ips, pool } => {
                let virtual_ips = first_virtual_ips(virtual_ips);
                let resized = Configuration { virtual_ips, pool, ..start.clone() };
                Event::Reconfigure(legal(fitted(resized)))
            }
            Self::Replace(other) => Event::Reconfigure(legal(fitted(*other))),
        }
    }
}

fn again(earlier: &[Step<Nat>], index: Index, signal: Signal) -> Option<Event> {
    match &one_of(earlier, index, |step| packet(step).is_some())?.event {
        Event::Outbound(segment) => Some(Event::outbound(segment.tuple, signal)),
        Event::Inbound(segment) => Some(Event::inbound(segment.tuple, signal)),
        Event::Elapse(_) | Event::Reconfigure(_) => None,
    }
}

fn rival(earlier: &[Step<Nat>], index: Index, port: u16) -> Option<Event> {
    let is_outbound = |step: &Step<Nat>| matches!(step.event, Event::Outbound(_));
    let Segment { tuple, .. } = packet(one_of(earlier, index, is_outbound)?)?;
    let source = Endpoint::new(tuple.source.address, port);
    Some(Event::outbound(tuple.from(source), Signal::Open))
}

fn answer(earlier: &[Step<Nat>], index: Index, signal: Signal) -> Option<Event> {
    let went_on = |step: &Step<Nat>| matches!(step.outcome, Outcome::Forwarded(_));
    let step = one_of(earlier, index, went_on)?;
    match (&step.event, &step.outcome) {
        (Event::Outbound(_), Outcome::Forwarded(sent)) => {
            Some(Event::inbound(sent.reversed(), signal))
        }
        (Event::Inbound(_), Outcome::Forwarded(delivered)) => {
            Some(Event::outbound(delivered.reversed(), signal))
        }
        _ => None,
    }
}

fn knock(
    start: &Configuration,
    earlier: &[Step<Nat>],
    index: Index,
    signal: Signal,
) -> Option<Event> {
    let is_outbound = |step: &Step<Nat>| matches!(step.event, Event::Outbound(_));
    let Segment { tuple, .. } = packet(one_of(earlier, index, is_outbound)?)?;
    let rule = start.inbound_rules.first()?;
    Some(Event::inbound(tuple.reversed().to(rule.external), signal))
}

fn one_of(
    steps: &[Step<Nat>],
    index: Index,
    is_one: impl Fn(&Step<Nat>) -> bool,
) -> Option<&Step<Nat>> {
    let those: Vec<_> = steps.iter().filter(|step| is_one(step)).collect();
    (!those.is_empty()).then(|| those[index.index(those.len())])
}

fn packet(step: &Step<Nat>) -> Option<Segment> {
    match step.event {
        Event::Outbound(segment) | Event::Inbound(segment) => Some(segment),
        Event::Elapse(_) | Event::Reconfigure(_) => None,
    }
}

/// The configuration with what its policy and pool rule out taken away.
fn fitted(mut configuration: Configuration) -> Configuration {
    if configuration.ports == PortPolicy::Static && configuration.virtual_ips.len() < 3 {
        configuration.virtual_ips = first_virtual_ips(3);
    }
    if !configuration.ports.translates_ports() {
        configuration.port_reuse = configuration.mapping.finest_reuse();
    }
    let pool = configuration.pool.clone();
    let has_member = |rule: &InboundRule| pool.slot_of(Member(rule.inside.address)).is_some();
    configuration.inbound_rules.retain(has_member);
    configuration
}

fn legal(configuration: Configuration) -> Nat {
    Nat::new(configuration).expect("the generators make legal configurations only")
}

fn first_virtual_ips(count: u8) -> Vec<VirtualIp> {
    (1..=count).map(|n| VirtualIp(virtual_ip(n))).collect()
}

fn virtual_ip(n: u8) -> Ipv4Addr {
    [203, 0, 113, n].into()
}

fn member_address(n: u8) -> Ipv4Addr {
    [10, 0, 0, n].into()
}
