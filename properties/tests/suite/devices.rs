//! Every sound device keeps every law, and agrees with the obvious one.

use natlaw_model::allocator::{Bitmap, FirstFit, PortAllocator, Refusal};
use natlaw_model::nat::{Configuration, Event, Nat, Outcome, Preserve, Reason, Selection};
use natlaw_model::subject::{Scenario, Trace};
use natlaw_model::translator::Translator;
use natlaw_properties::law::check;
use natlaw_properties::nat::matrix::CASES;
use natlaw_properties::nat::mutants::{Family, MUTANTS, Mutant};
use natlaw_properties::nat::strategies::{sample, scenario, scenario_where, scenario_with};
use natlaw_properties::nat::{DEVICES, LAWS, ObviousTranslator};
use natlaw_properties::prove::every_scenario;
use natlaw_properties::refines::refines;
use natlaw_properties::report;
use proptest::strategy::BoxedStrategy;

fn keeps_every_law(name: &str, scenarios: BoxedStrategy<Scenario<Nat>>) {
    let device = DEVICES.iter().find(|device| device.name == name).expect("a device").device;
    every_scenario(&format!("{name}-keeps-every-law"), name, scenarios, |scenario| {
        check(LAWS, &scenario.play(&mut device(&scenario.subject)))
    });
}

fn refines_the_obvious_translator(name: &str) {
    let device = DEVICES.iter().find(|device| device.name == name).expect("a device").device;
    every_scenario(&format!("{name}-refines-the-obvious"), name, scenario(), |scenario| {
        let trace = scenario.play(&mut device(&scenario.subject));
        refines(&mut ObviousTranslator::new(&scenario.subject), &trace)
    });
}

/// Two traces of one scenario, as a failing property prints them.
fn both(one: &Trace<Nat>, other: &Trace<Nat>) -> String {
    format!("{}\n\n{}", report::steps(one), report::steps(other))
}

#[test]
fn first_fit_keeps_every_law() {
    keeps_every_law("first-fit", scenario());
}

#[test]
fn bitmap_keeps_every_law() {
    keeps_every_law("bitmap", scenario());
}

/// It draws whatever is declared, so nothing else is.
#[test]
fn probing_keeps_every_law() {
    let drawn = |nat: &mut Configuration| {
        nat.selection = Selection::Random(7);
        nat.preserve = Preserve::default();
    };
    for name in ["vpp", "cilium", "cilium-before", "linux"] {
        keeps_every_law(name, scenario_where(drawn));
    }
}

#[test]
fn bitmap_refines_the_obvious_translator() {
    refines_the_obvious_translator("bitmap");
}

#[test]
fn probing_refines_the_obvious_translator() {
    ["vpp", "linux"].into_iter().for_each(refines_the_obvious_translator);
}

#[test]
fn bitmap_answers_as_first_fit_where_both_declare_lowest_first() {
    let play = |scenario: &Scenario<Nat>, bitmap: bool| match bitmap {
        true => scenario.play(&mut Translator::new(&scenario.subject, Bitmap::new)),
        false => scenario.play(&mut Translator::new(&scenario.subject, FirstFit::new)),
    };
    let property = "bitmap-answers-as-first-fit";
    every_scenario(property, "bitmap", scenario_with(Selection::LowestFirst), |scenario| {
        let (actual, expected) = (play(scenario, true), play(scenario, false));
        if actual == expected { Ok(()) } else { Err(both(&actual, &expected)) }
    });
}

fn gives_up_undeclared(trace: &Trace<Nat>) -> bool {
    let mut may_give_up = matches!(trace.subject.selection, Selection::RandomTries(_));
    trace.steps.iter().any(|step| {
        if let Event::Reconfigure(nat) = &step.event {
            may_give_up = matches!(nat.selection, Selection::RandomTries(_));
        }
        !may_give_up && step.outcome == Outcome::Dropped(Reason::Refused(Refusal::GaveUp))
    })
}

/// Unless it is told to draw and then give up (RFC 6056 algorithm 2).
#[test]
fn an_exact_device_gives_up_only_where_that_is_declared() {
    for exact in DEVICES.iter().filter(|device| device.is_exact) {
        let property = format!("{}-never-gives-up", exact.name);
        every_scenario(&property, exact.name, scenario(), |scenario| {
            let trace = scenario.play(&mut (exact.device)(&scenario.subject));
            if gives_up_undeclared(&trace) { Err(report::steps(&trace)) } else { Ok(()) }
        });
    }
}

/// The reference itself has to refuse what is not allowed. Which of the free endpoints is taken is a
/// matter of choice, which the reference leaves to the device; laws judge it.
#[test]
fn no_mutant_refines_the_obvious_translator() {
    let scenarios = sample(CASES);
    let is_choice = |family| matches!(family, Family::VirtualIpSpread | Family::Choice);
    let is_taken_for_sound = |mutant: &&Mutant| {
        scenarios.iter().all(|scenario| {
            let trace = scenario.play(&mut (mutant.device)(&scenario.subject));
            refines(&mut ObviousTranslator::new(&scenario.subject), &trace).is_ok()
        })
    };
    let mutants = MUTANTS.iter().filter(|mutant| !is_choice(mutant.family));
    let taken: Vec<_> = mutants.filter(is_taken_for_sound).map(|mutant| mutant.name).collect();
    assert!(taken.is_empty(), "taken for sound: {taken:?}");
}

#[test]
fn the_same_scenario_gives_the_same_trace() {
    for device in DEVICES {
        let property = format!("{}-is-deterministic", device.name);
        every_scenario(&property, device.name, scenario(), |scenario| {
            let play = || scenario.play(&mut (device.device)(&scenario.subject));
            let (once, again) = (play(), play());
            if once == again { Ok(()) } else { Err(both(&once, &again)) }
        });
    }
}

/// Allocators that count their probes never look at more candidates than they declare.
#[test]
fn a_search_stays_within_its_budget() {
    use natlaw_model::allocator::{Budget, Probing};
    use natlaw_model::flow::{Binding, FiveTuple};
    use natlaw_properties::nat::layout::{SEARCH_LAWS, Search};

    let flow = |port: u16| -> FiveTuple {
        format!("tcp 10.0.0.1:{port} > 198.51.100.1:443").parse().expect("a flow")
    };
    let nat = natlaw_properties::nat::layout::tiered(1, 2);
    for budget in [Budget::VPP, Budget::CILIUM, Budget::CILIUM_BEFORE, Budget::LINUX] {
        let mut allocator = Probing::new(&nat, budget);
        let mut bound = 0;
        for port in 1..=4_000 {
            let answer = allocator.bind(flow(port));
            bound += usize::from(answer.is_ok());
            if let (Ok(external), 0) = (answer, port % 7) {
                allocator.release(Binding { flow: flow(port), external });
            }
            let probes = allocator.probes().expect("probing counts");
            let search = Search { probes, probes_max: budget.probes_max() };
            assert!(SEARCH_LAWS.iter().all(|law| (law.holds)(&search)), "{search:?}");
        }
        assert!(bound > 1_000, "{budget:?} found only {bound}");
    }
}
