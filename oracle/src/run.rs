//! A device held to its rule for as long as one likes, and what came of it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, io};

use itertools::Itertools as _;
use natlaw_model::flow::{Binding, FiveTuple};
use natlaw_model::nat::{Holding, Ledger, Nat};
use natlaw_properties::report::{drawn, table};
use serde::{Deserialize, Serialize};

use crate::capacity::{self, Capacity};
use crate::hosts::{self, Hosts};
use crate::mutants::{MUTANTS, Mutant};
use crate::play::{Recording, play};
use crate::real::{Error, RealNat};
use crate::rule::{Agreement, Follow, Parted, shrunk};
use crate::situations::Situation;
use crate::transcript::{Case, Recorded, Transcript};
use crate::walks::walks;

/// Walks that are kept whatever they show.
const WALKS_KEPT: usize = 8;

/// Walks on which the mistaken rules are tried; the right one is tried on all.
pub const WALKS_FOR_MUTANTS: usize = 128;

/// What came of comparing a device with its rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Who was asked.
    pub recorded: Recorded,
    /// What the walks were drawn from.
    pub seed: u64,
    /// Random walks.
    pub walks: usize,
    /// In what they agreed.
    pub agreement: Agreement,
    /// Walks in which they parted.
    pub mismatches: usize,
    /// Of each mistaken rule, the walks that showed the mistake; nothing where none was tried.
    pub noticed: Vec<Noticed>,
    /// What its members got.
    pub capacity: Vec<Capacity>,
}

/// A mistaken rule, and how often that showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Noticed {
    /// The mutant.
    pub mutant: String,
    /// What is wrong with it.
    pub mistake: String,
    /// The walks in which the device parted from it.
    pub walks: usize,
}

/// A run with what is worth keeping of it.
pub struct Ran {
    /// What came of it.
    pub run: Run,
    /// The first walks, and those that were the first to show a mistake.
    pub kept: Vec<Case>,
    /// The first walk in which device and rule parted, whole, and where.
    pub parted: Option<(Case, Box<Parted>)>,
    /// How long it took to ask, and to hold every answer to the rule.
    pub took: Duration,
}

/// Walks at random, and holds every answer to the rule.
///
/// # Errors
/// When the device does not answer, or ends with another table than its answers imply.
pub fn run(
    device: &mut dyn RealNat,
    follow: Follow,
    seed: u64,
    count: usize,
) -> Result<Ran, Error> {
    let (mut ran, begun) = (Ran::begun(device, seed), Instant::now());
    for (index, scenario) in walks(seed, count).iter().enumerate() {
        let recording = play(device, scenario)?;
        if index + 1 == count {
            check_table(device, &recording.trace.ledger())?;
        }
        ran.enter(recording, follow, index < WALKS_FOR_MUTANTS);
    }
    ran.took = begun.elapsed();
    ran.try_mutants();
    Ok(ran)
}

/// The same with a device that sees packets: what hosts say, and after each walk its table.
///
/// # Errors
/// When the device does not answer, or holds another table than its answers imply.
pub fn run_hosts(
    device: &mut dyn RealNat,
    follow: Follow,
    (seed, walks): (u64, usize),
    hosts: Hosts,
    mut look: impl FnMut(&Ledger) -> Result<(), Error>,
) -> Result<Ran, Error> {
    let (mut ran, begun) = (Ran::begun(device, seed), Instant::now());
    for (index, walk) in hosts::walks(seed, walks, hosts).iter().enumerate() {
        let recording = walk.play(device, &mut look)?;
        check_table(device, &recording.trace.ledger())?;
        ran.enter(recording, follow, index < WALKS_KEPT);
    }
    ran.took = begun.elapsed();
    Ok(ran)
}

/// Tries the mistaken rules on a recording, and tells whether it is the first to show a mistake.
fn notice(recording: &Recording, noticed: &mut [usize; MUTANTS.len()]) -> bool {
    let mut is_first = false;
    for (mutant, walks) in MUTANTS.iter().zip(noticed) {
        let shows = (mutant.follow)(recording).is_err();
        is_first |= shows && *walks == 0;
        *walks += usize::from(shows);
    }
    is_first
}

