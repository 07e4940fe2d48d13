//! Records built by hand, and the checks for a custom sink.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ragtrace::sink::{Batch, BatchLimits, Delivered, Discard, JsonLines, Needs, SinkError};
use ragtrace::testing::RecordBuilder;
use ragtrace::testing::sink::{SinkReport, SinkTest};
use ragtrace::uuid::Uuid;
use ragtrace::{Event, Level, Origin, Record, Sink, SpanId, StageKind, Timestamp, TraceId, Value};

#[test]
fn a_record_by_hand_has_every_part_and_reads_back_from_its_json() {
    let (trace_id, span_id, parent) = (TraceId::new(), SpanId::new(), SpanId::new());
    let id = Uuid::from_u128(7);
    let timestamp: Timestamp = "2026-11-22T08:20:11.5Z".parse().expect("a time");
    let origin = Origin::new(Uuid::from_u128(1)).with_service("rag-api").with_environment("test");
    let record = RecordBuilder::failed("chunking", "IngestError", "it is empty")
        .caused_by("no bytes")
        .caused_by("no disk")
        .stack_trace("0: main")
        .id(id)
        .timestamp(timestamp)
        .level(Level::Warn)
        .logger("rag.ingestion")
        .kind(StageKind::Chunk)
        .trace_id(trace_id)
        .span_id(span_id)
        .parent_span_id(parent)
        .request_id("req-1")
        .user_id("alice")
        .tenant_id("acme")
        .session_id("s-1")
        .request_type("ingest")
        .origin(origin.with_version("1.4.2").with_host("box"))
        .thread("main")
        .duration(Duration::from_micros(12_345))
        .busy(Duration::from_micros(3_200))
        .count(128)
        .field("doc.name", "report.pdf")
        .field("absent", None::<u64>)
        .metric("avg_chars", 512.5)
        .metric("format", "pdf")
        .source("src/ingest.rs", 41)
        .build();
    assert_eq!((record.id(), record.timestamp(), record.level()), (id, timestamp, Level::Warn));
    assert_eq!((record.event(), record.message().as_ref()), (Event::Failed, "chunking_failed"));
    assert_eq!(
        (record.stage(), record.kind(), record.logger()),
        (Some("chunking"), Some(StageKind::Chunk), "rag.ingestion")
    );
    assert_eq!((record.trace_id(), record.span_id()), (Some(trace_id), Some(span_id)));
    assert_eq!((record.parent_span_id(), record.is_local_root()), (Some(parent), false));
    let ids = [record.request_id(), record.user_id(), record.tenant_id(), record.session_id(), record.request_type()];
    assert_eq!(ids, ["req-1", "alice", "acme", "s-1", "ingest"].map(Some));
    let process = [record.service(), record.environment(), record.version(), record.host(), record.thread()];
    assert_eq!(process, ["rag-api", "test", "1.4.2", "box", "main"].map(Some));
    assert_eq!(record.duration(), Some(Duration::from_micros(12_345)));
    assert_eq!((record.busy(), record.count()), (Some(Duration::from_micros(3_200)), Some(128)));
    let fields: Vec<_> = record.context().collect();
    assert_eq!(fields, [("doc.name", &Value::from("report.pdf")), ("format", &Value::from("pdf"))]);
    assert_eq!(record.metrics().collect::<Vec<_>>(), [("avg_chars", &Value::from(512.5))]);
    let error = record.error().expect("it failed");
    assert_eq!((error.type_name(), error.message()), ("IngestError", "it is empty"));
    assert_eq!(error.chain(), ["no bytes", "no disk"]);
    assert_eq!((record.stack_trace(), record.source()), (Some("0: main"), Some(("src/ingest.rs", 41))));
    assert_eq!(Record::from_json(&record.to_json()).expect("a record"), record);
}

