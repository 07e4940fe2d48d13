//! The options of `ingest`.

use std::io::Write;
use std::process::Stdio;

use serde_json::Value;

use crate::SAMPLES;
use crate::program::{Ended, Folder};

fn lines(run: &Ended) -> Vec<Value> {
    run.stdout.lines().map(|line| serde_json::from_str(line).expect("an object on each line")).collect()
}

#[tokio::test]
async fn json_has_an_object_for_each_document_and_one_for_the_run() {
    let folder = Folder::new();
    folder.file("in/a.md", "# A title\n\nA text.");
    folder.file("in/empty.md", "");
    folder.file("in/movie.mp4", "x");
    let run = folder.run("ingest", &["--json", "--jobs", "1", "in"]);
    assert_eq!(run.code, Some(1));
    assert_eq!(run.stderr.lines().count(), 1, "the error: {}", run.stderr);
    let [a, empty, total] = &lines(&run)[..] else { panic!("three objects: {}", run.stdout) };
    assert_eq!((&a["type"], &a["status"]), (&"document".into(), &"ingested".into()));
    assert!(a["path"].as_str().is_some_and(|path| path.ends_with("a.md")));
    assert_eq!((&a["chunks"], &a["replaced"], &a["pages"]), (&1.into(), &0.into(), &1.into()));
    assert_eq!(a["warnings"], serde_json::json!([]));
    assert!(a["document"].as_str().is_some_and(|id| id.len() == 36));
    assert_eq!((&empty["status"], &empty["kind"]), (&"failed".into(), &"empty".into()));
    assert!(empty["error"].as_str().is_some_and(|error| error.starts_with("parsing failed: there is no text")));
    assert_eq!((&total["type"], &total["exit_code"]), (&"run".into(), &1.into()));
    let trace = folder.last_trace().await.trace_id().to_string();
    assert_eq!(total["trace_id"], trace.as_str());
    assert_eq!(total["failures"], serde_json::json!({"empty": 1}));
    assert_eq!(total["skips"], serde_json::json!({"no reader for .mp4": 1}));

    std::fs::remove_file(folder.path("in/empty.md")).expect("removed");
    std::fs::rename(folder.path("in/a.md"), folder.path("in/b.md")).expect("renamed");
    let again = folder.run("ingest", &["--json", "--prune", "in"]);
    let statuses: Vec<_> = lines(&again).iter().map(|line| line["status"].clone()).collect();
    assert_eq!(statuses, ["ingested".into(), "removed".into(), Value::Null]);
    let dry = folder.run("ingest", &["--json", "--dry-run", "in"]);
    let statuses: Vec<_> = lines(&dry).iter().map(|line| line["status"].clone()).collect();
    assert_eq!(statuses, ["unchanged".into(), Value::Null]);
}

#[test]
fn quiet_prints_errors_only() {
    let folder = Folder::new();
    folder.file("in/empty.md", "");
    let run = folder.run("ingest", &["--quiet", "in", SAMPLES]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
}

/// Runs `ingest` with these bytes on its standard input.
fn piped(folder: &Folder, arguments: &[&str], bytes: &[u8]) -> Ended {
    let mut command = folder.command("ingest", arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program runs");
    // A program that fails early reads nothing.
    let _ = child.stdin.take().expect("a pipe").write_all(bytes);
    Ended::from(child.wait_with_output().expect("its output"))
}

#[test]
fn standard_input_is_a_document_with_the_name_that_it_is_given() {
    let folder = Folder::new();
    folder.file("a.md", "A file.");
    let named = ["--name", "notes.md", "-", "a.md"];
    let run = piped(&folder, &named, b"# Harbour\n\nThe harbour is deep.");
    assert_eq!((run.code, run.last_line()), (Some(0), "2 ingested, 0 failed, 2 chunks stored"), "{}", run.stderr);
    let answer = folder.run("ask", &["How deep is the harbour?"]);
    assert!(answer.stdout.contains("The harbour is deep.") && answer.stdout.contains("notes.md > Harbour"));

    let run = piped(&folder, &named, b"# Harbour\n\nThe harbour is deep.");
    assert_eq!(run.last_line(), "0 ingested, 2 unchanged, 0 failed, 0 chunks stored");
    let run = piped(&folder, &named, b"# Harbour\n\nThe harbour is shallow.");
    assert_eq!(run.last_line(), "1 ingested, 1 unchanged, 0 failed, 1 chunks stored");
    let answer = folder.run("ask", &["How deep is the harbour?"]);
    assert!(!answer.stdout.contains("The harbour is deep."), "{}", answer.stdout);
    let run = piped(&folder, &["-"], b"");
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.starts_with("error: stdin: parsing failed: there is no text"), "{}", run.stderr);
}

#[test]
fn the_format_of_standard_input_can_be_given() {
    let folder = Folder::new();
    let run = piped(&folder, &["--format", "html", "-"], b"<title>Tides</title><h1>Tides</h1><p>The tide is high.");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(folder.run("ask", &["How high is the tide?"]).stdout.contains("stdin.html > Tides"));
    let run = piped(&folder, &["--format", "mp4", "-"], b"x");
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("there is no reader for this extension"), "{}", run.stderr);
}

