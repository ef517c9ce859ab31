//! Which external endpoints a flow may be given, and whose a port is.

use std::fmt;
use std::num::NonZeroU16;

use serde::{Deserialize, Serialize};

use super::deterministic::Deterministic;
use super::doubling::Doubling;
use super::pool::Member;
use crate::flow::Endpoint;
use crate::ports::PortBlock;
use crate::tiers::TierTable;

/// How ports are shared out among the members.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum PortPolicy {
    /// Static NAT: each member has a virtual IP of its own, the one of its slot, and keeps its
    /// ports. An instance-level public address is this.
    Static,
    /// Dynamic NAT: a member leases a whole virtual IP while the allocator holds a binding of it,
    /// and keeps its ports. With k virtual IPs, member k + 1 is refused.
    Dynamic,
    /// A block by pool size for each member, the same range on each virtual IP.
    Tiered(TierTable),
    /// A block of `ports` ports for each member, the same range on each virtual IP.
    Fixed {
        /// Ports of one member on one virtual IP.
        #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
        ports: u16,
        /// The ports that are shared out.
        usable: PortBlock,
    },
    /// `ports` ports in all for each member: its block lies on one virtual IP and straddles none
    /// ("Outbound rules", Azure Load Balancer documentation, April 2024).
    Manual {
        /// Ports of one member in all: a multiple of 8.
        #[cfg_attr(feature = "schema", schemars(range(min = 8), extend("multipleOf" = 8)))]
        ports: u16,
        /// The ports of a virtual IP that are shared out: 64,000 for that document, 64,512 above
        /// the well-known ports.
        usable: PortBlock,
    },
    /// A block for each member that follows from its slot alone, and perhaps ports of each virtual
    /// IP beyond it that all members draw on (RFC 7422).
    Deterministic(Deterministic),
    /// All members draw on the same ports of each virtual IP.
    OnDemand(PortBlock),
    /// `ports` ports in all that are guaranteed to each member, laid out like `manual`
    /// ones; and, for a flow that none of them is eligible for, more as long as there are, from
    /// ports of each virtual IP that all members draw on. The pool is a whole stamp's: members of
    /// other tenants are members ("Troubleshooting intermittent outbound connection errors in
    /// Azure App Service", July 2020: 128 ports, and more when available).
    Guaranteed {
        /// Ports that are guaranteed to one member, in all.
        #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
        ports: u16,
        /// The ports of a virtual IP that the guarantees are cut from.
        usable: PortBlock,
        /// The ports of a virtual IP that all members draw on beyond their guarantee.
        shared: PortBlock,
    },
    /// Blocks that a member leases while it uses them: the first of the minimum, each further one
    /// as large as all before it.
    Doubling(Doubling),
}

/// Which of the eligible endpoints is taken. Every choice among them is lawful; this declares one.
/// Where members lease blocks, it is made within one block after the other, the lowest first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Selection {
    /// The first virtual IP until it is full, then the next; the lowest port of each.
    #[default]
    LowestFirst,
    /// The virtual IP on which the flow's owner of ports holds the fewest keys towards the
    /// destination; the lowest port there.
    Spread,
    /// A start drawn from this seed, then upwards (RFC 6056 algorithm 1).
    Random(u64),
    /// As many draws from this seed as there are candidates, each from all of them: it may give up
    /// although something is eligible (RFC 6056 algorithm 2).
    RandomTries(u64),
    /// A start that is a hash of inside address and destination, keyed by this seed, and goes on
    /// with every port taken (RFC 6056 algorithm 3).
    SimpleHash(u64),
    /// The same, but only the ports taken towards like destinations move it on (RFC 6056
    /// algorithm 4).
    DoubleHash(u64),
    /// A start beyond the port taken last, by one to `step` ports drawn from `seed` (RFC 6056
    /// algorithm 5).
    RandomIncrements {
        /// The seed.
        seed: u64,
        /// The longest way from one start to the next, in ports: at least 1.
        step: NonZeroU16,
    },
}

