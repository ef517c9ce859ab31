//! Choosing one of several endpoints: the laws hold, they bite, and what they speak of is reached.

use std::collections::BTreeSet;
use std::slice::from_ref;

use natlaw_model::routing::selection::{Ask, Candidate, ConsistentHash, EndpointGroup, Method};
use natlaw_model::routing::selection::{FirstEndpoint, Policy, RoundRobin, Selected, Weighted};
use natlaw_model::subject::{Moment, Scenario, Subject, Trace};
use natlaw_properties::file::ScenarioFile;
use natlaw_properties::judged::Judged;
use natlaw_properties::law::{check, verdicts};
use natlaw_properties::prove::every_scenario;
use natlaw_properties::routing::selection::change::{
    CHANGE_LAWS, change_mutants, consistent_hash_changes,
};
use natlaw_properties::routing::selection::conformance::{assert_lawful, conformance};
use natlaw_properties::routing::selection::matrix::matrix;
use natlaw_properties::routing::selection::mutants::{Family, MUTANTS};
use natlaw_properties::routing::selection::strategies::{sample, scenario};
use natlaw_properties::routing::selection::{LAWS, REACHABLE};

const CASES: u32 = 2_000;

/// At least one case in two hundred must meet each.
const ENOUGH: usize = CASES as usize / 200;

fn played(device: &str, scenario: &Scenario<EndpointGroup>) -> Trace<EndpointGroup> {
    scenario.play(&mut scenario.subject.device(device).expect("a device"))
}

#[test]
fn the_policies_in_the_tree_keep_every_law() {
    every_scenario(
        "the_policies_in_the_tree_keep_every_law",
        "by-method",
        scenario(),
        |scenario| check(LAWS, &played("by-method", scenario)),
    );
}

#[test]
fn every_method_is_lawful_by_conformance() {
    for method in [
        Method::Priority,
        Method::Weighted,
        Method::RoundRobin,
        Method::LeastLatency { sensitivity_ms: 10 },
        Method::FirstEndpoint,
        Method::ConsistentHash { slack_percent: 0 },
    ] {
        assert_lawful("by method", method, |draw| method.policy(draw));
    }
}

#[test]
fn every_mutant_is_caught_and_every_law_catches_one() {
    let laws: BTreeSet<_> =
        matrix().iter().flat_map(|row| &row.by).map(|(law, _)| law.name).collect();
    let lawful = matrix().iter().filter(|caught| caught.best().is_none());
    let lawful: Vec<_> = lawful.map(|caught| caught.mutant.name).collect();
    let idle: Vec<_> = LAWS.iter().map(|law| law.name).filter(|law| !laws.contains(law)).collect();
    assert!(
        lawful.is_empty(),
        "mutants that keep the law they are to break: {lawful:?}, laws unbroken: {idle:?}"
    );
    assert!(idle.is_empty(), "laws that no mutant breaks: {idle:?}");
}

#[test]
fn a_counterexample_is_small_and_the_sound_policy_passes_it() {
    for caught in matrix() {
        let (law, scenario) = caught.best().expect("every mutant is caught");
        let name = caught.mutant.name;
        assert!(scenario.events.len() <= 5, "{name}: {} by {}", scenario.events.len(), law.name);
        let broken = check(from_ref(*law), &played(name, scenario)).expect_err(name);
        assert_eq!(broken.evidence, played(name, scenario), "{name}: the last step breaks the law");
        check(LAWS, &played("by-method", scenario)).expect(name);
    }
}

/// The answer that is none to the question is made up, and so is a choice that is not the best one;
/// keys that move without need are why consistent hashing was invented. The others are real bugs.
#[test]
fn every_family_has_a_mutant_that_some_project_was() {
    let families: Vec<_> = MUTANTS.iter().map(|mutant| mutant.family).collect();
    assert!(families.is_sorted(), "{families:?}");
    for family in Family::ALL {
        let mut mutants = MUTANTS.iter().filter(|mutant| mutant.family == family);
        let is_real = mutants.any(|mutant| mutant.row != "by hand");
        let is_made_up = matches!(family, Family::Order | Family::Stability | Family::Form);
        assert_eq!(is_real, !is_made_up, "{family}");
    }
}

#[test]
fn names_are_not_used_twice() {
    let laws: Vec<_> = LAWS.iter().map(|law| law.name).collect();
    let situations: Vec<_> = REACHABLE.iter().map(|situation| situation.name).collect();
    for names in [laws, situations, EndpointGroup::device_names()] {
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
    }
}

fn assert_often(names: impl Iterator<Item = &'static str>, counts: Vec<usize>) {
    let rare: Vec<_> = names.zip(counts).filter(|(_, count)| *count < ENOUGH).collect();
    assert!(rare.is_empty(), "of {CASES} cases, too few meet: {rare:#?}");
}

#[test]
fn every_premise_of_a_law_is_met() {
    let mut met = vec![0; LAWS.len()];
    for scenario in sample(CASES, &scenario()) {
        for (count, verdict) in met.iter_mut().zip(verdicts(LAWS, &played("by-method", &scenario)))
        {
            *count += usize::from(verdict.tested > 0);
        }
    }
    assert_often(LAWS.iter().map(|law| law.name), met);
}

#[test]
fn every_situation_is_reached() {
    let mut reached = vec![0; REACHABLE.len()];
    for scenario in sample(CASES, &scenario()) {
        let trace = played("by-method", &scenario);
        let mut ledger = trace.subject.ledger();
        let mut occurs = vec![false; REACHABLE.len()];
        for step in &trace.steps {
            let moment = Moment { before: &ledger, event: &step.event, outcome: &step.outcome };
            for (occurs, situation) in occurs.iter_mut().zip(REACHABLE) {
                *occurs |= (situation.occurs)(&moment);
            }
            EndpointGroup::record(&mut ledger, &step.event, &step.outcome);
        }
        reached.iter_mut().zip(occurs).for_each(|(count, occurs)| *count += usize::from(occurs));
    }
    assert_often(REACHABLE.iter().map(|situation| situation.name), reached);
}

