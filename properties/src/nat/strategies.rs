//! Scenarios of a translator, drawn from a universe small enough to collide.
//!
//! Three members and a stranger, five source ports, three destinations, two or three virtual IPs,
//! one to three ports a member: most scenarios run out of ports, meet a hold-down and answer a
//! reply. One function a noun; every value is legal.

use std::net::Ipv4Addr;
use std::num::NonZeroU16;

use natlaw_model::allocator::FirstFit;
use natlaw_model::flow::{Endpoint, FiveTuple, Transport};
use natlaw_model::nat::{
    AddressPooling, ClosesOn, Configuration, Deterministic, Doubling, Event, FilteringBehaviour,
    HoldDown, IcmpError, IdleTimers, InboundRule, Limits, MappingBehaviour, Member, Nat, Outcome,
    PerTransport, Pool, PortPolicy, PortReuse, Preserve, RulePorts, Segment, Selection, Signal,
    TcpTimers, Timers, VirtualIp,
};
use natlaw_model::ports::PortBlock;
use natlaw_model::prefix::Prefix;
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
    scenario_where(move |nat| nat.selection = selection)
}

/// A scenario in which this is declared throughout.
pub fn scenario_where(
    change: impl Fn(&mut Configuration) + 'static,
) -> BoxedStrategy<Scenario<Nat>> {
    let declare = move |nat: &Nat| nat.with(&change).expect("legal");
    let declare_throughout = move |scenario: Scenario<Nat>| {
        let event = |event: Event| match event {
            Event::Reconfigure(nat) => Event::reconfigure(declare(&nat)),
            Event::Outbound(_)
            | Event::Inbound(_)
            | Event::OutboundError(_)
            | Event::InboundError(_)
            | Event::Elapse(_) => event,
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
    let drafts = prop_oneof![4 => vec(draft(), 0..=EVENTS_MAX), 1 => vec(talk(), 0..=EVENTS_MAX)];
    (configuration, drafts).prop_map(scenario).boxed()
}

/// A translator.
pub fn nat() -> impl Strategy<Value = Nat> {
    configuration().prop_map(legal)
}

/// What describes a translator.
pub fn configuration() -> impl Strategy<Value = Configuration> {
    let plain = (virtual_ips(), pool(), ports())
        .prop_map(|(virtual_ips, pool, ports)| Configuration::new(virtual_ips, pool, ports));
    let behaviour = (behaviours(), selection(), timers(), inbound_rules());
    (plain, behaviour, rarely()).prop_map(|(plain, behaviour, rare)| {
        let (behaviours, selection, timers, inbound_rules) = behaviour;
        let (mapping, filtering, port_reuse) = behaviours;
        let declared = Configuration {
            mapping,
            filtering,
            port_reuse,
            selection,
            timers,
            inbound_rules,
            ..plain
        };
        fitted(rare.declare(declared))
    })
}

/// What most configurations leave as it is: no more than one or two of these at a time.
#[derive(Debug, Clone)]
enum Rare {
    Nothing,
    Paired,
    Preserve(Preserve, PortBlock),
    ClosesOnBothSides,
    InboundRefresh(PerTransport<bool>),
    Limits(Limits),
    PerDestination(u32),
    Reserved(PortBlock),
    Exempt(Prefix),
    GroupOfEight,
    Both(Box<(Rare, Rare)>),
}

impl Rare {
    fn declare(self, plain: Configuration) -> Configuration {
        match self {
            Self::Nothing => plain,
            Self::Paired => {
                let virtual_ips = first_virtual_ips(2);
                Configuration { pooling: AddressPooling::Paired, virtual_ips, ..plain }
            }
            Self::Preserve(preserve, shared) => keeping(preserve, shared, plain),
            Self::ClosesOnBothSides => Configuration { closes_on: ClosesOn::BothSides, ..plain },
            Self::InboundRefresh(inbound_refresh) => Configuration { inbound_refresh, ..plain },
            Self::Limits(limits) => {
                let per_destination = plain.limits.per_destination;
                Configuration { limits: Limits { per_destination, ..limits }, ..plain }
            }
            Self::PerDestination(limit) => limited_towards_destinations(limit, plain),
            Self::Reserved(block) => Configuration { reserved: vec![block], ..plain },
            Self::Exempt(prefix) => Configuration { exempt: vec![prefix], ..plain },
            Self::GroupOfEight => Configuration { rule_ports: RulePorts::GroupOfEight, ..plain },
            Self::Both(both) => both.1.declare(both.0.declare(plain)),
        }
    }
}

/// Where ports or their class are kept, members share some that can be.
fn keeping(preserve: Preserve, shared: PortBlock, plain: Configuration) -> Configuration {
    let draws_on_shared = plain.ports.translates_ports() && (preserve.port || preserve.class);
    let ports = if draws_on_shared { PortPolicy::OnDemand(shared) } else { plain.ports };
    Configuration { preserve, ports, ..plain }
}

/// Keys of one destination can be counted where each has one. Where one is the limit, there is another
/// address.
fn limited_towards_destinations(limit: u32, plain: Configuration) -> Configuration {
    let virtual_ips = if limit == 1 { first_virtual_ips(2) } else { plain.virtual_ips };
    Configuration {
        virtual_ips,
        mapping: PerTransport::default(),
        filtering: None,
        port_reuse: PerTransport::default(),
        limits: Limits { per_destination: Some(limit), ..plain.limits },
        ..plain
    }
}

fn rarely() -> impl Strategy<Value = Rare> {
    let both = (rare(), rare()).prop_map(|both| Rare::Both(Box::new(both)));
    prop_oneof![2 => Just(Rare::Nothing), 5 => rare(), 2 => both]
}

fn rare() -> impl Strategy<Value = Rare> {
    let limit = || prop_oneof![2 => Just(None), 1 => (1_u32..=2).prop_map(Some)];
    let limits = (limit(), limit(), limit());
    let exempt = Prefix::from(Ipv4Addr::new(198, 51, 100, 2));
    prop_oneof![
        3 => Just(Rare::Paired),
        3 => (preserve(), keepable()).prop_map(|(kept, ports)| Rare::Preserve(kept, ports)),
        6 => Just(Rare::ClosesOnBothSides),
        4 => inbound_refresh().prop_map(Rare::InboundRefresh),
        3 => limits.prop_map(|(ports, bindings, flows)| {
            Rare::Limits(Limits { ports, bindings, flows, per_destination: None })
        }),
        4 => (1_u32..=2).prop_map(Rare::PerDestination),
        1 => Just(Rare::Reserved(PortBlock::single(1025))),
        2 => Just(Rare::Exempt(exempt)),
        3 => Just(Rare::GroupOfEight),
    ]
}

/// Anything but nothing may be kept of the inside port.
pub fn preserve() -> impl Strategy<Value = Preserve> {
    let kept = |(port, class, parity)| Preserve { port, class, parity };
    select(vec![
        (true, false, false),
        (true, false, false),
        (false, true, false),
        (false, false, true),
        (false, true, true),
        (true, true, true),
    ])
    .prop_map(kept)
}

/// Ports that inside endpoints have, or of both classes.
fn keepable() -> impl Strategy<Value = PortBlock> {
    select([(1_u16, 3), (1022, 1025)].to_vec())
        .prop_map(|(first, last)| PortBlock::new(first, last).expect("a block of the universe"))
}

/// Whether packets of the outside keep flows alive: mostly for all transports alike.
pub fn inbound_refresh() -> impl Strategy<Value = PerTransport<bool>> {
    let for_udp = PerTransport { udp: true, ..PerTransport::from(false) };
    prop_oneof![2 => Just(PerTransport::from(true)), 1 => Just(for_udp)]
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
    let left_over = (1_u16..=2, 0_u32..=3);
    let guaranteed = (left_over.clone(), 1_u32..=2).prop_map(|((ports, left_over), shared)| {
        let usable = PortBlock::from_len(1024, u32::from(ports * SLOTS_MAX) + left_over);
        let usable = usable.expect("a block");
        let shared = PortBlock::from_len(usable.last() + 1, shared).expect("a block");
        PortPolicy::Guaranteed { ports, usable, shared }
    });
    let ratio = (1..=SLOTS_MAX, 0_u16..=2);
    let deterministic =
        (left_over.clone(), ratio).prop_map(|((ports, left_over), (ratio, shared))| {
            let usable = u32::from(ports * (ratio + shared)) + left_over;
            PortPolicy::Deterministic(Deterministic {
                members_per_address: NonZeroU16::new(ratio).expect("a ratio"),
                shared_blocks: shared,
                usable: PortBlock::from_len(1024, usable).expect("a block"),
            })
        });
    let doubling = (left_over, 1_u32..=2).prop_map(|((minimum, left_over), doublings)| {
        let usable = PortBlock::from_len(1024, u32::from(minimum * SLOTS_MAX) + left_over);
        let maximum = u32::from(minimum) << doublings;
        PortPolicy::Doubling(Doubling { minimum, maximum, usable: usable.expect("a block") })
    });
    prop_oneof![
        6 => on_demand,
        8 => fixed,
        5 => guaranteed,
        4 => deterministic,
        6 => doubling,
        1 => manual,
        1 => Just(PortPolicy::Tiered(TierTable::of_the_story())),
        2 => Just(PortPolicy::Static),
        2 => Just(PortPolicy::Dynamic),
    ]
}

/// What is declared about mapping, filtering and re-use.
type Behaviours = (
    PerTransport<MappingBehaviour>,
    Option<PerTransport<FilteringBehaviour>>,
    PerTransport<PortReuse>,
);

/// One behaviour for all transports, or now and then another one for UDP.
pub fn behaviours() -> impl Strategy<Value = Behaviours> {
    let alike = behaviour().prop_map(|(mapping, filtering, port_reuse)| {
        (mapping.into(), filtering.map(PerTransport::from), port_reuse.into())
    });
    let apart = (behaviour(), behaviour()).prop_map(|(one, udp)| {
        let filtering = |(mapping, filtering, _): (MappingBehaviour, Option<_>, _)| {
            filtering.unwrap_or(FilteringBehaviour::from(mapping))
        };
        let mapping = PerTransport { udp: udp.0, ..one.0.into() };
        let port_reuse = PerTransport { udp: udp.2, ..one.2.into() };
        let filtering = PerTransport { udp: filtering(udp), ..filtering(one).into() };
        (mapping, Some(filtering), port_reuse)
    });
    prop_oneof![6 => alike, 1 => apart]
}

/// A mapping behaviour with a filter, and a re-use under which replies can be told apart.
pub fn behaviour()
-> impl Strategy<Value = (MappingBehaviour, Option<FilteringBehaviour>, PortReuse)> {
    let filters = select(vec![
        FilteringBehaviour::EndpointIndependent,
        FilteringBehaviour::AddressDependent,
        FilteringBehaviour::AddressAndPortDependent,
    ]);
    let filtering = prop_oneof![3 => Just(None), 2 => filters.prop_map(Some)];
    let mapping = prop_oneof![
        3 => Just(MappingBehaviour::AddressAndPortDependent),
        1 => Just(MappingBehaviour::AddressDependent),
        2 => Just(MappingBehaviour::EndpointIndependent),
    ];
    let coarser = select(vec![0_usize, 0, 0, 1, 2]);
    (mapping, filtering, coarser).prop_map(|(mapping, filtering, coarser)| {
        let finest = PortReuse::finest(mapping, filtering.unwrap_or(mapping.into()));
        let from_the_finest =
            [PortReuse::PerDestination, PortReuse::PerDestinationAddress, PortReuse::Never];
        let mut allowed = from_the_finest.into_iter().filter(|reuse| *reuse <= finest);
        (mapping, filtering, allowed.nth(coarser).unwrap_or(PortReuse::Never))
    })
}

/// Which of the eligible endpoints is taken.
pub fn selection() -> impl Strategy<Value = Selection> {
    prop_oneof![
        3 => Just(Selection::LowestFirst),
        2 => Just(Selection::Spread),
        1 => (0_u64..4).prop_map(Selection::Random),
        1 => by_rfc_6056(),
    ]
}

/// The algorithms of RFC 6056 that are not simply random.
pub fn by_rfc_6056() -> impl Strategy<Value = Selection> {
    let step = NonZeroU16::new(2).expect("two is not zero");
    (0_u64..4, 0..4_u8).prop_map(move |(seed, algorithm)| match algorithm {
        0 => Selection::RandomTries(seed),
        1 => Selection::SimpleHash(seed),
        2 => Selection::DoubleHash(seed),
        _ => Selection::RandomIncrements { seed, step },
    })
}

/// Timers short enough to run out, and few enough to run out together.
pub fn timers() -> impl Strategy<Value = Timers> {
    let syn = select(vec![None, None, Some(Duration::from_secs(6))]);
    (idle_timers(), hold_down(), syn).prop_map(|(idle, hold_down, unsolicited_syn)| Timers {
        idle,
        hold_down,
        unsolicited_syn,
    })
}

fn idle_timers() -> impl Strategy<Value = IdleTimers> {
    let idle = || select([2, 3, 5].map(Duration::from_secs).to_vec());
    let closed = || select([0, 1, 2, 3].map(Duration::from_secs).to_vec());
    let states = (idle(), idle(), idle(), closed(), closed());
    let by_state =
        states.prop_map(|(half_open, established, one_side_closed, time_wait, reset)| TcpTimers {
            half_open,
            established,
            one_side_closed,
            time_wait,
            reset,
        });
    let tcp = prop_oneof![1 => idle().prop_map(TcpTimers::while_open), 2 => by_state];
    (tcp, idle(), idle()).prop_map(|(tcp, udp, icmp)| IdleTimers { tcp, udp, icmp })
}

fn hold_down() -> impl Strategy<Value = HoldDown> {
    let rest = || select([0, 1, 2].map(Duration::from_secs).to_vec());
    (rest(), rest(), rest(), rest()).prop_map(|(finish, reset, idle, half_open)| HoldDown {
        finish,
        reset,
        idle,
        half_open,
    })
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

/// An inside endpoint: four source ports and a high one of three members, and a stranger now and
/// then.
pub fn inside() -> impl Strategy<Value = Endpoint> {
    let member = select(vec![1_u8, 1, 1, 1, 2, 2, 3, 3, 9]);
    let port = select(vec![1_u16, 1, 2, 2, 3, 3, 4, 1025]);
    (member, port).prop_map(|(n, port)| Endpoint::new(member_address(n), port))
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
    let lengths = [1_000, 2_000, 3_000, 5_000, 6_000].into_iter().flat_map(around);
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
    /// A packet from anywhere outside to the external endpoint of an earlier one.
    Trespass(Endpoint, Index, Signal),
    /// A packet to the external endpoint of an earlier one.
    Hairpin(Transport, Endpoint, Index, Signal),
    /// A SYN to where an earlier packet came from that was not let in.
    Meet(Endpoint, Index),
    /// An ICMP error about an earlier packet that went on.
    Error(Index),
    /// The configuration at the start, with other addresses and another pool.
    Resize { virtual_ips: u8, pool: Pool },
    /// Another configuration.
    Replace(Box<Configuration>),
}

fn draft() -> impl Strategy<Value = Draft> {
    let event = prop_oneof![
        9 => outbound(),
        3 => inbound(),
        8 => length().prop_map(Event::Elapse),
    ];
    prop_oneof![
        20 => event.prop_map(|event| Draft::Event(Box::new(event))),
        8 => (any::<Index>(), later_signal()).prop_map(|(index, signal)| Draft::Again(index, signal)),
        5 => (any::<Index>(), 1_u16..=4).prop_map(|(index, port)| Draft::Rival(index, port)),
        8 => (any::<Index>(), signal()).prop_map(|(index, signal)| Draft::Answer(index, signal)),
        5 => (any::<Index>(), signal()).prop_map(|(index, signal)| Draft::Knock(index, signal)),
        3 => (destination(), any::<Index>(), signal())
            .prop_map(|(from, index, signal)| Draft::Trespass(from, index, signal)),
        2 => (transport(), inside(), any::<Index>(), signal()).prop_map(
            |(transport, inside, index, signal)| Draft::Hairpin(transport, inside, index, signal),
        ),
        2 => any::<Index>().prop_map(Draft::Error),
        6 => (inside(), any::<Index>()).prop_map(|(inside, index)| Draft::Meet(inside, index)),
        1 => (1_u8..=2, pool()).prop_map(|(virtual_ips, pool)| Draft::Resize { virtual_ips, pool }),
        1 => configuration().prop_map(|other| Draft::Replace(Box::new(other))),
    ]
}

/// What happens to one or two flows, so that they get far: both sides speak, and time passes.
fn talk() -> impl Strategy<Value = Draft> {
    let transport = select(vec![Transport::Tcp, Transport::Tcp, Transport::Tcp, Transport::Udp]);
    let source = Endpoint::new(member_address(1), 1);
    let port = select(vec![443, 443, 443, 80]);
    let any_signal =
        || select([Signal::Open, Signal::Data, Signal::Finish, Signal::Reset].to_vec());
    let says = (transport, port, any_signal()).prop_map(move |(transport, port, signal)| {
        let destination = Endpoint::new([198, 51, 100, 1].into(), port);
        Event::outbound(FiveTuple { transport, source, destination }, signal)
    });
    let passes = select([1_000, 1_000, 2_000, 2_999].map(Duration::from_millis).to_vec());
    let event = prop_oneof![3 => says, 2 => passes.prop_map(Event::Elapse)];
    prop_oneof![
        8 => event.prop_map(|event| Draft::Event(Box::new(event))),
        3 => (any::<Index>(), any_signal()).prop_map(|(index, signal)| Draft::Answer(index, signal)),
        1 => any::<Index>().prop_map(Draft::Error),
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
            Self::Trespass(from, index, signal) => {
                trespass(earlier, from, index, signal).unwrap_or(nothing)
            }
            Self::Hairpin(transport, inside, index, signal) => {
                let to = door(start, earlier, index);
                let tuple = |to| FiveTuple { transport, source: inside, destination: to };
                to.map_or(nothing, |to| Event::outbound(tuple(to), signal))
            }
            Self::Meet(inside, index) => meet(earlier, inside, index).unwrap_or(nothing),
            Self::Error(index) => error(earlier, index).unwrap_or(nothing),
            Self::Resize { virtual_ips, pool } => {
                let virtual_ips = first_virtual_ips(virtual_ips);
                let resized = Configuration { virtual_ips, pool, ..start.clone() };
                Event::reconfigure(legal(fitted(resized)))
            }
            Self::Replace(other) => Event::reconfigure(legal(fitted(*other))),
        }
    }
}

fn again(earlier: &[Step<Nat>], index: Index, signal: Signal) -> Option<Event> {
    match &one_of(earlier, index, |step| packet(step).is_some())?.event {
        Event::Outbound(segment) => Some(Event::outbound(segment.tuple, signal)),
        Event::Inbound(segment) => Some(Event::inbound(segment.tuple, signal)),
        Event::OutboundError(_)
        | Event::InboundError(_)
        | Event::Elapse(_)
        | Event::Reconfigure(_) => None,
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

fn trespass(earlier: &[Step<Nat>], from: Endpoint, index: Index, signal: Signal) -> Option<Event> {
    let sent = sent(one_of(earlier, index, |step| sent(step).is_some())?)?;
    Some(Event::inbound(sent.reversed().from(from), signal))
}

/// An endpoint that an earlier packet left from, or that an inbound rule publishes.
fn door(start: &Configuration, earlier: &[Step<Nat>], index: Index) -> Option<Endpoint> {
    let sources = earlier.iter().filter_map(|step| sent(step).map(|sent| sent.source));
    let published = start.inbound_rules.iter().map(|rule| rule.external);
    let doors: Vec<Endpoint> = sources.chain(published).collect();
    (!doors.is_empty()).then(|| doors[index.index(doors.len())])
}

fn meet(earlier: &[Step<Nat>], inside: Endpoint, index: Index) -> Option<Event> {
    let is_kept_out = |step: &Step<Nat>| match (&step.event, &step.outcome) {
        (Event::Inbound(it), Outcome::Dropped(_)) => it.meaning() == Signal::Open,
        _ => false,
    };
    let Segment { tuple, .. } = packet(one_of(earlier, index, is_kept_out)?)?;
    Some(Event::outbound(tuple.reversed().from(inside), Signal::Open))
}

/// How a packet of the inside left.
fn sent(step: &Step<Nat>) -> Option<FiveTuple> {
    match (&step.event, &step.outcome) {
        (Event::Outbound(_), Outcome::Forwarded(sent) | Outcome::Hairpinned { sent, .. }) => {
            Some(*sent)
        }
        _ => None,
    }
}

/// A router outside or the receiver inside cannot deliver an earlier packet.
fn error(earlier: &[Step<Nat>], index: Index) -> Option<Event> {
    let went_on = |step: &Step<Nat>| {
        matches!(step.outcome, Outcome::Forwarded(_) | Outcome::Hairpinned { .. })
    };
    let step = one_of(earlier, index, went_on)?;
    let from_inside = |quoted: FiveTuple| Event::OutboundError(IcmpError::unreachable(quoted));
    match (&step.event, &step.outcome) {
        (Event::Outbound(_), Outcome::Forwarded(sent)) => {
            let router = Ipv4Addr::new(198, 51, 100, 9);
            let error = IcmpError { from: router, ..IcmpError::unreachable(*sent) };
            Some(Event::InboundError(error))
        }
        (_, Outcome::Hairpinned { delivered, .. }) => delivered.map(from_inside),
        (_, Outcome::Forwarded(delivered)) => Some(from_inside(*delivered)),
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
        Event::OutboundError(_)
        | Event::InboundError(_)
        | Event::Elapse(_)
        | Event::Reconfigure(_) => None,
    }
}

/// The configuration with what its policy and pool rule out taken away.
fn fitted(mut configuration: Configuration) -> Configuration {
    let one_each = match &configuration.ports {
        PortPolicy::Deterministic(mapping) => mapping.members_per_address.get() < SLOTS_MAX,
        ports => *ports == PortPolicy::Static,
    };
    if one_each && configuration.virtual_ips.len() < 3 {
        configuration.virtual_ips = first_virtual_ips(3);
    }
    if !configuration.ports.translates_ports() {
        keep_the_finest_reuse(&mut configuration);
    }
    let pool = configuration.pool.clone();
    let has_member = |rule: &InboundRule| pool.slot_of(Member(rule.inside.address)).is_some();
    configuration.inbound_rules.retain(has_member);
    configuration
}

/// Members that keep their ports: a mapping is told from another by all that it looks at.
fn keep_the_finest_reuse(configuration: &mut Configuration) {
    let PerTransport { tcp, udp, icmp } = configuration.mapping;
    let [tcp, udp, icmp] = [tcp, udp, icmp].map(PortReuse::finest_of);
    configuration.port_reuse = PerTransport { tcp, udp, icmp };
    configuration.filtering = None;
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
