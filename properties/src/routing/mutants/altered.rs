//! Networks that are each wrong in one way: a sound one that was told something else, or whose
//! answer is told as another.

use std::net::Ipv4Addr;

use natlaw_model::allocator::Refusal;
use natlaw_model::flow::Endpoint;
use natlaw_model::nat::{Nat, Reason, VirtualIp};
use natlaw_model::ports::PortBlock;
use natlaw_model::routing::{
    Component, Connection, Disposition, Event, HealthVector, Network, NoRoute, Outcome, Precedence,
    RoutingGraph, Rule, Topology, Walk,
};
use natlaw_model::subject::Device;

type Boxed = Box<dyn Device<RoutingGraph>>;

/// A sound network whose answers are told otherwise.
struct Told {
    inner: Network,
    graph: RoutingGraph,
    tell: fn(&RoutingGraph, &Event, Outcome) -> Outcome,
}

impl Device<RoutingGraph> for Told {
    fn step(&mut self, event: &Event) -> Outcome {
        (self.tell)(&self.graph, event, self.inner.step(event))
    }
}

fn told(graph: &RoutingGraph, tell: fn(&RoutingGraph, &Event, Outcome) -> Outcome) -> Boxed {
    Box::new(Told { inner: Network::new(graph), graph: graph.clone(), tell })
}

/// A sound network that is not told everything, and answers as if it were.
struct Deaf {
    inner: Network,
    hears: fn(&Event) -> bool,
}

impl Device<RoutingGraph> for Deaf {
    fn step(&mut self, event: &Event) -> Outcome {
        if (self.hears)(event) {
            return self.inner.step(event);
        }
        let mut heard = self.inner.clone();
        heard.step(event)
    }
}

fn deaf(graph: &RoutingGraph, hears: fn(&Event) -> bool) -> Boxed {
    Box::new(Deaf { inner: Network::new(graph), hears })
}

/// A sound network of another topology than the one it was told.
fn misconfigured(graph: &RoutingGraph, alter: fn(&mut Topology)) -> Boxed {
    let mut topology = graph.topology().clone();
    alter(&mut topology);
    Box::new(Network::new(&RoutingGraph::new(topology).unwrap_or_else(|_| graph.clone())))
}

/// The same walk, ended otherwise where it ended like this.
fn ended(outcome: Outcome, end: impl Fn(Disposition) -> Disposition) -> Outcome {
    match outcome {
        Outcome::Walked(walk) => {
            let disposition = end(walk.disposition);
            Outcome::Walked(Walk { disposition, ..walk })
        }
        other => other,
    }
}

pub(super) fn selection_never_ends(graph: &RoutingGraph) -> Boxed {
    told(graph, |_, _, outcome| {
        ended(outcome, |end| match end {
            Disposition::Unhealthy => Disposition::Unfinished,
            other => other,
        })
    })
}

pub(super) fn gives_up_early(graph: &RoutingGraph) -> Boxed {
    told(graph, |_, event, outcome| match (event, outcome) {
        (Event::Request(_), Outcome::Walked(mut walk)) if walk.hops.len() > 3 => {
            walk.hops.truncate(3);
            Outcome::Walked(Walk { disposition: Disposition::HopLimit, ..walk })
        }
        (_, outcome) => outcome,
    })
}

pub(super) fn answers_although_it_is_off(graph: &RoutingGraph) -> Boxed {
    misconfigured(graph, |topology| {
        topology.traffic_managers.values_mut().for_each(|manager| manager.disabled = false);
    })
}

pub(super) fn does_not_hear_of_failures(graph: &RoutingGraph) -> Boxed {
    deaf(graph, |event| !matches!(event, Event::Fail(Component::Place(_))))
}

pub(super) fn never_readmits(graph: &RoutingGraph) -> Boxed {
    deaf(graph, |event| !matches!(event, Event::Mend(_)))
}

pub(super) fn says_delivered(graph: &RoutingGraph) -> Boxed {
    told(graph, |_, _, outcome| {
        ended(outcome, |end| match end {
            Disposition::Unhealthy => Disposition::Delivered,
            other => other,
        })
    })
}

