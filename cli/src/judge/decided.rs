//! Which laws a log of connection tracking can break, and for want of what it cannot break the
//! others.

/// What it takes to judge a law.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    /// A log.
    Log,
    /// A log, and the configuration.
    Configuration,
    /// Something that no such log holds.
    Missing(Missing),
}

/// What no log of connection tracking holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    /// Packets that got no entry.
    Refusals,
    /// Packets from the outside that found no entry, or found one.
    Inbound,
    /// When an entry was over, as far as its key's rest is concerned: it is in the log until its key
    /// is free.
    Rest,
    /// What was held before the log began.
    Before,
    /// When the configuration changed, and what that ended.
    Changes,
    /// Whole packets: the judge makes one of each entry, and makes it lawful in this.
    Packets,
}

/// Every law of `natlaw_properties::nat::LAWS`, in its order, and what it takes to judge it.
const DECIDED: &[(&str, Needs)] = &[
    ("no_two_flows_share_an_external_tuple", Needs::Log),
    ("a_key_rests_for_its_hold_down", Needs::Missing(Missing::Rest)),
    ("a_stranded_key_rests_before_it_is_given_again", Needs::Missing(Missing::Changes)),
    ("a_packet_leaves_from_a_virtual_ip", Needs::Configuration),
    ("a_member_uses_only_its_own_ports", Needs::Configuration),
    ("no_port_is_taken_from_outside_the_usable_range", Needs::Configuration),
    ("the_port_of_an_inbound_rule_is_never_given", Needs::Configuration),
    ("the_group_of_an_inbound_rule_is_never_given", Needs::Configuration),
    ("a_reserved_port_is_never_given", Needs::Configuration),
    ("exhausted_is_said_only_when_no_port_is_eligible", Needs::Missing(Missing::Refusals)),
    ("a_flow_is_never_refused_while_all_its_ports_are_free", Needs::Missing(Missing::Refusals)),
    ("one_transport_never_exhausts_another", Needs::Missing(Missing::Refusals)),
    ("one_destination_never_exhausts_another", Needs::Missing(Missing::Refusals)),
    ("no_member_goes_beyond_its_limit", Needs::Missing(Missing::Before)),
    ("over_limit_is_said_only_to_a_member_at_a_limit", Needs::Missing(Missing::Refusals)),
    ("a_member_at_a_limit_is_told_nothing_else", Needs::Missing(Missing::Refusals)),
    ("no_virtual_ip_goes_beyond_its_limit_towards_a_destination", Needs::Missing(Missing::Before)),
    ("a_member_is_not_refused_for_what_others_hold", Needs::Missing(Missing::Refusals)),
    ("a_member_always_obtains_its_guarantee", Needs::Missing(Missing::Refusals)),
    ("a_shared_port_comes_out_of_nobodys_guarantee", Needs::Configuration),
    ("a_member_goes_beyond_its_own_ports_only_when_none_is_left", Needs::Missing(Missing::Before)),
    ("a_leased_block_serves_one_member", Needs::Missing(Missing::Before)),
    ("a_member_leases_no_more_than_its_maximum", Needs::Missing(Missing::Before)),
    ("only_a_stranger_is_told_that_it_is_not_in_the_pool", Needs::Missing(Missing::Refusals)),
    ("a_leased_virtual_ip_serves_one_member", Needs::Configuration),
    ("a_member_stays_on_the_virtual_ip_it_leases", Needs::Configuration),
    ("a_paired_member_stays_on_one_virtual_ip", Needs::Configuration),
    ("a_spread_binding_takes_the_least_used_virtual_ip", Needs::Missing(Missing::Before)),
    ("a_port_is_kept_where_it_can_be", Needs::Missing(Missing::Before)),
    ("a_port_class_is_kept_where_it_can_be", Needs::Missing(Missing::Before)),
    ("a_port_parity_is_kept_where_it_can_be", Needs::Missing(Missing::Before)),
    ("a_flow_is_not_removed_before_its_timer", Needs::Missing(Missing::Refusals)),
    ("a_live_flow_keeps_its_external_endpoint", Needs::Log),
    ("flows_of_one_mapping_share_an_external_endpoint", Needs::Configuration),
    ("a_reply_reaches_the_endpoint_that_asked", Needs::Missing(Missing::Inbound)),
    ("a_packet_to_a_virtual_ip_comes_in_again_once", Needs::Missing(Missing::Packets)),
    (
        "a_hairpinned_packet_comes_from_its_senders_external_endpoint",
        Needs::Missing(Missing::Packets),
    ),
    ("a_hairpinned_packet_is_let_in_like_one_of_the_outside", Needs::Missing(Missing::Inbound)),
    ("a_translation_changes_one_endpoint_only", Needs::Missing(Missing::Packets)),
    ("an_exempt_destination_is_left_as_it_is", Needs::Missing(Missing::Packets)),
    ("an_unsolicited_packet_is_dropped", Needs::Missing(Missing::Inbound)),
    ("a_filter_lets_in_whom_it_should", Needs::Missing(Missing::Inbound)),
    ("a_filter_keeps_out_whom_it_should", Needs::Missing(Missing::Inbound)),
    ("a_simultaneous_open_is_let_through", Needs::Missing(Missing::Inbound)),
    ("an_unsolicited_syn_is_answered_when_its_wait_is_over", Needs::Missing(Missing::Inbound)),
    ("no_other_syn_is_answered", Needs::Missing(Missing::Inbound)),
    ("an_expired_flow_is_absent", Needs::Missing(Missing::Inbound)),
    ("an_error_of_the_outside_is_restored_for_its_receiver", Needs::Missing(Missing::Packets)),
    ("an_error_of_the_inside_leaves_from_the_external_endpoint", Needs::Missing(Missing::Packets)),
    ("an_error_about_no_live_mapping_is_dropped", Needs::Missing(Missing::Packets)),
    ("an_admitted_packet_reaches_the_member_of_its_rule", Needs::Missing(Missing::Inbound)),
    ("a_reply_to_an_admitted_connection_takes_no_port", Needs::Missing(Missing::Inbound)),
    ("a_packet_of_a_member_is_forwarded_or_refused", Needs::Missing(Missing::Refusals)),
    ("the_end_of_no_flow_creates_nothing", Needs::Missing(Missing::Refusals)),
    ("exactly_the_bindings_that_lose_their_port_are_stranded", Needs::Missing(Missing::Changes)),
    ("each_stranded_binding_is_named_once_and_in_order", Needs::Missing(Missing::Changes)),
    ("every_event_is_answered_in_kind", Needs::Missing(Missing::Packets)),
];

