//! Requests and settings that are refused, and the headers that even a refusal has.

use std::os::unix::fs::PermissionsExt;

use crate::client::send;
use crate::support::{File, TRACE, ingestion};
use crate::viewer::{Viewer, holding, refused};

/// The headers of every answer.
const HEADERS: [(&str, &str); 5] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; \
         frame-ancestors 'none'; form-action 'self'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-frame-options", "DENY"),
];

#[test]
fn a_host_name_of_somebody_elses_is_refused_for_every_method_and_path() {
    let file = holding(ingestion());
    let viewer = Viewer::of(&file.url(), &[]);
    for host in ["evil.example", "evil.example:7667", "127.0.0.1", "localhost:1", "localhost.evil.example", ""] {
        for method in ["GET", "HEAD", "POST", "OPTIONS", "DELETE", "PUT", "BREW"] {
            for path in ["/", "/traces.json", "/assets/x/app.js", "/api/scores", "/nowhere", "/live/events"] {
                let answer = viewer.request(method, path, &[("host", host)], "");
                assert_eq!(answer.status, 421, "{method} {path} for {host:?}: {answer:?}");
                assert!(!answer.body.contains("alice") && !answer.body.contains(TRACE), "{answer:?}");
            }
        }
    }
    let answer = viewer.get_with("/", &[("host", "evil.example")]);
    assert!(answer.body.contains("not the host") && answer.body.contains("--host"), "{}", answer.body);
    let none = send(viewer.address, b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n");
    assert!(none.status == 400 || none.status == 421, "{none:?}");
    let twice = format!("GET / HTTP/1.1\r\nhost: {0}\r\nhost: {0}\r\nconnection: close\r\n\r\n", viewer.address);
    assert_eq!(send(viewer.address, twice.as_bytes()).status, 421);
    let absolute =
        format!("GET http://evil.example/ HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", viewer.address);
    assert_eq!(send(viewer.address, absolute.as_bytes()).status, 421);
    for host in [format!("localhost:{}", viewer.address.port()), format!("[::1]:{}", viewer.address.port())] {
        viewer.get_with("/", &[("host", &host)]).expect(200);
    }
    let named = Viewer::of(&file.url(), &["--host", "rag.example", "--host", "localhost:9000"]);
    named.get_with("/", &[("host", "RAG.example")]).expect(200);
    named.get_with("/", &[("host", "localhost:9000")]).expect(200);
    named.get_with("/", &[("host", "localhost:9001")]).expect(421);
}

#[test]
fn every_answer_has_the_headers_that_keep_a_browser_from_harm() {
    let file = holding(ingestion());
    let viewer = Viewer::of(&file.url(), &[]);
    let page = viewer.get("/").expect(200);
    let asset = page.body.split("src=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a script");
    let answers = [
        viewer.get("/"),
        viewer.get("/traces.json"),
        viewer.get("/nowhere"),
        viewer.get(asset),
        viewer.get("/?limit=x"),
        viewer.request("DELETE", "/", &[], ""),
        viewer.get_with("/", &[("host", "evil.example")]),
        viewer.post("/api/scores", &[], "{}"),
        viewer.post("/api/scores", &[("origin", "https://evil.example")], "{}"),
    ];
    for answer in &answers {
        for (name, value) in HEADERS {
            assert_eq!(answer.header(name), Some(value), "{answer:?}");
        }
        assert!(answer.header("content-type").is_some(), "{answer:?}");
    }
    let kept: Vec<_> = answers.iter().map(|answer| answer.header("cache-control").expect("said")).collect();
    assert!(kept[3].contains("immutable"), "{kept:?}");
    assert!(kept.iter().enumerate().all(|(at, kept)| at == 3 || *kept == "no-store"), "{kept:?}");
}

#[test]
fn a_page_of_another_origin_can_make_nothing_happen() {
    let file = holding(ingestion());
    let viewer = Viewer::of(&file.url(), &["--allow-writes"]);
    let body = format!(r#"{{"trace_id":"{TRACE}","name":"helpful","value":true}}"#);
    for foreign in [
        &[("origin", "https://evil.example")][..],
        &[("origin", "null")],
        &[("origin", "http://localhost:1")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "none")],
    ] {
        for method in ["POST", "DELETE", "PUT"] {
            for path in ["/api/scores", "/session", "/"] {
                let answer =
                    viewer.request(method, path, &[foreign, &[("content-type", "application/json")]].concat(), &body);
                assert_eq!(answer.status, 403, "{method} {path} {foreign:?}: {answer:?}");
            }
        }
    }
    for path in ["/", "/traces.json", "/live/events", "/session"] {
        for foreign in [
            &[("origin", "https://evil.example")][..],
            &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")],
            &[("sec-fetch-site", "same-site"), ("sec-fetch-mode", "cors")],
        ] {
            viewer.get_with(path, foreign).expect(403);
        }
    }
    viewer.get_with("/", &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")]).expect(200);
    assert_eq!(viewer.get("/scores.json?since=9999d").json(), serde_json::json!([]));
}

#[test]
fn what_is_not_there_or_not_meant_is_told_so() {
    let file = holding(ingestion());
    let viewer = Viewer::of(&file.url(), &[]);
    for path in [
        "/nowhere",
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/assets/x/../../../etc/passwd",
        "/assets/x/..%2f..%2fetc%2fpasswd",
        "/assets/x/nothing.js",
        "/stages/no_such_stage",
        "/.git/config",
        "//evil.example/",
    ] {
        let answer = viewer.get(path);
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
        assert!(!answer.body.contains("root:"), "{path}");
    }
    for path in [
        "/?limit=x",
        "/?since=yesterday",
        "/?since=1h&until=2h",
        "/?after=1.2",
        "/?status=late",
        "/?longer=long",
        "/?field=x",
        "/errors?view=x",
        "/live?level=loud",
        "/stages?since=1h&until=2h",
        "/find?q=alice",
    ] {
        let answer = viewer.get(path).expect(400);
        assert!(answer.body.contains("This cannot be read"), "{path}: {}", answer.body);
        let separator = if path.contains('?') { '&' } else { '?' };
        let json = viewer.get(&format!("{path}{separator}format=json")).expect(400);
        assert_eq!(json.header("content-type"), Some("application/problem+json"), "{json:?}");
        assert!(json.json()["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{json:?}");
    }
    for (method, path) in [
        ("POST", "/"),
        ("DELETE", "/traces.json"),
        ("PUT", "/stages"),
        ("OPTIONS", "/"),
        ("TRACE", "/"),
        ("PATCH", "/x"),
    ] {
        let answer = viewer.request(method, path, &[], "");
        let expected = if path == "/x" { 404 } else { 405 };
        assert_eq!(answer.status, expected, "{method} {path}: {answer:?}");
        if expected == 405 {
            assert_eq!(answer.header("allow"), Some("GET,HEAD"), "{answer:?}");
        }
    }
    let get = viewer.get("/").expect(200);
    let head = viewer.request("HEAD", "/", &[], "").expect(200);
    assert_eq!((head.body.as_str(), head.header("content-length")), ("", Some(get.body.len().to_string().as_str())));
}

#[test]
fn it_does_not_listen_for_others_without_tokens() {
    let file = holding(ingestion());
    for listen in ["0.0.0.0:0", "[::]:0"] {
        let (code, said) = refused(&file.url(), &["--listen", listen]);
        if said.contains("cannot be listened on") {
            continue;
        }
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("--tokens FILE") && said.contains("127.0.0.1"), "{said}");
    }
}

/// Writes a file of tokens that only its owner may read.
pub(crate) fn tokens(file: &File, text: &str) -> String {
    let path = file.folder.path().join("tokens");
    std::fs::write(&path, text).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("changed");
    path.to_str().expect("UTF-8").to_owned()
}

#[test]
fn tokens_that_cannot_be_meant_are_refused_at_the_start_and_not_repeated() {
    let file = holding(ingestion());
    for (text, why) in [
        ("0123456789abcdef acme_dashboard\n", "a SQLite file has no roles"),
        ("short\n", "less than 16 characters"),
        ("", "no tokens"),
    ] {
        let path = tokens(&file, text);
        let (code, said) = refused(&file.url(), &["--tokens", &path]);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(why) && !said.contains("0123456789abcdef") && !said.contains("short"), "{said}");
    }
    let path = tokens(&file, "0123456789abcdef\n");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("changed");
    let (code, said) = refused(&file.url(), &["--tokens", &path]);
    assert!(code == Some(2) && said.contains("chmod 600"), "{said}");
    let (code, said) = refused(&file.url(), &["--tokens", "/nowhere/tokens"]);
    assert!(code == Some(2) && said.contains("/nowhere/tokens"), "{said}");
}

#[test]
fn a_store_that_is_not_there_or_none_is_told_at_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = format!("sqlite:{}", folder.path().join("ragtrace.db").display());
    let text = folder.path().join("text.db");
    std::fs::write(&text, "this is no database, whatever its name says, and longer than a page".repeat(200))
        .expect("written");
    for store in [missing, format!("sqlite:{}", text.display()), "mysql://somewhere".to_owned(), "nonsense".to_owned()]
    {
        let (code, said) = refused(&store, &[]);
        assert_eq!(code, Some(2), "{store}: {said}");
        assert!(said.starts_with("ragtrace: "), "{said}");
    }
    let file = holding(ingestion());
    let taken = Viewer::of(&file.url(), &[]);
    let (code, said) = refused(&file.url(), &["--listen", &taken.address.to_string()]);
    assert!(code == Some(2) && said.contains("--listen"), "{said}");
    let (code, said) = refused(&file.url(), &["--host", "http://rag.example/"]);
    assert!(code == Some(2) && said.contains("give a host name"), "{said}");
}
