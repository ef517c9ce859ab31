//! The mutants of networks: which law stops which, and the smallest topology and walk of each.

use natlaw_model::routing::{RoutingGraph, Topology};
use natlaw_model::subject::{Step, Trace};
use natlaw_properties::report::{drawn, table};
use natlaw_properties::routing::LAWS;
use natlaw_properties::routing::matrix::{Caught, matrix};
use natlaw_properties::routing::mutants::Family;

use crate::matrix::{self, Stopped};

/// Which law catches which mutant.
pub(crate) fn which_law_catches_which() -> String {
    let laws: Vec<_> = LAWS.iter().map(|law| law.name).collect();
    matrix::matrix(&laws, &matrix().iter().map(stopped).collect::<Vec<_>>())
}

/// Every mutant with the smallest scenario that shows its defect, family by family.
pub(crate) fn gallery() -> String {
    let of = |family| matrix().iter().filter(move |caught| caught.mutant.family == family);
    let section = |family: Family| {
        let entries = of(family).map(entry).collect::<Vec<_>>().join("\n");
        format!("== {family}\n\n{entries}")
    };
    Family::ALL.map(section).join("\n")
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

/// One mutant: its defect, where it was seen, the law that it breaks, and the smallest scenario
/// with the step that breaks it.
pub fn entry(caught: &Caught) -> String {
    let mutant = caught.mutant;
    let about = format!("{}: {}\nseen in: {}\n", mutant.name, mutant.defect, mutant.row);
    let Some((law, scenario)) = caught.best() else { return about + "breaks no law\n" };
    let trace = scenario.play(&mut (mutant.device)(&scenario.subject));
    format!(
        "{about}breaks: {}\nharm: {}\nwith:\n{}\n\n{}\n",
        law.name,
        law.harm,
        told(scenario.subject.topology()),
        drawn(&steps(&trace))
    )
}

/// A topology as its file would say it.
fn told(topology: &Topology) -> String {
    let text = toml::to_string(topology).unwrap_or_default();
    let lines = text.lines().filter(|line| !line.is_empty());
    lines.map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

/// Every step, the last one marked: it is the one that breaks the law.
fn steps(trace: &Trace<RoutingGraph>) -> comfy_table::Table {
    let mut table = table(["", "step", "asked", "answered"]);
    for (number, Step { event, outcome }) in (1..).zip(&trace.steps) {
        let mark = if number == trace.steps.len() { "=>" } else { "" };
        table.add_row([mark, &number.to_string(), &event.to_string(), &outcome.to_string()]);
    }
    table
}
