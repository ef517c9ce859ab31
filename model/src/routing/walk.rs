//! What a walk is: hops, each with the rule that chose it, and how it ends.

use std::fmt;

use itertools::Itertools;
use serde::{Deserialize, Serialize};

use super::name::{Name, Place};
use super::node::Service;
use super::topology::Means;
use crate::flow::Endpoint;
use crate::nat::{Reason, VirtualIp};
use crate::time::Instant;

/// How far something got, and by which rules.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Walk {
    /// Where it came, in order, from whoever began it on.
    pub hops: Vec<Hop>,
    /// How it ended, at the last hop.
    pub disposition: Disposition,
}

/// A place that a walk came to, and why there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hop {
    /// Where.
    pub place: Place,
    /// Why there.
    pub rule: Rule,
}

/// Why a walk came to a place. Unless it says so, the place before it decided.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Rule {
    /// It began the walk: a client, a VM that opens a connection, or what a reply comes from.
    Begins,
    /// It is what the client looks up or connects to.
    Entry,
    /// An endpoint of this priority.
    Priority(u16),
    /// One drawn by weight; its own was this.
    Weight(u16),
    /// The nearest that is available: this many milliseconds.
    LeastLatency(u32),
    /// The nearest is down: one drawn from all others.
    AllOthers,
    /// The client's region is mapped to it.
    Region(Name),
    /// An origin of this priority, latency in milliseconds, and weight.
    Origin {
        /// Its priority.
        priority: u16,
        /// How far it is, in milliseconds.
        latency_ms: u32,
        /// Its weight.
        weight: u16,
    },
    /// Everybody has a turn.
    RoundRobin,
    /// Nobody who may be chosen is up: chosen as if all were.
    FailOpen(Box<Self>),
    /// The answer that a traffic manager, which is not a hop, gave before.
    Cached {
        /// The traffic manager that was asked.
        manager: Name,
        /// The first instant at which the answer is too old.
        until: Instant,
    },
    /// The front door has learned that the account lives there.
    Affinity {
        /// The account.
        account: Name,
        /// The first instant at which that is too old.
        until: Instant,
    },
    /// The first of the index that answers: its place, from 1.
    Listed(usize),
    /// By a hash of who asks.
    Hashed,
    /// Chosen from a list that the client has; the index is not a hop.
    KnownList {
        /// The index.
        index: Name,
        /// The first instant at which the list is too old.
        until: Instant,
        /// How it was chosen.
        by: Box<Self>,
    },
    /// The account lives there, or is believed to.
    Proxied(Name),
    /// The unit serves from it.
    Serves,
    /// The balancer's rule for this virtual IP and service.
    Balanced {
        /// The virtual IP.
        virtual_ip: VirtualIp,
        /// Transport and port.
        service: Service,
    },
    /// By a hash over the members that are up.
    Member {
        /// How many are up.
        up: usize,
        /// How many there are.
        of: usize,
    },
    /// The router that the one before hangs at.
    Attached,
    /// The next router of the way that costs least: this much from the one before to the end.
    LeastCost(u64),
    /// A static route.
    StaticRoute,
    /// How a connection leaves.
    LeavesBy {
        /// The way out.
        means: Means,
        /// The next one in the precedence that is there, too.
        before: Option<Means>,
        /// The endpoint that stands for the VM, where it is translated.
        external: Option<Endpoint>,
    },
    /// A private or service endpoint: not translated.
    Bypass,
    /// It is where the connection goes.
    Destination,
    /// A reply leaves by the virtual IP that the request came in by.
    CameInBy(VirtualIp),
    /// A reply comes to the endpoint that the connection left by.
    LeftBy(Endpoint),
    /// A reply goes back where the request came from.
    Back,
}

/// How a walk ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Disposition {
    /// It came to something that is up and serves it.
    Delivered,
    /// It left, translated, and came to its destination; the destination sees this endpoint.
    Exits(Endpoint),
    /// There is no way to go on.
    NoRoute(NoRoute),
    /// It would come to a place where it has been.
    Loop,
    /// The translator had no port for it.
    RefusedPorts(Reason),
    /// The unit has as many requests in hand as it takes.
    RefusedThrottled,
    /// It came to something that is down, or has nothing left that is up.
    Unhealthy,
    /// It would take more hops than a walk may.
    HopLimit,
    /// A selection did not end within its declared steps.
    Unfinished,
}

