//! A server that does not exist, or goes away: temporary errors are told from lasting ones.

use ragtrace::Sink;
use ragtrace_store::retention::{Purge, Retention};
use ragtrace_store::{self as store, LogFilter, StoreError};

use super::proxy::{Cut, Proxy};
use super::server::Database;
use crate::cluster::Cluster;
use crate::support::{batch, ingestion, reason};

#[tokio::test]
async fn a_server_that_is_not_there_passes_whatever_is_asked_of_it() {
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
    let url = format!("postgres://postgres@127.0.0.1:{port}/nowhere");
    let (open, migrate, retain, purge) = tokio::join!(
        async { store::open(&url).await.map(drop) },
        async { store::migrate(&url).await },
        async { store::retain(&url, &Retention::new(), |_| {}).await.map(drop) },
        async { store::purge(&url, &Purge::of("alice"), |_| {}).await.map(drop) },
    );
    for answer in [open, migrate, retain, purge] {
        let error = answer.expect_err("nobody listens");
        assert!(error.is_retryable(), "{error:?}");
        assert!(reason(&error).contains("refused"), "it says why: {}", reason(&error));
    }
}

#[tokio::test]
async fn a_connection_that_is_cut_in_a_purge_or_a_search_passes() {
    let cluster = Cluster::shared();
    let database = Database::on(cluster);
    database.sink().deliver(&batch(ingestion())).await.expect("delivered");
    let proxy = Proxy::to(cluster.port()).await;
    let url = format!("postgres://postgres@{}/{}", proxy.address, database.name);
    let passes = |error: StoreError| assert!(error.is_retryable(), "{error:?}");
    let store = store::open(&url).await.expect("opens");
    proxy.cut(Cut::Before("FROM logs r"));
    passes(store.logs(LogFilter::new()).await.expect_err("cut"));
    proxy.cut(Cut::After("FROM request_metrics"));
    passes(store::purge(&url, &Purge::of("alice"), |_| {}).await.expect_err("cut"));
    proxy.cut(Cut::Before("ragtrace_migrations"));
    passes(store::migrate(&url).await.expect_err("cut"));
    assert_eq!(store.logs(LogFilter::new()).await.expect("another connection").len(), 8);
}

#[tokio::test]
async fn a_database_that_does_not_exist_is_missing() {
    let url = format!("{}_not_there", Cluster::shared().database());
    let error = store::open(&url).await.expect_err("missing");
    assert!(error.is_missing() && !error.is_retryable(), "{error:?}");
}