/// Whether all mappings of a member have one virtual IP (RFC 4787 REQ-2).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AddressPooling {
    /// Each mapping may have another one.
    #[default]
    Arbitrary,
    /// A member has the virtual IP of its slot, counted round. When that is full it is refused,
    /// whatever the others have left (RFC 7857 section 4 leaves the choice).
    Paired,
}

/// What of the inside port the external one keeps, as long as an eligible endpoint has it
/// (RFC 4787 section 4.2). Where not all can be kept, the port comes before its class, and the
/// class before its parity.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Preserve {
    /// The port itself.
    pub port: bool,
    /// Whether it is below 1024 (RFC 4787 REQ-3a).
    pub class: bool,
    /// Whether it is odd or even (RFC 4787 REQ-4).
    pub parity: bool,
}

/// What may be held of each transport at once; without a number, anything. All but one are limits
/// of what one member holds (RFC 6888 REQ-4).
///
/// **Reading taken.** What is in hold-down counts as held, and so does what a new configuration has
/// stranded. For the limit of a destination that is what one document's two figures say together:
/// 55,000 connections at once, or about 900 new ones a second ("NAT gateways", Amazon VPC
/// documentation, date not known), which is a hold of a minute.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// External endpoints: a member that holds so many gets no further binding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ports: Option<u32>,
    /// Bindings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bindings: Option<u32>,
    /// Live flows (RFC 6888 REQ-5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flows: Option<u32>,
    /// Keys of all members on one virtual IP towards one destination: 50,000 in "NAT gateway
    /// resource", Azure documentation, July 2023. A virtual IP that has so many is not eligible
    /// for that destination; another one is, and when none has room the flow is exhausted. Port
    /// re-use must be per destination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_destination: Option<u32>,
}

/// How many ports of its virtual IP an inbound rule takes from the flows.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RulePorts {
    /// Its own.
    #[default]
    One,
    /// The group of eight that its own is in; rules of one group share it ("Outbound rules", Azure
    /// Load Balancer documentation, April 2024).
    GroupOfEight,
}

/// Whose a port of a virtual IP is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// One member's: replies find it by address and port alone.
    Member(Member),
    /// Every member may use it.
    Shared,
    /// The member's that leases the virtual IP, or the block that the port is in.
    Lease,
    /// Nobody's.
    Nobody,
}

impl Preserve {
    /// Whether anything is kept.
    pub const fn keeps_anything(self) -> bool {
        self.port || self.class || self.parity
    }

    /// What an external port keeps of an inside one: port, class and parity, as far as asked for.
    /// Of two ranks the higher keeps more.
    pub const fn rank(self, inside: u16, external: u16) -> [bool; 3] {
        let port = self.port && inside == external;
        let class = self.class && (inside < 1024) == (external < 1024);
        let parity = self.parity && inside % 2 == external % 2;
        [port, class, parity]
    }
}

impl Limits {
    /// Whether there is any of what one member may hold.
    pub const fn bind_members(self) -> bool {
        self.ports.is_some() || self.bindings.is_some() || self.flows.is_some()
    }
}

impl RulePorts {
    /// Whether a rule for `rule` takes `external` from the flows.
    pub fn takes(self, rule: Endpoint, external: Endpoint) -> bool {
        let group = |at: Endpoint| (at.address, at.port / 8);
        match self {
            Self::One => rule == external,
            Self::GroupOfEight => group(rule) == group(external),
        }
    }
}

impl PortPolicy {
    /// Whether the external port may differ from the inside one.
    pub const fn translates_ports(&self) -> bool {
        !matches!(self, Self::Static | Self::Dynamic)
    }

    /// The ports of a virtual IP that are shared out; none where members keep theirs.
    pub fn usable(&self) -> Vec<PortBlock> {
        match self {
            Self::Static | Self::Dynamic => Vec::new(),
            Self::Tiered(_) => vec![PortBlock::ABOVE_WELL_KNOWN],
            Self::Fixed { usable, .. } | Self::Manual { usable, .. } | Self::OnDemand(usable) => {
                vec![*usable]
            }
            Self::Guaranteed { usable, shared, .. } => vec![*usable, *shared],
            Self::Deterministic(deterministic) => vec![deterministic.usable],
            Self::Doubling(doubling) => vec![doubling.usable],
        }
    }

