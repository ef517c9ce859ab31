//! Tables that are no traces, each computed from the model.

use comfy_table::{CellAlignment, Table};
use natlaw_model::allocator::{FirstFit, LinuxLike};
use natlaw_model::flow::FiveTuple;
use natlaw_model::nat::{Event, Nat, Outcome, PortPolicy, Signal};
use natlaw_model::ports::PortBlock;
use natlaw_model::subject::Device;
use natlaw_model::tiers::TierTable;
use natlaw_model::translator::Translator;
use natlaw_properties::nat::compliance::{carrier_grade, plain};
use natlaw_properties::nat::conformance::conformance;
use natlaw_properties::nat::layout::tiered;
use natlaw_properties::nat::matrix::{Caught, matrix};
use natlaw_properties::nat::mutants::Family;
use natlaw_properties::nat::{LAWS, allocated_ports, grouped};
use natlaw_properties::report::{drawn, table};

use crate::matrix::{self, Stopped};
use crate::{
    compliance, gallery, planning, profiles, published, routing, selection, transitions, wrapped,
};

/// A table with its name and its story.
#[derive(Debug)]
pub struct Figure {
    /// The fact that it shows, as a name.
    pub name: &'static str,
    /// What a reader should see in it.
    pub story: &'static str,
    /// Draws it.
    pub draw: fn() -> String,
}

/// The figure of a profile.
macro_rules! profile {
    ($figure:literal, $profile:literal) => {
        Figure {
            name: $figure,
            story: "Published rules as a dated value: every constant with its document, every reading \
                    of a question that documents answer differently (a star stands at the one that \
                    is taken), and where a translator of 50 members and two addresses deviates from \
                    the RFCs.",
            draw: || profiles::report($profile),
        }
    };
}

