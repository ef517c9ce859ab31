//! Probes, and the texts of services.
//!
//! **Reading taken.** What is down is seen to be down at once; how long probes take to see it is
//! told by [`Probe::detection_max`], apart from the walk.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::node::Service;
use crate::flow::parse_port;
use crate::time::Duration;

/// How a node learns that another is down ("Traffic Manager endpoint monitoring" 2018-12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// Time between two probes: 30s or 10s (default: 30s).
    #[serde(default = "Probe::interval_default")]
    pub interval: Duration,
    /// How long an answer may take: 5s to 10s, with an interval of 10s to 9s at most (default: the
    /// longest there is, 10s or 9s).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// How many failures in a row are borne, 0 to 9 (default: 3). One success brings back.
    #[serde(default = "Probe::tolerated_default")]
    #[cfg_attr(feature = "schema", schemars(range(max = 9)))]
    pub tolerated: u8,
}

impl Probe {
    /// How long an answer may take.
    pub fn timeout(&self) -> Duration {
        let longest = Duration::from_secs(10)
            .min(Duration::from_millis(self.interval.millis().saturating_sub(1_000)));
        self.timeout.unwrap_or(longest)
    }

    /// The longest time for which what is down may look up: it fails right after a probe, the
    /// tolerated failures follow, and the last one takes its timeout.
    pub fn detection_max(&self) -> Duration {
        let waits = self.interval.millis().saturating_mul(1 + u64::from(self.tolerated));
        Duration::from_millis(waits.saturating_add(self.timeout().millis()))
    }

    const fn interval_default() -> Duration {
        Duration::from_secs(30)
    }

    const fn tolerated_default() -> u8 {
        3
    }
}

impl Default for Probe {
    fn default() -> Self {
        let (interval, tolerated) = (Self::interval_default(), Self::tolerated_default());
        Self { interval, timeout: None, tolerated }
    }
}

/// Why a text names no service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceError(String);

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.transport, self.port)
    }
}

impl FromStr for Service {
    type Err = ServiceError;

    fn from_str(text: &str) -> Result<Self, ServiceError> {
        let service = || {
            let (transport, port) = text.split_once(' ')?;
            Some(Self { transport: transport.parse().ok()?, port: parse_port(port.trim())? })
        };
        service().ok_or_else(|| ServiceError(text.into()))
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no service: write a transport and a port, such as tcp 443", self.0)
    }
}

impl std::error::Error for ServiceError {}
