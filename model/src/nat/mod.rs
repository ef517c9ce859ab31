//! The first subject: a network address translator.
//!
//! A [`Nat`] is the *configuration* of a translator; its value alone says which external
//! endpoints a flow may be given and whose each port is.

mod candidates;
mod choices;
mod deterministic;
mod doubling;
mod event;
mod key;
mod ledger;
mod per_transport;
mod policy;
mod pool;
mod tcp;
mod timers;

use std::fmt;
use std::net::Ipv4Addr;
use std::num::NonZeroU16;
use std::ops::Deref;
use std::str::FromStr;

use itertools::Itertools;
use serde::{Deserialize, Serialize};

pub use candidates::Candidates;
pub use deterministic::Deterministic;
pub use doubling::{Doubling, Lease};
pub use event::{Event, EventError, IcmpError, Outcome, Reason, Segment, Signal};
pub use key::{FilteringBehaviour, Key, Mapping, MappingBehaviour, PortReuse, Remote};
pub use ledger::{Census, End, Holding, Ledger};
pub use per_transport::PerTransport;
pub use policy::{
    AddressPooling, Limits, Owner, PortPolicy, Preserve, RulePorts, Selection, blocks_per_address,
};
pub use pool::{Member, Pool, PoolError, SLOTS_MAX, VirtualIp};
pub use tcp::{ClosesOn, Side, State, refreshes};
pub use timers::{HoldDown, IdleTimers, TcpTimers, Timers};

use policy::{block_index, nth_block};

use crate::flow::{Binding, Endpoint, FiveTuple, FlowError, Transport};
use crate::ports::PortBlock;
use crate::prefix::Prefix;
use crate::text::serde_as_text;
use crate::tiers::{TierError, block_of_slot, slot_of_port};
use crate::time::Duration;

/// What a person writes to describe a translator. [`Nat::new`] holds it to its rules.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    /// The outside addresses, in the order in which they are used.
    #[cfg_attr(feature = "schema", schemars(length(min = 1), extend("uniqueItems" = true)))]
    pub virtual_ips: Vec<VirtualIp>,
    /// The inside hosts: addresses, ranges of addresses, and holes that members left behind.
    pub pool: Pool,
    /// How ports are shared out among the members.
    pub ports: PortPolicy,
    /// What a mapping depends on.
    #[serde(default)]
    pub mapping: PerTransport<MappingBehaviour>,
    /// From whom a mapping's endpoint takes packets; without it, as finely as it is mapped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filtering: Option<PerTransport<FilteringBehaviour>>,
    /// How much of the destination lets two mappings use one external endpoint.
    #[serde(default)]
    pub port_reuse: PerTransport<PortReuse>,
    /// Whether all mappings of a member have one virtual IP.
    #[serde(default, skip_serializing_if = "is_default")]
    pub pooling: AddressPooling,
    /// What of the inside port the external one keeps, where it can.
    #[serde(default, skip_serializing_if = "is_default")]
    pub preserve: Preserve,
    /// Which of the eligible endpoints is taken.
    #[serde(default)]
    pub selection: Selection,
    /// How long flows live and keys rest.
    #[serde(default)]
    pub timers: Timers,
    /// Whose FIN closes a TCP flow.
    #[serde(default, skip_serializing_if = "is_default")]
    pub closes_on: ClosesOn,
    /// Whether packets of the outside keep a flow alive (RFC 4787 REQ-6).
    #[serde(default, skip_serializing_if = "is_default")]
    pub inbound_refresh: PerTransport<bool>,
    /// What one member may hold, and what one virtual IP towards a destination.
    #[serde(default, skip_serializing_if = "is_default")]
    pub limits: Limits,
    /// Ports that are never given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reserved: Vec<PortBlock>,
    /// Destinations that are not translated for (RFC 6888 REQ-6).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exempt: Vec<Prefix>,
    /// What the outside may open connections to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(extend("default" = [], "uniqueItems" = true)))]
    pub inbound_rules: Vec<InboundRule>,
    /// How many ports an inbound rule takes.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rule_ports: RulePorts,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A service that the outside may reach: what comes to `external` goes to `inside`; written
