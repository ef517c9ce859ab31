//! What a configuration declares about the endpoint of a new mapping.

use natlaw_model::flow::{Binding, Endpoint};
use natlaw_model::nat::{AddressPooling, Holding, RulePorts};

use super::{Moment, new_binding};

/// Under paired pooling a member's mappings have one virtual IP.
pub(super) fn a_paired_member_stays_on_one_virtual_ip(moment: &Moment) -> Option<bool> {
    let Binding { flow, external } = new_binding(moment).filter(|_| is_paired(moment))?;
    let is_its = |held: &&Holding| {
        held.binding.flow.source.address == flow.source.address
            && held.is_live(moment.before.now)
            && !held.stranded
    };
    let other = moment.before.holdings().find(is_its)?;
    Some(other.binding.external.address == external.address)
}

fn is_paired(moment: &Moment) -> bool {
    let nat = &moment.before.nat;
    nat.pooling == AddressPooling::Paired && nat.ports.translates_ports()
}

/// The inside port is kept where an eligible endpoint has it.
pub(super) fn a_port_is_kept_where_it_can_be(moment: &Moment) -> Option<bool> {
    keeps_as_much_as_it_can(moment, Kept::Port)
}

/// A port is below 1024 outside as it is inside, where an eligible endpoint is.
pub(super) fn a_port_class_is_kept_where_it_can_be(moment: &Moment) -> Option<bool> {
    keeps_as_much_as_it_can(moment, Kept::Class)
}

/// An odd port stays odd and an even one even, where an eligible endpoint is.
pub(super) fn a_port_parity_is_kept_where_it_can_be(moment: &Moment) -> Option<bool> {
    keeps_as_much_as_it_can(moment, Kept::Parity)
}

/// The translator's own ports, and all others that are reserved, are nobody's.
pub(super) fn a_reserved_port_is_never_given(moment: &Moment) -> Option<bool> {
    let binding = new_binding(moment)?;
    let reserved = &moment.before.nat.reserved;
    let is_reserved = reserved.iter().any(|block| block.contains(binding.external.port));
    (!reserved.is_empty()).then_some(!is_reserved)
}

/// Where an inbound rule takes a group of eight ports, none of the eight is given.
pub(super) fn the_group_of_an_inbound_rule_is_never_given(moment: &Moment) -> Option<bool> {
    let Binding { flow, external } = new_binding(moment)?;
    let nat = &moment.before.nat;
    let takes_eight = nat.rule_ports == RulePorts::GroupOfEight;
    let rules = nat.inbound_rules.iter().filter(|rule| rule.transport == flow.transport);
    let group = |at: Endpoint| (at.address, at.port / 8);
    let mut groups = rules.map(|rule| group(rule.external)).peekable();
    groups.peek().filter(|_| takes_eight)?;
    Some(groups.all(|taken| taken != group(external)))
}

/// What an external port may keep of an inside one, the first first.
#[derive(Clone, Copy)]
enum Kept {
    Port,
    Class,
    Parity,
}

/// Of the endpoints that keep as much of what comes before, one that keeps this too is taken, if
/// any was eligible.
fn keeps_as_much_as_it_can(moment: &Moment, kept: Kept) -> Option<bool> {
    let Binding { flow, external } = new_binding(moment)?;
    let keeps = |port| keeps(moment, flow.source.port, port, kept);
    let (before, chosen) = keeps(external.port)?;
    let mut eligible = moment.before.eligible(flow).filter_map(|it| keeps(it.port));
    eligible.any(|(same, it)| same == before && it).then_some(chosen)
}

/// What a port keeps before this, and whether it keeps this; `None` where that is not asked for.
fn keeps(moment: &Moment, inside: u16, port: u16, kept: Kept) -> Option<(Vec<bool>, bool)> {
    let preserve = moment.before.nat.preserve;
    let asked = [preserve.port, preserve.class, preserve.parity];
    let rank = preserve.rank(inside, port);
    let index = kept as usize;
    asked[index].then(|| (rank[..index].to_vec(), rank[index]))
}
