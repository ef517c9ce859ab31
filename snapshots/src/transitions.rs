//! Figures of deployments that change.

use comfy_table::CellAlignment;
use itertools::Itertools as _;
use natlaw_model::nat::{InboundRule, Member};
use natlaw_model::profile::{Profile, ProfileError};
use natlaw_properties::nat::grouped;
use natlaw_properties::report::{drawn, table};
use natlaw_properties::transitions::{
    Change, Demand, Deployment, Stage, play, ports_by_size, safe_sizes,
};

use crate::figures::{change, numbers};

/// The profile of the tier table, with all frontends in use.
fn balancer() -> Profile {
    named("azure-load-balancer", "no-cap-2019")
}

fn named(name: &str, reading: &str) -> Profile {
    let profile = Profile::named(name).expect("a profile");
    profile.read_as(reading).expect("a reading of that profile")
}

/// What a pool of this size has in all.
fn total(members: usize) -> usize {
    let stages = Deployment::new(balancer(), members, 1).and_then(|d| play(&[d], 0));
    stages.ok().and_then(|stages| stages[0].ports_of_the_pool).unwrap_or(0)
}

/// Every boundary of the table, one member more.
pub(crate) fn cliffs() -> String {
    let mut table = numbers([
        "step",
        "ports a member",
        "of the pool",
        "then",
        "change",
        "live",
        "stranded",
        "regained at",
    ]);
    let totals: Vec<usize> = (1..=1_000).map(total).collect();
    for boundary in [50, 100, 200, 400, 800] {
        let full = Deployment::new(balancer(), boundary, 1).expect("a pool of the table");
        let joins = full.changed(Change::MemberJoins).expect("a pool of the table");
        let stages = play(&joins, 1_024).expect("a pool of the table");
        let [before, after] = [&stages[0], &stages[1]];
        let totals_of = |stage: &Stage| stage.ports_of_the_pool.unwrap_or(0);
        let regained = totals[boundary..].iter().position(|total| *total >= totals_of(before));
        table.add_row([
            format!("{boundary} -> {}", boundary + 1),
            format!("{} -> {}", ports(before), ports(after)),
            grouped(totals_of(before)),
            grouped(totals_of(after)),
            change(totals_of(before), totals_of(after)),
            grouped(before.live),
            grouped(after.stranded),
            regained.map_or("never".into(), |index| grouped(boundary + 1 + index)),
        ]);
    }
    drawn(&table)
}

fn ports(stage: &Stage) -> String {
    stage.ports_of_a_member.map_or("shared".into(), grouped)
}

/// A pool of 50 fills its ports, and grows through every tier.
pub(crate) fn growth() -> String {
    let sizes = [50, 51, 100, 101, 200, 201, 400, 401, 800, 801, 1_000];
    let deployments = sizes.map(|members| Deployment::new(balancer(), members, 1));
    let deployments: Result<Vec<_>, _> = deployments.into_iter().collect();
    let stages = deployments.and_then(|all| play(&all, 1_024)).expect("pools of the table");
    let mut table = numbers(["members", "ports a member", "of the pool", "stranded", "still live"]);
    for stage in stages {
        table.add_row([
            grouped(stage.members),
            ports(&stage),
            stage.ports_of_the_pool.map_or(String::new(), grouped),
            grouped(stage.stranded),
            grouped(stage.live),
        ]);
    }
    drawn(&table)
}

/// One case of the table of changes.
struct Case {
    what: &'static str,
    deployment: Deployment,
    change: Change,
    load: u16,
}