/// `tcp 203.0.113.1:80 > 10.0.0.1:8080`. Its external endpoint is never given to a flow, and
/// replies to connections that it admitted take no port. (The story "Scaling past Port
/// Exhaustion" counts "sending back a response" among the calls that do; that is not followed,
/// because a balancer rewrites such a reply from the connection it answers.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(inline, from = "String", into = "String"),
    schemars(extend("pattern" = crate::schema::flow())),
    schemars(extend("examples" = ["tcp 203.0.113.1:443 > 10.0.0.1:8443"])),
)]
pub struct InboundRule {
    /// What carries the connections.
    pub transport: Transport,
    /// The virtual IP and port that the outside sees.
    pub external: Endpoint,
    /// The member and port that serve it.
    pub inside: Endpoint,
}

/// The configuration of a translator, held to its rules.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "Configuration", into = "Configuration")]
pub struct Nat(Configuration);

/// Which rule a configuration breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NatError {
    /// A translator needs an outside address.
    NoVirtualIps,
    /// A virtual IP stands twice.
    VirtualIpTwice(VirtualIp),
    /// An address is both inside and outside.
    InsideAndOutside(Ipv4Addr),
    /// The pool is outside the tier table.
    Tier(TierError),
    /// A member needs at least one port.
    NoPorts,
    /// Port 0 cannot be given to a flow.
    PortZero(PortBlock),
    /// Manual ports come in groups of 8.
    NotAMultipleOf8(u16),
    /// More members than blocks.
    TooManyMembers {
        /// Slots of the pool, holes included.
        slots: usize,
        /// Ports of one block.
        ports: u16,
        /// Usable ports of one virtual IP.
        usable: u32,
        /// Virtual IPs over which the blocks are laid out one after another; 1 where each carries
        /// the same blocks.
        addresses: usize,
    },
    /// More members than the virtual IPs serve.
    OverTheRatio {
        /// Slots of the pool, holes included.
        slots: usize,
        /// Members that one virtual IP serves.
        members_per_address: u16,
        /// Virtual IPs.
        addresses: usize,
    },
    /// Guaranteed ports and shared ones are other ports.
    SharedAndGuaranteed {
        /// The ports that guarantees are cut from.
        usable: PortBlock,
        /// The ports that all members draw on beyond them.
        shared: PortBlock,
    },
    /// A block that is doubled again and again has a power of two of ports.
    NoPowerOfTwo(u32),
    /// The maximum is above the minimum, and no more than there are ports.
    MaximumOutOfRange {
        /// Ports of the first block.
        minimum: u16,
        /// Ports of all blocks of a member.
        maximum: u32,
    },
    /// Static NAT needs a virtual IP for each slot.
    TooFewVirtualIps {
        /// Slots of the pool, holes included.
        slots: usize,
        /// Virtual IPs.
        virtual_ips: usize,
    },
    /// Replies could not be told apart.
    ReuseTooFine {
        /// Of which transport.
        transport: Transport,
        /// How mappings depend on the destination.
        mapping: MappingBehaviour,
        /// From whom their endpoints take packets.
        filtering: FilteringBehaviour,
        /// How much of the destination lets two mappings use one endpoint.
        port_reuse: PortReuse,
    },
    /// Where ports are kept, two mappings of one inside endpoint would want one key.
    ReuseTooCoarse {
        /// How mappings depend on the destination.
        mapping: MappingBehaviour,
        /// How much of the destination lets two mappings use one endpoint.
        port_reuse: PortReuse,
    },
    /// A flow needs time to live.
    ZeroIdle(&'static str),
    /// An unsolicited SYN waits for six seconds at least.
    HastySyn(Duration),
    /// A limit of nothing would refuse every flow.
    ZeroLimit(&'static str),
    /// A limit of keys towards a destination counts keys that each have one.
    LimitWithoutDestination {
        /// Of which transport.
        transport: Transport,
        /// How much of the destination its keys have.
        port_reuse: PortReuse,
    },
    /// A virtual IP is among the destinations that are not translated for.
    ExemptVirtualIp {
        /// The range.
        exempt: Prefix,
        /// The virtual IP in it.
        virtual_ip: VirtualIp,
    },
    /// The rule's outside address is no virtual IP.
    RuleElsewhere(InboundRule),
    /// The rule's inside address is no member's.
    RuleForNobody(InboundRule),
    /// Two rules share their outside endpoint.
    RuleTwice(InboundRule),
}

impl Configuration {
    /// These addresses, members and ports, and nothing said about the rest.
    pub fn new(virtual_ips: Vec<VirtualIp>, pool: Pool, ports: PortPolicy) -> Self {
        Self {
            virtual_ips,
            pool,
            ports,
            mapping: PerTransport::default(),
            filtering: None,
            port_reuse: PerTransport::default(),
            pooling: AddressPooling::default(),
            preserve: Preserve::default(),
            selection: Selection::default(),
            timers: Timers::default(),
            closes_on: ClosesOn::default(),
            inbound_refresh: PerTransport::default(),
            limits: Limits::default(),
            reserved: Vec::new(),
            exempt: Vec::new(),
            inbound_rules: Vec::new(),
            rule_ports: RulePorts::default(),
        }
    }

    /// From whom a mapping's endpoint takes packets.
    pub fn filtering_of(&self, transport: Transport) -> FilteringBehaviour {
        let mapping = self.mapping.of(transport);
        self.filtering.map_or(mapping.into(), |filtering| filtering.of(transport))
    }
}

impl Nat {
    /// The translator of this configuration.
    ///
    /// # Errors
    /// When the configuration breaks a rule; the error names field, value and rule.
    pub fn new(configuration: Configuration) -> Result<Self, NatError> {
        check_addresses(&configuration)?;
        check_ports(&configuration)?;
        check_reuse(&configuration)?;
        check_timers(&configuration)?;
        check_limits(&configuration)?;
        check_exempt(&configuration)?;
        check_inbound_rules(&configuration)?;
        Ok(Self(configuration))
    }

    /// The same translator with a part of its configuration changed.
    ///
    /// # Errors
    /// When the change breaks a rule.
    pub fn with(&self, change: impl FnOnce(&mut Configuration)) -> Result<Self, NatError> {
        let mut configuration = self.0.clone();
        change(&mut configuration);
        Self::new(configuration)
    }

    /// The endpoints a flow may be given if nobody holds them, in the order of
    /// [`Selection::LowestFirst`]; inbound rules and reserved ports are not yet taken out. `None`
    /// if the flow's source is no member.
    pub fn candidates(&self, flow: FiveTuple) -> Option<Candidates<'_>> {
        let slot = self.pool.slot_of(Member(flow.source.address))?;
        let space = self.space_of(slot, flow)?;
        let addresses = self.paired(slot, space.addresses());
        let own = Candidates::new(addresses, space.block());
        let Some(beyond) = space.beyond() else { return Some(own) };
        let beyond_it = match self.pooling {
            AddressPooling::Paired => addresses,
            AddressPooling::Arbitrary => beyond.addresses(),
        };
        Some(own.and_beyond(beyond_it, beyond.block()))
    }

    /// The endpoints that a flow might be given if address pooling were arbitrary.
    pub(crate) fn space(&self, flow: FiveTuple) -> Option<Candidates<'_>> {
        self.space_of(self.pool.slot_of(Member(flow.source.address))?, flow)
    }

    fn space_of(&self, slot: usize, flow: FiveTuple) -> Option<Candidates<'_>> {
        let kept_port = PortBlock::single(flow.source.port);
        let all = self.virtual_ips.as_slice();
        let (addresses, block) = match &self.ports {
            PortPolicy::Static => (all.get(slot..=slot)?, kept_port),
            PortPolicy::Dynamic => (all, kept_port),
            PortPolicy::OnDemand(usable) => (all, *usable),
            PortPolicy::Doubling(doubling) => (all, doubling.in_blocks()),
            PortPolicy::Tiered(_)
            | PortPolicy::Fixed { .. }
            | PortPolicy::Manual { .. }
            | PortPolicy::Guaranteed { .. }
            | PortPolicy::Deterministic(_) => self.block_of(slot)?,
        };
        let own = Candidates::new(addresses, block);
        Some(self.ports.shared().map_or(own, |shared| own.and_beyond(all, shared)))
    }

    /// Of a member's virtual IPs, those that address pooling lets it use. A lease ties a member to
    /// one anyway: which, depends on who came first.
    fn paired<'a>(&self, slot: usize, addresses: &'a [VirtualIp]) -> &'a [VirtualIp] {
        match self.pooling {
            AddressPooling::Paired if self.ports != PortPolicy::Dynamic => {
                let own = slot % addresses.len();
                &addresses[own..=own]
            }
            AddressPooling::Paired | AddressPooling::Arbitrary => addresses,
        }
    }

    /// The block of a slot (from 0) and the virtual IPs it lies on; `None` where members have no
    /// blocks, or there is no such slot.
    pub fn block_of(&self, slot: usize) -> Option<(&[VirtualIp], PortBlock)> {
        let all = self.virtual_ips.as_slice();
        match &self.ports {
            PortPolicy::Static
            | PortPolicy::Dynamic
            | PortPolicy::OnDemand(_)
            | PortPolicy::Doubling(_) => None,
            PortPolicy::Tiered(_) => Some((all, block_of_slot(slot, self.tier_ports()?.get())?)),
            PortPolicy::Fixed { ports, usable } => Some((all, nth_block(slot, *ports, *usable)?)),
            PortPolicy::Manual { ports, usable } | PortPolicy::Guaranteed { ports, usable, .. } => {
                let blocks = blocks_per_address(*ports, *usable);
                let address = slot / blocks;
                Some((all.get(address..=address)?, nth_block(slot % blocks, *ports, *usable)?))
            }
            PortPolicy::Deterministic(deterministic) => {
                let (address, block) = deterministic.block_of(slot)?;
                Some((all.get(address..=address)?, block))
            }
        }
    }

    /// Whose a port is: total over every address and all 65,536 ports, by arithmetic alone.
    pub fn owner(&self, endpoint: Endpoint) -> Owner {
        let Some(address) = self.virtual_ips.iter().position(|vip| vip.0 == endpoint.address)
        else {
            return Owner::Nobody;
        };
        let slot = match &self.ports {
            PortPolicy::Dynamic => return Owner::Lease,
            PortPolicy::Doubling(doubling) if doubling.in_blocks().contains(endpoint.port) => {
                return Owner::Lease;
            }
            policy if policy.shared().is_some_and(|shared| shared.contains(endpoint.port)) => {
                return Owner::Shared;
            }
            PortPolicy::OnDemand(usable) if usable.contains(endpoint.port) => return Owner::Shared,
            PortPolicy::OnDemand(_) | PortPolicy::Doubling(_) => None,
            PortPolicy::Static => Some(address),
            PortPolicy::Tiered(_) => {
                self.tier_ports().and_then(|ports| slot_of_port(endpoint.port, ports))
            }
            PortPolicy::Fixed { ports, usable } => {
                NonZeroU16::new(*ports).and_then(|ports| block_index(endpoint.port, ports, *usable))
            }
            PortPolicy::Manual { ports, usable } | PortPolicy::Guaranteed { ports, usable, .. } => {
                NonZeroU16::new(*ports)
                    .and_then(|ports| block_index(endpoint.port, ports, *usable))
                    .map(|block| address * blocks_per_address(*ports, *usable) + block)
            }
            PortPolicy::Deterministic(deterministic) => {
                deterministic.slot_of(address, endpoint.port)
            }
        };
        let member = slot.and_then(|slot| self.pool.member_in(slot));
        member.map_or(Owner::Nobody, Owner::Member)
    }

    /// What each member has on one virtual IP, in ports; `None` where members have no blocks of
    /// their own.
    pub fn ports_per_member(&self) -> Option<u32> {
        let slot = self.pool.slots().iter().position(Option::is_some)?;
        self.block_of(slot).map(|(_, block)| block.len())
    }

    /// The mapping that a flow belongs to.
    pub fn mapping_of(&self, flow: FiveTuple) -> Mapping {
        self.mapping.of(flow.transport).mapping(flow)
    }

    /// The key of a flow that leaves from `external`, judged after all translations: a destination
    /// that is published by an inbound rule counts as the member behind it.
    pub fn key(&self, flow: FiveTuple, external: Endpoint) -> Key {
        let FiveTuple { transport, .. } = flow;
        let remote = self.port_reuse.of(transport).remote(self.destination_of(flow));
        Key { transport, external, remote }
    }

    /// Where a flow goes after all translations: to the member behind an inbound rule, or to its
    /// destination.
    pub(crate) fn destination_of(&self, flow: FiveTuple) -> Endpoint {
        let rule = self.rule_at(flow.transport, flow.destination);
        rule.map_or(flow.destination, |rule| rule.inside)
    }

    /// Whether an address is one of the virtual IPs.
    pub fn is_virtual_ip(&self, address: Ipv4Addr) -> bool {
        self.virtual_ips.contains(&VirtualIp(address))
    }

    /// Whether packets between a member and this address are left as they are.
    pub fn is_exempt(&self, address: Ipv4Addr) -> bool {
        self.exempt.iter().any(|prefix| prefix.contains(address))
    }

    /// Whether an address is a member's.
    pub fn is_member(&self, address: Ipv4Addr) -> bool {
        self.pool.slot_of(Member(address)).is_some()
    }

    /// Whether packets of this flow of a member are not translated.
    pub fn leaves_alone(&self, flow: FiveTuple) -> bool {
        self.is_exempt(flow.destination.address) && self.is_member(flow.source.address)
    }

    /// Whether a port is never given: it is reserved, or an inbound rule takes it.
    fn is_taken(&self, transport: Transport, external: Endpoint) -> bool {
        let takes = |rule: &InboundRule| {
            rule.transport == transport && self.rule_ports.takes(rule.external, external)
        };
        self.inbound_rules.iter().any(takes)
            || self.reserved.iter().any(|block| block.contains(external.port))
    }

    /// The inbound rule that what comes to this endpoint matches.
    pub fn rule_at(&self, transport: Transport, external: Endpoint) -> Option<InboundRule> {
        let matches =
            |rule: &&InboundRule| rule.transport == transport && rule.external == external;
        self.inbound_rules.iter().find(matches).copied()
    }

    /// Whether a flow may be given this endpoint if nobody holds it.
    pub fn may_give(&self, flow: FiveTuple, external: Endpoint) -> bool {
        let candidates = self.candidates(flow);
        candidates.is_some_and(|candidates| candidates.position(external).is_some())
            && !self.is_taken(flow.transport, external)
            && !self.is_exempt(flow.destination.address)
    }

    /// Whether all candidates of a flow may be given if nobody holds them.
    pub fn gives_all_candidates(&self) -> bool {
        self.inbound_rules.is_empty() && self.reserved.is_empty()
    }

    /// Whether this configuration, put in place of `before`, lets a binding live on: what it means
    /// is unchanged, and its endpoint is still one that its flow may be given.
    pub fn keeps(&self, before: &Self, binding: Binding) -> bool {
        let Binding { flow, external } = binding;
        let transport = flow.transport;
        self.mapping.of(transport) == before.mapping.of(transport)
            && self.filtering_of(transport) == before.filtering_of(transport)
            && self.ports == before.ports
            && self.key(flow, external) == before.key(flow, external)
            && self.port_reuse.of(transport) == before.port_reuse.of(transport)
            && self.may_give(flow, external)
    }

    /// Ports of one member by the pool's tier.
    fn tier_ports(&self) -> Option<NonZeroU16> {
        match &self.ports {
            PortPolicy::Tiered(table) => {
                NonZeroU16::new(table.ports_for(self.pool.slots().len()).ok()?)
            }
            _ => None,
        }
    }
}

