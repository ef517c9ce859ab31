//! Topologies and what is asked of them, drawn from a universe small enough to collide.
//!
//! The same nodes stand in every graph: two clients, four traffic managers nested up to three deep, a
//! front door, a service index, three units that own two accounts, two balancers before two pools of
//! one to three VMs with a port or two each, a gateway, two destinations and four routers. What each
//! says, and to whom it leads, is drawn; some nodes are then asked by nobody. One function a noun;
//! every value is legal.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use natlaw_model::flow::{Endpoint, Transport};
use natlaw_model::nat::{Configuration, Member, Nat, Pool, PortPolicy, VirtualIp};
use natlaw_model::ports::PortBlock;
use natlaw_model::routing::{
    BalancingRule, Client, ClientChoice, Component, Connection, Destination, Event, FrontDoor,
    ListedEndpoint, LoadBalancer, ManagedEndpoint, MemberName, Method, Name, NatGateway, Origin,
    Outbound, Precedence, Request, Router, RoutingGraph, ScaleUnit, Service, ServiceIndex, Setting,
    Target, Throttle, Topology, TrafficManager, VmPool,
};
use natlaw_model::subject::Scenario;
use natlaw_model::time::Duration;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// The most events of a scenario.
pub const EVENTS_MAX: usize = 16;

/// The most VMs of a pool.
const MEMBERS_MAX: u8 = 3;

/// A topology and what is asked of it.
pub fn scenario() -> BoxedStrategy<Scenario<RoutingGraph>> {
    let scenario = |(subject, drafts): (RoutingGraph, Vec<Draft>)| {
        let mut events = Vec::new();
        for draft in drafts {
            events.push(draft.event(&subject, &events));
        }
        Scenario { subject, events }
    };
    (graph(), vec(draft(), 0..=EVENTS_MAX)).prop_map(scenario).boxed()
}

/// This many scenarios, the same on every machine.
pub fn sample(cases: u32) -> Vec<Scenario<RoutingGraph>> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[1; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let strategy = scenario();
    let mut draw = || strategy.new_tree(&mut runner).expect("a scenario").current();
    (0..cases).map(|_| draw()).collect()
}

/// A graph.
pub fn graph() -> impl Strategy<Value = RoutingGraph> {
    topology().prop_map(|topology| RoutingGraph::new(topology).expect("a legal topology"))
}

/// What describes a graph.
pub fn topology() -> impl Strategy<Value = Topology> {
    let names = (clients(), managers(), front_door(), index());
    let hosts = (units(), balancers(), pools());
    let rest = (routers(), hung(), precedence(), 0..4_u64, hops_max(), steady());
    (names, hosts, rest).prop_map(|(names, hosts, rest)| {
        let (clients, traffic_managers, front_door, index) = names;
        let (scale_units, load_balancers, pools) = hosts;
        let (routers, hung, precedence, seed, hops_max, steady) = rest;
        let topology = Topology {
            precedence,
            seed,
            hops_max,
            steady,
            clients,
            traffic_managers,
            front_doors: [(name("f1"), front_door)].into(),
            load_balancers,
            scale_units,
            pools,
            routers,
            nat_gateways: [(name("g1"), gateway())].into(),
            destinations: destinations(),
            service_indexes: [(name("i1"), index)].into(),
        };
        hang(topology, &hung)
    })
}

fn name(text: &str) -> Name {
    text.parse().expect("a name of the universe")
}

fn target(text: &str) -> Target {
    text.parse().expect("a target of the universe")
}

/// This many of these targets, from one on.
fn targets(known: &'static [&'static str], most: usize) -> impl Strategy<Value = Vec<Target>> {
    let some = subsequence(known.to_vec(), 1..=most).prop_shuffle();
    some.prop_map(|texts| texts.into_iter().map(target).collect())
}

