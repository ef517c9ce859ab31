//! `natlaw judge`: a real device's own answers, held to the laws.
//!
//! What connection tracking printed is read as a trace of a translator whose device is the kernel.
//!
//! **Readings taken.** Each line says that at its instant a packet of the original tuple leaves as
//! the reply tuple's receiver: NEW and every line of a table open a flow, UPDATE is one more of its
//! packets, DESTROY its last. The kernel holds a tuple for as long as it has the entry, in
//! `TIME_WAIT` too; so a flow is live until its DESTROY whatever its state says, no timer ends it,
//! and its key is free from then on. All lines of a table stand at one instant.
//!
//! A log shows what there was and never what there was not. A law is judged only if such a log can
//! break it: [`decided`] says which can, and for want of what the others cannot.

mod decided;
mod player;
mod report;
mod subject;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::path::{Path, PathBuf};
use std::{fs, io};

use natlaw_model::nat::{Nat, NatError, PoolError};
use natlaw_properties::file::FileError;
use natlaw_properties::law::Law;
use natlaw_properties::nat::LAWS;

use crate::Report;
use crate::log::conntrack::{self, Conntrack, ConntrackError, Entry};
use crate::log::{self, Malformed};
use crate::progress::Progress;
use player::{Judged, Player};
use subject::Selected;
pub(crate) use subject::read as translator;

/// Hold a real device to the laws: what Linux connection tracking printed, or did.
///
/// LOG is what one of these printed: `conntrack -L`, `conntrack -L -o extended`, `conntrack -E -o
/// timestamp,id`, `cat /proc/net/nf_conntrack`. A table is taken to be of one instant, and a log of
/// events to be complete: conntrack says so on standard error when it loses some. Exit status: 0 if
/// every law that the log decides holds, 1 if one is broken, 2 if the input is bad.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// What connection tracking printed.
    #[arg(value_name = "LOG")]
    log: PathBuf,
    /// The device's configuration: the [subject] table of a scenario, or a whole scenario file
    /// (TOML). Its timers are not used. Without it, what the log alone decides is judged.
    #[arg(long, value_name = "FILE")]
    nat: Option<PathBuf>,
    /// The conntrack zone that is judged.
    #[arg(long, value_name = "N", default_value_t = 0)]
    zone: u16,
}

/// Why an entry is not judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LeftOut {
    /// The reader left it out.
    Unread(log::LeftOut),
    /// It belongs to another zone.
    OtherZone,
    /// The reply is the plain reverse of the original.
    NotTranslated,
    /// The answer comes from somebody else than the packet went to.
    DestinationTranslated,
    /// It comes from an address that stands for others outside: the device's own traffic.
    FromOutside,
    /// Neither its source nor its external address is one of the given configuration.
    OtherTranslator,
    /// It is gone, and the log does not say since when it was there.
    EndAlone,
}

/// Why nothing can be judged.
#[derive(Debug)]
pub(crate) enum InputError {
    /// A file cannot be read.
    Read {
        /// The file.
        name: String,
        /// Why.
        error: io::Error,
    },
    /// The file is none of connection tracking.
    Log(ConntrackError),
    /// No line of the file is well-formed.
    NothingWellFormed {
        /// The file.
        name: String,
        /// How many lines are malformed.
        lines: usize,
        /// The first of them.
        first: Malformed,
    },
    /// No entry is one of the translator.
    NothingToJudge {
        /// The file.
        name: String,
        /// Why each line is left out.
        left_out: BTreeMap<LeftOut, usize>,
    },
    /// The file that should hold a configuration holds none.
    Configuration {
        /// The file.
        name: String,
        /// Where, and which rule it breaks.
        error: FileError,
    },
    /// The sources of the log are no pool.
    Pool(PoolError),
    /// The addresses of the log are no configuration.
    Nat(NatError),
}

