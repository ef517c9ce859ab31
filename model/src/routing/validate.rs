//! The rules that a topology is held to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use itertools::Itertools;

use super::graph::RoutingGraph;
use super::name::{Name, Target};
use super::node::{
    BalancingRule, Destination, FrontDoor, LoadBalancer, ManagedEndpoint, Method, NatGateway, Node,
    Router, ScaleUnit, Service, ServiceIndex, TrafficManager, VmPool,
};
use super::probe::Probe;
use super::topology::Topology;
use crate::nat::{Configuration, Member, Nat, NatError, PortPolicy, VirtualIp};
use crate::time::Duration;

/// The most levels of traffic managers, the first one counted ("Nested Traffic Manager profiles"
/// 2016-10).
pub const NESTING_MAX: usize = 10;
/// The most nodes of a graph (assumed).
pub const NODES_MAX: usize = 20_000;
/// The most things that can fail, VMs and links included (assumed).
pub const COMPONENTS_MAX: usize = 1_000_000;
/// The most hops that a walk may be allowed: the longest time to live of an IPv4 packet.
pub const HOPS_MAX: u16 = 255;

/// The highest weight of an endpoint or origin, and the highest priority of an endpoint ("Traffic
/// Manager routing methods").
const SHARE_MAX: u16 = 1_000;
/// The highest priority of an origin ("Azure Front Door routing methods" 2018).
const ORIGIN_PRIORITY_MAX: u16 = 5;
/// The most failures in a row that a probe bears ("Traffic Manager endpoint monitoring" 2018-12).
const TOLERATED_MAX: u8 = 9;
/// The most requests that a throttle lets through at once (assumed).
const PROXIED_MAX: u32 = 1_000_000;

/// Where a topology breaks a rule, and which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopologyError {
    /// The field: its place in the file, such as `traffic_managers.www.endpoints.weu`.
    pub field: String,
    /// The rule.
    pub rule: TopologyRule,
}

/// The rules of a topology.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TopologyRule {
    /// A graph has at least one node.
    Empty,
    /// More nodes than a graph may have.
    TooManyNodes(usize),
    /// More VMs, links and nodes than a graph may have.
    TooManyComponents(usize),
    /// Two nodes share a name; the other one stands under this field.
    NameTwice(&'static str),
    /// Nothing has this name.
    Dangling(Name),
    /// What has the name is of another kind.
    WrongKind {
        /// The name.
        name: Name,
        /// What it is.
        is: &'static str,
        /// What is needed.
        wanted: &'static str,
    },
    /// What has the name has no such virtual IP.
    NotItsVirtualIp(VirtualIp),
    /// A list that needs an entry has none.
    NoEntries,
    /// A number is out of its range.
    Range {
        /// The number.
        value: u64,
        /// The least there is.
        min: u64,
        /// The most there is.
        max: u64,
    },
    /// The method `priority` needs one at each endpoint.
    NoPriority,
    /// Two endpoints of one traffic manager share a priority; this is the other.
    PriorityTwice(u16, Target),
    /// A region is mapped to two endpoints; this is the other.
    RegionTwice(Name, Target),
    /// Traffic managers are nested deeper than 10 levels: this many.
    TooDeep(usize),
    /// A traffic manager is its own endpoint.
    SelfNested,
    /// Traffic managers lead back to the first one named.
    ManagerCycle(Vec<Name>),
    /// Probes come every 30s or every 10s.
    Interval(Duration),
    /// An answer to a probe takes from 5s to this long.
    Timeout(Duration, Duration),
    /// A virtual IP stands twice.
    VirtualIpTwice(VirtualIp),
    /// Two rules listen to one virtual IP, transport and port.
    RuleTwice(VirtualIp, Service),
    /// Two rules without Floating IP lead to one port of a pool.
    BackendTwice(Name, u16),
    /// An account lives in two units; this is the other.
    OwnedTwice(Name, Name),
    /// A router is linked to itself.
    SelfLinked,
    /// The two ends of a link say what it costs, and differ: here, there.
    LinkCosts(u32, u32),
    /// A static route leads to no neighbour.
    NotLinked(Name),
    /// A translator's pool is another one than that whose way out it is.
    OtherMembers,
    /// A NAT gateway's pool lacks a member of a pool that leaves by it.
    NotInGateway(Name, Member),
    /// The VMs' own addresses make no translator: they are too few, or stand twice.
    Addresses(NatError),
}

