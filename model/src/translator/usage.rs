//! What each member holds, counted where there are limits.

use std::net::Ipv4Addr;

use rustc_hash::FxHashMap;

use crate::flow::{Binding, Endpoint, FiveTuple, Transport};
use crate::nat::Limits;

/// What every member holds of every transport.
#[derive(Debug, Clone, Default)]
pub(super) struct Usage {
    limits: Limits,
    by_member: FxHashMap<(Ipv4Addr, Transport), Holds>,
}

/// What one member holds of one transport.
#[derive(Debug, Clone, Default)]
struct Holds {
    bindings: u32,
    flows: u32,
    by_port: FxHashMap<Endpoint, u32>,
}

impl Usage {
    /// Nothing is held yet, and nothing is counted where there are no limits.
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, by_member: FxHashMap::default() }
    }

    /// Whether the member may begin another flow.
    pub(super) fn allows_a_flow(&self, flow: FiveTuple) -> bool {
        let holds = self.by_member.get(&member(flow));
        holds.is_none_or(|holds| self.limits.flows.is_none_or(|limit| holds.flows < limit))
    }

    /// Whether the member may have another binding.
    pub(super) fn allows_a_binding(&self, flow: FiveTuple) -> bool {
        let Some(holds) = self.by_member.get(&member(flow)) else {
            return true;
        };
        let ports = u32::try_from(holds.by_port.len()).unwrap_or(u32::MAX);
        self.limits.bindings.is_none_or(|limit| holds.bindings < limit)
            && self.limits.ports.is_none_or(|limit| ports < limit)
    }

    pub(super) fn bound(&mut self, Binding { flow, external }: Binding) {
        if let Some(holds) = self.holds(flow) {
            holds.bindings += 1;
            *holds.by_port.entry(external).or_default() += 1;
        }
    }

    pub(super) fn released(&mut self, Binding { flow, external }: Binding) {
        let Some(holds) = self.holds(flow) else { return };
        holds.bindings -= 1;
        if let Some(bindings) = holds.by_port.get_mut(&external) {
            *bindings -= 1;
            if *bindings == 0 {
                holds.by_port.remove(&external);
            }
        }
        self.forget_idle(flow);
    }

    pub(super) fn begun(&mut self, flow: FiveTuple) {
        if let Some(holds) = self.holds(flow) {
            holds.flows += 1;
        }
    }

    pub(super) fn ended(&mut self, flow: FiveTuple) {
        if let Some(holds) = self.holds(flow) {
            holds.flows -= 1;
            self.forget_idle(flow);
        }
    }

    fn holds(&mut self, flow: FiveTuple) -> Option<&mut Holds> {
        self.limits.bind_members().then(|| self.by_member.entry(member(flow)).or_default())
    }

    fn forget_idle(&mut self, flow: FiveTuple) {
        let holds = self.by_member.get(&member(flow));
        if holds.is_some_and(|holds| holds.bindings == 0 && holds.flows == 0) {
            self.by_member.remove(&member(flow));
        }
    }
}

fn member(flow: FiveTuple) -> (Ipv4Addr, Transport) {
    (flow.source.address, flow.transport)
}
