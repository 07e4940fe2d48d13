//! The workload `request`: a request after the other, each with its stages.

use crate::measure::{Sample, measure};

/// The number of stages in a request of the workload `request`, not counting its root.
pub const STAGES_IN_A_REQUEST: usize = 10;

/// Returns the number of requests that contain `stages` stages, including their roots.
pub const fn requests_of(stages: usize) -> usize {
    stages / (STAGES_IN_A_REQUEST + 1)
}

/// Runs as many requests as contain `stages` stages, one after the other, on a current-thread
/// runtime. Each figure of the sample is per request.
pub fn measure_requests(stages: usize, request: impl AsyncFn(u64), flush: impl FnMut() -> u64) -> Sample {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime without drivers");
    let burst = |requests: usize| {
        runtime.block_on(async {
            for n in 0..requests as u64 {
                request(n).await;
            }
        });
    };
    measure(requests_of(stages), burst, flush)
}
