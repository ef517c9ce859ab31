//! Replies: they go back where the request came from, by the addresses that it came in by.
//!
//! **Reading taken.** A reply finds its way over routers anew; everything else that carried the
//! request carries the reply, and ends it if it is down by now.

use petgraph::graph::NodeIndex;

use super::Network;
use super::inbound::Asking;
use super::outbound::Leaving;
use super::trip::Trip;
use super::{Kept, Lead};
use crate::flow::{Endpoint, FiveTuple};
use crate::nat::{self, Member, Signal, VirtualIp};
use crate::routing::decisions::Decisions;
use crate::routing::event::{Connection, Request};
use crate::routing::graph::RoutingGraph;
use crate::routing::name::MemberName;
use crate::routing::node::Node;
use crate::routing::walk::{Disposition, NoRoute, Rule, Walk};
use crate::subject::Device;

/// How a delivered request came in.
#[derive(Debug, Clone)]
pub(super) struct WayIn {
    /// What carried it, the client first: no names, lists, pools or routers on the way.
    carriers: Vec<NodeIndex>,
    through: Option<(NodeIndex, VirtualIp)>,
    member: Option<(NodeIndex, usize)>,
}

/// A reply that has nothing to answer.
const NOTHING: Walk = Walk::nowhere(NoRoute::NothingToAnswer);

impl<D: Decisions> Network<D> {
    /// What a delivered request leaves behind: how it came in, and at front doors where the account
    /// lives.
    pub(super) fn learn(
        &mut self,
        request: &Request,
        trip: &Trip,
        asking: &Asking,
        disposition: Disposition,
    ) {
        if disposition != Disposition::Delivered {
            return;
        }
        let is_on_the_way_back = |node: &NodeIndex| !self.is_left_out(*node);
        let carriers = trip.been.iter().copied().filter(is_on_the_way_back).collect();
        let way = WayIn { carriers, through: asking.through, member: asking.member };
        self.entered.insert(request.clone(), way);
        let owner = request.account.as_ref().and_then(|account| self.graph.owner(account));
        if let (Some(account), Some(owner)) = (&request.account, owner)
            && trip.been.contains(&owner)
        {
            let doors = trip.been.iter().filter_map(|door| self.affinity(*door, owner));
            for (door, kept) in doors.collect::<Vec<_>>() {
                self.affinities.insert((door, account.clone()), kept);
            }
        }
    }

    fn affinity(&self, door: NodeIndex, owner: NodeIndex) -> Option<(NodeIndex, Kept)> {
        let Node::FrontDoor(it) = self.graph.node(door) else { return None };
        let until = self.now + it.affinity?;
        let lead = *self.graph.leads(door).iter().find(|lead: &&Lead| lead.node == owner)?;
        Some((door, Kept { lead, until }))
    }

    /// Whether replies do not come by a node: it was asked, not gone through, or is a pool, whose
    /// VM replies.
    fn is_left_out(&self, node: NodeIndex) -> bool {
        matches!(
            self.graph.node(node),
            Node::TrafficManager(_) | Node::ServiceIndex(_) | Node::Pool(_)
        )
    }

    /// The walk of the reply to a request.
    pub(super) fn reply_to_request(&mut self, request: &Request) -> Walk {
        let Some(way) = self.entered.get(request).cloned() else { return NOTHING };
        let mut trip = Trip::new(&self.graph);
        let disposition = match self.reply(&mut trip, &way) {
            Ok(()) => Disposition::Delivered,
            Err(disposition) => disposition,
        };
        trip.end(disposition)
    }

    fn reply(&mut self, trip: &mut Trip, way: &WayIn) -> Result<(), Disposition> {
        let mut back = way.carriers.iter().rev().copied();
        if let Some((pool, slot)) = way.member {
            self.begin_at_slot(trip, pool, slot)?;
        } else {
            let server = back.next().ok_or(Disposition::NoRoute(NoRoute::NothingToAnswer))?;
            trip.here = self.graph.router_of(server);
            self.come_back(trip, server, Rule::Begins)?;
        }
        for carrier in back {
            let rule = self.reply_rule(way, carrier);
            self.reach(trip, carrier)?;
            self.come_back(trip, carrier, rule)?;
        }
        Ok(())
    }