#[test]
fn what_is_not_set_is_as_a_stage_would_leave_it() {
    let records = [
        RecordBuilder::started("work"),
        RecordBuilder::completed("work"),
        RecordBuilder::cancelled("work"),
        RecordBuilder::failed("work", "E", "m"),
    ];
    for (record, level) in records.into_iter().zip([Level::Info, Level::Info, Level::Warn, Level::Error]) {
        let (record, another) = (record.clone().build(), record.build());
        assert_eq!(record.level(), level);
        assert_eq!(record.duration().is_some(), record.event().is_end());
        assert!(record.is_local_root() && record.trace_id().is_some());
        assert_eq!(record.span_id(), another.span_id(), "a clone is of the same run");
        assert_ne!(record.id(), another.id(), "and another record");
        assert_eq!(record.instance(), another.instance());
        assert_eq!(Record::from_json(&record.to_json()).expect("a record"), record);
    }
    let line = RecordBuilder::log("a line").build();
    assert_eq!((line.event(), line.message().as_ref(), line.stage()), (Event::Log, "a line", None));
    assert_eq!((line.trace_id(), line.span_id(), line.duration(), line.is_local_root()), (None, None, None, false));
    let inside = RecordBuilder::log("a line").stage("work").user_id("alice").build();
    assert_eq!((inside.stage(), inside.user_id()), (Some("work"), Some("alice")));
}

/// Bytes that a sink writes and a test reads.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn records(&self) -> Vec<Record> {
        let bytes = self.0.lock().expect("whole");
        let lines = std::str::from_utf8(&bytes).expect("UTF-8").lines();
        lines.map(|line| Record::from_json(line).expect("a record")).collect()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("whole").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn lines_of_json_hold_whatever_a_pipeline_gives() {
    let lines = Shared::default();
    let counted = lines.clone();
    // A batch that comes again is written again, and its records keep their ids.
    let distinct = async move || counted.records().iter().map(Record::id).collect::<BTreeSet<_>>().len();
    SinkTest::new(JsonLines::new(lines.clone())).exactly_once(distinct).run_sync().assert_passed();
    let events: Vec<_> = lines.records().iter().map(Record::event).collect();
    for event in [Event::Started, Event::Completed, Event::Failed, Event::Cancelled, Event::Log] {
        assert!(events.contains(&event), "{event}");
    }
}

#[tokio::test]
async fn a_sink_that_forgets_and_one_with_a_level_pass() {
    let discard = Arc::new(Discard::new());
    SinkTest::new(Arc::clone(&discard)).run().await.assert_passed();
    assert!(discard.seen() > 1_000);
    let errors = Shared::default();
    SinkTest::new(JsonLines::new(errors.clone()).level(Level::Error)).run().await.assert_passed();
    let records = errors.records();
    assert!(!records.is_empty() && records.iter().all(|record| record.level() == Level::Error));
}

/// A sink with one fault.
#[derive(Clone)]
struct Wrong {
    fault: Fault,
    ids: Arc<Mutex<Vec<Uuid>>>,
    is_closed: Arc<Mutex<bool>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    Name,
    Check,
    DeliversInCheck,
    Loses,
    Repeats,
    RefusesEmoji,
    RefusesOneOfMany,
    Panics,
    Hangs,
    TooLarge,
    HangsAtTheEnd,
}

impl Wrong {
    fn test(fault: Fault) -> SinkReport {
        let sink = Self { fault, ids: Arc::default(), is_closed: Arc::default() };
        let ids = Arc::clone(&sink.ids);
        let count = async move || ids.lock().expect("whole").len();
        SinkTest::new(sink).exactly_once(count).timeout(Duration::from_millis(200)).run_sync()
    }
}

impl Sink for Wrong {
    fn name(&self) -> &str {
        if self.fault == Fault::Name { "a sink" } else { "wrong" }
    }

    fn limits(&self) -> BatchLimits {
        BatchLimits::default().with_records(100).with_in_flight(3)
    }

