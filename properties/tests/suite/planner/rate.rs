//! Rates as texts and as bounds.

use natlaw_model::time::Duration;
use natlaw_properties::planner::rate::{Rate, RateError};

fn rate(text: &str) -> Rate {
    text.parse().expect("a rate")
}

fn of(opens: u64, every_ms: u64) -> Rate {
    Rate::new(opens, every_ms).expect("neither is zero")
}

#[test]
fn a_rate_is_a_number_for_a_unit_of_time() {
    assert_eq!(rate("12/s"), of(12, 1_000));
    assert_eq!(rate("4.8/s"), of(48, 10_000));
    assert_eq!(rate(" 0.25 / min "), of(25, 6_000_000));
    assert_eq!(rate("1/h"), of(1, 3_600_000));
    assert_eq!(rate("3/ms"), of(3, 1));
}

#[test]
fn what_is_no_rate_says_what_was_expected() {
    for text in ["12", "12 s", "/s", "./s", "1./s", ".5/s", "-1/s", "1/day", "1.0000001/s"] {
        assert_eq!(text.parse::<Rate>(), Err(RateError::Shape(text.into())), "{text}");
    }
    assert_eq!("0/s".parse::<Rate>(), Err(RateError::Zero("0/s".into())));
    let high = "99999999999999999999/s";
    assert_eq!(high.parse::<Rate>(), Err(RateError::TooHigh(high.into())));
}

#[test]
fn parts_of_an_open_add_up() {
    let opens = |text: &str, ms| rate(text).opens_in(Duration::from_millis(ms));
    assert_eq!((opens("12/s", 83), opens("12/s", 84)), (0, 1));
    assert_eq!((opens("4.8/s", 4_999), opens("4.8/s", 5_000)), (23, 24));
    assert_eq!(opens("18446744073709551615/ms", u64::MAX), u64::MAX);
}

#[test]
fn a_rate_is_told_a_second() {
    let told = ["12/s", "4.8/s", "30/min", "1/h", "3/ms"].map(|text| rate(text).to_string());
    assert_eq!(told, ["12/s", "4.8/s", "0.5/s", "0/s", "3000/s"]);
}
