//! Why there is no such translator.

use std::fmt;
use std::ops::RangeInclusive;

use super::{Dated, PortChoice};
use crate::nat::{NatError, PoolError};
use crate::time::Duration;

/// Which rule of a profile a question breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProfileError {
    /// The profile has no reading of that name.
    NoSuchReading {
        /// The profile.
        profile: &'static str,
        /// The name.
        reading: String,
        /// The names that it has.
        known: Vec<&'static str>,
    },
    /// A translator needs an address.
    NoAddresses,
    /// More addresses than the document lets there be.
    TooManyAddresses {
        /// How many were asked for.
        addresses: usize,
        /// How many there may be.
        addresses_max: Dated<usize>,
    },
    /// More members than the document lets there be.
    TooManyMembers {
        /// How many were asked for.
        members: usize,
        /// How many there may be.
        members_max: Dated<usize>,
    },
    /// The blocks of so many members do not lie on so many addresses.
    DoNotFit {
        /// How many members were asked for.
        members: usize,
        /// Ports of each.
        ports: u16,
        /// How many addresses were asked for.
        addresses: usize,
        /// How many members fit.
        room: usize,
        /// Ports of an address.
        usable: Dated<u32>,
    },
    /// The document decides what a member has.
    PortsAreFixed {
        /// The profile.
        profile: &'static str,
        /// What was asked for.
        ports: u16,
        /// How ports are shared out.
        fixed: Dated<String>,
    },
    /// A number of ports that nobody may choose.
    Ports {
        /// What was asked for.
        ports: u16,
        /// What may be chosen.
        choice: Dated<PortChoice>,
    },
    /// The document decides the idle time.
    IdleIsFixed {
        /// The profile.
        profile: &'static str,
        /// The idle time.
        fixed: Dated<Duration>,
    },
    /// An idle time that nobody may choose.
    Idle {
        /// The profile.
        profile: &'static str,
        /// What was asked for.
        idle: Duration,
        /// What may be chosen.
        range: Dated<RangeInclusive<Duration>>,
    },
    /// There is no such pool.
    Pool(PoolError),
    /// A rule of the model is broken.
    Nat(NatError),
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchReading { profile, reading, known } if known.is_empty() => {
                write!(f, "{profile} has no reading \"{reading}\": it has none")
            }
            Self::NoSuchReading { profile, reading, known } => {
                write!(f, "{profile} has no reading \"{reading}\": it has {}", known.join(", "))
            }
            Self::NoAddresses => write!(f, "addresses 0: a translator needs at least one"),
            Self::TooManyAddresses { addresses, addresses_max: most } => {
                write!(f, "addresses {addresses}: at most {} ({})", most.value, most.document)
            }
            Self::TooManyMembers { members, members_max: most } => {
                write!(f, "members {members}: at most {} ({})", most.value, most.document)
            }
            Self::DoNotFit { members, ports, addresses, room, usable } => write!(
                f,
                "members {members}: floor({} ports of an address / {ports} of a member) x \
                 {addresses} = {room} fit ({})",
                usable.value, usable.document
            ),
            Self::PortsAreFixed { profile, ports, fixed } => write!(
                f,
                "ports {ports}: nobody chooses the ports of a member of {profile}, which has {} \
                 ({})",
                fixed.value, fixed.document
            ),
            Self::Ports { ports, choice } => {
                let PortChoice { least, most, multiple_of, .. } = choice.value;
                write!(
                    f,
                    "ports {ports}: must be a multiple of {multiple_of} from {least} to {most} ({})",
                    choice.document
                )
            }
            Self::IdleIsFixed { profile, fixed } => write!(
                f,
                "idle: nobody chooses the idle time of {profile}, which is {} ({})",
                fixed.value, fixed.document
            ),
            Self::Idle { profile, idle, range } => write!(
                f,
                "idle {idle}: that of {profile} is from {} to {} ({})",
                range.value.start(),
                range.value.end(),
                range.document
            ),
            Self::Pool(error) => write!(f, "members: {error}"),
            Self::Nat(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ProfileError {}