    fn needs(&self) -> Needs {
        Needs::default().with_all_end_records()
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        let has_emoji = |record: &Record| record.user_id().is_some_and(|user| user.contains('👩'));
        let has_nan = |record: &Record| record.metric("float").is_some_and(f64::is_nan);
        let records = batch.records();
        match self.fault {
            Fault::RefusesEmoji if records.iter().any(has_emoji) => return Err(SinkError::rejected("no emoji")),
            Fault::RefusesOneOfMany if records.iter().any(has_nan) => {
                let index = records.iter().position(has_nan).unwrap_or_default();
                return Ok(Delivered::partly([(index, "not a number".to_owned())]));
            }
            Fault::Panics if records.is_empty() => panic!("no first record"),
            Fault::Hangs if records.iter().any(has_emoji) => std::future::pending().await,
            Fault::TooLarge if records.len() > 99 => return Err(SinkError::split("more than 99 records")),
            _ => {}
        }
        let mut ids = self.ids.lock().expect("whole");
        let is_there = |ids: &[Uuid], record: &Record| ids.contains(&record.id());
        for record in records {
            if self.fault == Fault::Repeats || !is_there(&ids, record) {
                ids.push(record.id());
            }
        }
        if self.fault == Fault::Loses {
            ids.pop();
        }
        Ok(Delivered::all())
    }

    async fn check(&self) -> Result<String, SinkError> {
        match self.fault {
            Fault::Check => return Err(SinkError::park("set a key")),
            Fault::DeliversInCheck => self.ids.lock().expect("whole").push(Uuid::nil()),
            _ => {}
        }
        Ok("it works".to_owned())
    }

    async fn close(&self) {
        let was_closed = std::mem::replace(&mut *self.is_closed.lock().expect("whole"), true);
        if was_closed && self.fault == Fault::HangsAtTheEnd {
            std::future::pending::<()>().await;
        }
    }
}

#[test]
fn what_is_wrong_with_a_sink_is_said_in_words() {
    Wrong::test(Fault::None).assert_passed();
    for (fault, check, says) in [
        (
            Fault::Name,
            "a valid name, and limits that do not change",
            "the name \"a sink\" has to consist of 1 to 64 ASCII letters",
        ),
        (Fault::Check, "`check` before the first delivery, which delivers nothing", "Park: set a key"),
        (
            Fault::DeliversInCheck,
            "`check` before the first delivery, which delivers nothing",
            "the backend should have 0 records, and has 1",
        ),
        (Fault::Loses, "a record of each event and level", "the backend should have 9 records, and has 8"),
        (Fault::Repeats, "the same batch again", "the backend should have 9 records, and has 18"),
        (
            Fault::RefusesEmoji,
            "texts with NUL, emoji, control characters and 8 KiB",
            "a record is refused (Rejected: no emoji): {\"id\":",
        ),
        (Fault::RefusesOneOfMany, "extreme numbers and times", "is refused (not a number): {\"id\":"),
        (Fault::Panics, "an empty batch", "a batch without records is refused (`deliver` panicked:"),
        (
            Fault::Hangs,
            "texts with NUL, emoji, control characters and 8 KiB",
            "a batch of 6 records is refused (`deliver` did not return within 200ms)",
        ),
        (
            Fault::TooLarge,
            "the largest batch that its limits allow, undivided",
            "a batch of 100 records, which its limits allow, is refused (Split: more than 99 records)",
        ),
        (Fault::HangsAtTheEnd, "`close`, twice, and a batch afterwards", "`close` did not return within 200ms"),
    ] {
        let report = Wrong::test(fault);
        let first = report.faults().next().unwrap_or_default();
        assert!(!report.is_passed() && first.0 == check && first.1.contains(says), "{fault:?}: {report}");
        let printed = report.to_string();
        assert!(printed.contains("of 13 checks") && printed.contains(&format!("FAILED  {check}")), "{printed}");
    }
}
