//! Front doors: priority, latency, weights, fail-open, and what they learn.

use super::{answer, answers, rules};

fn edge(settings: &str, origins: &str) -> String {
    format!(
        r#"
        [clients.europe]
        entry = "edge"
        latency_ms = {{ a = 10 }}
        [front_doors.edge]
        {settings}
        origins = {{ {origins} }}
        [scale_units]
        a = {{ owns = ["acme"] }}
        b = {{ owns = ["bolt"] }}
        c = {{}}
        "#
    )
}

#[test]
fn the_fastest_of_the_best_priority_answers() {
    let slow_first =
        edge("", "a = { priority = 2 }, b = { latency_ms = 30 }, c = { latency_ms = 31 }");
    assert_eq!(answer(&slow_first, &["request europe"]), "europe > edge > b: delivered");
    assert_eq!(rules(&slow_first, &["request europe"]), ["entry", "priority 1, 30 ms, weight 50"]);
    assert_eq!(answer(&slow_first, &["fail b", "request europe"]), "europe > edge > c: delivered");
    let both = ["fail b", "fail c", "request europe"];
    assert_eq!(rules(&slow_first, &both), ["entry", "priority 2, 10 ms, weight 50"]);
}

#[test]
fn those_nearly_as_fast_take_turns_by_weight() {
    let near = edge(
        "sensitivity_ms = 5",
        "a = { weight = 2 }, b = { latency_ms = 15, weight = 1 }, c = { latency_ms = 16 }",
    );
    let said = answers(&near, &["request europe"; 6]);
    let of = |place| {
        said.iter().filter(|it| **it == format!("europe > edge > {place}: delivered")).count()
    };
    assert_eq!((of("a"), of("b"), of("c")), (4, 2, 0));
}

#[test]
fn when_all_are_down_each_has_its_turn_but_the_disabled() {
    let door = edge("", "a = {}, b = { priority = 2 }, c = { disabled = true }");
    let events = ["fail a", "fail b", "request europe", "request europe", "request europe"];
    let said = answers(&door, &events);
    assert_eq!(
        said[2..],
        [
            "europe > edge > a: unhealthy",
            "europe > edge > b: unhealthy",
            "europe > edge > a: unhealthy"
        ]
    );
    assert_eq!(rules(&door, &events), ["entry", "fail-open, all are down: round robin"]);
    let none = edge("", "a = { disabled = true }");
    assert_eq!(answer(&none, &["request europe"]), "europe > edge: no route: no origin");
    assert_eq!(answer(&door, &["fail edge", "request europe"]), "europe > edge: unhealthy");
}

#[test]
fn the_answer_teaches_where_an_account_lives() {
    let door =
        edge("affinity = \"60s\"", "a = {}, b = { latency_ms = 20 }, c = { latency_ms = 30 }");
    let asked = ["request europe bolt", "elapse 59999ms", "request europe bolt"];
    let said = answers(&door, &asked);
    assert_eq!(said[0], "europe > edge > a > b: delivered");
    assert_eq!(said[2], "europe > edge > b: delivered");
    assert_eq!(rules(&door, &asked), ["entry", "affinity of bolt learned until 60s"]);
    let late = ["request europe bolt", "elapse 60s", "request europe bolt"];
    assert_eq!(answer(&door, &late), "europe > edge > a > b: delivered");
    let other = ["request europe bolt", "request europe acme"];
    assert_eq!(answer(&door, &other), "europe > edge > a: delivered", "of one account only");
    let direct = ["request europe acme", "fail a", "mend a", "request europe acme"];
    assert_eq!(rules(&door, &direct)[1], "affinity of acme learned until 60s");
}

#[test]
fn what_was_learned_is_not_followed_to_a_unit_that_is_down() {
    let door = edge("affinity = \"60s\"", "a = {}, b = { latency_ms = 20 }");
    let down = ["request europe bolt", "fail b", "request europe bolt"];
    assert_eq!(answer(&door, &down), "europe > edge > a > b: unhealthy");
}

#[test]
fn nothing_is_learned_without_affinity_an_account_or_a_delivery() {
    let dull = edge("", "a = {}, b = { latency_ms = 20 }");
    assert_eq!(
        answer(&dull, &["request europe bolt", "request europe bolt"]),
        "europe > edge > a > b: delivered"
    );
    let door = edge("affinity = \"60s\"", "a = {}, b = { latency_ms = 20 }");
    let failed = ["fail b", "request europe bolt", "mend b", "request europe bolt"];
    assert_eq!(answer(&door, &failed), "europe > edge > a > b: delivered");
    assert_eq!(
        answer(&door, &["request europe", "request europe"]),
        "europe > edge > a: delivered"
    );
    let nobodys = ["request europe dodo", "request europe dodo"];
    assert_eq!(rules(&door, &nobodys)[1], "priority 1, 10 ms, weight 50");
    let elsewhere = edge("affinity = \"60s\"", "a = {}, c = { latency_ms = 20 }");
    let twice = ["request europe bolt", "request europe bolt"];
    assert_eq!(answer(&elsewhere, &twice), "europe > edge > a > b: delivered", "b is no origin");
}

