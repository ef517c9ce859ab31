//! A network as a judged subject.

use natlaw_model::routing::{Disposition, Ledger, Outcome, RoutingGraph};
use natlaw_model::subject::{Device, Moment};

use super::mutants::MUTANTS;
use super::{DEVICES, LAWS, REACHABLE};
use crate::judged::Judged;
use crate::law::{Law, Situation};
use crate::nat::grouped;

impl Judged for RoutingGraph {
    const LAWS: &'static [Law<Self>] = LAWS;
    const REACHABLE: &'static [Situation<Self>] = REACHABLE;

    fn device(&self, name: &str) -> Option<Box<dyn Device<Self>>> {
        super::device(name, self)
    }

    fn device_names() -> Vec<&'static str> {
        let sound = DEVICES.iter().map(|device| device.name);
        sound.chain(MUTANTS.iter().map(|mutant| mutant.name)).collect()
    }

    fn summary(ledger: &Ledger) -> Vec<(&'static str, String)> {
        let components = ledger.graph.components().filter(|(at, _)| ledger.graph.can_fail(*at));
        let answers = ledger.answers.values().filter(|answer| answer.until > ledger.now);
        let held = ledger.translators.values().map(|translator| translator.holdings().count());
        vec![
            ("time", ledger.now.to_string()),
            ("nodes", grouped(ledger.graph.nodes().count())),
            ("components that can fail", grouped(components.count())),
            ("components down", grouped(ledger.health.count())),
            ("answers kept", grouped(answers.count())),
            ("SNAT ports held", grouped(held.sum())),
        ]
    }

    /// Whatever asks for something and does not get it.
    fn is_refusal(outcome: &Outcome) -> bool {
        matches!(
            outcome,
            Outcome::Walked(walk) if matches!(
                walk.disposition,
                Disposition::RefusedPorts(_) | Disposition::RefusedThrottled
            )
        )
    }

    /// A connection that leaves translated takes a port.
    fn begins(moment: &Moment<'_, Self>) -> bool {
        let exits = |outcome: &Outcome| match outcome {
            Outcome::Walked(walk) => matches!(walk.disposition, Disposition::Exits(_)),
            _ => false,
        };
        exits(moment.outcome)
    }
}
