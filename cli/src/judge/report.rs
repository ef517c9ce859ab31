//! What became of a log, for a person and for a program.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::iter;

use comfy_table::CellAlignment;
use natlaw_properties::law::Verdict;
use natlaw_properties::nat::{LAWS, grouped};
use natlaw_properties::report::{drawn, table};
use serde_json::{Value, json};

use super::decided::undecided;
use super::player::{Breach, Judged};
use super::{Conntrack, Entry};
use crate::JSON_VERSION;

/// The width of the first column, in characters.
const LABEL: usize = 12;

type Line = (&'static str, String);

/// The judgement as text: what was read, what was judged, what each law says, what none can say.
pub(super) fn print(log: &Conntrack, judged: &Judged) -> String {
    let mut text = String::new();
    for (label, says) in read(log, judged).into_iter().chain(played(judged)) {
        let _ = writeln!(text, "{label:LABEL$}{says}");
    }
    let _ = writeln!(text, "\n{}", laws(judged));
    judged.breaches.iter().for_each(|breach| text.push_str(&evidence(breach)));
    for (why, laws) in reasons(judged).into_iter().rev() {
        let _ = writeln!(text, "\n{why}\n  {}", laws.join("\n  "));
    }
    text
}

/// What was read, and what of it is not judged.
fn read(log: &Conntrack, judged: &Judged) -> Vec<Line> {
    let mut lines = vec![("log", format!("{}, {}", log.format, plural(log.lines(), "line")))];
    let labels = iter::once("left out").chain(iter::repeat(""));
    let left_out = judged.left_out.iter().map(|(why, lines)| format!("{} {why}", grouped(*lines)));
    lines.extend(labels.zip(left_out));
    if log.malformed_count > 0 {
        lines.push(("malformed", plural(log.malformed_count, "line")));
        lines.extend(log.malformed.iter().map(|row| ("", row.to_string())));
    }
    let untold = log.malformed_count - log.malformed.len();
    if untold > 0 {
        lines.push(("", format!("and {} more", grouped(untold))));
    }
    lines
}

/// What was held to the laws.
fn played(judged: &Judged) -> Vec<Line> {
    let source = if judged.is_given { "given" } else { "inferred from the log" };
    let (entries, steps) = (plural(judged.entries, "line"), plural(judged.steps, "step"));
    let mut lines = vec![
        ("translator", format!("{} ({source})", judged.nat)),
        ("judged", format!("{entries} as {steps} over {}", judged.lasted)),
    ];
    if judged.backwards > 0 {
        lines.push(("clock", format!("went back before {}", plural(judged.backwards, "line"))));
    }
    lines
}

/// The laws that were judged.
fn laws(judged: &Judged) -> String {
    let mut table = table(["law", "tested", "verdict"]);
    if let Some(column) = table.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for verdict in &judged.verdicts {
        table.add_row([verdict.law.into(), grouped(verdict.tested), says(verdict, judged)]);
    }
    drawn(&table)
}

fn says(verdict: &Verdict, judged: &Judged) -> String {
    match breach_of(verdict, judged) {
        Some(Breach { step, entry, .. }) => {
            format!("BROKEN at step {step}, line {} of the log", entry.line)
        }
        None if verdict.tested == 0 => "not put to the test".into(),
        None => "holds".into(),
    }
}

fn breach_of<'a>(verdict: &Verdict, judged: &'a Judged) -> Option<&'a Breach> {
    judged.breaches.iter().find(|breach| breach.law == verdict.law)
}

/// What was asked and answered when a law broke, and what the log says of it.
fn evidence(breach: &Breach) -> String {
    let Breach { law, harm, step, at, asked, answered, entry, against } = breach;
    let mut text = format!("\nstep {step}, at {at}: {law}\n  {harm}\n  {asked}: {answered}\n");
    for entry in iter::once(entry).chain(against) {
        let _ = writeln!(text, "  line {}: {entry}", entry.line);
    }
    text
}

/// The laws that were not judged, by the reason why not. In the reverse order of the reasons, those
/// that `--nat` would decide come first.
fn reasons(judged: &Judged) -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut reasons: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for law in LAWS {
        if let Some(why) = undecided(law.name, judged.is_given) {
            reasons.entry(why).or_default().push(law.name);
        }
    }
    reasons
}

/// The judgement as a value for programs.
pub(super) fn json(log: &Conntrack, judged: &Judged) -> Value {
    let left_out: serde_json::Map<_, _> =
        judged.left_out.iter().map(|(why, lines)| (why.name().into(), json!(lines))).collect();
    let undecided = LAWS.iter().filter_map(|law| {
        let why = undecided(law.name, judged.is_given)?;
        Some(json!({ "law": law.name, "why": why }))
    });
    json!({
        "version": JSON_VERSION,
        "as_expected": judged.breaches.is_empty(),
        "log": {
            "format": log.format.to_string(),
            "lines": log.lines(),
            "malformed": log.malformed_count,
            "malformed_first": log.malformed.iter().map(ToString::to_string).collect::<Vec<_>>(),
        },
        "left_out": left_out,
        "translator": { "given": judged.is_given, "configuration": judged.nat },
        "judged": judged.entries,
        "steps": judged.steps,
        "lasted_ms": judged.lasted.millis(),
        "backwards": judged.backwards,
        "laws": judged.verdicts.iter().map(|law| law_json(law, judged)).collect::<Vec<_>>(),
        "undecided": undecided.collect::<Vec<_>>(),
    })
}

fn law_json(verdict: &Verdict, judged: &Judged) -> Value {
    let line = |entry: &Entry| json!({ "line": entry.line, "says": entry.to_string() });
    let broken = breach_of(verdict, judged).map(|breach| {
        json!({
            "step": breach.step,
            "at_ms": breach.at.millis(),
            "line": breach.entry.line,
            "asked": breach.asked,
            "answered": breach.answered,
            "evidence": iter::once(&breach.entry).chain(&breach.against).map(line).collect::<Vec<_>>(),
        })
    });
    json!({ "law": verdict.law, "tested": verdict.tested, "broken": broken })
}

fn plural(count: usize, noun: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{} {noun}{s}", grouped(count))
}
