//! Recorded text that tries to be more than text.

use std::fmt::Write;

use serde_json::json;

use crate::support::{Make, TRACE};
use crate::viewer::{Viewer, holding};

const HOSTILE: [&str; 7] = [
    "<script>alert(1)</script>",
    "\" onmouseover=\"alert(1)",
    "' onfocus='alert(1)",
    "</script></title></style><img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    "\u{202e}gnp.exe\u{200b}\u{1b}[31m\u{7}",
    "&lt;b&gt; {{7*7}} ${7*7} %3Cscript%3E\r\nset-cookie: a=b",
];

/// Returns a failed run in which every text is `text`.
fn records(text: &str) -> Vec<ragtrace::Record> {
    let now = ragtrace::Timestamp::now().to_string();
    let make = |event: &str, span| Make::new(event, text, span, 0).with("timestamp", &*now);
    let failed = make("failed", 1)
        .with("local_root", true)
        .with("message", text)
        .with("logger", text)
        .with("user_id", text)
        .with("tenant_id", text)
        .with("session_id", text)
        .with("service", text)
        .with("version", text)
        .with("metrics", json!({"duration_ms": 5, "cost_usd": 0.5, "input_tokens": 7}))
        .with("context", json!({"model": text, "provider": text, "doc.name": text}))
        .with("error", json!({"type": text, "message": text, "chain": [text]}))
        .with("stack_trace", text);
    let score = Make::new("score", "x", 1, 0)
        .with("timestamp", &*now)
        .with("tenant_id", text)
        .with("score", json!({"name": "tone", "value": text, "by": "human", "comment": text}));
    vec![failed.record(), make("log", 2).with("level", "ERROR").with("message", text).record(), score.record()]
}

/// Checks that a page has no element or attribute that the recorded text brought along.
fn check(page: &str, path: &str) {
    let lower = page.to_ascii_lowercase();
    for piece in ["<script>", "<img", "onerror=alert(1)>", "\" onmouseover=", "</title></style>"] {
        assert!(!lower.contains(piece), "{path} has {piece}");
    }
    // A field of the filter holds what the visitor typed, as it is.
    for (at, piece) in page.split("value=\"").enumerate() {
        let shown = if at == 0 { piece } else { piece.split_once('"').map_or("", |(_, rest)| rest) };
        assert!(!shown.contains(['\u{202e}', '\u{1b}', '\u{200b}']), "{path}: {shown}");
    }
    for href in page.split("href=\"").skip(1) {
        let href = href.split('"').next().unwrap_or_default();
        assert!(href.starts_with('/') || href.starts_with('#'), "{path} leads to {href}");
        assert!(!href.starts_with("//"), "{path} leads to {href}");
    }
    assert!(!lower.contains(" style=") && !lower.contains("<style"), "{path} has styles of its own");
    let scripts = lower.matches("<script").count();
    assert_eq!(scripts, lower.matches("<script type=\"module\" src=\"/assets/").count(), "{path} has other scripts");
}

#[test]
fn every_field_comes_out_as_text() {
    for text in HOSTILE {
        let file = holding(records(text));
        let viewer = Viewer::of(&file.url(), &[]);
        let encoded = text.bytes().fold(String::new(), |mut encoded, byte| {
            let _ = write!(encoded, "%{byte:02X}");
            encoded
        });
        let paths = [
            "/".to_owned(),
            "/traces/histogram?part=1".to_owned(),
            "/stages".to_owned(),
            format!("/stages/{encoded}"),
            "/costs".to_owned(),
            "/errors".to_owned(),
            "/errors?view=rows".to_owned(),
            "/scores?since=9999d".to_owned(),
            "/live".to_owned(),
            format!("/?user={encoded}&operation={encoded}"),
            format!("/?error={encoded}&ran={encoded}&field=doc.name%3D{encoded}"),
            format!("/errors?text={encoded}&stage={encoded}"),
            format!("/scores?name={encoded}"),
            format!("/find?q={encoded}"),
            format!("/?status={encoded}"),
            format!("/?{encoded}={encoded}"),
            format!("/nowhere/{encoded}"),
        ];
        for path in paths {
            let answer = viewer.get(&path);
            assert!(answer.status < 500, "{path}: {answer:?}");
            assert_eq!(answer.header("set-cookie"), None, "{path}");
            check(&answer.body, &path);
        }
        let list = viewer.get("/").expect(200);
        assert!(list.body.contains(TRACE), "{text:?} is listed");
    }
}

#[test]
fn a_text_of_a_megabyte_makes_no_page_of_a_megabyte() {
    let long = "<b>\u{202e}".repeat(100_000);
    let file = holding(records(&long));
    let viewer = Viewer::of(&file.url(), &[]);
    for path in ["/", "/stages", "/costs", "/errors", "/errors?view=rows", "/scores?since=9999d", "/live"] {
        let answer = viewer.get(path).expect(200);
        assert!(answer.body.len() < 200_000, "{path}: {} bytes", answer.body.len());
        check(&answer.body, path);
    }
}
