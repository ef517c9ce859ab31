//! A translator as a judged subject.

use std::collections::BTreeSet;

use natlaw_model::nat::{Ledger, Nat, Outcome, PortPolicy, Reason};
use natlaw_model::subject::{Device, Moment};

use super::laws::new_binding;
use super::{DEVICES, LAWS, REACHABLE};
use crate::judged::Judged;
use crate::law::{Law, Situation};
use crate::nat::mutants::MUTANTS;

impl Judged for Nat {
    const LAWS: &'static [Law<Self>] = LAWS;
    const REACHABLE: &'static [Situation<Self>] = REACHABLE;

    fn device(&self, name: &str) -> Option<Box<dyn Device<Self>>> {
        super::device(name, self)
    }

    fn device_names() -> Vec<&'static str> {
        let sound = DEVICES.iter().map(|device| device.name);
        sound.chain(MUTANTS.iter().map(|mutant| mutant.name)).collect()
    }

    /// Ports as Azure's metrics count them: allocated, used, and what lies idle between.
    fn summary(ledger: &Ledger) -> Vec<(&'static str, String)> {
        let used: BTreeSet<_> = ledger.holdings().map(|held| held.binding.external).collect();
        let live = ledger.holdings().filter(|held| held.is_live(ledger.now)).count();
        let mut rows = vec![
            ("time", ledger.now.to_string()),
            ("live mappings", grouped(live)),
            ("keys held", grouped(ledger.holdings().count())),
            ("used SNAT ports", grouped(used.len())),
        ];
        let leased = || ledger.leases().map(|lease| lease.block.len() as usize).sum();
        let allocated = match ledger.nat.ports {
            PortPolicy::Doubling(_) => Some(leased()),
            _ => allocated_ports(&ledger.nat),
        };
        if let Some(allocated) = allocated {
            let idle = allocated.saturating_sub(used.len());
            rows.push(("allocated SNAT ports", grouped(allocated)));
            rows.push(("idle SNAT ports", grouped(idle)));
        }
        rows
    }

    fn is_refusal(outcome: &Outcome) -> bool {
        matches!(outcome, Outcome::Dropped(Reason::Refused(_)))
    }

    fn begins(moment: &Moment<'_, Self>) -> bool {
        new_binding(moment).is_some()
    }
}

/// The ports of all members on all virtual IPs; `None` where ports are not allocated, or for a time
/// only.
pub fn allocated_ports(nat: &Nat) -> Option<usize> {
    let virtual_ips = nat.virtual_ips.len();
    match &nat.ports {
        PortPolicy::Static | PortPolicy::Dynamic | PortPolicy::Doubling(_) => None,
        PortPolicy::OnDemand(usable) => Some(virtual_ips * usable.len() as usize),
        PortPolicy::Tiered(_)
        | PortPolicy::Fixed { .. }
        | PortPolicy::Manual { .. }
        | PortPolicy::Guaranteed { .. }
        | PortPolicy::Deterministic(_) => {
            let (vips, block) = nat.block_of(nat.pool.slots().iter().position(Option::is_some)?)?;
            let own = nat.pool.members().count() * vips.len() * block.len() as usize;
            let shared = nat.ports.shared().map_or(0, |shared| shared.len() as usize);
            Some(own + virtual_ips * shared)
        }
    }
}

/// A count with commas between its thousands.
pub fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let groups = digits.as_bytes().rchunks(3).rev();
    groups.map(|group| String::from_utf8_lossy(group)).collect::<Vec<_>>().join(",")
}