/// Why a law cannot be judged, with the configuration given or without; `None` if it can.
pub(super) fn undecided(law: &str, is_given: bool) -> Option<&'static str> {
    let needs = DECIDED.iter().find(|(name, _)| *name == law).map(|(_, needs)| *needs);
    match needs {
        Some(Needs::Log) => None,
        Some(Needs::Configuration) if is_given => None,
        Some(Needs::Configuration) => Some("undecidable without --nat"),
        Some(Needs::Missing(missing)) => Some(missing.says()),
        None => Some("not in this log: nobody has said where to look"),
    }
}

impl Missing {
    const fn says(self) -> &'static str {
        match self {
            Self::Refusals => "not in this log: packets that were refused or dropped",
            Self::Inbound => "not in this log: packets from the outside",
            Self::Rest => {
                "not in this log: rest after the end, for an entry stays until it is over"
            }
            Self::Before => "not in this log: what was held before it began",
            Self::Changes => "not in this log: changes of the configuration",
            Self::Packets => {
                "not in this log: packets as they were; an entry has a flow and its endpoint"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use natlaw_properties::nat::LAWS;

    use super::*;

    #[test]
    fn every_law_stands_here_once_and_in_order() {
        let here: Vec<_> = DECIDED.iter().map(|(name, _)| *name).collect();
        let laws: Vec<_> = LAWS.iter().map(|law| law.name).collect();
        assert_eq!(here, laws);
    }

    #[test]
    fn a_configuration_decides_more() {
        let judged =
            |is_given| LAWS.iter().filter(move |law| undecided(law.name, is_given).is_none());
        assert_eq!((judged(false).count(), judged(true).count()), (2, 13));
        assert!(undecided("no_such_law", true).is_some());
    }
}
