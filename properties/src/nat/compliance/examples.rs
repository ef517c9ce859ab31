//! Two configurations to hold against the requirements.

use std::net::Ipv4Addr;

use natlaw_model::nat::{
    AddressPooling, ClosesOn, Configuration, HoldDown, IdleTimers, Limits, MappingBehaviour, Nat,
    Pool, PortPolicy, PortReuse, Preserve, Selection, TcpTimers, Timers, VirtualIp,
};
use natlaw_model::ports::PortBlock;
use natlaw_model::time::Duration;

use super::super::layout::tiered;

/// A pool of 50 behind two virtual IPs, its ports by the story's table, and nothing said about the
/// rest: what the model takes unless told otherwise.
///
/// # Panics
/// Never: the pool is one of the table.
pub fn plain() -> Nat {
    tiered(50, 2)
}

/// A carrier's translator that meets every requirement that a configuration of this model can meet.
///
/// # Panics
/// Never: the configuration keeps the rules.
pub fn carrier_grade() -> Nat {
    let virtual_ips = [1, 2].map(|last| VirtualIp(Ipv4Addr::new(203, 0, 113, last))).to_vec();
    let pool = Pool::of_size(Ipv4Addr::new(10, 0, 0, 1), 50).expect("a pool of 50");
    let ports = PortPolicy::Fixed { ports: 1_024, usable: PortBlock::ABOVE_WELL_KNOWN };
    let configuration = Configuration {
        mapping: MappingBehaviour::EndpointIndependent.into(),
        port_reuse: PortReuse::Never.into(),
        pooling: AddressPooling::Paired,
        preserve: Preserve { port: false, class: true, parity: true },
        selection: Selection::Random(6_056),
        timers: timers_of_the_rfcs(),
        closes_on: ClosesOn::BothSides,
        limits: Limits { ports: Some(1_000), flows: Some(4_000), ..Limits::default() },
        ..Configuration::new(virtual_ips, pool, ports)
    };
    Nat::new(configuration).expect("a configuration that keeps the rules")
}

/// The shortest timers that the RFCs let pass, but for UDP, where they recommend more.
fn timers_of_the_rfcs() -> Timers {
    let transitory = Duration::from_secs(240);
    let tcp = TcpTimers {
        half_open: transitory,
        established: Duration::from_secs(7_440),
        one_side_closed: transitory,
        time_wait: transitory,
        reset: transitory,
    };
    Timers {
        idle: IdleTimers { tcp, udp: Duration::from_secs(300), icmp: Duration::from_secs(60) },
        hold_down: HoldDown::uniform(Duration::from_secs(120)),
        unsolicited_syn: Some(Duration::from_secs(6)),
    }
}
