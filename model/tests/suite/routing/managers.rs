//! Traffic managers: methods, statuses, nesting, cached answers.

use natlaw_model::routing::selection::{Ask, Candidate};
use natlaw_model::routing::{Decisions, Documented, Method, Setting, Status, Tally};

use super::{answer, answers, rules, walk};

/// A client, a name with these endpoints, and three destinations.
fn managed(method: &str, endpoints: &str) -> String {
    format!(
        r#"
        [clients.europe]
        entry = "www"
        region = "eu"
        latency_ms = {{ a = 10, b = 20, c = 30 }}
        [clients.nowhere]
        entry = "www"
        [traffic_managers.www]
        method = "{method}"
        ttl = "60s"
        endpoints = {{ {endpoints} }}
        [destinations]
        a = {{ endpoint = "198.51.100.1:443" }}
        b = {{ endpoint = "198.51.100.2:443" }}
        c = {{ endpoint = "198.51.100.3:443" }}
        "#
    )
}

const BY_PRIORITY: &str = "a = { priority = 2 }, b = { priority = 1 }, c = { priority = 3 }";

#[test]
fn the_lowest_priority_that_is_up_answers() {
    let www = managed("priority", BY_PRIORITY);
    assert_eq!(answer(&www, &["request europe"]), "europe > www > b: delivered");
    assert_eq!(answer(&www, &["fail b", "request europe"]), "europe > www > a: delivered");
    let both = ["fail b", "fail a", "request europe"];
    assert_eq!(answer(&www, &both), "europe > www > c: delivered");
    assert_eq!(rules(&www, &both), ["entry", "priority 3"]);
}

#[test]
fn when_all_are_down_it_answers_as_if_all_were_up() {
    let www = managed("priority", BY_PRIORITY);
    let all = ["fail a", "fail b", "fail c", "request europe"];
    assert_eq!(answer(&www, &all), "europe > www > b: unhealthy");
    assert_eq!(rules(&www, &all), ["entry", "fail-open, all are down: priority 1"]);
}

#[test]
fn what_is_disabled_is_out_even_then() {
    let off = "b = { priority = 1, setting = \"disabled\" }, c = { priority = 3 }";
    let www = managed("priority", off);
    assert_eq!(answer(&www, &["request europe"]), "europe > www > c: delivered");
    assert_eq!(answer(&www, &["fail c", "request europe"]), "europe > www > c: unhealthy");
    let none = managed("priority", "b = { priority = 1, setting = \"disabled\" }");
    assert_eq!(answer(&none, &["request europe"]), "europe > www: no route: no answer");
    let whole = format!(
        "{none}\n[traffic_managers.other]\nmethod = \"weighted\"\ndisabled = true\n\
        endpoints = {{ a = {{}} }}\n[clients.x]\nentry = \"other\""
    );
    assert_eq!(answer(&whole, &["request x"]), "x > other: no route: no answer");
}

#[test]
fn what_has_not_been_probed_is_taken_for_up() {
    let www =
        managed("priority", "a = { priority = 1, setting = \"checking\" }, b = { priority = 2 }");
    assert_eq!(answer(&www, &["fail a", "request europe"]), "europe > www > a: unhealthy");
}

#[test]
fn the_nearest_that_is_up_answers() {
    let www = managed("performance", "a = {}, b = {}, c = {}");
    assert_eq!(rules(&www, &["request europe"]), ["entry", "least latency 10 ms"]);
    let walked = ["fail a", "request europe"];
    assert_eq!(answer(&www, &walked), "europe > www > b: delivered");
    assert_eq!(rules(&www, &walked), ["entry", "least latency 20 ms"]);
    let unknown = ["request nowhere"];
    assert_eq!(answer(&www, &unknown), "nowhere > www > a: delivered");
    assert_eq!(rules(&www, &unknown), ["entry", "latency unknown"]);
}

