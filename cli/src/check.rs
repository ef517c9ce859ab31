//! Plays scenarios, checks every law, and prints one table.

use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use comfy_table::CellAlignment;
use natlaw_model::nat::Nat;
use natlaw_properties::file::ScenarioFile;
use natlaw_properties::law::Verdict;
use natlaw_properties::nat::grouped;
use natlaw_properties::report::{drawn, table};
use natlaw_properties::values::{self, ValueVerdict};
use natlaw_snapshots::Played;
use serde_json::json;

use crate::progress::Progress;
use crate::{JSON_VERSION, Report, bundled, files};

/// What to check.
#[derive(clap::Args, Default)]
pub(crate) struct Args {
    /// Scenario files (TOML); without any, the bundled incidents and the bundled log.
    files: Vec<PathBuf>,
}

/// One line of the table.
pub(crate) struct Row {
    /// What was judged.
    pub(crate) subject: String,
    /// How many events or values.
    pub(crate) events: usize,
    /// How many bindings were made.
    pub(crate) bindings: Option<usize>,
    /// How many flows were refused.
    pub(crate) refusals: Option<usize>,
    /// Laws that were put to the test and held.
    pub(crate) held: usize,
    /// What the laws that were broken, or should have been, say.
    pub(crate) findings: Vec<String>,
    /// Whether everything is as expected.
    pub(crate) as_expected: bool,
    /// How long it took to play and judge.
    pub(crate) took: Duration,
}

/// Checks the given files, or everything that is bundled.
pub(crate) fn run(args: &Args) -> Result<Report, Box<dyn Error>> {
    let scenarios = match args.files.is_empty() {
        true => files::incidents()?,
        false => args.files.iter().map(|path| files::read(path)).collect::<Result<_, _>>()?,
    };
    let progress = Progress::new(scenarios.len(), "scenarios");
    let (mut rows, mut evidence) = (Vec::new(), Vec::new());
    for (done, scenario) in scenarios.into_iter().enumerate() {
        progress.at(done);
        let begun = Instant::now();
        let played = files::play(scenario)?;
        let row = row(&played, begun.elapsed());
        evidence.extend((!row.as_expected).then(|| natlaw_snapshots::report(&played)));
        rows.push(row);
    }
    if args.files.is_empty() {
        rows.extend(values());
        rows.extend(bundled::rows()?);
    }
    Ok(report(&rows, &evidence))
}

fn row(played: &Played<Nat>, took: Duration) -> Row {
    Row {
        subject: played.file.name.clone(),
        events: played.trace.steps.len(),
        bindings: Some(played.begun),
        refusals: Some(played.refusals()),
        held: played.held(),
        findings: findings(&played.file, &played.verdicts),
        as_expected: played.is_as_expected(),
        took,
    }
}

/// What there is to say of each law that was broken, or should have been.
fn findings(file: &ScenarioFile<Nat>, verdicts: &[Verdict]) -> Vec<String> {
    let told = |law: &str| file.breaks.iter().find(|broken| broken.law == law).map(|b| b.step);
    let finding = |verdict: &Verdict| match (verdict.broken_at, told(verdict.law)) {
        (None, None) => None,
        (Some(at), Some(told)) if at == told => {
            Some(format!("{} broken at step {at}, as told", verdict.law))
        }
        (Some(at), Some(told)) => {
            Some(format!("{} BROKEN at step {at}, not at {told} as told", verdict.law))
        }
        (Some(at), None) => Some(format!("{} BROKEN at step {at}", verdict.law)),
        (None, Some(told)) => Some(format!("{} NOT BROKEN at step {told} as told", verdict.law)),
    };
    verdicts.iter().filter_map(finding).collect()
}

/// The laws of values, as rows of the same table.
fn values() -> impl Iterator<Item = Row> {
    let begun = Instant::now();
    let verdicts = values::verdicts();
    let took = begun.elapsed() / u32::try_from(verdicts.len()).unwrap_or(1).max(1);
    verdicts.into_iter().map(move |verdict: ValueVerdict| Row {
        subject: verdict.subject.into(),
        events: verdict.values,
        bindings: None,
        refusals: None,
        held: verdict.held,
        as_expected: verdict.broken.is_empty(),
        findings: verdict.broken.iter().map(|law| format!("{law} BROKEN")).collect(),
        took,
    })
}

fn report(rows: &[Row], evidence: &[String]) -> Report {
    let mut drawing = table(["subject", "events", "bindings", "refusals", "laws", "time"]);
    for row in rows {
        drawing.add_row([
            row.subject.clone(),
            grouped(row.events),
            row.bindings.map_or("-".into(), grouped),
            row.refusals.map_or("-".into(), grouped),
            laws(row),
            format!("{} ms", row.took.as_millis()),
        ]);
    }
    for column in [1, 2, 3, 5] {
        if let Some(column) = drawing.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let as_expected = rows.iter().all(|row| row.as_expected);
    let verdict = match rows.iter().filter(|row| !row.as_expected).count() {
        0 => format!("{} subjects, all as expected", rows.len()),
        wrong => format!("{} subjects, {wrong} NOT as expected", rows.len()),
    };
    let evidence: String = evidence.iter().map(|report| format!("\n{report}")).collect();
    let text = format!("{}\n\n{verdict}\n{evidence}", drawn(&drawing));
    let rows: Vec<_> = rows.iter().map(as_json).collect();
    let json = json!({ "version": JSON_VERSION, "as_expected": as_expected, "subjects": rows });
    Report { text, json, as_expected }
}

fn laws(row: &Row) -> String {
    let held = format!("{} held", row.held);
    std::iter::once(held).chain(row.findings.iter().cloned()).collect::<Vec<_>>().join("; ")
}

fn as_json(row: &Row) -> serde_json::Value {
    json!({
        "subject": row.subject,
        "events": row.events,
        "bindings": row.bindings,
        "refusals": row.refusals,
        "laws_held": row.held,
        "findings": row.findings,
        "as_expected": row.as_expected,
        "took_ms": u64::try_from(row.took.as_millis()).unwrap_or(u64::MAX),
    })
}
