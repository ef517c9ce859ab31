//! The workload: release one, bind one.
//!
//! Which flow is released is drawn anew each time, as if flows had no age. To release the oldest
//! would not be stationary: ports bound one after another are then released one after another,
//! holes grow together, and the failure rate of a search by windows at 99 % creeps from 18 % to
//! 38 % in four hundred turnovers. Drawn, it stands at 12 % from the second turnover on.

use std::collections::VecDeque;
use std::hint::black_box;
use std::net::Ipv4Addr;

use natlaw_model::allocator::{PortAllocator, Refusal};
use natlaw_model::flow::{Binding, Endpoint, FiveTuple, Transport};
use natlaw_model::nat::{Configuration, Nat, Pool, PortPolicy, VirtualIp};
use natlaw_model::ports::PortBlock;

use crate::Occupancy;
use crate::audit::Audited;

/// Ports of the member.
pub(crate) const PORTS: u16 = 1024;

/// Probes after which a failure rate is known well enough.
const PROBES_MAX: u64 = 5_000_000;

const MEMBER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const VIRTUAL_IP: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
const DESTINATION: Endpoint = Endpoint::new(Ipv4Addr::new(198, 51, 100, 1), 443);

/// An allocator and the flows that hold its ports.
pub(crate) struct Churn<A> {
    pub(crate) allocator: A,
    /// One place more than there are ports in use: the one at `at` is empty when `bind` is called.
    flows: Vec<Option<Binding>>,
    at: usize,
    /// Source ports of no flow, the one longest unused first: no two flows are ever the same.
    sources: VecDeque<u16>,
    random: SplitMix,
}

impl<A: PortAllocator> Churn<A> {
    /// Releases the flow at this place, unless it is empty, and binds another one there. The next
    /// step is elsewhere, unless this bind is refused.
    pub(crate) fn step(&mut self) -> Result<Endpoint, Refusal> {
        if let Some(binding) = self.flows[self.at].take() {
            self.allocator.release(black_box(binding));
            self.sources.push_back(binding.flow.source.port);
        }
        let source = self.sources.pop_front().expect("there are more source ports than flows");
        let flow = flow_from(source);
        let answer = black_box(self.allocator.bind(black_box(flow)));
        match answer {
            Ok(external) => {
                self.flows[self.at] = Some(Binding { flow, external });
                self.at = self.random.below(self.flows.len());
            }
            Err(_) => self.sources.push_back(source),
        }
        answer
    }
}

impl<A: PortAllocator> Churn<Audited<A>> {
    /// The workload at this occupancy once the allocator has itself given every port in use, and
    /// as many more as two turnovers take: a fresh fill flatters a search whose ports cluster.
    pub(crate) fn warmed_up(name: &str, occupancy: Occupancy, new: impl FnOnce(&Nat) -> A) -> Self {
        let (nat, in_use) = (nat(), occupancy.in_use());
        let mut churn = Self {
            allocator: Audited::new(name, &nat, new(&nat)),
            flows: vec![None; in_use + 1],
            at: 0,
            sources: (0..=u16::MAX).collect(),
            random: SplitMix(0x006E_6174_6C61_7700),
        };
        churn.fill();
        if occupancy != Occupancy::FULL {
            (0..2 * churn.flows.len()).for_each(|_| churn.bind());
        }
        churn
    }

    /// Fills every place but the last.
    fn fill(&mut self) {
        let last = self.flows.len() - 1;
        for place in 0..last {
            self.at = place;
            self.bind();
        }
        self.at = last;
    }

    /// Goes on until one more flow has its port.
    fn bind(&mut self) {
        let calls = self.sources.len();
        let is_bound = (0..calls).any(|_| self.step().is_ok());
        assert!(is_bound, "{}: refuses {calls} flows in a row", self.allocator.name);
    }

    /// The share of calls that are refused although an endpoint is eligible, from this many
    /// calls, or fewer where the allocator counts more than [`PROBES_MAX`] probes.
    pub(crate) fn failure_rate(&mut self, calls_max: u32) -> f64 {
        let before = self.allocator.failures;
        let (mut calls, mut probes) = (0, 0);
        while calls < calls_max && probes < PROBES_MAX {
            let _ = self.step();
            calls += 1;
            probes += self.allocator.probes().map_or(0, u64::from);
        }
        f64::from(self.allocator.failures - before) / f64::from(calls)
    }

    /// The same state, with nothing between the workload and the allocator.
    pub(crate) fn without_audit(self) -> Churn<A> {
        let Self { allocator, flows, at, sources, random } = self;
        Churn { allocator: allocator.into_inner(), flows, at, sources, random }
    }
}

fn flow_from(source: u16) -> FiveTuple {
    let source = Endpoint::new(MEMBER, source);
    FiveTuple { transport: Transport::Tcp, source, destination: DESTINATION }
}

/// One member, one virtual IP.
fn nat() -> Nat {
    let pool = Pool::of_size(MEMBER, 1).expect("one member is a pool");
    let ports = PortPolicy::Fixed { ports: PORTS, usable: PortBlock::ABOVE_WELL_KNOWN };
    Nat::new(Configuration::new(vec![VirtualIp(VIRTUAL_IP)], pool, ports))
        .expect("the configuration keeps every rule")
}

/// `SplitMix64` (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
struct SplitMix(u64);

impl SplitMix {
    /// A number below `bound`, which is at most 2^32.
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let high = (mixed ^ (mixed >> 31)) >> 32;
        usize::try_from((high * bound as u64) >> 32).expect("it is below `bound`")
    }
}
