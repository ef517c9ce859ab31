//! Runs the tests of the model: each by itself, to see which changes it reaches, and then for each
//! change those that reach it.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use wait_timeout::ChildExt;

use crate::count::Outcome;

/// What a change does that cannot end is ended by this.
const KIBIBYTES_MAX: u32 = 6 << 20;

/// The built tests of the model, with a switch for each change.
pub struct Suite {
    executable: PathBuf,
    folder: PathBuf,
    tests: Vec<Test>,
}

/// A test.
struct Test {
    name: String,
    takes: Duration,
    reached: Vec<usize>,
}

impl Suite {
    /// Runs every test without a change, from this folder.
    ///
    /// # Errors
    /// When one fails, or cannot be run.
    pub fn new(executable: PathBuf, folder: PathBuf) -> Result<Self> {
        let mut suite = Self { executable, folder, tests: vec![] };
        let names = suite.names()?;
        let tests = in_parallel("tests", names.len(), |index| suite.measured(&names[index]));
        suite.tests = tests.into_iter().collect::<Result<_>>()?;
        suite.tests.sort_by_key(|test| test.takes);
        Ok(suite)
    }

    /// What comes of each of these changes.
    ///
    /// # Errors
    /// When a test cannot be run.
    pub fn judge(&self, changes: &BTreeSet<usize>) -> Result<Vec<(usize, Outcome)>> {
        let changes: Vec<usize> = changes.iter().copied().collect();
        let judged = in_parallel("changes", changes.len(), |index| {
            Ok((changes[index], self.verdict(changes[index])?))
        });
        judged.into_iter().collect()
    }

    fn names(&self) -> Result<Vec<String>> {
        let listed =
            Command::new(&self.executable).args(["--list", "--format", "terse"]).output()?;
        let lines = String::from_utf8(listed.stdout)?;
        Ok(lines.lines().filter_map(|line| line.strip_suffix(": test")).map(String::from).collect())
    }

    /// A test by itself: what else is running is not taken for what it reaches.
    fn measured(&self, name: &str) -> Result<Test> {
        let told = self.executable.with_file_name(format!("reached-{}", name.replace("::", "-")));
        let start = Instant::now();
        let status = self.command(&[name]).env("MUTANTS_REACHED", &told).status()?;
        ensure!(status.success(), "{name} fails although nothing is changed");
        let takes = start.elapsed();
        let reached = fs::read_to_string(&told).unwrap_or_default();
        let reached: Result<_, _> = reached.lines().map(str::parse).collect();
        Ok(Test { name: name.into(), takes, reached: reached.context("what a test reached")? })
    }

    fn verdict(&self, change: usize) -> Result<Outcome> {
        let mut reaching: &[&Test] =
            &self.tests.iter().filter(|test| test.reached.contains(&change)).collect::<Vec<_>>();
        let mut budget = Duration::from_millis(200);
        while !reaching.is_empty() {
            let (group, rest) = reaching.split_at(within(reaching, budget));
            match self.run(change, group)? {
                Outcome::Unnoticed => (reaching, budget) = (rest, budget * 2),
                noticed => return Ok(noticed),
            }
        }
        Ok(Outcome::Unnoticed)
    }

    fn run(&self, change: usize, tests: &[&Test]) -> Result<Outcome> {
        let names: Vec<&str> = tests.iter().map(|test| test.name.as_str()).collect();
        let takes: Duration = tests.iter().map(|test| test.takes).sum();
        let mut running = self.command(&names).env("MUTANT", change.to_string()).spawn()?;
        match running.wait_timeout(Duration::from_secs(20) + 10 * takes)? {
            Some(status) if status.success() => Ok(Outcome::Unnoticed),
            Some(_) => Ok(Outcome::Caught),
            None => {
                running.kill()?;
                running.wait()?;
                Ok(Outcome::RunsForEver)
            }
        }
    }

    /// The shell bounds the memory where the system lets it; the tests then take its place.
    fn command(&self, tests: &[&str]) -> Command {
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(format!("ulimit -v {KIBIBYTES_MAX} 2>/dev/null; exec \"$0\" \"$@\""))
            .arg(&self.executable)
            .args(["--exact", "--test-threads", "1"])
            .args(tests)
            .current_dir(&self.folder)
            .env("CARGO_MANIFEST_DIR", &self.folder)
            .env("PROPTEST_MAX_SHRINK_ITERS", "0")
            .env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "1")
            .env("RUST_BACKTRACE", "0")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }
}

/// How many of the tests, one at least, run within this time.
fn within(tests: &[&Test], budget: Duration) -> usize {
    let mut sum = Duration::ZERO;
    let fitting = tests.iter().take_while(|test| {
        sum += test.takes;
        sum <= budget
    });
    fitting.count().max(1)
}

/// The values of so many indices, in their order, found by as many threads as there are processors.
fn in_parallel<T: Send>(
    what: &'static str,
    count: usize,
    find: impl Fn(usize) -> T + Sync,
) -> Vec<T> {
    let style = ProgressStyle::with_template("{wide_bar} {pos} of {len} {msg}, {eta} left");
    let progress = ProgressBar::new(count as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(what);
    let next = AtomicUsize::new(0);
    let work = || {
        let indices = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        let found = indices.take_while(|&index| index < count).map(|index| (index, find(index)));
        found.inspect(|_| progress.inc(1)).collect::<Vec<_>>()
    };
    let mut found: Vec<(usize, T)> = thread::scope(|scope| {
        let workers = thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker")).collect()
    });
    progress.finish_and_clear();
    found.sort_by_key(|(index, _)| *index);
    found.into_iter().map(|(_, value)| value).collect()
}
