//! What must be true of every answer of a translator.
//!
//! Laws judge an answer; they never predict it. What they compare with is the ledger alone, which
//! is rebuilt from the answers.

mod beyond;
mod choice;
mod errors;
mod filtering;
mod hairpin;
mod limits;

use itertools::Itertools;
use natlaw_model::allocator::Refusal;
use natlaw_model::flow::{Binding, Endpoint, FiveTuple, Transport};
use natlaw_model::nat::{
    Candidates, Event, Holding, IcmpError, Key, Member, Nat, Outcome, PortPolicy, PortReuse,
    Reason, Remote, Segment, Selection,
};
use natlaw_model::subject;

use crate::law;
use crate::law::Law;

use beyond::{
    a_leased_block_serves_one_member, a_member_always_obtains_its_guarantee,
    a_member_goes_beyond_its_own_ports_only_when_none_is_left,
    a_member_leases_no_more_than_its_maximum, a_shared_port_comes_out_of_nobodys_guarantee,
};
use choice::{
    a_paired_member_stays_on_one_virtual_ip, a_port_class_is_kept_where_it_can_be,
    a_port_is_kept_where_it_can_be, a_port_parity_is_kept_where_it_can_be,
    a_reserved_port_is_never_given, the_group_of_an_inbound_rule_is_never_given,
};
use errors::{
    an_error_about_no_live_mapping_is_dropped,
    an_error_of_the_inside_leaves_from_the_external_endpoint,
    an_error_of_the_outside_is_restored_for_its_receiver,
};
use filtering::{
    a_filter_keeps_out_whom_it_should, a_filter_lets_in_whom_it_should,
    a_simultaneous_open_is_let_through, an_unsolicited_syn_is_answered_when_its_wait_is_over,
    no_other_syn_is_answered,
};
use hairpin::{
    a_hairpinned_packet_comes_from_its_senders_external_endpoint,
    a_hairpinned_packet_is_let_in_like_one_of_the_outside,
    a_packet_to_a_virtual_ip_comes_in_again_once,
};
use limits::{
    a_member_at_a_limit_is_told_nothing_else, a_member_is_not_refused_for_what_others_hold,
    has_room, no_member_goes_beyond_its_limit,
    no_virtual_ip_goes_beyond_its_limit_towards_a_destination,
    over_limit_is_said_only_to_a_member_at_a_limit,
};

pub(super) use errors::{error_of_the_inside, error_of_the_outside};
pub(super) use filtering::answers;
pub(super) use hairpin::hairpinned;

type Moment<'a> = subject::Moment<'a, Nat>;

