//! Tests of the verdicts on statuses.

use std::time::Duration;

use ragtrace::sink::{SinkError, Verdict};
use ragtrace_sinks_support::{Answer, Server};

use super::{builder, post, send};
use crate::http::{Row, Verdicts};

fn judged(table: Verdicts, answer: Answer) -> Result<(), SinkError> {
    let server = Server::start(move |_| answer.clone());
    let answer = send(&builder().build(), &post(&format!("{}/in?key=hunter2", server.url()))).expect("an answer");
    table.judge(&answer)
}

fn verdict(table: Verdicts, status: u16) -> Option<Verdict> {
    judged(table, Answer::status(status)).err().map(|error| error.verdict())
}

#[test]
fn a_status_without_a_row_has_its_customary_meaning() {
    let none = Verdicts::new(&[]);
    for accepted in [200, 201, 202, 204, 299] {
        assert_eq!(verdict(none, accepted), None, "{accepted}");
    }
    for (statuses, meaning) in [
        (&[300, 301, 302, 303, 304, 307, 308][..], Verdict::Park),
        (&[400, 422], Verdict::Rejected),
        (&[401, 402, 403, 404, 405, 406, 407, 409, 410, 411, 412, 415, 418, 431, 451, 499], Verdict::Park),
        (&[408, 425, 429, 500, 501, 502, 503, 504, 507, 520, 599, 600, 999], Verdict::Retry),
        (&[413], Verdict::Split),
    ] {
        for &status in statuses {
            assert_eq!(verdict(none, status), Some(meaning), "{status}");
        }
    }
}

#[test]
fn the_first_row_with_a_status_says_what_it_means() {
    const TABLE: Verdicts = Verdicts::new(&[
        Row::accepted(409..=409),
        Row::park(501..=501).advise("give the server a database"),
        Row::retry(500..=599),
        Row::split(414..=414),
        Row::rejected(400..=499),
    ]);
    for (status, meaning) in [
        (409, None),
        (501, Some(Verdict::Park)),
        (502, Some(Verdict::Retry)),
        (414, Some(Verdict::Split)),
        (404, Some(Verdict::Rejected)),
        (204, None),
    ] {
        assert_eq!(verdict(TABLE, status), meaning, "{status}");
    }
    let error = judged(TABLE, Answer::status(501).body("no  SQL\nhere")).expect_err("not implemented");
    let told = error.reason();
    assert!(told.starts_with("POST http://127.0.0.1:"), "{told}");
    assert!(told.ends_with("/in?…: 501 Not Implemented: give the server a database (answer: no SQL here)"), "{told}");
}

#[test]
fn a_wait_that_is_asked_for_is_told_the_pipeline() {
    let none = Verdicts::new(&[]);
    let waits = |name, value: &str| {
        let error = judged(none, Answer::status(429).header(name, value)).expect_err("too many");
        assert_eq!(error.verdict(), Verdict::Retry);
        error.retry_after()
    };
    assert_eq!(waits("retry-after", "7"), Some(Duration::from_secs(7)));
    assert_eq!(waits("X-RateLimit-Reset", "9"), Some(Duration::from_secs(9)));
    assert_eq!(waits("retry-after", "soon"), None);
    let date = httpdate::fmt_http_date(std::time::SystemTime::now() + Duration::from_mins(2));
    let wait = waits("retry-after", &date).expect("a wait");
    assert!((Duration::from_mins(1)..=Duration::from_mins(2)).contains(&wait), "{wait:?}");
}

#[test]
fn a_redirect_is_not_followed_and_says_where_it_points_to() {
    let location = "https://alice:hunter2@other.test/login?next=hunter3";
    let error = judged(Verdicts::new(&[]), Answer::status(302).header("location", location)).expect_err("elsewhere");
    assert_eq!(error.verdict(), Verdict::Park);
    let told = error.reason();
    let says = ": 302 Found: it redirects to https://other.test/login?…: set the URL to the backend itself";
    assert!(told.ends_with(says), "{told}");
    assert!(!told.contains("hunter"), "{told}");
}

#[test]
fn a_long_answer_is_quoted_in_part_and_without_what_cannot_be_shown() {
    let body = format!("<html>\n\t<h1>Bad\u{1b}[31m Gateway</h1>{}", "ä".repeat(500));
    let error = judged(Verdicts::new(&[]), Answer::status(502).body(body)).expect_err("refused");
    let told = error.reason();
    let quote = told.split_once("(answer: ").expect("a quote").1;
    assert!(quote.starts_with("<html> <h1>Bad [31m Gateway</h1>ää") && quote.ends_with("ä…)"), "{quote}");
    assert_eq!(quote.chars().count(), 202);
    let error = judged(Verdicts::new(&[]), Answer::status(502).body(vec![0xff, b'x', 0])).expect_err("refused");
    assert!(error.reason().ends_with("502 Bad Gateway (answer: \u{fffd}x)"), "{}", error.reason());
}
