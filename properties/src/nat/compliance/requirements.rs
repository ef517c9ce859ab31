//! The requirements, document by document.

use super::Level::{May, Must, Recommended, Should, Unstated};
use super::{Answer, Document, Level, Requirement};

/// Every document, in the order of their numbers; what is in none of them comes last.
pub const DOCUMENTS: &[Document] = &[
    Document { name: "RFC 3022", title: "traditional NAT", requirements: RFC_3022 },
    Document { name: "RFC 4787", title: "NAT behaviour for UDP", requirements: RFC_4787 },
    Document { name: "RFC 5382", title: "NAT behaviour for TCP", requirements: RFC_5382 },
    Document { name: "RFC 5508", title: "NAT behaviour for ICMP", requirements: RFC_5508 },
    Document { name: "RFC 6056", title: "how ports are chosen", requirements: RFC_6056 },
    Document { name: "RFC 6431", title: "port ranges handed out by PPP", requirements: RFC_6431 },
    Document { name: "RFC 6888", title: "carrier-grade NAT", requirements: RFC_6888 },
    Document { name: "RFC 7422", title: "deterministic mapping", requirements: RFC_7422 },
    Document { name: "RFC 7753", title: "sets of ports by request", requirements: RFC_7753 },
    Document { name: "RFC 7857", title: "updates to NAT behaviour", requirements: RFC_7857 },
    Document { name: "no RFC", title: "asked by operators", requirements: NO_RFC },
];

const fn held(
    id: &'static str,
    level: Level,
    text: &'static str,
    laws: &'static [&'static str],
) -> Requirement {
    Requirement { id, level, text, remembered: false, answer: Answer::Laws(laws) }
}

const fn outside(
    id: &'static str,
    level: Level,
    text: &'static str,
    why: &'static str,
) -> Requirement {
    Requirement { id, level, text, remembered: false, answer: Answer::OutsideTheModel(why) }
}

/// One whose text was written from memory.
const fn remembered(requirement: Requirement) -> Requirement {
    Requirement { remembered: true, ..requirement }
}

const FRAGMENTS: &str = "a packet is whole; fragments are not modelled";
const PAYLOADS: &str = "packets have no payload";
const DETERMINISTIC: &str = "comes with deterministic mapping, which is not modelled yet";
const PORT_SETS: &str = "comes with ports handed out by a protocol, which is not modelled";

const RFC_3022: &[Requirement] = &[
    remembered(held(
        "Binding",
        Unstated,
        "A binding of address and port stays the same for as long as its sessions live.",
        &[
            "a_live_flow_keeps_its_external_endpoint",
            "flows_of_one_mapping_share_an_external_endpoint",
        ],
    )),
    remembered(held(
        "Unbinding",
        Unstated,
        "When its last session is over, a binding is given back.",
        &["an_expired_flow_is_absent", "a_flow_is_never_refused_while_all_its_ports_are_free"],
    )),
    remembered(held(
        "NAPT tuple",
        Unstated,
        "An inside address and port, or query identifier, has an external one to itself; what \
         comes to that one is translated back.",
        &["no_two_flows_share_an_external_tuple", "a_reply_reaches_the_endpoint_that_asked"],
    )),
    remembered(held(
        "Own ports",
        Unstated,
        "The translator's own services and its assignments do not collide.",
        &["the_port_of_an_inbound_rule_is_never_given", "a_reserved_port_is_never_given"],
    )),
    remembered(held(
        "ICMP errors",
        Unstated,
        "Of an ICMP error both the header and the packet that it quotes are translated.",
        &[
            "an_error_of_the_outside_is_restored_for_its_receiver",
            "an_error_of_the_inside_leaves_from_the_external_endpoint",
        ],
    )),
    remembered(outside(
        "Fragments",
        Unstated,
        "Fragments that carry no ports go the way of the first one.",
        FRAGMENTS,
    )),
    remembered(held(
        "Realm leak",
        Unstated,
        "Inside addresses are not seen outside, but towards destinations that the configuration \
         exempts.",
        &["a_packet_leaves_from_a_virtual_ip"],
    )),
];

