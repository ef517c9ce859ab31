//! Requests: from a client to what serves it.
//!
//! **Readings taken.** What a traffic manager answered is kept, by whoever asked, once somebody has
//! come to what it names; a list, once one of its endpoints was chosen. A client that finds no
//! endpoint of a list up goes to the one it would go to if all were.

use petgraph::graph::NodeIndex;

use super::trip::Trip;
use super::{Kept, Network, Turns};
use crate::nat::VirtualIp;
use crate::routing::decisions::{Decisions, Status};
use crate::routing::event::Request;
use crate::routing::graph::{Lead, mix};
use crate::routing::name::{MemberName, Name};
use crate::routing::node::{
    BalancingRule, Client, ClientChoice, FrontDoor, LoadBalancer, ManagedEndpoint, Method, Node,
    Origin, ScaleUnit, Service, ServiceIndex, TrafficManager, VmPool,
};
use crate::routing::selection::{Ask, Candidate, Choice, LeastLatency, RoundRobin, Selected};
use crate::routing::walk::{Disposition, NoRoute, Rule, Walk};

/// A request while it is on its way.
pub(super) struct Asking<'a> {
    client: &'a Client,
    account: Option<&'a Name>,
    service: Service,
    /// Stands for whoever asks.
    hash: u64,
    /// The virtual IP that it goes to.
    virtual_ip: Option<VirtualIp>,
    /// Who came to the list that is looked at, unless names answered it.
    asker: Option<NodeIndex>,
    /// Who asked for a name, and which, while names answer names.
    asked: Option<(NodeIndex, NodeIndex)>,
    /// The last balancer that it went through, and by which virtual IP.
    pub(super) through: Option<(NodeIndex, VirtualIp)>,
    /// The VM that it came to: its pool and its slot (from 0).
    pub(super) member: Option<(NodeIndex, usize)>,
}

/// Where to go next, and why there.
struct Next {
    lead: Lead,
    rule: Rule,
}

impl<D: Decisions> Network<D> {
    /// The walk of a request.
    pub(super) fn request(&mut self, request: &Request) -> Walk {
        let graph = self.graph.clone();
        let unknown = Walk::nowhere(NoRoute::Unknown);
        let Some(at) = graph.index(&request.client) else { return unknown };
        let Node::Client(client) = graph.node(at) else { return unknown };
        let mut asking = Asking {
            client,
            account: request.account.as_ref(),
            service: client.service,
            hash: mix(graph.identity(at) ^ mix(request.key)),
            virtual_ip: None,
            asker: None,
            asked: None,
            through: None,
            member: None,
        };
        let mut trip = Trip::new(&graph);
        trip.here = graph.router_of(at);
        let disposition = self.walk(&mut trip, &mut asking, at);
        self.learn(request, &trip, &asking, disposition);
        trip.end(disposition)
    }

    /// Goes from place to place until the walk ends. It does: each step adds a hop, and a walk may
    /// take only so many.
    fn walk(&mut self, trip: &mut Trip, asking: &mut Asking, client: NodeIndex) -> Disposition {
        let begun = trip.push_node(&self.graph, client, Rule::Begins);
        let mut at = client;
        let mut next = begun.and_then(|()| self.leave(trip, asking, at));
        loop {
            let Next { lead, rule } = match next {
                Ok(next) => next,
                Err(disposition) => return disposition,
            };
            if let Err(disposition) = self.go(trip, asking, at, lead, rule) {
                return disposition;
            }
            at = lead.node;
            next = self.leave(trip, asking, at);
        }
    }

    /// Comes to a node, over routers where need be.
    fn go(
        &mut self,
        trip: &mut Trip,
        asking: &mut Asking,
        from: NodeIndex,
        lead: Lead,
        rule: Rule,
    ) -> Result<(), Disposition> {
        let node = lead.node;
        self.reach(trip, node)?;
        let has_been = trip.been.contains(&node);
        let is_proxied = matches!(rule, Rule::Proxied(_));
        trip.push_node(&self.graph, node, rule)?;
        if is_proxied && let Some(throttle) = super::throttle_of(self.graph.node(from)) {
            self.take_in_hand(from, throttle);
        }
        self.keep_answer(asking, from, lead);
        self.keep_list(asking, from);
        if self.decisions.is_loop(has_been) {
            return Err(Disposition::Loop);
        }
        let is_name = matches!(self.graph.node(from), Node::TrafficManager(_));
        asking.asker = (!is_name).then_some(from);
        asking.virtual_ip = lead.virtual_ip;
        match self.is_down(node) {
            true => Err(Disposition::Unhealthy),
            false => Ok(()),
        }
    }

