//! What the RFCs ask of a translator, requirement by requirement, and what answers.
//!
//! A requirement is *held* by laws that a mutant breaks. Where a value of the configuration decides,
//! one of those laws judges the configuration, and where it fails the requirement *deviates*. What
//! the model does not speak of is *outside the model*, with the reason.
//!
//! The laws of a configuration ([`SETTINGS`]) are judged here and nowhere else: the stories' own
//! configurations do not meet the minima of the RFCs, and need not.
//!
//! **Readings taken.** The texts are paraphrases, and those that say so were written from memory:
//! read the RFC before quoting one. A level stands where it is known; MUST stands for MUST NOT too.
//! A permission is held if what it permits keeps the laws. A configuration is judged as it is, though
//! some RFCs speak of the values it has unless told otherwise.

mod examples;
mod requirements;
mod settings;

use std::fmt;

use natlaw_model::nat::Nat;

pub use examples::{carrier_grade, plain};
pub use requirements::DOCUMENTS;
pub use settings::{SETTINGS, Setting};

/// A document and what it asks.
#[derive(Debug)]
pub struct Document {
    /// Its number, such as `RFC 4787`.
    pub name: &'static str,
    /// What it is about.
    pub title: &'static str,
    /// What it asks, in its own order.
    pub requirements: &'static [Requirement],
}

/// One thing that a document asks.
#[derive(Debug)]
pub struct Requirement {
    /// How the document calls it, or the section that asks for it.
    pub id: &'static str,
    /// How strongly it is asked.
    pub level: Level,
    /// What is asked, in our words.
    pub text: &'static str,
    /// Whether the text was written from memory.
    pub remembered: bool,
    /// What answers.
    pub answer: Answer,
}

/// How strongly something is asked (RFC 2119), the negated forms included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// MUST, MUST NOT.
    Must,
    /// SHOULD, SHOULD NOT.
    Should,
    /// RECOMMENDED.
    Recommended,
    /// MAY.
    May,
    /// The document does not use the words of RFC 2119, or which one it uses is not known here.
    Unstated,
}

/// What answers a requirement.
#[derive(Debug)]
pub enum Answer {
    /// These laws, by name: of a translator's answers, of values, and of its configuration.
    Laws(&'static [&'static str]),
    /// Nothing, and why.
    OutsideTheModel(&'static str),
}

/// A requirement, held against one configuration.
#[derive(Debug)]
pub struct Finding {
    /// Who asks.
    pub document: &'static Document,
    /// What is asked.
    pub requirement: &'static Requirement,
    /// What became of it.
    pub verdict: Verdict,
}

/// What became of a requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Its laws hold it; where the configuration decides, these are its values.
    Held(Vec<Comparison>),
    /// The configuration does not meet it: these values fall short.
    Deviates(Vec<Comparison>),
    /// The model does not speak of it.
    OutsideTheModel,
}

/// A value of the configuration against the one that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The law that compares them.
    pub law: &'static str,
    /// What the configuration says.
    pub actual: String,
    /// What is asked for.
    pub expected: &'static str,
}

/// How many requirements there are of each verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// Held by laws.
    pub held: usize,
    /// Not met by the configuration.
    pub deviating: usize,
    /// Outside the model.
    pub outside: usize,
}

/// Every requirement, held against this configuration, in the order of the documents.
pub fn judge(nat: &Nat) -> Vec<Finding> {
    let of = |document: &'static Document| {
        let finding = move |requirement: &'static Requirement| Finding {
            document,
            requirement,
            verdict: requirement.verdict(nat),
        };
        document.requirements.iter().map(finding)
    };
    DOCUMENTS.iter().flat_map(of).collect()
}

/// How many of these are held, deviate, and are outside the model.
pub fn count(findings: &[Finding]) -> Count {
    let mut count = Count::default();
    for finding in findings {
        match finding.verdict {
            Verdict::Held(_) => count.held += 1,
            Verdict::Deviates(_) => count.deviating += 1,
            Verdict::OutsideTheModel => count.outside += 1,
        }
    }
    count
}

impl Requirement {
    /// The laws that answer it.
    pub const fn laws(&self) -> &'static [&'static str] {
        match self.answer {
            Answer::Laws(laws) => laws,
            Answer::OutsideTheModel(_) => &[],
        }
    }

    /// What becomes of it under this configuration.
    pub fn verdict(&self, nat: &Nat) -> Verdict {
        let Answer::Laws(laws) = self.answer else { return Verdict::OutsideTheModel };
        let settings = SETTINGS.iter().filter(|setting| laws.contains(&setting.law.name));
        let (met, missed): (Vec<_>, Vec<_>) = settings.partition(|s| (s.law.holds)(nat));
        let compared = |settings: Vec<&Setting>| {
            settings.into_iter().map(|setting| setting.compared(nat)).collect()
        };
        match missed.is_empty() {
            true => Verdict::Held(compared(met)),
            false => Verdict::Deviates(compared(missed)),
        }
    }
}

impl Setting {
    fn compared(&self, nat: &Nat) -> Comparison {
        let Self { law, actual, expected } = self;
        Comparison { law: law.name, actual: actual(nat), expected }
    }
}

impl Verdict {
    /// The verdict in a word.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Held(_) => "held",
            Self::Deviates(_) => "deviates",
            Self::OutsideTheModel => "outside",
        }
    }

    /// The values that were compared.
    pub fn comparisons(&self) -> &[Comparison] {
        match self {
            Self::Held(compared) | Self::Deviates(compared) => compared,
            Self::OutsideTheModel => &[],
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
            Self::Recommended => "RECOMMENDED",
            Self::May => "MAY",
            Self::Unstated => "",
        })
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { actual, expected, .. } = self;
        match actual == expected {
            true => write!(f, "{actual}"),
            false => write!(f, "{actual} against {expected}"),
        }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { held, deviating, outside } = self;
        let all = held + deviating + outside;
        let deviate = if *deviating == 1 { "deviates" } else { "deviate" };
        write!(
            f,
            "{all} requirements: {held} held, {deviating} {deviate}, {outside} outside the model"
        )
    }
}
