//! Networks keep every law; mutants do not; the generators reach what the laws speak of.

use std::collections::BTreeSet;
use std::slice::from_ref;

use natlaw_model::routing::{Client, Name, RoutingGraph, ScaleUnit, Service, Target, Topology};
use natlaw_model::subject::{Moment, Scenario, Subject};
use natlaw_properties::file::ScenarioFile;
use natlaw_properties::judged::Judged;
use natlaw_properties::law::{check, verdicts};
use natlaw_properties::prove::every_scenario;
use natlaw_properties::routing::backbone::{self, BACKBONES, Backbone};
use natlaw_properties::routing::matrix::matrix;
use natlaw_properties::routing::mutants::{Family, MUTANTS};
use natlaw_properties::routing::strategies::{self, sample, scenario};
use natlaw_properties::routing::sweep::{
    self, Effort, OutageSearch, Sweep, sweep, sweep_every_vector,
};
use natlaw_properties::routing::{DEVICES, LAWS, REACHABLE};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

const CASES: u32 = 4_000;

/// At least one case in a thousand must meet each: a graph has many rare corners.
const ENOUGH: usize = CASES as usize / 1_000;

fn assert_often(names: impl Iterator<Item = &'static str>, counts: Vec<usize>) {
    let rare: Vec<_> = names.zip(counts).filter(|(_, count)| *count < ENOUGH).collect();
    assert!(rare.is_empty(), "of {CASES} cases, too few meet: {rare:#?}");
}

#[test]
fn every_device_keeps_every_law() {
    for device in DEVICES {
        let property = format!("{}-keeps-every-law", device.name);
        every_scenario(&property, device.name, scenario(), |scenario| {
            check(LAWS, &scenario.play(&mut (device.device)(&scenario.subject)))
        });
    }
}

#[test]
fn the_same_scenario_gives_the_same_trace() {
    every_scenario("documented-is-deterministic", "documented", scenario(), |scenario| {
        let play = || scenario.play(&mut (DEVICES[0].device)(&scenario.subject)).steps;
        if play() == play() { Ok(()) } else { Err("two traces of one scenario") }
    });
}

#[test]
fn every_premise_of_a_law_is_met() {
    let mut met = vec![0; LAWS.len()];
    for scenario in sample(CASES) {
        let trace = scenario.play(&mut (DEVICES[0].device)(&scenario.subject));
        for (count, verdict) in met.iter_mut().zip(verdicts(LAWS, &trace)) {
            *count += usize::from(verdict.tested > 0);
        }
    }
    assert_often(LAWS.iter().map(|law| law.name), met);
}

#[test]
fn every_situation_is_reached() {
    let mut reached = vec![0; REACHABLE.len()];
    for scenario in sample(CASES) {
        let trace = scenario.play(&mut (DEVICES[0].device)(&scenario.subject));
        let mut ledger = trace.subject.ledger();
        let mut occurs = vec![false; REACHABLE.len()];
        for step in &trace.steps {
            let moment = Moment { before: &ledger, event: &step.event, outcome: &step.outcome };
            for (occurs, situation) in occurs.iter_mut().zip(REACHABLE) {
                *occurs |= (situation.occurs)(&moment);
            }
            RoutingGraph::record(&mut ledger, &step.event, &step.outcome);
        }
        reached.iter_mut().zip(occurs).for_each(|(count, occurs)| *count += usize::from(occurs));
    }
    assert_often(REACHABLE.iter().map(|situation| situation.name), reached);
}

#[test]
fn what_is_drawn_and_what_it_shrinks_to_is_legal_and_varied() {
    let mut runner = TestRunner::deterministic();
    let strategy = scenario();
    let (mut longest, mut without_events, mut hung) = (0, 0, 0);
    for _ in 0..200 {
        let mut tree = strategy.new_tree(&mut runner).expect("a scenario");
        let drawn = tree.current();
        longest = longest.max(drawn.events.len());
        without_events += usize::from(drawn.events.is_empty());
        hung += usize::from(drawn.subject.topology().pools.values().all(|pool| pool.at.is_some()));
        for _ in 0..20 {
            assert_legal(&tree.current());
            if !tree.simplify() {
                break;
            }
        }
    }
    assert!(longest > 12 && without_events > 0 && hung > 20, "{longest} {without_events} {hung}");
}

/// A legal scenario survives its own text: what is read is held to every rule of a topology.
fn assert_legal(scenario: &Scenario<RoutingGraph>) {
    let file = ScenarioFile {
        name: String::new(),
        story: String::new(),
        device: DEVICES[0].name.into(),
        breaks: Vec::new(),
        scenario: scenario.clone(),
    };
    let again = ScenarioFile::<RoutingGraph>::parse(&file.to_toml()).expect("a legal scenario");
    assert_eq!(again.scenario.subject.topology(), scenario.subject.topology());
    assert_eq!(again.scenario.events, scenario.events);
}

#[test]
fn every_mutant_is_caught_and_every_law_catches_one() {
    let laws: BTreeSet<_> =
        matrix().iter().flat_map(|row| &row.by).map(|(law, _)| law.name).collect();
    let lawful = matrix().iter().filter(|caught| caught.by.is_empty());
    let lawful: Vec<_> = lawful.map(|caught| caught.mutant.name).collect();
    let idle = LAWS.iter().map(|law| law.name).filter(|law| !laws.contains(law));
    let idle: Vec<_> = idle.collect();
    assert!(lawful.is_empty(), "mutants that break no law: {lawful:?}, laws unbroken: {idle:?}");
    assert!(idle.is_empty(), "laws that no mutant breaks: {idle:?}");
}

