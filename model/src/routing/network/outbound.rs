//! Connections that VMs open: by which way out, and with which port.

use petgraph::graph::NodeIndex;

use super::Network;
use super::trip::Trip;
use crate::allocator::Bitmap;
use crate::flow::{Endpoint, FiveTuple};
use crate::nat::{self, Nat, Reason, Signal};
use crate::routing::decisions::Decisions;
use crate::routing::event::Connection;
use crate::routing::node::{Node, VmPool};
use crate::routing::topology::Means;
use crate::routing::walk::{Disposition, NoRoute, Rule, Walk};
use crate::subject::Device;
use crate::time::Duration;
use crate::translator::Translator;

/// How a connection left.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leaving {
    pub(super) pool: NodeIndex,
    /// The node that it left by; `None` for what is not translated and needs none.
    pub(super) by: Option<NodeIndex>,
    pub(super) means: Option<Means>,
    pub(super) external: Option<Endpoint>,
}

/// A connection while it is on its way.
struct Opening<'a> {
    connection: &'a Connection,
    flow: FiveTuple,
    pool: NodeIndex,
    it: &'a VmPool,
    destination: NodeIndex,
}

impl<D: Decisions> Network<D> {
    /// The walk of a connection that a VM opens.
    pub(super) fn outbound(&mut self, connection: &Connection) -> Walk {
        let graph = self.graph.clone();
        let unknown = Walk::nowhere(NoRoute::Unknown);
        let Some(flow) = graph.flow_of(connection) else { return unknown };
        let ends = (graph.index(&connection.member.pool), graph.index(&connection.destination));
        let (Some(pool), Some(destination)) = ends else { return unknown };
        let Node::Pool(it) = graph.node(pool) else { return unknown };
        let mut trip = Trip::new(&graph);
        let opening = Opening { connection, flow, pool, it, destination };
        let disposition = match self.open(&mut trip, &opening) {
            Ok(disposition) | Err(disposition) => disposition,
        };
        trip.end(disposition)
    }

    fn open(&mut self, trip: &mut Trip, opening: &Opening) -> Result<Disposition, Disposition> {
        let &Opening { connection, pool, it, .. } = opening;
        self.begin_at_member(trip, pool, connection.member.member)?;
        let way = Leaving { pool, by: None, means: None, external: None };
        if self.decisions.bypasses(it, &connection.destination) {
            self.left.insert(connection.clone(), way);
            return self.arrive(trip, opening, Rule::Bypass, None);
        }
        let table = self.graph.topology().precedence.table();
        let present: Vec<Means> = table.into_iter().filter(|means| it.has(*means)).collect();
        let no_way = Disposition::NoRoute(NoRoute::NoWayOut);
        let means = self.decisions.way_out(&present).ok_or(no_way)?;
        let by = self.leave_by(trip, opening, means, &present)?;
        let external = self.translate(trip, opening, means, by, &present)?;
        let way = Leaving { by: Some(by), means: Some(means), external, ..way };
        self.left.insert(connection.clone(), way);
        self.arrive(trip, opening, Rule::Destination, external)
    }

    /// Comes to what the connection leaves by: the appliance, the gateway, or the pool's own
    /// addresses.
    fn leave_by(
        &mut self,
        trip: &mut Trip,
        opening: &Opening,
        means: Means,
        present: &[Means],
    ) -> Result<NodeIndex, Disposition> {
        let out = &opening.it.outbound;
        let named = match means {
            Means::UserRoute => out.user_route.as_ref(),
            Means::NatGateway => out.nat_gateway.as_ref(),
            Means::InstanceAddress | Means::OutboundRule | Means::Default => None,
        };
        let by = named.and_then(|name| self.graph.index(name)).unwrap_or(opening.pool);
        self.reach(trip, by)?;
        trip.push_node(&self.graph, by, leaves_by(means, present, None))?;
        match self.is_down(by) {
            true => Err(Disposition::Unhealthy),
            false => Ok(by),
        }
    }

    /// The endpoint that stands for the VM; `None` where it is not translated.
    fn translate(
        &mut self,
        trip: &mut Trip,
        opening: &Opening,
        means: Means,
        by: NodeIndex,
        present: &[Means],
    ) -> Result<Option<Endpoint>, Disposition> {
        let pool = &opening.connection.member.pool;
        if !self.translators.contains_key(&(by, means)) {
            let Some((_, nat)) = self.graph.translator_of(pool, means) else { return Ok(None) };
            self.translators.insert((by, means), self.translator(&nat));
        }
        let Some(translator) = self.translators.get_mut(&(by, means)) else { return Ok(None) };
        let external = match translator.step(&nat::Event::outbound(opening.flow, Signal::Open)) {
            nat::Outcome::Forwarded(sent) | nat::Outcome::Hairpinned { sent, .. } => sent.source,
            nat::Outcome::Dropped(reason) => return Err(Disposition::RefusedPorts(reason)),
            nat::Outcome::ErrorForwarded(_)
            | nat::Outcome::Elapsed { .. }
            | nat::Outcome::Reconfigured { .. } => {
                return Err(Disposition::RefusedPorts(Reason::NoMapping));
            }
        };
        trip.amend(leaves_by(means, present, Some(external)));
        Ok(Some(external))
    }

    /// A translator of this configuration for which as much time has passed.
    fn translator(&self, nat: &Nat) -> Translator<Bitmap> {
        let mut translator = Translator::new(nat, Bitmap::new);
        translator.step(&nat::Event::Elapse(Duration::from_millis(self.now.millis())));
        translator
    }

    fn arrive(
        &mut self,
        trip: &mut Trip,
        opening: &Opening,
        rule: Rule,
        external: Option<Endpoint>,
    ) -> Result<Disposition, Disposition> {
        self.reach(trip, opening.destination)?;
        trip.push_node(&self.graph, opening.destination, rule)?;
        match (self.is_down(opening.destination), external) {
            (true, _) => Err(Disposition::Unhealthy),
            (false, Some(external)) => Ok(Disposition::Exits(external)),
            (false, None) => Ok(Disposition::Delivered),
        }
    }
}

/// By this way out, which comes before the next one that is there.
fn leaves_by(means: Means, present: &[Means], external: Option<Endpoint>) -> Rule {
    let after = present.iter().skip_while(|it| **it != means).nth(1);
    Rule::LeavesBy { means, before: after.copied(), external }
}