/// The parts of a translator's configuration are read as if they were its own.
impl Deref for Nat {
    type Target = Configuration;

    fn deref(&self) -> &Configuration {
        &self.0
    }
}

impl TryFrom<Configuration> for Nat {
    type Error = NatError;

    fn try_from(configuration: Configuration) -> Result<Self, NatError> {
        Self::new(configuration)
    }
}

impl From<Nat> for Configuration {
    fn from(nat: Nat) -> Self {
        nat.0
    }
}

fn check_addresses(configuration: &Configuration) -> Result<(), NatError> {
    let vips = &configuration.virtual_ips;
    if vips.is_empty() {
        return Err(NatError::NoVirtualIps);
    }
    for (index, vip) in vips.iter().enumerate() {
        if vips[..index].contains(vip) {
            return Err(NatError::VirtualIpTwice(*vip));
        }
        if configuration.pool.slot_of(Member(vip.0)).is_some() {
            return Err(NatError::InsideAndOutside(vip.0));
        }
    }
    Ok(())
}

fn check_ports(configuration: &Configuration) -> Result<(), NatError> {
    let slots = configuration.pool.slots().len();
    let virtual_ips = configuration.virtual_ips.len();
    match &configuration.ports {
        PortPolicy::Static if slots > virtual_ips => {
            Err(NatError::TooFewVirtualIps { slots, virtual_ips })
        }
        PortPolicy::Static | PortPolicy::Dynamic => Ok(()),
        PortPolicy::Tiered(table) => table.ports_for(slots).map(drop).map_err(NatError::Tier),
        PortPolicy::Fixed { ports, usable } => check_blocks(slots, *ports, *usable, 1),
        PortPolicy::Manual { ports, .. } if !ports.is_multiple_of(8) => {
            Err(NatError::NotAMultipleOf8(*ports))
        }
        PortPolicy::Manual { ports, usable } => check_blocks(slots, *ports, *usable, virtual_ips),
        PortPolicy::OnDemand(usable) => check_usable(*usable),
        PortPolicy::Guaranteed { ports, usable, shared } => {
            check_shared(*usable, *shared)?;
            check_blocks(slots, *ports, *usable, virtual_ips)
        }
        PortPolicy::Deterministic(deterministic) => {
            check_deterministic(slots, *deterministic, virtual_ips)
        }
        PortPolicy::Doubling(doubling) => {
            check_doubling(*doubling)?;
            check_blocks(slots, doubling.minimum, doubling.usable, virtual_ips)
        }
    }
}