/// Every law of a translator's answers.
pub const LAWS: &[Law<Nat>] = &[
    law!(
        no_two_flows_share_an_external_tuple,
        "RFC 3022 section 2.2; RFC 4787 REQ-3; RFC 5382 REQ-7",
        "Replies reach the wrong host."
    ),
    law!(
        a_key_rests_for_its_hold_down,
        "RFC 6888 REQ-8",
        "Late packets of a closed connection break into a new one."
    ),
    law!(
        a_stranded_key_rests_before_it_is_given_again,
        "RFC 6888 REQ-8, read for a change of configuration",
        "A resize hands one member's traffic to another."
    ),
    law!(
        a_packet_leaves_from_a_virtual_ip,
        "RFC 3022 section 2",
        "Private addresses leak, and no answer can come back."
    ),
    law!(
        a_member_uses_only_its_own_ports,
        "RFC 7422 section 2; the story \"Scaling past Port Exhaustion\"",
        "Replies are routed by port prefix to a neighbour."
    ),
    law!(
        no_port_is_taken_from_outside_the_usable_range,
        "RFC 6056 section 3.2; Open vSwitch 32b2c81f2",
        "A full translator answers from well-known or foreign ports."
    ),
    law!(
        the_port_of_an_inbound_rule_is_never_given,
        "RFC 3022 section 3; CVE-2021-3773",
        "A client's connection shadows a published service."
    ),
    law!(
        the_group_of_an_inbound_rule_is_never_given,
        "\"Outbound rules\", Azure Load Balancer documentation, April 2024",
        "A client's connection sits on a port that was set aside for services."
    ),
    law!(
        a_reserved_port_is_never_given,
        "RFC 3022 section 3; RFC 6056 section 3.2",
        "A flow takes the port of one of the translator's own services."
    ),
    law!(
        exhausted_is_said_only_when_no_port_is_eligible,
        "RFC 6888 REQ-13",
        "Connections fail while ports lie idle and every dashboard looks green."
    ),
    law!(
        a_flow_is_never_refused_while_all_its_ports_are_free,
        "RFC 6888 REQ-13",
        "Capacity is lost for good: an idle member cannot connect."
    ),
    law!(
        one_transport_never_exhausts_another,
        "RFC 3022 section 2.2; RFC 7857 section 5",
        "A burst of UDP stops TCP."
    ),
    law!(
        one_destination_never_exhausts_another,
        "RFC 7857 section 3",
        "One busy service makes all others unreachable."
    ),
    law!(
        no_member_goes_beyond_its_limit,
        "RFC 6888 REQ-4, REQ-5",
        "One member with a fault takes the ports of all."
    ),
    law!(
        over_limit_is_said_only_to_a_member_at_a_limit,
        "RFC 6888 REQ-4",
        "A member is refused for what others hold, and its operator raises the wrong limit."
    ),
    law!(
        a_member_at_a_limit_is_told_nothing_else,
        "RFC 6888 REQ-4",
        "An operator adds ports, and nothing gets better."
    ),
    law!(
        no_virtual_ip_goes_beyond_its_limit_towards_a_destination,
        "\"NAT gateway resource\", Azure documentation, July 2023; \"NAT gateways\", Amazon VPC \
         documentation, date not known",
        "Connections are counted on that the provider does not give."
    ),
    law!(
        a_member_is_not_refused_for_what_others_hold,
        "RFC 6888 REQ-4; Tailscale 11258",
        "One busy member takes what was promised to another."
    ),
    law!(
        a_member_always_obtains_its_guarantee,
        "\"Troubleshooting intermittent outbound connection errors in Azure App Service\", July \
         2020; Tailscale 11258",
        "A tenant that was promised ports has none because others took more than theirs."
    ),
    law!(
        a_shared_port_comes_out_of_nobodys_guarantee,
        "\"Troubleshooting intermittent outbound connection errors in Azure App Service\", July \
         2020",
        "What one member was promised is given to another, and fails when it is needed."
    ),
    law!(
        a_member_goes_beyond_its_own_ports_only_when_none_is_left,
        "\"Troubleshoot configuration\", Google Cloud NAT documentation, date not known",
        "Members that need no more take what others could have."
    ),
    law!(
        a_leased_block_serves_one_member,
        "\"Troubleshoot configuration\", Google Cloud NAT documentation, date not known; RFC 7422 \
         section 2",
        "Who had a port at a time can no longer be told from its block."
    ),
    law!(
        a_member_leases_no_more_than_its_maximum,
        "\"Troubleshoot configuration\", Google Cloud NAT documentation, date not known; RFC 6888 \
         REQ-4",
        "One member with a fault takes the ports of all."
    ),
    law!(
        only_a_stranger_is_told_that_it_is_not_in_the_pool,
        "Design of the refusals",
        "An operator looks for a missing member instead of missing ports."
    ),
    law!(
        a_leased_virtual_ip_serves_one_member,
        "RFC 3022 section 2.1",
        "Two hosts that keep their ports collide on one address."
    ),
    law!(
        a_member_stays_on_the_virtual_ip_it_leases,
        "RFC 4787 REQ-2",
        "One host takes several addresses and the pool runs out early."
    ),
    law!(
        a_paired_member_stays_on_one_virtual_ip,
        "RFC 4787 REQ-2; RFC 6888 REQ-2; RFC 7857 section 4",
        "Servers that know a client by its address refuse its second connection."
    ),
    law!(
        a_spread_binding_takes_the_least_used_virtual_ip,
        "Declared by the configuration; FD.io VPP 579a6fb89ba",
        "One address is exhausted while the others are idle."
    ),
    law!(
        a_port_is_kept_where_it_can_be,
        "RFC 4787 section 4.2; RFC 6056 section 4",
        "Protocols that count on their port fail without need."
    ),
    law!(
        a_port_class_is_kept_where_it_can_be,
        "RFC 4787 REQ-3a",
        "Servers that trust well-known source ports refuse the client."
    ),
    law!(
        a_port_parity_is_kept_where_it_can_be,
        "RFC 4787 REQ-4; RFC 7857 section 8",
        "RTP and RTCP no longer find each other on neighbouring ports."
    ),
    law!(
        a_flow_is_not_removed_before_its_timer,
        "RFC 4787 REQ-5; RFC 5382 REQ-5",
        "Quiet connections hang without an error."
    ),
    law!(
        a_live_flow_keeps_its_external_endpoint,
        "RFC 3022 section 2.2",
        "The far side sees a stranger in the middle of a connection."
    ),
    law!(
        flows_of_one_mapping_share_an_external_endpoint,
        "RFC 4787 REQ-1; RFC 5382 REQ-1",
        "Peers that learned the address of a host cannot reach it."
    ),
    law!(
        a_reply_reaches_the_endpoint_that_asked,
        "RFC 3022 section 4.1",
        "Replies are lost or delivered to another host."
    ),
    law!(
        a_packet_to_a_virtual_ip_comes_in_again_once,
        "RFC 4787 REQ-9; RFC 5382 REQ-8; FD.io VPP 9b8cb508247",
        "Hosts behind one translator cannot reach each other, or their packets circle in it."
    ),
    law!(
        a_hairpinned_packet_comes_from_its_senders_external_endpoint,
        "RFC 4787 REQ-9a; RFC 5382 REQ-8a",
        "The answer goes past the translator, and the sender does not know it."
    ),
    law!(
        a_hairpinned_packet_is_let_in_like_one_of_the_outside,
        "RFC 4787 REQ-8, REQ-9; RFC 5382 REQ-8",
        "A neighbour gets in where a stranger would not, or not where one would."
    ),
    law!(
        a_translation_changes_one_endpoint_only,
        "RFC 3022 section 4.1",
        "Packets arrive from or go to somebody nobody talked to."
    ),
    law!(
        an_exempt_destination_is_left_as_it_is,
        "RFC 6888 REQ-6",
        "Services of the provider lose sight of who calls, and calling them eats ports."
    ),
    law!(
        an_unsolicited_packet_is_dropped,
        "RFC 4787 REQ-8; RFC 5382 REQ-3",
        "Anybody outside reaches a host inside."
    ),
    law!(
        a_filter_lets_in_whom_it_should,
        "RFC 4787 REQ-8; RFC 5382 REQ-3; RFC 6888 REQ-7",
        "Peers that were told the address of a host cannot reach it."
    ),
    law!(
        a_filter_keeps_out_whom_it_should,
        "RFC 4787 REQ-8; RFC 5382 REQ-3",
        "Anybody outside reaches a host through a door that it opened for one."
    ),
    law!(
        a_simultaneous_open_is_let_through,
        "RFC 5382 REQ-2",
        "Two hosts that call each other never meet."
    ),
    law!(
        an_unsolicited_syn_is_answered_when_its_wait_is_over,
        "RFC 5382 REQ-4",
        "Callers wait for minutes where an answer was promised."
    ),
    law!(
        no_other_syn_is_answered,
        "RFC 5382 REQ-4",
        "An early answer breaks a connection that both sides are opening."
    ),
    law!(
        an_expired_flow_is_absent,
        "RFC 4787 REQ-5, REQ-6",
        "A door stays open after the flow that opened it is over."
    ),
    law!(
        an_error_of_the_outside_is_restored_for_its_receiver,
        "RFC 5508 REQ-4; RFC 4787 REQ-12; RFC 5382 REQ-9",
        "Path MTU discovery fails: large packets vanish and small ones pass."
    ),
    law!(
        an_error_of_the_inside_leaves_from_the_external_endpoint,
        "RFC 5508 REQ-5, REQ-7",
        "The other side cannot match the error to its connection, and learns a private address."
    ),
    law!(
        an_error_about_no_live_mapping_is_dropped,
        "RFC 5508 REQ-4, REQ-5",
        "Forged errors reach hosts inside."
    ),
    law!(
        an_admitted_packet_reaches_the_member_of_its_rule,
        "Inbound rules, Azure Load Balancer documentation, April 2024",
        "A published service does not answer."
    ),
    law!(
        a_reply_to_an_admitted_connection_takes_no_port,
        "RFC 3022 section 2.2; Linux 878aed8db324, a82c25c366b0",
        "Clients see answers from a port they never called, and serving eats the ports for calling."
    ),
    law!(
        a_packet_of_a_member_is_forwarded_or_refused,
        "RFC 6888 REQ-11",
        "Connections vanish and no counter moves."
    ),
    law!(
        the_end_of_no_flow_creates_nothing,
        "RFC 3022 section 2.2, a reading taken",
        "Late FIN and RST packets take ports."
    ),
    law!(
        exactly_the_bindings_that_lose_their_port_are_stranded,
        "\"Outbound connections\", Azure Load Balancer documentation, 2018 to 2019",
        "A resize breaks connections that it need not, or keeps some that it cannot."
    ),
    law!(
        each_stranded_binding_is_named_once_and_in_order,
        "Determinism",
        "Two runs of one change cannot be compared."
    ),
    law!(
        every_event_is_answered_in_kind,
        "Definition of a trace",
        "The trace is not one of a translator."
    ),
];

