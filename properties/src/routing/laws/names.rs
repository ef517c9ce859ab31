//! Answers of names: traffic managers, and the lists that clients discover.

use natlaw_model::routing::{
    Client, ClientChoice, Disposition, Hop, Ledger, ManagedEndpoint, Method, Name, NoRoute, Node,
    Place, Rule, ServiceIndex, Target, TrafficManager,
};

use super::{Moment, all, choices, node, requested};
use crate::routing::obvious::{Standing, looks_up, standing};

/// A name's answer.
pub(in crate::routing) struct Answered<'a> {
    ledger: &'a Ledger,
    /// Who asks.
    pub(in crate::routing) client: &'a Client,
    /// The name that answers.
    pub(in crate::routing) manager: &'a TrafficManager,
    /// What it answers.
    pub(in crate::routing) target: Target,
    /// What is set for that.
    pub(in crate::routing) settings: &'a ManagedEndpoint,
    /// Why.
    pub(in crate::routing) rule: &'a Rule,
}

/// Every answer that a name gave while a request looked it up.
pub(in crate::routing) fn answered<'a>(moment: &Moment<'a>) -> Vec<Answered<'a>> {
    let Some((request, walk)) = requested(moment) else { return Vec::new() };
    let ledger = moment.before;
    let Some(Node::Client(client)) = ledger.graph.named(&request.client) else { return Vec::new() };
    let answer = |(from, to): (&'a Hop, &'a Hop)| {
        let (name, Node::TrafficManager(manager)) = node(ledger, from)? else { return None };
        let Place::Node(to_name) = &to.place else { return None };
        let target = ledger.graph.target_between(name, to_name)?;
        let settings = manager.endpoints.get(&target)?;
        Some(Answered { ledger, client, manager, target, settings, rule: &to.rule })
    };
    choices(walk).filter_map(answer).collect()
}

/// An endpoint with its settings and how it stands.
pub(in crate::routing) type Endpoint<'a> = (&'a Target, &'a ManagedEndpoint, Standing);

impl<'a> Answered<'a> {
    /// How what was answered stands.
    pub(in crate::routing) fn standing(&self) -> Standing {
        standing(self.ledger, &self.target, self.settings)
    }

    /// Whether the name answered as if all were up.
    pub(in crate::routing) const fn fails_open(&self) -> bool {
        matches!(self.rule, Rule::FailOpen(_))
    }

    /// The endpoints that are not out.
    pub(in crate::routing) fn in_use(&self) -> Vec<Endpoint<'a>> {
        in_use(self.ledger, self.manager)
    }

    /// Those that the name may answer with.
    fn candidates(&self) -> Vec<Endpoint<'a>> {
        candidates(self.ledger, self.manager)
    }

    fn is_candidate(&self) -> bool {
        self.candidates().iter().any(|(target, _, _)| **target == self.target)
    }

    /// How far a target is from who asks.
    fn latency(&self, target: &Target) -> u32 {
        self.client.latency_ms.get(&target.node).copied().unwrap_or(u32::MAX)
    }

    fn least_latency(&self, among: &[Endpoint]) -> Option<u32> {
        among.iter().map(|(target, _, _)| self.latency(target)).min()
    }
}

/// The endpoints of a name that are not out.
pub(super) fn in_use<'a>(ledger: &Ledger, manager: &'a TrafficManager) -> Vec<Endpoint<'a>> {
    let of = |(target, settings)| (target, settings, standing(ledger, target, settings));
    let all = manager.endpoints.iter().map(of);
    all.filter(|(_, _, standing)| *standing != Standing::Stopped).collect()
}

/// Those that a name may answer with: what is available, or all that are in use where nothing is.
pub(super) fn candidates<'a>(ledger: &Ledger, manager: &'a TrafficManager) -> Vec<Endpoint<'a>> {
    let in_use = in_use(ledger, manager);
    let available = in_use.iter().filter(|(_, _, standing)| standing.is_available());
    let available: Vec<Endpoint> = available.copied().collect();
    if available.is_empty() { in_use } else { available }
}

/// The answers of names with this method.
fn by<'a>(method: Method, moment: &Moment<'a>) -> impl Iterator<Item = Answered<'a>> {
    answered(moment).into_iter().filter(move |answered| answered.manager.method == method)
}

/// Of the endpoints that it may answer with, a name takes the one of the lowest priority.
pub(super) fn a_priority_answer_is_the_best(moment: &Moment) -> Option<bool> {
    all(by(Method::Priority, moment).map(|it| {
        let best = it.candidates().iter().filter_map(|(_, settings, _)| settings.priority).min();
        it.settings.priority == best && it.is_candidate()
    }))
}

