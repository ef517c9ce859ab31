//! A routing graph that has been held to its rules, with every name resolved.

use std::fmt;
use std::hash::Hasher;
use std::sync::Arc;

use itertools::Itertools;
use petgraph::graph::{DiGraph, EdgeIndex, NodeIndex};
use petgraph::visit::EdgeRef;
use rustc_hash::{FxHashMap, FxHasher};
use serde::{Deserialize, Serialize};

use super::event::Connection;
use super::name::{Component, MemberName, Name, Place, Target};
use super::node::{NatGateway, Node, VmPool};
use super::topology::{Means, Topology};
use super::validate::{TopologyError, check};
use crate::flow::{Endpoint, FiveTuple};
use crate::nat::{Member, Nat, VirtualIp};

/// A routing graph: the configuration of a network. Copies share it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "Topology", into = "Topology")]
pub struct RoutingGraph(Arc<Resolved>);

#[derive(Debug)]
struct Resolved {
    topology: Topology,
    graph: DiGraph<(Name, Node), Edge>,
    by_name: FxHashMap<Name, NodeIndex>,
    leads: Vec<Vec<Lead>>,
    attached: Vec<Option<NodeIndex>>,
    identities: Vec<u64>,
    owners: FxHashMap<Name, NodeIndex>,
    components: Vec<Standing>,
    by_component: FxHashMap<Component, usize>,
    /// The component of the first slot of each pool.
    slots: Vec<usize>,
}

/// What can fail, and whether it does so of itself.
#[derive(Debug)]
struct Standing {
    component: Component,
    can_fail: bool,
}

/// What something leads to: a node, and for a load balancer which of its virtual IPs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lead {
    /// The node.
    pub node: NodeIndex,
    /// The virtual IP, where the node is a load balancer.
    pub virtual_ip: Option<VirtualIp>,
}

/// How one node leads to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Edge {
    /// A client looks it up or connects to it.
    Entry,
    /// A traffic manager may answer with it.
    Answer,
    /// It is an origin of a front door.
    Origin,
    /// A service index lists it.
    Listed,
    /// A load balancer has a rule for the pool.
    Balanced,
    /// A scale unit serves from it.
    Serves,
    /// A scale unit believes that one of its neighbour's accounts lives there.
    Believes,
    /// It hangs at the router.
    Attached,
    /// A link of two routers; there is one edge for either direction.
    Link {
        /// What the link costs, 1 or more.
        cost: u32,
        /// Its index among the components.
        component: usize,
    },
    /// A pool may leave by it.
    WayOut(Means),
    /// A pool reaches the destination by a private or service endpoint.
    Bypass,
}

impl RoutingGraph {
    /// The graph of a topology.
    ///
    /// # Errors
    /// When the topology breaks a rule; the error names where and which.
    pub fn new(topology: Topology) -> Result<Self, TopologyError> {
        check(&topology)?;
        Ok(Self(Arc::new(Resolved::of(topology))))
    }

    /// What a person wrote.
    pub fn topology(&self) -> &Topology {
        &self.0.topology
    }

    /// The graph as petgraph has it: every node with its name, every edge with how it leads.
    pub fn petgraph(&self) -> &DiGraph<(Name, Node), Edge> {
        &self.0.graph
    }

    /// The node of this name.
    pub fn index(&self, name: &Name) -> Option<NodeIndex> {
        self.0.by_name.get(name).copied()
    }

    /// What a node is.
    pub fn node(&self, index: NodeIndex) -> &Node {
        &self.0.graph[index].1
    }

    /// What a node is called.
    pub fn name(&self, index: NodeIndex) -> &Name {
        &self.0.graph[index].0
    }

    /// Every node, in the order of the fields of a file and then of the names.
    pub fn nodes(&self) -> impl Iterator<Item = NodeIndex> {
        self.0.graph.node_indices()
    }

    /// The node of this name, if there is one.
    pub fn named(&self, name: &Name) -> Option<&Node> {
        self.index(name).map(|index| self.node(index))
    }

    /// What a node leads to: its entry, endpoints, origins, list, pools or what it serves from, in
    /// the order in which the node has them (maps in the order of their keys).
    pub fn leads(&self, index: NodeIndex) -> &[Lead] {
        &self.0.leads[index.index()]
    }

    /// The router that a node hangs at; a router hangs at itself.
    pub fn router_of(&self, index: NodeIndex) -> Option<NodeIndex> {
        self.0.attached[index.index()]
    }

    /// The scale unit that owns an account.
    pub fn owner(&self, account: &Name) -> Option<NodeIndex> {
        self.0.owners.get(account).copied()
    }

    /// The number that stands for a node's name where names are hashed.
    pub fn identity(&self, index: NodeIndex) -> u64 {
        self.0.identities[index.index()]
    }

