//! Translators that are each wrong in one way, so that every law is seen to fail.
//!
//! A mutant re-introduces a defect that some project had, named after its tracker row, or one made
//! by hand where none is known. It is a device like any other: scenario files can be played on it.

mod allocators;
mod translators;

use std::fmt;

use natlaw_model::nat::Nat;
use natlaw_model::subject::Device;

/// A translator with one defect.
#[derive(Debug)]
pub struct Mutant {
    /// What kind of defect it is.
    pub family: Family,
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

/// The device whose rules the mutants among the allocators replace, with none of them replaced: it
/// answers as the obvious one does, so that what a mutant breaks is owed to its defect alone.
pub fn unaltered(nat: &Nat) -> Box<dyn Device<Nat>> {
    Box::new(allocators::by::<allocators::Sound>(nat))
}

/// The kinds of defects that translators had, by what a user sees of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Two flows, or a flow and a service, have one external endpoint.
    Uniqueness,
    /// A port never comes back, or goes where none is needed.
    Leak,
    /// A port comes back too soon, or by the hand of somebody who does not hold it.
    PrematureReuse,
    /// A port from outside the range or the block, or one of it that is left out.
    RangeEscape,
    /// A search that is bounded by something else than its candidates. In the field it never
    /// ended; here it ends as if nothing were free.
    Search,
    /// A refusal although a port is free, or one that does not say what it is.
    Starvation,
    /// A packet goes on with a wrong endpoint, or a reply is lost.
    Translation,
    /// A new configuration does more to flows than it must, or says less.
    Resize,
    /// A flow is over too soon or too late.
    Timers,
    /// What one transport does, another feels.
    TransportSeparation,
    /// A port serves several destinations where it may not, or does not where it may.
    DestinationReuse,
    /// One virtual IP fills while another is idle.
    VirtualIpSpread,
    /// Of the endpoints that are free, one that the configuration asks to leave.
    Choice,
    /// The answer is not one to the question.
    Form,
}

impl Family {
    /// Every family, in the order in which mutants are listed.
    pub const ALL: [Self; 14] = [
        Self::Uniqueness,
        Self::Leak,
        Self::PrematureReuse,
        Self::RangeEscape,
        Self::Search,
        Self::Starvation,
        Self::Translation,
        Self::Resize,
        Self::Timers,
        Self::TransportSeparation,
        Self::DestinationReuse,
        Self::VirtualIpSpread,
        Self::Choice,
        Self::Form,
    ];
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Uniqueness => "uniqueness",
            Self::Leak => "leak",
            Self::PrematureReuse => "premature re-use",
            Self::RangeEscape => "range escape",
            Self::Search => "search",
            Self::Starvation => "starvation",
            Self::Translation => "translation",
            Self::Resize => "resize",
            Self::Timers => "timers",
            Self::TransportSeparation => "transport separation",
            Self::DestinationReuse => "destination re-use",
            Self::VirtualIpSpread => "virtual IP spread",
            Self::Choice => "choice",
            Self::Form => "form",
        })
    }
}

/// A mutant whose device is made by a function.
macro_rules! mutant {
    ($family:ident, $name:literal, $row:literal, $defect:literal, $device:expr $(,)?) => {
        Mutant {
            family: Family::$family,
            name: $name,
            row: $row,
            defect: $defect,
            device: |nat| Box::new($device(nat)),
        }
    };
}

