//! What the answers of a network imply.
//!
//! Like every ledger it is rebuilt from answers alone. Every entry carries the instant it ends, and
//! what has ended is absent.

use std::collections::BTreeMap;

use super::event::{Connection, Event, Outcome, Request};
use super::graph::RoutingGraph;
use super::health::HealthVector;
use super::name::{MemberName, Name, Place, Target};
use super::node::Node;
use super::topology::Means;
use super::walk::{Disposition, Hop, Rule, Walk};
use crate::flow::{Endpoint, FiveTuple};
use crate::nat::{self, Nat, Signal, VirtualIp};
use crate::subject::Subject;
use crate::time::{Duration, Instant};

/// What the answers so far imply.
#[derive(Debug, Clone)]
pub struct Ledger {
    /// The graph.
    pub graph: RoutingGraph,
    /// The time.
    pub now: Instant,
    /// What is down.
    pub health: HealthVector,
    /// What traffic managers answered, by who asked and which of them; expired ones included.
    pub answers: BTreeMap<(Name, Name), Answer>,
    /// Until when a client has the list of an index, by client and index; expired ones included.
    pub lists: BTreeMap<(Name, Name), Instant>,
    /// Where front doors have learned that accounts live, by door and account; expired ones
    /// included.
    pub affinities: BTreeMap<(Name, Name), Answer>,
    /// How delivered requests came in.
    pub entered: BTreeMap<Request, Entered>,
    /// How connections left.
    pub left: BTreeMap<Connection, Left>,
    /// When scale units began to have requests of others in hand; ended ones included.
    pub in_hand: BTreeMap<Name, Vec<Instant>>,
    /// What each translator has given, by its pool or gateway and the way out.
    pub translators: BTreeMap<(Name, Means), nat::Ledger>,
}

/// An answer that somebody keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What was answered.
    pub target: Target,
    /// The first instant at which it is too old.
    pub until: Instant,
}

/// How a delivered request came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entered {
    /// The last virtual IP that it went through, and whose it is.
    pub through: Option<(Name, VirtualIp)>,
    /// Where it came to.
    pub place: Place,
}

/// How a connection left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The node that it left by: a gateway, or the pool itself.
    pub by: Name,
    /// The way out.
    pub means: Means,
    /// The endpoint that stands for the VM.
    pub external: Endpoint,
}

impl Subject for RoutingGraph {
    const KIND: &'static str = "routing";
    type Event = Event;
    type Outcome = Outcome;
    type Ledger = Ledger;

    fn ledger(&self) -> Ledger {
        Ledger {
            graph: self.clone(),
            now: Instant::START,
            health: HealthVector::ALL_UP,
            answers: BTreeMap::new(),
            lists: BTreeMap::new(),
            affinities: BTreeMap::new(),
            entered: BTreeMap::new(),
            left: BTreeMap::new(),
            in_hand: BTreeMap::new(),
            translators: BTreeMap::new(),
        }
    }

    fn record(ledger: &mut Ledger, event: &Event, outcome: &Outcome) {
        match (event, outcome) {
            (Event::Request(request), Outcome::Walked(walk)) => {
                ledger.record_request(request, walk);
            }
            (Event::Outbound(connection), Outcome::Walked(walk)) => {
                ledger.record_outbound(connection, walk);
            }
            (Event::ReplyToConnection(connection), Outcome::Walked(walk)) => {
                ledger.record_reply(connection, walk);
            }
            (Event::Fail(component), Outcome::Failed) => {
                let index = ledger.graph.component(component);
                index.into_iter().for_each(|index| ledger.health.fail(index));
            }
            (Event::Mend(component), Outcome::Mended) => {
                let index = ledger.graph.component(component);
                index.into_iter().for_each(|index| ledger.health.mend(index));
            }
            (Event::Elapse(length), _) => ledger.record_elapsed(*length),
            (
                Event::Request(_)
                | Event::Outbound(_)
                | Event::ReplyToRequest(_)
                | Event::ReplyToConnection(_)
                | Event::Fail(_)
                | Event::Mend(_),
                _,
            ) => {}
        }
    }
}

/// What laws ask.
impl Ledger {
    /// Whether a place is down: the node, or the VM or its whole pool.
    pub fn is_down(&self, place: &Place) -> bool {
        let down = |place: &Place| {
            let component = super::name::Component::Place(place.clone());
            let index = self.graph.component(&component);
            index.is_some_and(|index| self.health.is_down(index))
        };
        match place {
            Place::Node(_) => down(place),
            Place::Member(member) => down(place) || down(&Place::Node(member.pool.clone())),
        }
    }

