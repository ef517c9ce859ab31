//! What is asked of a network in each state, and what that can lead to.

use std::collections::BTreeSet;

use natlaw_model::flow::Transport;
use natlaw_model::routing::{
    Component, Connection, Event, MemberName, Name, Node, Place, Request, RoutingGraph,
};

/// The port of every connection that is asked for (assumed).
const PORT: u16 = 40_000;

/// The most questions of one state; of more, the first are asked (assumed).
const QUESTIONS_MAX: usize = 64;

/// Every client's request, for nothing in particular and for each account; and a connection from the
/// last VM of each pool, which is the one that is up where only some are, to each destination.
pub(super) fn questions(graph: &RoutingGraph) -> Vec<Event> {
    let topology = graph.topology();
    let plain = topology.clients.keys().cloned().map(Request::of);
    let accounts: BTreeSet<&Name> = topology.scale_units.values().flat_map(|it| &it.owns).collect();
    let of_account = |account: &Name| {
        let account = account.clone();
        topology
            .clients
            .keys()
            .cloned()
            .map(move |client| Request { account: Some(account.clone()), ..Request::of(client) })
    };
    let requests = plain.chain(accounts.into_iter().flat_map(of_account)).map(Event::Request);
    requests.chain(connections(graph).map(Event::Outbound)).take(QUESTIONS_MAX).collect()
}

fn connections(graph: &RoutingGraph) -> impl Iterator<Item = Connection> {
    let topology = graph.topology();
    topology.pools.iter().flat_map(move |(name, pool)| {
        let last = RoutingGraph::members(pool).last().map(|(_, member)| member);
        let to = move |destination: &Name| {
            let member = MemberName { pool: name.clone(), member: last? };
            let destination = destination.clone();
            Some(Connection { transport: Transport::Tcp, member, port: PORT, destination })
        };
        topology.destinations.keys().filter_map(to)
    })
}

/// The components that a question can lead to: whatever can be come to along edges from clients, and
/// from pools where a connection is asked for; routers and links, once anybody hangs at one.
pub(super) fn reach(graph: &RoutingGraph) -> BTreeSet<Component> {
    let asked = questions(graph);
    let mut open: Vec<Name> = asked.iter().flat_map(ends).collect();
    let mut reached = BTreeSet::new();
    while let Some(name) = open.pop() {
        if reached.insert(name.clone()) {
            open.extend(next(graph, &name));
        }
    }
    let components = graph.components().map(|(_, component)| component.clone());
    components.filter(|component| is_reached(component, &reached)).collect()
}

/// Where a question begins, and where it ends, if it says so.
fn ends(event: &Event) -> Vec<Name> {
    match event {
        Event::Request(request) | Event::ReplyToRequest(request) => vec![request.client.clone()],
        Event::Outbound(connection) | Event::ReplyToConnection(connection) => {
            vec![connection.member.pool.clone(), connection.destination.clone()]
        }
        Event::Fail(_) | Event::Mend(_) | Event::Elapse(_) => Vec::new(),
    }
}

/// Where a node leads. A unit may proxy to any other, if it owns or believes anything.
fn next(graph: &RoutingGraph, name: &Name) -> Vec<Name> {
    let Some(at) = graph.index(name) else { return Vec::new() };
    let along = graph.petgraph().neighbors(at).map(|next| graph.name(next).clone());
    let units = match graph.node(at) {
        Node::ScaleUnit(_) => graph.topology().scale_units.keys().cloned().collect(),
        _ => Vec::new(),
    };
    along.chain(units).collect()
}

fn is_reached(component: &Component, reached: &BTreeSet<Name>) -> bool {
    match component {
        Component::Place(Place::Node(name)) => reached.contains(name),
        Component::Place(Place::Member(member)) => reached.contains(&member.pool),
        Component::Link(one, other) => reached.contains(one) || reached.contains(other),
    }
}
