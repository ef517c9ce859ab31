//! The translator that a profile gives to a question.

use std::net::Ipv4Addr;

use super::document::ASSUMED;
use super::{Dated, DatedTimers, PortChoice, Profile, ProfileError};
use crate::nat::{
    Configuration, Doubling, HoldDown, IdleTimers, Limits, Nat, PerTransport, Pool, PortPolicy,
    TcpTimers, Timers, VirtualIp, blocks_per_address,
};
use crate::ports::PortBlock;

/// What a person asks a profile for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ask {
    /// Members of the pool.
    pub members: usize,
    /// Outside addresses.
    pub addresses: usize,
    /// Ports of one member, where a person chooses them; `None` for what the documents give.
    pub ports: Option<u16>,
}

/// The first member.
const FIRST_MEMBER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
/// The first outside address (RFC 5737).
const FIRST_ADDRESS: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);

impl Ask {
    /// So many members and addresses, with the ports that the documents give.
    pub const fn of(members: usize, addresses: usize) -> Self {
        Self { members, addresses, ports: None }
    }
}

impl Profile {
    /// The translator of a question: members 10.0.0.1 and on, virtual IPs 203.0.113.1 and on.
    ///
    /// # Errors
    /// When the question breaks a bound; the error names the bound and its document.
    pub fn nat(&self, ask: &Ask) -> Result<Nat, ProfileError> {
        self.check_members(ask.members)?;
        let pool = Pool::of_size(FIRST_MEMBER, ask.members).map_err(ProfileError::Pool)?;
        self.nat_of(pool, ask.addresses, ask.ports)
    }

    /// The translator of this pool, whose slots count as members, holes included.
    ///
    /// # Errors
    /// When pool, addresses or ports break a bound; the error names the bound and its document.
    pub fn nat_of(
        &self,
        pool: Pool,
        addresses: usize,
        ports: Option<u16>,
    ) -> Result<Nat, ProfileError> {
        let ask = Ask { members: pool.slots().len(), addresses, ports };
        let policy = self.policy(ports)?;
        self.check_members(ask.members)?;
        self.check_addresses(&ask, &policy)?;
        let in_use = self.addresses_in_use(&ask, &policy);
        let virtual_ips = (u32::from(FIRST_ADDRESS)..).take(in_use);
        let virtual_ips = virtual_ips.map(|address| VirtualIp(address.into())).collect();
        let plain = Configuration::new(virtual_ips, pool, policy);
        Nat::new(self.declared(plain)).map_err(ProfileError::Nat)
    }

    /// How ports are shared out where a person chose these of a member.
    fn policy(&self, chosen: Option<u16>) -> Result<PortPolicy, ProfileError> {
        match (chosen, self.ports_chosen) {
            (None, _) => Ok(self.ports.value.clone()),
            (Some(ports), None) => Err(ProfileError::PortsAreFixed {
                profile: self.name,
                ports,
                fixed: Dated::new(self.ports.value.to_string(), self.ports.document),
            }),
            (Some(ports), Some(choice)) => self.policy_of(ports, choice),
        }
    }

    fn policy_of(&self, ports: u16, choice: Dated<PortChoice>) -> Result<PortPolicy, ProfileError> {
        let PortChoice { least, most, multiple_of, usable } = choice.value;
        match ports {
            0 if least == 0 => Ok(self.ports.value.clone()),
            _ if !(least..=most).contains(&ports) || !ports.is_multiple_of(multiple_of) => {
                Err(ProfileError::Ports { ports, choice })
            }
            _ => Ok(PortPolicy::Manual { ports, usable }),
        }
    }

    fn check_members(&self, members: usize) -> Result<(), ProfileError> {
        let members_max = self.members_max;
        if members > members_max.value {
            return Err(ProfileError::TooManyMembers { members, members_max });
        }
        Ok(())
    }