/// Replies can be told apart: a new mapping's key is nobody else's.
fn no_two_flows_share_an_external_tuple(moment: &Moment) -> Option<bool> {
    let mut holders = holders_of_the_new_key(moment)?;
    Some(!holders.any(|holder| holder.is_live(moment.before.now)))
}

/// A key is given to another mapping only once its hold-down is over.
fn a_key_rests_for_its_hold_down(moment: &Moment) -> Option<bool> {
    let mut holders = holders_of_the_new_key(moment)?;
    Some(!holders.any(|holder| !holder.is_live(moment.before.now) && !holder.stranded))
}

/// A key that a new configuration took from a live flow rests like that of an idle one.
fn a_stranded_key_rests_before_it_is_given_again(moment: &Moment) -> Option<bool> {
    let mut holders = holders_of_the_new_key(moment)?;
    Some(!holders.any(|holder| holder.stranded))
}

/// Whatever leaves, leaves from an outside address.
fn a_packet_leaves_from_a_virtual_ip(moment: &Moment) -> Option<bool> {
    let (_, sent) = forwarded_outbound(moment)?;
    Some(moment.before.nat.virtual_ips.iter().any(|vip| vip.0 == sent.source.address))
}

/// A new mapping's endpoint is one of those that the port policy gives to its member.
fn a_member_uses_only_its_own_ports(moment: &Moment) -> Option<bool> {
    let binding = new_binding(moment)?;
    let candidates = moment.before.nat.candidates(binding.flow);
    Some(candidates.is_some_and(|own| own.position(binding.external).is_some()))
}

