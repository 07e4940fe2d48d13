//! Checks that a dead letter that can be read is written as one line that reads back as the same
//! dead letter.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ragtrace::fuzzing::rewrite_dead_letter;

fuzz_target!(|line: &str| {
    let Some(written) = rewrite_dead_letter(line) else { return };
    assert_eq!(written.matches('\n').count(), 1, "{written}");
    let again = rewrite_dead_letter(&written).unwrap_or_else(|| panic!("not read back: {written}"));
    assert_eq!(written, again);
});
