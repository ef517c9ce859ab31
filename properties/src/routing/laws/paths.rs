//! Ways over routers, loops, and bounds.

use natlaw_model::routing::{
    Disposition, Hop, Ledger, Name, NoRoute, Node, Place, Router, RoutingGraph, Rule,
};

use super::{Moment, all, choices, is_carried, node, walked};
use crate::routing::obvious::least_cost;

/// A router that a walk came to because the way was cheapest: the one before, it, and what was said.
pub(in crate::routing) fn cheapest<'a>(moment: &Moment<'a>) -> Vec<(&'a Name, &'a Name, u64)> {
    let hops = walked(moment).map_or(&[][..], |walk| &walk.hops);
    let pair = |hops: &'a [Hop]| match (&hops[0].place, &hops[1].place, &hops[1].rule) {
        (Place::Node(from), Place::Node(to), Rule::LeastCost(cost)) => Some((from, to, *cost)),
        _ => None,
    };
    hops.windows(2).filter_map(pair).collect()
}

/// A walk ends, and within the hops that it may take.
pub(super) fn a_walk_ends_within_its_hops(moment: &Moment) -> Option<bool> {
    let walk = walked(moment)?;
    let hops_max = usize::from(moment.before.graph.topology().hops_max);
    Some(walk.disposition != Disposition::Unfinished && walk.hops.len() <= hops_max)
}

/// No walk goes on from a place where it has been; it would go round for ever. Between two places
/// that decide, routers carry it anew.
pub(super) fn no_place_is_visited_twice(moment: &Moment) -> Option<bool> {
    let walk = walked(moment)?;
    let is_loop = usize::from(walk.disposition == Disposition::Loop);
    let hops = &walk.hops[..walk.hops.len().saturating_sub(is_loop)];
    (hops.len() > 1).then_some(())?;
    let mut legs = hops.chunk_by(|a, b| is_carried(&a.rule) == is_carried(&b.rule));
    let deciding: Vec<&Hop> = hops.iter().filter(|hop| !is_carried(&hop.rule)).collect();
    Some(are_unlike(&deciding) && legs.all(|leg| are_unlike(&leg.iter().collect::<Vec<_>>())))
}

fn are_unlike(hops: &[&Hop]) -> bool {
    let again = |at: usize| hops[..at].iter().any(|before| before.place == hops[at].place);
    !(0..hops.len()).any(again)
}

/// A walk that is given up as a loop is where it has been.
pub(super) fn a_loop_is_said_only_where_there_is_one(moment: &Moment) -> Option<bool> {
    let walk = walked(moment)?;
    (walk.disposition == Disposition::Loop).then_some(())?;
    let (last, before) = walk.hops.split_last()?;
    Some(before.iter().any(|hop| hop.place == last.place))
}

/// A walk that is given up for its length is as long as a walk may be.
pub(super) fn the_hop_limit_is_said_only_at_it(moment: &Moment) -> Option<bool> {
    let walk = walked(moment)?;
    let hops_max = usize::from(moment.before.graph.topology().hops_max);
    (walk.disposition == Disposition::HopLimit).then_some(walk.hops.len() == hops_max)
}

/// Every router on the way is next to the one before, by a link that is up, and itself up.
pub(super) fn a_way_goes_over_live_links(moment: &Moment) -> Option<bool> {
    let ledger = moment.before;
    all(cheapest(moment).into_iter().map(|(from, to, _)| link(ledger, from, to).is_some()))
}

/// What a live link from one router to another costs.
fn link(ledger: &Ledger, from: &Name, to: &Name) -> Option<u64> {
    let (from, to) = (ledger.graph.index(from)?, ledger.graph.index(to)?);
    let (_, cost, component) = ledger.graph.links(from).find(|(next, _, _)| *next == to)?;
    let is_down = |component| ledger.health.is_down(component);
    let is_open = !is_down(component) && !is_down(RoutingGraph::component_of(to));
    is_open.then_some(u64::from(cost))
}

/// A stretch of a way that routers chose by its cost.
struct Stretch<'a> {
    from: &'a Name,
    to: &'a Name,
    /// What it is said to cost to the end.
    said: u64,
    end: &'a Name,
}

