//! What was captured, and views of it.

use std::fmt;
use std::sync::Arc;

use ragtrace_core::capture::Capture;
use ragtrace_core::{Event, Level, StageDescriptor};
use uuid::Uuid;

use crate::pipeline::Assembler;
use crate::record::{Origin, Record};

/// The records of a capture, in the order they were made.
#[derive(Clone)]
pub struct Captured {
    records: Arc<[Record]>,
}

impl Captured {
    pub(super) fn from_capture(capture: &Capture, is_made_up: bool) -> Self {
        let origin = Origin { service: None, environment: None, version: None, host: None, instance: Uuid::nil() };
        let mut assembler = Assembler::new(Arc::new(origin), Level::Trace);
        if is_made_up {
            assembler.number_records();
        }
        capture.finish(|taken| assembler.add_entry(&taken, |_, _| true));
        let records = assembler.take_output(|_, _| true).records.finish();
        Self { records: records.into() }
    }

    /// All records.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The records of the stage of this name.
    pub fn stage(&self, name: &str) -> View<'_> {
        let records = self.records.iter().filter(|record| record.stage() == Some(name)).collect();
        View { captured: self, records, what: format!("stage `{name}`") }
    }

    /// The records of this stage.
    pub fn of(&self, stage: &StageDescriptor) -> View<'_> {
        self.stage(stage.name())
    }
}

impl fmt::Debug for Captured {
    /// A line a record, indented by the depth of its stage.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.records.is_empty() {
            return f.write_str("nothing was captured");
        }
        writeln!(f, "captured:")?;
        let mut depths = std::collections::HashMap::new();
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
struct Line<'a>(&'a Record);

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

/// Some of the captured records.
#[derive(Clone)]
pub struct View<'a> {
    captured: &'a Captured,
    records: Vec<&'a Record>,
    what: String,
}

impl<'a> View<'a> {
    /// Only starts.
    pub fn started(&self) -> Self {
        self.only(Event::Started)
    }

    /// Only ends of stages that returned, and not an `Err`.
    pub fn completed(&self) -> Self {
        self.only(Event::Completed)
    }

    /// Only ends of stages that returned an `Err`, or panicked.
    pub fn failed(&self) -> Self {
        self.only(Event::Failed)
    }

    /// Only ends of stages that were dropped.
    pub fn cancelled(&self) -> Self {
        self.only(Event::Cancelled)
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The records.
    pub fn iter(&self) -> impl Iterator<Item = &'a Record> + '_ {
        self.records.iter().copied()
    }

    /// The only record.
    ///
    /// # Panics
    ///
    /// If there is none or more than one: the test fails, and what was captured is printed.
    #[track_caller]
    pub fn one(&self) -> &'a Record {
        match self.records[..] {
            [record] => record,
            _ => panic!("expected one record of {}, found {}; {:?}", self.what, self.len(), self.captured),
        }
    }

    fn only(&self, event: Event) -> Self {
        let records = self.records.iter().copied().filter(|record| record.event() == event).collect();
        Self { captured: self.captured, records, what: format!("{}, {event}", self.what) }
    }
}

impl fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} records of {}:", self.len(), self.what)?;
        self.records.iter().try_for_each(|record| writeln!(f, "{}", Line(record)))
    }
}
