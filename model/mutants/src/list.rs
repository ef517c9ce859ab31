//! The changes, as cargo-mutants lists them.

use std::ops::Range;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// One change of the model.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Change {
    /// What cargo-mutants calls it: file, line, column and what is done there.
    pub name: String,
    /// The file, from the root of the workspace.
    pub file: String,
    /// What kind of change it is.
    pub genre: Genre,
    /// What stands in place of the text of `span`.
    pub replacement: String,
    /// The text that is replaced.
    pub span: Span,
    /// The function that is changed; none in a constant.
    pub function: Option<Function>,
}

/// What is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Genre {
    /// The body of a function is replaced by a value.
    FnValue,
    /// An operator is replaced by another.
    BinaryOperator,
    /// `!` or `-` is deleted.
    UnaryOperator,
    /// An arm is deleted.
    MatchArm,
    /// The guard of an arm is replaced by a constant.
    MatchArmGuard,
    /// A field is deleted where another value stands in for it.
    StructField,
    /// What this tool knows nothing of, and leaves to cargo-mutants.
    #[serde(other)]
    Other,
}

/// A function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Function {
    /// From its first word to its last brace.
    pub span: Span,
}

/// A piece of a file, without its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Span {
    start: Place,
    end: Place,
}

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
struct Place {
    /// From 1.
    line: usize,
    /// In characters, from 1.
    column: usize,
}

/// Every change of the model that cargo-mutants makes with these arguments.
///
/// # Errors
/// When cargo-mutants cannot be run, or its answer not be read.
pub fn changes(root: &Path, arguments: &[String]) -> Result<Vec<Change>> {
    let listed = Command::new("cargo")
        .args(["mutants", "--list", "--json", "--package", "natlaw-model"])
        .args(arguments)
        .current_dir(root)
        .output()
        .context("cargo mutants: is it installed? cargo install --locked cargo-mutants")?;
    ensure!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    serde_json::from_slice(&listed.stdout).context("the list of cargo mutants")
}

impl Change {
    /// The bytes of its file that it replaces.
    pub fn range(&self, source: &str) -> Range<usize> {
        self.span.range(source)
    }

    /// The bytes of its file within which a compiler finds fault with it: its function, or itself.
    pub fn home(&self, source: &str) -> Range<usize> {
        self.function.map_or(self.span, |function| function.span).range(source)
    }
}

impl Span {
    fn range(self, source: &str) -> Range<usize> {
        self.start.byte(source)..self.end.byte(source)
    }
}

impl Place {
    fn byte(self, source: &str) -> usize {
        let line: usize = source.split_inclusive('\n').take(self.line - 1).map(str::len).sum();
        let before = source[line..].chars().take(self.column - 1).map(char::len_utf8);
        line + before.sum::<usize>()
    }
}
