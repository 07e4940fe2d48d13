//! Checks that a record that can be read is written as JSON that reads back as the same record.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ragtrace::Record;

fuzz_target!(|text: &str| {
    let Ok(record) = Record::from_json(text) else { return };
    let written = record.to_json();
    assert!(serde_json::from_str::<serde_json::Value>(&written).is_ok(), "not JSON: {written}");
    let again = Record::from_json(&written).unwrap_or_else(|error| panic!("{error}: {written}"));
    assert_eq!(written, again.to_json());
});
