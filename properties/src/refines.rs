//! Agreement is refinement: a reference says whether an answer is allowed, then adopts it.

use std::fmt;

use natlaw_model::subject::{Step, Subject, Trace};

use crate::report;

/// An obvious device that can follow another one's choices.
pub trait Reference<S: Subject> {
    /// What the reference would answer, choosing as `actual` chose wherever that is allowed.
    fn follow(&mut self, event: &S::Event, actual: &S::Outcome) -> S::Outcome;
}

/// Where a device parted from its reference.
#[derive(Clone)]
pub struct Divergence<S: Subject> {
    /// What the reference answers.
    pub expected: S::Outcome,
    /// The trace up to and including the answer that is not allowed.
    pub evidence: Trace<S>,
}

/// Whether every answer of a trace is one that the reference allows.
///
/// # Errors
/// The first answer that is not, and what the reference answers instead.
pub fn refines<S: Subject>(
    reference: &mut impl Reference<S>,
    trace: &Trace<S>,
) -> Result<(), Box<Divergence<S>>> {
    for (index, Step { event, outcome: actual }) in trace.steps.iter().enumerate() {
        let expected = reference.follow(event, actual);
        if expected != *actual {
            let steps = trace.steps[..=index].to_vec();
            let evidence = Trace { subject: trace.subject.clone(), steps };
            return Err(Box::new(Divergence { expected, evidence }));
        }
    }
    Ok(())
}

impl<S: Subject> fmt::Display for Divergence<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = self.evidence.steps.len();
        writeln!(f, "not allowed at step {step}; the reference answers: {}", self.expected)?;
        write!(f, "{}", report::steps(&self.evidence))
    }
}

/// A divergence reads the same wherever it is shown.
impl<S: Subject> fmt::Debug for Divergence<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl<S: Subject> std::error::Error for Divergence<S> {}
