//! A program that has a subscriber, and still asks for another one.

use std::process::Command;

use ragtrace_tests_tracing::{Kept, finish, quiet};
use tracing_subscriber::prelude::*;

/// The variable that names the part this program plays when it starts itself.
const PART: &str = "CAPTURE_BESIDE_PART";

fn main() {
    match std::env::var(PART).as_deref() {
        Ok("with a layer") => {
            tracing_subscriber::registry().with(ragtrace::layer()).init();
            play();
        }
        Ok("without a layer") => {
            tracing_subscriber::registry().init();
            play();
        }
        Ok("with one for this thread") => {
            let _here = tracing_subscriber::registry().set_default();
            play();
        }
        Ok("with another logger") => {
            struct Logger;
            impl log::Log for Logger {
                fn enabled(&self, _: &log::Metadata<'_>) -> bool {
                    true
                }
                fn log(&self, record: &log::Record<'_>) {
                    println!("logged: {}", record.args());
                }
                fn flush(&self) {}
            }
            log::set_logger(&Logger).expect("the first");
            log::set_max_level(log::LevelFilter::Trace);
            play();
            assert_eq!(log::max_level(), log::LevelFilter::Trace, "it is not ours to change");
        }
        _ => {
            const ADD: &str = ".with(ragtrace::layer())";
            let (seen, told) = start("with a layer");
            assert_eq!((seen.as_str(), told.contains(ADD)), ("[\"an event\"]\n", false), "{told}");
            let (seen, told) = start("without a layer");
            assert_eq!((seen.as_str(), told.contains(ADD)), ("[]\n", true), "{told}");
            let (seen, told) = start("with one for this thread");
            assert_eq!((seen.as_str(), told.contains(ADD)), ("[]\n", true), "{told}");
            let (seen, told) = start("with another logger");
            assert_eq!((seen.as_str(), told.contains(ADD)), ("logged: a line\n[\"an event\"]\n", false), "{told}");
            println!("capture_beside: all of them as they should");
        }
    }
}

fn play() {
    let kept = Kept::default();
    let telemetry = quiet().capture_tracing(true).sink(kept.clone()).install().expect("the only one");
    tracing::info!("an event");
    log::info!("a line");
    finish(telemetry);
    println!("{:?}", kept.messages());
}

/// Starts this program in a part, and returns its standard output and standard error.
fn start(part: &str) -> (String, String) {
    let program = std::env::current_exe().expect("a path");
    let output = Command::new(program).env(PART, part).output().expect("it starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{part}: {}", text(&output.stderr));
    (text(&output.stdout), text(&output.stderr))
}