const RFC_4787: &[Requirement] = &[
    held(
        "REQ-1",
        Must,
        "Whatever its destination, what leaves from one inside endpoint has one external endpoint.",
        &[
            "udp_mappings_depend_on_no_destination",
            "flows_of_one_mapping_share_an_external_endpoint",
        ],
    ),
    held(
        "REQ-2",
        Recommended,
        "All mappings of an inside address have one external address.",
        &["a_member_has_one_virtual_ip", "a_paired_member_stays_on_one_virtual_ip"],
    ),
    held(
        "REQ-3",
        Must,
        "No port is overloaded: two mappings never have one external endpoint.",
        &["a_udp_port_serves_one_mapping", "no_two_flows_share_an_external_tuple"],
    ),
    held(
        "REQ-3a",
        Recommended,
        "A port below 1024 is mapped to one below 1024, and another to another.",
        &["the_class_of_a_port_is_kept", "a_port_class_is_kept_where_it_can_be"],
    ),
    held(
        "REQ-4",
        Recommended,
        "An even port is mapped to an even one, an odd one to an odd one.",
        &["the_parity_of_a_port_is_kept", "a_port_parity_is_kept_where_it_can_be"],
    ),
    held(
        "REQ-5",
        Must,
        "A mapping does not end in less than two minutes without traffic.",
        &["a_udp_flow_lives_for_two_minutes_at_least", "a_flow_is_not_removed_before_its_timer"],
    ),
    outside(
        "REQ-5a",
        May,
        "Mappings to some well-known ports may end sooner.",
        "a permission not taken: no timer depends on the destination",
    ),
    held(
        "REQ-5b",
        May,
        "The timer can be configured.",
        &["a_flow_is_not_removed_before_its_timer", "an_expired_flow_is_absent"],
    ),
    held(
        "REQ-5c",
        Recommended,
        "Unless told otherwise the timer is five minutes or more.",
        &["a_udp_flow_lives_for_five_minutes_at_least", "a_flow_is_not_removed_before_its_timer"],
    ),
    held(
        "REQ-6",
        Must,
        "Packets of the inside keep a mapping alive.",
        &["a_flow_is_not_removed_before_its_timer"],
    ),
    held(
        "REQ-6a",
        May,
        "Packets of the outside keep it alive too, where that is configured.",
        &["a_flow_is_not_removed_before_its_timer", "an_expired_flow_is_absent"],
    ),
    outside(
        "REQ-7",
        Must,
        "Inside addresses that are also in use outside are avoided or translated.",
        "addresses are declared, not learned; a configuration with one on both sides is refused",
    ),
    held(
        "REQ-8",
        Recommended,
        "A mapping lets in everybody, or every port of the addresses that it sent to.",
        &[
            "udp_is_filtered_by_address_at_most",
            "a_filter_lets_in_whom_it_should",
            "a_filter_keeps_out_whom_it_should",
        ],
    ),
    held(
        "REQ-9",
        Must,
        "Two inside hosts reach each other by their external endpoints.",
        &[
            "a_packet_to_a_virtual_ip_comes_in_again_once",
            "a_hairpinned_packet_is_let_in_like_one_of_the_outside",
        ],
    ),
    held(
        "REQ-9a",
        Must,
        "What comes in so has the external endpoint of its sender as its source.",
        &["a_hairpinned_packet_comes_from_its_senders_external_endpoint"],
    ),
    outside("REQ-10", Should, "Application gateways are off unless switched on.", PAYLOADS),
    held(
        "REQ-11",
        Must,
        "Mapping and filtering never change their kind, whatever the time or the load.",
        &[
            "flows_of_one_mapping_share_an_external_endpoint",
            "a_live_flow_keeps_its_external_endpoint",
            "a_filter_lets_in_whom_it_should",
            "a_filter_keeps_out_whom_it_should",
        ],
    ),
    held(
        "REQ-12",
        Must,
        "An ICMP message never ends a mapping.",
        &["a_flow_is_not_removed_before_its_timer"],
    ),
    held(
        "REQ-12a",
        Should,
        "ICMP errors are let in whoever reports them.",
        &["an_error_of_the_outside_is_restored_for_its_receiver"],
    ),
    held(
        "REQ-12b",
        Recommended,
        "Destination Unreachable is among them.",
        &["an_error_of_the_outside_is_restored_for_its_receiver"],
    ),
    outside(
        "REQ-13",
        Must,
        "A packet that is too big and not to be fragmented is answered with an ICMP error.",
        "packets have no size",
    ),
    outside(
        "REQ-13a",
        Must,
        "A packet that is too big and may be fragmented is.",
        "packets have no size",
    ),
    outside("REQ-14", Must, "Fragments are received in order and out of order.", FRAGMENTS),
    outside("REQ-14a", Must, "Floods of fragments do not stop other packets.", FRAGMENTS),
];

