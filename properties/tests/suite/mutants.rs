//! A law nobody has seen fail is not yet a law.

use std::collections::BTreeSet;
use std::slice::from_ref;

use natlaw_model::allocator::FirstFit;
use natlaw_model::translator::Translator;
use natlaw_properties::law::{ValueLaw, check};
use natlaw_properties::nat::deterministic::{DETERMINISTIC_LAWS, deterministic_mutants};
use natlaw_properties::nat::layout::{
    CENSUS_LAWS, LAYOUT_LAWS, RESIZE_LAWS, SEARCH_LAWS, census_mutants, layout_mutants,
    resize_mutants, search_mutants,
};
use natlaw_properties::nat::matrix::{CASES, matrix};
use natlaw_properties::nat::mutants::{Family, MUTANTS, unaltered};
use natlaw_properties::nat::strategies::sample;
use natlaw_properties::nat::{DEVICES, LAWS};
use natlaw_properties::tiers;

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
        assert!(scenario.events.len() <= 12, "{name}: {} by {}", scenario.events.len(), law.name);
        let trace = scenario.play(&mut (caught.mutant.device)(&scenario.subject));
        let broken = check(from_ref(*law), &trace).expect_err(name);
        assert_eq!(broken.evidence, trace, "{name}: the last step breaks the law");
        let sound = (DEVICES[0].device)(&scenario.subject);
        check(LAWS, &scenario.play(&mut { sound })).expect(name);
    }
}

/// The answer that is none to the question is made up, and so are the choices that nobody was seen
/// to get wrong; all other families are those of real bugs.
#[test]
fn every_family_has_a_mutant_that_some_project_was() {
    let families: Vec<_> = MUTANTS.iter().map(|mutant| mutant.family).collect();
    assert!(families.is_sorted(), "{families:?}");
    for family in Family::ALL {
        let mut mutants = MUTANTS.iter().filter(|mutant| mutant.family == family);
        let is_real = mutants.any(|mutant| mutant.row != "by hand");
        let is_made_up = matches!(family, Family::Choice | Family::Form);
        assert_eq!(is_real, !is_made_up, "{family}");
    }
}

#[test]
fn names_are_not_used_twice() {
    let laws: Vec<_> = LAWS.iter().map(|law| law.name).collect();
    let devices = <natlaw_model::nat::Nat as natlaw_properties::judged::Judged>::device_names();
    for names in [laws, devices] {
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
    }
}

/// What a mutant does not replace is right: what it breaks is owed to its defect.
#[test]
fn the_rules_that_mutants_replace_answer_as_the_obvious_allocator_does() {
    for scenario in sample(CASES) {
        let actual = scenario.play(&mut unaltered(&scenario.subject));
        let expected = scenario.play(&mut Translator::new(&scenario.subject, FirstFit::new));
        assert_eq!(actual, expected);
    }
}

/// Each value law is broken by a mutant, and each mutant breaks a law.
fn every_value_law_bites<T: std::fmt::Debug>(laws: &[ValueLaw<T>], mutants: &[(&str, T)]) {
    for law in laws {
        assert!(
            mutants.iter().any(|(_, value)| !(law.holds)(value)),
            "{} is never broken",
            law.name
        );
    }
    for (defect, value) in mutants {
        assert!(laws.iter().any(|law| !(law.holds)(value)), "\"{defect}\" breaks nothing");
    }
}

#[test]
fn every_law_of_a_value_has_a_mutant() {
    every_value_law_bites(tiers::LAWS, &tiers::mutants());
    every_value_law_bites(LAYOUT_LAWS, &layout_mutants());
    every_value_law_bites(RESIZE_LAWS, &resize_mutants());
    every_value_law_bites(DETERMINISTIC_LAWS, &deterministic_mutants());
    every_value_law_bites(CENSUS_LAWS, &census_mutants());
    every_value_law_bites(SEARCH_LAWS, &search_mutants());
}