#[test]
fn a_counterexample_is_small_and_a_sound_device_passes_it() {
    for caught in matrix() {
        let (law, scenario) = caught.best().expect("every mutant is caught");
        let name = caught.mutant.name;
        assert!(scenario.events.len() <= 4, "{name}: {} by {}", scenario.events.len(), law.name);
        let nodes = scenario.subject.nodes().count();
        assert!(nodes <= 9, "{name}: {nodes} nodes");
        let trace = scenario.play(&mut (caught.mutant.device)(&scenario.subject));
        let broken = check(from_ref(*law), &trace).expect_err(name);
        assert_eq!(broken.evidence.steps, trace.steps, "{name}: the last step breaks the law");
        let mut sound = (DEVICES[0].device)(&scenario.subject);
        check(LAWS, &scenario.play(&mut sound)).expect(name);
    }
}

#[test]
fn every_family_has_a_mutant_and_names_are_not_used_twice() {
    let families: Vec<_> = MUTANTS.iter().map(|mutant| mutant.family).collect();
    assert!(families.is_sorted(), "{families:?}");
    assert_eq!(families.iter().collect::<BTreeSet<_>>().len(), Family::ALL.len());
    let laws: Vec<_> = LAWS.iter().map(|law| law.name).collect();
    for names in [laws, RoutingGraph::device_names()] {
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
    }
}

/// What classes leave out changes no verdict and no smallest outage: all vectors of small graphs are
/// played against their classes, on the sound network and on mutants that look at health wrongly.
#[test]
fn classes_find_what_all_health_vectors_find() {
    let devices = ["documented", "chooses-the-dead", "draws-whoever-is-down", "counts-the-dead"];
    let mut runner = TestRunner::deterministic();
    let strategy = strategies::topology();
    let mut compared = 0;
    while compared < 4 {
        let Some(graph) = small(strategy.new_tree(&mut runner).expect("a topology").current())
        else {
            continue;
        };
        compared += 1;
        for device in devices {
            let by_class = sweep(&graph, device, Effort::default()).expect("a device");
            let by_vector = sweep_every_vector(&graph, device).expect("a device");
            let broken = |sweep: &Sweep| -> BTreeSet<_> {
                sweep.verdicts.iter().filter(|it| it.broken_at.is_some()).map(|it| it.law).collect()
            };
            assert_eq!(broken(&by_class).is_empty(), broken(&by_vector).is_empty(), "{device}");
            assert_eq!(size(&by_class), size(&by_vector), "{device}: {:?}", by_class.outage);
        }
    }
}

/// The part of a topology that requests are asked of, if it is small enough to play all its vectors
/// and some of its classes stand for several.
fn small(mut topology: Topology) -> Option<RoutingGraph> {
    let clients = topology.clients.values().any(|client| client.at.is_some());
    if clients || topology.pools.values().any(|pool| pool.at.is_some()) {
        return None;
    }
    topology.destinations.clear();
    topology.pools.values_mut().for_each(|pool| pool.bypass.clear());
    let graph = RoutingGraph::new(topology).ok()?;
    let (in_reach, classes) = sweep::size(&graph);
    let is_grouped = classes.is_some_and(|classes| classes < 1 << in_reach);
    ((3..=8).contains(&in_reach) && is_grouped).then_some(graph)
}

/// How many components the smallest outage takes.
fn size(sweep: &Sweep) -> Option<usize> {
    match &sweep.outage {
        OutageSearch::Smallest(outage) => Some(outage.failed.len()),
        OutageSearch::Never | OutageSearch::NobodyAsks => None,
        other => panic!("all classes were tried: {other:?}"),
    }
}

/// Real backbones keep every law whatever is down, asked from their first to their last router.
#[test]
fn real_backbones_keep_every_law() {
    for backbone in BACKBONES {
        let graph = between_the_ends(backbone);
        let effort = Effort { sampled: 60, outages_max: 200, ..Effort::default() };
        let swept = sweep(&graph, "documented", effort).expect("a device");
        assert!(swept.breach.is_none(), "{}: {:?}", backbone.name, swept.breach);
        assert!(swept.answers > 0 && swept.held() > 5, "{}", backbone.name);
    }
}

fn between_the_ends(backbone: &Backbone) -> RoutingGraph {
    let mut topology = backbone::parse(backbone.text).expect("a backbone");
    let mut routers = topology.routers.keys().cloned();
    let (first, last) = (routers.next(), routers.next_back());
    let entry: Name = "the-far-end".parse().expect("a name");
    let unit = ScaleUnit {
        owns: BTreeSet::new(),
        stale: Default::default(),
        serves_from: None,
        throttle: None,
        at: last,
    };
    let client = Client {
        entry: Target::node(entry.clone()),
        region: None,
        latency_ms: Default::default(),
        service: Service::default(),
        at: first,
    };
    topology.scale_units.insert(entry, unit);
    topology.clients.insert("the-near-end".parse().expect("a name"), client);
    RoutingGraph::new(topology).expect("a legal topology")
}
