//! A test's own database, and queries on it.

use ragtrace::Sink;
use ragtrace::sink::{Batch, SinkError};
use ragtrace_store::PostgresSink;

use crate::cluster::Cluster;

/// A database on a server.
pub(crate) struct Database<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) name: String,
}

impl<'a> Database<'a> {
    pub(crate) fn on(cluster: &'a Cluster) -> Self {
        let url = cluster.database();
        let name = url.rsplit('/').next().expect("a name").to_owned();
        Self { cluster, name }
    }

    pub(crate) fn url(&self) -> String {
        self.cluster.url(&self.name)
    }

    pub(crate) fn url_as(&self, role: &str) -> String {
        self.url().replace("postgres@", &format!("{role}@"))
    }

    pub(crate) fn sink(&self) -> PostgresSink {
        PostgresSink::new(self.url())
    }

    pub(crate) fn sql(&self, sql: &str) -> String {
        self.cluster.sql(&self.name, &format!("SET search_path = ragtrace; {sql}"))
    }

    pub(crate) fn number(&self, sql: &str) -> i64 {
        self.sql(sql).parse().expect("a number")
    }
}

/// Delivers until the batch is accepted, as the pipeline does, and returns the number of attempts
/// and the last error.
pub(crate) async fn until_delivered(sink: &impl Sink, batch: &Batch) -> (usize, Option<SinkError>) {
    let mut last = None;
    for attempt in 1..=600 {
        match sink.deliver(batch).await {
            Ok(_) => return (attempt, last),
            Err(error) => {
                assert_eq!(error.verdict(), ragtrace::sink::Verdict::Retry, "{error}");
                last = Some(error);
            }
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("not delivered after 30 seconds: {last:?}");
}