/// Every figure.
pub const FIGURES: &[Figure] = &[
    Figure {
        name: "ports_by_pool_size",
        story: "What the story's tier table gives to a member of a pool, on one virtual IP and on \
                two. The 51,200 ports that all tiers but the last share out are a fifth short of \
                the 64,000 that a virtual IP has for them.",
        draw: ports_by_pool_size,
    },
    Figure {
        name: "pool_total_by_pool_size",
        story: "The ports of a whole pool as it grows: a sawtooth. The 51st member halves every \
                block and takes half of the pool's ports away; they are not regained before the \
                100th.",
        draw: pool_total_by_pool_size,
    },
    Figure {
        name: "ports_100k_were_not_enough",
        story: "Two pools of 50 have 102,400 ports between them. One VM of one pool opens one \
                connection more than its block, and is refused while all the others lie idle.",
        draw: ports_100k_were_not_enough,
    },
    Figure {
        name: "an_instance_level_address_is_64x_or_63x",
        story: "A public address for each VM against a block of 1,024 ports: the story counts all \
                65,536 ports of the 16-bit space, of which those above the well-known ones are \
                usable. The last row is played: connections to one destination until one is \
                refused.",
        draw: an_instance_level_address,
    },
    Figure {
        name: "three_to_four_times_the_ports_are_needed",
        story: "The story's claim: its worst burst needs three to four times the ports. Under bursts \
                that are derived and assumed (docs/plans), a VM of the forecast one needs 2.4 blocks \
                of 1,024 and one of the unforeseen 3.5, so 3 and 4 virtual IPs, and one fewer is \
                refused. Where a port rests for 240 s after a FIN it takes 5 and 7; under the \
                document that caps a VM at 1,024 no number helps.",
        draw: planning::three_to_four_times_the_ports,
    },
    Figure {
        name: "which_law_catches_which_mutant",
        story: "Every mutant is a translator with one defect, most of them defects that some \
                project had. A row shows which mutants a law stops, a column which laws stop a \
                mutant, and in how few events.",
        draw: which_law_catches_which_mutant,
    },
    Figure {
        name: "the_smallest_scenario_of_each_mutant",
        story: "For every defect the fewest events that show it, found by random search and \
                shrinking. The marked step is the one whose answer breaks the law; a sound \
                translator plays the same scenario and keeps every law.",
        draw: the_smallest_scenario_of_each_mutant,
    },
    Figure {
        name: "linux_like_against_the_laws",
        story: "Linux's rule as the model has it, which is held against the kernel elsewhere, played \
                under every configuration there is here, also under those that Linux cannot be \
                given: which laws it breaks, each in the fewest events found, and how often it gives \
                up in a block that is nearly full.",
        draw: || conformance("linux-like", LinuxLike::new).to_string(),
    },
    Figure {
        name: "which_law_catches_which_selection_policy",
        story: "Every mutant is a policy that chooses endpoints with one defect. A row shows which \
                mutants a law stops, a column which laws stop a mutant, and in how few events.",
        draw: selection::which_law_catches_which,
    },
    Figure {
        name: "the_smallest_scenario_of_each_selection_policy",
        story: "For every defect the fewest events that show it, in a group of endpoints with \
                nothing in it that is not needed. The marked step is the one whose answer breaks \
                the law; the sound policy plays the same scenario and keeps every law.",
        draw: selection::gallery,
    },
    Figure {
        name: "which_law_catches_which_network",
        story: "Every mutant is a network with one defect: it decides otherwise, was told something \
                else, or tells its answer otherwise. A row shows which mutants a law stops, a column \
                which laws stop a mutant, and in how few events.",
        draw: routing::which_law_catches_which,
    },
    Figure {
        name: "the_smallest_scenario_of_each_network",
        story: "For every defect the smallest topology and the fewest events that show it, found by \
                random search and shrinking. The marked step is the one whose answer breaks the law; \
                a sound network plays the same scenario and keeps every law.",
        draw: routing::gallery,
    },
    Figure {
        name: "the_plain_translator_against_the_rfcs",
        story: "A pool of 50 behind two virtual IPs, as the model takes it unless told otherwise: \
                four minutes for every open flow, ports used again for other destinations. It \
                deviates where the RFCs ask for more.",
        draw: || against_the_rfcs(&plain()),
    },
    Figure {
        name: "a_carrier_grade_translator_against_the_rfcs",
        story: "The same pool as a carrier would configure it: mapping and filtering independent \
                of the endpoint, one address a member, the timers of the RFCs, limits, and ports \
                drawn at random. Nothing deviates; what is left is outside the model.",
        draw: || against_the_rfcs(&carrier_grade()),
    },
    Figure {
        name: "cliffs_of_a_growing_pool",
        story: "One member more than a tier has. Every member's ports are filled to one destination \
                first; the flows on the half that is reclaimed are stranded, as the document of May \
                2019 says. The last column is the size at which the pool has its old ports again.",
        draw: transitions::cliffs,
    },
    Figure {
        name: "a_full_pool_of_50_grows_to_1000",
        story: "The first 50 members fill their ports and open nothing more, while the pool grows \
                through every tier. Of 51,200 flows one in 32 is left at the end.",
        draw: transitions::growth,
    },
    Figure {
        name: "what_a_change_does_to_live_flows",
        story: "Flows are opened by every member, and then the deployment changes. A surge that \
                passes the 50th slot leaves a pool of 50 in the tier of 51 to 100: the new members \
                took slots beyond the old, and the holes that those left are no smaller pool. The \
                classic document lets a redeployed pool be reported twice as large; from 26 members \
                on that costs a tier, from 201 on it leaves the table.",
        draw: transitions::changes,
    },
    Figure {
        name: "safe_pool_sizes_are_no_interval",
        story: "Connections to one destination, shared evenly by a pool, and the pool sizes whose \
                members have the ports for their share. Between two sizes that carry a demand there \
                are others that do not: 50 members carry it, 51 do not, 79 do again.",
        draw: transitions::safe_pools,
    },
    Figure {
        name: "published_claims_checked",
        story: "What others published about ports, held against a model of the documents that they \
                speak of. Each number is computed by asking a translator: how many members it takes, \
                how many endpoints a flow may have, how many connections are accepted.",
        draw: published::claims,
    },
    profile!("profile_azure_classic", "azure-classic"),
    profile!("profile_azure_load_balancer", "azure-load-balancer"),
    profile!("profile_azure_outbound_rules", "azure-outbound-rules"),
    profile!("profile_azure_nat_gateway", "azure-nat-gateway"),
    profile!("profile_azure_nat_gateway_v2", "azure-nat-gateway-v2"),
    profile!("profile_azure_app_service", "azure-app-service"),
    profile!("profile_google_cloud_nat_static", "google-cloud-nat-static"),
    profile!("profile_google_cloud_nat_dynamic", "google-cloud-nat-dynamic"),
    profile!("profile_aws_nat_gateway", "aws-nat-gateway"),
    profile!("profile_carrier_grade", "carrier-grade"),
    profile!("profile_linux", "linux"),
];

