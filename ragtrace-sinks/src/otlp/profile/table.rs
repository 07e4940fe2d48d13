//! The table of a profile.

use std::time::Duration;

use ragtrace::sink::BatchLimits;

use super::project::ProjectHeader;
use crate::http::Verdicts;
use crate::otlp::proto::Attributes;
use crate::spans::Span;

/// The facts of a profile.
#[derive(Debug)]
pub(crate) struct ProfileTable {
    pub(crate) name: &'static str,
    /// The default URL.
    pub(crate) endpoint: &'static str,
    /// Advice if the backend accepts no logs after all, or `None` if it never does.
    pub(crate) no_logs: Option<&'static str>,
    /// The headers of all requests. `trace_headers` are for traces only.
    pub(crate) headers: &'static [(&'static str, &'static str)],
    pub(crate) trace_headers: &'static [(&'static str, &'static str)],
    /// The header of the key, and the prefix of the key in it.
    pub(crate) key: (&'static str, &'static str),
    /// The header of the project, or `None` if the backend has no projects.
    pub(crate) project: Option<ProjectHeader>,
    /// The default project, if one is required.
    pub(crate) default_project: Option<&'static str>,
    pub(crate) batch: BatchSize,
    pub(crate) verdicts: Verdicts,
    /// Writes a span's attributes.
    pub(crate) put: fn(&Span<'_>, &[&str], &mut Attributes<'_>),
    /// A product of the backend that counts cost, which no other sink may fill too.
    pub(crate) fills: Option<&'static str>,
}

/// The size of batches.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchSize {
    pub(crate) records: usize,
    /// The size of the records' canonical JSON, which is about as large as their attributes.
    pub(crate) bytes: usize,
    pub(crate) in_flight: usize,
}

impl BatchSize {
    pub(super) const CUSTOMARY: Self = Self { records: 1_000, bytes: 1 << 20, in_flight: 2 };

    pub(crate) fn limits(self) -> BatchLimits {
        BatchLimits::default()
            .with_records(self.records)
            .with_bytes(self.bytes)
            .with_age(Duration::from_secs(1))
            .with_in_flight(self.in_flight)
    }
}
