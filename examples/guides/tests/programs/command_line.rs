use crate::program::Folder;
use crate::run::{outline, run, run_well, trace};

#[tokio::test]
async fn a_run_of_the_command_is_one_trace() {
    let folder = Folder::new();
    folder.file("one.txt", "a".repeat(450));
    folder.file("two.txt", "b");
    let printed = run_well(&folder, "command_line", &["one.txt", "two.txt"]).await;
    assert_eq!(printed, "one.txt: 3 chunks\ntwo.txt: 1 chunks\n");

    let trace = trace(&folder).await;
    let document = ["document_ingestion completed", "  file_parsing completed", "  document_chunking completed"];
    assert_eq!(outline(&trace), [document, document].concat());
    assert_eq!(trace.request_type(), Some("ingest"));
}

#[tokio::test]
async fn a_file_that_is_missing_fails_its_stages_and_the_command() {
    let folder = Folder::new();
    let ended = run(&folder, "command_line", &["missing.txt"]).await;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    let trace = trace(&folder).await;
    assert_eq!(outline(&trace), ["document_ingestion failed", "  file_parsing failed"]);
    let told = format!("see where the time went: ragtrace trace {}", trace.trace_id());
    assert!(ended.stderr.starts_with("missing.txt: ") && ended.stderr.trim_end().ends_with(&told), "{}", ended.stderr);
}