    fn begin_at_slot(
        &self,
        trip: &mut Trip,
        pool: NodeIndex,
        slot: usize,
    ) -> Result<(), Disposition> {
        let Node::Pool(it) = self.graph.node(pool) else { return Ok(()) };
        let member = it.members.member_in(slot).ok_or(Disposition::Unhealthy)?;
        self.begin_at_member(trip, pool, member)
    }

    /// Begins at a VM, if that is up.
    pub(super) fn begin_at_member(
        &self,
        trip: &mut Trip,
        pool: NodeIndex,
        member: Member,
    ) -> Result<(), Disposition> {
        trip.here = self.graph.router_of(pool);
        trip.push_member(self.member_name(pool, member), Rule::Begins)?;
        self.expect_member(pool, member)
    }

    /// Ends the walk if the VM or its pool is down.
    fn expect_member(&self, pool: NodeIndex, member: Member) -> Result<(), Disposition> {
        let Node::Pool(it) = self.graph.node(pool) else { return Err(Disposition::Unhealthy) };
        let slot = it.members.slot_of(member).ok_or(Disposition::Unhealthy)?;
        let component = self.graph.component_of_slot(pool, slot);
        match self.health.is_down(component) || self.is_down(pool) {
            true => Err(Disposition::Unhealthy),
            false => Ok(()),
        }
    }

    fn member_name(&self, pool: NodeIndex, member: Member) -> MemberName {
        MemberName { pool: self.graph.name(pool).clone(), member }
    }

    fn reply_rule(&self, way: &WayIn, carrier: NodeIndex) -> Rule {
        match (way.through, self.graph.node(carrier)) {
            (Some((_, came_in_by)), Node::LoadBalancer(balancer)) => {
                let all = &balancer.virtual_ips;
                Rule::CameInBy(self.decisions.reply_address(came_in_by, all))
            }
            _ => Rule::Back,
        }
    }

    fn come_back(&self, trip: &mut Trip, node: NodeIndex, rule: Rule) -> Result<(), Disposition> {
        trip.push_node(&self.graph, node, rule)?;
        match self.is_down(node) {
            true => Err(Disposition::Unhealthy),
            false => Ok(()),
        }
    }

    /// The walk of the reply to a connection.
    pub(super) fn reply_to_connection(&mut self, connection: &Connection) -> Walk {
        let Some(leaving) = self.left.get(connection).copied() else { return NOTHING };
        let graph = self.graph.clone();
        let Some(destination) = graph.index(&connection.destination) else { return NOTHING };
        let mut trip = Trip::new(&graph);
        trip.here = graph.router_of(destination);
        let walked = self.come_back(&mut trip, destination, Rule::Begins).and_then(|()| {
            let member = self.come_in(&mut trip, &graph, connection, leaving)?;
            self.reach(&mut trip, leaving.pool)?;
            trip.push_member(self.member_name(leaving.pool, member), Rule::Back)?;
            self.expect_member(leaving.pool, member)
        });
        trip.end(walked.map_or_else(|disposition| disposition, |()| Disposition::Delivered))
    }

    /// Comes to what the connection left by; answers the VM to which that sends the reply.
    fn come_in(
        &mut self,
        trip: &mut Trip,
        graph: &RoutingGraph,
        connection: &Connection,
        leaving: Leaving,
    ) -> Result<Member, Disposition> {
        let Some(by) = leaving.by else { return Ok(connection.member.member) };
        self.reach(trip, by)?;
        let rule = leaving.external.map_or(Rule::Back, Rule::LeftBy);
        self.come_back(trip, by, rule)?;
        let (Some(external), Some(flow)) = (leaving.external, graph.flow_of(connection)) else {
            return Ok(connection.member.member);
        };
        self.translated_back(leaving, flow, external)
    }

    fn translated_back(
        &mut self,
        leaving: Leaving,
        flow: FiveTuple,
        external: Endpoint,
    ) -> Result<Member, Disposition> {
        let nothing = Disposition::NoRoute(NoRoute::NothingToAnswer);
        let key = (leaving.by.ok_or(nothing)?, leaving.means.ok_or(nothing)?);
        let translator = self.translators.get_mut(&key).ok_or(nothing)?;
        let reply = nat::Event::inbound(flow.from(external).reversed(), Signal::Data);
        match translator.step(&reply) {
            nat::Outcome::Forwarded(tuple) => Ok(Member(tuple.destination.address)),
            _ => Err(nothing),
        }
    }
}
