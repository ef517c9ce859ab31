//! What stands in a routing graph: the nodes as a person writes them.
//!
//! Where a number is a document's, its field says so with title and date; what is called *assumed*
//! was chosen here.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::name::{Name, Target};
use super::probe::Probe;
use super::topology::Means;
use crate::flow::{Endpoint, Transport};
use crate::nat::{Configuration, Nat, Pool, PortPolicy, VirtualIp};
use crate::text::serde_as_text;
use crate::time::Duration;

/// A node of the graph. A pool is the largest, and most graphs have few of the others.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant)]
pub enum Node {
    /// Who asks.
    Client(Client),
    /// A DNS name with several answers.
    TrafficManager(TrafficManager),
    /// A proxy at the edge that chooses an origin.
    FrontDoor(FrontDoor),
    /// Several virtual IPs before pools.
    LoadBalancer(LoadBalancer),
    /// A stateful unit that owns accounts.
    ScaleUnit(ScaleUnit),
    /// VMs.
    Pool(VmPool),
    /// A plain router of a backbone.
    Router(Router),
    /// A translator that pools share.
    NatGateway(NatGateway),
    /// What the outside has to offer.
    Destination(Destination),
    /// A list of endpoints that a client discovers and caches.
    ServiceIndex(ServiceIndex),
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// What it looks up, or connects to.
    pub entry: Target,
    /// Where it is, as geographic answers see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Name>,
    /// How far nodes are from it, in milliseconds; one that is not named is the farthest.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub latency_ms: BTreeMap<Name, u32>,
    /// What it asks for (default: `tcp 443`).
    #[serde(default, skip_serializing_if = "is_default")]
    pub service: Service,
    /// The router it hangs at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Name>,
}

/// What a load balancer's rule listens to, but for its virtual IP; written `tcp 443`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(inline, from = "String", into = "String"),
    schemars(extend("pattern" = crate::schema::service())),
    schemars(extend("examples" = ["tcp 443"])),
)]
pub struct Service {
    /// What carries it.
    pub transport: Transport,
    /// Its port.
    pub port: u16,
}

/// A DNS name with several answers ("Traffic Manager routing methods", "Nested Traffic Manager
/// profiles" 2016-10, "Traffic Manager endpoint monitoring" 2018-12).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TrafficManager {
    /// How it chooses.
    pub method: Method,
    /// What it chooses among, each with its settings.
    pub endpoints: BTreeMap<Target, ManagedEndpoint>,
    /// How long whoever asked keeps an answer (default, assumed: 60s). Nested names answer as
    /// one: the time of the name that was asked counts (assumed).
    #[serde(default = "TrafficManager::ttl_default")]
    pub ttl: Duration,
    /// Switched off as a whole: it has no answer (default: false).
    #[serde(default, skip_serializing_if = "is_default")]
    pub disabled: bool,
    /// How it learns what is down.
    #[serde(default, skip_serializing_if = "is_default")]
    pub probe: Probe,
}

/// How a traffic manager chooses ("Traffic Manager routing methods").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// The available endpoint of the lowest priority.
    Priority,
    /// At random among the available ones, by weight, anew for each answer.
    Weighted,
    /// The available endpoint that is nearest to the client; when the nearest is down, the next
    /// nearest ("Traffic Manager routing methods").
    Performance,
    /// The nearest endpoint; when it is down, all other available ones in equal shares ("Traffic
    /// Manager endpoint monitoring" 2018-12).
    PerformanceAllOthers,
    /// The endpoint that the client's region is mapped to, even if it is down.
    Geographic,
}

/// An endpoint of a traffic manager.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ManagedEndpoint {
    /// 1 to 1,000, unlike that of every other endpoint; the lowest is chosen first. Needed by the
    /// method `priority` alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 1000)))]
    pub priority: Option<u16>,
    /// Its share of answers, 1 to 1,000 (default: 1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 1000)))]
    pub weight: Option<u16>,
    /// The regions that are mapped to it; `world` is every region that is mapped nowhere else.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub regions: BTreeSet<Name>,
    /// How many endpoints of a nested traffic manager must be online for it to count as online
    /// (default: 1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub children_min: Option<u32>,
    /// Whether it is in use (default: enabled).
    #[serde(default, skip_serializing_if = "is_default")]
    pub setting: Setting,
}

/// Whether an endpoint is in use.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Setting {
    /// It is in use and has been probed.
    #[default]
    Enabled,
    /// It is in use, but has not been probed yet; it stays so as long as it is set.
    Checking,
    /// It is out.
    Disabled,
}

