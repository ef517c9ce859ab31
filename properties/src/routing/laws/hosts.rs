//! What front doors, scale units and balancers choose.

use natlaw_model::nat::VirtualIp;
use natlaw_model::routing::{
    BalancingRule, Client, Disposition, FrontDoor, Hop, Ledger, LoadBalancer, Name, NoRoute, Node,
    Origin, Place, RoutingGraph, Rule, ScaleUnit, Target,
};

use super::{Moment, all, choices, node, requested};
use crate::routing::obvious::{live_count, looks_up};

/// What a front door chose.
pub(in crate::routing) struct Fronted<'a> {
    ledger: &'a Ledger,
    client: &'a Client,
    account: Option<&'a Name>,
    pub(in crate::routing) name: &'a Name,
    pub(in crate::routing) door: &'a FrontDoor,
    pub(in crate::routing) target: Target,
    pub(in crate::routing) origin: &'a Origin,
    pub(in crate::routing) rule: &'a Rule,
}

/// Every choice of a front door.
pub(in crate::routing) fn fronted<'a>(moment: &Moment<'a>) -> Vec<Fronted<'a>> {
    let Some((request, walk)) = requested(moment) else { return Vec::new() };
    let ledger = moment.before;
    let Some(Node::Client(client)) = ledger.graph.named(&request.client) else { return Vec::new() };
    let choice = |(from, to): (&'a _, &'a Hop)| {
        let (name, Node::FrontDoor(door)) = node(ledger, from)? else { return None };
        let Place::Node(to_name) = &to.place else { return None };
        let target = ledger.graph.target_between(name, to_name)?;
        let origin = door.origins.get(&target)?;
        let account = request.account.as_ref();
        Some(Fronted { ledger, client, account, name, door, target, origin, rule: &to.rule })
    };
    choices(walk).filter_map(choice).collect()
}

impl Fronted<'_> {
    /// Whether the door chose by what it was told of the account.
    pub(in crate::routing) const fn is_learned(&self) -> bool {
        matches!(self.rule, Rule::Affinity { .. })
    }

    /// Whether the door chose as if all were up.
    pub(in crate::routing) const fn fails_open(&self) -> bool {
        matches!(self.rule, Rule::FailOpen(_))
    }

    /// The origins that are enabled and answer.
    fn healthy(&self) -> Vec<(&Target, &Origin)> {
        let origins = self.door.origins.iter().filter(|(_, origin)| !origin.disabled);
        origins.filter(|(target, _)| looks_up(self.ledger, &target.node)).collect()
    }

    /// Those of the best priority.
    fn best(&self) -> Vec<(&Target, &Origin)> {
        let mut healthy = self.healthy();
        let best = healthy.iter().map(|(_, origin)| origin.priority).min();
        healthy.retain(|(_, origin)| Some(origin.priority) == best);
        healthy
    }

    fn latency(&self, target: &Target, origin: &Origin) -> u32 {
        self.client.latency_ms.get(&target.node).copied().unwrap_or(origin.latency_ms)
    }

    fn chooses(&self) -> bool {
        !self.is_learned() && !self.fails_open()
    }
}

/// A door chooses an origin that is enabled and answers, while there is one.
pub(super) fn an_origin_that_is_chosen_answers(moment: &Moment) -> Option<bool> {
    let some_up = fronted(moment).into_iter().filter(|it| !it.healthy().is_empty());
    let choices = some_up.filter(|it| !it.is_learned());
    all(choices.map(|it| it.healthy().iter().any(|(target, _)| **target == it.target)))
}

/// Of those, one of the best priority.
pub(super) fn an_origin_is_of_the_best_priority(moment: &Moment) -> Option<bool> {
    let choices = fronted(moment).into_iter().filter(Fronted::chooses);
    all(choices.map(|it| it.best().iter().any(|(_, best)| best.priority == it.origin.priority)))
}

/// Of those, one that is as fast as the fastest, but for the sensitivity.
pub(super) fn an_origin_is_as_fast_as_the_sensitivity_asks(moment: &Moment) -> Option<bool> {
    let choices = fronted(moment).into_iter().filter(Fronted::chooses);
    all(choices.map(|it| {
        let fastest = it.best().iter().map(|(target, origin)| it.latency(target, origin)).min();
        let slowest = fastest.map(|fastest| fastest.saturating_add(it.door.sensitivity_ms));
        Some(it.latency(&it.target, it.origin)) <= slowest
    }))
}

