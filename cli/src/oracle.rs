//! `natlaw oracle`: the model held against a real device.

use std::error::Error;
use std::fmt::{self, Write as _};
use std::path::Path;

use clap::builder::{PossibleValue, PossibleValuesParser};
use natlaw_oracle::devices::{Asking, Compared, Device};
use natlaw_oracle::laws;
use natlaw_oracle::registry::enter;
use natlaw_oracle::run::{Ran, Run, report};
use natlaw_oracle::transcript::{Case, Transcript, TranscriptError};
use serde_json::json;

use crate::{JSON_VERSION, Report};

/// Hold the model against a real device: the kernel of this machine, in a network of its own, without
/// root; with packets, where `ip` and `nft` are installed, and without. Or Open vSwitch, where that is.
///
/// The exit code is 0 where they agree, 1 where they part, 2 where the device cannot be asked, with the
/// reason in one line.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The device.
    #[arg(long, default_value = "linux", value_parser = names())]
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
    /// Nobody is called so.
    NoSuchDevice,
}

fn names() -> PossibleValuesParser {
    let value = |device: Device| PossibleValue::new(device.name()).help(device.what());
    PossibleValuesParser::new(Device::all().map(value))
}

/// Compares as the command line says.
pub(crate) fn run(args: &Args) -> Result<Report, Box<dyn Error>> {
    let device = Device::named(&args.device).ok_or(RecordError::NoSuchDevice)?;
    match args.recorded {
        true => recorded(device),
        false => live(device, args),
    }
}

fn recorded(device: Device) -> Result<Report, Box<dyn Error>> {
    let transcript = Transcript::parse(device.transcript()).map_err(RecordError::Transcript)?;
    let run =
        device.run().map(serde_json::from_str::<Run>).transpose().map_err(RecordError::Run)?;
    let mut text = match &run {
        Some(run) => format!("{}\n", report(run)),
        None => format!("{}\n\n", transcript.recorded),
    };
    let Held { followed, apart } = held(device, &transcript.cases);
    let (cases, steps) = (transcript.cases.len(), transcript.steps());
    let _ = writeln!(text, "{followed} of {cases} recordings, {steps} steps, are as the rule says");
    text += &known(&apart);
    text += "\n";
    text += &laws::report(std::slice::from_ref(&transcript));
    let json = json!({
        "version": JSON_VERSION, "run": run, "recordings": cases, "followed": followed,
        "apart_as_known": apart.iter().map(|(case, _)| case).collect::<Vec<_>>(),
    });
    let is_met = run.is_none_or(|run| run.mismatches == 0) && followed + apart.len() == cases;
    Ok(Report { text, json, as_expected: is_met })
}

fn live(device: Device, args: &Args) -> Result<Report, Box<dyn Error>> {
    enter()?;
    let Args { seed, walks, capacity, .. } = *args;
    let Compared { mut ran, told: mut cases } = device.compare(Asking { seed, walks, capacity })?;
    let Held { followed, apart } = held(device, &cases);
    let situations = cases.len();
    cases.append(&mut ran.kept);
    let transcript = Transcript { recorded: ran.run.recorded.clone(), cases };
    let mut text = format!("{}{}\n\n", report(&ran.run), rate(&ran));
    let _ = writeln!(text, "{followed} of {situations} situations are as the rule says");
    let _ =
        writeln!(text, "{}\n{}", known(&apart), laws::report(std::slice::from_ref(&transcript)));
    text += &parted(&ran, device)?;
    let json = json!({
        "version": JSON_VERSION, "run": ran.run, "situations": situations, "followed": followed,
        "apart_as_known": apart.iter().map(|(case, _)| case).collect::<Vec<_>>(),
    });
    let is_met = ran.run.mismatches == 0 && followed + apart.len() == situations;
    Ok(Report { text, json, as_expected: is_met })
}

/// Cases held to the rule of their device.
struct Held {
    /// How many are as the rule says.
    followed: usize,
    /// Those that differ in a way that is known: the case, and what the device does.
    apart: Vec<(String, &'static str)>,
}

fn held(device: Device, cases: &[Case]) -> Held {
    let follows = |case: &&Case| (device.follow())(&case.recording).is_ok();
    let (followed, parted): (Vec<_>, Vec<_>) = cases.iter().partition(follows);
    let known = |case: &&Case| Some((case.name.clone(), device.known_difference(case)?));
    let apart = parted.iter().filter_map(known);
    Held { followed: followed.len(), apart: apart.collect() }
}

/// The differences that are known, one a line.
fn known(apart: &[(String, &str)]) -> String {
    apart.iter().map(|(case, what)| format!("known to differ: {case}: {what}\n")).collect()
}

/// How fast that went, judging included.
fn rate(ran: &Ran) -> String {
    let millis = ran.took.as_millis().max(1);
    let steps = ran.run.agreement.steps as u128 * 1000 / millis;
    format!("{millis} ms, {steps} steps a second")
}

/// Where they parted, and the file that tells it in the fewest steps.
fn parted(ran: &Ran, device: Device) -> Result<String, Box<dyn Error>> {
    let Some((_, parted)) = &ran.parted else { return Ok(String::new()) };
    let saved = ran.save(Path::new("."), device.follow())?;
    let names = saved.iter().map(|path| path.display().to_string()).collect::<Vec<_>>();
    Ok(format!("\n{parted}\nsaved: {}\n", names.join(", ")))
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transcript(why) => write!(f, "the bundled transcript: {why}"),
            Self::Run(why) => write!(f, "the bundled run: {why}"),
            Self::NoSuchDevice => write!(f, "there is no device of this name"),
        }
    }
}

impl Error for RecordError {}
