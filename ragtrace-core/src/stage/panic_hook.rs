//! The panic hook: notes each panic for the stages that it passes and, where a panic ends the
//! process, has the last records made and delivered.
//!
//! A panic ends the process under `panic = "abort"`, and where it cannot unwind: in a destructor
//! while another one unwinds, in an `extern "C"` function. One that unwinds may be caught, and
//! nothing is held up for it.
//!
//! The hook that was there still runs. A hook that the application sets later replaces ours: stages
//! then fail with the panic's message, and without its place.

use std::cell::{Cell, RefCell};
use std::panic::PanicHookInfo;
use std::sync::Once;

use crate::guard::{contain, dispose, text_of};
use crate::observer;
use crate::stage::abort::{self, ActiveRuns, ENDS_THE_PROCESS};
use crate::stage::panic;

thread_local! {
    static IS_SILENT: Cell<bool> = const { Cell::new(false) };
    /// Where the last panic was that the hook kept silent about.
    static SILENCED_AT: RefCell<Option<String>> = const { RefCell::new(None) };
}

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
            if note_silenced(info) {
                return;
            }
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

/// Does `work`, and returns what it returns or where it panicked. Our hook, if it is the process's,
/// says nothing of that panic: its message may repeat what `work` was given. Where a panic ends the
/// process, all is as ever.
///
/// # Errors
///
/// If `work` panicked: where, as far as it is known.
pub fn catch_silently<T>(work: impl FnOnce() -> T) -> Result<T, Option<String>> {
    let before = IS_SILENT.try_with(|is_silent| is_silent.replace(true));
    let done = contain(work);
    if let Ok(before) = before {
        let _ = IS_SILENT.try_with(|is_silent| is_silent.set(before));
    }
    done.map_err(|payload| {
        dispose(payload);
        SILENCED_AT.try_with(RefCell::take).ok().flatten()
    })
}

/// Notes where a panic was that is to be kept silent about. Returns whether it is.
fn note_silenced(info: &PanicHookInfo<'_>) -> bool {
    if ENDS_THE_PROCESS || !IS_SILENT.try_with(Cell::get).unwrap_or(false) {
        return false;
    }
    let at = info.location().map(|at| format!("{}:{}:{}", at.file(), at.line(), at.column()));
    let _ = SILENCED_AT.try_with(|silenced| silenced.replace(at));
    true
}

/// Returns whether the process is aborted after the hook although panics unwind.
// `PanicHookInfo::can_unwind` is not stable. The `Debug` says it; its texts come from the standard
// library and the compiler.
fn cannot_unwind(info: &PanicHookInfo<'_>) -> bool {
    let said = format!("{info:?}");
    if said.contains("can_unwind: ") { said.contains("can_unwind: false") } else { is_follow_up(info) }
}

/// Returns whether the panic is the one that the standard library raises where another one cannot
/// unwind.
fn is_follow_up(info: &PanicHookInfo<'_>) -> bool {
    let texts = ["panic in a function that cannot unwind", "panic in a destructor during cleanup"];
    text_of(info.payload()).is_some_and(|text| texts.contains(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_panics_silently_is_located_and_another_panic_is_not() {
        install_hook();
        let at = catch_silently(|| panic!("a secret")).expect_err("it panicked");
        assert!(at.is_some_and(|at| at.contains("panic_hook.rs:")));
        assert_eq!(catch_silently(|| 7), Ok(7));
        assert!(!IS_SILENT.get());
    }
}
