//! The means of comparison: what agrees with a rule passes, and nothing else does.

use std::fs;
use std::path::Path;

use natlaw_model::allocator::{FirstFit, LinuxLike, PortAllocator, Refusal};
use natlaw_model::flow::{Binding, Endpoint, FiveTuple, Transport};
use natlaw_model::nat::{Event, Nat, Outcome, Reason};
use natlaw_model::subject::Scenario;
use natlaw_oracle::capacity::{self, TIER_SIZES, fill, of_the_story, tier};
use natlaw_oracle::mutants::MUTANTS;
use natlaw_oracle::play::play;
use natlaw_oracle::real::Error;
use natlaw_oracle::rule::follow_linux;
use natlaw_oracle::run::{run, situations, story};
use natlaw_oracle::situations::SITUATIONS;
use natlaw_oracle::transcript::Transcript;
use natlaw_oracle::walks::{EVENTS, walks};

use crate::modelled::Modelled;

#[test]
fn a_device_that_follows_the_rule_agrees_with_it() {
    let ran = run(&mut Modelled::new(LinuxLike::new), follow_linux, 5, 64).expect("it answers");
    assert!(ran.parted.is_none() && ran.run.mismatches == 0);
    let agreement = ran.run.agreement;
    assert!(agreement.steps >= 64 * EVENTS && agreement.exact > 500, "{agreement:?}");
    assert!(agreement.drawn > 500 && agreement.refused > 100, "{agreement:?}");
    assert_eq!(agreement.counted, 0);
}

/// What counts no probes cannot show the mistake that only the count shows.
#[test]
fn every_mistake_shows_in_what_such_a_device_answers() {
    let ran = run(&mut Modelled::new(LinuxLike::new), follow_linux, 1, 256).expect("it answers");
    let silent: Vec<_> = ran.run.noticed.iter().filter(|it| it.walks == 0).collect();
    assert_eq!(silent.iter().map(|it| it.mutant.as_str()).collect::<Vec<_>>(), ["four-windows"]);
    assert_eq!(ran.run.noticed.len(), MUTANTS.len());
}

#[test]
fn a_device_that_chooses_otherwise_parts_and_leaves_its_transcript() {
    let ran = run(&mut Modelled::new(FirstFit::new), follow_linux, 5, 4).expect("it answers");
    let (case, parted) = ran.parted.as_ref().expect("they part");
    assert!(ran.run.mismatches > 0);
    assert!(parted.to_string().starts_with("not allowed at step "), "{parted}");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let saved = ran.save(folder, follow_linux).expect("two files");
    let read = |path: &std::path::PathBuf| fs::read_to_string(path).expect("a file");
    let [whole, shrunk] = [0, 1].map(|index| Transcript::parse(&read(&saved[index])).expect("one"));
    saved.iter().for_each(|path| fs::remove_file(path).expect("a file of its own"));
    assert_eq!(whole.cases, std::slice::from_ref(case));
    let steps = shrunk.steps();
    assert!(steps < whole.steps() && follow_linux(&shrunk.cases[0].recording).is_err());
    for left_out in 0..steps {
        let kept: Vec<usize> = (0..steps).filter(|step| *step != left_out).collect();
        let less = shrunk.cases[0].recording.with_steps(&kept);
        let parts_at_its_end =
            follow_linux(&less).is_err_and(|it| it.evidence.trace.steps.len() == kept.len());
        assert!(!parts_at_its_end, "step {left_out} is not needed");
    }
}

#[test]
fn a_table_that_the_answers_do_not_imply_is_noticed() {
    let mut device = Modelled { hides: 1, ..Modelled::new(LinuxLike::new) };
    let noticed = run(&mut device, follow_linux, 5, 8).map(|ran| ran.run.mismatches);
    assert!(matches!(noticed, Err(Error::Garbled { .. })), "{noticed:?}");
}

#[test]
fn a_port_given_twice_is_not_allowed() {
    let mut device = Modelled::new(|nat| Forgetful(LinuxLike::new(nat)));
    assert!(follow_linux(&play(&mut device, &walks(5, 1)[0]).expect("it answers")).is_err());
}

/// Gives the same endpoint to everybody.
struct Forgetful(LinuxLike);

impl PortAllocator for Forgetful {
    fn bind(&mut self, flow: FiveTuple) -> Result<Endpoint, Refusal> {
        self.0.clone().bind(flow)
    }

    fn release(&mut self, _: Binding) {}

    fn reconfigure(&mut self, _: &Nat) {}
}

