//! What a real device can be asked.

use std::fmt;

use natlaw_model::flow::{Binding, FiveTuple};
use natlaw_model::nat::{IcmpError, Nat, Segment, Side};
use natlaw_model::time::Duration;

/// A translator that is not ours.
pub trait RealNat {
    /// What it is, in a word: the name that tables and transcripts give it.
    fn name(&self) -> &'static str;

    /// The programs and the kernel that it is made of, each with its version.
    fn versions(&self) -> Vec<(&'static str, String)>;

    /// Takes the configuration; nothing is live then.
    ///
    /// # Errors
    /// When the device cannot be configured so, or does not answer.
    fn configure(&mut self, nat: &Nat) -> Result<(), Error>;

    /// A packet from the inside.
    ///
    /// # Errors
    /// When the device does not answer.
    fn outbound(&mut self, segment: Segment) -> Result<Opened, Error>;

    /// A packet from the outside: the packet as the inside gets it, or nothing where it is dropped.
    ///
    /// # Errors
    /// When the device does not answer.
    fn inbound(&mut self, segment: Segment) -> Result<Option<FiveTuple>, Error>;

    /// An ICMP error that comes from this side: the error as the other side gets it, or nothing where
    /// it is dropped.
    ///
    /// # Errors
    /// When the device sees no packets, or does not answer.
    fn error(&mut self, side: Side, error: IcmpError) -> Result<Option<IcmpError>, Error> {
        Err(Error::Unsupported(format!("it sees no packets, and so no {error} of {side:?}")))
    }

    /// Ends a flow before its time, or a connection that a rule let in, by the tuple of its first
    /// packet. One that is not live is left as it is.
    ///
    /// # Errors
    /// When the device does not answer.
    fn close(&mut self, flow: FiveTuple) -> Result<(), Error>;

    /// Time passes, and the timers of the configuration end the flows in `over`. A device with a
    /// clock of its own turns that; one without is told which flows are over.
    ///
    /// # Errors
    /// When the device does not answer.
    fn elapse(&mut self, by: Duration, over: &[FiveTuple]) -> Result<(), Error> {
        let _ = by;
        over.iter().try_for_each(|flow| self.close(*flow))
    }

    /// Every live flow of the inside and its external endpoint, in the order of the flows.
    ///
    /// # Errors
    /// When the device does not answer.
    fn table(&mut self) -> Result<Vec<Binding>, Error>;

    /// Candidates that were looked at and taken, by all packets so far, where the device counts
    /// them.
    ///
    /// # Errors
    /// When the device does not answer.
    fn taken_probes(&mut self) -> Result<Option<u64>, Error> {
        Ok(None)
    }
}

/// What became of a packet from the inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    /// It leaves like this.
    Sent(FiveTuple),
    /// It gets no external endpoint.
    Refused,
    /// It is of no flow and begins none.
    Dropped,
}

/// Why a device did not answer.
#[derive(Debug)]
pub enum Error {
    /// The machine does not offer what the device is made of: a reason to skip it.
    Unavailable {
        /// What is missing.
        what: &'static str,
        /// What the machine said.
        why: String,
    },
    /// A call failed that had worked before.
    Failed {
        /// What was tried.
        what: &'static str,
        /// What the machine said.
        why: String,
    },
    /// The device cannot be configured so.
    Unsupported(String),
    /// The answer could not be read.
    Garbled {
        /// The answer to what.
        what: &'static str,
        /// What was wrong with it.
        why: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable { what, why } => write!(f, "{what} is not to be had here: {why}"),
            Self::Failed { what, why } => write!(f, "{what} failed: {why}"),
            Self::Unsupported(why) => write!(f, "the device cannot be configured so: {why}"),
            Self::Garbled { what, why } => write!(f, "the answer to {what} makes no sense: {why}"),
        }
    }
}

impl std::error::Error for Error {}
