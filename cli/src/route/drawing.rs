//! A routing graph in graphviz's language.

use natlaw_model::routing::{Component, Edge, HealthVector, Hop, Node, Place, RoutingGraph, Walk};
use natlaw_model::routing::{Event, Means};
use petgraph::dot::{Config, Dot};
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

/// A drawing: nodes and edges with their attributes.
type Drawing = DiGraph<String, String>;

/// The graph as a drawing: what walks took is blue, what is down red.
pub(super) fn dot(graph: &RoutingGraph, health: &HealthVector, walks: &[(Event, Walk)]) -> String {
    let mut drawing = Drawing::new();
    let hops = || walks.iter().flat_map(|(_, walk)| &walk.hops);
    for at in graph.nodes() {
        let is_taken = hops().any(|hop| hop.place == Place::Node(graph.name(at).clone()));
        let is_down = health.is_down(RoutingGraph::component_of(at));
        drawing.add_node(node_attributes(graph, at, is_taken, is_down));
    }
    add_edges(graph, health, &mut drawing);
    for (_, walk) in walks {
        add_walk(graph, health, walk, &mut drawing);
    }
    let labels =
        [Config::NodeNoLabel, Config::EdgeNoLabel, Config::RankDir(petgraph::dot::RankDir::LR)];
    let edge =
        |_: &Drawing, edge: petgraph::graph::EdgeReference<'_, String>| edge.weight().clone();
    let node = |_: &Drawing, (_, node): (NodeIndex, &String)| node.clone();
    format!("{:?}", Dot::with_attr_getters(&drawing, &labels, &edge, &node))
}

fn node_attributes(graph: &RoutingGraph, at: NodeIndex, is_taken: bool, is_down: bool) -> String {
    let node = graph.node(at);
    let (name, kind) = (graph.name(at), node.kind());
    format!("label = \"{name}\\n{kind}\" shape = {}{}", shape(node), colours(is_taken, is_down))
}

const fn shape(node: &Node) -> &'static str {
    match node {
        Node::Client(_) => "house",
        Node::TrafficManager(_) | Node::ServiceIndex(_) => "ellipse",
        Node::FrontDoor(_) | Node::LoadBalancer(_) => "hexagon",
        Node::ScaleUnit(_) | Node::Pool(_) => "box",
        Node::Router(_) => "circle",
        Node::NatGateway(_) => "trapezium",
        Node::Destination(_) => "cylinder",
    }
}

const fn colours(is_taken: bool, is_down: bool) -> &'static str {
    match (is_taken, is_down) {
        (_, true) => " color = red fontcolor = red style = dashed",
        (true, false) => " color = blue penwidth = 2",
        (false, false) => "",
    }
}

/// The edges of the graph; of a link, which leads both ways, one.
fn add_edges(graph: &RoutingGraph, health: &HealthVector, drawing: &mut Drawing) {
    for edge in graph.petgraph().edge_references() {
        let (from, to) = (edge.source(), edge.target());
        let attributes = match *edge.weight() {
            Edge::Link { .. } if from > to => continue,
            Edge::Link { cost, component } => {
                let is_down = health.is_down(component);
                format!("label = \"{cost}\" dir = none{}", colours(false, is_down))
            }
            Edge::Attached => "style = dotted dir = none".into(),
            other => format!("label = \"{}\"", said(other)),
        };
        drawing.add_edge(from, to, attributes);
    }
}

const fn said(edge: Edge) -> &'static str {
    match edge {
        Edge::Entry => "entry",
        Edge::Answer => "answer",
        Edge::Origin => "origin",
        Edge::Listed => "listed",
        Edge::Balanced => "rule",
        Edge::Serves => "serves",
        Edge::Believes => "believes",
        Edge::Attached => "hangs at",
        Edge::Link { .. } => "link",
        Edge::WayOut(Means::UserRoute) => "user route",
        Edge::WayOut(_) => "way out",
        Edge::Bypass => "private",
    }
}

/// What a walk took: an edge for each hop, with its number and its rule.
fn add_walk(graph: &RoutingGraph, health: &HealthVector, walk: &Walk, drawing: &mut Drawing) {
    let places: Vec<_> = walk.hops.iter().map(|hop| place(graph, health, hop, drawing)).collect();
    let steps = places.windows(2).zip(&walk.hops[1..]);
    for (number, (ends, hop)) in steps.enumerate().map(|(at, step)| (at + 1, step)) {
        let (Some(from), Some(to)) = (ends[0], ends[1]) else { continue };
        let label = format!("label = \"{number}: {}\" color = blue penwidth = 2", hop.rule);
        drawing.add_edge(from, to, label);
    }
}

/// Where a hop is in the drawing; a VM is drawn once a walk comes to it.
fn place(
    graph: &RoutingGraph,
    health: &HealthVector,
    hop: &Hop,
    drawing: &mut Drawing,
) -> Option<NodeIndex> {
    let Place::Member(member) = &hop.place else {
        let Place::Node(name) = &hop.place else { return None };
        return graph.index(name);
    };
    let component = graph.component(&Component::Place(hop.place.clone()))?;
    let colours = colours(true, health.is_down(component));
    let attributes = format!("label = \"{member}\\nVM\" shape = box{colours}");
    let drawn = drawing.node_indices().find(|at| drawing[*at] == attributes);
    Some(drawn.unwrap_or_else(|| drawing.add_node(attributes)))
}
