//! A group of endpoints as a judged subject.

use natlaw_model::routing::selection::{Answer, EndpointGroup, Known, Outcome, Selector};
use natlaw_model::subject::{Device, Moment};

use super::laws::answered;
use super::mutants::MUTANTS;
use super::{LAWS, REACHABLE};
use crate::judged::Judged;
use crate::law::{Law, Situation};

/// The policies in the tree, each for its method.
const SOUND: &str = "by-method";

impl Judged for EndpointGroup {
    const LAWS: &'static [Law<Self>] = LAWS;
    const REACHABLE: &'static [Situation<Self>] = REACHABLE;

    fn device(&self, name: &str) -> Option<Box<dyn Device<Self>>> {
        if name == SOUND {
            let method = self.method;
            return Some(Box::new(Selector::new(self, move |draw| method.policy(draw))));
        }
        let mutant = MUTANTS.iter().find(|mutant| mutant.name == name)?;
        Some((mutant.device)(self))
    }

    fn device_names() -> Vec<&'static str> {
        std::iter::once(SOUND).chain(MUTANTS.iter().map(|mutant| mutant.name)).collect()
    }

    /// Endpoints, those that may be chosen, and choices since the last change.
    fn summary(known: &Known) -> Vec<(&'static str, String)> {
        vec![
            ("endpoints", known.endpoints.len().to_string()),
            ("eligible", known.eligible().count().to_string()),
            ("choices since the last change", known.turns.values().sum::<u64>().to_string()),
        ]
    }

    fn is_refusal(outcome: &Outcome) -> bool {
        matches!(outcome, Outcome::Answered(answers) if answers.answers.contains(&Answer::Nobody))
    }

    fn begins(moment: &Moment<'_, Self>) -> bool {
        answered(moment).is_some_and(|answers| answers.chosen().next().is_some())
    }
}
