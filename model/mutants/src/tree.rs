//! A copy of the workspace, to be changed and compiled.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use ignore::WalkBuilder;
use serde_json::Value;

/// A copy of the workspace.
pub struct Tree {
    root: PathBuf,
    /// The files of the model and of its tests as they were, by their names in the workspace.
    pub sources: BTreeMap<String, String>,
}

/// Where a compiler found fault.
#[derive(Debug)]
pub struct Fault {
    /// File and first byte of each place that it names, those that it points at first.
    pub places: Vec<(String, usize)>,
    /// What it says.
    pub told: String,
}

impl Tree {
    /// Copies what git would keep of the workspace to `to`, in place of what is there.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn copy(workspace: &Path, to: &Path) -> Result<Self> {
        let mut sources = BTreeMap::new();
        if to.exists() {
            fs::remove_dir_all(to)?;
        }
        for file in files_to_keep(workspace)? {
            let name = file.strip_prefix(workspace)?;
            let copy = to.join(name);
            fs::create_dir_all(copy.parent().context("a file without a folder")?)?;
            fs::copy(&file, &copy).with_context(|| file.display().to_string())?;
            if name.extension().is_some_and(|it| it == "rs") && is_of_the_model(name) {
                let name = name.to_str().context("a name that is no text")?;
                sources.insert(name.into(), fs::read_to_string(&file)?);
            }
        }
        ensure!(!sources.is_empty(), "{}: no model", workspace.display());
        Ok(Self { root: to.into(), sources })
    }

    /// Puts another text in place of a file's.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, file: &str, text: &str) -> Result<()> {
        let path = self.root.join(file);
        fs::write(&path, text).with_context(|| path.display().to_string())
    }

    /// Puts every file of the model back.
    ///
    /// # Errors
    /// When one cannot be written.
    pub fn restore(&self) -> Result<()> {
        self.sources.iter().try_for_each(|(file, text)| self.write(file, text))
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of the model.
    pub fn model(&self) -> PathBuf {
        self.root.join("model")
    }

    /// What a compiler finds wrong with the model; none if it compiles.
    ///
    /// # Errors
    /// When cargo cannot be run, or fails without saying where.
    pub fn faults(&self) -> Result<Vec<Fault>> {
        let (succeeded, messages) = self.cargo(&["check", "--lib"])?;
        let faults: Vec<_> = messages.iter().filter_map(fault).collect();
        ensure!(succeeded == faults.is_empty(), "cargo check of {}", self.root.display());
        Ok(faults)
    }

    /// Builds the tests of the model.
    ///
    /// # Errors
    /// When they do not compile.
    pub fn suite(&self) -> Result<PathBuf> {
        let (_, messages) =
            self.cargo(&["test", "--no-run", "--profile", "mutants", "--test", "suite"])?;
        if let Some(fault) = messages.iter().find_map(fault) {
            bail!("{}", fault.told);
        }
        let mut executables = messages.iter().filter_map(|message| message["executable"].as_str());
        executables.next_back().map(PathBuf::from).context("no suite of the model")
    }

    /// Warnings count for nothing: half of what a switch leads to is never used.
    fn cargo(&self, arguments: &[&str]) -> Result<(bool, Vec<Value>)> {
        let output = Command::new("cargo")
            .args(arguments)
            .args(["--package", "natlaw-model", "--message-format", "json"])
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", self.root.with_file_name("build"))
            .env("RUSTFLAGS", "--cap-lints=allow")
            .stderr(Stdio::inherit())
            .output()
            .context("cargo")?;
        let lines = output.stdout.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        let messages = lines.map(serde_json::from_slice).collect::<Result<_, _>>();
        Ok((output.status.success(), messages.context("what cargo says")?))
    }
}

fn files_to_keep(workspace: &Path) -> Result<BTreeSet<PathBuf>> {
    let walk = WalkBuilder::new(workspace).hidden(false).require_git(false).build();
    let files = walk.filter_map(|entry| match entry {
        Ok(entry) if entry.path().components().any(|part| part.as_os_str() == ".git") => None,
        Ok(entry) => entry.path().is_file().then(|| Ok(entry.into_path())),
        Err(error) => Some(Err(error.into())),
    });
    files.collect()
}

fn is_of_the_model(name: &Path) -> bool {
    name.starts_with("model/src") || name.starts_with("model/tests")
}

fn fault(message: &Value) -> Option<Fault> {
    let told = &message["message"];
    if message["reason"] != "compiler-message" || told["level"] != "error" {
        return None;
    }
    let mut spans: Vec<_> = told["spans"].as_array()?.iter().collect();
    spans.sort_by_key(|span| span["is_primary"] != true);
    let place = |span: &Value| {
        let byte = usize::try_from(span["byte_start"].as_u64()?).ok()?;
        Some((span["file_name"].as_str()?.to_owned(), byte))
    };
    let places: Vec<_> = spans.into_iter().filter_map(place).collect();
    // The last words of a compiler, on how many errors there were, are of no place.
    (!places.is_empty())
        .then(|| Fault { places, told: told["rendered"].as_str().unwrap_or_default().to_owned() })
}