/// Where ports are translated, no other than the usable ones is given, not even when they are full.
fn no_port_is_taken_from_outside_the_usable_range(moment: &Moment) -> Option<bool> {
    let binding = new_binding(moment)?;
    let policy = &moment.before.nat.ports;
    let is_usable = policy.usable().iter().any(|usable| usable.contains(binding.external.port));
    policy.translates_ports().then_some(is_usable)
}

/// What the outside may call is never given to a flow.
fn the_port_of_an_inbound_rule_is_never_given(moment: &Moment) -> Option<bool> {
    let Binding { flow, external } = new_binding(moment)?;
    Some(moment.before.nat.rule_at(flow.transport, external).is_none())
}

/// "Exhausted" is the truth: nothing that the flow may be given is free. A port that was released
/// and whose hold-down is over counts as free at that very instant.
fn exhausted_is_said_only_when_no_port_is_eligible(moment: &Moment) -> Option<bool> {
    let flow = refused_with(moment, Refusal::Exhausted)?;
    Some(moment.before.eligible(flow).next().is_none())
}

/// When everything is quiet, full capacity is back: even a search that may give up finds a port.
fn a_flow_is_never_refused_while_all_its_ports_are_free(moment: &Moment) -> Option<bool> {
    let (flow, _) = refused(moment).filter(|(_, refusal)| *refusal != Refusal::OverLimit)?;
    let candidates = moment.before.nat.candidates(flow)?;
    Some(!candidates.iter().all(|external| moment.before.is_eligible(flow, external)))
}

/// A member that holds no port of a transport is not refused because it holds those of another.
fn one_transport_never_exhausts_another(moment: &Moment) -> Option<bool> {
    let flow = refused_with(moment, Refusal::Exhausted)?;
    let nat = &moment.before.nat;
    let candidates = nat.candidates(flow).filter(|_| nat.ports.translates_ports())?;
    let key = |transport, external| Key { transport, external, remote: Remote::Any };
    let is_held = |key| moment.before.holders(key).next().is_some();
    let holds = |transport| candidates.iter().any(|external| is_held(key(transport, external)));
    let holds_its_own = holds(flow.transport);
    let holds_any = holds_its_own || Transport::ALL.into_iter().any(holds);
    holds_any.then(|| holds_its_own || cannot_have_all_ports(moment, flow))
}

