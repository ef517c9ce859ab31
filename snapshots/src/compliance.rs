//! What the RFCs ask, held against one configuration, as a table.

use itertools::Itertools as _;
use natlaw_model::nat::Nat;
use natlaw_properties::nat::compliance::{Answer, Document, Finding, Verdict, count, judge};
use natlaw_properties::report::{drawn, table};

/// The widest line of the last column, so that the table fits a terminal of 120 columns.
const TEXT_WIDTH: usize = 76;

/// Every requirement with its verdict, document by document, and how many there are of each.
pub fn matrix(nat: &Nat) -> String {
    let findings = judge(nat);
    let by_document = findings.chunk_by(|a, b| a.document.name == b.document.name);
    let sections = by_document.map(|findings| section(findings[0].document, findings));
    format!("{}\n\n{}", sections.format("\n\n"), count(&findings))
}

fn section(document: &Document, findings: &[Finding]) -> String {
    let mut table = table(["", "", "", ""]);
    for (column, width) in table.column_iter_mut().zip([16, 11, 9, TEXT_WIDTH]) {
        let width = u16::try_from(width).unwrap_or(u16::MAX).saturating_add(2);
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(width)));
    }
    for finding in findings {
        let requirement = finding.requirement;
        let level = requirement.level.to_string();
        table.add_row([requirement.id, &level, finding.verdict.word(), &text(finding)]);
    }
    format!("{}: {}\n{}", document.name, document.title, drawn(&table))
}

/// What is asked, what the configuration says to it, and what answers.
fn text(finding: &Finding) -> String {
    let requirement = finding.requirement;
    let memory = if requirement.remembered { " (from memory)" } else { "" };
    let mut lines = vec![format!("{}{memory}", requirement.text)];
    lines.extend(finding.verdict.comparisons().iter().map(ToString::to_string));
    match (&requirement.answer, &finding.verdict) {
        (Answer::OutsideTheModel(why), _) => lines.push(format!("outside the model: {why}")),
        (Answer::Laws(laws), Verdict::Deviates(_)) => {}
        (Answer::Laws(laws), _) => lines.extend(laws.iter().map(|law| format!("by {law}"))),
    }
    lines.iter().map(|line| wrapped(line, TEXT_WIDTH)).join("\n")
}
