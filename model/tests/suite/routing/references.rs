//! The trickiest rules beside the obvious way to say them, on random small graphs.

use std::collections::BTreeMap;

use natlaw_model::routing::{Event, Network, Outcome, RoutingGraph, Rule};
use natlaw_model::subject::Device;
use proptest::prelude::*;

use super::super::read;
use super::graph;

/// Traffic managers `m0`, `m1`, `m2`, each over destinations and over managers after it.
#[derive(Debug, Clone)]
struct Names {
    /// By manager: its endpoints, each with its setting and its minimum.
    endpoints: Vec<BTreeMap<String, (&'static str, u32)>>,
    disabled: Vec<bool>,
    down: Vec<String>,
}

fn names() -> impl Strategy<Value = Names> {
    let setting = prop_oneof![4 => Just("enabled"), 1 => Just("checking"), 1 => Just("disabled")];
    let endpoint = (0..7_usize, setting, 1..4_u32);
    let endpoints = prop::collection::vec(prop::collection::vec(endpoint, 1..4), 3);
    let disabled = prop::collection::vec(prop::bool::weighted(0.1), 3);
    let down = prop::collection::vec(0..7_usize, 0..5);
    (endpoints, disabled, down).prop_map(|(endpoints, disabled, down)| {
        let name = |manager: usize, at: usize| match at {
            0 | 1 if manager + at < 2 => format!("m{}", manager + at + 1),
            at => format!("d{at}"),
        };
        let of = |(manager, endpoints): (usize, &Vec<(usize, &'static str, u32)>)| {
            endpoints
                .iter()
                .map(|(at, setting, min)| (name(manager, *at), (*setting, *min)))
                .collect()
        };
        let down = down.into_iter().map(|at| format!("d{at}")).collect();
        Names { endpoints: endpoints.iter().enumerate().map(of).collect(), disabled, down }
    })
}

fn topology(names: &Names) -> RoutingGraph {
    let mut text = String::from("[clients.x]\nentry = \"m0\"\n[destinations]\n");
    (0..7).for_each(|at| text += &format!("d{at} = {{ endpoint = \"192.0.2.{at}:443\" }}\n"));
    for (at, endpoints) in names.endpoints.iter().enumerate() {
        text += &format!(
            "[traffic_managers.m{at}]\nmethod = \"priority\"\nttl = \"0s\"\ndisabled = {}\n[traffic_managers.m{at}.endpoints]\n",
            names.disabled[at]
        );
        for (priority, (name, (setting, min))) in endpoints.iter().enumerate() {
            let priority = priority + 1;
            text += &format!(
                "{name} = {{ priority = {priority}, setting = \"{setting}\", children_min = {min} }}\n"
            );
        }
    }
    graph(&text)
}

/// The status of an endpoint, by asking every leaf below it.
fn status(names: &Names, name: &str, (setting, min): (&str, u32)) -> &'static str {
    let child = name.strip_prefix('m').map(|at| at.parse::<usize>().expect("a number"));
    match (setting, child) {
        ("disabled", _) => "out",
        (_, Some(child)) => {
            let below = statuses(names, child);
            let count = |wanted: &[&str]| below.iter().filter(|it| wanted.contains(it)).count();
            let min = min as usize;
            match () {
                () if names.disabled[child] || count(&["out"]) == below.len() => "out",
                () if count(&["online"]) >= min => "online",
                () if count(&["online", "checking"]) >= min => "checking",
                () => "degraded",
            }
        }
        ("checking", None) => "checking",
        (_, None) if names.down.iter().any(|down| down == name) => "degraded",
        (_, None) => "online",
    }
}

fn statuses(names: &Names, manager: usize) -> Vec<&'static str> {
    names.endpoints[manager].iter().map(|(name, it)| status(names, name, *it)).collect()
}

/// Where a request ends: the first that is up, or the first in use if none is, and so on down.
fn obvious(names: &Names, manager: usize) -> Option<String> {
    let statuses = statuses(names, manager);
    let first = |wanted: &[&str]| statuses.iter().position(|it| wanted.contains(it));
    let chosen = first(&["online", "checking"]).or_else(|| first(&["degraded"]));
    let chosen = chosen.filter(|_| !names.disabled[manager])?;
    let name = names.endpoints[manager].keys().nth(chosen)?;
    match name.strip_prefix('m') {
        Some(at) => obvious(names, at.parse().expect("a number")),
        None => Some(name.clone()),
    }
}

proptest! {
    #[test]
    fn nested_status_is_what_the_leaves_make_it(names in names()) {
        let mut network = Network::new(&topology(&names));
        for down in &names.down {
            network.step(&Event::Fail(read(down)));
        }
        let Outcome::Walked(walk) = network.step(&Event::Request(read("x"))) else {
            unreachable!("a request is walked")
        };
        let actual = walk.last().map(ToString::to_string).filter(|it| it.starts_with('d'));
        prop_assert_eq!(actual, obvious(&names, 0), "{}", walk);
    }

    #[test]
    fn the_way_is_the_cheapest_of_all_there_are(
        links in prop::collection::btree_map((0..6_usize, 0..6_usize), 1..5_u32, 1..12),
        down in prop::collection::btree_set(1..5_usize, 0..3),
    ) {
        let mut text = String::from("[clients.x]\nentry = \"end\"\nat = \"r0\"\n[destinations.end]\nendpoint = \"192.0.2.1:443\"\nat = \"r5\"\n");
        let costs: BTreeMap<(usize, usize), u32> = links.into_iter()
            .filter(|((a, b), _)| a != b)
            .map(|((a, b), cost)| ((a.min(b), a.max(b)), cost))
            .collect();
        for router in 0..6 {
            text += &format!("[routers.r{router}.links]\n");
            for ((_, to), cost) in costs.iter().filter(|((from, _), _)| *from == router) {
                text += &format!("r{to} = {cost}\n");
            }
        }
        let mut network = Network::new(&graph(&text));
        for router in &down {
            network.step(&Event::Fail(read(&format!("r{router}"))));
        }
        let cost = |a: usize, b: usize| costs.get(&(a.min(b), a.max(b))).copied();
        let expected = ways(0, &mut vec![0], &down, &cost).into_iter().min();
        let Outcome::Walked(walk) = network.step(&Event::Request(read("x"))) else {
            unreachable!("a request is walked")
        };
        let routers = walk.hops.iter().filter(|hop| matches!(hop.rule, Rule::Attached | Rule::LeastCost(_)));
        let actual: Vec<String> = routers.map(|hop| hop.place.to_string()).collect();
        let expected = expected.map(|(_, way)| way.iter().map(|at| format!("r{at}")).collect());
        prop_assert_eq!(actual, expected.unwrap_or_else(Vec::new), "{}", walk);
    }
}

/// Every way to `r5` that comes to no router twice, with what it costs.
fn ways(
    cost_so_far: u32,
    way: &mut Vec<usize>,
    down: &std::collections::BTreeSet<usize>,
    cost: &impl Fn(usize, usize) -> Option<u32>,
) -> Vec<(u32, Vec<usize>)> {
    let here = *way.last().expect("it begins somewhere");
    if here == 5 {
        return vec![(cost_so_far, way.clone())];
    }
    let mut all = Vec::new();
    for next in (0..6).filter(|it| !down.contains(it)) {
        if let Some(link) = cost(here, next).filter(|_| !way.contains(&next)) {
            way.push(next);
            all.extend(ways(cost_so_far + link, way, down, cost));
            way.pop();
        }
    }
    all
}
