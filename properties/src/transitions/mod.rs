//! What becomes of live flows and of ports when a deployment changes.
//!
//! A [`Deployment`] is a profile with a pool, addresses and inbound rules. A [`Change`] leads from one
//! to the next, sometimes by way of others: a surge joins before the old leave. [`play`] opens flows,
//! plays the changes on a translator, and tells what is kept and what is stranded.
//!
//! **Readings taken.**
//! - Flows are opened before the first change, by the members of the first deployment, each to one
//!   destination. No flow is opened later, so what is lost is lost to the changes alone.
//! - A pool that is reported larger than it is has members that open nothing.
//! - Of stranded flows, those of members that left are told apart: they end with their member
//!   whatever becomes of its ports.
//! - A surge upgrade of `n` members replaces all, the oldest first: so many join, as many leave, until
//!   none is left of the old. A joiner takes the lowest hole, as everywhere.

mod deployment;
mod safe;

use std::net::Ipv4Addr;

use natlaw_model::allocator::Bitmap;
use natlaw_model::flow::{Endpoint, FiveTuple, Transport};
use natlaw_model::nat::{Event, Member, Nat, Outcome, Signal};
use natlaw_model::profile::{Growth, ProfileError};
use natlaw_model::subject::Device;
use natlaw_model::translator::Translator;

use crate::nat::allocated_ports;

pub use deployment::{Change, Deployment};
pub use safe::{Demand, is_safe, ports_by_size, runs, safe_sizes};

/// A deployment, and what its coming did to the flows that were live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// Members of the pool.
    pub members: usize,
    /// Slots of the pool, holes included: what the tier counts.
    pub slots: usize,
    /// Ports of a member over all addresses; `None` where members have none of their own.
    pub ports_of_a_member: Option<usize>,
    /// Ports of all members.
    pub ports_of_the_pool: Option<usize>,
    /// Flows that are live once the deployment is there.
    pub live: usize,
    /// Flows that it stranded although their member stays.
    pub stranded: usize,
    /// Flows that it ended because their member left.
    pub left: usize,
    /// Whether the document says what becomes of them: not if ports are reclaimed by growth of which
    /// it says nothing.
    pub is_said: bool,
}

/// Where flows go to.
const DESTINATION: Endpoint = Endpoint::new(Ipv4Addr::new(198, 51, 100, 1), 443);

/// The inside port of a member's first flow.
const FIRST_PORT: u16 = 1_024;

/// Opens `load` flows of each member, or as many as are given, and plays the deployments one after
/// the other. The first stage is the one before any change.
///
/// # Errors
/// When a deployment breaks a bound of its profile.
pub fn play(deployments: &[Deployment], load: u16) -> Result<Vec<Stage>, ProfileError> {
    let nats = deployments.iter().map(Deployment::nat).collect::<Result<Vec<_>, _>>()?;
    let Some((first, later)) = nats.split_first() else { return Ok(Vec::new()) };
    let mut device = Translator::new(first, Bitmap::new);
    let live = open(&mut device, first, load);
    let mut stages = vec![Stage::of(first, live)];
    let mut pairs = deployments.windows(2);
    for nat in later {
        let before = stages.last().map_or(0, |stage| stage.live);
        let mut stage = Stage::of(nat, before);
        if let Outcome::Reconfigured { stranded } = device.step(&Event::reconfigure(nat.clone())) {
            let stays = |member: Ipv4Addr| nat.pool.slot_of(Member(member)).is_some();
            let stayed = stranded.iter().filter(|lost| stays(lost.flow.source.address)).count();
            stage.lose(stayed, stranded.len() - stayed);
        }
        stage.is_said = pairs.next().is_none_or(|pair| is_said(&pair[0], &pair[1]));
        stages.push(stage);
    }
    Ok(stages)
}

/// Opens flows of each member, and answers how many were given a port.
fn open(device: &mut impl Device<Nat>, nat: &Nat, load: u16) -> usize {
    let ports = FIRST_PORT..FIRST_PORT.saturating_add(load);
    let flows = nat.pool.members().flat_map(|member| ports.clone().map(move |port| (member, port)));
    let open = |(member, port): (Member, u16)| {
        let source = Endpoint::new(member.0, port);
        let flow = FiveTuple { transport: Transport::Tcp, source, destination: DESTINATION };
        device.step(&Event::outbound(flow, Signal::Open))
    };
    flows.map(open).filter(|outcome| matches!(outcome, Outcome::Forwarded(_))).count()
}

/// Whether the profile says what becomes of flows: it does but for a growth that reclaims ports.
fn is_said(before: &Deployment, after: &Deployment) -> bool {
    let grows = after.pool.slots().len() > before.pool.slots().len();
    let says = |growth| match growth {
        Growth::HalfReclaimed => true,
        Growth::NotSaid => false,
    };
    !grows || after.profile.growth.is_none_or(|growth| says(growth.value))
}

impl Stage {
    fn of(nat: &Nat, live: usize) -> Self {
        Self {
            members: nat.pool.members().count(),
            slots: nat.pool.slots().len(),
            ports_of_a_member: ports_of_a_member(nat),
            ports_of_the_pool: allocated_ports(nat),
            live,
            stranded: 0,
            left: 0,
            is_said: true,
        }
    }

    fn lose(&mut self, stranded: usize, left: usize) {
        self.stranded = stranded;
        self.left = left;
        self.live -= stranded + left;
    }
}

/// What a member has over all its addresses; `None` where members have no ports of their own.
pub fn ports_of_a_member(nat: &Nat) -> Option<usize> {
    let slot = nat.pool.slots().iter().position(Option::is_some)?;
    nat.block_of(slot).map(|(vips, block)| vips.len() * block.len() as usize)
}
