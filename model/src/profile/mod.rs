//! Providers' published rules, as dated values.
//!
//! A [`Profile`] is a model of what documents of some date say; it says nothing of what a provider
//! does today. Every constant carries the title and the date of its document. What no document says
//! is assumed, and marked so. Where two documents disagree, or one leaves a choice, each answer is a
//! named [`Reading`]; of the readings of one question the first is taken unless told otherwise.
//!
//! **Readings taken.**
//! - [`Profile::nat`] gives the translator of a question: so many members, so many addresses.
//!   Members are 10.0.0.1 and on, virtual IPs 203.0.113.1 and on.
//! - A cap on what a member has over all its addresses is met by using no more addresses than it
//!   takes: of three addresses with 512 ports each, a cap of 1,024 leaves two in use.
//! - A document that speaks of one frontend "selected at random" leaves one address in use; the model
//!   takes the first.
//! - What a document says of things that the model does not have stands in `outside`.

mod aws;
mod azure_app_service;
mod azure_classic;
mod azure_load_balancer;
mod azure_nat_gateway;
mod azure_outbound_rules;
mod carrier_grade;
mod document;
mod error;
mod google_cloud_nat;
mod linux;
mod question;
mod table;

use std::ops::RangeInclusive;

pub use document::{Dated, Document};
pub use error::ProfileError;
pub use question::Ask;
pub use table::Constant;

use crate::nat::{
    AddressPooling, ClosesOn, FilteringBehaviour, MappingBehaviour, PerTransport, PortPolicy,
    PortReuse, Preserve, RulePorts, Selection,
};
use crate::ports::PortBlock;
use crate::time::Duration;

/// A provider's published rules, each with its document.
#[derive(Debug, Clone)]
pub struct Profile {
    /// How a person calls it.
    pub name: &'static str,
    /// What it is a model of.
    pub what: &'static str,
    /// How ports are shared out, unless a person chooses the ports of a member.
    pub ports: Dated<PortPolicy>,
    /// What a person may choose as the ports of one member; `None` where the documents decide.
    pub ports_chosen: Option<Dated<PortChoice>>,
    /// The ports of one address that flows are given.
    pub ports_of_an_address: Dated<u32>,
    /// The most addresses there may be.
    pub addresses_max: Dated<usize>,
    /// The most addresses that flows leave from; `None` if from all.
    pub addresses_in_use_max: Option<Dated<usize>>,
    /// The most members there may be.
    pub members_max: Dated<usize>,
    /// The most ports of one member, over all addresses.
    pub ports_of_a_member_max: Option<Dated<u32>>,
    /// The most live flows of one member, of each transport.
    pub flows_of_a_member_max: Option<Dated<u32>>,
    /// The most flows of each transport from one address to one destination.
    pub flows_per_destination_max: Option<Dated<u32>>,
    /// The most flows of all members.
    pub flows_max: Option<Dated<u32>>,
    /// How TCP flows share ports.
    pub tcp: Dated<Behaviour>,
    /// How UDP flows share ports.
    pub udp: Dated<Behaviour>,
    /// How ICMP queries share identifiers.
    pub icmp: Dated<Behaviour>,
    /// Whether a member has one address.
    pub pooling: Dated<AddressPooling>,
    /// What of the inside port is kept.
    pub preserve: Dated<Preserve>,
    /// Which of the eligible endpoints is taken.
    pub selection: Dated<Selection>,
    /// Ports that an inbound rule takes.
    pub rule_ports: Dated<RulePorts>,
    /// Whose FIN closes a connection.
    pub closes_on: Dated<ClosesOn>,
    /// Whether packets of the outside keep a flow alive.
    pub inbound_refresh: Dated<PerTransport<bool>>,
    /// How long flows live and ports rest.
    pub timers: DatedTimers,
    /// What a person may set as the idle time of an established connection; `None` if nothing else.
    pub idle_chosen: Option<Dated<RangeInclusive<Duration>>>,
    /// What becomes of ports when a pool grows into a larger tier; `None` where there are no tiers.
    pub growth: Option<Dated<Growth>>,
    /// How many times its size a pool may be reported while it is redeployed.
    pub reported_size_max: Dated<u8>,
    /// What the documents say of things that the model does not have.
    pub outside: Vec<Dated<&'static str>>,
    readings: &'static [Reading],
    taken: Vec<&'static str>,
}

