//! Limits on the records that wait in memory.

/// Limits on the memory of records that wait to be delivered. Records beyond the limits are dropped
/// and counted.
///
/// # Examples
///
/// ```
/// use ragtrace::QueueLimits;
///
/// let limits = QueueLimits::default().with_bytes(64 << 20).with_sink_records(500_000);
/// assert_eq!(limits.sink_bytes, 32 << 20);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueLimits {
    /// The bytes that may wait between all threads and the worker together. Defaults to 16 MiB.
    ///
    /// A stage takes 72 bytes, plus 8 for most numbers that it records, plus its texts. The limit
    /// is rounded up to whole blocks of 16 KiB. Each thread's first block is not counted.
    pub bytes: usize,
    /// The records that may wait in memory for one sink. Defaults to 131,072. With a spool, records
    /// over half of the limit go to disk.
    pub sink_records: usize,
    /// The bytes of memory that records waiting for one sink may take, as an estimate. Defaults to
    /// 32 MiB. Sinks share the memory of records.
    pub sink_bytes: usize,
}

impl Default for QueueLimits {
    /// Returns limits of 16 MiB for all threads, and of 131,072 records and 32 MiB for each sink.
    fn default() -> Self {
        Self { bytes: 16 << 20, sink_records: 131_072, sink_bytes: 32 << 20 }
    }
}

impl QueueLimits {
    /// Sets the limit in bytes between all threads and the worker.
    pub fn with_bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// Sets the limit in bytes for each sink.
    pub fn with_sink_bytes(mut self, bytes: usize) -> Self {
        self.sink_bytes = bytes;
        self
    }

    /// Sets the limit in records for each sink.
    pub fn with_sink_records(mut self, records: usize) -> Self {
        self.sink_records = records;
        self
    }
}