fn check_shared(usable: PortBlock, shared: PortBlock) -> Result<(), NatError> {
    check_usable(shared)?;
    if usable.overlaps(shared) {
        return Err(NatError::SharedAndGuaranteed { usable, shared });
    }
    Ok(())
}

fn check_deterministic(
    slots: usize,
    deterministic: Deterministic,
    addresses: usize,
) -> Result<(), NatError> {
    check_usable(deterministic.usable)?;
    if deterministic.ports() == 0 {
        return Err(NatError::NoPorts);
    }
    let members_per_address = deterministic.members_per_address.get();
    if slots > usize::from(members_per_address) * addresses {
        return Err(NatError::OverTheRatio { slots, members_per_address, addresses });
    }
    Ok(())
}

fn check_doubling(Doubling { minimum, maximum, .. }: Doubling) -> Result<(), NatError> {
    if let Some(ports) = [minimum.into(), maximum].into_iter().find(|it| !it.is_power_of_two()) {
        return Err(NatError::NoPowerOfTwo(ports));
    }
    if maximum <= minimum.into() || maximum > PORTS {
        return Err(NatError::MaximumOutOfRange { minimum, maximum });
    }
    Ok(())
}

/// How many ports there are.
const PORTS: u32 = 65_536;

/// The usable ports can be given, and every slot has a block on one of `addresses` virtual IPs.
fn check_blocks(
    slots: usize,
    ports: u16,
    usable: PortBlock,
    addresses: usize,
) -> Result<(), NatError> {
    check_usable(usable)?;
    if ports == 0 {
        return Err(NatError::NoPorts);
    }
    if slots > blocks_per_address(ports, usable) * addresses {
        return Err(NatError::TooManyMembers { slots, ports, usable: usable.len(), addresses });
    }
    Ok(())
}

