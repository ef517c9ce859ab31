//! A routing graph as a person writes it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::name::Name;
use super::node::{
    Client, Destination, FrontDoor, LoadBalancer, NatGateway, Node, Router, ScaleUnit,
    ServiceIndex, TrafficManager, VmPool, is_default,
};
use super::validate::HOPS_MAX;

/// What a person writes to describe a routing graph: its nodes by kind and name. No two nodes have
/// one name. [`super::RoutingGraph::new`] holds it to its rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Topology {
    /// Which way out is taken where a pool has several (default: `nat-gateway-overview`).
    #[serde(default, skip_serializing_if = "is_default")]
    pub precedence: Precedence,
    /// What weighted answers are drawn from (default: 0).
    #[serde(default, skip_serializing_if = "is_default")]
    pub seed: u64,
    /// The most hops that a walk takes, 1 to 255 (default: 255, the longest time to live of an IPv4
    /// packet).
    #[serde(default = "Topology::hops_max_default", skip_serializing_if = "Topology::is_hops_max")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 255)))]
    pub hops_max: u16,
    /// Nodes that are taken never to fail, besides those that answer from many sites at once.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub steady: BTreeSet<Name>,
    /// Who asks.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub clients: BTreeMap<Name, Client>,
    /// DNS names with several answers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub traffic_managers: BTreeMap<Name, TrafficManager>,
    /// Proxies at the edge.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub front_doors: BTreeMap<Name, FrontDoor>,
    /// Virtual IPs before pools.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub load_balancers: BTreeMap<Name, LoadBalancer>,
    /// Units that own accounts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub scale_units: BTreeMap<Name, ScaleUnit>,
    /// VMs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pools: BTreeMap<Name, VmPool>,
    /// Plain routers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub routers: BTreeMap<Name, Router>,
    /// Translators that pools share.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub nat_gateways: BTreeMap<Name, NatGateway>,
    /// What the outside has to offer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub destinations: BTreeMap<Name, Destination>,
    /// Lists of endpoints that clients discover.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub service_indexes: BTreeMap<Name, ServiceIndex>,
}

/// How a VM's connection can leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Means {
    /// A user-defined route to an appliance.
    UserRoute,
    /// A NAT gateway.
    NatGateway,
    /// The VM's own public address.
    InstanceAddress,
    /// What an outbound rule of a load balancer allots.
    OutboundRule,
    /// What is allotted where nothing is declared.
    Default,
}

/// Which way out is taken where a pool has several: each document's order, by its date.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Precedence {
    /// "What is Azure NAT Gateway", overview: user route, NAT gateway, instance address, outbound
    /// rule, default.
    #[default]
    NatGatewayOverview,
    /// "Use SNAT for outbound connections" (Azure Load Balancer, 2022): an instance address comes
    /// before all others.
    #[serde(rename = "load-balancer-2022")]
    LoadBalancer2022,
}

impl Precedence {
    /// The ways out, the one that is taken first first.
    pub const fn table(self) -> [Means; 5] {
        use Means::{Default, InstanceAddress, NatGateway, OutboundRule, UserRoute};
        match self {
            Self::NatGatewayOverview => {
                [UserRoute, NatGateway, InstanceAddress, OutboundRule, Default]
            }
            Self::LoadBalancer2022 => {
                [InstanceAddress, UserRoute, NatGateway, OutboundRule, Default]
            }
        }
    }
}

impl Topology {
    /// Every node with its field in the file and its name, in the order of the fields and then of
    /// the names.
    pub fn nodes(&self) -> Vec<(&'static str, Name, Node)> {
        let mut nodes = Vec::new();
        let mut of = |field, some: Vec<(Name, Node)>| {
            nodes.extend(some.into_iter().map(|(name, node)| (field, name, node)));
        };
        of("clients", nodes_of(&self.clients, Node::Client));
        of("traffic_managers", nodes_of(&self.traffic_managers, Node::TrafficManager));
        of("front_doors", nodes_of(&self.front_doors, Node::FrontDoor));
        of("load_balancers", nodes_of(&self.load_balancers, Node::LoadBalancer));
        of("scale_units", nodes_of(&self.scale_units, Node::ScaleUnit));
        of("pools", nodes_of(&self.pools, Node::Pool));
        of("routers", nodes_of(&self.routers, Node::Router));
        of("nat_gateways", nodes_of(&self.nat_gateways, Node::NatGateway));
        of("destinations", nodes_of(&self.destinations, Node::Destination));
        of("service_indexes", nodes_of(&self.service_indexes, Node::ServiceIndex));
        nodes
    }

    const fn hops_max_default() -> u16 {
        HOPS_MAX
    }

    #[allow(clippy::trivially_copy_pass_by_ref)]
    const fn is_hops_max(hops: &u16) -> bool {
        *hops == HOPS_MAX
    }
}

fn nodes_of<T: Clone>(nodes: &BTreeMap<Name, T>, node: fn(T) -> Node) -> Vec<(Name, Node)> {
    nodes.iter().map(|(name, it)| (name.clone(), node(it.clone()))).collect()
}

impl Default for Topology {
    fn default() -> Self {
        Self {
            precedence: Precedence::default(),
            seed: 0,
            hops_max: HOPS_MAX,
            steady: BTreeSet::new(),
            clients: BTreeMap::new(),
            traffic_managers: BTreeMap::new(),
            front_doors: BTreeMap::new(),
            load_balancers: BTreeMap::new(),
            scale_units: BTreeMap::new(),
            pools: BTreeMap::new(),
            routers: BTreeMap::new(),
            nat_gateways: BTreeMap::new(),
            destinations: BTreeMap::new(),
            service_indexes: BTreeMap::new(),
        }
    }
}

impl fmt::Display for Means {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UserRoute => "user route",
            Self::NatGateway => "NAT gateway",
            Self::InstanceAddress => "instance address",
            Self::OutboundRule => "outbound rule",
            Self::Default => "default",
        })
    }
}
