//! Tests of erasing a user's data.

use serde_json::{Value as Json, json};

use crate::support::{Make, TRACE, ingestion};
use crate::{code, command, holding, ragtrace, spool_three_requests, stderr, stdout, until};

#[test]
fn a_purge_reaches_what_waits_in_the_spool() {
    let file = holding([]);
    let purge = |more: &[&str]| ragtrace(&file, &[&["purge", "--user", "alice", "--spool", "spool"], more].concat());
    let telemetry = spool_three_requests(&file.folder.path().join("spool"));
    until(&telemetry, |sink| sink.spooled >= 6);
    let held = purge(&[]);
    assert_eq!(code(&held), Some(1), "{}", stderr(&held));
    assert!(stderr(&held).contains("1 running processes hold their part of the spool"), "{}", stderr(&held));
    telemetry.shutdown_blocking(std::time::Duration::from_secs(5));

    let four = "0 log rows, 0 archived rows, 0 finished traces, 0 scores, 4 waiting records, 0 dead letters";
    assert_eq!(stdout(&purge(&["--dry-run"])), format!("would be removed: {four}\n"));
    assert_eq!(stdout(&purge(&[])), format!("removed: {four}\n"));
    assert_eq!(code(&purge(&[])), Some(1), "nothing is left of her");

    // The next process delivers what is left, which is bob's alone.
    let builder = ragtrace::builder().console(ragtrace::Console::Off).sink(file.sink());
    let builder = builder.spool(file.folder.path().join("spool"), ragtrace::SpoolLimits::default());
    let telemetry = builder.install().expect("the other is shut down");
    until(&telemetry, |sink| sink.delivered >= 2 && sink.spooled == 0);
    let report = telemetry.shutdown_blocking(std::time::Duration::from_secs(20));
    assert!(report.complete, "{report}");
    let json = stdout(&ragtrace(&file, &["logs", "--stage", "asked", "--format", "json"]));
    let rows: Json = serde_json::from_str(&json).expect("JSON");
    let users: Vec<_> = rows.as_array().expect("a list").iter().map(|row| row["user_id"].as_str()).collect();
    assert_eq!(users, [Some("bob"), Some("bob")]);
}

#[test]
fn retention_and_purge_say_what_they_do() {
    let old = ingestion().into_iter().map(|record| {
        ragtrace::Record::from_json(&record.to_json().replace("2026-11-22", "2020-11-22")).expect("a record")
    });
    let file = holding(old);
    let said = stdout(&ragtrace(&file, &["retention", "--dry-run", "--archive-days", "36500"]));
    assert_eq!(said, "1 days: 1 traces would be archived, 0 would be removed; 0 would be expired from the archive\n");
    let done = stdout(&ragtrace(&file, &["retention", "--archive-days", "36500"]));
    assert_eq!(done, "1 days: 1 traces archived, 0 removed; 0 expired from the archive\n");
    assert_eq!(code(&ragtrace(&file, &["retention", "--sample", "2"])), Some(2));
    stdout(&ragtrace(&file, &["trace", TRACE]));
    // One dead letter of alice and one of bob.
    let letter = |user: &str| {
        let record = Make::new("log", "x", 1, 0).with("user_id", user).record().to_json();
        format!(
            "{{\"at\":\"2026-11-22T08:20:11.000000Z\",\"sink\":\"postgres\",\"reason\":\"bad\",\"record\":{record}}}\n"
        )
    };
    let letters = file.folder.path().join("dead-letters.jsonl");
    let of_bob = letter("bob");
    std::fs::write(&letters, letter("alice") + &of_bob).expect("written");
    let said = stdout(&ragtrace(&file, &["purge", "--user", "alice", "--spool", ".", "--dry-run"]));
    assert_eq!(
        said,
        "would be removed: 0 log rows, 8 archived rows, 0 finished traces, 0 scores, 0 waiting records, 1 dead letters\n"
    );
    let said = stdout(&ragtrace(&file, &["purge", "--user", "alice", "--spool", "."]));
    assert_eq!(
        said,
        "removed: 0 log rows, 8 archived rows, 0 finished traces, 0 scores, 0 waiting records, 1 dead letters\n"
    );
    assert_eq!(std::fs::read_to_string(&letters).expect("there"), of_bob);
    assert_eq!(code(&ragtrace(&file, &["purge", "--user", "alice"])), Some(1));
}

#[test]
fn a_purge_leaves_a_line_that_does_not_name_whom_it_erased() {
    let file = holding(ingestion());
    let listed = |arguments: &[&str]| ragtrace(&file, &[&["purge", "--list"], arguments].concat());
    assert_eq!(code(&listed(&[])), Some(1));
    stdout(&ragtrace(&file, &["purge", "--user", "alice", "--dry-run"]));
    assert_eq!(code(&listed(&[])), Some(1), "a dry run leaves none");
    for (flag, text) in [("--reference", "ticket of Alice"), ("--actor", "alice")] {
        let output = ragtrace(&file, &["purge", "--user", "alice", flag, text]);
        assert_eq!(code(&output), Some(2));
        assert!(stderr(&output).contains(&format!("`{flag}` contains the id")), "{}", stderr(&output));
    }
    let mut purge = command(&file, &["purge", "--user", "alice", "--reference", "ticket 4711"]);
    // The system's user is the one who is erased.
    stdout(&purge.env("LOGNAME", "alice").output().expect("runs"));
    let json: Json = serde_json::from_str(&stdout(&listed(&["--format", "json"]))).expect("JSON");
    let line = &json[0];
    assert_eq!((&line["action"], &line["reference"]), (&json!("purge"), &json!("ticket 4711")));
    assert_eq!((&line["details"]["logs"], &line["details"]["dead_letters"]), (&json!(8), &json!(0)));
    assert!(line["actor"].as_str().is_some_and(|actor| actor.starts_with('@')), "{line}");
    assert_eq!(line["subject_hash"].as_str().map(str::len), Some(64));
    assert!(!json.to_string().contains("alice") && !stdout(&listed(&[])).contains("alice"), "{json}");
    let stored = std::fs::read(file.path()).expect("the file");
    assert!(!stored.windows(5).any(|window| window == b"alice"), "no byte of the id is in the file");
    let mut purge = command(&file, &["purge", "--user", "carol"]);
    assert_eq!(code(&purge.env("LOGNAME", "dave").output().expect("runs")), Some(1));
    let json: Json = serde_json::from_str(&stdout(&listed(&["--limit", "1", "--format", "json"]))).expect("JSON");
    assert!(json[0]["actor"].as_str().is_some_and(|actor| actor.starts_with("dave@")), "{json}");
    for wrong in [&["purge"][..], &["purge", "--list", "--user", "x"]] {
        assert_eq!(code(&ragtrace(&file, wrong)), Some(2), "{wrong:?}");
    }
}
