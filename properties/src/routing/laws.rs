//! What must be true of every answer of a network.
//!
//! Laws judge an answer; they never predict it. What they compare with is the ledger alone, which
//! is rebuilt from the answers, and [`super::obvious`], which works out from it what the documents
//! say. Where a document lets a healthy endpoint stand idle, the exception has a law of its own: a
//! geographic answer, a name under its least number of children, an answer that is kept, an affinity
//! that was learned, an endpoint that is out.

mod hosts;
mod names;
mod paths;
mod replies;
mod served;
mod ways_out;

use natlaw_model::routing::{
    Connection, Disposition, Event, Hop, Name, NoRoute, Node, Outcome, Place, Request,
    RoutingGraph, Rule, Walk,
};
use natlaw_model::subject;

use super::obvious::looks_up;
use crate::law;
use crate::law::Law;

pub(super) use hosts::fronted;
pub(super) use names::answered;
pub(super) use ways_out::leaving;

use hosts::{
    a_balanced_request_goes_to_a_member_that_is_up,
    a_door_fails_open_only_where_all_origins_are_down, a_full_unit_proxies_nothing,
    a_request_is_proxied_to_where_its_account_lives, a_unit_serves_what_lives_there,
    an_account_is_served_by_its_owner, an_affinity_that_was_learned_goes_straight,
    an_origin_is_as_fast_as_the_sensitivity_asks, an_origin_is_of_the_best_priority,
    an_origin_that_is_chosen_answers, an_origin_that_is_out_gets_nothing,
    no_affinity_is_used_that_was_not_learned, no_rule_is_said_only_where_there_is_none,
    the_members_that_are_up_are_counted, the_rule_of_a_balancer_decides_the_pool,
    throttled_is_said_only_by_a_full_unit,
};
use names::{
    a_geographic_answer_is_the_mapped_one, a_list_that_is_kept_is_used_until_its_time,
    a_name_fails_open_only_where_all_are_degraded, a_name_that_is_off_leads_nowhere,
    a_nested_answer_has_enough_online, a_performance_answer_is_the_nearest,
    a_priority_answer_is_the_best, a_weighted_answer_is_available,
    all_others_stand_in_for_the_nearest, an_answer_that_is_kept_is_used_until_its_time,
    an_endpoint_that_is_out_is_never_answered, no_answer_is_said_only_where_there_is_none,
    no_answer_is_used_beyond_its_time, no_list_is_used_beyond_its_time,
    the_first_endpoint_that_answers_is_used, what_is_down_is_answered_only_by_failing_open,
};
use paths::{
    a_loop_is_said_only_where_there_is_one, a_static_route_is_followed,
    a_walk_ends_within_its_hops, a_way_costs_the_least, a_way_goes_over_live_links,
    every_step_is_one_of_the_graph, no_path_is_said_only_where_something_is_cut_off,
    no_place_is_visited_twice, of_equal_ways_the_first_by_name_is_taken,
    the_hop_limit_is_said_only_at_it,
};
use replies::{
    a_reply_goes_from_who_served_to_who_asked, a_reply_leaves_by_the_address_that_it_came_in_by,
    a_reply_returns_through_the_address_it_left_by,
    nothing_to_answer_is_said_only_where_nothing_was, what_never_came_in_is_not_answered,
};
use served::must_be_served;
use ways_out::{
    a_connection_keeps_its_endpoint, a_connection_leaves_by_an_endpoint_of_its_own,
    a_pool_without_a_way_out_does_not_leave, an_instance_address_is_its_vms_own,
    bypassing_traffic_takes_no_port, no_way_out_is_said_only_where_there_is_none,
    only_private_endpoints_are_reached_untranslated, ports_are_refused_only_where_none_is_eligible,
    the_way_out_is_the_first_of_the_precedence, what_leaves_has_an_address_of_its_way_out,
};

type Moment<'a> = subject::Moment<'a, RoutingGraph>;

