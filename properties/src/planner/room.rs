//! What a translator has room for, against what a demand needs at once.
//!
//! **Reading taken.** A demand fits where the worst that its envelopes allow fits: all members and
//! all destinations at their most at one instant. Destinations need ports of their own or together,
//! as far as the translator tells their keys apart.

use itertools::Itertools;
use natlaw_model::flow::{Endpoint, FiveTuple, Transport};
use natlaw_model::nat::{Candidates, MappingBehaviour, Member, Nat, Owner, Selection};

use super::certificate::Trial;
use super::demand::Demand;
use super::envelope::SOURCE_PORTS;

/// What can run out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scarce {
    /// The ports that a member has for itself.
    OwnPorts,
    /// The ports that so many members draw on together.
    SharedPorts {
        /// Members that do.
        members: usize,
    },
    /// Whole addresses, of which each member leases one.
    Leases,
    /// The external endpoints that one member may hold at once.
    PortsOfAMember,
    /// The bindings that one member may have at once.
    BindingsOfAMember,
    /// The live flows that one member may have at once.
    FlowsOfAMember,
    /// The keys, those in hold-down included, that all members may hold at once towards one
    /// destination.
    KeysOfADestination,
    /// The live flows that all members may have at once. The documents count them, the model's
    /// translator does not.
    FlowsOfAll,
}

/// What some destinations need at once, and what there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// What can run out.
    pub scarce: Scarce,
    /// The destinations that need it together, by their place in the demand.
    pub destinations: Vec<usize>,
    /// What they need.
    pub needed: u64,
    /// What there is.
    pub room: u64,
}

impl Bound {
    /// Whether there is room for what is needed.
    pub const fn holds(&self) -> bool {
        self.needed <= self.room
    }

    /// Who plays what to reach it; `None` where the translator does not count it.
    pub const fn trial(&self) -> Option<Trial> {
        match self.scarce {
            Scarce::OwnPorts | Scarce::PortsOfAMember | Scarce::BindingsOfAMember => {
                Some(Trial::OwnKeys)
            }
            Scarce::SharedPorts { .. } | Scarce::Leases | Scarce::KeysOfADestination => {
                Some(Trial::SharedKeys)
            }
            Scarce::FlowsOfAMember => Some(Trial::OwnFlows),
            Scarce::FlowsOfAll => None,
        }
    }

    /// Whether it is about ports towards some destinations.
    pub const fn is_of_ports(&self) -> bool {
        matches!(self.scarce, Scarce::OwnPorts | Scarce::SharedPorts { .. })
    }

    /// Members that draw on the ports together, where they do.
    pub const fn members(&self) -> Option<usize> {
        match self.scarce {
            Scarce::SharedPorts { members } => Some(members),
            Scarce::OwnPorts
            | Scarce::Leases
            | Scarce::PortsOfAMember
            | Scarce::BindingsOfAMember
            | Scarce::FlowsOfAMember
            | Scarce::KeysOfADestination
            | Scarce::FlowsOfAll => None,
        }
    }

    /// Whether this one runs out before the other when all demand grows alike.
    pub fn is_tighter_than(&self, other: &Self) -> bool {
        let cross = |needed: u64, room: u64| u128::from(needed) * u128::from(room);
        cross(self.needed, other.room) > cross(other.needed, self.room)
    }
}

/// Every bound that a translator puts on a demand.
pub fn bounds(nat: &Nat, demand: &Demand) -> Vec<Bound> {
    let transports = Transport::ALL.into_iter();
    let members = sharers(nat).len();
    let of_ports = |transport| of_ports(nat, demand, transport, members);
    let of_ports = transports.clone().flat_map(of_ports);
    let of_limits = transports.flat_map(|transport| of_limits(nat, demand, transport));
    of_ports
        .chain(of_limits)
        .chain(of_destinations(nat, demand))
        .chain(of_all(nat, demand))
        .collect()
}

/// Of the bounds, the one that runs out first when all demand grows alike: of equals the first.
pub fn tightest(bounds: &[Bound]) -> Option<&Bound> {
    bounds.iter().reduce(|first, next| if next.is_tighter_than(first) { next } else { first })
}

/// The ports towards each part of the outside within which a key is unique; where they are shared, so
/// many members do.
fn of_ports(nat: &Nat, demand: &Demand, transport: Transport, members: usize) -> Vec<Bound> {
    let indices = of_transport(demand, transport);
    let remote =
        |index: &usize| nat.port_reuse.of(transport).remote(demand.destinations[*index].endpoint);
    let groups = indices.into_iter().into_group_map_by(remote);
    let groups = groups.into_iter().sorted_by_key(|(_, indices)| indices.first().copied());
    let mut bounds: Vec<Bound> =
        groups.filter_map(|(_, indices)| of_group(nat, demand, indices, members)).collect();
    bounds.extend(of_leases(nat, demand, transport));
    bounds
}

fn of_group(nat: &Nat, demand: &Demand, destinations: Vec<usize>, members: usize) -> Option<Bound> {
    let keys = sum(&destinations, |index| demand.destinations[index].keys_max(nat));
    let flow = flow(nat, demand, destinations.first().copied()?)?;
    let keys = match nat.mapping.of(flow.transport) {
        MappingBehaviour::EndpointIndependent => keys.min(SOURCE_PORTS),
        MappingBehaviour::AddressDependent | MappingBehaviour::AddressAndPortDependent => keys,
    };
    if !nat.ports.translates_ports() {
        let (scarce, room) = (Scarce::OwnPorts, SOURCE_PORTS);
        return Some(Bound { scarce, destinations, needed: keys, room });
    }
    let (scarce, needed) = match nat.owner(nat.candidates(flow)?.at(0)?) {
        Owner::Member(_) | Owner::Lease | Owner::Nobody => (Scarce::OwnPorts, keys),
        Owner::Shared => (Scarce::SharedPorts { members }, keys.saturating_mul(members as u64)),
    };
    Some(Bound { scarce, destinations, needed, room: room(nat, flow)? })
}

