//! `stage!` of an `async` block.

use ragtrace::{Value, stage};
use ragtrace_tests::captured;

#[test]
fn a_block_is_a_stage() {
    let (sum, captured) = captured(async {
        let words = ["a", "bc"];
        let lengths = stage!(
            "block.lengths",
            kind = parse,
            fields(words = words.len()),
            ok(|lengths| longest = lengths.iter().copied().max()),
            record(seen: usize),
            async {
                tokio::task::yield_now().await;
                record!(seen = words.len());
                words.iter().map(|word| word.len()).collect::<Vec<_>>()
            },
        )
        .await;
        let failed = stage!("block.failing", root, async move {
            let text = lengths.first().map(|length| "x".repeat(*length)).ok_or("nothing")?;
            text.parse::<u32>().map_err(|_| "not a number")
        });
        failed.await.unwrap_err();
        stage!(name = "block.bare", async {}).await;
        stage!("block.nested", async { stage!("block.inside", async { 1 }).await + 1 }).await
    });
    assert_eq!(sum, 2);
    let lengths = captured.stage("block.lengths").completed();
    assert_eq!((lengths.one().count(), lengths.one().metric("longest")), (Some(2), Some(2.0)));
    assert_eq!(lengths.one().metric("seen"), Some(2.0));
    assert_eq!(lengths.one().field("words"), Some(&Value::U64(2)));
    assert_eq!(
        captured.stage("block.failing").failed().one().error().map(ragtrace::ErrorInfo::message),
        Some("not a number")
    );
    assert_ne!(captured.stage("block.failing").failed().one().trace_id(), lengths.one().trace_id());
    let nested = captured.stage("block.nested").started().one().span_id();
    assert_eq!(captured.stage("block.inside").started().one().parent_span_id(), nested);
}