/// Every law of a network's answers.
pub const LAWS: &[Law<RoutingGraph>] = &[
    law!(
        a_walk_ends_within_its_hops,
        "RFC 791 section 3.2 (time to live); linkerd 1411",
        "One request occupies every proxy on its way until they are out of sockets."
    ),
    law!(
        no_place_is_visited_twice,
        "tinyproxy 203; gVisor a349c0196; OVN 69c2b8677",
        "Requests circle between proxies, and their number grows with each round."
    ),
    law!(
        a_loop_is_said_only_where_there_is_one,
        "tinyproxy 413",
        "A sound configuration is refused, and an engineer takes it apart."
    ),
    law!(the_hop_limit_is_said_only_at_it, "RFC 791 section 3.2", "Far places look unreachable."),
    law!(
        every_step_is_one_of_the_graph,
        "Design of walks",
        "A drill passes on a way that no packet can take."
    ),
    law!(a_walk_begins_with_who_asks, "Design of walks", "A walk is read as somebody else's."),
    law!(
        nothing_is_delivered_to_what_is_down,
        "\"Traffic Manager endpoint monitoring\", December 2018",
        "A dashboard shows green while users see time-outs."
    ),
    law!(
        nothing_goes_on_from_what_is_down,
        "Design of the health vector",
        "A drill says that an outage is survived that is not."
    ),
    law!(
        unhealthy_is_said_only_where_something_is_down,
        "Design of the dispositions",
        "On-call engineers look for a failure that there is not."
    ),
    law!(
        who_must_be_served_is_served,
        "\"Traffic Manager routing methods\"; \"Azure Front Door routing methods\", 2018",
        "Users are turned away while healthy endpoints stand idle."
    ),
    law!(
        only_a_stranger_is_told_that_it_is_unknown,
        "Design of the dispositions",
        "An operator looks for a missing client instead of a missing route."
    ),
    law!(
        a_priority_answer_is_the_best,
        "\"Traffic Manager routing methods\"",
        "Traffic goes to the standby, which was not built for it."
    ),
    law!(
        a_weighted_answer_is_available,
        "\"Traffic Manager routing methods\"",
        "A share of the users is sent to what is down."
    ),
    law!(
        a_performance_answer_is_the_nearest,
        "\"Traffic Manager routing methods\"",
        "Users cross an ocean without need."
    ),
    law!(
        all_others_stand_in_for_the_nearest,
        "\"Traffic Manager endpoint monitoring\", December 2018",
        "One neighbour takes the whole load of a region that is down."
    ),
    law!(
        a_geographic_answer_is_the_mapped_one,
        "\"Traffic Manager routing methods\"",
        "Data leaves the region that it must not leave."
    ),
    law!(
        an_endpoint_that_is_out_is_never_answered,
        "\"Traffic Manager endpoint monitoring\", December 2018",
        "What was taken out for repair gets users."
    ),
    law!(
        a_nested_answer_has_enough_online,
        "\"Nested Traffic Manager profiles\", October 2016",
        "A region with one endpoint left takes the load of all, and falls."
    ),
    law!(
        a_name_fails_open_only_where_all_are_degraded,
        "\"Traffic Manager endpoint monitoring\", December 2018",
        "One failing endpoint brings users to all that fail."
    ),
    law!(
        what_is_down_is_answered_only_by_failing_open,
        "\"Traffic Manager endpoint monitoring\", December 2018",
        "A share of the users is sent to what is down."
    ),
    law!(
        no_answer_is_said_only_where_there_is_none,
        "\"Traffic Manager endpoint monitoring\", December 2018",
        "A name disappears from DNS while its endpoints are up."
    ),
    law!(
        a_name_that_is_off_leads_nowhere,
        "\"Traffic Manager endpoint monitoring\", December 2018",
        "A service that was switched off is still reached."
    ),
    law!(
        an_answer_that_is_kept_is_used_until_its_time,
        "RFC 1035 section 3.2.1; \"Traffic Manager endpoint monitoring\", December 2018",
        "A plan counts on a fail-over that clients do not see before the time to live is over."
    ),
    law!(
        no_answer_is_used_beyond_its_time,
        "RFC 1035 section 3.2.1; MetalLB 598",
        "Users go to what is down long after everybody else left it."
    ),
    law!(
        a_list_that_is_kept_is_used_until_its_time,
        "The story \"Incident report – NuGet.org downtime on March 22, 2018\"",
        "Every request asks the index first, which falls under it."
    ),
    law!(
        no_list_is_used_beyond_its_time,
        "The story \"Incident report – NuGet.org downtime on March 22, 2018\"",
        "Clients never learn of the endpoint that was added to save them."
    ),
    law!(
        the_first_endpoint_that_answers_is_used,
        "The story \"Incident report – NuGet.org downtime on March 22, 2018\"",
        "Clients stay with an endpoint that is down, or load the secondary without need."
    ),
    law!(
        an_origin_that_is_chosen_answers,
        "\"Azure Front Door routing methods\", 2018",
        "The edge sends requests to what is down while other origins are up."
    ),
    law!(
        an_origin_is_of_the_best_priority,
        "\"Azure Front Door routing methods\", 2018",
        "Backup origins take users while the primary is up."
    ),
    law!(
        an_origin_is_as_fast_as_the_sensitivity_asks,
        "\"Azure Front Door routing methods\", 2018",
        "Users are sent to a slow origin."
    ),
    law!(
        a_door_fails_open_only_where_all_origins_are_down,
        "\"Azure Front Door health probes\", January 2025",
        "One origin that fails brings users to all that fail."
    ),
    law!(
        an_origin_that_is_out_gets_nothing,
        "\"Azure Front Door routing methods\", 2018",
        "What was taken out for repair gets users."
    ),
    law!(
        an_affinity_that_was_learned_goes_straight,
        "The story \"Global VSTS availability issues – 22 May 2018\"",
        "Every request takes the proxy, whose limit it uses up."
    ),
    law!(
        no_affinity_is_used_that_was_not_learned,
        "The story \"Global VSTS availability issues – 22 May 2018\"",
        "Requests of one account are sent where another lives."
    ),
    law!(
        a_request_is_proxied_to_where_its_account_lives,
        "The story \"Global VSTS availability issues – 22 May 2018\"; linkerd 1411",
        "A unit calls itself until nothing is left of it."
    ),
    law!(
        a_unit_serves_what_lives_there,
        "The story \"Global VSTS availability issues – 22 May 2018\"",
        "A user sees an empty account."
    ),
    law!(
        an_account_is_served_by_its_owner,
        "The story \"Global VSTS availability issues – 22 May 2018\"; MetalLB 562",
        "A user sees somebody else's data, or none."
    ),
    law!(
        a_full_unit_proxies_nothing,
        "The story \"Global VSTS availability issues – 22 May 2018\"",
        "A unit that waits for another takes down its own users."
    ),
    law!(
        throttled_is_said_only_by_a_full_unit,
        "The story \"Global VSTS availability issues – 22 May 2018\"",
        "Users are refused while the unit is idle."
    ),
    law!(
        the_rule_of_a_balancer_decides_the_pool,
        "\"Multiple frontends for Azure Load Balancer\", August 2016",
        "Requests for one service reach another."
    ),
    law!(
        no_rule_is_said_only_where_there_is_none,
        "\"Multiple frontends for Azure Load Balancer\", August 2016",
        "A published service cannot be reached."
    ),
    law!(
        a_balanced_request_goes_to_a_member_that_is_up,
        "\"Azure Load Balancer health probes\"",
        "A share of the requests fails for as long as one VM is down."
    ),
    law!(
        the_members_that_are_up_are_counted,
        "\"Azure Load Balancer health probes\"",
        "A report says that a pool is sound of which half is down."
    ),
    law!(
        the_way_out_is_the_first_of_the_precedence,
        "\"What is Azure NAT Gateway\", overview; \"Use SNAT for outbound connections\", March 2022",
        "A gateway is paid for, and ports run out elsewhere."
    ),
    law!(
        bypassing_traffic_takes_no_port,
        "\"Use SNAT for outbound connections\", March 2022 (private link)",
        "Ports run out on traffic that needs none."
    ),
    law!(
        only_private_endpoints_are_reached_untranslated,
        "RFC 3022 section 2; Cilium 18956",
        "Private addresses leak, and no answer can come back."
    ),
    law!(
        no_way_out_is_said_only_where_there_is_none,
        "\"Outbound rules Azure Load Balancer\", April 2024",
        "VMs are cut off although a way out is paid for."
    ),
    law!(
        a_pool_without_a_way_out_does_not_leave,
        "\"Outbound rules Azure Load Balancer\", April 2024",
        "A pool that is meant to be closed talks to the outside."
    ),
    law!(
        what_leaves_has_an_address_of_its_way_out,
        "RFC 3022 section 2.2; Cilium 39118",
        "A firewall that knows the gateway's address turns the connection away."
    ),
    law!(
        an_instance_address_is_its_vms_own,
        "RFC 3022 section 2.1",
        "A VM is taken for its neighbour."
    ),
    law!(
        ports_are_refused_only_where_none_is_eligible,
        "RFC 6888 REQ-13",
        "Connections fail while ports lie idle."
    ),
    law!(
        a_connection_leaves_by_an_endpoint_of_its_own,
        "RFC 3022 section 2.2",
        "Replies reach the wrong VM."
    ),
    law!(
        a_connection_keeps_its_endpoint,
        "RFC 3022 section 2.2",
        "The far side sees a stranger in the middle of a connection."
    ),
    law!(
        a_reply_leaves_by_the_address_that_it_came_in_by,
        "RFC 3022 section 4.1",
        "The client drops the answer of somebody it never asked."
    ),
    law!(
        a_reply_goes_from_who_served_to_who_asked,
        "RFC 3022 section 4.1",
        "One user sees another's answer."
    ),
    law!(
        a_reply_returns_through_the_address_it_left_by,
        "RFC 3022 section 4.1; RFC 4787 REQ-1",
        "A VM waits for an answer that another has."
    ),
    law!(
        nothing_to_answer_is_said_only_where_nothing_was,
        "Design of the dispositions",
        "Answers are dropped although somebody waits for them."
    ),
    law!(
        what_never_came_in_is_not_answered,
        "RFC 3022 section 3",
        "Strangers get answers to what others asked."
    ),
    law!(a_way_goes_over_live_links, "RFC 2328 section 2.1", "Packets vanish where a link is cut."),
    law!(
        a_way_costs_the_least,
        "RFC 2328 section 16.1",
        "Traffic takes a long way, and fills links that are meant for other traffic."
    ),
    law!(
        of_equal_ways_the_first_by_name_is_taken,
        "RFC 2992 section 2, read for one path",
        "Packets of one connection overtake each other on several ways."
    ),
    law!(
        a_static_route_is_followed,
        "RFC 1812 section 5.2.4.3",
        "Traffic goes round the appliance that must see it."
    ),
    law!(
        no_path_is_said_only_where_something_is_cut_off,
        "RFC 2328 section 2.1",
        "A place counts as cut off that a detour reaches."
    ),
    law!(
        every_event_is_answered_in_kind,
        "Design of the answers",
        "A report says that something came up which went down."
    ),
    law!(
        only_what_the_graph_has_fails_and_comes_up,
        "Design of the answers",
        "A drill takes down a node of another name, and nothing happens."
    ),
];

