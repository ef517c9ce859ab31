//! Translators that are each wrong in one way, so that every law is seen to fail.
//!
//! A mutant re-introduces a defect that some project had, named after its tracker row, or one made
//! by hand where none is known. It is a device like any other: scenario files can be played on it.

mod allocators;
mod translators;

use natlaw_model::nat::Nat;
use natlaw_model::subject::Device;

/// A translator with one defect.
#[derive(Debug)]
pub struct Mutant {
    /// How scenario files call it.
    pub name: &'static str,
    /// The project and the id of the commit or issue that fixed or reported the defect; "by hand"
    /// where none is known.
    pub row: &'static str,
    /// What is wrong with it.
    pub defect: &'static str,
    /// The device.
    pub device: fn(&Nat) -> Box<dyn Device<Nat>>,
}

/// A mutant whose device is made by a function.
macro_rules! mutant {
    ($name:literal, $row:literal, $defect:literal, $device:expr $(,)?) => {
        Mutant { name: $name, row: $row, defect: $defect, device: |nat| Box::new($device(nat)) }
    };
}

/// Every mutant.
pub const MUTANTS: &[Mutant] = &[
    mutant!(
        "last-port-always-free",
        "moby/libnetwork 6ed2ad9a",
        "the last port of a block counts as free although it is held",
        allocators::by::<allocators::LastPortAlwaysFree>
    ),
    mutant!(
        "frees-only-bit-zero",
        "githedgehog/dataplane aa1c5b98",
        "only ports at a multiple of 64 are ever given back",
        allocators::by::<allocators::FreesOnlyBitZero>
    ),
    mutant!(
        "releases-byte-swapped",
        "FD.io VPP fa0c1f4dfc9",
        "the port is released in the other byte order",
        allocators::by::<allocators::ReleasesByteSwapped>
    ),
    mutant!(
        "refusal-frees-the-owner",
        "FD.io VPP 6b97c43005f",
        "cleaning up after a refusal deletes the flow that holds the port",
        allocators::by::<allocators::RefusalFreesTheOwner>
    ),
    mutant!(
        "runs-into-the-neighbour",
        "FD.io VPP 6f19c695583 (VPP-623)",
        "the search starts inside the block and does not wrap at its end",
        allocators::by::<allocators::RunsIntoTheNeighbour>
    ),
    mutant!(
        "one-port-past-the-last",
        "HAProxy 59690ae14",
        "the end of a range is taken as one of its ports",
        allocators::by::<allocators::OnePortPastTheLast>
    ),
    mutant!(
        "stops-one-port-short",
        "moby 4c97832297; the table of \"Scaling past Port Exhaustion\", which ends at 1,023",
        "the last port of a block is never given",
        allocators::by::<allocators::StopsOnePortShort>
    ),
    mutant!(
        "falls-back-to-any-port",
        "Open vSwitch 32b2c81f2",
        "when the range is full, ports from outside it are given",
        allocators::by::<allocators::FallsBackToAnyPort>
    ),
    mutant!(
        "cursor-never-comes-back",
        "moby dafddf461e; pion/transport 55e2272",
        "a counter only rises, so released ports are never found",
        allocators::by::<allocators::CursorNeverComesBack>
    ),
    mutant!(
        "gives-up-as-exhausted",
        "Cilium 33074; githedgehog/dataplane cdb29b23",
        "a search that gave up says that nothing is free",
        allocators::gives_up_as_exhausted
    ),
    mutant!(
        "transports-share-ports",
        "githedgehog/dataplane 39829cfc",
        "a port taken by TCP is taken for UDP too",
        allocators::by::<allocators::TransportsSharePorts>
    ),
    mutant!(
        "one-busy-bit-a-port",
        "FD.io VPP 85bee7548bc",
        "a port in use towards one destination is in use towards all",
        allocators::by::<allocators::OneBusyBitAPort>
    ),
    mutant!(
        "always-the-first-virtual-ip",
        "FD.io VPP 579a6fb89ba",
        "the index of the virtual IP degenerates to the first",
        allocators::by::<allocators::AlwaysTheFirstVirtualIp>
    ),
    mutant!(
        "one-virtual-ip-by-hash",
        "Linux nf_nat_l4proto_unique_tuple; FD.io VPP nat44-ed",
        "the virtual IP is fixed by the source before a port is sought",
        allocators::by::<allocators::OneVirtualIpByHash>
    ),
    mutant!(
        "swap-forgets-leases",
        "githedgehog/dataplane 98cbce96",
        "a change of configuration starts with an empty allocator",
        allocators::by::<allocators::SwapForgetsLeases>
    ),
    mutant!(
        "gives-the-ports-of-inbound-rules",
        "Kubernetes 139276; CVE-2021-3773",
        "ports of published services are given to flows",
        allocators::by::<allocators::GivesThePortsOfInboundRules>
    ),
    mutant!(
        "takes-a-lease-for-each-flow",
        "by hand",
        "a member that leases an address leases another one",
        allocators::by::<allocators::TakesALeaseForEachFlow>
    ),
    mutant!(
        "shares-a-lease",
        "by hand",
        "an address leased by one member is given to another",
        allocators::by::<allocators::SharesALease>
    ),
    mutant!(
        "not-in-pool-when-full",
        "githedgehog/dataplane cdb29b23",
        "every refusal is reported as one and the same",
        allocators::not_in_pool_when_full
    ),
    mutant!(
        "rst-skips-the-hold-down",
        "gVisor b928d074b (3106)",
        "a flow closed by RST gives its port back at once",
        translators::rst_skips_the_hold_down
    ),
    mutant!(
        "idle-skips-the-hold-down",
        "amazon-vpc-cni-k8s 3ccfef908",
        "an idle or stranded flow gives its port back at once",
        translators::idle_skips_the_hold_down
    ),
    mutant!(
        "timer-cut-short",
        "FD.io VPP 15e8e681813 (VPP-1494)",
        "a flow is removed inside its timer",
        translators::timer_cut_short
    ),
    mutant!(
        "refresh-adds",
        "githedgehog/dataplane 9eeb7e59",
        "a packet adds its timer to what is left of the last",
        translators::RefreshAdds::device
    ),
    mutant!(
        "does-not-refresh",
        "Cilium 24905; gVisor 03bc93d2b",
        "packets on the fast path do not refresh their flow",
        translators::DoesNotRefresh::device
    ),
    mutant!(
        "inbound-refreshes",
        "Kubernetes 48370",
        "packets of the outside keep a flow alive that the inside has left",
        translators::InboundRefreshes::device
    ),
    mutant!(
        "reply-from-port-zero",
        "githedgehog/dataplane e1e7d87e",
        "the way back is built from a target that was never set",
        translators::ReplyFromPortZero::device
    ),
    mutant!(
        "reply-by-the-flipped-key",
        "gVisor ea792cb3e",
        "the way back is the way out turned round, as if nothing were translated",
        translators::ReplyByTheFlippedKey::device
    ),
    mutant!(
        "replies-are-translated-again",
        "OVN 8b3e1afc3; Cilium 17866",
        "the reply to an inbound connection matches the rule for outbound ones",
        translators::RepliesAreTranslatedAgain::device
    ),
    mutant!(
        "prefix-opens-the-door",
        "by hand",
        "what comes to a member's block is delivered, asked for or not",
        translators::PrefixOpensTheDoor::device
    ),
    mutant!(
        "full-means-untranslated",
        "Linux nf_nat: the clashing tuple goes on",
        "a packet that gets no port leaves with its private address",
        translators::FullMeansUntranslated::device
    ),
    mutant!(
        "flow-moves",
        "Cilium 19883",
        "a live flow changes its port when it is looked up again",
        translators::FlowMoves::device
    ),
    mutant!(
        "mapping-depends-on-the-destination",
        "pion/transport e1cf84e",
        "a mapping declared independent of the destination depends on it",
        translators::mapping_depends_on_the_destination
    ),
    mutant!(
        "drops-silently",
        "Linux nf_nat 71d8c47fc653",
        "a packet that gets no port vanishes as if it belonged to nobody",
        translators::DropsSilently::device
    ),
    mutant!(
        "late-fin-takes-a-port",
        "by hand",
        "the end of a flow that is over begins a new one",
        translators::LateFinTakesAPort::device
    ),
    mutant!(
        "strands-in-silence",
        "githedgehog/dataplane 9a70f7ec",
        "a new configuration ends flows without a word",
        translators::StrandsInSilence::device
    ),
    mutant!(
        "names-the-stranded-twice",
        "by hand",
        "stranded bindings are listed once for each table they stood in",
        translators::NamesTheStrandedTwice::device
    ),
    mutant!(
        "ignores-inbound-rules",
        "by hand",
        "published services are not known to the translator",
        translators::ignores_inbound_rules
    ),
    mutant!(
        "answers-out-of-kind",
        "by hand",
        "time that passes is answered as if the configuration had changed",
        translators::AnswersOutOfKind::device
    ),
];