/// A figure as it is printed and reviewed.
pub fn report(figure: &Figure) -> String {
    format!("{}\n\n{}\n\n{}\n", figure.name, wrapped(figure.story, 100), (figure.draw)())
}

fn ports_by_pool_size() -> String {
    let story = TierTable::of_the_story();
    let mut table = numbers(["members", "ports on 1 virtual IP", "on 2", "of a full pool"]);
    let mut first = 1;
    for tier in story.tiers() {
        let ports = usize::from(tier.ports);
        let full = usize::from(tier.members_max) * ports;
        let members = format!("{first}..{}", tier.members_max);
        table.add_row([members, grouped(ports), grouped(2 * ports), grouped(full)]);
        first = tier.members_max + 1;
    }
    let outside = story.ports_for(1001).map_or_else(|error| error.to_string(), |p| p.to_string());
    format!("{}\n\n{outside}", drawn(&table))
}

/// The widest bar, in characters, stands for the ports of a full pool.
const BAR_WIDTH: usize = 40;

fn pool_total_by_pool_size() -> String {
    let sizes = [
        1, 25, 49, 50, 51, 75, 99, 100, 101, 150, 200, 201, 300, 400, 401, 600, 800, 801, 900, 1000,
    ];
    let mut table = numbers(["members", "ports each", "of the pool", "change", ""]);
    let total = |members| allocated_ports(&tiered(members, 1)).unwrap_or(0);
    for members in sizes {
        let each = tiered(members, 1).ports_per_member().unwrap_or(0);
        let bar = "#".repeat(total(members) * BAR_WIDTH / 51_200);
        let change =
            if members == 1 { String::new() } else { change(total(members - 1), total(members)) };
        table.add_row([
            members.to_string(),
            grouped(each as usize),
            grouped(total(members)),
            change,
            bar,
        ]);
    }
    if let Some(bars) = table.column_mut(4) {
        bars.set_cell_alignment(CellAlignment::Left);
    }
    let regained = (52..=1_000).find(|members| total(*members) >= total(50));
    let regained = regained.map_or("never".into(), |members: usize| members.to_string());
    let largest = (1..=1_000).map(total).max().unwrap_or(0);
    format!(
        "{}\n\nchange: against a pool with one member less\nports of 50 members regained at: \
         {regained}\nmost ports of any pool: {}",
        drawn(&table),
        grouped(largest)
    )
}

/// A change in percent, to a tenth.
pub(crate) fn change(before: usize, after: usize) -> String {
    let tenths = |part: usize| (part * 1_000 + before / 2) / before;
    let (sign, tenths) = match after.checked_sub(before) {
        Some(more) => ("+", tenths(more)),
        None => ("-", tenths(before - after)),
    };
    format!("{sign}{}.{} %", tenths / 10, tenths % 10)
}

