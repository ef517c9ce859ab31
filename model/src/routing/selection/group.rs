//! A group of endpoints as a subject: what can be asked of a policy, and what it answered.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use itertools::Itertools;
use serde::{Deserialize, Serialize};

use super::{
    Ask, Candidate, Choice, ConsistentHash, FirstEndpoint, LeastLatency, Policy, Priority,
    RoundRobin, Selected, Weighted,
};
use crate::allocator::random::SplitMix;
use crate::subject::{Device, Subject};

/// What a policy promises: laws judge it by that, whoever wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// The lowest priority.
    Priority,
    /// At random, by weight.
    Weighted,
    /// In turn, by weight.
    RoundRobin,
    /// In turn by weight, among those of the best priority that are nearly as fast as the fastest.
    LeastLatency {
        /// How much slower still counts as nearly as fast, in milliseconds.
        sensitivity_ms: u32,
    },
    /// The first endpoint of the list that answers.
    FirstEndpoint,
    /// By the key, so that a change of one endpoint moves its own keys only.
    ConsistentHash {
        /// Other keys that may move with it, in percent of all keys.
        slack_percent: u8,
    },
}

/// A group of endpoints and how one of them is chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointGroup {
    /// How one is chosen.
    pub method: Method,
    /// All that is drawn at random follows from it.
    #[serde(default)]
    pub seed: u64,
    /// The endpoints in order. Of two with one identity the later stands, in its own place.
    #[serde(default)]
    pub endpoints: Vec<Candidate>,
}

/// What can be asked of a group. Who is named and not in the group is not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// An endpoint for each of these.
    Ask(Asks),
    /// An endpoint for each of these, each chosen by a policy that has just started.
    Start(Asks),
    /// The endpoint's probes fail.
    Down(u64),
    /// The endpoint's probes succeed.
    Up(u64),
    /// The endpoint is taken out; those behind it move up.
    Remove(u64),
    /// An endpoint joins at the end; whoever has its identity is taken out before.
    Add(Candidate),
    /// The endpoint has this weight from now on.
    Weigh(u64, u16),
}

/// For whom is asked: keys that count upwards, wrapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asks {
    /// The first key.
    pub key: u64,
    /// How many keys.
    pub times: u16,
}

/// What a group answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// An endpoint for each key, or none.
    Answered(Answers),
    /// The group is as it was told to be.
    Changed,
}

/// An answer for each key, and what the longest of them took.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// An answer for each key, in order.
    pub answers: Vec<Answer>,
    /// The most steps that one of them took.
    pub steps: u64,
    /// The most steps that one of them was declared to take.
    pub steps_max: u64,
}

/// The answer for one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The endpoint of this identity.
    Chosen(u64),
    /// A place of the list where no endpoint stands.
    Astray(usize),
    /// No endpoint is eligible.
    Nobody,
    /// The declared steps are spent.
    Unfinished,
}

/// What the answers of a group imply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// How one is chosen.
    pub method: Method,
    /// The endpoints in order, as they are now.
    pub endpoints: Vec<Candidate>,
    /// How often each was chosen since the group last changed.
    pub turns: BTreeMap<u64, u64>,
    /// The same, of policies that had just started.
    pub starts: BTreeMap<u64, u64>,
    /// The list as a client that keeps it has discovered it.
    pub index: Vec<u64>,
    /// Under a consistent hash, which key was given which endpoint while these were eligible.
    pub homes: BTreeMap<BTreeSet<u64>, BTreeMap<u64, u64>>,
}

/// A group whose endpoints are chosen by policies of one kind.
pub struct Selector<F> {
    endpoints: Vec<Candidate>,
    new: F,
    policy: Box<dyn Policy>,
    draws: SplitMix,
}

impl Method {
    /// The policy in this tree that keeps the promise; its start, if it has one, follows from a
    /// draw.
    pub fn policy(self, draw: u64) -> Box<dyn Policy> {
        match self {
            Self::Priority => Box::new(Priority),
            Self::Weighted => Box::new(Weighted),
            Self::RoundRobin => Box::new(RoundRobin::starting_at(draw)),
            Self::LeastLatency { sensitivity_ms } => {
                Box::new(LeastLatency::starting_at(sensitivity_ms, draw))
            }
            Self::FirstEndpoint => Box::new(FirstEndpoint::new()),
            Self::ConsistentHash { .. } => Box::new(ConsistentHash),
        }
    }
}

impl Asks {
    /// Each key in turn.
    pub fn keys(self) -> impl Iterator<Item = u64> {
        (0..self.times).map(move |nth| self.key.wrapping_add(u64::from(nth)))
    }
}

