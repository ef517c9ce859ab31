//! One incident, figure, mutant or scenario file in full.

use std::error::Error;
use std::fmt;
use std::path::Path;

use natlaw_properties::file::ScenarioFile;
use natlaw_properties::judged::Judged;
use natlaw_properties::nat::matrix::caught;
use natlaw_properties::nat::mutants::{MUTANTS, Mutant};
use natlaw_properties::routing;
use natlaw_snapshots::figures::{self, FIGURES, Figure};
use natlaw_snapshots::{gallery, report};
use serde_json::json;

use crate::files::AnyFile;
use crate::{JSON_VERSION, Report, files};

/// What to show.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The name of an incident, a figure or a mutant, or the path of a scenario file.
    name: Option<String>,
}

/// There is nothing of that name.
#[derive(Debug)]
struct Unknown {
    name: String,
}

/// Shows one thing, or lists what there is.
pub(crate) fn run(args: &Args) -> Result<Report, Box<dyn Error>> {
    let incidents = files::incidents()?;
    let Some(name) = &args.name else { return Ok(list(&incidents)) };
    if let Some(figure) = FIGURES.iter().find(|figure| figure.name == name) {
        return Ok(shown_figure(figure));
    }
    if let Some(mutant) = MUTANTS.iter().find(|mutant| mutant.name == name) {
        return Ok(shown_mutant(mutant));
    }
    if let Some(mutant) = routing::mutants::MUTANTS.iter().find(|mutant| mutant.name == name) {
        return Ok(shown_routing_mutant(mutant));
    }
    match incidents.into_iter().find(|file| file.name() == *name) {
        Some(incident) => shown_file(incident),
        None if Path::new(name).exists() => shown_file(files::read(Path::new(name))?),
        None => Err(Unknown { name: name.clone() }.into()),
    }
}

fn list(incidents: &[AnyFile]) -> Report {
    let names: Vec<&str> = incidents.iter().map(AnyFile::name).collect();
    let figures: Vec<&str> = FIGURES.iter().map(|figure| figure.name).collect();
    let text = format!(
        "Incidents\n\n  {}\n\nFigures\n\n  {}\n\nnatlaw show NAME\n\nMutants are listed by \
         `natlaw devices`.\n",
        names.join("\n  "),
        figures.join("\n  ")
    );
    let json = json!({ "version": JSON_VERSION, "incidents": names, "figures": figures });
    Report { text, json, as_expected: true }
}

fn shown_figure(figure: &Figure) -> Report {
    let text = figures::report(figure);
    let json = json!({ "version": JSON_VERSION, "name": figure.name, "text": text });
    Report { text, json, as_expected: true }
}

fn shown_mutant(mutant: &'static Mutant) -> Report {
    let caught = caught(mutant);
    let smallest =
        caught.by.iter().map(|(law, scenario)| json!({ "law": law.name, "scenario": scenario }));
    let json = json!({
        "version": JSON_VERSION,
        "name": mutant.name,
        "family": mutant.family.to_string(),
        "defect": mutant.defect,
        "seen_in": mutant.row,
        "breaks": smallest.collect::<Vec<_>>(),
    });
    Report { text: gallery::entry(&caught), json, as_expected: true }
}

fn shown_routing_mutant(mutant: &'static routing::mutants::Mutant) -> Report {
    let caught = routing::matrix::caught(mutant);
    let smallest =
        caught.by.iter().map(|(law, scenario)| json!({ "law": law.name, "scenario": scenario }));
    let json = json!({
        "version": JSON_VERSION,
        "name": mutant.name,
        "family": mutant.family.to_string(),
        "defect": mutant.defect,
        "seen_in": mutant.row,
        "breaks": smallest.collect::<Vec<_>>(),
    });
    Report { text: natlaw_snapshots::routing::entry(&caught), json, as_expected: true }
}

fn shown_file(file: AnyFile) -> Result<Report, Box<dyn Error>> {
    match file {
        AnyFile::Nat(file) => shown(*file),
        AnyFile::Routing(file) => shown(*file),
    }
}

fn shown<S: Judged + fmt::Display>(file: ScenarioFile<S>) -> Result<Report, Box<dyn Error>> {
    let played = files::play(file)?;
    let verdicts = played.verdicts.iter().map(|verdict| {
        json!({ "law": verdict.law, "tested": verdict.tested, "broken_at": verdict.broken_at })
    });
    let json = json!({
        "version": JSON_VERSION,
        "name": played.file.name,
        "story": played.file.story,
        "device": played.file.device,
        "as_expected": played.is_as_expected(),
        "trace": played.trace,
        "verdicts": verdicts.collect::<Vec<_>>(),
    });
    Ok(Report { text: report(&played), json, as_expected: played.is_as_expected() })
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "\"{}\" is no incident, no figure, no mutant and no file; `natlaw show` and `natlaw \
             devices` list what there is",
            self.name
        )
    }
}

impl Error for Unknown {}
