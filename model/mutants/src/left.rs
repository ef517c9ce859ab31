//! Gives what is left to cargo-mutants itself.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::count::Outcome;
use crate::list::Change;
use crate::tree::Tree;

/// The tests that judge a change.
pub struct Judges {
    /// Where they are.
    packages: &'static str,
    /// Their time, at least, until they are said to run for ever.
    seconds: &'static str,
}

/// Who judges what is left: the model's own tests, then all that are asked to.
pub const JUDGES: [Judges; 2] = [
    Judges { packages: "natlaw-model", seconds: "60" },
    Judges { packages: "natlaw-model,natlaw-properties,natlaw-snapshots", seconds: "900" },
];

/// Lets cargo-mutants judge all that is unnoticed. What is settled it is told that it caught before.
///
/// # Errors
/// When cargo-mutants fails, or the tests do although nothing is changed.
pub fn judge(
    tree: &Tree,
    target: &Path,
    arguments: &[String],
    changes: &[Change],
    outcomes: &mut [Outcome],
    judges: &Judges,
) -> Result<()> {
    if !outcomes.contains(&Outcome::Unnoticed) {
        return Ok(());
    }
    let told = target.join("mutants.out");
    settle(&told, changes, outcomes)?;
    let status = Command::new("cargo")
        .args(["mutants", "--iterate", "--package", "natlaw-model", "--no-shuffle"])
        .args(["--profile", "mutants", "--cargo-test-arg=--tests", "--colors=never"])
        // The copy lies where git looks away.
        .arg("--gitignore=false")
        .args(["--test-package", judges.packages, "--minimum-test-timeout", judges.seconds])
        .arg("--output")
        .arg(target)
        .args(arguments)
        .env("PROPTEST_MAX_SHRINK_ITERS", "0")
        .current_dir(tree.root())
        .status()?;
    // 0 stands for all caught, 2 for some missed, 3 for some that did not end.
    ensure!(matches!(status.code(), Some(0 | 2 | 3)), "cargo mutants: {status}");
    for (file, outcome) in [
        ("caught.txt", Outcome::Caught),
        ("timeout.txt", Outcome::RunsForEver),
        ("unviable.txt", Outcome::NotCompiling),
    ] {
        let names = fs::read_to_string(told.join(file)).context(file)?;
        let came_to_it = changes.iter().zip(&mut *outcomes);
        came_to_it
            .filter(|(change, _)| names.lines().any(|name| name == change.name))
            .for_each(|(_, now)| *now = outcome);
    }
    Ok(())
}

/// Writes the names of all changes but the unnoticed where cargo-mutants looks for them.
fn settle(told: &Path, changes: &[Change], outcomes: &[Outcome]) -> Result<()> {
    if told.exists() {
        fs::remove_dir_all(told)?;
    }
    fs::create_dir_all(told)?;
    let settled = changes.iter().zip(outcomes);
    let settled = settled.filter(|(_, outcome)| **outcome != Outcome::Unnoticed);
    let names: String = settled.map(|(change, _)| format!("{}\n", change.name)).collect();
    fs::write(told.join("previously_caught.txt"), names).context("previously_caught.txt")
}
