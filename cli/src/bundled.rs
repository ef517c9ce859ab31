//! The bundled log: a real Zeek connection log, replayed at several numbers of ports.

use std::error::Error;
use std::time::Instant;

use ipnet::Ipv4Net;
use natlaw_model::time::Duration;

use crate::check::{self, Row};
use crate::log::{self, Log};
use crate::replay::{self, Replay, Settings};

/// A real connection log of one private host (its source and licence stand beside it).
const LOG: &[u8] = include_bytes!("../data/zeek/conn.tsv.log");

/// What errors call it.
const NAME: &str = "cli/data/zeek/conn.tsv.log";

/// Its private network.
const INSIDE: &str = "192.168.33.0/24";

/// Ports of the host and hold-down in seconds. The last two differ in the hold-down alone.
const RUNS: [(u16, u64); 4] = [(1_024, 240), (8, 240), (32, 240), (32, 0)];

/// The log at each of the numbers of ports, as rows of the table of checks.
pub(crate) fn rows() -> Result<Vec<Row>, Box<dyn Error>> {
    let log = log::read(LOG, NAME)?;
    RUNS.iter().map(|(ports, hold_down)| row(&log, *ports, *hold_down)).collect()
}

fn row(log: &Log, ports: u16, hold_down: u64) -> Result<Row, Box<dyn Error>> {
    let settings = Settings {
        inside: INSIDE.parse::<Ipv4Net>()?,
        virtual_ips: 1,
        ports,
        hold_down: Duration::from_secs(hold_down),
        idle: Duration::from_secs(240),
        device: "bitmap".into(),
    };
    let begun = Instant::now();
    let replay = replay::replay(log, &settings, &mut |_| {})?;
    Ok(Row {
        subject: format!("zeek_log_with_{ports}_ports_and_{hold_down}s_hold_down"),
        events: replay.events,
        bindings: Some(replay.accepted),
        refusals: Some(refusals(&replay)),
        held: replay.verdicts.iter().filter(|v| v.tested > 0 && v.broken_at.is_none()).count(),
        findings: replay.breaches.iter().map(|b| check::broken(b.law, Some(b.step))).collect(),
        as_expected: replay.breaches.is_empty(),
        took: begun.elapsed(),
    })
}

fn refusals(replay: &Replay) -> usize {
    replay.offered - replay.accepted - replay.joined
}
