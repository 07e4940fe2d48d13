//! The state of a run besides its ids, in one word.

use std::num::NonZeroU64;

use crate::entry::RecipientId;
use crate::time::Ticks;

/// Who accepted the run's start, or 0, in the lowest 8 bits; then 7 flags; and then nanoseconds
/// inside polls so far. Inside a poll the time of its beginning is taken off, so that adding that
/// of its end gives the sum: all of it modulo 2^49, which is 6 days.
///
/// One of the flags is always set, so that zero is left for a run that has not begun.
#[derive(Clone, Copy, Debug)]
pub(super) struct RunState(NonZeroU64);

impl RunState {
    const BEGUN: NonZeroU64 = NonZeroU64::new(1 << 8).expect("not zero");
    /// There are no polls, so time inside them means nothing.
    pub(super) const CALL: u64 = 1 << 9;
    /// Somebody keeps track of the run on its threads: `record!`, which may add to it, or an
    /// observer.
    pub(super) const TRACKED: u64 = 1 << 10;
    /// The run has no parent in this process.
    pub(super) const LOCAL_ROOT: u64 = 1 << 11;
    /// The run shares the thread's request.
    pub(super) const SHARES_REQUEST: u64 = 1 << 12;
    /// The body does not run any more: it is being dropped, or its result was being read when
    /// something panicked.
    pub(super) const ASIDE: u64 = 1 << 13;
    /// A panic was unwinding when the drop began.
    pub(super) const UNWINDING: u64 = 1 << 14;
    const NANOS_SHIFT: u32 = 15;

    /// Makes the state of a run that begins now, with these flags and whoever accepted it.
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