    /// What can fail, each with its index in a [`HealthVector`](super::HealthVector): nodes but
    /// clients, VMs, links.
    pub fn components(&self) -> impl Iterator<Item = (usize, &Component)> {
        let all = self.0.components.iter().enumerate();
        let named = all.map(|(at, standing)| (at, &standing.component));
        named.filter(|(at, component)| self.component(component) == Some(*at))
    }

    /// The index of what can fail.
    pub fn component(&self, component: &Component) -> Option<usize> {
        self.0.by_component.get(component).copied()
    }

    /// Whether it fails of itself: unlike what answers from many sites at once, and what is named
    /// as steady.
    pub fn can_fail(&self, component: usize) -> bool {
        self.0.components.get(component).is_some_and(|standing| standing.can_fail)
    }

    /// The index of a node among what can fail. A client has one too, but is never down.
    pub fn component_of(node: NodeIndex) -> usize {
        node.index()
    }

    /// The index among what can fail of the VM in a slot (from 0) of a pool.
    pub fn component_of_slot(&self, pool: NodeIndex, slot: usize) -> usize {
        self.0.slots[pool.index()] + slot
    }

    /// The links of a router: to which neighbour, at what cost, and their index among what can
    /// fail.
    pub fn links(&self, router: NodeIndex) -> impl Iterator<Item = (NodeIndex, u32, usize)> {
        self.0.graph.edges(router).filter_map(|edge| match *edge.weight() {
            Edge::Link { cost, component } => Some((edge.target(), cost, component)),
            _ => None,
        })
    }

    /// Whether a step from one place to another is one of the graph's: along an edge, to or from
    /// the router that a node hangs at, to a member of a pool or from it, from a unit to another
    /// (which it may proxy to), or to a destination from what leaves for it.
    pub fn has_step(&self, from: &Place, to: &Place) -> bool {
        match (from, to) {
            (Place::Node(from), Place::Node(to)) => self.has_edge(from, to),
            (Place::Node(pool), Place::Member(member))
            | (Place::Member(member), Place::Node(pool)) => {
                member.pool == *pool || self.pool_leads(&member.pool, pool)
            }
            (Place::Member(_), Place::Member(_)) => false,
        }
    }

    fn has_edge(&self, from: &Name, to: &Name) -> bool {
        let (Some(a), Some(b)) = (self.index(from), self.index(to)) else { return false };
        let graph = &self.0.graph;
        let leaves = |node| !matches!(node, &Node::Client(_));
        graph.contains_edge(a, b)
            || self.router_of(b) == Some(a)
            || match (self.node(a), self.node(b)) {
                (Node::ScaleUnit(_), Node::ScaleUnit(_)) => true,
                (from, Node::Destination(_)) => leaves(from),
                _ => false,
            }
    }

    fn pool_leads(&self, pool: &Name, to: &Name) -> bool {
        self.has_edge(pool, to)
    }

    /// Under which name, virtual IP included, one node leads to another; the first one where there
    /// are several.
    pub fn target_between(&self, from: &Name, to: &Name) -> Option<Target> {
        let (from, to) = (self.index(from)?, self.index(to)?);
        let lead = self.leads(from).iter().find(|lead| lead.node == to)?;
        Some(Target { node: self.name(to).clone(), virtual_ip: lead.virtual_ip })
    }

    /// The flow that a connection is before any translation; `None` if the graph has no such member
    /// or destination.
    pub fn flow_of(&self, connection: &Connection) -> Option<FiveTuple> {
        let Node::Destination(destination) = self.named(&connection.destination)? else {
            return None;
        };
        let MemberName { pool, member } = &connection.member;
        let Node::Pool(pool) = self.named(pool)? else { return None };
        pool.members.slot_of(*member)?;
        let source = Endpoint::new(member.0, connection.port);
        let transport = connection.transport;
        Some(FiveTuple { transport, source, destination: destination.endpoint })
    }

    /// The translator of a way out of a pool, and the node that has it: the gateway, or the pool
    /// itself. `None` where the pool has no such way out, or one that does not translate.
    pub fn translator_of(&self, pool: &Name, means: Means) -> Option<(Name, Nat)> {
        let Node::Pool(it) = self.named(pool)? else { return None };
        let out = &it.outbound;
        let own = |nat: &Option<Nat>| Some((pool.clone(), nat.clone()?));
        match means {
            Means::UserRoute => None,
            Means::NatGateway => {
                let gateway = out.nat_gateway.as_ref()?;
                let Node::NatGateway(NatGateway { nat, .. }) = self.named(gateway)? else {
                    return None;
                };
                Some((gateway.clone(), nat.clone()))
            }
            Means::InstanceAddress => own(&it.instance_nat()),
            Means::OutboundRule => own(&out.outbound_rule),
            Means::Default => own(&out.default),
        }
    }

