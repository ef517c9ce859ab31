//! What laws compare with, worked out anew from the leaves: who looks up, whom a name may answer
//! with, and what the cheapest way costs.
//!
//! Everybody starts out down; then everybody is looked at again, until nothing changes any more. So
//! whoever waits for itself stays down. What was worked out last is kept, because many laws ask of
//! one state.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use natlaw_model::routing::{
    HealthVector, Ledger, ManagedEndpoint, Name, Node, RoutingGraph, ScaleUnit, Setting, Target,
    VmPool,
};
use natlaw_model::time::Instant;

/// How an endpoint of a traffic manager stands ("Traffic Manager endpoint monitoring" 2018-12,
/// "Nested Traffic Manager profiles" 2016-10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Its probes succeed.
    Online,
    /// It has not been probed yet.
    Checking,
    /// Its probes fail, or too few of its own endpoints are online.
    Degraded,
    /// It is out.
    Stopped,
}

impl Standing {
    /// Whether it may be answered while the method has a choice.
    pub(super) const fn is_available(self) -> bool {
        matches!(self, Self::Online | Self::Checking)
    }
}

/// How all nodes look, in one state.
#[derive(Debug, PartialEq, Eq)]
struct Sights {
    /// By node: whether a probe of it succeeds.
    up: Vec<bool>,
    /// By node: how the endpoints of a traffic manager stand.
    tallies: Vec<Tally>,
}

/// Endpoints of a traffic manager, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Tally {
    online: usize,
    checking: usize,
    degraded: usize,
    is_off: bool,
}

impl Tally {
    const fn is_stopped(self) -> bool {
        self.is_off || self.online + self.checking + self.degraded == 0
    }
}

/// The state that looks depend on, what was seen in it, and what ways cost in it.
struct Seen {
    graph: RoutingGraph,
    health: HealthVector,
    now: Instant,
    in_hand: BTreeMap<Name, Vec<Instant>>,
    sights: Rc<Sights>,
    costs: BTreeMap<usize, Rc<Vec<Option<u64>>>>,
}

impl Seen {
    fn of(ledger: &Ledger) -> Self {
        Self {
            graph: ledger.graph.clone(),
            health: ledger.health.clone(),
            now: ledger.now,
            in_hand: ledger.in_hand.clone(),
            sights: Rc::new(Sights::of(ledger)),
            costs: BTreeMap::new(),
        }
    }

    /// Copies of a graph share its topology.
    fn is_of(&self, ledger: &Ledger) -> bool {
        std::ptr::eq(self.graph.topology(), ledger.graph.topology())
            && self.health == ledger.health
            && self.now == ledger.now
            && self.in_hand == ledger.in_hand
    }
}

thread_local! {
    static LAST: RefCell<Option<Seen>> = const { RefCell::new(None) };
}

/// What is seen in the state of a ledger.
fn seen<T>(ledger: &Ledger, read: impl FnOnce(&mut Seen) -> T) -> T {
    LAST.with_borrow_mut(|last| {
        if !last.as_ref().is_some_and(|seen| seen.is_of(ledger)) {
            *last = None;
        }
        read(last.get_or_insert_with(|| Seen::of(ledger)))
    })
}

fn sights(ledger: &Ledger) -> Rc<Sights> {
    seen(ledger, |seen| Rc::clone(&seen.sights))
}

impl Sights {
    fn of(ledger: &Ledger) -> Self {
        let nodes = ledger.graph.petgraph().node_count();
        let mut sights = Self { up: vec![false; nodes], tallies: vec![Tally::default(); nodes] };
        while sights.changes(ledger) {}
        sights
    }

    /// Looks at every node again; whether any looks otherwise. Nodes are looked at from the last to
    /// the first, which is from the leaves up but for names nested in names.
    fn changes(&mut self, ledger: &Ledger) -> bool {
        let mut has_changed = false;
        for at in (0..self.up.len()).rev() {
            let before = (self.up[at], self.tallies[at]);
            self.look(ledger, at);
            has_changed |= before != (self.up[at], self.tallies[at]);
        }
        has_changed
    }

    fn look(&mut self, ledger: &Ledger, at: usize) {
        let graph = &ledger.graph;
        let (name, node) = (graph.name(petgraph_index(at)), graph.node(petgraph_index(at)));
        let leads = || graph.leads(petgraph_index(at)).iter().map(|lead| lead.node.index());
        let is_up = match node {
            Node::TrafficManager(manager) => {
                let mut tally = Tally { is_off: manager.disabled, ..Tally::default() };
                for (settings, lead) in manager.endpoints.values().zip(leads()) {
                    tally.add(self.standing(ledger, lead, settings));
                }
                self.tallies[at] = tally;
                !tally.is_off && tally.online + tally.checking > 0
            }
            Node::FrontDoor(door) => {
                let mut origins = door.origins.values().zip(leads());
                origins.any(|(origin, lead)| !origin.disabled && self.up[lead])
            }
            Node::LoadBalancer(_) | Node::ServiceIndex(_) => leads().any(|lead| self.up[lead]),
            Node::ScaleUnit(unit) => {
                leads().all(|lead| self.up[lead]) && !is_shut(ledger, name, unit)
            }
            Node::Pool(pool) => live_count(ledger, name, pool) > 0,
            Node::Client(_) | Node::Router(_) | Node::NatGateway(_) | Node::Destination(_) => true,
        };
        self.up[at] = is_up && !ledger.health.is_down(at);
    }