/// A member that holds no port towards a destination is not refused because of another one.
fn one_destination_never_exhausts_another(moment: &Moment) -> Option<bool> {
    let flow = refused_with(moment, Refusal::Exhausted)?;
    let nat = &moment.before.nat;
    let reuse = nat.port_reuse.of(flow.transport);
    let shares = nat.ports.translates_ports() && reuse != PortReuse::Never;
    let candidates = nat.candidates(flow).filter(|_| shares)?;
    let held = |external| moment.before.holders(nat.key(flow, external)).next().is_some();
    Some(candidates.iter().any(held) || cannot_have_all_ports(moment, flow))
}

/// "Not in the pool" is said to strangers, and nothing else is.
fn only_a_stranger_is_told_that_it_is_not_in_the_pool(moment: &Moment) -> Option<bool> {
    let Outcome::Dropped(Reason::Refused(refusal)) = moment.outcome else { return None };
    let (_, flow) = outbound(moment)?;
    let is_member = moment.before.nat.pool.slot_of(Member(flow.source.address)).is_some();
    Some((*refusal == Refusal::NotInPool) != is_member)
}

/// Under dynamic NAT nobody binds on an address that another member leases.
fn a_leased_virtual_ip_serves_one_member(moment: &Moment) -> Option<bool> {
    let Binding { flow, external } = new_lease(moment)?;
    let lessee = moment.before.lessee(external.address);
    Some(lessee.is_none_or(|lessee| lessee == Member(flow.source.address)))
}

/// Under dynamic NAT a member that leases an address binds there.
fn a_member_stays_on_the_virtual_ip_it_leases(moment: &Moment) -> Option<bool> {
    let Binding { flow, external } = new_lease(moment)?;
    let member = Some(Member(flow.source.address));
    let leases = |address| moment.before.lessee(address) == member;
    let leases_any = moment.before.nat.virtual_ips.iter().any(|vip| leases(vip.0));
    Some(leases(external.address) || !leases_any)
}

/// Under a declared spread, a new mapping goes where the fewest keys are held towards its
/// destination, among the virtual IPs with an eligible port that keeps as much of the inside one.
fn a_spread_binding_takes_the_least_used_virtual_ip(moment: &Moment) -> Option<bool> {
    let Binding { flow, external } = new_binding(moment)?;
    let nat = &moment.before.nat;
    let candidates = nat.candidates(flow).filter(|_| nat.selection == Selection::Spread)?;
    let keeps = |at: Endpoint| nat.preserve.rank(flow.source.port, at.port);
    let is_choice = |at| keeps(at) == keeps(external) && moment.before.is_eligible(flow, at);
    let (chosen, others): (Vec<_>, Vec<_>) = candidates
        .by_address()
        .filter(|one| one.iter().any(is_choice))
        .partition(|one| one.addresses()[0].0 == external.address);
    let load = |one: &Candidates| load(moment, flow, *one);
    let least = others.iter().map(load).min()?;
    Some(chosen.iter().map(load).all(|load| load <= least))
}

/// A packet that matches a live flow is never answered as if there were none.
fn a_flow_is_not_removed_before_its_timer(moment: &Moment) -> Option<bool> {
    let matches = match moment.event {
        Event::Outbound(segment) => moment.before.external_of(segment.tuple).is_some(),
        Event::Inbound(segment) => is_of_a_live_flow(moment, segment.tuple),
        Event::OutboundError(_)
        | Event::InboundError(_)
        | Event::Elapse(_)
        | Event::Reconfigure(_) => false,
    };
    matches.then_some(!matches!(moment.outcome, Outcome::Dropped(_)))
}

/// From its first packet to its end a flow leaves from one external endpoint.
fn a_live_flow_keeps_its_external_endpoint(moment: &Moment) -> Option<bool> {
    let (flow, sent) = forwarded_outbound(moment)?;
    Some(sent.source == moment.before.external_of(flow)?)
}

