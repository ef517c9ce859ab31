//! Recorded runs as JSON lines: who answered, then case by case what was asked and answered.
//!
//! ```text
//! {"recorded":{"device":"linux","versions":{"Linux":"6.18.44"}}}
//! {"case":{"name":"dense 1","subject":{...}}}
//! {"step":{"event":{"outbound":"udp ..."},"outcome":{"forwarded":"udp ..."},"taken":3}}
//! ```

use std::collections::BTreeMap;
use std::fmt;

use itertools::Itertools as _;
use natlaw_model::nat::{Event, Nat, Outcome};
use natlaw_model::subject::Step;
use serde::{Deserialize, Serialize};

use crate::play::Recording;
use crate::real::RealNat;

/// Everything that one device was asked and answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Transcript {
    /// Who answered.
    pub recorded: Recorded,
    /// What was asked and answered, in the order of the recording.
    pub cases: Vec<Case>,
}

/// Who answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// The device.
    pub device: String,
    /// The kernel and the programs that it is made of, each with its version.
    pub versions: BTreeMap<String, String>,
}

/// A run from nothing live on.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// What it is called.
    pub name: String,
    /// What it is for; nothing of a random walk.
    pub story: String,
    /// What was asked and answered.
    pub recording: Recording,
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    Recorded(Recorded),
    Case(Box<Head>),
    Step(Box<Asked>),
}

/// How a case begins.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    story: String,
    subject: Nat,
}

/// One step of a case.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    event: Event,
    outcome: Outcome,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    taken: Option<u64>,
}

/// Why a text is no transcript.
#[derive(Debug)]
pub enum TranscriptError {
    /// A line cannot be read.
    Line {
        /// Its number, from 1.
        number: usize,
        /// What is wrong with it.
        why: serde_json::Error,
    },
    /// The first line does not say who answered.
    NobodyAnswered,
    /// A second line says who answered.
    Twice(usize),
    /// A step stands before any case.
    NoCase(usize),
}

impl Recorded {
    /// This device, in the versions that it has here.
    pub fn by(device: &dyn RealNat) -> Self {
        let versions = device.versions().into_iter();
        let versions = versions.map(|(what, version)| (what.to_string(), version)).collect();
        Self { device: device.name().into(), versions }
    }
}

/// The device of its kernel and its programs.
impl fmt::Display for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let versions = self.versions.iter().map(|(what, version)| format!("{what} {version}"));
        write!(f, "{} of {}", self.device, versions.format(", "))
    }
}

impl Transcript {
    /// Reads a file.
    ///
    /// # Errors
    /// The first line that cannot be read, or stands where it may not.
    pub fn parse(text: &str) -> Result<Self, TranscriptError> {
        let mut transcript: Option<Self> = None;
        for (number, line) in (1..).zip(text.lines()) {
            let read = serde_json::from_str(line);
            let line = read.map_err(|why| TranscriptError::Line { number, why })?;
            match (&mut transcript, line) {
                (None, Line::Recorded(recorded)) => {
                    transcript = Some(Self { recorded, cases: Vec::new() });
                }
                (None, Line::Case(_) | Line::Step(_)) => {
                    return Err(TranscriptError::NobodyAnswered);
                }
                (Some(_), Line::Recorded(_)) => return Err(TranscriptError::Twice(number)),
                (Some(transcript), Line::Case(head)) => {
                    let Head { name, story, subject } = *head;
                    let recording = Recording::new(subject);
                    transcript.cases.push(Case { name, story, recording });
                }
                (Some(transcript), Line::Step(asked)) => {
                    let case = transcript.cases.last_mut();
                    case.ok_or(TranscriptError::NoCase(number))?.enter(*asked);
                }
            }
        }
        transcript.ok_or(TranscriptError::NobodyAnswered)
    }

    /// Steps of all its cases.
    pub fn steps(&self) -> usize {
        self.cases.iter().map(|case| case.recording.trace.steps.len()).sum()
    }

    fn lines(&self) -> impl Iterator<Item = Line> {
        let head = Line::Recorded(self.recorded.clone());
        std::iter::once(head).chain(self.cases.iter().flat_map(Case::lines))
    }
}

impl Case {
    fn enter(&mut self, Asked { event, outcome, taken }: Asked) {
        self.recording.trace.steps.push(Step { event, outcome });
        self.recording.taken.push(taken);
    }

    fn lines(&self) -> impl Iterator<Item = Line> {
        let subject = self.recording.trace.subject.clone();
        let (name, story) = (self.name.clone(), self.story.clone());
        let head = Line::Case(Box::new(Head { name, story, subject }));
        let steps = self.recording.trace.steps.iter().zip(&self.recording.taken);
        let step = |(Step { event, outcome }, taken): (&Step<Nat>, &Option<u64>)| {
            let (event, outcome) = (event.clone(), outcome.clone());
            Line::Step(Box::new(Asked { event, outcome, taken: *taken }))
        };
        std::iter::once(head).chain(steps.map(step))
    }
}

/// As [`Transcript::parse`] reads it.
impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines().try_for_each(|line| {
            writeln!(f, "{}", serde_json::to_string(&line).map_err(|_| fmt::Error)?)
        })
    }
}

impl fmt::Display for TranscriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { number, why } => write!(f, "line {number}: {why}"),
            Self::NobodyAnswered => write!(f, "line 1 does not say who answered: `recorded`"),
            Self::Twice(number) => write!(f, "line {number}: `recorded` stands a second time"),
            Self::NoCase(number) => write!(f, "line {number}: a step before any `case`"),
        }
    }
}

impl std::error::Error for TranscriptError {}
