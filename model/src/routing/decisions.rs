//! The decisions of a network, one by one: each is a small function of what it decides on, so that
//! a network with one of them exchanged is a few lines.

use itertools::Itertools;

use super::name::Name;
use super::node::{ClientChoice, ManagedEndpoint, Method, ScaleUnit, Setting, VmPool};
use super::selection::{
    Ask, Candidate, Choice, ConsistentHash, LeastLatency, Policy, Priority, RoundRobin, Selected,
    Weighted,
};
use super::topology::Means;
use crate::nat::VirtualIp;
use crate::time::Instant;

/// How an endpoint or a traffic manager stands ("Traffic Manager endpoint monitoring" 2018-12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Its probes succeed.
    Online,
    /// It has not been probed yet.
    Checking,
    /// Its probes fail.
    Degraded,
    /// A nested traffic manager that is off, or has no endpoint in use.
    Stopped,
    /// Switched off.
    Disabled,
    /// A traffic manager none of whose endpoints is in use.
    Inactive,
}

/// How the endpoints of a traffic manager stand, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Tally {
    /// Endpoints that are online.
    pub online: u32,
    /// Endpoints that have not been probed yet.
    pub checking: u32,
    /// Endpoints that are degraded.
    pub degraded: u32,
    /// Endpoints that are out: disabled or stopped.
    pub out: u32,
    /// The traffic manager is switched off as a whole.
    pub disabled: bool,
}

/// A router that a walk may go to next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Neighbour<'a> {
    /// What the way by it costs, to the end.
    pub cost: u64,
    /// Its name.
    pub name: &'a Name,
}

/// What a network decides; every one as documented, unless it is replaced.
pub trait Decisions {
    /// How a nested traffic manager stands as an endpoint of its parent.
    fn nested_status(&self, child: &Tally, children_min: u32) -> Status {
        match (child.status(), children_min) {
            (Status::Disabled | Status::Inactive, _) => Status::Stopped,
            (_, min) if child.online >= min => Status::Online,
            (_, min) if child.online.saturating_add(child.checking) >= min => Status::Checking,
            _ => Status::Degraded,
        }
    }

    /// How an endpoint that is probed itself stands.
    fn probed_status(&self, setting: Setting, is_up: bool) -> Status {
        match (setting, is_up) {
            (Setting::Disabled, _) => Status::Disabled,
            (Setting::Checking, _) => Status::Checking,
            (Setting::Enabled, true) => Status::Online,
            (Setting::Enabled, false) => Status::Degraded,
        }
    }

    /// Whether a traffic manager may answer with an endpoint that stands so.
    fn is_available(&self, status: Status) -> bool {
        matches!(status, Status::Online | Status::Checking)
    }

    /// Whether to answer as if all endpoints in use were online: when none of them is available.
    fn fails_open(&self, statuses: &[Status]) -> bool {
        !statuses.iter().any(|status| self.is_available(*status))
    }

    /// Whether an endpoint that stands so is in use at all.
    fn is_in_use(&self, status: Status) -> bool {
        !matches!(status, Status::Disabled | Status::Stopped | Status::Inactive)
    }

    /// One of a traffic manager's endpoints, by any method but the geographic one. Those that are
    /// not in use have weight 0.
    fn choose_endpoint(&self, method: Method, ask: Ask, candidates: &[Candidate]) -> Selected {
        match method {
            Method::Priority | Method::Geographic => Priority.select(ask, candidates),
            Method::Weighted => Weighted.select(ask, candidates),
            Method::Performance => LeastLatency::new(0).select(ask, candidates),
            Method::PerformanceAllOthers => all_others(ask, candidates),
        }
    }

    /// The endpoint that a region is mapped to, up or not: the one that names it, or else the one
    /// that names the world.
    fn mapped(
        &self,
        region: Option<&Name>,
        endpoints: &[&ManagedEndpoint],
        _: &[Status],
    ) -> Option<usize> {
        let names = |region: &str| {
            endpoints.iter().position(|it| it.regions.iter().any(|name| name.as_str() == region))
        };
        region.and_then(|region| names(region.as_str())).or_else(|| names("world"))
    }

    /// One of a front door's origins. Those that are disabled are not available.
    fn choose_origin(
        &self,
        turns: &mut LeastLatency,
        ask: Ask,
        candidates: &[Candidate],
    ) -> Selected {
        turns.select(ask, candidates)
    }

    /// One of a front door's origins when none is up: each has its turn.
    fn choose_any_origin(
        &self,
        turns: &mut RoundRobin,
        ask: Ask,
        candidates: &[Candidate],
    ) -> Selected {
        turns.select(ask, candidates)
    }

