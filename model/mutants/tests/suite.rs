//! What a switch looks like, and that a program with one switched on does what the changed one does.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use natlaw_mutants::constants::called_by_constants;
use natlaw_mutants::count::{Count, Outcome, with_line};
use natlaw_mutants::list::Change;
use natlaw_mutants::switch::{Switched, switched, to_blame};
use serde_json::{Value, json};

/// The change of the first such text after the first such beginning.
fn change(source: &str, genre: &str, from: &str, text: &str, replacement: &str) -> Change {
    let begin = source.find(from).expect(from);
    let start = begin + source[begin..].find(text).expect(text);
    let span = |start, end| json!({ "start": place(source, start), "end": place(source, end) });
    let change = json!({
        "name": text,
        "file": "lib.rs",
        "genre": genre,
        "replacement": replacement,
        "span": span(start, start + text.len()),
        "function": { "span": span(begin, source.len()) },
    });
    serde_json::from_value(change).expect("a change")
}

fn place(source: &str, byte: usize) -> Value {
    let line = source[..byte].rfind('\n').map_or(0, |newline| newline + 1);
    let lines = source[..byte].matches('\n').count();
    json!({ "line": lines + 1, "column": source[line..byte].chars().count() + 1 })
}

fn with_switches(source: &str, changes: &[Change]) -> Switched {
    let file = syn::parse_file(source).expect("a program");
    let numbered: BTreeMap<usize, &Change> = changes.iter().enumerate().collect();
    switched(source, &file, &numbered, &called_by_constants([&file]))
}

/// What becomes of a program with one change.
fn with_switch(source: &str, genre: &str, text: &str, replacement: &str) -> String {
    with_switches(source, &[change(source, genre, "fn", text, replacement)]).text
}

#[test]
fn an_operator_stands_beside_another() {
    let text = with_switch("fn f(é: u8) -> u8 { é + 1 }", "BinaryOperator", "+", "-");
    assert_eq!(text, "fn f(é: u8) -> u8 { (if crate::mutant(0) { é - 1 } else { é + 1 }) }");
}

#[test]
fn an_operator_stands_beside_none() {
    let text = with_switch("fn f(a: bool) -> bool { !a }", "UnaryOperator", "!", "");
    assert_eq!(text, "fn f(a: bool) -> bool { (if crate::mutant(0) { a } else { !a }) }");
}

#[test]
fn a_value_stands_before_a_body() {
    let text = with_switch("fn f() -> u8 { let a = 1; a }", "FnValue", "let a = 1; a", "0");
    let expected = "fn f() -> u8 { if crate::mutant(0) { return 0; }\nlet a = 1; a }";
    assert_eq!(text, expected);
}

#[test]
fn an_iterator_is_one_or_the_other() {
    let source = "fn f() -> impl Iterator<Item = u8> { 0..9 }";
    let text = with_switch(source, "FnValue", "0..9", "::std::iter::empty()");
    let expected = "fn f() -> impl Iterator<Item = u8> { if crate::mutant(0) { \
                    ::itertools::Either::Left(::std::iter::empty()) } else { \
                    ::itertools::Either::Right({ 0..9 }) } }";
    assert_eq!(text, expected);
}

#[test]
fn an_arm_may_never_be_taken() {
    let source = "fn f(a: u8) -> u8 { match a { 0 => 1, _ => 2 } }";
    let text = with_switch(source, "MatchArm", "0 => 1,", "");
    let expected = "fn f(a: u8) -> u8 { match a { 0 if !crate::mutant(0) => 1, _ => 2 } }";
    assert_eq!(text, expected);
}

#[test]
fn a_guard_stands_beside_constants_and_may_be_gone_with_its_arm() {
    let source = "fn f(a: u8) -> u8 { match a { b if b > 1 => 1, _ => 2 } }";
    let changes = [
        change(source, "MatchArm", "fn", "b if b > 1 => 1,", ""),
        change(source, "MatchArmGuard", "fn", "b > 1", "true"),
    ];
    let expected = "fn f(a: u8) -> u8 { match a { b if !crate::mutant(0) && ((if \
                    crate::mutant(1) { true } else { b > 1 })) => 1, _ => 2 } }";
    assert_eq!(with_switches(source, &changes).text, expected);
}