#[test]
fn in_the_other_reading_all_others_share_what_the_nearest_had() {
    let www = managed("performance-all-others", "a = {}, b = {}, c = {}");
    assert_eq!(rules(&www, &["request europe"]), ["entry", "least latency 10 ms"]);
    let ttl = "elapse 60s";
    let events = [
        "fail a",
        "request europe",
        ttl,
        "request europe",
        ttl,
        "request europe",
        ttl,
        "request europe",
        ttl,
        "request europe",
        ttl,
        "request europe",
    ];
    let said = answers(&www, &events);
    let to =
        |place: &str| said.iter().filter(|it| it.ends_with(&format!("{place}: delivered"))).count();
    assert_eq!(to("a"), 0);
    assert!(to("b") > 0 && to("c") > 0, "{said:?}");
    let of_rule = rules(&www, &["fail a", "request europe"]);
    assert_eq!(of_rule, ["entry", "nearest is down: any other"]);
    let open = ["fail a", "fail b", "fail c", "request europe"];
    assert_eq!(answer(&www, &open), "europe > www > a: unhealthy");
}

#[test]
fn a_region_has_one_answer_and_no_fail_over() {
    let www = managed("geographic", "a = { regions = [\"eu\"] }, b = { regions = [\"world\"] }");
    assert_eq!(rules(&www, &["request europe"]), ["entry", "region eu"]);
    assert_eq!(answer(&www, &["fail a", "request europe"]), "europe > www > a: unhealthy");
    assert_eq!(answer(&www, &["request nowhere"]), "nowhere > www > b: delivered");
    assert_eq!(rules(&www, &["request nowhere"]), ["entry", "region world"]);
    let narrow = managed("geographic", "a = { regions = [\"eu\"] }");
    assert_eq!(answer(&narrow, &["request nowhere"]), "nowhere > www: no route: no answer");
    let off = managed(
        "geographic",
        "a = { regions = [\"eu\"], setting = \"disabled\" }, b = { regions = [\"us\"] }",
    );
    assert_eq!(answer(&off, &["request europe"]), "europe > www: no route: no answer");
}

#[test]
fn a_region_that_is_mapped_nowhere_goes_with_the_world() {
    let www = managed("geographic", "a = { regions = [\"us\"] }, b = { regions = [\"world\"] }");
    assert_eq!(rules(&www, &["request europe"]), ["entry", "region world"]);
}

#[test]
fn weights_are_drawn_anew_for_each_answer() {
    let www = managed(
        "weighted",
        "a = { weight = 1 }, b = { weight = 1000 }, c = { setting = \"disabled\" }",
    )
    .replace("ttl = \"60s\"", "ttl = \"0s\"");
    let events: Vec<String> = (0..200).map(|key| format!("request europe #{key}")).collect();
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    let said = answers(&www, &events);
    let b = said.iter().filter(|it| *it == "europe > www > b: delivered").count();
    assert!(b >= 190, "{b} of 200");
    assert!(rules(&www, &["request europe"])[1].starts_with("drawn by weight "));
    let even = www.replace("1000", "1");
    let said = answers(&even, &events);
    let a = said.iter().filter(|it| *it == "europe > www > a: delivered").count();
    assert!((60..=140).contains(&a), "{a} of 200");
    assert_eq!(said, answers(&even, &events), "one seed, one trace");
    assert_ne!(said, answers(&format!("seed = 1\n{even}"), &events));
}

#[test]
fn an_answer_stands_until_its_time_is_over() {
    let www = managed("priority", BY_PRIORITY);
    let events = [
        "request europe",
        "fail b",
        "elapse 59999ms",
        "request europe",
        "elapse 1ms",
        "request europe",
    ];
    let said = answers(&www, &events);
    assert_eq!(said[3], "europe > b: unhealthy");
    assert_eq!(said[5], "europe > www > a: delivered");
    assert_eq!(rules(&www, &events[..4]), ["answer of www cached until 60s"]);
    let other = ["request europe", "fail b", "request nowhere"];
    assert_eq!(answer(&www, &other), "nowhere > www > a: delivered", "each keeps its own");
    let never = www.replace("60s", "0s");
    assert_eq!(
        answer(&never, &["request europe", "request europe"]),
        "europe > www > b: delivered"
    );
}