    /// The answer of a traffic manager that whoever asked still keeps.
    pub fn cached(&self, asker: &Name, manager: &Name) -> Option<&Answer> {
        let answer = self.answers.get(&(asker.clone(), manager.clone()));
        answer.filter(|answer| answer.until > self.now)
    }

    /// Where a front door has learned that an account lives.
    pub fn learned(&self, door: &Name, account: &Name) -> Option<&Answer> {
        let answer = self.affinities.get(&(door.clone(), account.clone()));
        answer.filter(|answer| answer.until > self.now)
    }

    /// Until when a client still has the list of an index.
    pub fn listed(&self, client: &Name, index: &Name) -> Option<Instant> {
        let until = self.lists.get(&(client.clone(), index.clone())).copied();
        until.filter(|until| *until > self.now)
    }

    /// How many requests of others a scale unit has in hand.
    pub fn in_hand(&self, unit: &Name) -> usize {
        let length = self.in_hand_for(unit);
        let begun = self.in_hand.get(unit).map_or(&[][..], Vec::as_slice);
        begun.iter().filter(|begun| **begun + length > self.now).count()
    }

    /// The flow that a connection is, as its translator sees it; `None` if the graph has no such
    /// member or destination.
    pub fn flow_of(&self, connection: &Connection) -> Option<FiveTuple> {
        self.graph.flow_of(connection)
    }

    /// The configuration of the translator that a connection would leave by, whose it is, and which
    /// way out that is; `None` where it is not translated.
    pub fn translator_of(&self, pool: &Name, means: Means) -> Option<(Name, Nat)> {
        self.graph.translator_of(pool, means)
    }

    fn in_hand_for(&self, unit: &Name) -> Duration {
        match self.graph.named(unit) {
            Some(Node::ScaleUnit(unit)) => unit.throttle.map_or(Duration::ZERO, |it| it.in_hand),
            _ => Duration::ZERO,
        }
    }
}

/// What answers imply.
impl Ledger {
    fn record_elapsed(&mut self, length: Duration) {
        self.now = self.now + length;
        let elapsed = nat::Event::Elapse(length);
        for ledger in self.translators.values_mut() {
            Nat::record(ledger, &elapsed, &nat::Outcome::ELAPSED);
        }
    }

    fn record_request(&mut self, request: &Request, walk: &Walk) {
        self.record_answers(walk);
        self.record_in_hand(walk);
        if walk.disposition == Disposition::Delivered {
            self.record_affinity(request, walk);
            self.record_entered(request, walk);
        }
    }

    /// A fresh answer: whoever came to a traffic manager keeps what all of them answered together.
    fn record_answers(&mut self, walk: &Walk) {
        for at in 0..walk.hops.len() {
            let Some((asker, name)) = self.asked(walk, at) else { continue };
            match self.graph.named(&name) {
                Some(Node::TrafficManager(manager)) => {
                    let until = self.now + manager.ttl;
                    if let Some(target) = self.answer(&walk.hops[at..]) {
                        self.answers.insert((asker, name), Answer { target, until });
                    }
                }
                Some(Node::ServiceIndex(index))
                    if came_on(&walk.hops[at + 1..]) && !self.is_manager(&asker) =>
                {
                    self.lists.insert((asker, name), self.now + index.ttl);
                }
                _ => {}
            }
        }
    }

    /// Who asked, and which name, where this hop is the first of a chain of names.
    fn asked(&self, walk: &Walk, at: usize) -> Option<(Name, Name)> {
        let Place::Node(name) = &walk.hops[at].place else { return None };
        let Place::Node(asker) = &walk.hops.get(at.checked_sub(1)?)?.place else { return None };
        let is_nested = self.is_manager(asker) && self.is_manager(name);
        (!is_nested).then(|| (asker.clone(), name.clone()))
    }

    /// What a chain of names ends at.
    fn answer(&self, hops: &[Hop]) -> Option<Target> {
        let is_manager = |hop: &&Hop| match &hop.place {
            Place::Node(name) => self.is_manager(name),
            Place::Member(_) => false,
        };
        let chain = hops.iter().take_while(is_manager).count();
        let Place::Node(last) = &hops[chain - 1].place else { return None };
        let then = hops[chain..].iter().find(|hop| !is_on_the_way(&hop.rule))?;
        let Place::Node(node) = &then.place else { return None };
        self.graph.target_between(last, node)
    }

    fn is_manager(&self, name: &Name) -> bool {
        matches!(self.graph.named(name), Some(Node::TrafficManager(_)))
    }

