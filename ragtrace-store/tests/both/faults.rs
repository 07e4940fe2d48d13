//! The messages of a sink and a store that cannot do their work.

use std::error::Error;

use ragtrace::Sink;
use ragtrace::sink::Verdict;
use ragtrace_store::retention::{Purge, Retention};
use ragtrace_store::{self as store, StoreError};

use crate::support::{batch, ingestion, reason};
use crate::test_store::TestStore;

over_both!(
    tables_from_before_the_first_release_are_told_from_damaged_ones,
    an_error_keeps_the_one_that_caused_it,
    a_check_says_what_works_or_what_to_change,
);

/// Returns the errors of everything that opens the store.
async fn errors(url: &str) -> Vec<(&'static str, StoreError)> {
    let errors = tokio::join!(
        async { ("open", store::open(url).await.map(drop)) },
        async { ("migrate", store::migrate(url).await) },
        async { ("retain", store::retain(url, &Retention::new(), |_| {}).await.map(drop)) },
        async { ("purge", store::purge(url, &Purge::of("alice"), |_| {}).await.map(drop)) },
    );
    let errors = [errors.0, errors.1, errors.2, errors.3];
    errors.into_iter().map(|(what, answer)| (what, answer.expect_err(what))).collect()
}

async fn tables_from_before_the_first_release_are_told_from_damaged_ones(place: TestStore) {
    place.holding(ingestion()).await;
    // The first migration had another text at that time.
    let checksum = if place.is_sqlite() { "x'00'" } else { "'\\x00'" };
    place.execute(&format!("UPDATE ragtrace_migrations SET checksum = {checksum} WHERE version = 1")).await;
    for (what, error) in Box::pin(errors(&place.url)).await {
        assert!(error.is_schema_mismatch() && !error.is_retryable(), "{what}: {error:?}");
        let says = "was made before the first release of ragtrace: delete it, or export what it holds";
        assert!(error.to_string().contains(says), "{what}: {error}");
    }
    let refused = place.sink().deliver(&batch(ingestion())).await.expect_err("refused");
    assert_eq!(refused.verdict(), Verdict::Park, "{refused}");
    assert!(refused.to_string().contains("before the first release of ragtrace"), "{refused}");
    assert_eq!(place.sink().check().await.expect_err("refused").verdict(), Verdict::Park);
}

async fn an_error_keeps_the_one_that_caused_it(place: TestStore) {
    place.holding(ingestion()).await;
    let store = place.store().await;
    place.execute("DROP TABLE stages").await;
    let error = store.stages().await.expect_err("there is no such table");
    let source = error.source().expect("what the database said").to_string();
    assert!(source.contains("stages") && !error.to_string().contains(&source), "{}", reason(&error));
    // The source is mentioned once, and not again for each layer that it came through.
    assert_eq!(reason(&error).matches(&source).count(), 1, "{}", reason(&error));
}

async fn a_check_says_what_works_or_what_to_change(place: TestStore) {
    let sink = place.sink();
    let works = sink.check().await.expect("an empty place");
    assert!(works.contains("can be written"), "{works}");
    assert_eq!(place.number("SELECT count(*) FROM logs").await, 0, "the tables are there, and nothing in them");
    sink.deliver(&batch(ingestion())).await.expect("delivered");
    sink.check().await.expect("still");
}