#[test]
fn a_field_may_come_from_what_stands_in_for_it() {
    let long = with_switch("fn f(b: B) -> B { B { a: 1, ..b } }", "StructField", "a: 1,", "");
    let expected = "fn f(b: B) -> B { B { a: (if crate::mutant(0) { (b).a } else { 1 }), ..b } }";
    assert_eq!(long, expected);
    let short = with_switch("fn f(b: B, a: u8) -> B { B { a, ..b } }", "StructField", "a,", "");
    let expected =
        "fn f(b: B, a: u8) -> B { B { a: (if crate::mutant(0) { (b).a } else { a }), ..b } }";
    assert_eq!(short, expected);
}

#[test]
fn switches_lie_within_one_another() {
    let source = "fn f(a: u8) -> bool { a + 1 == 2 }";
    let changes = [
        change(source, "BinaryOperator", "fn", "==", "!="),
        change(source, "BinaryOperator", "fn", "+", "-"),
    ];
    let switched = with_switches(source, &changes);
    let expected = "fn f(a: u8) -> bool { (if crate::mutant(0) { a + 1 != 2 } else { \
                    (if crate::mutant(1) { a - 1 } else { a + 1 }) == 2 }) }";
    assert_eq!(switched.text, expected);
    assert_eq!(switched.numbers, BTreeSet::from([0, 1]));
}

#[test]
fn the_last_of_the_smallest_piece_is_to_blame() {
    let source = "fn f(a: u8) -> bool { a + 1 == 2 }";
    let changes = [
        change(source, "FnValue", "fn", "a + 1 == 2", "true"),
        change(source, "FnValue", "fn", "a + 1 == 2", "false"),
        change(source, "BinaryOperator", "fn", "==", "!="),
        change(source, "BinaryOperator", "fn", "+", "-"),
        change(source, "BinaryOperator", "fn", "+", "*"),
    ];
    let Switched { text, regions, .. } = with_switches(source, &changes);
    let blamed = |text_of: &str| to_blame(&regions, text.find(text_of).expect(text_of));
    assert_eq!(blamed("return true"), Some(0));
    assert_eq!(blamed("a + 1 != 2"), Some(2));
    assert_eq!(blamed("a - 1"), Some(3));
    assert_eq!(blamed("a + 1 })"), Some(4));
    assert_eq!(blamed("== 2 })"), Some(2));
    assert_eq!(blamed("fn f"), Some(1));
}

/// A condition that binds a name is no value, and a compiler asks no environment.
#[test]
fn no_switch_stands_where_none_can() {
    let binding = "fn f(a: Option<u8>) { if let Some(0) = a && true {} }";
    assert_eq!(with_switch(binding, "BinaryOperator", "&&", "||"), binding);
    let constant = "const fn f() -> u8 { g() } const fn g() -> u8 { 1 + 1 } const A: u8 = f() + 1;";
    assert_eq!(with_switch(constant, "BinaryOperator", "+", "-"), constant);
    let late = change(constant, "BinaryOperator", "const A", "+", "-");
    assert_eq!(with_switches(constant, &[late]).numbers, BTreeSet::new());
}

#[test]
fn what_no_constant_calls_need_not_be_constant() {
    let text = with_switch("const fn f() -> u8 { 1 + 1 }", "BinaryOperator", "+", "-");
    let expected = "/*const*/ fn f() -> u8 { (if crate::mutant(0) { 1 - 1 } else { 1 + 1 }) }";
    assert_eq!(text, expected);
}

#[test]
fn a_count_says_what_came_of_all() {
    use Outcome::{Caught, NotCompiling, RunsForEver, Unnoticed};
    let count = Count::new(&[Caught, Caught, NotCompiling, RunsForEver, Caught, Unnoticed]);
    let expected = "6 changes of the model: 1 do not compile, 3 fail a test, 1 make a test run \
                    for ever, 1 are noticed by no test";
    assert_eq!(count.to_string(), expected);
}

