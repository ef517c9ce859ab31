//! A trace as a table that a person would draw.
//!
//! Steps that differ only in numbers that count upwards are drawn as one row, with ranges such as
//! `20000..21023`. Scenario files read the same notation.

use comfy_table::{ContentArrangement, Table, presets};
use itertools::Itertools;
use natlaw_model::subject::{Step, Subject, Trace};

/// The steps: what was asked and what was answered.
pub fn steps<S: Subject>(trace: &Trace<S>) -> String {
    let rows = trace.steps.iter().map(|Step { event, outcome }| {
        [Numbered::new(&event.to_string()), Numbered::new(&outcome.to_string())]
    });
    let mut table = table(["step", "asked", "answered"]);
    let mut first = 1;
    for run in runs(rows) {
        let last = first + run.len - 1;
        let steps = if run.len == 1 { first.to_string() } else { format!("{first}..{last}") };
        let [event, outcome] = [0, 1].map(|column| run.first[column].range(&run.last[column]));
        table.add_row([steps, event, outcome]);
        first = last + 1;
    }
    drawn(&table)
}

/// An empty table in the one look that all reports share.
pub fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}

/// A table as text, without blanks at the ends of its lines.
pub fn drawn(table: &Table) -> String {
    table.lines().map(|line| line.trim_end().to_string()).join("\n")
}

/// Steps that count upwards together.
struct Run<const N: usize> {
    first: [Numbered; N],
    last: [Numbered; N],
    len: usize,
}

/// Joins neighbours for as long as each follows the one before in the same way.
fn runs<const N: usize>(rows: impl Iterator<Item = [Numbered; N]>) -> Vec<Run<N>> {
    let mut runs: Vec<Run<N>> = Vec::new();
    for row in rows {
        match runs.last_mut() {
            Some(run) if run.goes_on_with(&row) => {
                run.last = row;
                run.len += 1;
            }
            _ => runs.push(Run { last: row.clone(), first: row, len: 1 }),
        }
    }
    runs
}

impl<const N: usize> Run<N> {
    fn goes_on_with(&self, row: &[Numbered; N]) -> bool {
        let length = self.len as u64;
        let counts = |(first, next): (&Numbered, &Numbered)| first.counts_to(next, length);
        let moves = self.first != *row;
        moves && self.first.iter().zip(row).all(counts) && self.same_numbers_move(row)
    }

    /// A number that counts goes on counting, and one that stands goes on standing.
    fn same_numbers_move(&self, row: &[Numbered; N]) -> bool {
        let mut pairs = self.first.iter().zip(&self.last).zip(row);
        self.len == 1
            || pairs.all(|((first, last), next)| first.moving(last).eq(first.moving(next)))
    }
}

/// A text taken apart into its numbers and what stands between them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Numbered {
    between: Vec<String>,
    numbers: Vec<u64>,
}

impl Numbered {
    fn new(text: &str) -> Self {
        let (mut between, mut numbers) = (vec![String::new()], Vec::new());
        for (is_number, run) in &text.chars().chunk_by(char::is_ascii_digit) {
            let run: String = run.collect();
            match run.parse() {
                Ok(number) if is_number && (run == "0" || !run.starts_with('0')) => {
                    numbers.push(number);
                    between.push(String::new());
                }
                _ => between.last_mut().expect("never empty").push_str(&run),
            }
        }
        Self { between, numbers }
    }

    /// Whether `next` is this text with some numbers raised by exactly `steps`.
    fn counts_to(&self, next: &Self, steps: u64) -> bool {
        let mut pairs = self.numbers.iter().zip(&next.numbers);
        self.between == next.between
            && pairs.all(|(from, to)| to == from || from.checked_add(steps) == Some(*to))
    }

    /// Which numbers differ.
    fn moving<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = bool> + 'a {
        self.numbers.iter().zip(&other.numbers).map(|(a, b)| a != b)
    }

    /// The text with ranges where the numbers of `last` differ.
    fn range(&self, last: &Self) -> String {
        let number = |(from, to): (&u64, &u64)| match from == to {
            true => from.to_string(),
            false => format!("{from}..{to}"),
        };
        let numbers = self.numbers.iter().zip(&last.numbers).map(number);
        self.between.iter().cloned().interleave(numbers).collect()
    }
}
