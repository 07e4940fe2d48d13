//! The records of a capture.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use ragtrace_core::capture::Capture as Entries;
use ragtrace_core::{Event, Level, SpanId, StageDescriptor, stages};
use uuid::Uuid;

use crate::pipeline::Assembler;
use crate::record::{Origin, Record, RecordFilter};

use super::View;
use super::suggest::nearest;

/// The records of a capture, in the order they were made.
#[derive(Clone)]
pub struct Captured {
    records: Arc<[Record]>,
}

impl Captured {
    pub(super) fn from_entries(entries: &Entries, is_reproducible: bool) -> Self {
        let origin = Origin { service: None, environment: None, version: None, host: None, instance: Uuid::nil() };
        let mut assembler = Assembler::new(Arc::new(origin), RecordFilter::new(Level::Trace, true));
        if is_reproducible {
            assembler.number_records();
        }
        entries.finish(|taken| assembler.add_entry(&taken, |_, _| true));
        let records = assembler.take_output(|_, _| true).records.finish();
        Self { records: records.into() }
    }

    /// Returns all records.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Returns a view of the records of the stage of this name.
    ///
    /// # Panics
    ///
    /// If there is no such stage: none is annotated with the name (see [`stages`]), and none of it was captured. The test
    /// fails, and the nearest names are suggested.
    #[track_caller]
    pub fn stage(&self, name: &str) -> View<'_> {
        self.expect_known(name);
        self.view(name)
    }

    /// Returns a view of the records of this stage.
    pub fn of(&self, stage: &StageDescriptor) -> View<'_> {
        self.view(stage.name())
    }

    fn view(&self, name: &str) -> View<'_> {
        let records = self.records.iter().filter(|record| record.stage() == Some(name)).collect();
        View::new(self, records, format!("stage `{name}`"))
    }

    /// Fails the test if no stage can have this name.
    #[track_caller]
    pub(super) fn expect_known(&self, name: &str) {
        let captured = self.records.iter().filter_map(Record::stage);
        let declared = stages().into_iter().map(|stage| -> &str { stage.name() });
        let known: Vec<_> = captured.chain(declared).collect();
        if known.contains(&name) {
            return;
        }
        let quoted = |names: Vec<&str>| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
        let near = quoted(nearest(name, known));
        match near.join(" or ") {
            near if !near.is_empty() => panic!("no stage has the name `{name}`: did you mean {near}?"),
            _ => panic!("no stage has the name `{name}`; {self:?}"),
        }
    }

    /// Returns true if `record` belongs to a run that is part of a run of the stage `name`, as far as that was captured.
    pub(super) fn is_within(&self, record: &Record, name: &str) -> bool {
        let runs: HashMap<SpanId, &Record> = self
            .records
            .iter()
            .filter(|record| record.event() != Event::Log)
            .filter_map(|record| Some((record.span_id()?, record)))
            .collect();
        // A line that was logged inside a run is part of that, too.
        let is_line = record.event() == Event::Log;
        let mut around = if is_line { record.span_id() } else { record.parent_span_id() };
        // No chain is longer than all there is.
        for _ in 0..runs.len() {
            let Some(run) = around.and_then(|span| runs.get(&span)) else { return false };
            if run.stage() == Some(name) {
                return true;
            }
            around = run.parent_span_id();
        }
        false
    }
}

impl fmt::Debug for Captured {
    /// A line a record, indented by the depth of its stage.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.records.is_empty() {
            return f.write_str("nothing was captured");
        }
        writeln!(f, "captured:")?;
        let mut depths = HashMap::new();
        for record in self.records.iter() {
            let depth = record.parent_span_id().and_then(|parent| depths.get(&parent).copied()).unwrap_or(0);
            if let Some(span) = record.span_id() {
                depths.insert(span, depth + 1);
            }
            writeln!(f, "{:indent$}{}", "", Line(record), indent = depth * 2)?;
        }
        Ok(())
    }
}

/// A record as a line of a failure message.
pub(super) struct Line<'a>(pub(super) &'a Record);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = self.0;
        write!(f, "{}", record.message())?;
        if let Some(duration) = record.duration() {
            write!(f, " {duration:.1?}")?;
        }
        if let Some(count) = record.count() {
            write!(f, " count={count}")?;
        }
        for (name, value) in record.metrics().chain(record.context()) {
            write!(f, " {name}={value}")?;
        }
        if let Some(error) = record.error() {
            write!(f, " {}: {:?}", error.type_name(), error.message())?;
            error.chain().iter().try_for_each(|source| write!(f, " <- {source:?}"))?;
        }
        Ok(())
    }
}