/// A request and how far it got.
pub(super) fn requested<'a>(moment: &Moment<'a>) -> Option<(&'a Request, &'a Walk)> {
    match (moment.event, moment.outcome) {
        (Event::Request(request), Outcome::Walked(walk)) => Some((request, walk)),
        _ => None,
    }
}

/// A connection that a VM opens and how far it got.
pub(super) fn opened<'a>(moment: &Moment<'a>) -> Option<(&'a Connection, &'a Walk)> {
    match (moment.event, moment.outcome) {
        (Event::Outbound(connection), Outcome::Walked(walk)) => Some((connection, walk)),
        _ => None,
    }
}

/// How far a request or a connection got.
pub(super) fn walked<'a>(moment: &Moment<'a>) -> Option<&'a Walk> {
    requested(moment).map(|(_, walk)| walk).or(opened(moment).map(|(_, walk)| walk))
}

/// Each decision of a walk: who decided, and where it led. Routers only carry.
pub(super) fn choices(walk: &Walk) -> impl Iterator<Item = (&Hop, &Hop)> {
    let chosen: Vec<&Hop> = walk.hops.iter().filter(|hop| !is_carried(&hop.rule)).collect();
    let next = chosen.clone().into_iter().skip(1);
    chosen.into_iter().zip(next)
}