/// A door before a name of two units, and a third unit after it.
fn door_before_a_name(manager: &str, a: &str, b: &str) -> String {
    format!(
        r#"
        [clients.europe]
        entry = "edge"
        [front_doors.edge]
        origins = {{ www = {{ priority = 1 }}, c = {{ priority = 2 }} }}
        [traffic_managers.www]
        method = "priority"
        {manager}
        endpoints = {{ a = {{ priority = 1, {a} }}, b = {{ priority = 2, {b} }} }}
        [scale_units]
        a = {{}}
        b = {{}}
        c = {{}}
        "#
    )
}

#[test]
fn a_name_looks_up_while_one_of_its_endpoints_is_online_or_not_yet_probed() {
    let both = door_before_a_name("", "", "");
    let checking = door_before_a_name("", "setting = \"checking\"", "");
    let out = door_before_a_name("disabled = true", "", "");
    let by_name = |at| format!("europe > edge > www > {at}: delivered");
    let beside = "europe > edge > c: delivered";
    assert_eq!(answer(&both, &["request europe"]), by_name("a"));
    assert_eq!(answer(&both, &["fail a", "request europe"]), by_name("b"));
    assert_eq!(answer(&both, &["fail a", "fail b", "request europe"]), beside);
    assert_eq!(answer(&checking, &["fail b", "request europe"]), by_name("a"));
    assert_eq!(answer(&out, &["request europe"]), beside, "a name that is disabled is down");
}

#[test]
fn what_looks_through_a_name_sees_the_same() {
    let listed = door_before_a_name("", "", "")
        .replace("entry = \"edge\"", "entry = \"index\"")
        .replace("[scale_units]", "[service_indexes.index]\nendpoints = [{ target = \"edge\" }, { target = \"c\" }]\n[scale_units]")
        .replace(", c = { priority = 2 }", "");
    assert_eq!(answer(&listed, &["request europe"]), "europe > index > edge > www > a: delivered");
    let both = ["fail a", "fail b", "request europe"];
    assert_eq!(answer(&listed, &both), "europe > index > c: delivered");
}

#[test]
fn an_origin_that_is_out_holds_up_nothing() {
    let listed = r#"
        [clients.europe]
        entry = "index"
        [service_indexes.index]
        endpoints = [{ target = "edge" }, { target = "c" }]
        [front_doors.edge]
        origins = { a = { disabled = true }, b = {} }
        [scale_units]
        a = {}
        b = {}
        c = {}
    "#;
    assert_eq!(answer(listed, &["request europe"]), "europe > index > edge > b: delivered");
    assert_eq!(answer(listed, &["fail b", "request europe"]), "europe > index > c: delivered");
}

/// A name and a door that lead to each other: what leads nowhere but back is down.
#[test]
fn a_door_that_leads_only_back_looks_down() {
    let round = r#"
        [clients.europe]
        entry = "www"
        [traffic_managers.www]
        method = "priority"
        endpoints = { edge = { priority = 1 }, a = { priority = 2 } }
        [front_doors.edge]
        origins = { www = { priority = 2 }, b = { priority = 1 } }
        [scale_units]
        a = {}
        b = {}
    "#;
    assert_eq!(answer(round, &["request europe"]), "europe > www > edge > b: delivered");
    assert_eq!(answer(round, &["fail b", "request europe"]), "europe > www > a: delivered");
}

#[test]
fn when_all_are_down_weights_count_for_nothing() {
    let door = edge("", "a = { weight = 5 }, b = { weight = 1 }");
    let said = answers(&door, &["fail a", "fail b", "request europe", "request europe"]);
    assert_eq!(said[2..], ["europe > edge > a: unhealthy", "europe > edge > b: unhealthy"]);
}

#[test]
fn a_learned_unit_is_followed_whatever_becomes_of_the_others() {
    let door = edge("affinity = \"30s\"", "a = { disabled = true }, b = {}");
    let twice = ["request europe bolt", "request europe bolt"];
    let learned = ["entry", "affinity of bolt learned until 30s"];
    assert_eq!(rules(&door, &twice), learned);
}
