use ragtrace_sinks::store::{LogRow, Trace};

use crate::program::Folder;
use crate::run::{outline, run_well, the, traces};

#[tokio::test]
async fn each_job_is_a_child_of_who_asked_for_it() {
    let folder = Folder::new();
    let printed = run_well(&folder, "worker", &[]).await;
    let mut lines: Vec<_> = printed.lines().collect();
    lines.sort_unstable();
    let expected = ["ingest for alice: done", "ingest for bob: done", "reindex for carol: the document has no text"];
    assert_eq!(lines, expected);

    let mut traces = traces(&folder).await;
    traces.sort_by_key(|trace| trace.user_id().map(str::to_owned));
    let job = [
        "enqueue completed",
        "  job ingest completed",
        "    document_chunking completed",
        "    data_storage completed",
    ];
    assert_eq!(outline(&traces[0]), job);
    assert_eq!(outline(&traces[1]), job);
    assert_eq!(outline(&traces[2]), ["enqueue completed", "  job reindex failed", "    document_chunking completed"]);
    assert_eq!(the(&traces[0], "document_chunking").count(), Some(2));

    // No record of one job has the user or the type of another.
    for (trace, (user, kind)) in traces.iter().zip([("alice", "ingest"), ("bob", "ingest"), ("carol", "reindex")]) {
        assert!(records_of_jobs(trace).all(|(by, of)| by == Some(user) && of == Some(kind)), "{user}");
    }
}

fn records_of_jobs(trace: &Trace) -> impl Iterator<Item = (Option<&str>, Option<&str>)> {
    let records = trace.logs().iter().map(LogRow::record).filter(|record| record.stage() != Some("enqueue"));
    records.map(|record| (record.user_id(), record.request_type()))
}
