use crate::program::Folder;
use crate::run::{outline, run_well, the, traces};

#[tokio::test]
async fn documents_leave_five_stages_and_a_users_errors_are_found() {
    let folder = Folder::new();
    let printed = run_well(&folder, "from_python", &[]).await;
    let expected = "\
        manual.txt: 2 chunks stored\n\
        scan.txt: the document is not UTF-8\n\
        empty.txt: the document has no text\n\
        ingestion_failed of ingest: the document has no text\n\
        chunk_embedding_failed of ingest: the document has no text\n\
        ingestion_failed of ingest: the document is not UTF-8: invalid utf-8 sequence of 1 bytes from index 0\n\
        file_parsing_failed of ingest: the document is not UTF-8: invalid utf-8 sequence of 1 bytes from index 0\n";
    assert_eq!(printed, expected);

    let traces = traces(&folder).await;
    let lines: Vec<_> = traces.iter().map(outline).collect();
    let whole = [
        "ingestion completed",
        "  file_parsing completed",
        "  document_chunking completed",
        "  chunk_enrichment completed",
        "  chunk_embedding completed",
        "  data_storage completed",
    ];
    assert_eq!(lines[0], whole);
    assert_eq!(lines[1], ["ingestion failed", "  file_parsing failed"]);

    let first = &traces[0];
    let who = [first.user_id(), first.tenant_id(), first.request_type(), first.service()];
    assert_eq!(who, [Some("alice"), Some("acme"), Some("ingest"), Some("rag-ingest")]);
    let chunking = the(first, "document_chunking");
    assert_eq!((chunking.count(), chunking.record().metric("avg_chunk_size")), (Some(2), Some(13.0)));
    assert_eq!(the(first, "chunk_embedding").record().metric("input_tokens"), Some(7.0));
}
