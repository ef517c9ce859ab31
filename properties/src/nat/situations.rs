//! What the generators must reach, or the laws hold for want of trying.

use natlaw_model::allocator::Refusal;
use natlaw_model::flow::{Binding, FiveTuple};
use natlaw_model::nat::{
    AddressPooling, Candidates, Event, Holding, Member, Nat, Outcome, Owner, PortPolicy, PortReuse,
    Preserve, Reason, Side, Signal, State, VirtualIp, refreshes,
};
use natlaw_model::subject;

use super::laws::{
    answers, error_of_the_inside, error_of_the_outside, forwarded_inbound, hairpinned, inbound,
    inbound_without_rule, new_binding, outbound, reconfigured, refused, rests_there,
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
    situation!(a_stranger_is_let_in_by_a_filter),
    situation!(a_stranger_is_kept_out_by_a_filter),
    situation!(a_packet_is_hairpinned),
    situation!(a_hairpinned_packet_is_not_let_in),
    situation!(a_hairpinned_packet_is_admitted_by_a_rule),
    situation!(an_error_of_the_outside_is_delivered),
    situation!(an_error_of_the_inside_leaves),
    situation!(an_error_is_dropped),
    situation!(a_syn_is_answered),
    situation!(a_waiting_syn_is_met_by_the_inside),
    situation!(a_simultaneous_open_is_seen),
    situation!(a_member_is_over_its_limit),
    situation!(a_virtual_ip_without_room_is_passed_over),
    situation!(a_member_is_exhausted_for_want_of_room_while_a_port_is_free),
    situation!(a_shared_port_is_given_beyond_a_guarantee),
    situation!(a_further_block_is_begun),
    situation!(a_member_that_leases_blocks_is_exhausted),
    situation!(a_port_is_kept),
    situation!(a_port_cannot_be_kept),
    situation!(a_paired_member_is_exhausted_while_another_address_is_free),
    situation!(an_exempt_destination_is_called),
    situation!(a_flow_is_half_open_at_its_end),
    situation!(a_flow_is_established_at_its_end),
    situation!(a_flow_is_closed_by_one_side_at_its_end),
    situation!(a_flow_is_in_time_wait_at_its_end),
    situation!(a_flow_is_reset_at_its_end),
    situation!(a_closed_port_is_opened_again),
    situation!(data_restores_a_flow_that_was_reset),
    situation!(a_packet_of_the_outside_refreshes_a_flow),
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

fn a_stranger_is_let_in_by_a_filter(moment: &Moment) -> bool {
    let Some(packet) = inbound_without_rule(moment) else { return false };
    let lets_in = moment.before.mapping_for(packet);
    lets_in.is_some_and(|it| {
        let flow = packet.to(it.mapping().inside).reversed();
        moment.before.external_of(flow).is_none()
    })
}

fn a_stranger_is_kept_out_by_a_filter(moment: &Moment) -> bool {
    inbound_without_rule(moment).is_some_and(|packet| {
        moment.before.live_at(packet).is_some() && moment.before.mapping_for(packet).is_none()
    })
}

fn a_packet_is_hairpinned(moment: &Moment) -> bool {
    hairpinned(moment).is_some_and(|(_, delivered)| delivered.is_some())
}

fn a_hairpinned_packet_is_not_let_in(moment: &Moment) -> bool {
    hairpinned(moment).is_some_and(|(_, delivered)| delivered.is_none())
}

fn a_hairpinned_packet_is_admitted_by_a_rule(moment: &Moment) -> bool {
    a_packet_is_hairpinned(moment)
        && forwarded_inbound(moment).is_some_and(|(sent, _)| {
            moment.before.nat.rule_at(sent.transport, sent.destination).is_some()
        })
}

fn an_error_of_the_outside_is_delivered(moment: &Moment) -> bool {
    error_of_the_outside(moment).is_some() && matches!(moment.outcome, Outcome::ErrorForwarded(_))
}

fn an_error_of_the_inside_leaves(moment: &Moment) -> bool {
    error_of_the_inside(moment).is_some() && matches!(moment.outcome, Outcome::ErrorForwarded(_))
}

fn an_error_is_dropped(moment: &Moment) -> bool {
    matches!(moment.event, Event::InboundError(_) | Event::OutboundError(_))
        && matches!(moment.outcome, Outcome::Dropped(_))
}

fn a_syn_is_answered(moment: &Moment) -> bool {
    answers(moment).is_some_and(|(due, _)| !due.is_empty())
}

fn a_waiting_syn_is_met_by_the_inside(moment: &Moment) -> bool {
    let opens = outbound(moment).is_some_and(|(segment, _)| segment.meaning() == Signal::Open);
    let Outcome::Forwarded(sent) = moment.outcome else { return false };
    opens && moment.before.answer_due(sent.reversed()).is_some()
}

fn a_simultaneous_open_is_seen(moment: &Moment) -> bool {
    let opens = inbound(moment).is_some_and(|(segment, _)| segment.meaning() == Signal::Open);
    opens && answered_state(moment) == Some(State::HalfOpen)
}

fn a_member_is_over_its_limit(moment: &Moment) -> bool {
    refused(moment).is_some_and(|(_, refusal)| refusal == Refusal::OverLimit)
}

fn a_virtual_ip_without_room_is_passed_over(moment: &Moment) -> bool {
    let without_room = |flow, first: VirtualIp| !moment.before.has_room(flow, first.0);
    let candidates = |flow| moment.before.nat.candidates(flow).into_iter();
    new_binding(moment).is_some_and(|Binding { flow, .. }| {
        candidates(flow).any(|candidates| without_room(flow, candidates.addresses()[0]))
    })
}

fn a_member_is_exhausted_for_want_of_room_while_a_port_is_free(moment: &Moment) -> bool {
    let ledger = moment.before;
    let is_free = |flow: FiveTuple, external| {
        ledger.nat.may_give(flow, external)
            && ledger.holders(ledger.nat.key(flow, external)).next().is_none()
    };
    let has_a_free_one = |flow: FiveTuple| {
        let candidates = ledger.nat.candidates(flow).into_iter().flat_map(Candidates::iter);
        candidates.into_iter().any(|external| is_free(flow, external))
    };
    ledger.nat.limits.per_destination.is_some()
        && ledger.nat.ports.translates_ports()
        && refused(moment)
            .is_some_and(|(flow, said)| said == Refusal::Exhausted && has_a_free_one(flow))
}

fn a_shared_port_is_given_beyond_a_guarantee(moment: &Moment) -> bool {
    let is_guaranteed = moment.before.nat.ports.shared().is_some();
    let is_shared = |new: Binding| moment.before.nat.owner(new.external) == Owner::Shared;
    is_guaranteed && new_binding(moment).is_some_and(is_shared)
}

fn a_further_block_is_begun(moment: &Moment) -> bool {
    new_binding(moment).is_some_and(|Binding { flow, external }| {
        let leases = moment.before.leases_of(Member(flow.source.address));
        !leases.is_empty() && !leases.iter().any(|lease| lease.contains(external))
    })
}

fn a_member_that_leases_blocks_is_exhausted(moment: &Moment) -> bool {
    a_member_is_exhausted(moment) && matches!(moment.before.nat.ports, PortPolicy::Doubling(_))
}

fn a_port_is_kept(moment: &Moment) -> bool {
    kept(moment).is_some_and(|rank| rank.contains(&true))
}

fn a_port_cannot_be_kept(moment: &Moment) -> bool {
    kept(moment).is_some_and(|rank| !rank.contains(&true))
}

fn a_paired_member_is_exhausted_while_another_address_is_free(moment: &Moment) -> bool {
    let nat = &moment.before.nat;
    let arbitrary = || nat.with(|nat| nat.pooling = AddressPooling::Arbitrary);
    let is_free = |flow: FiveTuple, other: &Nat| {
        let candidates = other.candidates(flow).into_iter().flat_map(Candidates::iter);
        let mut free = candidates.map(|external| nat.key(flow, external));
        free.any(|key| moment.before.holders(key).next().is_none())
    };
    let flow = refused(moment).filter(|(_, refusal)| *refusal == Refusal::Exhausted);
    nat.pooling == AddressPooling::Paired
        && flow.is_some_and(|(flow, _)| arbitrary().is_ok_and(|other| is_free(flow, &other)))
}

fn an_exempt_destination_is_called(moment: &Moment) -> bool {
    outbound(moment).is_some_and(|(_, flow)| moment.before.nat.leaves_alone(flow))
}

fn a_flow_is_half_open_at_its_end(moment: &Moment) -> bool {
    ends_in(moment, |state| state == State::HalfOpen)
}

fn a_flow_is_established_at_its_end(moment: &Moment) -> bool {
    ends_in(moment, |state| state == State::Established)
}

fn a_flow_is_closed_by_one_side_at_its_end(moment: &Moment) -> bool {
    ends_in(moment, |state| matches!(state, State::OneSideClosed(_)))
}

fn a_flow_is_in_time_wait_at_its_end(moment: &Moment) -> bool {
    ends_in(moment, |state| state == State::TimeWait)
}

fn a_flow_is_reset_at_its_end(moment: &Moment) -> bool {
    ends_in(moment, |state| state == State::Reset)
}

fn a_closed_port_is_opened_again(moment: &Moment) -> bool {
    outbound(moment).is_some_and(|(segment, flow)| {
        let end = moment.before.end_of(flow);
        segment.meaning() == Signal::Open && end.is_some_and(|end| end.state == State::TimeWait)
    })
}

fn data_restores_a_flow_that_was_reset(moment: &Moment) -> bool {
    outbound(moment).is_some_and(|(segment, flow)| {
        let end = moment.before.end_of(flow);
        segment.meaning() == Signal::Data && end.is_some_and(|end| end.state == State::Reset)
    })
}

fn a_packet_of_the_outside_refreshes_a_flow(moment: &Moment) -> bool {
    let Some((segment, packet)) = inbound(moment) else { return false };
    let refreshed = |state: State| {
        let nat = &moment.before.nat;
        let changes = state.after(Side::Outside, segment.meaning(), nat.closes_on) != state;
        let declared = nat.inbound_refresh.of(packet.transport);
        !changes && refreshes(Side::Outside, segment.meaning(), changes, declared)
    };
    answered_state(moment).is_some_and(refreshed)
}

/// How far the flow has got that a packet of the outside belongs to.
fn answered_state(moment: &Moment) -> Option<State> {
    let packet = inbound_without_rule(moment)?;
    let inside = moment.before.live_at(packet)?.mapping().inside;
    Some(moment.before.end_of(packet.to(inside).reversed())?.state)
}

/// What a new mapping keeps of the inside port, where it is asked to.
fn kept(moment: &Moment) -> Option<[bool; 3]> {
    let preserve = moment.before.nat.preserve;
    let new = new_binding(moment).filter(|_| preserve != Preserve::default())?;
    Some(preserve.rank(new.flow.source.port, new.external.port))
}

/// Whether the timer of a flow in such a state runs out.
fn ends_in(moment: &Moment, is_such: impl Fn(State) -> bool) -> bool {
    let Event::Elapse(length) = moment.event else { return false };
    let ledger = moment.before;
    let ends = |flow: FiveTuple| {
        let end = ledger.end_of(flow);
        end.is_some_and(|end| is_such(end.state) && end.at <= ledger.now + *length)
    };
    let flows = |held: &Holding| held.live_flows(ledger.now).any(ends);
    ledger.holdings().any(flows)
}
