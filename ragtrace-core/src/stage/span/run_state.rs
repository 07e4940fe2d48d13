//! The state of a run apart from its ids, packed into one word.

use std::num::NonZeroU64;

use crate::entry::RecipientId;
use crate::time::Ticks;

/// The state of a run: 8 bits for the recipient that accepted the start, or 0; 7 flags; and 49 bits
/// for the nanoseconds spent in polls so far.
///
/// When a poll begins the time is subtracted, and when it ends the time is added, which yields the
/// sum. All of it is modulo 2^49 nanoseconds, or 6 days. One flag is always set, so that zero can
/// represent a run that has not begun.
#[derive(Clone, Copy, Debug)]
pub(super) struct RunState(NonZeroU64);

impl RunState {
    const BEGUN: NonZeroU64 = NonZeroU64::new(1 << 8).expect("not zero");
    /// The run is a synchronous call without polls, so the time in polls has no meaning.
    pub(super) const CALL: u64 = 1 << 9;
    /// The run is tracked on its threads, by `record!` or by an observer.
    pub(super) const TRACKED: u64 = 1 << 10;
    /// The run has no parent in this process.
    pub(super) const LOCAL_ROOT: u64 = 1 << 11;
    /// The run shares the thread's request.
    pub(super) const SHARES_REQUEST: u64 = 1 << 12;
    /// The body is no longer running: it is being dropped, or something panicked while its result
    /// was read.
    pub(super) const ASIDE: u64 = 1 << 13;
    /// A panic was unwinding when the drop began.
    pub(super) const UNWINDING: u64 = 1 << 14;
    const NANOS_SHIFT: u32 = 15;

    /// Returns the state of a run that begins at `at`, with the given flags and recipient.
    #[inline]
    pub(super) fn begun(flags: u64, at: Ticks) -> Self {
        let mut run_state = Self(Self::BEGUN | flags);
        run_state.enter(at);
        run_state
    }

    #[inline]
    pub(super) fn has(self, flag: u64) -> bool {
        self.0.get() & flag != 0
    }

    #[inline]
    pub(super) fn set(&mut self, flag: u64) {
        self.0 |= flag;
    }

    #[inline]
    pub(super) fn unset(&mut self, flag: u64) {
        self.0 = Self::BEGUN | (self.0.get() & !flag);
    }

    #[inline]
    pub(super) fn nanos(self) -> u64 {
        self.0.get() >> Self::NANOS_SHIFT
    }

    #[inline]
    pub(super) fn enter(&mut self, at: Ticks) {
        self.0 = Self::BEGUN | self.0.get().wrapping_sub(at.0 << Self::NANOS_SHIFT);
    }

    #[inline]
    pub(super) fn leave(&mut self, at: Ticks) {
        self.0 = Self::BEGUN | self.0.get().wrapping_add(at.0 << Self::NANOS_SHIFT);
    }

    #[inline]
    pub(super) fn accepted_by(self) -> Option<RecipientId> {
        let [by, ..] = self.0.get().to_le_bytes();
        RecipientId::new(by)
    }
}