type Checked = Result<(), TopologyError>;

/// Every node by its name, with its field in the file.
struct Nodes(BTreeMap<Name, (&'static str, Node)>);

/// Holds a topology to its rules.
pub(super) fn check(topology: &Topology) -> Checked {
    let nodes = Nodes::of(topology)?;
    check_bounds(topology, &nodes)?;
    check_in("hops_max", u64::from(topology.hops_max), 1, u64::from(HOPS_MAX))?;
    topology.steady.iter().try_for_each(|name| nodes.find("steady", name).map(|_| ()))?;
    for (name, (field, node)) in &nodes.0 {
        check_node(&nodes, &format!("{field}.{name}"), name, node)?;
    }
    check_nesting(topology)?;
    check_owners(topology)
}

impl Nodes {
    fn of(topology: &Topology) -> Result<Self, TopologyError> {
        let mut nodes = BTreeMap::new();
        for (field, name, node) in topology.nodes() {
            if let Some((other, _)) = nodes.insert(name.clone(), (field, node)) {
                return broken(format!("{field}.{name}"), TopologyRule::NameTwice(other));
            }
        }
        Ok(Self(nodes))
    }

    fn find(&self, field: &str, name: &Name) -> Result<&Node, TopologyError> {
        let found = self.0.get(name).map(|(_, node)| node);
        found.ok_or_else(|| error(field, TopologyRule::Dangling(name.clone())))
    }

    fn of_kind(
        &self,
        field: &str,
        name: &Name,
        wanted: &'static str,
        is_wanted: impl Fn(&Node) -> bool,
    ) -> Checked {
        let node = self.find(field, name)?;
        let rule = || TopologyRule::WrongKind { name: name.clone(), is: node.kind(), wanted };
        expect(is_wanted(node), field, rule)
    }

    fn router(&self, field: &str, name: &Name) -> Checked {
        self.of_kind(field, name, "a router", |node| matches!(node, Node::Router(_)))
    }

    /// What something leads to may be anything but a client; a virtual IP is that of a balancer.
    fn target(&self, field: &str, target: &Target) -> Checked {
        let is_no_client = |node: &Node| !matches!(node, Node::Client(_));
        self.of_kind(field, &target.node, "anything but a client", is_no_client)?;
        let Some(virtual_ip) = target.virtual_ip else { return Ok(()) };
        let has_it = match self.find(field, &target.node)? {
            Node::LoadBalancer(balancer) => balancer.virtual_ips.contains(&virtual_ip),
            _ => false,
        };
        expect(has_it, field, || TopologyRule::NotItsVirtualIp(virtual_ip))
    }
}

fn check_bounds(topology: &Topology, nodes: &Nodes) -> Checked {
    let count = nodes.0.len();
    expect(count > 0, "clients", || TopologyRule::Empty)?;
    expect(count <= NODES_MAX, "clients", || TopologyRule::TooManyNodes(count))?;
    let slots: usize = topology.pools.values().map(|pool| pool.members.slots().len()).sum();
    let links: usize = topology.routers.values().map(|router| router.links.len()).sum();
    let components = count + slots + links;
    expect(components <= COMPONENTS_MAX, "pools", || TopologyRule::TooManyComponents(components))
}

fn check_node(nodes: &Nodes, field: &str, name: &Name, node: &Node) -> Checked {
    if let Some(router) = node.at() {
        nodes.router(&format!("{field}.at"), router)?;
    }
    match node {
        Node::Client(client) => nodes.target(&format!("{field}.entry"), &client.entry),
        Node::TrafficManager(manager) => check_manager(nodes, field, name, manager),
        Node::FrontDoor(door) => check_door(nodes, field, door),
        Node::LoadBalancer(balancer) => check_balancer(nodes, field, balancer),
        Node::ScaleUnit(unit) => check_unit(nodes, field, unit),
        Node::Pool(pool) => check_pool(nodes, field, name, pool),
        Node::Router(router) => check_router(nodes, field, name, router),
        Node::ServiceIndex(index) => check_index(nodes, field, index),
        Node::NatGateway(NatGateway { .. }) | Node::Destination(Destination { .. }) => Ok(()),
    }
}

fn check_manager(nodes: &Nodes, field: &str, name: &Name, manager: &TrafficManager) -> Checked {
    let endpoints = format!("{field}.endpoints");
    expect(!manager.endpoints.is_empty(), &endpoints, || TopologyRule::NoEntries)?;
    for (target, endpoint) in &manager.endpoints {
        let endpoint_field = format!("{endpoints}.{target}");
        nodes.target(&endpoint_field, target)?;
        expect(target.node != *name, &endpoint_field, || TopologyRule::SelfNested)?;
        check_endpoint(&endpoint_field, manager.method, endpoint)?;
    }
    check_priorities(&endpoints, manager)?;
    check_regions(&endpoints, manager)?;
    check_probe(&format!("{field}.probe"), manager.probe)
}

fn check_endpoint(field: &str, method: Method, endpoint: &ManagedEndpoint) -> Checked {
    let is_missing = method == Method::Priority && endpoint.priority.is_none();
    expect(!is_missing, field, || TopologyRule::NoPriority)?;
    let shares = [("priority", endpoint.priority), ("weight", endpoint.weight)];
    for (name, share) in shares {
        if let Some(share) = share {
            check_in(&format!("{field}.{name}"), share.into(), 1, SHARE_MAX.into())?;
        }
    }
    let children_min = endpoint.children_min.unwrap_or(1);
    check_in(&format!("{field}.children_min"), children_min.into(), 1, u32::MAX.into())
}

fn check_priorities(field: &str, manager: &TrafficManager) -> Checked {
    let mut taken = BTreeMap::new();
    for (target, endpoint) in &manager.endpoints {
        let Some(priority) = endpoint.priority else { continue };
        if let Some(other) = taken.insert(priority, target) {
            let rule = TopologyRule::PriorityTwice(priority, other.clone());
            return broken(format!("{field}.{target}.priority"), rule);
        }
    }
    Ok(())
}

fn check_regions(field: &str, manager: &TrafficManager) -> Checked {
    let mut mapped = BTreeMap::new();
    let endpoints = manager.endpoints.iter();
    let regions = endpoints.flat_map(|(target, it)| it.regions.iter().map(move |r| (r, target)));
    for (region, target) in regions {
        if let Some(other) = mapped.insert(region, target) {
            let rule = TopologyRule::RegionTwice(region.clone(), Target::clone(other));
            return broken(format!("{field}.{target}.regions"), rule);
        }
    }
    Ok(())
}

fn check_door(nodes: &Nodes, field: &str, door: &FrontDoor) -> Checked {
    let origins = format!("{field}.origins");
    expect(!door.origins.is_empty(), &origins, || TopologyRule::NoEntries)?;
    for (target, origin) in &door.origins {
        let origin_field = format!("{origins}.{target}");
        nodes.target(&origin_field, target)?;
        let (priority, weight) = (u64::from(origin.priority), u64::from(origin.weight));
        check_in(&format!("{origin_field}.priority"), priority, 1, ORIGIN_PRIORITY_MAX.into())?;
        check_in(&format!("{origin_field}.weight"), weight, 1, SHARE_MAX.into())?;
    }
    check_probe(&format!("{field}.probe"), door.probe)
}

fn check_probe(field: &str, probe: Probe) -> Checked {
    let longest = match probe.interval.millis() {
        30_000 => Duration::from_secs(10),
        10_000 => Duration::from_secs(9),
        _ => return broken(format!("{field}.interval"), TopologyRule::Interval(probe.interval)),
    };
    let timeout = probe.timeout();
    let fits = (Duration::from_secs(5)..=longest).contains(&timeout);
    expect(fits, &format!("{field}.timeout"), || TopologyRule::Timeout(timeout, longest))?;
    check_in(&format!("{field}.tolerated"), probe.tolerated.into(), 0, TOLERATED_MAX.into())
}

fn check_balancer(nodes: &Nodes, field: &str, balancer: &LoadBalancer) -> Checked {
    let addresses = format!("{field}.virtual_ips");
    let first =
        *balancer.virtual_ips.first().ok_or_else(|| error(&addresses, TopologyRule::NoEntries))?;
    if let Some(twice) = balancer.virtual_ips.iter().duplicates().next() {
        return broken(addresses, TopologyRule::VirtualIpTwice(*twice));
    }
    let rules = format!("{field}.rules");
    let (mut listening, mut backends) = (BTreeSet::new(), BTreeSet::new());
    for rule in &balancer.rules {
        let virtual_ip = rule.virtual_ip.unwrap_or(first);
        nodes.of_kind(&rules, &rule.pool, "a pool", |node| matches!(node, Node::Pool(_)))?;
        let is_its = balancer.virtual_ips.contains(&virtual_ip);
        expect(is_its, &rules, || TopologyRule::NotItsVirtualIp(virtual_ip))?;
        let is_new = listening.insert((virtual_ip, rule.service));
        expect(is_new, &rules, || TopologyRule::RuleTwice(virtual_ip, rule.service))?;
        check_backend(&rules, rule, &mut backends)?;
    }
    check_probe(&format!("{field}.probe"), balancer.probe)
}

/// Without Floating IP, members tell rules apart by their port.
fn check_backend<'a>(
    field: &str,
    rule: &'a BalancingRule,
    taken: &mut BTreeSet<(&'a Name, Service)>,
) -> Checked {
    let port = rule.backend_port.unwrap_or(rule.service.port);
    let backend = (&rule.pool, Service { port, ..rule.service });
    let is_new = rule.floating || taken.insert(backend);
    expect(is_new, field, || TopologyRule::BackendTwice(rule.pool.clone(), port))
}

fn check_unit(nodes: &Nodes, field: &str, unit: &ScaleUnit) -> Checked {
    let is_unit = |node: &Node| matches!(node, Node::ScaleUnit(_));
    for (account, believed) in &unit.stale {
        nodes.of_kind(&format!("{field}.stale.{account}"), believed, "a scale unit", is_unit)?;
    }
    if let Some(target) = &unit.serves_from {
        nodes.target(&format!("{field}.serves_from"), target)?;
    }
    let proxied = unit.throttle.map_or(1, |throttle| throttle.proxied_max);
    let field = format!("{field}.throttle.proxied_max");
    check_in(&field, proxied.into(), 1, PROXIED_MAX.into())
}

fn check_pool(nodes: &Nodes, field: &str, name: &Name, pool: &VmPool) -> Checked {
    let out = &pool.outbound;
    let field = |part: &str| format!("{field}.{part}");
    if let Some(route) = &out.user_route {
        nodes.router(&field("outbound.user_route"), route)?;
    }
    if let Some(gateway) = &out.nat_gateway {
        check_gateway(nodes, &field("outbound.nat_gateway"), name, pool, gateway)?;
    }
    if !out.instance_addresses.is_empty() {
        check_addresses(&field("outbound.instance_addresses"), pool)?;
    }
    for (part, nat) in [("outbound_rule", &out.outbound_rule), ("default", &out.default)] {
        let is_same = nat.as_ref().is_none_or(|nat| nat.pool == pool.members);
        let field = field(&format!("outbound.{part}.pool"));
        expect(is_same, &field, || TopologyRule::OtherMembers)?;
    }
    let is_destination = |node: &Node| matches!(node, Node::Destination(_));
    let field = field("bypass");
    pool.bypass
        .iter()
        .try_for_each(|name| nodes.of_kind(&field, name, "a destination", is_destination))
}

fn check_gateway(
    nodes: &Nodes,
    field: &str,
    name: &Name,
    pool: &VmPool,
    gateway: &Name,
) -> Checked {
    let is_gateway = |node: &Node| matches!(node, Node::NatGateway(_));
    nodes.of_kind(field, gateway, "a NAT gateway", is_gateway)?;
    let Node::NatGateway(NatGateway { nat, .. }) = nodes.find(field, gateway)? else {
        return Ok(());
    };
    let mut members = RoutingGraph::members(pool).map(|(_, member)| member);
    match members.find(|member| !nat.is_member(member.0)) {
        Some(left_out) => broken(field.into(), TopologyRule::NotInGateway(name.clone(), left_out)),
        None => Ok(()),
    }
}

fn check_addresses(field: &str, pool: &VmPool) -> Checked {
    let addresses = pool.outbound.instance_addresses.clone();
    let nat = Configuration::new(addresses, pool.members.clone(), PortPolicy::Static);
    let nat = Nat::new(nat);
    nat.map(|_| ()).map_err(|why| error(field, TopologyRule::Addresses(why)))
}

fn check_router(nodes: &Nodes, field: &str, name: &Name, router: &Router) -> Checked {
    for (other, cost) in &router.links {
        let field = format!("{field}.links.{other}");
        nodes.router(&field, other)?;
        expect(other != name, &field, || TopologyRule::SelfLinked)?;
        check_in(&field, (*cost).into(), 1, u32::MAX.into())?;
        let Node::Router(there) = nodes.find(&field, other)? else { continue };
        let back = *there.links.get(name).unwrap_or(cost);
        expect(back == *cost, &field, || TopologyRule::LinkCosts(*cost, back))?;
    }
    let Some(route) = &router.route else { return Ok(()) };
    let field = format!("{field}.route");
    nodes.router(&field, route)?;
    let links_back = match nodes.find(&field, route)? {
        Node::Router(there) => there.links.contains_key(name),
        _ => false,
    };
    let is_linked = links_back || router.links.contains_key(route);
    expect(is_linked, &field, || TopologyRule::NotLinked(route.clone()))
}

fn check_index(nodes: &Nodes, field: &str, index: &ServiceIndex) -> Checked {
    let field = format!("{field}.endpoints");
    expect(!index.endpoints.is_empty(), &field, || TopologyRule::NoEntries)?;
    for endpoint in &index.endpoints {
        nodes.target(&field, &endpoint.target)?;
        check_in(&field, endpoint.weight.unwrap_or(1).into(), 1, SHARE_MAX.into())?;
    }
    Ok(())
}

fn check_owners(topology: &Topology) -> Checked {
    let mut owners = BTreeMap::new();
    for (name, unit) in &topology.scale_units {
        for account in &unit.owns {
            if let Some(other) = owners.insert(account, name) {
                let rule = TopologyRule::OwnedTwice(account.clone(), Name::clone(other));
                return broken(format!("scale_units.{name}.owns"), rule);
            }
        }
    }
    Ok(())
}

/// Takes traffic managers away from the innermost outwards, level by level; what is left then lies
/// on a cycle or above one.
fn check_nesting(topology: &Topology) -> Checked {
    let mut left: BTreeMap<&Name, Vec<&Name>> =
        topology.traffic_managers.keys().map(|name| (name, nested_in(topology, name))).collect();
    let mut levels = 0;
    while !left.is_empty() {
        let is_outer = |nested: &Vec<&Name>| nested.iter().any(|name| left.contains_key(name));
        let level = left.iter().filter(|(_, nested)| !is_outer(nested));
        let level: Vec<&Name> = level.map(|(name, _)| *name).collect();
        let Some(first) = level.first() else { return cycle(&left) };
        levels += 1;
        if levels > NESTING_MAX {
            let field = format!("traffic_managers.{first}");
            return broken(field, TopologyRule::TooDeep(levels));
        }
        level.iter().for_each(|name| drop(left.remove(name)));
    }
    Ok(())
}

fn nested_in<'a>(topology: &'a Topology, name: &Name) -> Vec<&'a Name> {
    let endpoints = topology.traffic_managers[name].endpoints.keys().map(|target| &target.node);
    endpoints.filter(|name| topology.traffic_managers.contains_key(name)).collect()
}

