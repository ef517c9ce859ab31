//! Live flows across every boundary of the story's table, one member less and one more.

use natlaw_model::flow::FiveTuple;
use natlaw_model::nat::{Event, HoldDown, Member, Nat, Outcome, Signal};
use natlaw_model::subject::Scenario;
use natlaw_model::time::Duration;
use natlaw_properties::law::check;
use natlaw_properties::nat::layout::tiered;
use natlaw_properties::nat::{LAWS, ObviousTranslator, device};
use natlaw_properties::refines::refines;

/// The pool sizes around each boundary of the table.
const SIZES: [usize; 15] = [49, 50, 51, 99, 100, 101, 199, 200, 201, 399, 400, 401, 799, 800, 801];

fn nat(members: usize) -> Nat {
    let rest = HoldDown::uniform(Duration::from_secs(240));
    tiered(members, 1)
        .with(|nat| nat.timers.hold_down = rest)
        .expect("a configuration of the story")
}

/// One connection more of a member than its block has ports, from this source port on.
fn opened(nat: &Nat, member: Member, first_port: u16) -> Vec<Event> {
    let ports = u16::try_from(nat.ports_per_member().expect("tiers")).expect("a block");
    let open = |port| {
        let flow = format!("tcp {member}:{port} > 198.51.100.1:443");
        Event::outbound(flow.parse::<FiveTuple>().expect("a flow"), Signal::Open)
    };
    (first_port..=first_port + ports).map(open).collect()
}

/// The first and the last member fill their blocks, the pool changes, and both try again: at once,
/// and when every hold-down is over.
fn across(before: usize, after: usize) -> Scenario<Nat> {
    let (small, large) = (nat(before), nat(after));
    let member = |nat: &Nat, slot| nat.pool.member_in(slot).expect("a full pool");
    let both = |nat: &Nat, port| {
        let last = nat.pool.slots().len() - 1;
        [opened(nat, member(nat, 0), port), opened(nat, member(nat, last), port)].concat()
    };
    let mut events = both(&small, 10_000);
    events.push(Event::reconfigure(large.clone()));
    events.extend(both(&large, 20_000));
    events.push(Event::Elapse(Duration::from_secs(480)));
    events.extend(both(&large, 30_000));
    events.push(Event::reconfigure(small));
    Scenario { subject: nat(before), events }
}

#[test]
fn growing_and_shrinking_across_a_tier_keeps_every_law() {
    for pair in SIZES.windows(2).filter(|pair| pair[1] == pair[0] + 1) {
        for (before, after) in [(pair[0], pair[1]), (pair[1], pair[0])] {
            let scenario = across(before, after);
            for name in ["first-fit", "bitmap"] {
                let mut device = device(name, &scenario.subject).expect("a device");
                let trace = scenario.play(&mut device);
                check(LAWS, &trace).expect("every law");
                refines(&mut ObviousTranslator::new(&scenario.subject), &trace).expect("allowed");
            }
        }
    }
}

/// Growing across a boundary strands half of a full block, shrinking strands nothing.
#[test]
fn only_growing_across_a_boundary_strands_flows() {
    for boundary in [50, 100, 200, 400, 800] {
        let stranded = |before, after| {
            let scenario = across(before, after);
            let mut device = device("bitmap", &scenario.subject).expect("a device");
            let outcomes = scenario.play(&mut device).steps.into_iter().map(|step| step.outcome);
            let first = outcomes.filter_map(|outcome| match outcome {
                Outcome::Reconfigured { stranded } => Some(stranded.len()),
                _ => None,
            });
            first.take(1).sum::<usize>()
        };
        let block = nat(boundary).ports_per_member().expect("tiers") as usize;
        assert_eq!(stranded(boundary, boundary + 1), block, "half of each of two full blocks");
        assert_eq!(stranded(boundary - 1, boundary), 0, "inside the tier");
        let last_leaves = nat(boundary + 1).ports_per_member().expect("tiers") as usize;
        assert_eq!(stranded(boundary + 1, boundary), last_leaves, "those of the member that left");
    }
}