impl Event {
    /// Changes the endpoints as this event says.
    fn change(&self, endpoints: &mut Vec<Candidate>) {
        match *self {
            Self::Ask(_) | Self::Start(_) => {}
            Self::Down(who) => named(endpoints, who).for_each(|one| one.available = false),
            Self::Up(who) => named(endpoints, who).for_each(|one| one.available = true),
            Self::Weigh(who, weight) => named(endpoints, who).for_each(|one| one.weight = weight),
            Self::Remove(who) => endpoints.retain(|one| one.identity != who),
            Self::Add(endpoint) => {
                endpoints.retain(|one| one.identity != endpoint.identity);
                endpoints.push(endpoint);
            }
        }
    }
}

fn named(endpoints: &mut [Candidate], who: u64) -> impl Iterator<Item = &mut Candidate> {
    endpoints.iter_mut().filter(move |one| one.identity == who)
}

impl EndpointGroup {
    /// The endpoints, each identity once.
    fn listed(&self) -> Vec<Candidate> {
        let mut endpoints = self.endpoints.clone();
        let mut seen = BTreeSet::new();
        endpoints.reverse();
        endpoints.retain(|one| seen.insert(one.identity));
        endpoints.reverse();
        endpoints
    }
}

impl Subject for EndpointGroup {
    const KIND: &'static str = "selection";
    type Event = Event;
    type Outcome = Outcome;
    type Ledger = Known;

    fn ledger(&self) -> Known {
        Known {
            method: self.method,
            endpoints: self.listed(),
            turns: BTreeMap::new(),
            starts: BTreeMap::new(),
            index: Vec::new(),
            homes: BTreeMap::new(),
        }
    }

    fn record(known: &mut Known, event: &Event, outcome: &Outcome) {
        match (event, outcome) {
            (Event::Ask(asks), Outcome::Answered(answers)) => known.asked(*asks, answers),
            (Event::Start(_), Outcome::Answered(answers)) => count(&mut known.starts, answers),
            _ => known.changed(event),
        }
    }
}

impl Known {
    /// Who may be chosen.
    pub fn eligible(&self) -> impl Iterator<Item = &Candidate> {
        self.endpoints.iter().filter(|one| one.is_eligible())
    }

    /// Who of them the method leaves to choose from.
    pub fn contenders(&self) -> Vec<&Candidate> {
        let best = self.eligible().map(|one| (one.priority, one.latency_ms)).min();
        let (priority, fastest_ms) = best.unwrap_or_default();
        let remains = |one: &&Candidate| match self.method {
            Method::Priority => one.priority == priority,
            Method::LeastLatency { sensitivity_ms } => {
                let slowest_ms = fastest_ms.saturating_add(sensitivity_ms);
                one.priority == priority && one.latency_ms <= slowest_ms
            }
            Method::Weighted
            | Method::RoundRobin
            | Method::FirstEndpoint
            | Method::ConsistentHash { .. } => true,
        };
        self.eligible().filter(remains).collect()
    }

    /// The first endpoint of the index that is eligible; of the list where the index has none.
    pub fn first_known(&self) -> Option<u64> {
        let mut known = self.index.iter().filter_map(|identity| self.endpoint(*identity));
        let known = known.find(|one| one.is_eligible());
        known.or_else(|| self.eligible().next()).map(|one| one.identity)
    }

    /// The endpoint of this identity.
    pub fn endpoint(&self, identity: u64) -> Option<&Candidate> {
        self.endpoints.iter().find(|one| one.identity == identity)
    }

    fn asked(&mut self, asks: Asks, answers: &Answers) {
        count(&mut self.turns, answers);
        if !self.index.iter().any(|known| self.eligible().any(|one| one.identity == *known)) {
            self.index = self.endpoints.iter().map(|one| one.identity).collect();
        }
        if matches!(self.method, Method::ConsistentHash { .. }) {
            let eligible = self.eligible().map(|one| one.identity).collect();
            let homes = self.homes.entry(eligible).or_default();
            homes.extend(answers.homes(asks));
        }
    }

    fn changed(&mut self, event: &Event) {
        event.change(&mut self.endpoints);
        self.turns.clear();
        self.starts.clear();
    }
}

impl Answers {
    /// The endpoints that were chosen, in order.
    pub fn chosen(&self) -> impl Iterator<Item = u64> {
        self.answers.iter().filter_map(|answer| match answer {
            Answer::Chosen(endpoint) => Some(*endpoint),
            Answer::Astray(_) | Answer::Nobody | Answer::Unfinished => None,
        })
    }

    /// Each key that was given an endpoint, with that endpoint.
    pub fn homes(&self, asks: Asks) -> impl Iterator<Item = (u64, u64)> {
        asks.keys().zip(&self.answers).filter_map(|(key, answer)| match answer {
            Answer::Chosen(endpoint) => Some((key, *endpoint)),
            Answer::Astray(_) | Answer::Nobody | Answer::Unfinished => None,
        })
    }

    fn enter(&mut self, answer: Answer, steps: u64, steps_max: u64) {
        self.answers.push(answer);
        self.steps = self.steps.max(steps);
        self.steps_max = self.steps_max.max(steps_max);
    }
}

