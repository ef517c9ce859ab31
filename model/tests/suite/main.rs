//! What the model promises, shown by examples and held to random ones.

mod agree;
mod allocators;
mod behaviours;
mod beyond;
mod configuration;
mod deterministic;
mod documents;
mod implied;
mod ledger;
mod linux_like;
mod nouns;
mod ovs_like;
mod profiles;
mod routing;
mod selection;
mod tiers;
mod translator;

use std::fmt::Debug;
use std::net::Ipv4Addr;
use std::str::FromStr;

use natlaw_model::nat::{Configuration, Deterministic, Doubling, Nat, PortPolicy, VirtualIp};

/// The value that a text stands for.
fn read<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().unwrap_or_else(|error| panic!("`{text}`: {error:?}"))
}

/// The addresses `203.0.113.1`, `203.0.113.2` and so on.
fn virtual_ips(count: u8) -> Vec<VirtualIp> {
    (1..=count).map(|last| VirtualIp(Ipv4Addr::new(203, 0, 113, last))).collect()
}

/// What a person would write, with nothing said where nothing need be.
fn configuration(addresses: u8, pool: &str, ports: PortPolicy) -> Configuration {
    Configuration::new(virtual_ips(addresses), read(pool), ports)
}

/// The translator of such a configuration.
fn nat(addresses: u8, pool: &str, ports: PortPolicy) -> Nat {
    Nat::new(configuration(addresses, pool, ports)).unwrap()
}

/// All members draw on these ports.
fn on_demand(usable: &str) -> PortPolicy {
    PortPolicy::OnDemand(read(usable))
}

/// A block of this many of the usable ports for each member, on each virtual IP.
fn fixed(ports: u16, usable: &str) -> PortPolicy {
    PortPolicy::Fixed { ports, usable: read(usable) }
}

/// A block of this many of the usable ports for each member, on one virtual IP.
fn manual(ports: u16, usable: &str) -> PortPolicy {
    PortPolicy::Manual { ports, usable: read(usable) }
}

/// This many of the usable ports for each member, and beyond them the shared ones for all.
fn guaranteed(ports: u16, usable: &str, shared: &str) -> PortPolicy {
    PortPolicy::Guaranteed { ports, usable: read(usable), shared: read(shared) }
}

/// A block for each of so many members an address, and so many more for all of them.
fn deterministic(members_per_address: u16, shared_blocks: u16, usable: &str) -> PortPolicy {
    let members_per_address = members_per_address.try_into().unwrap();
    PortPolicy::Deterministic(Deterministic {
        members_per_address,
        shared_blocks,
        usable: read(usable),
    })
}

/// Blocks that members lease, each as large as all before it.
fn doubling(minimum: u16, maximum: u32, usable: &str) -> PortPolicy {
    PortPolicy::Doubling(Doubling { minimum, maximum, usable: read(usable) })
}
