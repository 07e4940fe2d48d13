//! Checks that redaction is complete after one pass: redacting the result changes nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ragtrace::Redactor;
use ragtrace::fuzzing::{is_secret, redacted};

fuzz_target!(|text: &str| {
    let redactor = Redactor::new();
    let _ = is_secret(&redactor, text);
    let Some(once) = redacted(&redactor, text) else { return };
    assert_ne!(once, text, "said to be changed, and is not");
    let again = redacted(&redactor, &once);
    assert!(again.is_none(), "{text:?}\nbecomes {once:?}\nand then {again:?}");
});
