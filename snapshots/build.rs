//! Lists the incidents, so that adding a file to `scenarios/` is all it takes to add one.

use std::path::Path;
use std::{env, fs};

fn main() {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo")).join("scenarios");
    println!("cargo::rerun-if-changed={}", folder.display());
    let entries = fs::read_dir(&folder).expect("the folder of the incidents");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    let text = |path: &Path| format!("    include_str!(r\"{}\"),\n", path.display());
    let list: String = files.iter().map(|path| text(path)).collect();
    let out = Path::new(&env::var("OUT_DIR").expect("cargo")).join("incidents.rs");
    fs::write(out, format!("&[\n{list}]")).expect("the list of the incidents");
}
