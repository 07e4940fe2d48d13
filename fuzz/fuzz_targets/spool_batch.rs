//! Checks that a spool batch that can be read is written as bytes that read back as the same batch.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ragtrace::fuzzing::rewrite_batch;

fuzz_target!(|bytes: &[u8]| {
    let Ok(written) = rewrite_batch(bytes) else { return };
    let again = rewrite_batch(&written).unwrap_or_else(|why| panic!("{why}: {}", String::from_utf8_lossy(&written)));
    assert_eq!(String::from_utf8_lossy(&written), String::from_utf8_lossy(&again));
});
