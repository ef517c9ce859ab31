//! Programs of the machine that devices are made of.

use std::env;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use itertools::Itertools;

use crate::real::Error;

/// Where programs for administrators are, which the search path of others may leave out.
const ADMINISTRATION: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// A program by its name.
///
/// # Errors
/// [`Error::Unavailable`] where it is not installed.
pub(crate) fn find(name: &'static str) -> Result<PathBuf, Error> {
    let path = env::var_os("PATH").unwrap_or_default();
    let everywhere = env::split_paths(&path).chain(ADMINISTRATION.map(PathBuf::from));
    let mut candidates = everywhere.map(|directory| directory.join(name));
    let found = candidates.find(|candidate| candidate.is_file());
    found.ok_or(Error::Unavailable { what: name, why: "it is not installed".into() })
}

/// Runs a program with this input, and answers what it printed.
///
/// # Errors
/// [`Error::Unavailable`] where it cannot be run, [`Error::Failed`] where it says that it failed.
pub(crate) fn run(name: &'static str, arguments: &[&str], input: &str) -> Result<String, Error> {
    let broken = |why: io::Error| Error::Unavailable { what: name, why: why.to_string() };
    let mut child = Command::new(find(name)?)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(broken)?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that fails early reads no further; its status tells why
        stdin.write_all(input.as_bytes()).ok();
    }
    let done = child.wait_with_output().map_err(broken)?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    let why = String::from_utf8_lossy(&done.stderr).lines().take(3).join("; ");
    Err(Error::Failed { what: name, why })
}

/// What a program says of its version, or that it does not say.
pub(crate) fn version(name: &'static str, argument: &str) -> String {
    let said = run(name, &[argument], "").unwrap_or_default();
    said.lines().next().map_or_else(|| "unknown".into(), |line| line.trim().to_owned())
}