/// Whether a router carries it there, and nobody chose the place.
pub(super) const fn is_carried(rule: &Rule) -> bool {
    matches!(rule, Rule::Attached | Rule::LeastCost(_) | Rule::StaticRoute)
}

/// The node that a hop is at.
pub(super) fn node<'a>(
    ledger: &'a natlaw_model::routing::Ledger,
    hop: &'a Hop,
) -> Option<(&'a Name, &'a Node)> {
    match &hop.place {
        Place::Node(name) => Some((name, ledger.graph.named(name)?)),
        Place::Member(_) => None,
    }
}

/// Whether all of these hold; `None` if there is none.
pub(super) fn all(verdicts: impl Iterator<Item = bool>) -> Option<bool> {
    verdicts.fold(None, |all, holds| Some(all.unwrap_or(true) && holds))
}

/// A walk begins with the client that asks or the VM that opens.
fn a_walk_begins_with_who_asks(moment: &Moment) -> Option<bool> {
    let first = walked(moment)?.hops.first()?;
    let place = match moment.event {
        Event::Request(request) => Place::Node(request.client.clone()),
        Event::Outbound(connection) => Place::Member(connection.member.clone()),
        _ => return None,
    };
    Some(first.place == place && first.rule == Rule::Begins)
}

/// What is down serves nobody.
fn nothing_is_delivered_to_what_is_down(moment: &Moment) -> Option<bool> {
    let walk = walked(moment)?;
    walk.is_served().then_some(())?;
    Some(!moment.before.is_down(walk.last()?))
}

