//! Scenario files: read, written, refused; and what a failing property leaves behind.

use natlaw_model::nat::Nat;
use natlaw_model::subject::Scenario;
use natlaw_properties::file::{ScenarioFile, kind_of, text_of};
use natlaw_properties::law::check;
use natlaw_properties::nat::strategies::scenario;
use natlaw_properties::nat::{LAWS, device};
use natlaw_properties::prove;
use proptest::prelude::*;
use proptest::test_runner::Config;

const FILE: &str = r#"kind = "nat"
name = "one_port_too_few"

[subject]
virtual_ips = ["203.0.113.1"]
pool = "10.0.0.1"
ports = { on-demand = "1024-1025" }

[[events]]
outbound = "tcp 10.0.0.1:40000..40002 > 198.51.100.1:443 open"

[[events]]
elapse = "240s"
"#;

#[test]
fn a_range_stands_for_one_event_for_each_number() {
    let file = ScenarioFile::<Nat>::parse(FILE).expect("a file");
    let events: Vec<String> = file.scenario.events.iter().map(ToString::to_string).collect();
    assert_eq!(
        events,
        [
            "outbound tcp 10.0.0.1:40000 > 198.51.100.1:443 open",
            "outbound tcp 10.0.0.1:40001 > 198.51.100.1:443 open",
            "outbound tcp 10.0.0.1:40002 > 198.51.100.1:443 open",
            "elapse 240s",
        ]
    );
}

/// The first line of the error that a change to the file gives.
fn error_of(from: &str, to: &str) -> String {
    assert!(FILE.contains(from), "{from}");
    let error = ScenarioFile::<Nat>::parse(&FILE.replacen(from, to, 1)).expect_err(to);
    error.to_string().lines().next().expect("a line").into()
}

#[test]
fn a_bad_file_is_refused_with_line_field_value_and_rule() {
    let cases = [
        ("[subject]", "[subject", "line 4, column 9: unclosed table, expected `]`"),
        (
            "pool = \"10.0.0.1\"",
            "pol = \"10.0.0.1\"",
            "line 6, column 1: unknown field `pol`, expected one of `virtual_ips`, `pool`, \
             `ports`, `mapping`, `filtering`, `port_reuse`, `pooling`, `preserve`, `selection`, \
             `timers`, `closes_on`, `inbound_refresh`, `limits`, `reserved`, `exempt`, \
             `inbound_rules`, `rule_ports`",
        ),
        (
            "1024-1025",
            "0-1025",
            "line 7, column 1: `ports`: usable ports 0-1025 begin at 0, which no flow can be given",
        ),
        (
            "[\"203.0.113.1\"]",
            "[\"203.0.113.1\", \"203.0.113.1\"]",
            "line 5, column 1: `virtual_ips`: 203.0.113.1 stands twice: each is named once",
        ),
        (
            "40000..40002",
            "40002..40000",
            "line 9, column 1: range 40002..40000: ranges count upwards, and those of one event \
             are equally long",
        ),
        (
            "10.0.0.1:40000..40002",
            "10.0.0.1..2:40000..40002",
            "line 9, column 1: range 40000..40002: ranges count upwards, and those of one event \
             are equally long",
        ),
        (
            "443 open",
            "443 opens",
            "line 9, column 1: `opens` is no signal: write open, data, finish or reset",
        ),
        (
            "240s",
            "4m",
            "line 12, column 1: `4m` is no length of time: write a whole number and a unit (ms, \
             s, min or h), such as 240s",
        ),
        (
            "40000..40002",
            "0..4000000000",
            "line 9, column 1: 4000000001 events are more than a file may ask for (10000000)",
        ),
        (
            "name = ",
            "breaks = [{ law = \"no_such_law\", step = 1 }]\nname = ",
            "line 2, column 11: `breaks`: no law is called \"no_such_law\"; `natlaw laws` lists them",
        ),
        (
            "name = ",
            "device = \"abacus\"\nname = ",
            "line 2, column 10: `device` = \"abacus\": no such device; `natlaw devices` lists them",
        ),
    ];
    for (from, to, expected) in cases {
        assert_eq!(error_of(from, to), expected);
    }
}

