//! The real devices that see no packets, by name.

use crate::capacity::Capacity;
use crate::real::{Error, RealNat};
use crate::rule::{Follow, follow_linux};
#[cfg(target_os = "linux")]
use crate::run::story;
use crate::run::tiers;
use crate::situations::{SITUATIONS, Situation};

/// A real device that can be asked.
#[derive(Debug)]
pub struct Real {
    /// What it is called.
    pub name: &'static str,
    /// What it is.
    pub what: &'static str,
    /// The device, once this process has a network of its own.
    pub open: fn() -> Result<Box<dyn RealNat>, Error>,
    /// What it is asked so that laws can be judged.
    pub situations: &'static [Situation],
    /// What members of it get.
    pub capacity: fn(&mut dyn RealNat) -> Result<Vec<Capacity>, Error>,
    /// Holds what it answered to its rule.
    pub follow: Follow,
    /// What it answered once: a transcript.
    pub transcript: &'static str,
    /// What once came of a long run: JSON, as of [`crate::run::Run`].
    pub run: Option<&'static str>,
}

/// Every real device that sees no packets.
pub const REAL: &[Real] = &[Real {
    name: "linux",
    what: "the Linux kernel's connection tracking, without packets",
    open: open_linux,
    situations: SITUATIONS,
    capacity: capacity_of_linux,
    follow: follow_linux,
    transcript: include_str!("../transcripts/linux.jsonl"),
    run: Some(include_str!("../transcripts/linux.run.json")),
}];

/// Gives this process a network of its own, where the machine has such.
///
/// # Errors
/// [`Error::Unavailable`] where it has not.
#[cfg(target_os = "linux")]
pub fn enter() -> Result<(), Error> {
    crate::namespace::enter().map(drop)
}

/// Gives this process a network of its own, where the machine has such: this one has not.
///
/// # Errors
/// None: opening a device is what fails.
#[cfg(not(target_os = "linux"))]
pub fn enter() -> Result<(), Error> {
    Ok(())
}

/// The story's stress test and its tiers. Linux does not spill over from one address to the next, so
/// the two addresses of the story are named one by one too.
#[cfg(target_os = "linux")]
fn capacity_of_linux(linux: &mut dyn RealNat) -> Result<Vec<Capacity>, Error> {
    use crate::ctnetlink::{Ctnetlink, Naming};

    let mut rows = story(linux, &mut Ctnetlink::new(Naming::OneByOne)?)?;
    rows.append(&mut tiers(linux)?);
    Ok(rows)
}

#[cfg(not(target_os = "linux"))]
fn capacity_of_linux(linux: &mut dyn RealNat) -> Result<Vec<Capacity>, Error> {
    tiers(linux)
}

#[cfg(target_os = "linux")]
fn open_linux() -> Result<Box<dyn RealNat>, Error> {
    use crate::ctnetlink::{Ctnetlink, Naming};

    let mut linux = Ctnetlink::new(Naming::AsRange)?;
    linux.probe()?;
    Ok(Box::new(linux))
}

#[cfg(not(target_os = "linux"))]
fn open_linux() -> Result<Box<dyn RealNat>, Error> {
    Err(Error::Unavailable { what: "connection tracking", why: "this is not Linux".into() })
}