/// A new flow of a live mapping leaves from the mapping's endpoint.
fn flows_of_one_mapping_share_an_external_endpoint(moment: &Moment) -> Option<bool> {
    let (flow, sent) = forwarded_outbound(moment)?;
    let is_reply = moment.before.admitted_through(flow).is_some();
    let is_new = moment.before.external_of(flow).is_none() && !is_reply;
    let holding = moment.before.holding_of(flow).filter(|_| is_new)?;
    let is_live = holding.is_live(moment.before.now);
    is_live.then_some(sent.source == holding.binding.external)
}

/// A packet from where a live flow goes is delivered to where the flow came from.
fn a_reply_reaches_the_endpoint_that_asked(moment: &Moment) -> Option<bool> {
    let (packet, delivered) = forwarded_inbound(moment)?;
    let holding = moment.before.mapping_for(packet)?;
    Some(delivered.destination == holding.mapping().inside)
}

/// Outbound the source changes, inbound the destination; nothing else does.
fn a_translation_changes_one_endpoint_only(moment: &Moment) -> Option<bool> {
    let outbound = forwarded_outbound(moment).map(|(flow, sent)| flow.from(sent.source) == sent);
    let inbound = forwarded_inbound(moment).map(|(from, to)| from.to(to.destination) == to);
    outbound.or(inbound)
}

/// What comes to an endpoint that holds no mapping goes nowhere.
fn an_unsolicited_packet_is_dropped(moment: &Moment) -> Option<bool> {
    let packet = inbound_without_rule(moment)?;
    let is_live = moment.before.live_at(packet).is_some();
    let is_late = rests_there(moment, packet);
    (!is_live && !is_late).then_some(matches!(moment.outcome, Outcome::Dropped(_)))
}

/// What comes to an endpoint whose flows are over goes nowhere, swept or not.
fn an_expired_flow_is_absent(moment: &Moment) -> Option<bool> {
    let packet = inbound_without_rule(moment)?;
    let is_live = moment.before.live_at(packet).is_some();
    let is_late = rests_there(moment, packet);
    (!is_live && is_late).then_some(matches!(moment.outcome, Outcome::Dropped(_)))
}

/// What matches an inbound rule goes to the rule's member, unless the answers would be mistaken
/// for those of a flow that the member has with the sender already.
fn an_admitted_packet_reaches_the_member_of_its_rule(moment: &Moment) -> Option<bool> {
    let (_, packet) = inbound(moment)?;
    let rule = moment.before.nat.rule_at(packet.transport, packet.destination)?;
    let reply = packet.to(rule.inside).reversed();
    let through = moment.before.admitted_through(reply);
    let clashes = moment.before.external_of(reply).is_some()
        || through.is_some_and(|through| through != rule.external);
    let expected = match clashes {
        true => Outcome::Dropped(Reason::Clash),
        false => Outcome::Forwarded(packet.to(rule.inside)),
    };
    Some(*moment.outcome == expected)
}

/// A reply leaves through the endpoint that the connection came by, and binds nothing. To an exempt
/// destination even that is left as it is.
fn a_reply_to_an_admitted_connection_takes_no_port(moment: &Moment) -> Option<bool> {
    let (_, reply) = outbound(moment).filter(|(_, it)| !moment.before.nat.leaves_alone(*it))?;
    let external = moment.before.admitted_through(reply)?;
    Some(forwarded_outbound(moment).is_some_and(|(_, sent)| sent == reply.from(external)))
}

/// A packet that may begin a flow is forwarded, or refused with a reason of the allocator.
fn a_packet_of_a_member_is_forwarded_or_refused(moment: &Moment) -> Option<bool> {
    let (segment, _) = outbound(moment).filter(|(segment, _)| !segment.ends_its_flow())?;
    moment.before.nat.pool.slot_of(Member(segment.tuple.source.address))?;
    let is_refused = matches!(moment.outcome, Outcome::Dropped(Reason::Refused(_)));
    let is_sent = matches!(moment.outcome, Outcome::Forwarded(_) | Outcome::Hairpinned { .. });
    Some(is_sent || is_refused)
}

