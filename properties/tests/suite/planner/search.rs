//! The least that suffices, and what one fewer lacks.

use natlaw_model::allocator::Refusal;
use natlaw_model::nat::{Outcome, Reason};
use natlaw_properties::law::check;
use natlaw_properties::nat::{LAWS, device};
use natlaw_properties::planner::certificate::{DEVICE, PACKETS_MAX};
use natlaw_properties::planner::search::{Fails, Plan, Sizing, plan};

use super::{BURST, NO_CAP, balanced, demand};

fn virtual_ips(translator: &str, destination: &str) -> Plan {
    plan(&demand(&balanced("find = \"virtual-ips\"", translator, destination)))
}

fn count(plan: &Plan) -> Option<usize> {
    plan.suffices.as_ref().map(|sizing| sizing.count)
}

fn missing(plan: &Plan) -> &Sizing {
    plan.overfull().expect("one that is too small")
}

/// The demands of the documentation for the story's burst, and the virtual IPs that each needs.
const STORY: [(&str, usize); 4] = [
    (include_str!("../../../../docs/plans/forecast_burst.toml"), 3),
    (include_str!("../../../../docs/plans/unforeseen_burst.toml"), 4),
    (include_str!("../../../../docs/plans/forecast_burst_with_hold_down.toml"), 5),
    (include_str!("../../../../docs/plans/unforeseen_burst_with_hold_down.toml"), 7),
];

#[test]
fn the_least_is_found_and_one_fewer_refuses_when_played() {
    for (text, least) in STORY {
        let demand = demand(text);
        let plan = plan(&demand);
        assert_eq!(count(&plan), Some(least));
        let sizing = plan.suffices.as_ref().expect("an answer");
        let enough = sizing.play(&demand, PACKETS_MAX).expect("played");
        assert_eq!((enough.refused, enough.broken.len()), (None, 0));
        assert_eq!(Some(enough.keys as u64), sizing.scarcest().map(|bound| bound.needed));
        let fewer = missing(&plan).play_passed(&demand, PACKETS_MAX).expect("played");
        assert_eq!((fewer.opened, fewer.broken.len()), (1_024 * (least - 1), 0));
        let refused = fewer.refused.expect("one fewer refuses");
        assert_eq!(refused.reason, Reason::Refused(Refusal::Exhausted));
        assert_eq!(refused.step, fewer.scenario.events.len());
    }
}

/// A certificate is a scenario like any other: played again on the device that it names, it gives
/// the same answers.
#[test]
fn a_certificate_plays_again_as_it_did() {
    let demand = demand(&balanced("", NO_CAP, "rate = \"9/s\"\nburst = 9\nlife_max = \"1s\""));
    let plan = plan(&demand);
    let played = missing(&plan).play_passed(&demand, PACKETS_MAX).expect("played");
    let mut again = device(DEVICE, &played.scenario.subject).expect("a device");
    let trace = played.scenario.play(&mut again);
    let refused = trace.steps.iter().position(|step| matches!(step.outcome, Outcome::Dropped(_)));
    assert_eq!(refused.map(|index| index + 1), played.refused.map(|refused| refused.step));
    assert!(check(LAWS, &trace).is_ok());
}

#[test]
fn under_a_cap_no_number_of_addresses_helps() {
    let capped = virtual_ips("", BURST);
    assert_eq!((count(&capped), capped.is_hopeless), (None, true));
    let most = missing(&capped);
    assert_eq!((most.count, most.nat.virtual_ips.len()), (254, 1));
    let [bound] = most.bounds.as_slice() else { panic!("{:?}", most.bounds) };
    assert_eq!((bound.needed, bound.room), (6_758, 1_024));
}

#[test]
fn more_than_all_addresses_give_is_not_hopeless() {
    let text = "members = 50\nfind = \"public-ips\"\n[translator]\nprofile = \
                \"azure-nat-gateway\"\n[[destinations]]\nname = \"storage\"\nto = \"tcp \
                198.51.100.1:443\"\nflows_max = 30000\nrate = \"1/s\"\nburst = 1\nlife_max = \"9h\"";
    let plan = plan(&demand(text));
    assert_eq!((count(&plan), plan.is_hopeless), (None, false));
    assert_eq!(missing(&plan).count, 16);
}

#[test]
fn ports_are_found_in_the_steps_that_may_be_chosen() {
    let text = |members| {
        format!(
            "members = {members}\nfind = \"ports\"\n[translator]\nprofile = \
             \"azure-outbound-rules\"\nhold = \"0s\"\n[[destinations]]\nname = \"storage\"\n\
             to = \"tcp 198.51.100.1:443\"\n{BURST}"
        )
    };
    let found = demand(&text(17));
    let found_plan = plan(&found);
    assert_eq!(count(&found_plan), Some(3_640));
    let fewer = missing(&found_plan);
    assert_eq!(fewer.count, 3_632);
    assert_eq!(fewer.play_passed(&found, PACKETS_MAX).expect("played").opened, 3_632);
    let crowded = plan(&demand(&text(18)));
    assert_eq!(count(&crowded), None);
    let why = match crowded.fails {
        Some(Fails::Impossible { count: 3_640, why }) => why.to_string(),
        other => panic!("{other:?}"),
    };
    assert!(why.contains("17 fit"), "{why}");
}

#[test]
fn what_is_given_is_judged_as_it_is() {
    let given = |addresses: usize| {
        let translator = format!("{NO_CAP}\nhold = \"0s\"\naddresses = {addresses}");
        plan(&demand(&balanced("", &translator, BURST)))
    };
    assert_eq!(count(&given(4)), Some(4));
    assert_eq!(missing(&given(3)).count, 3);
}