#[test]
fn what_is_drawn_survives_its_own_text() {
    for scenario in sample(200, &scenario()) {
        let file = ScenarioFile {
            name: String::new(),
            story: String::new(),
            device: "by-method".into(),
            breaks: Vec::new(),
            scenario,
        };
        assert_eq!(ScenarioFile::parse(&file.to_toml()).expect("a legal scenario"), file);
    }
}

#[test]
fn a_change_of_one_endpoint_moves_its_keys_only() {
    let changes = consistent_hash_changes();
    assert_eq!(changes.len(), 39);
    for law in CHANGE_LAWS {
        assert!(changes.iter().all(|change| (law.holds)(change)), "{}", law.name);
        assert!(change_mutants().iter().any(|(_, change)| !(law.holds)(change)), "{}", law.name);
    }
    for (defect, change) in change_mutants() {
        assert!(CHANGE_LAWS.iter().any(|law| !(law.holds)(&change)), "\"{defect}\" breaks nothing");
    }
    let moved = changes.iter().filter(|change| change.before.homes != change.after.homes);
    assert!(moved.count() >= 24, "an endpoint has keys of its own");
}

/// Exactly the declared slack is allowed, and not one key more.
#[test]
fn the_declared_slack_is_allowed() {
    let (_, mut change) = change_mutants().pop().expect("the last one has slack");
    let holds = |change: &_| (CHANGE_LAWS[0].holds)(change);
    assert!(!holds(&change));
    change.slack_percent = 50;
    assert!(holds(&change));
    change.slack_percent = 49;
    assert!(!holds(&change));
}

/// A policy that says another method's name is found out, with a small counterexample each time.
#[test]
fn a_verdict_on_a_policy_of_ones_own_is_readable() {
    let verdict = conformance("a coin", Method::RoundRobin, |_| Weighted);
    assert!(!verdict.is_lawful());
    let broken: Vec<_> = verdict.broken_laws().map(|broken| broken.law).collect();
    assert_eq!(broken, ["over_a_cycle_each_has_exactly_its_turns"], "{verdict}");
    let text = verdict.to_string();
    assert!(text.starts_with("a coin is not lawful as round robin\n"), "{text}");
    assert!(text.contains("over_a_cycle_each_has_exactly_its_turns"), "{text}");
    assert!(text.contains("BROKEN") && text.contains("ask for "), "{text}");
    let many = verdict.steps.iter().find(|steps| steps.endpoints == 70).expect("70 endpoints");
    assert_eq!((many.used, many.declared), (140, 140));
    assert_eq!(verdict.drawn, 1_000);
}

#[test]
fn a_policy_that_moves_keys_is_told_so() {
    let verdict = conformance(
        "in turn",
        Method::ConsistentHash { slack_percent: 0 },
        RoundRobin::starting_at,
    );
    let changes: Vec<_> = verdict.changes.1.iter().map(|law| law.name).collect();
    assert_eq!(
        changes,
        ["only_keys_of_a_changed_endpoint_move", "what_changes_nothing_moves_no_key"]
    );
    assert!(verdict.to_string().contains("broken: Only keys of a changed endpoint move."));
    let lenient = conformance(
        "in turn",
        Method::ConsistentHash { slack_percent: 100 },
        RoundRobin::starting_at,
    );
    assert_eq!(lenient.changes.1.len(), 1, "{lenient}");
}

/// A policy that never says whom it would have chosen is lawful only where nobody could be.
#[test]
fn a_policy_that_always_says_nobody_is_told_so() {
    struct Nobody;
    impl Policy for Nobody {
        fn select(&mut self, _: Ask, _: &[Candidate]) -> Selected {
            Selected { choice: natlaw_model::routing::selection::Choice::Nobody, steps: 0 }
        }
        fn steps_max(&self, _: usize) -> u64 {
            0
        }
    }
    let verdict = conformance("nobody", Method::FirstEndpoint, |_| Nobody);
    let broken: Vec<_> = verdict.broken_laws().map(|broken| broken.law).collect();
    assert_eq!(broken, ["nobody_is_said_only_when_nobody_is_eligible"]);
    assert!(verdict.unreached.contains(&"the_first_endpoint_is_passed_over"), "{verdict}");
    let smallest = verdict.broken_laws().next().expect("broken");
    assert_eq!(smallest.evidence.steps.len(), 1);
    assert_eq!(smallest.evidence.subject.endpoints.len(), 1);
}

/// A list that its readers keep in another order is another list; what hashes keys does not care.
#[test]
fn only_a_client_that_keeps_its_index_cares_for_the_order() {
    let (one, other) = (Candidate::new(1), Candidate::new(2));
    let ask = Ask { key: 7, draw: 0 };
    let mut client = FirstEndpoint::new();
    let chosen = |policy: &mut dyn Policy, candidates: &[Candidate]| match policy
        .select(ask, candidates)
        .choice
    {
        natlaw_model::routing::selection::Choice::Chosen(place) => candidates[place].identity,
        choice => panic!("{choice:?}"),
    };
    assert_eq!(chosen(&mut client, &[one, other]), 1);
    assert_eq!(chosen(&mut client, &[other, one]), 1, "the index is kept");
    client.forget();
    assert_eq!(chosen(&mut client, &[other, one]), 2, "the index is discovered again");
    let home = chosen(&mut ConsistentHash, &[one, other]);
    assert_eq!(chosen(&mut ConsistentHash, &[other, one]), home);
}