/// What a person may choose as the ports of one member: its block then lies on one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortChoice {
    /// The fewest.
    pub least: u16,
    /// The most.
    pub most: u16,
    /// What they must be a multiple of.
    pub multiple_of: u16,
    /// The ports of an address that are shared out.
    pub usable: PortBlock,
}

/// How the flows of one transport share ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behaviour {
    /// What a mapping depends on.
    pub mapping: MappingBehaviour,
    /// From whom it takes packets.
    pub filtering: FilteringBehaviour,
    /// How much of the destination lets two mappings use one port.
    pub port_reuse: PortReuse,
}

/// How long flows live and ports rest, each time with its document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatedTimers {
    /// A SYN that is not answered lives so long.
    pub half_open: Dated<Duration>,
    /// An established connection without traffic lives so long.
    pub established: Dated<Duration>,
    /// A connection that one side has closed lives so long without traffic.
    pub one_side_closed: Dated<Duration>,
    /// A closed connection is kept so long.
    pub time_wait: Dated<Duration>,
    /// A reset connection is kept so long.
    pub reset: Dated<Duration>,
    /// A UDP flow without traffic lives so long.
    pub udp: Dated<Duration>,
    /// An ICMP query without traffic lives so long.
    pub icmp: Dated<Duration>,
    /// A port rests so long after a connection that was closed.
    pub rest_after_finish: Dated<Duration>,
    /// A port rests so long after a connection that was reset.
    pub rest_after_reset: Dated<Duration>,
    /// A port rests so long after a flow that was idle.
    pub rest_after_idle: Dated<Duration>,
    /// A port rests so long after a SYN that was never answered.
    pub rest_after_half_open: Dated<Duration>,
    /// A SYN that nobody asked for waits so long for an answer; `None` if for ever.
    pub unsolicited_syn: Option<Dated<Duration>>,
}

/// What becomes of ports when a pool grows into a larger tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Growth {
    /// Half of each member's ports are reclaimed, and the flows on them time out.
    HalfReclaimed,
    /// The document does not say.
    NotSaid,
}

/// One answer to a question that documents answer differently, or leave to a person.
#[derive(Debug)]
pub struct Reading {
    /// How a person calls it.
    pub name: &'static str,
    /// The question.
    pub question: &'static str,
    /// The answer.
    pub says: &'static str,
    /// Who gives it.
    pub document: &'static Document,
    take: fn(&mut Profile, &'static Document),
}

/// Every profile, in a fixed order.
const PROFILES: &[fn() -> Profile] = &[
    azure_classic::profile,
    azure_load_balancer::profile,
    azure_outbound_rules::profile,
    azure_nat_gateway::profile,
    azure_nat_gateway::standard_v2,
    azure_app_service::profile,
    google_cloud_nat::with_static_ports,
    google_cloud_nat::with_dynamic_ports,
    aws::profile,
    carrier_grade::profile,
    linux::profile,
];

impl Profile {
    /// Every profile, in a fixed order.
    pub fn all() -> impl Iterator<Item = Self> {
        PROFILES.iter().map(|profile| profile())
    }

    /// The profile of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|profile| profile.name == name)
    }

