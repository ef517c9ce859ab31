//! Which law catches which mutant: one drawing for every subject.

use comfy_table::Table;
use natlaw_properties::report::{drawn, table};

/// A mutant and the laws that stop it.
pub(crate) struct Stopped {
    /// What it is called.
    pub(crate) mutant: &'static str,
    /// What kind of defect it has.
    pub(crate) family: String,
    /// What is wrong with it.
    pub(crate) defect: &'static str,
    /// Where it was seen.
    pub(crate) row: &'static str,
    /// Each law that it breaks, and the events of the smallest scenario that shows it.
    pub(crate) by: Vec<(&'static str, usize)>,
    /// The one of them that shows it in the fewest events.
    pub(crate) best: Option<(&'static str, usize)>,
}

/// A row for each law and a column for each mutant, and below what each mutant is.
pub(crate) fn matrix(laws: &[&'static str], mutants: &[Stopped]) -> String {
    format!(
        "events in the smallest scenario on which the mutant breaks the law\n\n{}\n\n{}\n\n\
         {} mutants, {} laws",
        drawn(&cells(laws, mutants)),
        drawn(&legend(mutants)),
        mutants.len(),
        laws.len()
    )
}

/// A row for each law, a column for each mutant.
fn cells(laws: &[&'static str], mutants: &[Stopped]) -> Table {
    let numbers = (1..=mutants.len()).map(|number| number.to_string());
    let header = ["law", "stops"].map(String::from);
    let mut cells = wide_table(header.into_iter().chain(numbers), 1);
    for law in laws {
        let events: Vec<String> = mutants.iter().map(|stopped| events_of(stopped, law)).collect();
        let stops = events.iter().filter(|events| *events != ".").count().to_string();
        cells.add_row([(*law).to_string(), stops].into_iter().chain(events));
    }
    cells
}

/// A row for each mutant.
fn legend(mutants: &[Stopped]) -> Table {
    let header = ["", "mutant", "smallest", "by", "family", "defect", "seen in"];
    let mut legend = wide_table(header.map(String::from), 2);
    for (number, stopped) in (1_usize..).zip(mutants) {
        let Stopped { mutant, family, defect, row, best, .. } = stopped;
        let (law, events) = best.unwrap_or(("nobody", 0));
        let (number, events) = (number.to_string(), events.to_string());
        legend.add_row([&number, *mutant, &events, law, family, *defect, *row]);
    }
    legend
}

/// How many events the law needs to catch the mutant; a dot if it does not.
fn events_of(stopped: &Stopped, law: &str) -> String {
    let by = stopped.by.iter().find(|(by, _)| *by == law);
    by.map_or(".".into(), |(_, events)| events.to_string())
}

/// A table of any width, with this much room between its columns.
fn wide_table(header: impl IntoIterator<Item = String>, room: u16) -> Table {
    let mut wide = table([]);
    wide.set_header(header.into_iter().collect::<Vec<_>>());
    wide.column_iter_mut().for_each(|column| {
        column.set_padding((0, room));
    });
    wide
}
