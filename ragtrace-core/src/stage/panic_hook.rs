//! The panic hook. It leaves a note of each panic for the stages that the panic passes through. If
//! the panic aborts the process, it also has the last records written and delivered.
//!
//! A panic aborts the process under `panic = "abort"`, and where it cannot unwind: in a destructor
//! during another panic, or in an `extern "C"` function. Other panics may be caught, and the hook
//! does not delay them.
//!
//! The previously installed hook still runs. A hook that the application installs later replaces
//! this one. Stages then fail with the panic's message but without its location.

use std::cell::{Cell, RefCell};
use std::panic::PanicHookInfo;
use std::sync::Once;

use crate::guard::{contain, dispose, text_of};
use crate::observer;
use crate::stage::abort::{self, ActiveRuns, ENDS_THE_PROCESS};
use crate::stage::panic;

thread_local! {
    static IS_SILENT: Cell<bool> = const { Cell::new(false) };
    /// The location of the last panic that the hook did not report.
    static SILENCED_AT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Installs the hook. Only the first call in a process has an effect.
pub fn install_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if ENDS_THE_PROCESS {
            // One of the first observers, so there is room for it.
            observer::add(&ActiveRuns);
        }
        let earlier = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if note_silenced(info) {
                return;
            }
            let cannot_unwind = cannot_unwind(info);
            // The run's own panic is more informative than the follow-up panic that says it cannot
            // unwind.
            if !(cannot_unwind && is_follow_up(info) && panic::is_noted()) {
                panic::note(info);
            }
            let last_records = (ENDS_THE_PROCESS || cannot_unwind).then(abort::begin);
            // The application's output comes first; it does not wait for the delivery.
            earlier(info);
            if let Some(last_records) = last_records {
                last_records.wait();
            }
        }));
    });
}

/// Calls `work` and catches its panic without a report from this hook, because the panic's message
/// may contain secrets passed to `work`.
///
/// A hook that replaced this one still reports the panic. If panics abort the process, nothing
/// changes.
///
/// # Errors
///
/// Returns the panic's location, if it is known, if `work` panics.
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

/// Keeps the location of a panic that is not reported. Returns `true` if the panic is such a one.
fn note_silenced(info: &PanicHookInfo<'_>) -> bool {
    if ENDS_THE_PROCESS || !IS_SILENT.try_with(Cell::get).unwrap_or(false) {
        return false;
    }
    let at = info.location().map(|at| format!("{}:{}:{}", at.file(), at.line(), at.column()));
    let _ = SILENCED_AT.try_with(|silenced| silenced.replace(at));
    true
}

/// Returns `true` if the process will abort after the hook even though panics unwind in general.
// `PanicHookInfo::can_unwind` is not stable, but the `Debug` output shows it. The texts come from
// the standard library and the compiler.
fn cannot_unwind(info: &PanicHookInfo<'_>) -> bool {
    let said = format!("{info:?}");
    if said.contains("can_unwind: ") { said.contains("can_unwind: false") } else { is_follow_up(info) }
}

/// Returns `true` if this is the panic that the standard library raises when another panic cannot
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
