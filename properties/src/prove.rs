//! How a property is tried, and what is left behind when it fails.
//!
//! The seed is fixed, so that a run can be repeated: `PROPTEST_RNG_SEED` sets another one and
//! `PROPTEST_CASES` the number of cases. A failure prints the shrunk trace, writes it as a scenario
//! file, and prints the command that plays it.

use std::fmt::Debug;
use std::path::{Path, PathBuf};

use natlaw_model::subject::{Scenario, Subject};
use proptest::strategy::Strategy;
use proptest::test_runner::{
    Config, FileFailurePersistence, RngAlgorithm, RngSeed, TestCaseError, TestError, TestRng,
    TestRunner,
};

use crate::file::ScenarioFile;
use crate::judged::Judged;
use crate::shrink::fewest_events;

/// The seed unless `PROPTEST_RNG_SEED` names another.
pub const SEED: u64 = 1;

/// The cases of a property unless `PROPTEST_CASES` says otherwise.
pub const CASES: u32 = 1_000;

/// Where seeds of past failures are kept; commit them.
pub const REGRESSIONS: &str = "regressions/seeds.txt";

/// The one configuration of all properties.
pub fn config() -> Config {
    let named = |variable: &str| std::env::var(variable).is_ok();
    let persistence = FileFailurePersistence::Direct(REGRESSIONS);
    let mut config =
        Config { failure_persistence: Some(Box::new(persistence)), ..Config::default() };
    if !named("PROPTEST_CASES") {
        config.cases = CASES;
    }
    if !named("PROPTEST_RNG_SEED") {
        config.rng_seed = RngSeed::Fixed(SEED);
    }
    config
}

/// The seed in force, as `PROPTEST_RNG_SEED` would set it.
pub fn seed(config: &Config) -> String {
    match config.rng_seed {
        RngSeed::Fixed(seed) => seed.to_string(),
        RngSeed::Random => "random".into(),
    }
}

/// Tries a property of scenarios.
///
/// # Panics
/// When the property fails: with the shrunk scenario's evidence, the file it was written to, the
/// command that plays it, and the seed.
pub fn every_scenario<S: Judged, E: Debug>(
    property: &str,
    device: &str,
    scenarios: impl Strategy<Value = Scenario<S>>,
    holds: impl Fn(&Scenario<S>) -> Result<(), E>,
) {
    if let Err(failure) = try_scenarios(config(), &folder(), property, device, &scenarios, holds) {
        panic!("{failure}");
    }
}

/// Tries a property of scenarios; a failure is written to this folder.
///
/// # Errors
/// When the property fails: what a person needs to see it and to play it again.
pub fn try_scenarios<S: Judged, E: Debug>(
    config: Config,
    folder: &Path,
    property: &str,
    device: &str,
    scenarios: &impl Strategy<Value = Scenario<S>>,
    holds: impl Fn(&Scenario<S>) -> Result<(), E>,
) -> Result<(), String> {
    let seed = seed(&config);
    let try_one = |scenario: Scenario<S>| {
        holds(&scenario).map_err(|evidence| TestCaseError::fail(format!("{evidence:?}")))
    };
    match TestRunner::new(config).run(scenarios, try_one) {
        Ok(()) => Ok(()),
        Err(TestError::Abort(why)) => Err(format!("{property}: no verdict: {why}")),
        Err(TestError::Fail(_, scenario)) => {
            let scenario = fewest_events(&scenario, |scenario| holds(scenario).is_err());
            let why = holds(&scenario).err();
            let why = why.map(|evidence| format!("{evidence:?}")).unwrap_or_default();
            let path = record(property, device, &scenario, folder);
            let path = path.display();
            Err(format!(
                "{property}\n\n{why}\n\nto play it again: natlaw check {path}\nto draw it again: \
                 PROPTEST_RNG_SEED={seed}\nto keep it: just adopt {path} NAME\n"
            ))
        }
    }
}

/// The smallest scenario that a property refuses, if random search finds one within `cases`.
pub fn smallest<S: Subject>(
    cases: u32,
    scenarios: &impl Strategy<Value = Scenario<S>>,
    holds: impl Fn(&Scenario<S>) -> bool,
) -> Option<Scenario<S>> {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[1; 32]);
    let try_one = |value: Scenario<S>| {
        holds(&value).then_some(()).ok_or_else(|| TestCaseError::fail("refused"))
    };
    match TestRunner::new_with_rng(config, rng).run(scenarios, try_one) {
        Err(TestError::Fail(_, small)) => Some(fewest_events(&small, |small| !holds(small))),
        Ok(()) | Err(TestError::Abort(_)) => None,
    }
}

/// Writes a counterexample as a scenario file and answers where it stands.
///
/// # Panics
/// When the file cannot be written.
pub fn record<S: Judged>(
    property: &str,
    device: &str,
    scenario: &Scenario<S>,
    folder: &Path,
) -> PathBuf {
    let file = ScenarioFile {
        name: property.into(),
        story: format!(
            "Random search found this scenario. It is the smallest that speaks against \"{property}\"."
        ),
        device: device.into(),
        breaks: Vec::new(),
        scenario: scenario.clone(),
    };
    let path = folder.join(format!("{property}.toml"));
    std::fs::create_dir_all(folder).expect("a folder for counterexamples");
    std::fs::write(&path, file.to_toml()).expect("a counterexample");
    path
}

/// Where counterexamples are written: beside what cargo builds.
fn folder() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or(workspace.join("target"), PathBuf::from);
    let folder = target.join("counterexamples");
    folder.canonicalize().unwrap_or(folder)
}
