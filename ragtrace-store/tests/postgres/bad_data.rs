//! Data that the server cannot store loses at most itself.

use ragtrace::Sink;
use ragtrace::sink::Verdict;
use ragtrace_store::{self as store, LogFilter};
use serde_json::json;

use super::server::Database;
use crate::cluster::Cluster;
use crate::support::{Make, batch, reason, run};

#[tokio::test]
async fn odd_records_arrive_with_their_batch_whichever_way_it_goes() {
    let database = Database::on(Cluster::shared());
    let sink = database.sink();
    let odd = || {
        let nul = "a\u{0}b";
        let (_, end) = run("completed", "odd", 1, (0, 10));
        [
            end.clone().with("user_id", nul).with("context", json!({(nul): nul})).with("stack_trace", nul),
            end.clone().with("error", json!({"type": nul, "message": nul, "chain": [nul]})),
            end.clone().metrics(json!({"duration_ms": null, "nan": null, "count": u64::MAX, "huge": 1e308})),
            end.clone().with("stack_trace", "x".repeat(10 << 20)),
            end.clone().with("timestamp", "9999-12-31T23:59:59.999999Z"),
            end.with("timestamp", "0001-01-01T00:00:00.000000Z"),
        ]
        .map(|make| make.with("id", uuid::Uuid::new_v4().to_string()).record())
    };
    for ballast in [0, 2_500] {
        let plain = (0..ballast).map(|at| Make::new("log", "plain", 9, at).record());
        sink.deliver(&batch(odd().into_iter().chain(plain))).await.expect("delivered");
    }
    assert_eq!(database.number("SELECT count(*) FROM logs"), 2 * 6 + 2_500);
    let store = store::open(&database.url()).await.expect("opens");
    let cleaned = store.logs(LogFilter::new().user_id("a\u{0}b")).await.expect("reads");
    assert_eq!(cleaned.len(), 2);
    assert_eq!(cleaned[0].user_id(), Some("a\u{fffd}b"));
    assert_eq!(database.number("SELECT count(*) FROM logs WHERE context ? 'clamped_timestamp_micros'"), 4);
    assert_eq!(database.number("SELECT length(stack_trace) FROM logs ORDER BY 1 DESC NULLS LAST LIMIT 1"), 10 << 20);
}

#[tokio::test]
async fn a_record_that_the_server_refuses_is_told_from_a_server_that_is_in_trouble() {
    let database = Database::on(Cluster::shared());
    let sink = database.sink();
    sink.deliver(&batch([])).await.expect("the tables are made");
    // A constraint that the operator has added.
    database.sql("ALTER TABLE logs ADD CONSTRAINT nobody CHECK (user_id <> 'nobody')");
    let poison = Make::new("failed", "odd", 1, 0).with("user_id", "nobody").record();
    let plain = Make::new("failed", "plain", 2, 0).record();
    let error = sink.deliver(&batch([plain.clone(), poison.clone()])).await.expect_err("refused");
    assert_eq!(error.verdict(), Verdict::Rejected, "{error}");
    assert_eq!(database.number("SELECT count(*) FROM logs"), 0, "nothing of a refused batch stays");
    sink.deliver(&batch([plain])).await.expect("the other half");
    sink.deliver(&batch([poison])).await.expect_err("alone");
    assert_eq!(database.number("SELECT count(*) FROM logs"), 1);
}

#[tokio::test]
async fn what_somebody_has_to_mend_parks_the_sink_and_says_what() {
    let cluster = Cluster::shared();
    let database = Database::on(cluster);
    cluster.sql("postgres", "CREATE ROLE stranger LOGIN");
    let cases = [
        ("postgres://postgres@127.0.0.1:port/nowhere".to_owned(), "URL"),
        (format!("{}_not_there", database.url()), "does not exist"),
        (database.url_as("stranger"), "run `ragtrace migrate`"),
        (format!("{}?sslmode=verify-full", database.url()), "sslmode"),
    ];
    for (url, says) in cases {
        let error = ragtrace_store::PostgresSink::new(&*url).deliver(&batch([])).await.expect_err("refused");
        assert_eq!(error.verdict(), Verdict::Park, "{url}: {error}");
        let reason = reason(&error);
        assert!(reason.contains(says), "{url}: {reason}");
    }
}