#[test]
fn an_option_that_makes_no_sense_is_refused_before_any_work() {
    let folder = Folder::new();
    folder.file("a.md", "A text.");
    for (arguments, why) in [
        (&["--exclude", "a[", "a.md"][..], "--exclude"),
        (&["--max-bytes", "10 apples", "a.md"], "expected a number of bytes, or one with KiB, MiB or GiB"),
        (&["--timeout", "0", "a.md"], "--timeout"),
        (&["--jobs", "0", "a.md"], "--jobs"),
        (&["--json", "--quiet", "a.md"], "--quiet"),
        (&["--password-file", "missing", "a.md"], "the password cannot be read from missing"),
        (&[], "PATHS"),
    ] {
        let run = folder.run("ingest", arguments);
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.to_ascii_uppercase().contains(&why.to_ascii_uppercase()), "{arguments:?}: {}", run.stderr);
    }
    assert!(!folder.path("rag.db").exists());
}

#[test]
fn skipped_files_are_counted_by_their_reasons() {
    let folder = Folder::new();
    folder.file("in/a.md", "A text.");
    folder.file("in/large.txt", [b'x'; 3000]);
    for name in ["b.png", "c.PNG", "d.mp4", "drafts/e.md", "README"] {
        folder.file(&format!("in/{name}"), "x");
    }
    let run = folder.run("ingest", &["--max-bytes", "2k", "--exclude", "drafts", "in"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let expected =
        "6 skipped: 2 no reader for .png, 1 excluded, 1 larger than 2 KiB, 1 no extension, 1 no reader for .mp4";
    assert_eq!(run.last_line(), expected);
    let run = folder.run("ingest", &["--max-bytes", "2k", "in/large.txt"]);
    assert_eq!((run.code, run.last_line()), (Some(1), "1 failed: 1 too large"), "{}", run.stderr);
}

#[test]
fn a_password_opens_documents_and_is_shown_nowhere() {
    let folder = Folder::new();
    folder.file("locked.pdf", crate::pdf::locked("open-sesame-4711"));
    folder.file("word", "open-sesame-4711\nsecond line");
    let run = folder.run("ingest", &["locked.pdf"]);
    assert_eq!((run.code, run.last_line()), (Some(1), "1 failed: 1 locked"), "{}", run.stderr);
    let json = ["--json", "--force", "locked.pdf"];
    let by_option = folder.run("ingest", &[&["--password", "open-sesame-4711"], &json[..]].concat());
    let by_file = folder.run("ingest", &[&["--password-file", "word"], &json[..]].concat());
    let mut command = folder.command("ingest", &json);
    let by_variable = command.env("INGEST_PASSWORD", "open-sesame-4711").output().expect("the program runs");
    for run in [by_option, by_file, Ended::from(by_variable)] {
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        assert_eq!(lines(&run)[0]["status"], "ingested");
        assert!(!run.stdout.contains("4711") && !run.stderr.contains("4711"), "{}{}", run.stdout, run.stderr);
    }
    for name in ["ragtrace.db", "ragtrace.db-wal", "rag.db", "rag.db-wal"] {
        let bytes = std::fs::read(folder.path(name)).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&bytes).contains("open-sesame"), "{name}");
    }
    let wrong = folder.run("ingest", &["--password", "wrong-4711", "--force", "locked.pdf"]);
    assert_eq!(wrong.code, Some(1), "{}", wrong.stdout);
    assert!(!wrong.stdout.contains("4711") && !wrong.stderr.contains("4711"), "{}", wrong.stderr);
}

#[test]
fn the_encoding_of_text_can_be_given_and_is_a_setting_of_the_stored_document() {
    let folder = Folder::new();
    folder.file("a.txt", b"The caf\xe9 opens at noon.");
    for (encoding, tally) in [
        ("windows-1252", "1 ingested, 0 failed, 1 chunks stored"),
        ("windows-1252", "0 ingested, 1 unchanged, 0 failed, 0 chunks stored"),
        ("windows-1251", "1 ingested, 0 failed, 1 chunks stored"),
    ] {
        let run = folder.run("ingest", &["--encoding", encoding, "a.txt"]);
        assert_eq!((run.code, run.last_line()), (Some(0), tally), "{}", run.stderr);
    }
    assert!(folder.run("ask", &["When does it open at noon?"]).stdout.contains("cafй"));
    let run = folder.run("ingest", &["--encoding", "klingon", "a.txt"]);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
}
