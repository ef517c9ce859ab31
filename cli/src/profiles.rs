//! `natlaw profiles`: providers' published rules, constant by constant.

use std::error::Error;
use std::fmt;

use natlaw_model::profile::{Constant, Dated, Document, Profile, Reading};
use natlaw_properties::report::{drawn, table};
use natlaw_snapshots::profiles::page;
use serde_json::{Value, json};

use crate::{JSON_VERSION, Report};

/// Print providers' published rules: every constant with its value, its unit and its document; and
/// the readings of what documents answer differently.
///
/// A profile is a model of documents of some date, and says nothing of what a provider does today.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// The profile; without it, all of them in a line each.
    name: Option<String>,
    /// Take this reading, in place of the one that is taken unless told otherwise. May be repeated.
    #[arg(long = "read-as", value_name = "READING", requires = "name")]
    read_as: Vec<String>,
}

/// There is no profile of that name.
#[derive(Debug)]
struct Unknown {
    name: String,
}

/// Lists the profiles, or prints one.
pub(crate) fn run(args: &Args) -> Result<Report, Box<dyn Error>> {
    match &args.name {
        Some(name) => Ok(shown(&profile(name, &args.read_as)?)),
        None => Ok(list()),
    }
}

/// The profile of this name with these readings taken.
pub(crate) fn profile(name: &str, readings: &[String]) -> Result<Profile, Box<dyn Error>> {
    let profile = Profile::named(name).ok_or_else(|| Unknown { name: name.into() })?;
    Ok(readings.iter().try_fold(profile, |profile, reading| profile.read_as(reading))?)
}

fn list() -> Report {
    let mut profiles = table(["profile", "a model of documents about"]);
    for profile in Profile::all() {
        profiles.add_row([profile.name, profile.what]);
    }
    let text = format!("{}\n\nnatlaw profiles NAME\n", drawn(&profiles));
    let one = |profile: Profile| json!({ "name": profile.name, "what": profile.what });
    let profiles: Vec<Value> = Profile::all().map(one).collect();
    let json = json!({ "version": JSON_VERSION, "profiles": profiles });
    Report { text, json, as_expected: true }
}

fn shown(profile: &Profile) -> Report {
    let constants = profile.constants();
    let readings = profile.readings().iter();
    let json = json!({
        "version": JSON_VERSION,
        "name": profile.name,
        "what": profile.what,
        "constants": constants.iter().map(constant_as_json).collect::<Vec<_>>(),
        "readings": readings.map(|reading| reading_as_json(profile, reading)).collect::<Vec<_>>(),
        "outside": profile.outside.iter().map(outside_as_json).collect::<Vec<_>>(),
    });
    Report { text: format!("{}\n", page(profile)), json, as_expected: true }
}

fn constant_as_json(constant: &Constant) -> Value {
    json!({
        "name": constant.name,
        "value": constant.value,
        "document": document_as_json(constant.document),
    })
}

fn reading_as_json(profile: &Profile, reading: &Reading) -> Value {
    json!({
        "name": reading.name,
        "question": reading.question,
        "says": reading.says,
        "taken": profile.takes(reading),
        "document": document_as_json(reading.document),
    })
}

fn outside_as_json(said: &Dated<&'static str>) -> Value {
    json!({ "says": said.value, "document": document_as_json(said.document) })
}

fn document_as_json(document: &Document) -> Value {
    json!({
        "title": document.title,
        "date": document.date,
        "assumed": document.is_assumed(),
    })
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" is no profile; `natlaw profiles` lists them", self.name)
    }
}

impl Error for Unknown {}
