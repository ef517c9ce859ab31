//! What happened: incidents told as scenario files, and what they show as tables.
//!
//! - [`INCIDENTS`]: every file of `scenarios/`; adding one adds an incident.
//! - [`TOPOLOGIES`]: every file of `topologies/`; adding one adds a topology, which is swept too.
//! - [`fn@report`]: a scenario played and judged, as the text that is reviewed, printed and compared.
//! - [`figures`]: tables that are no traces: what a pool has by its size, which law catches what.
//! - [`compliance`]: what the RFCs ask, held against one configuration.
//! - [`profiles`]: providers' published rules, constant by constant.
//! - [`gallery`]: each mutant with the smallest scenario that shows its defect.
//!
//! The reviewed texts stand in `incidents/`, a file for each report.
//!
//! # Invariants
//! No rule of NAT lives here, and no law: a report prints what the model answers and what the laws
//! say of it. Nothing in a report depends on the machine, the clock or the order of a hash map.

pub mod compliance;
pub mod figures;
pub mod gallery;
mod matrix;
mod planning;
pub mod profiles;
mod published;
pub mod routing;
mod selection;
mod transitions;

use std::fmt::Write as _;

use comfy_table::CellAlignment;
use itertools::Itertools;
use natlaw_model::subject::{Moment, Step, Trace};
use natlaw_properties::file::ScenarioFile;
use natlaw_properties::judged::Judged;
use natlaw_properties::law::{Judge, Verdict};
use natlaw_properties::report;

/// The text of every incident, in the order of their names.
pub const INCIDENTS: &[&str] = include!(concat!(env!("OUT_DIR"), "/scenarios.rs"));

/// The text of every bundled topology, in the order of their names.
pub const TOPOLOGIES: &[&str] = include!(concat!(env!("OUT_DIR"), "/topologies.rs"));

/// A scenario that was played and judged.
pub struct Played<S: Judged> {
    /// What was asked, and what was expected of it.
    pub file: ScenarioFile<S>,
    /// What was answered.
    pub trace: Trace<S>,
    /// What became of each law.
    pub verdicts: Vec<Verdict>,
    /// Answers that began something: bindings, for a translator.
    pub begun: usize,
    /// What the answers imply at the end.
    pub ledger: S::Ledger,
}

impl<S: Judged> Played<S> {
    /// Plays a scenario on the device that its file names; `None` if there is no such device.
    pub fn new(file: ScenarioFile<S>) -> Option<Self> {
        let mut device = file.scenario.subject.device(&file.device)?;
        let trace = file.scenario.play(&mut device);
        let mut judge = Judge::new(S::LAWS, &trace.subject);
        let mut begun = 0;
        for Step { event, outcome } in &trace.steps {
            begun += usize::from(S::begins(&Moment { before: judge.ledger(), event, outcome }));
            judge.step(event, outcome);
        }
        let verdicts = judge.verdicts().to_vec();
        Some(Self { file, verdicts, begun, ledger: judge.into_ledger(), trace })
    }

    /// Whether exactly the laws broke that the file names, each first where it says.
    pub fn is_as_expected(&self) -> bool {
        self.file.is_as_expected(&self.verdicts)
    }

    /// Answers that refuse what was asked.
    pub fn refusals(&self) -> usize {
        self.trace.steps.iter().filter(|step| S::is_refusal(&step.outcome)).count()
    }

    /// Laws that were put to the test and held.
    pub fn held(&self) -> usize {
        self.verdicts.iter().filter(|v| v.tested > 0 && v.broken_at.is_none()).count()
    }
}

/// The report of a scenario: its story, its steps, its end, and the verdict of each law.
pub fn report<S: Judged + std::fmt::Display>(played: &Played<S>) -> String {
    let mut text = String::new();
    let file = &played.file;
    let _ = writeln!(text, "{}\n", file.name);
    if !file.story.is_empty() {
        let _ = writeln!(text, "{}\n", file.story.trim());
    }
    let _ = writeln!(text, "{}\nplayed on {}\n", file.scenario.subject, file.device);
    let _ = writeln!(text, "{}\n", report::steps(&played.trace));
    let _ = writeln!(text, "{}\n", summary::<S>(&played.ledger));
    let _ = writeln!(text, "{}", verdict_table(&played.verdicts));
    text
}

fn summary<S: Judged>(ledger: &S::Ledger) -> String {
    let mut table = report::table(["at the end", ""]);
    for (name, value) in S::summary(ledger) {
        table.add_row([name.to_string(), value]);
    }
    if let Some(values) = table.column_mut(1) {
        values.set_cell_alignment(CellAlignment::Right);
    }
    report::drawn(&table)
}

/// What became of each law that was put to the test, the broken ones first.
fn verdict_table(verdicts: &[Verdict]) -> String {
    let (tested, untested): (Vec<&Verdict>, Vec<&Verdict>) =
        verdicts.iter().partition(|v| v.tested > 0);
    let mut table = report::table(["law", "tested", "verdict"]);
    if let Some(column) = table.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for verdict in tested.iter().sorted_by_key(|verdict| verdict.broken_at.unwrap_or(usize::MAX)) {
        let says =
            verdict.broken_at.map_or("holds".into(), |step| format!("BROKEN at step {step}"));
        table.add_row([verdict.law.into(), verdict.tested.to_string(), says]);
    }
    format!("{}\nnot put to the test: {} laws", report::drawn(&table), untested.len())
}

/// A text with lines of at most this many characters.
fn wrapped(text: &str, width: usize) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("never empty");
        if line.len() + word.len() >= width {
            lines.push(word.into());
        } else {
            line.push_str(if line.is_empty() { "" } else { " " });
            line.push_str(word);
        }
    }
    lines.join("\n")
}