/// What goes to an exempt destination or comes from there passes unchanged, errors too.
fn an_exempt_destination_is_left_as_it_is(moment: &Moment) -> Option<bool> {
    let leaves_alone = |flow| moment.before.nat.leaves_alone(flow);
    let (is_exempt, unchanged) = match moment.event {
        Event::Outbound(it) => (leaves_alone(it.tuple), Outcome::Forwarded(it.tuple)),
        Event::Inbound(it) => (leaves_alone(it.tuple.reversed()), Outcome::Forwarded(it.tuple)),
        Event::OutboundError(it) => (leaves_alone(it.quoted.reversed()), passed(it)),
        Event::InboundError(it) => (leaves_alone(it.quoted), passed(it)),
        Event::Elapse(_) | Event::Reconfigure(_) => return None,
    };
    is_exempt.then(|| *moment.outcome == unchanged)
}

/// A FIN or an RST of a flow that is not live goes nowhere.
fn the_end_of_no_flow_creates_nothing(moment: &Moment) -> Option<bool> {
    let (segment, flow) = outbound(moment).filter(|(segment, _)| segment.ends_its_flow())?;
    let ledger = moment.before;
    if ledger.nat.leaves_alone(flow) {
        return None;
    }
    let is_known = ledger.external_of(flow).or(ledger.admitted_through(segment.tuple)).is_some();
    (!is_known).then_some(*moment.outcome == Outcome::Dropped(Reason::NoFlow))
}

/// A new configuration ends the live bindings whose endpoint is no longer one that their flow may
/// be given, and no other.
fn exactly_the_bindings_that_lose_their_port_are_stranded(moment: &Moment) -> Option<bool> {
    let (after, stranded) = reconfigured(moment)?;
    let before = moment.before;
    let is_lost = |holding: &&Holding| {
        holding.is_live(before.now)
            && !holding.stranded
            && !after.keeps(&before.nat, holding.binding)
    };
    let lost = before.holdings().filter(is_lost).map(|holding| holding.binding).sorted();
    Some(lost.eq(stranded.iter().copied().sorted().dedup()))
}

/// The stranded bindings come in the order of their flows, none twice.
fn each_stranded_binding_is_named_once_and_in_order(moment: &Moment) -> Option<bool> {
    let (_, stranded) = reconfigured(moment).filter(|(_, stranded)| !stranded.is_empty())?;
    Some(stranded.is_sorted_by(|a, b| a < b))
}

/// A packet is forwarded or dropped, time elapses, a configuration is taken.
fn every_event_is_answered_in_kind(moment: &Moment) -> Option<bool> {
    Some(matches!(
        (moment.event, moment.outcome),
        (Event::Outbound(_) | Event::Inbound(_), Outcome::Forwarded(_) | Outcome::Dropped(_))
            | (Event::Outbound(_), Outcome::Hairpinned { .. })
            | (
                Event::OutboundError(_) | Event::InboundError(_),
                Outcome::ErrorForwarded(_) | Outcome::Dropped(_)
            )
            | (Event::Elapse(_), Outcome::Elapsed { .. })
            | (Event::Reconfigure(_), Outcome::Reconfigured { .. })
    ))
}

/// A packet from the inside, with its tuple.
pub(super) fn outbound(moment: &Moment) -> Option<(Segment, FiveTuple)> {
    match moment.event {
        Event::Outbound(segment) => Some((*segment, segment.tuple)),
        _ => None,
    }
}

/// A packet from the outside, with its tuple.
pub(super) fn inbound(moment: &Moment) -> Option<(Segment, FiveTuple)> {
    match moment.event {
        Event::Inbound(segment) => Some((*segment, segment.tuple)),
        _ => None,
    }
}

/// A packet from the outside that no inbound rule matches.
pub(super) fn inbound_without_rule(moment: &Moment) -> Option<FiveTuple> {
    let (_, packet) = inbound(moment)?;
    if moment.before.nat.leaves_alone(packet.reversed()) {
        return None;
    }
    let rule = moment.before.nat.rule_at(packet.transport, packet.destination);
    rule.is_none().then_some(packet)
}

/// Whether a mapping in hold-down has the endpoint that a packet from the outside comes to.
pub(super) fn rests_there(moment: &Moment, packet: FiveTuple) -> bool {
    let key = moment.before.nat.key(packet.reversed(), packet.destination);
    moment.before.holders(key).any(|holder| !holder.is_live(moment.before.now))
}

/// A packet from the inside that was translated, before and after: it went on, or came back in.
pub(super) fn forwarded_outbound(moment: &Moment) -> Option<(FiveTuple, FiveTuple)> {
    let (_, flow) = outbound(moment).filter(|(_, flow)| !moment.before.nat.leaves_alone(*flow))?;
    match moment.outcome {
        Outcome::Forwarded(sent) | Outcome::Hairpinned { sent, .. } => Some((flow, *sent)),
        _ => None,
    }
}