fn ports_100k_were_not_enough() -> String {
    let pools = [("first", 1_025_u16), ("second", 0)];
    let mut table = numbers(["pool", "members", "allocated", "used", "idle", "refused"]);
    let mut sums = [0; 4];
    for (name, connections) in pools {
        let nat = tiered(50, 1);
        let (accepted, refused) = opened(&nat, connections);
        let allocated = allocated_ports(&nat).unwrap_or(0);
        let row = [allocated, accepted, allocated - accepted, refused];
        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        table.add_row([name.to_string(), "50".into()].into_iter().chain(row.map(grouped)));
    }
    table.add_row(["both".to_string(), "100".into()].into_iter().chain(sums.map(grouped)));
    drawn(&table)
}

fn an_instance_level_address() -> String {
    let block = usize::from(TierTable::of_the_story().ports_for(50).unwrap_or(0));
    let usable = PortBlock::ABOVE_WELL_KNOWN.len() as usize;
    let nat = tiered(1, 1).with(|nat| nat.ports = PortPolicy::Static).unwrap_or(tiered(1, 1));
    let (played, _) = opened_from(&nat, PortBlock::ABOVE_WELL_KNOWN);
    let mut table = numbers(["whose arithmetic", "ports of a VM", "block", "times"]);
    let rows = [
        ("the story: the whole 16-bit space", 65_536),
        ("usable: 1,024 to 65,535", usable),
        ("played: static NAT, ports 1,024 to 65,535", played),
    ];
    for (whose, ports) in rows {
        let times = format!("{}x", ports / block);
        table.add_row([whose.to_string(), grouped(ports), grouped(block), times]);
    }
    if let Some(whose) = table.column_mut(0) {
        whose.set_cell_alignment(CellAlignment::Left);
    }
    drawn(&table)
}

/// The connections of the first member to one destination that are accepted and refused.
fn opened(nat: &Nat, connections: u16) -> (usize, usize) {
    match connections.checked_sub(1).and_then(|more| PortBlock::new(20_000, 20_000 + more)) {
        Some(ports) => opened_from(nat, ports),
        None => (0, 0),
    }
}

/// The same, a connection from each of these inside ports.
fn opened_from(nat: &Nat, ports: PortBlock) -> (usize, usize) {
    let flow = |port| -> FiveTuple {
        let text = format!("tcp 10.0.0.1:{port} > 141.81.109.20:443");
        text.parse().expect("a flow")
    };
    let mut device = Translator::new(nat, FirstFit::new);
    let open = |port| device.step(&Event::outbound(flow(port), Signal::Open));
    let outcomes: Vec<Outcome> = (ports.first()..=ports.last()).map(open).collect();
    let accepted = outcomes.iter().filter(|o| matches!(o, Outcome::Forwarded(_))).count();
    (accepted, outcomes.len() - accepted)
}

fn which_law_catches_which_mutant() -> String {
    let laws: Vec<_> = LAWS.iter().map(|law| law.name).collect();
    matrix::matrix(&laws, &matrix().iter().map(stopped).collect::<Vec<_>>())
}

fn stopped(caught: &Caught) -> Stopped {
    let mutant = caught.mutant;
    Stopped {
        mutant: mutant.name,
        family: mutant.family.to_string(),
        defect: mutant.defect,
        row: mutant.row,
        by: caught.by.iter().map(|(law, smallest)| (law.name, smallest.events.len())).collect(),
        best: caught.best().map(|(law, smallest)| (law.name, smallest.events.len())),
    }
}

fn the_smallest_scenario_of_each_mutant() -> String {
    let of = |family| matrix().iter().filter(move |caught| caught.mutant.family == family);
    let section = |family: Family| {
        let entries = of(family).map(gallery::entry).collect::<Vec<_>>().join("\n");
        format!("== {family}\n\n{entries}")
    };
    Family::ALL.map(section).join("\n")
}

fn against_the_rfcs(nat: &Nat) -> String {
    format!("{nat}\n\n{}", compliance::matrix(nat))
}

/// A table whose columns stand to the right.
pub(crate) fn numbers<const N: usize>(header: [&str; N]) -> Table {
    let mut table = table(header);
    table.column_iter_mut().for_each(|column| {
        column.set_cell_alignment(CellAlignment::Right);
    });
    table
}