#[test]
fn walks_are_dense_full_and_sparse_and_of_every_transport() {
    let walks = walks(1, 256);
    let ports = |index: usize| walks[index].subject.candidates(flow_of(&walks[index].events[0]));
    let count = |least: u32, most: u32| {
        let sizes = (0..walks.len()).filter_map(|index| ports(index).map(|it| it.block().len()));
        sizes.filter(|size| (least..=most).contains(size)).count()
    };
    assert!(count(1, 8) > 64 && count(32, 128) > 32 && count(129, 1024) > 16);
    let full = walks.iter().filter(|walk| walk.events.len() >= EVENTS + 200).count();
    assert!(full >= 4, "{full}");
    let events = || walks.iter().flat_map(|walk| &walk.events);
    for transport in Transport::ALL {
        assert!(events().any(|event| flow_of(event).transport == transport), "{transport}");
    }
    assert!(events().any(|event| matches!(event, Event::Inbound(_))));
    assert!(events().any(|event| matches!(event, Event::Elapse(_))));
    assert_eq!(walks, self::walks(1, 256));
    assert_ne!(walks[0], self::walks(2, 1)[0]);
}

fn flow_of(event: &Event) -> FiveTuple {
    match event {
        Event::Outbound(segment) => segment.tuple,
        Event::Inbound(segment) => segment.tuple.reversed(),
        _ => "tcp 10.0.0.1:1 > 198.51.100.1:440".parse().expect("a flow"),
    }
}

#[test]
fn what_a_translator_alone_knows_cannot_be_asked() {
    let scenario = &walks(1, 1)[0];
    let events = vec![Event::reconfigure(scenario.subject.clone())];
    let scenario = Scenario { subject: scenario.subject.clone(), events };
    let refused = play(&mut Modelled::new(LinuxLike::new), &scenario);
    assert!(matches!(refused, Err(Error::Unsupported(_))), "{refused:?}");
}

#[test]
fn a_refusal_is_recorded_as_what_it_claims_to_be() {
    let cases = situations(&mut Modelled::new(LinuxLike::new), SITUATIONS).expect("it answers");
    for case in &cases {
        assert!(follow_linux(&case.recording).is_ok(), "{}", case.name);
        for step in &case.recording.trace.steps {
            if let Outcome::Dropped(Reason::Refused(refusal)) = step.outcome {
                assert_eq!(refusal, Refusal::Exhausted);
            }
        }
    }
    assert_eq!(cases.len(), SITUATIONS.len());
    let refused_last = |name: &str| {
        let case = cases.iter().find(|case| case.name == name).expect("a case");
        case.recording.occupied()
    };
    assert_eq!(refused_last("a pool of 64"), Some((64, 64)));
    assert_eq!(refused_last("the last port of 256"), Some((255, 256)));
    assert_eq!(refused_last("the last port of 100"), Some((99, 100)));
    assert_eq!(refused_last("two addresses, one client"), Some((8, 16)));
    assert_eq!(refused_last("a port is given again"), None);
}

/// An exact allocator gets a member to all its ports at first, and never beyond.
#[test]
fn members_of_an_exact_device_get_exactly_their_ports() {
    for (virtual_ips, ports) in [(1, 1024), (2, 2048)] {
        let row = fill(&mut Modelled::new(FirstFit::new), &of_the_story(virtual_ips));
        let row = row.expect("it answers");
        assert_eq!((row.ports, row.at_first, row.in_the_end), (ports, ports, ports));
        assert_eq!(
            (row.members, row.members_full, row.without_refusal, row.unlawful),
            (1, 1, 1, 0)
        );
    }
    assert_eq!(
        TIER_SIZES.map(|size| tier(1, size).ports_per_member()),
        [1024, 512, 256, 128, 64, 32].map(Some)
    );
}

/// One that gives up gets there after some tries; one that does not spill over never does.
#[test]
fn members_of_a_device_that_gives_up_get_there_in_the_end() {
    let (mut linux, mut exact) = (Modelled::new(LinuxLike::new), Modelled::new(FirstFit::new));
    let rows = story(&mut linux, &mut exact).expect("they answer");
    let got: Vec<_> = rows.iter().map(|row| (row.ports, row.in_the_end)).collect();
    assert_eq!(got, [(1024, 1024), (2048, 2048), (2048, 1024)]);
    assert!(rows[0].at_first < 1024 && rows[0].without_refusal == 0, "{rows:?}");
    assert_eq!((rows[2].members_full, rows[2].unlawful), (0, 0));
    assert!(capacity::report(&rows).contains("1 of 1"));
}

/// Whoever gives a port twice, or one that is another's, is found out.
#[test]
fn a_port_given_twice_is_counted_as_unlawful() {
    let row = fill(&mut Modelled::new(|nat| Forgetful(LinuxLike::new(nat))), &of_the_story(1));
    assert!(row.expect("it answers").unlawful >= 1023);
}
