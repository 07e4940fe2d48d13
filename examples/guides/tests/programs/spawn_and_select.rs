use ragtrace_sinks::store::{SpanNode, SpanStatus};

use crate::program::Folder;
use crate::run::{run_well, the, trace};

#[tokio::test]
async fn tasks_threads_and_races_are_in_one_tree() {
    let folder = Folder::new();
    let printed = run_well(&folder, "spawn_and_select", &[]).await;
    assert_eq!(printed, "by the small model: what vectors say of the pump, what words say of the pump\n");

    let trace = trace(&folder).await;
    let root = the(&trace, "question");
    let mut stages: Vec<_> = root.children().map(SpanNode::stage).collect();
    stages.sort_unstable();
    assert_eq!(stages, ["answer", "answer", "answer_storage", "reranking", "retrieval", "retrieval"]);
    assert_eq!(trace.spans().count(), 1 + stages.len(), "no stage is outside");

    let mut ends: Vec<_> = root.children().filter(|child| child.stage() == "answer").map(SpanNode::status).collect();
    ends.sort_by_key(|status| *status != SpanStatus::Completed);
    assert_eq!(ends, [SpanStatus::Completed, SpanStatus::Cancelled]);
    assert!(trace.logs().iter().all(|row| row.record().user_id() == Some("alice")));
}
