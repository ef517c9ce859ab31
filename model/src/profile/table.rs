//! A profile as a person reads it: every constant with its value, its unit and its document.

use std::fmt;

use itertools::Itertools as _;

use super::{Behaviour, Dated, DatedTimers, Document, Growth, PortChoice, Profile};
use crate::nat::{
    AddressPooling, ClosesOn, FilteringBehaviour, MappingBehaviour, PerTransport, PortReuse,
    Preserve, RulePorts, Selection,
};
use crate::time::Duration;

/// One constant of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constant {
    /// What it is.
    pub name: &'static str,
    /// Its value, with its unit.
    pub value: String,
    /// Who gives it.
    pub document: &'static Document,
}

impl Profile {
    /// Every constant, in a fixed order.
    pub fn constants(&self) -> Vec<Constant> {
        [self.of_ports(), self.of_flows(), self.timers.constants(), self.of_changes()].concat()
    }

    fn of_ports(&self) -> Vec<Constant> {
        let ports = |most: &u32| format!("{most} ports");
        [
            Some(constant("ports of a member", &self.ports, ToString::to_string)),
            self.ports_chosen.as_ref().map(|c| constant("a person may choose", c, choice)),
            Some(constant("ports of an address", &self.ports_of_an_address, ports)),
            self.ports_of_a_member_max.as_ref().map(|c| constant("a member has at most", c, ports)),
            Some(constant("addresses at most", &self.addresses_max, ToString::to_string)),
            self.addresses_in_use_max
                .as_ref()
                .map(|c| constant("addresses that flows leave from", c, ToString::to_string)),
            Some(constant("members at most", &self.members_max, ToString::to_string)),
            Some(constant("an inbound rule takes", &self.rule_ports, rule_ports)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn of_flows(&self) -> Vec<Constant> {
        let flows = |most: &u32| format!("{most} flows");
        let limit =
            |name, most: &Option<Dated<u32>>| most.as_ref().map(|c| constant(name, c, flows));
        [
            limit("flows of a member at most", &self.flows_of_a_member_max),
            limit("flows of an address to one destination", &self.flows_per_destination_max),
            limit("flows at most", &self.flows_max),
            Some(constant("ports of TCP", &self.tcp, ToString::to_string)),
            Some(constant("ports of UDP", &self.udp, ToString::to_string)),
            Some(constant("identifiers of ICMP", &self.icmp, ToString::to_string)),
            Some(constant("address of a member", &self.pooling, pooling)),
            Some(constant("what a port keeps", &self.preserve, preserve)),
            Some(constant("which port is taken", &self.selection, selection)),
            Some(constant("FIN that closes", &self.closes_on, closes_on)),
            Some(constant("the outside keeps alive", &self.inbound_refresh, refresh)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn of_changes(&self) -> Vec<Constant> {
        let range = |range: &std::ops::RangeInclusive<Duration>| {
            format!("{} to {}", range.start(), range.end())
        };
        let times = |times: &u8| format!("{times} x its size at most");
        [
            self.idle_chosen.as_ref().map(|c| constant("idle time a person may set", c, range)),
            self.growth
                .as_ref()
                .map(|c| constant("growth into a larger tier", c, ToString::to_string)),
            Some(constant("a redeployed pool is reported", &self.reported_size_max, times)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

impl DatedTimers {
    fn constants(&self) -> Vec<Constant> {
        let syn = self.unsolicited_syn.as_ref();
        let named = [
            ("half-open TCP lives", &self.half_open),
            ("established TCP lives idle", &self.established),
            ("TCP closed by one side lives", &self.one_side_closed),
            ("closed TCP is kept", &self.time_wait),
            ("reset TCP is kept", &self.reset),
            ("UDP lives idle", &self.udp),
            ("ICMP lives idle", &self.icmp),
            ("a port rests after FIN", &self.rest_after_finish),
            ("a port rests after RST", &self.rest_after_reset),
            ("a port rests after idle", &self.rest_after_idle),
            ("a port rests after half-open", &self.rest_after_half_open),
        ];
        let syn = syn.map(|wait| ("an unsolicited SYN waits", wait));
        let named = named.into_iter().chain(syn);
        named.map(|(name, time)| constant(name, time, ToString::to_string)).collect()
    }
}

fn constant<T>(name: &'static str, dated: &Dated<T>, value: impl Fn(&T) -> String) -> Constant {
    Constant { name, value: value(&dated.value), document: dated.document }
}

fn choice(choice: &PortChoice) -> String {
    let PortChoice { least, most, multiple_of, usable } = choice;
    format!("{least} to {most} ports in steps of {multiple_of}, of {usable}")
}

fn rule_ports(ports: &RulePorts) -> String {
    match ports {
        RulePorts::One => "its own port".into(),
        RulePorts::GroupOfEight => "the 8 ports of its group".into(),
    }
}

fn pooling(pooling: &AddressPooling) -> String {
    match pooling {
        AddressPooling::Arbitrary => "any".into(),
        AddressPooling::Paired => "always the same".into(),
    }
}

fn preserve(preserve: &Preserve) -> String {
    let Preserve { port, class, parity } = *preserve;
    let kept = [("number", port), ("class", class), ("parity", parity)];
    let kept = kept.into_iter().filter(|(_, is_kept)| *is_kept).map(|(name, _)| name).join(", ");
    if kept.is_empty() { "nothing".into() } else { kept }
}

fn selection(selection: &Selection) -> String {
    match selection {
        Selection::LowestFirst => "the lowest, one address after the other".into(),
        Selection::Spread => "the lowest of the least used address".into(),
        Selection::Random(_) => "the next from a random start".into(),
        Selection::RandomTries(_) => "a random one, again and again".into(),
        Selection::SimpleHash(_) | Selection::DoubleHash(_) => "the next from a hash".into(),
        Selection::RandomIncrements { .. } => "a random way beyond the last".into(),
    }
}

fn closes_on(closes_on: &ClosesOn) -> String {
    match closes_on {
        ClosesOn::EitherSide => "that of either side".into(),
        ClosesOn::BothSides => "that of both sides".into(),
    }
}

fn refresh(refresh: &PerTransport<bool>) -> String {
    let PerTransport { tcp, udp, icmp } = *refresh;
    let kept = [("TCP", tcp), ("UDP", udp), ("ICMP", icmp)];
    let kept = kept.into_iter().filter(|(_, is_kept)| *is_kept).map(|(name, _)| name).join(", ");
    if kept.is_empty() { "nothing".into() } else { kept }
}

impl fmt::Display for Behaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mapped = match self.mapping {
            MappingBehaviour::EndpointIndependent => "inside endpoint alone",
            MappingBehaviour::AddressDependent => "destination address",
            MappingBehaviour::AddressAndPortDependent => "destination",
        };
        let open = match self.filtering {
            FilteringBehaviour::EndpointIndependent => "anybody",
            FilteringBehaviour::AddressDependent => "that address",
            FilteringBehaviour::AddressAndPortDependent => "that endpoint",
        };
        let served = match self.port_reuse {
            PortReuse::Never => "one mapping",
            PortReuse::PerDestinationAddress => "one mapping an address",
            PortReuse::PerDestination => "one mapping a destination",
        };
        write!(f, "mapped by {mapped}, open to {open}, a port for {served}")
    }
}

impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HalfReclaimed => "half of each member's ports are reclaimed",
            Self::NotSaid => "not said",
        })
    }
}
