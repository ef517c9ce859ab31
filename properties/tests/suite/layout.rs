//! Who owns which port, at every pool size.

use natlaw_model::allocator::FirstFit;
use natlaw_model::nat::{Census, Configuration, Event, Ledger, Member, Nat, Pool, PortPolicy};
use natlaw_model::ports::PortBlock;
use natlaw_model::subject::Subject;
use natlaw_model::tiers::TierTable;
use natlaw_model::translator::Translator;
use natlaw_properties::law::ValueLaw;
use natlaw_properties::nat::layout::{
    CENSUS_LAWS, LAYOUT_LAWS, Layout, RESIZE_LAWS, Resize, tiered,
};
use natlaw_properties::nat::strategies::{nat, scenario};
use natlaw_properties::tiers::{self, PortsBySize};
use proptest::prelude::*;

fn all_hold<T: std::fmt::Debug>(laws: &[ValueLaw<T>], value: &T) {
    for law in laws {
        assert!((law.holds)(value), "{}", law.name);
    }
}

#[test]
fn the_storys_table_keeps_every_law() {
    all_hold(tiers::LAWS, &PortsBySize::of(&TierTable::of_the_story(), 64_000));
}

#[test]
fn blocks_keep_every_law_at_every_pool_size() {
    let layouts: Vec<Layout> =
        (1..=1_000).map(|members| Layout::of(&tiered(members, 1)).expect("tiers")).collect();
    layouts.iter().for_each(|layout| all_hold(LAYOUT_LAWS, layout));
    for pair in layouts.windows(2) {
        let grown = Resize { before: pair[0].clone(), after: pair[1].clone() };
        let shrunk = Resize { before: pair[1].clone(), after: pair[0].clone() };
        all_hold(RESIZE_LAWS, &grown);
        all_hold(RESIZE_LAWS, &shrunk);
    }
}

#[test]
fn blocks_keep_every_law_on_several_virtual_ips_and_with_holes() {
    for members in [1, 49, 50, 51, 99, 100, 101, 200, 201, 400, 401, 800, 801, 1_000] {
        let whole = tiered(members, 3);
        all_hold(LAYOUT_LAWS, &Layout::of(&whole).expect("tiers"));
        let first = whole.pool.members().next().expect("a member");
        if let Ok(pool) = whole.pool.left_by(first) {
            let holed = whole.with(|nat| nat.pool = pool).expect("a hole is legal");
            all_hold(LAYOUT_LAWS, &Layout::of(&holed).expect("tiers"));
        }
    }
}

/// A member that joins inside a tier and leaves again changes nothing.
#[test]
fn joining_and_leaving_inside_a_tier_is_as_if_nothing_had_been() {
    let joiner = Member([10, 9, 9, 9].into());
    for members in (1..1_000).filter(|members| ![50, 100, 200, 400, 800].contains(members)) {
        let before = tiered(members, 1);
        let larger = before.pool.joined_by(joiner).expect("room for one more");
        let left = larger.left_by(joiner).expect("somebody stays");
        let after = before.with(|nat| nat.pool = left).expect("legal");
        assert_eq!(before, after);
        let during = before.with(|nat| nat.pool = larger).expect("legal");
        let layout = |nat: &Nat| Layout::of(nat).expect("tiers");
        all_hold(RESIZE_LAWS, &Resize { before: layout(&before), after: layout(&during) });
        assert_eq!(layout(&before).ports, layout(&during).ports);
    }
}

#[test]
fn manual_blocks_keep_every_law_with_both_counts_of_usable_ports() {
    for (usable, ports) in [(64_000, 96), (64_512, 96), (64_000, 10_000), (64_512, 8)] {
        let usable = PortBlock::from_len(1024, usable).expect("usable ports");
        let members = natlaw_model::nat::blocks_per_address(ports, usable) * 2;
        let pool = Pool::of_size([10, 0, 0, 1].into(), members.min(1_000)).expect("a pool");
        let change = |nat: &mut Configuration| {
            nat.ports = PortPolicy::Manual { ports, usable };
            nat.pool = pool;
        };
        let nat = tiered(1, 2).with(change).expect("a legal manual rule");
        all_hold(LAYOUT_LAWS, &Layout::of(&nat).expect("manual blocks"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..natlaw_properties::prove::config() })]

    #[test]
    fn blocks_of_any_configuration_keep_every_law(nat in nat()) {
        if let Some(layout) = Layout::of(&nat) {
            all_hold(LAYOUT_LAWS, &layout);
        }
    }

    #[test]
    fn ports_are_conserved_at_every_moment(scenario in scenario()) {
        let trace = scenario.play(&mut Translator::new(&scenario.subject, FirstFit::new));
        let mut ledger = trace.subject.ledger();
        for step in &trace.steps {
            if let Some(census) = census_of(&ledger, &step.event) {
                all_hold(CENSUS_LAWS, &census);
            }
            Nat::record(&mut ledger, &step.event, &step.outcome);
        }
    }
}

fn census_of(ledger: &Ledger, event: &Event) -> Option<Census> {
    match event {
        Event::Outbound(segment) => Some(ledger.census(segment.tuple)),
        Event::Inbound(_)
        | Event::OutboundError(_)
        | Event::InboundError(_)
        | Event::Elapse(_)
        | Event::Reconfigure(_) => None,
    }
}
