//! The shape of subject, scenario, trace, law and file, tried on a second subject: a turnstile.

use std::fmt;

use natlaw_model::subject::{Device, Moment, Scenario, Subject};
use natlaw_properties::file::ScenarioFile;
use natlaw_properties::judged::Judged;
use natlaw_properties::law::{Law, Situation, check, verdicts};
use natlaw_properties::{law, report, situation};
use serde::{Deserialize, Serialize};

/// A turnstile that lets this many people in for a coin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Turnstile {
    people_per_coin: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Ask {
    Coin,
    Push(String),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Answer {
    Taken,
    Passed,
    Blocked,
}

/// People who may still pass.
struct Credit {
    people_per_coin: u32,
    left: u32,
}

impl Subject for Turnstile {
    const KIND: &'static str = "turnstile";
    type Event = Ask;
    type Outcome = Answer;
    type Ledger = Credit;

    fn ledger(&self) -> Credit {
        Credit { people_per_coin: self.people_per_coin, left: 0 }
    }

    fn record(credit: &mut Credit, _: &Ask, answer: &Answer) {
        match answer {
            Answer::Taken => credit.left += credit.people_per_coin,
            Answer::Passed => credit.left = credit.left.saturating_sub(1),
            Answer::Blocked => {}
        }
    }
}

fn nobody_passes_without_a_coin(moment: &Moment<Turnstile>) -> Option<bool> {
    (*moment.outcome == Answer::Passed).then_some(moment.before.left > 0)
}

fn nobody_who_paid_is_blocked(moment: &Moment<Turnstile>) -> Option<bool> {
    (moment.before.left > 0).then_some(*moment.outcome != Answer::Blocked)
}

fn somebody_is_blocked(moment: &Moment<Turnstile>) -> bool {
    *moment.outcome == Answer::Blocked
}

/// A turnstile that counts; `lets_all` is its mutant.
struct Counting {
    people_per_coin: u32,
    left: u32,
    lets_all: bool,
}

impl Device<Turnstile> for Counting {
    fn step(&mut self, event: &Ask) -> Answer {
        match event {
            Ask::Coin => {
                self.left += self.people_per_coin;
                Answer::Taken
            }
            Ask::Push(_) if self.left == 0 && !self.lets_all => Answer::Blocked,
            Ask::Push(_) => {
                self.left = self.left.saturating_sub(1);
                Answer::Passed
            }
        }
    }
}

impl Judged for Turnstile {
    const LAWS: &'static [Law<Self>] = &[
        law!(nobody_passes_without_a_coin, "by hand", "The owner is not paid."),
        law!(nobody_who_paid_is_blocked, "by hand", "People pay for nothing."),
    ];
    const REACHABLE: &'static [Situation<Self>] = &[situation!(somebody_is_blocked)];

    fn device(&self, name: &str) -> Option<Box<dyn Device<Self>>> {
        let lets_all = Self::device_names().iter().position(|known| *known == name)? == 1;
        Some(Box::new(Counting { people_per_coin: self.people_per_coin, left: 0, lets_all }))
    }

    fn device_names() -> Vec<&'static str> {
        vec!["counting", "lets-all"]
    }

    fn summary(credit: &Credit) -> Vec<(&'static str, String)> {
        vec![("people who may pass", credit.left.to_string())]
    }

    fn is_refusal(answer: &Answer) -> bool {
        *answer == Answer::Blocked
    }

    fn begins(moment: &Moment<Self>) -> bool {
        *moment.outcome == Answer::Taken
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Coin => write!(f, "coin"),
            Self::Push(who) => write!(f, "push by {who}"),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

const FILE: &str = r#"kind = "turnstile"
name = "one_coin_three_people"
device = "lets-all"
events = ["coin", { push = "person 1..3" }]

[[breaks]]
law = "nobody_passes_without_a_coin"
step = 4

[subject]
people_per_coin = 2
"#;

fn scenario() -> ScenarioFile<Turnstile> {
    ScenarioFile::parse(FILE).expect("a file")
}

#[test]
fn another_subject_is_read_played_judged_and_reported_by_the_same_code() {
    let file = scenario();
    let Scenario { subject, events } = &file.scenario;
    assert_eq!(events.len(), 4);
    let trace = file.scenario.play(&mut subject.device(&file.device).expect("a device"));
    let verdicts = verdicts(Turnstile::LAWS, &trace);
    assert!(file.is_as_expected(&verdicts));
    assert_eq!(
        report::steps(&trace),
        "\
step  asked                answered
1     coin                 Taken
2..4  push by person 1..3  Passed"
    );
}

#[test]
fn a_sound_device_of_another_subject_keeps_its_laws() {
    let file = scenario();
    let subject = &file.scenario.subject;
    let trace = file.scenario.play(&mut subject.device("counting").expect("a device"));
    check(Turnstile::LAWS, &trace).expect("every law");
    assert!(!file.is_as_expected(&verdicts(Turnstile::LAWS, &trace)));
}

#[test]
fn a_file_of_another_subject_is_written_and_read_back() {
    assert_eq!(ScenarioFile::parse(&scenario().to_toml()).expect("a file"), scenario());
}
