use crate::program::Folder;
use crate::run::{errors, outline, run_well, traces};

#[tokio::test]
async fn methods_of_traits_are_stages_of_their_callers() {
    let folder = Folder::new();
    assert_eq!(run_well(&folder, "traits", &[]).await, "2 stored\nthere is nothing to embed\n");

    let traces = traces(&folder).await;
    let lines: Vec<_> = traces.iter().flat_map(outline).collect();
    let expected = [
        "ingestion completed",
        "  chunk_embedding completed",
        "  data_storage completed",
        "ingestion failed",
        "  chunk_embedding failed",
    ];
    assert_eq!(lines, expected);
    assert_eq!(errors(&folder).await, ["chunk_embedding_failed", "ingestion_failed"]);

    let embedding = traces[0].spans().find(|span| span.stage() == "chunk_embedding").expect("a run");
    assert_eq!((embedding.record().metric("dimensions"), embedding.count()), (None, Some(2)));
    let fields: Vec<_> = embedding.context().map(|(name, value)| format!("{name}={value:?}")).collect();
    assert_eq!(fields.len(), 2, "{fields:?}");
}