fn check_usable(usable: PortBlock) -> Result<(), NatError> {
    if usable.first() == 0 { Err(NatError::PortZero(usable)) } else { Ok(()) }
}

fn check_reuse(configuration: &Configuration) -> Result<(), NatError> {
    Transport::ALL.into_iter().try_for_each(|transport| check_reuse_of(configuration, transport))
}

fn check_reuse_of(configuration: &Configuration, transport: Transport) -> Result<(), NatError> {
    let mapping = configuration.mapping.of(transport);
    let filtering = configuration.filtering_of(transport);
    let port_reuse = configuration.port_reuse.of(transport);
    if port_reuse > PortReuse::finest(mapping, filtering) {
        return Err(NatError::ReuseTooFine { transport, mapping, filtering, port_reuse });
    }
    let is_too_coarse = port_reuse < PortReuse::finest_of(mapping);
    if !configuration.ports.translates_ports() && is_too_coarse {
        return Err(NatError::ReuseTooCoarse { mapping, port_reuse });
    }
    Ok(())
}

fn check_timers(configuration: &Configuration) -> Result<(), NatError> {
    let IdleTimers { tcp, udp, icmp } = configuration.timers.idle;
    let timers = [
        ("half-open tcp", tcp.half_open),
        ("established tcp", tcp.established),
        ("tcp that one side has closed", tcp.one_side_closed),
        ("udp", udp),
        ("icmp", icmp),
    ];
    if let Some((name, _)) = timers.into_iter().find(|(_, idle)| idle.is_zero()) {
        return Err(NatError::ZeroIdle(name));
    }
    match configuration.timers.unsolicited_syn {
        Some(wait) if wait < SYN_WAIT_MIN => Err(NatError::HastySyn(wait)),
        _ => Ok(()),
    }
}

