//! What the RFCs ask, held against one configuration.

use itertools::Itertools as _;
use natlaw_model::nat::Nat;
use natlaw_properties::nat::compliance::{Answer, Finding, Verdict, count, judge};

use crate::wrapped;

/// The widest line: that of a terminal of 120 columns.
const WIDTH: usize = 119;

/// Where the last column begins.
const TEXT_AT: usize = 39;

/// Every requirement with its verdict, document by document, and how many there are of each.
pub fn matrix(nat: &Nat) -> String {
    let findings = judge(nat);
    let by_document = findings.chunk_by(|a, b| a.document.name == b.document.name);
    format!("{}\n\n{}", by_document.map(section).format("\n\n"), count(&findings))
}

/// The requirements that the configuration does not meet, each with its document and the values.
pub fn deviations(nat: &Nat) -> String {
    let findings = judge(nat);
    let deviating = findings.iter().filter(|found| matches!(found.verdict, Verdict::Deviates(_)));
    let line = |found: &Finding| {
        let name = format!("{} {}", found.document.name, found.requirement.id);
        let values = found.verdict.comparisons().iter().join("; ");
        let values = wrapped(&values, WIDTH - TEXT_AT).replace('\n', &format!("\n{:TEXT_AT$}", ""));
        format!("{name:<26}{:<13}{values}", found.requirement.level)
    };
    deviating.map(line).join("\n")
}

/// One document: a row for each of its requirements.
fn section(findings: &[Finding]) -> String {
    let document = findings[0].document;
    let rows = findings.iter().map(row).format("\n");
    format!("{}: {}\n\n{rows}", document.name, document.title)
}

fn row(finding: &Finding) -> String {
    let requirement = finding.requirement;
    let verdict = finding.verdict.word();
    let head = format!("{:<16}{:<13}{verdict:<10}", requirement.id, requirement.level);
    let text = text(finding).replace('\n', &format!("\n{:TEXT_AT$}", ""));
    format!("{head}{text}")
}

/// What is asked, what the configuration says to it, and what answers.
fn text(finding: &Finding) -> String {
    let requirement = finding.requirement;
    let memory = if requirement.remembered { " (from memory)" } else { "" };
    let asked = format!("{}{memory}", requirement.text);
    let compared = finding.verdict.comparisons();
    let values = compared.iter().map(ToString::to_string);
    let answers = match (&requirement.answer, &finding.verdict) {
        (Answer::OutsideTheModel(why), _) => vec![format!("outside the model: {why}")],
        (Answer::Laws(_), Verdict::Deviates(_)) => {
            compared.iter().map(|compared| format!("broken: {}", compared.law)).collect()
        }
        (Answer::Laws(laws), Verdict::Held(_) | Verdict::OutsideTheModel) => {
            laws.iter().map(|law| format!("by {law}")).collect()
        }
    };
    let lines = std::iter::once(asked).chain(values).chain(answers);
    lines.map(|line| wrapped(&line, WIDTH - TEXT_AT)).join("\n")
}