    fn check_addresses(&self, ask: &Ask, policy: &PortPolicy) -> Result<(), ProfileError> {
        let Ask { members, addresses, ports: _ } = *ask;
        let addresses_max = self.addresses_max;
        if addresses == 0 {
            return Err(ProfileError::NoAddresses);
        }
        if addresses > addresses_max.value {
            return Err(ProfileError::TooManyAddresses { addresses, addresses_max });
        }
        match room(policy, addresses) {
            Some((ports, room)) if members > room => {
                let usable = policy.usable();
                let guarantees = usable.first().filter(|_| policy.shared().is_some());
                let of_all = self.ports_of_an_address;
                let usable = guarantees.map_or(of_all, |it| Dated::new(it.len(), &ASSUMED));
                Err(ProfileError::DoNotFit { members, ports, addresses, room, usable })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// How many addresses flows leave from: no more than a cap on the ports of a member takes.
    fn addresses_in_use(&self, ask: &Ask, policy: &PortPolicy) -> usize {
        let in_use = self.addresses_in_use_max.map_or(ask.addresses, |most| most.value);
        let by_cap = self.ports_of_a_member_max.zip(ports_on_each(policy, ask.members));
        let by_cap = by_cap.map_or(in_use, |(cap, ports)| (cap.value / ports).max(1) as usize);
        ask.addresses.min(in_use).min(by_cap)
    }

    /// Everything that the documents say besides.
    fn declared(&self, plain: Configuration) -> Configuration {
        let [tcp, udp, icmp] = [self.tcp, self.udp, self.icmp].map(|dated| dated.value);
        Configuration {
            mapping: PerTransport { tcp: tcp.mapping, udp: udp.mapping, icmp: icmp.mapping },
            filtering: Some(PerTransport {
                tcp: tcp.filtering,
                udp: udp.filtering,
                icmp: icmp.filtering,
            }),
            port_reuse: PerTransport {
                tcp: tcp.port_reuse,
                udp: udp.port_reuse,
                icmp: icmp.port_reuse,
            },
            pooling: self.pooling.value,
            preserve: self.preserve.value,
            selection: self.selection.value,
            timers: self.timers.values(),
            closes_on: self.closes_on.value,
            inbound_refresh: self.inbound_refresh.value,
            limits: Limits {
                flows: self.flows_of_a_member_max.map(|most| most.value),
                per_destination: self.flows_per_destination_max.map(|most| most.value),
                ..Limits::default()
            },
            rule_ports: self.rule_ports.value,
            ..plain
        }
    }
}

impl DatedTimers {
    /// The times without their documents.
    pub fn values(&self) -> Timers {
        let tcp = TcpTimers {
            half_open: self.half_open.value,
            established: self.established.value,
            one_side_closed: self.one_side_closed.value,
            time_wait: self.time_wait.value,
            reset: self.reset.value,
        };
        let hold_down = HoldDown {
            finish: self.rest_after_finish.value,
            reset: self.rest_after_reset.value,
            idle: self.rest_after_idle.value,
            half_open: self.rest_after_half_open.value,
        };
        Timers {
            idle: IdleTimers { tcp, udp: self.udp.value, icmp: self.icmp.value },
            hold_down,
            unsolicited_syn: self.unsolicited_syn.map(|wait| wait.value),
        }
    }
}

/// Ports of a member's block, and how many members have one on so many addresses; `None` where
/// members have no blocks of a size that somebody set.
fn room(policy: &PortPolicy, addresses: usize) -> Option<(u16, usize)> {
    let blocks = |ports: u16, usable: PortBlock| blocks_per_address(ports, usable);
    match policy {
        PortPolicy::Manual { ports, usable } | PortPolicy::Guaranteed { ports, usable, .. } => {
            Some((*ports, blocks(*ports, *usable) * addresses))
        }
        PortPolicy::Doubling(Doubling { minimum, usable, .. }) => {
            Some((*minimum, blocks(*minimum, *usable) * addresses))
        }
        PortPolicy::Deterministic(deterministic) => {
            let members = usize::from(deterministic.members_per_address.get());
            Some((deterministic.ports(), members * addresses))
        }
        PortPolicy::Fixed { ports, usable } => Some((*ports, blocks(*ports, *usable))),
        PortPolicy::Static
        | PortPolicy::Dynamic
        | PortPolicy::Tiered(_)
        | PortPolicy::OnDemand(_) => None,
    }
}

/// Ports that a member has on each address by the size of its pool.
fn ports_on_each(policy: &PortPolicy, members: usize) -> Option<u32> {
    match policy {
        PortPolicy::Tiered(table) => table.ports_for(members).ok().map(u32::from),
        PortPolicy::Static
        | PortPolicy::Dynamic
        | PortPolicy::Fixed { .. }
        | PortPolicy::Manual { .. }
        | PortPolicy::OnDemand(_)
        | PortPolicy::Guaranteed { .. }
        | PortPolicy::Deterministic(_)
        | PortPolicy::Doubling(_) => None,
    }
}
