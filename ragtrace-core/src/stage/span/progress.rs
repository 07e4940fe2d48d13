//! What a run knows of itself besides its ids, in one word.

use crate::stage::entry::AcceptedBy;
use crate::time::Ticks;

/// What else is known of a run: who accepted its start, or 0, in the lowest 8 bits; then 7 flags; and then nanoseconds
/// inside polls so far. Inside a poll the time of its beginning is taken off, so that adding that of its end gives the
/// sum: all of it modulo 2^49, which is 6 days. Before the run has begun, its fields' place on the desk is there instead.
#[derive(Clone, Copy, Debug)]
pub(super) struct Progress(pub(super) u64);

impl Progress {
    /// The run has begun.
    pub(super) const BEGUN: u64 = 1 << 8;
    /// There are no polls, so time inside them means nothing.
    pub(super) const CALL: u64 = 1 << 9;
    /// `record!` may add to the run. What is added is kept until the end, which only an accepted start has for certain.
    pub(super) const RECORDS: u64 = 1 << 10;
    /// The run has no parent in this process.
    pub(super) const LOCAL_ROOT: u64 = 1 << 11;
    /// The run shares the thread's request.
    pub(super) const SHARES: u64 = 1 << 12;
    /// What runs inside is being dropped.
    pub(super) const DROPS: u64 = 1 << 13;
    /// A panic was unwinding when that began.
    pub(super) const UNWINDS: u64 = 1 << 14;
    pub(super) const NANOS_SHIFT: u32 = 15;

    #[inline]
    pub(super) fn is(self, flag: u64) -> bool {
        self.0 & flag != 0
    }

    #[inline]
    pub(super) fn set(&mut self, flag: u64) {
        self.0 |= flag;
    }

    #[inline]
    pub(super) fn unset(&mut self, flag: u64) {
        self.0 &= !flag;
    }

    #[inline]
    pub(super) fn nanos(self) -> u64 {
        self.0 >> Self::NANOS_SHIFT
    }

    #[inline]
    pub(super) fn enter(&mut self, at: Ticks) {
        self.0 = self.0.wrapping_sub(at.0 << Self::NANOS_SHIFT);
    }

    #[inline]
    pub(super) fn leave(&mut self, at: Ticks) {
        self.0 = self.0.wrapping_add(at.0 << Self::NANOS_SHIFT);
    }

    #[inline]
    pub(super) fn accepted_by(self) -> Option<AcceptedBy> {
        let [by, ..] = self.0.to_le_bytes();
        AcceptedBy::new(by)
    }
}
