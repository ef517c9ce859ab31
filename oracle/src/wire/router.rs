//! The router: one namespace between two wires, and its rules.
//!
//! **Readings taken.**
//! - An unsolicited packet is dropped before it is translated: else it would be routed out again and
//!   take a port of the pool.
//! - What belongs to no connection is dropped: else it would leave with its private address.

use std::fs;
use std::net::Ipv4Addr;

use itertools::Itertools;
use natlaw_model::nat::{InboundRule, Limits, Nat, PortPolicy};
use natlaw_model::time::Duration;
use nix::sched::{CloneFlags, unshare};

use crate::program::run;
use crate::range;
use crate::real::Error;

/// The router's end of the inside wire, and the far end.
pub(super) const INSIDE: [&str; 2] = ["inside", "members"];
/// The router's end of the outside wire, and the far end.
pub(super) const OUTSIDE: [&str; 2] = ["outside", "servers"];
/// The port of packets that pass untracked and untranslated.
pub(super) const BARRIER_PORT: u16 = 9;
/// Where a barrier of the outside goes: to nobody inside.
pub(super) const BARRIER_INSIDE: Ipv4Addr = Ipv4Addr::new(10, 255, 255, 2);

/// Makes a network with nothing but two wires.
pub(super) fn make() -> Result<(), Error> {
    unshare(CloneFlags::CLONE_NEWNET)
        .map_err(|errno| Error::Unavailable { what: "a network", why: errno.to_string() })?;
    for (path, value) in [
        ("net/ipv6/conf/all/disable_ipv6", "1"),
        ("net/ipv6/conf/default/disable_ipv6", "1"),
        ("net/ipv4/ip_forward", "1"),
        ("net/ipv4/conf/all/rp_filter", "0"),
        ("net/ipv4/conf/default/rp_filter", "0"),
        ("net/ipv4/conf/all/send_redirects", "0"),
        ("net/ipv4/conf/default/send_redirects", "0"),
    ] {
        set(path, value)?;
    }
    run("ip", &["-batch", "-"], &wires()).map(drop)
}

/// Replaces the rules and the timers. Connections that are tracked go on under the old ones.
pub(super) fn configure(nat: &Nat) -> Result<(), Error> {
    let rules = rules(nat)?;
    for (name, timeout) in timeouts(nat) {
        set(&format!("net/netfilter/nf_conntrack_{name}"), &timeout.to_string())?;
    }
    run("ip", &["-batch", "-"], &routes(nat))?;
    run("nft", &["-f", "-"], &rules).map(drop)
}

fn wires() -> String {
    let [[inside, members], [outside, servers]] = [INSIDE, OUTSIDE];
    let up = |end| format!("link set {end} arp off up");
    let pairs = [
        format!("link add {inside} type veth peer name {members}"),
        format!("link add {outside} type veth peer name {servers}"),
    ];
    let addresses = [
        format!("addr add 10.255.255.1/32 dev {inside}"),
        format!("route add 10.0.0.0/8 dev {inside}"),
        format!("route add default dev {outside}"),
    ];
    let ends = [inside, members, outside, servers].map(up);
    pairs.into_iter().chain(ends).chain(addresses).join("\n")
}

/// Members outside 10.0.0.0/8 are on the inside too.
fn routes(nat: &Nat) -> String {
    let members = nat.pool.members().filter(|member| member.0.octets()[0] != 10);
    members.map(|member| format!("route replace {}/32 dev {}", member.0, INSIDE[0])).join("\n")
}

/// The kernel's timers, in seconds, for those of the configuration.
fn timeouts(nat: &Nat) -> Vec<(&'static str, u64)> {
    let idle = &nat.timers.idle;
    let seconds = |length: Duration| length.millis().div_ceil(1000);
    [
        ("udp_timeout", idle.udp),
        ("udp_timeout_stream", idle.udp),
        ("icmp_timeout", idle.icmp),
        ("tcp_timeout_syn_sent", idle.tcp.half_open),
        ("tcp_timeout_syn_recv", idle.tcp.established),
        ("tcp_timeout_established", idle.tcp.established),
        ("tcp_timeout_fin_wait", idle.tcp.one_side_closed),
        ("tcp_timeout_close_wait", idle.tcp.one_side_closed),
        ("tcp_timeout_last_ack", idle.tcp.time_wait),
        ("tcp_timeout_time_wait", idle.tcp.time_wait),
        ("tcp_timeout_close", idle.tcp.reset),
    ]
    .map(|(name, length)| (name, seconds(length)))
    .to_vec()
}

