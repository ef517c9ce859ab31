//! What real devices answered once.

use natlaw_oracle::laws::{Standing, breaks, report, standing};
use natlaw_oracle::mutants::MUTANTS;
use natlaw_oracle::registry::REAL;
use natlaw_oracle::run::Run;
use natlaw_oracle::transcript::Transcript;
use natlaw_properties::nat::LAWS;

fn transcripts() -> Vec<Transcript> {
    REAL.iter().map(|real| Transcript::parse(real.transcript).expect(real.name)).collect()
}

fn of(device: &str) -> Transcript {
    let mut all = transcripts().into_iter();
    all.find(|transcript| transcript.recorded.device == device).expect("a transcript")
}

#[test]
fn every_recorded_answer_is_as_the_rule_of_its_device_says() {
    for (real, transcript) in REAL.iter().zip(transcripts()) {
        assert_eq!(real.name, transcript.recorded.device);
        assert!(transcript.steps() > 500, "{}", real.name);
        for case in &transcript.cases {
            (real.follow)(&case.recording)
                .unwrap_or_else(|parted| panic!("{}: {parted}", case.name));
        }
    }
}

#[test]
fn every_mistaken_rule_parts_from_what_linux_answered() {
    let linux = of("linux");
    for mutant in MUTANTS {
        let parts = linux.cases.iter().any(|case| (mutant.follow)(&case.recording).is_err());
        assert!(parts, "{}", mutant.name);
    }
}

/// Which laws real devices keep and break, where, and how little it takes.
#[test]
fn the_table_of_laws_is_as_last_reviewed() {
    insta::with_settings!({
        snapshot_path => "../../reports",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!("laws_on_real_devices", report(&transcripts()));
    });
}

#[test]
fn linux_breaks_the_laws_that_it_is_known_to_break_and_keeps_the_first() {
    let linux = of("linux");
    let law = |name: &str| LAWS.iter().find(|law| law.name == name).expect("a law");
    let first = standing(&linux, law("no_two_flows_share_an_external_tuple"));
    assert!(matches!(first, Standing::Kept(times) if times > 500), "{first:?}");
    let real = REAL.iter().find(|real| real.name == "linux").expect("linux");
    let breaks = breaks(&linux, real.follow);
    let least = |case: &str| {
        let found = breaks.iter().find(|it| it.case == case).expect(case);
        (found.law, found.occupied, found.smallest.occupied())
    };
    let exhausted = "exhausted_is_said_only_when_no_port_is_eligible";
    assert_eq!(least("the last port of 256"), (exhausted, Some((255, 256)), Some((128, 256))));
    assert_eq!(least("two addresses, one client"), (exhausted, Some((8, 16)), Some((8, 16))));
    assert_eq!(least("the last port of 100").1, Some((99, 100)));
    assert_eq!(least("a port is given again").0, "a_key_rests_for_its_hold_down");
    assert_eq!(least("reuse before preservation").0, "a_port_is_kept_where_it_can_be");
}

/// The bands in which another machine measured the same kernel in November 2026.
#[test]
fn the_recorded_run_is_long_without_mismatch_and_within_its_bands() {
    let real = REAL.iter().find(|real| real.name == "linux").expect("linux");
    let run: Run = serde_json::from_str(real.run.expect("a run")).expect("a run");
    assert!(run.agreement.steps >= 1_000_000 && run.mismatches == 0, "{:?}", run.agreement);
    assert!(run.agreement.counted == run.agreement.refused, "{:?}", run.agreement);
    assert!(run.noticed.len() >= 8 && run.noticed.iter().all(|noticed| noticed.walks > 0));
    assert!(run.capacity.iter().all(|row| row.unlawful == 0));
    let [one, each, range, tiers @ ..] = run.capacity.as_slice() else { panic!("no capacity") };
    assert_eq!((one.ports, one.in_the_end), (1024, 1024));
    assert_eq!((each.ports, each.in_the_end), (2048, 2048));
    assert_eq!((range.ports, range.in_the_end), (2048, 1024));
    let measured = [50_680, 50_734, 50_910, 51_200, 51_200, 32_000];
    for (row, expected) in tiers.iter().zip(measured) {
        let is_exact = row.ports / row.members <= 128;
        let band = if is_exact { 0 } else { expected / 200 };
        assert!(row.at_first.abs_diff(expected) <= band, "{row:?}, not {expected}");
        assert_eq!((row.in_the_end, row.members_full), (row.ports, row.members), "{row:?}");
    }
    assert_eq!(tiers.len(), measured.len());
}
