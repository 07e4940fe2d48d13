//! Tests the interface for observers of runs.

use std::sync::{Arc, Mutex, PoisonError};

use ragtrace_core::__private::{CatalogEntry, ErrorProbe, open, open_bare, start_fields};
use ragtrace_core::capture::{CapturedEntries, ManualClock};
use ragtrace_core::context::Request;
use ragtrace_core::dispatch::ListenerGuard;
use ragtrace_core::entry::{Outcome, Run, RunEnd};
use ragtrace_core::observer::{self, Observer};
use ragtrace_core::value::FieldBuffer;
use ragtrace_core::value::encoding::DecodedFields;
use ragtrace_core::{RequestContext, SpanId, StageDescriptor, Timestamp};

static OUTER: CatalogEntry = CatalogEntry::new(StageDescriptor::new("outer", "test"));
static INNER: CatalogEntry = CatalogEntry::new(StageDescriptor::new("inner", "test"));

/// Collects each call as a line of text.
struct Notes(Mutex<Vec<String>>);

impl Notes {
    fn add(&self, line: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

fn values(fields: &FieldBuffer) -> String {
    DecodedFields(&fields.to_encoded()).fold(String::new(), |all, (_, value)| format!("{all} {value}"))
}

impl Observer for Notes {
    fn began(&self, request: &Arc<Request>, run: &Run, fields: &FieldBuffer) {
        assert_eq!(request.user_id.as_deref(), Some("alice"));
        self.add(format!("{} began{}", run.stage.name(), values(fields)));
    }

    fn entered(&self, _: &Arc<Request>, run: &Run) {
        self.add(format!("{} entered", run.stage.name()));
    }

    fn left(&self, span: SpanId) {
        self.add(format!("{} left", span.as_u64()));
    }

    fn ended(&self, _: &Arc<Request>, run: &Run, end: &RunEnd, fields: &FieldBuffer) {
        let outcome = if end.outcome == Outcome::Failed { "failed" } else { "ended" };
        self.add(format!("{} {outcome}{}", run.stage.name(), values(fields)));
    }
}

#[test]
fn an_observer_hears_of_each_run_from_its_beginning_to_its_end() {
    static NOTES: Notes = Notes(Mutex::new(Vec::new()));
    assert!(observer::add(&NOTES));

    let clock = ManualClock::at(Timestamp::from_micros(0));
    let capture = CapturedEntries::new(Some(clock.clone()));
    let context = RequestContext::reproducible(clock.anchor()).with_user_id("alice").with_listener(capture);
    let _enabled = ListenerGuard::begin();
    let result: Result<(), std::fmt::Error> = context.sync_scope(|| {
        let mut fields = start_fields();
        fields.set(0, &7_u64);
        let mut outer = open(&OUTER, fields);
        let mut call = outer.call();
        let result = call.run(|| {
            let mut inner = open_bare(&INNER);
            let mut call = inner.call();
            let count = call.run(|| 3);
            call.end(|ending| ending.count(Some(count)));
            Err(std::fmt::Error)
        });
        call.end(|ending| {
            if let Err(error) = &result {
                ending.fail(ErrorProbe::new(error).capture());
            }
        });
        result
    });
    assert!(result.is_err());

    let heard = NOTES.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let error = "Error an error occurred when formatting an argument";
    assert_eq!(
        heard,
        [
            "outer began 7",
            "outer entered",
            "inner began",
            "inner entered",
            "2 left",
            "inner ended 3",
            "1 left",
            &format!("outer failed {error}"),
        ]
    );
}