/// A door goes round all origins only where none of them answers.
pub(super) fn a_door_fails_open_only_where_all_origins_are_down(moment: &Moment) -> Option<bool> {
    let open = fronted(moment).into_iter().filter(Fronted::fails_open);
    all(open.map(|it| it.healthy().is_empty()))
}

/// An origin that is switched off gets nothing, unless an account was learned to live there.
pub(super) fn an_origin_that_is_out_gets_nothing(moment: &Moment) -> Option<bool> {
    let with_out = fronted(moment)
        .into_iter()
        .filter(|it| !it.is_learned() && it.door.origins.values().any(|origin| origin.disabled));
    all(with_out.map(|it| !it.origin.disabled))
}

/// What a door has learned of an account saves the proxy: it goes straight to the unit that owns it.
pub(super) fn an_affinity_that_was_learned_goes_straight(moment: &Moment) -> Option<bool> {
    let learned = |it: Fronted| {
        let answer = it.ledger.learned(it.name, it.account?)?;
        let origin = it.door.origins.get(&answer.target)?;
        let is_usable = !origin.disabled && looks_up(it.ledger, &answer.target.node);
        is_usable.then_some(it.is_learned() && it.target == answer.target)
    };
    all(fronted(moment).into_iter().filter_map(learned))
}

/// A door goes by nothing that it has not learned, and by nothing for longer than it may.
pub(super) fn no_affinity_is_used_that_was_not_learned(moment: &Moment) -> Option<bool> {
    all(fronted(moment).into_iter().filter(Fronted::is_learned).map(|it| {
        let answer = it.account.and_then(|account| it.ledger.learned(it.name, account));
        answer.is_some_and(|answer| {
            let is_said = matches!(it.rule, Rule::Affinity { until, .. } if *until == answer.until);
            is_said && answer.target == it.target
        })
    }))
}

/// A unit that a walk came to, and where it went on.
fn units<'a>(moment: &Moment<'a>) -> Vec<(&'a Name, &'a ScaleUnit, &'a Hop)> {
    let Some((_, walk)) = requested(moment) else { return Vec::new() };
    let unit = |(from, to): (&'a _, &'a _)| match node(moment.before, from)? {
        (name, Node::ScaleUnit(unit)) => Some((name, unit, to)),
        _ => None,
    };
    choices(walk).filter_map(unit).collect()
}

/// Where a unit believes that an account lives; at home, where nobody owns it.
pub(super) fn believed<'a>(
    ledger: &'a Ledger,
    name: &'a Name,
    unit: &'a ScaleUnit,
    account: &Name,
) -> &'a Name {
    let owner = || ledger.graph.owner(account).map(|owner| ledger.graph.name(owner));
    unit.stale.get(account).or_else(owner).unwrap_or(name)
}

/// A unit proxies to where it believes the account lives, and nowhere else.
pub(super) fn a_request_is_proxied_to_where_its_account_lives(moment: &Moment) -> Option<bool> {
    let (request, _) = requested(moment)?;
    let proxied =
        units(moment).into_iter().filter(|(_, _, to)| matches!(to.rule, Rule::Proxied(_)));
    all(proxied.map(|(name, unit, to)| {
        let home = |account| believed(moment.before, name, unit, account);
        let home = request.account.as_ref().map(home);
        home.cloned().map(Place::Node).as_ref() == Some(&to.place)
    }))
}

/// A unit serves an account that it owns, or nobody does; all others it proxies.
pub(super) fn a_unit_serves_what_lives_there(moment: &Moment) -> Option<bool> {
    let (request, _) = requested(moment)?;
    let account = request.account.as_ref()?;
    let served = units(moment).into_iter().filter(|(_, _, to)| to.rule == Rule::Serves);
    all(served.map(|(name, unit, _)| believed(moment.before, name, unit, account) == name))
}

/// What is delivered for an account by way of units was at its owner last.
pub(super) fn an_account_is_served_by_its_owner(moment: &Moment) -> Option<bool> {
    let (request, walk) = requested(moment)?;
    let ledger = moment.before;
    let owner = ledger.graph.name(ledger.graph.owner(request.account.as_ref()?)?);
    let unit = |hop| match node(ledger, hop)? {
        (name, Node::ScaleUnit(_)) => Some(name),
        _ => None,
    };
    let last = walk.hops.iter().filter_map(unit).next_back()?;
    (walk.disposition == Disposition::Delivered).then_some(last == owner)
}

