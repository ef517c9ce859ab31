//! Who must be served: where every choice that the documents allow serves.

use natlaw_model::nat::VirtualIp;
use natlaw_model::routing::{
    BalancingRule, Client, ClientChoice, Ledger, Method, Name, Node, Place, Request, ServiceIndex,
    Target, TrafficManager,
};

use super::hosts::{believed, virtual_ip};
use super::names::{candidates, in_use, mapped};
use crate::routing::obvious::{is_down, live_count, looks_up};

/// The most places that are looked at; beyond them nothing is claimed.
const PLACES_MAX: usize = 1_000;

/// Hops that no walk without routers needs.
const HOPS_ENOUGH: u16 = 100;

/// A request on its way, whichever way that is.
struct Asked<'a> {
    ledger: &'a Ledger,
    client: &'a Client,
    account: Option<&'a Name>,
    places: usize,
    units: Vec<&'a Name>,
}

/// Whether everybody whom the documented policies may choose serves this request. Nothing is claimed
/// while any answer, list or affinity is kept, and nothing where routers carry or units have limits.
pub(in crate::routing) fn must_be_served(ledger: &Ledger, request: &Request) -> bool {
    let Some(Node::Client(client)) = ledger.graph.named(&request.client) else { return false };
    let account = request.account.as_ref();
    let mut asked = Asked { ledger, client, account, places: 0, units: Vec::new() };
    let is_long_enough = ledger.graph.topology().hops_max >= HOPS_ENOUGH;
    is_long_enough && client.at.is_none() && !keeps_anything(ledger) && asked.serves(&client.entry)
}

fn keeps_anything(ledger: &Ledger) -> bool {
    let is_fresh = |until| until > ledger.now;
    ledger.answers.values().any(|it| is_fresh(it.until))
        || ledger.lists.values().any(|until| is_fresh(*until))
        || ledger.affinities.values().any(|it| is_fresh(it.until))
}

impl<'a> Asked<'a> {
    fn serves(&mut self, target: &'a Target) -> bool {
        self.places += 1;
        let Some(node) = self.ledger.graph.named(&target.node) else { return false };
        let is_plain = node.at().is_none() && !is_down(self.ledger, &target.node);
        if self.places > PLACES_MAX || !is_plain {
            return false;
        }
        match node {
            Node::TrafficManager(manager) => {
                self.every(may_answer(self.ledger, manager, self.client))
            }
            Node::FrontDoor(door) => {
                let enabled = door.origins.iter().filter(|(_, origin)| !origin.disabled);
                let up = enabled.filter(|(target, _)| looks_up(self.ledger, &target.node));
                self.every(up.map(|(target, _)| target).collect())
            }
            Node::ServiceIndex(index) => self.every(may_list(self.ledger, index)),
            Node::LoadBalancer(_) => self.balances(target),
            Node::ScaleUnit(_) => self.unit_serves(&target.node),
            Node::Pool(pool) => live_count(self.ledger, &target.node, pool) > 0,
            Node::Destination(_) | Node::Router(_) => true,
            Node::Client(_) | Node::NatGateway(_) => false,
        }
    }

    fn every(&mut self, targets: Vec<&'a Target>) -> bool {
        !targets.is_empty() && targets.into_iter().all(|target| self.serves(target))
    }

    fn balances(&mut self, target: &Target) -> bool {
        let Some(Node::LoadBalancer(balancer)) = self.ledger.graph.named(&target.node) else {
            return false;
        };
        let to: Option<VirtualIp> = target.virtual_ip.or(balancer.virtual_ips.first().copied());
        let is_it = |rule: &&BalancingRule| {
            virtual_ip(balancer, rule) == to && rule.service == self.client.service
        };
        balancer.rules.iter().find(is_it).is_some_and(|rule| self.pool_serves(&rule.pool))
    }

    fn pool_serves(&self, name: &Name) -> bool {
        let is_up = !self.ledger.is_down(&Place::Node(name.clone()));
        match self.ledger.graph.named(name) {
            Some(Node::Pool(pool)) => {
                is_up && pool.at.is_none() && live_count(self.ledger, name, pool) > 0
            }
            _ => false,
        }
    }

    fn unit_serves(&mut self, name: &'a Name) -> bool {
        let Some(Node::ScaleUnit(unit)) = self.ledger.graph.named(name) else { return false };
        let is_plain = unit.at.is_none() && !is_down(self.ledger, name);
        if !is_plain || self.units.contains(&name) {
            return false;
        }
        let home = self.account.map_or(name, |account| believed(self.ledger, name, unit, account));
        if home == name {
            return unit.serves_from.as_ref().is_none_or(|target| self.serves(target));
        }
        self.units.push(name);
        let served = unit.throttle.is_none() && self.unit_serves(home);
        self.units.pop();
        served
    }
}

/// The endpoints that a name may answer with.
fn may_answer<'a>(
    ledger: &Ledger,
    manager: &'a TrafficManager,
    client: &Client,
) -> Vec<&'a Target> {
    let in_turn = candidates(ledger, manager);
    let best = in_turn.iter().filter_map(|(_, settings, _)| settings.priority).min();
    match manager.method {
        _ if manager.disabled => Vec::new(),
        Method::Geographic => {
            let in_use = in_use(ledger, manager);
            let is_in_use = |mapped: &&Target| in_use.iter().any(|(target, _, _)| target == mapped);
            mapped(manager, client).filter(is_in_use).into_iter().collect()
        }
        Method::Priority => {
            let is_best = |settings: Option<u16>| settings == best;
            let first = in_turn.into_iter().filter(|(_, settings, _)| is_best(settings.priority));
            first.map(|(target, _, _)| target).collect()
        }
        Method::Weighted | Method::Performance | Method::PerformanceAllOthers => {
            in_turn.into_iter().map(|(target, _, _)| target).collect()
        }
    }
}

/// The endpoints of a list that a client may go to.
fn may_list<'a>(ledger: &Ledger, index: &'a ServiceIndex) -> Vec<&'a Target> {
    let targets = index.endpoints.iter().map(|listed| &listed.target);
    let mut up = targets.filter(|target| looks_up(ledger, &target.node));
    match index.choice {
        ClientChoice::FirstEndpointFirst => up.next().into_iter().collect(),
        ClientChoice::Weighted | ClientChoice::ConsistentHashing => up.collect(),
    }
}
