//! Tests an observer that is active only some of the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ragtrace_core::__private::{CatalogEntry, FieldDescriptor, open_bare, record};
use ragtrace_core::RequestContext;
use ragtrace_core::StageDescriptor;
use ragtrace_core::capture::CapturedEntries;
use ragtrace_core::context::Request;
use ragtrace_core::dispatch::ListenerGuard;
use ragtrace_core::entry::{Run, RunEnd};
use ragtrace_core::observer::{self, Observer};
use ragtrace_core::value::FieldBuffer;

static PLAIN: CatalogEntry = CatalogEntry::new(StageDescriptor::new("plain", "test"));
static RECORDS: CatalogEntry =
    CatalogEntry::new(StageDescriptor::new("stage", "test").with_fields(&[FieldDescriptor::record("pages", "u32")]));

#[derive(Default)]
struct Counts {
    began: AtomicUsize,
    recorded: AtomicUsize,
    ended: AtomicUsize,
}

static COUNTS: Counts =
    Counts { began: AtomicUsize::new(0), recorded: AtomicUsize::new(0), ended: AtomicUsize::new(0) };

impl Counts {
    fn taken(&self) -> [usize; 3] {
        [&self.began, &self.recorded, &self.ended].map(|count| count.swap(0, Ordering::Relaxed))
    }
}

impl Observer for Counts {
    fn began(&self, _: &Arc<Request>, _: &Run, _: &FieldBuffer) {
        self.began.fetch_add(1, Ordering::Relaxed);
    }

    fn recorded(&self, _: &Run, _: &FieldBuffer) {
        self.recorded.fetch_add(1, Ordering::Relaxed);
    }

    fn ended(&self, _: &Arc<Request>, _: &Run, _: &RunEnd, _: &FieldBuffer) {
        self.ended.fetch_add(1, Ordering::Relaxed);
    }
}

/// Calls `work` in a run of `stage`.
fn run(stage: &'static CatalogEntry, work: impl FnOnce()) {
    let mut span = open_bare(stage);
    let mut call = span.call();
    call.run(work);
    call.end(|_| ());
}

#[test]
fn an_observer_that_is_idle_hears_of_no_run_that_nobody_follows() {
    assert!(observer::add_idle(&COUNTS));
    let context = RequestContext::new().with_listener(CapturedEntries::new(None));
    let _enabled = ListenerGuard::begin();
    context.sync_scope(|| {
        let records = || record(RECORDS.get(), 0, &3_u32);
        run(&PLAIN, || ());
        assert_eq!(COUNTS.taken(), [0, 0, 0]);
        // The run is followed because its body records fields.
        run(&RECORDS, records);
        assert_eq!(COUNTS.taken(), [1, 0, 1]);

        observer::activate();
        run(&PLAIN, || run(&RECORDS, records));
        assert_eq!(COUNTS.taken(), [2, 1, 2]);

        // A run that began earlier is followed to its end.
        run(&PLAIN, || {
            observer::deactivate();
            run(&PLAIN, || ());
        });
        assert_eq!(COUNTS.taken(), [1, 0, 1]);
    });
}
