//! The obvious translator as a reference: it follows another device's choice of endpoints
//! wherever [`FirstFit`] finds that choice eligible. Neither shares code with the tables of the
//! translator in use.

use natlaw_model::allocator::{FirstFit, PortAllocator, Refusal};
use natlaw_model::flow::{Binding, Endpoint, FiveTuple};
use natlaw_model::nat::{Event, Nat, Outcome, Reason};
use natlaw_model::subject::Device;
use natlaw_model::translator::Reference as Obvious;

use crate::refines::Reference;

/// A translator that answers for itself, except that it takes the endpoint another one chose.
#[derive(Debug, Clone)]
pub struct ObviousTranslator(Obvious<Following>);

/// [`FirstFit`], told what another allocator answered.
#[derive(Debug, Clone)]
struct Following {
    first_fit: FirstFit,
    other: Option<Result<Endpoint, Refusal>>,
}

impl ObviousTranslator {
    /// A reference that has seen nothing yet.
    pub fn new(nat: &Nat) -> Self {
        let following = |nat: &Nat| Following { first_fit: FirstFit::new(nat), other: None };
        Self(Obvious::new(nat, following))
    }
}

impl Reference<Nat> for ObviousTranslator {
    fn follow(&mut self, event: &Event, actual: &Outcome) -> Outcome {
        self.0.allocator_mut().other = match (event, actual) {
            (Event::Outbound(_), Outcome::Forwarded(sent) | Outcome::Hairpinned { sent, .. }) => {
                Some(Ok(sent.source))
            }
            (Event::Outbound(_), Outcome::Dropped(Reason::Refused(refusal))) => Some(Err(*refusal)),
            _ => None,
        };
        self.0.step(event)
    }
}

impl PortAllocator for Following {
    fn bind(&mut self, flow: FiveTuple) -> Result<Endpoint, Refusal> {
        match self.other {
            Some(Ok(external)) if self.first_fit.may_give(flow, external) => {
                self.first_fit.adopt(Binding { flow, external });
                Ok(external)
            }
            Some(Err(Refusal::GaveUp)) => Err(Refusal::GaveUp),
            _ => self.first_fit.bind(flow),
        }
    }

    fn release(&mut self, binding: Binding) {
        self.first_fit.release(binding);
    }

    fn reconfigure(&mut self, nat: &Nat) {
        self.first_fit.reconfigure(nat);
    }
}