    /// Carries a walk to the router that a node hangs at. A name is asked, not gone to.
    pub(super) fn reach(&mut self, trip: &mut Trip, node: NodeIndex) -> Result<(), Disposition> {
        if matches!(self.graph.node(node), Node::TrafficManager(_) | Node::ServiceIndex(_)) {
            return Ok(());
        }
        let is_router = matches!(self.graph.node(node), Node::Router(_));
        match self.graph.router_of(node) {
            Some(router) => {
                self.carry(trip, router, !is_router)?;
                trip.here = Some(router);
            }
            None => trip.here = None,
        }
        Ok(())
    }

    /// Where a node sends what has come to it.
    fn leave(
        &mut self,
        trip: &mut Trip,
        asking: &mut Asking,
        at: NodeIndex,
    ) -> Result<Next, Disposition> {
        let graph = self.graph.clone();
        match graph.node(at) {
            Node::Client(_) => self.ask(asking, at, graph.leads(at)[0], Rule::Entry),
            Node::TrafficManager(manager) => self.answer(asking, at, manager),
            Node::FrontDoor(door) => self.choose_origin(asking, at, door),
            Node::LoadBalancer(balancer) => self.balance(asking, at, balancer),
            Node::ScaleUnit(unit) => self.serve(asking, at, unit),
            Node::Pool(pool) => self.choose_member(trip, asking, at, pool),
            Node::ServiceIndex(index) => self.listed(asking, at, index),
            Node::Router(_) | Node::Destination(_) => Err(Disposition::Delivered),
            Node::NatGateway(_) => Err(Disposition::NoRoute(NoRoute::NoService)),
        }
    }

    /// Goes to a node, or if that is a name, to what is known of it already.
    fn ask(
        &mut self,
        asking: &Asking,
        asker: NodeIndex,
        lead: Lead,
        rule: Rule,
    ) -> Result<Next, Disposition> {
        let held_under = (asker, lead.node);
        let graph = self.graph.clone();
        match graph.node(lead.node) {
            Node::TrafficManager(_) => match self.answers.get(&held_under) {
                Some(kept) if self.decisions.is_fresh(kept.until, self.now) => {
                    let manager = graph.name(lead.node).clone();
                    let rule = Rule::Cached { manager, until: kept.until };
                    Ok(Next { lead: kept.lead, rule })
                }
                _ => Ok(Next { lead, rule }),
            },
            Node::ServiceIndex(index) => match self.lists.get(&held_under).copied() {
                Some(until) if self.decisions.is_fresh(until, self.now) => {
                    let next = self.listed(asking, lead.node, index)?;
                    let name = graph.name(lead.node).clone();
                    let by = Box::new(next.rule);
                    Ok(Next { rule: Rule::KnownList { index: name, until, by }, ..next })
                }
                _ => Ok(Next { lead, rule }),
            },
            _ => Ok(Next { lead, rule }),
        }
    }

    /// Once somebody has come to what names answered, whoever asked keeps that.
    fn keep_answer(&mut self, asking: &mut Asking, from: NodeIndex, lead: Lead) {
        let is_manager = |at| matches!(self.graph.node(at), Node::TrafficManager(_));
        match (is_manager(lead.node), asking.asked) {
            (true, None) => asking.asked = Some((from, lead.node)),
            (true, Some(_)) | (false, None) => {}
            (false, Some(asked)) => {
                asking.asked = None;
                if let Node::TrafficManager(manager) = self.graph.node(asked.1) {
                    let until = self.now + manager.ttl;
                    self.answers.insert(asked, Kept { lead, until });
                }
            }
        }
    }

    /// Once somebody has come to an endpoint of a list, whoever came to the list keeps it.
    fn keep_list(&mut self, asking: &Asking, from: NodeIndex) {
        if let (Node::ServiceIndex(index), Some(asker)) = (self.graph.node(from), asking.asker) {
            self.lists.insert((asker, from), self.now + index.ttl);
        }
    }

