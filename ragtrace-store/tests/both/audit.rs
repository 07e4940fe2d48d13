//! The lines that purges leave.

use ragtrace::Timestamp;
use ragtrace_store::retention::Purge;
use ragtrace_store::{self as store, AuditEntry};
use serde_json::Value as Json;

use crate::support::ingestion;
use crate::test_store::TestStore;

over_both!(
    a_purge_leaves_a_line_that_does_not_name_the_user,
    a_purge_that_finds_nothing_leaves_a_line_and_a_dry_run_does_not,
    whoever_purges_may_have_any_name,
);

/// The SHA-256 of `alice`.
const ALICE: &str = "2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90";

async fn lines(place: &TestStore) -> Vec<AuditEntry> {
    place.store().await.audit(100).await.expect("reads")
}

async fn a_purge_leaves_a_line_that_does_not_name_the_user(place: TestStore) {
    place.holding(ingestion()).await;
    let before = Timestamp::now();
    let purge = Purge::of("alice").actor("dpo@acme.example").reference("ticket 4711").also_removed("spooled", 3);
    store::purge(&place.url, &purge, |_| {}).await.expect("erased");
    let lines = lines(&place).await;
    let [line] = &*lines else { panic!("{lines:?}") };
    assert_eq!(
        (line.action(), line.actor(), line.reference()),
        ("purge", Some("dpo@acme.example"), Some("ticket 4711"))
    );
    assert_eq!(line.subject_hash(), ALICE);
    assert!(line.at() >= before.minus(std::time::Duration::from_mins(1)) && line.at() <= Timestamp::now());
    let details: Json = serde_json::from_str(&line.details_json()).expect("JSON");
    assert_eq!(details, serde_json::json!({"logs": 8, "archived": 0, "requests": 1, "scores": 0, "spooled": 3}));
    assert!(!line.to_json().contains("alice"), "{}", line.to_json());
    let json: Json = serde_json::from_str(&line.to_json()).expect("JSON");
    assert_eq!(json["details"], details);
}

async fn a_purge_that_finds_nothing_leaves_a_line_and_a_dry_run_does_not(place: TestStore) {
    place.holding(ingestion()).await;
    store::purge(&place.url, &Purge::of("alice").dry_run(true), |_| {}).await.expect("counted");
    assert_eq!(lines(&place).await, []);
    for user in ["nobody", "alice", "alice"] {
        store::purge(&place.url, &Purge::of(user), |_| {}).await.expect("erased");
    }
    let lines = lines(&place).await;
    let removed: Vec<Json> =
        lines.iter().map(|line| serde_json::from_str(&line.details_json()).expect("JSON")).collect();
    let removed: Vec<&Json> = removed.iter().map(|details| &details["logs"]).collect();
    assert_eq!(removed, [0, 8, 0], "the newest first");
    assert_eq!((lines[0].actor(), lines[0].reference()), (None, None));
    assert_eq!(place.store().await.audit(2).await.expect("reads"), lines[..2]);
    assert_eq!(place.store().await.audit(0).await.expect("reads"), []);
}

async fn whoever_purges_may_have_any_name(place: TestStore) {
    place.holding([]).await;
    let long = "x".repeat(1 << 20);
    for name in ["", "'); DROP TABLE audit; --", "a\0b", "\u{202e}ü\"", &long] {
        let purge = Purge::of(name).actor(name).reference(name).also_removed(name, 1);
        store::purge(&place.url, &purge, |_| {}).await.expect("erased");
        let newest = lines(&place).await.remove(0);
        let stored = if place.is_sqlite() { name.to_owned() } else { name.replace('\0', "\u{fffd}") };
        assert_eq!((newest.actor(), newest.reference()), (Some(&*stored), Some(&*stored)));
        assert_eq!(newest.subject_hash().len(), 64);
    }
}