    /// The VMs of a pool, each with its slot (from 0).
    pub fn members(pool: &VmPool) -> impl Iterator<Item = (usize, Member)> {
        let slots = pool.members.slots().iter().enumerate();
        slots.filter_map(|(slot, member)| Some((slot, (*member)?)))
    }
}

/// How many nodes of each kind there are.
impl fmt::Display for RoutingGraph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = self.0.graph.node_weights().map(|(_, node)| node.kind());
        let counted = |(kind, count): (&str, usize)| match (count, kind.strip_suffix('x')) {
            (1, _) => format!("1 {kind}"),
            (_, Some(stem)) => format!("{count} {stem}xes"),
            (_, None) => format!("{count} {kind}s"),
        };
        let counts = kinds.dedup_with_count().map(|(count, kind)| counted((kind, count)));
        write!(f, "{}", counts.format(", "))
    }
}

impl Resolved {
    fn of(topology: Topology) -> Self {
        let mut graph = DiGraph::new();
        let mut by_name = FxHashMap::default();
        for (_, name, node) in topology.nodes() {
            by_name.insert(name.clone(), graph.add_node((name, node)));
        }
        let (components, by_component, slots) = components_of(&graph, &topology);
        let mut it = Self {
            leads: graph.node_weights().map(|(_, node)| leads_of(&by_name, node)).collect(),
            attached: graph.node_indices().map(|at| attached(&graph, &by_name, at)).collect(),
            identities: graph.node_weights().map(|(name, _)| identity_of(name)).collect(),
            owners: owners_of(&graph),
            topology,
            graph,
            by_name,
            components,
            by_component,
            slots,
        };
        it.add_edges();
        it
    }

    fn add_edges(&mut self) {
        for at in self.graph.node_indices().collect::<Vec<_>>() {
            let kind = lead_kind(&self.graph[at].1);
            for lead in self.leads[at.index()].clone() {
                self.graph.update_edge(at, lead.node, kind);
            }
            if let Some(router) = self.attached[at.index()].filter(|router| *router != at) {
                self.add_edge(at, router, Edge::Attached);
            }
            self.add_others(at);
        }
    }

    fn add_others(&mut self, at: NodeIndex) {
        match self.graph[at].1.clone() {
            Node::Pool(pool) => self.add_ways_out(at, &pool),
            Node::Router(router) => {
                router.links.iter().for_each(|(to, cost)| self.add_link(at, to, *cost));
            }
            Node::ScaleUnit(unit) => {
                unit.stale.values().for_each(|to| self.add_named(at, to, Edge::Believes));
            }
            Node::Client(_)
            | Node::TrafficManager(_)
            | Node::FrontDoor(_)
            | Node::LoadBalancer(_)
            | Node::NatGateway(_)
            | Node::Destination(_)
            | Node::ServiceIndex(_) => {}
        }
    }

    fn add_ways_out(&mut self, at: NodeIndex, pool: &VmPool) {
        let named = |means, name: &Option<Name>| name.clone().map(|name| (name, means));
        let out = &pool.outbound;
        let ways =
            [named(Means::UserRoute, &out.user_route), named(Means::NatGateway, &out.nat_gateway)];
        for (to, means) in ways.into_iter().flatten() {
            self.add_named(at, &to, Edge::WayOut(means));
        }
        pool.bypass.iter().for_each(|to| self.add_named(at, to, Edge::Bypass));
    }

    fn add_link(&mut self, at: NodeIndex, to: &Name, cost: u32) {
        let link = Component::link(self.graph[at].0.clone(), to.clone());
        let (to, component) = (self.by_name[to], self.by_component[&link]);
        self.graph.update_edge(at, to, Edge::Link { cost, component });
        self.graph.update_edge(to, at, Edge::Link { cost, component });
    }

    fn add_named(&mut self, at: NodeIndex, to: &Name, edge: Edge) {
        self.add_edge(at, self.by_name[to], edge);
    }

    fn add_edge(&mut self, at: NodeIndex, to: NodeIndex, edge: Edge) -> EdgeIndex {
        self.graph.add_edge(at, to, edge)
    }
}

/// What stands for a name where names are hashed: the same on every machine.
fn identity_of(name: &Name) -> u64 {
    let mut hasher = FxHasher::default();
    name.as_str().bytes().for_each(|byte| hasher.write_u8(byte));
    mix(hasher.finish())
}

