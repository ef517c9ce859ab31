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
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(InputError::Empty { name });
    }
    let broken = |error| InputError::Broken { name: name.clone(), error };
    let mut file = parse(text_of(&bytes).map_err(broken)?).map_err(broken)?;
    if file.name.is_empty() {
        file.name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    }
    Ok(file)
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