    /// The profile with this answer in place of the one that it takes to the same question.
    ///
    /// # Errors
    /// When the profile has no reading of that name.
    pub fn read_as(mut self, reading: &str) -> Result<Self, ProfileError> {
        let known = self.readings;
        match known.iter().find(|known| known.name == reading) {
            Some(reading) => {
                self.take(reading);
                Ok(self)
            }
            None => Err(ProfileError::NoSuchReading {
                profile: self.name,
                reading: reading.into(),
                known: known.iter().map(|known| known.name).collect(),
            }),
        }
    }

    /// Every reading there is, question by question; of each question the first is the default.
    pub fn readings(&self) -> &'static [Reading] {
        self.readings
    }

    /// Whether this reading is taken.
    pub fn takes(&self, reading: &Reading) -> bool {
        self.taken.contains(&reading.name)
    }

    /// The profile with another idle time of established connections.
    ///
    /// # Errors
    /// When the document lets nobody choose, or not this time.
    pub fn with_idle(mut self, idle: Duration) -> Result<Self, ProfileError> {
        let profile = self.name;
        match &self.idle_chosen {
            None => Err(ProfileError::IdleIsFixed { profile, fixed: self.timers.established }),
            Some(range) if !range.value.contains(&idle) => {
                Err(ProfileError::Idle { profile, idle, range: range.clone() })
            }
            Some(range) => {
                self.timers.established = Dated::new(idle, range.document);
                Ok(self)
            }
        }
    }

    /// Takes the first reading of each question.
    fn by_default(mut self, readings: &'static [Reading]) -> Self {
        self.readings = readings;
        for reading in readings {
            let is_answered = |taken: &&str| question_of(readings, taken) == Some(reading.question);
            if !self.taken.iter().any(is_answered) {
                self.take(reading);
            }
        }
        self
    }

    fn take(&mut self, reading: &'static Reading) {
        let readings = self.readings;
        self.taken.retain(|taken| question_of(readings, taken) != Some(reading.question));
        self.taken.push(reading.name);
        (reading.take)(self, reading.document);
    }
}

fn question_of(readings: &[Reading], name: &str) -> Option<&'static str> {
    readings.iter().find(|reading| reading.name == name).map(|reading| reading.question)
}

impl Behaviour {
    /// One port serves many destinations at once; flows to one destination have a port each.
    const PER_DESTINATION: Self = Self {
        mapping: MappingBehaviour::AddressAndPortDependent,
        filtering: FilteringBehaviour::AddressAndPortDependent,
        port_reuse: PortReuse::PerDestination,
    };

    /// Flows to one address have a port each, whatever the destination port.
    const PER_DESTINATION_ADDRESS: Self =
        Self { port_reuse: PortReuse::PerDestinationAddress, ..Self::PER_DESTINATION };

    /// Every flow has a port to itself.
    const PER_FLOW: Self = Self { port_reuse: PortReuse::Never, ..Self::PER_DESTINATION };

    /// An inside endpoint has one port for all destinations, and takes packets from those only.
    const PORT_RESTRICTED_CONE: Self =
        Self { mapping: MappingBehaviour::EndpointIndependent, ..Self::PER_FLOW };

    /// An inside endpoint has one port for all destinations, and takes packets from anybody.
    const ENDPOINT_INDEPENDENT: Self =
        Self { filtering: FilteringBehaviour::EndpointIndependent, ..Self::PORT_RESTRICTED_CONE };
}

impl DatedTimers {
    /// The same idle time for everything that is open; nothing is kept or rests afterwards.
    const fn idle(idle: Dated<Duration>) -> Self {
        let assumed = Dated::new(idle.value, &document::ASSUMED);
        let none = Dated::new(Duration::ZERO, &document::ASSUMED);
        Self {
            half_open: assumed,
            established: idle,
            one_side_closed: assumed,
            time_wait: none,
            reset: none,
            udp: idle,
            icmp: assumed,
            rest_after_finish: none,
            rest_after_reset: none,
            rest_after_idle: none,
            rest_after_half_open: none,
            unsolicited_syn: None,
        }
    }
}
