//! What may be declared for each transport by itself.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use crate::flow::Transport;

/// One value for each transport. A person writes one for all of them, or a table such as
/// `{ tcp = "never", udp = "never", icmp = "never" }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(inline, from = "Forms<T>", into = "Forms<T>")
)]
pub struct PerTransport<T> {
    /// For TCP.
    pub tcp: T,
    /// For UDP.
    pub udp: T,
    /// For ICMP queries.
    pub icmp: T,
}

/// The table form.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[serde(deny_unknown_fields)]
struct Table<T> {
    /// For TCP.
    tcp: T,
    /// For UDP.
    udp: T,
    /// For ICMP queries.
    icmp: T,
}

/// What a person may write.
#[cfg(feature = "schema")]
#[derive(schemars::JsonSchema)]
#[schemars(untagged, inline)]
#[expect(dead_code, reason = "only its schema is used")]
enum Forms<T> {
    /// One value for all transports.
    All(T),
    /// A value for each transport.
    Each(Table<T>),
}

impl<T: Copy> PerTransport<T> {
    /// The value of a transport.
    pub const fn of(&self, transport: Transport) -> T {
        match transport {
            Transport::Tcp => self.tcp,
            Transport::Udp => self.udp,
            Transport::Icmp => self.icmp,
        }
    }
}

impl<T: Copy> From<T> for PerTransport<T> {
    fn from(all: T) -> Self {
        Self { tcp: all, udp: all, icmp: all }
    }
}

impl<T: Copy + PartialEq + Serialize> Serialize for PerTransport<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { tcp, udp, icmp } = *self;
        match tcp == udp && udp == icmp {
            true => tcp.serialize(serializer),
            false => Table { tcp, udp, icmp }.serialize(serializer),
        }
    }
}

impl<'de, T: Copy + Deserialize<'de>> Deserialize<'de> for PerTransport<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrThree(PhantomData))
    }
}

struct OneOrThree<T>(PhantomData<T>);

impl<'de, T: Copy + Deserialize<'de>> Visitor<'de> for OneOrThree<T> {
    type Value = PerTransport<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one value for all transports, or a table with tcp, udp and icmp")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        T::deserialize(StrDeserializer::new(text)).map(PerTransport::from)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        T::deserialize(serde::de::value::BoolDeserializer::new(value)).map(PerTransport::from)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let Table { tcp, udp, icmp } = Table::deserialize(MapAccessDeserializer::new(map))?;
        Ok(PerTransport { tcp, udp, icmp })
    }
}
