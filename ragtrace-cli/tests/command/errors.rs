//! Tests of errors, grouped and listed.

use ragtrace::Timestamp;
use serde_json::{Value as Json, json};

use crate::support::{Make};
use crate::{code, holding, ragtrace, stderr, stdout, until};

#[test]
fn errors_are_those_of_a_user_since_a_while_ago() {
    let hour_ago = Timestamp::now().minus(std::time::Duration::from_hours(1)).to_string();
    let recent = Make::new("failed", "retrieval", 9, 0)
        .with("timestamp", hour_ago)
        .with("error", json!({"type": "Timeout", "message": "no answer in 5s", "chain": ["connection reset"]}));
    let of_bob = recent.clone().with("id", uuid::Uuid::new_v4().to_string()).with("user_id", "bob");
    let old = Make::new("failed", "retrieval", 9, 0).with("timestamp", "2020-01-01T00:00:00.000000Z");
    let file = holding([recent.record(), of_bob.record(), old.record()]);
    let seen = stdout(&ragtrace(&file, &["errors", "--user", "alice", "--since", "24h"]));
    assert!(seen.contains("ERROR retrieval_failed"), "{seen}");
    assert!(seen.contains("Timeout: no answer in 5s\n    ↳ connection reset"), "{seen}");
    let lines = |arguments: &[&str]| stdout(&ragtrace(&file, arguments)).lines().count();
    assert_eq!(lines(&["errors", "--format", "jsonl", "--user", "alice", "--since", "24h"]), 1);
    assert_eq!(lines(&["errors", "--format", "jsonl", "--user", "alice"]), 2);
    assert_eq!(lines(&["errors", "--format", "jsonl", "--until", "2020-01-02"]), 1);
    assert_eq!(lines(&["errors", "--format", "jsonl", "--limit", "2"]), 2);
    let json: Json = serde_json::from_str(&stdout(&ragtrace(&file, &["errors", "--format", "json"]))).expect("JSON");
    assert_eq!(json.as_array().map(Vec::len), Some(3));
    for nobody in [["--user", "carol"], ["--tenant", "umbrella"], ["--stage", "rerank"], ["--since", "30m"]] {
        let output = ragtrace(&file, &["errors", nobody[0], nobody[1]]);
        assert_eq!((code(&output), stderr(&output).as_str()), (Some(1), "ragtrace: no errors match\n"));
        assert_eq!(output.stdout, b"");
    }
}
