//! What devices that see packets answered once.

use natlaw_oracle::capacity::{self, Capacity};
use natlaw_oracle::laws::{Standing, report, standing};
use natlaw_oracle::packets::{PACKETS, Packets};
use natlaw_oracle::registry::REAL;
use natlaw_oracle::transcript::Transcript;
use natlaw_properties::nat::LAWS;

fn transcript(device: &Packets) -> Transcript {
    Transcript::parse(device.transcript).expect(device.name)
}

#[test]
fn every_recorded_answer_is_as_the_rule_says_but_for_the_known_differences() {
    for device in PACKETS {
        let transcript = transcript(device);
        assert_eq!(device.name, transcript.recorded.device);
        assert!(transcript.steps() > 500, "{}", device.name);
        for case in &transcript.cases {
            let followed = (device.follow)(&case.recording);
            let is_apart = device.apart(&case.name).is_some();
            assert_eq!(followed.is_err(), is_apart, "{} {}", device.name, case.name);
        }
    }
}

/// In the step and in the way that is known; and no other recording looks like it.
#[test]
fn each_difference_is_as_it_is_known() {
    for device in PACKETS {
        let transcript = transcript(device);
        for apart in device.apart {
            let case = transcript.cases.iter().find(|case| case.name == apart.situation);
            let recording = &case.expect(apart.situation).recording;
            let parted = (device.follow)(recording).expect_err("known");
            assert_eq!(parted.evidence.trace.steps.len(), apart.step, "{}", apart.situation);
            assert!((apart.shows)(recording), "{} {}", device.name, apart.what);
            let before: Vec<usize> = (0..apart.step - 1).collect();
            assert!(!(apart.shows)(&recording.with_steps(&before)), "{}", apart.what);
        }
    }
}

/// Errors about live flows of every transport, both ways, and about what rules let in.
#[test]
fn errors_pass_both_ways_and_strangers_errors_do_not() {
    let transcript = transcript(&PACKETS[0]);
    assert_eq!(transcript.recorded.device, "linux-wire");
    for name in [
        "an_error_of_the_outside_is_restored_for_its_receiver",
        "an_error_of_the_inside_leaves_from_the_external_endpoint",
        "an_error_about_no_live_mapping_is_dropped",
    ] {
        let law = LAWS.iter().find(|law| law.name == name).expect(name);
        let standing = standing(&transcript, law);
        assert!(matches!(standing, Standing::Kept(times) if times >= 6), "{name}: {standing:?}");
    }
}

/// But where one client calls the same service by two virtual IPs.
#[test]
fn whom_a_rule_lets_in_reaches_the_member_and_is_answered_without_a_port() {
    let transcript = transcript(&PACKETS[0]);
    for name in [
        "an_admitted_packet_reaches_the_member_of_its_rule",
        "a_reply_to_an_admitted_connection_takes_no_port",
    ] {
        let law = LAWS.iter().find(|law| law.name == name).expect(name);
        let standing = standing(&transcript, law);
        assert!(matches!(standing, Standing::Broken { cases: 1, of } if of >= 5), "{standing:?}");
    }
}

#[test]
fn strangers_are_kept_out_and_replies_come_in_while_a_flow_lives() {
    for device in PACKETS {
        for name in [
            "an_unsolicited_packet_is_dropped",
            "a_simultaneous_open_is_let_through",
            "a_flow_is_not_removed_before_its_timer",
            "a_reply_reaches_the_endpoint_that_asked",
        ] {
            let law = LAWS.iter().find(|law| law.name == name).expect(name);
            let standing = standing(&transcript(device), law);
            assert!(matches!(standing, Standing::Kept(_)), "{} {name}: {standing:?}", device.name);
        }
    }
}

/// The law, the device, and whether it breaks it.
#[test]
fn each_device_breaks_what_it_is_known_to_break() {
    for (name, on_the_wire, at_the_switch) in [
        ("no_two_flows_share_an_external_tuple", true, false),
        ("a_live_flow_keeps_its_external_endpoint", true, true),
        ("exhausted_is_said_only_when_no_port_is_eligible", true, true),
        ("no_port_is_taken_from_outside_the_usable_range", true, true),
        ("the_end_of_no_flow_creates_nothing", false, true),
        ("a_packet_to_a_virtual_ip_comes_in_again_once", true, false),
        ("a_translation_changes_one_endpoint_only", true, false),
        ("the_port_of_an_inbound_rule_is_never_given", true, false),
    ] {
        let law = LAWS.iter().find(|law| law.name == name).expect(name);
        let breaks = |device| matches!(standing(&transcript(device), law), Standing::Broken { .. });
        let actual: Vec<bool> = PACKETS.iter().map(breaks).collect();
        assert_eq!(actual, [on_the_wire, at_the_switch], "{name}");
    }
}

fn tiers() -> Vec<Capacity> {
    let mut all = PACKETS.iter().filter_map(|device| device.tiers);
    serde_json::from_str(all.next().expect("tiers")).expect("rows")
}

#[test]
fn all_transcripts_of_all_devices_stay_under_a_mebibyte() {
    let packets = PACKETS.iter().flat_map(|device| [Some(device.transcript), device.tiers]);
    let told = REAL.iter().flat_map(|real| [Some(real.transcript), real.run]);
    let bytes: usize = packets.chain(told).flatten().map(str::len).sum();
    assert!(bytes < 1 << 20, "{bytes}");
}

/// The bands in which the same kernel was measured by other means in November 2026.
#[test]
fn every_tier_reaches_its_ports_and_never_one_more() {
    let measured = [50_680, 50_734, 50_910, 51_200, 51_200, 32_000];
    assert_eq!(tiers().len(), measured.len());
    for (row, expected) in tiers().iter().zip(measured) {
        let is_exact = row.ports / row.members <= 128;
        let band = if is_exact { 0 } else { expected / 200 };
        assert!(row.at_first.abs_diff(expected) <= band, "{row:?}, not {expected}");
        let actual = (row.in_the_end, row.members_full, row.unlawful);
        assert_eq!(actual, (row.ports, row.members, 0), "{row:?}");
    }
}

#[test]
fn the_table_of_laws_is_as_last_reviewed() {
    let transcripts: Vec<_> = PACKETS.iter().map(transcript).collect();
    let laws = report(&transcripts);
    let text = format!("{laws}\nmembers of the story's tiers\n\n{}", capacity::report(&tiers()));
    insta::with_settings!({
        snapshot_path => "../../reports",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!("laws_on_devices_that_see_packets", text);
    });
}
