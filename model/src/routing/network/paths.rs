//! The ways of routers: the cheapest over what is up, of equal ones the first by name.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use itertools::Itertools;
use petgraph::graph::NodeIndex;
use rustc_hash::FxHashMap;

use super::Network;
use super::trip::Trip;
use crate::routing::decisions::{Decisions, Neighbour};
use crate::routing::node::Node;
use crate::routing::walk::{Disposition, NoRoute, Rule};

/// What the way to a router costs from each node, for the routers that were asked for since the
/// last change.
#[derive(Debug, Clone, Default)]
pub(super) struct Ways(FxHashMap<NodeIndex, Costs>);

/// By node; `None` where no way leads.
type Costs = Arc<[Option<u64>]>;

/// The most routers to which the costs are kept.
const WAYS_MAX: usize = 64;

impl Ways {
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}

impl<D: Decisions> Network<D> {
    /// Carries a walk from the router where it is to another, over the routers in between. The last
    /// one is a hop if `last` says so: otherwise it is where the walk goes, and has a rule of its
    /// own. What goes on from the router where it is comes through none.
    pub(super) fn carry(
        &mut self,
        trip: &mut Trip,
        to: NodeIndex,
        last: bool,
    ) -> Result<(), Disposition> {
        let Some(from) = trip.here else { return Ok(()) };
        let costs = self.costs_to(to);
        costs[from.index()].ok_or(Disposition::NoRoute(NoRoute::NoPath))?;
        if from != to && !trip.is_at(&self.graph, from) {
            trip.push_router(&self.graph, from, Rule::Attached)?;
        }
        let leg = trip.leg().saturating_sub(1);
        let mut here = from;
        while here != to {
            let (next, rule) = self.next_router(here, &costs)?;
            if next != to || last {
                let has_been = trip.has_been_since(leg, self.graph.name(next));
                trip.push_router(&self.graph, next, rule)?;
                if self.decisions.is_loop(has_been) {
                    return Err(Disposition::Loop);
                }
            }
            here = next;
        }
        trip.here = Some(to);
        Ok(())
    }

    fn next_router(
        &self,
        here: NodeIndex,
        costs: &Costs,
    ) -> Result<(NodeIndex, Rule), Disposition> {
        let no_path = Disposition::NoRoute(NoRoute::NoPath);
        let live = self.live_links(here).collect_vec();
        if let Node::Router(router) = self.graph.node(here)
            && let Some(route) = router.route.as_ref().and_then(|name| self.graph.index(name))
        {
            let leads = live.iter().any(|(next, _)| *next == route);
            return leads.then_some((route, Rule::StaticRoute)).ok_or(no_path);
        }
        let ways = live.into_iter().filter_map(|(next, cost)| {
            Some((next, costs[next.index()]?.saturating_add(u64::from(cost))))
        });
        let ways = ways.collect_vec();
        let neighbours =
            ways.iter().map(|(next, cost)| Neighbour { cost: *cost, name: self.graph.name(*next) });
        let chosen = self.decisions.next_router(&neighbours.collect_vec()).ok_or(no_path)?;
        let (next, cost) = ways.get(chosen).ok_or(no_path)?;
        Ok((*next, Rule::LeastCost(*cost)))
    }

    /// What the way to a router costs from each node.
    fn costs_to(&mut self, to: NodeIndex) -> Costs {
        if let Some(costs) = self.ways.0.get(&to) {
            return Arc::clone(costs);
        }
        if self.ways.0.len() >= WAYS_MAX {
            self.ways.forget();
        }
        let costs: Costs = self.search(to).into();
        self.ways.0.insert(to, Arc::clone(&costs));
        costs
    }

    /// Dijkstra's search, from the end: every node is settled once.
    fn search(&self, to: NodeIndex) -> Vec<Option<u64>> {
        let mut costs = vec![None; self.graph.petgraph().node_count()];
        let mut open = BinaryHeap::new();
        open.extend((!self.is_down(to)).then_some((Reverse(0_u64), to)));
        while let Some((Reverse(cost), at)) = open.pop() {
            if costs[at.index()].is_some() {
                continue;
            }
            costs[at.index()] = Some(cost);
            for (next, link) in self.live_links(at) {
                if costs[next.index()].is_none() {
                    open.push((Reverse(cost.saturating_add(u64::from(link))), next));
                }
            }
        }
        costs
    }

    fn live_links(&self, at: NodeIndex) -> impl Iterator<Item = (NodeIndex, u32)> {
        let links = self.graph.links(at);
        let live = links.filter(|(next, _, component)| {
            !self.health.is_down(*component) && !self.is_down(*next)
        });
        live.map(|(next, cost, _)| (next, cost))
    }
}