/// A weighted name answers with one that is available, while there is one.
pub(super) fn a_weighted_answer_is_available(moment: &Moment) -> Option<bool> {
    all(by(Method::Weighted, moment).map(|it| it.is_candidate()))
}

/// First reading: of those that are available, the nearest; so the next nearest takes over.
pub(super) fn a_performance_answer_is_the_nearest(moment: &Moment) -> Option<bool> {
    all(by(Method::Performance, moment).map(|it| {
        let nearest = it.least_latency(&it.candidates());
        Some(it.latency(&it.target)) == nearest && it.is_candidate()
    }))
}

/// Second reading: the nearest while it is available, and otherwise any other that is.
pub(super) fn all_others_stand_in_for_the_nearest(moment: &Moment) -> Option<bool> {
    all(by(Method::PerformanceAllOthers, moment).map(|it| {
        let least = it.least_latency(&it.in_use());
        let is_nearest = Some(it.latency(&it.target)) == least;
        let nearest = it.in_use().into_iter().filter(|(t, _, _)| Some(it.latency(t)) == least);
        let nearest_up = all(nearest.map(|(_, _, standing)| standing.is_available()));
        it.is_candidate() && (nearest_up != Some(true) || is_nearest)
    }))
}

/// A geographic name answers with the endpoint of the client's region, up or down: it never fails
/// over.
pub(super) fn a_geographic_answer_is_the_mapped_one(moment: &Moment) -> Option<bool> {
    all(by(Method::Geographic, moment).map(|it| Some(&it.target) == mapped(it.manager, it.client)))
}

/// The endpoint that a client's region is mapped to: its own, or that of the world.
pub(super) fn mapped<'a>(manager: &'a TrafficManager, client: &Client) -> Option<&'a Target> {
    let of = |region: &str| {
        let maps = |(_, settings): &(&Target, &ManagedEndpoint)| {
            settings.regions.iter().any(|mapped| mapped.as_str() == region)
        };
        manager.endpoints.iter().find(maps).map(|(target, _)| target)
    };
    client.region.as_ref().and_then(|region| of(region.as_str())).or_else(|| of("world"))
}

/// An endpoint that is switched off is never answered, even where all others are down.
pub(super) fn an_endpoint_that_is_out_is_never_answered(moment: &Moment) -> Option<bool> {
    let out = |it: &Answered| it.manager.endpoints.len() > it.in_use().len();
    let answers = answered(moment).into_iter().filter(out);
    all(answers.map(|it| it.standing() != Standing::Stopped))
}

/// A name that is nested answers for its parent only while enough of it is online; below its least
/// number of children it is degraded, however healthy the others are.
pub(super) fn a_nested_answer_has_enough_online(moment: &Moment) -> Option<bool> {
    let is_nested = |it: &Answered| {
        matches!(it.ledger.graph.named(&it.target.node), Some(Node::TrafficManager(_)))
    };
    let chooses = |it: &Answered| it.manager.method != Method::Geographic && !it.fails_open();
    let nested = answered(moment).into_iter().filter(|it| is_nested(it) && chooses(it));
    all(nested.map(|it| it.standing().is_available()))
}

/// A name answers as if all were up only where all that are in use are degraded.
pub(super) fn a_name_fails_open_only_where_all_are_degraded(moment: &Moment) -> Option<bool> {
    let open = answered(moment).into_iter().filter(Answered::fails_open);
    all(open.map(|it| it.in_use().iter().all(|(_, _, standing)| !standing.is_available())))
}

/// Whatever is down is answered only by failing open, and that is said. Geographic names do not
/// look.
pub(super) fn what_is_down_is_answered_only_by_failing_open(moment: &Moment) -> Option<bool> {
    let looks = |it: &Answered| it.manager.method != Method::Geographic;
    let down = |it: &Answered| !it.standing().is_available();
    let answers = answered(moment).into_iter().filter(|it| looks(it) && down(it));
    all(answers.map(|it| it.fails_open()))
}

/// A name has no answer only if it is off, nothing of it is in use, or the region is mapped nowhere.
pub(super) fn no_answer_is_said_only_where_there_is_none(moment: &Moment) -> Option<bool> {
    let (request, walk) = requested(moment)?;
    let ledger = moment.before;
    (walk.disposition == Disposition::NoRoute(NoRoute::NoAnswer)).then_some(())?;
    let Some(Node::Client(client)) = ledger.graph.named(&request.client) else {
        return Some(false);
    };
    let Some((_, Node::TrafficManager(manager))) = node(ledger, walk.hops.last()?) else {
        return Some(false);
    };
    Some(manager.disabled || has_none(ledger, manager, client))
}