/// The rules of a configuration, in the language of nft.
pub(super) fn rules(nat: &Nat) -> Result<String, Error> {
    if !nat.exempt.is_empty() || !nat.reserved.is_empty() || nat.limits != Limits::default() {
        return Err(Error::Unsupported("it has no exemptions, reserved ports or limits".into()));
    }
    let (inside, outside) = (INSIDE[0], OUTSIDE[0]);
    let members = nat.pool.members().map(|member| member.0).join(", ");
    let (published, source) = (published(nat), source(nat)?);
    Ok(format!(
        "table ip natlaw
delete table ip natlaw
table ip natlaw {{
  set members {{
    type ipv4_addr
    elements = {{ {members} }}
  }}
  chain before {{
    type filter hook prerouting priority raw; policy accept;
    udp dport {BARRIER_PORT} notrack accept
  }}
  chain published {{
    type nat hook prerouting priority dstnat; policy accept;
{published}  }}
  chain passing {{
    type filter hook forward priority filter; policy accept;
    ct state invalid drop
    iifname \"{outside}\" oifname \"{outside}\" drop
    iifname \"{inside}\" oifname \"{outside}\" ct state new ip saddr != @members drop
    iifname \"{outside}\" oifname \"{inside}\" ct status dnat accept
    iifname \"{outside}\" oifname \"{inside}\" ct state new drop
  }}
  chain after {{
    type nat hook postrouting priority srcnat; policy accept;
{source}  }}
}}
"
    ))
}

fn published(nat: &Nat) -> String {
    let rule = |rule: &InboundRule| {
        let (outer, inner) = (rule.external, rule.inside);
        format!(
            "    iifname \"{}\" ip daddr {} {} dport {} dnat to {inner}\n",
            OUTSIDE[0], outer.address, rule.transport, outer.port
        )
    };
    nat.inbound_rules.iter().map(rule).collect()
}

/// One range for all members, or a map with a block for each.
fn source(nat: &Nat) -> Result<String, Error> {
    let all = format!("    oifname \"{}\" meta l4proto {{ tcp, udp, icmp }} snat", OUTSIDE[0]);
    match &nat.ports {
        PortPolicy::OnDemand(usable) => {
            Ok(format!("{all} to {}\n", range::endpoints(&nat.virtual_ips, *usable)?))
        }
        PortPolicy::Tiered(_) | PortPolicy::Fixed { .. } | PortPolicy::Manual { .. } => {
            Ok(format!("{all} ip to ip saddr map {{ {} }}\n", blocks(nat)?))
        }
        PortPolicy::Static
        | PortPolicy::Dynamic
        | PortPolicy::Guaranteed { .. }
        | PortPolicy::Deterministic(_)
        | PortPolicy::Doubling(_) => {
            Err(Error::Unsupported("members have ports of their own here, or draw on all".into()))
        }
    }
}

fn blocks(nat: &Nat) -> Result<String, Error> {
    let slots = nat.pool.slots().iter().enumerate();
    let taken = slots.filter_map(|(slot, member)| Some(((*member)?, nat.block_of(slot)?)));
    taken
        .map(|(member, (addresses, block))| {
            let addresses = range::addresses(addresses)?;
            Ok(format!("{} : {addresses} . {}", member.0, range::ports(block)))
        })
        .collect::<Result<Vec<_>, Error>>()
        .map(|entries| entries.join(", "))
}

fn set(path: &str, value: &str) -> Result<(), Error> {
    fs::write(format!("/proc/sys/{path}"), value).map_err(|error| Error::Unavailable {
        what: "a kernel setting",
        why: format!("{path}: {error}"),
    })
}