/// A packet that came in from the outside, or back in from the inside, before and after.
pub(super) fn forwarded_inbound(moment: &Moment) -> Option<(FiveTuple, FiveTuple)> {
    match (moment.event, moment.outcome) {
        (Event::Inbound(segment), Outcome::Forwarded(delivered)) => {
            let is_translated = !moment.before.nat.leaves_alone(segment.tuple.reversed());
            is_translated.then_some((segment.tuple, *delivered))
        }
        (_, Outcome::Hairpinned { sent, delivered }) => delivered.map(|to| (*sent, to)),
        _ => None,
    }
}

/// A mapping that the packet begins: its flow was neither live nor a reply, and the endpoint is not
/// one that its mapping holds already.
pub(super) fn new_binding(moment: &Moment) -> Option<Binding> {
    let (flow, sent) = forwarded_outbound(moment)?;
    let holding = moment.before.holding_of(flow);
    let is_held = holding.is_some_and(|holding| holding.binding.external == sent.source);
    let is_reply = moment.before.admitted_through(flow).is_some();
    (!is_held && !is_reply).then_some(Binding { flow, external: sent.source })
}

fn new_lease(moment: &Moment) -> Option<Binding> {
    new_binding(moment).filter(|_| moment.before.nat.ports == PortPolicy::Dynamic)
}

/// Who holds the key of a new mapping, or one that overlaps it.
fn holders_of_the_new_key<'a>(moment: &Moment<'a>) -> Option<impl Iterator<Item = &'a Holding>> {
    let Binding { flow, external } = new_binding(moment)?;
    Some(moment.before.holders(moment.before.nat.key(flow, external)))
}

/// A flow of a member that got no endpoint, and why.
pub(super) fn refused(moment: &Moment) -> Option<(FiveTuple, Refusal)> {
    match moment.outcome {
        Outcome::Dropped(Reason::Refused(refusal)) if *refusal != Refusal::NotInPool => {
            outbound(moment).map(|(_, flow)| (flow, *refusal))
        }
        _ => None,
    }
}

fn refused_with(moment: &Moment, refusal: Refusal) -> Option<FiveTuple> {
    refused(moment).filter(|(_, said)| *said == refusal).map(|(flow, _)| flow)
}

/// The configuration that was taken, and what it stranded.
pub(super) fn reconfigured<'a>(moment: &Moment<'a>) -> Option<(&'a Nat, &'a [Binding])> {
    match (moment.event, moment.outcome) {
        (Event::Reconfigure(nat), Outcome::Reconfigured { stranded }) => Some((nat, stranded)),
        _ => None,
    }
}

/// An error that passes as it is, if it is for the sender of the packet that it quotes.
fn passed(error: &IcmpError) -> Outcome {
    match error.to == error.quoted.source.address {
        true => Outcome::ErrorForwarded(*error),
        false => Outcome::Dropped(Reason::NoMapping),
    }
}

/// Whether a packet of the outside is of a flow that is live.
fn is_of_a_live_flow(moment: &Moment, packet: FiveTuple) -> bool {
    let holding = moment.before.live_at(packet);
    let flow = |inside| packet.to(inside).reversed();
    holding.is_some_and(|it| it.has(flow(it.mapping().inside), moment.before.now))
}

/// Whether some of the flow's candidates are reserved, kept for inbound rules, leased by another
/// member, or on a virtual IP without room towards the destination.
fn cannot_have_all_ports(moment: &Moment, flow: FiveTuple) -> bool {
    let nat = &moment.before.nat;
    let is_kept = |external: Endpoint| !nat.may_give(flow, external);
    let mut by_address = nat.candidates(flow).into_iter().flat_map(Candidates::by_address);
    let own = moment.before.leases_of(Member(flow.source.address));
    moment.before.leases().any(|lease| !own.contains(&lease))
        || by_address.any(|on| !has_room(moment, flow, on) || on.iter().any(is_kept))
}

/// Keys held towards the flow's destination on these candidates, of one virtual IP.
fn load(moment: &Moment, flow: FiveTuple, one: Candidates) -> usize {
    let key = |external| moment.before.nat.key(flow, external);
    one.iter().map(|external| moment.before.holders(key(external)).count()).sum()
}
