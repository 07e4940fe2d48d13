//! The verdicts on each backend's statuses, compared with the tables in its documentation.

use std::time::Duration;

use ragtrace::sink::{Delivered, SinkError, Verdict};
use ragtrace::testing::RecordBuilder;
use ragtrace_sinks::{OtlpProfile, OtlpSink};
use ragtrace_sinks_support::Expected::{Park, Rejected, Retry, RetryAfter, Split};
use ragtrace_sinks_support::{Answer, Expected, Matrix, Server};

use crate::fixture::{placed, trace};
use crate::receiver::deliver;

/// The verdicts for every backend that follows the specification ("OTLP/HTTP Response").
const OF_ALL: [(u16, Expected); 24] = [
    (200, Expected::Delivered),
    (202, Expected::Delivered),
    (204, Expected::Delivered),
    (301, Park),
    (307, Park),
    (400, Rejected),
    (401, Park),
    (402, Park),
    (403, Park),
    (404, Park),
    (405, Park),
    (406, Park),
    (407, Park),
    (408, Retry),
    (410, Park),
    (411, Park),
    (413, Split),
    (415, Park),
    (422, Rejected),
    (429, Retry),
    (502, Retry),
    (503, Retry),
    (504, Retry),
    (431, Park),
];

fn matrix(profile: OtlpProfile) -> Matrix<'static> {
    let make = move |url: &str| {
        OtlpSink::new(url).profile(profile).api_key("hunter2-key").timeout(Duration::from_millis(700)).named("matrix")
    };
    let matrix = Matrix::new(make, |_| Answer::status(200)).of_ends().secret("hunter2-key");
    OF_ALL.into_iter().fold(matrix, |matrix, (status, expected)| matrix.status(status, expected))
}

#[test]
fn the_specification_says_what_a_collectors_statuses_mean() {
    matrix(OtlpProfile::Collector)
        .status(500, Rejected)
        .status(501, Park)
        .status(505, Park)
        .status(507, Rejected)
        .answer("Retry-After in seconds", Answer::status(429).header("retry-after", "1"), RetryAfter(1, 1))
        .answer("200 with garbage", Answer::status(200).body("<html>"), Expected::Delivered)
        .run();
}

fn verdict(profile: OtlpProfile, answer: &Answer) -> Result<Delivered, SinkError> {
    let answer = answer.clone();
    let server = Server::start(move |_| answer.clone());
    deliver(&OtlpSink::new(&server.url()).profile(profile).api_key("hunter2-key"), trace())
}

#[test]
fn every_backend_means_by_a_status_what_its_documentation_says() {
    let hosted = [OtlpProfile::Langfuse, OtlpProfile::LangSmith, OtlpProfile::Datadog];
    for profile in OtlpProfile::ALL {
        // According to the specification these are not sent again. The operators of hosted backends
        // say otherwise.
        let of_server = if hosted.contains(profile) { Verdict::Retry } else { Verdict::Rejected };
        let own = |status: u16| match (profile, status) {
            (OtlpProfile::LangSmith, 409) => None,
            (OtlpProfile::Collector, 501 | 505)
            | (OtlpProfile::Mlflow, 500 | 501)
            | (OtlpProfile::Phoenix, 500 | 507)
            | (_, 409) => Some(Verdict::Park),
            (_, 425) => Some(Verdict::Retry),
            _ => Some(of_server),
        };
        let of_all = OF_ALL.iter().map(|(status, expected)| {
            let verdict = match expected {
                Expected::Delivered => None,
                Retry | RetryAfter(..) => Some(Verdict::Retry),
                Split => Some(Verdict::Split),
                Rejected => Some(Verdict::Rejected),
                Park => Some(Verdict::Park),
            };
            (*status, verdict)
        });
        let of_own = [409, 425, 500, 501, 505, 507].map(|status| (status, own(status)));
        for (status, expected) in of_all.chain(of_own) {
            let verdict = verdict(*profile, &Answer::status(status).body("no")).err().map(|error| error.verdict());
            assert_eq!(verdict, expected, "{profile} {status}");
        }
    }
}

#[test]
fn a_refusal_says_what_to_look_at() {
    let says = [
        (OtlpProfile::Collector, 404, "check OTEL_EXPORTER_OTLP_ENDPOINT and RAGTRACE_OTLP_PROFILE"),
        (OtlpProfile::Collector, 415, "4318"),
        (OtlpProfile::Phoenix, 405, "PHOENIX_COLLECTOR_ENDPOINT"),
        (OtlpProfile::Phoenix, 503, "its queue of spans is full"),
        (OtlpProfile::Langfuse, 401, "LANGFUSE_SECRET_KEY"),
        (OtlpProfile::LangSmith, 403, "LANGSMITH_WORKSPACE_ID"),
        (OtlpProfile::Mlflow, 404, "MLFLOW_EXPERIMENT_ID"),
        (OtlpProfile::Mlflow, 501, "--backend-store-uri"),
        (OtlpProfile::Mlflow, 500, "check its log"),
        (OtlpProfile::Phoenix, 500, "check its log"),
        (OtlpProfile::Datadog, 403, "DD_SITE"),
    ];
    for (profile, status, advice) in says {
        let error = verdict(profile, &Answer::status(status).body("its own words")).expect_err("refused");
        let reason = error.reason();
        assert!(reason.contains(advice) && reason.contains("its own words"), "{profile} {status}: {reason}");
    }
}

#[test]
fn a_receiver_of_traces_alone_parks_the_logs_and_says_how_to_leave_them_out() {
    for (profile, status) in [
        (OtlpProfile::Collector, 404),
        (OtlpProfile::Collector, 405),
        (OtlpProfile::Collector, 501),
        (OtlpProfile::Datadog, 404),
    ] {
        let server =
            Server::start(move |request| Answer::status(if request.path() == "/v1/logs" { status } else { 200 }));
        let sink = OtlpSink::new(&server.url()).profile(profile).api_key("hunter2-key");
        assert!(deliver(&sink, trace()).is_ok());
        let line = placed(RecordBuilder::log("hello"), 1, 0, 1).build();
        let error = deliver(&sink.logs().expect("logs"), vec![line]).expect_err("refused");
        assert_eq!(error.verdict(), Verdict::Park);
        assert!(error.reason().contains("or set RAGTRACE_OTLP_LOGS=false"), "{}", error.reason());
    }
    let error = verdict(OtlpProfile::Collector, &Answer::status(404)).expect_err("refused");
    assert!(!error.reason().contains("RAGTRACE_OTLP_LOGS"), "{}", error.reason());
}

#[test]
fn a_time_to_wait_may_be_a_date() {
    let far = Answer::status(503).header("retry-after", "Fri, 31 Dec 2100 23:59:59 GMT");
    let error = verdict(OtlpProfile::Collector, &far).expect_err("busy");
    assert_eq!(error.retry_after(), Some(Duration::from_hours(1)), "no wait is longer");
    let past = Answer::status(503).header("retry-after", "Fri, 31 Dec 1999 23:59:59 GMT");
    assert_eq!(verdict(OtlpProfile::Collector, &past).expect_err("busy").retry_after(), None);
}
