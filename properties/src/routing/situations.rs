//! What the generators must reach, or the laws hold for want of trying.

use natlaw_model::allocator::Refusal;
use natlaw_model::nat::Reason;
use natlaw_model::routing::{
    ClientChoice, Disposition, Event, Means, Method, NoRoute, Node, Outcome, RoutingGraph, Rule,
};
use natlaw_model::subject;

use super::laws::{answered, choices, fronted, leaving, node, requested, walked};
use super::obvious::Standing;
use crate::law::Situation;
use crate::situation;

type Moment<'a> = subject::Moment<'a, RoutingGraph>;

/// Every situation that must occur.
pub const REACHABLE: &[Situation<RoutingGraph>] = &[
    situation!(a_request_is_delivered),
    situation!(a_request_is_delivered_while_something_is_down),
    situation!(a_connection_exits),
    situation!(a_request_finds_no_answer),
    situation!(a_request_finds_no_origin),
    situation!(a_request_finds_no_rule),
    situation!(a_request_finds_no_path),
    situation!(a_connection_finds_no_way_out),
    situation!(a_stranger_asks),
    situation!(a_reply_has_nothing_to_answer),
    situation!(a_request_loops),
    situation!(ports_are_refused),
    situation!(a_unit_throttles),
    situation!(a_request_comes_to_what_is_down),
    situation!(a_walk_comes_to_its_hop_limit),
    situation!(a_geographic_answer_is_down),
    situation!(a_region_is_mapped_by_the_world_alone),
    situation!(a_nested_name_is_under_its_least_number),
    situation!(a_nested_name_is_answered_with_children_down),
    situation!(a_name_fails_open),
    situation!(others_stand_in_for_the_nearest),
    situation!(an_unprobed_endpoint_is_answered),
    situation!(an_endpoint_that_is_out_is_passed_over),
    situation!(a_kept_answer_is_used),
    situation!(a_kept_answer_leads_to_what_is_down),
    situation!(a_kept_answer_has_become_too_old),
    situation!(a_known_list_is_used),
    situation!(a_later_endpoint_of_a_list_is_used),
    situation!(an_affinity_goes_straight),
    situation!(a_door_fails_open),
    situation!(a_request_is_proxied),
    situation!(a_second_virtual_ip_is_used),
    situation!(a_balancer_passes_over_a_member),
    situation!(a_connection_leaves_by_a_user_route),
    situation!(a_connection_leaves_by_a_gateway),
    situation!(a_connection_leaves_by_its_own_address),
    situation!(a_connection_leaves_by_an_outbound_rule),
    situation!(a_connection_leaves_by_default),
    situation!(a_way_out_comes_before_another),
    situation!(a_connection_bypasses_translation),
    situation!(a_reply_returns_to_a_client),
    situation!(a_reply_returns_to_a_vm),
    situation!(a_detour_is_taken),
    situation!(a_static_route_is_taken),
    situation!(something_unknown_fails),
    situation!(something_comes_up_again),
];

fn ends(moment: &Moment, disposition: Disposition) -> bool {
    walked(moment).is_some_and(|walk| walk.disposition == disposition)
}

fn says(moment: &Moment, is_said: impl Fn(&Rule) -> bool) -> bool {
    walked(moment).is_some_and(|walk| walk.hops.iter().any(|hop| is_said(&hop.rule)))
}

fn a_request_is_delivered(moment: &Moment) -> bool {
    requested(moment).is_some() && ends(moment, Disposition::Delivered)
}

fn a_request_is_delivered_while_something_is_down(moment: &Moment) -> bool {
    a_request_is_delivered(moment) && moment.before.health.count() > 0
}

fn a_connection_exits(moment: &Moment) -> bool {
    walked(moment).is_some_and(|walk| matches!(walk.disposition, Disposition::Exits(_)))
}

fn a_request_finds_no_answer(moment: &Moment) -> bool {
    ends(moment, Disposition::NoRoute(NoRoute::NoAnswer))
}