/// How many endpoints a flow may be given.
fn room(nat: &Nat, flow: FiveTuple) -> Option<u64> {
    let candidates = nat.candidates(flow)?;
    let room = match nat.gives_all_candidates() {
        true => candidates.len(),
        false => candidates.iter().filter(|external| nat.may_give(flow, *external)).count(),
    };
    Some(room as u64)
}

/// The members that draw on the same addresses as the first.
pub(super) fn sharers(nat: &Nat) -> Vec<Member> {
    let addresses = |member: Member| {
        let inside = Endpoint::new(member.0, 1);
        let flow = FiveTuple { transport: Transport::Tcp, source: inside, destination: inside };
        nat.candidates(flow).map(Candidates::addresses)
    };
    let first = nat.pool.members().next().and_then(addresses);
    nat.pool.members().filter(|member| addresses(*member) == first).collect()
}

fn of_leases(nat: &Nat, demand: &Demand, transport: Transport) -> Option<Bound> {
    let destinations = of_transport(demand, transport);
    let flow = flow(nat, demand, destinations.first().copied()?)?;
    let external = nat.candidates(flow)?.at(0)?;
    let leases = nat.owner(external) == Owner::Lease && !nat.ports.translates_ports();
    let room = nat.virtual_ips.len() as u64;
    let needed = nat.pool.members().count() as u64;
    leases.then_some(Bound { scarce: Scarce::Leases, destinations, needed, room })
}

/// What a member may hold of one transport.
fn of_limits(nat: &Nat, demand: &Demand, transport: Transport) -> Vec<Bound> {
    let destinations = of_transport(demand, transport);
    if destinations.is_empty() {
        return Vec::new();
    }
    let keys = |index: usize| demand.destinations[index].keys_max(nat);
    let flows = |index: usize| demand.destinations[index].flows_max(nat);
    let limits = [
        (Scarce::PortsOfAMember, nat.limits.ports, endpoints(nat, demand, &destinations)),
        (Scarce::BindingsOfAMember, nat.limits.bindings, sum(&destinations, keys)),
        (Scarce::FlowsOfAMember, nat.limits.flows, sum(&destinations, flows)),
    ];
    let bound = |(scarce, limit, needed): (Scarce, Option<u32>, u64)| {
        let room = u64::from(limit?);
        Some(Bound { scarce, destinations: destinations.clone(), needed, room })
    };
    limits.into_iter().filter_map(bound).collect()
}

/// What all members may hold towards each destination, on all addresses.
fn of_destinations(nat: &Nat, demand: &Demand) -> Vec<Bound> {
    let Some(limit) = nat.limits.per_destination else { return Vec::new() };
    let room = u64::from(limit).saturating_mul(nat.virtual_ips.len() as u64);
    let members = nat.pool.members().count() as u64;
    let bound = |index: usize| Bound {
        scarce: Scarce::KeysOfADestination,
        destinations: vec![index],
        needed: demand.destinations[index].keys_max(nat).saturating_mul(members),
        room,
    };
    (0..demand.destinations.len()).map(bound).collect()
}

/// What all members may have of all transports.
fn of_all(nat: &Nat, demand: &Demand) -> Option<Bound> {
    let room = u64::from(demand.translator.profile.flows_max?.value);
    let destinations: Vec<usize> = (0..demand.destinations.len()).collect();
    let flows = sum(&destinations, |index| demand.destinations[index].flows_max(nat));
    let needed = flows.saturating_mul(nat.pool.members().count() as u64);
    Some(Bound { scarce: Scarce::FlowsOfAll, destinations, needed, room })
}

/// How many external endpoints a member may need to be allowed. One that is taken lowest first, or
/// evenly over the addresses, serves every destination before another is taken; drawn at random
/// they may all differ. Where there are several destinations, one more is needed: at its limit a
/// member is given no binding, not even on an endpoint that it holds.
fn endpoints(nat: &Nat, demand: &Demand, destinations: &[usize]) -> u64 {
    let keys = |index: usize| demand.destinations[index].keys_max(nat);
    let most = destinations.iter().map(|index| keys(*index)).max().unwrap_or(0);
    if destinations.len() == 1 {
        return most;
    }
    let addresses = nat.virtual_ips.len() as u64;
    let held = match nat.selection {
        Selection::LowestFirst => most,
        Selection::Spread => most.div_ceil(addresses).saturating_mul(addresses),
        Selection::Random(_)
        | Selection::RandomTries(_)
        | Selection::SimpleHash(_)
        | Selection::DoubleHash(_)
        | Selection::RandomIncrements { .. } => sum(destinations, keys),
    };
    held.saturating_add(1)
}

/// A flow of the first member to a destination.
fn flow(nat: &Nat, demand: &Demand, destination: usize) -> Option<FiveTuple> {
    let destination = demand.destinations.get(destination)?;
    let source = Endpoint::new(nat.pool.members().next()?.0, 1);
    Some(FiveTuple { transport: destination.transport, source, destination: destination.endpoint })
}

fn of_transport(demand: &Demand, transport: Transport) -> Vec<usize> {
    demand.destinations.iter().positions(|destination| destination.transport == transport).collect()
}

fn sum(destinations: &[usize], of: impl Fn(usize) -> u64) -> u64 {
    destinations.iter().fold(0, |sum: u64, index| sum.saturating_add(of(*index)))
}