    /// Whether a flow for which no port of its member is eligible may be given another one: a
    /// shared one, or one of a further block.
    pub fn goes_beyond(&self) -> bool {
        matches!(self, Self::Doubling(_)) || self.shared().is_some()
    }

    /// The ports of each virtual IP that all members draw on when none of their own is eligible.
    pub fn shared(&self) -> Option<PortBlock> {
        match self {
            Self::Guaranteed { shared, .. } => Some(*shared),
            Self::Deterministic(deterministic) => deterministic.shared(),
            Self::Static
            | Self::Dynamic
            | Self::Tiered(_)
            | Self::Fixed { .. }
            | Self::Manual { .. }
            | Self::OnDemand(_)
            | Self::Doubling(_) => None,
        }
    }

    /// Whether all keys of a member lie on one virtual IP.
    pub fn ties_members_to_one_virtual_ip(&self) -> bool {
        match self {
            Self::Static | Self::Dynamic | Self::Manual { .. } => true,
            Self::Deterministic(deterministic) => deterministic.shared().is_none(),
            Self::Tiered(_)
            | Self::Fixed { .. }
            | Self::OnDemand(_)
            | Self::Guaranteed { .. }
            | Self::Doubling(_) => false,
        }
    }
}

/// How many blocks of `ports` ports fit into the usable ports of one virtual IP.
pub fn blocks_per_address(ports: u16, usable: PortBlock) -> usize {
    let blocks = usable.len().checked_div(u32::from(ports));
    blocks.map_or(0, |blocks| blocks as usize)
}

/// The `index`th block (from 0) of `ports` ports within the usable ones.
pub(crate) fn nth_block(index: usize, ports: u16, usable: PortBlock) -> Option<PortBlock> {
    let offset = u32::try_from(index).ok()?.checked_mul(u32::from(ports))?;
    let first = u16::try_from(u32::from(usable.first()).checked_add(offset)?).ok()?;
    PortBlock::from_len(first, u32::from(ports)).filter(|block| usable.covers(*block))
}

/// Which block (from 0) of `ports` ports a port lies in.
pub(crate) fn block_index(port: u16, ports: NonZeroU16, usable: PortBlock) -> Option<usize> {
    let offset = usable.contains(port).then(|| port - usable.first())?;
    let index = usize::from(offset / ports);
    (index < blocks_per_address(ports.get(), usable)).then_some(index)
}

impl fmt::Display for PortPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Static => write!(f, "a virtual IP for each member"),
            Self::Dynamic => write!(f, "a whole virtual IP leased to a member"),
            Self::Tiered(table) => write!(f, "ports by pool size ({table})"),
            Self::Fixed { ports: 1, .. } => write!(f, "1 port a member on each"),
            Self::Fixed { ports, .. } => write!(f, "{ports} ports a member on each"),
            Self::Manual { ports, usable } => {
                write!(f, "{ports} ports a member in all, {} usable", usable.len())
            }
            Self::OnDemand(usable) if usable.len() == 1 => {
                write!(f, "1 port shared by all members")
            }
            Self::OnDemand(usable) => write!(f, "{} ports shared by all members", usable.len()),
            Self::Guaranteed { ports, shared, .. } => write!(
                f,
                "{ports} ports a member in all guaranteed, {} more on each shared by all members",
                shared.len()
            ),
            Self::Deterministic(deterministic) => {
                let Deterministic { members_per_address, .. } = deterministic;
                let ports = deterministic.ports();
                write!(
                    f,
                    "{ports} ports a member by its slot, {members_per_address} members on each"
                )?;
                let shared = deterministic.shared().map(PortBlock::len);
                shared.map_or(Ok(()), |more| write!(f, ", {more} more shared by all members"))
            }
            Self::Doubling(Doubling { minimum, maximum, .. }) => {
                write!(f, "{minimum} ports a member, doubled up to {maximum}")
            }
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member(member) => member.fmt(f),
            Self::Shared => write!(f, "shared"),
            Self::Lease => write!(f, "whoever leases it"),
            Self::Nobody => write!(f, "nobody"),
        }
    }
}
