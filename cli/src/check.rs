//! Plays scenarios, checks every law, and prints one table.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use comfy_table::CellAlignment;
use natlaw_model::subject::Subject;
use natlaw_properties::file::ScenarioFile;
use natlaw_properties::judged::Judged;
use natlaw_properties::law::Verdict;
use natlaw_properties::nat::grouped;
use natlaw_properties::report::{drawn, table};
use natlaw_properties::values;
use natlaw_snapshots::Played;
use serde_json::json;

use crate::files::AnyFile;
use crate::progress::Progress;
use crate::{JSON_VERSION, Report, bundled, files, sweep};

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
    /// What there is to say of each law that was broken, or should have been.
    pub(crate) findings: Vec<Finding>,
    /// Whether everything is as expected.
    pub(crate) as_expected: bool,
    /// How long it took to play and judge.
    pub(crate) took: Duration,
}

/// A law that was broken, or should have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The law.
    pub(crate) law: String,
    /// The first step (from 1) that broke it; `None` for a value, or if nothing did.
    pub(crate) broken_at: Option<usize>,
    /// The step that the file names, if it does.
    pub(crate) told: Option<usize>,
}

/// Checks the given files, or everything that is bundled.
pub(crate) fn run(args: &Args) -> Result<Report, Box<dyn Error>> {
    let scenarios = match args.files.is_empty() {
        true => files::incidents()?,
        false => args.files.iter().map(|path| files::read(path)).collect::<Result<_, _>>()?,
    };
    let progress = Progress::new(scenarios.len(), "scenarios");
    let mut checked = Checked::default();
    for (done, scenario) in scenarios.into_iter().enumerate() {
        progress.at(done);
        match scenario {
            AnyFile::Nat(file) => checked.play(*file)?,
            AnyFile::Routing(file) => {
                let swept = sweep::run(&file)?;
                checked.play(*file)?;
                checked.rows.push(swept.row);
                checked.evidence.push(swept.text);
                checked.swept.push(swept.json);
            }
        }
    }
    if args.files.is_empty() {
        checked.rows.extend(values());
        checked.rows.extend(bundled::rows()?);
    }
    Ok(report(&checked))
}

/// What was checked so far.
#[derive(Default)]
struct Checked {
    rows: Vec<Row>,
    /// What a person wants to read besides the table.
    evidence: Vec<String>,
    /// What came of sweeps, for programs.
    swept: Vec<serde_json::Value>,
}

impl Checked {
    /// Plays a scenario; one that is not as expected is shown in full.
    fn play<S: Judged + fmt::Display>(
        &mut self,
        file: ScenarioFile<S>,
    ) -> Result<(), Box<dyn Error>> {
        let begun = Instant::now();
        let played = files::play(file)?;
        let row = row(&played, begun.elapsed());
        self.evidence.extend((!row.as_expected).then(|| natlaw_snapshots::report(&played)));
        self.rows.push(row);
        Ok(())
    }
}

fn row<S: Judged>(played: &Played<S>, took: Duration) -> Row {
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
fn findings<S: Subject>(file: &ScenarioFile<S>, verdicts: &[Verdict]) -> Vec<Finding> {
    let told = |law: &str| file.breaks.iter().find(|broken| broken.law == law).map(|b| b.step);
    let finding = |verdict: &Verdict| Finding {
        law: verdict.law.into(),
        broken_at: verdict.broken_at,
        told: told(verdict.law),
    };
    let says = |finding: &Finding| finding.broken_at.is_some() || finding.told.is_some();
    verdicts.iter().map(finding).filter(says).collect()
}

/// The laws of values, as rows of the same table.
fn values() -> impl Iterator<Item = Row> {
    values::JUDGED.iter().map(|judge| {
        let begun = Instant::now();
        let verdict = judge();
        Row {
            subject: verdict.subject.into(),
            events: verdict.values,
            bindings: None,
            refusals: None,
            held: verdict.held,
            as_expected: verdict.broken.is_empty(),
            findings: verdict.broken.iter().map(|law| broken(law, None)).collect(),
            took: begun.elapsed(),
        }
    })
}

fn report(checked: &Checked) -> Report {
    let Checked { rows, evidence, swept } = checked;
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
    let subjects =
        if rows.len() == 1 { "1 subject".into() } else { format!("{} subjects", rows.len()) };
    let verdict = match rows.iter().filter(|row| !row.as_expected).count() {
        0 => format!("{subjects}, as expected"),
        wrong => format!("{subjects}, {wrong} NOT as expected"),
    };
    let findings = rows
        .iter()
        .filter(|row| !row.as_expected)
        .flat_map(|row| row.findings.iter().map(|finding| format!("\n{}: {finding}", row.subject)));
    let findings: String = findings.collect();
    let evidence: String = evidence.iter().map(|report| format!("\n{report}")).collect();
    let text = format!("{}\n\n{verdict}\n{findings}\n{evidence}", drawn(&drawing));
    let text = format!("{}\n", text.trim_end());
    let rows: Vec<_> = rows.iter().map(as_json).collect();
    let json = json!({
        "version": JSON_VERSION,
        "as_expected": as_expected,
        "subjects": rows,
        "sweeps": swept,
    });
    Report { text, json, as_expected }
}

/// A law that nobody said would break.
pub(crate) fn broken(law: &str, broken_at: Option<usize>) -> Finding {
    Finding { law: law.into(), broken_at, told: None }
}

fn laws(row: &Row) -> String {
    let count = |is_one: fn(&Finding) -> bool| row.findings.iter().filter(|f| is_one(f)).count();
    let parts = [
        (count(Finding::is_as_told), "broken as told"),
        (count(|f| f.told.is_none()), "BROKEN"),
        (count(|f| f.told.is_some() && f.broken_at.is_none()), "NOT BROKEN as told"),
        (count(Finding::is_elsewhere), "BROKEN elsewhere than told"),
    ];
    let said = parts.iter().filter(|(count, _)| *count > 0);
    let said = said.map(|(count, what)| format!("{count} {what}"));
    std::iter::once(format!("{} held", row.held)).chain(said).collect::<Vec<_>>().join(", ")
}

impl Finding {
    fn is_as_told(&self) -> bool {
        self.told.is_some() && self.broken_at == self.told
    }

    fn is_elsewhere(&self) -> bool {
        self.told.is_some() && self.broken_at.is_some() && self.broken_at != self.told
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.broken_at, self.told) {
            (Some(at), Some(told)) if at == told => {
                write!(f, "{} broken at step {at}, as told", self.law)
            }
            (Some(at), Some(told)) => {
                write!(f, "{} BROKEN at step {at}, not at {told} as told", self.law)
            }
            (Some(at), None) => write!(f, "{} BROKEN at step {at}", self.law),
            (None, Some(told)) => write!(f, "{} NOT BROKEN at step {told} as told", self.law),
            (None, None) => write!(f, "{} BROKEN", self.law),
        }
    }
}

fn as_json(row: &Row) -> serde_json::Value {
    json!({
        "subject": row.subject,
        "events": row.events,
        "bindings": row.bindings,
        "refusals": row.refusals,
        "laws_held": row.held,
        "findings": row.findings.iter().map(finding_as_json).collect::<Vec<_>>(),
        "as_expected": row.as_expected,
        "took_ms": u64::try_from(row.took.as_millis()).unwrap_or(u64::MAX),
    })
}

fn finding_as_json(finding: &Finding) -> serde_json::Value {
    json!({ "law": finding.law, "broken_at": finding.broken_at, "told": finding.told })
}
