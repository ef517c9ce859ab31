//! The search for the least that suffices.

use natlaw_model::nat::Nat;
use natlaw_model::profile::{PortChoice, Profile, ProfileError};

use super::certificate::{self, NotPlayed, Played, Trial};
use super::demand::{Demand, Destination, Find};
use super::room::{Bound, bounds, tightest};

/// The answer to a demand, and what proves it.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What was searched for; `None` where all was given.
    pub find: Option<Find>,
    /// The least that suffices; `None` if nothing does.
    pub suffices: Option<Sizing>,
    /// What does not: the next less, or the most there can be where nothing suffices. `None` if the
    /// least there is suffices.
    pub fails: Option<Fails>,
    /// Where nothing suffices, whether what is missing stays as it is however many are taken.
    pub is_hopeless: bool,
}

/// A translator of some size, against the demand.
#[derive(Debug, Clone, PartialEq)]
pub struct Sizing {
    /// How many of what was searched for.
    pub count: usize,
    /// The translator.
    pub nat: Nat,
    /// What it has room for, against what is needed.
    pub bounds: Vec<Bound>,
}

/// A size that does not suffice.
#[derive(Debug, Clone, PartialEq)]
pub enum Fails {
    /// Some bound is passed.
    Overfull(Box<Sizing>),
    /// There is no such translator.
    Impossible {
        /// How many of what was searched for.
        count: usize,
        /// Why there is none.
        why: ProfileError,
    },
}

/// The least of what a demand searches for, and what proves that it is the least.
pub fn plan(demand: &Demand) -> Plan {
    let mut tried = Vec::new();
    for count in counts(demand) {
        match Sizing::new(demand, count) {
            Ok(sizing) if sizing.suffices() => {
                let (find, fails) = (demand.find, tried.pop());
                return Plan { find, suffices: Some(sizing), fails, is_hopeless: false };
            }
            Ok(sizing) => tried.push(Fails::Overfull(Box::new(sizing))),
            Err(why) => tried.push(Fails::Impossible { count, why }),
        }
    }
    let is_hopeless = is_hopeless(&tried);
    Plan { find: demand.find, suffices: None, fails: tried.pop(), is_hopeless }
}

impl Plan {
    /// What does not suffice, where there is such a translator.
    pub fn overfull(&self) -> Option<&Sizing> {
        match &self.fails {
            Some(Fails::Overfull(sizing)) => Some(sizing),
            Some(Fails::Impossible { .. }) | None => None,
        }
    }
}

/// What is tried, in ascending order. Of addresses each number; of ports the last that is too few
/// and the first that is not, since what a member needs does not depend on what it has.
fn counts(demand: &Demand) -> Vec<usize> {
    let translator = &demand.translator;
    match demand.find {
        None => vec![translator.addresses],
        Some(Find::VirtualIps | Find::PublicIps) => {
            (1..=translator.profile.addresses_max.value).collect()
        }
        Some(Find::Ports) => {
            let choices = choices(&translator.profile);
            let needed = choices.first().map_or(0, |ports| needed(demand, *ports));
            let enough = choices.partition_point(|ports| *ports < needed);
            let around = enough.saturating_sub(1)..choices.len().min(enough + 1);
            choices[around].to_vec()
        }
    }
}

/// What a person may choose as the ports of a member, in ascending order.
fn choices(profile: &Profile) -> Vec<usize> {
    let Some(choice) = profile.ports_chosen else { return Vec::new() };
    let PortChoice { least, most, multiple_of, .. } = choice.value;
    let chosen = (least.max(1)..=most).filter(|ports| ports.is_multiple_of(multiple_of));
    chosen.map(usize::from).collect()
}

/// The ports that a member needs where it has these.
fn needed(demand: &Demand, ports: usize) -> usize {
    let one = Demand { members: 1, ..demand.clone() };
    let bounds = Sizing::new(&one, ports).map_or_else(|_| Vec::new(), |sizing| sizing.bounds);
    let needed = bounds.iter().filter(|bound| bound.is_of_ports()).map(|bound| bound.needed).max();
    needed.map_or(0, |needed| usize::try_from(needed).unwrap_or(usize::MAX))
}

/// Whether the most that was tried lacks exactly what the least did.
fn is_hopeless(tried: &[Fails]) -> bool {
    let passed = |fails: &Fails| match fails {
        Fails::Overfull(sizing) => sizing.bounds.iter().filter(|it| !it.holds()).cloned().collect(),
        Fails::Impossible { .. } => Vec::new(),
    };
    let overfull: Vec<Vec<Bound>> =
        tried.iter().map(passed).filter(|passed: &Vec<Bound>| !passed.is_empty()).collect();
    match overfull.as_slice() {
        [first, .., last] => last.iter().any(|bound| first.contains(bound)),
        [_] | [] => false,
    }
}

impl Sizing {
    /// A translator with so many of what is searched for.
    ///
    /// # Errors
    /// When there is none.
    pub fn new(demand: &Demand, count: usize) -> Result<Self, ProfileError> {
        let translator = &demand.translator;
        let nat = match demand.find {
            None | Some(Find::VirtualIps | Find::PublicIps) => {
                translator.nat(demand.members, count, translator.ports)
            }
            Some(Find::Ports) => {
                let ports = u16::try_from(count).unwrap_or(u16::MAX);
                translator.nat(demand.members, translator.addresses, Some(ports))
            }
        };
        let nat = nat?;
        let bounds = bounds(&nat, demand);
        Ok(Self { count, nat, bounds })
    }

    /// Whether nothing runs out.
    pub fn suffices(&self) -> bool {
        self.bounds.iter().all(Bound::holds)
    }

    /// What runs out first when all demand grows alike.
    pub fn scarcest(&self) -> Option<&Bound> {
        tightest(&self.bounds)
    }

    /// Plays the worst arrivals of all destinations: nothing is refused where this size suffices.
    ///
    /// # Errors
    /// When it would take too many packets.
    pub fn play(&self, demand: &Demand, packets_max: u64) -> Result<Played, NotPlayed> {
        let all: Vec<&Destination> = demand.destinations.iter().collect();
        let is_shared = self.bounds.iter().any(|bound| bound.trial() == Some(Trial::SharedKeys));
        let trial = if is_shared { Trial::SharedKeys } else { Trial::OwnKeys };
        certificate::play(&self.nat, &all, trial, packets_max)
    }

    /// Plays the worst arrivals of what is passed the furthest: one is refused.
    ///
    /// # Errors
    /// When it would take too many packets, or the translator counts nothing that is passed.
    pub fn play_passed(&self, demand: &Demand, packets_max: u64) -> Result<Played, NotPlayed> {
        let is_played = |bound: &&Bound| !bound.holds() && bound.trial().is_some();
        let passed: Vec<Bound> = self.bounds.iter().filter(is_played).cloned().collect();
        let furthest = tightest(&passed).ok_or(NotPlayed::NotCounted)?;
        let of = |index: &usize| demand.destinations.get(*index);
        let destinations: Vec<&Destination> = furthest.destinations.iter().filter_map(of).collect();
        let trial = furthest.trial().ok_or(NotPlayed::NotCounted)?;
        certificate::play(&self.nat, &destinations, trial, packets_max)
    }
}
