//! What else can be asked of a demand, each answered from the same formulas.
//!
//! **Readings taken.**
//! - *Sustainable rate*: connections of the longest life, opened evenly, each on a port that its
//!   last holder has left: `ports / (life + rest)`. A burst on top of it is refused.
//! - *Private endpoints*: what goes to a destination that is reached privately takes no port.
//! - *Pooling*: a member keeps so many connections to a destination, each for `kept_min` at least,
//!   before it opens another in its place. What was a connection before is now a call on one of
//!   them.

use natlaw_model::flow::Transport;
use natlaw_model::nat::Nat;
use natlaw_model::time::Duration;

use super::demand::{Close, Demand, Rest};
use super::doubling::Doubling;
use super::rate::Rate;
use super::room::{Bound, bounds};

/// A question besides what is searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// The highest rate of new connections that each destination sustains.
    SustainableRate,
    /// Which destination runs out of ports first, when all demand grows alike.
    BindsFirst,
    /// Which destinations to reach privately, so that the rest fits.
    PrivateEndpoints,
    /// How many connections of a member may be pooled, and whether they serve its calls.
    Pooling {
        /// How long a pooled connection is kept at least.
        kept_min: Duration,
    },
    /// Whether doubling a member's ports keeps up with its arrivals.
    Doubling(Doubling),
    /// How long after load stops the ports come back.
    Return,
}

/// The rate that some destinations sustain together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sustained {
    /// The destinations, by their place in the demand.
    pub destinations: Vec<usize>,
    /// Members that share the ports, where they do.
    pub members: Option<usize>,
    /// Ports that there are.
    pub ports: u64,
    /// How long a connection holds one at most.
    pub held: Duration,
    /// Connections that may be opened evenly.
    pub rate: Rate,
}

/// Connections of a member that may be pooled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pooled {
    /// The destinations that share the ports, by their place in the demand.
    pub destinations: Vec<usize>,
    /// The most connections that fit: those kept, those that rest, all on ports of their own.
    pub connections: u64,
    /// Calls of the member that are under way at once, at most.
    pub calls: u64,
}

/// The rate that each group of destinations sustains on this translator, one whose ports last for
/// ever left out.
pub fn sustained(nat: &Nat, demand: &Demand) -> Vec<Sustained> {
    let sustained = |bound: Bound| {
        let held = bound.destinations.iter().map(|index| {
            let destination = &demand.destinations[*index];
            destination.envelope.held_max(destination.rest(nat).total())
        });
        let held = held.max()?;
        let rate = Rate::new(bound.room, held.millis())?;
        let members = bound.members();
        Some(Sustained { destinations: bound.destinations, members, ports: bound.room, held, rate })
    };
    ports(nat, demand).filter_map(sustained).collect()
}

/// Destinations to be reached privately, so that the rest fits and none of these could stay.
pub fn private(nat: &Nat, demand: &Demand) -> Vec<usize> {
    let mut moved: Vec<usize> = Vec::new();
    while let Some(index) = heaviest_of_what_is_passed(nat, demand, &moved) {
        moved.push(index);
    }
    for index in moved.clone() {
        let without: Vec<usize> = moved.iter().copied().filter(|it| *it != index).collect();
        if heaviest_of_what_is_passed(nat, demand, &without).is_none() {
            moved = without;
        }
    }
    moved.sort_unstable();
    moved
}

/// Of the destinations that are not moved and pass a bound together, the one that needs most keys.
fn heaviest_of_what_is_passed(nat: &Nat, demand: &Demand, moved: &[usize]) -> Option<usize> {
    let stays = |index: &usize| !moved.contains(index);
    let staying: Vec<usize> = (0..demand.destinations.len()).filter(stays).collect();
    let destinations = staying.iter().map(|index| demand.destinations[*index].clone()).collect();
    let rest = Demand { destinations, ..demand.clone() };
    let passed = bounds(nat, &rest).into_iter().find(|bound| !bound.holds())?;
    let keys = |index: &usize| rest.destinations[*index].keys_max(nat);
    let heaviest =
        passed.destinations.into_iter().max_by_key(|index| (keys(index), usize::MAX - index));
    heaviest.map(|index| staying[index])
}

/// How many connections of a member fit on its ports, towards each group of destinations.
pub fn pooled(nat: &Nat, demand: &Demand, kept_min: Duration) -> Vec<Pooled> {
    let pooled = |bound: Bound| {
        let destinations = bound.destinations.iter().map(|index| &demand.destinations[*index]);
        let rest = destinations.clone().map(|it| it.rest(nat).total()).max().unwrap_or_default();
        let generations = 1 + rest.millis().div_ceil(kept_min.millis().max(1));
        let of_one = bound.room / bound.members().unwrap_or(1).max(1) as u64;
        let calls = destinations.map(|it| it.envelope.flows_at_once());
        Pooled {
            connections: of_one / generations,
            calls: calls.fold(0, u64::saturating_add),
            destinations: bound.destinations,
        }
    };
    ports(nat, demand).map(pooled).collect()
}

/// When a port is free again after the last packet of a connection, by how it ends.
pub fn returns(nat: &Nat, transport: Transport) -> [Rest; 3] {
    Close::ALL.map(|close| Rest::of(nat, transport, close))
}

/// The bounds that are about ports towards some destinations.
fn ports(nat: &Nat, demand: &Demand) -> impl Iterator<Item = Bound> {
    bounds(nat, demand).into_iter().filter(Bound::is_of_ports)
}
