//! Every page that shows a command is run: what it prints is what the page says.

use std::fmt::Write as _;
use std::path::Path;

use natlaw_properties::catalogue::claims;
use natlaw_properties::law::sentence;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace")
}

#[test]
fn every_command_on_a_page_prints_what_the_page_says() {
    std::env::set_current_dir(root()).expect("the workspace");
    trycmd::TestCases::new().case("README.md").case("cli/tests/cmd/*.md");
}

/// The laws as README lists them.
fn list() -> String {
    let mut text = String::new();
    for group in claims().chunk_by(|a, b| a.of == b.of) {
        let _ = write!(text, "\nOf {}:\n\n", group[0].of);
        for claim in group {
            let _ = writeln!(text, "- {}", sentence(claim.name));
        }
    }
    text
}

/// README lists the laws of the code and no others. `README=write` in the environment writes them.
#[test]
fn readme_lists_the_laws_of_the_code() {
    const BEGIN: &str = "<!-- laws: begin (a test compares this list with the code) -->\n";
    const END: &str = "\n<!-- laws: end -->";
    let path = root().join("README.md");
    let readme = std::fs::read_to_string(&path).expect("README.md");
    let (before, rest) = readme.split_once(BEGIN).expect("where the list begins");
    let (actual, after) = rest.split_once(END).expect("where the list ends");
    let expected = list();
    if std::env::var("README").is_ok_and(|value| value == "write") {
        std::fs::write(&path, format!("{before}{BEGIN}{expected}{END}{after}")).expect("README.md");
    } else {
        assert_eq!(actual, expected, "run: README=write cargo test --package natlaw");
    }
}

/// The law that README shows is the code's, to the letter.
#[test]
fn readme_shows_a_law_as_it_stands() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).expect("a file");
    let readme = read("README.md");
    let (_, shown) = readme.split_once("```rust,ignore\n").expect("a law in README");
    let (shown, _) = shown.split_once("```").expect("the end of the law");
    assert!(read("properties/src/nat/laws.rs").contains(shown), "{shown}");
}
