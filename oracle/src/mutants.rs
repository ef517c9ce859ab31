//! The kernel's rule with a mistake in it. A comparison that a mistake survives is worth nothing.

use std::net::Ipv4Addr;

use natlaw_model::allocator::LinuxLike;
use natlaw_model::allocator::linux_like::{Allowed, address_index};
use natlaw_model::flow::{Binding, Endpoint, FiveTuple};
use natlaw_model::nat::{Candidates, Configuration, HoldDown, Nat, PortReuse};
use natlaw_model::time::Duration;

use crate::play::Recording;
use crate::rule::{Agreement, Follow, Parted, Rule, follow};

/// A mistaken rule.
#[derive(Debug)]
pub struct Mutant {
    /// What it is called.
    pub name: &'static str,
    /// What is wrong with it.
    pub mistake: &'static str,
    /// Holds a recording to it.
    pub follow: Follow,
}

/// Every mistaken rule. A real device parts from each of them.
pub const MUTANTS: &[Mutant] = &[
    mutant("oldest-mapping", "the oldest mapping is used again, not the newest", |recording| {
        altered(recording, |rule, _, flow| match rule.mappings(flow).first().copied() {
            Some(oldest) if rule.is_free(flow, oldest) => Allowed::only(oldest),
            _ => rule.preserved(flow).map_or_else(|| rule.searched(flow), Allowed::only),
        })
    }),
    mutant("persistent-hash", "the address is a hash of the source alone", |recording| {
        altered(recording, |rule, nat, flow| match rule.reused(flow) {
            Some(reused) => Allowed::only(reused),
            None => on_the_address_of_the_source(rule, nat, flow),
        })
    }),
    mutant("preservation-first", "a port is kept rather than a mapping used again", |recording| {
        altered(recording, |rule, _, flow| match rule.preserved(flow) {
            Some(kept) => Allowed::only(kept),
            None => rule.allowed(flow),
        })
    }),
    mutant("key-without-port", "a port serves one destination address, not one endpoint", |it| {
        reconfigured(it, |nat| nat.port_reuse = PortReuse::PerDestinationAddress.into())
    }),
    mutant("exhaustive-at-256", "up to 256 ports are searched to the end", |recording| {
        altered(recording, |rule, _, flow| {
            let allowed = rule.allowed(flow);
            let is_searched = rule.addressed(flow).is_some_and(|ports| ports.len() <= 256);
            let must_find = is_searched && !allowed.endpoints.is_empty();
            Allowed { refusal: allowed.refusal && !must_find, ..allowed }
        })
    }),
    mutant("hold-down", "a port rests for 10 s after its flow", |recording| {
        let rest = HoldDown::uniform(Duration::from_secs(10));
        reconfigured(recording, |nat| nat.timers.hold_down = rest)
    }),
    mutant("spill-over", "a full address leads to the next", |recording| {
        altered(recording, |rule, nat, flow| match rule.allowed(flow) {
            full if full.endpoints.is_empty() => anywhere(rule, nat, flow),
            allowed => allowed,
        })
    }),
    mutant("four-windows", "a search ends with the window of 16", |recording| {
        let nat = &recording.trace.subject;
        follow(nat, FourWindows(LinuxLike::new(nat)), recording)
    }),
];

const fn mutant(name: &'static str, mistake: &'static str, follow: Follow) -> Mutant {
    Mutant { name, mistake, follow }
}

/// Linux's rule, but for what it allows.
struct Altered {
    rule: LinuxLike,
    nat: Nat,
    allowed: fn(&LinuxLike, &Nat, FiveTuple) -> Allowed,
}

impl Rule for Altered {
    fn allowed(&self, flow: FiveTuple) -> Allowed {
        (self.allowed)(&self.rule, &self.nat, flow)
    }

    fn adopt(&mut self, binding: Binding) {
        self.rule.adopt(binding);
    }

    fn release(&mut self, binding: Binding) {
        Rule::release(&mut self.rule, binding);
    }
}

fn altered(
    recording: &Recording,
    allowed: fn(&LinuxLike, &Nat, FiveTuple) -> Allowed,
) -> Result<Agreement, Box<Parted>> {
    let nat = &recording.trace.subject;
    let altered = Altered { rule: LinuxLike::new(nat), nat: nat.clone(), allowed };
    follow(nat, altered, recording)
}

/// Linux's rule for another configuration than the device has.
fn reconfigured(
    recording: &Recording,
    change: impl FnOnce(&mut Configuration),
) -> Result<Agreement, Box<Parted>> {
    let nat = recording.trace.subject.with(change).expect("a legal change");
    follow(&nat, LinuxLike::new(&nat), recording)
}

fn on_the_address_of_the_source(rule: &LinuxLike, nat: &Nat, flow: FiveTuple) -> Allowed {
    let index = |addresses| address_index(flow.source.address, Ipv4Addr::UNSPECIFIED, addresses);
    let address = |all: Candidates<'_>| all.addresses()[index(all.addresses().len())].0;
    let Some(address) = nat.candidates(flow).map(address) else { return rule.allowed(flow) };
    let kept = Endpoint::new(address, flow.source.port);
    match rule.is_free(flow, kept) {
        true => Allowed::only(kept),
        false => free_where(rule, nat, flow, |at| at.address == address, true),
    }
}

fn anywhere(rule: &LinuxLike, nat: &Nat, flow: FiveTuple) -> Allowed {
    let allowed = free_where(rule, nat, flow, |_| true, false);
    Allowed { refusal: allowed.endpoints.is_empty(), ..allowed }
}

fn free_where(
    rule: &LinuxLike,
    nat: &Nat,
    flow: FiveTuple,
    is_wanted: impl Fn(Endpoint) -> bool,
    refusal: bool,
) -> Allowed {
    let candidates = nat.candidates(flow).into_iter().flat_map(Candidates::iter);
    let is_given = |at: &Endpoint| is_wanted(*at) && rule.is_free(flow, *at);
    Allowed { endpoints: candidates.filter(is_given).collect(), refusal }
}

/// Linux's rule, but for how far a refusal looks. What it allows is the same, so only the kernel's
/// count of taken candidates tells.
struct FourWindows(LinuxLike);

impl Rule for FourWindows {
    fn allowed(&self, flow: FiveTuple) -> Allowed {
        self.0.allowed(flow)
    }

    fn adopt(&mut self, binding: Binding) {
        self.0.adopt(binding);
    }

    fn release(&mut self, binding: Binding) {
        Rule::release(&mut self.0, binding);
    }

    fn taken_by_a_refusal(&self, flow: FiveTuple) -> Option<u64> {
        Rule::taken_by_a_refusal(&self.0, flow)
            .map(|taken| if taken < 248 { taken } else { taken - 8 })
    }
}
