//! Keeps the account of this process's slot.

use std::time::{Duration, Instant};

use ragtrace_core::Timestamp;

use super::account::{SlotAccount, SlotSink};
use super::store::SpoolStore;

/// The shortest time between two writes.
const INTERVAL: Duration = Duration::from_secs(1);

impl SpoolStore {
    /// Writes the account if something has changed, unless it was written a moment ago. Returns the
    /// time after which it should be written.
    pub(super) fn keep_account(&mut self, has_worked: bool) -> Option<Duration> {
        let keeper = &mut self.account;
        keeper.is_stale |= has_worked;
        if !keeper.is_stale {
            return None;
        }
        let left = keeper.written.as_ref().map(|(_, at)| INTERVAL.saturating_sub(at.elapsed()));
        if left.is_some_and(|left| !left.is_zero()) {
            return left;
        }
        self.write_account();
        None
    }

    /// Writes the account if something has changed.
    pub(super) fn write_account(&mut self) {
        self.account.is_stale = false;
        let Some(slot) = &self.slot else { return };
        let account = self.slot_account();
        if self.account.written.as_ref().is_some_and(|(written, _)| written.is_like(&account)) {
            return;
        }
        // It is of use only to people, and the disk's failures are reported elsewhere.
        let _ = account.write(slot.folder());
        self.account.written = Some((account, Instant::now()));
    }

    fn slot_account(&self) -> SlotAccount {
        let sink = |(name, batches, records): (&str, u64, u64)| SlotSink {
            name: name.to_owned(),
            batches,
            records,
            bytes: self.index.bytes(name),
            oldest: self.index.oldest(name).map(Timestamp::from_micros),
        };
        SlotAccount {
            at: Timestamp::now(),
            pid: std::process::id(),
            host: self.account.host.clone(),
            started_at: self.account.started_at,
            sinks: self.index.totals().filter(|(_, batches, _)| *batches > 0).map(sink).collect(),
            undecided_traces: self.undecided.traces(),
            trouble: self.failed.as_ref().map(|(why, _)| why.clone()),
        }
    }
}