fn has_none(ledger: &Ledger, manager: &TrafficManager, client: &Client) -> bool {
    let is_out = |target: &Target| {
        let settings = manager.endpoints.get(target);
        settings.is_none_or(|settings| standing(ledger, target, settings) == Standing::Stopped)
    };
    match manager.method {
        Method::Geographic => mapped(manager, client).is_none_or(is_out),
        Method::Priority
        | Method::Weighted
        | Method::Performance
        | Method::PerformanceAllOthers => manager.endpoints.keys().all(is_out),
    }
}

/// A name that is switched off as a whole leads nowhere.
pub(super) fn a_name_that_is_off_leads_nowhere(moment: &Moment) -> Option<bool> {
    let (_, walk) = requested(moment)?;
    let is_off = |hop| match node(moment.before, hop) {
        Some((_, Node::TrafficManager(manager))) => manager.disabled,
        _ => false,
    };
    let off = walk.hops.iter().position(is_off)?;
    Some(off + 1 == walk.hops.len())
}

/// Nobody looks a name up again while its answer is kept.
pub(super) fn an_answer_that_is_kept_is_used_until_its_time(moment: &Moment) -> Option<bool> {
    let (_, walk) = requested(moment)?;
    let ledger = moment.before;
    let asked = choices(walk).filter_map(|(from, to)| {
        let (asker, by) = node(ledger, from)?;
        let (name, Node::TrafficManager(_)) = node(ledger, to)? else { return None };
        let is_listed = matches!(to.rule, Rule::KnownList { .. });
        let is_name = matches!(by, Node::TrafficManager(_) | Node::ServiceIndex(_));
        (!is_name && !is_listed).then_some((asker.clone(), name.clone()))
    });
    let was_asked = |(asker, name)| ledger.answers.contains_key(&(asker, name));
    let fresh = |(asker, name): &(Name, Name)| ledger.cached(asker, name).is_none();
    all(asked.filter(|pair| was_asked(pair.clone())).map(|pair| fresh(&pair)))
}

/// An answer is used only while it is kept, and as it was given.
pub(super) fn no_answer_is_used_beyond_its_time(moment: &Moment) -> Option<bool> {
    let (_, walk) = requested(moment)?;
    let cached = choices(walk).filter_map(|(from, to)| match &to.rule {
        Rule::Cached { manager, until } => Some((from, manager, until, to)),
        _ => None,
    });
    all(cached.map(|(from, manager, until, to)| {
        let asker = node(moment.before, from).map(|(name, _)| name);
        let kept = asker.and_then(|asker| moment.before.cached(asker, manager));
        kept.is_some_and(|kept| {
            kept.until == *until && Place::Node(kept.target.node.clone()) == to.place
        })
    }))
}

/// A client does not discover again what it has.
pub(super) fn a_list_that_is_kept_is_used_until_its_time(moment: &Moment) -> Option<bool> {
    let (_, walk) = requested(moment)?;
    let ledger = moment.before;
    let asked = choices(walk).filter_map(|(from, to)| {
        let (index, Node::ServiceIndex(_)) = node(ledger, to)? else { return None };
        let (asker, _) = node(ledger, from)?;
        let had = ledger.lists.contains_key(&(asker.clone(), index.clone()));
        had.then(|| ledger.listed(asker, index).is_none())
    });
    all(asked)
}

/// A list is used only while it is kept.
pub(super) fn no_list_is_used_beyond_its_time(moment: &Moment) -> Option<bool> {
    let (_, walk) = requested(moment)?;
    all(choices(walk).filter_map(|(from, to)| {
        let Rule::KnownList { index, until, .. } = &to.rule else { return None };
        let (asker, _) = node(moment.before, from)?;
        Some(moment.before.listed(asker, index) == Some(*until))
    }))
}

/// A client that goes by the order of a list takes the first endpoint that answers.
pub(super) fn the_first_endpoint_that_answers_is_used(moment: &Moment) -> Option<bool> {
    let (_, walk) = requested(moment)?;
    let ledger = moment.before;
    let listed = choices(walk).filter_map(|(from, to)| {
        let (index, by) = match &to.rule {
            Rule::KnownList { index, by, .. } => (index, &**by),
            rule => (node(ledger, from)?.0, rule),
        };
        let Node::ServiceIndex(index) = ledger.graph.named(index)? else { return None };
        (index.choice == ClientChoice::FirstEndpointFirst).then_some((index, by))
    });
    all(listed.map(|(index, by)| first_that_answers(ledger, index, by)))
}

fn first_that_answers(ledger: &Ledger, index: &ServiceIndex, by: &Rule) -> bool {
    let first = index.endpoints.iter().position(|listed| looks_up(ledger, &listed.target.node));
    match by {
        Rule::Listed(place) => first == place.checked_sub(1),
        Rule::FailOpen(_) => first.is_none(),
        _ => false,
    }
}
