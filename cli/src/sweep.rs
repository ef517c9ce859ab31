//! A topology over its ways to fail: every law, and the smallest outage.

use std::error::Error;
use std::time::{Duration, Instant};

use itertools::Itertools as _;
use natlaw_model::routing::{Component, RoutingGraph, Walk};
use natlaw_properties::file::ScenarioFile;
use natlaw_properties::nat::grouped;
use natlaw_properties::report::{drawn, table};
use natlaw_properties::routing::sweep::classes::CLASSES_MAX;
use natlaw_properties::routing::sweep::{Breach, Effort, Outage, OutageSearch, Sweep, sweep};
use serde_json::json;

use crate::check::{self, Row};

/// What a sweep adds to the table of checks, and what it says below.
pub(crate) struct Swept {
    /// Its line in the table.
    pub(crate) row: Row,
    /// What a person wants to read of it.
    pub(crate) text: String,
    /// The same for programs.
    pub(crate) json: serde_json::Value,
}

/// Sweeps the topology of a file on the device that it names.
pub(crate) fn run(file: &ScenarioFile<RoutingGraph>) -> Result<Swept, Box<dyn Error>> {
    let begun = Instant::now();
    let swept = sweep(&file.scenario.subject, &file.device, Effort::default());
    let swept = swept.ok_or_else(|| format!("no device is called \"{}\"", file.device))?;
    Ok(Swept {
        row: row(&file.name, &swept, begun.elapsed()),
        text: text(&file.name, &swept),
        json: as_json(&file.name, &swept),
    })
}

fn row(name: &str, swept: &Sweep, took: Duration) -> Row {
    let broken = swept.verdicts.iter().filter(|verdict| verdict.broken_at.is_some());
    let findings: Vec<_> = broken.map(|verdict| check::broken(verdict.law, None)).collect();
    Row {
        subject: format!("{name}, swept"),
        events: usize::try_from(swept.answers).unwrap_or(usize::MAX),
        bindings: None,
        refusals: None,
        held: swept.held(),
        as_expected: findings.is_empty(),
        findings,
        took,
    }
}

fn text(name: &str, swept: &Sweep) -> String {
    let mut facts = table(["", ""]);
    facts.add_row(["can fail", &can_fail(swept)]);
    facts.add_row(["health vectors", &swept.vectors.to_string()]);
    facts.add_row(["classes", &classes(swept)]);
    facts.add_row(["judged", &judged(swept)]);
    facts.add_row(["smallest outage", &outage(&swept.outage)]);
    let facts = drawn(&facts);
    let walk = shown(&swept.outage).map(|outage| format!("\n\n{}", walked(outage)));
    let breach = swept.breach.as_ref().map(|breach| format!("\n\n{}", broken(breach)));
    let (walk, breach) = (walk.unwrap_or_default(), breach.unwrap_or_default());
    format!("{name}\n\n{}{walk}{breach}\n", facts.trim_start())
}

fn can_fail(swept: &Sweep) -> String {
    let components = grouped(swept.vectors.components);
    match swept.out_of_reach {
        0 => format!("{components} components"),
        few => format!("{components} components, {} of them out of reach", grouped(few)),
    }
}

fn classes(swept: &Sweep) -> String {
    let count = swept.classes.and_then(|count| usize::try_from(count).ok());
    count.map_or("more than 64 bits count".into(), grouped)
}

fn judged(swept: &Sweep) -> String {
    let count = |count: u64| grouped(usize::try_from(count).unwrap_or(usize::MAX));
    let (judged, most) = (count(swept.judged), count(CLASSES_MAX));
    let which = match swept.seed {
        None => format!("all, as up to {most} classes are"),
        Some(seed) => format!("{judged} classes of more than {most}, drawn from seed {seed}"),
    };
    let plural = if swept.questions == 1 { "" } else { "s" };
    format!("{which}; {} question{plural} of each, cold and then warm", swept.questions)
}

fn outage(search: &OutageSearch) -> String {
    match search {
        OutageSearch::Smallest(outage) => of(outage),
        OutageSearch::AtMost { outage, none_up_to } => {
            format!("{}; none of up to {none_up_to}, others not all tried", of(outage))
        }
        OutageSearch::Never => "none: every client is served whatever fails".into(),
        OutageSearch::NoneUpTo(size) => format!("none of up to {size}; others not all tried"),
        OutageSearch::NobodyAsks => "none: there is no client".into(),
    }
}

fn of(outage: &Outage) -> String {
    match outage.failed.len() {
        0 => format!("nothing need fail: {} is not served", outage.request),
        1 => format!("1 component: {}", names(&outage.failed)),
        few => format!("{few} components: {}", names(&outage.failed)),
    }
}

/// Names of what failed; of many, the first.
fn names(failed: &[Component]) -> String {
    const SHOWN: usize = 8;
    let shown = failed.iter().take(SHOWN).join(", ");
    match failed.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

const fn shown(search: &OutageSearch) -> Option<&Outage> {
    match search {
        OutageSearch::Smallest(outage) | OutageSearch::AtMost { outage, .. } => Some(outage),
        OutageSearch::Never | OutageSearch::NoneUpTo(_) | OutageSearch::NobodyAsks => None,
    }
}

fn walked(outage: &Outage) -> String {
    format!("request {}\n{}", outage.request, hops(&outage.walk))
}

/// A walk, a line for each hop.
fn hops(walk: &Walk) -> String {
    let mut lines = table(["hop", "to", "because"]);
    for (number, hop) in (1..).zip(&walk.hops) {
        lines.add_row([format!("{number}"), hop.place.to_string(), hop.rule.to_string()]);
    }
    format!("{}\n{}", drawn(&lines), walk.disposition)
}

fn broken(breach: &Breach) -> String {
    let failed = if breach.failed.is_empty() { "nothing".into() } else { names(&breach.failed) };
    format!(
        "BROKEN {}\n  down: {failed}\n  asked: {}\n  answered: {}",
        breach.law, breach.event, breach.outcome
    )
}

fn as_json(name: &str, swept: &Sweep) -> serde_json::Value {
    let outage = shown(&swept.outage).map(|outage| {
        let failed: Vec<String> = outage.failed.iter().map(ToString::to_string).collect();
        json!({ "failed": failed, "request": outage.request, "walk": outage.walk })
    });
    let broken = swept.verdicts.iter().filter(|verdict| verdict.broken_at.is_some());
    json!({
        "subject": name,
        "components": swept.vectors.components,
        "vectors": swept.vectors.to_string(),
        "classes": swept.classes,
        "judged": swept.judged,
        "seed": swept.seed,
        "answers": swept.answers,
        "laws_held": swept.held(),
        "laws_broken": broken.map(|verdict| verdict.law).collect::<Vec<_>>(),
        "is_smallest": matches!(swept.outage, OutageSearch::Smallest(_)),
        "outage": outage,
    })
}
