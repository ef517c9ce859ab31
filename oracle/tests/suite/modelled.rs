//! The model in the place of a real device.

use std::collections::BTreeMap;

use natlaw_model::allocator::PortAllocator;
use natlaw_model::flow::{Binding, FiveTuple};
use natlaw_model::nat::{Nat, Segment};
use natlaw_oracle::real::{Error, Opened, RealNat};

/// An allocator with a table of flows around it.
pub(crate) struct Modelled<A> {
    pub(crate) new: fn(&Nat) -> A,
    pub(crate) allocator: Option<A>,
    pub(crate) live: BTreeMap<FiveTuple, Binding>,
    /// How many of its first flows its table lacks.
    pub(crate) hides: usize,
}

impl<A: PortAllocator> Modelled<A> {
    pub(crate) fn new(new: fn(&Nat) -> A) -> Self {
        Self { new, allocator: None, live: BTreeMap::new(), hides: 0 }
    }
}

impl<A: PortAllocator> RealNat for Modelled<A> {
    fn name(&self) -> &'static str {
        "modelled"
    }

    fn versions(&self) -> Vec<(&'static str, String)> {
        vec![("model", "0".into())]
    }

    fn configure(&mut self, nat: &Nat) -> Result<(), Error> {
        self.allocator = Some((self.new)(nat));
        self.live.clear();
        Ok(())
    }

    fn outbound(&mut self, segment: Segment) -> Result<Opened, Error> {
        let flow = segment.tuple;
        if let Some(binding) = self.live.get(&flow) {
            return Ok(Opened::Sent(binding.external_tuple()));
        }
        if segment.ends_its_flow() {
            return Ok(Opened::Dropped);
        }
        let allocator = self.allocator.as_mut().expect("it is configured");
        let Ok(external) = allocator.bind(flow) else { return Ok(Opened::Refused) };
        self.live.insert(flow, Binding { flow, external });
        Ok(Opened::Sent(flow.from(external)))
    }

    fn inbound(&mut self, segment: Segment) -> Result<Option<FiveTuple>, Error> {
        let mut live = self.live.values();
        let answered = live.find(|it| it.external_tuple().reversed() == segment.tuple);
        Ok(answered.map(|binding| binding.flow.reversed()))
    }

    fn close(&mut self, flow: FiveTuple) -> Result<(), Error> {
        if let Some(binding) = self.live.remove(&flow) {
            self.allocator.as_mut().expect("it is configured").release(binding);
        }
        Ok(())
    }

    fn table(&mut self) -> Result<Vec<Binding>, Error> {
        Ok(self.live.values().copied().skip(self.hides).collect())
    }
}
