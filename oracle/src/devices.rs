//! Every real device, with packets or without, as a command asks it.

use natlaw_model::nat::Ledger;

use crate::packets::{PACKETS, Packets};
use crate::real::Error;
use crate::registry::{REAL, Real};
use crate::rule::Follow;
use crate::run::{Ran, run, run_hosts, situations, tiers};
use crate::transcript::Case;

/// A real device.
#[derive(Debug, Clone, Copy)]
pub enum Device {
    /// It is told of flows.
    WithoutPackets(&'static Real),
    /// It sees packets.
    WithPackets(&'static Packets),
}

/// How a device is to be asked.
#[derive(Debug, Clone, Copy)]
pub struct Asking {
    /// What the walks are drawn from.
    pub seed: u64,
    /// Random walks.
    pub walks: usize,
    /// Whether members are filled too.
    pub capacity: bool,
}

/// What came of asking.
pub struct Compared {
    /// The walks.
    pub ran: Ran,
    /// The situations.
    pub told: Vec<Case>,
}

impl Device {
    /// Every device; the first is the one that is asked where nothing is said.
    pub fn all() -> impl Iterator<Item = Self> {
        let told = REAL.iter().map(Self::WithoutPackets);
        told.chain(PACKETS.iter().map(Self::WithPackets))
    }

    /// The device of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|device| device.name() == name)
    }

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::WithoutPackets(real) => real.name,
            Self::WithPackets(packets) => packets.name,
        }
    }

    /// What it is.
    pub const fn what(self) -> &'static str {
        match self {
            Self::WithoutPackets(real) => real.what,
            Self::WithPackets(packets) => packets.what,
        }
    }

    /// Holds what it answered to its rule.
    pub const fn follow(self) -> Follow {
        match self {
            Self::WithoutPackets(real) => real.follow,
            Self::WithPackets(packets) => packets.follow,
        }
    }

    /// What it answered once: a transcript.
    pub const fn transcript(self) -> &'static str {
        match self {
            Self::WithoutPackets(real) => real.transcript,
            Self::WithPackets(packets) => packets.transcript,
        }
    }

    /// What once came of a long run: JSON, as of [`crate::run::Run`].
    pub const fn run(self) -> Option<&'static str> {
        match self {
            Self::WithoutPackets(real) => real.run,
            Self::WithPackets(_) => None,
        }
    }

    /// What the device is known to do in this case in place of what its rule says.
    pub fn known_difference(self, case: &Case) -> Option<&'static str> {
        match self {
            Self::WithoutPackets(_) => None,
            Self::WithPackets(packets) => {
                let apart = packets.apart(&case.name);
                apart.filter(|apart| (apart.shows)(&case.recording)).map(|apart| apart.what)
            }
        }
    }

    /// Asks it everything. This process must have a network of its own.
    ///
    /// # Errors
    /// Where it cannot be had, or does not answer.
    pub fn compare(self, asking: Asking) -> Result<Compared, Error> {
        match self {
            Self::WithoutPackets(real) => compare(real, asking),
            Self::WithPackets(packets) => compare_with_packets(packets, asking),
        }
    }
}

fn compare(real: &Real, asking: Asking) -> Result<Compared, Error> {
    let mut device = (real.open)()?;
    let mut ran = run(&mut *device, real.follow, asking.seed, asking.walks)?;
    if asking.capacity {
        ran.run.capacity = (real.capacity)(&mut *device)?;
    }
    let told = situations(&mut *device, real.situations)?;
    Ok(Compared { ran, told })
}

fn compare_with_packets(packets: &Packets, asking: Asking) -> Result<Compared, Error> {
    let told = packets.told()?;
    let mut device = (packets.open_for_walks)()?;
    let walks = (asking.seed, asking.walks);
    let nothing = |_: &Ledger| Ok(());
    let mut ran = run_hosts(&mut *device, packets.follow, walks, packets.hosts, nothing)?;
    if asking.capacity {
        ran.run.capacity = tiers(&mut *device)?;
    }
    Ok(Compared { ran, told })
}
