//! Views of captured records.

use std::collections::HashMap;
use std::fmt;

use ragtrace_core::{Event, SpanId, StageDescriptor};

use super::names::expect_known;
use super::tree::{Line, Tree};
use crate::record::Record;

/// A selection of captured records, such as those of one stage.
#[derive(Clone)]
pub struct View<'a> {
    /// All captured records.
    all: &'a [Record],
    records: Vec<&'a Record>,
    what: String,
}

impl<'a> View<'a> {
    pub(super) fn new(all: &'a [Record], records: Vec<&'a Record>, what: String) -> Self {
        Self { all, records, what }
    }

    /// Returns the start records.
    pub fn started(&self) -> Self {
        self.only(Event::Started)
    }

    /// Returns the end records of runs that completed.
    pub fn completed(&self) -> Self {
        self.only(Event::Completed)
    }

    /// Returns the end records of runs that returned an `Err` or panicked.
    pub fn failed(&self) -> Self {
        self.only(Event::Failed)
    }

    /// Returns the end records of runs that were dropped before their end.
    pub fn cancelled(&self) -> Self {
        self.only(Event::Cancelled)
    }

    /// Asserts that every record belongs to a run inside of a run of the stage `name`, at any
    /// depth, and returns the same view.
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
    /// Panics if a record belongs to no such run, if the view is empty, or if no stage has this
    /// name. The message shows all captured records.
    #[track_caller]
    pub fn within(&self, name: &str) -> Self {
        expect_known(self.all, name);
        self.inside(name)
    }

    /// Asserts that every record belongs to a run inside of a run of `stage`, at any depth, and
    /// returns the same view.
    ///
    /// See [`within`](Self::within), which takes a name.
    ///
    /// # Panics
    ///
    /// Panics if a record belongs to no such run, or if the view is empty. The message shows all
    /// captured records.
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

    /// Returns the number of records.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Returns `true` if the view is empty.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Returns the records, in the order in which they were made.
    pub fn iter(&self) -> impl Iterator<Item = &'a Record> + '_ {
        self.records.iter().copied()
    }

    /// Returns the only record of the view.
    ///
    /// # Panics
    ///
    /// Panics if there is no record or more than one. The message shows all captured records.
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

/// Returns `true` for a log line or a score, whose span id is that of the enclosing or judged run.
fn is_said_inside(record: &Record) -> bool {
    matches!(record.event(), Event::Log | Event::Score)
}

/// Returns `true` if `record` belongs to a run inside of a captured run of the stage `name`.
fn is_within(records: &[Record], record: &Record, name: &str) -> bool {
    let runs: HashMap<SpanId, &Record> = records
        .iter()
        .filter(|record| !is_said_inside(record))
        .filter_map(|record| Some((record.span_id()?, record)))
        .collect();
    // A log line or a score counts as inside of the run that its span id names.
    let mut around = if is_said_inside(record) { record.span_id() } else { record.parent_span_id() };
    // No chain of runs is longer than their number, even if the ids form a circle.
    for _ in 0..runs.len() {
        let Some(run) = around.and_then(|span| runs.get(&span)) else { return false };
        if run.stage() == Some(name) {
            return true;
        }
        around = run.parent_span_id();
    }
    false
}