/// How long an unsolicited SYN waits at least (RFC 5382 REQ-4).
const SYN_WAIT_MIN: Duration = Duration::from_secs(6);

fn check_limits(configuration: &Configuration) -> Result<(), NatError> {
    let Limits { ports, bindings, flows, per_destination } = configuration.limits;
    let limits = [
        ("ports", ports),
        ("bindings", bindings),
        ("flows", flows),
        ("per_destination", per_destination),
    ];
    if let Some((name, _)) = limits.into_iter().find(|(_, limit)| *limit == Some(0)) {
        return Err(NatError::ZeroLimit(name));
    }
    let reuse = |transport| (transport, configuration.port_reuse.of(transport));
    let mut reuses = Transport::ALL.into_iter().map(reuse);
    match reuses.find(|(_, port_reuse)| *port_reuse != PortReuse::PerDestination) {
        Some((transport, port_reuse)) if per_destination.is_some() => {
            Err(NatError::LimitWithoutDestination { transport, port_reuse })
        }
        Some(_) | None => Ok(()),
    }
}

fn check_exempt(configuration: &Configuration) -> Result<(), NatError> {
    let pairs = configuration.exempt.iter().cartesian_product(&configuration.virtual_ips);
    let mut clashes = pairs.filter(|(exempt, vip)| exempt.contains(vip.0));
    match clashes.next() {
        Some((&exempt, &virtual_ip)) => Err(NatError::ExemptVirtualIp { exempt, virtual_ip }),
        None => Ok(()),
    }
}

