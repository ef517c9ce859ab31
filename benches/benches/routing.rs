//! What routing costs: a request's walk, a sweep of health vectors, one selection.
//!
//! | id | one iteration |
//! |---|---|
//! | `walk/network/<nodes>` | a request of the next client, from its name down to a VM; nothing is cached |
//! | `sweep/network/<nodes>` | a request of every client under each of 64 health vectors, from a cold start |
//! | `select/<policy>/<endpoints>` | one selection |
//!
//! The graph of N nodes: clients of several regions look up one name, answered by the nearest of as
//! many nested names, each of which weighs two or three sites. A site is a load balancer and a pool
//! of four at a router of a ring with chords.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::net::Ipv4Addr;

use criterion::{BenchmarkId, Criterion, Throughput};
use natlaw_model::nat::{Pool, VirtualIp};
use natlaw_model::routing::selection::{self, Ask, Candidate, Choice, Policy};
use natlaw_model::routing::{
    BalancingRule, Client, Destination, Disposition, Event, HealthVector, LoadBalancer,
    ManagedEndpoint, Method, Name, Network, Outbound, Outcome, Probe, Request, Router,
    RoutingGraph, Service, Setting, Target, Topology, TrafficManager, VmPool,
};
use natlaw_model::subject::Device;
use natlaw_model::time::Duration;

/// Regions and sites of each graph: 2 + 2 regions + 3 sites nodes in all.
const GRAPHS: [(usize, usize); 2] = [(1, 2), (100, 266)];

/// Health vectors of one sweep.
const VECTORS: usize = 64;

fn main() {
    let mut criterion = natlaw_benches::settings().configure_from_args();
    for (regions, sites) in GRAPHS {
        let graph = RoutingGraph::new(topology(regions, sites)).expect("a routing graph");
        walk(&mut criterion, &graph, regions);
        sweep(&mut criterion, &graph, regions);
    }
    [3, 100].into_iter().for_each(|endpoints| select(&mut criterion, endpoints));
    criterion.final_summary();
}

fn walk(criterion: &mut Criterion, graph: &RoutingGraph, regions: usize) {
    let requests = requests(regions);
    let mut network = Network::new(graph);
    for request in &requests {
        assert_eq!(disposition(&network.step(request)), Some(Disposition::Delivered), "{request}");
    }
    let mut next = requests.iter().cycle();
    let mut group = criterion.benchmark_group("walk");
    group.throughput(Throughput::Elements(1));
    group.bench_function(id("network", graph), |bencher| {
        bencher.iter(|| network.step(black_box(next.next().expect("a request"))));
    });
}

fn sweep(criterion: &mut Criterion, graph: &RoutingGraph, regions: usize) {
    let requests = requests(regions);
    let vectors = vectors(graph);
    assert_eq!(delivered(graph, &[HealthVector::ALL_UP], &requests), requests.len());
    let all_down: HealthVector = graph.components().map(|(at, _)| at).collect();
    assert_eq!(delivered(graph, &[all_down], &requests), 0);
    let expected = delivered(graph, &vectors, &requests);
    assert!(expected > 0 && expected < vectors.len() * requests.len(), "{expected}");
    let mut group = criterion.benchmark_group("sweep");
    group.sample_size(10).throughput(Throughput::Elements(VECTORS as u64));
    group.bench_function(id("network", graph), |bencher| {
        bencher.iter(|| delivered(graph, black_box(&vectors), &requests));
    });
}

fn select(criterion: &mut Criterion, endpoints: usize) {
    let candidates: Vec<Candidate> = (1..=endpoints as u64).map(candidate).collect();
    let methods = [
        ("priority", selection::Method::Priority),
        ("weighted", selection::Method::Weighted),
        ("round-robin", selection::Method::RoundRobin),
        ("least-latency", selection::Method::LeastLatency { sensitivity_ms: 10 }),
        ("first-endpoint", selection::Method::FirstEndpoint),
        ("consistent-hash", selection::Method::ConsistentHash { slack_percent: 0 }),
    ];
    let mut group = criterion.benchmark_group("select");
    for (name, method) in methods {
        let mut policy = method.policy(0);
        is_sound(&mut *policy, &candidates);
        let mut key = 0_u64;
        group.bench_function(BenchmarkId::new(name, endpoints), |bencher| {
            bencher.iter(|| {
                key = key.wrapping_add(0x9E37_79B9_7F4A_7C15);
                policy.select(Ask { key, draw: key }, black_box(&candidates))
            });
        });
    }
}

/// One in eight is down, and no two weigh alike.
fn candidate(identity: u64) -> Candidate {
    let weight = u16::try_from(identity % 100 + 1).unwrap_or(1);
    let latency_ms = u32::try_from(identity % 40).unwrap_or(0);
    let available = identity % 8 != 2;
    Candidate { weight, latency_ms, available, ..Candidate::new(identity) }
}

