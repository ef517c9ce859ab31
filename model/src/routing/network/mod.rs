//! A running network: a graph, what is down, and what has been answered and learned so far.
//!
//! A walk ends: it takes at most as many hops as the graph allows, and comes to no place twice but
//! to the routers of another leg. A loop is told as such.

mod inbound;
mod outbound;
mod paths;
mod replies;
mod sight;
mod trip;

use std::collections::VecDeque;

use petgraph::graph::NodeIndex;
use rustc_hash::FxHashMap;

use super::decisions::{Decisions, Documented};
use super::event::{Connection, Event, Outcome, Request};
use super::graph::{Lead, RoutingGraph};
use super::health::HealthVector;
use super::name::{Component, Name};
use super::node::{Node, Throttle};
use super::selection::{LeastLatency, RoundRobin};
use super::topology::Means;
use crate::allocator::Bitmap;
use crate::nat;
use crate::subject::Device;
use crate::time::{Duration, Instant};
use crate::translator::Translator;

use outbound::Leaving;
use paths::Ways;
use replies::WayIn;
use sight::Sights;

/// The device that a [`RoutingGraph`] describes. Its decisions are those documented, or others.
#[derive(Debug, Clone)]
pub struct Network<D = Documented> {
    graph: RoutingGraph,
    decisions: D,
    now: Instant,
    health: HealthVector,
    sights: Sights,
    ways: Ways,
    answers: FxHashMap<(NodeIndex, NodeIndex), Kept>,
    lists: FxHashMap<(NodeIndex, NodeIndex), Instant>,
    affinities: FxHashMap<(NodeIndex, Name), Kept>,
    in_hand: FxHashMap<NodeIndex, VecDeque<Instant>>,
    turns: FxHashMap<NodeIndex, Turns>,
    entered: FxHashMap<Request, WayIn>,
    left: FxHashMap<Connection, Leaving>,
    translators: FxHashMap<(NodeIndex, Means), Translator<Bitmap>>,
    draws: u64,
}

/// An answer that somebody keeps.
#[derive(Debug, Clone, Copy)]
struct Kept {
    lead: Lead,
    until: Instant,
}

/// Whose turn it is at a front door.
#[derive(Debug, Clone)]
struct Turns {
    best: LeastLatency,
    any: RoundRobin,
}

impl Network {
    /// A network that nobody has asked anything yet.
    pub fn new(graph: &RoutingGraph) -> Self {
        Self::deciding(graph, Documented)
    }
}

impl<D: Decisions> Network<D> {
    /// A network that decides like this.
    pub fn deciding(graph: &RoutingGraph, decisions: D) -> Self {
        Self {
            graph: graph.clone(),
            decisions,
            now: Instant::START,
            health: HealthVector::ALL_UP,
            sights: Sights::default(),
            ways: Ways::default(),
            answers: FxHashMap::default(),
            lists: FxHashMap::default(),
            affinities: FxHashMap::default(),
            in_hand: FxHashMap::default(),
            turns: FxHashMap::default(),
            entered: FxHashMap::default(),
            left: FxHashMap::default(),
            translators: FxHashMap::default(),
            draws: 0,
        }
    }

    /// The same network with exactly this down.
    #[must_use]
    pub fn in_health(mut self, health: HealthVector) -> Self {
        self.health = health;
        self.look_again();
        self
    }

    /// What is down.
    pub const fn health(&self) -> &HealthVector {
        &self.health
    }

    fn is_down(&self, node: NodeIndex) -> bool {
        self.health.is_down(RoutingGraph::component_of(node))
    }

    /// What was seen of the network counts no more.
    fn look_again(&mut self) {
        self.sights.forget();
        self.ways.forget();
    }

    /// How many requests of others a unit has in hand.
    fn in_hand(&self, unit: NodeIndex, throttle: Throttle) -> usize {
        let begun = self.in_hand.get(&unit);
        let is_over = |begun: &&Instant| **begun + throttle.in_hand <= self.now;
        begun.map_or(0, |begun| begun.len() - begun.iter().take_while(is_over).count())
    }

    fn take_in_hand(&mut self, unit: NodeIndex, throttle: Throttle) {
        let now = self.now;
        let begun = self.in_hand.entry(unit).or_default();
        while begun.front().is_some_and(|begun| *begun + throttle.in_hand <= now) {
            begun.pop_front();
        }
        begun.push_back(now);
        self.sights.forget();
    }

    fn set(&mut self, component: &Component, change: fn(&mut HealthVector, usize)) -> bool {
        let Some(index) = self.graph.component(component) else { return false };
        change(&mut self.health, index);
        self.look_again();
        true
    }

    fn elapse(&mut self, length: Duration) -> Outcome {
        self.now = self.now + length;
        self.sights.forget();
        for translator in self.translators.values_mut() {
            translator.step(&nat::Event::Elapse(length));
        }
        Outcome::Elapsed
    }
}

impl<D: Decisions> Device<RoutingGraph> for Network<D> {
    fn step(&mut self, event: &Event) -> Outcome {
        match event {
            Event::Request(request) => Outcome::Walked(self.request(request)),
            Event::ReplyToRequest(request) => Outcome::Walked(self.reply_to_request(request)),
            Event::Outbound(connection) => Outcome::Walked(self.outbound(connection)),
            Event::ReplyToConnection(connection) => {
                Outcome::Walked(self.reply_to_connection(connection))
            }
            Event::Fail(component) => match self.set(component, HealthVector::fail) {
                true => Outcome::Failed,
                false => Outcome::Unknown,
            },
            Event::Mend(component) => match self.set(component, HealthVector::mend) {
                true => Outcome::Mended,
                false => Outcome::Unknown,
            },
            Event::Elapse(length) => self.elapse(*length),
        }
    }
}

/// The throttle of a unit, where the node is one that has any.
fn throttle_of(node: &Node) -> Option<Throttle> {
    match node {
        Node::ScaleUnit(unit) => unit.throttle,
        _ => None,
    }
}