    /// Randomness for one decision of a node: from the seed, the node, who asks, and how many
    /// decisions there were before.
    fn draw(&mut self, at: NodeIndex, asking: &Asking) -> Ask {
        self.draws += 1;
        let seed = mix(self.graph.topology().seed ^ mix(self.draws));
        Ask { key: asking.hash, draw: mix(seed ^ self.graph.identity(at) ^ asking.hash) }
    }
}

/// Traffic managers.
impl<D: Decisions> Network<D> {
    fn answer(
        &mut self,
        asking: &Asking,
        at: NodeIndex,
        manager: &TrafficManager,
    ) -> Result<Next, Disposition> {
        let no_answer = Disposition::NoRoute(NoRoute::NoAnswer);
        let statuses = self.statuses(at);
        if manager.disabled || !statuses.iter().any(|it| self.decisions.is_in_use(*it)) {
            return Err(no_answer);
        }
        if manager.method == Method::Geographic {
            return self.answer_by_region(asking, at, manager, &statuses).ok_or(no_answer);
        }
        let fails_open = self.decisions.fails_open(&statuses);
        let candidates = self.candidates(asking, at, manager, &statuses, fails_open);
        let ask = self.draw(at, asking);
        let selected = self.decisions.choose_endpoint(manager.method, ask, &candidates);
        let chosen = chosen(selected, no_answer)?;
        let rule = rule_of(manager.method, &candidates, chosen);
        let lead = *self.graph.leads(at).get(chosen).ok_or(no_answer)?;
        Ok(Next { lead, rule: opened(rule, fails_open) })
    }

    fn answer_by_region(
        &self,
        asking: &Asking,
        at: NodeIndex,
        manager: &TrafficManager,
        statuses: &[Status],
    ) -> Option<Next> {
        let endpoints: Vec<&ManagedEndpoint> = manager.endpoints.values().collect();
        let region = asking.client.region.as_ref();
        let chosen = self.decisions.mapped(region, &endpoints, statuses)?;
        let is_named = |region: &&Name| endpoints[chosen].regions.contains(*region);
        let world = || endpoints[chosen].regions.iter().find(|name| name.as_str() == "world");
        let region = region.filter(is_named).or_else(world).or(region)?.clone();
        let lead = *self.graph.leads(at).get(chosen)?;
        let in_use = self.decisions.is_in_use(statuses[chosen]);
        in_use.then_some(Next { lead, rule: Rule::Region(region) })
    }

    fn candidates(
        &self,
        asking: &Asking,
        at: NodeIndex,
        manager: &TrafficManager,
        statuses: &[Status],
        fails_open: bool,
    ) -> Vec<Candidate> {
        let endpoints = manager.endpoints.values().zip(self.graph.leads(at)).zip(statuses);
        let by_weight = manager.method == Method::Weighted;
        let candidate = |((endpoint, lead), status): ((&ManagedEndpoint, &Lead), &Status)| {
            let in_use = self.decisions.is_in_use(*status);
            let weight = if by_weight { endpoint.weight.unwrap_or(1) } else { 1 };
            Candidate {
                identity: self.graph.identity(lead.node),
                priority: endpoint.priority.filter(|_| !by_latency(manager.method)).unwrap_or(1),
                weight: if in_use { weight } else { 0 },
                latency_ms: self.latency(asking, lead.node, u32::MAX),
                available: in_use && (fails_open || self.decisions.is_available(*status)),
            }
        };
        endpoints.map(candidate).collect()
    }

    /// How far a node is from the client.
    fn latency(&self, asking: &Asking, node: NodeIndex, otherwise: u32) -> u32 {
        let known = asking.client.latency_ms.get(self.graph.name(node));
        known.copied().unwrap_or(otherwise)
    }
}

