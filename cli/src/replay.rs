//! `natlaw replay`: our allocator under your demand.
//!
//! The connections of a log are played on a translator of the tree, and every answer is held to
//! the laws. It tells how many connections would have been refused with so many virtual IPs and
//! ports, and how many ports would have sufficed.

mod play;
mod report;
mod settings;
mod tally;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::path::PathBuf;
use std::{fs, io};

use ipnet::Ipv4Net;
use natlaw_model::time::Duration;

pub(crate) use play::{Replay, replay};
use report::{json, print};
pub(crate) use settings::Settings;

use crate::Report;
use crate::log::{self, Log, LogError, Malformed};
use crate::progress::Progress;

/// Replay a connection log on one of our translators and judge its answers.
///
/// Each connection from the inside to the outside is opened, kept alive and closed when the log
/// says. Exit status: 0 if every law held, 1 if one was broken, 2 if the input is bad.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Connection log: Zeek's conn.log, tab-separated or as JSON lines, or what `conntrack -E -o
    /// timestamp,id` printed.
    #[arg(value_name = "LOG")]
    log: PathBuf,
    /// Addresses on the inside, such as 10.0.0.0/8. Each host there that opens a connection to the
    /// outside is a member.
    #[arg(long, value_name = "CIDR")]
    inside: Ipv4Net,
    /// Virtual IPs of the translator: 1 to 254.
    #[arg(long, value_name = "K")]
    vips: u16,
    /// Ports of each member on each virtual IP: from 1 up to 64,512 shared by all members.
    #[arg(long, value_name = "P")]
    ports: u16,
    /// Time for which a key rests once its flow is over, in ms, s, min or h.
    #[arg(long, value_name = "TIME", default_value = "240s")]
    hold_down: Duration,
    /// Time for which a flow lives without an outbound packet, in ms, s, min or h: 2ms or more.
    #[arg(long, value_name = "TIME", default_value = "240s")]
    idle: Duration,
    /// Translator, by the name of its allocator: bitmap, first-fit, vpp, cilium, cilium-before,
    /// linux, linux-like, or a mutant.
    #[arg(long, value_name = "NAME", default_value = "bitmap")]
    device: String,
}

/// Why a file cannot be replayed, whatever the settings.
#[derive(Debug)]
pub(crate) enum InputError {
    /// The file cannot be read.
    Read {
        /// The file.
        name: String,
        /// Why.
        error: io::Error,
    },
    /// The file is no connection log.
    Log(LogError),
    /// No row of the file is well-formed.
    NothingWellFormed {
        /// The file.
        name: String,
        /// How many rows are malformed.
        rows: usize,
        /// The first of them.
        first: Malformed,
    },
}

/// Replays a log and tells what became of it.
pub(crate) fn run(args: &Args) -> Result<Report, Box<dyn Error>> {
    let log = read(args)?;
    let settings = Settings {
        inside: args.inside,
        virtual_ips: args.vips,
        ports: args.ports,
        hold_down: args.hold_down,
        idle: args.idle,
        device: args.device.clone(),
    };
    let progress = Progress::new(log.connections.len(), "connections");
    let replay = replay(&log, &settings, &mut |done| progress.at(done))?;
    drop(progress);
    Ok(Report {
        text: print(&replay, &settings, &log),
        json: json(&replay, &settings, &log),
        as_expected: replay.breaches.is_empty(),
    })
}

fn read(args: &Args) -> Result<Log, InputError> {
    let name = args.log.display().to_string();
    let bytes =
        fs::read(&args.log).map_err(|error| InputError::Read { name: name.clone(), error })?;
    let log = log::read(&bytes, &name).map_err(InputError::Log)?;
    match log.malformed.first() {
        Some(first) if log.connections.is_empty() && log.left_out.is_empty() => {
            let (rows, first) = (log.malformed_count, first.clone());
            Err(InputError::NothingWellFormed { name, rows, first })
        }
        _ => Ok(log),
    }
}

impl Display for InputError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { name, error } => write!(f, "{name}: {error}"),
            Self::Log(error) => error.fmt(f),
            Self::NothingWellFormed { name, rows, first } => {
                write!(f, "{name}: no row is well-formed, {rows} malformed; the first: {first}")
            }
        }
    }
}

impl Error for InputError {}
