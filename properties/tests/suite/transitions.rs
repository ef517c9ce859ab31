//! Deployments that change: every size of the table, every boundary, every kind of change.

use natlaw_model::nat::{InboundRule, Member};
use natlaw_model::profile::{Ask, Profile, ProfileError};
use natlaw_properties::published::accepted;
use natlaw_properties::transitions::{
    Change, Demand, Deployment, Stage, is_safe, play, ports_by_size, ports_of_a_member, runs,
    safe_sizes,
};

/// Every boundary of the table: the largest pool of a tier.
const BOUNDARIES: [usize; 5] = [50, 100, 200, 400, 800];

fn read_as(name: &str, reading: &str) -> Profile {
    Profile::named(name).expect("a profile").read_as(reading).expect("a reading")
}

fn balancer() -> Profile {
    read_as("azure-load-balancer", "no-cap-2019")
}

fn pool(members: usize, addresses: usize) -> Deployment {
    Deployment::new(balancer(), members, addresses).expect("a pool")
}

fn played(deployment: &Deployment, change: Change, load: u16) -> Vec<Stage> {
    let all = deployment.changed(change).expect("a change");
    play(&all, load).expect("deployments within their bounds")
}

fn stranded(stages: &[Stage]) -> usize {
    stages.iter().map(|stage| stage.stranded).sum()
}

/// The table once more, by hand.
fn by_hand(members: usize) -> usize {
    match members {
        1..=50 => 1_024,
        51..=100 => 512,
        101..=200 => 256,
        201..=400 => 128,
        401..=800 => 64,
        801..=1_000 => 32,
        _ => 0,
    }
}

#[test]
fn ports_of_a_member_are_the_tables_times_the_addresses_up_to_the_cap() {
    let capped = Profile::named("azure-load-balancer").expect("a profile");
    let ports = |profile: &Profile, members, addresses| {
        ports_of_a_member(&profile.nat(&Ask::of(members, addresses)).expect("a pool"))
            .expect("tiers")
    };
    for members in 1..=1_000 {
        for addresses in [1, 2, 3, 4, 32] {
            let expected = by_hand(members) * addresses;
            assert_eq!(ports(&balancer(), members, addresses), expected, "{members} x {addresses}");
            let expected = expected.min(1_024);
            assert_eq!(ports(&capped, members, addresses), expected, "{members} x {addresses}");
        }
    }
}

/// The lower half of a block is kept, and given first: a pool that uses no more than half of its
/// ports loses nothing by growing, whatever its size.
#[test]
fn one_flow_of_each_member_outlives_every_change_of_size() {
    for members in 1..1_000 {
        let grown = played(&pool(members, 1), Change::MemberJoins, 1);
        assert_eq!((grown[1].live, stranded(&grown)), (members, 0), "{members}");
        let shrunk = played(&pool(members + 1, 1), Change::NewestLeaves, 1);
        let last = &shrunk[1];
        assert_eq!((last.live, last.stranded, last.left), (members, 0, 1), "{members}");
    }
}

#[test]
fn half_of_a_full_pool_is_stranded_at_a_boundary_and_nothing_beside_it() {
    for boundary in BOUNDARIES {
        for (members, expected) in [(boundary - 1, 0), (boundary, 25_600), (boundary + 1, 0)] {
            let stages = played(&pool(members, 1), Change::MemberJoins, 1_024);
            let before = members * by_hand(members);
            assert_eq!(stages[0].live, before, "{members}");
            assert_eq!(stages[0].ports_of_the_pool, Some(before));
            assert_eq!(stages[1].ports_of_the_pool, Some((members + 1) * by_hand(members + 1)));
            assert_eq!(stages[1].stranded, expected, "{members}");
            assert_eq!(stages[1].live, before - expected, "{members}");
        }
    }
}

#[test]
fn shrinking_strands_only_the_flows_of_who_leaves() {
    for boundary in BOUNDARIES {
        for members in [boundary, boundary + 1, boundary + 2] {
            let stages = played(&pool(members, 1), Change::NewestLeaves, 1_024);
            let lost = by_hand(members);
            assert_eq!((stages[1].stranded, stages[1].left), (0, lost), "{members}");
        }
    }
}

