//! `natlaw oracle`: the model held against a real device.

use std::error::Error;
use std::fmt::{self, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use clap::builder::PossibleValuesParser;
use natlaw_oracle::laws;
use natlaw_oracle::registry::{REAL, Real, enter};
use natlaw_oracle::run::{self, Ran, Run, report};
use natlaw_oracle::transcript::{Case, Transcript, TranscriptError};
use serde_json::json;

use crate::{JSON_VERSION, Report};

/// Hold the model against a real device: the kernel of this machine, in a network of its own, without
/// root and without a packet.
///
/// The exit code is 0 where they agree, 1 where they part, 2 where the device cannot be asked.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The device.
    #[arg(long, default_value = REAL[0].name, value_parser = names())]
    device: String,
    /// Print what was recorded, and ask nothing.
    #[arg(long, conflicts_with_all = ["walks", "seed", "capacity"])]
    recorded: bool,
    /// Random walks, of 100 steps and more.
    #[arg(long, default_value_t = 256)]
    walks: usize,
    /// What the walks are drawn from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Fill members too: the story's stress test, and every tier.
    #[arg(long)]
    capacity: bool,
}

/// What was recorded cannot be read.
#[derive(Debug)]
enum RecordError {
    /// The transcript.
    Transcript(TranscriptError),
    /// The run.
    Run(serde_json::Error),
}

fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(REAL.iter().map(|real| real.name))
}

/// Compares as the command line says.
pub(crate) fn run(args: &Args) -> Result<Report, Box<dyn Error>> {
    let real = REAL.iter().find(|real| real.name == args.device).unwrap_or(&REAL[0]);
    match args.recorded {
        true => recorded(real),
        false => live(real, args),
    }
}

fn recorded(real: &Real) -> Result<Report, Box<dyn Error>> {
    let transcript = Transcript::parse(real.transcript).map_err(RecordError::Transcript)?;
    let run = real.run.map(serde_json::from_str::<Run>).transpose().map_err(RecordError::Run)?;
    let mut text = String::new();
    if let Some(run) = &run {
        let _ = writeln!(text, "{}", report(run));
    }
    let follows = |case: &&Case| (real.follow)(&case.recording).is_ok();
    let followed = transcript.cases.iter().filter(follows).count();
    let (cases, steps) = (transcript.cases.len(), transcript.steps());
    let _ =
        writeln!(text, "{followed} of {cases} recordings, {steps} steps, are as the rule says\n");
    text += &laws::report(std::slice::from_ref(&transcript));
    let json =
        json!({ "version": JSON_VERSION, "run": run, "recordings": cases, "followed": followed });
    let is_met = run.is_none_or(|run| run.mismatches == 0) && followed == cases;
    Ok(Report { text, json, as_expected: is_met })
}

fn live(real: &Real, args: &Args) -> Result<Report, Box<dyn Error>> {
    enter()?;
    let mut device = (real.open)()?;
    let begun = Instant::now();
    let mut ran = run::run(&mut *device, real.follow, args.seed, args.walks)?;
    let elapsed = begun.elapsed();
    if args.capacity {
        ran.run.capacity = (real.capacity)(&mut *device)?;
    }
    let mut cases = run::situations(&mut *device, real.situations)?;
    cases.append(&mut ran.kept);
    let transcript = Transcript { recorded: ran.run.recorded.clone(), cases };
    let mut text = format!("{}{}\n\n", report(&ran.run), rate(&ran.run, elapsed));
    text += &laws::report(std::slice::from_ref(&transcript));
    text += &parted(&ran, real)?;
    let json = json!({ "version": JSON_VERSION, "run": ran.run });
    Ok(Report { text, json, as_expected: ran.run.mismatches == 0 })
}

/// How fast that went, judging included.
fn rate(run: &Run, elapsed: Duration) -> String {
    let millis = elapsed.as_millis().max(1);
    let steps = run.agreement.steps as u128 * 1000 / millis;
    format!("{millis} ms, {steps} steps a second")
}

/// Where they parted, and the file that tells it in the fewest steps.
fn parted(ran: &Ran, real: &Real) -> Result<String, Box<dyn Error>> {
    let Some((_, parted)) = &ran.parted else { return Ok(String::new()) };
    let saved = ran.save(Path::new("."), real.follow)?;
    let names = saved.iter().map(|path| path.display().to_string()).collect::<Vec<_>>();
    Ok(format!("\n{parted}\nsaved: {}\n", names.join(", ")))
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transcript(why) => write!(f, "the bundled transcript: {why}"),
            Self::Run(why) => write!(f, "the bundled run: {why}"),
        }
    }
}

impl Error for RecordError {}
