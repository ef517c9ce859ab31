//! What a member is given beyond its own ports, and what others cannot take from it.

use itertools::Itertools;
use natlaw_model::allocator::Refusal;
use natlaw_model::flow::{Binding, FiveTuple};
use natlaw_model::nat::{Candidates, Doubling, Holding, Lease, Member, Owner, PortPolicy};

use super::{Moment, new_binding, refused_with};

/// "Exhausted" is never said while a port is eligible that the member was guaranteed, whatever the
/// others hold.
pub(super) fn a_member_always_obtains_its_guarantee(moment: &Moment) -> Option<bool> {
    let flow = refused_with(moment, Refusal::Exhausted)?;
    let mut own = guarantee(moment, flow)?.iter();
    Some(!own.any(|external| moment.before.is_eligible(flow, external)))
}

/// What a member is given beyond its guarantee is guaranteed to nobody.
pub(super) fn a_shared_port_comes_out_of_nobodys_guarantee(moment: &Moment) -> Option<bool> {
    let Binding { flow, external } = new_binding(moment)?;
    let own = guarantee(moment, flow)?;
    let is_shared = moment.before.nat.owner(external) == Owner::Shared;
    own.position(external).is_none().then_some(is_shared)
}

/// A shared port is given, or a further block begun, only when no port of the member's own is
/// eligible for the flow.
pub(super) fn a_member_goes_beyond_its_own_ports_only_when_none_is_left(
    moment: &Moment,
) -> Option<bool> {
    let ledger = moment.before;
    let Binding { flow, external } = new_binding(moment)?;
    ledger.nat.ports.goes_beyond().then_some(())?;
    let own = ledger.nat.first_choices(flow, ledger.leases_of(Member(flow.source.address)));
    let is_own = own.iter().any(|own| own.position(external).is_some());
    let mut ports = own.iter().flat_map(|own| own.iter());
    (!is_own).then(|| !ports.any(|external| ledger.is_eligible(flow, external)))
}

/// The block that a new mapping's port is in, or that it begins, is leased by nobody else.
pub(super) fn a_leased_block_serves_one_member(moment: &Moment) -> Option<bool> {
    let Binding { flow, external } = new_binding(moment).filter(|_| doubling(moment).is_some())?;
    let own = moment.before.leases_of(Member(flow.source.address));
    let around = own.iter().copied().find(|lease| lease.contains(external));
    let lease = around.or_else(|| moment.before.nat.next_lease(own, external))?;
    let is_own = |other: &Lease| own.contains(other);
    Some(moment.before.leases().all(|other| is_own(&other) || !other.overlaps(lease)))
}

/// The blocks of the minimum in which a member holds keys make up no more than its maximum.
pub(super) fn a_member_leases_no_more_than_its_maximum(moment: &Moment) -> Option<bool> {
    let (Binding { flow, external }, doubling) = (new_binding(moment)?, doubling(moment)?);
    let is_its = |held: &&Holding| held.binding.flow.source.address == flow.source.address;
    let held = moment.before.holdings().filter(|held| is_its(held) && !held.stranded);
    let endpoints = held.map(|held| held.binding.external).chain([external]);
    let blocks = endpoints.map(|it| (it.address, doubling.block_at(it.port, doubling.minimum)));
    Some(blocks.unique().count() * usize::from(doubling.minimum) <= doubling.maximum as usize)
}

/// The ports that are guaranteed to the member of a flow, where there are any.
fn guarantee<'a>(moment: &Moment<'a>, flow: FiveTuple) -> Option<Candidates<'a>> {
    let is_guaranteed = moment.before.nat.ports.shared().is_some();
    moment.before.nat.candidates(flow).filter(|_| is_guaranteed).map(Candidates::first)
}

fn doubling(moment: &Moment) -> Option<Doubling> {
    match &moment.before.nat.ports {
        PortPolicy::Doubling(doubling) => Some(*doubling),
        _ => None,
    }
}