#[test]
fn who_joins_and_leaves_again_changes_nothing_inside_a_tier() {
    for (members, lost) in [(49, 0), (50, 25_600), (51, 0), (99, 0), (100, 25_600)] {
        let mut all = pool(members, 1).changed(Change::MemberJoins).expect("a change");
        let back = all[1].changed(Change::NewestLeaves).expect("a change");
        all.extend(back.into_iter().skip(1));
        let stages = play(&all, 1_024).expect("pools of the table");
        assert_eq!(stages[2].ports_of_the_pool, stages[0].ports_of_the_pool);
        assert_eq!(stages[0].live - stages[2].live, lost, "{members}");
    }
}

#[test]
fn a_hole_keeps_a_pool_in_its_tier_and_the_newest_leaves_none() {
    let first = Member([10, 0, 0, 1].into());
    let hole = played(&pool(51, 1), Change::MemberLeaves(first), 512);
    assert_eq!((hole[1].members, hole[1].slots), (50, 51));
    assert_eq!((hole[1].ports_of_a_member, hole[1].left), (Some(512), 512));
    let newest = played(&pool(51, 1), Change::NewestLeaves, 512);
    assert_eq!((newest[1].slots, newest[1].ports_of_a_member), (50, Some(1_024)));
}

#[test]
fn an_address_taken_away_strands_what_left_by_it() {
    let added = played(&pool(50, 1), Change::AddressAdded, 2_048);
    assert_eq!((added[0].live, stranded(&added)), (51_200, 0));
    assert_eq!(added[1].ports_of_a_member, Some(2_048));
    let removed = played(&pool(50, 2), Change::AddressRemoved, 2_048);
    assert_eq!((removed[0].live, removed[1].stranded), (102_400, 51_200));
    assert_eq!(removed[1].live, 51_200);
    assert_eq!(removed[1].ports_of_a_member, Some(1_024));
}

#[test]
fn a_rule_strands_the_flows_on_its_group_of_eight_and_gives_them_back_when_it_goes() {
    let rule: InboundRule = "tcp 203.0.113.1:1100 > 10.0.0.2:443".parse().expect("a rule");
    let added = played(&pool(50, 1), Change::RuleAdded(rule), 1_024);
    assert_eq!((added[1].stranded, added[1].left), (8, 0));
    let ruled = Deployment { rules: vec![rule], ..pool(50, 1) };
    let removed = played(&ruled, Change::RuleRemoved(rule), 1_024);
    assert_eq!((removed[0].live, removed[1].stranded), (51_192, 0));
}

#[test]
fn a_redeployed_classic_pool_drops_a_tier_from_26_on_and_leaves_the_table_from_201_on() {
    let classic = |members| {
        let profile = Profile::named("azure-classic").expect("a profile");
        Deployment::new(profile, members, 1).expect("a pool")
    };
    let ports = |members| {
        let stages = played(&classic(members), Change::Redeployed, 1_024);
        assert_eq!(stages.len(), 3);
        assert_eq!(stages[1].members, 2 * members);
        assert_eq!(stages[0].ports_of_the_pool, stages[2].ports_of_the_pool);
        (stages[1].ports_of_a_member, stranded(&stages))
    };
    assert_eq!(ports(25), (Some(1_024), 0));
    assert_eq!(ports(26), (Some(512), 26 * 512));
    assert_eq!(ports(50), (Some(512), 50 * 512));
    assert_eq!(ports(200), (Some(128), 200 * 128));
    let beyond = classic(201).changed(Change::Redeployed).and_then(|all| play(&all, 1));
    let error = beyond.expect_err("402 members are off the table");
    assert!(matches!(error, ProfileError::TooManyMembers { members: 402, .. }), "{error}");
    let profile = read_as("azure-classic", "redeploy-not-said-2019");
    let once = Deployment::new(profile, 26, 1).expect("a pool");
    assert_eq!(stranded(&played(&once, Change::Redeployed, 1_024)), 0);
}