/// A walk that comes to what is down ends there.
fn nothing_goes_on_from_what_is_down(moment: &Moment) -> Option<bool> {
    let (_, before) = walked(moment)?.hops.split_last()?;
    (moment.before.health.count() > 0 && !before.is_empty()).then_some(())?;
    Some(before.iter().all(|hop| !moment.before.is_down(&hop.place)))
}

/// A walk is unhealthy where what it came to is down, or has nothing left that is up.
fn unhealthy_is_said_only_where_something_is_down(moment: &Moment) -> Option<bool> {
    let walk = walked(moment)?;
    (walk.disposition == Disposition::Unhealthy).then_some(())?;
    let last = walk.last()?;
    let is_idle = |name: &Name| !looks_up(moment.before, name);
    Some(moment.before.is_down(last) || matches!(last, Place::Node(name) if is_idle(name)))
}

/// Where everybody whom the documented policies may choose serves the request, it is served; no
/// answer that is kept, no limit and no cut link stands between.
fn who_must_be_served_is_served(moment: &Moment) -> Option<bool> {
    let (request, walk) = requested(moment)?;
    must_be_served(moment.before, request).then(|| walk.disposition == Disposition::Delivered)
}

/// Whoever is told that the graph does not know it is not in the graph.
fn only_a_stranger_is_told_that_it_is_unknown(moment: &Moment) -> Option<bool> {
    let graph = &moment.before.graph;
    let is_known = match moment.event {
        Event::Request(request) => matches!(graph.named(&request.client), Some(Node::Client(_))),
        Event::Outbound(connection) => graph.flow_of(connection).is_some(),
        _ => return None,
    };
    let is_told = walked(moment)?.disposition == Disposition::NoRoute(NoRoute::Unknown);
    (is_told || !is_known).then_some(is_told && !is_known)
}

/// Every event gets an answer of its own kind.
fn every_event_is_answered_in_kind(moment: &Moment) -> Option<bool> {
    Some(match moment.event {
        Event::Request(_)
        | Event::ReplyToRequest(_)
        | Event::Outbound(_)
        | Event::ReplyToConnection(_) => matches!(moment.outcome, Outcome::Walked(_)),
        Event::Fail(_) => matches!(moment.outcome, Outcome::Failed | Outcome::Unknown),
        Event::Mend(_) => matches!(moment.outcome, Outcome::Mended | Outcome::Unknown),
        Event::Elapse(_) => *moment.outcome == Outcome::Elapsed,
    })
}

/// A component of the graph goes down and comes up when it is told to, and nothing else does.
fn only_what_the_graph_has_fails_and_comes_up(moment: &Moment) -> Option<bool> {
    let (Event::Fail(component) | Event::Mend(component)) = moment.event else { return None };
    let is_known = moment.before.graph.component(component).is_some();
    Some(is_known == (*moment.outcome != Outcome::Unknown))
}