/// Judges a log and tells what became of each law.
pub(crate) fn run(args: &Args) -> Result<Report, Box<dyn Error>> {
    let given = args.nat.as_deref().map(configuration).transpose()?;
    let name = args.log.display().to_string();
    let log = conntrack::read(&contents(&args.log)?, &name).map_err(InputError::Log)?;
    let progress = Progress::new(log.entries.len(), "entries");
    let judged = judge(&log, &name, given, args.zone, &mut |done| progress.at(done))?;
    drop(progress);
    Ok(Report {
        text: report::print(&log, &judged),
        json: report::json(&log, &judged),
        as_expected: judged.breaches.is_empty(),
    })
}

/// Judges a log that has been read; `progress` is told how many entries are done.
fn judge(
    log: &Conntrack,
    name: &str,
    given: Option<Nat>,
    zone: u16,
    progress: &mut dyn FnMut(usize),
) -> Result<Judged, InputError> {
    if let Some(first) = log.malformed.first().filter(|_| log.malformed_count == log.lines()) {
        let (lines, first) = (log.malformed_count, first.clone());
        return Err(InputError::NothingWellFormed { name: name.into(), lines, first });
    }
    let is_given = given.is_some();
    let Selected { entries, left_out } = subject::select(log, given.as_ref(), zone);
    if entries.is_empty() {
        return Err(InputError::NothingToJudge { name: name.into(), left_out });
    }
    let nat = match given {
        Some(nat) => subject::without_timers(&nat).map_err(InputError::Nat)?,
        None => subject::inferred(&entries)?,
    };
    let laws = laws(is_given);
    let mut player = Player::new(&laws, &nat, left_out);
    for (done, entry) in entries.iter().enumerate() {
        progress(done);
        player.take(entry);
    }
    Ok(player.judged(is_given))
}

/// The laws that a log decides, with the configuration given or without.
fn laws(is_given: bool) -> Vec<Law<Nat>> {
    let is_judged = |law: &&Law<Nat>| decided::undecided(law.name, is_given).is_none();
    let copy = |law: &Law<Nat>| {
        let Law { name, source, harm, holds } = *law;
        Law { name, source, harm, holds }
    };
    LAWS.iter().filter(is_judged).map(copy).collect()
}

/// The configuration in a file: a subject by itself, or that of a scenario.
pub(crate) fn configuration(path: &Path) -> Result<Nat, InputError> {
    let name = path.display().to_string();
    subject::read(&contents(path)?).map_err(|error| InputError::Configuration { name, error })
}

fn contents(path: &Path) -> Result<Vec<u8>, InputError> {
    let name = path.display().to_string();
    fs::read(path).map_err(|error| InputError::Read { name, error })
}

impl LeftOut {
    /// A name for programs.
    const fn name(self) -> &'static str {
        match self {
            Self::Unread(why) => why.name(),
            Self::OtherZone => "other_zone",
            Self::NotTranslated => "not_translated",
            Self::DestinationTranslated => "destination_translated",
            Self::FromOutside => "from_outside",
            Self::OtherTranslator => "other_translator",
            Self::EndAlone => "end_alone",
        }
    }
}

impl Display for LeftOut {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unread(why) => return why.fmt(f),
            Self::OtherZone => "in another zone",
            Self::NotTranslated => "not translated",
            Self::DestinationTranslated => "destination translated",
            Self::FromOutside => "from an outside address: the device's own traffic",
            Self::OtherTranslator => "neither from a member nor by a virtual IP of the given file",
            Self::EndAlone => "end of an entry that began before the log",
        })
    }
}

impl Display for InputError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { name, error } => write!(f, "{name}: {error}"),
            Self::Log(error) => error.fmt(f),
            Self::NothingWellFormed { name, lines, first } => {
                write!(f, "{name}: no line is well-formed, {lines} malformed; the first: {first}")
            }
            Self::NothingToJudge { name, left_out } => {
                write!(f, "{name}: no entry is one of the translator")?;
                left_out.iter().try_for_each(|(why, lines)| write!(f, "; {lines} {why}"))
            }
            Self::Configuration { name, error } => write!(f, "{name}: {error}"),
            Self::Pool(error) => write!(f, "the sources of the log are no pool: {error}"),
            Self::Nat(error) => write!(f, "the log is of no translator: {error}"),
        }
    }
}

impl Error for InputError {}