fn named(noticed: [usize; MUTANTS.len()]) -> Vec<Noticed> {
    let of = |(mutant, walks): (&Mutant, usize)| Noticed {
        mutant: mutant.name.into(),
        mistake: mutant.mistake.into(),
        walks,
    };
    MUTANTS.iter().zip(noticed).map(of).collect()
}

/// What the device answers to each situation, so that laws can be judged.
///
/// # Errors
/// When the device does not answer.
pub fn situations(device: &mut dyn RealNat, situations: &[Situation]) -> Result<Vec<Case>, Error> {
    let case = |situation: &Situation| {
        let recording = (situation.ask)(device)?;
        Ok(Case { name: situation.name.into(), story: situation.story.into(), recording })
    };
    situations.iter().map(case).collect()
}

impl Ran {
    fn begun(device: &dyn RealNat, seed: u64) -> Self {
        let run = Run {
            recorded: Recorded::by(device),
            seed,
            walks: 0,
            agreement: Agreement::default(),
            mismatches: 0,
            noticed: Vec::new(),
            capacity: Vec::new(),
        };
        Self { run, kept: Vec::new(), parted: None, took: Duration::ZERO }
    }

    /// Holds one more walk to the rule.
    fn enter(&mut self, recording: Recording, follow: Follow, is_kept: bool) {
        self.run.walks += 1;
        let name = format!("walk {}", self.run.walks);
        let case = Case { name, story: String::new(), recording };
        match follow(&case.recording) {
            Ok(agreed) => self.run.agreement = self.run.agreement.and(agreed),
            Err(why) => {
                self.run.mismatches += 1;
                self.parted.get_or_insert((case.clone(), why));
            }
        }
        self.kept.extend(is_kept.then_some(case));
    }

    /// Tries the mistaken rules on the walks that were kept, and keeps of them the first ones, and
    /// those that were the first to show a mistake.
    fn try_mutants(&mut self) {
        let mut noticed = [0; MUTANTS.len()];
        let mut indices = 0..;
        self.kept.retain(|case| {
            let is_early = indices.next().is_some_and(|index| index < WALKS_KEPT);
            notice(&case.recording, &mut noticed) || is_early
        });
        self.run.noticed = named(noticed);
    }

    /// Writes the walk in which device and rule parted, and the fewest of its steps in which they
    /// do, and tells where; nothing where they agreed.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn save(&self, folder: &Path, follow: Follow) -> io::Result<Vec<PathBuf>> {
        let parted = self.parted.as_ref();
        parted.map_or(Ok(Vec::new()), |(case, parted)| {
            save(&self.run.recorded, case, parted, follow, folder)
        })
    }
}

/// Writes a case in which device and rule parted, and the fewest of its steps in which they do, and
/// tells where.
///
/// # Errors
/// When a file cannot be written.
pub fn save(
    recorded: &Recorded,
    case: &Case,
    parted: &Parted,
    follow: Follow,
    folder: &Path,
) -> io::Result<Vec<PathBuf>> {
    let shrunk = Case { recording: shrunk(parted, follow), ..case.clone() };
    let device = &recorded.device;
    let cases =
        [(format!("{device}.jsonl"), case.clone()), (format!("{device}.shrunk.jsonl"), shrunk)];
    let write = |(name, case): (String, Case)| {
        let path = folder.join(name);
        let transcript = Transcript { recorded: recorded.clone(), cases: vec![case] };
        fs::write(&path, transcript.to_string()).map(|()| path)
    };
    cases.into_iter().map(write).collect()
}