    /// How an endpoint stands; of one that is nested, by the least number of its children.
    fn standing(&self, ledger: &Ledger, lead: usize, settings: &ManagedEndpoint) -> Standing {
        let node = ledger.graph.node(petgraph_index(lead));
        let is_nested = matches!(node, Node::TrafficManager(_)) && !ledger.health.is_down(lead);
        match (settings.setting, is_nested) {
            (Setting::Disabled, _) => Standing::Stopped,
            (_, true) => self.tallies[lead].standing(settings.children_min.unwrap_or(1) as usize),
            (Setting::Checking, false) => Standing::Checking,
            (Setting::Enabled, false) if self.up[lead] => Standing::Online,
            (Setting::Enabled, false) => Standing::Degraded,
        }
    }
}

impl Tally {
    const fn add(&mut self, standing: Standing) {
        match standing {
            Standing::Online => self.online += 1,
            Standing::Checking => self.checking += 1,
            Standing::Degraded => self.degraded += 1,
            Standing::Stopped => {}
        }
    }

    const fn standing(self, children_min: usize) -> Standing {
        match () {
            () if self.is_stopped() => Standing::Stopped,
            () if self.online >= children_min => Standing::Online,
            () if self.online + self.checking >= children_min => Standing::Checking,
            () => Standing::Degraded,
        }
    }
}

fn petgraph_index<I: From<u32>>(at: usize) -> I {
    I::from(u32::try_from(at).unwrap_or(u32::MAX))
}

/// Whether a unit's limit keeps probes out, too.
fn is_shut(ledger: &Ledger, name: &Name, unit: &ScaleUnit) -> bool {
    let throttle = unit.throttle.filter(|throttle| throttle.probes_count);
    throttle.is_some_and(|it| ledger.in_hand(name) >= it.proxied_max as usize)
}

/// How an endpoint of a traffic manager stands.
pub(super) fn standing(ledger: &Ledger, target: &Target, settings: &ManagedEndpoint) -> Standing {
    match ledger.graph.index(&target.node) {
        Some(node) => sights(ledger).standing(ledger, node.index(), settings),
        None => Standing::Stopped,
    }
}

/// Whether a probe that goes as far as a request finds somebody.
pub(super) fn looks_up(ledger: &Ledger, name: &Name) -> bool {
    ledger.graph.index(name).is_some_and(|node| sights(ledger).up[node.index()])
}

/// Whether a node is down.
pub(super) fn is_down(ledger: &Ledger, name: &Name) -> bool {
    ledger.graph.index(name).is_some_and(|node| ledger.health.is_down(node.index()))
}

/// How many VMs of a pool are up.
pub(super) fn live_count(ledger: &Ledger, name: &Name, pool: &VmPool) -> usize {
    let Some(at) = ledger.graph.index(name) else { return 0 };
    let slots = RoutingGraph::members(pool).map(|(slot, _)| slot);
    let is_down = |slot| ledger.health.is_down(ledger.graph.component_of_slot(at, slot));
    slots.filter(|slot| !is_down(*slot)).count()
}

/// What the cheapest way over live links costs; `None` if there is none.
pub(super) fn least_cost(ledger: &Ledger, from: &Name, to: &Name) -> Option<u64> {
    let (from, to) = (ledger.graph.index(from)?.index(), ledger.graph.index(to)?.index());
    let costs = seen(ledger, |seen| {
        let costs = seen.costs.entry(to).or_insert_with(|| Rc::new(costs_to(ledger, to)));
        Rc::clone(costs)
    });
    costs[from]
}

/// What the way to a router costs from each (Bellman and Ford).
fn costs_to(ledger: &Ledger, to: usize) -> Vec<Option<u64>> {
    let is_up = |component| !ledger.health.is_down(component);
    let mut costs = vec![None; ledger.graph.petgraph().node_count()];
    costs[to] = is_up(to).then_some(0_u64);
    let mut changed = VecDeque::from_iter(is_up(to).then_some(to));
    while let Some(at) = changed.pop_front() {
        for (next, cost, link) in ledger.graph.links(petgraph_index(at)) {
            let next = next.index();
            let way = costs[at].map(|so_far: u64| so_far.saturating_add(u64::from(cost)));
            if is_up(link) && is_up(next) && costs[next].is_none_or(|known| way < Some(known)) {
                costs[next] = way;
                changed.push_back(next);
            }
        }
    }
    costs
}