fn count(counts: &mut BTreeMap<u64, u64>, answers: &Answers) {
    answers.chosen().for_each(|endpoint| *counts.entry(endpoint).or_default() += 1);
}

impl<F: Fn(u64) -> Box<dyn Policy>> Selector<F> {
    /// A group whose policies this makes: each from a draw, uniform over all numbers.
    pub fn new(group: &EndpointGroup, new: F) -> Self {
        let mut draws = SplitMix::new(group.seed);
        let policy = new(draws.next());
        Self { endpoints: group.listed(), new, policy, draws }
    }

    fn ask(&mut self, key: u64, answers: &mut Answers) {
        let ask = Ask { key, draw: self.draws.next() };
        let steps_max = self.policy.steps_max(self.endpoints.len());
        let Selected { choice, steps } = self.policy.select(ask, &self.endpoints);
        answers.enter(self.told(choice), steps, steps_max);
    }

    fn start(&mut self, key: u64, answers: &mut Answers) {
        let started = (self.new)(self.draws.next());
        let in_use = std::mem::replace(&mut self.policy, started);
        self.ask(key, answers);
        self.policy = in_use;
    }

    fn told(&self, choice: Choice) -> Answer {
        match choice {
            Choice::Chosen(place) => match self.endpoints.get(place) {
                Some(endpoint) => Answer::Chosen(endpoint.identity),
                None => Answer::Astray(place),
            },
            Choice::Nobody => Answer::Nobody,
            Choice::Unfinished => Answer::Unfinished,
        }
    }
}

impl<F: Fn(u64) -> Box<dyn Policy>> Device<EndpointGroup> for Selector<F> {
    fn step(&mut self, event: &Event) -> Outcome {
        let mut answers = Answers::default();
        match event {
            Event::Ask(asks) => asks.keys().for_each(|key| self.ask(key, &mut answers)),
            Event::Start(asks) => asks.keys().for_each(|key| self.start(key, &mut answers)),
            change => {
                change.change(&mut self.endpoints);
                return Outcome::Changed;
            }
        }
        Outcome::Answered(answers)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Priority => write!(f, "priority"),
            Self::Weighted => write!(f, "weighted"),
            Self::RoundRobin => write!(f, "round robin"),
            Self::LeastLatency { sensitivity_ms } => {
                write!(f, "least latency, {sensitivity_ms} ms")
            }
            Self::FirstEndpoint => write!(f, "first endpoint first"),
            Self::ConsistentHash { slack_percent } => {
                write!(f, "consistent hash, slack {slack_percent} %")
            }
        }
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { identity, priority, weight, latency_ms, available } = self;
        let down = if *available { "" } else { ", down" };
        write!(f, "{identity}: priority {priority}, weight {weight}, {latency_ms} ms{down}")
    }
}

/// Neighbours that differ in nothing but their number are told as one.
impl fmt::Display for EndpointGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, seed {}", self.method, self.seed)?;
        let alone = self.listed().into_iter().map(|endpoint| (endpoint.identity, endpoint));
        let mut runs = alone.coalesce(|(first, last), (next, endpoint)| {
            let follows = last.identity.checked_add(1) == Some(next);
            match follows && endpoint == (Candidate { identity: next, ..last }) {
                true => Ok((first, endpoint)),
                false => Err(((first, last), (next, endpoint))),
            }
        });
        runs.try_for_each(|(first, last)| match first == last.identity {
            true => write!(f, "; {last}"),
            false => write!(f, "; {first} to {last}"),
        })
    }
}

impl fmt::Display for Asks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.times {
            1 => write!(f, "key {}", self.key),
            times => write!(f, "{times} keys from {}", self.key),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ask(asks) => write!(f, "ask for {asks}"),
            Self::Start(asks) => write!(f, "start for {asks}"),
            Self::Down(endpoint) => write!(f, "{endpoint} goes down"),
            Self::Up(endpoint) => write!(f, "{endpoint} comes up"),
            Self::Remove(endpoint) => write!(f, "remove {endpoint}"),
            Self::Add(endpoint) => write!(f, "add {endpoint}"),
            Self::Weigh(endpoint, weight) => write!(f, "{endpoint} weighs {weight}"),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chosen(endpoint) => write!(f, "{endpoint}"),
            Self::Astray(place) => write!(f, "place {place}, where no endpoint stands"),
            Self::Nobody => write!(f, "nobody"),
            Self::Unfinished => write!(f, "unfinished"),
        }
    }
}

/// Who was chosen and how often, and the steps of the longest choice.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Answered(Answers { answers, steps, steps_max }) = self else {
            return write!(f, "changed");
        };
        let told = |(answer, times): (&Answer, usize)| match times {
            1 => answer.to_string(),
            _ => format!("{answer} ({times} times)"),
        };
        let counts: BTreeMap<&Answer, usize> = answers.iter().counts().into_iter().collect();
        let told = counts.into_iter().map(told).format(", ");
        write!(f, "{told}; {steps} of {steps_max} steps")
    }
}