    fn record_in_hand(&mut self, walk: &Walk) {
        for (at, hop) in walk.hops.iter().enumerate() {
            let Rule::Proxied(_) = hop.rule else { continue };
            let before = walk.hops[..at].iter().rev().find(|hop| !is_on_the_way(&hop.rule));
            let Some(Place::Node(unit)) = before.map(|hop| hop.place.clone()) else { continue };
            let (length, now) = (self.in_hand_for(&unit), self.now);
            let begun = self.in_hand.entry(unit).or_default();
            begun.retain(|begun| *begun + length > now);
            begun.push(now);
        }
    }

    /// The answer tells the front door which unit has the account.
    fn record_affinity(&mut self, request: &Request, walk: &Walk) {
        let Some(account) = &request.account else { return };
        let Some(owner) = self.graph.owner(account) else { return };
        let owner = self.graph.name(owner).clone();
        let at_owner = walk.hops.iter().any(|hop| hop.place == Place::Node(owner.clone()));
        for hop in walk.hops.iter().filter(|_| at_owner) {
            let Place::Node(name) = &hop.place else { continue };
            let Some(Node::FrontDoor(door)) = self.graph.named(name) else { continue };
            let Some(affinity) = door.affinity else { continue };
            if let Some(target) = self.graph.target_between(name, &owner) {
                let answer = Answer { target, until: self.now + affinity };
                self.affinities.insert((name.clone(), account.clone()), answer);
            }
        }
    }

    fn record_entered(&mut self, request: &Request, walk: &Walk) {
        let chosen: Vec<&Hop> = walk.hops.iter().filter(|hop| !is_on_the_way(&hop.rule)).collect();
        let through = chosen.windows(2).rev().find_map(|hops| match (hops[0], &hops[1].rule) {
            (Hop { place: Place::Node(name), .. }, Rule::Balanced { virtual_ip, .. }) => {
                Some((name.clone(), *virtual_ip))
            }
            _ => None,
        });
        if let Some(place) = walk.last().cloned() {
            self.entered.insert(request.clone(), Entered { through, place });
        }
    }

    fn record_outbound(&mut self, connection: &Connection, walk: &Walk) {
        let external = |hop: &Hop| match hop.rule {
            Rule::LeavesBy { means, external: Some(external), .. } => Some((means, external)),
            _ => None,
        };
        let Some((means, external)) = walk.hops.iter().find_map(external) else { return };
        let MemberName { pool, .. } = &connection.member;
        let (Some((by, nat)), Some(flow)) =
            (self.translator_of(pool, means), self.flow_of(connection))
        else {
            return;
        };
        self.record_translated((by.clone(), means), &nat, flow, external);
        self.left.insert(connection.clone(), Left { by, means, external });
    }

    /// A reply that its translator let in.
    fn record_reply(&mut self, connection: &Connection, walk: &Walk) {
        let is_let_in = walk.hops.iter().any(|hop| matches!(hop.rule, Rule::LeftBy(_)));
        let (Some(Left { by, means, external }), Some(Place::Member(to)), Some(flow), true) =
            (self.left.get(connection), walk.last(), self.flow_of(connection), is_let_in)
        else {
            return;
        };
        let inbound = flow.from(*external).reversed();
        let delivered = inbound.to(Endpoint::new(to.member.0, flow.source.port));
        if let Some(ledger) = self.translators.get_mut(&(by.clone(), *means)) {
            let reply = nat::Event::inbound(inbound, Signal::Data);
            Nat::record(ledger, &reply, &nat::Outcome::Forwarded(delivered));
        }
    }

    fn record_translated(
        &mut self,
        key: (Name, Means),
        nat: &Nat,
        flow: FiveTuple,
        external: Endpoint,
    ) {
        let (now, start) = (self.now, nat::Event::Elapse(Duration::from_millis(self.now.millis())));
        let ledger = self.translators.entry(key).or_insert_with(|| {
            let mut ledger = nat.ledger();
            Nat::record(&mut ledger, &start, &nat::Outcome::ELAPSED);
            debug_assert_eq!(ledger.now, now);
            ledger
        });
        let opened = nat::Event::outbound(flow, Signal::Open);
        Nat::record(ledger, &opened, &nat::Outcome::Forwarded(flow.from(external)));
    }
}

/// Whether a walk came to something that was chosen, and not only to routers on the way.
fn came_on(hops: &[Hop]) -> bool {
    hops.iter().any(|hop| !is_on_the_way(&hop.rule))
}

/// Whether a router carries it there, and nobody chose the place.
const fn is_on_the_way(rule: &Rule) -> bool {
    matches!(rule, Rule::Attached | Rule::LeastCost(_) | Rule::StaticRoute)
}
