//! The real devices that see packets, by name: what they are asked, and what they once answered.

use crate::apart::{APART_AT_THE_SWITCH, APART_ON_THE_WIRE, Apart};
use crate::connections::{AT_THE_SWITCH, ON_THE_WIRE};
use crate::hosts::{Hosts, walks};
use crate::real::{Error, RealNat};
use crate::rule::{Follow, follow_linux, follow_ovs};
use crate::run;
use crate::situations::{SITUATIONS, Situation};
use crate::transcript::{Case, Recorded, Transcript};
use natlaw_model::time::Duration;

/// A real device that sees packets.
#[derive(Debug)]
pub struct Packets {
    /// What it is called.
    pub name: &'static str,
    /// What it is.
    pub what: &'static str,
    /// The device, once this process has a network of its own.
    pub open: fn() -> Result<Box<dyn RealNat>, Error>,
    /// The same, for walks: nobody gives way there.
    pub open_for_walks: fn() -> Result<Box<dyn RealNat>, Error>,
    /// What it is asked of its own.
    pub situations: &'static [Situation],
    /// What it is asked besides, of what every device is asked; the story is told elsewhere.
    pub shared: &'static [&'static str],
    /// Of its situations, those in which it parts from its rule: known differences.
    pub apart: &'static [Apart],
    /// Who is there in its walks.
    pub hosts: Hosts,
    /// Holds what it answered to its rule.
    pub follow: Follow,
    /// What it answered once: a transcript.
    pub transcript: &'static str,
    /// What members of the story's tiers once got, each block an entry of a map: JSON, a list of
    /// [`crate::capacity::Capacity`].
    pub tiers: Option<&'static str>,
}

/// Every device that sees packets.
pub const PACKETS: &[Packets] = &[
    Packets {
        name: "linux-wire",
        what: "the Linux kernel between two wires, by nft rules",
        open: open::wire,
        open_for_walks: open::wire_for_walks,
        situations: ON_THE_WIRE,
        shared: &["a pool of 64", "two addresses, one client", "three transports"],
        apart: APART_ON_THE_WIRE,
        hosts: Hosts { after_reset: Duration::ZERO, publish: true, report: true },
        follow: follow_linux,
        transcript: include_str!("../transcripts/linux-wire.jsonl"),
        tiers: Some(include_str!("../transcripts/linux-wire.tiers.json")),
    },
    Packets {
        name: "ovs",
        what: "Open vSwitch with its own connection tracking, its clock turned by hand",
        open: open::ovs,
        open_for_walks: open::ovs,
        situations: AT_THE_SWITCH,
        shared: &["a pool of 64", "the last port of 256", "three transports"],
        apart: APART_AT_THE_SWITCH,
        hosts: Hosts { after_reset: Duration::from_secs(30), publish: false, report: false },
        follow: follow_ovs,
        transcript: include_str!("../transcripts/ovs.jsonl"),
        tiers: None,
    },
];

/// Walks that are recorded of each device.
const WALKS: usize = 5;

impl Packets {
    /// Asks it everything, and tells what it answered.
    ///
    /// # Errors
    /// Where it cannot be had, or does not answer.
    pub fn record(&self) -> Result<Transcript, Error> {
        let mut cases = self.told()?;
        let mut device = (self.open_for_walks)()?;
        for (number, walk) in (1..).zip(walks(1, WALKS, self.hosts)) {
            let recording = walk.play(&mut *device, |_| Ok(()))?;
            cases.push(Case { name: format!("hosts {number}"), story: String::new(), recording });
        }
        Ok(Transcript { recorded: Recorded::by(&*device), cases })
    }

    /// Asks it every situation.
    ///
    /// # Errors
    /// Where it cannot be had, or does not answer.
    pub fn told(&self) -> Result<Vec<Case>, Error> {
        let mut device = (self.open)()?;
        let mut cases = run::situations(&mut *device, self.situations)?;
        for situation in SITUATIONS.iter().filter(|it| self.shared.contains(&it.name)) {
            let recording = (situation.ask)(&mut *device)?;
            cases.push(Case { name: situation.name.into(), story: String::new(), recording });
        }
        Ok(cases)
    }

    /// What is known of the difference that this case shows.
    pub fn apart(&self, case: &str) -> Option<&'static Apart> {
        self.apart.iter().find(|apart| apart.situation == case)
    }
}

#[cfg(target_os = "linux")]
mod open {
    use crate::conversation::Beginning;
    use crate::ovs::Ovs;
    use crate::real::{Error, RealNat};
    use crate::wire::Wire;

    pub(super) fn wire() -> Result<Box<dyn RealNat>, Error> {
        opened(Beginning::EverHigher)
    }

    pub(super) fn wire_for_walks() -> Result<Box<dyn RealNat>, Error> {
        opened(Beginning::EverLower)
    }

    pub(super) fn ovs() -> Result<Box<dyn RealNat>, Error> {
        let mut ovs = Ovs::open(Beginning::EverHigher)?;
        ovs.probe().map(|()| Box::new(ovs) as Box<dyn RealNat>)
    }

    fn opened(beginning: Beginning) -> Result<Box<dyn RealNat>, Error> {
        let mut wire = Wire::open(beginning)?;
        wire.probe().map(|()| Box::new(wire) as Box<dyn RealNat>)
    }
}

#[cfg(not(target_os = "linux"))]
mod open {
    use crate::real::{Error, RealNat};

    pub(super) fn wire() -> Result<Box<dyn RealNat>, Error> {
        Err(Error::Unavailable { what: "the kernel's router", why: "this is not Linux".into() })
    }

    pub(super) use wire as wire_for_walks;

    pub(super) fn ovs() -> Result<Box<dyn RealNat>, Error> {
        Err(Error::Unavailable { what: "Open vSwitch", why: "this is not Linux".into() })
    }
}
