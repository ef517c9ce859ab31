//! The switch's tables and timers for a configuration.
//!
//! **Reading taken.** What is to be dropped goes out at the other side too, to a hardware address
//! that says so: then every frame that goes in comes out, and nobody has to wait for one that does
//! not.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use natlaw_model::nat::{Limits, Nat, PortPolicy};
use natlaw_model::time::Duration;

use crate::frame::Mac;
use crate::range;
use crate::real::Error;

/// Who gets what is to be dropped.
pub(super) const NOBODY: Mac = [2, 0, 0, 0, 0, 0xdd];

/// Every rule, one a line, in place of all that were.
pub(super) fn flows(nat: &Nat) -> Result<String, Error> {
    if !nat.exempt.is_empty() || !nat.reserved.is_empty() || !nat.inbound_rules.is_empty() {
        return Err(unsupported("it has no exemptions, reserved ports or inbound rules"));
    }
    if nat.limits != Limits::default() {
        return Err(unsupported("it has no limits"));
    }
    let nobody = NOBODY.map(|byte| format!("{byte:02x}")).join(":");
    let mut flows = format!(
        "delete
table=0,ip,actions=ct(table=1,zone=1,nat)
table=1,in_port=1,ip,ct_state=+trk+snat-inv,actions=output:2
table=1,in_port=2,ip,ct_state=+trk+est,actions=output:1
table=1,in_port=1,priority=1,actions=mod_dl_dst:{nobody},output:2
table=1,in_port=2,priority=1,actions=mod_dl_dst:{nobody},output:1
table=2,actions=output:2
"
    );
    for (slot, member) in nat.pool.slots().iter().enumerate() {
        let Some(member) = member else { continue };
        let range = range_of(nat, slot)?;
        writeln!(flows, "{}", begun(member.0, &range)).expect("a string takes everything");
    }
    Ok(flows)
}

/// A member's new flow is translated; what cannot be goes on as it is. Later packets are translated
/// when they are tracked, whether the flow is answered or not.
fn begun(member: Ipv4Addr, range: &str) -> String {
    format!(
        "table=1,in_port=1,ip,nw_src={member},ct_state=+trk+new-inv,\
         actions=ct(commit,table=2,zone=1,nat(src={range}))"
    )
}

fn range_of(nat: &Nat, slot: usize) -> Result<String, Error> {
    let (addresses, block) = match &nat.ports {
        PortPolicy::OnDemand(usable) => (nat.virtual_ips.as_slice(), *usable),
        PortPolicy::Tiered(_) | PortPolicy::Fixed { .. } | PortPolicy::Manual { .. } => {
            nat.block_of(slot).ok_or_else(|| unsupported("every member has a block"))?
        }
        PortPolicy::Static
        | PortPolicy::Dynamic
        | PortPolicy::Guaranteed { .. }
        | PortPolicy::Deterministic(_)
        | PortPolicy::Doubling(_) => {
            return Err(unsupported("members share addresses and are given ports"));
        }
    };
    range::endpoints(addresses, block)
}

/// The timers, as the switch names them; one that is zero is not the switch's.
pub(super) fn timeouts(nat: &Nat) -> Result<Vec<String>, Error> {
    let idle = &nat.timers.idle;
    let timers = [
        ("udp_first", idle.udp),
        ("udp_single", idle.udp),
        ("udp_multiple", idle.udp),
        ("icmp_first", idle.icmp),
        ("icmp_reply", idle.icmp),
        ("tcp_syn_sent", idle.tcp.half_open),
        ("tcp_syn_recv", idle.tcp.established),
        ("tcp_established", idle.tcp.established),
        ("tcp_fin_wait", idle.tcp.one_side_closed),
        ("tcp_time_wait", idle.tcp.time_wait),
        ("tcp_close", idle.tcp.reset),
    ];
    let timers = timers.into_iter().filter(|(_, length)| !length.is_zero());
    timers.map(|(name, length)| Ok(format!("{name}={}", seconds(length)?))).collect()
}

fn seconds(length: Duration) -> Result<u64, Error> {
    match length.millis() % 1000 {
        0 => Ok(length.millis() / 1000),
        _ => Err(unsupported("timers are whole seconds")),
    }
}

fn unsupported(rule: &str) -> Error {
    Error::Unsupported(rule.into())
}
