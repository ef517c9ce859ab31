//! Networks that are each wrong in one way, so that every law is seen to fail.
//!
//! A mutant re-introduces a defect that some project had, named after its tracker row, or one made
//! by hand where none is known. It is a device like any other: topologies can be played on it.

mod altered;
mod decisions;

use std::fmt;

use natlaw_model::routing::{Network, RoutingGraph};
use natlaw_model::subject::Device;

/// A network with one defect.
#[derive(Debug)]
pub struct Mutant {
    /// What kind of defect it is.
    pub family: Family,
    /// How topologies call it.
    pub name: &'static str,
    /// The project and the id of the commit or issue that fixed or reported the defect, or the story
    /// that tells it; "by hand" where none is known.
    pub row: &'static str,
    /// What is wrong with it.
    pub defect: &'static str,
    /// The device.
    pub device: fn(&RoutingGraph) -> Box<dyn Device<RoutingGraph>>,
}

/// The kinds of defects that networks had, by what a user sees of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// A walk does not end, or ends as if it did not.
    Termination,
    /// A name answers with somebody else.
    Names,
    /// What is down is taken for up, or the other way round.
    Health,
    /// What is known is used too long, or not at all.
    Memory,
    /// A proxy sends a request to the wrong place.
    Proxies,
    /// A balancer chooses wrongly.
    Balancing,
    /// A connection leaves by the wrong way out, or with the wrong address.
    WaysOut,
    /// An answer comes back wrong.
    Replies,
    /// Routers take another way.
    Paths,
    /// The answer is not one to the question.
    Form,
}

impl Family {
    /// Every family, in the order in which mutants are listed.
    pub const ALL: [Self; 10] = [
        Self::Termination,
        Self::Names,
        Self::Health,
        Self::Memory,
        Self::Proxies,
        Self::Balancing,
        Self::WaysOut,
        Self::Replies,
        Self::Paths,
        Self::Form,
    ];
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Termination => "termination",
            Self::Names => "names",
            Self::Health => "health",
            Self::Memory => "memory",
            Self::Proxies => "proxies",
            Self::Balancing => "balancing",
            Self::WaysOut => "ways out",
            Self::Replies => "replies",
            Self::Paths => "paths",
            Self::Form => "form",
        })
    }
}

/// A mutant that decides otherwise.
macro_rules! decides {
    ($family:ident, $name:literal, $row:literal, $defect:literal, $decisions:ident $(,)?) => {
        Mutant {
            family: Family::$family,
            name: $name,
            row: $row,
            defect: $defect,
            device: |graph| {
                let decisions = decisions::Any(Box::new(decisions::$decisions));
                Box::new(Network::deciding(graph, decisions))
            },
        }
    };
}

/// A mutant whose device is made by a function.
macro_rules! mutant {
    ($family:ident, $name:literal, $row:literal, $defect:literal, $device:expr $(,)?) => {
        Mutant {
            family: Family::$family,
            name: $name,
            row: $row,
            defect: $defect,
            device: |graph| $device(graph),
        }
    };
}

