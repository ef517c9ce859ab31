//! Agreement with a rule: each answer of a device is one that the rule allows, and the rule then
//! goes on from that answer.

use std::fmt;

use natlaw_model::allocator::linux_like::{Allowed, LinuxLike};
use natlaw_model::allocator::{OvsLike, PortAllocator, Refusal};
use natlaw_model::flow::{Binding, Endpoint, FiveTuple};
use natlaw_model::nat::{Configuration, Event, HoldDown, Nat, Outcome, Reason};
use natlaw_model::subject::{Device as _, Step};
use natlaw_model::translator::Translator;
use natlaw_properties::report;
use natlaw_properties::shrink::fewest;
use serde::{Deserialize, Serialize};

use crate::play::Recording;

/// What a device may answer to a new flow.
pub trait Rule {
    /// Every answer that is allowed now.
    fn allowed(&self, flow: FiveTuple) -> Allowed;

    /// The device gave the flow this endpoint.
    fn adopt(&mut self, binding: Binding);

    /// The flow is over, and its endpoint is free.
    fn release(&mut self, binding: Binding);

    /// How many taken candidates a refusal of this flow looks at, where that is certain.
    fn taken_by_a_refusal(&self, flow: FiveTuple) -> Option<u64> {
        let _ = flow;
        None
    }
}

/// How often, and in what, a device and a rule agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// Steps that were compared.
    pub steps: usize,
    /// New flows to which the rule allows one answer only.
    pub exact: usize,
    /// New flows that were given one of several endpoints.
    pub drawn: usize,
    /// New flows that were refused.
    pub refused: usize,
    /// Refusals whose taken candidates were counted, and as the rule says.
    pub counted: usize,
}

/// Where a device and a rule parted.
#[derive(Clone, PartialEq)]
pub struct Parted {
    /// What the rule says of the last answer.
    pub expected: String,
    /// Everything up to and including that answer.
    pub evidence: Recording,
}

/// Holds a recording to some rule.
pub type Follow = fn(&Recording) -> Result<Agreement, Box<Parted>>;

/// Holds a recording to a rule. Everything but the choice of endpoints is the translator's to say.
///
/// # Errors
/// The first answer that is not allowed.
pub fn follow<R: Rule>(
    nat: &Nat,
    rule: R,
    recording: &Recording,
) -> Result<Agreement, Box<Parted>> {
    let following = Following { rule, actual: None, asked: None };
    let mut reference = Translator::new(nat, |_| following);
    let mut agreement = Agreement::default();
    for (index, Step { event, outcome }) in recording.trace.steps.iter().enumerate() {
        let following = reference.allocator_mut();
        (following.actual, following.asked) = (chosen(event, outcome), None);
        let expected = reference.step(event);
        let asked = reference.allocator_mut().asked.take();
        let taken = recording.taken.get(index).copied().flatten();
        if let Some(expected) = objection(&expected, outcome, asked.as_ref(), taken) {
            let steps: Vec<usize> = (0..=index).collect();
            return Err(Box::new(Parted { expected, evidence: recording.with_steps(&steps) }));
        }
        agreement.enter(outcome, asked.as_ref(), taken);
    }
    Ok(agreement)
}

/// Holds a recording to Linux's rule. Linux has no hold-down, whatever is configured.
///
/// # Errors
/// The first answer that is not allowed.
pub fn follow_linux(recording: &Recording) -> Result<Agreement, Box<Parted>> {
    let no_rest = |it: &mut Configuration| it.timers.hold_down = HoldDown::default();
    let nat = recording.trace.subject.with(no_rest).expect("a legal change");
    follow(&nat, LinuxLike::new(&nat), recording)
}

/// What was asked of the rule.
struct Asked {
    allowed: Allowed,
    taken_by_a_refusal: Option<u64>,
}

/// A rule that follows what a device chose.
struct Following<R> {
    rule: R,
    actual: Option<Result<Endpoint, Refusal>>,
    asked: Option<Asked>,
}

impl<R: Rule> PortAllocator for Following<R> {
    fn bind(&mut self, flow: FiveTuple) -> Result<Endpoint, Refusal> {
        let allowed = self.rule.allowed(flow);
        let own = || allowed.endpoints.first().copied().ok_or(Refusal::Exhausted);
        let answer = match self.actual {
            Some(actual) if allowed.contains(actual) => actual,
            _ => own(),
        };
        let taken_by_a_refusal = self.rule.taken_by_a_refusal(flow);
        if let Ok(external) = answer {
            self.rule.adopt(Binding { flow, external });
        }
        self.asked = Some(Asked { allowed, taken_by_a_refusal });
        answer
    }

    fn release(&mut self, binding: Binding) {
        self.rule.release(binding);
    }

    fn reconfigure(&mut self, _: &Nat) {}
}

