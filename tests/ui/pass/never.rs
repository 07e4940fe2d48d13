//! Functions that never return.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use ragtrace::{testing, traced_stage};
use ragtrace_tests::captured;

#[traced_stage(fields(message))]
fn fails(message: &str) -> ! {
    panic!("{message}")
}

#[traced_stage(record(turns: u32))]
async fn serves(mut turns: u32) -> ! {
    loop {
        turns += 1;
        record!(turns = turns);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[test]
fn a_function_that_never_returns_is_a_stage() {
    let (_, captured) = captured(async { tokio::time::timeout(Duration::from_millis(1_500), serves(0)).await });
    assert_eq!(captured.stage("serves").cancelled().one().metric("turns"), Some(2.0));
    let (caught, captured) =
        testing::capture_sync(|| std::panic::catch_unwind(AssertUnwindSafe(|| fails("on purpose"))).is_err());
    assert!(caught);
    assert_eq!(captured.stage("fails").failed().one().error().map(ragtrace::ErrorInfo::type_name), Some("panic"));
}