/// A length of time that is shorter, as long, or longer than others.
fn seconds() -> impl Strategy<Value = Duration> {
    select(vec![0, 10, 60]).prop_map(Duration::from_secs)
}

// Clients

const LATENCIES: [&str; 9] = ["t2", "t3", "t4", "f1", "u1", "u2", "b1", "b2", "p1"];

fn clients() -> impl Strategy<Value = BTreeMap<Name, Client>> {
    (client(), client()).prop_map(|(one, other)| [(name("c1"), one), (name("c2"), other)].into())
}

fn client() -> impl Strategy<Value = Client> {
    let entries =
        vec!["t1", "t1", "t1", "t2", "t2", "t3", "t4", "f1", "f1", "f1", "f1", "i1", "i1", "i1"];
    let hosts = vec!["i1", "b1", "b1@203.0.113.2", "b2", "u1", "u3", "p1"];
    let entry = prop_oneof![2 => select(entries), 1 => select(hosts)].prop_map(target);
    let region = select(vec![Some("eu"), Some("us"), Some("mars"), None]);
    let latency = vec(0_u32..4, LATENCIES.len());
    let service = prop_oneof![8 => Just(Service::default()), 1 => Just(dns())];
    (entry, region, latency, service).prop_map(|(entry, region, latency, service)| Client {
        entry,
        region: region.map(name),
        latency_ms: LATENCIES.into_iter().map(name).zip(latency.iter().map(|n| n * 10)).collect(),
        service,
        at: None,
    })
}

const fn dns() -> Service {
    Service { transport: Transport::Udp, port: 53 }
}

// What a client looks up

fn managers() -> impl Strategy<Value = BTreeMap<Name, TrafficManager>> {
    let first = manager(&["t2", "t3", "b1", "b2", "u1", "u2", "f1", "p1"]);
    let second = manager(&["t4", "b1@203.0.113.2", "b2", "u3", "p2"]);
    let third = manager(&["t4", "b1", "b2", "u1", "u2", "f1"]);
    let fourth = manager(&["b1", "b2", "u3", "p1", "p2"]);
    (first, second, third, fourth).prop_map(|(first, second, third, fourth)| {
        [(name("t1"), first), (name("t2"), second), (name("t3"), third), (name("t4"), fourth)]
            .into()
    })
}

fn manager(known: &'static [&'static str]) -> impl Strategy<Value = TrafficManager> {
    let method = select(vec![
        Method::Priority,
        Method::Priority,
        Method::Weighted,
        Method::Performance,
        Method::PerformanceAllOthers,
        Method::Geographic,
    ]);
    let drawn = (method, targets(known, 3), vec(managed(), 3), seconds(), 0..16_u8);
    drawn.prop_map(|(method, targets, managed, ttl, disabled)| TrafficManager {
        method,
        endpoints: endpoints(method, targets, managed),
        ttl,
        disabled: disabled == 0,
        probe: Default::default(),
    })
}

/// Endpoints with what sets them apart: a priority each, a region each.
fn endpoints(
    method: Method,
    targets: Vec<Target>,
    managed: Vec<ManagedEndpoint>,
) -> BTreeMap<Target, ManagedEndpoint> {
    let regions = ["eu", "world", "us"];
    let with = |(place, (target, managed)): (usize, (Target, ManagedEndpoint))| {
        let is_nested = target.node.as_str().starts_with('t');
        let region = (method == Method::Geographic).then(|| name(regions[place]));
        let managed = ManagedEndpoint {
            priority: (method == Method::Priority).then(|| u16::try_from(place + 1).expect("few")),
            regions: region.into_iter().collect(),
            children_min: managed.children_min.filter(|_| is_nested),
            ..managed
        };
        (target, managed)
    };
    targets.into_iter().zip(managed).enumerate().map(with).collect()
}