/// Every mutant, family by family.
pub const MUTANTS: &[Mutant] = &[
    decides!(
        Termination,
        "misses-loops",
        "tinyproxy 203; gVisor a349c0196",
        "a walk goes on from where it has been",
        MissesLoops
    ),
    decides!(
        Termination,
        "takes-everything-for-a-loop",
        "tinyproxy 413",
        "a sound way is given up as a loop",
        TakesEverythingForALoop
    ),
    mutant!(
        Termination,
        "selection-never-ends",
        "nginx 3625a458d; HAProxy 6be02d1c6; the story of 22 March 2018",
        "the search for an endpoint does not end when nobody is up",
        altered::selection_never_ends
    ),
    mutant!(
        Termination,
        "gives-up-early",
        "by hand",
        "a walk is given up for its length after three hops",
        altered::gives_up_early
    ),
    decides!(
        Names,
        "priority-as-largest",
        "by hand",
        "the endpoint of the largest priority is answered",
        PriorityAsLargest
    ),
    decides!(
        Names,
        "answers-with-the-farthest",
        "by hand",
        "the farthest endpoint is answered",
        AnswersWithTheFarthest
    ),
    decides!(
        Names,
        "all-others-always",
        "by hand",
        "others stand in for the nearest although it is up",
        AllOthersAlways
    ),
    decides!(
        Names,
        "geographic-fails-over",
        "by hand",
        "a region's endpoint that is down is left for another region's",
        GeographicFailsOver
    ),
    decides!(
        Names,
        "draws-whoever-is-down",
        "mosn 1867; Envoy 4061",
        "a weighted name draws before it looks who is up",
        DrawsWhoeverIsDown
    ),
    decides!(
        Names,
        "one-child-is-enough",
        "by hand",
        "a nested name counts as online as soon as one of its children is",
        OneChildIsEnough
    ),
    decides!(
        Names,
        "one-child-too-few",
        "by hand",
        "the least number of children is compared as if it were one less",
        OneChildTooFew
    ),
    decides!(
        Names,
        "disabled-counts-as-online",
        "by hand",
        "an endpoint that is switched off is answered",
        DisabledCountsAsOnline
    ),
    decides!(
        Names,
        "fails-open-at-the-first",
        "by hand",
        "one degraded endpoint makes all be answered",
        FailsOpenAtTheFirst
    ),
    decides!(
        Names,
        "never-fails-open",
        "Envoy 3521",
        "a name all of whose endpoints are degraded has no answer",
        NeverFailsOpen
    ),
    mutant!(
        Names,
        "answers-although-it-is-off",
        "by hand",
        "a name that is switched off answers",
        altered::answers_although_it_is_off
    ),
    decides!(
        Names,
        "any-of-the-list",
        "by hand",
        "a client goes to any endpoint of a list in place of the first",
        AnyOfTheList
    ),
    decides!(
        Health,
        "unprobed-counts-as-healthy",
        "OVN de8dc3f9a; nginx a1ab0dde4",
        "what fails its probes counts as online",
        UnprobedCountsAsHealthy
    ),
    mutant!(
        Health,
        "does-not-hear-of-failures",
        "CoreDNS-GSLB 173",
        "what goes down is taken for up",
        altered::does_not_hear_of_failures
    ),
    mutant!(
        Health,
        "never-readmits",
        "HAProxy 64ba5ebad",
        "what comes up again is taken for down",
        altered::never_readmits
    ),
    mutant!(
        Health,
        "says-delivered",
        "by hand",
        "what came to something that is down is told as delivered",
        altered::says_delivered
    ),
    decides!(
        Memory,
        "keeps-for-ever",
        "MetalLB 598",
        "an answer is used beyond its time to live",
        KeepsForEver
    ),
    decides!(
        Memory,
        "keeps-nothing",
        "by hand",
        "the time to live is ignored, and everything is asked anew",
        KeepsNothing
    ),
    decides!(
        Memory,
        "learns-nothing",
        "the story of 22 May 2018",
        "a door never goes straight to the unit that it has learned",
        LearnsNothing
    ),
    decides!(
        Proxies,
        "proxies-to-itself",
        "linkerd 1411",
        "a unit proxies to itself what another has",
        ProxiesToItself
    ),
    decides!(
        Proxies,
        "serves-what-others-own",
        "MetalLB 562",
        "a unit serves accounts that live elsewhere",
        ServesWhatOthersOwn
    ),
    decides!(
        Proxies,
        "knows-no-limit",
        "the story of 22 May 2018",
        "a unit proxies beyond its limit",
        KnowsNoLimit
    ),
    decides!(
        Proxies,
        "is-always-full",
        "gvisor-tap-vsock 127",
        "a unit refuses although nothing is in hand",
        IsAlwaysFull
    ),
    decides!(
        Proxies,
        "origins-by-nothing",
        "by hand",
        "a door takes its first origin, whatever its priority, latency and health",
        OriginsByNothing
    ),
    decides!(
        Proxies,
        "origins-by-latency-alone",
        "by hand",
        "a door takes the fastest origin, whatever its priority",
        OriginsByLatencyAlone
    ),
    decides!(
        Proxies,
        "origins-by-priority-alone",
        "by hand",
        "a door takes an origin of the best priority, however slow",
        OriginsByPriorityAlone
    ),
    decides!(
        Proxies,
        "goes-round-all-origins",
        "Envoy 26877",
        "a door goes round all its origins although some are up",
        GoesRoundAllOrigins
    ),
    decides!(
        Balancing,
        "chooses-the-dead",
        "by hand",
        "a balancer hashes over all members, the dead ones included",
        ChoosesTheDead
    ),
    decides!(
        Balancing,
        "counts-the-dead",
        "by hand",
        "members that are down are counted as up",
        CountsTheDead
    ),
    mutant!(
        Balancing,
        "does-not-look-at-the-virtual-ip",
        "by hand",
        "every rule of a balancer leads to the pool of its first",
        altered::does_not_look_at_the_virtual_ip
    ),
    mutant!(
        Balancing,
        "forgets-rules",
        "by hand",
        "a balancer has lost its rules",
        altered::forgets_rules
    ),
    decides!(
        WaysOut,
        "last-of-the-precedence",
        "by hand",
        "the last way out that is there is taken",
        LastOfThePrecedence
    ),
    decides!(
        WaysOut,
        "no-way-out",
        "by hand",
        "no way out is taken although one is there",
        NoWayOut
    ),
    mutant!(
        WaysOut,
        "gateway-after-instance-address",
        "by hand",
        "the precedence is that of another document",
        altered::gateway_after_instance_address
    ),
    decides!(
        WaysOut,
        "bypass-takes-a-port",
        "by hand",
        "what goes to a private endpoint is translated",
        BypassTakesAPort
    ),
    decides!(
        WaysOut,
        "leaves-untranslated",
        "Cilium 18956",
        "every connection bypasses the translator",
        LeavesUntranslated
    ),
    mutant!(
        WaysOut,
        "leaves-a-closed-pool",
        "by hand",
        "a pool without a way out has a default one",
        altered::leaves_a_closed_pool
    ),
    mutant!(
        WaysOut,
        "leaves-by-another-address",
        "Cilium 39118",
        "a connection leaves from an address next to the translator's",
        altered::leaves_by_another_address
    ),
    mutant!(
        WaysOut,
        "swaps-instance-addresses",
        "by hand",
        "VMs leave by each other's addresses",
        altered::swaps_instance_addresses
    ),
    mutant!(
        WaysOut,
        "refuses-the-last-port",
        "Cilium 8740",
        "a connection is refused although a port is free",
        altered::refuses_the_last_port
    ),
    mutant!(
        WaysOut,
        "forgets-its-ports",
        "OVN db15cf29a",
        "every connection meets a translator that has forgotten all others",
        altered::ForgetsItsPorts::device
    ),
    mutant!(
        WaysOut,
        "moves-live-connections",
        "Cilium 19883",
        "a connection that goes on gets a new endpoint",
        altered::MovesLiveConnections::device
    ),
    decides!(
        Replies,
        "replies-by-the-first-address",
        "OVN 8b3e1afc3",
        "replies leave by the first virtual IP of the balancer",
        RepliesByTheFirstAddress
    ),
    mutant!(
        Replies,
        "replies-stop-short",
        "VPP 784b2b62756",
        "the last hop of a reply is missing",
        altered::replies_stop_short
    ),
    mutant!(
        Replies,
        "replies-come-to-another-port",
        "githedgehog/dataplane e1e7d87e",
        "the answer to a connection comes to the port next to its own",
        altered::replies_come_to_another_port
    ),
    mutant!(
        Replies,
        "drops-replies",
        "gVisor ea792cb3e",
        "answers are dropped as if nothing had been asked",
        altered::drops_replies
    ),
    mutant!(
        Replies,
        "answers-strangers",
        "by hand",
        "answers to what was never asked are delivered",
        altered::answers_strangers
    ),
    decides!(
        Paths,
        "takes-the-longest-way",
        "by hand",
        "routers take the neighbour by which the way costs most",
        TakesTheLongestWay
    ),
    decides!(
        Paths,
        "equal-ways-flip",
        "OVN 69c2b8677",
        "of equal ways, not the first by name is taken",
        EqualWaysFlip
    ),
    decides!(
        Paths,
        "finds-no-way",
        "by hand",
        "a router says that there is no path although there is one",
        FindsNoWay
    ),
    mutant!(
        Paths,
        "does-not-hear-of-cut-links",
        "by hand",
        "routers go over links that are cut",
        altered::does_not_hear_of_cut_links
    ),
    mutant!(
        Paths,
        "ignores-static-routes",
        "by hand",
        "a static route is not followed",
        altered::ignores_static_routes
    ),
    mutant!(
        Paths,
        "skips-a-hop",
        "by hand",
        "a hop is left out of the walk that is told",
        altered::skips_a_hop
    ),
    mutant!(
        Form,
        "begins-elsewhere",
        "by hand",
        "the walk that is told begins with its second hop",
        altered::begins_elsewhere
    ),
    mutant!(
        Form,
        "takes-friends-for-strangers",
        "by hand",
        "a place without a route is told as unknown",
        altered::takes_friends_for_strangers
    ),
    mutant!(
        Form,
        "answers-out-of-kind",
        "by hand",
        "what comes up is answered as if it had gone down",
        altered::answers_out_of_kind
    ),
    mutant!(
        Form,
        "fails-what-there-is-not",
        "by hand",
        "what the graph does not have is told to be down",
        altered::fails_what_there_is_not
    ),
];
