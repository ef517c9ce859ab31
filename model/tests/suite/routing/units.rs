//! Scale units: whose accounts they own, to whom they proxy, and how many at once.

use super::{answer, answers, rules};

const UNITS: &str = r#"
    [clients.europe]
    entry = "a"
    [scale_units]
    a = { owns = ["acme"], serves_from = "store", throttle = { proxied_max = 2, in_hand = "10s" } }
    b = { owns = ["bolt"] }
    [destinations]
    store = { endpoint = "198.51.100.1:443" }
"#;

#[test]
fn a_unit_serves_its_own_accounts_and_proxies_others() {
    assert_eq!(answer(UNITS, &["request europe acme"]), "europe > a > store: delivered");
    assert_eq!(rules(UNITS, &["request europe acme"]), ["entry", "serves from it"]);
    assert_eq!(answer(UNITS, &["request europe"]), "europe > a > store: delivered");
    assert_eq!(answer(UNITS, &["request europe nobodys"]), "europe > a > store: delivered");
    assert_eq!(answer(UNITS, &["request europe bolt"]), "europe > a > b: delivered");
    assert_eq!(rules(UNITS, &["request europe bolt"]), ["entry", "proxied to where bolt lives"]);
    assert_eq!(answer(UNITS, &["fail b", "request europe bolt"]), "europe > a > b: unhealthy");
    assert_eq!(answer(UNITS, &["fail a", "request europe bolt"]), "europe > a: unhealthy");
    assert_eq!(answer(UNITS, &["fail store", "request europe"]), "europe > a > store: unhealthy");
}

#[test]
fn a_unit_takes_so_many_requests_of_others_at_once() {
    let events = [
        "request europe bolt",
        "elapse 1s",
        "request europe bolt",
        "request europe bolt",
        "request europe acme",
        "elapse 8999ms",
        "request europe bolt",
        "elapse 1ms",
        "request europe bolt",
        "request europe bolt",
    ];
    let said = answers(UNITS, &events);
    assert_eq!(said[2], "europe > a > b: delivered");
    assert_eq!(said[3], "europe > a: refused: throttled");
    assert_eq!(said[4], "europe > a > store: delivered", "its own are not counted");
    assert_eq!(said[6], "europe > a: refused: throttled");
    assert_eq!(said[8], "europe > a > b: delivered", "the first is over");
    assert_eq!(said[9], "europe > a: refused: throttled");
}

#[test]
fn a_catalogue_that_is_old_misleads() {
    let stale = UNITS.replace(
        "b = { owns = [\"bolt\"] }",
        "b = { owns = [\"bolt\"], stale = { bolt = \"a\" } }",
    );
    assert_eq!(answer(&stale, &["request europe bolt"]), "europe > a > b > a: loop");
    let itself = UNITS.replace("a = { owns", "a = { stale = { acme = \"a\" }, owns");
    assert_eq!(answer(&itself, &["request europe acme"]), "europe > a > a: loop");
    let round = "hops_max = 3\n".to_string() + &stale;
    assert_eq!(answer(&round, &["request europe bolt"]), "europe > a > b: hop limit");
}

/// Two units behind a name, where the first refuses probes at its limit if they count.
fn probed(probes_count: bool) -> String {
    format!(
        r#"
        [clients.direct]
        entry = "a"
        [clients.europe]
        entry = "www"
        [traffic_managers.www]
        method = "priority"
        ttl = "0s"
        endpoints = {{ a = {{ priority = 1 }}, b = {{ priority = 2 }} }}
        [scale_units]
        a = {{ throttle = {{ proxied_max = 1, in_hand = "5s", probes_count = {probes_count} }} }}
        b = {{ owns = ["bolt"] }}
        "#
    )
}

#[test]
fn a_unit_at_its_limit_looks_down_where_probes_count() {
    let events =
        ["request europe", "request direct bolt", "request europe", "elapse 5s", "request europe"];
    let said = answers(&probed(true), &events);
    assert_eq!(said[0], "europe > www > a: delivered");
    assert_eq!(said[2], "europe > www > b: delivered");
    assert_eq!(said[4], "europe > www > a: delivered");
    let said = answers(&probed(false), &events);
    assert_eq!(said[2], "europe > www > a: delivered");
}

#[test]
fn a_unit_looks_down_when_what_it_serves_from_does() {
    let deep = probed(false)
        .replace(
            "[scale_units]",
            "[destinations]\nstore = { endpoint = \"198.51.100.1:443\" }\n[scale_units]",
        )
        .replace("a = { throttle", "a = { serves_from = \"store\", throttle");
    assert_eq!(answer(&deep, &["request europe"]), "europe > www > a > store: delivered");
    assert_eq!(answer(&deep, &["fail store", "request europe"]), "europe > www > b: delivered");
    let mutual = "[clients.europe]\nentry = \"a\"\n[scale_units]\na = { serves_from = \"b\" }\nb = { serves_from = \"a\" }";
    assert_eq!(answer(mutual, &["request europe"]), "europe > a > b > a: loop");
}

#[test]
fn units_that_serve_from_each_other_look_down() {
    let mutual = r#"
        [clients.europe]
        entry = "www"
        [traffic_managers.www]
        method = "priority"
        endpoints = { a = { priority = 1 }, c = { priority = 2 } }
        [scale_units]
        a = { serves_from = "b" }
        b = { serves_from = "a" }
        c = {}
    "#;
    assert_eq!(answer(mutual, &["request europe"]), "europe > www > c: delivered");
}

#[test]
fn what_is_proxied_is_in_hand_for_a_second_unless_told_otherwise() {
    let brief = UNITS.replace("proxied_max = 2, in_hand = \"10s\"", "proxied_max = 1");
    let after = |wait: &str| {
        answer(&brief, &["request europe bolt", &format!("elapse {wait}"), "request europe bolt"])
    };
    assert_eq!(after("999ms"), "europe > a: refused: throttled");
    assert_eq!(after("1s"), "europe > a > b: delivered");
}