fn managed() -> impl Strategy<Value = ManagedEndpoint> {
    let setting = prop_oneof![
        10 => Just(Setting::Enabled),
        1 => Just(Setting::Checking),
        2 => Just(Setting::Disabled)
    ];
    let children_min = prop_oneof![Just(None), (1..=3_u32).prop_map(Some)];
    (1..=3_u16, setting, children_min).prop_map(|(weight, setting, children_min)| ManagedEndpoint {
        priority: None,
        weight: Some(weight),
        regions: BTreeSet::new(),
        children_min,
        setting,
    })
}

fn front_door() -> impl Strategy<Value = FrontDoor> {
    let origins = prop_oneof![
        3 => targets(&["u1", "u2", "u3"], 3),
        1 => targets(&["u1", "b1", "b2"], 3)
    ];
    let affinity = prop_oneof![1 => Just(None), 4 => seconds().prop_map(Some)];
    let sensitivity = select(vec![0, 10]);
    (origins, vec(origin(), 3), affinity, sensitivity).prop_map(
        |(targets, origins, affinity, sensitivity_ms)| FrontDoor {
            origins: targets.into_iter().zip(origins).collect(),
            sensitivity_ms,
            affinity,
            probe: Default::default(),
            at: None,
        },
    )
}

fn origin() -> impl Strategy<Value = Origin> {
    (1..=2_u16, 1..=3_u16, 0..=2_u32, 0..8_u8).prop_map(|(priority, weight, latency, disabled)| {
        Origin { priority, weight, latency_ms: 10 * latency, disabled: disabled == 0 }
    })
}

fn index() -> impl Strategy<Value = ServiceIndex> {
    let choice = select(vec![
        ClientChoice::FirstEndpointFirst,
        ClientChoice::FirstEndpointFirst,
        ClientChoice::Weighted,
        ClientChoice::ConsistentHashing,
    ]);
    let targets = targets(&["b1", "b2", "u1", "p2", "t2"], 3);
    (targets, choice, seconds()).prop_map(|(targets, choice, ttl)| {
        let listed = |target| ListedEndpoint { target, weight: None };
        ServiceIndex { endpoints: targets.into_iter().map(listed).collect(), choice, ttl }
    })
}

// What serves

/// Units one and two own an account each, or one owns both; three owns none.
fn units() -> impl Strategy<Value = BTreeMap<Name, ScaleUnit>> {
    (vec(unit(), 3), any::<bool>()).prop_map(|(mut units, together)| {
        units[0].owns.insert(name("alpha"));
        units[usize::from(!together)].owns.insert(name("beta"));
        let names = ["u1", "u2", "u3"].map(name);
        for (unit, own) in units.iter_mut().zip(&names) {
            let is_sound =
                |account: &Name, believed: &Name| !unit.owns.contains(account) && believed != own;
            let mut stale = std::mem::take(&mut unit.stale);
            stale.retain(|account, believed| is_sound(account, believed));
            unit.stale = stale;
        }
        names.into_iter().zip(units).collect()
    })
}

fn unit() -> impl Strategy<Value = ScaleUnit> {
    let serves_from =
        select(vec![None, Some("b1"), Some("b2"), Some("b1@203.0.113.2"), Some("p1")]);
    let believed = select(vec![None, None, None, None, Some("u1"), Some("u2"), Some("u3")]);
    let throttle = prop_oneof![3 => Just(None), 1 => throttle().prop_map(Some)];
    (serves_from, believed, throttle).prop_map(|(serves_from, believed, throttle)| ScaleUnit {
        owns: BTreeSet::new(),
        stale: believed.map(|unit| (name("beta"), name(unit))).into_iter().collect(),
        serves_from: serves_from.map(target),
        throttle,
        at: None,
    })
}

fn throttle() -> impl Strategy<Value = Throttle> {
    any::<bool>().prop_map(|probes_count| Throttle {
        proxied_max: 1,
        in_hand: Duration::from_secs(10),
        probes_count,
    })
}