/// Every mutant, family by family.
pub const MUTANTS: &[Mutant] = &[
    mutant!(
        Uniqueness,
        "last-port-always-free",
        "moby/libnetwork 6ed2ad9a",
        "the last port of a block counts as free although it is held",
        allocators::by::<allocators::LastPortAlwaysFree>
    ),
    mutant!(
        Uniqueness,
        "gives-the-ports-of-inbound-rules",
        "Kubernetes 139276; CVE-2021-3773",
        "ports of published services are given to flows",
        allocators::by::<allocators::GivesThePortsOfInboundRules>
    ),
    mutant!(
        Uniqueness,
        "shares-a-lease",
        "by hand",
        "an address leased by one member is given to another",
        allocators::by::<allocators::SharesALease>
    ),
    mutant!(
        Uniqueness,
        "ignores-inbound-rules",
        "by hand",
        "published services are not known to the translator",
        translators::ignores_inbound_rules
    ),
    mutant!(
        Uniqueness,
        "keeps-the-source-port",
        "gVisor 6961f3ef4 (5773)",
        "the source port is kept although another inside host has it",
        allocators::by::<allocators::KeepsTheSourcePort>
    ),
    mutant!(
        Uniqueness,
        "an-allocator-for-each-member",
        "githedgehog/dataplane 7e6e6ec6",
        "each member has an allocator of its own over the ports that all share",
        allocators::by::<allocators::AnAllocatorForEachMember>
    ),
    mutant!(
        Uniqueness,
        "one-block-for-everybody",
        "travelping/upg-vpp 191",
        "every member is given the block of the first",
        allocators::by::<allocators::OneBlockForEverybody>
    ),
    mutant!(
        Uniqueness,
        "repair-frees-the-stranded",
        "Kubernetes 37488",
        "a repair run frees the ports that it finds no live owner for, though they rest",
        allocators::by::<allocators::RepairFreesTheStranded>
    ),
    mutant!(
        Uniqueness,
        "repair-knows-tcp-only",
        "Kubernetes 54885",
        "a repair run forgets one class of owners and frees their ports",
        allocators::by::<allocators::RepairKnowsTcpOnly>
    ),
    mutant!(
        Leak,
        "frees-only-bit-zero",
        "githedgehog/dataplane aa1c5b98",
        "only ports at a multiple of 64 are ever given back",
        allocators::by::<allocators::FreesOnlyBitZero>
    ),
    mutant!(
        Leak,
        "releases-byte-swapped",
        "FD.io VPP fa0c1f4dfc9",
        "the port is released in the other byte order",
        allocators::by::<allocators::ReleasesByteSwapped>
    ),
    mutant!(
        Leak,
        "late-fin-takes-a-port",
        "by hand",
        "the end of a flow that is over begins a new one",
        translators::LateFinTakesAPort::device
    ),
    mutant!(
        Leak,
        "reset-never-gives-back",
        "gVisor 9dfcd8b09",
        "a flow closed by RST never gives its port back",
        translators::reset_never_gives_back
    ),
    mutant!(
        Leak,
        "stranded-never-come-back",
        "moby 6ae6dcfc53",
        "what a new configuration strands is never given back",
        allocators::by::<allocators::StrandedNeverComeBack>
    ),
    mutant!(
        Leak,
        "expired-entry-keeps-its-port",
        "Cilium 12686",
        "an entry leaves the flow table and its port stays taken",
        translators::expired_entry_keeps_its_port
    ),
    mutant!(
        Leak,
        "refusals-count-as-held",
        "gvisor-tap-vsock 7dd9c904 (127)",
        "a counter is not taken back where an attempt fails",
        allocators::by::<allocators::RefusalsCountAsHeld>
    ),
    mutant!(
        Leak,
        "exempt-takes-a-port",
        "by hand",
        "a packet that is not translated takes a port nevertheless",
        translators::ExemptTakesAPort::device
    ),
    mutant!(
        Leak,
        "keeps-blocks-for-ever",
        "by hand",
        "a block that a member leased is its own although nothing in it is held",
        allocators::by::<allocators::KeepsBlocksForEver>
    ),
    mutant!(
        PrematureReuse,
        "refusal-frees-the-owner",
        "FD.io VPP 6b97c43005f",
        "cleaning up after a refusal deletes the flow that holds the port",
        allocators::by::<allocators::RefusalFreesTheOwner>
    ),
    mutant!(
        PrematureReuse,
        "rst-skips-the-hold-down",
        "gVisor b928d074b (3106)",
        "a flow closed by RST gives its port back at once",
        translators::rst_skips_the_hold_down
    ),
    mutant!(
        PrematureReuse,
        "idle-skips-the-hold-down",
        "amazon-vpc-cni-k8s 3ccfef908",
        "an idle or stranded flow gives its port back at once",
        translators::idle_skips_the_hold_down
    ),
    mutant!(
        PrematureReuse,
        "release-frees-every-holder",
        "Kubernetes 64466",
        "the first of two bindings on one port to end frees it for both",
        allocators::by::<allocators::ReleaseFreesEveryHolder>
    ),
    mutant!(
        PrematureReuse,
        "one-clone-releases-for-all",
        "githedgehog/dataplane 31dda1a6",
        "the first flow of a mapping to end takes the mapping away from the others",
        translators::OneCloneReleasesForAll::device
    ),
    mutant!(
        RangeEscape,
        "runs-into-the-neighbour",
        "FD.io VPP 6f19c695583 (VPP-623)",
        "the search starts inside the block and does not wrap at its end",
        allocators::by::<allocators::RunsIntoTheNeighbour>
    ),
    mutant!(
        RangeEscape,
        "one-port-past-the-last",
        "HAProxy 59690ae14",
        "the end of a range is taken as one of its ports",
        allocators::by::<allocators::OnePortPastTheLast>
    ),
    mutant!(
        RangeEscape,
        "falls-back-to-any-port",
        "Open vSwitch 32b2c81f2",
        "when the range is full, ports from outside it are given",
        allocators::by::<allocators::FallsBackToAnyPort>
    ),
    mutant!(
        RangeEscape,
        "full-means-untranslated",
        "Linux nf_nat: the clashing tuple goes on",
        "a packet that gets no port leaves with its private address",
        translators::FullMeansUntranslated::device
    ),
    mutant!(
        RangeEscape,
        "top-port-goes-to-the-neighbour",
        "FD.io VPP bf9a0c8097d",
        "whose a port is is looked up one port too high",
        translators::TopPortGoesToTheNeighbour::device
    ),
    mutant!(
        RangeEscape,
        "never-gives-65535",
        "Oxide OPTE 166",
        "a half-open range of 16-bit numbers cannot hold the last port",
        allocators::by::<allocators::NeverGives65535>
    ),
    mutant!(
        RangeEscape,
        "guarantees-are-shared-out",
        "by hand",
        "beyond its guarantee a member is given ports that are guaranteed to another",
        allocators::by::<allocators::GuaranteesAreSharedOut>
    ),
    mutant!(
        RangeEscape,
        "grows-into-a-neighbour",
        "by hand",
        "a further block is given without looking who leases it",
        allocators::by::<allocators::GrowsIntoANeighbour>
    ),
    mutant!(
        RangeEscape,
        "doubles-once-too-often",
        "by hand",
        "a member at its maximum is given another block",
        allocators::by::<allocators::DoublesOnceTooOften>
    ),
    mutant!(
        RangeEscape,
        "gives-reserved-ports",
        "by hand",
        "ports that are reserved are given to flows",
        translators::gives_reserved_ports
    ),
    mutant!(
        RangeEscape,
        "rules-take-one-port",
        "by hand",
        "an inbound rule keeps its own port and not the seven beside it",
        translators::rules_take_one_port
    ),
    mutant!(
        Search,
        "stops-one-port-short",
        "moby 4c97832297; the table of \"Scaling past Port Exhaustion\", which ends at 1,023",
        "the last port of a block is never given",
        allocators::by::<allocators::StopsOnePortShort>
    ),
    mutant!(
        Search,
        "tries-one-port-again-and-again",
        "FD.io VPP f3b327673cc",
        "each try looks at the same candidate",
        allocators::by::<allocators::TriesOnePortAgainAndAgain>
    ),
    mutant!(
        Search,
        "guard-counts-everybodys-ports",
        "FD.io VPP 624b8d9807a (VPP-981)",
        "the guard of the search compares the ports of all with the block of one",
        allocators::by::<allocators::GuardCountsEverybodysPorts>
    ),
    mutant!(
        Starvation,
        "cursor-never-comes-back",
        "moby dafddf461e; pion/transport 55e2272",
        "a counter only rises, so released ports are never found",
        allocators::by::<allocators::CursorNeverComesBack>
    ),
    mutant!(
        Starvation,
        "gives-up-as-exhausted",
        "Cilium 33074; githedgehog/dataplane cdb29b23",
        "a search that gave up says that nothing is free",
        allocators::gives_up_as_exhausted
    ),
    mutant!(
        Starvation,
        "one-virtual-ip-by-hash",
        "Linux nf_nat_l4proto_unique_tuple; FD.io VPP nat44-ed",
        "the virtual IP is fixed by the source before a port is sought",
        allocators::by::<allocators::OneVirtualIpByHash>
    ),
    mutant!(
        Starvation,
        "one-limit-for-all-addresses",
        "by hand",
        "the limit towards a destination is that of all virtual IPs together",
        allocators::by::<allocators::OneLimitForAllAddresses>
    ),
    mutant!(
        Starvation,
        "never-goes-beyond",
        "by hand",
        "a member is refused when its own ports are used up",
        allocators::by::<allocators::NeverGoesBeyond>
    ),
    mutant!(
        Starvation,
        "counts-the-guarantee-in-the-shared",
        "by hand",
        "a member is refused when the shared ports are used up, whatever it was promised",
        allocators::by::<allocators::CountsTheGuaranteeInTheShared>
    ),
    mutant!(
        Starvation,
        "takes-a-lease-for-each-flow",
        "by hand",
        "a member that leases an address leases another one",
        allocators::by::<allocators::TakesALeaseForEachFlow>
    ),
    mutant!(
        Starvation,
        "not-in-pool-when-full",
        "githedgehog/dataplane cdb29b23",
        "every refusal is reported as one and the same",
        allocators::not_in_pool_when_full
    ),
    mutant!(
        Starvation,
        "drops-silently",
        "Linux nf_nat 71d8c47fc653",
        "a packet that gets no port vanishes as if it belonged to nobody",
        translators::DropsSilently::device
    ),
    mutant!(
        Starvation,
        "keeps-no-limits",
        "FD.io VPP f0d0ddbff28",
        "what a member holds runs past its limit",
        translators::keeps_no_limits
    ),
    mutant!(
        Starvation,
        "limits-one-short",
        "by hand",
        "a member is refused one short of its limit",
        translators::limits_one_short
    ),
    mutant!(
        Starvation,
        "over-limit-reads-exhausted",
        "by hand",
        "a member at its limit is told that no port is free",
        translators::OverLimitReadsExhausted::device
    ),
    mutant!(
        Starvation,
        "one-limit-for-everybody",
        "Tailscale 11258",
        "a limit of one member counts what all members hold",
        translators::OneLimitForEverybody::device
    ),
    mutant!(
        Translation,
        "reply-from-port-zero",
        "githedgehog/dataplane e1e7d87e",
        "the way back is built from a target that was never set",
        translators::ReplyFromPortZero::device
    ),
    mutant!(
        Translation,
        "reply-by-the-flipped-key",
        "gVisor ea792cb3e",
        "the way back is the way out turned round, as if nothing were translated",
        translators::ReplyByTheFlippedKey::device
    ),
    mutant!(
        Translation,
        "replies-are-translated-again",
        "OVN 8b3e1afc3; Cilium 17866",
        "the reply to an inbound connection matches the rule for outbound ones",
        translators::RepliesAreTranslatedAgain::device
    ),
    mutant!(
        Translation,
        "prefix-opens-the-door",
        "by hand",
        "what comes to a member's block is delivered, asked for or not",
        translators::PrefixOpensTheDoor::device
    ),
    mutant!(
        Translation,
        "mapping-depends-on-the-destination",
        "pion/transport e1cf84e",
        "a mapping declared independent of the destination depends on it",
        translators::mapping_depends_on_the_destination
    ),
    mutant!(
        Translation,
        "port-is-not-rewritten",
        "FD.io VPP 784b2b62756",
        "the address is rewritten and the port is not",
        translators::PortIsNotRewritten::device
    ),
    mutant!(
        Translation,
        "way-back-is-evicted-alone",
        "Cilium 34833",
        "the table loses the way back of a flow and keeps its way out",
        translators::WaysBack::evicted_alone
    ),
    mutant!(
        Translation,
        "way-back-ends-with-another-flow",
        "FD.io VPP 1079b2af279",
        "a flow that ends deletes the way back of another on the same port",
        translators::WaysBack::ended_by_another_flow
    ),
    mutant!(
        Translation,
        "later-flow-inherits-the-way-back",
        "FD.io VPP aaed170828d",
        "the way back of a flow that is over serves the next one on its port",
        translators::LaterFlowInheritsTheWayBack::device
    ),
    mutant!(
        Translation,
        "filters-nobody",
        "by hand",
        "whoever sends to an endpoint in use gets in",
        translators::filters_nobody
    ),
    mutant!(
        Translation,
        "filters-as-finely-as-can-be",
        "pion/transport 36",
        "one filter stands for all: only whom a flow goes to gets in",
        translators::filters_as_finely_as_can_be
    ),
    mutant!(
        Translation,
        "crossing-syn-is-unsolicited",
        "by hand",
        "a SYN that crosses one of the inside is taken for an attack",
        translators::CrossingSynIsUnsolicited::device
    ),
    mutant!(
        Translation,
        "translates-for-exempt-destinations",
        "by hand",
        "packets to exempt destinations are translated",
        translators::translates_for_exempt_destinations
    ),
    mutant!(
        Translation,
        "hairpin-is-sent-away",
        "by hand",
        "a packet for a virtual IP leaves and never comes back",
        translators::HairpinIsSentAway::device
    ),
    mutant!(
        Translation,
        "hairpin-is-dropped",
        "by hand",
        "a packet for a virtual IP is dropped",
        translators::HairpinIsDropped::device
    ),
    mutant!(
        Translation,
        "hairpin-is-sent-in-again",
        "FD.io VPP 9b8cb508247",
        "a packet that nobody lets in is sent in again without a change",
        translators::HairpinIsSentInAgain::device
    ),
    mutant!(
        Translation,
        "hairpin-shows-the-inside",
        "by hand",
        "a neighbour sees the private address of the sender",
        translators::HairpinShowsTheInside::device
    ),
    mutant!(
        Translation,
        "hairpin-passes-the-filter",
        "by hand",
        "what comes from a neighbour is not filtered",
        translators::HairpinPassesTheFilter::device
    ),
    mutant!(
        Translation,
        "error-is-not-restored",
        "FD.io VPP c2feb65f428",
        "the header inside an ICMP error is not translated back",
        translators::ErrorIsNotRestored::device
    ),
    mutant!(
        Translation,
        "error-is-looked-up-the-other-way",
        "Open vSwitch 705190d88",
        "the header inside an ICMP error is looked up in the wrong direction",
        translators::ErrorIsLookedUpTheOtherWay::device
    ),
    mutant!(
        Translation,
        "error-shows-the-inside",
        "by hand",
        "an ICMP error of the inside leaves with a private address",
        translators::ErrorShowsTheInside::device
    ),
    mutant!(
        Translation,
        "error-reaches-anybody",
        "by hand",
        "an ICMP error about nothing goes on",
        translators::ErrorReachesAnybody::device
    ),
    mutant!(
        Resize,
        "swap-forgets-leases",
        "githedgehog/dataplane 47c59b8a",
        "a change of configuration starts with an empty allocator",
        allocators::by::<allocators::SwapForgetsLeases>
    ),
    mutant!(
        Resize,
        "flow-moves",
        "Cilium 19883",
        "a live flow changes its port when it is looked up again",
        translators::FlowMoves::device
    ),
    mutant!(
        Resize,
        "strands-in-silence",
        "githedgehog/dataplane 9a70f7ec",
        "a new configuration ends flows without a word",
        translators::StrandsInSilence::device
    ),
    mutant!(
        Resize,
        "names-the-stranded-twice",
        "by hand",
        "stranded bindings are listed once for each table they stood in",
        translators::NamesTheStrandedTwice::device
    ),
    mutant!(
        Resize,
        "replies-die-with-the-configuration",
        "githedgehog/dataplane 98cbce96",
        "replies to flows older than the configuration are dropped",
        translators::WaysBack::lost_with_the_configuration
    ),
    mutant!(
        Resize,
        "new-policy-moves-live-flows",
        "Cilium 39118",
        "a new configuration moves live flows to another virtual IP",
        translators::NewPolicyMovesLiveFlows::device
    ),
    mutant!(
        Timers,
        "timer-cut-short",
        "FD.io VPP 15e8e681813 (VPP-1494)",
        "a flow is removed inside its timer",
        translators::timer_cut_short
    ),
    mutant!(
        Timers,
        "refresh-adds",
        "githedgehog/dataplane 9eeb7e59",
        "a packet adds its timer to what is left of the last",
        translators::RefreshAdds::device
    ),
    mutant!(
        Timers,
        "does-not-refresh",
        "Cilium 24905; gVisor 03bc93d2b",
        "packets on the fast path do not refresh their flow",
        translators::DoesNotRefresh::device
    ),
    mutant!(
        Timers,
        "inbound-refreshes",
        "Kubernetes 48370",
        "packets of the outside keep a flow alive that the inside has left",
        translators::InboundRefreshes::device
    ),
    mutant!(
        Timers,
        "reset-leaves-the-flow-open",
        "libalias PR 13639",
        "a flow closed by RST lives on for its idle timer",
        translators::ResetLeavesTheFlowOpen::device
    ),
    mutant!(
        Timers,
        "udp-lives-as-long-as-a-stream",
        "Linux d535c8a69c19",
        "a short UDP exchange is given the timer of a stream",
        translators::udp_lives_as_long_as_a_stream
    ),
    mutant!(
        Timers,
        "sweep-quota-rounds-to-zero",
        "Open vSwitch c61a85f6c",
        "a sweep takes a tenth of what is over, which is none of a few",
        allocators::by::<allocators::SweepQuotaRoundsToZero>
    ),
    mutant!(
        Timers,
        "blocked-by-a-long-lived-head",
        "FD.io VPP a3a830484fa",
        "a sweep in order of age stops at the first flow that lives on",
        allocators::by::<allocators::BlockedByALongLivedHead>
    ),
    mutant!(
        Timers,
        "half-open-lives-as-if-answered",
        "libalias PR 13639",
        "a SYN that nobody answers holds its port as long as a connection",
        translators::half_open_lives_as_if_answered
    ),
    mutant!(
        Timers,
        "answered-lives-as-if-half-open",
        "by hand",
        "a connection lives as long as a SYN that nobody answers",
        translators::answered_lives_as_if_half_open
    ),
    mutant!(
        Timers,
        "one-fin-closes-both-sides",
        "by hand",
        "the first FIN ends a flow that a FIN of each side has to end",
        translators::one_fin_closes_both_sides
    ),
    mutant!(
        Timers,
        "one-fin-starts-no-timer",
        "by hand",
        "a flow that one side has closed lives as long as an open one",
        translators::one_fin_starts_no_timer
    ),
    mutant!(
        Timers,
        "skips-time-wait",
        "FD.io VPP d417fe2616d",
        "a closed flow is removed inside its last wait",
        translators::skips_time_wait
    ),
    mutant!(
        Timers,
        "time-wait-starts-no-timer",
        "by hand",
        "a closed flow lives as long as an open one",
        translators::time_wait_starts_no_timer
    ),
    mutant!(
        Timers,
        "reset-ends-at-once",
        "by hand",
        "an RST ends a flow at once where it has to wait",
        translators::reset_ends_at_once
    ),
    mutant!(
        Timers,
        "data-after-reset-is-ignored",
        "by hand",
        "data after an RST does not bring the flow back",
        translators::DataAfterResetIsIgnored::device
    ),
    mutant!(
        Timers,
        "outside-never-refreshes",
        "by hand",
        "packets of the outside keep no flow alive, though they are to",
        translators::outside_never_refreshes
    ),
    mutant!(
        Timers,
        "error-ends-the-flow",
        "by hand",
        "an ICMP error ends the flow that it is about",
        translators::ErrorEndsTheFlow::device
    ),
    mutant!(
        Timers,
        "error-refreshes",
        "by hand",
        "an ICMP error keeps the flow alive that it is about",
        translators::ErrorRefreshes::device
    ),
    mutant!(
        Timers,
        "answers-syns-at-once",
        "by hand",
        "an unsolicited SYN is answered before its wait is over",
        translators::AnswersSynsAtOnce::device
    ),
    mutant!(
        Timers,
        "answers-syns-late",
        "by hand",
        "an unsolicited SYN is answered a moment late",
        translators::answers_syns_late
    ),
    mutant!(
        Timers,
        "answers-syns-that-were-met",
        "by hand",
        "an unsolicited SYN is answered although the inside has opened",
        translators::AnswersSynsThatWereMet::device
    ),
    mutant!(
        TransportSeparation,
        "transports-share-ports",
        "githedgehog/dataplane 39829cfc",
        "a port taken by TCP is taken for UDP too",
        allocators::by::<allocators::TransportsSharePorts>
    ),
    mutant!(
        TransportSeparation,
        "icmp-identifiers-are-not-searched",
        "Open vSwitch 627fef05b",
        "ICMP identifiers are given without looking who has them",
        allocators::by::<allocators::IcmpIdentifiersAreNotSearched>
    ),
    mutant!(
        DestinationReuse,
        "one-busy-bit-a-port",
        "FD.io VPP 85bee7548bc",
        "a port in use towards one destination is in use towards all",
        allocators::by::<allocators::OneBusyBitAPort>
    ),
    mutant!(
        DestinationReuse,
        "reuses-for-any-other-destination",
        "by hand",
        "a port is used again for another destination although the re-use is declared coarser",
        allocators::by::<allocators::ReusesForAnyOtherDestination>
    ),
    mutant!(
        VirtualIpSpread,
        "always-the-first-virtual-ip",
        "FD.io VPP 579a6fb89ba; Oxide omicron 6037",
        "the index of the virtual IP degenerates to the first",
        allocators::by::<allocators::AlwaysTheFirstVirtualIp>
    ),
    mutant!(
        VirtualIpSpread,
        "counts-the-limit-by-member",
        "by hand",
        "of the keys on a virtual IP towards a destination those of the others are not counted",
        allocators::by::<allocators::CountsTheLimitByMember>
    ),
    mutant!(
        Choice,
        "goes-beyond-before-it-must",
        "by hand",
        "shared ports and further blocks are given before those of the member's own",
        allocators::by::<allocators::GoesBeyondBeforeItMust>
    ),
    mutant!(
        Choice,
        "pairs-no-addresses",
        "by hand",
        "a member whose addresses are paired gets a second one",
        translators::pairs_no_addresses
    ),
    mutant!(
        Choice,
        "loses-the-port",
        "by hand",
        "the inside port is not kept although it is free",
        translators::loses_the_port
    ),
    mutant!(
        Choice,
        "loses-the-class",
        "by hand",
        "a high port becomes a low one although a high one is free",
        translators::loses_the_class
    ),
    mutant!(
        Choice,
        "loses-the-parity",
        "by hand",
        "an odd port becomes even although an odd one is free",
        translators::loses_the_parity
    ),
    mutant!(
        Form,
        "answers-out-of-kind",
        "by hand",
        "time that passes is answered as if the configuration had changed",
        translators::AnswersOutOfKind::device
    ),
];