/// A proxy at the edge that chooses an origin ("Azure Front Door routing methods" 2018).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FrontDoor {
    /// What it chooses among, each with its settings.
    pub origins: BTreeMap<Target, Origin>,
    /// How much slower than the fastest an origin may be and still be chosen, in milliseconds
    /// (default: 0).
    #[serde(default, skip_serializing_if = "is_default")]
    pub sensitivity_ms: u32,
    /// How long it remembers which scale unit has an account, as response headers tell it; without
    /// it, it learns nothing. (The story "Global VSTS availability issues – 22 May 2018".)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub affinity: Option<Duration>,
    /// How it learns what is down.
    #[serde(default, skip_serializing_if = "is_default")]
    pub probe: Probe,
    /// The router it hangs at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Name>,
}

/// An origin of a front door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// 1 to 5 (default: 1); the lowest is chosen first, and several may share one.
    #[serde(default = "Origin::priority_default")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 5)))]
    pub priority: u16,
    /// Its share, 1 to 1,000 (default: 50).
    #[serde(default = "Origin::weight_default")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 1000)))]
    pub weight: u16,
    /// How far it is from the edge, in milliseconds (default: 0); a client that names it knows
    /// better.
    #[serde(default, skip_serializing_if = "is_default")]
    pub latency_ms: u32,
    /// Whether it is out (default: false).
    #[serde(default, skip_serializing_if = "is_default")]
    pub disabled: bool,
}

/// Several virtual IPs before pools.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LoadBalancer {
    /// Its addresses; the first is meant where none is named.
    #[cfg_attr(feature = "schema", schemars(length(min = 1), extend("uniqueItems" = true)))]
    pub virtual_ips: Vec<VirtualIp>,
    /// What it listens to, each with where it goes.
    pub rules: Vec<BalancingRule>,
    /// How it learns which members are down.
    #[serde(default, skip_serializing_if = "is_default")]
    pub probe: Probe,
    /// The router it hangs at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Name>,
}

/// What a load balancer listens to, and where it goes ("Multiple frontends for Azure Load
/// Balancer" 2016-08).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BalancingRule {
    /// The virtual IP; without it, the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub virtual_ip: Option<VirtualIp>,
    /// Transport and port.
    pub service: Service,
    /// The pool.
    pub pool: Name,
    /// The port on the members; without it, that of the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend_port: Option<u16>,
    /// Whether members see the virtual IP as destination (Floating IP): only then may two rules
    /// share a port of a pool (default: false).
    #[serde(default, skip_serializing_if = "is_default")]
    pub floating: bool,
}

/// A stateful unit that owns accounts, and proxies requests for those of others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ScaleUnit {
    /// The accounts that live here, and nowhere else.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub owns: BTreeSet<Name>,
    /// Accounts that it believes to live in another unit than they do: its copy of the catalogue
    /// is old.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stale: BTreeMap<Name, Name>,
    /// What serves the requests that it does not proxy: a load balancer, a pool, a service that it
    /// calls. Without it, the unit itself does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serves_from: Option<Target>,
    /// How many requests of others it has in hand at most; without it, any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttle: Option<Throttle>,
    /// The router it hangs at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Name>,
}

/// How many unauthenticated requests a scale unit has in hand at most. (The story "Global VSTS
/// availability issues – 22 May 2018": requests that it proxies count as such.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Throttle {
    /// How many at once: 1 to 1,000,000.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 1_000_000)))]
    pub proxied_max: u32,
    /// How long a proxied request is in hand (default, assumed: 1s).
    #[serde(default = "Throttle::in_hand_default")]
    pub in_hand: Duration,
    /// Whether probes count as such requests, too: a unit at its limit then looks down (default:
    /// false; the story's units did so).
    #[serde(default, skip_serializing_if = "is_default")]
    pub probes_count: bool,
}

/// VMs, and how their connections leave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct VmPool {
    /// The VMs: addresses, ranges of addresses, and holes.
    pub members: Pool,
    /// The ways out, of which the graph's precedence takes one. Without any, nothing leaves: a
    /// standard internal load balancer gives no way out ("Outbound rules Azure Load Balancer"
    /// 2024-04).
    #[serde(default, skip_serializing_if = "is_default")]
    pub outbound: Outbound,
    /// Destinations reached by a private or service endpoint: not translated, and without a port.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub bypass: BTreeSet<Name>,
    /// The router it hangs at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Name>,
}

/// The ways out of a pool that are there.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Outbound {
    /// A user-defined route to an appliance: a router, which sees the VM's own address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_route: Option<Name>,
    /// A NAT gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nat_gateway: Option<Name>,
    /// An address for each slot of the pool: the VM's own, with all its ports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instance_addresses: Vec<VirtualIp>,
    /// What an outbound rule of a load balancer allots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outbound_rule: Option<Nat>,
    /// What is allotted where nothing is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Nat>,
}

/// A plain router of a backbone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Router {
    /// The routers it is linked to and what the link costs, 1 or more. A link works both ways and
    /// may stand at either end, or at both with one cost.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub links: BTreeMap<Name, u32>,
    /// A static route: the neighbour that all goes to, whatever the costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<Name>,
}

