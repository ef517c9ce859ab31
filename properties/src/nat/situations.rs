//! What the generators must reach, or the laws hold for want of trying.

use natlaw_model::allocator::Refusal;
use natlaw_model::nat::{Event, Member, Nat, Outcome, PortReuse, Reason};
use natlaw_model::subject;

use super::laws::{
    inbound, inbound_without_rule, new_binding, outbound, reconfigured, refused, rests_there,
};
use crate::law::Situation;
use crate::situation;

type Moment<'a> = subject::Moment<'a, Nat>;

/// Every situation that must occur.
pub const REACHABLE: &[Situation<Nat>] = &[
    situation!(a_member_is_exhausted),
    situation!(a_member_is_exhausted_while_another_has_ports),
    situation!(a_port_serves_two_destinations_at_once),
    situation!(a_port_serves_two_transports_at_once),
    situation!(a_key_rests_while_another_flow_is_bound),
    situation!(a_resting_key_is_taken_back_by_its_own_inside_endpoint),
    situation!(a_flow_is_bound_while_a_stranded_key_rests),
    situation!(a_mapping_carries_a_second_flow),
    situation!(a_second_virtual_ip_is_used),
    situation!(a_reply_is_delivered),
    situation!(a_reply_comes_too_late),
    situation!(an_unsolicited_packet_arrives),
    situation!(a_stranger_asks),
    situation!(a_flow_ends_by_a_packet_of_the_outside),
    situation!(a_connection_is_admitted),
    situation!(a_reply_to_an_admitted_connection_leaves),
    situation!(an_admitted_connection_would_clash),
    situation!(a_binding_is_stranded),
    situation!(a_binding_survives_a_reconfiguration),
    situation!(two_members_share_a_source_port),
];

fn a_member_is_exhausted(moment: &Moment) -> bool {
    refused(moment).is_some_and(|(_, refusal)| refusal == Refusal::Exhausted)
}

fn a_member_is_exhausted_while_another_has_ports(moment: &Moment) -> bool {
    let nat = &moment.before.nat;
    let others_have = |flow: natlaw_model::flow::FiveTuple| {
        nat.pool.members().any(|Member(address)| {
            let source = natlaw_model::flow::Endpoint { address, ..flow.source };
            address != flow.source.address
                && moment.before.eligible(flow.from(source)).next().is_some()
        })
    };
    a_member_is_exhausted(moment) && refused(moment).is_some_and(|(flow, _)| others_have(flow))
}

fn a_port_serves_two_destinations_at_once(moment: &Moment) -> bool {
    new_binding(moment).is_some_and(|new| {
        let same = |held: &natlaw_model::nat::Holding| {
            held.binding.external == new.external
                && held.binding.flow.transport == new.flow.transport
                && held.binding.flow.destination != new.flow.destination
                && held.is_live(moment.before.now)
        };
        moment.before.nat.port_reuse != PortReuse::Never.into()
            && moment.before.holdings().any(same)
    })
}

fn a_port_serves_two_transports_at_once(moment: &Moment) -> bool {
    new_binding(moment).is_some_and(|new| {
        moment.before.holdings().any(|held| {
            held.binding.external == new.external
                && held.binding.flow.transport != new.flow.transport
        })
    })
}

fn a_key_rests_while_another_flow_is_bound(moment: &Moment) -> bool {
    let rests = |held: &natlaw_model::nat::Holding| !held.is_live(moment.before.now);
    new_binding(moment).is_some() && moment.before.holdings().any(rests)
}

fn a_resting_key_is_taken_back_by_its_own_inside_endpoint(moment: &Moment) -> bool {
    let Some((_, flow)) = outbound(moment) else { return false };
    let rests = moment.before.holding_of(flow).filter(|held| !held.is_live(moment.before.now));
    let back = |held: &natlaw_model::nat::Holding| {
        *moment.outcome == Outcome::Forwarded(flow.from(held.binding.external))
    };
    rests.is_some_and(back)
}

fn a_flow_is_bound_while_a_stranded_key_rests(moment: &Moment) -> bool {
    new_binding(moment).is_some() && moment.before.holdings().any(|held| held.stranded)
}

fn a_mapping_carries_a_second_flow(moment: &Moment) -> bool {
    let Some((_, flow)) = outbound(moment) else { return false };
    let holding = moment.before.holding_of(flow);
    matches!(moment.outcome, Outcome::Forwarded(_))
        && holding.is_some_and(|held| held.is_live(moment.before.now))
        && moment.before.external_of(flow).is_none()
}

fn a_second_virtual_ip_is_used(moment: &Moment) -> bool {
    let second = moment.before.nat.virtual_ips.get(1);
    new_binding(moment).is_some_and(|new| second.is_some_and(|vip| vip.0 == new.external.address))
}

fn a_reply_is_delivered(moment: &Moment) -> bool {
    let packet = inbound_without_rule(moment);
    packet.is_some() && matches!(moment.outcome, Outcome::Forwarded(_))
}

fn a_reply_comes_too_late(moment: &Moment) -> bool {
    inbound_without_rule(moment).is_some_and(|packet| rests_there(moment, packet))
}

fn an_unsolicited_packet_arrives(moment: &Moment) -> bool {
    inbound_without_rule(moment).is_some() && matches!(moment.outcome, Outcome::Dropped(_))
}

fn a_stranger_asks(moment: &Moment) -> bool {
    *moment.outcome == Outcome::Dropped(Reason::Refused(Refusal::NotInPool))
}

fn a_flow_ends_by_a_packet_of_the_outside(moment: &Moment) -> bool {
    inbound(moment).is_some_and(|(segment, _)| segment.ends_its_flow())
        && a_reply_is_delivered(moment)
}

fn a_connection_is_admitted(moment: &Moment) -> bool {
    inbound(moment).is_some()
        && inbound_without_rule(moment).is_none()
        && matches!(moment.outcome, Outcome::Forwarded(_))
}

fn a_reply_to_an_admitted_connection_leaves(moment: &Moment) -> bool {
    outbound(moment).is_some_and(|(_, flow)| moment.before.admitted_through(flow).is_some())
}

fn an_admitted_connection_would_clash(moment: &Moment) -> bool {
    matches!(moment.event, Event::Inbound(_)) && *moment.outcome == Outcome::Dropped(Reason::Clash)
}

fn a_binding_is_stranded(moment: &Moment) -> bool {
    reconfigured(moment).is_some_and(|(_, stranded)| !stranded.is_empty())
}

fn a_binding_survives_a_reconfiguration(moment: &Moment) -> bool {
    let survives = |held: &natlaw_model::nat::Holding, nat: &Nat| {
        held.is_live(moment.before.now) && nat.keeps(&moment.before.nat, held.binding)
    };
    reconfigured(moment)
        .is_some_and(|(nat, _)| moment.before.holdings().any(|held| survives(held, nat)))
}

fn two_members_share_a_source_port(moment: &Moment) -> bool {
    new_binding(moment).is_some_and(|new| {
        moment.before.holdings().map(|held| held.binding.flow.source).any(|held| {
            held.port == new.flow.source.port && held.address != new.flow.source.address
        })
    })
}
