//! Views of what was captured.

use std::collections::HashMap;
use std::fmt;

use ragtrace_core::{Event, SpanId, StageDescriptor};

use super::names::expect_known;
use super::tree::{Line, Tree};
use crate::record::Record;

/// Some of the captured records.
#[derive(Clone)]
pub struct View<'a> {
    /// All that was captured.
    all: &'a [Record],
    records: Vec<&'a Record>,
    what: String,
}

impl<'a> View<'a> {
    pub(super) fn new(all: &'a [Record], records: Vec<&'a Record>, what: String) -> Self {
        Self { all, records, what }
    }

    /// Returns the starts alone.
    pub fn started(&self) -> Self {
        self.only(Event::Started)
    }

    /// Returns the ends of runs that returned, and not an `Err`.
    pub fn completed(&self) -> Self {
        self.only(Event::Completed)
    }

    /// Returns the ends of runs that returned an `Err`, or panicked.
    pub fn failed(&self) -> Self {
        self.only(Event::Failed)
    }

    /// Returns the ends of runs that were dropped.
    pub fn cancelled(&self) -> Self {
        self.only(Event::Cancelled)
    }

    /// Asserts that every record belongs to a run inside a run of the stage `name`, at whatever
    /// depth, and returns the same records.
    ///
    /// ```
    /// use ragtrace::{testing, traced_stage};
    ///
    /// #[traced_stage]
    /// fn ingestion() {
    ///     chunking();
    /// }
    ///
    /// #[traced_stage]
    /// fn chunking() {}
    ///
    /// let ((), captured) = testing::capture_sync(ingestion);
    /// captured.stage("chunking").completed().within("ingestion").one();
    /// ```
    ///
    /// # Panics
    ///
    /// If one does not, or there are none at all: the test fails, and what was captured is printed.
    /// So it does where no stage has this name.
    #[track_caller]
    pub fn within(&self, name: &str) -> Self {
        expect_known(self.all, name);
        self.inside(name)
    }

    /// Asserts that every record belongs to a run inside a run of `stage`, at whatever depth, and
    /// returns the same records. See [`within`](Self::within), which takes a name.
    ///
    /// # Panics
    ///
    /// If a record belongs to no such run, or there are none at all: the test fails, and what was
    /// captured is printed.
    #[track_caller]
    pub fn within_stage(&self, stage: &StageDescriptor) -> Self {
        self.inside(stage.name())
    }

    #[track_caller]
    fn inside(&self, name: &str) -> Self {
        let Self { all, records, what } = self;
        assert!(!records.is_empty(), "expected records of {what} within `{name}`, found none; {}", Tree(all));
        let outside = records.iter().find(|record| !is_within(all, record, name));
        if let Some(record) = outside {
            let message = record.message();
            panic!("expected all records of {what} within `{name}`, found {message} outside; {}", Tree(all));
        }
        Self { what: format!("{what}, within `{name}`"), ..self.clone() }
    }

    /// Returns how many records there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Returns true if there are none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Returns the records, in the order they were made.
    pub fn iter(&self) -> impl Iterator<Item = &'a Record> + '_ {
        self.records.iter().copied()
    }

    /// Returns the only record.
    ///
    /// # Panics
    ///
    /// If there is none or more than one: the test fails, and what was captured is printed.
    #[track_caller]
    pub fn one(&self) -> &'a Record {
        match self.records[..] {
            [record] => record,
            _ => panic!("expected one record of {}, found {}; {}", self.what, self.len(), Tree(self.all)),
        }
    }

    fn only(&self, event: Event) -> Self {
        let records = self.records.iter().copied().filter(|record| record.event() == event).collect();
        Self { all: self.all, records, what: format!("{}, {event}", self.what) }
    }
}

impl fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} records of {}:", self.len(), self.what)?;
        self.records.iter().try_for_each(|record| writeln!(f, "{}", Line(record)))
    }
}

/// Returns true for a record that names a run and is none of it: a log line or a score.
fn is_said_inside(record: &Record) -> bool {
    matches!(record.event(), Event::Log | Event::Score)
}

/// Returns true if `record` belongs to a run that is part of a run of the stage `name`, as far as
/// that was captured.
fn is_within(records: &[Record], record: &Record, name: &str) -> bool {
    let runs: HashMap<SpanId, &Record> = records
        .iter()
        .filter(|record| !is_said_inside(record))
        .filter_map(|record| Some((record.span_id()?, record)))
        .collect();
    // A line that was logged inside a run is part of that, too, and so is its score.
    let mut around = if is_said_inside(record) { record.span_id() } else { record.parent_span_id() };
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
