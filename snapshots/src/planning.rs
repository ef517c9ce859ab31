//! What the planner finds for the burst of the story, from the demands that the documentation has.

use natlaw_model::time::Duration;
use natlaw_properties::nat::grouped;
use natlaw_properties::planner::certificate::{PACKETS_MAX, Played};
use natlaw_properties::planner::demand::Demand;
use natlaw_properties::planner::file::parse;
use natlaw_properties::planner::search::{Sizing, plan};
use natlaw_properties::report::drawn;

use crate::figures::numbers;

/// Each demand, with what it is called here.
const DEMANDS: [(&str, &str); 5] = [
    ("forecast, no hold-down", include_str!("../../docs/plans/forecast_burst.toml")),
    ("unforeseen, no hold-down", include_str!("../../docs/plans/unforeseen_burst.toml")),
    ("forecast, FIN 240s", include_str!("../../docs/plans/forecast_burst_with_hold_down.toml")),
    ("unforeseen, FIN 240s", include_str!("../../docs/plans/unforeseen_burst_with_hold_down.toml")),
    ("unforeseen, capped", include_str!("../../docs/plans/no_virtual_ip_helps.toml")),
];

/// Ports of a VM of the story, on its one virtual IP.
const BLOCK: u64 = 1_024;

/// The virtual IPs that each demand needs, and what becomes of it with one fewer.
pub(crate) fn three_to_four_times_the_ports() -> String {
    let header =
        ["burst", "keys of a VM", "x 1,024", "virtual IPs", "opened with fewer", "then refused"];
    let mut table = numbers(header);
    for (name, text) in DEMANDS {
        let demand = parse(text).expect("a demand of the documentation");
        table.add_row(row(name, &demand));
    }
    format!(
        "{}\n\nkeys of a VM: the most that 1 VM holds at once, towards the store\nopened with \
         fewer: of the worst arrivals, with one virtual IP less, or with all there can be",
        drawn(&table)
    )
}

fn row(name: &str, demand: &Demand) -> [String; 6] {
    let plan = plan(demand);
    let fails = plan.overfull();
    let needed = plan.suffices.as_ref().or(fails).map_or(0, needed);
    let fewer = fails.and_then(|sizing| sizing.play_passed(demand, PACKETS_MAX).ok());
    [
        name.into(),
        grouped(usize::try_from(needed).unwrap_or(usize::MAX)),
        format!("{}.{:02}", needed / BLOCK, needed % BLOCK * 100 / BLOCK),
        plan.suffices.as_ref().map_or("none helps".into(), |sizing| enough(demand, sizing)),
        fewer.as_ref().map_or("-".into(), |played| grouped(played.opened)),
        fewer.as_ref().map_or("-".into(), refused),
    ]
}

/// How many keys a member needs towards what runs out first.
fn needed(sizing: &Sizing) -> u64 {
    sizing.scarcest().map_or(0, |bound| bound.needed)
}

/// How many suffice, if they do when played.
fn enough(demand: &Demand, sizing: &Sizing) -> String {
    match sizing.play(demand, PACKETS_MAX) {
        Ok(Played { refused: None, .. }) => sizing.count.to_string(),
        Ok(Played { refused: Some(refused), .. }) => format!("{} ({refused:?})", sizing.count),
        Err(error) => format!("{} ({error})", sizing.count),
    }
}

fn refused(played: &Played) -> String {
    let refused = played.refused.as_ref();
    refused
        .map_or("nothing".into(), |refused| format!("at {}", Duration::from_millis(refused.at_ms)))
}