/// Why there is no way to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoRoute {
    /// The graph has no such client, member or destination.
    Unknown,
    /// The traffic manager has no answer: it is off, none of its endpoints is in use, or the
    /// client's region is mapped nowhere.
    NoAnswer,
    /// The front door has no origin that is in use.
    NoOrigin,
    /// The balancer has no rule for this virtual IP and service.
    NoRule,
    /// The pool has no way out.
    NoWayOut,
    /// No live link leads there.
    NoPath,
    /// What it came to serves nobody.
    NoService,
    /// There is nothing to reply to.
    NothingToAnswer,
}

impl Walk {
    /// A walk that did not even begin.
    pub const fn nowhere(why: NoRoute) -> Self {
        Self { hops: Vec::new(), disposition: Disposition::NoRoute(why) }
    }

    /// Where it came to in the end.
    pub fn last(&self) -> Option<&Place> {
        self.hops.last().map(|hop| &hop.place)
    }

    /// Whether it came to something that serves it.
    pub const fn is_served(&self) -> bool {
        matches!(self.disposition, Disposition::Delivered | Disposition::Exits(_))
    }
}

impl fmt::Display for Walk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = self.hops.iter().map(|hop| &hop.place).format(" > ");
        match self.hops.is_empty() {
            true => self.disposition.fmt(f),
            false => write!(f, "{places}: {}", self.disposition),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begins => write!(f, "begins"),
            Self::Entry => write!(f, "entry"),
            Self::Priority(priority) => write!(f, "priority {priority}"),
            Self::Weight(weight) => write!(f, "drawn by weight {weight}"),
            Self::LeastLatency(u32::MAX) => write!(f, "latency unknown"),
            Self::LeastLatency(latency_ms) => write!(f, "least latency {latency_ms} ms"),
            Self::AllOthers => write!(f, "nearest is down: any other"),
            Self::Region(region) => write!(f, "region {region}"),
            Self::Origin { priority, latency_ms, weight } => {
                write!(f, "priority {priority}, {latency_ms} ms, weight {weight}")
            }
            Self::RoundRobin => write!(f, "round robin"),
            Self::FailOpen(rule) => write!(f, "fail-open, all are down: {rule}"),
            Self::Cached { manager, until } => {
                write!(f, "answer of {manager} cached until {until}")
            }
            Self::Affinity { account, until } => {
                write!(f, "affinity of {account} learned until {until}")
            }
            Self::Listed(place) => write!(f, "number {place} of the list"),
            Self::Hashed => write!(f, "hash of who asks"),
            Self::KnownList { index, until, by } => {
                write!(f, "{by}, list of {index} cached until {until}")
            }
            Self::Proxied(account) => write!(f, "proxied to where {account} lives"),
            Self::Serves => write!(f, "serves from it"),
            Self::Balanced { virtual_ip, service } => {
                write!(f, "rule {} {}:{}", service.transport, virtual_ip.0, service.port)
            }
            Self::Member { up, of } => write!(f, "hash over {up} of {of} members"),
            Self::Attached => write!(f, "hangs there"),
            Self::LeastCost(cost) => write!(f, "least cost {cost}"),
            Self::StaticRoute => write!(f, "static route"),
            Self::LeavesBy { means, before, external } => {
                means.fmt(f)?;
                before.iter().try_for_each(|before| write!(f, " before {before}"))?;
                external.iter().try_for_each(|external| write!(f, ", as {external}"))
            }
            Self::Bypass => write!(f, "private endpoint: not translated"),
            Self::Destination => write!(f, "destination"),
            Self::CameInBy(virtual_ip) => write!(f, "by {}, where it came in", virtual_ip.0),
            Self::LeftBy(external) => write!(f, "to {external}, by which it left"),
            Self::Back => write!(f, "the way it came"),
        }
    }
}

impl fmt::Display for Disposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delivered => write!(f, "delivered"),
            Self::Exits(external) => write!(f, "exits as {external}"),
            Self::NoRoute(why) => write!(f, "no route: {why}"),
            Self::Loop => write!(f, "loop"),
            Self::RefusedPorts(Reason::Refused(refusal)) => write!(f, "refused: ports {refusal}"),
            Self::RefusedPorts(reason) => write!(f, "refused: ports, {reason}"),
            Self::RefusedThrottled => write!(f, "refused: throttled"),
            Self::Unhealthy => write!(f, "unhealthy"),
            Self::HopLimit => write!(f, "hop limit"),
            Self::Unfinished => write!(f, "unfinished"),
        }
    }
}

impl fmt::Display for NoRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "unknown",
            Self::NoAnswer => "no answer",
            Self::NoOrigin => "no origin",
            Self::NoRule => "no rule",
            Self::NoWayOut => "no way out",
            Self::NoPath => "no path",
            Self::NoService => "no service",
            Self::NothingToAnswer => "nothing to answer",
        })
    }
}
