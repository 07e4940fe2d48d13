//! The verdict of each sink on every answer.

use std::time::Duration;

use ragtrace::metrics::StageMinute;
use ragtrace::sink::{Batch, Verdict};
use ragtrace::testing::RecordBuilder;
use ragtrace::uuid::Uuid;
use ragtrace::{Sink, Timestamp};
use ragtrace_sinks::DatadogSink;
use ragtrace_sinks_support::{Answer, Expected, Matrix, Server};

use crate::intake::{self, KEY};
use crate::support::{run, sink};

fn of_url(url: &str) -> DatadogSink {
    DatadogSink::new(KEY).logs_url(url).api_url(url).timeout(Duration::from_millis(700))
}

#[test]
fn each_status_of_the_logs_intake_gets_the_verdict_that_is_documented() {
    let limited = |name, value: &str| Answer::status(429).header(name, value);
    let _alone = crate::support::telemetry();
    Matrix::new(of_url, intake::answer)
        .secret(KEY)
        .status(200, Expected::Delivered)
        .status(202, Expected::Delivered)
        .answer("202 with garbage", Answer::status(202).body("<html>"), Expected::Delivered)
        .status(302, Expected::Park)
        .status(400, Expected::Rejected)
        .status(401, Expected::Park)
        .status(403, Expected::Park)
        .answer("403 that repeats the key", Answer::status(403).body(format!("no key {KEY}")), Expected::Park)
        .status(404, Expected::Park)
        .status(408, Expected::Retry)
        .status(413, Expected::Split)
        .status(422, Expected::Rejected)
        .status(429, Expected::Retry)
        .answer("429 with seconds", limited("retry-after", "2"), Expected::RetryAfter(1, 2))
        .answer("429 with a reset", limited("x-ratelimit-reset", "1"), Expected::RetryAfter(1, 1))
        .status(500, Expected::Retry)
        .status(502, Expected::Retry)
        .status(503, Expected::Retry)
        .status(504, Expected::Retry)
        .poison(Answer::status(400))
        .limit(5_000, Answer::status(413))
        .run();
}

#[test]
fn the_others_judge_as_logs_do_and_say_whose_key_is_wrong() {
    let expected = [
        (400, Verdict::Rejected),
        (401, Verdict::Park),
        (403, Verdict::Park),
        (404, Verdict::Park),
        (408, Verdict::Retry),
        (413, Verdict::Split),
        (429, Verdict::Retry),
        (500, Verdict::Retry),
        (503, Verdict::Retry),
    ];
    let end = RecordBuilder::completed("a_stage").build();
    let score = RecordBuilder::score(ragtrace::RecordScore::new("good", true)).trace_id(ragtrace::TraceId::new());
    let minute = StageMinute::of(&end).expect("an end");
    let batch = Batch::new(Uuid::now_v7(), [end, score.build()]).with_metrics(Vec::new(), vec![minute]);
    let batch = batch.with_origin(crate::support::origin(), Timestamp::now());
    for (status, verdict) in expected {
        let server = Server::start(move |_| Answer::status(status));
        let logs = sink(&server);
        let (spans, proxied) = (logs.llm_observability("a"), sink(&server).agent(server.url()).llm_observability("a"));
        let errors = [
            run(logs.deliver(&batch)),
            run(logs.metrics().deliver(&batch)),
            run(spans.deliver(&batch)),
            run(spans.evaluations().deliver(&batch)),
            run(proxied.deliver(&batch)),
            run(proxied.evaluations().deliver(&batch)),
        ];
        for (index, error) in errors.into_iter().enumerate() {
            let error = error.expect_err("no success");
            assert_eq!(error.verdict(), verdict, "{index}: {status}: {error}");
            if status == 403 {
                let whose = if index < 4 { "DD_API_KEY" } else { "the Datadog Agent is set up with" };
                assert!(error.to_string().contains(whose), "{error}");
            }
            if status == 404 && index >= 4 {
                assert!(error.to_string().contains("`evp_proxy`"), "{error}");
            }
        }
    }
}
