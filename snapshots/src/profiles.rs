//! Profiles as a person reads them.

use itertools::Itertools as _;
use natlaw_model::profile::{Ask, Document, Profile, Reading};
use natlaw_properties::nat::compliance::{count, judge};
use natlaw_properties::report::{drawn, table};

use crate::{compliance, wrapped};

/// The question that a profile's translator is judged by: 50 members, two addresses.
pub const ASKED: Ask = Ask::of(50, 2);

/// The widest value of a constant, in characters.
const VALUE_WIDTH: usize = 76;

/// The widest answer of a reading, in characters.
const SAYS_WIDTH: usize = 44;

/// Documents in the order in which they are named first.
#[derive(Default)]
struct Documents(Vec<&'static Document>);

impl Documents {
    /// The number of a document, from 1.
    fn number(&mut self, document: &'static Document) -> String {
        let known = self.0.iter().position(|known| *known == document);
        let index = known.unwrap_or_else(|| {
            self.0.push(document);
            self.0.len() - 1
        });
        format!("[{}]", index + 1)
    }

    fn list(&self) -> String {
        let line = |(index, document): (usize, &&Document)| format!("[{}] {document}", index + 1);
        self.0.iter().enumerate().map(line).join("\n")
    }
}

/// Every constant with its document, every reading, what is outside the model, and the documents.
pub fn page(profile: &Profile) -> String {
    let mut documents = Documents::default();
    let mut parts = vec![
        format!("{}: a model of documents about {}", profile.name, profile.what),
        constants(profile, &mut documents),
    ];
    if !profile.readings().is_empty() {
        parts.push(readings(profile, &mut documents));
    }
    if !profile.outside.is_empty() {
        parts.push(outside(profile, &mut documents));
    }
    parts.push(documents.list());
    parts.join("\n\n")
}

fn constants(profile: &Profile, documents: &mut Documents) -> String {
    let mut constants = table(["constant", "value", "document"]);
    for constant in profile.constants() {
        let number = documents.number(constant.document);
        constants.add_row([constant.name, &wrapped(&constant.value, VALUE_WIDTH), &number]);
    }
    drawn(&constants)
}

/// The readings question by question; a star stands at those that are taken.
fn readings(profile: &Profile, documents: &mut Documents) -> String {
    let mut readings = table(["question", "", "reading", "says", "document"]);
    let mut before = "";
    for reading in profile.readings() {
        let Reading { question, name, says, document, .. } = *reading;
        let asked = if question == before { "" } else { question };
        let taken = if profile.takes(reading) { "*" } else { "" };
        let says = wrapped(says, SAYS_WIDTH);
        readings.add_row([asked, taken, name, &says, &documents.number(document)]);
        before = question;
    }
    drawn(&readings)
}

fn outside(profile: &Profile, documents: &mut Documents) -> String {
    let mut outside = table(["outside the model", "document"]);
    for said in &profile.outside {
        outside.add_row([said.value.to_string(), documents.number(said.document)]);
    }
    drawn(&outside)
}

/// The page of a profile, and where its translator deviates from the RFCs.
pub fn report(name: &str) -> String {
    let Some(profile) = Profile::named(name) else { return format!("no profile {name}") };
    match profile.nat(&ASKED) {
        Ok(nat) => {
            let total = count(&judge(&nat));
            let deviations = compliance::deviations(&nat);
            let head = format!("Against the RFCs: {nat}");
            format!("{}\n\n{}\n\n{deviations}\n\n{total}", page(&profile), wrapped(&head, 100))
        }
        Err(error) => format!("{}\n\n{error}", page(&profile)),
    }
}