/// The device holds what its answers imply, and nothing else.
///
/// # Errors
/// [`Error::Garbled`] where it does not; what else goes wrong when the device does not answer.
pub fn check_table(device: &mut dyn RealNat, ledger: &Ledger) -> Result<(), Error> {
    let garbled = |why| Error::Garbled { what: "a dump of the table", why };
    let is_called = |it: &Binding| is_of_a_service(&ledger.nat, it.flow);
    let (called, actual): (Vec<_>, Vec<_>) = device.table()?.into_iter().partition(is_called);
    if let Some(it) = called.iter().find(|it| !is_admitted(ledger, it.flow)) {
        return Err(garbled(format!("it has {it}, which no rule let in")));
    }
    let of = |it: &Holding| {
        let external = it.binding.external;
        it.live_flows(ledger.now).map(|flow| Binding { flow, external }).collect::<Vec<_>>()
    };
    let expected: Vec<Binding> = ledger.holdings().flat_map(of).sorted().collect();
    match actual == expected {
        true => Ok(()),
        false => Err(garbled(format!("it has {actual:?}, and the answers imply {expected:?}"))),
    }
}

fn is_of_a_service(nat: &Nat, called: FiveTuple) -> bool {
    nat.rule_at(called.transport, called.destination).is_some()
}

/// Whether the answers imply that a rule let in the connection that began with this packet.
fn is_admitted(ledger: &Ledger, called: FiveTuple) -> bool {
    let rule = ledger.nat.rule_at(called.transport, called.destination);
    let reply = rule.map(|rule| called.to(rule.inside).reversed());
    reply.and_then(|reply| ledger.admitted_through(reply)) == Some(called.destination)
}

/// The story's stress test: 1 virtual IP, then 2 named one by one and as a range.
///
/// # Errors
/// When the device does not answer.
pub fn story(
    as_range: &mut dyn RealNat,
    one_by_one: &mut dyn RealNat,
) -> Result<Vec<Capacity>, Error> {
    let [one, two] = [1, 2].map(capacity::of_the_story);
    Ok(vec![
        capacity::fill(as_range, &one)?,
        capacity::fill(one_by_one, &two)?,
        capacity::fill(as_range, &two)?,
    ])
}

/// Every tier of the story, its pool as large as it may be.
///
/// # Errors
/// When the device does not answer.
pub fn tiers(device: &mut dyn RealNat) -> Result<Vec<Capacity>, Error> {
    let sizes = capacity::TIER_SIZES.into_iter();
    sizes.map(|members| capacity::fill(device, &capacity::tier(1, members))).collect()
}

/// What was compared, on what, how often, and with what result.
pub fn report(run: &Run) -> String {
    let Agreement { steps, exact, drawn: any, refused, counted } = run.agreement;
    let mut text = format!("{}\n", run.recorded);
    let _ =
        writeln!(text, "{} steps of {} random walks compared", grouped(steps), grouped(run.walks));
    let _ = writeln!(text, "{} mismatches\n", run.mismatches);
    let mut drawing = table(["new flows", "", ""]);
    for (what, number, says) in [
        ("one answer allowed", exact, "as the rule says"),
        ("one of several endpoints", any, "each a free one of the flow's address"),
        ("refused", refused, "each where a search may find nothing"),
        ("refused and counted", counted, "as many taken ports looked at as the rule says"),
    ] {
        drawing.add_row([what, &grouped(number), says]);
    }
    let _ = writeln!(text, "{}", drawn(&drawing));
    if !run.noticed.is_empty() {
        let _ = writeln!(text, "\n{}", mistakes(run));
    }
    if !run.capacity.is_empty() {
        let _ = writeln!(text, "\n{}", capacity::report(&run.capacity));
    }
    text
}

fn mistakes(run: &Run) -> String {
    let mut drawing = table(["mistaken rule", "mistake", "noticed in walks"]);
    for Noticed { mutant, mistake, walks } in &run.noticed {
        drawing.add_row([mutant, mistake, &grouped(*walks)]);
    }
    drawn(&drawing)
}

/// A number with its thousands set apart: `51,200`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev();
    groups.map(String::from_utf8_lossy).join(",")
}
