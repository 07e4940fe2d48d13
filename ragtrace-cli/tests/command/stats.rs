//! Tests of the numbers of stages.

use std::time::Duration;

use ragtrace::{Record, Timestamp};
use serde_json::{Value as Json, json};

use crate::support::{File, Make};
use crate::{code, holding, ragtrace, stderr, stdout};

/// Returns ends of a stage, `hours` ago, of which some failed.
fn ends(stage: &str, hours: u64, runs: u64, millis: u64, failed: u64) -> impl Iterator<Item = Record> {
    let at = Timestamp::now().minus(Duration::from_hours(hours)).to_string();
    (0..runs).map(move |run| {
        let event = if run < failed { "failed" } else { "completed" };
        let metrics = json!({"duration_ms": millis, "count": 4, "cost_usd": 0.01, "input_tokens": 100});
        Make::new(event, stage, run + 1, 0)
            .with("timestamp", at.clone())
            .with("tenant_id", if run % 2 == 0 { "acme" } else { "umbrella" })
            .with("version", if run % 2 == 0 { "1.0" } else { "2.0" })
            .with("instance", uuid::Uuid::from_u128(u128::from(run % 2) + 7).to_string())
            .with("user_id", if run % 2 == 0 { "alice" } else { "bob" })
            .with("context", json!({"model": "m1", "provider": "p1"}))
            .metrics(metrics)
            .record()
    })
}

/// A store in which stages have changed since yesterday.
fn changed() -> File {
    let now =
        ends("embedding", 1, 20, 200, 0).chain(ends("generation", 1, 20, 50, 4)).chain(ends("parsing", 1, 20, 10, 0));
    let before = ends("embedding", 30, 20, 100, 0)
        .chain(ends("generation", 30, 20, 50, 0))
        .chain(ends("parsing", 30, 20, 20, 2));
    let others = ends("new_one", 1, 2, 5, 0).chain(ends("gone", 30, 2, 5, 0));
    holding(now.chain(before).chain(others))
}

fn rows(file: &File, arguments: &[&str]) -> Vec<Json> {
    let text = stdout(&ragtrace(file, &[&["stats", "--format", "json"], arguments].concat()));
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn the_stage_that_got_slower_since_yesterday_comes_first_and_is_marked() {
    let file = changed();
    let table = stdout(&ragtrace(&file, &["stats"]));
    let lines: Vec<&str> = table.lines().collect();
    assert!(
        lines[1].starts_with("embedding") && lines[1].ends_with("▲ slower") && lines[1].contains(" +10"),
        "{table}"
    );
    assert!(
        lines[2].starts_with("generation") && lines[2].ends_with("▲ errors") && lines[2].contains("+20.0%"),
        "{table}"
    );
    let line = |stage: &str| lines.iter().find(|line| line.starts_with(stage)).copied().expect("a line");
    assert!(line("parsing").ends_with("▼ faster") && line("new_one").ends_with("+ new"), "{table}");
    assert!(line("gone").ends_with("■ silent"), "{table}");
    assert!(!table.contains('\u{1b}'), "no colour is needed to read it");
    let rows = rows(&file, &[]);
    assert_eq!((&rows[0]["stage"], &rows[0]["trend"]), (&json!("embedding"), &json!("slower")));
    assert!((rows[0]["p95_change"].as_f64().expect("a number") - 1.0).abs() < 0.05, "{}", rows[0]);
    assert_eq!((&rows[0]["before"]["runs"], &rows[1]["error_rate_change"]), (&json!(20), &json!(0.2)));
    let gone = rows.iter().find(|row| row["stage"] == "gone").expect("a row");
    assert_eq!((&gone["runs"], &gone["before"]["runs"], &gone["p95_ms"]), (&json!(0), &json!(2), &Json::Null));
}

#[test]
fn a_few_runs_make_no_trend() {
    let file = holding(ends("embedding", 1, 9, 200, 9).chain(ends("embedding", 30, 100, 10, 0)));
    let rows = rows(&file, &[]);
    assert_eq!((&rows[0]["trend"], &rows[0]["error_rate"]), (&json!("steady"), &json!(1.0)));
}

#[test]
fn without_the_comparison_the_window_stands_alone() {
    let file = changed();
    let rows = rows(&file, &["--no-compare"]);
    assert_eq!(rows.len(), 4);
    assert!(rows.iter().all(|row| row.get("before").is_none() && row.get("trend").is_none()), "{rows:?}");
    assert_eq!((&rows[0]["items"], &rows[0]["cancel_rate"]), (&json!(80), &json!(0.0)));
    assert!(!stdout(&ragtrace(&file, &["stats", "--no-compare"])).contains("trend"));
    let output = ragtrace(&file, &["stats", "--since", "30m"]);
    assert_eq!((code(&output), stderr(&output).as_str()), (Some(1), "ragtrace: no stage ended in that time\n"));
}

#[test]
fn numbers_are_split_by_tenant_user_and_version() {
    // An import counts the runs of each process by itself, as the processes do.
    let (source, file) = (changed(), File::new());
    stdout(&ragtrace(&source, &["export", "--output", file.folder.path().join("in.jsonl").to_str().expect("UTF-8")]));
    stdout(&ragtrace(&file, &["import", "in.jsonl"]));
    for (by, expected) in [("tenant", ["acme", "umbrella"]), ("user", ["alice", "bob"]), ("version", ["1.0", "2.0"])] {
        let rows = rows(&file, &["--by", by]);
        let of: Vec<_> = rows.iter().filter(|row| row["stage"] == "embedding").collect();
        let mut groups: Vec<_> = of.iter().map(|row| row["group"].as_str().expect("a group")).collect();
        groups.sort_unstable();
        assert_eq!(groups, expected, "{by}");
        assert!(of.iter().all(|row| row["runs"] == 10 && row["trend"] == "slower"), "{by}: {of:?}");
        let table = stdout(&ragtrace(&file, &["stats", "--by", by]));
        assert!(table.contains(expected[0]) && table.contains(expected[1]), "{table}");
    }
}

#[test]
fn costs_and_retrieval_have_tables_of_their_own() {
    let file = changed();
    let costs = rows(&file, &["--costs"]);
    assert_eq!((&costs[0]["model"], &costs[0]["input_tokens"]), (&json!("m1"), &json!(3_100)));
    assert!(stdout(&ragtrace(&file, &["stats", "--costs"])).contains("acme"));
    let found = |count: u64, score: f64| {
        Make::new("completed", "retrieval", count + 1, 0)
            .with("timestamp", Timestamp::now().to_string())
            .with("kind", "retrieve")
            .metrics(json!({"duration_ms": 1, "count": count, "top_score": score}))
            .record()
    };
    let retrieving = holding([found(0, 0.1), found(3, 0.9)]);
    let rows = rows(&retrieving, &["--retrieval"]);
    assert_eq!((&rows[0]["runs"], &rows[0]["empty"], &rows[0]["least_top_score"]), (&json!(2), &json!(1), &json!(0.1)));
    assert!(stdout(&ragtrace(&retrieving, &["stats", "--retrieval"])).contains("50.0%"));
    assert_eq!(code(&ragtrace(&file, &["stats", "--retrieval"])), Some(1));
    for wrong in
        [&["stats", "--costs", "--retrieval"][..], &["stats", "--costs", "--by", "user"], &["stats", "--by", "shoe"]]
    {
        assert_eq!(code(&ragtrace(&file, wrong)), Some(2), "{wrong:?}");
    }
}