pub(super) fn does_not_look_at_the_virtual_ip(graph: &RoutingGraph) -> Boxed {
    misconfigured(graph, |topology| {
        for balancer in topology.load_balancers.values_mut() {
            let first = balancer.rules.first().map(|rule| rule.pool.clone());
            let pool = |pool: &mut _| first.iter().for_each(|first| *pool = first.clone());
            balancer.rules.iter_mut().for_each(|rule| pool(&mut rule.pool));
        }
    })
}

pub(super) fn forgets_rules(graph: &RoutingGraph) -> Boxed {
    misconfigured(graph, |topology| {
        topology.load_balancers.values_mut().for_each(|balancer| balancer.rules.truncate(1));
    })
}

pub(super) fn gateway_after_instance_address(graph: &RoutingGraph) -> Boxed {
    misconfigured(graph, |topology| {
        topology.precedence = match topology.precedence {
            Precedence::NatGatewayOverview => Precedence::LoadBalancer2022,
            Precedence::LoadBalancer2022 => Precedence::NatGatewayOverview,
        };
    })
}

pub(super) fn leaves_a_closed_pool(graph: &RoutingGraph) -> Boxed {
    misconfigured(graph, |topology| {
        for pool in topology.pools.values_mut().filter(|pool| pool.outbound == Default::default()) {
            let slots = pool.members.slots().iter();
            let own = |(address, _)| VirtualIp(Ipv4Addr::from(address));
            pool.outbound.instance_addresses = (0xC000_02F0..).zip(slots).map(own).collect();
        }
    })
}

pub(super) fn leaves_by_another_address(graph: &RoutingGraph) -> Boxed {
    misconfigured(graph, |topology| {
        let gateways = topology.nat_gateways.values_mut().map(|gateway| &mut gateway.nat);
        let ways = topology.pools.values_mut().map(|pool| &mut pool.outbound);
        let own = ways.flat_map(|way| way.outbound_rule.iter_mut().chain(way.default.iter_mut()));
        gateways.chain(own).for_each(|nat| *nat = moved(nat));
    })
}

/// The translator with its addresses moved by one.
fn moved(nat: &Nat) -> Nat {
    let next = |it: &VirtualIp| VirtualIp(Ipv4Addr::from(u32::from(it.0).wrapping_add(1)));
    let with = nat.with(|nat| nat.virtual_ips = nat.virtual_ips.iter().map(next).collect());
    with.unwrap_or_else(|_| nat.clone())
}

pub(super) fn swaps_instance_addresses(graph: &RoutingGraph) -> Boxed {
    misconfigured(graph, |topology| {
        topology.pools.values_mut().for_each(|pool| pool.outbound.instance_addresses.reverse());
    })
}

pub(super) fn refuses_the_last_port(graph: &RoutingGraph) -> Boxed {
    told(graph, |_, _, outcome| {
        let last = |end: Endpoint| end.port > PortBlock::ABOVE_WELL_KNOWN.first();
        ended(outcome, |end| match end {
            Disposition::Exits(external) if last(external) => {
                Disposition::RefusedPorts(Reason::Refused(Refusal::Exhausted))
            }
            other => other,
        })
    })
}

/// Every connection meets a network that has forgotten all others, and knows only what is down.
pub(super) struct ForgetsItsPorts {
    graph: RoutingGraph,
    inner: Network,
}

impl ForgetsItsPorts {
    pub(super) fn device(graph: &RoutingGraph) -> Boxed {
        Box::new(Self { graph: graph.clone(), inner: Network::new(graph) })
    }
}

impl Device<RoutingGraph> for ForgetsItsPorts {
    fn step(&mut self, event: &Event) -> Outcome {
        match event {
            Event::Outbound(_) => {
                let health: HealthVector = self.inner.health().clone();
                Network::new(&self.graph).in_health(health).step(event)
            }
            _ => self.inner.step(event),
        }
    }
}

/// A connection that goes on is translated as if it were a new one.
pub(super) struct MovesLiveConnections {
    inner: Network,
    seen: Vec<Connection>,
}

