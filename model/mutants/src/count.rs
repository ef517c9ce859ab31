//! Says what came of all changes.

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::list::Change;

/// What came of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A test fails that passes without it.
    Caught,
    /// A test does not end in many times its time.
    RunsForEver,
    /// It is no program.
    NotCompiling,
    /// Every test passes that was tried.
    Unnoticed,
}

/// How many changes came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Fail a test.
    pub caught: usize,
    /// Make a test run for ever.
    pub run_for_ever: usize,
    /// Do not compile.
    pub not_compiling: usize,
    /// Are noticed by no test.
    pub unnoticed: usize,
}

impl Count {
    /// Of these outcomes.
    pub fn new(outcomes: &[Outcome]) -> Self {
        let mut count = Self::default();
        for outcome in outcomes {
            *match outcome {
                Outcome::Caught => &mut count.caught,
                Outcome::RunsForEver => &mut count.run_for_ever,
                Outcome::NotCompiling => &mut count.not_compiling,
                Outcome::Unnoticed => &mut count.unnoticed,
            } += 1;
        }
        count
    }
}

impl fmt::Display for Count {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { caught, run_for_ever, not_compiling, unnoticed } = self;
        let all = caught + run_for_ever + not_compiling + unnoticed;
        write!(
            out,
            "{all} changes of the model: {not_compiling} do not compile, {caught} fail a test, \
             {run_for_ever} make a test run for ever, {unnoticed} are noticed by no test"
        )
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Caught => "caught",
            Self::RunsForEver => "runs for ever",
            Self::NotCompiling => "does not compile",
            Self::Unnoticed => "unnoticed",
        })
    }
}

/// Writes what came of each change to `outcomes.txt` in this folder.
///
/// # Errors
/// When it cannot be written.
pub fn write(folder: &Path, changes: &[Change], outcomes: &[Outcome]) -> Result<()> {
    let lines = changes.iter().zip(outcomes);
    let lines = lines.map(|(change, outcome)| format!("{outcome}: {}\n", change.name));
    fs::write(folder.join("outcomes.txt"), lines.collect::<String>()).context("outcomes.txt")
}

/// Puts the count into README, with the commit that it is of.
///
/// # Errors
/// When README has no place for it.
pub fn publish(workspace: &Path, commit: &str, count: &Count) -> Result<()> {
    let path = workspace.join("README.md");
    let readme = fs::read_to_string(&path)?;
    let line = format!("Commit {commit}: {count}.");
    Ok(fs::write(path, with_line(&readme, &line).context("README.md has no place for it")?)?)
}

/// The text with this line in its place.
pub fn with_line(readme: &str, line: &str) -> Option<String> {
    const BEGIN: &str = "<!-- mutants: begin (written by `just mutants`) -->\n";
    const END: &str = "\n<!-- mutants: end -->";
    let (before, rest) = readme.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}{line}{END}{after}"))
}

/// The commit, its day, and whether the model or what judges it was changed since.
///
/// # Errors
/// When git does not know it.
pub fn commit(workspace: &Path) -> Result<String> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).current_dir(workspace).output()?;
        anyhow::ensure!(output.status.success(), "git {arguments:?}");
        anyhow::Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    };
    let commit = git(&["show", "--no-patch", "--format=%h of %cs"])?;
    let judged = ["status", "--porcelain", "--", "model", "properties", "snapshots"];
    Ok(if git(&judged)?.is_empty() { commit } else { commit + " and what was changed since" })
}
