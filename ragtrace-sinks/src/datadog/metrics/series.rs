//! Writes series: one metric with its tags, and one point.

use std::time::Duration;

use ragtrace::__json::{Object, write_float, write_parts, write_text, write_whole};
use ragtrace::Timestamp;
use ragtrace::metrics::StageMinute;
use ragtrace::sink::Batch;

use super::sums::Sum;
use crate::datadog::attributes::write_unsigned;
use crate::datadog::settings::Settings;
use crate::datadog::tags::Tags;

/// The interval of a count: a minute, in seconds.
const MINUTE: u64 = 60;
const QUANTILES: [(&str, f64); 4] = [
    ("ragtrace.stage.duration.p50", 0.5),
    ("ragtrace.stage.duration.p95", 0.95),
    ("ragtrace.stage.duration.p99", 0.99),
    ("ragtrace.stage.duration.max", 1.0),
];

/// Writes the series of a batch's minutes.
pub(super) struct SeriesWriter<'a> {
    settings: &'a Settings,
    batch: &'a Batch,
    /// The second of their minute at which the batch's points lie.
    second: u64,
    is_empty: bool,
}

/// The type of a metric, by its number (Datadog API, "Submit metrics").
#[derive(Clone, Copy)]
enum Type {
    Count = 1,
    Gauge = 3,
}

#[derive(Clone, Copy)]
enum Number {
    Whole(u64),
    Float(f64),
}

struct Series<'a> {
    metric: &'static str,
    of_type: Type,
    unit: &'static str,
    time: i64,
    number: Number,
    outcome: Option<&'static str>,
    tags: &'a Tags,
}

impl<'a> SeriesWriter<'a> {
    pub(super) fn new(batch: &'a Batch, settings: &'a Settings) -> Self {
        let (high, low) = batch.id().as_u64_pair();
        Self { settings, batch, second: (high ^ low) % MINUTE, is_empty: true }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// Returns the time of a minute's points.
    pub(super) fn time_of(&self, sum: &Sum<'_>) -> Timestamp {
        sum.minute.plus(Duration::from_secs(self.second))
    }

    /// Writes all series of a minute.
    pub(super) fn write(&mut self, out: &mut Vec<u8>, sum: &Sum<'_>) {
        let time = self.time_of(sum).as_micros().div_euclid(1_000_000);
        let count = |metric, unit, number, outcome| Series {
            metric,
            of_type: Type::Count,
            unit,
            time,
            number,
            outcome,
            tags: &sum.tags,
        };
        for (outcome, runs) in outcomes(sum) {
            self.write_one(out, &count("ragtrace.stage.runs", "run", Number::Whole(runs), Some(outcome)));
        }
        if sum.items > 0 {
            self.write_one(out, &count("ragtrace.stage.items", "item", Number::Whole(sum.items), None));
        }
        if let Some(cost) = cost_of(sum) {
            self.write_one(out, &count("ragtrace.stage.cost", "dollar", Number::Float(cost), None));
        }
        for (metric, q) in QUANTILES {
            if let Some(duration) = sum.durations.quantile(q) {
                let number = Number::Float(duration.as_secs_f64());
                let of_type = Type::Gauge;
                let series = Series { metric, of_type, unit: "second", time, number, outcome: None, tags: &sum.tags };
                self.write_one(out, &series);
            }
        }
    }

    /// Returns the tags of a minute's series.
    pub(super) fn tags_of(&self, minute: &StageMinute) -> Tags {
        let Settings { service, environment, version, tags: extra, .. } = self.settings;
        let origin = self.batch.origin();
        let of = |known: Option<&'a str>, set: &'a Option<String>| known.or(set.as_deref());
        let mut tags = Tags::default();
        tags.add("stage", Some(minute.stage()));
        tags.add("kind", Some(minute.kind().as_str()));
        tags.add("tenant", minute.tenant_id());
        tags.add("env", of(origin.and_then(|origin| origin.environment()), environment));
        tags.add("service", of(origin.and_then(|origin| origin.service()), service));
        tags.add("version", of(origin.and_then(|origin| origin.version()), version));
        for tag in extra {
            tags.add_whole(tag);
        }
        tags
    }

    fn write_one(&mut self, out: &mut Vec<u8>, series: &Series<'_>) {
        if !std::mem::replace(&mut self.is_empty, false) {
            out.push(b',');
        }
        let mut object = Object::open(out);
        object.text("metric", series.metric);
        object.unsigned("type", series.of_type as u64);
        if matches!(series.of_type, Type::Count) {
            object.unsigned("interval", MINUTE);
        }
        object.text("unit", series.unit);
        object.list("points", &[series], |out, series| {
            let mut point = Object::open(out);
            write_whole(point.value("timestamp"), series.time);
            match series.number {
                Number::Whole(number) => write_unsigned(point.value("value"), number),
                Number::Float(number) => write_float(point.value("value"), number),
            }
            point.close();
        });
        let host = self.settings.hostname.as_deref();
        if let Some(host) = host.or(self.batch.origin().and_then(|origin| origin.host())) {
            object.list("resources", &[host], |out, host| {
                let mut resource = Object::open(out);
                resource.text("type", "host");
                resource.text("name", host);
                resource.close();
            });
        }
        let out = object.value("tags");
        out.push(b'[');
        if let Some(outcome) = series.outcome {
            write_parts(out, &["outcome:", outcome]);
            out.push(b',');
        }
        for (index, tag) in series.tags.all().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            write_text(out, tag);
        }
        out.push(b']');
        object.close();
    }
}

/// Returns the number of points that a minute makes.
pub(super) fn points_of(sum: &Sum<'_>) -> u64 {
    let of_counts = outcomes(sum).count() + usize::from(sum.items > 0) + usize::from(cost_of(sum).is_some());
    let of_durations = if sum.durations.is_empty() { 0 } else { QUANTILES.len() };
    (of_counts + of_durations) as u64
}

fn outcomes(sum: &Sum<'_>) -> impl Iterator<Item = (&'static str, u64)> {
    sum.runs.into_iter().filter(|(_, runs)| *runs > 0)
}

fn cost_of(sum: &Sum<'_>) -> Option<f64> {
    Some(sum.cost_usd).filter(|cost| cost.is_finite() && *cost != 0.0)
}
