//! The panic hook: notes each panic for the stages that it passes and, where a panic ends the process, has the last records
//! made and delivered.
//!
//! A panic ends the process under `panic = "abort"`, and where it cannot unwind: in a destructor while another one unwinds, in
//! an `extern "C"` function. One that unwinds may be caught, and nothing is held up for it.
//!
//! The hook that was there still runs. A hook that the application sets later replaces ours: stages then fail with the panic's
//! message, and without its place.

use std::panic::PanicHookInfo;
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
            let cannot_unwind = cannot_unwind(info);
            // What the run panicked with says more than that this could not go on.
            if !(cannot_unwind && is_follow_up(info) && panic::is_noted()) {
                panic::note(info);
            }
            let last_records = (ENDS_THE_PROCESS || cannot_unwind).then(abort::begin);
            // What the user sees does not wait for what the backends get.
            earlier(info);
            if let Some(last_records) = last_records {
                last_records.wait();
            }
        }));
    });
}

/// Returns whether the process is aborted after the hook although panics unwind.
// `PanicHookInfo::can_unwind` is not stable. The `Debug` says it; its texts come from the standard library and the compiler.
fn cannot_unwind(info: &PanicHookInfo<'_>) -> bool {
    let said = format!("{info:?}");
    if said.contains("can_unwind: ") { said.contains("can_unwind: false") } else { is_follow_up(info) }
}

/// Returns whether the panic is the one that the standard library raises where another one cannot unwind.
fn is_follow_up(info: &PanicHookInfo<'_>) -> bool {
    let texts = ["panic in a function that cannot unwind", "panic in a destructor during cleanup"];
    info.payload_as_str().is_some_and(|text| texts.contains(&text))
}
