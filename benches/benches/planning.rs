//! What a plan costs: the least number of addresses for a pool of 1,000 and 100 destinations.
//!
//! | id | one iteration |
//! |---|---|
//! | `plan/<profile>/1000x100` | the search over 1 to 16 addresses, by formula |
//! | `witness/<profile>/1000x100` | the arrivals that prove it, played and judged: one member for all that have ports of their own |
//!
//! Where members have ports of their own each destination is asked for a connection less than the one
//! before it; where they share ports, which has a limit over all destinations, one is asked for much.

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::Criterion;
use natlaw_properties::planner::certificate::PACKETS_MAX;
use natlaw_properties::planner::demand::Demand;
use natlaw_properties::planner::file::parse;
use natlaw_properties::planner::search::{Plan, plan};

/// Destinations of the demand.
const DESTINATIONS: usize = 100;

/// Members of the pool.
const MEMBERS: usize = 1_000;

/// Addresses that the demand needs.
const ADDRESSES: usize = 16;

fn main() {
    let mut criterion = natlaw_benches::settings().configure_from_args();
    let own = demand("azure-load-balancer", "readings = [\"no-cap-2019\"]", |index| 500 - index);
    planned(&mut criterion, "azure-load-balancer", &own);
    witness(&mut criterion, "azure-load-balancer", &own);
    let shared = demand("azure-nat-gateway", "", |index| if index == 0 { 790 } else { 10 });
    planned(&mut criterion, "azure-nat-gateway", &shared);
    criterion.final_summary();
}

/// A demand of which each destination has so many connections of a member live at once.
fn demand(profile: &str, readings: &str, flows_max: impl Fn(usize) -> usize) -> Demand {
    let mut text = format!("members = {MEMBERS}\nfind = \"virtual-ips\"\n[translator]\n");
    let _ = write!(text, "profile = \"{profile}\"\n{readings}\nhold = \"0s\"\n");
    for index in 0..DESTINATIONS {
        let flows_max = flows_max(index);
        let _ = write!(
            text,
            "[[destinations]]\nname = \"{index}\"\nto = \"tcp 198.51.100.{index}:443\"\nrate = \
             \"9/s\"\nburst = 9\nflows_max = {flows_max}\nlife_max = \"5min\"\nclose = {{ reset \
             = \"100%\" }}\n"
        );
    }
    parse(&text).unwrap_or_else(|error| panic!("{error}"))
}

fn least(plan: &Plan) -> Option<usize> {
    plan.suffices.as_ref().map(|sizing| sizing.count)
}

fn planned(criterion: &mut Criterion, profile: &str, demand: &Demand) {
    assert_eq!(least(&plan(demand)), Some(ADDRESSES), "{profile}");
    let mut group = criterion.benchmark_group("plan");
    group.sample_size(10);
    group.bench_function(format!("{profile}/{MEMBERS}x{DESTINATIONS}"), |bencher| {
        bencher.iter(|| plan(black_box(demand)));
    });
}

fn witness(criterion: &mut Criterion, profile: &str, demand: &Demand) {
    let plan = plan(demand);
    let enough = plan.suffices.expect("an answer");
    let played = enough.play(demand, PACKETS_MAX).expect("few packets");
    assert_eq!((played.refused, played.broken.len(), played.members), (None, 0, 1), "{profile}");
    let mut group = criterion.benchmark_group("witness");
    group.sample_size(10);
    group.bench_function(format!("{profile}/{MEMBERS}x{DESTINATIONS}"), |bencher| {
        bencher.iter(|| enough.play(black_box(demand), PACKETS_MAX));
    });
}