/// Follows names until one comes again: each that is left leads to another that is.
fn cycle(left: &BTreeMap<&Name, Vec<&Name>>) -> Checked {
    let mut path: Vec<&Name> = Vec::new();
    let mut next = left.keys().next().copied();
    while let Some(name) = next {
        if let Some(start) = path.iter().position(|been| *been == name) {
            let cycle = path[start..].iter().copied().cloned().collect();
            let field = format!("traffic_managers.{name}");
            return broken(field, TopologyRule::ManagerCycle(cycle));
        }
        path.push(name);
        next = left[name].iter().find(|name| left.contains_key(*name)).copied();
    }
    Ok(())
}

fn check_in(field: &str, value: u64, min: u64, max: u64) -> Checked {
    let is_in = (min..=max).contains(&value);
    expect(is_in, field, || TopologyRule::Range { value, min, max })
}

fn expect(holds: bool, field: &str, rule: impl FnOnce() -> TopologyRule) -> Checked {
    if holds { Ok(()) } else { Err(error(field, rule())) }
}

fn broken<T>(field: String, rule: TopologyRule) -> Result<T, TopologyError> {
    Err(TopologyError { field, rule })
}

fn error(field: &str, rule: TopologyRule) -> TopologyError {
    TopologyError { field: field.into(), rule }
}

