//! Whether a device answers at all, before anything is held to it.

use natlaw_model::flow::FiveTuple;
use natlaw_model::nat::{Configuration, Nat, Pool, PortPolicy, Segment, Signal, VirtualIp};
use natlaw_model::ports::PortBlock;
use std::net::Ipv4Addr;

use crate::real::{Error, Opened, RealNat};

const VIRTUAL_IP: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
const PORT: u16 = 40_000;

/// One flow through a pool of one port, its reply, and a stranger who is not let in.
pub(crate) fn flow_and_stranger(device: &mut dyn RealNat) -> Result<(), Error> {
    let answered = ask(device).map_err(|error| unavailable(device, &error.to_string()))?;
    match answered {
        (Opened::Sent(_), Some(_), None) => Ok(()),
        _ => Err(unavailable(device, &format!("it answered {answered:?}"))),
    }
}

fn ask(device: &mut dyn RealNat) -> Result<(Opened, Option<FiveTuple>, Option<FiveTuple>), Error> {
    device.configure(&pool_of_one())?;
    let data = |tuple| Segment { tuple, signal: Signal::Data };
    let read = |text: &str| data(text.parse().expect("a flow"));
    let opened = device.outbound(read("udp 10.0.0.1:4000 > 198.51.100.1:53"))?;
    let reply = device.inbound(read("udp 198.51.100.1:53 > 203.0.113.1:40000"))?;
    let stranger = device.inbound(read("udp 198.51.100.2:53 > 203.0.113.1:40000"))?;
    Ok((opened, reply, stranger))
}

fn pool_of_one() -> Nat {
    let pool = Pool::of_size(Ipv4Addr::new(10, 0, 0, 1), 1).expect("a member");
    let ports = PortPolicy::OnDemand(PortBlock::single(PORT));
    let configuration = Configuration::new(vec![VirtualIp(VIRTUAL_IP)], pool, ports);
    Nat::new(configuration).expect("a legal pool")
}

fn unavailable(device: &dyn RealNat, why: &str) -> Error {
    Error::Unavailable { what: device.name(), why: why.to_owned() }
}
