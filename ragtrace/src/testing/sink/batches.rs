//! The batches that a sink is tested with.

use std::sync::Arc;
use std::time::Duration;

use ragtrace_core::{Level, StageKind, Timestamp};
use uuid::Uuid;

use crate::metrics::{RequestMetric, StageMinute};
use crate::record::{Origin, Record, RecordBuilder, RecordFilter};
use crate::sink::{Batch, BatchLimits};

/// The maximum number of records in the largest batch, even if the sink allows more.
const MOST_RECORDS: usize = 20_000;
/// 2026-11-22T08:20:11Z, the time of all records that need no other.
const TIME: Timestamp = Timestamp::from_micros(1_795_335_611_123_456);

/// Makes batches of the records that the sink takes.
pub(super) struct Batches {
    origin: Arc<Origin>,
    filter: RecordFilter,
}

impl Batches {
    pub(super) fn new(filter: RecordFilter) -> Self {
        let origin = Origin::new(Uuid::now_v7()).with_service("sink-test").with_environment("test");
        Self { origin: Arc::new(origin.with_version("1.0").with_host("localhost")), filter }
    }

    /// Returns a batch of those records that the sink takes.
    pub(super) fn of(&self, records: impl IntoIterator<Item = RecordBuilder>) -> Batch {
        let records = records.into_iter().map(|record| record.origin(Arc::clone(&self.origin)).build());
        let records: Vec<_> = records.filter(|record| self.filter.takes_record(record)).collect();
        self.with_origin(Batch::new(Uuid::now_v7(), records))
    }

    /// Returns a batch of metrics of requests and stages, without records.
    pub(super) fn of_counts(&self) -> Batch {
        let ends = events().map(|record| record.origin(Arc::clone(&self.origin)).build());
        let ends: Vec<_> = ends.filter(|record| record.event().is_end()).collect();
        let requests = ends.iter().filter_map(RequestMetric::of).collect();
        let minutes = ends.iter().filter_map(StageMinute::of).collect();
        self.with_origin(Batch::new(Uuid::now_v7(), []).with_metrics(requests, minutes))
    }

    /// Returns a batch with as many records, or as many bytes, as the sink allows in one batch.
    pub(super) fn largest(&self, limits: BatchLimits) -> Batch {
        let text = "long ".repeat(40);
        let record = |number: u64| {
            let record = RecordBuilder::failed("sink_test.large", "LargeError", "it is one of many");
            record.timestamp(TIME).field("number", number).field("text", &text).count(number)
        };
        let (mut records, mut bytes): (Vec<Record>, usize) = (Vec::new(), 0);
        for number in 0.. {
            let record = record(number).origin(Arc::clone(&self.origin)).build();
            bytes += record.size_estimate();
            let is_over = records.len() >= limits.records.clamp(1, MOST_RECORDS) || bytes > limits.bytes;
            if is_over && !records.is_empty() {
                break;
            }
            records.push(record);
        }
        records.retain(|record| self.filter.takes_record(record));
        self.with_origin(Batch::new(Uuid::now_v7(), records))
    }

    fn with_origin(&self, batch: Batch) -> Batch {
        batch.with_origin(Arc::clone(&self.origin), Timestamp::now())
    }
}

fn end() -> RecordBuilder {
    RecordBuilder::failed("sink_test.end", "TestError", "it is a test").timestamp(TIME)
}

/// Returns a record of each event at each level; two of them belong to one run.
pub(super) fn events() -> impl Iterator<Item = RecordBuilder> {
    let started = RecordBuilder::started("sink_test.work").timestamp(TIME).user_id("alice").field("doc.name", "a.pdf");
    let failed = started.clone().failure("TestError", "it is a test").caused_by("nothing else");
    let logged = Level::ALL.map(|level| RecordBuilder::log("a line").timestamp(TIME).level(level));
    let others = [
        started,
        failed,
        RecordBuilder::completed("sink_test.work").timestamp(TIME).tenant_id("acme").count(3).metric("cost_usd", 0.25),
        RecordBuilder::cancelled("sink_test.work").timestamp(TIME),
    ];
    others.into_iter().chain(logged)
}

/// Returns records with texts that are often handled wrongly, each as a field and as a message.
pub(super) fn texts() -> impl Iterator<Item = RecordBuilder> {
    let texts = [
        String::new(),
        "a NUL\0in the middle".to_owned(),
        "👩‍👩‍👧‍👦 e\u{301} ümlaut 漢字 עברית \u{202e}backwards".to_owned(),
        "\u{feff}control \u{1}\u{8}\t\r\n\u{1b}[31m\u{7f}\u{85}\u{2028}\u{fffd}\u{10ffff}".to_owned(),
        r#"'; DROP TABLE logs; -- "quoted" \ $1 {"a": [1]} \u0000 %s"#.to_owned(),
        "8 KiB ".repeat(1_366),
    ];
    texts.into_iter().map(|text| {
        let of_text = end().failure(&text, &text).caused_by(&text).stack_trace(&text).logger(&text).thread(&text);
        let ids = of_text.request_id(&text).user_id(&text).tenant_id(&text).session_id(&text).request_type(&text);
        ids.field("text", &text).field(format!("name of {}", text.chars().take(32).collect::<String>()), 1)
    })
}

/// Returns a record with every part, and records with as few parts as possible.
pub(super) fn parts() -> impl Iterator<Item = RecordBuilder> {
    let all = end().kind(StageKind::Retrieve).request_id("req-1").user_id("alice").tenant_id("acme");
    let all = all.session_id("s-1").request_type("ask").thread("main").source("src/lib.rs", 1).count(7);
    let all = all.duration(Duration::from_millis(5)).busy(Duration::from_millis(2)).stack_trace("0: main");
    let all = all.field("flag", true).field("text", "a text").field("number", -1).metric("score", 0.5);
    [all, end(), RecordBuilder::log("").level(Level::Error)].into_iter()
}

/// Returns records with the greatest and smallest numbers and times.
pub(super) fn extremes() -> impl Iterator<Item = RecordBuilder> {
    let year_1 = Timestamp::from_micros(-62_135_596_800_000_000);
    let year_9999 = Timestamp::from_micros(253_402_300_799_999_999);
    let times = [Timestamp::from_micros(i64::MIN), year_1, Timestamp::from_micros(0), year_9999];
    let times = times.into_iter().chain([Timestamp::from_micros(i64::MAX)]).map(|time| end().timestamp(time));
    let whole = [0, 1, u64::MAX / 2 + 1, u64::MAX].map(|number| end().count(number).metric("whole", number));
    let negative = [i64::MIN, -1].map(|number| end().metric("negative", number).field("negative", number));
    let floats = [0.0, -0.0, f64::MIN_POSITIVE, f64::MAX, f64::MIN, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    let floats = floats.map(|number| end().metric("float", number).metric("cost_usd", number));
    let durations = [Duration::ZERO, Duration::from_nanos(1), Duration::from_nanos(u64::MAX - 1)];
    let durations = durations.map(|duration| end().duration(duration).busy(duration));
    times.chain(whole).chain(negative).chain(floats).chain(durations)
}

/// Returns ordinary records.
pub(super) fn plain(number: usize) -> impl Iterator<Item = RecordBuilder> {
    (0..number).map(|_| end())
}
