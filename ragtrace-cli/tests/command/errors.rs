//! Tests of errors, grouped and listed.

use ragtrace::Timestamp;
use serde_json::{Value as Json, json};

use crate::support::{self, Make};
use crate::{code, command, holding, ragtrace, stderr, stdout};

#[test]
fn errors_are_those_of_a_user_since_a_while_ago() {
    let hour_ago = Timestamp::now().minus(std::time::Duration::from_hours(1)).to_string();
    let recent = Make::new("failed", "retrieval", 9, 0)
        .with("timestamp", hour_ago)
        .with("error", json!({"type": "Timeout", "message": "no answer in 5s", "chain": ["connection reset"]}));
    let of_bob = recent.clone().with("id", uuid::Uuid::new_v4().to_string()).with("user_id", "bob");
    let old = Make::new("failed", "retrieval", 9, 0).with("timestamp", "2020-01-01T00:00:00.000000Z");
    let file = holding([recent.record(), of_bob.record(), old.record()]);
    let seen = stdout(&ragtrace(&file, &["errors", "--list", "--user", "alice", "--since", "24h"]));
    assert!(seen.contains("ERROR retrieval_failed"), "{seen}");
    assert!(seen.contains("Timeout: no answer in 5s\n    ↳ connection reset"), "{seen}");
    let lines = |arguments: &[&str]| stdout(&ragtrace(&file, arguments)).lines().count();
    assert_eq!(lines(&["errors", "--list", "--format", "jsonl", "--user", "alice", "--since", "24h"]), 1);
    assert_eq!(lines(&["errors", "--list", "--format", "jsonl", "--user", "alice"]), 2);
    assert_eq!(lines(&["errors", "--list", "--format", "jsonl", "--until", "2020-01-02"]), 1);
    assert_eq!(lines(&["errors", "--list", "--format", "jsonl", "--limit", "2"]), 2);
    let json: Json =
        serde_json::from_str(&stdout(&ragtrace(&file, &["errors", "--list", "--format", "json"]))).expect("JSON");
    assert_eq!(json.as_array().map(Vec::len), Some(3));
    for nobody in [["--user", "carol"], ["--tenant", "umbrella"], ["--stage", "rerank"], ["--since", "30m"]] {
        let output = ragtrace(&file, &["errors", nobody[0], nobody[1]]);
        assert_eq!((code(&output), stderr(&output).as_str()), (Some(1), "ragtrace: no errors match\n"));
        assert_eq!(output.stdout, b"");
    }
}

/// Returns a failed run of now whose message has a number in it.
fn timeout(number: u64, user: &str) -> ragtrace::Record {
    let at = Timestamp::now().minus(std::time::Duration::from_secs(100 - number)).to_string();
    Make::new("failed", "retrieval", number + 1, 0)
        .with("timestamp", at)
        .with("user_id", user)
        .trace(&uuid::Uuid::from_u128(u128::from(number) + 1).to_string())
        .with("error", json!({"type": "Timeout", "message": format!("no answer in {number}s"), "chain": ["reset"]}))
        .record()
}

#[test]
fn errors_that_differ_in_numbers_alone_are_one_group_with_an_example() {
    let other = Make::new("failed", "generation", 50, 0).with("error", json!({"type": "Refused", "message": "no"}));
    let file = holding([timeout(1, "alice"), timeout(2, "bob"), timeout(3, "alice"), other.record()]);
    let groups: Json = serde_json::from_str(&stdout(&ragtrace(&file, &["errors", "--format", "json"]))).expect("JSON");
    assert_eq!(groups.as_array().map(Vec::len), Some(2));
    assert_eq!(
        (&groups[0]["count"], &groups[0]["users"], &groups[0]["stage"]),
        (&json!(3), &json!(2), &json!("retrieval"))
    );
    assert_eq!(groups[0]["example"], "00000000-0000-0000-0000-000000000004", "the newest");
    let table = stdout(&ragtrace(&file, &["errors"]));
    assert!(table.lines().nth(1).is_some_and(|line| line.contains("Timeout: no answer in <number>s")), "{table}");
    let lines = |arguments: &[&str]| {
        stdout(&ragtrace(&file, &[&["errors", "--format", "jsonl"], arguments].concat())).lines().count()
    };
    assert_eq!((lines(&[]), lines(&["--limit", "1"]), lines(&["--list"])), (2, 1, 4));
    assert_eq!(
        (lines(&["--text", "NO ANSWER"]), lines(&["--user", "bob"]), lines(&["--stage", "generation"])),
        (1, 1, 1)
    );
    assert_eq!(lines(&["--trace", "00000000-0000-0000-0000-000000000003"]), 1);
    assert_eq!(code(&ragtrace(&file, &["errors", "--list", "--watch"])), Some(2));
}

#[cfg(unix)]
#[test]
fn a_watch_writes_groups_that_are_new_or_have_grown_and_ends_with_ctrl_c() {
    let file = holding([timeout(1, "alice")]);
    let mut child = command(&file, &["errors", "--watch", "--format", "json"]);
    let mut child = child.stdout(std::process::Stdio::piped()).spawn().expect("runs");
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().expect("a pipe")));
    let mut next = || -> Json { serde_json::from_str(&lines.next().expect("a line").expect("text")).expect("JSON") };
    assert_eq!(next()["count"], 1);
    let write = |record: ragtrace::Record| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let sink = file.sink();
            ragtrace::Sink::deliver(&sink, &support::batch([record])).await.expect("delivered");
            ragtrace::Sink::close(&sink).await;
        });
    };
    write(timeout(2, "bob"));
    assert_eq!(next()["count"], 2);
    write(Make::new("failed", "generation", 50, 0).with("error", json!({"type": "Refused", "message": "no"})).record());
    assert_eq!(next()["error_type"], "Refused", "the group that has not changed is not written again");
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    kill.expect("kill is there");
    assert_eq!(child.wait().expect("ends").code(), Some(0));
}
