//! A walk while it is made.

use petgraph::graph::NodeIndex;

use crate::routing::graph::RoutingGraph;
use crate::routing::name::{MemberName, Name, Place};
use crate::routing::walk::{Disposition, Hop, Rule, Walk};

/// A walk while it is made.
#[derive(Debug)]
pub(super) struct Trip {
    hops: Vec<Hop>,
    hops_max: usize,
    /// The router where it is; `None` where that hangs at no router.
    pub(super) here: Option<NodeIndex>,
    /// The places that decided, in order; routers on the way are none.
    pub(super) been: Vec<NodeIndex>,
}

impl Trip {
    pub(super) fn new(graph: &RoutingGraph) -> Self {
        let hops_max = usize::from(graph.topology().hops_max);
        Self { hops: Vec::new(), hops_max, here: None, been: Vec::new() }
    }

    /// How many hops there are: where the next leg begins.
    pub(super) fn leg(&self) -> usize {
        self.hops.len()
    }

    pub(super) fn is_at(&self, graph: &RoutingGraph, node: NodeIndex) -> bool {
        let last = self.hops.last().map(|hop| &hop.place);
        matches!(last, Some(Place::Node(name)) if name == graph.name(node))
    }

    pub(super) fn has_been_since(&self, leg: usize, router: &Name) -> bool {
        let is_there = |hop: &Hop| matches!(&hop.place, Place::Node(name) if name == router);
        self.hops[leg..].iter().any(is_there)
    }

    /// Comes to a node; the walk is there from now on.
    pub(super) fn push_node(
        &mut self,
        graph: &RoutingGraph,
        node: NodeIndex,
        rule: Rule,
    ) -> Result<(), Disposition> {
        self.push(Place::Node(graph.name(node).clone()), rule)?;
        self.been.push(node);
        Ok(())
    }

    /// Comes through a router.
    pub(super) fn push_router(
        &mut self,
        graph: &RoutingGraph,
        router: NodeIndex,
        rule: Rule,
    ) -> Result<(), Disposition> {
        self.push(Place::Node(graph.name(router).clone()), rule)
    }

    /// Comes to a VM.
    pub(super) fn push_member(
        &mut self,
        member: MemberName,
        rule: Rule,
    ) -> Result<(), Disposition> {
        self.push(Place::Member(member), rule)
    }

    fn push(&mut self, place: Place, rule: Rule) -> Result<(), Disposition> {
        if self.hops.len() >= self.hops_max {
            return Err(Disposition::HopLimit);
        }
        self.hops.push(Hop { place, rule });
        Ok(())
    }

    /// Says more of why the last place was chosen.
    pub(super) fn amend(&mut self, rule: Rule) {
        if let Some(hop) = self.hops.last_mut() {
            hop.rule = rule;
        }
    }

    pub(super) fn end(self, disposition: Disposition) -> Walk {
        Walk { hops: self.hops, disposition }
    }
}