/// Two balancers, the first with a second virtual IP for the other's pool.
fn balancers() -> impl Strategy<Value = BTreeMap<Name, LoadBalancer>> {
    let rule = |virtual_ip, service, pool| BalancingRule {
        virtual_ip,
        service,
        pool: name(pool),
        backend_port: None,
        floating: true,
    };
    let second = Some(VirtualIp(Ipv4Addr::new(203, 0, 113, 2)));
    (any::<bool>(), any::<bool>()).prop_map(move |(with_dns, with_second)| {
        let mut rules = vec![rule(None, Service::default(), "p1")];
        rules.extend(with_dns.then(|| rule(None, dns(), "p2")));
        rules.extend(with_second.then(|| rule(second, Service::default(), "p2")));
        let other = vec![rule(None, Service::default(), "p2")];
        [(name("b1"), balancer(&[1, 2], rules)), (name("b2"), balancer(&[3], other))].into()
    })
}

fn balancer(virtual_ips: &[u8], rules: Vec<BalancingRule>) -> LoadBalancer {
    let virtual_ip = |last: &u8| VirtualIp(Ipv4Addr::new(203, 0, 113, *last));
    let virtual_ips = virtual_ips.iter().map(virtual_ip).collect();
    LoadBalancer { virtual_ips, rules, probe: Default::default(), at: None }
}

fn pools() -> impl Strategy<Value = BTreeMap<Name, VmPool>> {
    (pool(1), pool(2)).prop_map(|(one, two)| [(name("p1"), one), (name("p2"), two)].into())
}

fn pool(number: u8) -> impl Strategy<Value = VmPool> {
    let bypass = select(vec![None, None, Some("d2")]);
    (1..=MEMBERS_MAX, ways_out(), bypass).prop_map(move |(count, ways, bypass)| {
        let members = members(number, count);
        let [user_route, nat_gateway, instance, rule, default] = ways;
        let translator = |outside: u8| translator(&members, Ipv4Addr::new(192, 0, 2, outside), 1);
        let own = |slot: u8| VirtualIp(Ipv4Addr::new(192, 0, 2, 100 + 10 * number + slot));
        let outbound = Outbound {
            user_route: user_route.then(|| name("r1")),
            nat_gateway: nat_gateway.then(|| name("g1")),
            instance_addresses: if instance { (0..count).map(own).collect() } else { Vec::new() },
            outbound_rule: rule.then(|| translator(number)),
            default: default.then(|| translator(10 + number)),
        };
        let bypass = bypass.map(name).into_iter().collect();
        VmPool { members, outbound, bypass, at: None }
    })
}

/// Which ways out there are, in the order of the precedence.
fn ways_out() -> impl Strategy<Value = [bool; 5]> {
    let way = || (0..5_u8).prop_map(|drawn| drawn < 2);
    (Just(false), way(), way(), way(), way(), 0..8_u8)
        .prop_map(|(_, gateway, own, rule, default, user)| [user == 0, gateway, own, rule, default])
}

fn members(pool: u8, count: u8) -> Pool {
    let member = |last| Some(Member(Ipv4Addr::new(10, 0, pool, last)));
    Pool::new((1..=count).map(member).collect()).expect("a pool of the universe")
}

/// A translator with this many ports for each member.
fn translator(members: &Pool, outside: Ipv4Addr, ports: u16) -> Nat {
    let policy = PortPolicy::Fixed { ports, usable: PortBlock::ABOVE_WELL_KNOWN };
    let configuration = Configuration::new(vec![VirtualIp(outside)], members.clone(), policy);
    Nat::new(configuration).expect("a translator of the universe")
}

/// The gateway knows every member there may be.
fn gateway() -> NatGateway {
    let of = |pool: u8| (1..=MEMBERS_MAX).map(move |n| Some(Member(Ipv4Addr::new(10, 0, pool, n))));
    let members = Pool::new(of(1).chain(of(2)).collect()).expect("a pool of the universe");
    NatGateway { nat: translator(&members, Ipv4Addr::new(192, 0, 2, 200), 2), at: None }
}

