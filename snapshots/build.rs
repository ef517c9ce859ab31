//! Lists the incidents and the topologies, so that adding a file to `scenarios/` or `topologies/` is
//! all it takes to add one.

use std::path::Path;
use std::{env, fs};

fn main() {
    list("scenarios");
    list("topologies");
}

/// Writes the texts of all files of a folder as a list of Rust, in the order of their names.
fn list(folder: &str) {
    let path = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo")).join(folder);
    println!("cargo::rerun-if-changed={}", path.display());
    let entries = fs::read_dir(&path).expect("the folder of the files");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    let text = |path: &Path| format!("    include_str!(r\"{}\"),\n", path.display());
    let list: String = files.iter().map(|path| text(path)).collect();
    let out = Path::new(&env::var("OUT_DIR").expect("cargo")).join(format!("{folder}.rs"));
    fs::write(out, format!("&[\n{list}]")).expect("the list of the files");
}