fn chosen(event: &Event, outcome: &Outcome) -> Option<Result<Endpoint, Refusal>> {
    match (event, outcome) {
        (Event::Outbound(_), Outcome::Forwarded(sent)) => Some(Ok(sent.source)),
        (Event::Outbound(_), Outcome::Dropped(Reason::Refused(refusal))) => Some(Err(*refusal)),
        _ => None,
    }
}

/// What the rule has against an answer, if anything.
fn objection(
    expected: &Outcome,
    actual: &Outcome,
    asked: Option<&Asked>,
    taken: Option<u64>,
) -> Option<String> {
    if expected != actual {
        let allowed = asked.map(|asked| format!(", of {}", said(&asked.allowed)));
        return Some(format!("{expected}{}", allowed.unwrap_or_default()));
    }
    let foreseen = asked.filter(|_| is_refusal(actual))?.taken_by_a_refusal?;
    let taken = taken.filter(|taken| *taken != foreseen)?;
    Some(format!("a refusal that looks at {foreseen} taken candidates, not {taken}"))
}

fn said(Allowed { endpoints, refusal }: &Allowed) -> String {
    let or_refused = if *refusal { " or a refusal" } else { "" };
    match endpoints.as_slice() {
        [] => "a refusal alone".into(),
        [only] => format!("{only}{or_refused}"),
        [first, .., last] => {
            format!("{} free ones from {first} to {last}{or_refused}", endpoints.len())
        }
    }
}

fn is_refusal(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Dropped(Reason::Refused(_)))
}

impl Agreement {
    fn enter(&mut self, outcome: &Outcome, asked: Option<&Asked>, taken: Option<u64>) {
        self.steps += 1;
        let Some(Asked { allowed, taken_by_a_refusal }) = asked else { return };
        let is_refused = is_refusal(outcome);
        let is_exact = allowed.endpoints.len() + usize::from(allowed.refusal) == 1;
        self.exact += usize::from(is_exact);
        self.drawn += usize::from(!is_exact && !is_refused);
        self.refused += usize::from(is_refused);
        self.counted += usize::from(is_refused && taken.is_some() && taken_by_a_refusal.is_some());
    }

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            steps: self.steps + other.steps,
            exact: self.exact + other.exact,
            drawn: self.drawn + other.drawn,
            refused: self.refused + other.refused,
            counted: self.counted + other.counted,
        }
    }
}

/// A part of the recording, with no step too many, on which device and rule part in its last step
/// (delta debugging over the transcript; the rule is asked, the device is not).
pub fn shrunk(parted: &Parted, follow: Follow) -> Recording {
    fewest_steps(&parted.evidence, |recording| {
        let last = recording.trace.steps.len();
        follow(recording).is_err_and(|again| again.evidence.trace.steps.len() == last)
    })
}

/// The recording without the steps that the verdict does not need.
pub fn fewest_steps(recording: &Recording, still: impl Fn(&Recording) -> bool) -> Recording {
    let steps: Vec<usize> = (0..recording.trace.steps.len()).collect();
    let fewest = fewest(&steps, |kept| still(&recording.with_steps(kept)));
    recording.with_steps(&fewest)
}

impl Rule for LinuxLike {
    fn allowed(&self, flow: FiveTuple) -> Allowed {
        Self::allowed(self, flow)
    }

    fn adopt(&mut self, binding: Binding) {
        Self::adopt(self, binding);
    }

    fn release(&mut self, binding: Binding) {
        PortAllocator::release(self, binding);
    }

    fn taken_by_a_refusal(&self, flow: FiveTuple) -> Option<u64> {
        Self::taken_by_a_refusal(self, flow).map(u64::from)
    }
}

impl fmt::Display for Parted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = self.evidence.trace.steps.len();
        writeln!(f, "not allowed at step {step}; the rule says: {}", self.expected)?;
        write!(f, "{}", report::steps(&self.evidence.trace))
    }
}

/// Reads the same wherever it is shown.
impl fmt::Debug for Parted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl std::error::Error for Parted {}

/// Holds a recording to Open vSwitch's rule. It has no hold-down either.
///
/// # Errors
/// The first answer that is not allowed.
pub fn follow_ovs(recording: &Recording) -> Result<Agreement, Box<Parted>> {
    let no_rest = |it: &mut Configuration| it.timers.hold_down = HoldDown::default();
    let nat = recording.trace.subject.with(no_rest).expect("a legal change");
    follow(&nat, OvsLike::new(&nat), recording)
}

impl Rule for OvsLike {
    fn allowed(&self, flow: FiveTuple) -> Allowed {
        Self::allowed(self, flow)
    }

    fn adopt(&mut self, binding: Binding) {
        Self::adopt(self, binding);
    }

    fn release(&mut self, binding: Binding) {
        Self::release(self, binding);
    }
}