fn destinations() -> BTreeMap<Name, Destination> {
    let destination = |last| {
        let address = Ipv4Addr::new(198, 51, 100, last);
        Destination { endpoint: Endpoint { address, port: 443 }, at: None }
    };
    [(name("d1"), destination(1)), (name("d2"), destination(2))].into()
}

// What carries

/// Four routers in a ring, with a chord now and then, and now and then a static route.
fn routers() -> impl Strategy<Value = BTreeMap<Name, Router>> {
    let chord = prop_oneof![2 => Just(None), 1 => (1..=3_u32).prop_map(Some)];
    let route = select(vec![None, None, None, None, Some(("r1", "r2")), Some(("r2", "r1"))]);
    (vec(1..=3_u32, 4), chord, vec(route, 2)).prop_map(|(costs, chord, routes)| {
        let mut routers: BTreeMap<Name, Router> =
            ["r1", "r2", "r3", "r4"].map(|router| (name(router), Router::default())).into();
        let mut link = |from: &str, to: &str, cost| {
            routers.entry(name(from)).or_default().links.insert(name(to), cost);
        };
        link("r1", "r2", costs[0]);
        link("r2", "r3", costs[1]);
        link("r3", "r4", costs[2]);
        link("r4", "r1", costs[3]);
        chord.into_iter().for_each(|cost| link("r1", "r3", cost));
        for (from, to) in routes.into_iter().flatten() {
            routers.entry(name(from)).or_default().route = Some(name(to));
        }
        routers
    })
}

/// For each node that can hang at a router, the number of it; 0 hangs at none.
fn hung() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![2 => Just(vec![0; 13]), 1 => vec(0..=4_usize, 13), 1 => vec(1..=4_usize, 13)]
}

fn hang(mut topology: Topology, hung: &[usize]) -> Topology {
    let routers = [None, Some("r1"), Some("r2"), Some("r3"), Some("r4")];
    let places = topology
        .clients
        .values_mut()
        .map(|it| &mut it.at)
        .chain(topology.front_doors.values_mut().map(|it| &mut it.at))
        .chain(topology.load_balancers.values_mut().map(|it| &mut it.at))
        .chain(topology.scale_units.values_mut().map(|it| &mut it.at))
        .chain(topology.pools.values_mut().map(|it| &mut it.at))
        .chain(topology.nat_gateways.values_mut().map(|it| &mut it.at))
        .chain(topology.destinations.values_mut().map(|it| &mut it.at));
    for (at, hung) in places.zip(hung) {
        *at = routers[*hung].map(name);
    }
    topology
}

fn precedence() -> impl Strategy<Value = Precedence> {
    select(vec![Precedence::NatGatewayOverview, Precedence::LoadBalancer2022])
}

fn hops_max() -> impl Strategy<Value = u16> {
    prop_oneof![8 => Just(255_u16), 1 => 1..=5_u16]
}

fn steady() -> impl Strategy<Value = BTreeSet<Name>> {
    let steady = select(vec![None, None, None, Some("b1"), Some("g1")]);
    steady.prop_map(|steady| steady.map(name).into_iter().collect())
}

// What is asked

/// What becomes an event once the graph and what was asked before are known.
#[derive(Debug, Clone)]
enum Draft {
    Request(Request),
    Outbound(Connection),
    /// One of what was asked, once more.
    Again(Index),
    /// The answer to one of what was asked.
    Reply(Index),
    /// One of the components goes down.
    Fail(Index),
    /// One of what went down comes up.
    Mend(Index),
    /// What the graph does not have.
    Unknown,
    Elapse(Duration),
}

