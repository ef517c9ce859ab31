//! How connections of VMs leave.

use natlaw_model::allocator::Refusal;
use natlaw_model::flow::{Endpoint, FiveTuple};
use natlaw_model::nat::{self, Reason, VirtualIp};
use natlaw_model::routing::{Connection, Disposition, Means, Name, NoRoute, Node, Rule, VmPool};
use natlaw_model::subject::Subject;

use super::{Moment, opened};

/// A pool as it stands in the graph, and the way out that a connection of it took.
pub(in crate::routing) struct Leaving<'a> {
    pub(in crate::routing) connection: &'a Connection,
    pub(in crate::routing) pool: &'a VmPool,
    pub(in crate::routing) means: Option<Means>,
    pub(in crate::routing) external: Option<Endpoint>,
    pub(in crate::routing) is_bypass: bool,
    pub(in crate::routing) disposition: Disposition,
}

/// A connection of a VM that the graph has.
pub(in crate::routing) fn leaving<'a>(moment: &Moment<'a>) -> Option<Leaving<'a>> {
    let (connection, walk) = opened(moment)?;
    let graph = &moment.before.graph;
    graph.flow_of(connection)?;
    let Some(Node::Pool(pool)) = graph.named(&connection.member.pool) else { return None };
    let out = walk.hops.iter().find_map(|hop| match hop.rule {
        Rule::LeavesBy { means, external, .. } => Some((means, external)),
        _ => None,
    });
    let is_bypass = walk.hops.iter().any(|hop| hop.rule == Rule::Bypass);
    Some(Leaving {
        connection,
        pool,
        means: out.map(|(means, _)| means),
        external: out.and_then(|(_, external)| external),
        is_bypass,
        disposition: walk.disposition,
    })
}

impl Leaving<'_> {
    /// The first way out of the precedence that the pool has.
    pub(in crate::routing) fn first(&self, moment: &Moment) -> Option<Means> {
        let table = moment.before.graph.topology().precedence.table();
        table.into_iter().find(|means| self.pool.has(*means))
    }

    fn bypasses(&self) -> bool {
        self.pool.bypass.contains(&self.connection.destination)
    }
}

/// Of the ways out that a pool has, the first of the precedence is taken.
pub(super) fn the_way_out_is_the_first_of_the_precedence(moment: &Moment) -> Option<bool> {
    let leaving = leaving(moment)?;
    Some(leaving.means? == leaving.first(moment)?)
}

/// What goes to a private or service endpoint is not translated and takes no port.
pub(super) fn bypassing_traffic_takes_no_port(moment: &Moment) -> Option<bool> {
    let leaving = leaving(moment)?;
    let is_port =
        matches!(leaving.disposition, Disposition::Exits(_) | Disposition::RefusedPorts(_));
    leaving.bypasses().then_some(leaving.means.is_none() && !is_port)
}

/// Only what goes to a private or service endpoint is let past the translator.
pub(super) fn only_private_endpoints_are_reached_untranslated(moment: &Moment) -> Option<bool> {
    let leaving = leaving(moment)?;
    leaving.is_bypass.then(|| leaving.bypasses())
}

/// A pool that declares no way out has none: an internal balancer gives none.
pub(super) fn no_way_out_is_said_only_where_there_is_none(moment: &Moment) -> Option<bool> {
    let leaving = leaving(moment)?;
    let is_said = leaving.disposition == Disposition::NoRoute(NoRoute::NoWayOut);
    is_said.then(|| leaving.first(moment).is_none() && !leaving.bypasses())
}

/// Whoever leaves says which way, and a pool without one does not leave.
pub(super) fn a_pool_without_a_way_out_does_not_leave(moment: &Moment) -> Option<bool> {
    let leaving = leaving(moment)?;
    let has_none = leaving.first(moment).is_none() && !leaving.bypasses();
    has_none
        .then_some(!matches!(leaving.disposition, Disposition::Exits(_) | Disposition::Delivered))
}

/// What leaves has an address of the way out that it took.
pub(super) fn what_leaves_has_an_address_of_its_way_out(moment: &Moment) -> Option<bool> {
    let leaving = leaving(moment)?;
    let Disposition::Exits(seen) = leaving.disposition else { return None };
    let Some(means) = leaving.means else { return Some(false) };
    let (_, nat) = moment.before.translator_of(&leaving.connection.member.pool, means)?;
    let is_one = nat.virtual_ips.contains(&VirtualIp(seen.address));
    Some(is_one && leaving.external == Some(seen))
}

/// A VM that leaves by its own address leaves by no neighbour's.
pub(super) fn an_instance_address_is_its_vms_own(moment: &Moment) -> Option<bool> {
    let leaving = leaving(moment)?;
    let Disposition::Exits(seen) = leaving.disposition else { return None };
    (leaving.means == Some(Means::InstanceAddress)).then_some(())?;
    let slot = leaving.pool.members.slot_of(leaving.connection.member.member)?;
    let own = leaving.pool.outbound.instance_addresses.get(slot);
    Some(own == Some(&VirtualIp(seen.address)))
}

/// What the translator of the way out knows, and the flow that the connection is for it.
fn translator(moment: &Moment, leaving: &Leaving) -> Option<(nat::Ledger, FiveTuple)> {
    let means = leaving.first(moment)?;
    let (by, nat): (Name, nat::Nat) =
        moment.before.translator_of(&leaving.connection.member.pool, means)?;
    let known = moment.before.translators.get(&(by, means)).cloned();
    let fresh = || nat.ledger();
    Some((known.unwrap_or_else(fresh), moment.before.flow_of(leaving.connection)?))
}

/// A connection is refused for want of ports only where its translator has none for it.
pub(super) fn ports_are_refused_only_where_none_is_eligible(moment: &Moment) -> Option<bool> {
    let leaving = leaving(moment)?;
    let Disposition::RefusedPorts(reason) = leaving.disposition else { return None };
    let (ledger, flow) = translator(moment, &leaving)?;
    let is_exhausted = reason == Reason::Refused(Refusal::Exhausted);
    Some(is_exhausted && ledger.eligible(flow).next().is_none())
}

/// No two connections are one to the outside.
pub(super) fn a_connection_leaves_by_an_endpoint_of_its_own(moment: &Moment) -> Option<bool> {
    let leaving = leaving(moment)?;
    let external = leaving.external?;
    let (ledger, flow) = translator(moment, &leaving)?;
    let held = ledger.holding_of(flow).map(|held| held.binding.external);
    Some(held == Some(external) || ledger.eligible(flow).any(|free| free == external))
}

/// A connection that goes on leaves as before: the far side knows it by that.
pub(super) fn a_connection_keeps_its_endpoint(moment: &Moment) -> Option<bool> {
    let leaving = leaving(moment)?;
    let external = leaving.external?;
    let (ledger, flow) = translator(moment, &leaving)?;
    let held = ledger.holding_of(flow).filter(|held| held.is_live(ledger.now))?;
    Some(held.binding.external == external)
}
