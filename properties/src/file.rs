//! Scenario files: what is asked, as TOML that a person writes and reads.
//!
//! ```toml
//! kind = "nat"
//! name = "one_port_too_few"
//! story = "A member with two ports opens three connections to one destination."
//!
//! [subject]
//! virtual_ips = ["203.0.113.1"]
//! pool = "10.0.0.1"
//! ports = { on-demand = "1024-1025" }
//!
//! [[events]]
//! outbound = "tcp 10.0.0.1:40000..40002 > 198.51.100.1:443 open"
//! ```
//!
//! A range such as `40000..40002` in an event stands for one event for each number; several ranges
//! in one event count upwards together.

#[cfg(feature = "schema")]
mod schema;

use std::fmt;
use std::ops::Range;

use natlaw_model::subject::{Scenario, Subject};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::judged::Judged;
use crate::law::Verdict;
use crate::planner::file::DemandRule;

#[cfg(feature = "schema")]
pub use schema::schema;

/// The most events that one file may ask for, ranges counted.
pub const EVENTS_MAX: usize = 10_000_000;

/// A scenario with its name, its story, and what it is expected to show.
#[derive(Debug, Clone, PartialEq)]
pub struct ScenarioFile<S: Subject> {
    /// The fact that it shows, as a name.
    pub name: String,
    /// The story, in two sentences.
    pub story: String,
    /// The device that plays it.
    pub device: String,
    /// The laws that it breaks, each first at this step (from 1). It passes when exactly those
    /// break.
    pub breaks: Vec<Break>,
    /// What is asked.
    pub scenario: Scenario<S>,
}

/// A law that a scenario breaks, and the first step (from 1) that does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Break {
    /// The law's name.
    pub law: String,
    /// The step, from 1.
    pub step: usize,
}

/// Why a text is no scenario file: where, and which rule it breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileError {
    /// The line (from 1) and column (from 1), where known.
    pub at: Option<(usize, usize)>,
    /// Which rule.
    pub rule: FileRule,
}

/// The rules of a scenario file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileRule {
    /// The text is not UTF-8, from this byte on.
    Utf8(usize),
    /// A field is missing, unknown or of the wrong kind, or its value breaks a rule of its own.
    Value(String),
    /// The subject's kind is another one, or unknown.
    Kind(String),
    /// The device is unknown.
    Device(String),
    /// The law is unknown.
    Law(String),
    /// Ranges of one event are of different lengths, or count downwards.
    Ranges(String),
    /// More events than a file may ask for.
    TooManyEvents(usize),
    /// A field of a demand file breaks a rule.
    Demand(String, Box<DemandRule>),
}

/// A file as it stands; what is said to be an event is read apart.
#[derive(Deserialize)]
#[serde(bound(deserialize = ""), deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(bound = "S: Judged + schemars::JsonSchema, S::Event: schemars::JsonSchema"),
    schemars(title = "A scenario of natlaw", description = schema::description())
)]
struct Raw<S: Subject> {
    /// What kind of thing is asked.
    #[allow(dead_code)]
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::kind::<S>"))]
    kind: Spanned<String>,
    /// The fact that the scenario shows, as a name (default: the file's name).
    #[serde(default)]
    name: String,
    /// The story, in two sentences.
    #[serde(default)]
    story: String,
    /// The device that plays it. `natlaw devices` says what each is.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::device::<S>"))]
    #[cfg_attr(feature = "schema", schemars(extend("default" = S::device_names().first())))]
    device: Option<Spanned<String>>,
    /// The laws that the scenario breaks, each first at this step. It passes when exactly those
    /// break; without the line, when none does. `natlaw laws` says what each claims.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::breaks::<S>"))]
    breaks: Vec<Spanned<Break>>,
    /// The configuration at the start.
    subject: S,
    /// What happens, in order. A range such as `40000..40004` in an event stands for one event for
    /// each number; ranges of one event count upwards together and are equally long.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::events::<S>"))]
    events: Vec<Spanned<toml::Value>>,
}

/// The one field that is the configuration.
#[derive(Deserialize)]
#[serde(bound(deserialize = ""))]
struct SubjectField<S: Subject> {
    subject: S,
}

/// The one field that says which subject a file is about.
#[derive(Deserialize)]
struct KindField {
    kind: Spanned<String>,
}

/// The kind of subject that a file says it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    /// What stands after `kind =`.
    pub name: String,
    at: (usize, usize),
}

impl Kind {
    /// What to say of a kind that nobody knows.
    pub fn unknown(self) -> FileError {
        FileError { at: Some(self.at), rule: FileRule::Kind(self.name) }
    }
}

/// The kind of subject that a file says it is about.
///
/// # Errors
/// When the text is no TOML, or says no kind.
pub fn kind_of(text: &str) -> Result<Kind, FileError> {
    let field: KindField = toml::from_str(text).map_err(|error| value_error(text, &error))?;
    let at = position(text, field.kind.span().start);
    Ok(Kind { name: field.kind.into_inner(), at })
}

