//! Networks keep every law; mutants do not; the generators reach what the laws speak of.

use std::collections::BTreeSet;
use std::slice::from_ref;

use natlaw_model::routing::RoutingGraph;
use natlaw_model::subject::{Moment, Scenario, Subject};
use natlaw_properties::file::ScenarioFile;
use natlaw_properties::judged::Judged;
use natlaw_properties::law::{check, verdicts};
use natlaw_properties::prove::every_scenario;
use natlaw_properties::routing::matrix::matrix;
use natlaw_properties::routing::mutants::{Family, MUTANTS};
use natlaw_properties::routing::strategies::{sample, scenario};
use natlaw_properties::routing::{DEVICES, LAWS, REACHABLE};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

const CASES: u32 = 2_000;

/// At least one case in four hundred must meet each.
const ENOUGH: usize = CASES as usize / 400;

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
