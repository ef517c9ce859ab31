//! Claims that others published, as a figure.

use natlaw_properties::nat::grouped;
use natlaw_properties::published::nearest::{self, Question};
use natlaw_properties::published::{Published, checked};
use natlaw_properties::report::drawn;

use crate::figures::numbers;
use crate::wrapped;

/// The widest line of a claim.
const WIDTH: usize = 100;

/// Every claim with its source, and what the model says to it.
pub(crate) fn claims() -> String {
    let claims = checked().expect("the profiles keep their bounds");
    let claims: Vec<String> = claims.iter().map(claim).collect();
    format!("{}\n\n{}", nearest_integer(), claims.join("\n\n"))
}

fn claim(published: &Published) -> String {
    let Published { claim, source, against, finding, stands } = published;
    let verdict = if *stands { "stands" } else { "REFUTED" };
    let indented = |line: &str| wrapped(line, WIDTH).replace('\n', "\n    ");
    format!(
        "{verdict}: {}\n    published in {}\n    held against {}\n    {}",
        indented(claim),
        indented(source),
        indented(against),
        indented(finding)
    )
}

/// The formula that rounds, its smallest counterexamples, and how often it is wrong.
fn nearest_integer() -> String {
    let count = nearest::count();
    let mut table =
        numbers(["fewest", "ports a node", "addresses", "promised", "need", "there are", "fit"]);
    for (fewest, question) in nearest::smallest() {
        let Question { ports, addresses } = question;
        table.add_row([
            fewest.to_string(),
            grouped(ports.into()),
            addresses.to_string(),
            grouped(question.promised()),
            grouped(question.needed()),
            grouped(nearest::PORTS_OF_AN_ADDRESS * addresses),
            grouped(question.fitting()),
        ]);
    }
    format!(
        "REFUTED: Nodes at most: 64,000 / ports of a node x addresses, rounded to the nearest \
         integer\n    published in \"Use a public standard load balancer\", Azure Kubernetes \
         Service documentation,\n    date not known\n    held against azure-outbound-rules\n\n\
         {}\n\nof {} questions (ports a multiple of 8, 1 to 7 addresses)\n\
         too few ports for the nodes promised: {}\n\
         enough ports, but a block would lie on two addresses: {}",
        drawn(&table),
        grouped(count.questions),
        grouped(count.too_few_ports),
        grouped(count.blocks_do_not_fit)
    )
}
