//! Adding a score.

use crate::client::Answer;
use crate::support::{TRACE, ingestion};
use crate::viewer::{Viewer, holding};

fn csrf(viewer: &Viewer) -> String {
    let page = viewer.get("/").expect(200);
    let token = page.body.split("name=\"csrf\" content=\"").nth(1).and_then(|rest| rest.split('"').next());
    token.expect("a token").to_owned()
}

fn add(viewer: &Viewer, csrf: &str, body: &str) -> Answer {
    viewer.post("/api/scores", &[("x-csrf-token", csrf)], body)
}

#[test]
fn a_viewer_that_only_reads_takes_no_score() {
    let file = holding(ingestion());
    let viewer = Viewer::of(&file.url(), &[]);
    assert!(!viewer.get("/").body.contains("name=\"csrf\""));
    let body = format!(r#"{{"trace_id":"{TRACE}","name":"helpful","value":true}}"#);
    let answer = viewer.post("/api/scores", &[], &body).expect(403);
    assert!(answer.json()["advice"].as_str().is_some_and(|advice| advice.contains("--allow-writes")), "{answer:?}");
}

#[test]
fn a_score_is_added_with_the_pages_token_and_shown() {
    let file = holding(ingestion());
    let viewer = Viewer::of(&file.url(), &["--allow-writes"]);
    let csrf = csrf(&viewer);
    let bodies = [
        format!(r#"{{"trace_id":"{TRACE}","name":"helpful","value":true,"comment":"<b>good</b>","user_id":"bob"}}"#),
        format!(r#"{{"trace_id":"{TRACE}","span_id":"0000000000000004","name":"faithfulness","value":0.83}}"#),
        format!(r#"{{"trace_id":"{}","name":"tone","value":"friendly","comment":""}}"#, TRACE.replace('-', "")),
    ];
    for body in &bodies {
        let answer = add(&viewer, &csrf, body).expect(201);
        assert!(answer.json()["id"].is_string(), "{answer:?}");
    }
    let scores = viewer.get("/scores.json").expect(200).json();
    let names: Vec<_> = scores.as_array().expect("a list").iter().map(|score| score["score"]["name"].clone()).collect();
    assert_eq!(names, ["tone", "faithfulness", "helpful"]);
    assert_eq!((&scores[1]["span_id"], &scores[1]["tenant_id"]), (&"0000000000000004".into(), &"acme".into()));
    let page = viewer.get("/scores").expect(200);
    assert!(
        page.body.contains("&lt;b&gt;good&lt;/b&gt;") && page.body.contains("0.83") && page.body.contains("friendly")
    );
    assert!(page.body.contains("/trace/0199a1c2-7b1e-7a54-9c01-5f2e8d3b9a10/span/0000000000000004"));
}

#[test]
fn what_is_no_score_is_refused_with_the_reason() {
    let file = holding(ingestion());
    let viewer = Viewer::of(&file.url(), &["--allow-writes"]);
    let csrf = csrf(&viewer);
    let good = format!(r#"{{"trace_id":"{TRACE}","name":"helpful","value":true}}"#);
    for token in ["", "0", &csrf[1..], &csrf.to_uppercase()] {
        viewer.post("/api/scores", &[("x-csrf-token", token)], &good).expect(403);
    }
    viewer.post("/api/scores", &[], &good).expect(403);
    let plain =
        viewer.request("POST", "/api/scores", &[("x-csrf-token", &csrf), ("content-type", "text/plain")], &good);
    assert_eq!(plain.status, 415, "{plain:?}");
    let with = |name: &str, value: &str| {
        let mut body: serde_json::Value = serde_json::from_str(&good).expect("JSON");
        body[name] = serde_json::from_str(value).expect("JSON");
        body.to_string()
    };
    let unknown = "\"0199a1c2-7b1e-7a54-9c01-000000000000\"";
    for (body, status) in [
        (with("trace_id", unknown), 404),
        (with("trace_id", "\"x\""), 422),
        (with("span_id", "\"00000000000000ff\""), 404),
        (with("span_id", "\"x\""), 422),
        (with("name", "\"\""), 422),
        (with("name", &format!("\"{}\"", "x".repeat(65))), 422),
        (with("value", "null"), 422),
        (with("value", "[1]"), 422),
        (with("value", &format!("\"{}\"", "x".repeat(9_000))), 422),
        (with("comment", &format!("\"{}\"", "x".repeat(9_000))), 422),
        (with("tenant_id", "\"globex\""), 409),
        (with("more", "1"), 422),
        ("{".to_owned(), 400),
        (good.replace("true", "1e999"), 400),
    ] {
        let answer = add(&viewer, &csrf, &body);
        assert_eq!(answer.status, status, "{body}: {answer:?}");
        assert!(answer.json()["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{answer:?}");
    }
    assert_eq!(viewer.get("/scores.json?since=9999d").json(), serde_json::json!([]));
    add(&viewer, &csrf, &good).expect(201);
}
