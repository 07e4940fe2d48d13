//! Errors that no handler made.

use crate::support::server::Server;

#[test]
fn what_is_not_there_is_a_problem() {
    let server = Server::start(&[]);
    for path in ["/nothing", "/api", "/api/ingest/more", "/assets/", "/assets/../lib.rs", "/%ff"] {
        server.get(path).send().problem(404);
    }
    let head = server.request("HEAD", "/nothing").send();
    assert_eq!((head.status, head.header("content-type"), head.body.len()), (404, Some("application/problem+json"), 0));
}

#[test]
fn another_method_is_a_problem_that_names_the_right_ones() {
    let server = Server::start(&[]);
    for (method, path, allowed) in [
        ("GET", "/api/ingest", "POST"),
        ("PUT", "/api/ask", "POST"),
        ("DELETE", "/api/feedback", "POST"),
        ("POST", "/metrics", "GET,HEAD"),
        ("PATCH", "/", "GET,HEAD"),
    ] {
        let answer = server.request(method, path).send();
        answer.problem(405);
        assert_eq!(answer.header("allow"), Some(allowed), "{method} {path}");
    }
}

#[test]
fn what_another_site_has_a_browser_send_is_refused() {
    let server = Server::start(&[]);
    let question = serde_json::json!({ "question": "Is anybody there?" });
    let ask = |name: &str, value: &str| server.post("/api/ask").header(name, value).json(&question);
    ask("Origin", "http://evil.example").send().problem(403);
    ask("Origin", "null").send().problem(403);
    ask("Sec-Fetch-Site", "cross-site").send().problem(403);
    assert_eq!(ask("Sec-Fetch-Site", "same-origin").events().answer.status, 200);
    assert_eq!(ask("Origin", &format!("http://{}", server.address)).events().answer.status, 200);
    assert_eq!(server.get("/healthz").header("Sec-Fetch-Site", "cross-site").send().status, 200);
}