#[test]
fn a_line_takes_the_place_of_the_one_before() {
    let readme = |line| {
        format!(
            "a\n<!-- mutants: begin (written by `just mutants`) -->\n{line}\n<!-- mutants: end -->\nb\n"
        )
    };
    assert_eq!(with_line(&readme("old"), "new"), Some(readme("new")));
    assert_eq!(with_line("a\nb\n", "new"), None);
}

/// A program that prints what each change alters.
const PROGRAM: &str = r#"
#[derive(Clone, Debug)]
struct Pair { a: i32, b: i32 }

fn sum(a: i32, b: i32) -> i32 { a + b * 2 }

fn sort(a: i32) -> &'static str {
    match a {
        1 => "one",
        a if a > 9 && a != 20 => "many",
        _ => "some",
    }
}

fn other(pair: Pair, b: i32) -> Pair { Pair { b, ..pair } }

fn main() {
    let pair = other(Pair { a: sum(1, 5), b: 3 }, -4);
    let sorts: Vec<_> = [0, 1, 9, 10, 20].map(sort).to_vec();
    let turned = !pair.a;
    println!("{pair:?} {sorts:?} {turned}");
}
"#;

/// Its changes.
fn changes_of_program() -> Vec<Change> {
    [
        ("FnValue", "fn sum", "a + b * 2", "-1"),
        ("BinaryOperator", "fn sum", "+", "-"),
        ("BinaryOperator", "fn sum", "*", "+"),
        ("FnValue", "fn sort", "match a {\n        1 => \"one\",\n        a if a > 9 && a != 20 => \"many\",\n        _ => \"some\",\n    }", "\"\""),
        ("MatchArm", "fn sort", "1 => \"one\",", ""),
        ("MatchArm", "fn sort", "a if a > 9 && a != 20 => \"many\",", ""),
        ("MatchArmGuard", "fn sort", "a > 9 && a != 20", "true"),
        ("MatchArmGuard", "fn sort", "a > 9 && a != 20", "false"),
        ("BinaryOperator", "a > 9", ">", ">="),
        ("BinaryOperator", "fn sort", "&&", "||"),
        ("BinaryOperator", "fn sort", "!=", "=="),
        ("StructField", "fn other", "b,", ""),
        ("UnaryOperator", "fn main", "-", ""),
        ("UnaryOperator", "let turned", "!", ""),
    ]
    .map(|(genre, from, text, new)| change(PROGRAM, genre, from, text, new))
    .to_vec()
}

/// Compiles this program, and says where it is.
fn compiled(name: &str, program: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let (source, executable) = (folder.join(format!("{name}.rs")), folder.join(name));
    fs::write(&source, program).expect("the program");
    let status = Command::new("rustc")
        .args(["--edition", "2024", "--cap-lints", "allow", "-C", "debuginfo=0", "-o"])
        .args([&executable, &source])
        .status();
    assert!(status.expect("rustc").success(), "{program}");
    executable
}

fn printed(executable: &PathBuf, switched_on: Option<usize>) -> String {
    let mut command = Command::new(executable);
    command.envs(switched_on.map(|number| ("MUTANT", number.to_string())));
    let output = command.output().expect("what it prints");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn a_program_with_a_change_switched_on_prints_what_the_changed_program_prints() {
    let changes = changes_of_program();
    let runtime = include_str!("../src/runtime.rs").replace("CHANGES", &changes.len().to_string());
    let switched = with_switches(PROGRAM, &changes);
    assert_eq!(switched.numbers.len(), changes.len());
    let all = compiled("switched", &(switched.text + &runtime));
    let unchanged = printed(&compiled("plain", PROGRAM), None);
    assert_eq!(printed(&all, None), unchanged);
    for (number, change) in changes.iter().enumerate() {
        let mut program = PROGRAM.to_owned();
        program.replace_range(change.range(PROGRAM), &change.replacement);
        let expected = printed(&compiled("changed", &program), None);
        assert_eq!(printed(&all, Some(number)), expected, "{}", change.name);
        assert_ne!(expected, unchanged, "{}", change.name);
    }
}
