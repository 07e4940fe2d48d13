//! Tests of looking into a spool.

use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::support::Make;
use crate::{code, command, holding, ragtrace, spool_three_requests, stderr, stdout, until};

#[test]
fn the_batches_of_a_process_are_shown_while_it_lives_and_after_its_end() {
    let file = holding([]);
    let folder = file.folder.path().join("spool");
    let ls = |format: &str| ragtrace(&file, &["spool", "ls", "--spool", "spool", "--format", format]);
    assert_eq!(code(&ls("table")), Some(2), "there is no such folder");
    let telemetry = spool_three_requests(&folder);
    until(&telemetry, |sink| sink.spooled >= 6);
    // The account follows within about a second.
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    let live: Json = loop {
        let json: Json = serde_json::from_slice(&ls("json").stdout).expect("JSON");
        if json["slots"][0]["sinks"][0]["records"].as_u64() >= Some(6) {
            break json;
        }
        assert!(std::time::Instant::now() < deadline, "{json}");
        std::thread::sleep(Duration::from_millis(50));
    };
    let slot = &live["slots"][0];
    assert_eq!(
        (&slot["slot"], &slot["live"], &slot["pid"]),
        (&json!("slot-0"), &json!(true), &json!(std::process::id()))
    );
    assert_eq!((&slot["sinks"][0]["name"], &slot["trouble"]), (&json!("sqlite"), &Json::Null));
    assert!(slot["sinks"][0]["oldest"].is_string() && slot["as_of"].is_string(), "{slot}");
    let stats = &telemetry.stats().sinks[0];
    assert!(stats.failing && !stats.parked && stats.oldest_waiting.is_some(), "{stats:?}");
    telemetry.shutdown_blocking(Duration::from_secs(5));
    let ended: Json = serde_json::from_str(&stdout(&ls("json"))).expect("JSON");
    // The pipeline's own reports wait too.
    let waiting = ended["slots"][0]["sinks"][0]["records"].as_u64().expect("a number");
    assert_eq!((&ended["slots"][0]["live"], waiting >= 6), (&json!(false), true), "{ended}");
    let table = stdout(&ls("table"));
    assert!(table.starts_with("slot") && table.contains("slot-0") && table.contains(", ended"), "{table}");
    // A purge corrects the account.
    stdout(&ragtrace(&file, &["purge", "--user", "alice", "--spool", "spool"]));
    let purged: Json = serde_json::from_str(&stdout(&ls("json"))).expect("JSON");
    assert_eq!(purged["slots"][0]["sinks"][0]["records"], waiting - 4);
    // The next process takes everything over, and leaves nothing behind.
    let builder = ragtrace::builder().console(ragtrace::Console::Off).sink(file.sink());
    let telemetry = builder.spool(&folder, ragtrace::SpoolLimits::default()).install().expect("the other is shut down");
    until(&telemetry, |sink| sink.delivered >= waiting - 4 && sink.spooled == 0 && sink.oldest_waiting.is_none());
    assert!(telemetry.shutdown_blocking(Duration::from_secs(20)).complete);
    let output = ls("table");
    assert_eq!(code(&output), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(stderr(&output).contains("nothing waits in `spool`"), "{}", stderr(&output));
}

#[test]
fn dead_letters_are_grouped_by_sink_and_reason_and_damaged_files_are_named() {
    let file = holding([]);
    let folder = file.folder.path().join("spool");
    std::fs::create_dir_all(folder.join("slot-3")).expect("made");
    let letter = |sink: &str, reason: &str, minute: u32| {
        let record = Make::new("log", "x", 1, 0).record().to_json();
        let reason = json!(reason);
        format!(
            "{{\"at\":\"2026-11-22T08:{minute:02}:00.000000Z\",\"sink\":\"{sink}\",\"reason\":{reason},\"record\":{record}}}\n"
        )
    };
    let letters = [
        letter("postgres", "too long", 1),
        letter("otlp", "bad \u{1b}[2J", 2),
        letter("postgres", "too long", 3),
        "no letter\n".to_owned(),
    ];
    std::fs::write(folder.join("dead-letters.jsonl"), letters.concat()).expect("written");
    std::fs::write(folder.join("slot-3/spool.redb.corrupt-1795335611000000"), "xyz").expect("written");
    let json: Json =
        serde_json::from_str(&stdout(&ragtrace(&file, &["spool", "ls", "--spool", "spool", "--format", "json"])))
            .expect("JSON");
    assert_eq!(json["unreadable_lines"], 1);
    assert_eq!(json["dead_letters"][0]["letters"], 2);
    assert_eq!(
        (&json["dead_letters"][0]["sink"], &json["dead_letters"][0]["newest"]),
        (&json!("postgres"), &json!("2026-11-22T08:03:00.000000Z"))
    );
    let aside = &json["slots"][0]["set_aside"][0];
    assert_eq!((&aside["bytes"], &aside["at"]), (&json!(3), &json!("2026-11-22T08:20:11.000000Z")));
    let table = stdout(&command(&file, &["spool", "ls"]).env("RAGTRACE_SPOOL", "spool").output().expect("runs"));
    assert!(table.contains("set aside as damaged: ") && table.contains("too long"), "{table}");
    assert!(!table.contains('\u{1b}'), "{table:?}");
    let lines = stdout(&ragtrace(&file, &["spool", "ls", "--spool", "spool", "--format", "jsonl"]));
    assert!(
        lines.lines().count() == 3 && lines.lines().all(|line| serde_json::from_str::<Json>(line).is_ok()),
        "{lines}"
    );
}

#[test]
fn a_spool_has_to_be_named() {
    let file = holding([]);
    for (arguments, says) in [
        (&["spool", "ls"][..], "pass `--spool FOLDER`"),
        (&["spool"], "Usage"),
        (&["spool", "ls", "--spool", ".", "--store", "sqlite:x"], "leave out `--store`"),
    ] {
        let output = command(&file, arguments).env_remove("RAGTRACE_SPOOL").output().expect("runs");
        assert_eq!(code(&output), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(says), "{arguments:?}: {}", stderr(&output));
    }
}