const RFC_5382: &[Requirement] = &[
    held(
        "REQ-1",
        Must,
        "Whatever its destination, what leaves from one inside endpoint has one external endpoint.",
        &[
            "tcp_mappings_depend_on_no_destination",
            "flows_of_one_mapping_share_an_external_endpoint",
        ],
    ),
    held(
        "REQ-2",
        Must,
        "Every valid sequence of TCP packets is let through.",
        &["a_flow_is_not_removed_before_its_timer", "a_reply_reaches_the_endpoint_that_asked"],
    ),
    held(
        "REQ-2a",
        Must,
        "Two sides that open at once are connected.",
        &["a_simultaneous_open_is_let_through"],
    ),
    held(
        "REQ-3",
        Recommended,
        "A mapping lets in everybody, or every port of the addresses that it sent to.",
        &[
            "tcp_is_filtered_by_address_at_most",
            "a_filter_lets_in_whom_it_should",
            "a_filter_keeps_out_whom_it_should",
        ],
    ),
    held(
        "REQ-4",
        Must,
        "A SYN that nobody asked for is answered with nothing for six seconds, and never if the \
         inside opens meanwhile.",
        &["no_other_syn_is_answered"],
    ),
    held(
        "REQ-4 error",
        Should,
        "Otherwise it is answered with an ICMP error in the end, unless policy forbids.",
        &[
            "an_unsolicited_syn_gets_an_answer",
            "an_unsolicited_syn_is_answered_when_its_wait_is_over",
        ],
    ),
    held(
        "REQ-5",
        Must,
        "An established connection does not end in less than 2 hours 4 minutes without traffic.",
        &[
            "an_established_tcp_flow_lives_for_2_hours_and_4_minutes_at_least",
            "a_flow_is_not_removed_before_its_timer",
        ],
    ),
    held(
        "REQ-5 short",
        Must,
        "One that opens or closes does not end in less than four minutes.",
        &[
            "a_transitory_tcp_flow_lives_for_4_minutes_at_least",
            "a_flow_is_not_removed_before_its_timer",
        ],
    ),
    outside(
        "REQ-6",
        Recommended,
        "Application gateways, but for FTP, are off unless switched on.",
        PAYLOADS,
    ),
    held(
        "REQ-7",
        Must,
        "No port is overloaded: two mappings never have one external endpoint.",
        &["a_tcp_port_serves_one_mapping", "no_two_flows_share_an_external_tuple"],
    ),
    held(
        "REQ-8",
        Must,
        "Two inside hosts reach each other by their external endpoints.",
        &[
            "a_packet_to_a_virtual_ip_comes_in_again_once",
            "a_hairpinned_packet_is_let_in_like_one_of_the_outside",
        ],
    ),
    held(
        "REQ-8a",
        Must,
        "What comes in so has the external endpoint of its sender as its source.",
        &["a_hairpinned_packet_comes_from_its_senders_external_endpoint"],
    ),
    held(
        "REQ-9",
        Should,
        "ICMP Destination Unreachable is translated.",
        &["an_error_of_the_outside_is_restored_for_its_receiver"],
    ),
    held(
        "REQ-10",
        Must,
        "An ICMP message never ends a mapping or a connection.",
        &["a_flow_is_not_removed_before_its_timer"],
    ),
];

