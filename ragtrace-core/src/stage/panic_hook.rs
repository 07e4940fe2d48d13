//! The panic hook: notes each panic for the stages that it passes and, where a panic ends the process, has the last records
//! made and delivered.
//!
//! The hook that was there still runs. A hook that the application sets later replaces ours: stages then fail with `panic` and
//! no message.

use std::sync::Once;

use crate::observer;
use crate::stage::abort::{self, ActiveRuns, ENDS_THE_PROCESS};
use crate::stage::panic;

/// Chains the hook, once in a process.
pub fn install_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if ENDS_THE_PROCESS {
            // Among the first, so there is room.
            observer::add(&ActiveRuns);
        }
        let earlier = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            panic::note(info);
            let last_records = ENDS_THE_PROCESS.then(abort::begin);
            // What the user sees does not wait for what the backends get.
            earlier(info);
            if let Some(last_records) = last_records {
                last_records.wait();
            }
        }));
    });
}
