//! Tests of giving scores.

use serde_json::{Value as Json, json};

use crate::support::{File, TRACE, ingestion};
use crate::{OTHER, code, holding, ragtrace, stderr, stdout};

fn scores(file: &File) -> Vec<Json> {
    let trace: Json =
        serde_json::from_str(&stdout(&ragtrace(file, &["trace", TRACE, "--format", "json"]))).expect("JSON");
    trace["scores"].as_array().expect("a list").clone()
}

#[test]
fn a_value_is_a_number_a_flag_or_a_label() {
    let file = holding(ingestion());
    let given: [(&[&str], Json); 8] = [
        (&["0.83"], json!(0.83)),
        (&["-2"], json!(-2.0)),
        (&["true"], json!(true)),
        (&["false"], json!(false)),
        (&["friendly"], json!("friendly")),
        (&["True"], json!("True")),
        (&["true", "--label"], json!("true")),
        (&["5", "--label"], json!("5")),
    ];
    for (number, (value, expected)) in given.iter().enumerate() {
        let name = format!("score-{number}");
        let arguments = [&["score", "last", &name], *value, &["--by", "llm", "--comment", "-why not"]].concat();
        assert_eq!(stdout(&ragtrace(&file, &arguments)), format!("scored the trace {TRACE}\n"));
        let found = scores(&file).into_iter().find(|score| score["score"]["name"] == name.as_str()).expect("stored");
        assert_eq!(&found["score"]["value"], expected, "{value:?}");
        assert_eq!((&found["score"]["by"], &found["score"]["comment"]), (&json!("llm"), &json!("-why not")));
        assert_eq!(found["tenant_id"], "acme", "the trace's");
    }
}

#[test]
fn a_run_is_judged_by_any_form_of_its_id() {
    let file = holding(ingestion());
    for span in ["0000000000000004", "0000000000000004", "0000000000000001"] {
        let said = stdout(&ragtrace(&file, &["score", "0199a1c2", "recall", "1", "--span", span]));
        assert_eq!(said, format!("scored the run {span} of the trace {TRACE}\n"));
    }
    let drawn = stdout(&ragtrace(&file, &["trace", "last", "--format", "json"]));
    assert!(drawn.contains("\"name\":\"recall\""), "{drawn}");
    let many = ragtrace(&file, &["score", "last", "recall", "1", "--span", "0000"]);
    assert_eq!(code(&many), Some(2));
    assert!(stderr(&many).contains("matches several runs"), "{}", stderr(&many));
}

#[test]
fn what_is_not_known_is_told_unless_forced() {
    let file = holding(ingestion());
    for (arguments, says) in [
        (&["score", OTHER, "helpful", "true"][..], "there is no trace"),
        (&["score", "abc", "helpful", "true"], "begins with abc"),
        (&["score", TRACE, "helpful", "true", "--span", "00000000000000ff"], "has no run"),
        (&["score", OTHER, "helpful", "true", "--span", "00000000000000ff"], "there is no trace"),
    ] {
        let output = ragtrace(&file, arguments);
        assert_eq!(code(&output), Some(1), "{arguments:?}");
        assert!(stderr(&output).contains(says), "{}", stderr(&output));
    }
    assert_eq!(scores(&file).len(), 0);
    stdout(&ragtrace(&file, &["score", OTHER, "helpful", "true", "--force"]));
    stdout(&ragtrace(&file, &["score", TRACE, "helpful", "true", "--span", "00000000000000ff", "--force"]));
    // A trace of which only scores are known is known.
    stdout(&ragtrace(&file, &["score", OTHER, "again", "true"]));
}

#[test]
fn a_score_that_the_rules_forbid_is_refused_with_the_reason() {
    let file = holding(ingestion());
    for (arguments, says) in [
        (&["score", "last", "helpful", "true", "--tenant", "umbrella"][..], "belongs to another tenant"),
        (&["score", "last", "helpful", "NaN"], "finite"),
        (&["score", "last", "helpful", "1e999"], "finite"),
        (&["score", "last", "", "true"], "name"),
        (&["score", "last", &"x".repeat(65), "true"], "64"),
        (&["score", "last", "helpful", "true", "--by", "nobody"], "human"),
        (&["score", "last", "helpful"], "<VALUE>"),
        (&["score", "last", "helpful", "true", "--store", "sqlite:none.db"], "there is no file"),
    ] {
        let output = ragtrace(&file, arguments);
        assert_eq!(code(&output), Some(2), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(says), "{arguments:?}: {}", stderr(&output));
    }
    assert_eq!(scores(&file).len(), 0);
    stdout(&ragtrace(&file, &["score", "last", "helpful", "true", "--tenant", "acme", "--user", "carol"]));
    assert_eq!(scores(&file)[0]["user_id"], "carol");
}