/// The new members took slots beyond the old ones, so a pool of 50 ends in the tier of 51 to 100.
#[test]
fn a_surge_upgrade_may_leave_holes_that_keep_a_pool_in_the_smaller_tier() {
    let end = |members, surge| {
        let stages = played(&pool(members, 1), Change::SurgeUpgrade { surge }, 1);
        let last = stages[stages.len() - 1].clone();
        assert_eq!((last.members, last.live), (members, 0));
        assert_eq!(stages.iter().map(|stage| stage.left).sum::<usize>(), members);
        (last.slots, last.ports_of_a_member)
    };
    assert_eq!(end(49, 1), (50, Some(1_024)));
    assert_eq!(end(50, 1), (51, Some(512)));
    assert_eq!(end(30, 30), (60, Some(512)));
    assert_eq!(end(25, 25), (50, Some(1_024)));
    assert_eq!(end(10, 3), (13, Some(1_024)));
}

#[test]
fn a_reset_to_the_default_strands_every_flow() {
    let profile = Profile::named("azure-outbound-rules").expect("a profile");
    let chosen = Deployment::new(profile, 50, 1).expect("a pool");
    let chosen = Deployment { ports: Some(1_280), ..chosen };
    let stages = played(&chosen, Change::ResetToDefault, 1_280);
    assert_eq!(
        (stages[0].ports_of_a_member, stages[1].ports_of_a_member),
        (Some(1_280), Some(1_024))
    );
    assert_eq!((stages[0].live, stages[1].stranded, stages[1].live), (64_000, 64_000, 0));
}

#[test]
fn what_growth_does_is_said_by_one_document_and_not_by_the_other() {
    let said = |reading, change| {
        let profile = read_as("azure-load-balancer", reading);
        let stages = played(&Deployment::new(profile, 50, 1).expect("a pool"), change, 1_024);
        (stages[1].is_said, stages[1].stranded)
    };
    assert_eq!(said("growth-reclaims-half-2019", Change::MemberJoins), (true, 25_600));
    assert_eq!(said("growth-not-said-2022", Change::MemberJoins), (false, 25_600));
    assert_eq!(said("growth-not-said-2022", Change::NewestLeaves), (true, 0));
}

#[test]
fn no_ports_are_a_members_own_where_all_draw_on_the_same() {
    let profile = Profile::named("azure-nat-gateway").expect("a profile");
    let gateway = Deployment::new(profile, 3, 2).expect("a pool");
    let stages = played(&gateway, Change::AddressRemoved, 100);
    assert_eq!(stages[0].ports_of_a_member, None);
    assert_eq!(stages[0].ports_of_the_pool, Some(2 * 64_512));
    assert_eq!(stages[0].live, 300);
}

#[test]
fn no_deployments_have_no_stages() {
    assert_eq!(play(&[], 1), Ok(Vec::new()));
}

/// At each end of each run, and one beside it, the first member opens its share: it is accepted
/// exactly where the size is safe.
#[test]
fn safe_sizes_are_those_whose_members_open_their_share_and_no_interval() {
    let demand = Demand { connections: 40_000 };
    let ports = ports_by_size(&balancer(), 1, 1_000).expect("pools of the table");
    let safe = safe_sizes(&ports, demand);
    assert_eq!(safe, [40..=50, 79..=100, 157..=200, 313..=400, 625..=800]);
    for size in
        safe.iter().flat_map(|run| [run.start() - 1, *run.start(), *run.end(), run.end() + 1])
    {
        let nat = balancer().nat(&Ask::of(size, 1)).expect("a pool of the table");
        let share = u16::try_from(demand.of_a_member(size)).expect("a small share");
        let is_carried = accepted(&nat, share) == usize::from(share);
        assert_eq!(is_carried, safe.iter().any(|run| run.contains(&size)), "{size}");
        assert_eq!(is_carried, is_safe(&nat, demand), "{size}");
    }
}

#[test]
fn runs_have_no_gaps() {
    assert_eq!(runs(&[]), []);
    assert_eq!(runs(&[1, 2, 3, 5, 7, 8]), [1..=3, 5..=5, 7..=8]);
}
