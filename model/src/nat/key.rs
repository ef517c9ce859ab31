//! What a mapping is, and what may not be given twice.
//!
//! **Reading taken** of RFC 4787 section 4.1 and RFC 7857 section 3. A *mapping* is what the
//! mapping behaviour shares: an inside endpoint alone, with the destination's address, or with the
//! destination. Its *key* is what the outside can tell apart after all translations: transport,
//! external endpoint, and as much of the destination as [`PortReuse`] says. Two mappings never
//! have keys that overlap.

use std::fmt;
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::flow::{Endpoint, FiveTuple, Transport};

/// What a mapping depends on besides the inside endpoint (RFC 4787 section 4.1).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum MappingBehaviour {
    /// On nothing else: one external endpoint for all destinations.
    EndpointIndependent,
    /// On the destination's address.
    AddressDependent,
    /// On the destination's address and port.
    #[default]
    AddressAndPortDependent,
}

/// From whom an endpoint that a live mapping has takes packets (RFC 4787 section 5).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FilteringBehaviour {
    /// From anybody.
    EndpointIndependent,
    /// From an address that a live flow of the mapping goes to.
    AddressDependent,
    /// From an address and port that a live flow of the mapping goes to.
    #[default]
    AddressAndPortDependent,
}

/// How much of the destination lets two mappings use one external endpoint (RFC 7857 section 3).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PortReuse {
    /// None: an external endpoint serves one mapping.
    Never,
    /// A port serves several destination addresses at once.
    PerDestinationAddress,
    /// A port serves several destinations at once.
    #[default]
    PerDestination,
}

/// The part of a destination that a mapping or a key depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Remote {
    /// Nothing of it.
    Any,
    /// Its address.
    Address(Ipv4Addr),
    /// Its address and port.
    Endpoint(Endpoint),
}

/// What one external endpoint stands for: flows of one mapping share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Mapping {
    /// What carries its flows.
    pub transport: Transport,
    /// The inside endpoint.
    pub inside: Endpoint,
    /// The part of the destination that the mapping behaviour looks at.
    pub remote: Remote,
}

/// What may not be given twice: a transport's external endpoint towards a part of the outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// What carries the flows.
    pub transport: Transport,
    /// The external endpoint.
    pub external: Endpoint,
    /// The part of the destination within which it is unique.
    pub remote: Remote,
}

impl MappingBehaviour {
    /// The mapping that a flow belongs to.
    pub const fn mapping(self, flow: FiveTuple) -> Mapping {
        let remote = self.remote(flow.destination);
        Mapping { transport: flow.transport, inside: flow.source, remote }
    }

    /// The part of a destination that this behaviour looks at.
    pub const fn remote(self, destination: Endpoint) -> Remote {
        match self {
            Self::EndpointIndependent => Remote::Any,
            Self::AddressDependent => Remote::Address(destination.address),
            Self::AddressAndPortDependent => Remote::Endpoint(destination),
        }
    }
}

impl FilteringBehaviour {
    /// Whether a packet from `remote` is let in to a mapping with a live flow to `destination`.
    pub fn admits(self, remote: Endpoint, destination: Endpoint) -> bool {
        match self {
            Self::EndpointIndependent => true,
            Self::AddressDependent => remote.address == destination.address,
            Self::AddressAndPortDependent => remote == destination,
        }
    }
}

/// Filters as finely as it maps.
impl From<MappingBehaviour> for FilteringBehaviour {
    fn from(mapping: MappingBehaviour) -> Self {
        match mapping {
            MappingBehaviour::EndpointIndependent => Self::EndpointIndependent,
            MappingBehaviour::AddressDependent => Self::AddressDependent,
            MappingBehaviour::AddressAndPortDependent => Self::AddressAndPortDependent,
        }
    }
}

impl PortReuse {
    /// The finest re-use under which replies can be told apart: one that looks at no more of the
    /// destination than mapping and filtering both do.
    pub fn finest(mapping: MappingBehaviour, filtering: FilteringBehaviour) -> Self {
        let of_filtering = match filtering {
            FilteringBehaviour::EndpointIndependent => Self::Never,
            FilteringBehaviour::AddressDependent => Self::PerDestinationAddress,
            FilteringBehaviour::AddressAndPortDependent => Self::PerDestination,
        };
        Self::finest_of(mapping).min(of_filtering)
    }

    /// The finest re-use that tells apart the mappings of one inside endpoint.
    pub const fn finest_of(mapping: MappingBehaviour) -> Self {
        match mapping {
            MappingBehaviour::EndpointIndependent => Self::Never,
            MappingBehaviour::AddressDependent => Self::PerDestinationAddress,
            MappingBehaviour::AddressAndPortDependent => Self::PerDestination,
        }
    }

    /// The part of a destination within which a key is unique.
    pub const fn remote(self, destination: Endpoint) -> Remote {
        match self {
            Self::Never => Remote::Any,
            Self::PerDestinationAddress => Remote::Address(destination.address),
            Self::PerDestination => Remote::Endpoint(destination),
        }
    }
}

impl Remote {
    /// Whether a packet from somewhere outside could belong to both.
    pub fn overlaps(self, other: Self) -> bool {
        match (self, other) {
            (Self::Any, _) | (_, Self::Any) => true,
            (Self::Address(a), Self::Address(b)) => a == b,
            (Self::Address(a), Self::Endpoint(b)) | (Self::Endpoint(b), Self::Address(a)) => {
                a == b.address
            }
            (Self::Endpoint(a), Self::Endpoint(b)) => a == b,
        }
    }
}

impl Key {
    /// The lowest key of an external endpoint.
    pub(crate) const fn first_of(transport: Transport, external: Endpoint) -> Self {
        Self { transport, external, remote: Remote::Any }
    }

    /// The highest key of an external endpoint.
    pub(crate) const fn last_of(transport: Transport, external: Endpoint) -> Self {
        let last = Endpoint::new(Ipv4Addr::BROADCAST, u16::MAX);
        Self { transport, external, remote: Remote::Endpoint(last) }
    }

    /// The keys that overlap this one, as ranges of their order.
    pub(crate) fn overlapping(self) -> Vec<RangeInclusive<Self>> {
        let with = |remote| Self { remote, ..self };
        let any = with(Remote::Any);
        let of_address = |address| {
            let endpoint = |port| with(Remote::Endpoint(Endpoint::new(address, port)));
            (with(Remote::Address(address)), endpoint(0)..=endpoint(u16::MAX))
        };
        match self.remote {
            Remote::Any => {
                vec![any..=Self::last_of(self.transport, self.external)]
            }
            Remote::Address(address) => {
                let (key, endpoints) = of_address(address);
                vec![any..=any, key..=key, endpoints]
            }
            Remote::Endpoint(endpoint) => {
                let (key, _) = of_address(endpoint.address);
                vec![any..=any, key..=key, self..=self]
            }
        }
    }
}

impl fmt::Display for MappingBehaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EndpointIndependent => "endpoint-independent",
            Self::AddressDependent => "address-dependent",
            Self::AddressAndPortDependent => "address-and-port-dependent",
        })
    }
}

impl fmt::Display for FilteringBehaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EndpointIndependent => "endpoint-independent",
            Self::AddressDependent => "address-dependent",
            Self::AddressAndPortDependent => "address-and-port-dependent",
        })
    }
}

impl fmt::Display for PortReuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Never => "never",
            Self::PerDestinationAddress => "per-destination-address",
            Self::PerDestination => "per-destination",
        })
    }
}