impl fmt::Display for TopologyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.field, self.rule)
    }
}

impl fmt::Display for TopologyRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "the graph has no node: it needs one at least"),
            Self::TooManyNodes(nodes) => {
                write!(f, "{nodes} nodes are more than a graph may have ({NODES_MAX})")
            }
            Self::TooManyComponents(count) => write!(
                f,
                "{count} nodes, VMs and links are more than a graph may have ({COMPONENTS_MAX})"
            ),
            Self::NameTwice(other) => {
                write!(f, "the name stands under `{other}`, too: a name is that of one node")
            }
            Self::Dangling(name) => write!(f, "no node is called {name}"),
            Self::WrongKind { name, is, wanted } => {
                write!(f, "{name} is a {is}: it must be {wanted}")
            }
            Self::NotItsVirtualIp(virtual_ip) => {
                write!(f, "{} is no virtual IP of that load balancer", virtual_ip.0)
            }
            Self::NoEntries => write!(f, "it is empty: it needs one entry at least"),
            Self::Range { value, min, max } => {
                write!(f, "{value} is out of range: it must be {min} to {max}")
            }
            Self::NoPriority => write!(f, "the method `priority` needs `priority` here"),
            Self::PriorityTwice(priority, other) => {
                write!(f, "{priority} is the priority of {other}, too: each has its own")
            }
            Self::RegionTwice(region, other) => {
                write!(f, "{region} is mapped to {other}, too: a region is mapped once")
            }
            Self::TooDeep(levels) => write!(
                f,
                "traffic managers are nested {levels} levels deep here: {NESTING_MAX} at most"
            ),
            Self::SelfNested => write!(f, "a traffic manager is no endpoint of its own"),
            Self::ManagerCycle(names) => {
                let names = names.iter().format(" > ");
                write!(f, "traffic managers lead back to where they began: {names}")
            }
            Self::Interval(interval) => {
                write!(f, "{interval} is no interval of probes: it must be 30s or 10s")
            }
            Self::Timeout(timeout, longest) => {
                write!(f, "{timeout} is out of range: it must be 5s to {longest}")
            }
            Self::VirtualIpTwice(virtual_ip) => {
                write!(f, "{} stands twice: each is named once", virtual_ip.0)
            }
            Self::RuleTwice(virtual_ip, service) => write!(
                f,
                "two rules listen to {} {}:{}",
                service.transport, virtual_ip.0, service.port
            ),
            Self::BackendTwice(pool, port) => write!(
                f,
                "two rules lead to port {port} of {pool}: one must be `floating`, or have another \
                 `backend_port`"
            ),
            Self::OwnedTwice(account, other) => {
                write!(f, "{account} lives in {other}, too: an account lives in one unit")
            }
            Self::SelfLinked => write!(f, "a router is not linked to itself"),
            Self::LinkCosts(here, there) => {
                write!(f, "the link costs {here} here and {there} at its other end")
            }
            Self::NotLinked(name) => write!(f, "{name} is no neighbour: a route needs a link"),
            Self::OtherMembers => write!(f, "it must be the pool's own `members`"),
            Self::NotInGateway(pool, member) => {
                write!(f, "{pool}/{} is not in the gateway's `nat.pool`", member.0)
            }
            Self::Addresses(why) => write!(f, "an address for each slot: {why}"),
        }
    }
}

impl std::error::Error for TopologyError {}
