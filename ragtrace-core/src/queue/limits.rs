//! How much may wait in memory.

/// Limits on the memory of records that wait to be delivered. What exceeds them is dropped, and
/// counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueLimits {
    /// Bytes that may wait between all threads and the worker. A stage takes 72 bytes, 8 more for
    /// most numbers that it records, and its texts. Rounded up to a whole block of 16 KiB; each
    /// thread has its first block besides.
    pub bytes: usize,
    /// Records that may wait in memory for one sink. With a spool, more than half of it goes to
    /// disk.
    pub sink_records: usize,
    /// Bytes of memory that they may take, as an estimate. Records are shared by the sinks.
    pub sink_bytes: usize,
}

impl Default for QueueLimits {
    /// Returns limits of 16 MiB from all threads; 131,072 records and 32 MiB a sink.
    fn default() -> Self {
        Self { bytes: 16 << 20, sink_records: 131_072, sink_bytes: 32 << 20 }
    }
}

impl QueueLimits {
    /// Sets the bytes between threads and worker.
    pub fn with_bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// Sets the bytes for each sink.
    pub fn with_sink_bytes(mut self, bytes: usize) -> Self {
        self.sink_bytes = bytes;
        self
    }

    /// Sets the records for each sink.
    pub fn with_sink_records(mut self, records: usize) -> Self {
        self.sink_records = records;
        self
    }
}
