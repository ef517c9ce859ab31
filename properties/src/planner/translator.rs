//! The translator that a demand is put to.
//!
//! **Reading taken.** Ports that members draw on beyond a guarantee may all be held by others, such as
//! the tenants of a stamp: they are counted as reserved, and an answer relies on guarantees alone.

use natlaw_model::flow::Transport;
use natlaw_model::nat::{Configuration, HoldDown, Nat};
use natlaw_model::profile::{Ask, Constant, Dated, Document, Profile, ProfileError};
use natlaw_model::time::Duration;

use super::demand::{Close, Demand, Find};

/// The translator of a demand, as far as its file says.
#[derive(Debug, Clone)]
pub struct Described {
    /// The rules that it keeps.
    pub profile: Profile,
    /// Outside addresses, where they are not searched for: at least 1.
    pub addresses: usize,
    /// Ports of one member, where a person chooses them and they are not searched for.
    pub ports: Option<u16>,
    /// A hold-down in place of those of the documents, however a connection ends: assumed.
    pub hold: Option<Duration>,
}

/// Who says what a demand says in place of a document.
static OF_THE_DEMAND: Document = Document { title: "assumed by the demand", date: None };

impl Described {
    /// The translator of so many members, with so many addresses and ports.
    ///
    /// # Errors
    /// When the documents or the model do not allow it.
    pub fn nat(
        &self,
        members: usize,
        addresses: usize,
        ports: Option<u16>,
    ) -> Result<Nat, ProfileError> {
        let nat = self.profile.nat(&Ask { members, addresses, ports })?;
        let held_by_others = nat.ports.shared();
        let as_the_demand_says = |nat: &mut Configuration| {
            nat.reserved.extend(held_by_others);
            if let Some(hold) = self.hold {
                nat.timers.hold_down = HoldDown::uniform(hold);
            }
        };
        nat.with(as_the_demand_says).map_err(ProfileError::Nat)
    }
}

/// The published constants that an answer to this demand depends on.
pub fn constants(demand: &Demand) -> Vec<Constant> {
    [of_ports(demand), of_flows(demand), of_rests(demand)].concat()
}

fn of_ports(demand: &Demand) -> Vec<Constant> {
    let profile = &demand.translator.profile;
    let chosen = profile
        .ports_chosen
        .filter(|_| demand.translator.ports.is_some() || demand.find == Some(Find::Ports));
    let of_a_member = match chosen {
        Some(choice) => {
            let steps = choice.value.multiple_of;
            constant("ports of a member", &choice, |_| format!("chosen, in steps of {steps}"))
        }
        None => constant("ports of a member", &profile.ports, ToString::to_string),
    };
    let most = |name, most: Option<Dated<u32>>| most.map(|it| constant(name, &it, u32::to_string));
    let addresses = |name, most: Dated<usize>| constant(name, &most, usize::to_string);
    let (is_searched, in_use) = (demand.find != Some(Find::Ports), profile.addresses_in_use_max);
    [
        Some(of_a_member),
        Some(constant("ports of an address", &profile.ports_of_an_address, u32::to_string)),
        most("ports of a member at most", profile.ports_of_a_member_max),
        is_searched.then(|| addresses("addresses at most", profile.addresses_max)),
        in_use.map(|in_use| addresses("addresses in use at most", in_use)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn of_flows(demand: &Demand) -> Vec<Constant> {
    let profile = &demand.translator.profile;
    let most = |name, most: Option<Dated<u32>>| most.map(|it| constant(name, &it, u32::to_string));
    let shares = [
        ("ports of TCP", Transport::Tcp, profile.tcp),
        ("ports of UDP", Transport::Udp, profile.udp),
        ("identifiers of ICMP", Transport::Icmp, profile.icmp),
    ];
    let asked = |transport| demand.destinations.iter().any(|it| it.transport == transport);
    let shares = shares.into_iter().filter(|(_, transport, _)| asked(*transport));
    let shares = shares.map(|(name, _, behaviour)| {
        constant(name, &behaviour, |behaviour| behaviour.port_reuse.to_string())
    });
    let limits = [
        most("flows of a member at most", profile.flows_of_a_member_max),
        most("flows of an address to one destination", profile.flows_per_destination_max),
        most("flows of all members at most", profile.flows_max),
    ];
    shares.chain(limits.into_iter().flatten()).collect()
}

/// What the ways to end that the demand takes depend on.
fn of_rests(demand: &Demand) -> Vec<Constant> {
    let timers = &demand.translator.profile.timers;
    let taken = |transport, close| {
        let mut destinations = demand.destinations.iter();
        destinations.any(|it| it.transport == transport && it.closes.share(close) > 0)
    };
    let (tcp, udp, icmp) = (Transport::Tcp, Transport::Udp, Transport::Icmp);
    let [finish, reset, idle] = Close::ALL;
    let lives = [
        ("closed TCP is kept", tcp, finish, timers.time_wait),
        ("reset TCP is kept", tcp, reset, timers.reset),
        ("established TCP lives idle", tcp, idle, timers.established),
        ("UDP lives idle", udp, idle, timers.udp),
        ("ICMP lives idle", icmp, idle, timers.icmp),
    ];
    let rests = [
        ("a port rests after FIN", tcp, finish, timers.rest_after_finish),
        ("a port rests after RST", tcp, reset, timers.rest_after_reset),
        ("a port rests after idle", tcp, idle, timers.rest_after_idle),
        ("a port rests after UDP", udp, idle, timers.rest_after_idle),
        ("a port rests after ICMP", icmp, idle, timers.rest_after_idle),
    ];
    let rests = rests.map(|(name, transport, close, rest)| {
        let hold = demand.translator.hold.map(|hold| Dated::new(hold, &OF_THE_DEMAND));
        (name, transport, close, hold.unwrap_or(rest))
    });
    let all = lives.into_iter().chain(rests);
    let depends = all.filter(|(_, transport, close, _)| taken(*transport, *close));
    depends.map(|(name, _, _, time)| constant(name, &time, Duration::to_string)).collect()
}

fn constant<T>(name: &'static str, dated: &Dated<T>, value: impl Fn(&T) -> String) -> Constant {
    Constant { name, value: value(&dated.value), document: dated.document }
}
