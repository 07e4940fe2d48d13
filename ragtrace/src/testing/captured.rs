//! The records of a capture.

use std::fmt::{self, Display as _};
use std::sync::Arc;

use ragtrace_core::capture::CapturedEntries;
use ragtrace_core::{Event, Level, StageDescriptor};
use uuid::Uuid;

use super::View;
use super::names::expect_known;
use super::tree::Tree;
use crate::pipeline::Assembler;
use crate::record::{Origin, Record, RecordFilter, cut_items};

/// The records of a capture, in the order in which they were made.
#[derive(Clone)]
pub struct Captured {
    records: Arc<[Record]>,
}

impl Captured {
    pub(super) fn from_entries(entries: &CapturedEntries, is_reproducible: bool) -> Self {
        let origin = Origin { service: None, environment: None, version: None, host: None, instance: Uuid::nil() };
        let mut assembler = Assembler::new(Arc::new(origin), RecordFilter::new(Level::Trace, true));
        if is_reproducible {
            assembler.number_records();
        }
        entries.finish(|taken| assembler.add_entry(&taken, |_, _| true));
        let mut records = assembler.take_output(|_, _| true).records;
        cut_items(&mut records);
        Self { records: records.finish().into() }
    }

    /// Returns all records.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Returns a view of the records of the stage called `name`.
    ///
    /// # Panics
    ///
    /// Panics if there is no such stage: no annotated stage (see [`stages`](crate::stages)) and no
    /// captured record has this name. The message suggests the nearest names.
    #[track_caller]
    pub fn stage(&self, name: &str) -> View<'_> {
        expect_known(&self.records, name);
        self.view(name)
    }

    /// Returns a view of the records of the given stage.
    pub fn of(&self, stage: &StageDescriptor) -> View<'_> {
        self.view(stage.name())
    }

    /// Returns the records of log lines.
    pub fn logs(&self) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(|record| record.event() == Event::Log)
    }

    /// Returns the records of scores; [`Record::score`] returns the score of each.
    pub fn scores(&self) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(|record| record.event() == Event::Score)
    }

    fn view(&self, name: &str) -> View<'_> {
        let records = self.records.iter().filter(|record| record.stage() == Some(name)).collect();
        View::new(&self.records, records, format!("stage `{name}`"))
    }
}

impl fmt::Debug for Captured {
    /// Writes one line for each record, indented by the depth of its stage.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Tree(&self.records).fmt(f)
    }
}