#[test]
fn nested_names_answer_as_one() {
    let nested = r#"
        [clients.europe]
        entry = "www"
        [traffic_managers.www]
        method = "priority"
        ttl = "30s"
        endpoints = { eu = { priority = 1, children_min = 2 }, c = { priority = 2 } }
        [traffic_managers.eu]
        method = "priority"
        ttl = "300s"
        endpoints = { a = { priority = 1 }, b = { priority = 2 } }
        [destinations]
        a = { endpoint = "198.51.100.1:443" }
        b = { endpoint = "198.51.100.2:443" }
        c = { endpoint = "198.51.100.3:443" }
    "#;
    assert_eq!(answer(nested, &["request europe"]), "europe > www > eu > a: delivered");
    let cached = ["request europe", "elapse 29s", "request europe"];
    assert_eq!(rules(nested, &cached), ["answer of www cached until 30s"]);
    let over = ["request europe", "elapse 30s", "request europe"];
    assert_eq!(answer(nested, &over), "europe > www > eu > a: delivered");
    // One of two is less than the minimum: the parent goes elsewhere, though the child has one up.
    assert_eq!(answer(nested, &["fail b", "request europe"]), "europe > www > c: delivered");
    let one = nested.replace("children_min = 2", "children_min = 1");
    assert_eq!(answer(&one, &["fail a", "request europe"]), "europe > www > eu > b: delivered");
    // The child may be down as a whole.
    assert_eq!(answer(&one, &["fail eu", "request europe"]), "europe > www > c: delivered");
    let open = ["fail eu", "fail c", "request europe"];
    assert_eq!(answer(&one, &open), "europe > www > eu: unhealthy");
    let off = one.replace("ttl = \"300s\"", "disabled = true");
    assert_eq!(answer(&off, &["request europe"]), "europe > www > c: delivered");
    assert_eq!(answer(&off, &["fail c", "request europe"]), "europe > www > c: unhealthy");
}

#[test]
fn a_walk_ends_where_the_name_that_was_asked_is_down() {
    let www = managed("priority", BY_PRIORITY);
    assert_eq!(answer(&www, &["fail www", "request europe"]), "europe > www: unhealthy");
    assert_eq!(walk(&www, &["request mars"]).to_string(), "no route: unknown");
    assert_eq!(walk(&www, &["request a"]).to_string(), "no route: unknown");
}

#[test]
fn what_cannot_fail_is_unknown() {
    let www = managed("priority", BY_PRIORITY);
    assert_eq!(
        answers(&www, &["fail europe", "mend europe", "fail mars", "mend mars"]),
        ["unknown"; 4]
    );
    assert_eq!(
        answers(&www, &["fail a", "fail a", "mend a", "mend a"]),
        ["down", "down", "up", "up"]
    );
    assert_eq!(
        answer(&www, &["fail b", "mend b", "request europe"]),
        "europe > www > b: delivered"
    );
}

#[test]
fn a_status_is_that_of_its_worst_endpoint() {
    let tally = |online, checking, degraded, out| Tally {
        online,
        checking,
        degraded,
        out,
        disabled: false,
    };
    for (tally, expected) in [
        (tally(1, 1, 1, 1), Status::Degraded),
        (tally(1, 1, 0, 1), Status::Online),
        (tally(0, 1, 0, 1), Status::Checking),
        (tally(0, 0, 0, 1), Status::Inactive),
        (Tally { disabled: true, ..tally(1, 0, 1, 0) }, Status::Disabled),
    ] {
        assert_eq!(tally.status(), expected);
        let answers = !matches!(expected, Status::Inactive | Status::Disabled);
        assert_eq!(tally.answers(), answers);
    }
    let mut counted = Tally::default();
    for status in [
        Status::Online,
        Status::Checking,
        Status::Checking,
        Status::Degraded,
        Status::Degraded,
        Status::Degraded,
        Status::Stopped,
        Status::Disabled,
        Status::Inactive,
        Status::Disabled,
    ] {
        counted.add(status);
    }
    assert_eq!(counted, tally(1, 2, 3, 4));
}