    /// One of the endpoints that a service index lists.
    fn choose_listed(&self, choice: ClientChoice, ask: Ask, candidates: &[Candidate]) -> Selected {
        match choice {
            ClientChoice::FirstEndpointFirst => Priority.select(ask, candidates),
            ClientChoice::Weighted => Weighted.select(ask, candidates),
            ClientChoice::ConsistentHashing => ConsistentHash.select(ask, candidates),
        }
    }

    /// Whether what was answered or learned still counts.
    fn is_fresh(&self, until: Instant, now: Instant) -> bool {
        until > now
    }

    /// Whether a front door sends a request to the unit that it has learned.
    fn follows_affinity(&self, is_fresh: bool, is_up: bool) -> bool {
        is_fresh && is_up
    }

    /// Which unit has the account, as this one believes; `None` if nobody or it itself.
    fn proxies_to<'a>(
        &self,
        unit: &'a ScaleUnit,
        itself: &'a Name,
        account: &Name,
        owner: Option<&'a Name>,
    ) -> Option<&'a Name> {
        let believed = unit.stale.get(account).or(owner);
        believed.filter(|believed| *believed != itself || unit.stale.contains_key(account))
    }

    /// Whether a unit that has so many requests of others in hand takes no more.
    fn is_throttled(&self, in_hand: usize, proxied_max: u32) -> bool {
        in_hand >= proxied_max as usize
    }

    /// Which of the members that are up takes a request with this hash. Slots count from 0.
    fn choose_member(&self, hash: u64, up: &[usize], _slots: usize) -> Option<usize> {
        let turn = hash.checked_rem(up.len() as u64)?;
        up.get(usize::try_from(turn).ok()?).copied()
    }

    /// Whether a VM counts as up.
    fn is_up(&self, is_down: bool) -> bool {
        !is_down
    }

    /// Whether a pool reaches a destination without translation.
    fn bypasses(&self, pool: &VmPool, destination: &Name) -> bool {
        pool.bypass.contains(destination)
    }

    /// Which of the ways out that are there is taken; they come in the order of the precedence.
    fn way_out(&self, present: &[Means]) -> Option<Means> {
        present.first().copied()
    }

    /// Which router is next: the cheapest, of equals the first by name.
    fn next_router(&self, neighbours: &[Neighbour]) -> Option<usize> {
        neighbours.iter().position_min()
    }

    /// Whether coming to a place ends the walk as a loop.
    fn is_loop(&self, has_been_there: bool) -> bool {
        has_been_there
    }

    /// The virtual IP that a reply leaves by.
    fn reply_address(&self, came_in_by: VirtualIp, _all: &[VirtualIp]) -> VirtualIp {
        came_in_by
    }
}

/// Every decision as documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Documented;

impl Decisions for Documented {}

/// The nearest in use, or if it is down, any other that is available, each as likely.
fn all_others(ask: Ask, candidates: &[Candidate]) -> Selected {
    let open = candidates.iter().map(|it| Candidate { available: true, ..*it }).collect_vec();
    let nearest = LeastLatency::new(0).select(ask, &open);
    match nearest.choice {
        Choice::Chosen(at) if candidates[at].available => nearest,
        _ => {
            let other = Weighted.select(ask, candidates);
            Selected { steps: nearest.steps + other.steps, ..other }
        }
    }
}

impl Tally {
    /// Counts one more endpoint.
    pub fn add(&mut self, status: Status) {
        let count = match status {
            Status::Online => &mut self.online,
            Status::Checking => &mut self.checking,
            Status::Degraded => &mut self.degraded,
            Status::Stopped | Status::Disabled | Status::Inactive => &mut self.out,
        };
        *count += 1;
    }

    /// How the traffic manager stands as a whole.
    pub const fn status(&self) -> Status {
        match self {
            Self { disabled: true, .. } => Status::Disabled,
            Self { degraded: 1.., .. } => Status::Degraded,
            Self { online: 1.., .. } => Status::Online,
            Self { checking: 1.., .. } => Status::Checking,
            _ => Status::Inactive,
        }
    }

    /// Whether it has an endpoint that is online or not probed yet.
    pub const fn looks_up(&self) -> bool {
        !self.disabled && (self.online > 0 || self.checking > 0)
    }

    /// Whether it has an answer at all.
    pub const fn answers(&self) -> bool {
        !matches!(self.status(), Status::Disabled | Status::Inactive)
    }
}
