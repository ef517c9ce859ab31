//! Real backbones are read as they are, and what is none is refused with a reason.

use std::collections::{BTreeMap, BTreeSet};

use natlaw_model::routing::{Name, RoutingGraph, Topology};
use natlaw_properties::routing::backbone::{BACKBONES, parse};

fn read(name: &str) -> Topology {
    let backbone = BACKBONES.iter().find(|backbone| backbone.name == name).expect("a backbone");
    parse(backbone.text).expect("a backbone")
}

/// Both ends of every link, with its cost.
fn links(topology: &Topology) -> BTreeMap<(Name, Name), u32> {
    let mut links = BTreeMap::new();
    for (one, router) in &topology.routers {
        for (other, cost) in &router.links {
            links.insert((one.clone(), other.clone()), *cost);
            links.insert((other.clone(), one.clone()), *cost);
        }
    }
    links
}

/// The most links of a shortest path, by breadth-first search from everywhere.
fn diameter(topology: &Topology) -> usize {
    let links = links(topology);
    let from = |start: &Name| {
        let (mut seen, mut edge) = (BTreeSet::from([start]), vec![start]);
        let mut depth = 0;
        loop {
            let next = edge.iter().flat_map(|at| links.keys().filter(move |(one, _)| one == *at));
            edge = next.map(|(_, other)| other).filter(|other| seen.insert(other)).collect();
            if edge.is_empty() {
                assert_eq!(seen.len(), topology.routers.len(), "all is connected");
                return depth;
            }
            depth += 1;
        }
    };
    topology.routers.keys().map(from).max().expect("a router")
}

/// What the source says of each graph is true of what was read.
#[test]
fn every_backbone_is_read_as_its_source_counts_it() {
    for (name, nodes, edges, hops) in [
        ("Aarnet", 19, 24, 9),
        ("Abilene", 11, 14, 5),
        ("Geant2012", 37, 58, 7),
        ("germany50", 50, 88, 9),
    ] {
        let topology = read(name);
        assert_eq!(topology.routers.len(), nodes, "{name}");
        assert_eq!(links(&topology).len(), 2 * edges, "{name}");
        assert_eq!(diameter(&topology), hops, "{name}");
        let graph = RoutingGraph::new(topology).expect("a routing graph");
        assert_eq!(graph.petgraph().node_count(), nodes);
        assert_eq!(graph.petgraph().edge_count(), 2 * edges);
    }
    assert_eq!(BACKBONES.len(), 4);
}

#[test]
fn a_link_costs_its_length_in_kilometres() {
    let links = links(&read("Abilene"));
    let cost = |one: &str, other: &str| {
        links[&(one.parse().expect("a name"), other.parse().expect("a name"))]
    };
    assert_eq!(cost("New-York", "Chicago"), 1146);
    assert_eq!(cost("Washington-DC", "New-York"), 329, "328.58 km");
}

fn json(nodes: &str, edges: &str) -> String {
    format!(r#"{{"nodes": [{nodes}], "edges": [{edges}]}}"#)
}

fn costs(edges: &str) -> Vec<u32> {
    let topology = parse(&json(r#"{"id": 1}, {"id": "x", "name": "b"}"#, edges)).expect("a graph");
    topology.routers.values().flat_map(|router| router.links.values().copied()).collect()
}

#[test]
fn a_cost_is_a_whole_number_and_at_least_1() {
    let of = |dist: &str| costs(&format!(r#"{{"source": 1, "target": "x", "dist": {dist}}}"#));
    assert_eq!(of("0.0"), [1]);
    assert_eq!(of("1.4"), [1]);
    assert_eq!(of("1.5"), [2]);
    assert_eq!(of("4294967295"), [u32::MAX]);
    assert_eq!(of("null"), [1]);
    assert_eq!(costs(r#"{"source": "x", "target": 1}"#), [1]);
    assert!(costs("").is_empty());
}

#[test]
fn of_several_links_the_cheapest_counts() {
    let link = |from: &str, to: &str, dist| {
        format!(r#"{{"source": {from}, "target": {to}, "dist": {dist}}}"#)
    };
    let edges = [link("1", "\"x\"", 7), link("\"x\"", "1", 5), link("1", "\"x\"", 6)].join(",");
    assert_eq!(costs(&edges), [5]);
}

#[test]
fn nodes_that_are_called_alike_are_told_apart() {
    let nodes = r#"{"id": 1, "name": "Sao Paulo"}, {"id": 2, "name": "Sao/Paulo"}, {"id": "c d"}"#;
    let topology = parse(&json(nodes, "")).expect("a graph");
    let names: Vec<_> = topology.routers.keys().map(Name::as_str).collect();
    assert_eq!(names, ["Sao-Paulo-1", "Sao-Paulo-2", "c-d"]);
    let links = r#"{"nodes": [{"id": 1}, {"id": 2}], "links": [{"source": 1, "target": 2}]}"#;
    assert_eq!(self::links(&parse(links).expect("the older word for edges")).len(), 2);
}

#[test]
fn what_is_no_backbone_is_refused_with_a_reason() {
    let long = format!(r#"{{"id": 1, "name": "{}"}}"#, "a".repeat(65));
    let edge = |from, to, dist| {
        json(
            r#"{"id": 1}, {"id": 2}"#,
            &format!(r#"{{"source": {from}, "target": {to}, "dist": {dist}}}"#),
        )
    };
    let many = vec![r#"{"id": 1}"#; 20_001].join(",");
    for (text, reason) in [
        ("{".to_string(), "no node-link JSON: EOF while parsing an object at line 1 column 1"),
        (
            r#"{"directed": true, "nodes": [], "edges": []}"#.into(),
            "`directed`: a link of a backbone works both ways",
        ),
        (json(r#"{"id": 1}, {"id": 1}"#, ""), "`nodes`: two of them have the id `1`"),
        (
            json(r#"{"id": 1, "name": "a"}, {"id": 2, "name": "a"}, {"id": "a-1"}"#, ""),
            "`nodes`: two of them would be called `a-1`",
        ),
        (json(&long, ""), "`nodes`, number 1: its name is empty or longer than 64 characters"),
        (
            json(r#"{"id": 1}, {"id": 2, "name": ""}"#, ""),
            "`nodes`, number 2: its name is empty or longer than 64 characters",
        ),
        (edge(1, 3, 1.0), "`edges`, number 1: there is no node with the id `3`"),
        (edge(2, 2, 1.0), "`edges`, number 1: it leads from `2` to itself"),
        (edge(1, 2, -1.0), "`edges`, number 1: `dist` is -1, and 0 to 4294967295 may be"),
        (
            edge(1, 2, 4_294_967_296.0),
            "`edges`, number 1: `dist` is 4294967296, and 0 to 4294967295 may be",
        ),
        (json(&many, ""), "`nodes`: 20001 are more than a graph may have (20000)"),
    ] {
        assert_eq!(parse(&text).expect_err(reason).to_string(), reason);
    }
}
