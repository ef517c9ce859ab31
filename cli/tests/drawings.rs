//! What `natlaw route --dot` prints is graphviz's language, whatever is down, by a parser that keeps
//! strictly to its grammar.

use std::path::Path;
use std::process::Command;

use dot_parser::{ast, canonical};

/// What is drawn of a walk through a file: nodes and edges.
fn drawn(arguments: &[&str]) -> (usize, usize) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let command = Command::new(env!("CARGO_BIN_EXE_natlaw"))
        .current_dir(root)
        .arg("route")
        .args(arguments)
        .arg("--dot")
        .output()
        .expect("natlaw");
    let text = String::from_utf8(command.stdout).expect("text");
    let graph = ast::Graph::try_from(text.as_str()).unwrap_or_else(|e| panic!("{text}\n{e:?}"));
    let graph = canonical::Graph::from(graph);
    (graph.nodes.set.len(), graph.edges.set.len())
}

#[test]
fn every_drawing_is_graphviz() {
    let pools = "snapshots/topologies/nested_pools.toml";
    let units = "snapshots/topologies/scale_units.toml";
    let annotated = "docs/topology.toml";
    // 11 nodes and a VM; 9 edges, and one for each step of the walk.
    assert_eq!(drawn(&[pools, "--from", "europe"]), (12, 14));
    let outbound = ["--outbound", "weu-1/10.0.0.17", "--to", "slow-store", "--reply"];
    assert_eq!(drawn(&[&[pools][..], &outbound].concat()), (12, 13));
    assert_eq!(drawn(&[units, "--from", "europe", "--down", "weu-1", "weu-2"]), (6, 7));
    let cut =
        ["--from", "europe", "--account", "contoso", "--down", "lyon~paris", "weu-web/10.0.0.1"];
    let (nodes, edges) = drawn(&[&[annotated][..], &cut].concat());
    assert_eq!((nodes, edges), (20, 35));
}
