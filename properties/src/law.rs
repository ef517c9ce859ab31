//! Laws, and how a trace is held to them.
//!
//! A law is one named function whose name is its claim. It judges a moment: what was known, what
//! was asked, what was answered. `None` means that the law says nothing about the moment, because
//! its premise is not met; so every report can say how often a law was really put to the test.

use std::fmt;

use natlaw_model::subject::{Moment, Step, Subject, Trace};

use crate::report;

/// A claim about every moment of a trace.
#[derive(Debug)]
pub struct Law<S: Subject> {
    /// The claim, as the name of the function that judges it.
    pub name: &'static str,
    /// Where the claim comes from.
    pub source: &'static str,
    /// Who is hurt, and how, if it fails.
    pub harm: &'static str,
    /// Whether the claim holds of a moment; `None` if its premise is not met.
    pub holds: fn(&Moment<'_, S>) -> Option<bool>,
}

/// A claim about a plain value: a tier table, a layout, a pair of runs.
#[derive(Debug)]
pub struct ValueLaw<T> {
    /// The claim, as the name of the function that judges it.
    pub name: &'static str,
    /// Where the claim comes from.
    pub source: &'static str,
    /// Who is hurt, and how, if it fails.
    pub harm: &'static str,
    /// Whether the claim holds of the value.
    pub holds: fn(&T) -> bool,
}

/// Something that must happen somewhere, or the laws hold for want of trying.
#[derive(Debug)]
pub struct Situation<S: Subject> {
    /// What happens, as the name of the function that sees it.
    pub name: &'static str,
    /// Whether it happens at a moment.
    pub occurs: fn(&Moment<'_, S>) -> bool,
}

/// A law, a value law or a situation, named after its function.
#[macro_export]
macro_rules! law {
    ($function:ident, $source:expr, $harm:expr $(,)?) => {
        $crate::law::Law {
            name: stringify!($function),
            source: $source,
            harm: $harm,
            holds: $function,
        }
    };
}

/// A value law, named after its function.
#[macro_export]
macro_rules! value_law {
    ($function:ident, $source:expr, $harm:expr $(,)?) => {
        $crate::law::ValueLaw {
            name: stringify!($function),
            source: $source,
            harm: $harm,
            holds: $function,
        }
    };
}

/// A situation, named after its function.
#[macro_export]
macro_rules! situation {
    ($function:ident) => {
        $crate::law::Situation { name: stringify!($function), occurs: $function }
    };
}

/// What became of one law over a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The law.
    pub law: &'static str,
    /// Moments that met its premise.
    pub tested: usize,
    /// The first step (from 1) that broke it.
    pub broken_at: Option<usize>,
}

/// Judges a trace while it happens, one step at a time; memory does not grow with the steps.
#[derive(Debug)]
pub struct Judge<'a, S: Subject> {
    laws: &'a [Law<S>],
    ledger: S::Ledger,
    verdicts: Vec<Verdict>,
    steps: usize,
}

/// The first law that a trace breaks, and the steps up to the one that broke it.
#[derive(Clone)]
pub struct Violation<S: Subject> {
    /// The law.
    pub law: &'static str,
    /// Who is hurt, and how.
    pub harm: &'static str,
    /// The trace up to and including the step that broke the law.
    pub evidence: Trace<S>,
}

impl<'a, S: Subject> Judge<'a, S> {
    /// A judge that has seen nothing yet.
    pub fn new(laws: &'a [Law<S>], subject: &S) -> Self {
        let verdict = |law: &Law<S>| Verdict { law: law.name, tested: 0, broken_at: None };
        let verdicts = laws.iter().map(verdict).collect();
        Self { laws, ledger: subject.ledger(), verdicts, steps: 0 }
    }

    /// Judges one step, enters it, and answers the first law that it breaks.
    pub fn step(&mut self, event: &S::Event, outcome: &S::Outcome) -> Option<&'a Law<S>> {
        self.steps += 1;
        let moment = Moment { before: &self.ledger, event, outcome };
        let mut broken = None;
        for (law, verdict) in self.laws.iter().zip(&mut self.verdicts) {
            let Some(holds) = (law.holds)(&moment) else { continue };
            verdict.tested += 1;
            if !holds {
                verdict.broken_at.get_or_insert(self.steps);
                broken.get_or_insert(law);
            }
        }
        S::record(&mut self.ledger, event, outcome);
        broken
    }

    /// What the answers so far imply.
    pub fn ledger(&self) -> &S::Ledger {
        &self.ledger
    }

    /// What the answers imply, once all of them are judged.
    pub fn into_ledger(self) -> S::Ledger {
        self.ledger
    }

    /// How many steps were judged.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// What became of each law, in the order of the laws.
    pub fn verdicts(&self) -> &[Verdict] {
        &self.verdicts
    }
}

/// Holds a trace to every law.
///
/// # Errors
/// The first law broken, and the trace up to the step that broke it.
pub fn check<S: Subject>(laws: &[Law<S>], trace: &Trace<S>) -> Result<(), Box<Violation<S>>> {
    let mut judge = Judge::new(laws, &trace.subject);
    for (index, Step { event, outcome }) in trace.steps.iter().enumerate() {
        if let Some(law) = judge.step(event, outcome) {
            let steps = trace.steps[..=index].to_vec();
            let evidence = Trace { subject: trace.subject.clone(), steps };
            return Err(Box::new(Violation { law: law.name, harm: law.harm, evidence }));
        }
    }
    Ok(())
}

/// What becomes of each law over a whole trace.
pub fn verdicts<S: Subject>(laws: &[Law<S>], trace: &Trace<S>) -> Vec<Verdict> {
    let mut judge = Judge::new(laws, &trace.subject);
    for Step { event, outcome } in &trace.steps {
        judge.step(event, outcome);
    }
    judge.verdicts
}

/// A name as a sentence: `no_two_flows_share_a_key` reads `No two flows share a key.`
pub fn sentence(name: &str) -> String {
    let words = name.replace('_', " ").replace("virtual ip", "virtual IP");
    let (first, rest) = words.split_at(words.len().min(1));
    format!("{}{rest}.", first.to_uppercase())
}

impl<S: Subject> fmt::Display for Violation<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "broken at step {}: {}", self.evidence.steps.len(), self.law)?;
        writeln!(f, "{}", self.harm)?;
        write!(f, "{}", report::steps(&self.evidence))
    }
}

/// A violation reads the same wherever it is shown.
impl<S: Subject> fmt::Debug for Violation<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl<S: Subject> std::error::Error for Violation<S> {}
