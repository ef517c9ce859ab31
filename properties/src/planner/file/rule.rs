//! What is wrong with a demand file.

use std::fmt;

use natlaw_model::flow::Transport;
use natlaw_model::profile::{Profile, ProfileError};
use natlaw_model::time::Duration;

use super::DESTINATIONS_MAX;
use crate::planner::demand::Find;

/// The rules of a demand file, each about one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DemandRule {
    /// No such profile.
    Profile(String),
    /// The profile has no such reading, or does not allow what is asked of it.
    Refused(ProfileError),
    /// A demand asks at least one destination, and at most [`DESTINATIONS_MAX`].
    Destinations(usize),
    /// Two destinations are called alike, or are the same.
    Twice(String),
    /// Of nothing there is nothing to plan.
    Zero,
    /// A rate says nothing of one instant, and a burst nothing of the time after it.
    Alone {
        /// What else must be said.
        missing: &'static str,
    },
    /// Nothing bounds how many connections there are.
    Unbounded,
    /// Connections that may be as short as one likes leave any number of ports in hold-down.
    NoShortestLife,
    /// The least is above the most.
    LifeMin {
        /// The least.
        life_min: Duration,
        /// The most.
        life_max: Duration,
    },
    /// The least is above the most.
    PortsMin {
        /// The least.
        least: u64,
        /// The most.
        most: u64,
    },
    /// All of a burst are live at once.
    Burst {
        /// Opens at one instant.
        burst: u64,
        /// Connections live at once.
        flows_max: u64,
    },
    /// The shares of all connections are 100 %.
    Shares(u16),
    /// Only TCP is closed.
    NotClosed(Transport),
    /// What is searched for is also given.
    Given(Find),
    /// Nobody chooses the ports of a member of this profile.
    NotChosen(&'static str),
    /// The blocks of this profile's members double: what fits depends on who grows when.
    Doubles(&'static str),
}

impl fmt::Display for DemandRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Profile(name) => {
                let known: Vec<&str> = Profile::all().map(|profile| profile.name).collect();
                write!(f, "\"{name}\": no such profile; known: {}", known.join(", "))
            }
            Self::Refused(error) => error.fmt(f),
            Self::Destinations(count) => {
                write!(f, "{count} destinations: a demand has from 1 to {DESTINATIONS_MAX}")
            }
            Self::Twice(name) => write!(f, "\"{name}\" stands twice: each destination has its own"),
            Self::Zero => write!(f, "nothing: it must be above zero"),
            Self::Alone { missing } => write!(
                f,
                "stands without `{missing}`: within any time t at most burst + rate t connections \
                 are opened"
            ),
            Self::Unbounded => {
                write!(f, "nothing bounds its connections: say `flows_max`, or `rate` and `burst`")
            }
            Self::NoShortestLife => write!(
                f,
                "`flows_max` alone bounds no ports, since each rests after its connection: say \
                 `life_min`, or `rate` and `burst`"
            ),
            Self::LifeMin { life_min, life_max } => {
                write!(f, "{life_min} is above `life_max` = {life_max}")
            }
            Self::PortsMin { least, most } => write!(f, "{least} is above `ports_max` = {most}"),
            Self::Burst { burst, flows_max } => {
                write!(f, "{burst} opened at once are all live, above `flows_max` = {flows_max}")
            }
            Self::Shares(all) => write!(f, "the shares are {all}% in all: they must be 100%"),
            Self::NotClosed(transport) => {
                write!(f, "only TCP is closed: of {transport} `idle` must be 100%")
            }
            Self::NotChosen(profile) => {
                write!(f, "nobody chooses the ports of a member of {profile}: search for addresses")
            }
            Self::Doubles(profile) => write!(
                f,
                "the blocks of {profile} are doubled, and how many fit depends on who grows when, \
                 which no bound of a demand says: plan with blocks of one size, and ask the \
                 question `doubling`"
            ),
            Self::Given(find) => {
                write!(f, "given, but `find` searches for the least {}", find.noun(2))
            }
        }
    }
}