/// A unit that has as many requests of others in hand as it takes proxies no other.
pub(super) fn a_full_unit_proxies_nothing(moment: &Moment) -> Option<bool> {
    let proxied =
        units(moment).into_iter().filter(|(_, _, to)| matches!(to.rule, Rule::Proxied(_)));
    all(proxied.filter_map(|(name, unit, _)| {
        let throttle = unit.throttle?;
        Some(moment.before.in_hand(name) < throttle.proxied_max as usize)
    }))
}

/// Only a unit that is full says so.
pub(super) fn throttled_is_said_only_by_a_full_unit(moment: &Moment) -> Option<bool> {
    let (_, walk) = requested(moment)?;
    (walk.disposition == Disposition::RefusedThrottled).then_some(())?;
    let unit = walk.hops.last().and_then(|hop| node(moment.before, hop));
    let Some((name, Node::ScaleUnit(unit))) = unit else { return Some(false) };
    let max = unit.throttle.map(|throttle| throttle.proxied_max as usize);
    Some(max.is_some_and(|max| moment.before.in_hand(name) >= max))
}

/// The virtual IP that a rule listens to.
pub(super) fn virtual_ip(balancer: &LoadBalancer, rule: &BalancingRule) -> Option<VirtualIp> {
    rule.virtual_ip.or(balancer.virtual_ips.first().copied())
}

/// Virtual IP, transport and port decide to which pool a request goes.
pub(super) fn the_rule_of_a_balancer_decides_the_pool(moment: &Moment) -> Option<bool> {
    let (request, walk) = requested(moment)?;
    let ledger = moment.before;
    let Some(Node::Client(client)) = ledger.graph.named(&request.client) else { return None };
    all(choices(walk).filter_map(|(from, to)| {
        let Rule::Balanced { virtual_ip: by, service } = &to.rule else { return None };
        let (_, Node::LoadBalancer(balancer)) = node(ledger, from)? else { return Some(false) };
        let is_it = |rule: &BalancingRule| {
            virtual_ip(balancer, rule) == Some(*by)
                && rule.service == *service
                && Place::Node(rule.pool.clone()) == to.place
        };
        Some(*service == client.service && balancer.rules.iter().any(is_it))
    }))
}

/// A balancer says that it has no rule only where it has none for the client's service.
pub(super) fn no_rule_is_said_only_where_there_is_none(moment: &Moment) -> Option<bool> {
    let (request, walk) = requested(moment)?;
    let ledger = moment.before;
    (walk.disposition == Disposition::NoRoute(NoRoute::NoRule)).then_some(())?;
    let last = walk.hops.last().and_then(|hop| node(ledger, hop));
    let Some((_, Node::LoadBalancer(balancer))) = last else { return Some(false) };
    let Some(Node::Client(client)) = ledger.graph.named(&request.client) else { return None };
    let listens = |it: VirtualIp| {
        let is_it = |rule: &&BalancingRule| virtual_ip(balancer, rule) == Some(it);
        balancer.rules.iter().filter(is_it).any(|rule| rule.service == client.service)
    };
    Some(!balancer.virtual_ips.iter().all(|it| listens(*it)))
}

/// Of a pool, only a VM whose probes succeed gets a request.
pub(super) fn a_balanced_request_goes_to_a_member_that_is_up(moment: &Moment) -> Option<bool> {
    let (_, walk) = requested(moment)?;
    let members = walk.hops.iter().filter(|hop| matches!(hop.rule, Rule::Member { .. }));
    all(members.map(|hop| !moment.before.is_down(&hop.place)))
}

/// What is said of how many members are up is so.
pub(super) fn the_members_that_are_up_are_counted(moment: &Moment) -> Option<bool> {
    let (_, walk) = requested(moment)?;
    let ledger = moment.before;
    all(walk.hops.iter().filter_map(|hop| {
        let (Rule::Member { up, of }, Place::Member(member)) = (&hop.rule, &hop.place) else {
            return None;
        };
        let Some(Node::Pool(pool)) = ledger.graph.named(&member.pool) else { return Some(false) };
        let counted = (live_count(ledger, &member.pool, pool), RoutingGraph::members(pool).count());
        Some(counted == (*up, *of))
    }))
}