/// A translator that pools share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NatGateway {
    /// Its addresses, ports and timers; its pool has the members of every pool that leaves by it.
    pub nat: Nat,
    /// The router it hangs at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Name>,
}

/// What the outside has to offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Destination {
    /// Where it listens; every transport has this address and port.
    pub endpoint: Endpoint,
    /// The router it hangs at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Name>,
}

/// A list of endpoints that a client discovers and caches. (The story "Incident report –
/// NuGet.org downtime on March 22, 2018".)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ServiceIndex {
    /// The endpoints in the order in which the index lists them.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub endpoints: Vec<ListedEndpoint>,
    /// How the client chooses (default: the first endpoint first).
    #[serde(default, skip_serializing_if = "is_default")]
    pub choice: ClientChoice,
    /// How long a client keeps the list (default, assumed: 60s).
    #[serde(default = "TrafficManager::ttl_default")]
    pub ttl: Duration,
}

/// An endpoint that a service index lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ListedEndpoint {
    /// Where it is.
    pub target: Target,
    /// Its share, 1 to 1,000 (default: 1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 1000)))]
    pub weight: Option<u16>,
}

/// How a client chooses from a list that it has discovered.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ClientChoice {
    /// The first that answers.
    #[default]
    FirstEndpointFirst,
    /// At random among those that answer, by weight.
    Weighted,
    /// By who asks: a client keeps its endpoint while that answers.
    ConsistentHashing,
}

impl Node {
    /// What kind of node it is, in words.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Client(_) => "client",
            Self::TrafficManager(_) => "traffic manager",
            Self::FrontDoor(_) => "front door",
            Self::LoadBalancer(_) => "load balancer",
            Self::ScaleUnit(_) => "scale unit",
            Self::Pool(_) => "pool",
            Self::Router(_) => "router",
            Self::NatGateway(_) => "NAT gateway",
            Self::Destination(_) => "destination",
            Self::ServiceIndex(_) => "service index",
        }
    }

    /// The router it hangs at, if it hangs at one.
    pub const fn at(&self) -> Option<&Name> {
        match self {
            Self::Client(Client { at, .. })
            | Self::FrontDoor(FrontDoor { at, .. })
            | Self::LoadBalancer(LoadBalancer { at, .. })
            | Self::ScaleUnit(ScaleUnit { at, .. })
            | Self::Pool(VmPool { at, .. })
            | Self::NatGateway(NatGateway { at, .. })
            | Self::Destination(Destination { at, .. }) => at.as_ref(),
            Self::TrafficManager(_) | Self::Router(_) | Self::ServiceIndex(_) => None,
        }
    }

    /// Whether it fails only when somebody says so: what answers from many sites at once, and a
    /// pool, whose VMs fail one by one (assumed).
    pub const fn is_steady(&self) -> bool {
        match self {
            Self::Client(_)
            | Self::TrafficManager(_)
            | Self::FrontDoor(_)
            | Self::Pool(_)
            | Self::ServiceIndex(_) => true,
            Self::LoadBalancer(_)
            | Self::ScaleUnit(_)
            | Self::Router(_)
            | Self::NatGateway(_)
            | Self::Destination(_) => false,
        }
    }
}

impl VmPool {
    /// Whether this way out is there.
    pub fn has(&self, means: Means) -> bool {
        let out = &self.outbound;
        match means {
            Means::UserRoute => out.user_route.is_some(),
            Means::NatGateway => out.nat_gateway.is_some(),
            Means::InstanceAddress => !out.instance_addresses.is_empty(),
            Means::OutboundRule => out.outbound_rule.is_some(),
            Means::Default => out.default.is_some(),
        }
    }

    /// The translator that the VMs' own addresses are: an address for each slot, ports kept.
    /// `None` without such addresses, or if they are too few.
    pub fn instance_nat(&self) -> Option<Nat> {
        let addresses = self.outbound.instance_addresses.clone();
        let nat = Configuration::new(addresses, self.members.clone(), PortPolicy::Static);
        Nat::new(nat).ok()
    }
}

impl TrafficManager {
    /// One minute.
    const fn ttl_default() -> Duration {
        Duration::from_secs(60)
    }
}

impl Throttle {
    /// One second.
    const fn in_hand_default() -> Duration {
        Duration::from_secs(1)
    }
}

impl Origin {
    const fn priority_default() -> u16 {
        1
    }

    const fn weight_default() -> u16 {
        50
    }
}

impl Default for Origin {
    fn default() -> Self {
        let (priority, weight) = (Self::priority_default(), Self::weight_default());
        Self { priority, weight, latency_ms: 0, disabled: false }
    }
}

impl Default for Service {
    fn default() -> Self {
        Self { transport: Transport::Tcp, port: 443 }
    }
}

pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

serde_as_text!(Service);