#[test]
fn a_file_that_is_no_text_is_refused_with_the_byte() {
    let error = text_of(b"kind = 1\n\xff").expect_err("no text");
    assert_eq!(error.to_string(), "line 2, column 1: byte 9 is not UTF-8: a scenario file is text");
}

#[test]
fn a_file_says_its_kind() {
    assert_eq!(kind_of(FILE).expect("a kind").name, "nat");
    assert!(kind_of("").expect_err("no kind").to_string().contains("missing field `kind`"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..prove::config() })]

    #[test]
    fn what_is_written_is_read_back(scenario in scenario()) {
        let file = ScenarioFile {
            name: "a_name".into(),
            story: "Two\n\"sentences\".".into(),
            device: "bitmap".into(),
            breaks: vec![],
            scenario,
        };
        prop_assert_eq!(ScenarioFile::parse(&file.to_toml()).expect("a file"), file);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in ".{0,200}") {
        let _ = ScenarioFile::<Nat>::parse(&text);
    }

    #[test]
    fn no_change_of_a_file_makes_the_reader_panic(at in 0..FILE.len(), put in "\\PC{0,3}", cut in 0_usize..4) {
        let mut text = FILE.to_string();
        text.replace_range(at..(at + cut).min(FILE.len()), &put);
        let _ = ScenarioFile::<Nat>::parse(&text);
    }
}

/// A broken law leaves a file behind that breaks it again when it is played.
#[test]
fn a_failing_property_leaves_a_file_that_fails_again() {
    let property = "transports-share-ports-keeps-every-law";
    let folder = std::env::temp_dir().join(format!("natlaw-{}", std::process::id()));
    let play = |scenario: &Scenario<Nat>| {
        let mut mutant = device("transports-share-ports", &scenario.subject).expect("a mutant");
        check(LAWS, &scenario.play(&mut mutant))
    };
    let smallest = prove::smallest(2_000, &scenario(), |scenario| play(scenario).is_ok());
    let smallest = smallest.expect("the mutant is caught");
    let path = prove::record(property, "transports-share-ports", &smallest, &folder);
    let text = std::fs::read_to_string(&path).expect("the file");
    std::fs::remove_dir_all(&folder).expect("cleaned up");
    let file = ScenarioFile::<Nat>::parse(&text).expect("a scenario file");
    assert_eq!(file.scenario, smallest);
    assert_eq!(file.device, "transports-share-ports");
    assert!(play(&file.scenario).is_err());
}

/// The whole way: what a person sees when a property fails.
#[test]
fn a_failing_property_says_how_to_play_it_again() {
    let folder = std::env::temp_dir().join(format!("natlaw-says-{}", std::process::id()));
    let config = Config { failure_persistence: None, ..prove::config() };
    let is_silent = |scenario: &Scenario<Nat>| match scenario.events.is_empty() {
        true => Ok(()),
        false => Err("something was asked"),
    };
    let property = "nothing-is-ever-asked";
    let failure =
        prove::try_scenarios(config, &folder, property, "first-fit", &scenario(), is_silent)
            .expect_err("something is asked");
    let text = std::fs::read_to_string(folder.join("nothing-is-ever-asked.toml"));
    std::fs::remove_dir_all(&folder).expect("cleaned up");
    let file = ScenarioFile::<Nat>::parse(&text.expect("the file")).expect("a scenario file");
    assert_eq!(file.scenario.events.len(), 1, "it is shrunk");
    let said = ["something was asked", "natlaw check", "PROPTEST_RNG_SEED=1", "just adopt"];
    assert!(said.iter().all(|part| failure.contains(part)), "{failure}");
}