/// Every stretch that was chosen by its cost and came to its end.
fn stretches<'a>(moment: &Moment<'a>) -> Vec<Stretch<'a>> {
    let hops = walked(moment).map_or(&[][..], |walk| &walk.hops);
    let stretch = |at: usize| {
        let (Place::Node(from), Place::Node(to)) = (&hops[at].place, &hops[at + 1].place) else {
            return None;
        };
        let Rule::LeastCost(said) = hops[at + 1].rule else { return None };
        Some(Stretch { from, to, said, end: end(moment, &hops[at + 1..])? })
    };
    (0..hops.len().saturating_sub(1)).filter_map(stretch).collect()
}

/// The router at which hops end that were chosen by their cost: where what comes next hangs.
fn end<'a>(moment: &Moment<'a>, hops: &'a [Hop]) -> Option<&'a Name> {
    let graph = &moment.before.graph;
    let next = hops.iter().find(|hop| !matches!(hop.rule, Rule::LeastCost(_)))?;
    let at = match &next.place {
        _ if is_carried(&next.rule) => return None,
        Place::Node(name) => name,
        Place::Member(member) => &member.pool,
    };
    graph.router_of(graph.index(at)?).map(|router| graph.name(router))
}

/// Where routers choose a way, none costs less. Only a way that got there is judged.
pub(super) fn a_way_costs_the_least(moment: &Moment) -> Option<bool> {
    let least = |it: &Stretch| least_cost(moment.before, it.from, it.end);
    all(stretches(moment).iter().map(|it| least(it) == Some(it.said)))
}

/// Of ways that cost alike, the one over the router that comes first by its name is taken, so that
/// two packets of one connection go the same way.
pub(super) fn of_equal_ways_the_first_by_name_is_taken(moment: &Moment) -> Option<bool> {
    let (ledger, graph) = (moment.before, &moment.before.graph);
    all(stretches(moment).iter().filter_map(|it| {
        let by =
            |next: &Name| Some(link(ledger, it.from, next)? + least_cost(ledger, next, it.end)?);
        let next = graph.links(graph.index(it.from)?).map(|(next, _, _)| graph.name(next));
        let equal: Vec<&Name> = next.filter(|next| by(next) == by(it.to)).collect();
        (equal.len() > 1).then(|| equal.iter().all(|next| *next >= it.to))
    }))
}

/// A router with a static route sends everything along it.
pub(super) fn a_static_route_is_followed(moment: &Moment) -> Option<bool> {
    let hops = &walked(moment)?.hops;
    all(hops.windows(2).filter_map(|pair| {
        let (_, Node::Router(router)) = node(moment.before, &pair[0])? else { return None };
        let route = router.route.clone()?;
        let is_next = matches!(pair[1].rule, Rule::LeastCost(_) | Rule::StaticRoute);
        is_next.then(|| pair[1].rule == Rule::StaticRoute && pair[1].place == Place::Node(route))
    }))
}

/// A walk says that no path leads on only where a router cannot reach the whole backbone, or a
/// static route leads nowhere.
pub(super) fn no_path_is_said_only_where_something_is_cut_off(moment: &Moment) -> Option<bool> {
    let walk = walked(moment)?;
    (walk.disposition == Disposition::NoRoute(NoRoute::NoPath)).then_some(())?;
    let ledger = moment.before;
    let routers = &ledger.graph.topology().routers;
    let first = routers.keys().next()?;
    let is_cut = |(name, router): (&Name, &Router)| {
        let goes = |route: &Name| link(ledger, name, route).is_some();
        least_cost(ledger, name, first).is_none() || !router.route.as_ref().is_none_or(goes)
    };
    Some(routers.iter().any(is_cut))
}

/// Whatever chose a place, the graph leads there. What is kept or learned is judged by laws of its
/// own.
pub(super) fn every_step_is_one_of_the_graph(moment: &Moment) -> Option<bool> {
    let graph = &moment.before.graph;
    let is_kept = |rule: &Rule| matches!(rule, Rule::Cached { .. } | Rule::KnownList { .. });
    let steps = choices(walked(moment)?).filter(|(_, to)| !is_kept(&to.rule));
    all(steps.map(|(from, to)| graph.has_step(&from.place, &to.place)))
}
