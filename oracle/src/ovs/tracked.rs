//! Tracked connections as the switch writes them.

use natlaw_model::flow::{Binding, Endpoint, FiveTuple, Transport};

use crate::real::Error;

/// A flow in the words of a command.
pub(super) fn named(FiveTuple { transport, source, destination }: FiveTuple) -> String {
    let number = match transport {
        Transport::Tcp => 6,
        Transport::Udp => 17,
        Transport::Icmp => 1,
    };
    let hosts = format!(
        "ct_nw_src={},ct_nw_dst={},ct_nw_proto={number}",
        source.address, destination.address
    );
    match transport {
        Transport::Tcp | Transport::Udp => {
            format!("{hosts},ct_tp_src={},ct_tp_dst={}", source.port, destination.port)
        }
        Transport::Icmp => format!("{hosts},icmp_id={},icmp_type=8,icmp_code=0", source.port),
    }
}

/// A line such as `udp,orig=(src=10.0.0.1,dst=198.51.100.1,sport=1,dport=2),reply=(...),zone=1`.
pub(super) fn parse(line: &str) -> Result<Binding, Error> {
    binding(line)
        .ok_or_else(|| Error::Garbled { what: "a tracked connection", why: line.to_owned() })
}

fn binding(line: &str) -> Option<Binding> {
    let transport = line.split(',').next()?.parse().ok()?;
    let (_, original) = line.split_once("orig=(")?;
    let (original, rest) = original.split_once(')')?;
    let (_, reply) = rest.split_once("reply=(")?;
    let (reply, _) = reply.split_once(')')?;
    let source = endpoint(original, "src", "sport")?;
    let destination = endpoint(original, "dst", "dport")?;
    let external = endpoint(reply, "dst", "dport")?;
    let identifier =
        |it: Endpoint, of| Some(Endpoint::new(it.address, value(of, "id")?.parse().ok()?));
    Some(match transport {
        Transport::Tcp | Transport::Udp => {
            Binding { flow: FiveTuple { transport, source, destination }, external }
        }
        Transport::Icmp => {
            let flow = FiveTuple { transport, source: identifier(source, original)?, destination };
            Binding { flow, external: identifier(external, reply)? }
        }
    })
}

/// An endpoint; where ICMP has no port it is 0.
fn endpoint(tuple: &str, address: &str, port: &str) -> Option<Endpoint> {
    let port = value(tuple, port).map_or(Some(0), |port| port.parse().ok())?;
    Some(Endpoint::new(value(tuple, address)?.parse().ok()?, port))
}

fn value<'a>(tuple: &'a str, name: &str) -> Option<&'a str> {
    tuple.split(',').find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
}
