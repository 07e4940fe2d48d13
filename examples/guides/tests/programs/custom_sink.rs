use std::path::Path;

use ragtrace::testing::sink::SinkTest;
use serde_json::Value;

use crate::program::Folder;
use crate::run::{run, run_well};

/// The program itself, for the sink in it.
#[expect(dead_code, unreachable_pub, reason = "it is a program, whose stages and `main` are run as a process")]
#[path = "../../custom_sink.rs"]
mod program;

/// Returns the lines of all files, each of which is complete.
fn lines(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path());
    let texts = files.map(|file| {
        assert_eq!(file.extension().and_then(|name| name.to_str()), Some("jsonl"), "{}", file.display());
        std::fs::read_to_string(file).expect("a text")
    });
    texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[tokio::test]
async fn records_are_in_files_of_the_folder() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("records")).expect("a folder");
    let printed = run_well(&folder, "custom_sink", &[]).await;
    assert!(printed.contains("folder: 2 delivered"), "{printed}");

    let messages = lines(&folder.path("records")).into_iter().map(|line| {
        let record: Value = serde_json::from_str(&line).expect("JSON");
        record["message"].as_str().expect("a message").to_owned()
    });
    assert_eq!(messages.collect::<Vec<_>>(), ["chunk_started", "chunk_completed"]);
}

#[tokio::test]
async fn a_folder_that_is_missing_is_told_and_costs_the_program_nothing() {
    let folder = Folder::new();
    let ended = run(&folder, "custom_sink", &["missing"]).await;
    assert_eq!(ended.code, Some(0));
    assert!(ended.stdout.contains("folder: 0 delivered"), "{}", ended.stdout);
    assert!(ended.stderr.contains("missing cannot be written to; create it"), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sink_takes_every_sort_of_batch_exactly_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_owned();
    let report =
        SinkTest::new(program::FolderSink::new(&path)).exactly_once(async move || lines(&path).len()).run().await;
    report.assert_passed();
}
