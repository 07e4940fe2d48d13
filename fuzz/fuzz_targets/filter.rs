//! Checks that page positions and filter times are either rejected or read, and that a printed
//! position reads back as the same one.
#![no_main]

#[expect(dead_code, reason = "part of the store's crate, without the code that uses it")]
#[path = "../../ragtrace-store/src/read/position.rs"]
mod position;
#[path = "../../ragtrace-cli/src/arguments/time.rs"]
mod time;

use libfuzzer_sys::fuzz_target;

use crate::position::Position;

fuzz_target!(|text: &str| {
    match time::parse(text) {
        Ok(time) => assert!(time::check_window(Some(time), Some(time)).is_err()),
        Err(advice) => assert!(!advice.is_empty()),
    }
    let Ok(position) = text.parse::<Position>() else { return };
    let printed = position.to_string();
    assert_eq!(printed.parse::<Position>().expect("it was printed"), position);
});