/// Front doors.
impl<D: Decisions> Network<D> {
    fn choose_origin(
        &mut self,
        asking: &Asking,
        at: NodeIndex,
        door: &FrontDoor,
    ) -> Result<Next, Disposition> {
        if let Some((lead, rule)) = self.learned(asking, at, door) {
            return self.ask(asking, at, lead, rule);
        }
        let no_origin = Disposition::NoRoute(NoRoute::NoOrigin);
        let mut candidates = self.origins(asking, at, door);
        let ask = self.draw(at, asking);
        let mut turns = self.turns.remove(&at).unwrap_or_else(|| Turns {
            best: LeastLatency::new(door.sensitivity_ms),
            any: RoundRobin::new(),
        });
        let mut selected = self.decisions.choose_origin(&mut turns.best, ask, &candidates);
        let fails_open = selected.choice == Choice::Nobody;
        if fails_open {
            let enabled = door.origins.values().map(|origin| !origin.disabled);
            candidates.iter_mut().zip(enabled).for_each(|(it, enabled)| {
                *it = Candidate { available: enabled, weight: 1, ..*it };
            });
            selected = self.decisions.choose_any_origin(&mut turns.any, ask, &candidates);
        }
        self.turns.insert(at, turns);
        let chosen = chosen(selected, no_origin)?;
        let lead = *self.graph.leads(at).get(chosen).ok_or(no_origin)?;
        let Candidate { priority, latency_ms, weight, .. } = candidates[chosen];
        let rule = match fails_open {
            true => opened(Rule::RoundRobin, true),
            false => Rule::Origin { priority, latency_ms, weight },
        };
        self.ask(asking, at, lead, rule)
    }

    fn origins(&mut self, asking: &Asking, at: NodeIndex, door: &FrontDoor) -> Vec<Candidate> {
        let graph = self.graph.clone();
        let origins = door.origins.values().zip(graph.leads(at));
        let candidate = |(origin, lead): (&Origin, &Lead)| Candidate {
            identity: graph.identity(lead.node),
            priority: origin.priority,
            weight: origin.weight,
            latency_ms: self.latency(asking, lead.node, origin.latency_ms),
            available: !origin.disabled && self.looks_up(lead.node),
        };
        origins.map(candidate).collect()
    }

    /// The unit that the door has learned, if it still counts and looks up.
    fn learned(
        &mut self,
        asking: &Asking,
        at: NodeIndex,
        door: &FrontDoor,
    ) -> Option<(Lead, Rule)> {
        let account = asking.account?;
        let Kept { lead, until } = *self.affinities.get(&(at, account.clone()))?;
        let place = self.graph.leads(at).iter().position(|it| *it == lead)?;
        let is_enabled = door.origins.values().nth(place).is_some_and(|origin| !origin.disabled);
        let is_fresh = self.decisions.is_fresh(until, self.now);
        let is_up = is_enabled && self.looks_up(lead.node);
        let follows = self.decisions.follows_affinity(is_fresh, is_up);
        follows.then(|| (lead, Rule::Affinity { account: account.clone(), until }))
    }
}

/// Balancers, units, pools and lists.
impl<D: Decisions> Network<D> {
    fn balance(
        &mut self,
        asking: &mut Asking,
        at: NodeIndex,
        balancer: &LoadBalancer,
    ) -> Result<Next, Disposition> {
        let no_rule = Disposition::NoRoute(NoRoute::NoRule);
        let first = *balancer.virtual_ips.first().ok_or(no_rule)?;
        let (virtual_ip, service) = (asking.virtual_ip.unwrap_or(first), asking.service);
        let listens = |rule: &BalancingRule| {
            rule.virtual_ip.unwrap_or(first) == virtual_ip && rule.service == service
        };
        let place = balancer.rules.iter().position(listens).ok_or(no_rule)?;
        asking.through = Some((at, virtual_ip));
        let lead = self.graph.leads(at)[place];
        Ok(Next { lead, rule: Rule::Balanced { virtual_ip, service } })
    }

    fn serve(
        &mut self,
        asking: &Asking,
        at: NodeIndex,
        unit: &ScaleUnit,
    ) -> Result<Next, Disposition> {
        if let Some((account, to)) = self.proxied(asking, at, unit) {
            if let Some(throttle) = unit.throttle {
                let in_hand = self.in_hand(at, throttle);
                if self.decisions.is_throttled(in_hand, throttle.proxied_max) {
                    return Err(Disposition::RefusedThrottled);
                }
            }
            let lead = Lead { node: to, virtual_ip: None };
            return Ok(Next { lead, rule: Rule::Proxied(account) });
        }
        match self.graph.leads(at).first() {
            Some(&lead) => self.ask(asking, at, lead, Rule::Serves),
            None => Err(Disposition::Delivered),
        }
    }