/// The text of a file.
///
/// # Errors
/// When the bytes are not UTF-8.
pub fn text_of(bytes: &[u8]) -> Result<&str, FileError> {
    std::str::from_utf8(bytes).map_err(|error| {
        let line = 1 + bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
        FileError { at: Some((line, 1)), rule: FileRule::Utf8(error.valid_up_to()) }
    })
}

/// The configuration of a scenario file alone, whatever is asked of it.
///
/// # Errors
/// When the text is no TOML, or the configuration breaks a rule; the error says where and which.
pub fn subject_of<S: Subject>(text: &str) -> Result<S, FileError> {
    let field: SubjectField<S> = toml::from_str(text).map_err(|error| value_error(text, &error))?;
    Ok(field.subject)
}

impl<S: Judged> ScenarioFile<S> {
    /// The scenario of a file.
    ///
    /// # Errors
    /// When the text breaks a rule of scenario files; the error says where and which.
    pub fn parse(text: &str) -> Result<Self, FileError> {
        let raw: Raw<S> = toml::from_str(text).map_err(|error| value_error(text, &error))?;
        let device = device_of::<S>(text, raw.device.as_ref())?;
        let known = |law: &str| S::LAWS.iter().any(|known| known.name == law);
        if let Some(unknown) = raw.breaks.iter().find(|broken| !known(&broken.get_ref().law)) {
            let law = unknown.get_ref().law.clone();
            return Err(error_at(text, unknown.span(), FileRule::Law(law)));
        }
        let mut events = Vec::new();
        for event in raw.events {
            read_event(text, event, &mut events)?;
        }
        Ok(Self {
            name: raw.name,
            story: raw.story,
            device,
            breaks: raw.breaks.into_iter().map(Spanned::into_inner).collect(),
            scenario: Scenario { subject: raw.subject, events },
        })
    }

    /// The file of this scenario. [`Self::parse`] gives the same scenario back.
    ///
    /// # Panics
    /// Never: a scenario is plain data.
    pub fn to_toml(&self) -> String {
        toml::to_string(&Written::of(self)).expect("a scenario is plain data")
    }

    /// Whether exactly the laws that the file names are broken, each first where it says.
    pub fn is_as_expected(&self, verdicts: &[Verdict]) -> bool {
        let expected = |verdict: &Verdict| {
            self.breaks.iter().find(|broken| broken.law == verdict.law).map(|broken| broken.step)
        };
        verdicts.iter().all(|verdict| verdict.broken_at == expected(verdict))
    }
}

/// A file as it is written.
#[derive(Serialize)]
#[serde(bound(serialize = ""))]
struct Written<'a, S: Subject> {
    kind: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    story: &'a str,
    device: &'a str,
    #[serde(skip_serializing_if = "<[Break]>::is_empty")]
    breaks: &'a [Break],
    subject: &'a S,
    events: &'a [S::Event],
}

impl<'a, S: Subject> Written<'a, S> {
    fn of(file: &'a ScenarioFile<S>) -> Self {
        Self {
            kind: S::KIND,
            name: &file.name,
            story: &file.story,
            device: &file.device,
            breaks: &file.breaks,
            subject: &file.scenario.subject,
            events: &file.scenario.events,
        }
    }
}

fn device_of<S: Judged>(text: &str, device: Option<&Spanned<String>>) -> Result<String, FileError> {
    let known = S::device_names();
    match device {
        None => Ok(known.first().copied().unwrap_or_default().into()),
        Some(device) if known.contains(&device.get_ref().as_str()) => Ok(device.get_ref().clone()),
        Some(device) => {
            let rule = FileRule::Device(device.get_ref().clone());
            Err(error_at(text, device.span(), rule))
        }
    }
}

/// Reads one entry of `events`: one event, or as many as its ranges count.
fn read_event<E: serde::de::DeserializeOwned>(
    text: &str,
    entry: Spanned<toml::Value>,
    events: &mut Vec<E>,
) -> Result<(), FileError> {
    let span = entry.span();
    let entry = entry.into_inner();
    let count = count_of(&entry).map_err(|rule| error_at(text, span.clone(), rule))?;
    let asked = events.len().saturating_add(count);
    if asked > EVENTS_MAX {
        return Err(error_at(text, span, FileRule::TooManyEvents(asked)));
    }
    for index in 0..count {
        let event = E::deserialize(nth(&entry, index as u64)).map_err(|error| {
            error_at(text, span.clone(), FileRule::Value(error.message().into()))
        })?;
        events.push(event);
    }
    Ok(())
}