fn check_inbound_rules(configuration: &Configuration) -> Result<(), NatError> {
    let rules = &configuration.inbound_rules;
    for (index, rule) in rules.iter().enumerate() {
        if !configuration.virtual_ips.contains(&VirtualIp(rule.external.address)) {
            return Err(NatError::RuleElsewhere(*rule));
        }
        if configuration.pool.slot_of(Member(rule.inside.address)).is_none() {
            return Err(NatError::RuleForNobody(*rule));
        }
        let outside = |rule: &InboundRule| (rule.transport, rule.external);
        if rules[..index].iter().any(|before| outside(before) == outside(rule)) {
            return Err(NatError::RuleTwice(*rule));
        }
    }
    Ok(())
}

impl NatError {
    /// The field of the [`Configuration`] that breaks the rule.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::NoVirtualIps
            | Self::VirtualIpTwice(_)
            | Self::InsideAndOutside(_)
            | Self::TooFewVirtualIps { .. } => "virtual_ips",
            Self::Tier(_) => "pool",
            Self::NoPorts
            | Self::PortZero(_)
            | Self::NotAMultipleOf8(_)
            | Self::TooManyMembers { .. }
            | Self::OverTheRatio { .. }
            | Self::SharedAndGuaranteed { .. }
            | Self::NoPowerOfTwo(_)
            | Self::MaximumOutOfRange { .. } => "ports",
            Self::ReuseTooFine { .. } | Self::ReuseTooCoarse { .. } => "port_reuse",
            Self::ZeroIdle(_) | Self::HastySyn(_) => "timers",
            Self::ZeroLimit(_) | Self::LimitWithoutDestination { .. } => "limits",
            Self::ExemptVirtualIp { .. } => "exempt",
            Self::RuleElsewhere(_) | Self::RuleForNobody(_) | Self::RuleTwice(_) => "inbound_rules",
        }
    }
}

