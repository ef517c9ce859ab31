//! Scenario files, from a path or bundled.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::Path;

use natlaw_model::nat::Nat;
use natlaw_model::routing::RoutingGraph;
use natlaw_model::subject::Subject;
use natlaw_properties::file::{FileError, FileRule, ScenarioFile, kind_of, text_of};
use natlaw_properties::judged::Judged;
use natlaw_snapshots::{INCIDENTS, Played, TOPOLOGIES};

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

/// A scenario file of any subject.
#[derive(Debug)]
pub(crate) enum AnyFile {
    /// A translator, and what it is asked.
    Nat(Box<ScenarioFile<Nat>>),
    /// A topology, and what is asked of it.
    Routing(Box<ScenarioFile<RoutingGraph>>),
}

impl AnyFile {
    /// The fact that it shows, as a name.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Nat(file) => &file.name,
            Self::Routing(file) => &file.name,
        }
    }

    fn set_name(&mut self, name: String) {
        match self {
            Self::Nat(file) => file.name = name,
            Self::Routing(file) => file.name = name,
        }
    }
}

/// The scenario of a file, with the file's name where it has none of its own.
pub(crate) fn read(path: &Path) -> Result<AnyFile, InputError> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path)
        .map_err(|error| InputError::Unreadable { name: name.clone(), error })?;
    let mut file = scenario(&bytes, &name)?;
    if file.name().is_empty() {
        file.set_name(path.file_stem().unwrap_or_default().to_string_lossy().into_owned());
    }
    Ok(file)
}

/// The scenario in these bytes; `name` is what errors call them.
pub(crate) fn scenario(bytes: &[u8], name: &str) -> Result<AnyFile, InputError> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(InputError::Empty { name: name.to_owned() });
    }
    let broken = |error| InputError::Broken { name: name.to_owned(), error };
    parse(text_of(bytes).map_err(broken)?).map_err(broken)
}

/// The bundled incidents, in the order of their names, and the bundled topologies.
pub(crate) fn incidents() -> Result<Vec<AnyFile>, InputError> {
    let read = |text: &&str| {
        parse(text).map_err(|error| InputError::Broken { name: "a bundled incident".into(), error })
    };
    INCIDENTS.iter().chain(TOPOLOGIES).map(read).collect()
}

/// Plays a scenario on the device it names, which reading has found to exist.
pub(crate) fn play<S: Judged>(file: ScenarioFile<S>) -> Result<Played<S>, InputError> {
    let (name, device) = (file.name.clone(), file.device.clone());
    let rule = FileRule::Device(device);
    Played::new(file).ok_or(InputError::Broken { name, error: FileError { at: None, rule } })
}

/// A scenario file of any subject.
fn parse(text: &str) -> Result<AnyFile, FileError> {
    let kind = kind_of(text)?;
    match kind.name.as_str() {
        Nat::KIND => ScenarioFile::parse(text).map(Box::new).map(AnyFile::Nat),
        RoutingGraph::KIND => ScenarioFile::parse(text).map(Box::new).map(AnyFile::Routing),
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
