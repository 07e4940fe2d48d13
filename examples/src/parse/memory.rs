//! The memory that reading documents may take, shared by all that are read at once.
//!
//! A document takes its [`Room`] before it is read and keeps it until it is stored, so that the
//! sum of all documents stays below the limit whatever is in them. It begins with a room by the
//! size of its file. If that is too small, it is read again alone, with everything.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The unit of account: 1 MiB.
const UNIT: u64 = 1 << 20;

/// The smallest limit, in which a process can at least start and read a short text.
const SMALLEST: u64 = 16 * UNIT;

/// The memory for documents. Clones share it.
#[derive(Debug, Clone)]
pub struct Memory {
    free: Arc<Semaphore>,
    units: u32,
}

impl Memory {
    /// Creates an account of `bytes`, rounded down to MiB; at least 16 MiB.
    pub fn new(bytes: u64) -> Self {
        let most = u64::try_from(Semaphore::MAX_PERMITS).unwrap_or(u64::MAX).min(u32::MAX.into());
        let units = (bytes.max(SMALLEST) / UNIT).min(most);
        // Both bounds were just applied.
        let (permits, units) = (usize::try_from(units).unwrap_or(usize::MAX), u32::try_from(units).unwrap_or(u32::MAX));
        Self { free: Arc::new(Semaphore::new(permits)), units }
    }

    /// Returns the limit in bytes.
    pub fn bytes(&self) -> u64 {
        u64::from(self.units) * UNIT
    }

    /// Waits for at least `bytes`, or for everything if that is less. Who waits first is served
    /// first.
    pub(super) async fn room(&self, bytes: u64) -> Room {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).clamp(1, self.units);
        let permit = Arc::clone(&self.free).acquire_many_owned(units).await.expect("the semaphore is never closed");
        Room { permit }
    }
}

impl Default for Memory {
    /// Creates an account of 320 MiB. With the program itself, and with texts on their way from one
    /// process to the other, a run stays below 500 MB.
    fn default() -> Self {
        Self::new(320 * UNIT)
    }
}

/// Memory that is set aside for a document, until this is dropped.
#[derive(Debug)]
pub struct Room {
    permit: OwnedSemaphorePermit,
}

impl Room {
    /// Returns the size in bytes.
    pub fn bytes(&self) -> u64 {
        self.permit.num_permits() as u64 * UNIT
    }

    /// Gives back all but `bytes`.
    pub(super) fn shrink(&mut self, bytes: u64) {
        let kept = usize::try_from(bytes.div_ceil(UNIT)).unwrap_or(usize::MAX).max(1);
        drop(self.permit.split(self.permit.num_permits().saturating_sub(kept)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn rooms_are_never_larger_than_the_memory_and_give_back_what_they_lack() {
        let memory = Memory::new(20 * UNIT + 7);
        assert_eq!(memory.bytes(), 20 * UNIT);
        let mut room = memory.room(u64::MAX).await;
        assert_eq!((room.bytes(), memory.free.available_permits()), (20 * UNIT, 0));
        room.shrink(3 * UNIT - 1);
        assert_eq!((room.bytes(), memory.free.available_permits()), (3 * UNIT, 17));
        room.shrink(9 * UNIT);
        assert_eq!(room.bytes(), 3 * UNIT, "a room does not grow");
        room.shrink(0);
        assert_eq!(room.bytes(), UNIT);
        drop(room);
        assert_eq!(memory.free.available_permits(), 20);
    }
}