#[test]
fn a_nested_name_counts_its_online_endpoints() {
    let tally =
        |online, checking, degraded| Tally { online, checking, degraded, ..Tally::default() };
    for (tally, min, expected) in [
        (tally(2, 0, 5), 2, Status::Online),
        (tally(1, 1, 0), 2, Status::Checking),
        (tally(1, 0, 9), 2, Status::Degraded),
        (tally(0, 1, 0), 1, Status::Checking),
        (tally(0, 0, 1), 1, Status::Degraded),
        (tally(0, 0, 0), 1, Status::Stopped),
        (Tally { disabled: true, ..tally(2, 0, 0) }, 1, Status::Stopped),
    ] {
        assert_eq!(Documented.nested_status(&tally, min), expected);
    }
    assert_eq!(Documented.probed_status(Setting::Disabled, true), Status::Disabled);
    assert_eq!(Documented.probed_status(Setting::Checking, false), Status::Checking);
    assert_eq!(Documented.probed_status(Setting::Enabled, true), Status::Online);
    assert_eq!(Documented.probed_status(Setting::Enabled, false), Status::Degraded);
}

#[test]
fn in_use_and_available_are_two_things() {
    for (status, available, in_use) in [
        (Status::Online, true, true),
        (Status::Checking, true, true),
        (Status::Degraded, false, true),
        (Status::Stopped, false, false),
        (Status::Disabled, false, false),
        (Status::Inactive, false, false),
    ] {
        let said = (Documented.is_available(status), Documented.is_in_use(status));
        assert_eq!(said, (available, in_use), "{status:?}");
    }
    assert!(Documented.fails_open(&[Status::Degraded, Status::Disabled]));
    assert!(!Documented.fails_open(&[Status::Degraded, Status::Checking]));
}

#[test]
fn while_the_nearest_is_up_it_answers_every_time() {
    let www = managed("performance-all-others", "a = {}, b = {}, c = {}");
    let often: Vec<&str> = ["request europe", "elapse 60s"].into_iter().cycle().take(39).collect();
    let said = answers(&www, &often);
    assert!(said.iter().step_by(2).all(|it| it == "europe > www > a: delivered"), "{said:?}");
    let out = managed("performance-all-others", "a = { setting = \"disabled\" }, b = {}, c = {}");
    assert_eq!(rules(&out, &["request europe"]), ["entry", "least latency 20 ms"]);
}

#[test]
fn both_looks_for_another_endpoint_are_counted() {
    let candidate = |identity, available| Candidate {
        identity,
        priority: 1,
        weight: 1,
        latency_ms: u32::try_from(identity).unwrap(),
        available,
    };
    let candidates = [candidate(1, false), candidate(2, true), candidate(3, true)];
    let ask = Ask { key: 1, draw: 1 };
    let choose = |method, candidates: &[Candidate]| {
        Documented.choose_endpoint(method, ask, candidates).steps
    };
    let open = candidates.map(|it| Candidate { available: true, ..it });
    let apart = choose(Method::Performance, &open) + choose(Method::Weighted, &candidates);
    assert_eq!(choose(Method::PerformanceAllOthers, &candidates), apart);
}

#[test]
fn a_priority_says_nothing_where_latency_decides() {
    let www = managed("performance", "a = { priority = 9 }, b = { priority = 1 }");
    assert_eq!(answer(&www, &["request europe"]), "europe > www > a: delivered");
}

#[test]
fn an_answer_is_kept_for_a_minute_unless_told_otherwise() {
    let www = managed("priority", BY_PRIORITY).replace("ttl = \"60s\"", "");
    let cached = ["request europe", "elapse 59999ms", "request europe"];
    assert_eq!(rules(&www, &cached), ["answer of www cached until 60s"]);
}

/// The draws of one seed, once and for all.
#[test]
fn a_seed_draws_the_same_answers_on_every_machine() {
    let www = managed("weighted", "a = {}, b = {}, c = {}").replace("60s", "0s");
    let www = format!("seed = 7\n{www}");
    let often: Vec<String> = (0..40).map(|key| format!("request europe #{key}")).collect();
    let often: Vec<&str> = often.iter().map(String::as_str).collect();
    let said = answers(&www, &often);
    let places = said.iter().map(|it| it.trim_start_matches("europe > www > ").chars().next());
    assert_eq!(
        places.map(Option::unwrap).collect::<String>(),
        "bacababbacbbcbbacacbbaacabbbbbacacbaabac"
    );
}