const RFC_5508: &[Requirement] = &[
    held(
        "REQ-1",
        Must,
        "Queries of the inside go out and their answers come in.",
        &[
            "a_packet_of_a_member_is_forwarded_or_refused",
            "a_reply_reaches_the_endpoint_that_asked",
        ],
    ),
    held(
        "REQ-1a",
        Must,
        "Whoever is asked, one identifier has one external identifier.",
        &[
            "icmp_mappings_depend_on_no_destination",
            "flows_of_one_mapping_share_an_external_endpoint",
        ],
    ),
    held(
        "REQ-2",
        Must,
        "A query does not end in less than a minute without traffic.",
        &["an_icmp_query_lives_for_a_minute_at_least", "a_flow_is_not_removed_before_its_timer"],
    ),
    outside(
        "REQ-3",
        Unstated,
        "Checksums and options of errors, and of what they quote, are handled with care.",
        "packets have no checksums and no options",
    ),
    held(
        "REQ-4",
        Unstated,
        "An error of the outside about no mapping is dropped; of another the quoted packet is \
         restored, and its inside host is told.",
        &[
            "an_error_of_the_outside_is_restored_for_its_receiver",
            "an_error_about_no_live_mapping_is_dropped",
        ],
    ),
    held(
        "REQ-5",
        Unstated,
        "An error of the inside about no mapping is dropped; of another the quoted packet is \
         translated.",
        &[
            "an_error_of_the_inside_leaves_from_the_external_endpoint",
            "an_error_about_no_live_mapping_is_dropped",
        ],
    ),
    held(
        "REQ-5c",
        Unstated,
        "It leaves from an external address.",
        &["an_error_of_the_inside_leaves_from_the_external_endpoint"],
    ),
    held(
        "REQ-6",
        Must,
        "An error neither keeps alive nor ends what it is about.",
        &["a_flow_is_not_removed_before_its_timer", "an_expired_flow_is_absent"],
    ),
    held(
        "REQ-7",
        Unstated,
        "Errors, too, reach an inside host by its external address.",
        &[
            "an_error_of_the_inside_leaves_from_the_external_endpoint",
            "a_packet_to_a_virtual_ip_comes_in_again_once",
        ],
    ),
    held(
        "REQ-8",
        Unstated,
        "A packet that gets no session is dropped.",
        &["a_packet_of_a_member_is_forwarded_or_refused"],
    ),
    outside(
        "REQ-8 error",
        Unstated,
        "Its sender is told so by an ICMP error.",
        "a refusal has a reason, and no ICMP error",
    ),
    outside(
        "REQ-9",
        Unstated,
        "Errors of the translator itself obey its policy.",
        "a policy of administrators",
    ),
    outside(
        "REQ-10",
        Unstated,
        "A list of ICMP types is supported.",
        "a message is a query or an error; types are not told apart",
    ),
    outside(
        "REQ-11",
        May,
        "Other ICMP types are dropped.",
        "a message is a query or an error; types are not told apart",
    ),
];

const RFC_6056: &[Requirement] = &[
    remembered(held(
        "Algorithm 1",
        Unstated,
        "Simple random: wherever the search starts, it finds a port while one is free.",
        &[
            "exhausted_is_said_only_when_no_port_is_eligible",
            "no_two_flows_share_an_external_tuple",
        ],
    )),
    remembered(held(
        "Algorithm 2",
        Unstated,
        "Random tries: it may give up while a port is free, but says so, and never while all are.",
        &[
            "a_flow_is_never_refused_while_all_its_ports_are_free",
            "exhausted_is_said_only_when_no_port_is_eligible",
        ],
    )),
    remembered(held(
        "Algorithm 3",
        Unstated,
        "Simple hash: whatever the offset, the search finds a port while one is free.",
        &[
            "exhausted_is_said_only_when_no_port_is_eligible",
            "no_two_flows_share_an_external_tuple",
        ],
    )),
    remembered(held(
        "Algorithm 4",
        Unstated,
        "Double hash: whichever counter is used, the search finds a port while one is free.",
        &[
            "exhausted_is_said_only_when_no_port_is_eligible",
            "no_two_flows_share_an_external_tuple",
        ],
    )),
    remembered(held(
        "Algorithm 5",
        Unstated,
        "Random increments: however far a step, the search finds a port while one is free.",
        &[
            "exhausted_is_said_only_when_no_port_is_eligible",
            "no_two_flows_share_an_external_tuple",
        ],
    )),
    remembered(held(
        "Range",
        Unstated,
        "All ports from 1024 to 65535 are used but those on a list of exceptions.",
        &[
            "the_ports_above_the_well_known_are_shared_out",
            "no_port_is_taken_from_outside_the_usable_range",
            "a_reserved_port_is_never_given",
        ],
    )),
    remembered(held(
        "Section 4",
        Unstated,
        "A translator keeps the port, or obfuscates the one that it takes instead.",
        &["a_translated_port_is_drawn_or_hashed", "a_port_is_kept_where_it_can_be"],
    )),
];

const RFC_6431: &[Requirement] = &[
    remembered(outside(
        "Section 2.1",
        Unstated,
        "A value and a mask delegate a set of ports.",
        PORT_SETS,
    )),
    remembered(outside(
        "Section 2.2",
        Unstated,
        "A key delegates a pseudo-random set of ports.",
        PORT_SETS,
    )),
];

