//! What each backend's statuses mean, held against the tables of its documentation.

use std::time::Duration;

use ragtrace_sinks::{OtlpProfile, OtlpSink};
use ragtrace_sinks_support::Expected::{Delivered, Park, Rejected, Retry, RetryAfter, Split};
use ragtrace_sinks_support::{Answer, Expected, Matrix};

/// What every backend that keeps to the specification means ("OTLP/HTTP Response").
const OF_ALL: [(u16, Expected); 24] = [
    (200, Delivered),
    (202, Delivered),
    (204, Delivered),
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
    let with_date = Answer::status(503).header("retry-after", "Fri, 31 Dec 2100 23:59:59 GMT");
    matrix(OtlpProfile::Collector)
        .status(500, Rejected)
        .status(501, Park)
        .status(505, Park)
        .status(507, Rejected)
        .answer("Retry-After in seconds", Answer::status(429).header("retry-after", "1"), RetryAfter(1, 1))
        .answer("Retry-After as a date", with_date, RetryAfter(3_599, 3_600))
        .answer("200 with garbage", Answer::status(200).body("<html>"), Delivered)
        .run();
}
