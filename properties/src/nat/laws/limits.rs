//! What one member may hold, and what the others cannot take from it.

use itertools::Itertools;
use natlaw_model::allocator::Refusal;
use natlaw_model::flow::{Binding, FiveTuple};
use natlaw_model::nat::{Candidates, Limits, Member, PortPolicy};

use super::{Moment, forwarded_outbound, new_binding, outbound, refused, refused_with};

/// A member that holds all that its limits allow begins no further flow.
pub(super) fn no_member_goes_beyond_its_limit(moment: &Moment) -> Option<bool> {
    forwarded_outbound(moment)?;
    let flow = new_flow(moment).filter(|_| moment.before.nat.limits.bind_members())?;
    Some(!is_at_a_limit(moment, flow))
}

/// "Over limit" is the truth: the member holds all that its limits allow.
pub(super) fn over_limit_is_said_only_to_a_member_at_a_limit(moment: &Moment) -> Option<bool> {
    let flow = refused_with(moment, Refusal::OverLimit)?;
    Some(is_at_a_limit(moment, flow))
}

/// A member at a limit is not told that ports are lacking.
pub(super) fn a_member_at_a_limit_is_told_nothing_else(moment: &Moment) -> Option<bool> {
    let (flow, refusal) = refused(moment)?;
    is_at_a_limit(moment, flow).then_some(refusal == Refusal::OverLimit)
}

/// A member with ports of its own is refused for what it holds itself, or for what a new
/// configuration has stranded there.
pub(super) fn a_member_is_not_refused_for_what_others_hold(moment: &Moment) -> Option<bool> {
    let flow = refused_with(moment, Refusal::Exhausted)?;
    let (ledger, member) = (moment.before, flow.source.address);
    let with_room = own_ports(moment, flow)?.by_address().filter(|on| has_room(moment, flow, *on));
    let mut own = with_room.flat_map(Candidates::iter).filter(|it| ledger.nat.may_give(flow, *it));
    Some(own.all(|external| {
        let mut holders = ledger.holders(ledger.nat.key(flow, external));
        holders.any(|held| held.stranded || held.binding.flow.source.address == member)
    }))
}

/// A virtual IP that holds as many keys towards a destination as it may is given no further one
/// towards it.
pub(super) fn no_virtual_ip_goes_beyond_its_limit_towards_a_destination(
    moment: &Moment,
) -> Option<bool> {
    moment.before.nat.limits.per_destination?;
    let Binding { flow, external } = new_binding(moment)?;
    Some(moment.before.has_room(flow, external.address))
}

/// Whether the virtual IP of these candidates has room towards the flow's destination.
pub(super) fn has_room(moment: &Moment, flow: FiveTuple, on: Candidates) -> bool {
    moment.before.has_room(flow, on.addresses()[0].0)
}

/// The ports that are nobody's but the flow's member's, where members have such.
fn own_ports<'a>(moment: &Moment<'a>, flow: FiveTuple) -> Option<Candidates<'a>> {
    match moment.before.nat.ports {
        PortPolicy::Tiered(_)
        | PortPolicy::Fixed { .. }
        | PortPolicy::Manual { .. }
        | PortPolicy::Guaranteed { .. }
        | PortPolicy::Deterministic(_) => moment.before.nat.candidates(flow).map(Candidates::first),
        PortPolicy::Static
        | PortPolicy::Dynamic
        | PortPolicy::OnDemand(_)
        | PortPolicy::Doubling(_) => None,
    }
}

/// A flow of a member that begins with this packet, if it is let through.
fn new_flow(moment: &Moment) -> Option<FiveTuple> {
    let (_, flow) = outbound(moment).filter(|(segment, _)| !segment.ends_its_flow())?;
    let ledger = moment.before;
    let is_known = ledger.external_of(flow).or(ledger.admitted_through(flow)).is_some();
    ledger.nat.pool.slot_of(Member(flow.source.address)).filter(|_| !is_known)?;
    Some(flow)
}

/// Whether the member has as many flows as it may, or would need one more binding than it may have.
fn is_at_a_limit(moment: &Moment, flow: FiveTuple) -> bool {
    let ledger = moment.before;
    let Limits { ports, bindings, flows, per_destination: _ } = ledger.nat.limits;
    let held = || ledger.held_by(flow.source.address, flow.transport);
    let binds = ledger.holding_of(flow).is_none();
    let live = || held().map(|held| held.live_flows(ledger.now).count()).sum();
    let endpoints = || held().map(|held| held.binding.external).unique().count();
    is_reached(flows, live)
        || (binds && is_reached(bindings, || held().count()))
        || (binds && is_reached(ports, endpoints))
}

fn is_reached(limit: Option<u32>, count: impl Fn() -> usize) -> bool {
    limit.is_some_and(|limit| count() >= limit as usize)
}