const RFC_6888: &[Requirement] = &[
    held(
        "REQ-1",
        Must,
        "Each transport is treated as the RFC about it demands.",
        &[
            "no_must_of_a_transport_is_missed",
            "a_flow_is_not_removed_before_its_timer",
            "no_two_flows_share_an_external_tuple",
            "flows_of_one_mapping_share_an_external_endpoint",
        ],
    ),
    held(
        "REQ-2",
        Must,
        "All mappings of a subscriber have one external address, unless told otherwise.",
        &["a_member_has_one_virtual_ip", "a_paired_member_stays_on_one_virtual_ip"],
    ),
    held(
        "REQ-3",
        Unstated,
        "External addresses may be of any number and need not be neighbours.",
        &["a_packet_leaves_from_a_virtual_ip", "exhausted_is_said_only_when_no_port_is_eligible"],
    ),
    held(
        "REQ-4",
        Unstated,
        "The external ports of a subscriber can be limited.",
        &[
            "a_member_has_a_limit_of_ports",
            "no_member_goes_beyond_its_limit",
            "over_limit_is_said_only_to_a_member_at_a_limit",
            "a_member_at_a_limit_is_told_nothing_else",
            "a_member_is_not_refused_for_what_others_hold",
        ],
    ),
    remembered(outside(
        "REQ-4 protocol",
        May,
        "The limit may differ by protocol.",
        "a permission not taken: one limit counts for each transport by itself",
    )),
    remembered(outside(
        "REQ-4 rate",
        Recommended,
        "New mappings of a subscriber are limited in time.",
        "rates are not modelled",
    )),
    held(
        "REQ-5",
        Unstated,
        "The state of a subscriber is limited.",
        &["a_member_has_a_limit_of_flows", "no_member_goes_beyond_its_limit"],
    ),
    held(
        "REQ-6",
        Unstated,
        "Translation can be switched off for destinations.",
        &["an_exempt_destination_is_left_as_it_is"],
    ),
    held(
        "REQ-7",
        Recommended,
        "A mapping lets in everybody.",
        &["nobody_is_filtered_out", "a_filter_lets_in_whom_it_should"],
    ),
    remembered(held(
        "REQ-8",
        Unstated,
        "A port that is given back rests for 120 seconds, but for TCP that is tracked, ports \
         assigned for good, and mappings that were closed to strangers.",
        &["a_released_port_rests_for_two_minutes_at_least", "a_key_rests_for_its_hold_down"],
    )),
    outside("REQ-9", Unstated, "Subscribers can ask for mappings with PCP.", PORT_SETS),
    outside("REQ-10", Unstated, "The translator can be managed.", "a policy of administrators"),
    held(
        "REQ-11",
        Unstated,
        "A packet that gets no mapping is dropped.",
        &["a_packet_of_a_member_is_forwarded_or_refused"],
    ),
    remembered(held(
        "REQ-11 others",
        Must,
        "No mapping is ended to make room for it.",
        &["a_flow_is_not_removed_before_its_timer", "no_two_flows_share_an_external_tuple"],
    )),
    remembered(outside(
        "REQ-11 error",
        Should,
        "Its sender is told so by an ICMP error, and the administrator is notified.",
        "a refusal has a reason, and no ICMP error",
    )),
    outside("REQ-12", Unstated, "Destinations are not logged.", "logs are not modelled"),
    held(
        "REQ-13",
        Unstated,
        "As many of the ports as possible can be used.",
        &[
            "every_port_is_looked_at_before_a_refusal",
            "exhausted_is_said_only_when_no_port_is_eligible",
            "one_destination_never_exhausts_another",
        ],
    ),
    held(
        "REQ-14",
        Unstated,
        "Little has to be logged to tell whose a port was.",
        &[
            "a_member_has_ports_of_its_own",
            "a_member_uses_only_its_own_ports",
            "a_port_belongs_to_the_member_whose_block_holds_it",
        ],
    ),
    held("REQ-15", Unstated, "Ports are hard to guess.", &["a_translated_port_is_drawn_or_hashed"]),
];

const RFC_7422: &[Requirement] = &[
    remembered(outside(
        "Mapping",
        Unstated,
        "Whose a port is follows from the configuration alone.",
        DETERMINISTIC,
    )),
    remembered(outside(
        "Inputs",
        Unstated,
        "Prefixes, ratio, reserved ports, a dynamic share and a maximum decide it.",
        DETERMINISTIC,
    )),
    remembered(outside(
        "Overflow",
        Unstated,
        "A subscriber that needs more gets logged blocks of the dynamic share.",
        DETERMINISTIC,
    )),
    remembered(outside(
        "Algorithms",
        Unstated,
        "Sequential, staggered, round robin, interlaced, or keyed.",
        DETERMINISTIC,
    )),
];

