//! Which laws a real device keeps, and which it breaks: where, and how little it takes.

use natlaw_model::nat::{Event, Nat, Outcome, Reason};
use natlaw_model::subject::Subject as _;
use natlaw_properties::law::{Law, verdicts};
use natlaw_properties::nat::LAWS;
use natlaw_properties::report::{drawn, steps, table};

use crate::devices::Device;
use crate::play::Recording;
use crate::rule::{Follow, fewest_steps};
use crate::transcript::{Case, Transcript};

/// What became of a law in all that a device answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// No recording meets its premise.
    Untested,
    /// It holds, this many times.
    Kept(usize),
    /// It is broken in some of the recordings.
    Broken {
        /// In so many of them.
        cases: usize,
        /// Of so many.
        of: usize,
    },
}

/// A law that is broken in a recording that was made for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Break {
    /// The law.
    pub law: &'static str,
    /// The recording.
    pub case: String,
    /// What it is for.
    pub story: String,
    /// Where a flow was refused: how many of its candidates were taken, and how many there are.
    pub occupied: Option<(usize, usize)>,
    /// The fewest of its steps that the device's rule allows and that break the law.
    pub smallest: Recording,
}

/// What became of a law.
pub fn standing(transcript: &Transcript, law: &Law<Nat>) -> Standing {
    let judged = transcript.cases.iter().map(|case| case.recording.verdict(law));
    let (mut tested, mut cases, mut of) = (0, 0, 0);
    for (times, broken_at) in judged {
        tested += times;
        of += usize::from(times > 0);
        cases += usize::from(broken_at.is_some());
    }
    match (tested, cases) {
        (0, _) => Standing::Untested,
        (_, 0) => Standing::Kept(tested),
        _ => Standing::Broken { cases, of },
    }
}

/// Every break of a law in the recordings that tell a story.
pub fn breaks(transcript: &Transcript, follow: Follow) -> Vec<Break> {
    let told = transcript.cases.iter().filter(|case| !case.story.is_empty());
    told.flat_map(|case| LAWS.iter().filter_map(move |law| broken(case, law, follow))).collect()
}

fn broken(Case { name, story, recording }: &Case, law: &Law<Nat>, follow: Follow) -> Option<Break> {
    let (_, step) = recording.verdict(law);
    let up_to: Vec<usize> = (0..step?).collect();
    let evidence = recording.with_steps(&up_to);
    let smallest =
        fewest_steps(&evidence, |less| less.ends_in_breaking(law) && follow(less).is_ok());
    Some(Break {
        law: law.name,
        case: name.clone(),
        story: story.clone(),
        occupied: evidence.occupied(),
        smallest,
    })
}

impl Recording {
    /// How often a law is put to the test, and the first step (from 1) that breaks it.
    fn verdict(&self, law: &Law<Nat>) -> (usize, Option<usize>) {
        let Law { name, source, harm, holds } = *law;
        let verdict = verdicts(&[Law { name, source, harm, holds }], &self.trace)[0];
        (verdict.tested, verdict.broken_at)
    }

    fn ends_in_breaking(&self, law: &Law<Nat>) -> bool {
        self.verdict(law).1 == Some(self.trace.steps.len())
    }

    /// Of the candidates of the flow that was refused last, how many were taken, and how many there
    /// are.
    pub fn occupied(&self) -> Option<(usize, usize)> {
        let (last, before) = self.trace.steps.split_last()?;
        let (Event::Outbound(segment), Outcome::Dropped(Reason::Refused(_))) =
            (&last.event, &last.outcome)
        else {
            return None;
        };
        let mut ledger = self.trace.subject.ledger();
        before.iter().for_each(|step| Nat::record(&mut ledger, &step.event, &step.outcome));
        let census = ledger.census(segment.tuple);
        Some((census.candidates - census.free, census.candidates))
    }
}

/// A row for each law and a column for each device, and below what each of them breaks.
pub fn report(transcripts: &[Transcript]) -> String {
    let mut drawing = table([]);
    let devices = transcripts.iter().map(|transcript| transcript.recorded.device.clone());
    drawing.set_header(std::iter::once("law".to_string()).chain(devices));
    drawing.column_iter_mut().for_each(|column| {
        column.set_padding((0, 2));
    });
    let mut untested = 0;
    for law in LAWS {
        let standings: Vec<_> = transcripts.iter().map(|it| standing(it, law)).collect();
        if standings.iter().all(|standing| *standing == Standing::Untested) {
            untested += 1;
            continue;
        }
        let cells = standings.iter().map(ToString::to_string);
        drawing.add_row(std::iter::once(law.name.to_string()).chain(cells));
    }
    let told: String = transcripts.iter().map(told).collect();
    format!("{}\n\nnot put to the test: {untested} laws\n{told}", drawn(&drawing))
}

/// What a device breaks, situation by situation.
fn told(transcript: &Transcript) -> String {
    let device = &transcript.recorded.device;
    let follow = Device::named(device).map(Device::follow);
    let breaks = follow.map(|follow| breaks(transcript, follow)).unwrap_or_default();
    breaks.iter().map(|it| format!("\n{device}: {}", it.told())).collect()
}

impl Break {
    fn told(&self) -> String {
        let occupied =
            |it: Option<(usize, usize)>| it.map(|(taken, all)| format!("{taken} of {all}"));
        let seen = occupied(self.occupied).map(|it| format!("; seen with {it} ports taken"));
        let least = occupied(self.smallest.occupied());
        let least = least.map(|it| format!("; allowed from {it} on")).unwrap_or_default();
        format!(
            "{}\n{}\nbreaks {}{}{least}\n\n{}\n",
            self.case,
            self.story,
            self.law,
            seen.unwrap_or_default(),
            steps(&self.smallest.trace)
        )
    }
}

impl std::fmt::Display for Standing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Untested => write!(f, "."),
            Self::Kept(times) => write!(f, "kept, {times}"),
            Self::Broken { cases, of } => write!(f, "BROKEN in {cases} of {of} runs"),
        }
    }
}
