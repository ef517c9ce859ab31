//! The stress test of the story "Scaling past Port Exhaustion", asked of a real device: how many
//! connections to one destination a member gets before it is refused, how many in the end, and that
//! it never gets one more.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use natlaw_model::flow::{Endpoint, FiveTuple, Transport};
use natlaw_model::nat::{
    Candidates, Configuration, Nat, Pool, PortPolicy, Segment, Signal, VirtualIp,
};
use natlaw_model::tiers::TierTable;
use natlaw_properties::report::{drawn, table};
use serde::{Deserialize, Serialize};

use crate::real::{Error, Opened, RealNat};

/// What members got, all of them together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capacity {
    /// The configuration in words.
    pub what: String,
    /// The device.
    pub device: String,
    /// Ports that the members have, and so the connections that were asked for first.
    pub ports: usize,
    /// Of those, the connections that were made.
    pub at_first: usize,
    /// Members whose first connections were all made.
    pub without_refusal: usize,
    /// Connections once each member had tried anew until nothing more could be had.
    pub in_the_end: usize,
    /// Members that came to have as many connections as ports.
    pub members_full: usize,
    /// Members.
    pub members: usize,
    /// Connections of a member beyond its ports, or on a port not its own or given twice.
    pub unlawful: usize,
}

/// Connections that a full member asks for beyond its ports.
const BEYOND: usize = 4;
/// Refusals in a row after which a member stops trying.
const PATIENCE: usize = 200;

/// One member of so many virtual IPs, with the 1,024 ports of the story on each.
pub fn of_the_story(virtual_ips: u8) -> Nat {
    tier(virtual_ips, 1)
}

/// The story's tiers: the pool sizes at which each is largest.
pub const TIER_SIZES: [usize; 6] = [50, 100, 200, 400, 800, 1_000];

/// A pool of this size, with the story's ports for it.
pub fn tier(virtual_ips: u8, members: usize) -> Nat {
    let address = |last| VirtualIp(Ipv4Addr::new(203, 0, 113, last));
    let pool = Pool::of_size(Ipv4Addr::new(10, 0, 0, 1), members).expect("members");
    let ports = PortPolicy::Tiered(TierTable::of_the_story());
    let addresses = (1..=virtual_ips).map(address).collect();
    Nat::new(Configuration::new(addresses, pool, ports)).expect("a pool of the story")
}

/// Fills every member of the pool, one after the other, and leaves nothing live.
///
/// # Errors
/// When the device does not answer.
pub fn fill(device: &mut dyn RealNat, nat: &Nat) -> Result<Capacity, Error> {
    device.configure(nat)?;
    let mut capacity = Capacity {
        what: format!("{nat}"),
        device: device.name().into(),
        ports: 0,
        at_first: 0,
        without_refusal: 0,
        in_the_end: 0,
        members_full: 0,
        members: 0,
        unlawful: 0,
    };
    let mut taken = BTreeSet::new();
    for member in nat.pool.members() {
        let mut flows = flows(nat, member.0);
        capacity.enter(&filled(device, nat, &mut flows, &mut taken)?);
    }
    device.configure(nat)?;
    Ok(capacity)
}

/// What one member got.
struct Filled {
    ports: usize,
    at_first: usize,
    in_the_end: usize,
    unlawful: usize,
}

fn filled(
    device: &mut dyn RealNat,
    nat: &Nat,
    flows: &mut dyn Iterator<Item = FiveTuple>,
    taken: &mut BTreeSet<Endpoint>,
) -> Result<Filled, Error> {
    let mut flows = flows.peekable();
    let first = *flows.peek().expect("a flow");
    let candidates = nat.candidates(first).expect("a member");
    let ports = candidates.len();
    let (mut made, mut at_first, mut unlawful, mut refusals) = (0, 0, 0, 0);
    for (index, flow) in flows.enumerate() {
        match device.outbound(Segment::new(flow, Signal::Open))? {
            Opened::Sent(FiveTuple { source: external, .. }) => {
                let is_own = candidates.position(external).is_some();
                unlawful += usize::from(!is_own || !taken.insert(external) || made == ports);
                (made, refusals) = (made + 1, 0);
            }
            Opened::Refused | Opened::Dropped => refusals += 1,
        }
        at_first = if index < ports { made } else { at_first };
        let is_beyond = made >= ports && refusals >= BEYOND;
        if index + 1 >= ports && (is_beyond || refusals >= PATIENCE) {
            break;
        }
    }
    Ok(Filled { ports, at_first, in_the_end: made, unlawful })
}

/// Connections of a member to one destination, from ports that are not its own: none can be kept.
fn flows(nat: &Nat, member: Ipv4Addr) -> impl Iterator<Item = FiveTuple> {
    let flow = move |port| FiveTuple {
        transport: Transport::Tcp,
        source: Endpoint::new(member, port),
        destination: Endpoint::new(Ipv4Addr::new(141, 81, 109, 20), 443),
    };
    let own = nat.candidates(flow(1)).map(Candidates::block);
    let is_own = move |port: &u16| own.is_some_and(|own| own.contains(*port));
    (1..=u16::MAX).filter(move |port| !is_own(port)).map(flow)
}

impl Capacity {
    fn enter(&mut self, filled: &Filled) {
        self.members += 1;
        self.ports += filled.ports;
        self.at_first += filled.at_first;
        self.without_refusal += usize::from(filled.at_first == filled.ports);
        self.in_the_end += filled.in_the_end;
        self.members_full += usize::from(filled.in_the_end == filled.ports);
        self.unlawful += filled.unlawful;
    }
}

/// The rows as a table.
pub fn report(rows: &[Capacity]) -> String {
    let header = ["pool", "device", "asked", "at first", "in the end", "full", "unlawful"];
    let mut drawing = table(header);
    for row in rows {
        let full = format!("{} of {}", row.members_full, row.members);
        let numbers = [row.ports, row.at_first, row.in_the_end].map(|number| number.to_string());
        let [asked, at_first, in_the_end] = numbers;
        let unlawful = row.unlawful.to_string();
        drawing.add_row([&row.what, &row.device, &asked, &at_first, &in_the_end, &full, &unlawful]);
    }
    drawn(&drawing)
}