const RFC_7753: &[Requirement] = &[remembered(outside(
    "PORT_SET",
    Unstated,
    "A run of external ports is given for a run of inside ports, in order.",
    PORT_SETS,
))];

const RFC_7857: &[Requirement] = &[
    held(
        "Section 2",
        Should,
        "TCP connections are followed through their states, to a FIN of each side.",
        &[
            "a_tcp_flow_closes_once_both_sides_have_closed_it",
            "a_flow_is_not_removed_before_its_timer",
            "an_expired_flow_is_absent",
        ],
    ),
    held(
        "2.1 opening",
        Unstated,
        "Connections that open have a timer of their own: four minutes unless told otherwise.",
        &[
            "a_half_open_tcp_flow_lives_for_4_minutes_at_least",
            "a_flow_is_not_removed_before_its_timer",
            "an_expired_flow_is_absent",
        ],
    ),
    held(
        "2.1 closing",
        Unstated,
        "So have connections that close.",
        &[
            "a_closing_tcp_flow_lives_for_4_minutes_at_least",
            "a_flow_is_not_removed_before_its_timer",
            "an_expired_flow_is_absent",
        ],
    ),
    held(
        "Section 2.2",
        Unstated,
        "An RST is translated; its connection ends after four minutes of silence, and lives on if \
         it is not silent.",
        &[
            "a_reset_tcp_flow_lives_for_4_minutes_at_least",
            "a_flow_is_not_removed_before_its_timer",
            "an_expired_flow_is_absent",
        ],
    ),
    held(
        "Section 3",
        May,
        "One external port may serve flows to different destinations.",
        &["no_two_flows_share_an_external_tuple", "one_destination_never_exhausts_another"],
    ),
    remembered(held(
        "Section 4",
        Unstated,
        "With one external address a subscriber, it is settled what happens when that is full: \
         here it is refused.",
        &[
            "a_member_has_one_virtual_ip",
            "a_paired_member_stays_on_one_virtual_ip",
            "exhausted_is_said_only_when_no_port_is_eligible",
        ],
    )),
    remembered(held(
        "Section 5",
        Unstated,
        "Unless told otherwise, mappings of one protocol are independent of those of another.",
        &[
            "one_transport_never_exhausts_another",
            "flows_of_one_mapping_share_an_external_endpoint",
        ],
    )),
    remembered(held(
        "Section 6",
        Unstated,
        "Unless told otherwise, a mapping of one protocol lets in no other.",
        &["an_unsolicited_packet_is_dropped", "a_filter_keeps_out_whom_it_should"],
    )),
    remembered(held(
        "Section 7",
        Unstated,
        "Whether packets of the outside keep a mapping alive can be configured.",
        &["a_flow_is_not_removed_before_its_timer", "an_expired_flow_is_absent"],
    )),
    held(
        "7 kinds",
        Should,
        "ICMP errors of the inside, and RSTs that answer, do not keep it alive.",
        &["an_expired_flow_is_absent"],
    ),
    remembered(held(
        "Section 8",
        May,
        "Whether parity is kept can be configured.",
        &["a_port_parity_is_kept_where_it_can_be"],
    )),
    remembered(outside(
        "8 request",
        Unstated,
        "A request for a port of some parity is honoured.",
        PORT_SETS,
    )),
    remembered(held(
        "Section 9",
        Unstated,
        "A port that must change is obfuscated.",
        &["a_translated_port_is_drawn_or_hashed"],
    )),
    outside(
        "Section 10",
        Unstated,
        "The identification field of IP headers is rewritten.",
        "packets have no such field",
    ),
    held(
        "Section 11",
        May,
        "The mapping of a query may end with its last session.",
        &["an_expired_flow_is_absent", "a_flow_is_never_refused_while_all_its_ports_are_free"],
    ),
    remembered(held(
        "Section 12",
        Unstated,
        "ICMP, too, reaches an inside host by its external address.",
        &[
            "a_packet_to_a_virtual_ip_comes_in_again_once",
            "an_error_of_the_inside_leaves_from_the_external_endpoint",
        ],
    )),
];

const NO_RFC: &[Requirement] = &[outside(
    "Tenants",
    Unstated,
    "Two tenants use the same inside addresses and never meet.",
    "a member is known by its address alone; tenants are not modelled",
)];
