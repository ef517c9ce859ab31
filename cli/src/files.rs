//! Scenario files, from a path or bundled.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::Path;

use natlaw_model::nat::Nat;
use natlaw_model::subject::Subject;
use natlaw_properties::file::{FileError, FileRule, ScenarioFile, kind_of, text_of};
use natlaw_snapshots::{INCIDENTS, Played};

/// Why a file cannot be played.
#[derive(Debug)]
pub(crate) enum InputError {
    /// It cannot be read.
    Unreadable { name: String, error: io::Error },
    /// It breaks a rule of scenario files.
    Broken { name: String, error: FileError },
    /// It asks for nothing.
    Empty { name: String },
}

/// The scenario of a file, with the file's name where it has none of its own.
pub(crate) fn read(path: &Path) -> Result<ScenarioFile<Nat>, InputError> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path)
        .map_err(|error| InputError::Unreadable { name: name.clone(), error })?;
    let mut file = scenario(&bytes, &name)?;
    if file.name.is_empty() {
        file.name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    }
    Ok(file)
}

/// The scenario in these bytes; `name` is what errors call them.
pub(crate) fn scenario(bytes: &[u8], name: &str) -> Result<ScenarioFile<Nat>, InputError> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(InputError::Empty { name: name.to_owned() });
    }
    let broken = |error| InputError::Broken { name: name.to_owned(), error };
    parse(text_of(bytes).map_err(broken)?).map_err(broken)
}

/// The bundled incidents, in the order of their names.
pub(crate) fn incidents() -> Result<Vec<ScenarioFile<Nat>>, InputError> {
    let read = |text: &&str| {
        parse(text).map_err(|error| InputError::Broken { name: "a bundled incident".into(), error })
    };
    INCIDENTS.iter().map(read).collect()
}

/// Plays a scenario on the device it names, which reading has found to exist.
pub(crate) fn play(file: ScenarioFile<Nat>) -> Result<Played<Nat>, InputError> {
    let (name, device) = (file.name.clone(), file.device.clone());
    let rule = FileRule::Device(device);
    Played::new(file).ok_or(InputError::Broken { name, error: FileError { at: None, rule } })
}

/// A scenario file of any subject; so far there is one.
fn parse(text: &str) -> Result<ScenarioFile<Nat>, FileError> {
    let kind = kind_of(text)?;
    match kind.name.as_str() {
        Nat::KIND => ScenarioFile::parse(text),
        _ => Err(kind.unknown()),
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { name, error } => write!(f, "{name}: {error}"),
            Self::Broken { name, error } => write!(f, "{name}: {error}"),
            Self::Empty { name } => write!(
                f,
                "{name}: the file is empty; a scenario file says at least `kind`, `[subject]` and \
                 `[[events]]`"
            ),
        }
    }
}

impl Error for InputError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_every_number_is_too_many_events() {
        let one = "[[events]]\nelapse = \"1ms\"\n";
        let all = "[[events]]\nelapse = \"0..18446744073709551614ms\"\n";
        let subject = "virtual_ips = [\"203.0.113.1\"]\npool = \"10.0.0.1\"\n\
                       ports = { on-demand = \"1024-1025\" }\n";
        let text = format!("kind = \"nat\"\n[subject]\n{subject}{one}{all}");
        let error = scenario(text.as_bytes(), "all.toml").expect_err("too many");
        let expected = "all.toml: line 8, column 1: 18446744073709551615 events are more than a \
                        file may ask for (10000000)";
        assert_eq!(error.to_string(), expected);
    }
}
