//! Choosing external endpoints: the part a user swaps.
//!
//! An allocator knows no clock. The translator calls [`PortAllocator::bind`] once for a mapping
//! and [`PortAllocator::release`] once its hold-down is over; in between the endpoint is held.

mod bitmap;
mod first_fit;
mod held;
mod leases;
pub mod linux_like;
mod ovs_like;
mod probing;
pub(crate) mod random;
mod room;
mod starts;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use bitmap::Bitmap;
pub use first_fit::FirstFit;
pub use linux_like::LinuxLike;
pub use ovs_like::OvsLike;
pub use probing::{Budget, Probing};

use crate::flow::{Binding, Endpoint, FiveTuple};
use crate::nat::Nat;

/// Chooses the external endpoint of a new mapping. All a user implements.
pub trait PortAllocator {
    /// An external endpoint for `flow`, or why there is none. The endpoint must be one of
    /// [`Nat::candidates`], match no inbound rule, have a key that overlaps no held one, and lie
    /// on a virtual IP that holds fewer keys towards the destination than
    /// [`Limits::per_destination`](crate::nat::Limits::per_destination). Where
    /// [`PortPolicy::goes_beyond`](crate::nat::PortPolicy::goes_beyond), it is one of
    /// [`Nat::first_choices`], or of [`Nat::second_choices`] if none of the first is eligible.
    ///
    /// # Errors
    /// [`Refusal::Exhausted`] only when nothing is eligible; [`Refusal::GaveUp`] when a budget of
    /// probes is spent; [`Refusal::NotInPool`] when the flow's source is no member. A refusal
    /// changes nothing.
    fn bind(&mut self, flow: FiveTuple) -> Result<Endpoint, Refusal>;

    /// The mapping is over and its hold-down too: the endpoint is free again. `binding` is the
    /// very flow and answer of a `bind`. A release of what is not held changes nothing.
    fn release(&mut self, binding: Binding);

    /// The configuration changed. Every binding stays held until its `release`, stranded ones
    /// too; a held key keeps the part of the destination that it was bound with.
    fn reconfigure(&mut self, nat: &Nat);

    /// Candidates looked at by the last `bind`, where the allocator counts them.
    fn probes(&self) -> Option<u32> {
        None
    }
}

impl<T: PortAllocator + ?Sized> PortAllocator for Box<T> {
    fn bind(&mut self, flow: FiveTuple) -> Result<Endpoint, Refusal> {
        (**self).bind(flow)
    }

    fn release(&mut self, binding: Binding) {
        (**self).release(binding);
    }

    fn reconfigure(&mut self, nat: &Nat) {
        (**self).reconfigure(nat);
    }

    fn probes(&self) -> Option<u32> {
        (**self).probes()
    }
}

/// Why a flow gets no external endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// Nothing is eligible: every candidate is held.
    Exhausted,
    /// The budget of probes is spent. Something may be eligible.
    GaveUp,
    /// The flow's source is no member of the pool.
    NotInPool,
    /// The member has all that its limits allow it. A translator says so; an allocator is not asked.
    OverLimit,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exhausted => "exhausted",
            Self::GaveUp => "gave up",
            Self::NotInPool => "not in pool",
            Self::OverLimit => "over limit",
        })
    }
}

impl std::error::Error for Refusal {}
