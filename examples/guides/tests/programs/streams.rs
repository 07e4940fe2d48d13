use ragtrace_sinks::store::{SpanNode, SpanStatus};

use crate::program::Folder;
use crate::run::{run_well, the, trace};

#[tokio::test]
async fn a_stream_is_a_stage_until_its_end() {
    let folder = Folder::new();
    let printed = run_well(&folder, "streams", &[]).await;
    assert_eq!(printed, "4 words\nfirst: one\n1 failed\n2 words from afar\n");

    let trace = trace(&folder).await;
    let answers: Vec<_> = trace.spans().filter(|span| span.stage() == "answer").collect();
    let seen = |span: &SpanNode<'_>| (span.status(), span.count());
    let expected = [
        (SpanStatus::Completed, Some(4)),
        (SpanStatus::Cancelled, Some(1)),
        (SpanStatus::Failed, Some(3)),
        (SpanStatus::Completed, Some(2)),
    ];
    assert_eq!(answers.iter().map(seen).collect::<Vec<_>>(), expected);
    assert!(answers.iter().all(|span| span.record().metric("first_item_ms") > Some(1.0)));
    assert_eq!(answers[0].record().metric("output_tokens"), Some(4.0));

    let remote = the(&trace, "remote_answer");
    assert_eq!((remote.status(), remote.count()), (SpanStatus::Completed, Some(2)));
    assert_eq!(answers[3].parent().map(SpanNode::stage), Some("remote_answer"));
}
