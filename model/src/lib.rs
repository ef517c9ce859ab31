//! What NAT is: a pure, executable model of the translation of five-tuples.
//!
//! | term | here | from |
//! |---|---|---|
//! | transport | [`flow::Transport`] | RFC 3022 |
//! | endpoint | [`flow::Endpoint`]: IPv4 address and port | RFC 4787 |
//! | five-tuple | [`flow::FiveTuple`] | |
//! | binding | [`flow::Binding`]: an inside flow and the external endpoint that stands for it | RFC 2663, 3022 |
//! | mapping, key | [`nat::Mapping`], [`nat::Key`]: what shares an external endpoint, and what may not be given twice | RFC 4787, 7857 |
//! | virtual IP | [`nat::VirtualIp`]: one outside address, or frontend address | Azure |
//! | member, pool | [`nat::Member`], [`nat::Pool`] | Azure |
//! | port block | [`ports::PortBlock`] | RFC 7422 "port range" |
//! | tier, tier table | [`tiers::Tier`], [`tiers::TierTable`]: pool size to ports per member | Azure |
//! | hold-down | [`nat::HoldDown`]: time after close before a key may be used again | RFC 6888 REQ-8 |
//! | refusal | [`allocator::Refusal`] | |
//! | subject, device | [`subject::Subject`]: what can be asked; [`subject::Device`]: what answers | |
//! | traffic manager, front door, load balancer, scale unit, probe | [`routing::Node`], [`routing::Probe`] | Azure |
//! | walk, disposition | [`routing::Walk`]: how far something got, and by which rules; [`routing::Disposition`]: how it ended | Batfish |
//! | scenario, trace | [`subject::Scenario`]: what is asked; [`subject::Trace`]: what was answered | |
//!
//! One member, one virtual IP, two ports, three connections to one destination:
//!
//! ```
//! use natlaw_model::allocator::FirstFit;
//! use natlaw_model::nat::{Configuration, Nat, Outcome, Reason};
//! use natlaw_model::subject::Scenario;
//! use natlaw_model::translator::Translator;
//!
//! let scenario: Scenario<Nat> = serde_json::from_str(r#"{
//!     "subject": {
//!         "virtual_ips": ["203.0.113.1"],
//!         "pool": "10.0.0.1",
//!         "ports": { "on-demand": "1024-1025" }
//!     },
//!     "events": [
//!         { "outbound": "tcp 10.0.0.1:40000 > 198.51.100.1:443 open" },
//!         { "outbound": "tcp 10.0.0.1:40001 > 198.51.100.1:443 open" },
//!         { "outbound": "tcp 10.0.0.1:40002 > 198.51.100.1:443 open" }
//!     ]
//! }"#).unwrap();
//! let trace = scenario.play(&mut Translator::new(&scenario.subject, FirstFit::new));
//! assert_eq!(
//!     trace.steps.iter().map(|step| step.outcome.to_string()).collect::<Vec<_>>(),
//!     [
//!         "forwarded 203.0.113.1:1024 > 198.51.100.1:443",
//!         "forwarded 203.0.113.1:1025 > 198.51.100.1:443",
//!         "refused: exhausted",
//!     ]
//! );
//! ```
//!
//! # Invariants
//! No input or output, no clock, no randomness but from a seed in the configuration, no threads,
//! no `unsafe`. The model never learns that it is tested. What is `HashMap`-ordered is never seen.

pub mod allocator;
pub mod flow;
pub mod nat;
pub mod ports;
pub mod prefix;
pub mod profile;
pub mod routing;
#[cfg(feature = "schema")]
pub mod schema;
pub mod subject;
mod text;
pub mod tiers;
pub mod time;
pub mod translator;
