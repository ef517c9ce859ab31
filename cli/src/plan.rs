//! `natlaw plan`: the least that a demand needs, with what proves it.

mod questions;
mod report;

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use natlaw_model::nat::Nat;
use natlaw_properties::file::{ScenarioFile, text_of};
use natlaw_properties::planner::certificate::{
    DEVICE, NotPlayed, PACKETS_AT_ONCE_MAX, PACKETS_MAX, Played,
};
use natlaw_properties::planner::demand::Demand;
use natlaw_properties::planner::file::parse;
use natlaw_properties::planner::search::{Plan, Sizing, plan};

use crate::Report;
use crate::files::InputError;

/// The fewest addresses, or ports of a member, that a demand needs: with the arrivals that fit, those
/// that one fewer refuses, and the published constants that the answer depends on.
///
/// The exit code is 0 where something suffices, 1 where nothing does, 2 for bad input.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A demand (TOML); docs/demand.toml explains every field.
    file: PathBuf,
    /// Play both certificates however long they are, one member for all that are alike.
    #[arg(long)]
    witness: bool,
    /// Write what was played to this folder as scenario files, which `natlaw check` replays.
    #[arg(long, value_name = "FOLDER")]
    write: Option<PathBuf>,
}

/// A certificate could not be written.
#[derive(Debug)]
struct Unwritten {
    path: PathBuf,
    error: io::Error,
}

/// The answer to a demand, and its certificates as they were played.
struct Planned {
    demand: Demand,
    plan: Plan,
    /// Nothing is refused of the worst arrivals.
    suffices: Option<Result<Played, NotPlayed>>,
    /// One of the worst arrivals is refused.
    fails: Option<Result<Played, NotPlayed>>,
}

/// Plans as the command line says.
pub(crate) fn run(args: &Args) -> Result<Report, Box<dyn Error>> {
    let demand = read(&args.file)?;
    let packets_max = if args.witness { PACKETS_MAX } else { PACKETS_AT_ONCE_MAX };
    let planned = Planned::new(demand, packets_max);
    let written =
        args.write.as_deref().map(|folder| planned.write(folder)).transpose()?.unwrap_or_default();
    Ok(Report {
        text: report::text(&planned, &written),
        json: report::json(&planned),
        as_expected: planned.plan.suffices.is_some() && planned.is_certified(),
    })
}

/// The demand of a file, with the file's name where it has none of its own.
fn read(path: &Path) -> Result<Demand, InputError> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path)
        .map_err(|error| InputError::Unreadable { name: name.clone(), error })?;
    let mut demand = demand(&bytes, &name)?;
    if demand.name.is_empty() {
        demand.name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    }
    Ok(demand)
}

/// The demand in these bytes; `name` is what errors call them.
pub(crate) fn demand(bytes: &[u8], name: &str) -> Result<Demand, InputError> {
    let broken = |error| InputError::Broken { name: name.to_owned(), error };
    parse(text_of(bytes).map_err(broken)?).map_err(broken)
}

impl Planned {
    fn new(demand: Demand, packets_max: u64) -> Self {
        let plan = plan(&demand);
        let suffices = plan.suffices.as_ref().map(|sizing| sizing.play(&demand, packets_max));
        let fails = plan.overfull().map(|sizing| sizing.play_passed(&demand, packets_max));
        Self { demand, plan, suffices, fails }
    }

    /// The translator that the other questions are asked of: the one that suffices, or the most
    /// that does not.
    fn sizing(&self) -> Option<&Sizing> {
        self.plan.suffices.as_ref().or(self.plan.overfull())
    }

    /// Whether what was played shows what is claimed, and no law was broken.
    fn is_certified(&self) -> bool {
        let is_as_claimed = |refused: bool| {
            move |played: &Played| played.refused.is_some() == refused && played.broken.is_empty()
        };
        self.suffices.iter().flatten().all(is_as_claimed(false))
            && self.fails.iter().flatten().all(is_as_claimed(true))
    }

    /// Writes the certificates as scenario files, and answers where they are.
    fn write(&self, folder: &Path) -> Result<Vec<PathBuf>, Unwritten> {
        let unwritten = |path: &Path| {
            let path = path.to_owned();
            |error| Unwritten { path, error }
        };
        std::fs::create_dir_all(folder).map_err(unwritten(folder))?;
        let files = [("suffices", &self.suffices), ("fails", &self.fails)];
        let mut written = Vec::new();
        for (what, played) in files {
            let Some(Ok(played)) = played else { continue };
            let file = self.scenario(what, played);
            let path = folder.join(format!("{}.toml", file.name));
            std::fs::write(&path, file.to_toml()).map_err(unwritten(&path))?;
            written.push(path);
        }
        Ok(written)
    }

    fn scenario(&self, what: &str, played: &Played) -> ScenarioFile<Nat> {
        ScenarioFile {
            name: format!("{}-{what}", self.demand.name),
            story: self.demand.story.clone(),
            device: DEVICE.into(),
            breaks: Vec::new(),
            scenario: played.scenario.clone(),
        }
    }
}

impl fmt::Display for Unwritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.error)
    }
}

impl Error for Unwritten {}
