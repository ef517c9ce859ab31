//! A subject with everything that is needed to judge it: its laws, its devices, its summary.

use natlaw_model::subject::{Device, Moment, Subject};

use crate::law::{Law, Situation};

/// A subject whose traces can be judged, whose scenarios can be read from files and played.
pub trait Judged: Subject + 'static {
    /// What must be true of every moment.
    const LAWS: &'static [Law<Self>];
    /// What generators must reach.
    const REACHABLE: &'static [Situation<Self>];

    /// The device of this name for this configuration; `None` if there is none of the name.
    fn device(&self, name: &str) -> Option<Box<dyn Device<Self>>>;

    /// The names of all devices, the default first.
    fn device_names() -> Vec<&'static str>;

    /// What a person wants to know at the end of a trace: names and values.
    fn summary(ledger: &Self::Ledger) -> Vec<(&'static str, String)>;

    /// Whether an answer is a refusal of what was asked.
    fn is_refusal(outcome: &Self::Outcome) -> bool;

    /// Whether an answer begins something that is then held: a binding, for a translator.
    fn begins(moment: &Moment<'_, Self>) -> bool;
}