/// How many events an entry stands for: the length that all its ranges share.
fn count_of(entry: &toml::Value) -> Result<usize, FileRule> {
    let mut counts = Vec::new();
    for range in texts(entry).into_iter().flat_map(ranges) {
        let written = || FileRule::Ranges(format!("{}..{}", range.from, range.to));
        let count = range.to.checked_sub(range.from).and_then(|steps| steps.checked_add(1));
        counts.push((usize::try_from(count.ok_or_else(written)?).unwrap_or(usize::MAX), written()));
    }
    let count = counts.first().map_or(1, |(count, _)| *count);
    match counts.into_iter().find(|(other, _)| *other != count) {
        Some((_, rule)) => Err(rule),
        None => Ok(count),
    }
}

/// The texts of an entry that may hold ranges: those directly in it.
fn texts(entry: &toml::Value) -> Vec<&str> {
    let table = entry.as_table();
    table.into_iter().flat_map(|table| table.values()).filter_map(toml::Value::as_str).collect()
}

/// The entry with each range replaced by its `index`th number (from 0).
fn nth(entry: &toml::Value, index: u64) -> toml::Value {
    let mut entry = entry.clone();
    for value in entry.as_table_mut().into_iter().flat_map(|table| table.iter_mut()) {
        if let (_, toml::Value::String(text)) = value {
            for range in ranges(text).into_iter().rev() {
                text.replace_range(range.at, &(range.from + index).to_string());
            }
        }
    }
    entry
}

/// A range `from..to` and the bytes it stands in.
struct NumberRange {
    at: Range<usize>,
    from: u64,
    to: u64,
}

fn ranges(text: &str) -> Vec<NumberRange> {
    let dots = text.match_indices("..").map(|(at, _)| at);
    let digits = |byte: &u8| byte.is_ascii_digit();
    let range = |dots: usize| {
        let (before, after) = (&text.as_bytes()[..dots], &text.as_bytes()[dots + 2..]);
        let start = dots - before.iter().rev().take_while(|byte| digits(byte)).count();
        let end = dots + 2 + after.iter().take_while(|byte| digits(byte)).count();
        let number = |at: Range<usize>| text[at].parse::<u64>().ok();
        Some(NumberRange { at: start..end, from: number(start..dots)?, to: number(dots + 2..end)? })
    };
    dots.filter_map(range).collect()
}

/// An error of TOML or of a value, put at the field that it names where that can be found.
fn value_error(text: &str, error: &toml::de::Error) -> FileError {
    let message = error.message().to_string();
    let span = error.span();
    let named = message.strip_prefix('`').and_then(|rest| rest.split_once('`'));
    let field = named.and_then(|(field, _)| span_of_field(text, field));
    let at = field.or(span).map(|span| position(text, span.start));
    FileError { at, rule: FileRule::Value(message) }
}

/// Where a field of the subject stands; of one that is told by its place, such as
/// `pools.web.members`, where the innermost part stands that is there.
fn span_of_field(text: &str, field: &str) -> Option<Range<usize>> {
    let document = toml::de::DeTable::parse(text).ok()?;
    let mut table = document.get_ref().get("subject")?.get_ref().as_table()?;
    let (mut field, mut span) = (field, None);
    loop {
        let Some((key, value, rest)) = table.iter().find_map(|(key, value)| {
            let rest = field.strip_prefix(&**key.get_ref())?;
            let is_whole = rest.is_empty() || rest.starts_with('.');
            is_whole.then_some((key, value, rest))
        }) else {
            return span;
        };
        span = Some(key.span());
        match (value.get_ref().as_table(), rest.strip_prefix('.')) {
            (Some(inner), Some(rest)) => (table, field) = (inner, rest),
            _ => return span,
        }
    }
}

fn error_at(text: &str, span: Range<usize>, rule: FileRule) -> FileError {
    FileError { at: Some(position(text, span.start)), rule }
}

/// Line and column (both from 1) of a byte.
pub(crate) fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (1 + before.matches('\n').count(), 1 + before[line_start..].chars().count())
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((line, column)) = self.at {
            write!(f, "line {line}, column {column}: ")?;
        }
        self.rule.fmt(f)
    }
}

impl fmt::Display for FileRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Utf8(byte) => write!(f, "byte {byte} is not UTF-8: a scenario file is text"),
            Self::Value(message) => f.write_str(message.trim_end()),
            Self::Kind(kind) => {
                write!(f, "`kind` = \"{kind}\": no such subject; known: nat, routing")
            }
            Self::Device(device) => {
                write!(f, "`device` = \"{device}\": no such device; `natlaw devices` lists them")
            }
            Self::Law(law) => {
                write!(f, "`breaks`: no law is called \"{law}\"; `natlaw laws` lists them")
            }
            Self::Ranges(range) => write!(
                f,
                "range {range}: ranges count upwards, and those of one event are equally long"
            ),
            Self::Demand(field, rule) => write!(f, "`{field}`: {rule}"),
            Self::TooManyEvents(events) => {
                write!(f, "{events} events are more than a file may ask for ({EVENTS_MAX})")
            }
        }
    }
}

impl std::error::Error for FileError {}
