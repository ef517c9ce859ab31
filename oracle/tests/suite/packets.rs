//! What devices that see packets answered once.

use natlaw_oracle::capacity::{self, Capacity};
use natlaw_oracle::laws::{Standing, report, standing};
use natlaw_oracle::packets::{PACKETS, Packets, TIERS_ON_THE_WIRE};
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
            let is_apart = device.apart.contains(&case.name.as_str());
            let followed = (device.follow)(&case.recording);
            assert_eq!(followed.is_err(), is_apart, "{} {}", device.name, case.name);
        }
    }
}

#[test]
fn each_difference_is_in_the_last_step() {
    for device in PACKETS {
        let transcript = transcript(device);
        for name in device.apart {
            let case = transcript.cases.iter().find(|case| case.name == *name).expect("a case");
            let parted = (device.follow)(&case.recording).expect_err("known");
            assert_eq!(parted.evidence.trace.steps.len(), case.recording.trace.steps.len());
        }
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
            "a_translation_changes_one_endpoint_only",
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
        ("no_port_is_taken_from_outside_the_usable_range", false, true),
        ("the_end_of_no_flow_creates_nothing", false, true),
        ("a_packet_to_a_virtual_ip_comes_in_again_once", true, false),
    ] {
        let law = LAWS.iter().find(|law| law.name == name).expect(name);
        let breaks = |device| matches!(standing(&transcript(device), law), Standing::Broken { .. });
        let actual: Vec<bool> = PACKETS.iter().map(breaks).collect();
        assert_eq!(actual, [on_the_wire, at_the_switch], "{name}");
    }
}

fn tiers() -> Vec<Capacity> {
    serde_json::from_str(TIERS_ON_THE_WIRE).expect("rows")
}

#[test]
fn all_transcripts_of_all_devices_stay_under_a_mebibyte() {
    let packets = PACKETS.iter().map(|device| device.transcript.len());
    let bytes: usize = packets.chain(REAL.iter().map(|real| real.transcript.len())).sum();
    assert!(bytes + TIERS_ON_THE_WIRE.len() < 1 << 20, "{bytes}");
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