impl MovesLiveConnections {
    pub(super) fn device(graph: &RoutingGraph) -> Boxed {
        Box::new(Self { inner: Network::new(graph), seen: Vec::new() })
    }
}

impl Device<RoutingGraph> for MovesLiveConnections {
    fn step(&mut self, event: &Event) -> Outcome {
        match event {
            Event::Outbound(connection) if self.seen.contains(connection) => {
                let port = connection.port ^ 0x100;
                self.inner.step(&Event::Outbound(Connection { port, ..connection.clone() }))
            }
            Event::Outbound(connection) => {
                self.seen.push(connection.clone());
                self.inner.step(event)
            }
            _ => self.inner.step(event),
        }
    }
}

pub(super) fn replies_stop_short(graph: &RoutingGraph) -> Boxed {
    told(graph, |_, event, outcome| match (event, outcome) {
        (Event::ReplyToRequest(_) | Event::ReplyToConnection(_), Outcome::Walked(mut walk)) => {
            walk.hops.pop();
            Outcome::Walked(walk)
        }
        (_, outcome) => outcome,
    })
}

pub(super) fn replies_come_to_another_port(graph: &RoutingGraph) -> Boxed {
    told(graph, |_, _, outcome| match outcome {
        Outcome::Walked(mut walk) => {
            for hop in &mut walk.hops {
                if let Rule::LeftBy(external) = &mut hop.rule {
                    external.port ^= 1;
                }
            }
            Outcome::Walked(walk)
        }
        other => other,
    })
}

pub(super) fn drops_replies(graph: &RoutingGraph) -> Boxed {
    told(graph, |_, event, outcome| match event {
        Event::ReplyToRequest(_) => Outcome::Walked(Walk::nowhere(NoRoute::NothingToAnswer)),
        _ => outcome,
    })
}

pub(super) fn answers_strangers(graph: &RoutingGraph) -> Boxed {
    told(graph, |_, event, outcome| match event {
        Event::ReplyToRequest(_) => ended(outcome, |_| Disposition::Delivered),
        _ => outcome,
    })
}

pub(super) fn does_not_hear_of_cut_links(graph: &RoutingGraph) -> Boxed {
    deaf(graph, |event| !matches!(event, Event::Fail(Component::Link(..))))
}

pub(super) fn ignores_static_routes(graph: &RoutingGraph) -> Boxed {
    misconfigured(graph, |topology| {
        topology.routers.values_mut().for_each(|router| router.route = None);
    })
}

pub(super) fn skips_a_hop(graph: &RoutingGraph) -> Boxed {
    told(graph, |_, event, outcome| match (event, outcome) {
        (Event::Request(_), Outcome::Walked(mut walk)) if walk.hops.len() > 3 => {
            walk.hops.remove(2);
            Outcome::Walked(walk)
        }
        (_, outcome) => outcome,
    })
}

pub(super) fn begins_elsewhere(graph: &RoutingGraph) -> Boxed {
    told(graph, |_, _, outcome| match outcome {
        Outcome::Walked(walk) => {
            Outcome::Walked(Walk { hops: walk.hops.into_iter().skip(1).collect(), ..walk })
        }
        other => other,
    })
}

pub(super) fn takes_friends_for_strangers(graph: &RoutingGraph) -> Boxed {
    told(graph, |_, _, outcome| {
        ended(outcome, |end| match end {
            Disposition::NoRoute(NoRoute::NoAnswer | NoRoute::NoRule | NoRoute::NoPath) => {
                Disposition::NoRoute(NoRoute::Unknown)
            }
            other => other,
        })
    })
}

pub(super) fn answers_out_of_kind(graph: &RoutingGraph) -> Boxed {
    told(graph, |_, event, outcome| match (event, outcome) {
        (Event::Mend(_), Outcome::Mended) => Outcome::Failed,
        (_, outcome) => outcome,
    })
}

pub(super) fn fails_what_there_is_not(graph: &RoutingGraph) -> Boxed {
    told(graph, |_, event, outcome| match (event, outcome) {
        (Event::Fail(_), Outcome::Unknown) => Outcome::Failed,
        (_, outcome) => outcome,
    })
}
