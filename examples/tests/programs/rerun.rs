//! Runs over documents that are stored already.

use std::fs;

use ragtrace_sinks::store::SpanNode;

use crate::number;
use crate::program::{Ended, Folder};
use crate::trace::{assert_whole, stages};

/// Runs `ingest`, which has to succeed, and returns its tally.
#[track_caller]
fn tally(folder: &Folder, arguments: &[&str]) -> String {
    let run = folder.run("ingest", arguments);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    tally_of(&run)
}

/// Returns the tally that a run has printed after its trace.
fn tally_of(run: &Ended) -> String {
    let lines: Vec<&str> = run.stdout.lines().collect();
    let begin = lines.iter().rposition(|line| line.contains(" ingested, ")).expect("a tally");
    lines[begin..].join("\n")
}

fn three_documents() -> Folder {
    let folder = Folder::new();
    for name in ["a", "b", "c"] {
        folder.file(&format!("in/{name}.md"), format!("# The title of {name}\n\nThe text of {name}."));
    }
    assert_eq!(tally(&folder, &["in"]), "3 ingested, 0 failed, 3 chunks stored");
    folder
}

/// Returns the names of the documents that an answer is taken from.
fn sources(folder: &Folder, question: &str) -> String {
    let run = folder.run("ask", &[question]);
    run.stdout.lines().skip_while(|line| *line != "Sources:").collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn an_unchanged_document_is_not_ingested_again() {
    let folder = three_documents();
    folder.file("in/new.md", "A new text.");
    assert_eq!(tally(&folder, &["in"]), "1 ingested, 3 unchanged, 0 failed, 1 chunks stored");
    let trace = folder.last_trace().await;
    assert_whole(&trace);
    let root = trace.roots().next().expect("a root");
    assert_eq!(stages(root), ["change_detection", "document_ingestion"]);
    assert_eq!((root.count(), number(root, "unchanged")), (Some(1), 3.0));
    let detection = root.children().next().expect("the first stage");
    assert_eq!((detection.count(), number(detection, "changed")), (Some(3), 1.0));
    assert!(number(detection, "bytes") > 50.0);
}

#[tokio::test]
async fn the_content_decides_what_has_changed_and_not_the_time() {
    let folder = three_documents();
    let time = fs::metadata(folder.path("in/b.md")).and_then(|file| file.modified()).expect("a time");
    folder.file("in/a.md", "# The title of a\n\nThe text of a.");
    folder.file("in/b.md", "# The title of b\n\nThe text of B.");
    fs::File::options().write(true).open(folder.path("in/b.md")).and_then(|file| file.set_modified(time)).expect("set");
    assert_eq!(tally(&folder, &["in"]), "1 ingested, 2 unchanged, 0 failed, 1 chunks stored");
    let trace = folder.last_trace().await;
    let storage = trace.spans().find(|span| span.stage() == "data_storage").expect("the changed one");
    assert!((number(storage, "replaced") - 1.0).abs() < 0.5);
    assert_eq!(tally(&folder, &["in"]), "0 ingested, 3 unchanged, 0 failed, 0 chunks stored");
}

#[test]
fn other_settings_of_cutting_ingest_everything_again_and_so_does_force() {
    let folder = three_documents();
    let smaller = ["--chunk-size", "80", "in"];
    assert_eq!(tally(&folder, &smaller), "3 ingested, 0 failed, 3 chunks stored");
    assert_eq!(tally(&folder, &smaller), "0 ingested, 3 unchanged, 0 failed, 0 chunks stored");
    assert_eq!(tally(&folder, &[&["--force"], &smaller[..]].concat()), "3 ingested, 0 failed, 3 chunks stored");
    // Another tenant has none of them.
    assert_eq!(tally(&folder, &["--tenant", "acme", "in/a.md"]), "1 ingested, 0 failed, 1 chunks stored");
}

#[test]
fn a_document_that_failed_is_tried_again() {
    let folder = three_documents();
    folder.file("in/broken.pdf", "%PDF-1.7 and no more");
    for _ in 0..2 {
        let run = folder.run("ingest", &["in"]);
        assert_eq!(run.code, Some(1), "{}", run.stderr);
        assert_eq!(tally_of(&run), "0 ingested, 3 unchanged, 1 failed, 0 chunks stored\n1 failed: 1 damaged");
    }
}

#[tokio::test]
async fn documents_that_are_gone_are_told_and_removed_if_asked_to() {
    let folder = three_documents();
    folder.file("other/d.md", "The text of d.");
    assert_eq!(tally(&folder, &["other"]), "1 ingested, 0 failed, 1 chunks stored");
    assert_eq!(tally(&folder, &["--tenant", "acme", "in"]), "3 ingested, 0 failed, 3 chunks stored");
    fs::remove_file(folder.path("in/a.md")).expect("removed");
    fs::rename(folder.path("in/b.md"), folder.path("in/renamed.md")).expect("renamed");
    fs::remove_file(folder.path("other/d.md")).expect("removed");

    let told = "1 ingested, 1 unchanged, 0 failed, 1 chunks stored\n\
                2 stored documents are gone from the disk; add --prune to remove them";
    assert_eq!(tally(&folder, &["in"]), told);
    assert!(sources(&folder, "What is the text of a?").contains("a.md"));
    assert_eq!(tally(&folder, &["--prune", "in"]), "0 ingested, 2 unchanged, 2 removed, 0 failed, 0 chunks stored");
    let trace = folder.last_trace().await;
    assert_whole(&trace);
    let removal = trace.spans().find(|span| span.stage() == "document_removal").expect("its stage");
    assert_eq!((removal.count(), removal.parent().map(SpanNode::stage)), (Some(2), Some("ingestion")));
    assert!(!sources(&folder, "What is the text of a?").contains("a.md"));
    assert_eq!(tally(&folder, &["--prune", "in"]), "0 ingested, 2 unchanged, 0 failed, 0 chunks stored");
    // The other folder and the other tenant have kept theirs.
    let other = "0 ingested, 0 failed, 0 chunks stored\n\
                 1 stored document is gone from the disk; add --prune to remove it";
    assert_eq!(tally(&folder, &["other"]), other);
    let acme = tally(&folder, &["--tenant", "acme", "in"]);
    assert!(acme.contains("2 stored documents are gone"), "{acme}");
}

#[test]
fn a_document_that_is_excluded_now_is_gone() {
    let folder = three_documents();
    let arguments = ["--exclude", "a.*", "--prune", "in"];
    let expected = "0 ingested, 2 unchanged, 1 removed, 0 failed, 1 skipped, 0 chunks stored\n1 skipped: 1 excluded";
    assert_eq!(tally(&folder, &arguments), expected);
}

#[test]
fn a_dry_run_tells_what_a_run_would_do_and_does_nothing() {
    let folder = Folder::new();
    folder.file("in/a.md", "A text.");
    folder.file("in/b.md", "A text.");
    let run = folder.run("ingest", &["--dry-run", "in"]);
    let path = |name: &str| std::path::Path::new("in").join(name).display().to_string();
    let (a, b) = (path("a.md"), path("b.md"));
    let first = format!("to ingest: {a}\nto ingest: {b}\n2 to ingest, 0 unchanged, 0 to remove\n");
    assert_eq!((run.code, run.stdout), (Some(0), first), "{}", run.stderr);
    assert!(!folder.path("rag.db").exists() && !folder.path("ragtrace.db").exists());

    assert_eq!(tally(&folder, &["in"]), "2 ingested, 0 failed, 2 chunks stored");
    folder.file("in/b.md", "Another text.");
    fs::remove_file(folder.path("in/a.md")).expect("removed");
    folder.file("in/c.png", "x");
    let stored = fs::canonicalize(folder.path("in")).expect("a path").join("a.md");
    let run = folder.run("ingest", &["--dry-run", "--prune", "in"]);
    let second = format!(
        "to ingest: {b}\nto remove: {}\n1 to ingest, 0 unchanged, 1 to remove\n1 skipped: 1 no reader for .png\n",
        stored.display()
    );
    assert_eq!((run.code, run.stdout), (Some(0), second), "{}", run.stderr);
    let run = folder.run("ingest", &["in"]);
    assert!(tally_of(&run).starts_with("1 ingested, 0 failed"), "nothing was done: {}", run.stdout);
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_unicode_are_documents_of_their_own() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    let folder = Folder::new();
    folder.file("in/good.md", "The text of good.");
    for (name, text) in [(&b"in/bad\xff.txt"[..], "Apples are red."), (b"in/bad\xfe.txt", "Pears are green.")] {
        fs::write(folder.path(".").join(OsStr::from_bytes(name)), text).expect("a file");
    }
    fs::write(folder.path(".").join(OsStr::from_bytes(b"in/empty\xff.txt")), "").expect("a file");
    let run = folder.run("ingest", &["in"]);
    let expected = "3 ingested, 1 failed, 3 chunks stored\n1 failed: 1 empty";
    assert_eq!((run.code, tally_of(&run)), (Some(1), expected.to_owned()));
    assert!(run.stderr.starts_with("error: in/empty\\xFF.txt: parsing failed"), "{}", run.stderr);
    assert!(folder.run("ask", &["apples"]).stdout.contains("Apples are red."));
    assert!(folder.run("ask", &["pears"]).stdout.contains("Pears are green."));

    fs::remove_file(folder.path(".").join(OsStr::from_bytes(b"in/bad\xff.txt"))).expect("removed");
    fs::remove_file(folder.path(".").join(OsStr::from_bytes(b"in/empty\xff.txt"))).expect("removed");
    assert_eq!(tally(&folder, &["--prune", "in"]), "0 ingested, 2 unchanged, 1 removed, 0 failed, 0 chunks stored");
    assert!(!folder.run("ask", &["apples"]).stdout.contains("Apples are red."));
}