    /// The account, and the unit to which this one proxies its requests.
    fn proxied(
        &self,
        asking: &Asking,
        at: NodeIndex,
        unit: &ScaleUnit,
    ) -> Option<(Name, NodeIndex)> {
        let account = asking.account?;
        let itself = self.graph.name(at);
        let owner = self.graph.owner(account).map(|owner| self.graph.name(owner));
        let to = self.decisions.proxies_to(unit, itself, account, owner)?;
        Some((account.clone(), self.graph.index(to)?))
    }

    fn choose_member(
        &mut self,
        trip: &mut Trip,
        asking: &mut Asking,
        at: NodeIndex,
        pool: &VmPool,
    ) -> Result<Next, Disposition> {
        let up = self.members_up(at, pool);
        let slots = pool.members.slots().len();
        let slot = self.decisions.choose_member(asking.hash, &up, slots);
        let slot = slot.ok_or(Disposition::Unhealthy)?;
        let member = pool.members.member_in(slot).ok_or(Disposition::Unhealthy)?;
        let name = MemberName { pool: self.graph.name(at).clone(), member };
        let of = pool.members.members().count();
        trip.push_member(name, Rule::Member { up: up.len(), of })?;
        asking.member = Some((at, slot));
        let component = self.graph.component_of_slot(at, slot);
        match self.health.is_down(component) {
            true => Err(Disposition::Unhealthy),
            false => Err(Disposition::Delivered),
        }
    }

    fn listed(
        &mut self,
        asking: &Asking,
        at: NodeIndex,
        index: &ServiceIndex,
    ) -> Result<Next, Disposition> {
        let graph = self.graph.clone();
        let nobody = Disposition::NoRoute(NoRoute::NoAnswer);
        let candidate = |(place, lead): (usize, &Lead)| Candidate {
            identity: graph.identity(lead.node),
            priority: match index.choice {
                ClientChoice::FirstEndpointFirst => u16::try_from(place).unwrap_or(u16::MAX),
                ClientChoice::Weighted | ClientChoice::ConsistentHashing => 1,
            },
            weight: index.endpoints[place].weight.unwrap_or(1),
            latency_ms: 0,
            available: self.looks_up(lead.node),
        };
        let mut candidates: Vec<_> = graph.leads(at).iter().enumerate().map(candidate).collect();
        let fails_open = !candidates.iter().any(Candidate::is_eligible);
        candidates.iter_mut().for_each(|it| it.available |= fails_open);
        let ask = self.draw(at, asking);
        let selected = self.decisions.choose_listed(index.choice, ask, &candidates);
        let chosen = chosen(selected, nobody)?;
        let rule = match index.choice {
            ClientChoice::FirstEndpointFirst => Rule::Listed(chosen + 1),
            ClientChoice::Weighted => Rule::Weight(candidates[chosen].weight),
            ClientChoice::ConsistentHashing => Rule::Hashed,
        };
        let lead = *graph.leads(at).get(chosen).ok_or(nobody)?;
        Ok(Next { lead, rule: opened(rule, fails_open) })
    }
}

const fn by_latency(method: Method) -> bool {
    matches!(method, Method::Performance | Method::PerformanceAllOthers)
}

/// The place that was chosen.
const fn chosen(selected: Selected, nobody: Disposition) -> Result<usize, Disposition> {
    match selected.choice {
        Choice::Chosen(place) => Ok(place),
        Choice::Nobody => Err(nobody),
        Choice::Unfinished => Err(Disposition::Unfinished),
    }
}

fn opened(rule: Rule, fails_open: bool) -> Rule {
    if fails_open { Rule::FailOpen(Box::new(rule)) } else { rule }
}

fn rule_of(method: Method, candidates: &[Candidate], chosen: usize) -> Rule {
    let Candidate { priority, weight, latency_ms, .. } = candidates[chosen];
    let in_use = candidates.iter().filter(|it| it.weight > 0);
    let is_nearest = in_use.map(|it| it.latency_ms).min() == Some(latency_ms);
    match method {
        Method::Priority | Method::Geographic => Rule::Priority(priority),
        Method::Weighted => Rule::Weight(weight),
        Method::PerformanceAllOthers if !is_nearest => Rule::AllOthers,
        Method::Performance | Method::PerformanceAllOthers => Rule::LeastLatency(latency_ms),
    }
}