fn a_request_finds_no_origin(moment: &Moment) -> bool {
    ends(moment, Disposition::NoRoute(NoRoute::NoOrigin))
}

fn a_request_finds_no_rule(moment: &Moment) -> bool {
    ends(moment, Disposition::NoRoute(NoRoute::NoRule))
}

fn a_request_finds_no_path(moment: &Moment) -> bool {
    ends(moment, Disposition::NoRoute(NoRoute::NoPath))
}

fn a_connection_finds_no_way_out(moment: &Moment) -> bool {
    ends(moment, Disposition::NoRoute(NoRoute::NoWayOut))
}

fn a_stranger_asks(moment: &Moment) -> bool {
    ends(moment, Disposition::NoRoute(NoRoute::Unknown))
}

fn a_reply_has_nothing_to_answer(moment: &Moment) -> bool {
    let nothing = Disposition::NoRoute(NoRoute::NothingToAnswer);
    matches!(moment.outcome, Outcome::Walked(walk) if walk.disposition == nothing)
}

fn a_request_loops(moment: &Moment) -> bool {
    ends(moment, Disposition::Loop)
}

fn ports_are_refused(moment: &Moment) -> bool {
    ends(moment, Disposition::RefusedPorts(Reason::Refused(Refusal::Exhausted)))
}

fn a_unit_throttles(moment: &Moment) -> bool {
    ends(moment, Disposition::RefusedThrottled)
}

fn a_request_comes_to_what_is_down(moment: &Moment) -> bool {
    requested(moment).is_some() && ends(moment, Disposition::Unhealthy)
}

fn a_walk_comes_to_its_hop_limit(moment: &Moment) -> bool {
    ends(moment, Disposition::HopLimit)
}

fn a_geographic_answer_is_down(moment: &Moment) -> bool {
    let mut answers = answered(moment).into_iter();
    answers.any(|it| it.manager.method == Method::Geographic && it.standing() == Standing::Degraded)
}

fn a_region_is_mapped_by_the_world_alone(moment: &Moment) -> bool {
    says(moment, |rule| matches!(rule, Rule::Region(region) if region.as_str() == "world"))
}

fn a_nested_name_is_under_its_least_number(moment: &Moment) -> bool {
    answered(moment).into_iter().any(|it| {
        let is_under = |standing| standing == Standing::Degraded;
        let min = |children_min: Option<u32>| children_min.is_some_and(|min| min > 1);
        it.in_use()
            .iter()
            .any(|(_, settings, standing)| min(settings.children_min) && is_under(*standing))
    })
}

fn a_nested_name_is_answered_with_children_down(moment: &Moment) -> bool {
    let mut answers = answered(moment).into_iter();
    answers.any(|it| {
        let is_nested = it.settings.children_min.is_some();
        is_nested && it.standing() == Standing::Online && moment.before.health.count() > 0
    })
}

fn a_name_fails_open(moment: &Moment) -> bool {
    answered(moment).into_iter().any(|it| it.fails_open())
}

fn others_stand_in_for_the_nearest(moment: &Moment) -> bool {
    says(moment, |rule| *rule == Rule::AllOthers)
}

fn an_unprobed_endpoint_is_answered(moment: &Moment) -> bool {
    answered(moment).into_iter().any(|it| it.standing() == Standing::Checking)
}

fn an_endpoint_that_is_out_is_passed_over(moment: &Moment) -> bool {
    answered(moment).into_iter().any(|it| it.in_use().len() < it.manager.endpoints.len())
}

fn a_kept_answer_is_used(moment: &Moment) -> bool {
    says(moment, |rule| matches!(rule, Rule::Cached { .. }))
}

fn a_kept_answer_leads_to_what_is_down(moment: &Moment) -> bool {
    a_kept_answer_is_used(moment) && ends(moment, Disposition::Unhealthy)
}

fn a_kept_answer_has_become_too_old(moment: &Moment) -> bool {
    let Some((request, _)) = requested(moment) else { return false };
    let kept = moment.before.answers.iter().filter(|((asker, _), _)| *asker == request.client);
    kept.into_iter().any(|(_, answer)| answer.until <= moment.before.now)
}

