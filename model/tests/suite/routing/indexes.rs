//! Service indexes: the list, how a client chooses, and how long it keeps it.

use std::collections::BTreeSet;

use super::{answer, answers, rules};

fn index(choice: &str) -> String {
    format!(
        r#"
        [clients]
        studio = {{ entry = "index" }}
        named = {{ entry = "www" }}
        [traffic_managers.www]
        method = "weighted"
        ttl = "0s"
        endpoints = {{ index = {{}} }}
        [service_indexes.index]
        choice = "{choice}"
        ttl = "60s"
        endpoints = [{{ target = "b", weight = 9 }}, {{ target = "a" }}, {{ target = "c" }}]
        [destinations]
        a = {{ endpoint = "198.51.100.1:443" }}
        b = {{ endpoint = "198.51.100.2:443" }}
        c = {{ endpoint = "198.51.100.3:443" }}
        "#
    )
}

#[test]
fn the_first_of_the_list_that_is_up_is_taken() {
    let first = index("first-endpoint-first");
    assert_eq!(answer(&first, &["request studio"]), "studio > index > b: delivered");
    assert_eq!(rules(&first, &["request studio"]), ["entry", "number 1 of the list"]);
    let down = ["fail b", "request studio"];
    assert_eq!(rules(&first, &down), ["entry", "number 2 of the list"]);
    let all = ["fail a", "fail b", "fail c", "request studio"];
    assert_eq!(answer(&first, &all), "studio > index > b: unhealthy");
    assert_eq!(rules(&first, &all), ["entry", "fail-open, all are down: number 1 of the list"]);
}

#[test]
fn a_list_is_kept_until_its_time_is_over() {
    let first = index("first-endpoint-first");
    let known = ["request studio", "fail index", "fail b", "elapse 59999ms", "request studio"];
    assert_eq!(answer(&first, &known), "studio > a: delivered");
    assert_eq!(rules(&first, &known), ["number 2 of the list, list of index cached until 60s"]);
    let late = ["request studio", "fail index", "elapse 60s", "request studio"];
    assert_eq!(answer(&first, &late), "studio > index: unhealthy");
    let named = ["request named", "request named"];
    assert_eq!(answer(&first, &named), "named > www > index > b: delivered");
}

#[test]
fn a_list_may_be_drawn_from_or_hashed() {
    let asked: Vec<String> = (0..64).map(|key| format!("request studio #{key}")).collect();
    let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
    for choice in ["weighted", "consistent-hashing"] {
        let said: BTreeSet<String> = answers(&index(choice), &asked)[1..].iter().cloned().collect();
        let expected = ["a", "b", "c"].map(|to| format!("studio > {to}: delivered"));
        assert_eq!(said, expected.into(), "{choice}");
    }
    let hashed = index("consistent-hashing");
    assert_eq!(rules(&hashed, &["request studio"]), ["entry", "hash of who asks"]);
    let again = ["request studio", "request studio #3", "elapse 60s", "request studio"];
    let said = answers(&hashed, &again);
    assert_eq!(said[0], said[3], "one client, one endpoint");
    let drawn = rules(&index("weighted"), &["fail a", "fail c", "request studio"]);
    assert_eq!(drawn, ["entry", "drawn by weight 9"]);
}