/// Every bit of the answer depends on every bit of what is asked (the finalizer of splitmix64).
pub(super) const fn mix(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

fn lead_kind(node: &Node) -> Edge {
    match node {
        Node::Client(_) => Edge::Entry,
        Node::TrafficManager(_) => Edge::Answer,
        Node::FrontDoor(_) => Edge::Origin,
        Node::ServiceIndex(_) => Edge::Listed,
        Node::LoadBalancer(_) => Edge::Balanced,
        Node::ScaleUnit(_)
        | Node::Pool(_)
        | Node::Router(_)
        | Node::NatGateway(_)
        | Node::Destination(_) => Edge::Serves,
    }
}

fn leads_of(by_name: &FxHashMap<Name, NodeIndex>, node: &Node) -> Vec<Lead> {
    targets_of(node)
        .into_iter()
        .map(|target| Lead { node: by_name[&target.node], virtual_ip: target.virtual_ip })
        .collect()
}

/// What a node leads to by name, in the order of [`RoutingGraph::leads`].
fn targets_of(node: &Node) -> Vec<Target> {
    match node {
        Node::Client(client) => vec![client.entry.clone()],
        Node::TrafficManager(manager) => manager.endpoints.keys().cloned().collect(),
        Node::FrontDoor(door) => door.origins.keys().cloned().collect(),
        Node::ServiceIndex(index) => index.endpoints.iter().map(|it| it.target.clone()).collect(),
        Node::LoadBalancer(balancer) => {
            balancer.rules.iter().map(|rule| Target::node(rule.pool.clone())).collect()
        }
        Node::ScaleUnit(unit) => unit.serves_from.iter().cloned().collect(),
        Node::Pool(_) | Node::Router(_) | Node::NatGateway(_) | Node::Destination(_) => vec![],
    }
}

fn attached(
    graph: &DiGraph<(Name, Node), Edge>,
    by_name: &FxHashMap<Name, NodeIndex>,
    at: NodeIndex,
) -> Option<NodeIndex> {
    match &graph[at].1 {
        Node::Router(_) => Some(at),
        node => node.at().map(|router| by_name[router]),
    }
}

fn owners_of(graph: &DiGraph<(Name, Node), Edge>) -> FxHashMap<Name, NodeIndex> {
    let mut owners = FxHashMap::default();
    for at in graph.node_indices() {
        if let Node::ScaleUnit(unit) = &graph[at].1 {
            owners.extend(unit.owns.iter().map(|account| (account.clone(), at)));
        }
    }
    owners
}

type Components = (Vec<Standing>, FxHashMap<Component, usize>, Vec<usize>);

fn components_of(graph: &DiGraph<(Name, Node), Edge>, topology: &Topology) -> Components {
    let mut components = Vec::new();
    for (name, node) in graph.node_weights() {
        let can_fail = !node.is_steady() && !topology.steady.contains(name);
        components.push(Standing { component: Component::node(name.clone()), can_fail });
    }
    let mut slots = vec![0; graph.node_count()];
    for at in graph.node_indices() {
        if let (name, Node::Pool(pool)) = &graph[at] {
            slots[at.index()] = components.len();
            components.extend(vms_of(name, pool, !topology.steady.contains(name)));
        }
    }
    components.extend(links_of(topology));
    let mut by_component = FxHashMap::default();
    for (at, standing) in components.iter().enumerate().filter(|(at, _)| !is_client(graph, *at)) {
        by_component.entry(standing.component.clone()).or_insert(at);
    }
    (components, by_component, slots)
}

fn is_client(graph: &DiGraph<(Name, Node), Edge>, at: usize) -> bool {
    let node = graph.node_weight(NodeIndex::new(at));
    matches!(node, Some((_, Node::Client(_))))
}

/// A component for each slot. A hole cannot fail; its component goes by the name of the pool, which
/// has one of its own before it.
fn vms_of(name: &Name, pool: &VmPool, can_fail: bool) -> Vec<Standing> {
    let slots = pool.members.slots().iter();
    let vm = |member: &Option<Member>| {
        let member = member.map(|member| MemberName { pool: name.clone(), member });
        let is_there = member.is_some();
        let place = member.map_or(Place::Node(name.clone()), Place::Member);
        Standing { component: Component::Place(place), can_fail: can_fail && is_there }
    };
    slots.map(vm).collect()
}

fn links_of(topology: &Topology) -> Vec<Standing> {
    let routers = topology.routers.iter();
    let links = routers.flat_map(|(one, router)| {
        router.links.keys().map(move |other| Component::link(one.clone(), other.clone()))
    });
    let links: std::collections::BTreeSet<Component> = links.collect();
    links.into_iter().map(|component| Standing { component, can_fail: true }).collect()
}

impl PartialEq for RoutingGraph {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.topology == other.0.topology
    }
}

impl TryFrom<Topology> for RoutingGraph {
    type Error = TopologyError;

    fn try_from(topology: Topology) -> Result<Self, TopologyError> {
        Self::new(topology)
    }
}

impl From<RoutingGraph> for Topology {
    fn from(graph: RoutingGraph) -> Self {
        Arc::try_unwrap(graph.0).map_or_else(|shared| shared.topology.clone(), |it| it.topology)
    }
}