fn is_sound(policy: &mut dyn Policy, candidates: &[Candidate]) {
    for key in 0..100 {
        let steps_max = policy.steps_max(candidates.len());
        let selected = policy.select(Ask { key, draw: key << 57 }, candidates);
        let Choice::Chosen(place) = selected.choice else { panic!("{selected:?}") };
        assert!(candidates[place].is_eligible() && selected.steps <= steps_max, "{selected:?}");
    }
}

/// Requests that reach a VM, over all these vectors.
fn delivered(graph: &RoutingGraph, vectors: &[HealthVector], requests: &[Event]) -> usize {
    let of = |vector: &HealthVector| {
        let mut network = Network::new(graph).in_health(vector.clone());
        let outcomes = requests.iter().map(|request| disposition(&network.step(request)));
        outcomes.filter(|it| *it == Some(Disposition::Delivered)).count()
    };
    vectors.iter().map(of).sum()
}

/// Vectors in which one component in four is down, others each time.
fn vectors(graph: &RoutingGraph) -> Vec<HealthVector> {
    let components: Vec<usize> = graph.components().map(|(at, _)| at).collect();
    let is_down = |nth: usize, at: usize| {
        let mixed = (nth as u64 * 0x1_0001 + at as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        mixed >> 62 == 0
    };
    let vector = |nth| components.iter().copied().filter(|at| is_down(nth, *at)).collect();
    (0..VECTORS).map(vector).collect()
}

fn disposition(outcome: &Outcome) -> Option<Disposition> {
    match outcome {
        Outcome::Walked(walk) => Some(walk.disposition),
        _ => None,
    }
}

fn requests(regions: usize) -> Vec<Event> {
    let request =
        |region| Event::Request(Request { client: name("client", region), account: None, key: 0 });
    (0..regions).map(request).collect()
}

fn id(implementation: &str, graph: &RoutingGraph) -> BenchmarkId {
    BenchmarkId::new(implementation, graph.petgraph().node_count())
}

fn topology(regions: usize, sites: usize) -> Topology {
    let target = |kind, nth| Target::node(name(kind, nth));
    let sites_of = |region| (0..sites).filter(move |site| site % regions == region);
    let nested = |region| {
        let weighted = sites_of(region).map(|site| (target("balancer", site), endpoint()));
        (name("region", region), manager(Method::Weighted, weighted.collect()))
    };
    let nearest = (0..regions).map(|region| (target("region", region), endpoint())).collect();
    let www = (name("www", 0), manager(Method::Performance, nearest));
    let managers: BTreeMap<_, _> = (0..regions).map(nested).chain([www]).collect();
    Topology {
        clients: (0..regions).map(|region| (name("client", region), client(region))).collect(),
        traffic_managers: managers,
        load_balancers: (0..sites).map(|site| (name("balancer", site), balancer(site))).collect(),
        pools: (0..sites).map(|site| (name("pool", site), pool(site))).collect(),
        routers: (0..sites).map(|site| (name("router", site), router(site, sites))).collect(),
        destinations: [(name("outside", 0), outside())].into(),
        ..Topology::default()
    }
}

fn name(kind: &str, nth: usize) -> Name {
    format!("{kind}-{nth}").parse().expect("a name")
}

fn manager(method: Method, endpoints: BTreeMap<Target, ManagedEndpoint>) -> TrafficManager {
    let ttl = Duration::from_secs(0);
    TrafficManager { method, endpoints, ttl, disabled: false, probe: Probe::default() }
}

fn endpoint() -> ManagedEndpoint {
    ManagedEndpoint { setting: Setting::Enabled, ..ManagedEndpoint::default() }
}

fn client(region: usize) -> Client {
    Client {
        entry: Target::node(name("www", 0)),
        region: None,
        latency_ms: [(name("region", region), 10)].into(),
        service: Service::default(),
        at: Some(name("router", region)),
    }
}

fn balancer(site: usize) -> LoadBalancer {
    let rule = BalancingRule {
        virtual_ip: None,
        service: Service::default(),
        pool: name("pool", site),
        backend_port: None,
        floating: false,
    };
    let virtual_ip = VirtualIp(Ipv4Addr::from(0xCB00_7100 + u32::try_from(site).unwrap_or(0)));
    let at = Some(name("router", site));
    LoadBalancer { virtual_ips: vec![virtual_ip], rules: vec![rule], probe: Probe::default(), at }
}

fn pool(site: usize) -> VmPool {
    let members = Pool::of_size(Ipv4Addr::new(10, 0, 0, 1), 4).expect("a pool");
    let at = Some(name("router", site));
    VmPool { members, outbound: Outbound::default(), bypass: [].into(), at }
}

/// A ring, and a chord from every router over a sixteenth of it.
fn router(site: usize, sites: usize) -> Router {
    let ahead = [1, (sites / 16).max(1)].map(|by| (site + by) % sites);
    let links = ahead.into_iter().filter(|other| *other != site);
    Router { links: links.map(|other| (name("router", other), 1)).collect(), route: None }
}

fn outside() -> Destination {
    Destination { endpoint: "198.51.100.1:443".parse().expect("an endpoint"), at: None }
}
