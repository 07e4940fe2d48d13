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
    /// The URL that it has unless one is set.
    pub(crate) endpoint: &'static str,
    /// The advice where nothing takes logs after all, if it is a backend that may.
    pub(crate) no_logs: Option<&'static str>,
    /// Headers of all requests, and those of traces alone.
    pub(crate) headers: &'static [(&'static str, &'static str)],
    pub(crate) trace_headers: &'static [(&'static str, &'static str)],
    /// The header of the key, and what stands before the key in it.
    pub(crate) key: (&'static str, &'static str),
    /// The header of the project, if there are projects.
    pub(crate) project: Option<ProjectHeader>,
    /// The project unless one is set, where there has to be one.
    pub(crate) default_project: Option<&'static str>,
    pub(crate) batch: BatchSize,
    pub(crate) verdicts: Verdicts,
    /// Writes a span's attributes.
    pub(crate) put: fn(&Span<'_>, &[&str], &mut Attributes<'_>),
    /// A product of the backend's that counts cost, which no other sink may fill as well.
    pub(crate) fills: Option<&'static str>,
}

/// How much is sent at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchSize {
    pub(crate) records: usize,
    /// Of the records' canonical JSON, which is about as large as their attributes.
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
