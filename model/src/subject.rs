//! What can be asked, and what was answered: the shape that all subjects share.
//!
//! A [`Scenario`] is a configuration and a list of events. Played on a [`Device`] it gives a
//! [`Trace`]: each event with its answer. A trace is judged one [`Moment`] at a time.

use std::fmt::{Debug, Display};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A kind of thing that can be asked and answers. Its value is the configuration.
pub trait Subject: Clone + Debug + Serialize + DeserializeOwned {
    /// What a scenario file of this subject says after `kind =`.
    const KIND: &'static str;
    /// What can be asked: data, legal in every state.
    type Event: Clone + Debug + Display + PartialEq + Serialize + DeserializeOwned;
    /// What can be answered.
    type Outcome: Clone + Debug + Display + PartialEq + Serialize + DeserializeOwned;
    /// What the answers so far imply, the configuration in force included.
    type Ledger;

    /// The ledger before anything was asked.
    fn ledger(&self) -> Self::Ledger;

    /// Enters one event and its answer.
    fn record(ledger: &mut Self::Ledger, event: &Self::Event, outcome: &Self::Outcome);
}

/// What answers: a translator, a kernel, a transcript.
pub trait Device<S: Subject> {
    /// Answers one event.
    fn step(&mut self, event: &S::Event) -> S::Outcome;
}

impl<S: Subject, D: Device<S> + ?Sized> Device<S> for Box<D> {
    fn step(&mut self, event: &S::Event) -> S::Outcome {
        (**self).step(event)
    }
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "", deny_unknown_fields)]
pub struct Scenario<S: Subject> {
    /// The configuration at the start.
    pub subject: S,
    /// What happens, in order.
    pub events: Vec<S::Event>,
}

/// One event and its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "", deny_unknown_fields)]
pub struct Step<S: Subject> {
    /// What was asked.
    pub event: S::Event,
    /// What was answered.
    pub outcome: S::Outcome,
}

/// What was asked and what was answered. It may come from anywhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "", deny_unknown_fields)]
pub struct Trace<S: Subject> {
    /// The configuration at the start.
    pub subject: S,
    /// What happened, in order.
    pub steps: Vec<Step<S>>,
}

/// What a law judges: what was known, what was asked, what was answered.
#[derive(Debug)]
pub struct Moment<'a, S: Subject> {
    /// What the answers before this one imply.
    pub before: &'a S::Ledger,
    /// What was asked.
    pub event: &'a S::Event,
    /// What was answered.
    pub outcome: &'a S::Outcome,
}

impl<S: Subject> Scenario<S> {
    /// Asks the device every event in turn.
    pub fn play(&self, device: &mut impl Device<S>) -> Trace<S> {
        let step = |event: &S::Event| Step { event: event.clone(), outcome: device.step(event) };
        Trace { subject: self.subject.clone(), steps: self.events.iter().map(step).collect() }
    }
}

impl<S: Subject> Trace<S> {
    /// What was asked.
    pub fn scenario(&self) -> Scenario<S> {
        let events = self.steps.iter().map(|step| step.event.clone()).collect();
        Scenario { subject: self.subject.clone(), events }
    }

    /// What the answers imply once all of them are entered.
    pub fn ledger(&self) -> S::Ledger {
        let mut ledger = self.subject.ledger();
        self.steps.iter().for_each(|step| S::record(&mut ledger, &step.event, &step.outcome));
        ledger
    }
}
