//! The programs with their stage logs in PostgreSQL.

use ragtrace_sinks::store;

use crate::SAMPLES;
use crate::cluster::Cluster;
use crate::program::{Ended, Folder};
use crate::trace::assert_whole;

#[tokio::test]
async fn the_trace_is_drawn_from_the_schema_that_it_went_into() {
    let (folder, url) = (Folder::new(), Cluster::shared().database());
    let mut command = folder.command("ingest", &[SAMPLES]);
    command.env("RAGTRACE_SINKS", "postgres").env("DATABASE_URL", &url);
    command.env("RAGTRACE_POSTGRES_SCHEMA", "Stage logs & more");
    let run = Ended::from(command.output().expect("the program runs"));
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{}", run.stdout);
    assert!(run.stdout.contains("─✓ document_ingestion"), "{}", run.stdout);
    assert!(!folder.path("ragtrace.db").exists());

    let schema = "schema=Stage%20logs%20%26%20more";
    let sign = if url.contains('?') { '&' } else { '?' };
    let store = store::open(&format!("{url}{sign}{schema}")).await.expect("the run left a store");
    assert_whole(&store.latest_trace().await.expect("a readable store").expect("a trace"));
}
