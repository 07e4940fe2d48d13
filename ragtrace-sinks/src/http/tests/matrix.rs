//! Runs a minimal sink that uses the client against every answer a backend may give.

use std::time::Duration;

use hyper::header::HeaderName;
use ragtrace::Sink;
use ragtrace::sink::{Batch, BatchLimits, Delivered, SinkError};
use ragtrace_sinks_support::{Answer, Expected, Matrix};

use super::{builder, endpoint};
use crate::http::{Client, Compression, Endpoint, Key, Request, Row, Verdicts};

const SECRET: &str = "b7c1f0e2d3";

const VERDICTS: Verdicts = Verdicts::new(&[
    Row::accepted(202..=202),
    Row::park(401..=401).advise("check EXAMPLE_API_KEY"),
    Row::park(403..=403).advise("check EXAMPLE_API_KEY"),
]);

/// A sink that sends records as lines of JSON.
struct Lines {
    client: Client,
    endpoint: Endpoint,
    key: Key,
    compression: Compression,
}

impl Lines {
    fn new(url: &str) -> Self {
        Self {
            client: builder().timeout(Duration::from_millis(700)).build(),
            endpoint: endpoint(url).join("/v1/lines"),
            key: Key::text(SECRET),
            compression: Compression::gzip(Compression::FAST),
        }
    }
}

impl Sink for Lines {
    fn name(&self) -> &'static str {
        "lines"
    }

    fn limits(&self) -> BatchLimits {
        BatchLimits::default().with_age(Duration::from_millis(20))
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        let mut writer = self.compression.begin();
        for record in batch.records() {
            writer.staged().extend_from_slice(record.to_json().as_bytes());
            writer.staged().push(b'\n');
            writer.settle();
        }
        let body = writer.finish().map_err(SinkError::retry)?;
        let request = Request::post(&self.endpoint)
            .key(HeaderName::from_static("x-api-key"), "", &self.key)
            .body("application/jsonl", &body);
        VERDICTS.judge(&self.client.send(&request).await?)?;
        Ok(Delivered::all())
    }
}

#[test]
fn a_sink_over_the_client_gives_every_verdict_and_loses_nothing() {
    let repeats = |status: u16| Answer::status(status).body(format!("no such key: {SECRET}"));
    Matrix::new(Lines::new, |_| Answer::status(202))
        .secret(SECRET)
        .answer("202", Answer::status(202).body("{}"), Expected::Delivered)
        .answer("200 with garbage", Answer::status(200).body("\u{0}<html>"), Expected::Delivered)
        .status(302, Expected::Park)
        .status(400, Expected::Rejected)
        .answer("401", repeats(401), Expected::Park)
        .answer("403", repeats(403), Expected::Park)
        .status(404, Expected::Park)
        .status(408, Expected::Retry)
        .status(413, Expected::Split)
        .status(422, Expected::Rejected)
        .answer("429 in seconds", Answer::status(429).header("retry-after", "1"), Expected::RetryAfter(1, 1))
        .answer("429 of Datadog's", Answer::status(429).header("x-ratelimit-reset", "1"), Expected::RetryAfter(1, 1))
        .status(500, Expected::Retry)
        .answer("503", repeats(503), Expected::Retry)
        .poison(Answer::status(400).body("no such field"))
        .limit(6_000, Answer::status(413))
        .run();
}
