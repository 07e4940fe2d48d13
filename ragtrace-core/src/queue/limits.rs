//! How much may wait in memory.

/// How much may wait in memory before records are dropped, and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueLimits {
    /// Bytes that may wait between all threads and the worker. A stage takes 72 bytes, 8 more for most numbers that it
    /// records, and its texts. Rounded up to a whole block of 16 KiB; each thread has its first block besides.
    pub bytes: usize,
    /// Records that may wait in memory for one sink. With a spool, more than half of it goes to disk.
    pub sink_records: usize,
    /// Bytes of memory that they may take, as an estimate. Records are shared by the sinks.
    pub sink_bytes: usize,
}

impl Default for QueueLimits {
    /// 16 MiB from all threads; 131,072 records and 32 MiB a sink.
    fn default() -> Self {
        Self { bytes: 16 << 20, sink_records: 131_072, sink_bytes: 32 << 20 }
    }
}

impl QueueLimits {
    /// The same with another number of bytes between the threads and the worker.
    pub fn with_bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// The same with another number of bytes a sink.
    pub fn with_sink_bytes(mut self, bytes: usize) -> Self {
        self.sink_bytes = bytes;
        self
    }

    /// The same with another number of records a sink.
    pub fn with_sink_records(mut self, records: usize) -> Self {
        self.sink_records = records;
        self
    }
}
