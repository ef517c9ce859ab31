//! How nodes look to whoever probes them: computed where it is asked for, and kept until something
//! changes.
//!
//! **Readings taken.** A node that is asked about while its own look depends on the answer (units
//! that serve from each other) looks down. A traffic manager that is down itself looks so to its
//! parent, whatever its endpoints are.

use petgraph::graph::NodeIndex;
use rustc_hash::FxHashMap;

use super::{Network, throttle_of};
use crate::routing::decisions::{Decisions, Status, Tally};
use crate::routing::graph::RoutingGraph;
use crate::routing::node::{ManagedEndpoint, Node, Setting, VmPool};

/// What has been seen since the last change.
#[derive(Debug, Clone, Default)]
pub(super) struct Sights(FxHashMap<NodeIndex, Option<Sight>>);

/// How a node looks.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sight {
    /// Its probes succeed.
    Up,
    /// Its probes fail.
    Down,
    /// A traffic manager that is up, and how its endpoints stand.
    Manager(Tally),
}

impl Sight {
    const fn is_up(self) -> bool {
        match self {
            Self::Up => true,
            Self::Down => false,
            Self::Manager(tally) => tally.looks_up(),
        }
    }
}

impl Sights {
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}

impl<D: Decisions> Network<D> {
    /// Whether a node's probes succeed; of a traffic manager, whether one of its endpoints is
    /// online or not probed yet.
    pub(super) fn looks_up(&mut self, node: NodeIndex) -> bool {
        self.look(node).is_up()
    }

    /// How each endpoint of a traffic manager stands.
    pub(super) fn statuses(&mut self, manager: NodeIndex) -> Vec<Status> {
        self.look(manager);
        self.standings(manager)
    }

    /// Looks at a node after all that it depends on, without recursion: chains may be long.
    fn look(&mut self, node: NodeIndex) -> Sight {
        let mut open = vec![node];
        while let Some(&top) = open.last() {
            if let Some(Some(sight)) = self.sights.0.get(&top) {
                let sight = *sight;
                open.pop();
                if open.is_empty() {
                    return sight;
                }
                continue;
            }
            let is_new = self.sights.0.insert(top, None).is_none();
            let leads = self.graph.leads(top).iter().map(|lead| lead.node);
            let unseen = leads.filter(|lead| is_new && !self.sights.0.contains_key(lead));
            let before = open.len();
            open.extend(unseen);
            if open.len() == before {
                let sight = self.sight(top);
                self.sights.0.insert(top, Some(sight));
            }
        }
        Sight::Down
    }

    /// How a node looks, once all that it depends on has been looked at.
    fn sight(&self, node: NodeIndex) -> Sight {
        if self.is_down(node) {
            return Sight::Down;
        }
        let up = |is_up| if is_up { Sight::Up } else { Sight::Down };
        let leads = self.graph.leads(node);
        match self.graph.node(node) {
            Node::TrafficManager(manager) => {
                let mut tally = Tally { disabled: manager.disabled, ..Tally::default() };
                self.standings(node).into_iter().for_each(|status| tally.add(status));
                Sight::Manager(tally)
            }
            Node::FrontDoor(door) => {
                let origins = door.origins.values().zip(leads);
                up(origins
                    .into_iter()
                    .any(|(origin, it)| !origin.disabled && self.seen_up(it.node)))
            }
            Node::LoadBalancer(_) | Node::ServiceIndex(_) => {
                up(leads.iter().any(|lead| self.seen_up(lead.node)))
            }
            Node::ScaleUnit(_) => {
                up(self.answers_probes(node) && leads.iter().all(|lead| self.seen_up(lead.node)))
            }
            Node::Pool(pool) => up(!self.members_up(node, pool).is_empty()),
            Node::Client(_) | Node::Router(_) | Node::NatGateway(_) | Node::Destination(_) => {
                Sight::Up
            }
        }
    }

    /// Whether a unit lets probes through: not at its limit, if they count.
    fn answers_probes(&self, unit: NodeIndex) -> bool {
        let throttle = throttle_of(self.graph.node(unit)).filter(|it| it.probes_count);
        throttle.is_none_or(|throttle| {
            let in_hand = self.in_hand(unit, throttle);
            !self.decisions.is_throttled(in_hand, throttle.proxied_max)
        })
    }

    /// How each endpoint of a traffic manager stands, once it has been looked at.
    fn standings(&self, manager: NodeIndex) -> Vec<Status> {
        let Node::TrafficManager(it) = self.graph.node(manager) else { return Vec::new() };
        let endpoints = it.endpoints.values().zip(self.graph.leads(manager));
        endpoints.map(|(endpoint, lead)| self.standing(endpoint, lead.node)).collect()
    }

    fn standing(&self, endpoint: &ManagedEndpoint, node: NodeIndex) -> Status {
        let children_min = endpoint.children_min.unwrap_or(1);
        match self.sights.0.get(&node).copied().flatten() {
            _ if endpoint.setting == Setting::Disabled => {
                self.decisions.probed_status(Setting::Disabled, false)
            }
            Some(Sight::Manager(tally)) => self.decisions.nested_status(&tally, children_min),
            sight => {
                let is_up = matches!(sight, Some(Sight::Up));
                self.decisions.probed_status(endpoint.setting, is_up)
            }
        }
    }

    fn seen_up(&self, node: NodeIndex) -> bool {
        self.sights.0.get(&node).copied().flatten().is_some_and(Sight::is_up)
    }

    /// The slots (from 0) of a pool whose VMs are up.
    pub(super) fn members_up(&self, node: NodeIndex, pool: &VmPool) -> Vec<usize> {
        let is_down = |slot| self.health.is_down(self.graph.component_of_slot(node, slot));
        let members = RoutingGraph::members(pool).map(|(slot, _)| slot);
        members.filter(|slot| self.decisions.is_up(is_down(*slot))).collect()
    }
}