fn a_known_list_is_used(moment: &Moment) -> bool {
    says(moment, |rule| matches!(rule, Rule::KnownList { .. }))
}

fn a_later_endpoint_of_a_list_is_used(moment: &Moment) -> bool {
    let Some((_, walk)) = requested(moment) else { return false };
    choices(walk).any(|(from, to)| match node(moment.before, from) {
        Some((_, Node::ServiceIndex(index))) => {
            index.choice == ClientChoice::FirstEndpointFirst
                && matches!(to.rule, Rule::Listed(place) if place > 1)
        }
        _ => false,
    })
}

fn an_affinity_goes_straight(moment: &Moment) -> bool {
    fronted(moment).into_iter().any(|it| it.is_learned())
}

fn a_door_fails_open(moment: &Moment) -> bool {
    fronted(moment).into_iter().any(|it| it.fails_open())
}

fn a_request_is_proxied(moment: &Moment) -> bool {
    says(moment, |rule| matches!(rule, Rule::Proxied(_)))
}

fn a_second_virtual_ip_is_used(moment: &Moment) -> bool {
    let Some((_, walk)) = requested(moment) else { return false };
    choices(walk).any(|(from, to)| match (node(moment.before, from), &to.rule) {
        (Some((_, Node::LoadBalancer(balancer))), Rule::Balanced { virtual_ip, .. }) => {
            balancer.virtual_ips.first() != Some(virtual_ip)
        }
        _ => false,
    })
}

fn a_balancer_passes_over_a_member(moment: &Moment) -> bool {
    says(moment, |rule| matches!(rule, Rule::Member { up, of } if up < of))
}

fn leaves_by(moment: &Moment, means: Means) -> bool {
    leaving(moment).is_some_and(|it| it.means == Some(means))
}

fn a_connection_leaves_by_a_user_route(moment: &Moment) -> bool {
    leaves_by(moment, Means::UserRoute)
}

fn a_connection_leaves_by_a_gateway(moment: &Moment) -> bool {
    leaves_by(moment, Means::NatGateway)
}

fn a_connection_leaves_by_its_own_address(moment: &Moment) -> bool {
    leaves_by(moment, Means::InstanceAddress)
}

fn a_connection_leaves_by_an_outbound_rule(moment: &Moment) -> bool {
    leaves_by(moment, Means::OutboundRule)
}

fn a_connection_leaves_by_default(moment: &Moment) -> bool {
    leaves_by(moment, Means::Default)
}

fn a_way_out_comes_before_another(moment: &Moment) -> bool {
    says(moment, |rule| matches!(rule, Rule::LeavesBy { before: Some(_), .. }))
}

fn a_connection_bypasses_translation(moment: &Moment) -> bool {
    says(moment, |rule| *rule == Rule::Bypass)
}

fn a_reply_returns_to_a_client(moment: &Moment) -> bool {
    let served = matches!(moment.outcome, Outcome::Walked(walk) if walk.is_served());
    matches!(moment.event, Event::ReplyToRequest(_)) && served
}

fn a_reply_returns_to_a_vm(moment: &Moment) -> bool {
    let served = matches!(moment.outcome, Outcome::Walked(walk) if walk.is_served());
    matches!(moment.event, Event::ReplyToConnection(_)) && served
}

fn a_detour_is_taken(moment: &Moment) -> bool {
    let is_router_down = moment.before.health.count() > 0;
    is_router_down && says(moment, |rule| matches!(rule, Rule::LeastCost(_)))
}

fn a_static_route_is_taken(moment: &Moment) -> bool {
    says(moment, |rule| *rule == Rule::StaticRoute)
}

fn something_unknown_fails(moment: &Moment) -> bool {
    matches!(moment.event, Event::Fail(_)) && *moment.outcome == Outcome::Unknown
}

fn something_comes_up_again(moment: &Moment) -> bool {
    matches!(moment.event, Event::Mend(_)) && *moment.outcome == Outcome::Mended
}
