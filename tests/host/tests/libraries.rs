//! Libraries that a program shares with ragtrace behave as they do without it.

use serde_json::Value;

#[test]
fn an_object_sorts_its_members() {
    let object: Value = serde_json::from_str(r#"{"b":1,"c":2,"a":3}"#).unwrap();
    assert_eq!(object.to_string(), r#"{"a":3,"b":1,"c":2}"#);
}

#[test]
fn a_float_is_read_fast_and_not_to_the_last_bit() {
    let text = "1.29e-27";
    let (read, exact): (f64, f64) = (serde_json::from_str(text).unwrap(), text.parse().unwrap());
    assert_eq!(
        read.to_bits().abs_diff(exact.to_bits()),
        1,
        "serde_json's `float_roundtrip` is on, or it reads exactly now"
    );
}

#[test]
fn a_number_has_no_more_digits_than_a_float() {
    let number: Value = serde_json::from_str("0.1000000000000000055511151231257827").unwrap();
    assert_eq!(number.to_string(), "0.1", "serde_json's `arbitrary_precision` is on");
}

#[test]
fn an_object_as_deep_as_a_stack_is_refused() {
    let deep = "[".repeat(200) + &"]".repeat(200);
    assert!(serde_json::from_str::<Value>(&deep).is_err());
}

#[test]
fn no_level_of_a_log_is_compiled_away() {
    assert_eq!(log::STATIC_MAX_LEVEL, log::LevelFilter::Trace);
    assert_eq!(tracing::level_filters::STATIC_MAX_LEVEL, tracing::level_filters::LevelFilter::TRACE);
}