impl fmt::Display for NatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: ", self.field())?;
        match self {
            Self::NoVirtualIps => write!(f, "[] is empty: a translator needs an outside address"),
            Self::VirtualIpTwice(vip) => write!(f, "{vip} stands twice: each is named once"),
            Self::InsideAndOutside(address) => {
                write!(f, "{address} is also a member's: no address is both inside and outside")
            }
            Self::Tier(error) => error.fmt(f),
            Self::NoPorts => write!(f, "0 ports a member: each needs at least one"),
            Self::PortZero(usable) => {
                write!(f, "usable ports {usable} begin at 0, which no flow can be given")
            }
            Self::NotAMultipleOf8(ports) => {
                let below = (ports / 8 * 8).max(8);
                write!(f, "{ports} ports a member: must be a multiple of 8, such as {below}")
            }
            Self::TooManyMembers { slots, ports, usable, addresses } => {
                let blocks = usable / u32::from(*ports);
                let room = blocks as usize * addresses;
                write!(
                    f,
                    "{slots} members do not fit: floor({usable} usable / {ports} ports) = \
                    {blocks} an address, x {addresses} = {room}"
                )
            }
            Self::OverTheRatio { slots, members_per_address, addresses } => write!(
                f,
                "{slots} members do not fit: {members_per_address} an address, x {addresses} = {}",
                usize::from(*members_per_address) * addresses
            ),
            Self::SharedAndGuaranteed { usable, shared } => write!(
                f,
                "shared ports {shared} overlap {usable}, which the guarantees are cut from: each \
                 port is one or the other"
            ),
            Self::NoPowerOfTwo(ports) => write!(
                f,
                "{ports} ports a block: what is doubled is a power of two, such as {}",
                (ports / 2 + 1).next_power_of_two()
            ),
            Self::MaximumOutOfRange { minimum, maximum } => write!(
                f,
                "a maximum of {maximum} ports: must be above the minimum, {minimum}, and at most \
                 {PORTS}"
            ),
            Self::TooFewVirtualIps { slots, virtual_ips } => write!(
                f,
                "{virtual_ips} addresses for a pool of {slots} slots: static NAT needs one for each"
            ),
            Self::ReuseTooFine { transport, mapping, filtering, port_reuse } => write!(
                f,
                "{port_reuse} with {mapping} mapping and {filtering} filtering of {transport}: \
                 replies could not be told apart; the finest is {}",
                PortReuse::finest(*mapping, *filtering)
            ),
            Self::ReuseTooCoarse { mapping, port_reuse } => write!(
                f,
                "{port_reuse} with {mapping} mapping where members keep their ports: two mappings \
                 of one inside endpoint would collide; it must be {}",
                PortReuse::finest_of(*mapping)
            ),
            Self::ZeroIdle(flow) => {
                write!(f, "idle time of {flow} is 0s: a flow needs time to live")
            }
            Self::HastySyn(wait) => write!(
                f,
                "unsolicited_syn {wait} is less than {SYN_WAIT_MIN}, which RFC 5382 REQ-4 asks for"
            ),
            Self::ZeroLimit(limit) => {
                write!(f, "{limit} = 0: every flow would be refused; leave it out for no limit")
            }
            Self::LimitWithoutDestination { transport, port_reuse } => write!(
                f,
                "per_destination with port_reuse {port_reuse} of {transport}: its keys have no \
                 destination to be counted by; it must be {}",
                PortReuse::PerDestination
            ),
            Self::ExemptVirtualIp { exempt, virtual_ip } => write!(
                f,
                "{exempt} covers the virtual IP {virtual_ip}: what goes there is translated"
            ),
            Self::RuleElsewhere(rule) => {
                write!(f, "{rule}: {} is no virtual IP", rule.external.address)
            }
            Self::RuleForNobody(rule) => {
                write!(f, "{rule}: {} is no member of the pool", rule.inside.address)
            }
            Self::RuleTwice(rule) => {
                write!(f, "{rule}: another rule has the outside endpoint {}", rule.external)
            }
        }
    }
}

impl std::error::Error for NatError {}

impl fmt::Display for InboundRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} > {}", self.transport, self.external, self.inside)
    }
}

impl FromStr for InboundRule {
    type Err = FlowError;

    fn from_str(text: &str) -> Result<Self, FlowError> {
        let FiveTuple { transport, source, destination } = text.parse()?;
        Ok(Self { transport, external: source, inside: destination })
    }
}

serde_as_text!(InboundRule);

impl fmt::Display for Nat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members = plural(self.pool.members().count(), "member");
        let virtual_ips = plural(self.virtual_ips.len(), "virtual IP");
        write!(f, "{members} of {virtual_ips}, ")?;
        match self.tier_ports() {
            Some(ports) => write!(f, "{ports} ports a member on each by pool size"),
            None => self.ports.fmt(f),
        }
    }
}

fn plural(count: usize, noun: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{s}")
}
