//! The generators reach what the laws speak of.

use natlaw_model::nat::Nat;
use natlaw_model::subject::{Moment, Scenario, Subject};
use natlaw_properties::law::verdicts;
use natlaw_properties::nat::strategies::scenario;
use natlaw_properties::nat::{LAWS, REACHABLE, device};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

const CASES: usize = 2_000;

fn drawn() -> Vec<Scenario<Nat>> {
    let mut runner = TestRunner::deterministic();
    let strategy = scenario();
    let mut draw = || strategy.new_tree(&mut runner).expect("a scenario").current();
    (0..CASES).map(|_| draw()).collect()
}

/// At least one case in two hundred must meet each.
const ENOUGH: usize = CASES / 200;

fn assert_often(names: impl Iterator<Item = &'static str>, counts: Vec<usize>) {
    let rare: Vec<_> = names.zip(counts).filter(|(_, count)| *count < ENOUGH).collect();
    assert!(rare.is_empty(), "of {CASES} cases, too few meet: {rare:#?}");
}

#[test]
fn every_premise_of_a_law_is_met() {
    let mut met = vec![0; LAWS.len()];
    for scenario in drawn() {
        let mut device = device("first-fit", &scenario.subject).expect("a device");
        for (count, verdict) in met.iter_mut().zip(verdicts(LAWS, &scenario.play(&mut device))) {
            *count += usize::from(verdict.tested > 0);
        }
    }
    assert_often(LAWS.iter().map(|law| law.name), met);
}

#[test]
fn every_situation_is_reached() {
    let mut reached = vec![0; REACHABLE.len()];
    for scenario in drawn() {
        let mut device = device("first-fit", &scenario.subject).expect("a device");
        let trace = scenario.play(&mut device);
        let mut ledger = trace.subject.ledger();
        let mut occurs = vec![false; REACHABLE.len()];
        for step in &trace.steps {
            let moment = Moment { before: &ledger, event: &step.event, outcome: &step.outcome };
            for (occurs, situation) in occurs.iter_mut().zip(REACHABLE) {
                *occurs |= (situation.occurs)(&moment);
            }
            Nat::record(&mut ledger, &step.event, &step.outcome);
        }
        reached.iter_mut().zip(occurs).for_each(|(count, occurs)| *count += usize::from(occurs));
    }
    assert_often(REACHABLE.iter().map(|situation| situation.name), reached);
}

/// A search with a budget gives up now and then, or its laws would be those of an exact one.
#[test]
fn a_search_with_a_budget_gives_up_now_and_then() {
    let gave_up = |scenario: &Scenario<Nat>| {
        let mut device = device("vpp", &scenario.subject).expect("a device");
        let trace = scenario.play(&mut device);
        trace.steps.iter().any(|step| step.outcome.to_string() == "refused: gave up")
    };
    assert!(drawn().iter().filter(|scenario| gave_up(scenario)).count() >= ENOUGH);
}

#[test]
fn what_is_drawn_and_what_it_shrinks_to_is_legal_and_varied() {
    let mut runner = TestRunner::deterministic();
    let strategy = scenario();
    let (mut longest, mut with_hole, mut without_events) = (0, 0, 0);
    for _ in 0..500 {
        let mut tree = strategy.new_tree(&mut runner).expect("a scenario");
        let drawn = tree.current();
        longest = longest.max(drawn.events.len());
        with_hole += usize::from(drawn.subject.pool.slots().iter().any(Option::is_none));
        without_events += usize::from(drawn.events.is_empty());
        for _ in 0..50 {
            assert_legal(&tree.current());
            if !tree.simplify() {
                break;
            }
        }
    }
    assert!(longest > 20 && with_hole > 50 && without_events > 0);
}

/// A legal scenario survives its own text: what is read is held to every rule of a configuration.
fn assert_legal(scenario: &Scenario<Nat>) {
    use natlaw_properties::file::ScenarioFile;
    let file = ScenarioFile {
        name: String::new(),
        story: String::new(),
        device: "first-fit".into(),
        breaks: Vec::new(),
        scenario: scenario.clone(),
    };
    assert_eq!(ScenarioFile::parse(&file.to_toml()).expect("a legal scenario"), file);
}
