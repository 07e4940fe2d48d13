//! Captures what a future's stages recorded.

use std::future::Future;

use ragtrace::testing::{self, Captured};

/// Runs `future` to its end on this thread, and returns the records of its stages.
///
/// # Panics
///
/// Panics if there is no runtime.
pub fn captured<F: Future>(future: F) -> (F::Output, Captured) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    match runtime {
        Ok(runtime) => runtime.block_on(testing::capture(future)),
        Err(error) => panic!("no runtime: {error}"),
    }
}