impl Draft {
    fn event(self, graph: &RoutingGraph, asked: &[Event]) -> Event {
        match self {
            Self::Request(request) => Event::Request(request),
            Self::Outbound(connection) => Event::Outbound(connection),
            Self::Again(index) => again(index, asked),
            Self::Reply(index) => reply(index, asked),
            Self::Fail(index) => Event::Fail(component(graph, index)),
            Self::Mend(index) => mend(index, asked),
            Self::Unknown => Event::Fail(Component::node(name("nobody"))),
            Self::Elapse(length) => Event::Elapse(length),
        }
    }
}

fn component(graph: &RoutingGraph, index: Index) -> Component {
    let components: Vec<&Component> = graph.components().map(|(_, it)| it).collect();
    match components.is_empty() {
        true => Component::node(name("nobody")),
        false => components[index.index(components.len())].clone(),
    }
}

/// What was asked before; where nothing was, a plain request.
fn again(index: Index, asked: &[Event]) -> Event {
    let is_question = |event: &&Event| matches!(event, Event::Request(_) | Event::Outbound(_));
    let questions: Vec<&Event> = asked.iter().filter(is_question).collect();
    match questions.is_empty() {
        true => Event::Request(Request::of(name("c1"))),
        false => questions[index.index(questions.len())].clone(),
    }
}

/// The reply to something that was asked; where nothing was, to nothing.
fn reply(index: Index, asked: &[Event]) -> Event {
    let replies = asked.iter().filter_map(|event| match event {
        Event::Request(request) => Some(Event::ReplyToRequest(request.clone())),
        Event::Outbound(connection) => Some(Event::ReplyToConnection(connection.clone())),
        _ => None,
    });
    let replies: Vec<Event> = replies.collect();
    match replies.is_empty() {
        true => Event::ReplyToRequest(Request::of(name("c1"))),
        false => replies[index.index(replies.len())].clone(),
    }
}

/// Something that went down comes up; where nothing did, what the graph does not have.
fn mend(index: Index, asked: &[Event]) -> Event {
    let failed = asked.iter().filter_map(|event| match event {
        Event::Fail(component) => Some(component.clone()),
        _ => None,
    });
    let failed: Vec<Component> = failed.collect();
    match failed.is_empty() {
        true => Event::Mend(Component::node(name("nobody"))),
        false => Event::Mend(failed[index.index(failed.len())].clone()),
    }
}

fn draft() -> impl Strategy<Value = Draft> {
    prop_oneof![
        40 => request().prop_map(Draft::Request),
        25 => connection().prop_map(Draft::Outbound),
        12 => any::<Index>().prop_map(Draft::Again),
        20 => any::<Index>().prop_map(Draft::Reply),
        25 => any::<Index>().prop_map(Draft::Fail),
        6 => any::<Index>().prop_map(Draft::Mend),
        1 => Just(Draft::Unknown),
        6 => select(vec![1, 9, 10, 60]).prop_map(|n| Draft::Elapse(Duration::from_secs(n))),
    ]
}

fn request() -> impl Strategy<Value = Request> {
    let client = prop_oneof![20 => select(vec!["c1", "c1", "c2"]), 1 => Just("nobody")];
    let account = select(vec![None, Some("alpha"), Some("alpha"), Some("beta"), Some("gamma")]);
    (client, account, 0..3_u64).prop_map(|(client, account, key)| Request {
        client: name(client),
        account: account.map(name),
        key,
    })
}

fn connection() -> impl Strategy<Value = Connection> {
    let transport = select(vec![Transport::Tcp, Transport::Tcp, Transport::Udp]);
    let destination = prop_oneof![16 => select(vec!["d1", "d2"]), 1 => Just("nobody")];
    (transport, 1..=2_u8, 1..=MEMBERS_MAX, 40_000..40_003_u16, destination).prop_map(
        |(transport, pool, last, port, destination)| Connection {
            transport,
            member: MemberName {
                pool: name(&format!("p{pool}")),
                member: Member(Ipv4Addr::new(10, 0, pool, last)),
            },
            port,
            destination: name(destination),
        },
    )
}