fn cases() -> Result<Vec<Case>, ProfileError> {
    let case = |what, deployment, change, load| Case { what, deployment, change, load };
    let pool = |members, addresses| Deployment::new(balancer(), members, addresses);
    let rule: InboundRule = "tcp 203.0.113.1:1100 > 10.0.0.2:443".parse().expect("a rule");
    let ruled = Deployment { rules: vec![rule], ..pool(50, 1)? };
    let classic =
        |members| Deployment::new(named("azure-classic", "fin-of-both-sides-2018"), members, 1);
    let silent = named("azure-load-balancer", "growth-not-said-2022");
    let manual = |ports, addresses| {
        let profile = Profile::named("azure-outbound-rules").expect("a profile");
        let chosen = Deployment::new(profile, 50, addresses)?;
        Ok::<_, ProfileError>(Deployment { ports: Some(ports), ..chosen })
    };
    let first = Member([10, 0, 0, 1].into());
    Ok(vec![
        case("a member joins, within a tier", pool(49, 1)?, Change::MemberJoins, 1_024),
        case("a member joins, into the next tier", pool(50, 1)?, Change::MemberJoins, 1_024),
        case("the same, half of the ports in use", pool(50, 1)?, Change::MemberJoins, 512),
        case(
            "the same, by the text of 2022",
            Deployment::new(silent, 50, 1)?,
            Change::MemberJoins,
            1_024,
        ),
        case("the newest of 51 leaves", pool(51, 1)?, Change::NewestLeaves, 512),
        case("the oldest of 51 leaves: a hole", pool(51, 1)?, Change::MemberLeaves(first), 512),
        case("an address is added", pool(50, 1)?, Change::AddressAdded, 2_048),
        case("an address is taken away", pool(50, 2)?, Change::AddressRemoved, 2_048),
        case("an inbound rule is added", pool(50, 1)?, Change::RuleAdded(rule), 1_024),
        case("an inbound rule is taken away", ruled, Change::RuleRemoved(rule), 1_024),
        case("classic, redeployed at 25", classic(25)?, Change::Redeployed, 1_024),
        case("classic, redeployed at 26", classic(26)?, Change::Redeployed, 1_024),
        case("classic, redeployed at 200", classic(200)?, Change::Redeployed, 256),
        case("classic, redeployed at 201", classic(201)?, Change::Redeployed, 128),
        case(
            "surge upgrade of 50, 1 at a time",
            pool(50, 1)?,
            Change::SurgeUpgrade { surge: 1 },
            512,
        ),
        case(
            "surge upgrade of 49, 1 at a time",
            pool(49, 1)?,
            Change::SurgeUpgrade { surge: 1 },
            512,
        ),
        case(
            "surge upgrade of 30, 30 at a time",
            pool(30, 1)?,
            Change::SurgeUpgrade { surge: 30 },
            512,
        ),
        case(
            "chosen ports 1,280, reset to default",
            manual(1_280, 1)?,
            Change::ResetToDefault,
            1_280,
        ),
    ])
}

/// What each kind of change does to live flows.
pub(crate) fn changes() -> String {
    let mut table = table([
        "change",
        "members",
        "slots then",
        "ports a member",
        "of the pool then",
        "live",
        "stranded",
        "left",
        "then live",
    ]);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let mut refused = String::new();
    for Case { what, deployment, change, load } in cases().expect("pools of the table") {
        let row = match deployment.changed(change).and_then(|all| play(&all, load)) {
            Ok(stages) => row(&stages),
            Err(error) => {
                refused += &format!("\n\n{what}: off the table\n{error}");
                continue;
            }
        };
        table.add_row([what.to_string()].into_iter().chain(row));
    }
    drawn(&table) + &refused
}

/// The way from the first stage to the last; losses are those of all stages.
fn row(stages: &[Stage]) -> Vec<String> {
    let way = |value: fn(&Stage) -> Option<usize>| {
        let told = |stage: &Stage| value(stage).map_or("shared".into(), grouped);
        let mut told: Vec<String> = stages.iter().map(told).collect();
        told.dedup();
        if told.len() > 3 {
            told.splice(1..told.len() - 1, ["..".to_string()]);
        }
        told.join(" -> ")
    };
    let (first, last) = (&stages[0], &stages[stages.len() - 1]);
    let stranded = stages.iter().map(|stage| stage.stranded).sum();
    let is_said = stages.iter().all(|stage| stage.is_said);
    let not_said = if is_said { "" } else { "not said: " };
    vec![
        way(|stage| Some(stage.members)),
        grouped(last.slots),
        way(|stage| stage.ports_of_a_member),
        grouped(last.ports_of_the_pool.unwrap_or(0)),
        grouped(first.live),
        format!("{not_said}{}", grouped(stranded)),
        grouped(stages.iter().map(|stage| stage.left).sum()),
        grouped(last.live),
    ]
}

/// Which pool sizes carry a demand that the members share evenly.
pub(crate) fn safe_pools() -> String {
    let mut table =
        table(["connections", "addresses", "profile", "sizes up to 1,000 that carry them"]);
    let capped = Profile::named("azure-load-balancer").expect("a profile");
    let profiles = [(1, "", &capped), (2, "capped at 1,024", &capped), (2, "no cap", &balancer())];
    let profiles = profiles.map(|(addresses, name, profile)| {
        let ports = ports_by_size(profile, addresses, 1_000).expect("pools of the table");
        (addresses, name, ports)
    });
    for connections in [20_000, 26_000, 40_000, 51_200, 60_000, 100_000] {
        for (addresses, name, ports) in &profiles {
            let runs = safe_sizes(ports, Demand { connections });
            let told = runs.iter().map(|run| format!("{}-{}", run.start(), run.end())).join(", ");
            let told = if told.is_empty() { "none".into() } else { told };
            table.add_row([grouped(connections), addresses.to_string(), (*name).into(), told]);
        }
    }
    drawn(&table)
}
